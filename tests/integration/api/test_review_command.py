"""`shilu review` on a running service: keys, both ways to sign, opinions, decisions, what is refused, exit codes."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from api.client import RequestRefused
from evidence.parties.roles import Role
from tests.support.case_files import item, item_list
from tests.support.commands import shilu, shilu_json
from tests.support.reviews import rules
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

HANDLER, REVIEWER, CHIEF = Role.INVESTIGATOR, Role.REVIEWER, Role.ARCHIVIST
LIST = item_list(item("visit", exemptible=True))
JUDGED = ("--ok", "facts=事实清楚", "--ok", "law=适用正确", "--ok", "crime=未涉嫌犯罪")
DECLARES = ("--declares", "送审材料真实、准确、完整")


def key_file(folder: Path, name: str, seed: int) -> str:
    key = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))
    file = folder / f"{name}.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(file)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def keys(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> dict[Role, str]:
    """Key files of a handler and a qualified reviewer, stated by command, in a house with rules."""
    for path, name, content in (
        ("/v1/items", "list", LIST.as_json()),
        ("/v1/review/rules", "rules", rules().model_dump(mode="json", exclude_none=True)),
    ):
        body = {"effective_from": "2020-01-01", name: content}
        assert (await shared.ask("POST", path, role=Role.ADMINISTRATOR, json=body)).status == 201
    reviewer = (await shared.ask("GET", "/v1/session", role=REVIEWER)).json()["staff"]
    fit = {"certificate": "A2020", "valid_from": "2020-01-01", "valid_until": "2099-01-01", "source": "聘任文件"}
    body = {"staff": reviewer, **fit}
    assert (await shared.ask("POST", "/v1/review/qualifications", role=Role.ADMINISTRATOR, json=body)).status == 201
    folder = tmp_path_factory.mktemp("keys")
    files = {HANDLER: key_file(folder, "handler", 1), REVIEWER: key_file(folder, "reviewer", 2)}
    for role, file in files.items():
        await review(shared, role, "key", file)
    return files


async def review(service: RunningService, role: Role, *words: str, code: int = 0) -> str:
    done, text = await shilu(service, role, "review", *words)
    assert done == code, text
    return text


async def case_of(shared: RunningService) -> str:
    """Open a case in scope, with a clip that says what was recorded."""
    number = f"朔环罚〔2026〕{uuid4().int % 10**9}号"
    body = {"number": number, "title": "废水直排案", "kind": "penalty", "facts": {"hearing_held": True}}
    case: str = (await shared.ask("POST", "/v1/cases", role=HANDLER, json=body)).json()["case"]
    clip = await shared.clip(number.encode())
    note = {"remark": "检查废水排放口", "item": "visit", "place": "厂区"}
    path, first = f"/v1/clips/{clip}/annotations", {"If-Match": '"0"'}
    assert (await shared.ask("POST", path, role=HANDLER, json=note, headers=first)).status == 201
    reply = await shared.ask("POST", f"/v1/cases/{case}/clips", role=HANDLER, json={"clip": str(clip)})
    assert reply.status == 201, reply.body
    return case


async def listed(shared: RunningService, role: Role, case: str, *words: str) -> dict[str, Any] | None:
    page = await shilu_json(shared, role, "review", "list", "--limit", "200", *words)
    return next((one for one in page["items"] if one["case"] == case), None)


async def test_a_case_is_sent_back_answered_approved_and_decided(shared: RunningService, keys: dict[Role, str]) -> None:
    case = await case_of(shared)
    await review(shared, HANDLER, "show", case, "--check", code=1)
    with pytest.raises(RequestRefused, match=r"decision\.refused"):
        await review(shared, CHIEF, "decide", case, "--number", f"罚{case}", "--summary", "罚款")
    await review(shared, REVIEWER, "opinion", case, *JUDGED, "--key", keys[REVIEWER], code=2)
    assert "on record, entry" in await review(shared, HANDLER, "submit", case, *DECLARES, "--key", keys[HANDLER])
    seen = await listed(shared, REVIEWER, case, "--mine", "--state", "under_review")
    assert seen is not None
    assert seen["waits_for"]["office"] == "reviewer"
    assert await listed(shared, HANDLER, case, "--mine") is None
    assert await listed(shared, REVIEWER, case, "--late") is None

    with pytest.raises(RequestRefused, match=r"review\.opinion_refused.*"):
        await review(shared, REVIEWER, "opinion", case, "--ok", "facts=清楚", "--key", keys[REVIEWER])
    sent_back = ("--problem", "facts=应当补充说明", "--ok", "law=正确", "--ok", "crime=未涉嫌", "--exhibit", "facts=1")
    made = await shilu_json(shared, REVIEWER, "review", "opinion", case, *sent_back, "--key", keys[REVIEWER])
    assert made["number"] in await review(shared, HANDLER, "show", case)
    said = (await shilu_json(shared, HANDLER, "review", "show", case))["rounds"][0]["opinion"]["statement"]
    assert (said["conclusion"], [one["text"] for one in said["problems"]]) == ("problems", ["应当补充说明"])
    assert {one["row"]: one["evidence"] for one in said["rows"]} == {"facts": ["1"], "law": [], "crime": []}

    answered = (*DECLARES, "--answer", "1=已补充说明", "--key", keys[HANDLER])
    await review(shared, HANDLER, "submit", case, *answered)
    await review(shared, REVIEWER, "opinion", case, *JUDGED, "--key", keys[REVIEWER])
    await review(shared, HANDLER, "show", case, "--check")
    second = await shilu_json(shared, HANDLER, "review", "show", case, "--round", "2")
    assert second["declaration"]["statement"]["answers"] == [{"problem": 1, "answer": "已补充说明"}]
    number = f"罚{case}"
    decided = await shilu_json(shared, CHIEF, "review", "decide", case, "--number", number, "--summary", "罚款十万元")
    assert decided["number"] == number
    assert await listed(shared, REVIEWER, case) is None


async def test_a_declaration_is_signed_elsewhere(shared: RunningService, keys: dict[Role, str], tmp_path: Path) -> None:
    case = await case_of(shared)
    text, signature = tmp_path / "declaration.json", tmp_path / "declaration.sig"
    await review(shared, HANDLER, "submit", case, *DECLARES, "--prepare", str(text))
    assert (await shilu_json(shared, HANDLER, "review", "show", case))["rounds"] == []
    signature.write_bytes(bytes(64))
    with pytest.raises(RequestRefused, match=r"review\.signature_invalid"):
        await review(shared, HANDLER, "send", str(text), "--signature", str(signature))
    key = load_pem_private_key(Path(keys[HANDLER]).read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    signature.write_bytes(key.sign(text.read_bytes()))
    await review(shared, HANDLER, "send", str(text), "--signature", str(signature))
    assert len((await shilu_json(shared, HANDLER, "review", "show", case))["rounds"]) == 1


async def test_keys_and_command_lines_that_are_wrong(
    shared: RunningService, keys: dict[Role, str], tmp_path: Path
) -> None:
    case, other = await case_of(shared), key_file(tmp_path, "other", 3)
    with pytest.raises(RequestRefused, match=r"review\.signature_invalid"):
        await review(shared, HANDLER, "submit", case, *DECLARES, "--key", other)
    curve, empty = tmp_path / "curve.pem", tmp_path / "empty.pem"
    curve.write_bytes(
        generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    empty.write_bytes(b"")
    for file in (curve, empty, tmp_path / "none.pem"):
        await review(shared, HANDLER, "key", str(file), code=2)
    for words in (
        ("submit", case, *DECLARES),
        ("submit", case, *DECLARES, "--key", other, "--prepare", str(tmp_path / "both")),
        ("submit", case, *DECLARES, "--answer", "one=text", "--key", other),
        ("submit", case, *DECLARES, "--material", "report", "--key", other),
        ("send", str(empty), "--signature", str(empty)),
        ("show", "not-an-id"),
        ("list", "--limit", "0"),
    ):
        await review(shared, HANDLER, *words, code=2)
    assert (await shilu_json(shared, HANDLER, "review", "show", case))["rounds"] == []
