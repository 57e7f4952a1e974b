"""What an annotation puts into its clip's search document: facets, and texts. Pure.

Contents are read as they are on record, from versions of any age; what an old one lacks is not there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from evidence.clips.vocabulary import Word, vocabulary


def annotation_facets(content: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield name and value of every facet."""
    for name in ("item", "place"):
        if content.get(name):
            yield name, content[name]
    for marker in content.get("markers", ()):
        yield "marker", marker["kind"]
    for speaker in content.get("speakers", ()):
        yield "speaker", speaker["role"]
    for document in content.get("documents", ()):
        for name in ("kind", "number"):
            if document.get(name):
                yield "document", document[name]
    if content.get("covert"):
        yield "covert", "yes"


def annotation_texts(content: Mapping[str, Any]) -> Iterator[str | None]:
    """Yield every text that a person may look for."""
    yield from (content.get("remark"), content.get("item"), content.get("place"), content.get("not_needed_because"))
    yield from (content.get("exemption"), content.get("legality_argument"))
    words = vocabulary()
    for marker in content.get("markers", ()):
        yield from (*_labels(words.markers, marker["kind"]), marker.get("note"))
    for speaker in content.get("speakers", ()):
        yield from _labels(words.speakers, speaker["role"])
        yield from (speaker.get("name"), speaker.get("identity"), speaker.get("description"))
    for utterance in content.get("dialogue", ()):
        yield utterance["text"]
    for document in content.get("documents", ()):
        yield from (document["kind"], document.get("number"))
    if covert := content.get("covert"):
        yield from (covert["basis"], covert["approver"])


def _labels(words: Mapping[str, Word], key: str) -> tuple[str, ...]:
    word = words.get(key)
    return (word.zh, word.en) if word else ()
