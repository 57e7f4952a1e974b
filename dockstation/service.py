"""What the station says to the service besides bytes: enrolment, changes of key, inventories, manifests, cleared lists.

Each call but enrolment is safe to repeat: the same statement is recorded once. A manifest names an upload, and handing
it in again is also the way to ask for the receipt: the answer then speaks of this very upload, where the same clip may
have come from several sources.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from uuid import UUID

from dockstation.errors import DockError, ServiceMalformed, UploadGone
from dockstation.journal import WaitingNote
from dockstation.link import Answer, Link
from evidence.core.wire.dock_key import CHANGES_MAX
from evidence.core.wire.receipt import RECEIPT_BYTES_MAX
from ledger.key_history import KEYS_BYTES_MAX

RECEIPT_TYPE: Final = "application/vnd.shilu.receipt"
"""Media type of a receipt."""

_TEXT = {"Content-Type": "text/plain; charset=utf-8"}
_PATHS = {"inventory": "v1/inventories", "cleared": "v1/cleared"}


@dataclass(frozen=True, slots=True)
class Promise:
    """The clip is sealed, its receipt is not ready.

    Attributes:
        clip: The clip, as the service names it; nothing is proved yet.
        wait_seconds: When to ask again.
    """

    clip: UUID
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class EnrolmentAnswer:
    """What the service answers to an enrolment."""

    dock: UUID
    origin: str
    log_vkey: str
    policy: str


@dataclass(frozen=True, slots=True)
class KeyState:
    """Which of the station's keys counts: how often it was changed, and the verifier key."""

    sequence: int
    vkey: str


class Service:
    """The contract's calls over a link."""

    def __init__(self, link: Link) -> None:
        self._link = link

    async def enrol(self, *, code: str, name: str, vkey: str) -> EnrolmentAnswer:
        """Register the station's key; the code is used up.

        Raises:
            DockError: See `dockstation.link`.
        """
        body = json.dumps({"code": code, "name": name, "vkey": vkey}).encode()
        headers = {"Content-Type": "application/json"}
        data = (await self._link.ask("POST", "v1/docks/enrol", body=body, headers=headers)).json_object()
        return EnrolmentAnswer(
            dock=_uuid(data, "dock"),
            origin=_text(data, "origin"),
            log_vkey=_text(data, "log_vkey"),
            policy=_text(data, "policy"),
        )

    async def key_state(self, dock: UUID) -> KeyState:
        """Ask which key of this station counts.

        Raises:
            DockNotAccepted: Not the one that asks.
            DockError: See `dockstation.link`.
        """
        return _key_state((await self._link.ask("GET", f"v1/docks/{dock}/key")).json_object())

    async def change_key(self, dock: UUID, note: bytes) -> KeyState:
        """Hand in a change of key; the same again is answered alike.

        Raises:
            DockError: See `dockstation.link`.
        """
        return _key_state(
            (await self._link.ask("POST", f"v1/docks/{dock}/key", body=note, headers=_TEXT)).json_object()
        )

    async def checkpoint(self) -> bytes:
        """Return the log's newest signed checkpoint; anybody may ask.

        Raises:
            DockError: See `dockstation.link`.
        """
        return (await self._link.ask("GET", "log/checkpoint")).body

    async def log_keys(self) -> bytes | None:
        """Return the statements by which the log's keys followed each other; None when there are none.

        Raises:
            DockError: See `dockstation.link`.
        """
        try:
            return (await self._link.ask("GET", "log/keys", bytes_max=KEYS_BYTES_MAX)).body
        except DockError as error:
            if error.details.get("status") == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def state(self, note: WaitingNote) -> None:
        """Hand in a signed inventory or cleared list.

        Raises:
            DockError: See `dockstation.link`.
        """
        await self._link.ask("POST", _PATHS[note.kind], body=note.note, headers=_TEXT)

    async def manifest(self, upload: UUID, note: bytes) -> bytes | Promise:
        """Hand in a signed manifest, or the same again; return the receipt, or when to ask for it.

        Raises:
            UploadGone: The service does not know the upload (any more).
            DockError: See `dockstation.link`.
        """
        path = f"v1/uploads/{upload}/manifest"
        try:
            answer = await self._link.ask("POST", path, body=note, headers=_TEXT, bytes_max=2 * RECEIPT_BYTES_MAX)
        except DockError as error:
            if error.details.get("status") in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
                raise UploadGone(error.message, **error.details) from error
            raise
        return _receipt_or_promise(answer)


def _receipt_or_promise(answer: Answer) -> bytes | Promise:
    if answer.status == HTTPStatus.ACCEPTED:
        return Promise(_uuid(answer.json_object(), "clip"), answer.retry_after_seconds)
    if answer.status != HTTPStatus.OK or answer.headers.get("Content-Type", "").partition(";")[0] != RECEIPT_TYPE:
        raise ServiceMalformed("the answer is neither a receipt nor the promise of one")
    return answer.body


def _key_state(data: dict[str, object]) -> KeyState:
    sequence = data.get("sequence")
    if not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 <= sequence < CHANGES_MAX:
        raise ServiceMalformed("the answer's 'sequence' is no number of a change of key")
    return KeyState(sequence, _text(data, "vkey"))


def _text(data: dict[str, object], key: str) -> str:
    value = data.get(key)
    if not isinstance(value, str):
        raise ServiceMalformed(f"the answer has no {key!r}")
    return value


def _uuid(data: dict[str, object], key: str) -> UUID:
    try:
        return UUID(_text(data, key))
    except ValueError as error:
        raise ServiceMalformed(f"the answer's {key!r} is not a UUID") from error
