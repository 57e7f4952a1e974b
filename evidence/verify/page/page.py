"""The page as it lies in the installed package, ready to be put into an evidence folder."""

from __future__ import annotations

from importlib.resources import files


def page_bytes() -> bytes:
    """Return `verify.html`, one file that needs no other."""
    return (files(__package__) / "verify.html").read_bytes()
