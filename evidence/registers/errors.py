"""Errors of the registers, and of clips that may not be used yet."""

from __future__ import annotations

from evidence.errors import EvidenceError


class UnitUnknown(EvidenceError):
    """No unit has this id, code or name, or two have the name; register the unit, or name it by its code."""

    code = "unit.unknown"


class UnitInvalid(EvidenceError):
    """A unit cannot be like this: below itself, with a code that is not 12 digits, or in force from a day to come."""

    code = "unit.invalid"


class UnitCodeTaken(EvidenceError):
    """Another unit has this code; `details.unit` names it."""

    code = "unit.code_taken"


class RegisterStale(EvidenceError):
    """Somebody changed this meanwhile; read it again and decide again."""

    code = "register.stale"


class ValidityInvalid(EvidenceError):
    """The interval ends before it begins, or a day is not written as YYYY-MM-DD."""

    code = "register.validity_invalid"


class ClipBlocked(EvidenceError):
    """Whose clip this is, is not settled; a named person resolves it with a reason first, then it can be used."""

    code = "clip.blocked"


class ResolutionInvalid(EvidenceError):
    """Nothing about whose this clip is waits to be resolved."""

    code = "attribution.not_open"


class SheetInvalid(EvidenceError):
    """The file is no list that can be imported: neither CSV nor a workbook, too large, merged cells, wrong headings."""

    code = "register.file_invalid"


class RowsRefused(EvidenceError):
    """Rows of the file cannot be taken, so none was; `details.rows` names them, correct the file and try again."""

    code = "register.rows_refused"


class WordUnknown(EvidenceError):
    """A word of a closed list is none of it, such as the state of a recorder; `details.column` says which."""

    code = "register.word_unknown"
