"""The database superuser: changes rows past every trigger, and has neither the key nor the files.

Rows are chosen in an order that does not depend on where PostgreSQL put them, so a seed names the same row again.
"""

from __future__ import annotations

from random import Random

import asyncpg

from evidence.custody.replay import EVIDENTIAL_TABLES
from evidence.db.pool import Connection
from tests.drill.house import DrillHouse
from tests.drill.kinds import Adversary, Attack, Kind, Victim
from tests.drill.storage import flipped, garbled_log_part
from tests.support.small_house import superuser

_TRIES = 20
_UNIQUE_COLUMNS = """SELECT DISTINCT a.attname FROM pg_index i
    JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
    WHERE i.indrelid = $1::regclass AND i.indisunique"""


async def _columns(conn: Connection, table: str) -> dict[str, str]:
    rows = await conn.fetch(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position",
        table,
    )
    return {row["column_name"]: row["data_type"] for row in rows}


async def _row(conn: Connection, table: str, chance: Random) -> str:
    """Choose a row; return the condition that names it."""
    count = await conn.fetchval(f"SELECT count(*) FROM {table}")
    place = chance.randrange(count)
    found = await conn.fetchval(f"SELECT ctid::text FROM {table} t ORDER BY t::text OFFSET {place} LIMIT 1")
    return f"ctid = '{found}'"


def _altered(column: str, kind: str, chance: Random) -> str:
    """Return an expression for another value of a column's type; what is unknown gets a value."""
    byte, bit = chance.randrange(1 << 16), 1 << chance.randrange(8)
    place = f"{byte} % octet_length({column})"
    expressions = {
        "text": f"coalesce({column}, '') || '{chance.choice('xyz')}'",
        "bytea": f"coalesce(set_byte({column}, {place}, get_byte({column}, {place}) # {bit}), sha256('{byte}'))",
        "bigint": f"{column} + {chance.randrange(1, 9)}",
        "integer": f"{column} + {chance.randrange(1, 9)}",
        "smallint": f"{column} + 1",
        "boolean": f"NOT {column}",
        "timestamp with time zone": f"coalesce({column}, now()) - interval '{chance.randrange(1, 9999)} seconds'",
        "uuid": f"'{_uuid(chance)}'",
        "jsonb": f"jsonb_build_object('altered', {column})",
        "date": f"coalesce({column}, current_date) - {chance.randrange(1, 9999)}",
        "ARRAY": f"array_append({column}, 'planted')",
    }
    return expressions[kind]


def _fresh(kind: str, chance: Random) -> str:
    """Return an expression for a value that no row has."""
    expressions = {
        "text": f"'planted {chance.randrange(1 << 30)}'",
        "bytea": f"sha256('{chance.randrange(1 << 60)}')",
        "bigint": str(chance.randrange(1 << 20, 1 << 30)),
        "integer": str(chance.randrange(1 << 20, 1 << 30)),
        "boolean": "true",
        "uuid": f"'{_uuid(chance)}'",
    }
    return expressions[kind]


def _uuid(chance: Random) -> str:
    raw = chance.randbytes(16).hex()
    return f"{raw[:8]}-{raw[8:12]}-7{raw[13:16]}-8{raw[17:20]}-{raw[20:]}"


def row_altered(table: str, *columns: str) -> Attack:
    """Make the attack that changes one value of one row, of these columns if any are given."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        async with superuser(house.dsn) as conn:
            types = await _columns(conn, table)
            for _ in range(_TRIES):
                column = chance.choice(columns or tuple(types))
                value, row = _altered(column, types[column], chance), await _row(conn, table, chance)
                try:
                    await conn.execute(f"UPDATE {table} SET {column} = {value} WHERE {row}")
                except asyncpg.IntegrityConstraintViolationError:
                    # A constraint stands in the way; another place will do.
                    continue
                return

    return attack


def row_deleted(table: str) -> Attack:
    """Make the attack that deletes one row."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        async with superuser(house.dsn) as conn:
            await conn.execute(f"DELETE FROM {table} WHERE {await _row(conn, table, chance)}")

    return attack


_BOUND = {"clip_prefix": frozenset({"chunks"})}
"""Columns that a check of the table ties to others; a row has keys of its own without them."""


def row_planted(table: str) -> Attack:
    """Make the attack that adds a row like another one, under keys of its own."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        async with superuser(house.dsn) as conn:
            types = await _columns(conn, table)
            unique = {row["attname"] for row in await conn.fetch(_UNIQUE_COLUMNS, table)}
            fresh = unique - _BOUND.get(table, frozenset())
            values = [_fresh(kind, chance) if name in fresh else name for name, kind in types.items()]
            for _ in range(_TRIES):
                row = await _row(conn, table, chance)
                try:
                    await conn.execute(
                        f"INSERT INTO {table} ({', '.join(types)}) SELECT {', '.join(values)} FROM {table} WHERE {row}"
                    )
                except asyncpg.UniqueViolationError:
                    # An index over parts of a column knows such a row already; another one will do.
                    continue
                return

    return attack


def sql(*statements: str) -> Attack:
    """Make an attack of statements; `{a}` and `{b}` are two different places of the log, in this order."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        async with superuser(house.dsn) as conn, conn.transaction():
            size = await conn.fetchval("SELECT size FROM ledger_head")
            low, high = sorted(chance.sample(range(size), 2))
            for statement in statements:
                await conn.execute(statement.format(a=low, b=high, size=size, seed=chance.randrange(1 << 30)))

    return attack


