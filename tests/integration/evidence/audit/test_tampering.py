"""Every kind of tampering is named by its own code, and by no other; an honest house gives no finding at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from evidence.audit.findings import FINDINGS
from evidence.audit.house import GUARDED_TABLES
from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from evidence.core.wire.inventory import Inventory, InventoryFile, sign_inventory
from evidence.core.wire.statement import dock_key_name
from evidence.custody.record import record
from evidence.db.pool import Connection, Pool
from ledger.canonical import JsonObject
from ledger.findings import Severity
from ledger.note import Signer
from tests.support.auditing import audited, differences, present_checkpoint
from tests.support.payloads import STAFF
from tests.support.small_house import CONTENTS, RECORDER, SmallHouse, superuser

FIRST, SECOND, STILL = CONTENTS

Tampering = Callable[[SmallHouse], Awaitable[None]]


def sql(statement: str) -> Tampering:
    """Tamper with rows as a superuser whom no trigger stops."""

    async def tamper(house: SmallHouse) -> None:
        async with superuser(house.dsn) as conn:
            status = await conn.execute(statement)
        assert not status.endswith(" 0"), "the tampering must hit something"

    return tamper


def content(name: str, change: Callable[[bytes], bytes]) -> Tampering:
    """Tamper with the bytes of an original in the store."""

    async def tamper(house: SmallHouse) -> None:
        rewrite(house.object_path(name), change)

    return tamper


def published(pattern: str, change: Callable[[bytes], bytes]) -> Tampering:
    """Tamper with the widest published file whose path matches."""

    async def tamper(house: SmallHouse) -> None:
        files = sorted((house.root / "log").glob(pattern), key=lambda path: int(path.name))
        rewrite(files[-1], change)

    return tamper


def rewrite(path: Path, change: Callable[[bytes], bytes]) -> None:
    before = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(change(before))
    assert path.read_bytes() != before


def flipped(offset: int) -> Callable[[bytes], bytes]:
    return lambda raw: raw[:offset] + bytes([raw[offset] ^ 1]) + raw[offset + 1 :]


async def swap_objects(house: SmallHouse) -> None:
    first, second = house.object_path(FIRST), house.object_path(SECOND)
    aside = house.root / "aside"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)


async def delete_object(house: SmallHouse) -> None:
    house.object_path(SECOND).unlink()


async def delete_derivative(house: SmallHouse) -> None:
    house.objects.open_path(house.objects.put(b"a proxy, a derivative")).unlink()


async def plant_object(house: SmallHouse) -> None:
    house.objects.put(b"slipped in")


async def roll_checkpoint_back(house: SmallHouse) -> None:
    # The published file of the state before the last publication, as somebody with access to the folder kept it.
    async with house.pool.acquire() as conn:
        note = await conn.fetchval("SELECT note FROM ledger_publication ORDER BY size DESC OFFSET 1 LIMIT 1")
    rewrite(house.root / "log" / "checkpoint", lambda _: note)


async def forge_inventory(house: SmallHouse) -> None:
    """Record, by the regular way, an inventory that another key signed in the dock's name."""
    stranger = Signer.generate(dock_key_name(house.dock), house.entropy)
    await record_inventory(house, stranger, recorder=RECORDER)


async def misquote_inventory(house: SmallHouse) -> None:
    """Record an inventory of one recorder as that of another."""
    await record_inventory(house, house.dock_signer, recorder="OTHER")


async def record_inventory(
    house: SmallHouse, signer: Signer, *, recorder: str, files: tuple[InventoryFile, ...] = ()
) -> None:
    inventory = Inventory(
        id=house.new_id(),
        dock=house.dock,
        recorder=recorder,
        seen_at=house.clock(),
        dock_clock=house.clock(),
        profile="generic-dcim",
        files=files,
    )
    note = sign_inventory(inventory, signer).decode()
    stated = {"inventory": str(inventory.id), "dock": str(house.dock), "recorder": RECORDER, "note": note}
    await house.write("dock.inventory", f"dock:{house.dock}", stated)
    await house.publish()


async def seal_without_manifest(house: SmallHouse) -> None:
    await house.seal("unsigned.mp4", b"unsigned", with_manifest=False)
    await house.publish()


async def leave_a_file_behind(house: SmallHouse) -> None:
    """The dock lists a file; it never arrives."""
    lost = InventoryFile(path="DCIM/lost.mp4", size=5, modified_at=house.clock(), order=0)
    await record_inventory(house, house.dock_signer, recorder=RECORDER, files=(lost,))


