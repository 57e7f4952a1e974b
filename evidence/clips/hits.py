"""Where in a clip the words of a question stand: the passages that people wrote about a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.clips.folding import fold
from evidence.clips.vocabulary import vocabulary
from ledger.canonical import JsonObject

HITS_MAX = 5
"""Most passages that a list shows of one clip."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that holds a word of the question.

    Attributes:
        field: `dialogue`, `marker`, `document`, `remark` or `place`.
        text: The passage as people wrote it.
        at_ms: Where it stands in the clip, in milliseconds from its first frame; None for what is about the whole.
    """

    field: str
    text: str
    at_ms: int | None


def find_hits(content: JsonObject, terms: Sequence[str]) -> list[Hit]:
    """Return the passages that hold one of the folded terms, those with a place in the clip first, in its order.

    `content` is an annotation's as it is on record, checked when it was written.
    """
    found = [hit for hit in _passages(content) if any(term in fold(hit.text) for term in terms)]
    found.sort(key=lambda hit: (hit.at_ms is None, hit.at_ms or 0))
    return found[:HITS_MAX]


def _passages(content: Mapping[str, Any]) -> Iterator[Hit]:
    for utterance in content.get("dialogue", ()):
        yield Hit("dialogue", utterance["text"], utterance["from_ms"])
    kinds = vocabulary().markers
    for marker in content.get("markers", ()):
        kind = kinds.get(marker["kind"])
        words = [kind.zh] if kind else []
        yield Hit("marker", "：".join([*words, *([marker["note"]] if marker.get("note") else [])]), marker["at_ms"])
    for document in content.get("documents", ()):
        yield Hit("document", " ".join(filter(None, (document["kind"], document.get("number")))), None)
    for name in ("remark", "place"):
        if content.get(name):
            yield Hit(name, content[name], None)
