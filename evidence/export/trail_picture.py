"""The trail as a picture (SVG): recorder, dock, first digest, sealed original, exhibit, and what became of it. Pure.

One row an exhibit, one column a step, arrows from left to right; acts stand in a column of their own, oldest above. The
layout counts characters and nothing else, so the same trail is the same bytes everywhere. People's words are text, cut
to the box, with characters that turn text around left out; nothing in the picture can run or fetch.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from xml.sax.saxutils import escape

from ledger.canonical import JsonObject

SVG_TYPE: Final = "image/svg+xml"
_BOX_WIDTH, _BOX_HEIGHT, _GAP, _MARGIN, _HEAD = 196, 84, 40, 28, 92
_ROW = _BOX_HEIGHT + 22
_TITLE_CELLS, _CELLS = 20, 28
"""Narrow characters that fit into the title and into a line of a box; a wide one counts twice."""
_COLUMNS = ("记录仪", "采集站", "首次摘要", "封存原件", "本案证据", "去向")
_STYLE = (
    "text{font-family:'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif;fill:#1d2733}"
    ".t{font-size:13px;font-weight:600}.l{font-size:11px;fill:#44515f}.h{font-size:12px;fill:#6b7785}"
    ".b{fill:#fff;stroke:#8fa1b3;stroke-width:1}.a{fill:#eef5fc;stroke:#4a7fb5;stroke-width:1}"
    ".u{fill:#f5f5f3;stroke:#b9b9b0;stroke-width:1;stroke-dasharray:4 3}"
    ".e{fill:none;stroke:#8fa1b3;stroke-width:1.4}.p{fill:#8fa1b3}"
)


@dataclass(frozen=True, slots=True)
class _Box:
    title: str
    lines: tuple[str, ...]
    kind: str = "b"


def clip_picture(trail: JsonObject) -> str:
    """Draw the trail of one clip, see `evidence.export.trail`; one row a case that it is an exhibit of."""
    links: Any = trail["cases"]
    row = _steps(trail)
    rows = [[*row, _exhibit(one.get("exhibit"), one, trail)] for one in links] or [[*row, _unlinked(trail)]]
    acts: Any = [*trail["acts"], *({**one, "zh": "移交"} for one in _all(trail, "handed_over"))]  # type: ignore[misc]
    acts = sorted({one["entry"]: one for one in reversed(acts)}.values(), key=lambda one: str(one["entry"]))
    return _draw(f"片段 {trail['clip']} 的来龙去脉", rows, [_act(one) for one in acts])


def case_picture(trail: JsonObject) -> str:
    """Draw a page of the trail of a case, see `evidence.export.case_trail`."""
    exhibits: Any = trail["exhibits"]
    rows = [
        [*_steps(one["trail"]), _exhibit(one["exhibit"], _link_of(one["trail"], trail["case"]), one["trail"])]
        for one in exhibits
    ]
    acts: Any = trail["acts"]
    return _draw(f"{trail['number']} {trail['title']}", rows, [_act(one) for one in acts])


def _steps(trail: Mapping[str, Any]) -> list[_Box]:
    source = trail["sources"][0]
    inventory, original = source["inventory"], trail["original"]
    more = len(trail["sources"]) - 1
    recorded = (f"警号 {source['officer'] or '未记载'}", f"录制 {_time(source['recorded_at'])}")
    return [
        _Box(source["recorder"], recorded) if source["recorder"] else _Box("记录仪不明", ("未记载序列号",), "u"),
        _Box("无采集清单", ("未经采集站",), "u")
        if inventory is None
        else _Box(
            inventory["dock"]["name"], ("清单由采集站签名", f"接入 {_time(inventory['seen_at'])}", _place(inventory))
        ),
        _Box(
            "采集站先行签名" if source["first_digest"]["by"] == "dock" else "服务端计算",
            (f"SHA-256 {source['first_digest']['sha256'][:16]}…", f"{original['size']} 字节"),
        ),
        _Box(
            original["name"],
            (f"封存 {_time(source['at'])}", _place(source), *((f"另有 {more} 次重复导入",) if more else ())),
        ),
    ]


def _exhibit(number: object, link: Mapping[str, Any], trail: Mapping[str, Any]) -> _Box:
    return _Box(f"证据 {number} 号", (f"编号 {_time(link.get('at'))}", _place(link), _counts(trail)))


def _unlinked(trail: Mapping[str, Any]) -> _Box:
    return _Box("未入案", (_counts(trail),), "u")


def _link_of(trail: Mapping[str, Any], case: object) -> Mapping[str, Any]:
    return next((one for one in trail["cases"] if one.get("case") == case), {})


def _counts(trail: Mapping[str, Any]) -> str:
    return f"标注 {len(trail['annotations'])} · 衍生 {len(trail['derivatives'])} · 调阅 {len(trail['views'])}"


def _act(act: Mapping[str, Any]) -> _Box:
    named = act.get("number") or act.get("summary") or act.get("purpose") or act.get("cause") or act.get("form")
    lines = (f"{named}",) if named else ()
    return _Box(str(act["zh"]), (*lines, _time(act["at"]), _place(act)), "a")


def _time(text: object) -> str:
    """Write an instant of the record shorter; it stays UTC and says so."""
    return f"{text[:10]} {text[11:19]}Z" if isinstance(text, str) and len(text) >= 19 else "未记载"


def _place(one: Mapping[str, Any]) -> str:
    index = one.get("index")
    return "尚未公布" if index is None else f"账本第 {index} 条"


def _all(trail: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = trail[name]
    return found


def _draw(title: str, rows: Sequence[Sequence[_Box]], acts: Sequence[_Box]) -> str:
    width = 2 * _MARGIN + len(_COLUMNS) * _BOX_WIDTH + (len(_COLUMNS) - 1) * _GAP
    height = _HEAD + max(len(rows), len(acts), 1) * _ROW + _MARGIN
    size = f'width="{width}" height="{height}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width} {height}" role="img">',
        f"<title>{_text(title, 200)}</title><style>{_STYLE}</style>",
        f'<rect {size} fill="#fbfbf9"/>',
        f'<text class="t" x="{_MARGIN}" y="34" style="font-size:17px">{_text(title, 100)}</text>',
    ]
    parts += [
        f'<text class="h" x="{_left(column)}" y="{_HEAD - 14}">{name}</text>' for column, name in enumerate(_COLUMNS)
    ]
    for number, row in enumerate(rows):
        for column, box in enumerate(row):
            parts += _box(box, column, number)
            if column:
                parts.append(_arrow(_left(column) - _GAP, _middle(number), _left(column)))
    last = len(_COLUMNS) - 1
    if rows and acts:
        parts += _bus(len(rows), last)
    for number, box in enumerate(acts):
        parts += _box(box, last, number)
        if number:
            parts.append(f'<path class="e" d="M{_left(last) + _BOX_WIDTH // 2} {_top(number) - 22}v22"/>')
    return "".join((*parts, "</svg>\n"))


def _bus(rows: int, column: int) -> Iterator[str]:
    """Gather all rows and lead them to the first act."""
    at = _left(column) - _GAP // 2
    for number in range(rows):
        yield f'<path class="e" d="M{_left(column) - _GAP} {_middle(number)}H{at}"/>'
    yield f'<path class="e" d="M{at} {_middle(0)}V{_middle(rows - 1)}"/>'
    yield _arrow(at, _middle(0), _left(column))


def _arrow(start: int, y: int, end: int) -> str:
    return f'<path class="e" d="M{start} {y}H{end - 6}"/><path class="p" d="M{end} {y}l-8 -4v8z"/>'


def _box(box: _Box, column: int, row: int) -> Iterator[str]:
    x, y = _left(column), _top(row)
    yield f'<rect class="{box.kind}" x="{x}" y="{y}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="6"/>'
    yield f'<text class="t" x="{x + 12}" y="{y + 23}">{_text(box.title, _TITLE_CELLS)}</text>'
    for number, line in enumerate(box.lines):
        yield f'<text class="l" x="{x + 12}" y="{y + 41 + 16 * number}">{_text(line, _CELLS)}</text>'


def _text(text: str, cells: int) -> str:
    """Return text for the picture, cut to so many narrow characters; what cannot be seen is left out."""
    kept, used = "", 0
    for char in text:
        if unicodedata.category(char)[0] in "CZ" and char != " ":
            continue
        used += 2 if unicodedata.east_asian_width(char) in "WF" else 1
        if used > cells:
            return escape(f"{kept.rstrip()}…")
        kept += char
    return escape(kept)


def _left(column: int) -> int:
    return _MARGIN + column * (_BOX_WIDTH + _GAP)


def _top(row: int) -> int:
    return _HEAD + row * _ROW


def _middle(row: int) -> int:
    return _top(row) + _BOX_HEIGHT // 2
