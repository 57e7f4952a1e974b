"""File names for evidence that leaves the house: what a recorder or a person wrote, made safe on every file system.

The name in the payload stays as it came; only the copy's name is changed, and only as far as Windows, exFAT sticks and
terminals demand it.
"""

from __future__ import annotations

import re
import unicodedata

from evidence.verify.package import OUR_NAMES

NAME_BYTES_MAX = 180
"""Longest name in bytes of UTF-8; file systems allow 255, and `.receipt` and the like are put behind it."""

_SUFFIX_CHARS_MAX = 16
_FORBIDDEN = frozenset('<>:"|?*\\/')
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE)
_OURS = frozenset(name.casefold() for name in OUR_NAMES)


def safe_name(name: str, *, fallback: str) -> str:
    """Return a file name that is one path part, visible, and no name of our own or of a device.

    Args:
        name: As it came, possibly with folders, control characters, or nothing at all.
        fallback: A safe name to take when nothing is left.
    """
    last = re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    visible = "".join("_" if char in _FORBIDDEN or unicodedata.category(char) in _UNSEEN else char for char in last)
    # Windows drops dots and spaces at the end; a leading dot hides a file from whoever looks for it.
    trimmed = _shorten(visible.strip(" .")) or fallback
    return f"_{trimmed}" if _DEVICE.fullmatch(trimmed) or trimmed.casefold() in _OURS else trimmed


def _shorten(name: str) -> str:
    """Cut the stem so that the name fits and its suffix stays."""
    if len(name.encode()) <= NAME_BYTES_MAX:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not dot or len(suffix) > _SUFFIX_CHARS_MAX:
        stem, dot, suffix = name, "", ""
    room = NAME_BYTES_MAX - len((dot + suffix).encode())
    return stem.encode()[:room].decode("utf-8", "ignore").rstrip(" .") + dot + suffix