async def rotate(house: SmallHouse, *, sequence: int = 1, forged: bool = False) -> Signer:
    """Change the dock's key the regular way, or by somebody who does not hold the old one; return the old key."""
    old, new = house.dock_signer, Signer.generate(dock_key_name(house.dock), house.entropy)
    by = Signer.generate(old.name, house.entropy) if forged else old
    change = DockKeyChange(dock=house.dock, sequence=sequence, old=by.verifier, new=new.verifier)
    note = sign_dock_key(change, old=by, new=new).decode()
    stated: JsonObject = {"dock": str(house.dock), "sequence": sequence, "vkey": new.verifier.vkey, "note": note}
    await house.write("dock.key_rotated", f"dock:{house.dock}", stated)
    if not forged:
        house.dock_signer = new
    return old


async def state_by_a_superseded_key(house: SmallHouse) -> None:
    """Whoever kept the old key goes on to speak for the dock."""
    old = await rotate(house)
    await house.publish()
    await record_inventory(house, old, recorder=RECORDER)


async def state_by_a_key_to_come(house: SmallHouse) -> None:
    """A statement is signed by a key that the dock gets only later."""
    old, new = house.dock_signer, Signer.generate(dock_key_name(house.dock), house.entropy)
    await record_inventory(house, new, recorder=RECORDER)
    await house.publish()
    change = DockKeyChange(dock=house.dock, sequence=1, old=old.verifier, new=new.verifier)
    note = sign_dock_key(change, old=old, new=new).decode()
    stated: JsonObject = {"dock": str(house.dock), "sequence": 1, "vkey": new.verifier.vkey, "note": note}
    await house.write("dock.key_rotated", f"dock:{house.dock}", stated)


async def state_after_revocation(house: SmallHouse) -> None:
    """A revoked dock goes on."""
    await house.write("dock.revoked", f"dock:{house.dock}", {"dock": str(house.dock), "reason": "失窃"})
    await house.publish()
    await house.seal("late.mp4", b"late")


async def rotate_without_the_old_key(house: SmallHouse) -> None:
    """Somebody makes a key the dock's that the dock did not vouch for."""
    await rotate(house, forged=True)


async def rotate_out_of_turn(house: SmallHouse) -> None:
    """A number is left out: a change that nobody is to see."""
    await rotate(house, sequence=2)


async def act_as(house: SmallHouse, actor: str) -> None:
    async with house.pool.acquire() as conn, conn.transaction():
        await record(
            conn,
            type="clip.exported",
            actor=actor,
            subject=f"clip:{house.clips[FIRST]}",
            payload={"clip": str(house.clips[FIRST]), "purpose": "legal_review", "files": []},
            clock=house.clock,
            entropy=house.entropy,
        )


async def act_without_a_token(house: SmallHouse) -> None:
    """Nobody ever gave this person a token."""
    await act_as(house, f"staff:{house.new_id()}")


async def act_with_an_expired_token(house: SmallHouse) -> None:
    """The person's only token ended long before."""
    house.clock.advance(timedelta(days=40))
    await act_as(house, STAFF)


async def act_with_a_revoked_token(house: SmallHouse) -> None:
    """The person's only token was revoked hours before."""
    async with house.pool.acquire() as conn:
        token = await conn.fetchval("SELECT token FROM staff_token")
    await house.write("staff.token_revoked", f"token:{token}", {"token": str(token), "reason": "离职"})
    house.clock.advance(timedelta(hours=2))
    await house.publish()
    await act_as(house, STAFF)


async def act_as_a_revoked_dock(house: SmallHouse) -> None:
    """An entry of a dock that was revoked before."""
    await house.write("dock.revoked", f"dock:{house.dock}", {"dock": str(house.dock), "reason": "失窃"})
    await house.publish()
    await act_as(house, f"dock:{house.dock}")


CLIP = f"(SELECT entry_id FROM clip WHERE name = '{SECOND}')"

