"""The dock's whole way over HTTP: inventory, upload, manifest, receipt; and everything that can be wrong on it."""

from __future__ import annotations

import asyncio
from uuid import UUID, uuid4

import pytest

from evidence.core.wire.receipt import check_receipt, parse_receipt
from evidence.core.wire.sealed import read_sealed
from evidence.parties.roles import Role
from ledger.tree import root_of
from tests.support.parties import file_of
from tests.support.service import NOTE, RunningService, digest_of

DATA = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 50


async def test_a_file_becomes_a_clip_with_a_receipt_that_verifies(service: RunningService) -> None:
    reply = await service.seal(DATA)
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/vnd.shilu.receipt"
    checked = check_receipt(parse_receipt(reply.body), log=service.services.log_verifier)
    sealed = read_sealed(checked.entry, checked.payload)
    assert sealed.digest == digest_of(DATA)


async def test_the_same_manifest_again_gets_the_same_entry(service: RunningService) -> None:
    dock = await service.dock()
    upload, inventory = await service.create_upload(DATA, path="a.mp4", dock=dock)
    await service.append(upload, DATA, dock=dock)
    replies = await asyncio.gather(
        *(service.state_manifest(upload, DATA, path="a.mp4", inventory=inventory, dock=dock) for _ in range(4))
    )
    assert len({parse_receipt(reply.body).entry for reply in replies}) == 1


async def test_the_receipt_is_there_for_its_dock_and_for_people(service: RunningService) -> None:
    clip = await service.clip(DATA)
    dock, stranger = await service.dock(1), await service.dock(2)
    own = await service.ask("GET", f"/v1/clips/{clip}/receipt", dock=dock)
    people = await service.ask("GET", f"/v1/clips/{clip}/receipt", role=Role.REVIEWER)
    assert parse_receipt(own.body).entry == parse_receipt(people.body).entry
    refused = await service.ask("GET", f"/v1/clips/{clip}/receipt", dock=stranger)
    assert refused.code == "clip.unknown"


async def test_leaf_hashes_lead_to_the_sealed_root_and_are_missed_by_name(service: RunningService) -> None:
    clip = await service.clip(bytes(2 * 1024 * 1024) + b"the end", path="DCIM/long.mp4")
    path = f"/v1/clips/{clip}/leaves"
    told = (await service.ask("GET", path, role=Role.INVESTIGATOR)).body
    async with service.services.pool.acquire() as conn:
        root = await conn.fetchval("SELECT root FROM clip WHERE clip = $1", clip)
        assert root_of([told[start : start + 32] for start in range(0, len(told), 32)]) == root
        await conn.execute("DELETE FROM clip_leaves")
    assert len(told) == 3 * 32
    assert (await service.ask("GET", path, role=Role.INVESTIGATOR)).code == "clip.leaves_missing"


async def test_another_dock_with_the_same_bytes_gets_a_receipt_of_its_own(service: RunningService) -> None:
    clip = await service.clip(DATA)
    other = await service.dock(2)
    await service.seal(DATA, path="b.mp4", dock=other)
    first = await service.ask("GET", f"/v1/clips/{clip}/receipt", dock=await service.dock(1))
    second = await service.ask("GET", f"/v1/clips/{clip}/receipt", dock=other)
    assert parse_receipt(first.body).entry != parse_receipt(second.body).entry
    assert b'"type":"clip.repeated"' in parse_receipt(second.body).entry


async def test_without_a_publication_the_answer_is_a_promise(service: RunningService) -> None:
    await service.clip(b"first")
    # Nobody publishes any more, so the entry cannot become provable within the wait.
    await service.services.duties.__aexit__()
    reply = await service.seal(DATA, path="late.mp4")
    assert reply.status == 202
    assert reply.headers["Retry-After"] == "1"
    assert set(reply.json()) == {"clip", "entry"}
    again = await service.ask("GET", f"/v1/clips/{reply.json()['clip']}/receipt", role=Role.AUDITOR)
    assert again.status == 202


async def test_a_manifest_that_disagrees_seals_nothing(service: RunningService) -> None:
    dock = await service.dock()
    upload, inventory = await service.create_upload(DATA, path="a.mp4", dock=dock)
    await service.append(upload, DATA, dock=dock)
    false = DATA[:-1] + b"\0"
    reply = await service.state_manifest(upload, false, path="a.mp4", inventory=inventory, dock=dock)
    assert reply.code == "manifest.disagrees"
    assert "sha256" in reply.json()["details"] or "root" in reply.json()["detail"]
    listed = await service.ask("GET", "/v1/clips", role=Role.AUDITOR)
    assert listed.json()["items"] == []


async def test_a_manifest_before_the_last_byte_is_refused(service: RunningService) -> None:
    dock = await service.dock()
    upload, inventory = await service.create_upload(DATA, path="a.mp4", dock=dock)
    await service.append(upload, DATA[:100], dock=dock)
    reply = await service.state_manifest(upload, DATA, path="a.mp4", inventory=inventory, dock=dock)
    assert (reply.code, reply.json()["retry"]) == ("upload.incomplete", "fixed")


async def test_a_manifest_signed_by_another_dock_is_refused(service: RunningService) -> None:
    dock, thief = await service.dock(1), await service.dock(2)
    upload, inventory = await service.create_upload(DATA, path="a.mp4", dock=dock)
    await service.append(upload, DATA, dock=dock)
    reply = await service.state_manifest(upload, DATA, path="a.mp4", inventory=inventory, dock=thief)
    assert reply.code == "upload.unknown"
    inventory_of_dock = dock.inventory_note(dock.inventory(file_of("b.mp4")))
    reply = await service.ask("POST", "/v1/inventories", dock=thief, data=inventory_of_dock, headers=NOTE)
    assert (reply.status, reply.code) == (403, "wire.signature")


async def test_an_inventory_is_answered_alike_every_time(service: RunningService) -> None:
    dock = await service.dock()
    inventory = dock.inventory(file_of("a.mp4"))
    note = dock.inventory_note(inventory)
    replies = [await service.ask("POST", "/v1/inventories", dock=dock, data=note, headers=NOTE) for _ in range(3)]
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert replies[0].json()["inventory"] == str(inventory.id)
    changed = dock.inventory_note(dock.inventory(file_of("b.mp4"), id_=inventory.id))
    reply = await service.ask("POST", "/v1/inventories", dock=dock, data=changed, headers=NOTE)
    assert reply.code == "inventory.conflict"


@pytest.mark.parametrize("path", ["/v1/inventories", "/v1/cleared"])
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"hello\n", b"shilu/inventory/v1\n{}\n\n\xe2\x80\x94 x AAAA\n"])
async def test_statements_that_are_none_are_refused(service: RunningService, path: str, body: bytes) -> None:
    reply = await service.ask("POST", path, dock=await service.dock(), data=body, headers=NOTE)
    assert reply.status in {400, 403}


async def test_unknown_clips_have_no_receipt(service: RunningService) -> None:
    reply = await service.ask("GET", f"/v1/clips/{uuid4()}/receipt", role=Role.ARCHIVIST)
    assert reply.code == "clip.unknown"
    reply = await service.state_manifest(
        f"/uploads/{uuid4()}", DATA, path="a.mp4", inventory=UUID(int=1), dock=await service.dock()
    )
    assert reply.code == "upload.unknown"
