"""SQL of the units that a question asks for: which they are now, with those below them.

They are looked up before the question is asked, and go into it as values: how many clips a unit has decides between the
index of units and a walk through the newest clips, and PostgreSQL knows that of values only. The tree of units is the
present one, so that a reorganisation writes no documents again.
"""

from __future__ import annotations

from collections.abc import Mapping

from evidence.clips.query_tree import Every, InUnit, Node, Some, Units, Without, leaves
from evidence.db.pool import Connection

_UNITS = """
WITH RECURSIVE newest AS MATERIALIZED (
    SELECT DISTINCT ON (unit) unit, parent, code, name FROM unit ORDER BY unit, version DESC),
below AS (
    SELECT n.unit FROM newest n, unnest($1::text[]) AS asked WHERE asked IN (n.unit::text, n.code, n.name)
    UNION SELECT n.unit FROM newest n JOIN below b ON n.parent = b.unit)
SELECT unit FROM below ORDER BY unit
"""


async def with_units(conn: Connection, node: Node) -> Node:
    """Return a question with every `InUnit` in it as the units that it means now; none at all answers nothing."""
    asked = {leaf for leaf in leaves(node) if isinstance(leaf, InUnit)}
    if not asked:
        return node
    found = {leaf: [row["unit"] for row in await conn.fetch(_UNITS, list(leaf.one_of))] for leaf in asked}
    return _put(node, {leaf: Units(tuple(units)) for leaf, units in found.items()})


def _put(node: Node, units: Mapping[InUnit, Units]) -> Node:
    match node:
        case Every(parts):
            return Every(tuple(_put(part, units) for part in parts))
        case Some(parts):
            return Some(tuple(_put(part, units) for part in parts))
        case Without(part):
            return Without(_put(part, units))
        case InUnit():
            return units[node]
        case _:
            return node
