"""Pages made from the code, so that they cannot drift from it: `python -m tests.support.paper` writes them anew.

Each page is `<heading and prose>` followed by a table; the architecture tests compare the files with what is made here.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic_core import PydanticUndefined

from api.config import PREFIX, ServiceConfig
from evidence.audit.findings import FINDINGS as HOUSE_FINDINGS
from evidence.clips import language
from evidence.clips.query_fields import CHINESE_NAMES, FIELDS
from evidence.custody.events import EVENTS
from evidence.recorders.meanings import MEANINGS as RECORDER_MEANINGS
from evidence.verify.findings import FINDINGS as VERIFY_FINDINGS
from ingest.audit import FINDINGS as UPLOAD_FINDINGS
from ingest.media.continuity.codes import CODES as CONTINUITY_CODES
from ledger.audit_findings import FINDINGS as LEDGER_FINDINGS
from ledger.mirror.findings import FINDINGS as MIRROR_FINDINGS
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


def findings_page() -> str:
    """Return docs/findings.md."""
    lines = [
        "# Findings",
        "",
        "A verification or an audit answers with findings, never with a bare yes or no. The codes are stable; programs",
        "match on them. `shilu-verify` and `verify.html` share theirs.",
    ]
    for title, meanings in _FINDINGS.items():
        lines += ["", f"## {title}", "", "| Code | Meaning |", "|---|---|"]
        lines += [f"| `{code}` | {_cell(meaning)} |" for code, meaning in meanings.items()]
    return "\n".join(lines) + "\n"


_FINDINGS: Mapping[str, Mapping[str, str]] = {
    "Of one original: `shilu-verify`, `shilu verify`": {
        code: f"{meaning.en} / {meaning.zh}" for code, meaning in VERIFY_FINDINGS.items()
    },
    "Of the log: `shilu audit`": LEDGER_FINDINGS,
    "Of payloads, rows, objects and docks' statements: `shilu audit`": HOUSE_FINDINGS,
    "Of a recorder's sequence: `shilu recorders findings`": {
        code: f"{meaning.weight.value}: {meaning.en} (innocent causes: {meaning.causes_en}) / "
        f"{meaning.zh}（可能的正常原因：{meaning.causes_zh}）"
        for code, meaning in RECORDER_MEANINGS.items()
    },
    "Of uploads: `shilu audit`": UPLOAD_FINDINGS,
    "Of a log followed from outside: `shilu log mirror`, `shilu log monitor`": MIRROR_FINDINGS,
}


def continuity_page() -> str:
    """Return docs/continuity.md."""
    lines = [
        "# Continuity observations",
        "",
        "Every clip whose structure is known has an object of kind `continuity`: what the file's own bookkeeping gives",
        "occasion to note, as JSON (`ingest/media/continuity/report.py`). An observation is a lead with its benign",
        "causes and never a verdict. `info` is found in most files, `notice` in some intact ones; `high` was found in",
        "none of the intact files this project was tried on, and a person should look. Places are bytes of the",
        "original and milliseconds as the container counts them.",
        "",
        "| Code | Weight | Meaning | Benign causes |",
        "|---|---|---|---|",
    ]
    for code, meaning in CONTINUITY_CODES.items():
        words = _cell(f"{meaning.en} / {meaning.zh}")
        causes = _cell(f"{meaning.causes_en} / {meaning.causes_zh}")
        lines.append(f"| `{code}` | {meaning.severity.value} | {words} | {causes} |")
    return "\n".join(lines) + "\n"


def search_page() -> str:
    """Return docs/search.md."""
    lines = [
        "# The query language",
        "",
        "One line of text asks the search: `q` of `GET /v1/clips`, the argument of `shilu search`.",
        "",
        "```",
        *inspect.cleandoc(language.__doc__ or "").split("\n\n")[1].splitlines(),
        "```",
        "",
        *inspect.cleandoc(language.__doc__ or "").split("\n\n")[2].splitlines(),
        "Case, full width and half width do not matter, and one Chinese character is enough. A question has at most",
        f"{language.TEXT_CHARS_MAX} characters and {language.LEAVES_MAX} words and conditions.",
        "",
        "| Field | In Chinese | Asks for | For example |",
        "|---|---|---|---|",
    ]
    for name, field in FIELDS.items():
        chinese = "、".join(written for written, meant in CHINESE_NAMES.items() if meant == name)
        lines.append(f"| `{name}` | {chinese} | {_cell(field.means)} | `{name}:{field.example}` |")
    return "\n".join(lines) + "\n"


PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api_page,
    "errors.md": errors_page,
    "configuration.md": configuration_page,
    "entries.md": entries_page,
    "findings.md": findings_page,
    "continuity.md": continuity_page,
    "search.md": search_page,
}


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    for page, make in PAGES.items():
        (DOCS / page).write_text(make(), encoding="utf-8")