TAMPERINGS: dict[str, tuple[Tampering, list[str]]] = {
    # The cases every release is judged by.
    "byte flipped": (content(FIRST, flipped(CHUNK_BYTES + 9)), ["object.altered"]),
    "file truncated": (content(FIRST, lambda raw: raw[:-1]), ["object.size_differs"]),
    "file emptied": (content(STILL, lambda _: b""), ["object.size_differs"]),
    "two objects swapped": (swap_objects, ["object.swapped"]),
    "object deleted": (delete_object, ["object.missing"]),
    "row deleted": (sql(f"DELETE FROM clip WHERE name = '{SECOND}'"), ["row.missing"]),
    "row altered": (sql(f"UPDATE clip SET name = 'other.mp4' WHERE name = '{SECOND}'"), ["row.altered"]),
    "entry altered in the bundle": (published("tile/entries/*.p/*", flipped(20)), ["log.bundle_altered"]),
    "tile altered": (published("tile/0/*.p/*", flipped(3)), ["log.tile_altered"]),
    "checkpoint rolled back": (roll_checkpoint_back, ["log.checkpoint_stale"]),
    # Guards.
    "guard dropped": (sql("DROP TRIGGER forbid_change ON clip"), ["guard.missing"]),
    "guard switched off": (sql("ALTER TABLE ledger_entry DISABLE TRIGGER forbid_change"), ["guard.missing"]),
    # Payloads.
    "payload altered": (
        sql(
            "UPDATE custody_payload SET payload ="
            f" convert_to(replace(convert_from(payload, 'UTF8'), '013579', '024680'), 'UTF8') WHERE entry_id = {CLIP}"
        ),
        ["payload.not_committed"],
    ),
    "digest in the payload altered": (
        sql(
            "UPDATE custody_payload SET payload = convert_to(regexp_replace(convert_from(payload, 'UTF8'),"
            f" '\"sha256\":\"..', '\"sha256\":\"zz'), 'UTF8') WHERE entry_id = {CLIP}"
        ),
        ["payload.not_committed"],
    ),
    "inventory payload altered": (
        sql(
            "UPDATE custody_payload SET payload = convert_to(replace(convert_from(payload, 'UTF8'),"
            " 'still.jpg', 'other.jpg'), 'UTF8') WHERE type = 'dock.inventory'"
        ),
        ["payload.not_committed"],
    ),
    "payload made noise": (
        sql(f"UPDATE custody_payload SET payload = 'noise' WHERE entry_id = {CLIP}"),
        ["payload.not_committed"],
    ),
    "salt altered": (
        sql(f"UPDATE custody_payload SET salt = sha256(salt) WHERE entry_id = {CLIP}"),
        ["payload.not_committed"],
    ),
    "payload deleted": (sql(f"DELETE FROM custody_payload WHERE entry_id = {CLIP}"), ["payload.missing"]),
    "all payloads deleted": (sql("DELETE FROM custody_payload"), ["payload.missing"]),
    "actor beside the payload altered": (
        sql(f"UPDATE custody_payload SET actor = 'service.2' WHERE entry_id = {CLIP}"),
        ["payload.columns_differ"],
    ),
    "time beside the payload altered": (
        sql(f"UPDATE custody_payload SET at = at - interval '1 day' WHERE entry_id = {CLIP}"),
        ["payload.columns_differ"],
    ),
    "payload planted": (
        sql(
            "INSERT INTO custody_payload SELECT gen_random_uuid(), type, actor, subject, at, payload, salt"
            " FROM custody_payload WHERE type = 'clip.viewed'"
        ),
        ["payload.without_entry"],
    ),
    # Entries.
    "entry row deleted": (sql(f"DELETE FROM ledger_entry WHERE entry_id = {CLIP}"), ["log.entry_missing"]),
    "entry row altered": (
        sql(
            "UPDATE ledger_entry SET entry ="
            f" convert_to(replace(convert_from(entry, 'UTF8'), 'service', 'servant'), 'UTF8') WHERE entry_id = {CLIP}"
        ),
        ["log.entry_altered"],
    ),
    "leaf row altered": (
        sql(f"UPDATE ledger_leaf SET leaf_hash = sha256(leaf_hash) WHERE entry_id = {CLIP}"),
        ["log.leaf_altered"],
    ),
    # Rows of every kind.
    "row planted": (
        sql(
            "INSERT INTO case_file SELECT gen_random_uuid(), 'x', 'x', 'x', opened_by, opened_at, gen_random_uuid()"
            " FROM case_file"
        ),
        ["row.unexpected"],
    ),
    "annotation rewritten": (
        sql("UPDATE clip_annotation SET content = jsonb_set(content, '{remark}', '\"另有说法\"')"),
        ["row.altered"],
    ),
    "exhibit renumbered": (sql("UPDATE case_clip SET exhibit = 7"), ["row.missing", "row.unexpected"]),
    "inventory line deleted": (sql("DELETE FROM dock_inventory_file WHERE place = 1"), ["row.missing"]),
    "dock's key replaced": (sql("UPDATE dock SET vkey = 'x'"), ["row.altered"]),
    # Objects.
    "derivative deleted": (delete_derivative, ["object.missing"]),
    "object planted": (plant_object, ["object.unnamed"]),
    "bytes appended": (content(SECOND, lambda raw: raw + b"x"), ["object.size_differs"]),
    # What the service itself may have done wrong, by the regular way.
    "inventory forged": (forge_inventory, ["statement.not_signed"]),
    "inventory misquoted": (misquote_inventory, ["statement.disagrees"]),
    "superseded key": (state_by_a_superseded_key, ["statement.key_not_in_force"]),
    "key to come": (state_by_a_key_to_come, ["statement.key_not_in_force"]),
    "revoked dock seals": (state_after_revocation, ["statement.key_not_in_force"]),
    "key changed by a stranger": (rotate_without_the_old_key, ["dock.key_unproved"]),
    "change of key left out": (rotate_out_of_turn, ["dock.key_unproved"]),
    "actor without a token": (act_without_a_token, ["actor.not_in_force"]),
    "actor with an expired token": (act_with_an_expired_token, ["actor.not_in_force"]),
    "actor with a revoked token": (act_with_a_revoked_token, ["actor.not_in_force"]),
    "actor is a revoked dock": (act_as_a_revoked_dock, ["actor.not_in_force"]),
    "enrolment altered": (
        sql("UPDATE custody_payload SET salt = sha256(salt) WHERE type = 'dock.enrolled'"),
        ["payload.not_committed"],
    ),
    "enrolment deleted": (
        sql("DELETE FROM custody_payload WHERE type = 'dock.enrolled'"),
        ["payload.missing"],
    ),
    "token's payload deleted": (
        sql("DELETE FROM custody_payload WHERE type = 'staff.token_issued'"),
        ["payload.missing"],
    ),
    "manifest left out": (seal_without_manifest, ["statement.missing"]),
    "file left behind": (leave_a_file_behind, ["inventory.file_absent"]),
}


