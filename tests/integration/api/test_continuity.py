"""The continuity of a clip over HTTP: its report in two languages, its neighbours as they are now."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from api.handlers.continuity import facts_of
from evidence.clips.neighbour_store import NeighbourRow, clip_neighbours
from evidence.parties.roles import Role
from ingest.media.continuity.observation import Notebook, Place
from ingest.media.continuity.report import MEDIA_TYPE, Report, TrackRead, format_report
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


def report() -> bytes:
    notebook = Notebook()
    notebook.note("container.software", program="Lavf62")
    notebook.note("bitstream.frame_gap", Place(track=0, first_byte=5, end_byte=9, from_ms=40), number=3)
    return format_report(Report(100, "mp4", 7, True, (TrackRead(0, "h264", 7, 1),), notebook))


async def observed_clip(service: RunningService, raw: bytes) -> UUID:
    clip = await service.clip(uuid4().bytes, path=f"DCIM/{uuid4()}.mp4")
    await service.derive(clip, raw, kind="continuity", media_type=MEDIA_TYPE)
    return clip


async def test_observations_are_told_in_two_languages(shared: RunningService) -> None:
    clip = await observed_clip(shared, report())
    reply = await shared.ask("GET", f"/v1/clips/{clip}/continuity", role=Role.REVIEWER)
    assert reply.status == 200, reply
    body = reply.json()
    assert (body["walk"], body["packets"], body["whole"]) == ("mp4", 7, True)
    assert body["counts"] == {"container.software": 1, "bitstream.frame_gap": 1}
    first, second = body["observations"]
    assert (first["code"], first["severity"], first["bytes"], first["ms"]) == (
        *("bitstream.frame_gap", "high"),
        *([5, 9], [40, 40]),
    )
    assert "missing" in first["en"]
    assert "缺少" in first["zh"]
    assert (second["code"], second["bytes"], second["measured"]) == (
        "container.software",
        None,
        {"program": "Lavf62"},
    )


async def test_a_clip_without_a_report_and_a_report_that_is_none(shared: RunningService) -> None:
    bare = await shared.clip(uuid4().bytes, path=f"DCIM/{uuid4()}.mp4")
    reply = await shared.ask("GET", f"/v1/clips/{bare}/continuity", role=Role.REVIEWER)
    assert (reply.status, reply.code) == (404, "view.rendition_missing")
    reply = await shared.ask("GET", f"/v1/clips/{uuid4()}/continuity", role=Role.REVIEWER)
    assert (reply.status, reply.code) == (404, "clip.unknown")
    foreign = await observed_clip(shared, b'{"verdict":"false"}')
    reply = await shared.ask("GET", f"/v1/clips/{foreign}/continuity", role=Role.REVIEWER)
    assert (reply.status, reply.code) == (500, "media.continuity_malformed")


async def recorded_clip(service: RunningService, minute: int, raw: bytes | None = None) -> UUID:
    """Seal a clip whose recorder says when it began."""
    at = datetime(2026, 11, 21, 8, minute, tzinfo=UTC)
    clip = await service.clip(uuid4().bytes, path=f"{uuid4()}/REC_{minute:04}.MP4", recorded_at=at)
    if raw is not None:
        await service.derive(clip, raw, kind="continuity", media_type=MEDIA_TYPE)
    return clip


async def test_neighbours_are_those_next_to_it_by_the_recorders_clock(shared: RunningService) -> None:
    clips = [await recorded_clip(shared, minute) for minute in range(0, 50, 10)]
    undated = await shared.clip(uuid4().bytes, path=f"DCIM/{uuid4()}.mp4")
    async with shared.services.pool.acquire() as conn:
        beside = await clip_neighbours(conn, clips[2], limit=1)
        assert {row.clip for row in beside} == set(clips[1:4])
        assert {row.clip for row in await clip_neighbours(conn, clips[0], limit=9)} == set(clips)
        assert not await clip_neighbours(conn, undated, limit=5)
        assert not await clip_neighbours(conn, uuid4(), limit=5)


async def test_the_place_among_neighbours_is_told_as_it_is_now(shared: RunningService) -> None:
    clip = await recorded_clip(shared, 55, report())
    path = f"/v1/clips/{clip}/continuity"
    before = (await shared.ask("GET", path, role=Role.REVIEWER)).json()["sequence"]
    assert "sequence.clock_back" not in [item["code"] for item in before]
    at = datetime(2026, 11, 21, 8, 50, tzinfo=UTC)
    await shared.clip(uuid4().bytes, path=f"{uuid4()}/REC_0056.MP4", recorded_at=at)
    after = (await shared.ask("GET", path, role=Role.REVIEWER)).json()["sequence"]
    (back,) = [item for item in after if item["code"] == "sequence.clock_back"]
    assert back["measured"] == {"side": "after", "neighbour": "REC_0056.MP4", "milliseconds": 300_000}


async def test_a_probe_of_any_form_is_read() -> None:
    at = datetime(2026, 11, 21, tzinfo=UTC)
    row = NeighbourRow(clip=uuid4(), name="a.mp4", recorded_at=at, size=9, probe=None)
    assert facts_of(row).make == ""
    probe: dict[str, object] = {
        "container": {"names": "mov,mp4", "duration_ms": 5},
        "pictures": [{"codec": "h264"}],
        "sounds": [{"codec": "aac"}],
    }
    row = NeighbourRow(clip=uuid4(), name="a.mp4", recorded_at=at, size=9, probe=probe)
    assert (facts_of(row).make, facts_of(row).duration_ms) == ("mov,mp4 h264 aac", 5)
    row = NeighbourRow(clip=uuid4(), name="a.mp4", recorded_at=at, size=9, probe={"container": 5, "pictures": None})
    assert (facts_of(row).make, facts_of(row).duration_ms) == ("", None)
