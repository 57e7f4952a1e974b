"""Outbox: signed statements on their way to the service, oldest first for each recorder.

A statement lies in the journal before it is sent, so it survives everything; it leaves when the service has
acknowledged it. A refused statement holds up its own recorder only. One that waits under a signature of a key which the
station has changed since is signed anew on its way: it is the same statement, and the service knows it again.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from dockstation.backoff import Patience
from dockstation.errors import DockError, LinkLost, ServiceBusy
from dockstation.journal import WaitingNote
from dockstation.journal_store import Journal
from dockstation.link import asked_seconds
from dockstation.service import Service
from dockstation.threads import Books
from ledger.note import Signer, parse_note, sign_note


class Outbox:
    """Sends the journal's statements.

    Args:
        service: Where to.
        books: The journal.
        signer: The station's key.
        patience_seconds: How long one call bears failures.
    """

    def __init__(self, *, service: Service, books: Books, signer: Signer, patience_seconds: float) -> None:
        self._service = service
        self._books = books
        self._signer = signer
        self._patience_seconds = patience_seconds
        self._lock = asyncio.Lock()

    async def send(self, recorder: str) -> None:
        """Send every waiting statement about one recorder.

        Raises:
            DockError: See `dockstation.link`; what was not sent stays.
        """
        # One sender at a time, else a statement could overtake an older one.
        async with self._lock:
            for note in await self._books.do(Journal.waiting_notes):
                if note.recorder == recorder:
                    await self._send(note)

    async def send_rest(self) -> DockError | None:
        """Send what is waiting about any recorder, docked or not; return the first failure."""
        waiting = await self._books.do(Journal.waiting_notes)
        failure: DockError | None = None
        for recorder in dict.fromkeys(note.recorder for note in waiting):
            try:
                await self.send(recorder)
            except DockError as error:
                failure = failure or error
        return failure

    async def _send(self, note: WaitingNote) -> None:
        patience = Patience(self._patience_seconds)
        while True:
            try:
                await self._service.state(replace(note, note=signed_by(self._signer, note.note)))
            except (LinkLost, ServiceBusy) as error:
                await patience.hold(error, asked_seconds=asked_seconds(error))
            else:
                await self._books.do(Journal.note_posted, note)
                return


def signed_by(signer: Signer, note: bytes) -> bytes:
    """Return a statement under this key's signature; as it is when it has one.

    Raises:
        NoteMalformed: The journal holds no signed note there.
    """
    parsed = parse_note(note)
    here = (signer.name, signer.verifier.key_id)
    if here in [(line.name, line.key_id) for line in parsed.signatures]:
        return note
    return sign_note(parsed.text, [signer])
