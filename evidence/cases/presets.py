"""Recording-item lists that ship with this version: what five agencies' documents say, each clause named.

A preset is where an agency begins, not what it must keep: `shilu items show PRESET` prints it, an edited copy is
published in its place. Where a document leaves something open the preset says so and does not fill it in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files

from evidence.cases.errors import ItemListInvalid, ItemListUnknown
from evidence.cases.item_list import ItemList, read_list
from evidence.core.dated import read_dated

PRESETS: Mapping[str, str] = {
    "shuozhou-ecology-2017": "S0 朔环发[2017]197号",
    "ministry-ecology-2019": "S1 环办执法〔2019〕42号",
    "zaozhuang-emergency-2019": "S2 枣应急发〔2019〕75号",
    "lingchuan-enforcement-2021": "S3 陵示范管发〔2021〕17号",
    "panjin-forestry-2019": "S4 盘锦市林湿局 2019",
}
"""Names, and the documents they follow."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A list to publish, and the day that its document is in force from."""

    content: ItemList
    effective_from: date


@cache
def preset(name: str) -> Draft:
    """Return a preset.

    Raises:
        ItemListUnknown: There is none of this name; the details name them all.
    """
    if name not in PRESETS:
        raise ItemListUnknown(f"there is no preset {name[:80]!r}", presets=sorted(PRESETS))
    return read_draft(files(__package__).joinpath("presets", f"{name}.toml").read_text(encoding="utf-8"))


def read_draft(text: str) -> Draft:
    """Read a list from TOML in the form of the presets.

    Raises:
        ItemListInvalid: It is no TOML, breaks a rule of lists, or does not say from which day on it is in force.
    """
    table, effective_from = read_dated(text, refused=ItemListInvalid)
    return Draft(read_list(table), effective_from)
