"""Change of the station's key: a new key is made here, vouched for by the old one, and counts once the service says so.

The station holds two keys only while a change is under way, `dock.key` and `next.key`. Which of them counts is asked of
the service, by the old key and then by the new: whoever is let in counts. So the very same steps begin a change, go on
with one after a crash or a lost answer, and find that it was done already.

| Order of effects | When the power goes here | Next run |
|---|---|---|
| new key on disk as `next.key` | the service knows nothing of it | takes this key on |
| change signed by both keys, sent | the service may have it | asks which key counts; sends it, or not again |
| service committed, answer lost | the new key counts | is let in by the new key only |
| `next.key` takes the place of `dock.key` | the change is done, the old key is gone | nothing to do |

Nothing else is signed while a change is under way: a station goes on with it before anything else, in every run. What
waits in the journal under the old key's signature is signed anew when it is sent (`dockstation.outbox`), manifests are
signed when they are sent anyway. A station that neither key lets in was revoked, and keeps both keys.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from ssl import SSLContext

from dockstation.backoff import Patience
from dockstation.config import StateFolder
from dockstation.errors import ConfigInvalid, DockNotAccepted, LinkLost, ServiceBusy, ServiceMalformed
from dockstation.identity import Enrolment, TokenMaker
from dockstation.link import Link, asked_seconds
from dockstation.service import KeyState, Service
from evidence.core.clock import Clock, Entropy
from evidence.core.durable import sync_folder, write_file
from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from ledger.errors import CodedError
from ledger.note import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyChanger:
    """Changes the key of one station; the caller owns the state folder.

    Attributes:
        folder: The station's state.
        enrolment: Whose key.
        url: Where the service is now.
        trust: Certificate authorities; None for the system's.
        patience_seconds: How long failures of the way are borne without progress.
        clock: The station's clock.
    """

    folder: StateFolder
    enrolment: Enrolment
    url: str
    trust: SSLContext | None
    patience_seconds: float
    clock: Clock

    async def begin(self, *, entropy: Entropy) -> KeyState:
        """Change the key, or go on with the change that is under way; return what counts now.

        Raises:
            DockNotAccepted: The service lets neither key in. Both are kept.
            DockError: See `dockstation.link`; the next run goes on.
        """
        if self._next() is None:
            signer = Signer.generate(self.folder.load_signer(self.enrolment.dock).name, entropy)
            await asyncio.to_thread(write_file, self._path, signer.encoded().encode() + b"\n", mode=0o600)
        state = await self.finish()
        if state is None:
            raise ServiceMalformed("a change of key was begun and is not there any more")
        return state

    async def finish(self) -> KeyState | None:
        """Go on with a change that is under way; None when there is none.

        Raises:
            As `begin`.
        """
        new = self._next()
        if new is None:
            return None
        patience = Patience(self.patience_seconds)
        while True:
            try:
                state = await self._settle(self.folder.load_signer(self.enrolment.dock), new)
            except (LinkLost, ServiceBusy, ServiceMalformed) as error:
                await patience.hold(error, asked_seconds=asked_seconds(error))
            else:
                await asyncio.to_thread(self._promote)
                return state

    async def _settle(self, old: Signer, new: Signer) -> KeyState:
        """Return the service's word that the new key counts."""
        try:
            async with self._link(old) as link:
                service = Service(link)
                state = await service.key_state(self.enrolment.dock)
                if state.vkey == old.verifier.vkey:
                    change = DockKeyChange(
                        dock=self.enrolment.dock, sequence=state.sequence + 1, old=old.verifier, new=new.verifier
                    )
                    state = await service.change_key(self.enrolment.dock, sign_dock_key(change, old=old, new=new))
        except DockNotAccepted:
            # Either the old key does not count any more, or this station does not.
            async with self._link(new) as link:
                state = await Service(link).key_state(self.enrolment.dock)
        if state.vkey != new.verifier.vkey:
            raise ServiceMalformed("the service lets a key in and says that another one counts")
        return state

    def _link(self, signer: Signer) -> Link:
        return Link(self.url, tokens=TokenMaker(self.enrolment, signer, clock=self.clock), trust=self.trust)

    @property
    def _path(self) -> Path:
        return self.folder.next_key

    def _next(self) -> Signer | None:
        """Return the new key of a change that is under way; one that a former identity left is none."""
        try:
            signer = Signer.parse(self._path.read_text(encoding="ascii").strip())
        except FileNotFoundError:
            return None
        except (OSError, ValueError, CodedError) as error:
            raise ConfigInvalid(f"{self._path}: {error}") from error
        return signer if signer.name == self.folder.load_signer(self.enrolment.dock).name else None

    def _promote(self) -> None:
        # The old private key ends here; a crash before finds both files and asks again.
        self._path.replace(self.folder.key)
        sync_folder(self.folder.path)
