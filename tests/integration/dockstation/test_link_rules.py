"""Rules of the link: hours, the ceiling over several recorders, who is trusted, and who has to show a certificate."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dockstation.config import Settings, trust
from dockstation.errors import ConfigInvalid, LinkLost
from evidence.core.clock import utc_now
from tests.support.dock_server import FakeService
from tests.support.dock_station import QUICK, TestStation, clip_name, enrolled, make_recorder, write_clip
from tests.support.tls import Authority


def closed_window() -> str:
    """Return a window that is closed now and for the next hours."""
    begin = utc_now().astimezone() + timedelta(hours=6)
    return f"{begin:%H:%M}-{begin + timedelta(minutes=1):%H:%M}"


@pytest.mark.parametrize("spool", [False, True])
async def test_outside_the_hours_only_marked_footage_goes(
    service: FakeService, station: TestStation, tmp_path: Path, spool: bool
) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    marked = clip_name(9, mark="_IMP")
    write_clip(card, marked)
    rules: dict[str, Any] = {
        "send_windows": (closed_window(),),
        "spool_folder": str(tmp_path / "spool") if spool else "",
    }
    begin = time.monotonic()
    report = await station.once(card, **rules, patience_seconds=1.0 if spool else 60.0)
    assert time.monotonic() - begin < 20
    assert service.sealed_entries() == {("D200001", marked): 1}
    assert not report.complete
    assert report.error is None
    assert report.outcomes[0].safe is spool
    assert len(service.inventories) == 1
    views = [event.text for event in station.events if "发送时段" in event.text or "可以取下" in event.text]
    assert views
    assert (await station.once(card, spool_folder=rules["spool_folder"])).complete


async def test_the_ceiling_is_shared_by_all_recorders(
    service: FakeService, station: TestStation, tmp_path: Path
) -> None:
    cards = [make_recorder(tmp_path / f"card{n}", count=1, recorder=f"D2000{n:02d}", sizes=(60_000,)) for n in range(4)]
    begin = time.monotonic()
    assert (await station.once(*cards, bandwidth_mbit_max=2.0)).complete
    # 240,000 bytes at 250,000 a second, of which a quarter of a second may go at once.
    assert time.monotonic() - begin > 0.6


@asynccontextmanager
async def guarded(service: FakeService, authority: Authority) -> AsyncIterator[str]:
    """Serve with TLS to those alone who show a certificate of the authority."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(authority.file))
    context.load_cert_chain(*authority.sign("localhost"))
    context.verify_mode = ssl.CERT_REQUIRED
    async with service.serving(tls=context) as url:
        yield url


async def test_a_service_may_ask_for_a_certificate(service: FakeService, tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "authority"), Authority(tmp_path, "stranger")
    certificate, key = authority.sign("dock")
    both = tmp_path / "both.pem"
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    own: dict[str, Any] = {
        "ca_file": str(authority.file),
        "client_certificate": str(certificate),
        "client_key": str(key),
    }
    card = make_recorder(tmp_path / "card", count=1)
    async with guarded(service, authority) as url:
        with pytest.raises(LinkLost):
            await enrolled(tmp_path / "state", url, settings=replace(QUICK, ca_file=str(authority.file)))
        station = await enrolled(tmp_path / "state", url, settings=replace(QUICK, **own))
        other, other_key = stranger.sign("other")
        wrongs: tuple[dict[str, Any], ...] = (
            {"client_certificate": "", "client_key": ""},
            {"client_certificate": str(other), "client_key": str(other_key)},
            {"ca_file": str(stranger.file)},
        )
        for wrong in wrongs:
            report = await station.once(card, **wrong, patience_seconds=0.3)
            assert isinstance(report.error, LinkLost), wrong
        assert service.uploads == {}
        assert (await station.once(card, client_certificate=str(both), client_key="")).complete


def test_a_certificate_that_cannot_be_used_refuses_the_start(tmp_path: Path) -> None:
    authority = Authority(tmp_path, "authority")
    certificate, key = authority.sign("dock")
    _, other_key = authority.sign("other")
    _, secret_key = authority.sign("secret", password=b"1234")
    with pytest.raises(ConfigInvalid, match="client_key is of no use"):
        Settings(client_key=str(key))
    for wrong in (other_key, secret_key, tmp_path / "missing"):
        with pytest.raises(ConfigInvalid, match="client_certificate"):
            trust(Settings(client_certificate=str(certificate), client_key=str(wrong)))
    assert trust(Settings(client_certificate=str(certificate), client_key=str(key))) is not None


async def test_a_service_that_moved_is_found_at_its_new_address(service: FakeService, tmp_path: Path) -> None:
    card = make_recorder(tmp_path / "card", count=2)
    async with service.serving() as url:
        station = await enrolled(tmp_path / "state", url)
        service.faults.no_space = 10_000
        assert not (await station.once(card, patience_seconds=0.3)).complete
        service.faults.no_space = 0
    async with service.serving() as elsewhere:
        assert elsewhere != url
        assert (await station.once(card, service_url=elsewhere)).complete
    assert set(service.sealed_entries().values()) == {1}