async def payload_byte_flipped(house: DrillHouse, chance: Random) -> None:
    """Change a digit or letter of a payload so that it stays canonical JSON where that happens to be so."""
    async with superuser(house.dsn) as conn:
        row = await _row(conn, "custody_payload", chance)
        payload: bytes = await conn.fetchval(f"SELECT payload FROM custody_payload WHERE {row}")
        changed = bytearray(payload)
        place = chance.choice([place for place, byte in enumerate(payload) if chr(byte).isalnum() and byte < 128])
        changed[place] = chance.choice([byte for byte in b"0123456789abcdef" if byte != payload[place]])
        await conn.execute(f"UPDATE custody_payload SET payload = $1 WHERE {row}", bytes(changed))


def signed_note_garbled(table: str) -> Attack:
    """Make the attack that flips a bit of what the log signed in a row."""

    async def attack(house: DrillHouse, chance: Random) -> None:
        async with superuser(house.dsn) as conn:
            row = await _row(conn, table, chance)
            note: bytes = await conn.fetchval(f"SELECT note FROM {table} WHERE {row}")
            # Only what was published has a witness's line, and who audits a log alone does not know that key.
            changed = (garbled_log_part if table == "ledger_publication" else flipped)(note, chance)
            await conn.execute(f"UPDATE {table} SET note = $1 WHERE {row}", changed)

    return attack


_LEAF = "(SELECT entry_id FROM ledger_leaf WHERE index = {%s})"
_A, _B = _LEAF % "a", _LEAF % "b"
_SWAP_ENTRIES = (
    f"CREATE TEMP TABLE pair ON COMMIT DROP AS SELECT entry_id, entry FROM ledger_entry WHERE entry_id IN ({_A}, {_B})",
    (
        "UPDATE ledger_entry e SET entry = o.entry FROM pair o"
        " WHERE e.entry_id IN (SELECT entry_id FROM pair) AND o.entry_id <> e.entry_id"
    ),
)
_SWAP_LEAVES = (
    "UPDATE ledger_leaf SET index = index + 1000000 WHERE index IN ({a}, {b})",
    "UPDATE ledger_leaf SET index = CASE index WHEN {a} + 1000000 THEN {b} ELSE {a} END WHERE index >= 1000000",
)
_TOGETHER = (
    "UPDATE custody_payload SET salt = sha256(salt) WHERE entry_id = " + _A,
    "UPDATE ledger_entry e SET entry = convert_to(regexp_replace(convert_from(e.entry, 'UTF8'),"
    ' \'"commit":"[^"]*"\', \'"commit":"\' || (SELECT encode(sha256(p.salt || p.payload), \'hex\')'
    " FROM custody_payload p WHERE p.entry_id = e.entry_id) || '\"'), 'UTF8') WHERE e.entry_id = " + _A,
    (
        "UPDATE ledger_leaf SET leaf_hash = (SELECT sha256('\\x00'::bytea || entry) FROM ledger_entry e"
        " WHERE e.entry_id = ledger_leaf.entry_id) WHERE index = {a}"
    ),
)

# The newest may be missing in honest runs: it is written after the file, and a crash lies in between.
_DELETE_PUBLICATION = (
    "DELETE FROM ledger_publication WHERE size = (SELECT size FROM ledger_publication ORDER BY size"
    " OFFSET {a} % ((SELECT count(*) FROM ledger_publication) - 1) LIMIT 1)"
)

_APPROVED = (
    "UPDATE review_step SET content = jsonb_set(jsonb_set(content, '{{statement,conclusion}}', '\"approve\"'),"
    " '{{statement,problems}}', '[]') WHERE kind = 'opined' AND content #>> '{{statement,conclusion}}' = 'problems'"
)
_PROBLEM_GONE = (
    "UPDATE review_step SET content = content #- '{{statement,problems,0}}'"
    " WHERE kind = 'opined' AND content #>> '{{statement,conclusion}}' = 'problems'"
)
_STEP_GONE = (
    "WITH gone AS (DELETE FROM review_step WHERE kind = 'disagreed' RETURNING case_id, step)"
    " UPDATE review_step s SET step = s.step + 1000 FROM gone WHERE s.case_id = gone.case_id AND s.step > gone.step"
)
_DECISION_PLANTED = (
    "INSERT INTO decision SELECT gen_random_uuid(), gen_random_uuid(), number || '之{seed}', kind, summary, rules,"
    " scope, root, NULL, decided_by, decided_at, gen_random_uuid() FROM decision LIMIT 1"
)
_TERM_MOVED = "UPDATE deadline_rules SET effective_from = effective_from - ({seed} % 900 + 1)"
_TEXT_CHANGED = "UPDATE publication_issue SET fields = fields || jsonb_build_object('conclusion', '罚款{seed}元')"


