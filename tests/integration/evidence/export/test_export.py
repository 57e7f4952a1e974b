"""Export of a clip: what comes out verifies offline, and nothing comes out without a trace."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shlex
import subprocess
import threading
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from evidence.core.durable import TEMPORARY_PREFIX
from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from evidence.core.wire.receipt import parse_receipt
from evidence.custody.store import find_payload
from evidence.custody.timestamps import TimestampBook
from evidence.errors import ClipUnknown, EvidenceDamaged, ExportTargetTaken, ExportTargetUnusable, ReceiptPending
from evidence.export.clip import Exported, Exporter
from evidence.verify.cli import main
from evidence.verify.docks import parse_chain
from evidence.verify.page.page import page_bytes
from ledger.canonical import JsonObject
from ledger.cosignature import Cosigner
from ledger.note import Note, Signer, format_note, parse_note
from ledger.policy import Policy
from ledger.proof import parse_proof
from ledger.publish import stored_checkpoint
from ledger.stamping import Stamp
from ledger.timestamp.stamp import make_request, open_stamp
from tests.support.paper_log import seeded_signer
from tests.support.small_house import CONTENTS, ORIGIN, SmallHouse, superuser
from tests.support.time_authority import make_stamper

FIRST, SECOND, STILL = CONTENTS
STAFF = "staff:0195a000-0000-7000-8000-000000000001"


def exporter_of(house: SmallHouse, *, policy: Policy | None = None) -> Exporter:
    return Exporter(
        pool=house.pool,
        reader=house.reader,
        objects=house.objects,
        policy=policy or house.policy,
        clock=house.clock,
        entropy=house.entropy,
    )


async def export(house: SmallHouse, name: str, target: Path, *, policy: Policy | None = None) -> Exported:
    return await exporter_of(house, policy=policy).export_clip(
        clip=house.clips[name], target=target, actor=STAFF, purpose="litigation"
    )


@pytest.mark.parametrize("name", CONTENTS)
async def test_an_exported_clip_verifies_offline(house: SmallHouse, name: str, tmp_path: Path) -> None:
    exported = await export(house, name, tmp_path / "out")
    assert exported.file.read_bytes() == CONTENTS[name]
    assert main(["--log-key", house.signer.verifier.vkey, str(exported.folder)]) == 0


async def test_the_folder_holds_what_a_stranger_needs_and_says_so(house: SmallHouse, tmp_path: Path) -> None:
    exported = await export(house, SECOND, tmp_path / "out")
    names = sorted(path.name for path in exported.folder.iterdir())
    ours = ["log.policy", "README.txt", "verify.html"]
    assert names == sorted([SECOND, f"{SECOND}.receipt", f"{SECOND}.leaves", f"{SECOND}.dock", *ours])
    assert (exported.folder / "verify.html").read_bytes() == page_bytes()
    readme = (exported.folder / "README.txt").read_text(encoding="utf-8")
    assert hashlib.sha256(CONTENTS[SECOND]).hexdigest() in readme
    assert "shilu-verify --log-key" in readme
    assert str(tmp_path) not in readme


async def test_the_trace_names_every_file_with_its_digest(house: SmallHouse, tmp_path: Path) -> None:
    exported = await export(house, FIRST, tmp_path / "out")
    async with house.pool.acquire() as conn:
        stored = await find_payload(conn, exported.entry_id)
    assert stored is not None
    assert (stored.type, stored.actor, stored.subject) == ("clip.exported", STAFF, f"clip:{house.clips[FIRST]}")
    trace: dict[str, Any] = json.loads(stored.payload)
    assert trace["purpose"] == "litigation"
    assert {file["name"]: (file["sha256"], file["size"]) for file in trace["files"]} == {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_size)
        for path in exported.folder.iterdir()
    }


async def test_the_trace_comes_first(house: SmallHouse, tmp_path: Path) -> None:
    before = await traces(house)
    with pytest.raises(ExportTargetUnusable):
        await export(house, FIRST, tmp_path / "missing" / "out")
    assert await traces(house) == before + 1, "the intent is on record although the place could not be written"


async def test_what_cannot_begin_leaves_no_trace(house: SmallHouse, tmp_path: Path) -> None:
    before = await traces(house)
    (tmp_path / "taken").mkdir()
    with pytest.raises(ExportTargetTaken):
        await export(house, FIRST, tmp_path / "taken")
    house.clips["unknown"] = UUID("0195a000-0000-7000-8000-0000000000ff")
    with pytest.raises(ClipUnknown):
        await export(house, "unknown", tmp_path / "out")
    house.clips["late"] = await house.seal("late.mp4", b"late")
    with pytest.raises(ReceiptPending):
        await export(house, "late", tmp_path / "out")
    assert await traces(house) == before


async def test_a_name_is_made_safe_and_told_as_it_came(house: SmallHouse, tmp_path: Path) -> None:
    name = "..\\..\\CON\u202e"
    house.clips[name] = await house.seal(name, b"hostile")
    await house.publish()
    exported = await export(house, name, tmp_path / "out")
    assert exported.file.name == "CON_"
    assert exported.file.parent == tmp_path / "out"
    assert "..\\..\\CON\\u202e" in (exported.folder / "README.txt").read_text(encoding="utf-8")
    assert main(["--log-key", house.signer.verifier.vkey, str(exported.folder)]) == 0


async def test_a_flipped_byte_in_the_store_is_not_exported(house: SmallHouse, tmp_path: Path) -> None:
    spoil(house.object_path(FIRST), 2 * 1024 * 1024 + 5)
    with pytest.raises(EvidenceDamaged) as caught:
        await export(house, FIRST, tmp_path / "out")
    assert caught.value.details["first_byte"] == 2 * 1024 * 1024
    assert left_over(tmp_path) == []


@pytest.mark.parametrize("how", ["cut", "gone"])
async def test_a_damaged_store_is_seen_before_the_trace(house: SmallHouse, tmp_path: Path, how: str) -> None:
    before = await traces(house)
    path = house.object_path(FIRST)
    path.chmod(0o644)
    if how == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    with pytest.raises(EvidenceDamaged):
        await export(house, FIRST, tmp_path / "out")
    assert await traces(house) == before


@pytest.mark.parametrize("tampering", ["DELETE FROM clip_leaves", "UPDATE clip_leaves SET leaves = sha256(leaves)"])
async def test_lost_leaves_are_computed_again(house: SmallHouse, tmp_path: Path, tampering: str) -> None:
    async with superuser(house.dsn) as conn:
        await conn.execute(tampering)
    exported = await export(house, FIRST, tmp_path / "out")
    assert main(["--log-key", house.signer.verifier.vkey, str(exported.folder)]) == 0
    spoil(house.object_path(FIRST), 5)
    with pytest.raises(EvidenceDamaged):
        await export(house, FIRST, tmp_path / "out2")


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE clip SET sha256 = sha256(sha256) WHERE name = $1",
        "UPDATE clip SET entry_id = (SELECT entry_id FROM custody_payload WHERE type = 'clip.derived') WHERE name = $1",
        "UPDATE custody_payload SET salt = sha256(salt) WHERE entry_id = (SELECT entry_id FROM clip WHERE name = $1)",
    ],
)
async def test_tampered_rows_are_not_exported(house: SmallHouse, tmp_path: Path, tampering: str) -> None:
    async with superuser(house.dsn) as conn:
        await conn.execute(tampering, SECOND)
    with pytest.raises(EvidenceDamaged):
        await export(house, SECOND, tmp_path / "out")
    assert left_over(tmp_path) == []


async def test_a_foreign_policy_is_not_given_along(house: SmallHouse, tmp_path: Path) -> None:
    foreign = Policy.parse(f"log {seeded_signer(ORIGIN, 'stranger').verifier.vkey}\nquorum none\n")
    with pytest.raises(EvidenceDamaged) as caught:
        await export(house, SECOND, tmp_path / "out", policy=foreign)
    assert caught.value.details["codes"] == ["log.checkpoint_unsigned"]


async def test_a_cancelled_export_stops_and_cleans_up(house: SmallHouse, tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def progress(done: int, total: int) -> None:
        assert 0 < done <= total
        begun.set()
        go_on.wait(10)

    exporting = asyncio.create_task(
        exporter_of(house).export_clip(
            clip=house.clips[FIRST], target=tmp_path / "out", actor=STAFF, purpose="litigation", progress=progress
        )
    )
    await asyncio.to_thread(begun.wait, 10)
    exporting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exporting
    go_on.set()
    for _ in range(100):
        if not left_over(tmp_path):
            break
        await asyncio.sleep(0.02)
    assert left_over(tmp_path) == []
    assert not (tmp_path / "out").exists()


async def traces(house: SmallHouse) -> int:
    """Count exports on record."""
    async with house.pool.acquire() as conn:
        count: int = await conn.fetchval("SELECT count(*) FROM custody_payload WHERE type = 'clip.exported'")
    return count


def left_over(folder: Path) -> list[str]:
    """Return what a given-up export left behind."""
    return [path.name for path in folder.iterdir() if path.name.startswith(TEMPORARY_PREFIX) or path.name == "out"]


def spoil(path: Path, offset: int) -> None:
    """Change one bit of an object."""
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


async def test_stamped_evidence_is_proved_against_the_earliest_stamped_checkpoint(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stamper = make_stamper(tmp_path / "tsa")
    book = TimestampBook(house.pool, house.clock, house.entropy)
    notes: list[bytes] = []
    for authority in ("eins", "zwei", "eins"):
        note = notes[0] if authority == "zwei" else await house.reader.checkpoint()
        notes.append(note)
        stamp = stamper.reply(make_request(note)[0])
        said, checkpoint = open_stamp(stamp, data=note), stored_checkpoint(note)
        await book.keep(
            Stamp(
                authority=authority,
                size=checkpoint.size,
                root=checkpoint.root,
                checkpoint=note,
                response=stamp,
                said=said,
            )
        )
        await house.publish()
    exported = await export(house, SECOND, tmp_path / "out")
    names = {path.name for path in exported.folder.iterdir()}
    assert {f"{SECOND}.checkpoint", f"{SECOND}.eins.tsr", f"{SECOND}.zwei.tsr"} <= names
    assert (exported.folder / f"{SECOND}.checkpoint").read_bytes() == notes[0]
    readme = (exported.folder / "README.txt").read_text(encoding="utf-8")
    for line in readme.splitlines():
        if line.strip().startswith("openssl"):
            words = shlex.split(line.replace("<ROOTS>", shlex.quote(str(stamper.roots))))
            assert subprocess.run(words, cwd=exported.folder, capture_output=True, check=False).returncode == 0, line
    key = house.signer.verifier.vkey
    capsys.readouterr()
    assert main(["--json", "--log-key", key, "--tsa-roots", str(stamper.roots), str(exported.folder)]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    times = [found for found in item["findings"] if found["code"] == "met.time"]
    assert [found["details"]["authority"] for found in times] == ["eins", "zwei"]
    stored = await find_payload(house.pool, exported.entry_id)  # type: ignore[arg-type]  # a pool reads as well
    assert stored is not None
    listed = {file["name"] for file in json.loads(stored.payload)["files"]}
    assert listed == names


async def test_a_stamped_checkpoint_below_the_policy_of_today_is_left_alone(house: SmallHouse, tmp_path: Path) -> None:
    """Such a checkpoint was published under an older policy; what leaves the house verifies by the one of today."""
    stamper, note = make_stamper(tmp_path / "tsa"), await house.reader.checkpoint()
    witness = Cosigner.generate("witness.example/a", entropy=house.entropy)
    response = stamper.reply(make_request(note)[0])
    stamp = Stamp(
        authority="eins",
        size=stored_checkpoint(note).size,
        root=stored_checkpoint(note).root,
        checkpoint=note,
        response=response,
        said=open_stamp(response, data=note),
    )
    await TimestampBook(house.pool, house.clock, house.entropy).keep(stamp)
    await house.publish()
    newest = parse_note(await house.reader.checkpoint())
    signature = witness.cosign(newest.text, at=1_800_000_000)
    await house.storage.put_checkpoint(format_note(Note(newest.text, (*newest.signatures, signature))))
    key = house.signer.verifier.vkey
    policy = Policy.parse(f"log {key}\nwitness a {witness.verifier.vkey}\nquorum a\n")
    exported = await export(house, SECOND, tmp_path / "out", policy=policy)
    assert not list(exported.folder.glob("*.tsr"))


async def test_a_clip_sealed_after_a_change_of_key_shows_the_whole_chain(
    house: SmallHouse, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for sequence in (1, 2):
        old, new = house.dock_signer, Signer.generate(house.dock_signer.name, house.entropy)
        change = DockKeyChange(dock=house.dock, sequence=sequence, old=old.verifier, new=new.verifier)
        note = sign_dock_key(change, old=old, new=new).decode()
        stated: JsonObject = {"dock": str(house.dock), "sequence": sequence, "vkey": new.verifier.vkey, "note": note}
        await house.write("dock.key_rotated", f"dock:{house.dock}", stated)
        house.dock_signer = new
        house.clips[f"{sequence}.mp4"] = await house.seal(f"{sequence}.mp4", f"after change {sequence}".encode())
    await house.publish()
    for name, sequence in ((FIRST, 0), ("1.mp4", 1), ("2.mp4", 2)):
        exported = await export(house, name, tmp_path / str(sequence))
        capsys.readouterr()
        assert main(["--json", "--log-key", house.signer.verifier.vkey, str(exported.folder)]) == 0
        report = json.loads(capsys.readouterr().out)
        [dock] = [one for one in report["items"][0]["findings"] if one["details"].get("obligation") == 8]
        assert (dock["code"], dock["details"]["sequence"]) == ("met.dock", sequence)
        assert report["remarks"] == [], "README and page are those of this version"
        chain = parse_chain((exported.folder / f"{exported.file.name}.dock").read_bytes())
        clip = parse_receipt((exported.folder / f"{exported.file.name}.receipt").read_bytes())
        checkpoints = {parse_proof(one.proof).checkpoint for one in (*chain, clip)}
        assert (len(chain), len(checkpoints)) == (sequence + 1, 1), "one state of the log for all of it"
