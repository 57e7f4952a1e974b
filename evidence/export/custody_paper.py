"""Custody reports for people: the sections of the document that both writers (HTML, PDF) take. Pure.

Times are the agency's with UTC below them; who, what and what for are said in Chinese with the record's own words kept;
digests and ids are written out. What an entry does not say is a dash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final
from zoneinfo import ZoneInfo

from evidence.custody.report import ReportLine
from evidence.export.certificate.document import Block, Document, Section, items, rows, table
from evidence.parties.purposes import PURPOSES

_NONE: Final = "—"

EVENTS_IN_CHINESE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "clip.sealed": "封存入账",
        "clip.repeated": "同一内容再次到达",
        "clip.derived": "制作衍生件",
        "clip.transcribed": "机器转写",
        "clip.copied": "复制至第二存储",
        "clip.annotated": "标注",
        "clip.classified": "定密级／访问类别",
        "clip.attributed": "确定归属",
        "clip.attribution_resolved": "人工确认归属",
        "clip.redacted": "制作处理后副本",
        "clip.disposed": "处置",
        "case.clip_linked": "入案卷",
        "case.clip_unlinked": "移出案卷",
        "clip.viewed": "查看",
        "clip.excerpted": "摘录",
        "clip.exported": "导出",
        "case.exported": "导出案卷包",
        "clips.exported": "导出证据包",
        "export.shared": "向案外人提供链接",
        "export.link_revoked": "撤回链接",
        "export.fetched": "下载证据包",
        "clip.shared": "向案外人提供观看链接",
        "clip.marked": "制作水印副本",
        "clip.link_revoked": "撤回观看链接",
        "clip.watched": "凭链接观看水印副本",
        "clips.viewed": "查看缩略图",
        "clips.searched": "检索受限内容",
    }
)
"""What entries are called on paper; one that is not listed keeps its type."""

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "rendition": "形态",
        "sha256": "SHA-256",
        "ticket": "凭据",
        "from_ms": "起（毫秒）",
        "to_ms": "止（毫秒）",
        "chunks": "分块数",
        "cut_sha256": "播放副本 SHA-256",
        "files": "文件数",
        "excerpts": "节选",
        "bytes": "字节",
        "export": "证据包",
        "manifest": "清单 SHA-256",
        "link": "链接",
        "recipient": "收件人",
        "expires_at": "有效期至",
        "uses_max": "可用次数",
        "question": "检索式",
        "classes": "类别",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportHead:
    """What stands above the lines.

    Attributes:
        about: What it is about, as labels and values; digests and ids are broken anywhere.
        origin, size, root: The newest published checkpoint when the report was made.
        zone: The agency's time zone.
        made_at: The report ends with what was recorded until then.
    """

    about: tuple[tuple[str, str, bool], ...]
    origin: str
    size: int
    root: bytes
    zone: ZoneInfo
    made_at: datetime


def heading(head: ReportHead) -> Document:
    """Return the document with everything that stands before its lines."""
    log = (
        ("账本名称", head.origin),
        ("账本条目数", str(head.size)),
        ("账本根值", head.root.hex(), True),
        ("截至", both_times(head.made_at, head.zone)),
    )
    first = Section("一、对象与账本", (rows(*head.about), rows(*log)))
    how = Section(
        "二、说明",
        (
            items(
                "每行为账本一条记录；序号是其在已公布账本中的位置，“待公布”者尚未进入已公布的检查点。",
                "凡查看、摘录、导出、下载，均先入账、后提供内容；不能入账的，不提供。一次播放无论分多少段读取，只入账一次。",
                f"时间上行为本机关时区（{head.zone.key}），下行为协调世界时（UTC）。",
                "会话为当时所用登录会话或令牌的公开编号；早期条目未记载者以“—”表示，不作推测。",
                "任何一行均可按其条目编号索取回执，离线核验。",
            ),
        ),
    )
    foot = f"{head.origin} · 账本条目数 {head.size} · 根值 {head.root.hex()[:16]}"
    return Document("保管与查看报告", "（谁在何时、因何、以何会话查看，及所提供的内容）", foot, (first, how))


def stretch(lines: Sequence[ReportLine], *, number: int, zone: ZoneInfo, with_clips: bool) -> Section:
    """Return a section of lines.

    Args:
        number: How many lines stood before the first.
        with_clips: Whether to say which clips each is about: in a report about a person.
    """
    last = number + len(lines)
    title = f"三、记录 {number + 1}–{last}" if lines else "三、记录（无）"
    block: Block = table(
        ("序号", "时间", "人员", "事项与用途", "会话", "提供的内容；条目"),
        [_row(line, zone, with_clips=with_clips) for line in lines],
        widths=(9, 21, 17, 18, 19, 36),
        broken=(2, 4, 5),
    )
    return Section(title, (block,) if lines else (rows(("结果", "该范围内没有记录")),))


def both_times(moment: datetime, zone: ZoneInfo) -> str:
    """Return a moment in a zone and, on a line of its own, in UTC; to the millisecond."""
    return f"{_clock(moment, zone)}\nUTC {_clock(moment, UTC)}"


def words_of(line: ReportLine) -> tuple[str, str]:
    """Return what happened and what for, in Chinese; the purpose is empty where there is none."""
    purpose = "" if line.purpose is None else PURPOSES.get(line.purpose, (line.purpose, ""))[0]
    return EVENTS_IN_CHINESE.get(line.type, line.type), purpose


def _row(line: ReportLine, zone: ZoneInfo, *, with_clips: bool) -> list[str]:
    what, purpose = words_of(line)
    told = [f"{_WORDS.get(name, name)} {_value(value)}" for name, value in line.served.items() if value is not None]
    clips = [f"片段 {clip}" for clip in line.clips] if with_clips else []
    return [
        "待公布" if line.index is None else str(line.index),
        both_times(line.at, zone),
        _who(line),
        f"{what}\n用途：{purpose}" if purpose else what,
        _NONE if line.session is None else str(line.session),
        "\n".join([*clips, *told, f"条目 {line.entry_id}"]),
    ]


def _who(line: ReportLine) -> str:
    if line.staff is not None:
        return f"{line.name or '（无姓名）'}\n{line.staff}"
    recipient = line.served.get("recipient")
    return f"持链接者 {recipient}" if line.type in {"export.fetched", "clip.watched"} and recipient else line.actor


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return f"{value['from_ms']}–{value['to_ms']} 毫秒（片段 {value['clip']}）"
    return "、".join(map(_value, value)) if isinstance(value, list) else str(value)


def _clock(moment: datetime, zone: Any) -> str:
    return moment.astimezone(zone).isoformat(sep=" ", timespec="milliseconds")[:23]
