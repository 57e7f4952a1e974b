"""Who speaks, hidden from whoever may not read it (R14): names and identities of speakers, and nothing else. Pure.

What a speaker may be shown by is listed, so that a field which is added one day is hidden until somebody lists it. A
masked payload is no longer what its entry commits to; whoever has to prove it needs the permission.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from evidence.access.policy import RIGHTS, Action, Person

MASK = "＊＊＊"
"""What stands in the place of a name."""

_SHOWN = frozenset({"key", "role", "spans"})


def may_identify(person: Person) -> bool:
    """Whether a person's role may read who speaks in what they may know of."""
    return any(Action.IDENTIFY in RIGHTS[role] for role in person.roles)


def without(text: str, hidden: Collection[str]) -> str:
    """Return a sentence with names and numbers that its reader may not know of replaced, longer ones first."""
    for word in sorted(hidden, key=len, reverse=True):
        text = text.replace(word, MASK)
    return text


def masked(content: Mapping[str, object]) -> dict[str, object]:
    """Return an annotation's content with what tells who a speaker is replaced; roles, spans and words stay."""
    speakers = content.get("speakers")
    if not isinstance(speakers, list):
        return dict(content)
    hidden = [
        {name: value if name in _SHOWN else MASK for name, value in speaker.items()}
        for speaker in speakers
        if isinstance(speaker, dict)
    ]
    return {**content, "speakers": hidden}
