"""A service whose checkpoints need witnesses: what it hands out, what it says of itself while they are away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.cosigned import accept_cosigned, make_request
from api.errors import ConfigInvalid
from api.services import open_services
from evidence.core.wire.receipt import check_receipt, parse_receipt
from evidence.parties.roles import Role
from ledger.errors import KeyMalformed, NoteUnsigned
from ledger.note import Signer, parse_note, sign_note
from ledger.policy import Policy
from tests.support.service import RunningService, config_for, running_service
from tests.support.witness_process import WitnessProcess


@dataclass
class Witnessed:
    """A service with two witnesses that it needs, and a third without a network."""

    service: RunningService
    policy: Policy
    online: list[WitnessProcess]
    offline: WitnessProcess

    async def readiness(self) -> tuple[int, str | None]:
        """Return the status of /readyz and what it says of the witnesses."""
        reply = await self.service.ask("GET", "/readyz")
        details = {check["name"]: check["detail"] for check in reply.json()["checks"]}
        return reply.status, details.get("witnesses")

    async def metrics(self) -> str:
        """Return the metrics."""
        return (await self.service.ask("GET", "/metrics", role=Role.AUDITOR)).body.decode()


@pytest.fixture
async def witnessed(database: str, data_folder: Path, tmp_path: Path) -> AsyncIterator[Witnessed]:
    """The service, whose log was begun before it had witnesses."""
    async with open_services(config_for(database, data_folder, origin="example.com/witnessed")) as services:
        log = services.log_verifier.vkey
    offices = [WitnessProcess(tmp_path / n, name=f"witness.example/{n}", log_vkey=log) for n in ("a", "b", "c")]
    for office in offices[:2]:
        office.start()
    text = (
        f"log {log}\nwitness a {offices[0].vkey} {offices[0].url}\nwitness b {offices[1].vkey} {offices[1].url}\n"
        f"witness c {offices[2].vkey}\ngroup both all a b\nquorum both\n"
    )
    (tmp_path / "policy").write_text(text)
    config = config_for(database, data_folder, witness_policy=tmp_path / "policy", run_worker=False)
    async with running_service(config) as service:
        yield Witnessed(service, Policy.parse(text), offices[:2], offices[2])
    for office in offices:
        office.kill()


async def wait_for_readiness(witnessed: Witnessed, status: int) -> str:
    """Wait until /readyz answers with a status because of the witnesses."""
    async with asyncio.timeout(60):
        while True:
            found, detail = await witnessed.readiness()
            if detail is not None and (detail == "the quorum cosigns") == (status == 200):
                assert found == status or status == 200
                return detail
            await asyncio.sleep(0.2)


@pytest.mark.timeout(300)
async def test_receipts_carry_the_quorum_and_its_absence_is_seen(witnessed: Witnessed) -> None:
    service = witnessed.service
    reply = await service.seal(b"footage")
    async with asyncio.timeout(60):
        while reply.status != 200:
            await asyncio.sleep(0.2)
            reply = await service.seal(b"footage", path="DCIM/again.mp4")
    handed_out = await service.services.policy()
    assert [witness.url for witness in handed_out.witnesses] == [None, None, None]
    check_receipt(parse_receipt(reply.body), log=service.services.log_verifier, policy=handed_out)
    assert "shilu_log_withheld 0.0" in await witnessed.metrics()

    witnessed.online[1].kill()
    assert (await service.seal(b"more footage", path="DCIM/b.mp4")).status == 202
    assert "b: does not answer" in await wait_for_readiness(witnessed, 503)
    text = await witnessed.metrics()
    assert "shilu_log_withheld 1.0" in text
    assert 'shilu_witness_failing{reason="does not answer' in text
    assert 'shilu_witness_success_timestamp_seconds{witness="a"}' in text

    witnessed.online[1].start()
    await wait_for_readiness(witnessed, 200)
    assert "shilu_log_withheld 0.0" in await witnessed.metrics()


@pytest.mark.timeout(300)
async def test_a_file_goes_out_and_a_cosignature_comes_in(witnessed: Witnessed, tmp_path: Path) -> None:
    services = witnessed.service.services
    await wait_for_readiness(witnessed, 200)
    request, answer = tmp_path / "out.request", tmp_path / "in.note"
    for _ in range(2):  # the second time from what the office cosigned the first time
        await witnessed.service.seal(b"footage %d" % len(list(tmp_path.iterdir())))
        await wait_for_readiness(witnessed, 200)
        size, body = await make_request(services, witness="c", old_size=None)
        request.write_bytes(body)
        witnessed.offline.told("sign", request, "--out", answer)
        accepted = await accept_cosigned(services, answer.read_bytes())
        assert (accepted.size, accepted.witnesses) == (size, ("c",))
        if accepted.attached:
            verdict = witnessed.policy.open_checkpoint(await services.reader.checkpoint()).verdict
            assert not verdict.missing
    with pytest.raises(KeyMalformed):
        await make_request(services, witness="nobody", old_size=None)
    stranger = Signer.generate("witness.example/c")
    with pytest.raises(NoteUnsigned):
        await accept_cosigned(services, sign_note(parse_note(answer.read_bytes()).text, [stranger]))


async def test_an_unusable_policy_stops_the_start(database: str, data_folder: Path, tmp_path: Path) -> None:
    other = Signer.generate("other.example").verifier.vkey
    for text in (f"log {other}\nquorum none\n", "quorum missing\n", "quorum none"):
        (tmp_path / "policy").write_text(text)
        with pytest.raises(ConfigInvalid):
            async with open_services(config_for(database, data_folder, witness_policy=tmp_path / "policy")):
                pass
    with pytest.raises(ConfigInvalid):
        async with open_services(config_for(database, data_folder, witness_policy=tmp_path / "absent")):
            pass