async def test_an_honest_house_gives_no_finding(house: SmallHouse) -> None:
    found = await audited(house)
    assert [finding for finding in found if finding.severity is not Severity.OK] == []
    assert [finding.code for finding in found] == ["log.audited", "house.audited"]
    assert found[-1].details["objects"] == len(CONTENTS) + 2
    assert found[-1].details["bytes_read"] == sum(map(len, CONTENTS.values())) + len(b"a proxy, a derivativea poster")


@pytest.mark.parametrize("name", TAMPERINGS)
async def test_tampering_is_named_by_its_own_code(house: SmallHouse, name: str) -> None:
    tamper, expected = TAMPERINGS[name]
    since = await present_checkpoint(house)
    await tamper(house)
    assert await differences(house, since=since) == expected


async def test_a_dock_that_changed_its_key_gives_no_finding(house: SmallHouse) -> None:
    for sequence in (1, 2):
        await rotate(house, sequence=sequence)
        # Waiting for its place, and in it.
        await house.seal(f"{sequence}.mp4", f"clip {sequence}".encode())
        assert await differences(house) == []
        await house.publish()
        assert await differences(house) == []
    await house.write("dock.revoked", f"dock:{house.dock}", {"dock": str(house.dock), "reason": "报废"})
    await house.publish()
    assert await differences(house) == []


async def test_a_request_that_outlives_its_token_is_not_held_against_its_holder(house: SmallHouse) -> None:
    async with house.pool.acquire() as conn:
        token = await conn.fetchval("SELECT token FROM staff_token")
    await house.write("staff.token_revoked", f"token:{token}", {"token": str(token), "reason": "更换"})
    await act_as(house, STAFF)
    await house.publish()
    assert await differences(house) == []


async def test_the_place_of_a_flipped_byte_is_named(house: SmallHouse) -> None:
    await TAMPERINGS["byte flipped"][0](house)
    [found] = [finding for finding in await audited(house) if finding.code == "object.altered"]
    assert found.details["places"] == f"{CHUNK_BYTES}-{2 * CHUNK_BYTES - 1}"
    assert found.details["clip"] == str(house.clips[FIRST])


