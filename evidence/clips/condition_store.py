"""A question's tree as one condition on `search_document`; the words are ours, values go as parameters.

Single facets and words that have to hold together are asked of the index at once: one scan, which begins with the
rarest. The text is looked at only where grams do not settle a word (`grams.is_exact`).
"""

from __future__ import annotations

from collections.abc import Sequence

from evidence.access.scope import Scope
from evidence.clips.document import facet
from evidence.clips.folding import like_pattern
from evidence.clips.grams import is_exact, term_grams
from evidence.clips.query_tree import Between, Every, Facets, Node, Some, Without, Words

_COLUMNS = {name: name for name in ("recorded_at", "received_at", "duration_ms", "size")}


class Wanted:
    """Writes conditions and keeps the values that their places stand for."""

    def __init__(self) -> None:
        self.values: list[object] = []

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

    def tree(self, node: Node) -> str:
        """Return the condition of a whole question."""
        match node:
            case Words() | Every():
                return self._every(node.parts if isinstance(node, Every) else (node,))
            case Facets(one_of):
                return self.clause("facets && {}::text[]", list(one_of))
            case Between(column, low, high):
                ends = [self.clause(f"{_COLUMNS[column]} >= {{}}", low)] if low is not None else []
                ends += [self.clause(f"{_COLUMNS[column]} < {{}}", high)] if high is not None else []
                return _joined(ends, " AND ")
            case Some(parts):
                return _joined([self.tree(part) for part in parts], " OR ")
            case Without(part):
                # A clip without a time of recording was not recorded on that day either.
                return f"({self.tree(part)}) IS NOT TRUE"

    def _every(self, parts: Sequence[Node]) -> str:
        """Ask the index for all single facets and all words' grams at once: one scan that begins with the rarest."""
        facets = [part.one_of[0] for part in parts if isinstance(part, Facets) and len(part.one_of) == 1]
        terms = [part.term for part in parts if isinstance(part, Words)]
        written = [self.clause("facets @> {}::text[]", facets)] if facets else []
        if terms:
            grams = sorted({gram for term in terms for gram in term_grams(term)})
            written.append(self.clause("grams @> {}::integer[]", grams))
            written += [self.clause("haystack LIKE {}", like_pattern(term)) for term in terms if not is_exact(term)]
        for part in parts:
            if not (isinstance(part, Words) or (isinstance(part, Facets) and len(part.one_of) == 1)):
                written.append(self.tree(part))
        return _joined(written, " AND ")


def _joined(written: Sequence[str], word: str) -> str:
    return f"({word.join(written)})" if written else "true"
