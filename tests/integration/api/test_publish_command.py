"""`shilu publish` against a running service: from a draft to the public and gone, what is refused, and exit codes."""

from __future__ import annotations

import pytest

from api.client import RequestRefused
from evidence.parties.roles import Role
from tests.support.commands import shilu, shilu_json
from tests.support.publicity import BRIEF
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITER, APPROVER = Role.INVESTIGATOR, Role.REVIEWER
FIELDS = [word for name, text in BRIEF.items() for word in ("--field", f"{name}={text}")]
PHONE = ("--field", "facts=电话13800138000")
SPAN = "facts:2-13"


async def publish(service: RunningService, role: Role, *words: str, code: int = 0) -> str:
    done, text = await shilu(service, role, "publish", *words)
    assert done == code, text
    return text


async def status(service: RunningService, made: str) -> str:
    reply = await service.ask("GET", f"/public/v1/records/{made}")
    return str(reply.json()["status"]) if reply.status == 200 else str(reply.code)


async def test_from_a_draft_to_the_public_and_gone(shared: RunningService) -> None:
    words = ("publish", "draft", "--form", "brief", "--kind", "penalty", *FIELDS, *PHONE)
    made = (await shilu_json(shared, WRITER, *words))["publication"]
    shown = await publish(shared, WRITER, "scan", made, code=1)
    assert SPAN in shown
    assert "UNDECIDED" in shown
    with pytest.raises(RequestRefused, match=r"publication\.undecided"):
        await publish(shared, APPROVER, "approve", made, "--version", "1")
    await publish(shared, WRITER, "judge", made, "--version", "1", "--span", SPAN, "--verdict", "mask")
    await publish(shared, WRITER, "scan", made)
    with pytest.raises(RequestRefused, match=r"publication\.not_ready"):
        await publish(shared, WRITER, "issue", made, "--version", "1")
    await publish(shared, APPROVER, "approve", made, "--version", "1", "--note", "同意")
    assert await status(shared, made) == "publication.unknown"
    assert "on record, entry" in await publish(shared, WRITER, "issue", made, "--version", "1")
    assert await status(shared, made) == "public"

    corrected = ("publish", "correct", made, "--version", "1", "--field", "facts=已核", "--reason", "事实有误")
    second = await shilu_json(shared, WRITER, *corrected)
    assert (second["version"], second["fields"]) == (2, {**BRIEF, "facts": "已核"})
    with pytest.raises(RequestRefused, match=r"publication\.stale"):
        await publish(shared, APPROVER, "approve", made, "--version", "1")

    listed = (await shilu_json(shared, WRITER, "publish", "list"))["items"]
    assert [one["version"] for one in listed if one["publication"] == made] == [2]
    assert (await shilu_json(shared, WRITER, "publish", "list", "--must-go"))["items"] == []
    await publish(shared, APPROVER, "withdraw", made, "--cause", "revoked", "--reason", "行政复议撤销")
    assert await status(shared, made) == "withdrawn"


@pytest.mark.parametrize(
    "words",
    [
        ["draft", "--form", "brief", "--kind", "penalty", "--field", "authority"],
        ["scan", "not-an-id"],
        ["judge", "0195a000-0000-7000-8000-000000000001", "--version", "1", "--span", "facts", "--verdict", "mask"],
        ["approve", "0195a000-0000-7000-8000-000000000001"],
        ["list", "--limit", "0"],
    ],
)
async def test_a_command_line_that_is_wrong(shared: RunningService, words: list[str]) -> None:
    await publish(shared, WRITER, *words, code=2)
