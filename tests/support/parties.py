"""Docks for tests: a key, an id, tokens and statements signed with them; nothing here talks to anybody."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from joserfc import jwt
from joserfc.jwk import OKPKey

from evidence.core.clock import utc_now
from evidence.core.ids import uuid7
from evidence.core.wire.cleared import Cleared, ClearedFile, sign_cleared
from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from evidence.core.wire.inventory import Inventory, InventoryFile, sign_inventory
from evidence.core.wire.manifest import Manifest, sign_manifest
from evidence.core.wire.statement import dock_key_name
from evidence.db.pool import Pool
from evidence.parties.docks import create_enrolment_code, enrol_dock
from ledger.note import Signer
from tests.support.clock import START, SeededEntropy


@dataclass(frozen=True, slots=True)
class PaperDock:
    """A dock on paper: it can sign, it cannot send."""

    dock: UUID
    signer: Signer
    recorder: str = "A1B2C3D"

    @property
    def vkey(self) -> str:
        """Its verifier key as text."""
        return self.signer.verifier.vkey

    @property
    def kid(self) -> str:
        """Its key ID, 8 hex digits."""
        return self.signer.verifier.key_id.hex()

    def successor(self, seed: int = 77) -> PaperDock:
        """Return the same dock with another key."""
        return PaperDock(self.dock, Signer.generate(self.signer.name, SeededEntropy(seed)), self.recorder)

    def change_to(self, new: PaperDock, *, sequence: int = 1) -> bytes:
        """Sign the change from this key to another of the same dock."""
        change = DockKeyChange(dock=self.dock, sequence=sequence, old=self.signer.verifier, new=new.signer.verifier)
        return sign_dock_key(change, old=self.signer, new=new.signer)

    def token(self, *, origin: str, now: datetime | None = None, seconds: int = 120, **changes: object) -> str:
        """Sign a token; `changes` replace header fields and claims by name, None removes one."""
        issued = int((now or utc_now()).timestamp())
        header: dict[str, object] = {"alg": "Ed25519", "kid": self.kid, "typ": "JWT"}
        claims: dict[str, object] = {"iss": str(self.dock), "aud": origin, "iat": issued, "exp": issued + seconds}
        for name, value in changes.items():
            part = header if name in header else claims
            part[name] = value
            if value is None:
                del part[name]
        key = OKPKey.import_key(_private_jwk(self.signer))
        return jwt.encode(header, claims, key, algorithms=["Ed25519"])

    def inventory(self, *files: InventoryFile, id_: UUID | None = None, seen_at: datetime | None = None) -> Inventory:
        """State an inventory of files."""
        seen_at = seen_at or utc_now()
        return Inventory(
            id=id_ or uuid4(),
            dock=self.dock,
            recorder=self.recorder,
            seen_at=seen_at,
            dock_clock=seen_at + timedelta(seconds=1),
            profile="generic",
            files=files,
        )

    def inventory_note(self, inventory: Inventory) -> bytes:
        """Sign an inventory."""
        return sign_inventory(inventory, self.signer)

    def manifest_note(self, manifest: Manifest) -> bytes:
        """Sign a manifest."""
        return sign_manifest(manifest, self.signer)

    def cleared_note(self, *files: ClearedFile, at: datetime | None = None) -> bytes:
        """Sign a cleared list."""
        return sign_cleared(
            Cleared(dock=self.dock, recorder=self.recorder, at=at or utc_now(), files=files), self.signer
        )


def paper_dock(seed: int = 1) -> PaperDock:
    """Make a dock whose id and key follow from a seed."""
    entropy = SeededEntropy(seed)
    dock = uuid7(clock=lambda: START, entropy=entropy)
    return PaperDock(dock, Signer.generate(dock_key_name(dock), entropy))


def file_of(path: str, *, size: int = 10, order: int = 1, raw: bool = False, **more: object) -> InventoryFile:
    """Describe a file on a recorder."""
    modified_at = datetime.fromisoformat("2026-03-01T08:00:00+08:00")
    return InventoryFile(path=path, size=size, modified_at=modified_at, order=order, raw=raw, **more)  # type: ignore[arg-type]


async def enrol(pool: Pool, dock: PaperDock, *, entropy: SeededEntropy, name: str = "一号采集站") -> None:
    """Enrol a dock the way the service does."""
    async with pool.acquire() as conn, conn.transaction():
        code = await create_enrolment_code(
            conn, lifetime=timedelta(hours=1), actor="service", clock=utc_now, entropy=entropy
        )
        await enrol_dock(conn, code=code, name=name, vkey=dock.vkey, clock=utc_now, entropy=entropy)


def _private_jwk(signer: Signer) -> dict[str, str | list[str]]:
    def text(raw: bytes) -> str:
        return urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")

    return {"kty": "OKP", "crv": "Ed25519", "x": text(signer.verifier.key.raw), "d": text(signer.key.seed)}


def secret_of(spelled: str) -> str:
    """Return the secret at the end of a token's, ticket's or link's spelling: 43 characters, `_` among them."""
    return spelled[-43:]
