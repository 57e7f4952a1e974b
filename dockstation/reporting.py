"""Reports: what `run --once` and `clear` came to, as one JSON object with stable keys."""

from __future__ import annotations

from dockstation.detect.places import Slot
from dockstation.docking import Outcome
from dockstation.identity import Enrolment
from dockstation.journal import FileRow
from dockstation.watch import Report
from ledger.errors import CodedError


def report_json(report: Report, *, enrolment: Enrolment, seconds: float) -> dict[str, object]:
    """Return a report as JSON.

    `ok` says that everything found on every recorder is receipted. Sizes are bytes, digests lower-case hex.
    """
    return {
        "ok": report.complete,
        "dock": str(enrolment.dock),
        "url": enrolment.url,
        "origin": enrolment.origin,
        "recorders": [_outcome(outcome, report.rows) for outcome in report.outcomes],
        "error": error_json(report.error),
        "seconds": round(seconds, 3),
    }


def error_json(error: CodedError | None) -> dict[str, object] | None:
    """Return an error as JSON."""
    return None if error is None else {"code": error.code, "message": error.message, "details": error.details}


def _outcome(outcome: Outcome, rows: tuple[tuple[Slot, FileRow], ...]) -> dict[str, object]:
    return {
        "slot": outcome.slot.name,
        "root": str(outcome.slot.root),
        "recorders": list(outcome.recorders),
        "safe": outcome.safe,
        "files": [_file(row, outcome) for slot, row in rows if slot == outcome.slot],
        "not_read": [{"path": item.path, "code": item.code, "reason": item.reason} for item in outcome.remarks],
        "kept": [row.path for row in outcome.kept],
        "would_stay": [{"path": path, "reason": reason} for path, reason in outcome.would_stay],
        "would_clear": [row.path for row in outcome.would_clear],
        "error": error_json(outcome.error),
    }


def _file(row: FileRow, outcome: Outcome) -> dict[str, object]:
    stuck = outcome.stuck.get(row.seen.key)
    return {
        "recorder": row.recorder,
        "path": row.path,
        "raw": row.seen.raw,
        "size": row.seen.size,
        "key_mark": row.key_mark,
        "state": row.state.value,
        "sha256": None if row.sha256 is None else row.sha256.hex(),
        "root": None if row.root is None else row.root.hex(),
        "clip": None if row.clip is None else str(row.clip),
        "entry": None if row.entry is None else str(row.entry),
        "trouble": row.trouble if stuck is None else str(stuck),
    }
