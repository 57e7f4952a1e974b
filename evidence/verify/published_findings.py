"""Findings about the proof that something was public, see `evidence.verify.published`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence.verify.meaning import Meaning
from ledger.findings import Severity

_OK, _ERROR = Severity.OK, Severity.ERROR

PUBLISHED_FINDINGS: Final[Mapping[str, Meaning]] = {
    "published.shown": Meaning(
        None,
        _OK,
        "version {version} was published at {at}, entry {index}; its text is what the log committed to",
        "第 {version} 版于 {at} 公示，账本第 {index} 条；其内容与账本承诺一致",
    ),
    "published.withheld": Meaning(
        None,
        _OK,
        "a version was published at {at}, entry {index}; its text is not public any more and is not shown",
        "曾于 {at} 公示，账本第 {index} 条；该版内容现已不公开，此处不含",
    ),
    "published.gone": Meaning(
        None,
        _OK,
        "it was withdrawn at {at}, entry {index}: {reason}",
        "已于 {at} 撤下，账本第 {index} 条：{reason}",
    ),
    "published.malformed": Meaning(None, _ERROR, "the proof cannot be read: {reason}", "证明无法解读：{reason}"),
    "published.other": Meaning(
        None,
        _ERROR,
        "entry {type} about {about} is not about the same publication",
        "条目 {type}（{about}）与该公示信息无关",
    ),
    "published.not_committed": Meaning(
        None,
        _ERROR,
        "the text that is shown is not what entry {index} commits to",
        "所示内容与账本第 {index} 条的承诺不符",
    ),
}
