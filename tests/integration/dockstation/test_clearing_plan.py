"""The dry run of clearing says of every file what would become of it; clearing goes folder by folder."""

from __future__ import annotations

from pathlib import Path

from dockstation.agent import Options
from dockstation.reporting import report_json
from tests.support.dock_server import FakeService
from tests.support.dock_station import TestStation, clip_name, make_recorder, write_clip

DRY = Options(dry_run=True)


async def test_every_file_would_go_or_has_a_reason_to_stay(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    marked, changed = clip_name(9, mark="_IMP"), clip_name(1)
    write_clip(card, marked)
    assert (await station.once(card)).complete
    late = clip_name(20)
    write_clip(card, late)
    write_clip(card, changed, seed=99, age_ns=1_750_000_001 * 10**9)
    (outcome,) = (report := await station.once(card, send=False, clear=True, options=DRY)).outcomes
    assert [row.path for row in outcome.would_clear] == [clip_name(0)]
    reasons = dict(outcome.would_stay)
    assert reasons.keys() == {marked, late, changed}
    assert "marked by the officer" in reasons[marked]
    assert "no inventory" in reasons[late]
    assert "no inventory" in reasons[changed]
    assert len(list(card.rglob("*.mp4"))) == 4
    assert service.cleared == {}
    told = report_json(report, enrolment=station.state.load_enrolment(), seconds=0)
    assert {item["path"] for item in told["recorders"][0]["would_stay"]} == reasons.keys()  # type: ignore[index]


async def test_the_margin_and_a_missing_receipt_are_reasons(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    assert (await station.once(card)).complete
    (outcome,) = (await station.once(card, send=False, clear=True, options=DRY, keep_hours=24.0)).outcomes
    assert outcome.would_clear == ()
    assert all("kept until" in reason for _, reason in outcome.would_stay)
    (first, second) = sorted(station.state.receipts.iterdir())
    first.unlink()
    (outcome,) = (await station.once(card, send=False, clear=True, options=DRY)).outcomes
    assert len(outcome.would_clear) == 1
    assert ["its receipt is no longer" in reason for _, reason in outcome.would_stay] == [True]
    assert second.exists()


async def test_unreceipted_and_refused_files_stay(service: FakeService, station: TestStation, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=1)
    service.faults.receipt_later = 10_000
    await station.once(card, receipt_seconds=0.1, patience_seconds=0.3)
    (outcome,) = (await station.once(card, send=False, clear=True, options=DRY, patience_seconds=0.1)).outcomes
    assert "no verified receipt yet (sealed)" in dict(outcome.would_stay)[clip_name(0)]
    assert outcome.would_clear == ()


async def test_one_folder_is_stated_before_the_next_is_begun(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    card = tmp_path / "card"
    for index, folder in enumerate(("b", "a", "b", "c")):
        write_clip(card, clip_name(index).replace("DCIM", folder))
    assert (await station.once(card, clear=True)).complete
    lists = [[file.path.partition("/")[0] for file in cleared.files] for cleared in service.cleared.values()]
    assert lists == [["a"], ["b", "b"], ["c"]]
