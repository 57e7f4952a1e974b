"""Errors of a witness: what it is asked wrongly, and what is wrong with its own memory."""

from __future__ import annotations

from typing import ClassVar

from ledger.errors import Blame, LedgerInputError


class WitnessRequestMalformed(LedgerInputError):
    """Bytes are not an add-checkpoint request (C2SP tlog-witness), or exceed a limit of that format."""

    code = "witness.request_malformed"


class WitnessRefusal(LedgerInputError):
    """The witness does not cosign this checkpoint; the message says why, `details.status` is the answer's status."""

    code = "witness.refused"


class WitnessKeysUnrelated(LedgerInputError):
    """The statements about a log's keys lead on from no key that the witness believes; add the first by hand."""

    code = "witness.keys_unrelated"


class WitnessLogKnown(LedgerInputError):
    """This log key is known to the witness already."""

    code = "witness.log_known"


class WitnessTaken(LedgerInputError):
    """The folder holds a witness already; its memory and its key belong together and are never made anew."""

    code = "witness.taken"


class WitnessMissing(LedgerInputError):
    """There is no whole witness in the folder.

    Where the key is there and the memory is not, bring the memory back from a copy, or retire the key: a witness that
    has forgotten what it cosigned could cosign another history.
    """

    code = "witness.missing"


class WitnessMemoryUnusable(LedgerInputError):
    """The witness's memory cannot be read or written, or belongs to another key. Nothing was cosigned."""

    code = "witness.memory_unusable"
    blame: ClassVar[Blame] = Blame.WAY
