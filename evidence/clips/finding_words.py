"""What `findings:` may be asked for: groups, weights, states, and the codes themselves; what each asks of. Pure.

    damaged, continuity, recorder, audit    who noticed: the derivation (twice), the sequence of sightings, an audit
    open, resolved                          what somebody still has to look at; what was explained, or went away
    high, notice, error, warning            weights; the first two of observations, the others of audits
    container.truncated, row.altered, ...   one code

What a derivation noticed stands in the clip's document and stays open for good: it is a property of the file. What was
noticed about a recorder, and what an audit named, is asked of the rows when somebody asks: neither writes documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evidence.audit.findings import FINDINGS
from evidence.clips.document import facet
from evidence.clips.folding import fold
from evidence.clips.query_tree import Audited, Facets, Findings, Node, Noticed, Some
from evidence.errors import SearchInvalid
from evidence.recorders.meanings import MEANINGS
from ledger.audit_findings import FINDINGS as LOG_FINDINGS

_CONTINUITY = {
    "container": "software_on_device start_unusual malformed truncated index_missing index_repeated trailing_bytes"
    " padding_filled unreferenced_bytes samples_outside samples_overlap sample_entries index_disagrees times_disagree"
    " modified_later lengths_disagree edit_hides edit_several fragment_gap packets_lost clock_jump sync_lost",
    "bitstream": "encoder_restarted sound_restarted parameters_changed picture_parameters starts_inside start_missing"
    " frame_gap frame_repeated order_gap reference_missing cadence idr_number",
    "timeline": "picture_gap backwards sound_gap sound_primed starts_differ ends_differ frozen black",
}

CONTINUITY_CODES = frozenset(f"{part}.{name}" for part, names in _CONTINUITY.items() for name in names.split())
"""Codes of observations of one file that weigh something; `ingest.media.continuity.codes` has the meanings."""

_AUDIT_CODES = frozenset(FINDINGS) | frozenset(LOG_FINDINGS)

_WORDS: Mapping[str, str] = {
    **{word: word for word in ("damaged", "continuity", "recorder", "audit", "open", "resolved")},
    **{word: word for word in ("high", "notice", "error", "warning")},
    "损坏": "damaged",
    "连续性": "continuity",
    "记录仪": "recorder",
    "审计": "audit",
    "未决": "open",
    "已决": "resolved",
    "严重": "high",
    "注意": "notice",
    "错误": "error",
    "警告": "warning",
}

_ASKED: Mapping[str, tuple[Node, ...]] = {
    "damaged": (Facets((facet("finding", "damaged"),)),),
    "continuity": (Facets((facet("finding", "continuity"),)),),
    "recorder": (Noticed(),),
    "audit": (Audited(),),
    "open": (Facets((facet("finding", "damaged"), facet("finding", "continuity"))), Noticed(), Audited()),
    "resolved": (Noticed(settled=True), Audited(settled=True)),
    "high": (Facets((facet("finding", "high"),)), Noticed(weight="high")),
    "notice": (Facets((facet("finding", "notice"),)), Noticed(weight="notice")),
    "error": (Audited(weight="error"),),
    "warning": (Audited(weight="warning"),),
}


def read_findings(values: Sequence[str]) -> Findings:
    """Return what some values of `findings:` ask for, any of which will do.

    Raises:
        SearchInvalid: A value is no word of this list and no code that there is.
    """
    return Findings(tuple(dict.fromkeys(map(_known, values))))


def asked_of(words: Sequence[str]) -> Node:
    """Return what words and codes, as `read_findings` knows them, mean to the index and to the rows."""
    asked = [node for word in words for node in _meaning(word)]
    facets = tuple(dict.fromkeys(one for node in asked if isinstance(node, Facets) for one in node.one_of))
    parts: list[Node] = [Facets(facets)] if facets else []
    parts += dict.fromkeys(node for node in asked if not isinstance(node, Facets))
    return parts[0] if len(parts) == 1 else Some(tuple(parts))


def _known(value: str) -> str:
    asked = fold(value)
    if word := _WORDS.get(asked):
        return word
    if asked in CONTINUITY_CODES or asked in MEANINGS or asked in _AUDIT_CODES:
        return asked
    words = ", ".join(_ASKED)
    raise SearchInvalid(f"there is no findings {value!r}; there are {words}, and the codes of docs/findings.md")


def _meaning(word: str) -> tuple[Node, ...]:
    if word in _ASKED:
        return _ASKED[word]
    if word in CONTINUITY_CODES:
        return (Facets((facet("finding", word),)),)
    return (Noticed(code=word),) if word in MEANINGS else (Audited(code=word),)
