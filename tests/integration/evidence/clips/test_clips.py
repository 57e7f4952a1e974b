"""Clips: what is known about one, its state and its history."""

from __future__ import annotations

from uuid import UUID

import pytest

from evidence.clips.clips import ClipState, get_clip
from evidence.clips.store import find_clip, find_source, keep_leaves, read_leaves
from evidence.custody.history import clip_history
from evidence.errors import ClipUnknown
from tests.support.payloads import Scribe


async def test_a_fresh_clip_is_sealed_and_knows_its_source(scribe: Scribe) -> None:
    payload = scribe.sealed()
    await scribe.write("clip.sealed", f"clip:{payload['clip']}", payload)
    clip = await get_clip(scribe.conn, UUID(str(payload["clip"])))
    assert clip.state is ClipState.SEALED
    assert clip.digest.sha256.hex() == payload["sha256"]
    assert clip.digest.root.hex() == payload["root"]
    (source,) = clip.sources
    assert (source.recorder, source.path, source.repeated) == (payload["recorder"], payload["path"], False)
    assert clip.version == 0


@pytest.mark.parametrize("outcome", [state.value for state in ClipState if state is not ClipState.SEALED])
async def test_the_newest_derivation_decides_the_state(scribe: Scribe, outcome: str) -> None:
    clip = await scribe.seal()
    await scribe.derive(clip, outcome="undecodable", reason="timed out", objects=[])
    await scribe.derive(clip, attempt=2, outcome=outcome)
    found = await get_clip(scribe.conn, clip)
    assert found.state == outcome
    made = found.made("proxy")
    assert made is not None
    assert made.size == 10
    assert found.made("waveform") is None


async def test_every_change_makes_a_new_revision(scribe: Scribe) -> None:
    clip = await scribe.seal()
    revisions = [(await get_clip(scribe.conn, clip)).revision]
    for change in (
        lambda: scribe.derive(clip),
        lambda: scribe.annotate(clip, remark="备注"),
        lambda: scribe.annotate(clip, expected_version=1, remark="备注二"),
    ):
        await change()
        revisions.append((await get_clip(scribe.conn, clip)).revision)
    await scribe.link(await scribe.open_case(), clip)
    revisions.append((await get_clip(scribe.conn, clip)).revision)
    assert len(set(revisions)) == len(revisions)


async def test_a_clip_nobody_knows(scribe: Scribe) -> None:
    with pytest.raises(ClipUnknown):
        await get_clip(scribe.conn, scribe.new_id())
    with pytest.raises(ClipUnknown):
        await clip_history(scribe.conn, scribe.new_id())


async def test_intake_finds_content_and_source_again(scribe: Scribe) -> None:
    payload = scribe.sealed()
    clip, sha256 = UUID(str(payload["clip"])), bytes.fromhex(str(payload["sha256"]))
    sealed = await scribe.write("clip.sealed", f"clip:{clip}", payload)
    again = payload | {"upload": str(scribe.new_id()), "recorder": "B200002"}
    repeated = await scribe.write("clip.repeated", f"clip:{clip}", again)

    async def source(**changes: object) -> tuple[UUID, bool] | None:
        asked = {
            "dock": UUID(str(payload["dock"])),
            "recorder": "A100001",
            "path": str(payload["path"]),
            "raw": False,
            "sha256": sha256,
        } | changes
        found = await find_source(scribe.conn, **asked)  # type: ignore[arg-type]
        return None if found is None else (found.entry_id, found.repeated)

    found = await find_clip(scribe.conn, sha256=sha256)
    assert found is not None
    assert (found.clip, found.entry_id) == (clip, sealed.entry_id)
    assert await find_clip(scribe.conn, sha256=bytes(32)) is None
    assert await source() == (sealed.entry_id, False)
    assert await source(recorder="B200002") == (repeated.entry_id, True)
    for changes in ({"path": "other"}, {"raw": True}, {"dock": clip}, {"sha256": bytes(32)}, {"recorder": "a100001"}):
        assert await source(**changes) is None, changes


async def test_leaf_hashes_are_kept_once_and_given_back_in_order(scribe: Scribe) -> None:
    leaves = [bytes([number]) * 32 for number in range(5)]
    await keep_leaves(scribe.conn, sha256=bytes(32), leaves=leaves)
    await keep_leaves(scribe.conn, sha256=bytes(32), leaves=leaves[:2])
    assert await read_leaves(scribe.conn, sha256=bytes(32)) == leaves
    assert await read_leaves(scribe.conn, sha256=bytes([1]) * 32) is None


async def test_the_history_tells_everything_in_order_and_in_pages(scribe: Scribe) -> None:
    clip, other = await scribe.seal(), await scribe.seal()
    await scribe.derive(clip)
    await scribe.derive(other)
    await scribe.annotate(clip, remark="备注")
    await scribe.link(await scribe.open_case(), clip)
    lines = await clip_history(scribe.conn, clip)
    assert [line.event.type for line in lines] == ["clip.sealed", "clip.derived", "clip.annotated", "case.clip_linked"]
    assert lines[2].event.payload["content"] == {"remark": "备注"}
    assert [line.index for line in lines] == [None] * 4, "nothing is published in this test"
    rest = await clip_history(scribe.conn, clip, after=lines[1].event.entry_id, limit=1)
    assert [line.event.type for line in rest] == ["clip.annotated"]
