"""The audit on registers and links: circles, two of one number or from one moment, sessions without a link."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from evidence.core.clock import format_time
from ledger.canonical import JsonObject, JsonValue
from ledger.findings import Severity
from tests.support.auditing import audited, differences
from tests.support.small_house import SmallHouse, superuser

SINCE = "2026-01-05T01:00:00.000Z"


async def unit(house: SmallHouse, named: UUID, version: int, parent: UUID | None, **more: JsonValue) -> None:
    payload: dict[str, JsonValue] = {"unit": str(named), "version": version, "code": None, "name": f"队{version}"}
    payload |= {"parent": None if parent is None else str(parent), "valid_from": None, "valid_until": None}
    await house.write("unit.registered", f"unit:{named}", {**payload, **more})


async def officer(house: SmallHouse, number: str, **more: JsonValue) -> UUID:
    named = house.new_id()
    payload: dict[str, JsonValue] = {"officer": str(named), "number": number, "name": "王五", "unit": "一中队"}
    await house.write("officer.registered", f"officer:{named}", {**payload, **more})
    return named


async def assign(house: SmallHouse, recorder: str, whose: UUID | None, since: str = SINCE) -> None:
    assignment = house.new_id()
    said: JsonObject = {
        "assignment": str(assignment),
        "recorder": recorder,
        "officer": None if whose is None else str(whose),
        "since": since,
    }
    await house.write("recorder.assigned", f"assignment:{assignment}", said)


async def session(house: SmallHouse, staff: UUID, *, method: str) -> None:
    begun = house.new_id()
    said: JsonObject = {
        "session": str(begun),
        "staff": str(staff),
        "role": "archivist",
        "scopes": None,
        "expires_at": format_time(house.clock() + timedelta(hours=8)),
        "token_sha256": house.entropy(32).hex(),
        "method": method,
        "recovery_sha256": None,
        "failed_before": 0,
    }
    await house.write("session.begun", f"session:{begun}", said)


async def link(house: SmallHouse, staff: UUID) -> None:
    said: JsonObject = {"staff": str(staff), "issuer": "https://id.example.cn", "subject": staff.hex}
    await house.write("account.linked", f"staff:{staff}", said)


async def named(house: SmallHouse) -> list[str]:
    """Audit and return the code of each finding."""
    return [one.code for one in await audited(house) if one.severity is not Severity.OK]


async def test_registers_that_follow_each_other_are_no_finding(house: SmallHouse) -> None:
    above, below = house.new_id(), house.new_id()
    await unit(house, above, 1, None, code="140100000000")
    await unit(house, below, 1, above)
    await unit(house, above, 2, None, code="140100000000", valid_from="2026-02-01")
    await unit(house, below, 2, None, valid_from="2026-03-01")
    await unit(house, above, 3, below, valid_from="2026-03-01")
    first = await officer(house, "013579", valid_until="2025-12-31")
    second = await officer(house, "013579", valid_from="2026-01-01")
    await assign(house, "R1", first)
    await assign(house, "R1", second, "2026-01-06T01:00:00.000Z")
    await assign(house, "R2", second)
    await assign(house, "R2", second)
    staff, other = house.new_id(), house.new_id()
    await link(house, staff)
    await session(house, staff, method="oidc")
    await session(house, other, method="password")
    await house.publish()
    assert await differences(house) == []


@pytest.mark.parametrize("length", [1, 2, 5])
async def test_each_unit_of_a_circle_is_named_once(house: SmallHouse, length: int) -> None:
    units = [house.new_id() for _ in range(length)]
    outside = house.new_id()
    await unit(house, outside, 1, units[0])
    for place, one in enumerate(units):
        await unit(house, one, 1, units[place - 1], valid_from="2026-03-01")
    await house.publish()
    assert await named(house) == ["register.circle"] * length


async def test_two_in_force_under_one_number_or_code_are_named(house: SmallHouse) -> None:
    await officer(house, "013579", valid_from="2025-01-01", valid_until="2026-01-01")
    await officer(house, "013579", valid_from="2026-01-01")
    for version in (1, 2):
        await unit(house, house.new_id(), version, None, code="140100000000", valid_until="2020-01-01")
    await house.publish()
    assert await named(house) == ["register.overlapping"] * 2


async def test_a_recorder_of_two_from_one_moment_is_named(house: SmallHouse) -> None:
    await assign(house, "R1", await officer(house, "1"))
    await assign(house, "R1", None)
    await house.publish()
    assert await differences(house) == ["register.holders_overlapping"]


async def test_a_session_by_the_provider_rests_on_a_link_that_stands_before_it(house: SmallHouse) -> None:
    never, later = house.new_id(), house.new_id()
    await session(house, never, method="oidc")
    await session(house, later, method="oidc")
    await link(house, later)
    await house.publish()
    assert await named(house) == ["session.not_linked"] * 2


async def test_what_follows_from_an_altered_payload_is_not_named_again(house: SmallHouse) -> None:
    staff, above, below = house.new_id(), house.new_id(), house.new_id()
    await link(house, staff)
    await session(house, staff, method="oidc")
    await unit(house, above, 1, None)
    await unit(house, below, 1, above)
    await house.publish()
    assert await differences(house) == []
    async with superuser(house.dsn) as conn:
        await conn.execute("DELETE FROM custody_payload WHERE type = 'account.linked'")
        text = f"replace(convert_from(payload, 'UTF8'), '\"parent\":null', '\"parent\":\"{below}\"')"
        await conn.execute(
            f"UPDATE custody_payload SET payload = convert_to({text}, 'UTF8') WHERE type = 'unit.registered'"
        )
    assert sorted(await differences(house)) == ["payload.missing", "payload.not_committed"]