async def test_without_kept_leaves_a_flipped_byte_is_still_found(house: SmallHouse) -> None:
    await sql("DELETE FROM clip_leaves")(house)
    await TAMPERINGS["byte flipped"][0](house)
    [found] = [finding for finding in await audited(house) if finding.code == "object.altered"]
    assert "places" not in found.details


async def test_swapped_objects_are_both_named_with_what_they_hold(house: SmallHouse) -> None:
    await swap_objects(house)
    found = [finding for finding in await audited(house) if finding.code == "object.swapped"]
    assert {(finding.subject, f"object:{finding.details['holds']}") for finding in found} == {
        (one.subject, other.subject) for one in found for other in found if one is not other
    }


async def test_the_log_and_the_database_rolled_back_together_are_caught_by_who_remembers(house: SmallHouse) -> None:
    folder = house.root / "log"
    kept = house.root / "kept"
    shutil.copytree(folder, kept)
    old = await present_checkpoint(house)
    await house.seal("late.mp4", b"late")
    await house.publish()
    since = await present_checkpoint(house)
    async with superuser(house.dsn) as conn:
        await roll_database_back(conn, size=old.size, root=old.root)
    shutil.rmtree(folder)
    kept.rename(folder)
    house.objects.open_path(house.object_digest(b"late")).unlink()
    assert await differences(house) == [], "nobody who only looks at this house can know"
    assert await differences(house, since=since) == ["log.rolled_back"]


async def roll_database_back(conn: Connection, *, size: int, root: bytes) -> None:
    """Remove everything behind a size from every table, as a perfect forger would."""
    await conn.execute("CREATE TEMPORARY TABLE gone AS SELECT entry_id FROM ledger_leaf WHERE index >= $1", size)
    for table in ("custody_payload", "clip", "clip_source", "ledger_entry", "ledger_leaf"):
        await conn.execute(f"DELETE FROM {table} WHERE entry_id IN (SELECT entry_id FROM gone)")
    await conn.execute("DELETE FROM ledger_publication WHERE size > $1", size)
    await conn.execute("DELETE FROM ledger_checkpoint WHERE size > $1", size)
    await conn.execute("UPDATE ledger_head SET size = $1, root = $2", size, root)


async def test_a_finding_fits_into_json(house: SmallHouse) -> None:
    await TAMPERINGS["row altered"][0](house)
    for finding in await audited(house):
        assert json.loads(json.dumps(finding.as_json()))["code"] == finding.code


async def test_an_sm3_that_is_not_the_bytes_is_found(house: SmallHouse) -> None:
    await house.seal("right.mp4", b"right", sm3=hashlib.new("sm3", b"right").hexdigest())
    await house.publish()
    assert await differences(house) == []
    await house.seal("wrong.mp4", b"wrong", sm3=hashlib.new("sm3", b"right").hexdigest())
    await house.publish()
    assert await differences(house) == ["object.sm3_differs"]


def test_every_code_has_its_tampering() -> None:
    expected = {code for _, codes in TAMPERINGS.values() for code in codes}
    others = {"house.audited", "payload.not_replayable", "object.unreadable"}
    # Time stamps have their own: test_times.
    others |= {"timestamp.false", "timestamp.disagrees", "timestamp.unjudged", "timestamp.clock_differs"}
    # Copies as well: ingest/test_copies and acceptance/test_second_store.
    others |= {"copy.missing", "copy.altered", "copy.unlocked", "copy.unnamed", "copies.unchecked", "object.elsewhere"}
    others |= {"copy.overdue", "restored.kept_gone", "restored.unrecorded"}  # ingest/test_copies and ingest/test_repair
    others |= {"account.secret_differs"}  # test_accounts
    others |= {"object.sm3_differs"}  # test_an_sm3_that_is_not_the_bytes_is_found
    # retention/test_disposal
    others |= {"object.not_removed", "copy.not_removed", "disposal.unapproved", "disposal.unlawful"}
    # test_registers
    others |= {"session.not_linked", "register.circle", "register.overlapping", "register.holders_overlapping"}
    # review/test_audit
    others |= {"review.root_differs", "review.signature_invalid", "review.out_of_order", "decision.unapproved"}
    assert set(FINDINGS) == {code for code in expected if not code.startswith("log.")} | others


async def test_every_guarded_table_is_on_the_list(pool: Pool) -> None:
    async with pool.acquire() as conn:
        rows = await conn.fetch("SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'forbid_change'")
    assert {row["name"] for row in rows} == set(GUARDED_TABLES)
