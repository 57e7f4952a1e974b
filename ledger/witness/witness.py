"""A witness: request in, answer out, with its memory moved forward on disk in between.

Order of effects: parsed -> author judged -> history judged and remembered in one transaction -> cosigned -> answered.
The cosignature is made after the commit, so none exists for what is not remembered.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus

from ledger.cosignature import Cosigner
from ledger.note import parse_note
from ledger.witness.errors import WitnessRequestMalformed
from ledger.witness.judge import Answer, judge_author, judge_history, refusal
from ledger.witness.request import REQUEST_BYTES_MAX, parse_request
from ledger.witness.store import Memory


class Witness:
    """Cosigns what follows from what it has cosigned.

    Args:
        cosigner: Its key.
        memory: Its memory, which belongs to that key.
        clock: Says when a cosignature is made.
    """

    def __init__(self, cosigner: Cosigner, memory: Memory, *, clock: Callable[[], datetime]) -> None:
        self._cosigner = cosigner
        self._clock = clock
        self.memory = memory

    @property
    def vkey(self) -> str:
        """The key that verifies its cosignatures, as text."""
        return self._cosigner.verifier.vkey

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one request; whatever is cosigned is remembered on disk. Blocks for as long as a disk takes to sync.

        Raises:
            WitnessMissing, WitnessMemoryUnusable: Nothing is cosigned.
        """
        if len(body) > REQUEST_BYTES_MAX:
            return refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {REQUEST_BYTES_MAX} bytes")
        try:
            request = parse_request(body)
        except WitnessRequestMalformed as error:
            return refusal(HTTPStatus.BAD_REQUEST, error.message)
        if refused := judge_author(request, self.memory.trusted(request.checkpoint.origin)):
            return refused
        at = int(self._clock().timestamp())
        if refused := self.memory.advance(request, at=at, judge=judge_history):
            return refused
        line = self._cosigner.cosign(parse_note(request.note).text, at=at).line()
        return Answer(HTTPStatus.OK.value, line.encode())
