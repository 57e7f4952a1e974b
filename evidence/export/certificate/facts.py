"""What the certificate says (电子数据证据说明; 行政诉讼证据规定 Art. 12: 制作方法、制作时间、制作人、证明对象). Pure.

Every fact comes from the record as of one checkpoint, with its source named beside it: what a recorder says of itself
is told as that. What nobody has recorded is left as a line to be filled in by hand, never guessed. The document has no
time of its own: the same record gives the same paper.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Final

from evidence.clips.vocabulary import vocabulary
from evidence.core.clock import parse_time
from evidence.errors import TimeInvalid
from evidence.export.certificate.document import Block, Document, Section, items, rows, table, text
from evidence.export.certificate.enclosed import enclosed_briefly, enclosed_rows
from evidence.export.gathering import Exhibit, Subject
from evidence.export.trail import LOOK
from ledger.policy import Policy
from ledger.publish import stored_checkpoint

BEIJING: Final = timezone(timedelta(hours=8))
BLANK: Final = "＿＿＿＿＿＿＿＿＿＿＿＿（待制作人填写）"
OBSERVATIONS_MAX: Final = 30
"""Most observations of one exhibit that are printed; how many more there are is said."""

_KINDS: Final = {"reviewable": "录像", "still": "照片", "audio": "录音", "undecodable": "未能解码的电子数据"}
_MADE: Final = {"proxy": "审阅副本", "poster": "代表画面", "stills": "抽帧", "waveform": "音频波形"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate of one or more exhibits: the document, and the log that it is about."""

    origin: str
    document: Document

    @staticmethod
    def of(
        subject: Subject, exhibits: Sequence[Exhibit], *, checkpoint: bytes, policy: Policy, volume: str = ""
    ) -> Certificate:
        """Write the certificate of some exhibits as of a published checkpoint; `volume` says which of all they are."""
        opening = Opening(subject, checkpoint=checkpoint, policy=policy)
        document = opening.document([listed_line(one) for one in exhibits], volume=volume)
        middle = [exhibit_section(one, first=number == 0) for number, one in enumerate(exhibits)]
        sections = (*document.sections, *middle, *closing())
        return Certificate(origin=opening.origin, document=replace(document, sections=sections))


@dataclass(frozen=True)
class Opening:
    """What a certificate begins with: the case, the log, the list of exhibits."""

    subject: Subject
    _: KW_ONLY
    checkpoint: bytes
    policy: Policy

    @property
    def origin(self) -> str:
        """The log's name."""
        return stored_checkpoint(self.checkpoint).origin

    def document(self, lines: Sequence[Sequence[str]], *, volume: str = "") -> Document:
        """Return the document with its first section alone.

        Args:
            lines: A line an exhibit, see `listed_line`.
            volume: Which of the exhibits it is about, where there are several volumes.
        """
        log, case = stored_checkpoint(self.checkpoint), self.subject.case
        witnesses = ", ".join(witness.name for witness in self.policy.witnesses)
        about: list[tuple[str, str]] = [
            ("案号", case.number if case else "（未入案卷）"),
            ("案件名称", case.title if case else ""),
            ("证据件数", f"{len(self.subject.numbered)} 件{volume}"),
            ("依据", "《最高人民法院关于行政诉讼证据若干问题的规定》第十二条"),
        ]
        state: list[tuple[str, str] | tuple[str, str, bool]] = [
            ("账本名称", log.origin),
            ("账本条目数", f"{log.size}（本说明所述事实均截至该状态）"),
            ("账本根值", log.root.hex(), True),
            ("见证方", witnesses or "未设见证方"),
        ]
        listed = table(("编号", "原始文件名", "录制开始", "时长", "随附"), lines, widths=(9, 45, 19, 13, 14))
        foot = f"{log.origin} · 账本条目数 {log.size} · 根值 {log.root.hex()[:16]}"
        first = Section("一、案件与账本", (rows(*about), rows(*state), listed))
        return Document("电子数据证据说明", "（视听资料制作说明）", foot, (first,))


def listed_line(one: Exhibit) -> tuple[str, ...]:
    """Return an exhibit's line in the list at the beginning."""
    return (str(one.number), one.proven.sealed.name, _when(_recorded(one)), _duration(one), enclosed_briefly(one))


def closing() -> tuple[Section, ...]:
    """Return what a certificate ends with: how to repeat the check, and the signature."""
    return _check(), _signing()


def short_code(exhibit: Exhibit) -> str:
    """Return the short text of an exhibit's entry: SHA-256 of the entry's bytes, the first 20 digits in groups."""
    digits = hashlib.sha256(exhibit.proven.shown.receipt.entry).hexdigest()[:20].upper()
    return "-".join(digits[start : start + 5] for start in range(0, 20, 5))


