"""File names of exports: safe everywhere, close to what was written, never one of ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.export.names import NAME_BYTES_MAX, safe_name

FALLBACK = "01930000-0000-7000-8000-00000000c11b"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("DCAM_4A00123_013579_20260302_093000.mp4", "DCAM_4A00123_013579_20260302_093000.mp4"),
        ("现场 检查（一）.mp4", "现场 检查（一）.mp4"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/absolute/x.mp4", "x.mp4"),
        ("folder/", "folder"),
        ("..", FALLBACK),
        ("", FALLBACK),
        (" . . ", FALLBACK),
        ("///", FALLBACK),
        (".hidden", "hidden"),
        ("x.mp4. ", "x.mp4"),
        ("a\0b\nc.mp4", "a_b_c.mp4"),
        ("exe.4pm\u202e.mp4", "exe.4pm_.mp4"),
        ("a\u2028b", "a_b"),
        ('<a>:"b"|?*', "_a___b____"),
        ("CON", "_CON"),
        ("nul.mp4", "_nul.mp4"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("console.mp4", "console.mp4"),
        ("log.policy", "_log.policy"),
        ("readme.TXT", "_readme.TXT"),
        ("Verify.html", "_Verify.html"),
        ("\ud800.mp4", "_.mp4"),
        ("x" * 300 + ".mp4", "x" * 176 + ".mp4"),
        ("实" * 300 + ".mp4", "实" * 58 + ".mp4"),
        ("x" * 300 + "." + "y" * 300, "x" * 180),
    ],
)
def test_a_name_is_made_safe(name: str, safe: str) -> None:
    assert safe_name(name, fallback=FALLBACK) == safe


@given(st.text(max_size=400))
def test_whatever_comes_in_one_visible_short_part_comes_out(name: str) -> None:
    safe = safe_name(name, fallback=FALLBACK)
    assert safe
    assert not {"/", "\\", "\0", "\n"} & set(safe)
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert len(safe.encode()) <= NAME_BYTES_MAX + 1
    assert safe_name(safe, fallback=FALLBACK) in (safe, f"_{safe}"), "what is safe stays"
