"""An accessibility engine in the browser of the tests: axe-core, as it was published (`tests/vendor/licences.txt`).

It stands in the tree because it judges every page at every run of the tests: without a registry, at one pinned version,
and the same on every kind of machine. It goes into a page over DevTools, which the page's own policy does not concern.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.browser import Tab

VENDOR = Path(__file__).parents[1] / "vendor"

GRAVE = ("serious", "critical")
"""The impacts, as the engine names them, that no page may have."""

_RUN = """
(async rules => {
  const found = await axe.run(document, { resultTypes: ['violations'], ...(rules.length ? { runOnly: rules } : {}) });
  return found.violations.map(one => ({
    rule: one.id, impact: one.impact, nodes: one.nodes.map(node => [node.target.join(' '), node.failureSummary]) }));
})
"""


@dataclass(frozen=True)
class Barrier:
    """One rule that a page breaks: the engine's name of it, how grave it is, and where, each with its reason."""

    rule: str
    impact: str
    places: tuple[tuple[str, str], ...]


@cache
def engine() -> str:
    """Return the engine's script."""
    return (VENDOR / "axe.min.js").read_text(encoding="utf-8")


async def barriers(tab: Tab, *, rules: Sequence[str] = ()) -> list[Barrier]:
    """Return every rule that the page now shown breaks: of these, or of all the engine has, best practices included."""
    if not await tab.evaluate("typeof axe === 'object'"):
        await tab.evaluate(f"{engine()}; undefined")
    found: list[dict[str, Any]] = await tab.evaluate(f"({_RUN.strip()})({json.dumps(list(rules))})")
    return [Barrier(one["rule"], one["impact"], tuple((at, why) for at, why in one["nodes"])) for one in found]


def grave(found: list[Barrier]) -> list[Barrier]:
    """Return those that keep somebody out."""
    return [one for one in found if one.impact in GRAVE]
