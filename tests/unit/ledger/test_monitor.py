"""A monitor names each kind of misbehaviour under its code, and an honest log under none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from ledger.canonical import Entry, encode_entry
from ledger.findings import Finding
from ledger.mirror import findings as codes
from ledger.mirror.findings import FINDINGS
from ledger.mirror.folder import FollowFolder
from ledger.mirror.monitor import Monitor, MonitorSettings
from ledger.mirror.source import FolderSource
from ledger.policy import Policy
from tests.support.published_log import PublishedLog, policy_of, witness_of

NOW = 1_800_000_000
W0, W1 = witness_of("first"), witness_of("second")


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "log")


@pytest.fixture
def state(tmp_path: Path) -> Iterator[FollowFolder]:
    folder = FollowFolder(tmp_path / "state")
    with folder.opened():
        yield folder


async def look(
    log: PublishedLog,
    state: FollowFolder | None,
    *,
    now: float = NOW,
    policy: Policy | None = None,
    settings: MonitorSettings | None = None,
) -> list[Finding]:
    """Look as a program that has just been started does."""
    monitor = Monitor(
        FolderSource(log.root), policy or log.policy, settings=settings or MonitorSettings(), folder=state
    )
    return [finding async for finding in monitor.look(now=now)]


def codes_of(findings: list[Finding]) -> list[str]:
    assert {finding.code for finding in findings} <= FINDINGS.keys()
    return [finding.code for finding in findings]


async def test_an_honest_log_is_followed_through_its_growth(log: PublishedLog, state: FollowFolder) -> None:
    for count in (0, 1, 300, 700, 0):
        log.grow(count)
        assert codes_of(await look(log, state)) == [codes.FOLLOWED]
    assert state.kept() in log.notes


async def test_a_way_back_is_named_and_both_checkpoints_are_kept(log: PublishedLog, state: FollowFolder) -> None:
    early, late = log.grow(10), log.grow(10)
    await look(log, state)
    log.write("checkpoint", early)
    (finding,) = await look(log, state)
    assert finding.code == codes.ROLLED_BACK
    assert Path(str(finding.details["kept"])).read_bytes() == late
    assert Path(str(finding.details["offending"])).read_bytes() == early
    assert state.kept() == late


@pytest.mark.parametrize("size", [20, 21, 600])
async def test_a_fork_is_named(size: int, log: PublishedLog, state: FollowFolder, tmp_path: Path) -> None:
    log.grow(20)
    await look(log, state)
    fork = PublishedLog(tmp_path / "fork", salt="false")
    fork.grow(size)
    (finding,) = await look(fork, state)
    assert finding.code == codes.FORKED
    assert "kept" in finding.details


async def test_without_a_folder_it_remembers_while_it_runs(log: PublishedLog) -> None:
    early = log.grow(10)
    log.grow(10)
    monitor = Monitor(FolderSource(log.root), log.policy, settings=MonitorSettings())
    assert codes_of([finding async for finding in monitor.look(now=NOW)]) == [codes.FOLLOWED]
    log.write("checkpoint", early)
    assert codes_of([finding async for finding in monitor.look(now=NOW)]) == [codes.ROLLED_BACK]


@pytest.mark.parametrize(
    ("change", "code", "subject"),
    [
        (lambda log: log.flip("tile/0/001"), codes.TILE_ALTERED, "tile/0/001"),
        (lambda log: log.flip("tile/entries/002"), codes.ENTRY_ALTERED, "tile/entries/002"),
        (lambda log: log.cut("tile/entries/000"), codes.BUNDLE_MALFORMED, "tile/entries/000"),
        (lambda log: log.remove("tile/entries/003"), codes.BUNDLE_MISSING, "tile/entries/003"),
        (lambda log: log.remove("tile/0/003"), codes.TILE_MISSING, "tile/0/003"),
    ],
)
async def test_what_changed_after_it_was_seen_comes_up_in_turn(
    change: Callable[[PublishedLog], None], code: str, subject: str, log: PublishedLog, state: FollowFolder
) -> None:
    log.grow(1300)
    assert codes_of(await look(log, state)) == [codes.FOLLOWED]
    change(log)
    named: set[tuple[str, str]] = set()
    for _ in range(6):
        findings = await look(log, state, settings=MonitorSettings(bundles=1))
        named |= {(finding.code, finding.subject) for finding in findings if finding.code != codes.FOLLOWED}
    assert named == {(code, subject)}


async def test_missing_cosignatures_are_an_error_below_the_quorum_only(log: PublishedLog, state: FollowFolder) -> None:
    policy = policy_of(log.signer, [W0, W1], quorum="1")
    log.grow(3)
    assert codes_of(await look(log, state, policy=policy)) == [codes.COSIGNATURES_MISSING]
    assert state.kept() is None
    log.sign(witnesses=[W1], at=NOW)
    assert codes_of(await look(log, state, policy=policy)) == [codes.WITNESS_SILENT, codes.FOLLOWED]
    log.sign(witnesses=[W0, W1], at=NOW)
    assert codes_of(await look(log, state, policy=policy)) == [codes.FOLLOWED]


async def test_a_standstill_is_measured_from_the_last_news(log: PublishedLog, state: FollowFolder) -> None:
    settings = MonitorSettings(stalled_seconds=600)
    log.grow(3)
    assert codes_of(await look(log, state, settings=settings)) == [codes.FOLLOWED]
    assert codes_of(await look(log, state, settings=settings, now=NOW + 600)) == [codes.FOLLOWED]
    assert codes_of(await look(log, state, settings=settings, now=NOW + 601)) == [codes.STALLED, codes.FOLLOWED]
    log.grow(1)
    assert codes_of(await look(log, state, settings=settings, now=NOW + 700)) == [codes.FOLLOWED]


async def test_a_standstill_shows_at_the_first_look_in_old_cosignatures(log: PublishedLog) -> None:
    policy, settings = policy_of(log.signer, [W0], quorum="w0"), MonitorSettings(stalled_seconds=600)
    log.grow(3, witnesses=[W0], at=NOW - 601)
    assert codes_of(await look(log, None, policy=policy, settings=settings)) == [codes.STALLED, codes.FOLLOWED]
    log.sign(witnesses=[W0], at=NOW - 5)
    assert codes_of(await look(log, None, policy=policy, settings=settings)) == [codes.FOLLOWED]


async def test_a_fresh_cosignature_ends_a_standstill(log: PublishedLog, state: FollowFolder) -> None:
    policy, settings = policy_of(log.signer, [W0], quorum="w0"), MonitorSettings(stalled_seconds=600)
    log.grow(3, witnesses=[W0], at=NOW)
    await look(log, state, policy=policy, settings=settings)
    log.sign(witnesses=[W0], at=NOW + 1000)
    found = await look(log, state, policy=policy, settings=settings, now=NOW + 1001)
    assert codes_of(found) == [codes.FOLLOWED]


async def test_clocks_that_disagree_are_named_on_either_side(log: PublishedLog, state: FollowFolder) -> None:
    policy = policy_of(log.signer, [W0], quorum="w0")
    log.grow(3, witnesses=[W0], at=NOW + 301)
    assert codes_of(await look(log, state, policy=policy)) == [codes.CLOCK_BEHIND, codes.FOLLOWED]
    log.grow(3, witnesses=[W0], at=NOW + 400)
    later = NOW + 5000
    assert codes_of(await look(log, state, policy=policy, now=later)) == [codes.FOLLOWED]
    log.grow(3, witnesses=[W0], at=NOW + 4000)
    assert codes_of(await look(log, state, policy=policy, now=later + 60)) == [codes.CLOCK_AHEAD, codes.FOLLOWED]


async def test_a_log_that_is_away_is_named_and_stands_still(log: PublishedLog, state: FollowFolder) -> None:
    settings = MonitorSettings(stalled_seconds=600)
    log.grow(3)
    await look(log, state, settings=settings)
    log.root.rename(log.root.with_name("moved"))
    assert codes_of(await look(log, state, settings=settings, now=NOW + 60)) == [codes.UNREACHABLE]
    found = await look(log, state, settings=settings, now=NOW + 700)
    assert codes_of(found) == [codes.UNREACHABLE, codes.STALLED]


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'{"changed_at": 1, "other": 2}'])
async def test_a_damaged_memory_is_begun_anew(raw: bytes, log: PublishedLog, state: FollowFolder) -> None:
    log.grow(3)
    await look(log, state)
    state.write("watch.json", raw)
    assert codes_of(await look(log, state)) == [codes.FOLLOWED]


def test_every_code_is_raised_by_a_test() -> None:
    places = [*Path(__file__).parent.glob("test_m*r.py"), Path(__file__).with_name("test_followed_keys.py")]
    tests = "".join(path.read_text("utf-8") for path in places)
    names = {name for name, value in vars(codes).items() if isinstance(value, str) and value in FINDINGS}
    assert not {name for name in names if f"codes.{name}" not in tests}


def dated(*seconds: float) -> list[bytes]:
    """Return entries that state these times."""
    return [
        encode_entry(
            Entry(
                type="clip.sealed",
                id=UUID(int=0x7 << 76 | 0x8 << 60 | number),
                at=datetime.fromtimestamp(second, UTC),
                actor="service",
                subject="log",
                commit=bytes(32),
            )
        )
        for number, second in enumerate(seconds)
    ]


async def test_dates_in_their_order_are_no_finding(log: PublishedLog, state: FollowFolder) -> None:
    log.add(dated(*(NOW - 5000 + place for place in range(600))))
    log.grow(5)  # of another form: states no time
    log.add(dated(NOW - 4700, NOW - 4500, NOW + 299))
    for _ in range(3):
        assert codes_of(await look(log, state, settings=MonitorSettings(bundles=1))) == [codes.FOLLOWED]


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(NOW + 301, codes.ENTRY_POSTDATED), (NOW - 3601, codes.ENTRY_BACKDATED), (NOW - 400, codes.ENTRY_LATE)],
)
async def test_an_entry_that_is_dated_by_hand_is_named(
    seconds: float, code: str, log: PublishedLog, state: FollowFolder
) -> None:
    log.add(dated(*[NOW] * 300))
    assert codes_of(await look(log, state)) == [codes.FOLLOWED]
    # The earlier entries do not come up in this look: what they said is remembered.
    log.grow(400)
    log.add(dated(seconds, NOW))
    found = await look(log, state, settings=MonitorSettings(bundles=1))
    assert codes_of(found) == [code, codes.FOLLOWED]
    assert found[0].subject == "entry:700"


async def test_a_dated_back_entry_is_named_again_when_its_bundle_comes_up(
    log: PublishedLog, state: FollowFolder
) -> None:
    log.add(dated(NOW, NOW - 7200, NOW))
    log.add(dated(*[NOW] * 300))
    for _ in range(2):
        assert codes_of(await look(log, state, settings=MonitorSettings(bundles=None))) == [
            codes.ENTRY_BACKDATED,
            codes.FOLLOWED,
        ]
    log.add(dated(NOW))
    assert codes_of(await look(log, state, settings=MonitorSettings(bundles=0))) == [codes.FOLLOWED]


@pytest.mark.parametrize(("seconds", "expected"), [(-700, []), (-600, [codes.ENTRY_POSTDATED])])
async def test_entries_are_not_younger_than_the_witnesses_saw_them(
    seconds: int, expected: list[str], log: PublishedLog
) -> None:
    policy = policy_of(log.signer, [W0], quorum="w0")
    log.add(dated(NOW - 1000, NOW + seconds), witnesses=[W0], at=NOW - 980)
    assert codes_of(await look(log, None, policy=policy)) == [*expected, codes.FOLLOWED]
