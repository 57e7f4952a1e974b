"""Pages made from the code, so that they cannot drift from it: `python -m tests.support.paper` writes them anew.

Each page is `<heading and prose>` followed by a table; the architecture tests compare the files with what is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic_core import PydanticUndefined

from api.config import PREFIX, ServiceConfig
from evidence.custody.events import EVENTS
from tests.support.api_page import api_page
from tests.support.error_codes import errors_page

DOCS = Path(__file__).resolve().parents[2] / "docs"


def configuration_page() -> str:
    """Return docs/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Every setting is an environment variable; what a command line says wins over it. A variable with the prefix",
        "that is not in this table is refused. Settings are read once, at the start.",
        "",
        "| Variable | Default | Meaning |",
        "|---|---|---|",
    ]
    for name, field in ServiceConfig.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        lines.append(f"| `{PREFIX}{name.upper()}` | {default} | {_cell(field.description or '')} |")
    return "\n".join(lines) + "\n"


def entries_page() -> str:
    """Return docs/entries.md."""
    lines = [
        "# Ledger entries",
        "",
        "An entry is canonical JSON (RFC 8785) with the fields `v`, `type`, `id` (UUIDv7), `at`, `actor`, `subject`,",
        "and `commit` = SHA-256(salt, payload). The payload stays in the database and travels in receipts; its",
        "fields are never renamed, retyped or dropped. The list of types is closed.",
        "",
        "| Type | Subject | What happened | Payload |",
        "|---|---|---|---|",
    ]
    for name, event in EVENTS.items():
        fields = ", ".join(f"`{field}`" for field in event.payload.model_fields)
        meaning = (event.payload.__doc__ or "").strip().split("\n\n", maxsplit=1)[0]
        lines.append(f"| `{name}` | {event.subject} | {_cell(meaning)} | {fields} |")
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api_page,
    "errors.md": errors_page,
    "configuration.md": configuration_page,
    "entries.md": entries_page,
}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make(), encoding="utf-8")