def exhibit_section(one: Exhibit, *, first: bool) -> Section:
    """Return what a certificate says of one exhibit; each but the first begins a page."""
    sealed, digest = one.proven.sealed, one.proven.sealed.digest
    blocks = (
        rows(
            ("证据编号", str(one.number)),
            ("原始文件名", sealed.name),
            ("类别与格式", _kind(one)),
            ("大小", f"{digest.size} 字节"),
            *enclosed_rows(one),
            ("制作方法", _method(one)),
            ("制作时间", _times(one)),
            ("时钟偏差", _clocks(one)),
            ("制作人", _maker(one)),
            ("设备", _device(one)),
            ("证明对象", _content(one).get("remark") or BLANK),
            *_said(one),
        ),
        rows(
            ("SHA-256", digest.sha256.hex(), True),
            ("SM3", digest.sm3.hex() if digest.sm3 else "", True),
            ("分块树根值", digest.root.hex(), True),
            ("分块", f"{digest.chunks} 块，每块 {digest.chunk_bytes} 字节，RFC 6962 散列树"),
            ("入账位置", f"第 {one.proven.index} 条；条目短码 {short_code(one)}"),
            ("片段标识", str(one.clip), True),
            ("时间戳", _stamps(one)),
        ),
        *_derived(one),
        *_observed(one),
        text(_kept(one)),
    )
    return Section(f"二、证据 {one.number}", blocks, own_page=not first)


def _check() -> Section:
    return Section(
        "三、任何人均可重复的核验方法",
        (
            items(
                "取得账本的验证公钥：须来自机关公示、上级机关或见证方等可信渠道，不可仅凭随附文件。",
                "在任意一台安装 Python 的计算机上（无需联网）运行：shilu-verify --log-key <公钥> <证据包文件夹>。"
                "或用浏览器打开取自可信渠道的 verify.html，选择证据包文件夹并粘贴公钥。",
                "程序逐项检查：文件可读且大小相符；各分块摘要汇成上列根值；整个文件的 SHA-256（及 SM3）与上列一致；"
                "载荷与盐值符合账本条目；条目在账本中；检查点由账本密钥及见证方签名；采集站签名；时间戳。",
                "随附节选的证据，程序核验其中各分块确属封存的原始文件，并列出未包含的字节；未随附的部分无从核验。",
                "仅核对文件时，任何系统自带的 SHA-256 工具对原始文件计算所得应与上列数值逐位相同。",
                "核验证明自封存以来未被改动；不证明录制内容本身真实，亦不证明采集站读取之前发生的事情。",
            ),
        ),
        own_page=True,
    )


def _signing() -> Section:
    lines = rows(("制作单位（盖章）", "　"), ("经办人（签名）", "　"), ("日期", "　　　　年　　月　　日"))
    return Section("四、签章", (lines,))


def _payload(one: Exhibit) -> Mapping[str, Any]:
    return one.history.of("clip.sealed")[0].event.payload


def _source(one: Exhibit) -> Mapping[str, Any]:
    sources: Any = one.trail["sources"]
    first: Mapping[str, Any] = sources[0]
    return first


def _recorded(one: Exhibit) -> str | None:
    known = _payload(one).get("recorded_at")
    return None if known is None else str(known)


def _probe(one: Exhibit) -> Mapping[str, Any]:
    derived = one.history.of("clip.derived")
    probe = derived[-1].event.payload.get("probe") if derived else None
    return probe if isinstance(probe, dict) else {}


