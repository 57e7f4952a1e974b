"""The `shilu` command: one program for whoever keeps the evidence. See `exits.py` for what its exit codes mean."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from api.cli import (
    access,
    account_links,
    accounts,
    annotate,
    axis,
    calendar,
    case,
    custody,
    deadlines,
    demo,
    dispose,
    docks,
    excerpt,
    fetch,
    items,
    keys,
    log,
    look,
    outbox,
    publish,
    quarantine,
    recorders,
    redact,
    register,
    repair,
    retention,
    review,
    search,
    service,
    share,
    statistics,
    still,
    witness,
)
from api.cli.exits import Exit, exit_for, report_error
from ledger.errors import CodedError

_HELP = """Shilu 实录: an evidence chain for body-worn camera footage.

Exit codes: 0 done and everything holds; 1 a check failed; 2 wrong command line or input; 3 database, network or disk is
not available; 4 internal error; 130 interrupted.
"""

app = typer.Typer(help=_HELP, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("demo")(demo.demo)
app.command("serve")(service.serve_command)
app.command("work")(service.work_command)
app.command("migrate")(service.migrate_command)
app.add_typer(keys.app, name="keys")
accounts.app.command("link")(account_links.link_command)
accounts.app.command("strangers")(account_links.strangers_command)
app.add_typer(accounts.app, name="accounts")
app.add_typer(witness.app, name="witness")
app.command("search")(search.search_command)
app.add_typer(annotate.app, name="annotate")
app.command("verify")(look.verify_command)
app.command("export")(look.export_command)
app.command("fetch")(fetch.fetch_command)
app.command("excerpt")(excerpt.excerpt_command)
app.command("still")(still.still_command)
app.add_typer(share.app, name="share")
app.command("redact")(redact.redact_command)
app.command("custody")(custody.custody_command)
app.command("audit")(look.audit_command)
app.command("repair")(repair.repair_command)
app.add_typer(access.app, name="access")
app.add_typer(axis.app, name="axis")
app.add_typer(log.app, name="log")
app.add_typer(outbox.app, name="outbox")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(docks.app, name="docks")
app.add_typer(recorders.app, name="recorders")
app.add_typer(register.app, name="register")
app.add_typer(items.app, name="items")
app.add_typer(case.app, name="case")
app.add_typer(calendar.app, name="calendar")
app.add_typer(retention.retention, name="retention")
app.add_typer(retention.hold, name="hold")
app.add_typer(dispose.app, name="dispose")
app.command("statistics")(statistics.statistics_command)
app.add_typer(statistics.app, name="sample")
app.add_typer(deadlines.app, name="deadlines")
app.add_typer(review.app, name="review")
app.add_typer(publish.app, name="publish")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with one of the documented codes."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        app(words, prog_name="shilu")
    except CodedError as error:
        report_error(error, as_json="--json" in words)
        sys.exit(exit_for(error))
    sys.exit(Exit.OK)


if __name__ == "__main__":
    main()