def _kind(name: str, attack: Attack, victim: Victim = Victim.LOG) -> Kind:
    return Kind(Adversary.DATABASE, name, attack, victim, rows=True)


_TABLES = tuple(table for table in EVIDENTIAL_TABLES if table != "log_key_statement")
"""The drill's log keeps its first key, so there is no statement about keys to alter; `tests.drill.keys` plants one."""

KINDS: tuple[Kind, ...] = (
    *(_kind(f"{table}: row altered", row_altered(table), Victim.HOUSE) for table in _TABLES),
    *(_kind(f"{table}: row deleted", row_deleted(table), Victim.HOUSE) for table in _TABLES),
    *(_kind(f"{table}: row planted", row_planted(table), Victim.HOUSE) for table in _TABLES),
    _kind(
        "account: password exchanged",
        sql("UPDATE account_secret SET password = replace(password, '$ZHJp', '$ZHJq')"),
        Victim.HOUSE,
    ),
    _kind(
        "account: one-time codes exchanged",
        sql("UPDATE account_secret SET totp = sha256(totp)"),
        Victim.HOUSE,
    ),
    *(
        _kind(name, sql(statement), Victim.HOUSE)
        for name, statement in (
            ("review: an opinion rewritten to an approval", _APPROVED),
            ("review: a problem taken out of an opinion", _PROBLEM_GONE),
            ("review: a step taken out and the rest numbered anew", _STEP_GONE),
            ("decision: planted without an approval", _DECISION_PLANTED),
            ("decision: what revoked it removed", "DELETE FROM decision_revocation"),
            ("deadlines: a reason put on another clock", "UPDATE deadline_statement SET clock = 'case/{seed}'"),
            ("deadlines: the term of a table moved", _TERM_MOVED),
            ("publicity: a published text changed", _TEXT_CHANGED),
            ("publicity: a withdrawal removed", "DELETE FROM publication_withdrawal"),
        )
    ),
    _kind("custody_payload: payload altered", payload_byte_flipped, Victim.HOUSE),
    _kind("custody_payload: salt altered", row_altered("custody_payload", "salt"), Victim.HOUSE),
    _kind(
        "custody_payload: who, what, when altered",
        row_altered("custody_payload", "type", "actor", "subject", "at"),
        Victim.HOUSE,
    ),
    _kind("custody_payload: row deleted", row_deleted("custody_payload"), Victim.HOUSE),
    _kind("custody_payload: row planted", row_planted("custody_payload"), Victim.HOUSE),
    _kind("payload, entry and leaf altered together", sql(*_TOGETHER), Victim.HOUSE),
    _kind("ledger_entry: entry altered", row_altered("ledger_entry", "entry")),
    _kind("ledger_entry: row deleted", row_deleted("ledger_entry")),
    _kind("ledger_entry: row planted", row_planted("ledger_entry")),
    _kind("ledger_entry: two exchanged", sql(*_SWAP_ENTRIES)),
    _kind("ledger_leaf: hash altered", row_altered("ledger_leaf", "leaf_hash")),
    _kind("ledger_leaf: entry altered", row_altered("ledger_leaf", "entry_id")),
    _kind("ledger_leaf: row deleted", row_deleted("ledger_leaf")),
    _kind(
        "ledger_leaf: row planted",
        sql("INSERT INTO ledger_leaf VALUES ({size}, gen_random_uuid(), sha256('{seed}'))"),
    ),
    _kind("ledger_leaf: two reordered", sql(*_SWAP_LEAVES)),
    _kind("ledger_tile_root: root altered", row_altered("ledger_tile_root", "root")),
    _kind("ledger_tile_root: row deleted", row_deleted("ledger_tile_root")),
    _kind("ledger_tile_root: row planted", sql("INSERT INTO ledger_tile_root VALUES (0, {size}, sha256('{seed}'))")),
    _kind("ledger_head: altered", row_altered("ledger_head", "size", "root")),
    _kind("ledger_head: deleted", row_deleted("ledger_head")),
    _kind("ledger_pending: entry queued again", sql("INSERT INTO ledger_pending (entry_id) SELECT " + _A)),
    _kind("ledger_checkpoint: root altered", row_altered("ledger_checkpoint", "root")),
    _kind("ledger_checkpoint: note garbled", signed_note_garbled("ledger_checkpoint")),
    _kind("ledger_checkpoint: row deleted", row_deleted("ledger_checkpoint")),
    _kind("ledger_publication: an older row deleted", sql(_DELETE_PUBLICATION)),
    _kind("ledger_publication: note garbled", signed_note_garbled("ledger_publication")),
)
