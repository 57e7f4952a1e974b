"""A station changes its key at the real service: the contract that the stand-in of the dock's tests keeps."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from dockstation.agent import key_changer
from dockstation.config import Settings, StateFolder
from dockstation.enrol import enrol
from dockstation.errors import DockNotAccepted
from dockstation.link import Link
from dockstation.rotation import KeyChanger
from dockstation.service import Service
from evidence.core.clock import utc_now
from evidence.parties.roles import Role
from tests.support.crash import Crash, When, crash_at
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def station(service: RunningService, folder: Path) -> KeyChanger:
    code = (await service.ask("POST", "/v1/docks/codes", role=Role.ADMINISTRATOR, json={})).json()["code"]
    state, url = StateFolder(folder), str(service.url)
    state.create()
    async with Link(url, tokens=None) as link:
        enrolment = await enrol(
            state, link, url=url, code=code, name="走廊", force=False, clock=utc_now, entropy=secrets.token_bytes
        )
    return key_changer(state, Settings(patience_seconds=3.0), enrolment, clock=utc_now)


async def counting_key(service: RunningService, changer: KeyChanger) -> str:
    listed = (await service.ask("GET", "/v1/docks", role=Role.AUDITOR, params={"limit": "200"})).json()["items"]
    vkey: str = next(item["vkey"] for item in listed if item["dock"] == str(changer.enrolment.dock))
    return vkey


def held_key(changer: KeyChanger) -> str:
    return changer.folder.load_signer(changer.enrolment.dock).verifier.vkey


async def test_keys_are_changed_one_after_the_other(shared: RunningService, tmp_path: Path) -> None:
    changer = await station(shared, tmp_path / "state")
    for sequence in (1, 2):
        counts = await changer.begin(entropy=secrets.token_bytes)
        assert (counts.sequence, counts.vkey) == (sequence, held_key(changer))
        assert await counting_key(shared, changer) == counts.vkey
    assert await changer.finish() is None


@pytest.mark.parametrize("step", ["key_state", "change_key"])
@pytest.mark.parametrize("when", When)
async def test_an_interrupted_change_is_gone_on_with(
    shared: RunningService, tmp_path: Path, step: str, when: When
) -> None:
    changer = await station(shared, tmp_path / "state")
    with pytest.MonkeyPatch.context() as patch:
        assert_reached = crash_at(patch, Service, step, when)
        with pytest.raises(Crash):
            await changer.begin(entropy=secrets.token_bytes)
        assert_reached()
    counts = await changer.finish()
    assert counts is not None
    assert counts.sequence == 1
    assert counts.vkey == held_key(changer) == await counting_key(shared, changer)


async def test_a_revoked_station_changes_nothing(shared: RunningService, tmp_path: Path) -> None:
    changer = await station(shared, tmp_path / "state")
    before = held_key(changer)
    path = f"/v1/docks/{changer.enrolment.dock}/revoke"
    assert (await shared.ask("POST", path, role=Role.ADMINISTRATOR, json={"reason": "失窃"})).status == 201
    with pytest.raises(DockNotAccepted):
        await changer.begin(entropy=secrets.token_bytes)
    assert held_key(changer) == before
