"""The outbox against a real receiver: exactly one effect, in order, through outages and crashes."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from api.outbox import open_sender
from evidence.core.clock import utc_now
from evidence.deadlines.follow import catch_up as follow
from evidence.outbox.by_hand import try_out
from evidence.outbox.delivery import GIVEN_UP_AFTER, Outbox
from evidence.outbox.errors import TargetRefused
from evidence.parties.roles import Role
from evidence.publicity import records
from ledger.canonical import canonical_json, commitment
from tests.support.clock import SteppingClock
from tests.support.publicity import BRIEF, WRITER
from tests.support.retention import APPROVER
from tests.support.service import RunningService, config_for, running_service
from tests.support.webhooks import Platform, open_platform

ADMIN = Role.ADMINISTRATOR
DAY = timedelta(days=1)


class Told:
    """A service with a platform that is subscribed, and an outbox whose steps the test takes."""

    def __init__(self, service: RunningService, platform: Platform, outbox: Outbox, clock: SteppingClock) -> None:
        self.service, self.platform, self.outbox, self.clock = service, platform, outbox, clock
        self.subscription = ""

    async def open_cases(self, count: int) -> None:
        for _ in range(count):
            body = {"number": f"推送{uuid4().hex[:8]}号", "title": "某化工厂"}
            reply = await self.service.ask("POST", "/v1/cases", role=Role.INVESTIGATOR, json=body)
            assert reply.status == 201, reply.body
        async with self.service.services.pool.acquire() as conn:
            size = await conn.fetchval("SELECT count(*) FROM ledger_entry")
            for _ in range(300):
                if await conn.fetchval("SELECT max(size) FROM ledger_publication") == size:
                    return
                await asyncio.sleep(0.02)
        raise AssertionError("not published")

    async def settle(self) -> None:
        self.catch_up()
        while await self.outbox.step():
            pass

    def catch_up(self) -> None:
        """Let the outbox's clock be at least the service's, which is real."""
        self.clock.now = max(self.clock.now, utc_now())

    async def item(self) -> dict[str, object]:
        page = (await self.service.ask("GET", "/v1/outbox", role=Role.AUDITOR)).json()
        return next(one for one in page["items"] if one["subscription"] == self.subscription)

    async def subscribe(self, **more: object) -> None:
        body = {"name": "公示平台", "url": f"{self.platform.url}/hooks", "types": ["case.opened"], **more}
        reply = await self.service.ask("POST", "/v1/outbox", role=ADMIN, json=body)
        assert reply.status == 201, reply.body
        self.subscription = reply.json()["subscription"]
        self.platform.secret = await self.new_secret()

    async def new_secret(self) -> str:
        reply = await self.service.ask("POST", f"/v1/outbox/{self.subscription}/secret", role=ADMIN)
        secret: str = reply.json()["secret"]
        return secret


@pytest.fixture
async def told(database: str, tmp_path: Path) -> AsyncIterator[Told]:
    clock = SteppingClock(utc_now())
    async with open_platform() as platform, open_sender() as sender:
        # The service's own outbox stays away, so that the test takes every step.
        config = config_for(database, tmp_path / "data", outbox_targets="")
        async with running_service(config) as service:
            object.__setattr__(service.services.config, "outbox_targets", platform.url)
            services = service.services
            outbox = Outbox(services.pool, sender, targets=[platform.url], clock=clock, entropy=services.entropy)
            yield Told(service, platform, outbox, clock)


async def test_r40_a_receiver_down_three_times_then_up_gets_exactly_one_record(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(1)
    told.platform.statuses = [500, 503, 429]
    for attempt in range(1, 4):
        await told.settle()
        assert (await told.item())["attempts"] == attempt
        told.clock.advance(timedelta(minutes=5))
    await told.settle()
    await told.settle()
    assert len(told.platform.attempts) == 4
    assert len({id_ for id_, _ in told.platform.attempts}) == 1
    assert len({body for _, body in told.platform.attempts}) == 1
    assert len(told.platform.records) == 1
    assert told.platform.unsigned == 0


async def test_r36_publication_and_withdrawal_reach_a_receiver_that_was_down_as_one_record_each(told: Told) -> None:
    await told.subscribe(types=["publication.published", "publication.withdrawn", "deadline.warned"], detail="payload")
    services = told.service.services
    tools: dict[str, Any] = {"clock": services.clock, "entropy": services.entropy}
    async with services.pool.acquire() as conn, conn.transaction():
        row = await records.draft(conn, form="brief", kind="penalty", fields=BRIEF, until=None, actor=WRITER, **tools)
        where: dict[str, Any] = {"publication": row.publication, "version": 1}
        await records.approve(conn, **where, actor=APPROVER, **tools)
        await records.publish(conn, **where, actor=WRITER, **tools)
        why: dict[str, Any] = {"cause": "revoked", "reason": "行政复议撤销"}
        await records.withdraw(conn, row.publication, **why, actor=WRITER, **tools)
    overdue = {"kind": "withdrawal", "started_at": "2026-01-05T02:00:00.000Z", "note": "督办"}
    await told.open_cases(1)
    case = (await told.service.ask("GET", "/v1/cases", role=Role.INVESTIGATOR)).json()["items"][0]["case"]
    started = await told.service.ask("POST", "/v1/deadlines", role=Role.INVESTIGATOR, json={**overdue, "case": case})
    assert started.status == 201, started.body
    clock = started.json()["clock"]
    await follow(services.pool, **tools)
    await told.open_cases(1)
    told.platform.statuses = [500, 503, 429]
    for _ in range(5):
        await told.settle()
        told.clock.advance(timedelta(minutes=5))
    kinds = [(message["type"], message["data"]["subject"]) for message in told.platform.records.values()]
    publication = f"publication:{row.publication}"
    assert sorted(kinds) == [
        ("deadline.warned", f"clock:{clock}"),
        ("publication.published", publication),
        ("publication.withdrawn", publication),
    ]
    assert (len(told.platform.attempts), told.platform.unsigned) == (6, 0)
    assert told.platform.order == sorted(told.platform.order)


async def test_messages_come_in_the_logs_order_and_carry_nobodys_words(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(7)
    told.platform.statuses = [204, 204, 500]
    await told.settle()
    assert len(told.platform.records) == 2
    told.clock.advance(timedelta(minutes=1))
    await told.settle()
    assert told.platform.order == sorted(told.platform.order)
    assert len(told.platform.order) == 7
    for message in told.platform.records.values():
        assert message["type"] == "case.opened"
        assert message["data"].keys() == {"entry", "index", "actor", "subject"}
    assert "某化工厂".encode() not in b"".join(body for _, body in told.platform.attempts)


async def test_with_payloads_the_receiver_can_prove_what_it_was_told(told: Told) -> None:
    await told.subscribe(detail="payload")
    await told.open_cases(1)
    await told.settle()
    data = next(iter(told.platform.records.values()))["data"]
    assert data["payload"]["title"] == "某化工厂"
    async with told.service.services.pool.acquire() as conn:
        entry = json.loads(
            await conn.fetchval("SELECT entry FROM ledger_entry WHERE entry_id = $1", UUID(data["entry"]))
        )
    salt = base64.b64decode(data["salt"])
    proved = commitment(salt=salt, payload=canonical_json(data["payload"]))
    assert entry["commit"] == f"sha256:{proved.hex()}"


async def test_killed_between_sending_and_moving_on_there_is_one_effect(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(2)

    async def cut() -> None:
        told.platform.before_answer = None
        async with told.service.services.pool.acquire() as conn:
            # As a kill: the lease is what the dead process leaves behind, and it has run out.
            await conn.execute(
                "UPDATE outbox_cursor SET lease = gen_random_uuid(), lease_until = now() - interval '1 s'"
            )

    told.platform.before_answer = cut
    await told.settle()
    told.clock.advance(timedelta(minutes=2))
    await told.settle()
    ids = [id_ for id_, _ in told.platform.attempts]
    assert len(ids) == 3
    assert ids[0] == ids[1]
    assert len(told.platform.records) == 2


async def test_two_processes_tell_everything_once(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(6)
    told.catch_up()
    await asyncio.gather(*(told.outbox.step() for _ in range(4)))
    await told.settle()
    assert len(told.platform.attempts) == len(told.platform.records) == 6


async def test_what_nobody_takes_for_days_is_a_dead_letter_and_the_next_goes_on(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(2)
    told.platform.statuses = [500] * 200
    begun = told.clock.now
    while (await told.item())["dead"] == 0:
        await told.settle()
        told.clock.advance(timedelta(hours=4))
        assert told.clock.now - begun < GIVEN_UP_AFTER + DAY
    assert told.clock.now - begun > GIVEN_UP_AFTER
    dead = await told.service.ask("GET", f"/v1/outbox/{told.subscription}/dead", role=Role.AUDITOR)
    (letter,) = dead.json()["items"]
    assert letter["problem"] == "answered 500"
    told.platform.statuses = []
    told.clock.advance(DAY)
    await told.settle()
    assert letter["entry"] not in told.platform.records
    assert len(told.platform.records) == 1


async def test_gone_gives_a_message_up_at_once_and_a_redirect_is_not_followed(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(2)
    told.platform.statuses = [410, 302]
    await told.settle()
    item = await told.item()
    assert (item["dead"], item["attempts"], item["problem"]) == (1, 1, "answered 302")
    assert len(told.platform.attempts) == 2


async def test_a_new_secret_and_the_one_before_both_sign_for_a_day(told: Told) -> None:
    await told.subscribe()
    old = told.platform.secret
    await told.new_secret()
    await told.open_cases(1)
    told.platform.secret = old
    await told.settle()
    assert len(told.platform.records) == 1
    told.clock.advance(timedelta(days=2))
    await told.open_cases(1)
    await told.settle()
    assert (told.platform.unsigned, len(told.platform.records)) == (1, 1)


async def test_nothing_is_sent_without_a_secret_or_behind_the_end(told: Told) -> None:
    body = {"name": "平台", "url": f"{told.platform.url}/x", "types": ["case.opened"]}
    made = await told.service.ask("POST", "/v1/outbox", role=ADMIN, json=body)
    await told.open_cases(1)
    await told.settle()
    assert told.platform.attempts == []
    told.subscription = made.json()["subscription"]
    told.platform.secret = await told.new_secret()
    path = f"/v1/outbox/{told.subscription}/end"
    assert (await told.service.ask("POST", path, role=ADMIN, json={"reason": "停用"})).status == 201
    assert (await told.service.ask("POST", path, role=ADMIN, json={"reason": "停用"})).code == "outbox.unknown"
    await told.settle()
    assert told.platform.attempts == []


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"url": "https://elsewhere.example/hooks"}, "outbox.target_refused"),
    ({"url": "http://169.254.169.254/latest/meta-data"}, "outbox.target_refused"),
    ({"url": "http://127.0.0.1:1/"}, "outbox.target_refused"),
    ({"url": "file:///etc/passwd"}, "outbox.invalid"),
    ({"url": "gopher://127.0.0.1/"}, "outbox.invalid"),
    ({"url": "http://user:pass@127.0.0.1/"}, "outbox.invalid"),
    ({"url": "http://127.0.0.1:99999/"}, "outbox.invalid"),
    ({"url": "http://平台.example/"}, "outbox.invalid"),
    ({"url": "http://[::1"}, "outbox.invalid"),
    ({"url": "nonsense"}, "outbox.invalid"),
    ({"types": ["clip.seal"]}, "outbox.invalid"),
    ({"types": []}, "request.invalid"),
    ({"types": ["clip.sealed"] * 10_000}, "request.invalid"),
    ({"detail": "everything"}, "request.invalid"),
    ({"name": "a\nb"}, "party.name_invalid"),
    ({"name": "\x00"}, "request.invalid"),
]


async def test_subscriptions_that_are_refused(told: Told) -> None:
    for changes, code in REFUSED:
        body = {"name": "平台", "url": f"{told.platform.url}/x", "types": ["case.opened"], **changes}
        assert (await told.service.ask("POST", "/v1/outbox", role=ADMIN, json=body)).code == code, changes


async def test_an_address_that_is_not_listed_any_more_is_told_nothing(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(1)
    services = told.service.services
    told.catch_up()
    async with open_sender() as sender:
        strict = Outbox(services.pool, sender, targets=[], clock=told.clock, entropy=services.entropy)
        await strict.step()
    assert told.platform.attempts == []
    assert "not among those" in str((await told.item())["problem"])


async def test_creating_is_idempotent_and_pages_end(told: Told) -> None:
    headers = {"Idempotency-Key": "sub-1"}
    body = {"name": "平台", "url": f"{told.platform.url}/x", "types": ["case.opened"]}
    replies = [await told.service.ask("POST", "/v1/outbox", role=ADMIN, headers=headers, json=body) for _ in range(2)]
    assert replies[0].body == replies[1].body
    other = await told.service.ask("POST", "/v1/outbox", role=ADMIN, headers=headers, json={**body, "name": "别的"})
    assert other.code == "idempotency.conflict"
    page = (await told.service.ask("GET", "/v1/outbox?limit=1", role=Role.AUDITOR)).json()
    assert len(page["items"]) == 1
    assert page["next"] is None
    bad = await told.service.ask("GET", f"/v1/outbox/{page['items'][0]['subscription']}/dead?cursor=x", role=ADMIN)
    assert bad.code == "request.cursor"


async def test_subscriptions_are_evidence(told: Told) -> None:
    await told.subscribe()
    async with told.service.services.pool.acquire() as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("UPDATE outbox_subscription SET url = 'http://mallory.example'")


async def give_up(told: Told, count: int) -> list[dict[str, object]]:
    """Have a platform that is gone; return its dead letters."""
    await told.subscribe()
    await told.open_cases(count)
    told.platform.statuses = [410] * count
    await told.settle()
    told.platform.attempts.clear()
    path = f"/v1/outbox/{told.subscription}/dead"
    letters: list[dict[str, object]] = (await told.service.ask("GET", path, role=Role.AUDITOR)).json()["items"]
    assert len(letters) == count
    return letters


async def resend(told: Told, **body: object) -> object:
    path = f"/v1/outbox/{told.subscription}/dead/resend"
    reply = await told.service.ask("POST", path, role=ADMIN, json=body)
    assert reply.status == 202, reply.body
    return reply.json()["waiting"]


async def test_what_was_given_up_is_sent_again_under_its_id_and_has_one_effect(told: Told) -> None:
    letters = await give_up(told, 3)
    entry = str(letters[1]["entry"])
    assert await resend(told, entries=[entry, str(UUID(int=1))]) == 1
    assert await resend(told, entries=[entry]) == 1
    await told.settle()
    assert list(told.platform.records) == [entry]
    assert (await told.item())["dead"] == 2
    assert await resend(told) == 2
    told.platform.statuses = [500]
    await told.settle()
    assert (await told.item())["dead"] == 1
    assert await resend(told) == 1
    await told.settle()
    assert (await told.item())["dead"] == 0
    assert set(told.platform.records) == {str(one["entry"]) for one in letters}
    assert told.platform.unsigned == 0


async def test_killed_while_sending_again_there_is_one_effect(told: Told) -> None:
    (letter,) = await give_up(told, 1)
    await resend(told)

    async def cut() -> None:
        told.platform.before_answer = None
        async with told.service.services.pool.acquire() as conn:
            # As a kill: what the dead process would have done to the row finds another lease.
            await conn.execute("UPDATE outbox_dead SET again_at = now() - interval '1 s'")

    told.platform.before_answer = cut
    await told.settle()
    ids = [id_ for id_, _ in told.platform.attempts]
    assert ids == [letter["entry"]] * 2
    assert len({body for _, body in told.platform.attempts}) == 1
    assert list(told.platform.records) == [letter["entry"]]
    assert (await told.item())["dead"] == 0


async def test_two_processes_send_again_once(told: Told) -> None:
    await give_up(told, 4)
    await resend(told)
    told.catch_up()
    await asyncio.gather(*(told.outbox.step() for _ in range(6)))
    assert len(told.platform.attempts) == len(told.platform.records) == 4


async def test_a_paused_platform_is_told_nothing_and_then_everything_once(told: Told) -> None:
    await give_up(told, 1)
    path = f"/v1/outbox/{told.subscription}"
    paused = await told.service.ask("POST", f"{path}/pause", role=ADMIN)
    again = await told.service.ask("POST", f"{path}/pause", role=ADMIN)
    assert paused.json()["paused_at"] == again.json()["paused_at"] is not None
    await told.open_cases(2)
    await resend(told)
    await told.settle()
    assert told.platform.attempts == []
    resumed = await told.service.ask("POST", f"{path}/resume", role=ADMIN)
    assert resumed.json()["paused_at"] is None
    await told.settle()
    assert len(told.platform.attempts) == len(told.platform.records) == 3


async def test_a_pause_while_a_message_is_under_way_tells_it_once_more_under_its_id(told: Told) -> None:
    await told.subscribe()
    await told.open_cases(2)
    path = f"/v1/outbox/{told.subscription}"

    async def stop() -> None:
        told.platform.before_answer = None
        assert (await told.service.ask("POST", f"{path}/pause", role=ADMIN)).status == 200

    told.platform.before_answer = stop
    await told.settle()
    assert len(told.platform.attempts) == 1
    await told.service.ask("POST", f"{path}/resume", role=ADMIN)
    await told.settle()
    ids = [id_ for id_, _ in told.platform.attempts]
    assert (len(ids), ids[0]) == (3, ids[1])
    assert len(told.platform.records) == 2


async def test_nothing_is_done_about_a_subscription_that_has_ended(told: Told) -> None:
    await give_up(told, 1)
    path = f"/v1/outbox/{told.subscription}"
    await told.service.ask("POST", f"{path}/end", role=ADMIN, json={"reason": "停用"})
    for verb in ("pause", "resume", "dead/resend"):
        assert (await told.service.ask("POST", f"{path}/{verb}", role=ADMIN, json={})).code == "outbox.unknown"
    refused: tuple[dict[str, list[str]], ...] = (
        {"entries": []},
        {"entries": [str(UUID(int=1))] * 201},
        {"entries": ["x"]},
    )
    for wrong in refused:
        reply = await told.service.ask("POST", f"{path}/dead/resend", role=ADMIN, json=wrong)
        assert reply.code == "request.invalid"


async def test_the_way_is_tried_with_a_message_about_nothing(told: Told) -> None:
    await told.subscribe()
    services = told.service.services
    async with open_sender() as sender:
        given = {"targets": [told.platform.url], "clock": services.clock, "entropy": services.entropy}
        told.platform.statuses = [202, 500]
        subscription = UUID(told.subscription)
        assert (await try_out(services.pool, sender, subscription, **given)).is_taken  # type: ignore[arg-type]
        refused = await try_out(services.pool, sender, subscription, **given)  # type: ignore[arg-type]
        assert refused.reason == "answered 500"
        with pytest.raises(TargetRefused):
            await try_out(services.pool, sender, subscription, **{**given, "targets": []})  # type: ignore[arg-type]
    assert told.platform.unsigned == 0
    (body, _) = (json.loads(body) for _, body in told.platform.attempts)
    assert (body["type"], body["data"]) == ("outbox.test", {"subscription": told.subscription})
    assert (await told.item())["attempts"] == 0
