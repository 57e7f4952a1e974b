"""May this checkpoint be cosigned? Pure judgement over values, in the order of C2SP tlog-witness.

1. the origin is one of a log that the witness knows                                  else 404
2. a trusted key of that log signed it, and no line of a trusted key is false         else 403
3. the old size is not above the checkpoint's                                         else 400
4. the old size is the one that was cosigned last, 0 before the first                 else 409 with that size
5. the same size has the same root                                                    else 422
6. the proof leads from the remembered root to the new one; it is empty where
   there is nothing to prove (old size 0, or the same size)                           else 422

Who calls owes: the request was parsed (400 else), `seen` is read and the new checkpoint written in one transaction, and
that transaction is on disk before anybody is told. The first checkpoint of a log is believed as it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from ledger.errors import NoteSignatureFalse, NoteUnsigned, ProofError
from ledger.note import NoteVerifier, open_note
from ledger.tree import check_consistency
from ledger.witness.request import AddCheckpoint

PLAIN_TEXT = "text/plain; charset=utf-8"
SIZE_TYPE = "text/x.tlog.size"
"""Content type of the answer 409, whose body is a size and a newline."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: HTTP status, content type and body; a refusal is one whose status is not 200."""

    status: int
    body: bytes
    content_type: str = PLAIN_TEXT


@dataclass(frozen=True, slots=True)
class Seen:
    """What a witness remembers of a log: the checkpoint that it cosigned last."""

    size: int
    root: bytes


def refusal(status: HTTPStatus, reason: str) -> Answer:
    """Make a refusal that says why, for people."""
    return Answer(status.value, f"{reason}\n".encode())


def judge_author(request: AddCheckpoint, trusted: Sequence[NoteVerifier]) -> Answer | None:
    """Judge who signed, points 1 and 2; None means: go on.

    Args:
        trusted: Keys of the log with the request's origin; none when there is no such log.
    """
    if not trusted:
        return refusal(HTTPStatus.NOT_FOUND, f"{request.checkpoint.origin} is not a log known here")
    try:
        open_note(request.note, trusted)
    except (NoteUnsigned, NoteSignatureFalse) as error:
        return refusal(HTTPStatus.FORBIDDEN, error.message)
    return None


def judge_history(request: AddCheckpoint, seen: Seen | None) -> Answer | None:
    """Judge what it follows from, points 3 to 6; None means: it may be remembered and cosigned.

    Args:
        seen: What is remembered of the log; None when nothing was cosigned yet.
    """
    new, known_size = request.checkpoint, 0 if seen is None else seen.size
    if request.old_size > new.size:
        return refusal(HTTPStatus.BAD_REQUEST, f"the old size {request.old_size} is above the new one, {new.size}")
    if request.old_size != known_size:
        return Answer(HTTPStatus.CONFLICT.value, f"{known_size}\n".encode(), SIZE_TYPE)
    if seen is not None and new.size == seen.size and new.root != seen.root:
        return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, f"another root was cosigned for {seen.size} entries")
    if known_size in (0, new.size):
        if request.proof:
            return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "there is nothing to prove, so the proof must be empty")
        return None
    assert seen is not None  # noqa: S101 - a known size above 0 was read from it
    try:
        check_consistency(
            old_size=seen.size, old_root=seen.root, new_size=new.size, new_root=new.root, proof=request.proof
        )
    except ProofError as error:
        return refusal(HTTPStatus.UNPROCESSABLE_ENTITY, error.message)
    return None
