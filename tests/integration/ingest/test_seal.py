"""Complete bytes become a clip, once, or go to quarantine."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from uuid import uuid4

import pytest

from evidence.clips.store import clip_row, clip_sources, read_leaves
from evidence.core.digest import CHUNK_BYTES, ClipHasher
from evidence.db.locks import lock_subject
from evidence.errors import WireSignature
from evidence.parties.docks import revoke_dock, rotate_dock_key
from evidence.parties.errors import DockNotInForce
from ingest.errors import (
    ClipAlreadySealed,
    ManifestDisagrees,
    ManifestMisplaced,
    UploadIncomplete,
    UploadUnknown,
)
from ingest.seal import Sealer
from ingest.store import UploadState
from ledger.errors import CodedError
from ledger.tree import root_of
from tests.support.crash import Crash, When, crash_at
from tests.support.intake import OTHER_STAFF, Intake, actor_of, digest_of, enrolled, footage
from tests.support.parties import PaperDock, paper_dock


async def jobs(intake: Intake) -> list[tuple[str, int]]:
    """Return the derivation jobs and the queue entries that wake workers for them."""
    rows = await intake.pool.fetch("SELECT state, attempts FROM derivation_job")
    queued = await intake.pool.fetchval("SELECT count(*) FROM pgqueuer WHERE status = 'queued'")
    assert queued == len(rows)
    return [(row["state"], row["attempts"]) for row in rows]


async def test_a_dock_upload_waits_for_its_manifest(intake: Intake, dock: PaperDock) -> None:
    data = footage(CHUNK_BYTES + 5)
    view = await intake.dock_upload(dock, data)
    with pytest.raises(UploadIncomplete):
        await intake.seal(dock, view, intake.manifest(dock, view, data))
    await intake.send(view, data)
    assert (await intake.state(view)).state is UploadState.COMPLETE
    assert "clip.sealed" not in await intake.events()
    assert await jobs(intake) == []


async def test_everything_about_a_sealed_clip_is_on_record(intake: Intake, dock: PaperDock) -> None:
    data = footage(2 * CHUNK_BYTES + 7)
    view, sealed = await intake.dock_sealed(dock, data, path="DCIM/100/A.mp4")
    digest = digest_of(data)
    async with intake.pool.acquire() as conn:
        clip = await clip_row(conn, sealed.clip)
        (source,) = await clip_sources(conn, sealed.clip)
        leaves = await read_leaves(conn, sha256=digest.sha256)
    assert clip is not None
    assert (clip.sha256, clip.root, clip.size, clip.chunks) == (digest.sha256, digest.root, len(data), 3)
    assert (clip.name, clip.entry_id) == ("A.mp4", sealed.entry_id)
    assert (source.dock, source.recorder, source.path) == (dock.dock, dock.recorder, "DCIM/100/A.mp4")
    assert (source.upload, source.actor) == (view.id, actor_of(dock))
    hasher = ClipHasher()
    hasher.update(data)
    assert leaves == hasher.all_leaves()
    assert root_of(leaves) == digest.root
    assert intake.object_bytes(data) == data
    assert intake.leftovers() == set()
    assert await jobs(intake) == [("waiting", 0)]
    state = await intake.state(view)
    assert (state.state, state.clip, state.entry) == (UploadState.SEALED, sealed.clip, sealed.entry_id)


async def test_the_same_manifest_again_gets_the_same_answer(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    view, sealed = await intake.dock_sealed(dock, data)
    for _ in range(3):
        assert await intake.seal(dock, view, intake.manifest(dock, view, data)) == sealed
    assert (await intake.events()).count("clip.sealed") == 1
    with pytest.raises(ManifestDisagrees):
        await intake.seal(dock, view, intake.manifest(dock, view, data, sha256=bytes(32)))
    assert (await intake.state(view)).state is UploadState.SEALED
    assert intake.object_bytes(data) == data


async def test_manifests_that_come_twice_at_once_seal_once(intake: Intake, dock: PaperDock) -> None:
    data = footage(3 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    manifest = intake.manifest(dock, view, data)
    answers = await asyncio.gather(*(intake.seal(dock, view, manifest) for _ in range(8)))
    assert len(set(answers)) == 1
    assert (await intake.events()).count("clip.sealed") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"sha256": bytes(32)},
        {"root": bytes(32)},
        {"size": 2 * CHUNK_BYTES + 8},
        {"path": "DCIM/B.mp4"},
        {"recorder": "ZZZZZZZ"},
        {"inventory": uuid4()},
    ],
)
async def test_a_manifest_that_disagrees_seals_nothing(
    intake: Intake, dock: PaperDock, changes: dict[str, object]
) -> None:
    data = footage(2 * CHUNK_BYTES + 7)
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    manifest = intake.manifest(dock, view, data, **changes)
    with pytest.raises(ManifestDisagrees) as caught:
        await intake.seal(dock, view, manifest)
    assert set(caught.value.details) == set(changes)
    state = await intake.state(view)
    assert (state.state, state.code) == (UploadState.QUARANTINED, "manifest.disagrees")
    assert intake.leftovers() == set()
    assert list(intake.objects.list()) == []
    assert intake.spool.quarantined_path(view.id).read_bytes() == data
    reason = json.loads(intake.spool.reason_path(view.id).read_text())
    assert (reason["code"], set(reason["details"])) == ("manifest.disagrees", set(changes))
    assert (await intake.events())[-1] == "upload.quarantined"
    assert "clip.sealed" not in await intake.events()
    assert await jobs(intake) == []
    # The right manifest comes too late; the answer is the one it had.
    with pytest.raises(ManifestDisagrees):
        await intake.seal(dock, view, intake.manifest(dock, view, data))
    # The dock reads the file again and sends it as a new upload.
    again = await intake.dock_upload(dock, data, path="DCIM/A.mp4")
    await intake.send(again, data)
    await intake.seal(dock, again, intake.manifest(dock, again, data))


async def test_a_manifest_signed_by_another_docks_key_touches_nothing(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    stranger = await enrolled(intake, paper_dock(seed=9))
    manifest = intake.manifest(dock, view, data)
    verifiers = [dock.signer.verifier, stranger.signer.verifier]

    async def hand_in(note: bytes) -> None:
        await intake.service.seal(actor=view.actor, upload=view.id, manifest=note, dock_verifiers=verifiers)

    with pytest.raises(WireSignature):
        await intake.service.seal(
            actor=view.actor, upload=view.id, manifest=dock.manifest_note(manifest), dock_verifiers=[verifiers[1]]
        )
    with pytest.raises(ManifestMisplaced):
        await hand_in(stranger.manifest_note(replace(manifest, dock=stranger.dock)))
    with pytest.raises(ManifestMisplaced):
        await hand_in(dock.manifest_note(replace(manifest, upload=uuid4())))
    for note in (
        b"",
        b"\xff",
        dock.manifest_note(manifest).replace(b"A.mp4", b"B.mp4"),
        dock.manifest_note(manifest) * 2,
    ):
        with pytest.raises(CodedError):
            await hand_in(note)
    with pytest.raises(UploadUnknown):
        await intake.service.seal(actor=actor_of(stranger), upload=view.id, manifest=b"", dock_verifiers=verifiers)
    assert (await intake.state(view)).state is UploadState.COMPLETE
    await intake.seal(dock, view, manifest)


async def rotate(intake: Intake, dock: PaperDock, new: PaperDock) -> None:
    async with intake.pool.acquire() as conn, conn.transaction():
        await rotate_dock_key(
            conn, dock=dock.dock, note=dock.change_to(new), clock=intake.clock, entropy=intake.entropy
        )


async def test_a_key_changed_while_bytes_were_under_way_signs_the_manifest(intake: Intake, dock: PaperDock) -> None:
    data, new = footage(1000), dock.successor()
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    manifest = intake.manifest(dock, view, data)
    await rotate(intake, dock, new)
    with pytest.raises(DockNotInForce):
        await intake.seal(dock, view, manifest)
    assert "clip.sealed" not in await intake.events()
    sealed = await intake.seal(new, view, manifest)
    assert await intake.seal(new, view, manifest) == sealed
    async with intake.pool.acquire() as conn:
        payload = await conn.fetchval("SELECT payload FROM custody_payload WHERE entry_id = $1", sealed.entry_id)
    assert json.loads(payload)["manifest"] == new.manifest_note(manifest).decode()


async def test_a_key_changed_between_intent_and_seal_waits_for_the_manifest_under_the_new_key(
    intake: Intake, dock: PaperDock, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, new = footage(1000), dock.successor()
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    manifest = intake.manifest(dock, view, data)
    with monkeypatch.context() as patch:
        assert_reached = crash_at(patch, Sealer, "_adopt", When.BEFORE)
        with pytest.raises(Crash):
            await intake.seal(dock, view, manifest)
        assert_reached()
    await rotate(intake, dock, new)
    report = await intake.service.recover()
    assert report.refused == {view.id: DockNotInForce.code}
    # Other words under the new key are no second signature of the first manifest.
    with pytest.raises(DockNotInForce):
        await intake.seal(new, view, replace(manifest, path="DCIM/B.mp4"))
    sealed = await intake.seal(new, view, manifest)
    assert (await intake.state(view)).clip == sealed.clip
    assert intake.object_bytes(data) == data


async def test_the_manifest_of_a_revoked_dock_is_not_sealed_and_its_bytes_are_kept(
    intake: Intake, dock: PaperDock
) -> None:
    data = footage(1000)
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    async with intake.pool.acquire() as conn, conn.transaction():
        await revoke_dock(
            conn, dock=dock.dock, reason="失窃", actor="service", clock=intake.clock, entropy=intake.entropy
        )
    with pytest.raises(DockNotInForce):
        await intake.seal(dock, view, intake.manifest(dock, view, data))
    assert "clip.sealed" not in await intake.events()
    assert intake.object_bytes(data) == data


async def test_staff_need_no_manifest_and_may_hand_in_none(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    view = await intake.staff_upload(data)
    await intake.send(view, data)
    state = await intake.state(view)
    assert state.state is UploadState.SEALED
    other = await intake.dock_upload(dock, data)
    with pytest.raises(ManifestMisplaced):
        await intake.service.seal(
            actor=view.actor,
            upload=view.id,
            manifest=dock.manifest_note(intake.manifest(dock, other, data)),
            dock_verifiers=[dock.signer.verifier],
        )


async def test_the_same_content_again_from_staff_is_named(intake: Intake) -> None:
    data = footage(1000)
    first = await intake.staff_upload(data, name="a.mp4")
    await intake.send(first, data)
    clip = (await intake.state(first)).clip
    again = await intake.staff_upload(data, name="b.mp4", actor=OTHER_STAFF)
    with pytest.raises(ClipAlreadySealed) as caught:
        await intake.send(again, data)
    assert caught.value.details["clip"] == str(clip)
    state = await intake.state(again)
    assert (state.state, state.code, state.clip) == (UploadState.TERMINATED, "clip.already_sealed", clip)
    assert (await intake.events()).count("clip.sealed") == 1
    assert intake.leftovers() == set()
    assert intake.object_bytes(data) == data


async def test_the_same_content_again_from_the_same_place_is_the_same_clip(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    _, first = await intake.dock_sealed(dock, data)
    before = await intake.events()
    view, second = await intake.dock_sealed(dock, data)
    assert second == first
    assert [event for event in await intake.events() if event.startswith("clip.")] == [
        event for event in before if event.startswith("clip.")
    ]
    assert (await intake.state(view)).entry == first.entry_id
    assert intake.leftovers() == set()


async def test_r18_the_same_content_from_another_place_is_repeated(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    _, first = await intake.dock_sealed(dock, data)
    other = await enrolled(intake, paper_dock(seed=9))
    _, elsewhere = await intake.dock_sealed(other, data)
    _, renamed = await intake.dock_sealed(dock, data, path="DCIM/COPY.mp4")
    _, again = await intake.dock_sealed(other, data)
    assert {first.clip} == {elsewhere.clip, renamed.clip, again.clip}
    assert elsewhere.repeated
    assert renamed.repeated
    assert again == elsewhere
    assert len({first.entry_id, elsewhere.entry_id, renamed.entry_id}) == 3
    assert (await intake.events()).count("clip.repeated") == 2
    assert await jobs(intake) == [("waiting", 0)]


async def test_the_same_content_from_staff_first_is_repeated_by_a_dock(intake: Intake, dock: PaperDock) -> None:
    data = footage(1000)
    await intake.send(await intake.staff_upload(data), data)
    _, sealed = await intake.dock_sealed(dock, data)
    assert sealed.repeated
    with pytest.raises(ClipAlreadySealed):
        await intake.send(await intake.staff_upload(data), data)


async def test_one_content_sent_by_many_at_once_is_sealed_once(intake: Intake) -> None:
    data = footage(CHUNK_BYTES + 1)
    docks = [await enrolled(intake, paper_dock(seed=100 + number)) for number in range(6)]
    results = await asyncio.gather(*(intake.dock_sealed(dock, data) for dock in docks))
    assert len({sealed.clip for _, sealed in results}) == 1
    assert sorted(sealed.repeated for _, sealed in results) == [False] + [True] * 5
    assert (await intake.events()).count("clip.sealed") == 1
    assert intake.object_bytes(data) == data
    assert [stored.sha256 for stored in intake.objects.list()] == [hashlib.sha256(data).hexdigest()]


async def test_a_sender_that_hangs_up_does_not_leave_a_seal_half_done(intake: Intake, dock: PaperDock) -> None:
    data = footage(4 * CHUNK_BYTES)
    view = await intake.dock_upload(dock, data)
    await intake.send(view, data)
    async with intake.pool.acquire() as conn:
        async with conn.transaction():
            await lock_subject(conn, f"content:{digest_of(data).sha256.hex()}")
            request = asyncio.create_task(intake.seal(dock, view, intake.manifest(dock, view, data)))
            while not list(intake.objects.list()):
                await asyncio.sleep(0.01)
            request.cancel()
            await asyncio.sleep(0.05)
            assert not request.done()
        with pytest.raises(asyncio.CancelledError):
            await request
    assert (await intake.state(view)).state is UploadState.SEALED
