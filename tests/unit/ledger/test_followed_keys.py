"""A followed log changes its key: mirror and monitor go over by its statements, and believe no other key."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.errors import StorageConflict
from ledger.findings import Finding
from ledger.key_statement import Succession, sign_succession
from ledger.mirror import findings as codes
from ledger.mirror.folder import FollowFolder
from ledger.mirror.mirror import Mirror
from ledger.mirror.monitor import Monitor, MonitorSettings
from ledger.mirror.source import FolderSource
from ledger.policy import Policy
from tests.support.published_log import PublishedLog, policy_of, signer_of

FIRST, SECOND, THIRD, EVIL = (signer_of(seed) for seed in ("log", "second", "third", "evil"))


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    made = PublishedLog(tmp_path / "log")
    made.grow(20)
    return made


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FollowFolder]:
    opened = FollowFolder(tmp_path / "following")
    with opened.opened():
        yield opened


Look = Callable[[PublishedLog, FollowFolder, Policy], "list[Finding]"]


async def mirrored(log: PublishedLog, folder: FollowFolder, policy: Policy) -> list[str]:
    step = await Mirror(FolderSource(log.root), folder, policy).step()
    return [finding.code for finding in step.findings]


async def monitored(log: PublishedLog, folder: FollowFolder, policy: Policy) -> list[str]:
    monitor = Monitor(FolderSource(log.root), policy, settings=MonitorSettings(), folder=folder)
    return [finding.code async for finding in monitor.look(now=1000.0)]


FOLLOWERS = pytest.mark.parametrize("follow", [mirrored, monitored])


@FOLLOWERS
@pytest.mark.parametrize("anchor", [FIRST, SECOND, THIRD])
async def test_a_log_is_followed_through_its_keys_from_any_of_them(
    log: PublishedLog, folder: FollowFolder, follow: Look, anchor: object
) -> None:
    policy = policy_of(anchor)  # type: ignore[arg-type]  # one of the signers above
    steps: list[Callable[[], object]] = [
        lambda: log.follow(SECOND),
        lambda: log.grow(300),
        log.retire,
        lambda: log.grow(7),
        lambda: log.follow(THIRD),
        lambda: log.grow(5),
        log.retire,
        lambda: log.grow(300),
    ]
    known = anchor is FIRST
    for step in steps:
        step()
        known = known or (anchor is SECOND and len(log.statements) >= 1) or len(log.statements) >= 3
        found = await follow(log, folder, policy)  # type: ignore[misc]
        if known:
            assert found == [codes.FOLLOWED]
        else:
            # Nothing leads to the key that is trusted yet.
            assert found in ([codes.KEYS_FALSE], [codes.CHECKPOINT_SIGNATURE])


@FOLLOWERS
async def test_a_copy_holds_the_statements_and_can_itself_be_followed(
    log: PublishedLog, folder: FollowFolder, follow: Look, tmp_path: Path
) -> None:
    log.follow(SECOND)
    log.grow(10)
    log.retire()
    log.grow(10)
    assert await mirrored(log, folder, policy_of(FIRST)) == [codes.FOLLOWED]
    assert [(folder.root / f"keys/{place}").read_bytes() for place in (1, 2)] == log.statements
    copy = PublishedLog(folder.root)
    second = FollowFolder(tmp_path / "second")
    with second.opened():
        assert await follow(copy, second, policy_of(FIRST)) == [codes.FOLLOWED]  # type: ignore[misc]


@FOLLOWERS
async def test_a_stolen_key_is_named_once_its_end_is_known(
    log: PublishedLog, folder: FollowFolder, follow: Look
) -> None:
    policy = policy_of(FIRST)
    log.follow(SECOND)
    log.grow(10)
    thief = log.retire()
    assert await follow(log, folder, policy) == [codes.FOLLOWED]  # type: ignore[misc]
    log.signer = thief
    log.grow(10)
    assert await follow(log, folder, policy) == [codes.KEY_RETIRED]  # type: ignore[misc]
    # What is known is not forgotten when the source forgets it.
    shutil.rmtree(log.root / "keys")
    assert await follow(log, folder, policy) == [codes.KEY_RETIRED]  # type: ignore[misc]


@FOLLOWERS
async def test_a_key_that_signs_before_it_begins_is_named(
    log: PublishedLog, folder: FollowFolder, follow: Look
) -> None:
    log.follow(SECOND)
    log.elder = None
    log.sign()
    assert await follow(log, folder, policy_of(FIRST)) == [codes.KEY_RETIRED]  # type: ignore[misc]


@FOLLOWERS
async def test_no_key_is_believed_without_a_chain(log: PublishedLog, folder: FollowFolder, follow: Look) -> None:
    log.signer = EVIL
    log.grow(3)
    assert await follow(log, folder, policy_of(FIRST)) == [codes.CHECKPOINT_SIGNATURE]  # type: ignore[misc]
    own = sign_succession(Succession(1, THIRD.verifier, EVIL.verifier, 20), old=THIRD, new=EVIL)
    log.state(own)
    assert await follow(log, folder, policy_of(FIRST)) == [codes.KEYS_FALSE]  # type: ignore[misc]


@FOLLOWERS
@pytest.mark.parametrize("damage", [b"", b"x", b"\xff", "cut", "told twice", "out of its place", "a branch"])
async def test_false_statements_are_named_and_nothing_of_them_is_kept(
    log: PublishedLog, folder: FollowFolder, follow: Look, damage: bytes | str
) -> None:
    log.follow(SECOND)
    log.grow(10)
    policy = policy_of(FIRST)
    assert await follow(log, folder, policy) == [codes.FOLLOWED]  # type: ignore[misc]
    made = {
        "cut": log.statements[0][:-9],
        "told twice": log.statements[0],
        "out of its place": sign_succession(Succession(3, SECOND.verifier, THIRD.verifier, 30), old=SECOND, new=THIRD),
        "a branch": sign_succession(Succession(2, FIRST.verifier, EVIL.verifier, 30), old=FIRST, new=EVIL),
    }
    log.write("keys/2", damage if isinstance(damage, bytes) else made[damage])
    assert await follow(log, folder, policy) == [codes.KEYS_FALSE]  # type: ignore[misc]
    assert (folder.root / "keys/1").exists()
    assert not (folder.root / "keys/2").exists()
    log.retire()
    log.grow(10)
    assert await follow(log, folder, policy) == [codes.FOLLOWED]  # type: ignore[misc]


async def test_an_altered_statement_of_the_copy_is_not_believed(log: PublishedLog, folder: FollowFolder) -> None:
    log.follow(SECOND)
    log.grow(10)
    assert await mirrored(log, folder, policy_of(FIRST)) == [codes.FOLLOWED]
    PublishedLog(folder.root).flip("keys/1")
    assert await mirrored(log, folder, policy_of(FIRST)) == [codes.KEYS_FALSE]
    with pytest.raises(StorageConflict):
        await folder.copy.put_immutable({"keys/1": log.statements[0]})
