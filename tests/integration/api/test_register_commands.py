"""`shilu docks` and `shilu recorders` on a database: what they print, for people and as JSON, and their exit codes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from api.cli.main import app
from evidence.core.clock import utc_now
from evidence.db.pool import open_pool
from evidence.parties.dock_state_store import keep_state
from evidence.recorders.store import findings_of
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.parties import enrol, paper_dock
from tests.support.sequences import RECORDER, Office

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def shilu(database: str, tmp_path: Path) -> Command:
    """The program on a data folder and a database of this test's own."""

    def call(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, [*words, "--data", str(tmp_path / "data"), "--database", database])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    assert call("keys", "log")[0] == 0
    return call


async def a_gap(database: str) -> tuple[UUID, str]:
    """Let a dock meet a recorder on which a file is missing; return the dock and the finding's name."""
    dock = paper_dock()
    async with open_pool(database, program="test") as pool:
        await enrol(pool, dock, entropy=SeededEntropy(1))
        async with pool.acquire() as conn:
            office = Office(conn=conn, clock=SteppingClock(), entropy=SeededEntropy(5))
            office.recorder.record(segments=4)
            del office.recorder.card[2]
            await office.dock()
            said = {
                "agent": "0.1.0",
                "profiles": {},
                "disk_free_bytes": 5 * 10**9,
                "slots": [],
                "journal": {},
                "waiting_notes": 0,
                "clock": {"offset_ms": -1500, "uncertainty_ms": 20},
            }
            await keep_state(conn, dock=dock.dock, at=utc_now(), said=said)
            (row,) = await findings_of(conn, RECORDER, before=None, limit=10)
    return dock.dock, f"{row.entry_id}.{row.place}"


def as_json(answer: tuple[int, str]) -> Any:
    code, text = answer
    assert code == 0, text
    return json.loads(text)


def test_a_gap_from_its_discovery_to_its_explanation(shilu: Command, database: str) -> None:
    dock, finding = asyncio.run(a_gap(database))
    code, text = shilu("recorders", "findings")
    assert code == 1
    assert "first_missing: 3" in text
    assert "innocent" in text
    (listed,) = as_json(shilu("recorders", "list", "--json"))["recorders"]
    assert (listed["recorder"], listed["findings_open"], listed["dock"]) == (RECORDER, 1, str(dock))
    assert shilu("recorders", "explain", RECORDER, finding, "--text", "已核实")[0] == 0
    assert shilu("recorders", "findings") == (0, "")
    (kept,) = as_json(shilu("recorders", "findings", RECORDER, "--all", "--json"))["findings"]
    assert [one["text"] for one in kept["explanations"]] == ["已核实"]
    assert shilu("recorders", "explain", RECORDER, "no-finding", "--text", "x")[0] == 2
    (shown,) = as_json(shilu("docks", "list", "--json", "--check"))["docks"]
    assert (shown["state"], shown["said"]["clock"]["offset_ms"]) == ("heard", -1500)
    assert "heard" in shilu("docks", "list")[1]
    assert "entry" in as_json(shilu("docks", "demand-key", str(dock), "--reason", "例行更换", "--json"))
    (shown,) = as_json(shilu("docks", "list", "--json"))["docks"]
    assert shown["key_demanded_at"] is not None


def test_whose_a_recorder_is_and_how_units_are_equipped(shilu: Command) -> None:
    assert shilu("recorders", "officer", "013579", "--name", "王五", "--unit", "一中队")[0] == 0
    assert shilu("recorders", "officer", "024680", "--name", "赵六", "--unit", "一中队")[0] == 0
    assert shilu("recorders", "assign", "R1", "--to", "013579", "--since", "2026-01-01T00:00:00.000Z")[0] == 0
    assert shilu("recorders", "assign", "R1", "--nobody")[0] == 0
    assert shilu("recorders", "assign", "R1")[0] == 2
    spans = as_json(shilu("recorders", "holders", "R1", "--json"))["holders"]
    assert [(span["holder"] or {}).get("number") for span in spans] == ["013579", None]
    assert shilu("recorders", "assign", "R2", "--to", "024680")[0] == 0
    found = as_json(shilu("recorders", "equipment", "--json"))
    assert [(one["unit"], one["officers"], one["recorders"], one["below_target"]) for one in found["units"]] == [
        ("一中队", 2, 1, True)
    ]
    assert "一中队" in shilu("recorders", "equipment")[1]


def test_a_list_is_tried_and_taken(shilu: Command, tmp_path: Path) -> None:
    file = tmp_path / "人员.csv"
    assert CliRunner().invoke(app, ["register", "template", str(file)]).exit_code == 0
    assert CliRunner().invoke(app, ["register", "template", str(file)]).exit_code == 2
    file.write_bytes(file.read_bytes() + "013579,王五,一中队,,,,,,\n".encode())
    dry = as_json(shilu("register", "import", str(file), "--dry-run", "--json"))
    assert (dry["applied"], dry["rows"], dry["changed"]) == (False, 1, 1)
    assert as_json(shilu("register", "import", str(file), "--apply", "--json"))["applied"]
    code, text = shilu("register", "import", str(file), "--apply")
    assert code == 0
    assert "1 rows, 0 would change" in text
    file.write_bytes(file.read_bytes() + b"=1+1,x,y\n")
    code, text = shilu("register", "import", str(file), "--apply")
    assert code == 1
    assert "cell.formula" in text
    assert "nothing was changed" in text
    assert shilu("register", "import", str(tmp_path / "none.csv"))[0] == 2
