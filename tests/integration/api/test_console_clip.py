"""The clip page in a real browser: what a machine heard, captions, and where an original differs from the ledger."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from evidence.parties.roles import Role
from tests.support.browser import Tab
from tests.support.console import House, at, chosen_purpose, clicked, shot
from tests.support.transcripts import transcribed

pytestmark = pytest.mark.asyncio(loop_scope="module")

HEARD = "document.querySelectorAll('.proposals ol li').length"


async def watched(tab: Tab, house: House) -> None:
    """Open the page of the clip with a film, and the film."""
    await at(tab, house, f"#/clips/{house.clip}")
    await tab.until("!!document.querySelector('.screen.closed .purpose select')")
    await chosen_purpose(tab, ".screen.closed")
    await clicked(tab, ".screen.closed button.primary")
    await tab.until("document.querySelector('video')?.readyState >= 1")


async def test_what_a_machine_heard_is_corrected_taken_over_and_shown_as_captions(tab: Tab, house: House) -> None:
    path = f"/v1/clips/{house.clip}/annotations"
    begun = (await house.service.ask("GET", path, role=Role.REVIEWER)).json()["items"]
    nothing = {"remark": "没有对话"}
    headers = {"If-Match": f'"{len(begun)}"'}
    assert (await house.service.ask("POST", path, role=Role.ARCHIVIST, json=nothing, headers=headers)).status == 201
    await transcribed(house.service, clip=house.clip)
    await watched(tab, house)
    assert not await tab.evaluate("!!document.querySelector('button.captions')")
    await clicked(tab, ".proposals button")
    await tab.until(f"{HEARD} === 3")
    field = "document.querySelector('.proposals ol li input.grow')"
    await tab.evaluate(f"{field}.focus(); {field}.select()")
    await tab.call("Input.insertText", text="<b>排口</b>在这里")
    await shot(tab, "proposals")
    await tab.press("Enter")
    await tab.until("[...document.querySelectorAll('.proposals ol li')][0].textContent.includes('已接受')")
    newest = await house.service.ask("GET", f"/v1/clips/{house.clip}", role=Role.REVIEWER)
    (said,) = newest.json()["annotation"]["content"]["dialogue"]
    assert (said["text"], said["source"], said["proposal"]["text"]) == ("<b>排口</b>在这里", "asr", "排狗在这里")
    # The editor goes on from there, and the next one is taken over beside it.
    await tab.until("[...document.querySelectorAll('.annotation input')].some(field => field.value.includes('排口'))")
    await tab.evaluate("document.querySelectorAll('.proposals input[type=checkbox]')[1].click(); undefined")
    await clicked(tab, ".proposals button.primary")
    await tab.until("[...document.querySelectorAll('.proposals ol li')][1].textContent.includes('已接受')")
    await clicked(tab, "button.captions")
    cues = "[...document.querySelector('video').textTracks[0].cues].map(cue => cue.text)"
    assert await tab.evaluate(
        f"document.querySelector('video').textTracks[0].mode === 'showing' && {cues}.length === 2"
    )
    assert await tab.evaluate(f"{cues}[0]") == "&lt;b&gt;排口&lt;/b&gt;在这里"
    assert [word for word in tab.complaints if "Failed to load" not in word] == []


async def test_words_being_typed_are_not_lost_when_a_proposal_is_taken_over(tab: Tab, house: House) -> None:
    await watched(tab, house)
    await tab.until("!!document.querySelector('.annotation textarea')")
    await tab.evaluate("document.querySelector('.annotation textarea').focus()")
    await tab.call("Input.insertText", text="正在写的话")
    before = await tab.evaluate("document.querySelectorAll('.annotation input.grow').length")
    _, entry, _ = await transcribed(house.service, clip=house.clip)
    address, body = f"/v1/clips/{house.clip}/proposals/accept", {"transcript": entry, "utterances": [{"index": 0}]}
    asked = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
    assert await tab.evaluate(f"fetch({json.dumps(address)}, {json.dumps(asked)}).then(told => told.status)") == 201
    await clicked(tab, ".annotation button.primary")
    await tab.until("!!document.querySelector('.annotation .failure')")
    assert "正在写的话" in await tab.evaluate("document.querySelector('.annotation textarea').value")
    assert before == await tab.evaluate("document.querySelectorAll('.annotation input.grow').length")
    await tab.evaluate("localStorage.clear()")


async def test_the_second_that_differs_is_named_and_marked(tab: Tab, house: House) -> None:
    detail = (await house.service.ask("GET", f"/v1/clips/{house.clip}", role=Role.REVIEWER)).json()
    path = house.service.services.objects.open_path(detail["sha256"])
    whole = path.read_bytes()
    path.chmod(0o644)
    try:
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        await at(tab, house, "#/search")
        await at(tab, house, f"#/clips/{house.clip}")
        await clicked(tab, "#tab-verify")
        await chosen_purpose(tab, ".check")
        await clicked(tab, ".check button.primary")
        await tab.until("!!document.querySelector('.check .verdict.error')")
        await tab.until("document.querySelectorAll('.timeline .damage').length > 0")
        assert await tab.evaluate("!!document.querySelector('.check .steps button.plain')")
        await shot(tab, "damage")
    finally:
        path.write_bytes(whole)
        path.chmod(0o444)
    await clicked(tab, ".check button.primary")
    await tab.until("!!document.querySelector('.check .verdict.ok')")
    assert await tab.evaluate("document.querySelectorAll('.timeline .damage').length") == 0


async def test_what_the_recorder_recorded_before_and_after_is_one_step_away(tab: Tab, house: House) -> None:
    taken = [datetime(2026, 11, 20, 1, minute, tzinfo=UTC) for minute in (0, 5, 9)]
    clips = [
        await house.service.clip(f"part {at_.minute}".encode(), path=f"DCIM/{at_.minute}.mp4", recorded_at=at_)
        for at_ in taken
    ]
    await at(tab, house, f"#/clips/{clips[1]}")
    links = "[...document.querySelectorAll('.neighbours a')].map(link => link.hash)"
    await tab.until(f"{links}.length === 2")
    assert await tab.evaluate(links) == [f"#/clips/{clips[0]}", f"#/clips/{clips[2]}"]
    await clicked(tab, ".neighbours a:last-of-type")
    await tab.until(f"{links}.length === 1 && location.hash === '#/clips/{clips[2]}'")
    assert await tab.evaluate(links) == [f"#/clips/{clips[1]}"]
