"""Ends of the order for keyset paging.

A page begins behind a key. The first page begins behind a key that no row can have, so that the statement is the same
for every page and its plan a range of the index; `x IS NULL OR key > x` would walk the index from its start.
"""

from __future__ import annotations

from uuid import UUID

FIRST_ID = UUID(int=0)
"""Before every id (RFC 9562, nil UUID)."""

LAST_ID = UUID(int=(1 << 128) - 1)
"""Behind every id (RFC 9562, max UUID)."""

LAST_INTEGER = (1 << 31) - 1
"""Behind every version and exhibit number."""
