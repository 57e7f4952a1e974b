"""The page that lists all routes, made from the routes table."""

from __future__ import annotations

from api.routes.table import ROUTES
from evidence.parties.roles import Role

_LETTERS = {
    Role.INVESTIGATOR: "I",
    Role.REVIEWER: "R",
    Role.ARCHIVIST: "A",
    Role.AUDITOR: "U",
    Role.ADMINISTRATOR: "M",
    Role.DOCK: "D",
    Role.CONTROLLER: "C",
}


def api_page() -> str:
    """Return docs/api.md."""
    lines = [
        "# HTTP interface",
        "",
        "Made from the routes table in api/routes; `/openapi.json` says the same in full (bodies, parameters, codes).",
        "Errors are problems with a stable code, see [errors.md](errors.md). Lists come in pages: pass `next` back as",
        "`cursor`. A credential goes into `Authorization: Bearer`.",
        "",
        "Who may call: "
        + ", ".join(f"{letter} {role.value}" for role, letter in _LETTERS.items())
        + ", `open` anybody.",
        "",
        "| Method | Address | Who | What |",
        "|---|---|---|---|",
    ]
    for route in ROUTES:
        who = (
            "open"
            if route.roles is None
            else " ".join(letter for role, letter in _LETTERS.items() if role in route.roles)
        )
        lines.append(f"| {route.method} | `{route.path}` | {who} | {route.summary.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"
