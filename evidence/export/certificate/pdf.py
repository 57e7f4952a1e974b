"""The certificate for the printer: PDF through typst, A4, black on white, page numbers. Optional, and the same bytes.

People's words go in as data and never as markup. A font with Chinese is embedded; where the machine has none there is
no PDF, the HTML says the same, and `font_missing` says what to install. Which font is found decides the bytes: the same
machine writes the same file.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Final

from evidence.errors import CertificateImpossible
from evidence.export.certificate.document import Document
from evidence.verify.report import printable

FAMILIES: Final = (
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Noto Sans CJK SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimSun",
    "Songti SC",
)
"""Families with Chinese, the best for print first."""

ADVICE: Final = (
    "no font with Chinese is installed (on Debian: apt install fonts-noto-cjk); the HTML certificate says the same"
)

_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_TEMPLATE: Final = "certificate.typ"
_SECONDS_MAX: Final = 600


def certificate_pdf(document: Document) -> bytes:
    """Write a certificate as PDF.

    Raises:
        CertificateImpossible: There is no typst here, no font with Chinese, or typst refuses.
    """
    return _compiled(json.dumps(_shown(document.as_json()), ensure_ascii=False))


def certificate_pdf_apart(document: Document) -> bytes:
    """Write a certificate as PDF in a process of its own, the same bytes: typst keeps of each document what it may need
    for the next, and that is given back with the process only.

    Raises:
        CertificateImpossible: See `certificate_pdf`; or it takes longer than ten minutes.
    """
    told = json.dumps(_shown(document.as_json()), ensure_ascii=False).encode()
    command = [sys.executable, "-I", "-m", "evidence.export.certificate.pdf"]
    try:
        done = subprocess.run(command, input=told, capture_output=True, check=False, timeout=_SECONDS_MAX)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CertificateImpossible(f"typst does not come to an end: {error}") from error
    if done.returncode:
        raise CertificateImpossible(done.stderr.decode(errors="replace").strip()[-500:] or "typst died")
    return done.stdout


def _compiled(told: str) -> bytes:
    family = font_family()
    if family is None:
        raise CertificateImpossible(ADVICE)
    import typst

    template = files("evidence.export.certificate").joinpath(_TEMPLATE).read_bytes()
    try:
        return typst.compile(template, format="pdf", sys_inputs={"doc": told, "family": family}, timestamp=_EPOCH)
    except (RuntimeError, ValueError) as error:
        raise CertificateImpossible(f"typst refuses: {error}") from error


@cache
def font_family() -> str | None:
    """Return the family with Chinese that this machine has, None without one."""
    try:
        import typst
    except ImportError:
        return None
    found = set(typst.Fonts(include_system_fonts=True).families())
    return next((family for family in FAMILIES if family in found), None)


def _shown(value: Any) -> Any:
    """Escape what would turn a line around or hide a character, wherever it stands."""
    if isinstance(value, str):
        return "\n".join(map(printable, value.split("\n")))
    if isinstance(value, dict):
        return {name: _shown(one) for name, one in value.items()}
    return [_shown(one) for one in value] if isinstance(value, list | tuple) else value


if __name__ == "__main__":
    try:
        sys.stdout.buffer.write(_compiled(sys.stdin.buffer.read().decode()))
    except CertificateImpossible as refused:
        sys.exit(refused.message)
