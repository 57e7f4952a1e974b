"""What a certificate says of whether an exhibit lies in the package whole, or as an excerpt of some seconds. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from evidence.export.gathering import Exhibit
from evidence.verify.excerpt_statement import Span


def enclosed_briefly(one: Exhibit) -> str:
    """Return the words for the list at the beginning."""
    return "原始文件" if one.enclosed is None else "节选"


def enclosed_rows(one: Exhibit) -> Iterator[tuple[str, str]]:
    """Yield the rows of an exhibit's section: of an excerpt its seconds, by whose word, and how much was left out."""
    if one.enclosed is None:
        yield "随附内容", "原始文件全文"
        return
    statement, left_out = one.enclosed.statement, one.enclosed.left_out_bytes
    asked = "；".join(_span(told.asked) for told in statement.spans)
    shown = "；".join("不详" if told.shown is None else _span(told.shown) for told in statement.spans)
    yield "随附内容", "节选，并非原始文件全文；下列校验值属于原始文件全文"
    yield "节选秒数", f"所请求：{asked}；可播放：{shown}（据本服务的帧索引：秒数未经证明，所含字节经证明）"
    held = f"{statement.chunks} 个分块中的 {one.enclosed.chunks} 个，共 {statement.held_bytes} 字节"
    yield "节选所含", f"{held}，各分块均附其属于所封存原始文件的证明"
    share = left_out * 1000 // statement.size / 10
    yield "节选未含", f"原始文件中的 {left_out} 字节（{share} %）未随附" if left_out else "无：所含即原始文件全部字节"


def _span(span: Span) -> str:
    return f"{_clock(span.from_ms)} 至 {_clock(span.to_ms)}"


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
