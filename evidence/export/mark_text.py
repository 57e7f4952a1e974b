"""What a watermark says, and a picture of it where this machine has a font with Chinese (as for certificates, `pdf`).

Without such a font, or for a name that such fonts do not hold, the watermark is plain: the link's short id and the date
in the house's own capitals and digits, never the empty boxes of a missing glyph. Whom the link is for stands on record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from evidence.errors import CertificateImpossible
from evidence.export.certificate.facts import BEIJING
from evidence.export.certificate.pdf import font_family
from evidence.verify.report import printable

NAME_CHARACTERS_MAX: Final = 16
"""Longest name in the mark; longer ones are cut, the short id still tells whose it is."""

_TEMPLATE: Final = """
#set page(width: auto, height: auto, margin: 4pt, fill: black)
#set text(size: 40pt, weight: "bold", fill: white, font: sys.inputs.family)
#set par(leading: 8pt)
#for line in json(bytes(sys.inputs.lines)) [#text(line) #linebreak()]
"""


@dataclass(frozen=True, slots=True)
class MarkText:
    """Lines of a watermark, and their picture (PNG, white on black); None where the house's own glyphs are used."""

    lines: tuple[str, ...]
    picture: bytes | None


def short_id(link: UUID) -> str:
    """Return the part of a link's id that a watermark shows: its last eight digits, which are random."""
    return link.hex[-8:].upper()


def mark_text(recipient: str, link: UUID, *, at: datetime) -> MarkText:
    """Return what the copy for a recipient says in every picture.

    Args:
        at: When the link was made; the date is Beijing's.
    """
    day = at.astimezone(BEIJING).date().isoformat()
    family = font_family()
    if family is not None and _common(recipient):
        shown = recipient if len(recipient) <= NAME_CHARACTERS_MAX else recipient[: NAME_CHARACTERS_MAX - 1] + "…"
        lines = (f"{printable(shown)} {short_id(link)}", f"水印副本 非原件 {day}")
        try:
            return MarkText(lines, picture_of(lines, family))
        except CertificateImpossible:
            pass
    return MarkText((f"COPY {short_id(link)}", f"NOT ORIGINAL {day}"), None)


def picture_of(lines: tuple[str, ...], family: str) -> bytes:
    """Return lines of text as a PNG, white on black.

    Raises:
        CertificateImpossible: There is no typst here, or it refuses.
    """
    try:
        import typst

        inputs = {"lines": json.dumps(lines, ensure_ascii=False), "family": family}
        made = typst.compile(_TEMPLATE.encode(), format="png", ppi=144.0, sys_inputs=inputs)
    except (ImportError, RuntimeError, ValueError) as error:
        raise CertificateImpossible(f"no picture of a watermark can be made: {error}") from error
    if not isinstance(made, bytes):
        raise CertificateImpossible("the watermark does not fit on one picture")
    return made


def _common(name: str) -> bool:
    """Tell whether fonts with Chinese hold every character: those of GBK, which all of them were made for."""
    try:
        name.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True