def _duration(one: Exhibit) -> str:
    probe = _probe(one)
    container = probe.get("container")
    known = container.get("duration_ms") if isinstance(container, dict) else probe.get("duration_ms")
    if not isinstance(known, int):
        return "未知"
    hours, seconds = divmod(known // 1000, 3600)
    return f"{hours:02d}:{seconds // 60:02d}:{seconds % 60:02d}"


def _when(stated: str | None) -> str:
    try:
        moment = None if stated is None else parse_time(stated)
    except TimeInvalid:
        moment = None
    return "未知" if moment is None else _beijing(moment)


def _beijing(moment: datetime) -> str:
    return moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S")


def _kind(one: Exhibit) -> str:
    derived = one.history.of("clip.derived")
    kind = _KINDS.get(str(derived[-1].event.payload.get("outcome"))) if derived else None
    suffix = one.proven.sealed.name.rpartition(".")[2].upper() if "." in one.proven.sealed.name else "无扩展名"
    return f"{kind or '电子数据'}，{suffix}"


def _method(one: Exhibit) -> str:
    inventory: Any = _source(one)["inventory"]
    if inventory is None:
        return "由工作人员将文件直接提交服务，服务逐字节接收、计算校验值并封存入账，未转码、未剪辑。"
    return (
        f"由执法记录仪录制，经采集站“{inventory['dock']['name']}”先登记文件清单并签名，再一次读取、同时计算校验值、"
        "逐字节传送；服务比对校验值后封存入账。未转码、未剪辑。"
    )


def _times(one: Exhibit) -> str:
    payload = _payload(one)
    told = [f"录制开始 {_when(_recorded(one))}（北京时间；设备自报时钟）", f"时长 {_duration(one)}"]
    told.append(f"服务接收 {_when(str(payload.get('received_at')))}（服务时钟）")
    return "；".join(told)


def _clocks(one: Exhibit) -> str:
    inventory: Any = _source(one)["inventory"]
    docking: Any = None if inventory is None else inventory["docking"]
    if not docking:
        return "采集站未记录时钟比对"
    told = []
    if clock := docking.get("clock"):
        told.append(
            f"采集站时钟较服务{_offset(clock['offset_ms'])}（不确定度 {clock['uncertainty_ms']} 毫秒，"
            f"测于 {_when(clock['measured_at'])}）"
        )
    if shown := docking.get("recorder_clock"):
        ahead = parse_time(shown["shown"]) - parse_time(shown["read_at"])
        told.append(
            f"记录仪时钟较采集站{_offset(round(ahead.total_seconds() * 1000))}（读于 {_when(shown['read_at'])}）"
        )
    return "；".join(told) or "采集站未能读取时钟"


def _offset(milliseconds: int) -> str:
    return f"{'快' if milliseconds >= 0 else '慢'} {abs(milliseconds)} 毫秒"


def _maker(one: Exhibit) -> str:
    officer = _payload(one).get("officer")
    return f"执法人员，编号 {officer}（来源：设备文件名或采集配置）" if officer else BLANK


def _device(one: Exhibit) -> str:
    inventory: Any = _source(one)["inventory"]
    told = [f"产品序号 {_payload(one).get('recorder')}"] if _payload(one).get("recorder") else ["未知"]
    device = (inventory or {}).get("docking") or {}
    for name, label in (("model", "型号"), ("firmware", "固件"), ("serial", "USB 序列号")):
        if known := (device.get("device") or {}).get(name):
            told.append(f"{label} {known}")
    return "，".join(told)


def _content(one: Exhibit) -> Mapping[str, Any]:
    content = (one.annotation or {}).get("content")
    return content if isinstance(content, dict) else {}


def _said(one: Exhibit) -> Iterator[tuple[str, str]]:
    content, words = _content(one), vocabulary()
    for name, label in (("place", "地点"), ("item", "记录事项")):
        yield label, str(content.get(name) or "")
    markers = content.get("markers") or []
    told = [
        f"{_moment(one['at_ms'])} {words.markers[one['kind']].zh if one['kind'] in words.markers else one['kind']}"
        for one in markers
    ]
    yield "标记", "；".join(told)
    roles = {key: word.zh for key, word in words.speakers.items()}
    heard = [f"{roles.get(one['role'], one['role'])} {one.get('name') or ''}" for one in content.get("speakers") or []]
    yield "对话人员", "；".join(heard)
    version = (one.annotation or {}).get("version")
    yield "标注", f"第 {version} 版，人工填写，已入账" if version else "尚无人工标注"


def _moment(milliseconds: int) -> str:
    minutes, seconds = divmod(milliseconds // 1000, 60)
    return f"{minutes:02d}:{seconds:02d}"


def _stamps(one: Exhibit) -> str:
    told = [f"{row.authority} {_beijing(row.stamped_at)}" for row in one.proven.shown.stamps]
    return "；".join(told) or "无"


def _derived(one: Exhibit) -> Iterator[Block]:
    made = []
    for line in one.history.of("clip.derived")[-1:]:
        objects: Any = line.event.payload.get("objects") or []
        made += [[_MADE.get(item["kind"], item["kind"]), str(item["size"]), item["sha256"]] for item in objects]
    for line in one.history.of("clip.redacted"):
        made.append(["处理后副本", str(line.event.payload["size"]), str(line.event.payload["sha256"])])
    if made:
        yield text("下列衍生件由原始文件制作，供检索和观看，并非证据本身：")
        yield table(("衍生件", "字节", "SHA-256"), made)


def _observed(one: Exhibit) -> Iterator[Block]:
    noticed: Any = one.trail["noticed"]
    told = [
        f"{item['zh'] or item['code']}。可能的正常原因：{item['causes_zh'] or '未列'}"
        for item in (*noticed, *one.observations)
    ]
    if not told:
        yield text("已知缺口与连续性观察：无记载。")
        return
    yield text("已知缺口与连续性观察（仅为线索，并非结论；每项均列出可能的正常原因）：")
    more = len(told) - OBSERVATIONS_MAX
    yield items(*told[:OBSERVATIONS_MAX], *((f"另有 {more} 项，见来源链文件。",) if more > 0 else ()))


def _kept(one: Exhibit) -> str:
    views, looks = len(one.history.of("clip.viewed")), len(one.history.of(LOOK))
    glanced = f"另浏览缩略图 {looks} 次（见来源链文件），" if looks else ""
    handed = len(one.history.of("clip.exported", "clip.excerpted", "case.exported", "clips.exported"))
    return (
        f"保管记录：截至上述账本状态共 {len(one.custody)} 条入账事项，其中查看 {views} 次、移交 {handed} 次，{glanced}"
        "全部条目及证明见证据包 custody.receipts。"
    )
