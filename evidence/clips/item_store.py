"""SQL of recording items as annotations name them; the lists themselves are kept by `evidence.cases.items`."""

from __future__ import annotations

from evidence.db.pool import Connection


async def is_listed(conn: Connection, key: str) -> bool:
    """Tell whether a list that was ever published has an item of this key.

    Which list counts is a matter of the case, and of the day it was opened on; a clip may not be in a case yet.
    """
    listed: bool = await conn.fetchval(
        """SELECT EXISTS (SELECT 1 FROM item_list
                          WHERE content -> 'items' @> jsonb_build_array(jsonb_build_object('key', $1::text)))""",
        key,
    )
    return listed
