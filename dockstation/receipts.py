"""Receipts: the manifest goes out, a receipt comes back, and is believed only when it proves these very bytes.

Order of effects: manifest sent -> receipt checked -> receipt on the station's disk -> journal says `receipt_verified`.
Only that last step lets a file be cleared. A crash before it sends the same manifest again, which is answered alike.

Obligations met by `check_clip_receipt`, after the four of `evidence.core.wire.receipt` against the log key and the
witness policy pinned at enrolment, and the keys that lead on from it (`dockstation.log_trust`):

5. the entry seals a clip (`clip.sealed` or `clip.repeated`) and is about the clip of its payload;
6. size, chunk size, chunk count, tree root and SHA-256 are those that the dock computed in its own reading;
7. dock, recorder and path are those of the file;
8. where the seal asks for a copy in a second store, a receipt of that copy follows, proven likewise
   (`evidence.core.wire.copied`).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from dockstation.backoff import Patience
from dockstation.errors import LinkLost, ReceiptRefused, ServiceBusy, ServiceMalformed, StateUnwritable, UploadGone
from dockstation.journal import FileRow, State
from dockstation.journal_store import Journal
from dockstation.link import asked_seconds
from dockstation.log_trust import LogTrust
from dockstation.service import Promise, Service
from dockstation.threads import Books
from dockstation.tus import upload_id
from evidence.core.durable import write_file
from evidence.core.wire.copied import asked_store, check_copied, split_receipts
from evidence.core.wire.manifest import Manifest, sign_manifest
from evidence.core.wire.receipt import check_receipt
from evidence.core.wire.sealed import read_sealed
from evidence.errors import ReceiptMismatch
from ledger.errors import CodedError, KeyNotSpeaking, NoteUnsigned
from ledger.note import Signer

_KEY_UNKNOWN = frozenset({NoteUnsigned.code, KeyNotSpeaking.code})
"""Why a receipt may be refused that a key signed which followed since."""

_ASK_SECONDS = 0.3
"""Shortest pause between two questions for one receipt."""


@dataclass(frozen=True, slots=True)
class ProvenClip:
    """What a checked receipt proves of a file: its clip, and the ledger entry that seals it."""

    clip: UUID
    entry: UUID


def check_clip_receipt(raw: bytes, *, row: FileRow, trust: LogTrust) -> ProvenClip:
    """Meet the module's obligations for one file and return what is proved.

    Raises:
        ReceiptRefused: An obligation is not met; the message says which.
    """
    try:
        receipt, copy = split_receipts(raw)
        checked = check_receipt(receipt, log=trust.keys, policy=trust.policy)
        sealed = read_sealed(checked.entry, checked.payload)
        if (store := asked_store(checked.payload)) is not None:
            if copy is None:
                raise ReceiptMismatch(f"the seal asks for a copy in {store}, and no receipt of one came")
            check_copied(check_receipt(copy, log=trust.keys, policy=trust.policy), sealed, store=store)
    except CodedError as error:
        raise ReceiptRefused(f"{row.path}: {error}", cause=error.code) from error
    if sealed.digest != row.digest:
        raise ReceiptRefused(f"{row.path}: the receipt is about other bytes")
    said = {name: checked.payload.get(name) for name in ("dock", "recorder", "path")}
    meant = {"dock": str(row.dock), "recorder": row.recorder, "path": row.path}
    if said != meant or checked.payload.get("raw", row.seen.raw) != row.seen.raw:
        raise ReceiptRefused(f"{row.path}: the receipt is about another file: {said}")
    return ProvenClip(clip=sealed.clip, entry=checked.entry.id)


class Settler:
    """Brings uploaded files to a verified receipt.

    Args:
        service: Where manifests go.
        books: The journal.
        signer: The station's key.
        trust: Whom to believe.
        folder: Where verified receipts are kept.
        patience_seconds: How long one call bears failures.
    """

    def __init__(
        self,
        *,
        service: Service,
        books: Books,
        signer: Signer,
        trust: LogTrust,
        folder: Path,
        patience_seconds: float,
    ) -> None:
        self._service = service
        self._books = books
        self._signer = signer
        self._trust = trust
        self._folder = folder
        self._patience_seconds = patience_seconds

    async def settle(self, row: FileRow, *, end: float) -> FileRow:
        """Bring a file that is `uploaded` or `sealed` as far as the service lets it; at best to `receipt_verified`.

        Args:
            end: Loop time until which a promised receipt is waited for; it is asked for once at least.

        Raises:
            ReceiptRefused: What came back proves something else. Nothing is believed.
            UploadGone: The service forgot the bytes; the file is in the journal anew.
            DockError: See `dockstation.link`.
        """
        loop = asyncio.get_running_loop()
        note = self._manifest(row)
        patience = Patience(self._patience_seconds)
        while True:
            try:
                answer = await self._service.manifest(upload_id(row.upload or ""), note)
            except UploadGone as error:
                await self._books.do(Journal.restart, row, reason=str(error))
                raise
            except (LinkLost, ServiceBusy, ServiceMalformed) as error:
                await patience.hold(error, asked_seconds=asked_seconds(error))
                continue
            if not isinstance(answer, Promise):
                return await self._accept(row, answer)
            if row.state is State.UPLOADED:
                row = await self._books.do(Journal.seal, row, clip=answer.clip)
            pause = max(answer.wait_seconds, _ASK_SECONDS)
            if loop.time() + pause > end:
                return row
            await asyncio.sleep(pause)

    async def _accept(self, row: FileRow, raw: bytes) -> FileRow:
        proven = await self._believe(row, raw)
        try:
            await asyncio.to_thread(write_file, self._folder / f"{proven.entry}.receipt", raw)
        except OSError as error:
            raise StateUnwritable(f"{self._folder}: {error.strerror}") from error
        return await self._books.do(Journal.verify, row, clip=proven.clip, entry=proven.entry)

    async def _believe(self, row: FileRow, raw: bytes) -> ProvenClip:
        """Check a receipt; where no key signed it that speaks, ask whether another followed, and check it again."""
        await self._trust.refresh(self._service)
        judged_by = self._trust.keys
        try:
            return check_clip_receipt(raw, row=row, trust=self._trust)
        except ReceiptRefused as error:
            if error.details.get("cause") not in _KEY_UNKNOWN:
                raise
            await self._trust.learn(self._service)
            # Another receipt of the same moment may have brought the news: what counts is what this one was judged by.
            if self._trust.keys == judged_by:
                raise
        return check_clip_receipt(raw, row=row, trust=self._trust)

    def _manifest(self, row: FileRow) -> bytes:
        if row.inventory is None or row.digest is None:
            raise ReceiptRefused(f"{row.path}: the journal has no digests of it")
        manifest = Manifest(
            upload=upload_id(row.upload or ""),
            dock=row.dock,
            inventory=row.inventory,
            recorder=row.recorder,
            path=row.path,
            raw=row.seen.raw,
            digest=row.digest,
        )
        return sign_manifest(manifest, self._signer)
