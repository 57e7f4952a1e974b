"""A question's tree as one condition on `search_document`; the words are ours, values go as parameters.

A condition has two halves. The loose one is what the index can say: single facets and words that have to hold together
are asked of it at once, in one scan which begins with the rarest. The strict one looks at texts, for words that their
grams do not settle (`grams.is_exact`), and only at as many as a page needs: it is asked of what the first one found, in
the order of the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evidence.access.scope import Scope
from evidence.clips.document import facet
from evidence.clips.finding_words import asked_of
from evidence.clips.folding import like_pattern
from evidence.clips.grams import is_exact, term_grams
from evidence.clips.nearby import cells_around
from evidence.clips.query_tree import (
    Audited,
    Between,
    Every,
    Facets,
    Findings,
    InUnit,
    Near,
    Node,
    Noticed,
    Some,
    Units,
    Without,
    Words,
    leaves,
)
from evidence.recorders.store import SETTLED

_COLUMNS = {name: name for name in ("recorded_at", "received_at", "duration_ms", "size")}

_NEAR = "search_is_near(places, {}, {}, {})"

# The newest word about an inventory counts; what somebody explained, or what came after all, is settled.
_NOTICED = f"""
    SELECT s.clip FROM recorder_finding f JOIN clip_source s ON s.inventory = f.inventory
    WHERE f.weight <> 'info' AND /*which*/
      AND f.entry_id = (SELECT c.entry_id FROM recorder_comparison c WHERE c.inventory = f.inventory
                        ORDER BY c.entry_id DESC LIMIT 1)
      AND ({SETTLED} OR EXISTS (
          SELECT FROM recorder_explanation e WHERE e.finding = f.entry_id AND e.place = f.place)) = {{}}"""  # noqa: S608 - conditions of the house

_AUDITED = "SELECT f.clip FROM clip_finding f WHERE /*which*/ AND (f.resolved_at IS NOT NULL) = {}"


class Wanted:
    """Writes conditions and keeps the values that their places stand for."""

    def __init__(self) -> None:
        self.values: list[object] = []
        self._negated = False

    def clause(self, condition: str, *values: object) -> str:
        """Return a condition with its `{}` replaced by places of values, which are kept."""
        places = [f"${len(self.values) + number}" for number in range(1, len(values) + 1)]
        self.values.extend(values)
        return condition.format(*places)

    def scope(self, scope: Scope) -> list[str]:
        """Return what hides documents from whoever asks; `scope_allows` says the same of one of them."""
        written = []
        if scope.units is not None:
            cases = [facet("case", str(case)) for case in sorted(scope.cases)]
            reach = [self.clause("unit = ANY({}::uuid[])", sorted(scope.units))]
            reach += [self.clause("facets && {}::text[]", cases)] if cases else []
            written.append(_joined(reach, " OR "))
        if scope.classes is not None:
            # Nearly every clip bears none; PostgreSQL knows that of equality only, and takes `<@` for rare.
            written.append(self.clause("(classes = '{{}}' OR classes <@ {}::text[])", sorted(scope.classes)))
        return written

    def loose(self, node: Node) -> str:
        """Return what the index can say of a question: whatever answers it fulfils this."""
        match node:
            case Words() | Every():
                return self._every_loosely(parts_of(node))
            case Some(parts):
                return _joined([self.loose(part) for part in parts], " OR ")
            case Without(part) if any(map(_is_text, leaves(part))):
                return "true"
            case _:
                return self.strict(node)

    def strict(self, node: Node) -> str:
        """Return the condition of a whole question, of a document that fulfils the loose one or not."""
        match node:
            case Words(term):
                if is_exact(term):
                    return self.clause("grams @> {}::integer[]", term_grams(term))
                return self.clause("haystack LIKE {}", like_pattern(term))
            case Facets(one_of):
                return self.clause(f"facets {'@>' if len(one_of) == 1 else '&&'} {{}}::text[]", list(one_of))
            case Between(column, low, high):
                ends = [self.clause(f"{_COLUMNS[column]} >= {{}}", low)] if low is not None else []
                ends += [self.clause(f"{_COLUMNS[column]} < {{}}", high)] if high is not None else []
                return _joined(ends, " AND ")
            case Near(latitude, longitude, metres):
                cells = self.clause("facets && {}::text[]", cells_around(latitude, longitude, metres))
                return f"({cells} AND {self.clause(_NEAR, latitude, longitude, metres)})"
            case Units(one_of):
                return self.clause("unit = ANY({}::uuid[])", list(one_of))
            case InUnit():
                raise AssertionError("units are looked up before a question is asked")
            case Findings(one_of):
                return self.strict(asked_of(one_of))
            case Noticed(code, weight, settled):
                return self._noticed(_NOTICED, {"code": code, "weight": weight}, settled=settled)
            case Audited(code, weight, settled):
                return self._noticed(_AUDITED, {"code": code, "severity": weight}, settled=settled)
            case Every(parts):
                return _joined([self.strict(part) for part in parts], " AND ")
            case Some(parts):
                return _joined([self.strict(part) for part in parts], " OR ")
            case Without(part):
                # A clip without a time of recording was not recorded on that day either.
                self._negated = not self._negated
                written = f"({self.strict(part)}) IS NOT TRUE"
                self._negated = not self._negated
                return written

    def _noticed(self, condition: str, asked: Mapping[str, str | None], *, settled: bool) -> str:
        which = [self.clause(f"f.{column} = {{}}", value) for column, value in asked.items() if value is not None]
        clips = self.clause(condition.replace("/*which*/", _joined(which, " AND ")), settled)
        # As an array the clips are looked up in an index, beside the other halves of an OR; what must not be one of
        # them is looked up in a table of hashes.
        return f"clip IN ({clips})" if self._negated else f"clip = ANY(ARRAY({clips}))"

    def _every_loosely(self, parts: Sequence[Node]) -> str:
        """Ask the index for all single facets and all words' grams at once: one scan that begins with the rarest."""
        facets = [part.one_of[0] for part in parts if isinstance(part, Facets) and len(part.one_of) == 1]
        grams = sorted({gram for part in parts if isinstance(part, Words) for gram in term_grams(part.term)})
        written = [self.clause("facets @> {}::text[]", facets)] if facets else []
        written += [self.clause("grams @> {}::integer[]", grams)] if grams else []
        for part in parts:
            if not (isinstance(part, Words) or (isinstance(part, Facets) and len(part.one_of) == 1)):
                written.append(self.loose(part))
        return _joined(written, " AND ")


def to_check(node: Node) -> Node:
    """Return the part of a question that the loose condition leaves open: what has to be looked for in texts."""
    return Every(tuple(part for part in parts_of(node) if any(map(_is_text, leaves(part)))))


def parts_of(node: Node) -> tuple[Node, ...]:
    """Return what has to hold together."""
    return node.parts if isinstance(node, Every) else (node,)


def _is_text(leaf: Node) -> bool:
    return isinstance(leaf, Words) and not is_exact(leaf.term)


def _joined(written: Sequence[str], word: str) -> str:
    return f"({word.join(written)})" if written else "true"
