"""A log's key follows another while the service runs: overlap, end, leak, crash points, and every refusal."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from api.cli.log_keys import key_rows
from api.config import ServiceConfig
from api.errors import LogKeyMissing, OriginMismatch
from api.folders import DataFolders
from api.key_file import Guise, guise_of, load_key, no_passphrase, passphrase_from, save_key
from api.log_keys import ChangedKeys, retire_log_key, rotate_log_key
from api.services import Duty, Services, open_services
from api.tasks import audit_all
from evidence.core.clock import Entropy
from evidence.core.wire.receipt import check_receipt, parse_receipt
from evidence.custody.log_keys import record_retirement
from evidence.custody.record import record
from evidence.errors import EventInvalid, LogKeysOverlap, LogKeysUnseen
from ledger.audit import audit_ledger
from ledger.checkpoint import open_checkpoint, parse_checkpoint
from ledger.errors import CodedError, KeyNotSpeaking, NoteUnsigned
from ledger.key_history import KeyHistory
from ledger.note import Signer, Verifier, open_note, parse_note
from tests.support.clock import SeededEntropy
from tests.support.ledger import until
from tests.support.service import RunningService, config_for, running_service

SEQUENCE = frozenset({Duty.SEQUENCE})


_runs = itertools.count(1)


@asynccontextmanager
async def running(config: ServiceConfig) -> AsyncIterator[RunningService]:
    """Run a service with a dock of its own: the next run on the same database has another one."""
    async with running_service(config) as service:
        number = next(_runs)
        service.entropy = SeededEntropy(1000 + number)
        await service.dock(number)
        yield service


async def signers_of(service: RunningService) -> set[Verifier]:
    """Return the keys that signed the published checkpoint."""
    note = (await service.ask("GET", "/log/checkpoint")).body
    verifiers = (await service.services.log_keys()).verifiers
    return {verifier for verifier in open_note(note, verifiers).signed_by if isinstance(verifier, Verifier)}


async def grown(service: RunningService, data: bytes) -> bytes:
    """Seal a file and return its receipt, which is against a checkpoint signed after this was called."""
    dock = await service.dock(next(iter(service.docks)))
    return (await service.seal(data, path=f"DCIM/{data.hex()[:40]}.mp4", dock=dock)).body


async def audited(services: Services) -> list[str]:
    found = await audit_all(services, since=None, put_on_record=False, say=lambda _text: None)
    return sorted({finding.code for finding in found.findings} - {"log.audited", "house.audited"})


async def rotated(services: Services, *, at_once: bool = False) -> ChangedKeys:
    return await rotate_log_key(services, no_passphrase, at_once=at_once)


async def test_both_sign_until_the_old_key_is_retired_and_old_receipts_stay_good(database: str, tmp_path: Path) -> None:
    async with running(config_for(database, tmp_path / "data")) as service:
        services = service.services
        old = services.log_verifier
        first_receipt = await grown(service, b"before")
        assert (await service.ask("GET", "/log/keys")).status == 404

        changed = await rotated(services)
        new = changed.history.newest
        second_receipt = await grown(service, b"both")
        assert await signers_of(service) == {old, new}
        for key in (old, new):
            check_receipt(parse_receipt(second_receipt), log=key)

        changed = await retire_log_key(services, no_passphrase)
        third_receipt = await grown(service, b"after")
        assert await signers_of(service) == {new}
        with pytest.raises(NoteUnsigned):
            check_receipt(parse_receipt(third_receipt), log=old)

        keys = KeyHistory.parse((await service.ask("GET", "/log/keys")).body)
        assert keys == changed.history
        for place, statement in enumerate(keys.statements, start=1):
            assert (await service.ask("GET", f"/log/keys/{place}")).body == statement
            assert (services.folders.log / f"keys/{place}").read_bytes() == statement
        for stranger in ("3", "0", "01", "-1", "x"):
            assert (await service.ask("GET", f"/log/keys/{stranger}")).status == 404
        for receipt in (first_receipt, second_receipt, third_receipt):
            check_receipt(parse_receipt(receipt), log=keys)
        policy = (await services.policy()).format().decode()
        assert policy == f"log {new.vkey}\nquorum none\n"
        assert await audited(services) == []
        assert [path.name for path in services.folders.log_key.parent.iterdir()] == ["log.key"]
        assert load_key(services.folders.log_key, no_passphrase).verifier == new
        assert [row["state"] for row in key_rows(keys)] == ["retired", "signs"]
    async with running(config_for(database, tmp_path / "data")) as service:
        assert service.services.log_verifier == new
        await grown(service, b"after a restart")
        assert await signers_of(service) == {new}


async def test_a_stolen_key_signs_nothing_beyond_its_end(database: str, tmp_path: Path) -> None:
    async with running(config_for(database, tmp_path / "data")) as service:
        services = service.services
        await grown(service, b"before")
        stolen = load_key(services.folders.log_key, no_passphrase)
        changed = await rotated(services, at_once=True)
        keys = changed.history
        assert keys.present == (keys.newest,)
        assert keys.spans[0].up_to == keys.spans[1].above
        await grown(service, b"after")
        note = (await service.ask("GET", "/log/checkpoint")).body
        assert await signers_of(service) == {keys.newest}
        checkpoint = parse_checkpoint(parse_note(note).text)
        forged = b"".join([parse_note(note).text.encode(), b"\n", stolen.sign(parse_note(note).text).line().encode()])
        assert open_checkpoint(forged, stolen.verifier) == checkpoint
        with pytest.raises(KeyNotSpeaking):
            keys.open_checkpoint(forged)
        assert await audited(services) == []
        await services.storage.put_checkpoint(forged)
        async with services.pool.acquire() as conn:
            found = [one async for one in audit_ledger(conn, services.storage, log=await services.log_keys())]
        assert [one.code for one in found] == ["log.checkpoint_signature", "log.audited"]


async def test_a_key_follows_while_the_service_is_stopped(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with running(config) as service:
        await grown(service, b"before")
    async with open_services(config, create=False) as services:
        changed = await rotated(services)
        with pytest.raises(LogKeysUnseen):
            await retire_log_key(services, no_passphrase)
        with pytest.raises(LogKeysOverlap):
            await rotated(services)
    async with running(config) as service:
        await grown(service, b"after")
        assert await signers_of(service) == set(changed.history.verifiers)
        assert await audited(service.services) == []


async def test_what_does_not_fit_the_keys_there_are_is_refused(database: str, tmp_path: Path) -> None:
    async with open_services(config_for(database, tmp_path / "data"), duties=SEQUENCE) as services:
        with pytest.raises(LogKeysOverlap):
            await retire_log_key(services, no_passphrase)
        stranger = Signer.generate(services.origin, SeededEntropy(5))
        with pytest.raises(LogKeysOverlap):
            async with services.pool.acquire() as conn, conn.transaction():
                await record_retirement(conn, by=stranger, clock=services.clock, entropy=services.entropy)
        assert (await services.log_keys()).successions == 0


class Crash(Exception):
    """Stands for the end of the process."""


class CrashingEntropy:
    """Random bytes until the process ends at the draw of the given number."""

    def __init__(self, *, at: int) -> None:
        self._left = at
        self._seeded = SeededEntropy(11)

    def __call__(self, count: int) -> bytes:
        if self._left == 0:
            raise Crash
        self._left -= 1
        return self._seeded(count)


async def test_a_key_written_before_a_crash_is_the_one_that_follows(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with running(config) as service:
        await grown(service, b"before")
        old = service.services.log_verifier
    entropy: Entropy = CrashingEntropy(at=1)
    with pytest.raises(Crash):
        # The key's seed is drawn and its file written; the entry's id would be next.
        async with open_services(config, create=False, entropy=entropy) as services:
            await rotated(services)
    folders = DataFolders(tmp_path / "data")
    left = load_key(folders.next_log_key, no_passphrase)
    async with running(config) as service:
        await grown(service, b"nobody knows it")
        assert await signers_of(service) == {old}
        changed = await rotated(service.services)
        assert changed.history.newest == left.verifier
        await grown(service, b"now they do")
        assert await signers_of(service) == {old, left.verifier}


async def test_a_damaged_key_that_a_broken_rotation_left_disturbs_only_the_next_rotation(
    database: str, tmp_path: Path
) -> None:
    config = config_for(database, tmp_path / "data")
    async with running(config) as service:
        next_key = service.services.folders.next_log_key
        next_key.write_text("half a key")
        next_key.chmod(0o600)
    async with running(config) as service:
        await grown(service, b"served")
        with pytest.raises(CodedError, match=r"keys\.damaged"):
            await rotated(service.services)
        assert (await service.services.log_keys()).successions == 0


async def test_an_end_that_broke_off_before_the_file_moved_is_finished_by_the_next_start(
    database: str, tmp_path: Path
) -> None:
    config = config_for(database, tmp_path / "data")
    folders = DataFolders(tmp_path / "data")
    async with running(config) as service:
        await grown(service, b"before")
        changed = await rotated(service.services)
        await grown(service, b"both")
    async with open_services(config, create=False) as services:
        signer = load_key(folders.next_log_key, no_passphrase)
        async with services.pool.acquire() as conn, conn.transaction():
            await record_retirement(conn, by=signer, clock=services.clock, entropy=services.entropy)
        # Here the process ends: the entry is committed, and the files are as they were.
    assert folders.next_log_key.exists()
    async with running(config) as service:
        assert not folders.next_log_key.exists()
        await grown(service, b"after")
        assert await signers_of(service) == {changed.history.newest}
        assert await audited(service.services) == []


async def test_a_protected_key_is_followed_by_a_protected_key(database: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("a passphrase of some length")
    config = config_for(database, tmp_path / "data", log_key_passphrase_file=secret)
    async with running(config) as service:
        folders, passphrase = service.services.folders, passphrase_from(secret)
        await rotate_log_key(service.services, passphrase, at_once=False)
        assert guise_of(folders.next_log_key) is Guise.PROTECTED
        await grown(service, b"both")
        changed = await retire_log_key(service.services, passphrase)
        assert guise_of(folders.log_key) is Guise.PROTECTED
        await grown(service, b"after")
        assert await signers_of(service) == {changed.history.newest}


async def test_a_host_without_the_new_key_signs_nothing_until_it_has_it(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with running(config) as service:
        await grown(service, b"before")
        folders, sequencer = service.services.folders, service.services.sequencer
        assert sequencer is not None
        async with open_services(config, create=False) as elsewhere:
            changed = await rotated(elsewhere)
            away = folders.next_log_key.rename(tmp_path / "away")
            await service.create_upload(b"x", path="DCIM/x.mp4", dock=next(iter(service.docks.values())))
            await until(lambda: "log.key_missing" in (sequencer.status.error or ""), seconds=20)
            size = parse_checkpoint(parse_note((await service.ask("GET", "/log/checkpoint")).body).text).size
            assert size <= changed.changes[0].size
        away.rename(folders.next_log_key)
        await grown(service, b"after")
        assert await signers_of(service) == set(changed.history.verifiers)


async def test_a_start_without_the_keys_that_sign_is_refused(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    folders = DataFolders(tmp_path / "data")
    async with running(config) as service:
        await grown(service, b"before")
        first = load_key(folders.log_key, no_passphrase)
        await rotated(service.services, at_once=True)
    second = load_key(folders.log_key, no_passphrase)
    for signer, refusal in (
        (first, LogKeyMissing),
        (Signer.generate(second.name, SeededEntropy(3)), OriginMismatch),
        (Signer.generate("other.example/log", SeededEntropy(3)), OriginMismatch),
    ):
        save_key(folders.log_key, signer, passphrase=None, entropy=SeededEntropy(4))
        with pytest.raises(refusal):
            async with open_services(config, duties=SEQUENCE):
                pass
    save_key(folders.log_key, second, passphrase=None, entropy=SeededEntropy(4))
    async with open_services(config, duties=SEQUENCE):
        pass


async def test_rotations_that_race_make_one_successor(database: str, tmp_path: Path) -> None:
    async with running(config_for(database, tmp_path / "data")) as service:
        await grown(service, b"before")
        results = await asyncio.gather(*(rotated(service.services) for _ in range(4)), return_exceptions=True)
        won = [result for result in results if isinstance(result, ChangedKeys)]
        assert len(won) == 1
        assert all(isinstance(result, ChangedKeys | CodedError) for result in results)
        assert (await service.services.log_keys()).successions == 1
        await grown(service, b"after")
        assert await signers_of(service) == set(won[0].history.verifiers)


async def test_the_audit_names_altered_statements_wherever_they_lie(database: str, tmp_path: Path) -> None:
    config = config_for(database, tmp_path / "data")
    async with running(config) as service:
        services = service.services
        await grown(service, b"before")
        await rotated(services)
        await grown(service, b"both")
        await retire_log_key(services, no_passphrase)
        await grown(service, b"after")
        history = await services.log_keys()
        stranger = services.folders.log / "keys/3"
        for place in (1, 2):
            file = services.folders.log / f"keys/{place}"
            for damage in (None, b"", history.statements[place - 1][:-9], history.statements[place % 2]):
                file.unlink()
                if damage is not None:
                    file.write_bytes(damage)
                assert await audited(services) == ["log.keys_altered"], (place, damage)
                file.unlink(missing_ok=True)
                file.write_bytes(history.statements[place - 1])
        stranger.write_bytes(history.statements[0])
        assert await audited(services) == ["log.keys_altered"]
        stranger.unlink()
        assert await audited(services) == []
        async with services.pool.acquire() as conn, conn.transaction():
            await conn.execute("ALTER TABLE log_key_statement DISABLE TRIGGER forbid_change")
            await conn.execute("DELETE FROM log_key_statement WHERE kind = 'retired'")
        assert "row.missing" in await audited(services)


async def test_a_payload_that_says_more_than_its_statement_is_no_event(database: str, tmp_path: Path) -> None:
    async with running(config_for(database, tmp_path / "data")) as service:
        await grown(service, b"before")
        await rotated(service.services)
        async with service.services.pool.acquire() as conn:
            raw = await conn.fetchval("SELECT payload FROM custody_payload WHERE type = 'log.key_rotated'")
            payload = json.loads(raw)
            for lie in ({"size": payload["size"] + 1}, {"number": 2}, {"statement": payload["statement"][:-9] + "\n"}):
                with pytest.raises(EventInvalid):
                    async with conn.transaction():
                        await record(
                            conn,
                            type="log.key_rotated",
                            actor="service",
                            subject="log",
                            payload={**payload, **lie},
                            clock=service.services.clock,
                            entropy=service.services.entropy,
                        )
