"""SM3 in the service: shown beside the other digests, and refused at the start where it cannot be computed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from api import services as module
from api.config import load_config
from api.errors import ConfigInvalid
from api.services import Duty, open_services
from evidence.core.digest import Sm3Unavailable
from evidence.parties.roles import Role
from tests.support.service import config_for, running_service


async def test_it_is_shown_where_it_is_computed(database: str, tmp_path: Path) -> None:
    async with running_service(config_for(database, tmp_path / "data", digests="sha256,sm3")) as service:
        clip = await service.clip(b"footage")
        shown = (await service.ask("GET", f"/v1/clips/{clip}", role=Role.INVESTIGATOR)).json()
    assert shown["sm3"] == hashlib.new("sm3", b"footage").hexdigest()
    assert shown["sha256"] == hashlib.sha256(b"footage").hexdigest()


async def test_where_it_is_not_computed_nothing_is_shown(database: str, tmp_path: Path) -> None:
    async with running_service(config_for(database, tmp_path / "data")) as service:
        clip = await service.clip(b"footage")
        assert (await service.ask("GET", f"/v1/clips/{clip}", role=Role.INVESTIGATOR)).json()["sm3"] is None


async def test_a_python_without_it_does_not_start(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise Sm3Unavailable("the OpenSSL of this Python has no SM3")

    monkeypatch.setattr(module, "start_sm3", refuse)
    with pytest.raises(Sm3Unavailable):
        async with open_services(
            config_for(database, tmp_path / "data", digests="sha256,sm3"), duties=frozenset({Duty.INTAKE})
        ):
            raise AssertionError("it started")


@pytest.mark.parametrize("digests", ["", "sm3", "sha256, sm3", "sm3,sha256", "md5"])
def test_no_other_words_are_taken(digests: str) -> None:
    with pytest.raises(ConfigInvalid, match="digests"):
        load_config(digests=digests)
