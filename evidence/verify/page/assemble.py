"""Puts `verify.html` together out of `source/`: `python -m evidence.verify.page.assemble`.

The page is one file, because it travels in evidence folders and is opened from a disk. Its sources are read and tested
as files of their own, so this joins them: the engine (what a worker needs), the tables, the rest, the style. Then it
states the SHA-256 of each inline part in the page's Content-Security-Policy, which forbids everything else, above all
every connection. A test compares the file in the tree with what this makes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Final

from evidence.verify.page.tables import tables

SOURCE = Path(__file__).parent / "source"
PAGE = Path(__file__).parent / "verify.html"

ENGINE: Final = ("sha256.js", "hashing.js")
"""What runs in the worker too."""

REST: Final = (
    "lexemes.js",
    "canonical.js",
    "note.js",
    "policy.js",
    "keys.js",
    "receipt.js",
    "der.js",
    "x509.js",
    "timestamp.js",
    "dock.js",
    "excerpt.js",
    "judge.js",
    "bag.js",
    "archived.js",
    "package.js",
    "view.js",
    "app.js",
)
"""In the order in which they need each other."""

CONTROLS: Final = "app.js"
"""Ties the page's own controls to a run."""


def assemble() -> str:
    """Return the page."""
    engine = _script(*(_read(name) for name in ENGINE))
    script = _script(_constants(), *(_read(name) for name in REST))
    style = f"\n{_read('style.css')}"
    parts = {"CSP": _policy(scripts=[engine, script], style=style), "STYLE": style, "ENGINE": engine, "SCRIPT": script}
    page = _read("shell.html")
    for name, content in parts.items():
        if page.count(f"@{name}@") != 1 or "</script" in content.lower() or "</style" in content.lower():
            raise ValueError(f"the part {name} has no place in the page, or would end its element")
        page = page.replace(f"@{name}@", content)
    return page


def judging_script() -> str:
    """Return all that judges, and shows a judgement, without the page's own controls; for pages of other kinds."""
    return _script(*(_read(name) for name in ENGINE), _constants(), *(_read(name) for name in REST if name != CONTROLS))


def hashing_module() -> str:
    """Return what computes digests in a worker, as a module; for pages that make their workers from files."""
    return _script(*(_read(name) for name in ENGINE), "export { serveHashing };", "")


def _policy(*, scripts: list[str], style: str) -> str:
    """Return the page's Content-Security-Policy: these scripts, this style, workers made by them, and nothing else."""
    hashes = " ".join(_source(script) for script in scripts)
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {hashes}",
            f"style-src {_source(style)}",
            "worker-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types shilu-worker",
        )
    )


def _source(content: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"


def _script(*parts: str) -> str:
    return "\n".join(['\n"use strict";', *parts])


def _constants() -> str:
    lines = [f"const {name} = {json.dumps(value, ensure_ascii=False, indent=1)};" for name, value in tables().items()]
    return "\n".join(["// Made from evidence.verify by evidence.verify.page.tables.", *lines, ""])


def _read(name: str) -> str:
    return (SOURCE / name).read_text(encoding="utf-8")


if __name__ == "__main__":
    PAGE.write_text(assemble(), encoding="utf-8", newline="\n")
