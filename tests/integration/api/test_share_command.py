"""`shilu share` against a running service: a link is made, watched, listed and ended; what is refused; exit codes."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from api.client import RequestRefused
from api.clip_links import marker_of
from evidence.parties.roles import Role
from tests.support.commands import shilu, shilu_json
from tests.support.media import Film, Sound, write
from tests.support.service import RunningService

pytestmark = pytest.mark.asyncio(loop_scope="module")

WHO = Role.INVESTIGATOR


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def clip(shared: RunningService, tmp_path_factory: pytest.TempPathFactory) -> UUID:
    """A clip with a review copy of three seconds."""
    path = tmp_path_factory.mktemp("film") / "proxy.mp4"
    film = Film(size=(320, 180), times_ms=range(0, 3000, 40))
    copy = write(path, film=film, sound=Sound(pieces_ms=((0, 3000),))).read_bytes()
    made = await shared.clip(copy + uuid4().bytes, path=f"{uuid4()}.mp4")
    await shared.derive(made, copy)
    return made


async def marked(service: RunningService) -> Path:
    """Have every copy made that waits, as the duty does; return where copies lie."""
    maker = marker_of(service.services)
    maker.folder.mkdir(exist_ok=True)
    while await maker.attempt():
        pass
    return maker.folder


async def test_a_link_is_made_watched_listed_and_ended(shared: RunningService, clip: UUID) -> None:
    words = ("share", "clip", str(clip), "--to", "李律师", "--days", "2", "--from", "0:01", "--until", "0:02.5")
    made = await shilu_json(shared, WHO, *words)
    assert made["url"].startswith(f"{shared.url}/watch/")
    folder = await marked(shared)
    assert (await shared.ask("POST", made["url"].removeprefix(shared.url))).status == 303
    (listed,) = (await shilu_json(shared, WHO, "share", "list", str(clip)))["items"]
    assert (listed["recipient"], listed["uses"], listed["uses_max"], listed["state"]) == ("李律师", 1, 1, "done")
    assert (listed["from_ms"], listed["to_ms"]) == (1000, 2500)
    code, text = await shilu(shared, WHO, "share", "list", str(clip))
    assert (code, "李律师" in text, listed["mark"] in text) == (0, True, True)
    assert len(list(folder.iterdir())) == 1

    end = ("share", "revoke", str(clip), made["link"], "--reason", "委托终止")
    assert (await shilu_json(shared, WHO, *end))["entry"] is not None
    code, text = await shilu(shared, WHO, *end)
    assert (code, "was ended before" in text) == (0, True)
    with pytest.raises(RequestRefused, match=r"share\.unknown"):
        await shilu(shared, WHO, "share", "revoke", str(clip), str(uuid4()), "--reason", "没有")


async def test_who_may_not_hand_out_makes_no_link(shared: RunningService, clip: UUID) -> None:
    with pytest.raises(RequestRefused, match=r"auth\.role"):
        await shilu(shared, Role.ADMINISTRATOR, "share", "clip", str(clip), "--to", "李律师")


@pytest.mark.parametrize(
    "words",
    [
        ["clip", "not-an-id", "--to", "李律师"],
        ["clip", "0195a000-0000-7000-8000-000000000001"],
        ["clip", "0195a000-0000-7000-8000-000000000001", "--to", "李律师", "--purpose", "curiosity"],
        ["clip", "0195a000-0000-7000-8000-000000000001", "--to", "李律师", "--days", "366"],
        ["clip", "0195a000-0000-7000-8000-000000000001", "--to", "李律师", "--uses", "0"],
        ["clip", "0195a000-0000-7000-8000-000000000001", "--to", "李律师", "--from", "later"],
        ["revoke", "0195a000-0000-7000-8000-000000000001", "0195a000-0000-7000-8000-000000000002"],
    ],
)
async def test_wrong_words_are_refused_before_anything_is_asked(shared: RunningService, words: list[str]) -> None:
    code, _ = await shilu(shared, WHO, "share", *words)
    assert code == 2
