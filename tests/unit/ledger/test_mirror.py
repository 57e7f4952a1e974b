"""A mirror keeps what was proved, names what was not, and never goes back: against folders, without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.findings import is_clean
from ledger.mirror import findings as codes
from ledger.mirror.errors import MirrorBusy, SourceUnreachable
from ledger.mirror.folder import FollowFolder
from ledger.mirror.mirror import Mirror, Step
from ledger.mirror.signed_tree import SignedTree
from ledger.mirror.source import FILE_BYTES_MAX, FolderSource, LogSource
from ledger.note import Verifier
from ledger.policy import Policy
from ledger.publish import stored_checkpoint
from tests.support.crash import Crash
from tests.support.published_log import PublishedLog, files_of, policy_of, signer_of, witness_of
from tests.support.shared import shared_folder

TESSERA = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


@pytest.fixture
def log(tmp_path: Path) -> PublishedLog:
    return PublishedLog(tmp_path / "log")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[FollowFolder]:
    opened = FollowFolder(tmp_path / "mirror")
    with opened.opened():
        yield opened


async def step(
    log: PublishedLog, folder: FollowFolder, *, policy: Policy | None = None, root: Path | None = None
) -> Step:
    return await Mirror(FolderSource(root or log.root), folder, policy or log.policy).step()


def codes_of(step: Step) -> list[str]:
    return [finding.code for finding in step.findings]


async def assert_true_copy(folder: FollowFolder, log: PublishedLog) -> None:
    """Everything kept is, byte for byte, what the honest log published; its checkpoint's tree is complete."""
    kept, honest = files_of(folder.root), files_of(log.root)
    kept.pop("checkpoint", None)
    assert not {path for path, data in kept.items() if honest.get(path) != data}
    if (note := folder.kept()) is not None:
        assert note in log.notes
        tree = SignedTree(folder.copy, stored_checkpoint(note))
        for index in range(-(-tree.checkpoint.size // 256)):
            await tree.entries(index)


# An honest log


@pytest.mark.parametrize("sizes", [[0], [1], [255, 1], [256, 1], [1, 700, 1, 256, 300]])
async def test_the_copy_is_the_log_at_every_step(log: PublishedLog, folder: FollowFolder, sizes: list[int]) -> None:
    for count in sizes:
        log.grow(count)
        taken = await step(log, folder)
        assert codes_of(taken) == [codes.FOLLOWED]
        assert taken.kept is not None
        assert (taken.kept.size, taken.added) == (log.edge.size, count)
        assert folder.kept() == log.notes[-1]
        assert folder.following() is None
    await assert_true_copy(folder, log)


async def test_a_step_without_news_changes_nothing(log: PublishedLog, folder: FollowFolder) -> None:
    log.grow(300)
    await step(log, folder)
    before = files_of(folder.root)
    assert codes_of(await step(log, folder)) == [codes.FOLLOWED]
    assert files_of(folder.root) == before


async def test_partial_files_that_nobody_needs_any_more_go(log: PublishedLog, folder: FollowFolder) -> None:
    for _ in range(12):
        log.grow(100)
        await step(log, folder)
    assert not (folder.root / "tile/0/000.p").exists()
    assert not (folder.root / "tile/entries/001.p").exists()
    assert (folder.root / "tile/0/004.p").is_dir()
    await assert_true_copy(folder, log)


async def test_a_log_of_another_implementation_is_mirrored_byte_for_byte(folder: FollowFolder, tmp_path: Path) -> None:
    vectors = shared_folder("vectors", "tessera-log")
    policy = Policy.parse(f"log {Verifier.parse(TESSERA).vkey}\nquorum none\n")

    class AtSize(FolderSource):
        size = 0

        async def get(self, path: str) -> bytes | None:
            return await super().get(f"checkpoint.{self.size}" if path == "checkpoint" else path)

    source = AtSize(vectors)
    for source.size in range(16):
        taken = await Mirror(source, folder, policy).step()
        assert codes_of(taken) == [codes.FOLLOWED], taken.findings
    assert files_of(folder.root) == files_of(vectors)


async def test_a_mirror_can_be_mirrored(log: PublishedLog, folder: FollowFolder, tmp_path: Path) -> None:
    log.grow(1000)
    await step(log, folder)
    second = FollowFolder(tmp_path / "second")
    with second.opened():
        assert is_clean((await step(log, second, root=folder.root)).findings)
    assert files_of(second.root) == files_of(folder.root)


async def test_a_source_that_dropped_partial_files_for_full_ones_is_followed(
    log: PublishedLog, folder: FollowFolder
) -> None:
    early = log.grow(300)
    log.grow(500)
    dropped = {path: (log.root / path).read_bytes() for path in ("tile/0/001.p/44", "tile/entries/001.p/44")}
    for path in dropped:
        (log.root / path).unlink()
    log.write("checkpoint", early)
    assert codes_of(await step(log, folder)) == [codes.FOLLOWED]
    assert dropped.items() <= files_of(folder.root).items()


async def test_cosignatures_are_asked_for_and_fresher_ones_are_kept(log: PublishedLog, folder: FollowFolder) -> None:
    first, second = witness_of("first"), witness_of("second")
    policy = policy_of(log.signer, [first, second], quorum="1")
    log.grow(5)
    assert codes_of(await step(log, folder, policy=policy)) == [codes.COSIGNATURES_MISSING]
    assert folder.kept() is None
    log.sign(witnesses=[first], at=1000)
    assert codes_of(await step(log, folder, policy=policy)) == [codes.WITNESS_SILENT, codes.FOLLOWED]
    fresh = log.sign(witnesses=[first, second], at=2000)
    assert codes_of(await step(log, folder, policy=policy)) == [codes.FOLLOWED]
    log.sign(witnesses=[first, second], at=1500)
    await step(log, folder, policy=policy)
    assert folder.kept() == fresh


# A log that is not what it signs

_SIZE = 66_000
"""Three levels: 257 full tiles and a partial one, a full one and a partial one above, a partial one on top."""

TAMPERS: dict[str, tuple[Callable[[PublishedLog], object], str, str]] = {
    "full tile, one bit": (lambda log: log.flip("tile/0/007"), codes.TILE_ALTERED, "tile/0/007"),
    "full tile, cut": (lambda log: log.cut("tile/0/007", by=32), codes.TILE_ALTERED, "tile/0/007"),
    "full tile, gone": (lambda log: log.remove("tile/0/200"), codes.TILE_MISSING, "tile/0/200"),
    "upper tile, one bit": (lambda log: log.flip("tile/1/000"), codes.TILE_ALTERED, "tile/1/000"),
    "upper partial tile, one bit": (lambda log: log.flip("tile/1/001.p/1", at=3), codes.TILE_ALTERED, "tile/1/001.p/1"),
    "top tile, one bit": (lambda log: log.flip("tile/2/000.p/1"), codes.TILE_ALTERED, "tile/2/000.p/1"),
    "last tile, one bit": (lambda log: log.flip("tile/0/257.p/208"), codes.TILE_ALTERED, "tile/0/257.p/208"),
    "last tile, gone": (lambda log: log.remove("tile/0/257.p/208"), codes.TILE_MISSING, "tile/0/257.p/208"),
    "last tile, empty": (lambda log: log.write("tile/0/257.p/208", b""), codes.TILE_ALTERED, "tile/0/257.p/208"),
    "bundle, one bit": (lambda log: log.flip("tile/entries/100"), codes.ENTRY_ALTERED, "tile/entries/100"),
    "bundle, a length": (lambda log: log.flip("tile/entries/100", at=1), codes.BUNDLE_MALFORMED, "tile/entries/100"),
    "bundle, cut": (lambda log: log.cut("tile/entries/100"), codes.BUNDLE_MALFORMED, "tile/entries/100"),
    "bundle, longer": (
        lambda log: log.write("tile/entries/100", (log.root / "tile/entries/100").read_bytes() + b"\0\0"),
        codes.BUNDLE_MALFORMED,
        "tile/entries/100",
    ),
    "bundle of another place": (
        lambda log: log.write("tile/entries/100", (log.root / "tile/entries/101").read_bytes()),
        codes.ENTRY_ALTERED,
        "tile/entries/100",
    ),
    "bundle, gone": (lambda log: log.remove("tile/entries/100"), codes.BUNDLE_MISSING, "tile/entries/100"),
    "last bundle, one bit": (
        lambda log: log.flip("tile/entries/257.p/208"),
        codes.ENTRY_ALTERED,
        "tile/entries/257.p/208",
    ),
    "last bundle, gone": (
        lambda log: log.remove("tile/entries/257.p/208"),
        codes.BUNDLE_MISSING,
        "tile/entries/257",
    ),
    "checkpoint, gone": (lambda log: log.remove("checkpoint"), codes.CHECKPOINT_MISSING, "checkpoint"),
    "checkpoint, cut": (lambda log: log.cut("checkpoint"), codes.CHECKPOINT_MALFORMED, "checkpoint"),
    "checkpoint, one bit of the root": (
        lambda log: log.flip("checkpoint", at=35),
        codes.CHECKPOINT_SIGNATURE,
        "checkpoint",
    ),
    "checkpoint, a web page": (
        lambda log: log.write("checkpoint", b"<html>log in first</html>\n"),
        codes.CHECKPOINT_MALFORMED,
        "checkpoint",
    ),
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> PublishedLog:
    """A large log that nobody changes."""
    log = PublishedLog(tmp_path_factory.mktemp("grown") / "log")
    log.grow(_SIZE)
    return log


@pytest.fixture
def tampered(grown: PublishedLog, tmp_path: Path) -> PublishedLog:
    """The same log in a folder of its own; files are replaced, never written into, so links are enough."""
    copy = PublishedLog(tmp_path / "tampered")
    for path in files_of(grown.root):
        (copy.root / path).parent.mkdir(parents=True, exist_ok=True)
        (copy.root / path).hardlink_to(grown.root / path)
    return copy


@pytest.mark.parametrize("what", TAMPERS)
async def test_every_change_at_the_source_is_named_and_nothing_false_is_kept(
    what: str, tampered: PublishedLog, grown: PublishedLog, folder: FollowFolder
) -> None:
    tamper, code, subject = TAMPERS[what]
    tamper(tampered)
    found = (await step(tampered, folder)).findings
    assert [(finding.code, finding.subject) for finding in found] == [(code, subject)]
    assert folder.kept() is None
    await assert_true_copy(folder, grown)
    assert codes_of(await step(grown, folder)) == [codes.FOLLOWED], "it goes on once the source is whole"
    await assert_true_copy(folder, grown)


async def test_tiles_that_fit_each_other_but_not_the_signature_are_refused(
    log: PublishedLog, folder: FollowFolder, tmp_path: Path
) -> None:
    log.grow(600)
    liar = PublishedLog(tmp_path / "liar", salt="false")
    liar.grow(600)
    liar.write("checkpoint", log.notes[-1])
    assert codes_of(await step(liar, folder)) == [codes.ROOT_UNPROVED]
    assert folder.kept() is None
    assert not (folder.root / "tile").exists()


async def test_another_key_and_another_origin_are_not_believed(
    log: PublishedLog, folder: FollowFolder, tmp_path: Path
) -> None:
    other_key = PublishedLog(tmp_path / "key", signer=signer_of("forger"))
    other_key.grow(3)
    assert codes_of(await step(other_key, folder, policy=log.policy)) == [codes.CHECKPOINT_SIGNATURE]
    stranger = PublishedLog(tmp_path / "stranger", signer=signer_of("stranger", name="example.com/other"))
    stranger.grow(3)
    assert codes_of(await step(stranger, folder, policy=log.policy)) == [codes.CHECKPOINT_SIGNATURE]
    both = Policy.parse(
        f"log {log.signer.verifier.vkey}\nlog {stranger.signer.verifier.vkey}\nquorum none\n"
    )  # fmt: skip
    log.grow(3)
    assert codes_of(await step(log, folder, policy=both)) == [codes.FOLLOWED]
    assert codes_of(await step(stranger, folder, policy=both)) == [codes.ORIGIN_DIFFERS]
    assert folder.kept() == log.notes[-1]


# Rolled back, forked


def _evidence(folder: FollowFolder) -> dict[str, bytes]:
    return {path.suffix: path.read_bytes() for path in (folder.root / "evidence").iterdir()}


async def test_a_way_back_is_refused_and_both_checkpoints_are_kept(log: PublishedLog, folder: FollowFolder) -> None:
    early = log.grow(300)
    late = log.grow(300)
    await step(log, folder)
    log.write("checkpoint", early)
    (finding,) = (await step(log, folder)).findings
    assert finding.code == codes.ROLLED_BACK
    assert _evidence(folder) == {".kept": late, ".offending": early}
    assert Path(str(finding.details["offending"])).read_bytes() == early
    assert folder.kept() == late
    await step(log, folder)
    assert len(list((folder.root / "evidence").iterdir())) == 2, "the same pair is kept once"


@pytest.mark.parametrize("size", [1, 250, 299, 300, 301, 600, 1000])
async def test_a_fork_signed_with_the_same_key_is_refused_at_every_size(
    size: int, log: PublishedLog, folder: FollowFolder, tmp_path: Path
) -> None:
    log.grow(300)
    await step(log, folder)
    fork = PublishedLog(tmp_path / "fork", salt="false")
    offending = fork.grow(size)
    (finding,) = (await step(fork, folder)).findings
    assert finding.code == codes.FORKED
    assert _evidence(folder) == {".kept": log.notes[-1], ".offending": offending}
    assert folder.kept() == log.notes[-1]
    log.grow(10)
    assert codes_of(await step(log, folder)) == [codes.FOLLOWED]
    await assert_true_copy(folder, log)


async def test_a_fork_late_in_a_long_log_is_seen(log: PublishedLog, folder: FollowFolder, tmp_path: Path) -> None:
    fork = PublishedLog(tmp_path / "fork")
    log.grow(900)
    fork.grow(899)
    fork.grow(1, salt="false")
    log.grow(100)
    fork.grow(300)
    await step(log, folder)
    assert codes_of(await step(fork, folder)) == [codes.FORKED]


# Crashes and other bad days


class Dying:
    """A source that ends the process at a request."""

    def __init__(self, source: LogSource, *, requests: int) -> None:
        self._source = source
        self._left = requests

    async def get(self, path: str) -> bytes | None:
        if not self._left:
            raise Crash(path)
        self._left -= 1
        return await self._source.get(path)


async def test_a_mirror_that_dies_at_any_request_goes_on(log: PublishedLog, tmp_path: Path) -> None:
    log.grow(300)
    first = FolderSource(log.root)
    with FollowFolder(tmp_path / "m").opened():
        await Mirror(first, FollowFolder(tmp_path / "m"), log.policy).step()
    log.grow(1500)
    for requests in range(40):
        with (folder := FollowFolder(tmp_path / "m")).opened():
            try:
                await Mirror(Dying(FolderSource(log.root), requests=requests), folder, log.policy).step()
            except Crash:
                await assert_true_copy(folder, log)
            else:
                break
    assert requests < 39
    assert folder.kept() == log.notes[-1]


async def test_what_was_fetched_before_a_crash_is_not_fetched_again(log: PublishedLog, folder: FollowFolder) -> None:
    log.grow(256 * 20)
    with pytest.raises(Crash):
        await Mirror(Dying(FolderSource(log.root), requests=25), folder, log.policy).step()
    have = set(files_of(folder.root)) if folder.kept() else set()
    have |= {path.relative_to(folder.root).as_posix() for path in (folder.root / "tile").rglob("*") if path.is_file()}
    asked: list[str] = []

    class Counting(FolderSource):
        async def get(self, path: str) -> bytes | None:
            asked.append(path)
            return await super().get(path)

    await Mirror(Counting(log.root), folder, log.policy).step()
    bundles = {path for path in have if path.startswith("tile/entries/")}
    assert bundles
    assert bundles.isdisjoint(asked)


async def test_a_fork_shown_after_a_crash_is_known_for_one(
    log: PublishedLog, folder: FollowFolder, tmp_path: Path
) -> None:
    """The believed checkpoint is on disk before its files, so the promise it made survives the crash."""
    offended = log.grow(1000)
    with pytest.raises(Crash):
        await Mirror(Dying(FolderSource(log.root), requests=8), folder, log.policy).step()
    assert folder.kept() is None
    fork = PublishedLog(tmp_path / "fork", salt="false")
    fork.grow(1200)
    assert codes_of(await step(fork, folder)) == [codes.FORKED]
    assert _evidence(folder)[".kept"] == offended


@pytest.mark.parametrize("path", ["tile/0/001.p/44", "tile/entries/001.p/44", "checkpoint", "tile/1/000.p/1"])
async def test_a_copy_that_was_altered_is_named_and_not_built_upon(
    path: str, log: PublishedLog, folder: FollowFolder
) -> None:
    log.grow(300)
    await step(log, folder)
    raw = bytearray((folder.root / path).read_bytes())
    raw[30] ^= 1
    (folder.root / path).chmod(0o644)
    (folder.root / path).write_bytes(raw)
    log.grow(100)
    assert codes_of(await step(log, folder)) == [codes.COPY_ALTERED]


async def test_a_source_that_is_away_is_named(log: PublishedLog, folder: FollowFolder, tmp_path: Path) -> None:
    assert codes_of(await step(log, folder, root=tmp_path / "nowhere")) == [codes.UNREACHABLE]


async def test_a_file_without_end_is_not_read(log: PublishedLog, tmp_path: Path) -> None:
    log.grow(1)
    with (log.root / "endless").open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    with pytest.raises(SourceUnreachable):
        await FolderSource(log.root).get("endless")


async def test_a_copy_that_cannot_be_written_is_named(log: PublishedLog, folder: FollowFolder) -> None:
    log.grow(300)
    (folder.root / "tile").write_bytes(b"in the way")
    assert codes_of(await step(log, folder)) == [codes.COPY_UNWRITABLE]
    (folder.root / "tile").unlink()
    assert codes_of(await step(log, folder)) == [codes.FOLLOWED]
    await assert_true_copy(folder, log)


def test_one_process_follows_into_a_folder(folder: FollowFolder) -> None:
    with pytest.raises(MirrorBusy), FollowFolder(folder.root).opened():
        pass
