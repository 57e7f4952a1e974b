"""A case for the demonstration, in Chinese, put together through the service's own interface."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.client import ServiceClient

CASE_NUMBER = "演环罚〔2026〕17号"
CASE_TITLE = "某印染厂涉嫌擅自排放废水案"
SEARCH_WORDS = "排污口"

_REMARKS = (
    "执法人员到达现场，主动出示执法证件，告知正在录音录像；随后检查厂区排污口。",
    "对污水处理站进行现场检查，设施未运行。",
    "制作现场检查笔录，当事人核对后签字。",
)


async def make_case(client: ServiceClient, clips: Sequence[dict[str, Any]]) -> None:
    """Open the case, make the first clips its exhibits and say what they show; does nothing that was done before.

    Args:
        clips: Items of the clip listing, in the order in which they become exhibits.
    """
    known = {item["number"]: item for item in await client.pages("/v1/cases")}
    case = known.get(CASE_NUMBER) or await client.post("/v1/cases", {"number": CASE_NUMBER, "title": CASE_TITLE})
    for clip, remark in zip(clips, _REMARKS, strict=False):
        if CASE_NUMBER not in clip["cases"]:
            await client.post(f"/v1/cases/{case['case']}/clips", {"clip": clip["clip"]})
        if clip["version"] == 0:
            headers = {"If-Match": '"0"'}
            await client.post(f"/v1/clips/{clip['clip']}/annotations", _annotation(remark), headers=headers)


def _annotation(remark: str) -> dict[str, object]:
    return {
        "remark": remark,
        "item": "现场检查",
        "place": "厂区北侧",
        "markers": [{"kind": "credentials_shown", "at_ms": 1000}, {"kind": "recording_announced", "at_ms": 2000}],
        "speakers": [
            {"key": "officer", "role": "officer", "name": "执法人员甲"},
            {"key": "party", "role": "party", "description": "现场负责人"},
        ],
        "dialogue": [
            {"from_ms": 1000, "to_ms": 2500, "speaker": "officer", "text": "这是我们的执法证件，现在依法进行检查。"},
            {"from_ms": 2500, "to_ms": 4000, "speaker": "party", "text": "好的，我配合检查。"},
        ],
    }
