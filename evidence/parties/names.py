"""Names of people and docks, and reasons: people's words, kept as given, within bounds."""

from __future__ import annotations

from evidence.core.wire.fields import check_name as check_wire_name
from evidence.errors import WireError
from evidence.parties.errors import NameInvalid

NAME_CHARACTERS_MAX = 100
REASON_CHARACTERS_MAX = 1000


def check_name(text: str, *, characters_max: int = NAME_CHARACTERS_MAX) -> str:
    """Return the name unchanged when it can be shown, stored and told apart; the same rule as for names on the wire.

    Raises:
        NameInvalid: Empty, blank at an end, too long, or with invisible or control characters.
    """
    try:
        check_wire_name(text, where="name", chars_max=characters_max)
    except WireError as error:
        raise NameInvalid(error.message) from error
    return text
