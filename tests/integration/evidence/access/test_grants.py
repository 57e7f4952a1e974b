"""Grants and classes on record: what counts when, what is refused, and that the audit makes the rows again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from evidence.access.errors import AccessInvalid, GrantUnknown, GrantWithdrawn
from evidence.access.grant_store import grants_after, grants_of, subjects_of_cases, subjects_of_clips
from evidence.access.grants import GrantedAccess, Wanted, classify_clip, grant_access, withdraw_access
from evidence.access.people import AccessMode, person_of
from evidence.access.policy import Action, Subject, decide
from evidence.access.scope import Scope, scope_allows, scope_of
from evidence.clips.query import ClipQuery
from evidence.clips.search import list_clips
from evidence.custody.replay import Side, replay
from evidence.errors import ClipUnknown
from evidence.parties.errors import NameInvalid
from evidence.parties.roles import Role
from ledger.canonical import JsonValue
from tests.support.payloads import STAFF, Scribe

ME, UNIT, CASE = UUID(int=1), UUID(int=2), UUID(int=3)


async def grant(scribe: Scribe, **wanted: Any) -> GrantedAccess:
    async with scribe.conn.transaction():
        return await grant_access(
            scribe.conn,
            Wanted(**{"staff": ME, "reason": "专案组成员", **wanted}),
            actor=STAFF,
            clock=scribe.clock,
            entropy=scribe.entropy,
        )


async def withdraw(scribe: Scribe, grant_: UUID, reason: str = "调离") -> UUID:
    async with scribe.conn.transaction():
        return await withdraw_access(
            scribe.conn, grant_, reason=reason, actor=STAFF, clock=scribe.clock, entropy=scribe.entropy
        )


async def classify(scribe: Scribe, clip: UUID, *classes: str, reason: str = "涉及未成年人") -> UUID:
    async with scribe.conn.transaction():
        return await classify_clip(
            scribe.conn, clip, classes=classes, reason=reason, actor=STAFF, clock=scribe.clock, entropy=scribe.entropy
        )


async def test_grants_add_up_until_they_end_or_are_withdrawn(scribe: Scribe) -> None:
    async def person(mode: AccessMode = AccessMode.UNITS, **later: int) -> Any:
        now = scribe.clock() + timedelta(**later)
        return await person_of(scribe.conn, staff=ME, role=Role.INVESTIGATOR, mode=mode, now=now)

    assert (await person()).units == frozenset()
    first = await grant(scribe, units=[UNIT], classes=["covert"])
    await grant(scribe, cases=[CASE], until=scribe.clock() + timedelta(days=1))
    await grant(scribe, staff=UUID(int=9), all_units=True)
    now = await person()
    assert (now.units, now.cases, now.classes, now.all_units) == ({UNIT}, {CASE}, {"covert"}, False)
    assert (await person(days=2)).cases == frozenset()
    await withdraw(scribe, first.grant)
    after = await person()
    assert (after.units, after.cases, after.classes) == (frozenset(), {CASE}, frozenset())
    assert (await person(mode=AccessMode.ROLES)).all_units
    assert [one.withdrawn_reason for one in await grants_of(scribe.conn, ME)] == ["调离", None]
    everybody = await grants_after(scribe.conn, after=None, limit=10)
    assert [one.staff for one in everybody] == [ME, ME, UUID(int=9)]
    assert await grants_after(scribe.conn, after=everybody[-1].grant, limit=10) == []


REFUSED: list[tuple[Mapping[str, Any], type[Exception]]] = [
    ({}, AccessInvalid),
    ({"units": [UNIT], "reason": ""}, NameInvalid),
    ({"units": [UNIT], "reason": "a\0b"}, NameInvalid),
    ({"units": [UNIT], "reason": "x" * 1001}, NameInvalid),
    ({"classes": ["COVERT"]}, AccessInvalid),
    ({"classes": ["covert", "everything"]}, AccessInvalid),
    ({"units": [UUID(int=number) for number in range(501)]}, AccessInvalid),
    ({"cases": [UUID(int=number) for number in range(10_000)]}, AccessInvalid),
]


async def test_what_cannot_be_granted(scribe: Scribe) -> None:
    for wanted, error in REFUSED:
        with pytest.raises(error):
            await grant(scribe, **wanted)
    assert await grants_of(scribe.conn, ME) == []


async def test_a_grant_does_not_end_before_it_begins_and_is_withdrawn_once(scribe: Scribe) -> None:
    with pytest.raises(AccessInvalid, match="ended before"):
        await grant(scribe, units=[UNIT], until=scribe.clock())
    with pytest.raises(GrantUnknown):
        await withdraw(scribe, UUID(int=7))
    made = await grant(scribe, units=[UNIT])
    with pytest.raises(NameInvalid):
        await withdraw(scribe, made.grant, reason=" ")
    await withdraw(scribe, made.grant)
    with pytest.raises(GrantWithdrawn):
        await withdraw(scribe, made.grant)


async def test_the_newest_classification_counts_and_the_search_follows(scribe: Scribe) -> None:
    clip, case = await scribe.seal(), await scribe.open_case()
    await scribe.link(case, clip)
    await classify(scribe, clip, "minors", "covert")
    assert (await subjects_of_clips(scribe.conn, [clip]))[clip] == Subject(
        cases=frozenset({case}), classes=frozenset({"minors", "covert"})
    )
    assert await scribe.conn.fetchval("SELECT classes FROM search_document") == ["covert", "minors"]
    await classify(scribe, clip)
    assert (await subjects_of_clips(scribe.conn, [clip]))[clip].classes == frozenset()
    assert await scribe.conn.fetchval("SELECT classes FROM search_document") == []
    for strange in ("COVERT", "all"):
        with pytest.raises(AccessInvalid):
            await classify(scribe, clip, strange)
    with pytest.raises(ClipUnknown):
        await classify(scribe, UUID(int=5), "covert")
    assert await subjects_of_clips(scribe.conn, [UUID(int=5)]) == {}
    opened = await subjects_of_cases(scribe.conn, [case, UUID(int=5)])
    assert opened.pop(case) == Subject(cases=frozenset({case}), opened_by=UUID(STAFF.removeprefix("staff:")))
    assert not opened


async def test_the_condition_in_sql_says_what_the_rule_says_of_one_clip(scribe: Scribe) -> None:
    units, cases = [None, UUID(int=31), UUID(int=32)], [await scribe.open_case(number) for number in ("一", "二")]
    class_sets = [(), ("minors",), ("covert", "minors")]
    facts = {}
    for number in range(18):
        clip = await scribe.seal()
        unit, case, classes = units[number % 3], cases[number % 2] if number % 4 else None, class_sets[number // 6]
        if classes:
            await classify(scribe, clip, *classes)
        if case is not None:
            await scribe.link(case, clip)
        await scribe.conn.execute("UPDATE search_document SET unit = $2 WHERE clip = $1", clip, unit)
        facts[clip] = Subject(unit=unit, cases=frozenset({case} if case else ()), classes=frozenset(classes))
    for reached in (None, frozenset[UUID](), frozenset({UUID(int=31)}), frozenset({UUID(int=31), UUID(int=32)})):
        for granted in (frozenset[UUID](), frozenset({cases[0]}), frozenset(cases)):
            for classes_granted in (None, frozenset[str](), frozenset({"minors"}), frozenset({"covert", "minors"})):
                scope = Scope(units=reached, cases=granted, classes=classes_granted)
                seen, cursor = set[UUID](), None
                while True:
                    page = await list_clips(scribe.conn, ClipQuery(), scope=scope, cursor=cursor, limit=5)
                    seen |= {item.clip for item in page.items}
                    if (cursor := page.next) is None:
                        break
                assert seen == {clip for clip, told in facts.items() if scope_allows(scope, told)}


async def test_a_unit_is_granted_with_what_lies_below_it_today(scribe: Scribe) -> None:
    above, below, clip = UUID(int=51), UUID(int=52), await scribe.seal()

    async def register(unit: UUID, version: int, parent: UUID | None) -> None:
        named: dict[str, JsonValue] = {
            "unit": str(unit),
            "version": version,
            "name": f"{unit.int}中队",
            "parent": None if parent is None else str(parent),
            **dict.fromkeys(("code", "valid_from", "valid_until")),
        }
        await scribe.write("unit.registered", f"unit:{unit}", named)

    async def reaches() -> bool:
        now = scribe.clock()
        person = await person_of(scribe.conn, staff=ME, role=Role.REVIEWER, mode=AccessMode.UNITS, now=now)
        found = await list_clips(scribe.conn, ClipQuery(), scope=scope_of(person, with_purpose=False))
        subject = (await subjects_of_clips(scribe.conn, [clip]))[clip]
        assert bool(found.items) == decide(person, subject, Action.VIEW).allowed
        return bool(found.items)

    await register(above, 1, None)
    await register(below, 1, above)
    whose: dict[str, JsonValue] = {"clip": str(clip), "version": 1, "unit": str(below), "flags": [], "blocked": False}
    whose |= dict.fromkeys(("officer", "recorded_at", "basis"))
    await scribe.write("clip.attributed", f"clip:{clip}", whose)
    assert not await reaches()
    await grant(scribe, units=[above])
    assert await reaches()
    await register(below, 2, None)
    assert not await reaches(), "it was moved away; no document was rewritten"


async def test_the_audit_makes_grants_and_classes_again(scribe: Scribe) -> None:
    clip = await scribe.seal()
    made = await grant(scribe, units=[UNIT], cases=[CASE], classes=["covert"], until=scribe.clock() + timedelta(days=3))
    await withdraw(scribe, made.grant)
    await classify(scribe, clip, "secrets")
    searched: dict[str, JsonValue] = {
        "search": str(UUID(int=4)),
        "staff": str(ME),
        "purpose": "litigation",
        "question": "查封",
        "classes": ["secrets"],
        "clips": [str(clip)],
    }
    await scribe.write("clips.searched", f"staff:{ME}", searched)
    assert [one async for one in replay(scribe.conn)] == []
    # The superuser's ways of looking where one may not: each is named, at its row.
    for table, statement in {
        "access_grant": "UPDATE access_grant SET all_units = true",
        "access_withdrawal": "DELETE FROM access_withdrawal",
        "clip_class": "UPDATE clip_class SET classes = '[]'",
        "clip_shown": "DELETE FROM clip_shown",
    }.items():
        async with scribe.conn.transaction():
            await scribe.conn.execute(f"ALTER TABLE {table} DISABLE TRIGGER forbid_change")
            await scribe.conn.execute(statement)
            await scribe.conn.execute(f"ALTER TABLE {table} ENABLE TRIGGER forbid_change")
    found = [(one.table, one.side) async for one in replay(scribe.conn)]
    assert found == [
        ("access_grant", Side.ALTERED),
        ("access_withdrawal", Side.MISSING),
        ("clip_class", Side.ALTERED),
        ("clip_shown", Side.MISSING),
    ]
