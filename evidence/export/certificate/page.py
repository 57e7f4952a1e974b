"""The certificate as one HTML file that needs no other and no script; printed, it is black on white on A4."""

from __future__ import annotations

from html import escape
from typing import Final, assert_never

from evidence.export.certificate.document import Block, Document, Row, Section
from evidence.export.certificate.facts import Certificate
from evidence.verify.report import printable

_STYLE: Final = """
@page { size: A4; margin: 20mm 18mm; }
* { box-sizing: border-box; }
body { color: #000; background: #fff; max-width: 178mm; margin: 1.5em auto; padding: 0 1em;
  font: 11pt/1.6 "Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", SimSun, serif; }
h1 { font-size: 18pt; text-align: center; margin: 0; letter-spacing: .2em; }
p.sub { text-align: center; margin: 0 0 1em; }
h2 { font-size: 12.5pt; margin: 1.2em 0 .4em; break-after: avoid; }
section.own { break-before: page; }
table { border-collapse: collapse; width: 100%; margin: .5em 0; }
th, td { border: .5pt solid #000; padding: .25em .5em; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { font-weight: 600; }
table.rows th { width: 8em; white-space: nowrap; }
table.wide td { font-size: 9pt; line-height: 1.45; }
td.digits, td.digits * { font: 9pt/1.5 "DejaVu Sans Mono", Consolas, monospace; word-break: break-all; }
footer { margin-top: 2em; font-size: 9pt; border-top: .5pt solid #000; }
tr, li { break-inside: avoid; }
"""


def certificate_html(certificate: Certificate) -> str:
    """Write a certificate as HTML."""
    document = certificate.document
    sections = "".join(map(section_html, document.sections))
    return f"{head_html(title_of(document), document)}{sections}{foot_html(document)}"


def head_html(title: str, document: Document) -> str:
    """Return how a document begins, up to its first section; `title` is what a window is called."""
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_words(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{_words(document.title)}</h1><p class=sub>{_words(document.subtitle)}</p>"
    )


def foot_html(document: Document) -> str:
    """Return how a document ends, behind its last section."""
    return f"<footer>{_words(document.foot)}</footer></body></html>\n"


def title_of(document: Document) -> str:
    """Return what the window of a certificate is called: its title, and the number of the case."""
    first = document.sections[0].blocks[0].rows
    return f"{document.title} {first[0].value}" if first else document.title


def section_html(section: Section) -> str:
    """Write one section; a document of any length is its sections one after the other."""
    own = " class=own" if section.own_page else ""
    return f"<section{own}><h2>{_words(section.title)}</h2>{''.join(map(_block, section.blocks))}</section>\n"


def _block(block: Block) -> str:
    match block.kind:
        case "rows":
            lines = (_row(row) for row in block.rows)
            return f"<table class=rows>{''.join(lines)}</table>"
        case "table":
            head = "".join(f"<th>{_words(cell)}</th>" for cell in block.head)
            kinds = [" class=digits" if at in block.broken else "" for at in range(len(block.head))]
            cells = (
                "".join(f"<td{kind}>{_words(cell)}</td>" for kind, cell in zip(kinds, row, strict=True))
                for row in block.cells
            )
            lines = (f"<tr>{row}</tr>" for row in cells)
            begin = f"<table class=wide>{_columns(block)}" if block.widths else "<table>"
            return f"{begin}<thead><tr>{head}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        case "list":
            return f"<ol>{''.join(f'<li>{_words(item)}</li>' for item in block.items)}</ol>"
        case "text":
            return f"<p>{_words(block.text)}</p>"
        case _:
            assert_never(block.kind)


def _columns(block: Block) -> str:
    parts = sum(block.widths)
    return "".join(f'<col style="width:{100 * width / parts:.1f}%">' for width in block.widths)


def _row(row: Row) -> str:
    kind = " class=digits" if row.digits else ""
    return f"<tr><th>{_words(row.label)}</th><td{kind}>{_words(row.value)}</td></tr>"


def _words(words: str) -> str:
    # What would turn a line around or hide a character is shown as an escape, as in a report.
    return escape(printable(words)).replace("\n", "<br>")
