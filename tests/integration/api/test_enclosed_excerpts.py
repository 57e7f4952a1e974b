"""Packages with excerpts over HTTP and by the command (E.8): ordered with seconds, refused with codes, told back."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.exports import maker_of, write_package
from evidence.errors import ExportSpansInvalid
from evidence.export.parts import PACKAGE_SPANS_MAX, Wanted
from evidence.parties.roles import Role
from evidence.verify.cli import main
from ingest.media.frame_format import write_frames
from tests.support.frame_indexes import index_of
from tests.support.media import Film, Sound, write
from tests.support.service import Reply, RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("film") / "film.mp4", film=Film(), sound=Sound())


async def clip_of(service: RunningService, film: Path) -> UUID:
    """Seal a film with its frame index, and wait until it is published."""
    clip = await service.clip(film.read_bytes() + uuid4().bytes, path=f"{uuid4()}.mp4")
    index = index_of(film)
    # Trailing bytes make the clip another one without moving a unit.
    grown = type(index)(index.size + 16, index.origin, index.tracks)
    await service.derive(clip, write_frames(grown), kind="frames", media_type="application/octet-stream")
    entry = await service.services.pool.fetchval("SELECT entry_id FROM clip WHERE clip = $1", clip)
    assert await service.services.waiter.wait(entry, timeout_seconds=20) is not None
    return clip


def span(clip: UUID, begin: int = 200, end: int = 1200) -> dict[str, Any]:
    return {"clip": str(clip), "from_ms": begin, "to_ms": end}


async def order(service: RunningService, body: dict[str, Any], *, key: str | None = None) -> Reply:
    wish = {"purpose": "litigation", **body}
    headers = {} if key is None else {"Idempotency-Key": key}
    return await service.ask("POST", "/v1/exports", role=Role.INVESTIGATOR, json=wish, headers=headers)


async def test_e8_a_package_is_ordered_with_seconds_and_verifies(
    shared: RunningService, film: Path, tmp_path: Path
) -> None:
    clip, whole = await clip_of(shared, film), await clip_of(shared, film)
    body = {"clips": [str(clip), str(whole)], "excerpts": [span(clip, 1500, 1900), span(clip)]}
    asked = await order(shared, body)
    assert asked.status == 202
    spans = asked.json()["excerpts"]
    assert [(one["clip"], one["from_ms"], one["to_ms"]) for one in spans] == [
        (str(clip), 200, 1200),
        (str(clip), 1500, 1900),
    ]
    assert all(one["shown_from_ms"] <= one["from_ms"] for one in spans)
    maker = maker_of(shared.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    where = f"/v1/exports/{asked.json()['export']}"
    told = (await shared.ask("GET", where, role=Role.INVESTIGATOR)).json()
    assert (told["state"], told["excerpts"]) == ("done", spans)
    opened = await shared.ask("POST", f"{where}/downloads", role=Role.INVESTIGATOR, json={"purpose": "litigation"})
    with zipfile.ZipFile(io.BytesIO((await shared.ask("GET", opened.json()["url"])).body)) as packed:
        packed.extractall(tmp_path)
    (folder,) = tmp_path.iterdir()
    assert main(["--quiet", "--log-key", shared.services.log_verifier.vkey, str(folder)]) == 0
    listed = json.loads((folder / "data/package.json").read_bytes())["exhibits"]
    assert [one["enclosed"] for one in listed] == ["excerpt", "original"]
    history = (await shared.ask("GET", f"/v1/clips/{clip}/history", role=Role.AUDITOR)).json()["items"]
    payload = next(line["payload"] for line in history if line["type"] == "clips.exported")
    assert [one["clip"] for one in payload["excerpts"]] == [str(clip)]
    again = await order(shared, {"repeat": asked.json()["export"]})
    assert again.json()["excerpts"] == spans


@pytest.mark.parametrize(
    ("spans", "status", "code"),
    [
        ([(5, 5)], 409, "export.spans_invalid"),
        ([(0, 1000), (999, 1500)], 409, "export.spans_invalid"),
        ([(900_000, 901_000)], 409, "excerpt.impossible"),
        ([(-1, 5)], 400, "request.invalid"),
        ([(at, at + 1) for at in range(PACKAGE_SPANS_MAX + 1)], 400, "request.invalid"),
        ([(at, at + 1) for at in range(10_000)], 400, "request.invalid"),
    ],
)
async def test_seconds_that_cannot_be_enclosed_are_refused_when_they_are_asked_for(
    shared: RunningService, film: Path, spans: list[tuple[int, int]], status: int, code: str
) -> None:
    clip = await clip_of(shared, film)
    reply = await order(shared, {"clips": [str(clip)], "excerpts": [span(clip, *one) for one in spans]})
    assert (reply.status, reply.code) == (status, code)


async def test_an_exhibit_that_is_not_in_the_package_and_one_without_seconds_are_refused(
    shared: RunningService, film: Path
) -> None:
    clip = await clip_of(shared, film)
    strange = await order(shared, {"clips": [str(clip)], "excerpts": [span(uuid4())]})
    assert (strange.status, strange.code) == (409, "export.spans_invalid")
    still = await shared.clip(uuid4().bytes, path=f"{uuid4()}.mp4")
    timeless = await order(shared, {"clips": [str(still)], "excerpts": [span(still)]})
    assert (timeless.status, timeless.code) == (409, "excerpt.impossible")
    both = await order(shared, {"repeat": str(uuid4()), "excerpts": [span(clip)]})
    assert (both.status, both.code) == (400, "request.invalid")


async def test_an_order_that_went_through_is_answered_again_whatever_became_of_its_seconds(
    shared: RunningService, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, key = await clip_of(shared, film), str(uuid4())
    body = {"clips": [str(clip)], "excerpts": [span(clip)]}
    first = await order(shared, body, key=key)
    assert first.status == 202

    async def gone(*_args: object, **_more: object) -> None:
        raise ExportSpansInvalid("nothing is there any more")

    monkeypatch.setattr("api.handlers.exports.locate_parts", gone)
    again = await order(shared, body, key=key)
    assert (again.status, again.body) == (first.status, first.body)
    assert (await order(shared, body, key=str(uuid4()))).code == "export.spans_invalid"


async def test_the_command_writes_a_folder_with_an_excerpt(shared: RunningService, film: Path, tmp_path: Path) -> None:
    clip = await clip_of(shared, film)
    written = await write_package(
        shared.services,
        case=None,
        clips=[clip],
        wanted=[Wanted(clip, 200, 1200)],
        to=tmp_path,
        purpose="litigation",
        actor="service",
        advance=lambda _name, _done, _total: None,
    )
    assert (written.exhibits, written.as_json()["excerpts"]) == (1, 1)
    assert list((written.folder / "data" / "exhibits" / "0001").glob("*.excerpt"))
    assert main(["--quiet", "--log-key", shared.services.log_verifier.vkey, str(written.folder)]) == 0
