"""The house that the drill tampers with, built once: a small house grown to a few thousand entries.

All of it is real: an embedded PostgreSQL, originals on disk, a published log whose checkpoints a witness cosigned.
Beside it lies what victims hold: evidence folders as they are exported, receipts as docks keep them, a policy, and a
checkpoint that somebody wrote down when the log was younger.
"""

from __future__ import annotations

import hashlib
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.digest import CHUNK_BYTES
from evidence.core.wire.cleared import Cleared, ClearedFile, sign_cleared
from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from evidence.core.wire.receipt import format_receipt
from evidence.core.wire.statement import dock_key_name
from evidence.custody.record import record
from evidence.custody.timestamps import TimestampBook
from evidence.db.embedded import EmbeddedPostgres
from evidence.db.pool import connect, open_pool
from evidence.export.clip import Exporter
from evidence.objects.s3 import S3Objects
from evidence.receipts import build_receipt
from ingest.repair import Outcome, Repair
from ledger.canonical import JsonObject, JsonValue, canonical_json
from ledger.checkpoint import Checkpoint, open_checkpoint
from ledger.cosignature import Cosigner
from ledger.keys import KeyType
from ledger.note import Note, Signer, format_note, parse_note
from ledger.policy import Policy
from ledger.publish import stored_checkpoint
from ledger.sequencer import Sequencer
from ledger.stamping import Stamp
from ledger.timestamp.stamp import make_request, open_stamp
from tests.drill.baseline import Baseline
from tests.drill.handed import begun_root, hand_out_parts, redact_one
from tests.drill.kept import keep_and_dispose
from tests.drill.people import sign_somebody_in
from tests.support.case_files import keep_case_files
from tests.support.clock import START, SeededEntropy, SteppingClock
from tests.support.database import fresh_database, make_template
from tests.support.payloads import Scribe
from tests.support.reviews import keep_reviews
from tests.support.s3_bucket import Bucket, BucketMemory, make_bucket, make_session
from tests.support.s3_server import s3_server
from tests.support.small_house import CONTENTS, RECORDER, SmallHouse
from tests.support.time_authority import make_stamper

WITNESS = "witness.test/other-office"
EXPORTS = 3
RECEIPTS = 24
_PUBLICATIONS = 7
_LONG_CLIP_EVERY = 8
_COPIES = 3
_RETENTION = timedelta(days=36500)


@dataclass(kw_only=True)
class DrillHouse(SmallHouse):
    """A small house, what its victims hold, and the way back to the honest state.

    Attributes:
        cosigner: The witness; it cosigns what the honest sequencer shows it.
        since: The checkpoint that somebody wrote down.
        views: Entries without rows of their own, in order of the log.
        bucket: The second store, with a client of nobody's rules.
        second: The same as the house opens it.
        baseline: Leads back to the honest state.
    """

    bucket: Bucket
    second: S3Objects = field(init=False)
    cosigner: Cosigner = field(init=False)
    since: Checkpoint = field(init=False)
    views: list[UUID] = field(default_factory=list)
    baseline: Baseline = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.cosigner = Cosigner.generate(WITNESS, key_type=KeyType.COSIGNATURE_ED25519, entropy=self.entropy)
        self.sequencer = self.new_sequencer()
        self.second = self.bucket.objects(self.root / "fetched")

    @property
    def log_folder(self) -> Path:
        """The published log."""
        return self.root / "log"

    @property
    def evidence_folder(self) -> Path:
        """Evidence folders, one below the other, as a court has them."""
        return self.root / "evidence"

    @property
    def parts_folder(self) -> Path:
        """An excerpt and a beginning that was sealed, one folder each."""
        return self.root / "parts"

    @property
    def receipts_folder(self) -> Path:
        """Receipts by clip, as a dock keeps them."""
        return self.root / "receipts"

    @property
    def policy_file(self) -> Path:
        """The policy of a victim who asks for a witness; it came by a way of its own and nobody tampers with it."""
        return self.root / "trusted.policy"

    @property
    def witnessed_policy(self) -> Policy:
        """The log's key, and a witness that must have cosigned."""
        vkey = self.cosigner.verifier.vkey
        return Policy.parse(f"log {self.signer.verifier.vkey}\nwitness other {vkey}\nquorum other\n")

    def new_sequencer(self) -> Sequencer:
        """Make a sequencer that knows nothing yet, as a process that has just started."""
        return Sequencer(lambda: connect(self.dsn), self.storage, self.signer, self.clock, cosign=self._cosign)

    async def sequence(self) -> None:
        """Publish with a sequencer that is closed again, so that rows may be set back afterwards."""
        sequencer = self.new_sequencer()
        try:
            await sequencer.recover()
            await sequencer.step()
        finally:
            await sequencer.close()

    async def published(self) -> Checkpoint:
        """Return the published checkpoint."""
        return open_checkpoint(await self.reader.checkpoint(), self.signer.verifier)

    async def signed_sizes(self) -> list[int]:
        """Return every size that was ever signed."""
        async with self.pool.acquire() as conn:
            return [row["size"] for row in await conn.fetch("SELECT size FROM ledger_checkpoint ORDER BY size")]

    async def _cosign(self, note: bytes, *, old_size: int, new_size: int) -> bytes:
        opened = parse_note(note)
        at = int(START.timestamp())
        return format_note(Note(opened.text, (*opened.signatures, self.cosigner.cosign(opened.text, at=at))))

    async def grow(self, *, entries: int, clips: int, seed: int) -> None:
        """Fill the house, hand out what victims hold, and remember the honest state."""
        chance = random.Random(f"drill house {seed}")
        await self.furnish()
        for number in range(clips - len(CONTENTS)):
            size = chance.randrange(1, 40_000) + (0 if number % _LONG_CLIP_EVERY else 2 * CHUNK_BYTES)
            name = f"clip {number:03}.mp4"
            self.clips[name] = await self.seal(name, chance.randbytes(size))
        await self._meet_people()
        await self._copy_some(chance)
        await keep_and_dispose(self)
        await self.publish()
        per_publication = max(1, (entries - 3 * clips) // _PUBLICATIONS)
        for number in range(_PUBLICATIONS):
            await self._look(per_publication, chance)
            await self.publish()
            if number == _PUBLICATIONS // 2:
                self.since = await self.published()
        await self._hand_out(chance)
        await self._have_stamped()
        await self.publish()
        await self.sequencer.close()
        memory = BucketMemory(self.bucket)
        self.baseline = await Baseline.of(self.root, self.dsn, beside=memory.restore)

    async def _meet_people(self) -> None:
        """What makes rows and does not happen in a small house: people, a dock that leaves, a cleared list."""
        token, staff = self.new_id(), self.new_id()
        issued: JsonObject = {
            "token": str(token),
            "staff": str(staff),
            "name": "审核员",
            "role": "reviewer",
            "expires_at": format_time(self.clock() + timedelta(days=1)),
            "token_sha256": hashlib.sha256(b"token").hexdigest(),
        }
        await self.write("staff.token_issued", f"token:{token}", issued)
        await self.write("staff.token_revoked", f"token:{token}", {"token": str(token), "reason": "离职"})
        other = self.new_id()
        signer = Signer.generate(dock_key_name(other), self.entropy)
        enrolled: JsonObject = {"dock": str(other), "name": "二楼", "vkey": signer.verifier.vkey}
        await self.write("dock.enrolled", f"dock:{other}", enrolled)
        await self.change_key(other, signer, Signer.generate(signer.name, self.entropy))
        await self.write("dock.revoked", f"dock:{other}", {"dock": str(other), "reason": "报废"})
        await self.write("dock.cleared", f"dock:{self.dock}", self.cleared(self.dock_signer))
        await self._begin_growing_file()
        await redact_one(self)
        await self._notice_gaps()
        await self._have_delivered()
        await self._write_down_speech()
        await self._say_who_may_look()
        await sign_somebody_in(self)
        async with self.pool.acquire() as conn:
            scribe = Scribe(conn=conn, clock=self.clock, entropy=self.entropy)
            case = await scribe.open_case("晋环罚〔2026〕2号", "另一案")
            for clip in list(self.clips.values())[1:7]:
                await scribe.annotate(clip, remark="已复核")
                await scribe.link(case, clip)
            await keep_case_files(scribe, next(iter(self.clips.values())))
            await keep_reviews(scribe, next(iter(self.clips.values())))

    async def _have_delivered(self) -> None:
        """A controller that delivered a recording of two clips of the house, and another one that was revoked."""
        ids = [str(self.new_id()) for _ in range(2)]
        for number, controller in enumerate(ids):
            key = hashlib.sha256(b"key %d" % number).hexdigest()
            stated: JsonObject = {"controller": controller, "name": f"{number} 号系统控制器", "key_sha256": key}
            await self.write("controller.connected", f"controller:{controller}", stated)
        revoked: JsonObject = {"controller": ids[1], "reason": "报废"}
        await self.write("controller.revoked", f"controller:{ids[1]}", revoked)
        at, recording = format_time(self.clock()), str(self.new_id())
        async with self.pool.acquire() as conn:
            rows = await conn.fetch("SELECT clip, name, sha256, size FROM clip ORDER BY clip LIMIT 2")
        clips: list[JsonValue] = [
            {
                "name": row["name"],
                "clip": str(row["clip"]),
                "sha256": row["sha256"].hex(),
                "size": row["size"],
                "started_at": at,
                "stopped_at": None,
                "metadata": {"containertype": "mkv"},
            }
            for row in rows
        ]
        said = "排污口".encode()
        companions: list[JsonValue] = [
            {
                "name": f"bookmark_{number}",
                "kind": "bookmark",
                "clip": str(rows[0]["clip"]),
                "sha256": self.objects.put(said) if text else None,
                "size": len(said) if text else 0,
                "metadata": {"starttime": at},
            }
            for number, text in enumerate((True, False))
        ]
        delivered: JsonObject = {
            "recording": recording,
            "controller": ids[0],
            "container": "user_serial_1772443800",
            "recorder": RECORDER,
            "wearer": "user",
            "officer": "013579",
            "officer_name": "张三",
            "started_at": at,
            "stopped_at": at,
            "metadata": {"status": "Complete"},
            "clips": clips,
            "companions": companions,
        }
        await self.write("recording.sealed", f"recording:{recording}", delivered)

    async def _copy_some(self, chance: random.Random) -> None:
        """Bring some originals to the second store; each copy is asked for in every check."""
        async with self.pool.acquire() as conn:
            rows = await conn.fetch("SELECT clip, sha256, sealed_at FROM clip ORDER BY clip")
        for row in chance.sample(rows, _COPIES):
            name, until = row["sha256"].hex(), row["sealed_at"] + _RETENTION
            copy = self.second.copy_in(self.objects.open_path(name), name, retain_until=until)
            one: JsonObject = {
                "sha256": name,
                "size": copy.size,
                "checksum": copy.checksum,
                "version": copy.version,
                "retained_until": format_time(until.replace(microsecond=0)),
            }
            stated: JsonObject = {"clip": str(row["clip"]), "store": str(self.bucket.place), "objects": [one]}
            await self.write("clip.copied", f"clip:{row['clip']}", stated)
        await self._repair_one(name, chance)

    async def _repair_one(self, name: str, chance: random.Random) -> None:
        """An original that was damaged and put back, so that its damaged bytes are kept."""
        path = self.objects.open_path(name)
        path.chmod(0o644)
        path.write_bytes(chance.randbytes(500))
        repair = Repair(
            pool=self.pool,
            local=self.objects,
            second=self.second,
            clock=self.clock,
            entropy=self.entropy,
            retention_days=_RETENTION.days,
        )
        assert [one.outcome async for one in repair.run()] == [Outcome.RESTORED]

    async def _notice_gaps(self) -> None:
        """What docks' inventories told about a recorder, whose it is, and who asked a dock for another key."""
        officer, hole = self.new_id(), {"first_missing": 3, "last_missing": 4, "count": 2, "seconds": 600}
        findings: list[JsonValue] = [
            {"code": "recorder.numbers_missing", "weight": "high", "facts": hole},
            {"code": "recorder.clock_off", "weight": "notice", "facts": {"offset_ms": 200_000}},
        ]
        compared: JsonObject = {"dock": str(self.dock), "recorder": RECORDER, "inventory": str(self.inventory)}
        said = await self.write(
            "recorder.compared", f"dock:{self.dock}", {**compared, "previous": None, "findings": findings}
        )
        about: JsonObject = {"finding": str(said.entry_id), "place": 0, "recorder": RECORDER, "text": "已核实：误触发"}
        await self.write("recorder.finding_explained", f"finding:{said.entry_id}", about)
        named: JsonObject = {"officer": str(officer), "number": "013579", "name": "王五", "unit": "一中队"}
        await self.write("officer.registered", f"officer:{officer}", named)
        assignment = self.new_id()
        given: JsonObject = {
            "assignment": str(assignment),
            "recorder": RECORDER,
            "officer": str(officer),
            "since": format_time(self.clock()),
        }
        await self.write("recorder.assigned", f"assignment:{assignment}", given)
        await self.write("dock.key_demanded", f"dock:{self.dock}", {"dock": str(self.dock), "reason": "例行更换"})
        await self._register(officer)

    async def _register(self, officer: UUID) -> None:
        """Two units, what a recorder is, where the dock stands, whose two clips are."""
        above: UUID | None = None
        for name, code in (("市局", "140100000000"), ("一中队", None)):
            unit = self.new_id()
            since: JsonObject = {"version": 1, "valid_from": "2020-01-01", "valid_until": None}
            named: JsonObject = {
                "unit": str(unit),
                "code": code,
                "name": name,
                "parent": None if above is None else str(above),
            }
            await self.write("unit.registered", f"unit:{unit}", {**since, **named})
            above = unit
        registration, imported, unit_said = self.new_id(), self.new_id(), str(above)
        what: JsonObject = {"version": 1, "kind": "body_worn", "serial": "SN-1", "model": "DSJ-V9", "state": "in_use"}
        which: JsonObject = {"registration": str(registration), "recorder": RECORDER, "unit": unit_said}
        await self.write("recorder.registered", f"registration:{registration}", {**what, **which})
        await self.write("dock.placed", f"dock:{self.dock}", {"dock": str(self.dock), "unit": unit_said})
        digest = hashlib.sha256(b"a list").hexdigest()
        listed: JsonObject = {"imported": str(imported), "kind": "officers", "name": "人员.csv", "sha256": digest}
        await self.write("register.imported", f"imported:{imported}", {**listed, "rows": 1})
        whose: JsonObject = {
            "officer": str(officer),
            "unit": unit_said,
            "flags": [],
            "recorded_at": None,
            "basis": None,
        }
        for clip in self.clips.values():
            attributed: JsonObject = {**whose, "clip": str(clip), "version": 1, "blocked": False}
            await self.write("clip.attributed", f"clip:{clip}", attributed)
        reason: JsonObject = {**whose, "clip": str(clip), "version": 2, "reason": "已核对"}
        await self.write("clip.attribution_resolved", f"clip:{clip}", reason)

    async def _write_down_speech(self) -> None:
        """What a machine took people to have said in two clips."""
        for number, clip in enumerate(list(self.clips.values())[:2]):
            said = canonical_json({"proposal": True, "segments": [], "number": number})
            told: JsonObject = {
                "clip": str(clip),
                "attempt": 1,
                "parent": hashlib.sha256(b"a proxy, a derivative").hexdigest(),
                "speech": hashlib.sha256(b"segments").hexdigest(),
                "models": {"recogniser": {"name": "tones"}, "speakers": None},
                "tools": {"speech": "sherpa-onnx 2.0.1"},
                "counts": {"parts": 1, "segments": 0, "speakers": 0},
                "objects": [
                    {
                        "kind": "transcript",
                        "sha256": self.objects.put(said),
                        "size": len(said),
                        "media_type": "application/json",
                    }
                ],
            }
            await self.write("clip.transcribed", f"clip:{clip}", told)

    async def _say_who_may_look(self) -> None:
        """Two grants, one of them withdrawn; a clip that bears classes, and a search that showed it."""
        clip, staff = next(iter(self.clips.values())), self.new_id()
        for reason in ("专案组成员", "临时抽调"):
            grant = self.new_id()
            given: JsonObject = {
                "grant": str(grant),
                "staff": str(staff),
                "units": [str(self.new_id())],
                "all_units": False,
                "cases": [],
                "classes": ["minors"],
                "until": format_time(self.clock()),
                "reason": reason,
            }
            await self.write("access.granted", f"staff:{staff}", given)
        withdrawn: JsonObject = {"grant": str(grant), "staff": str(staff), "reason": "调离"}
        await self.write("access.withdrawn", f"staff:{staff}", withdrawn)
        put: JsonObject = {"clip": str(clip), "edition": 1, "classes": ["minors"], "reason": "涉及未成年人"}
        await self.write("clip.classified", f"clip:{clip}", put)
        searched: JsonObject = {
            "search": str(self.new_id()),
            "staff": str(staff),
            "purpose": "litigation",
            "question": "查封",
            "classes": ["minors"],
            "clips": [str(clip)],
        }
        await self.write("clips.searched", f"staff:{staff}", searched)

        looked: JsonObject = {
            "clips": [str(clip)],
            "renditions": ["poster"],
            "pictures": "ab" * 32,
            "purpose": "litigation",
            "staff": str(staff),
            "ticket": str(self.new_id()),
        }
        await self.write("clips.viewed", f"staff:{staff}", looked)

    async def _begin_growing_file(self) -> None:
        """The beginnings of a file that was cut off while it was being written."""
        upload = self.new_id()
        for chunks in (1, 2):
            stated: JsonObject = {
                "upload": str(upload),
                "name": "growing.mp4",
                "path": "DCIM/growing.mp4",
                "raw": False,
                "recorder": RECORDER,
                "dock": str(self.dock),
                "inventory": str(self.inventory),
                "actor": f"dock:{self.dock}",
                "size": chunks * CHUNK_BYTES,
                "chunk_size": CHUNK_BYTES,
                "chunks": chunks,
                "root": begun_root(chunks),
            }
            await self.write("clip.prefix", f"upload:{upload}", stated)

    async def change_key(self, dock: UUID, old: Signer, new: Signer, *, sequence: int = 1) -> None:
        """Record that a dock goes over from one key to another."""
        change = DockKeyChange(dock=dock, sequence=sequence, old=old.verifier, new=new.verifier)
        note = sign_dock_key(change, old=old, new=new).decode()
        stated: JsonObject = {"dock": str(dock), "sequence": sequence, "vkey": new.verifier.vkey, "note": note}
        await self.write("dock.key_rotated", f"dock:{dock}", stated)

    def cleared(self, signer: Signer) -> JsonObject:
        """Return the payload of a cleared list that names the first clip, signed by some key."""
        name, content = next(iter(CONTENTS.items()))
        file = ClearedFile(path=f"DCIM/{name}", clip=self.clips[name], sha256=hashlib.sha256(content).digest())
        cleared = Cleared(dock=self.dock, recorder=RECORDER, at=self.clock(), files=(file,))
        return {"dock": str(self.dock), "recorder": RECORDER, "note": sign_cleared(cleared, signer).decode()}

    async def _look(self, count: int, chance: random.Random) -> None:
        """Views, most of what is in a real log."""
        clips = list(self.clips.values())
        async with self.pool.acquire() as conn, conn.transaction():
            for _ in range(count):
                clip = chance.choice(clips)
                recorded = await record(
                    conn,
                    type="clip.viewed",
                    actor="service",
                    subject=f"clip:{clip}",
                    payload=self.viewed(clip),
                    clock=self.clock,
                    entropy=self.entropy,
                )
                self.views.append(recorded.entry_id)

    def viewed(self, clip: UUID) -> JsonObject:
        """Return the payload of a view."""
        ids = {"staff": str(self.new_id()), "ticket": str(self.new_id())}
        return {"clip": str(clip), "rendition": "proxy", "purpose": "legal_review", **ids}

    async def _have_stamped(self) -> None:
        """Put time stamps on record, of two authorities over two checkpoints."""
        book = TimestampBook(self.pool, self.clock, self.entropy)
        with TemporaryDirectory() as folder:
            for name in ("eins", "zwei"):
                stamper = make_stamper(Path(folder) / name, name=name)
                await self.publish()
                note = await self.reader.checkpoint()
                response, checkpoint = stamper.reply(make_request(note)[0]), stored_checkpoint(note)
                stamp = Stamp(
                    authority=name,
                    size=checkpoint.size,
                    root=checkpoint.root,
                    checkpoint=note,
                    response=response,
                    said=open_stamp(response, data=note),
                )
                await book.keep(stamp)

    async def _hand_out(self, chance: random.Random) -> None:
        """Export evidence and give receipts; afterwards everything is in the hands of others."""
        exporter = Exporter(self.pool, self.reader, self.objects, self.witnessed_policy, self.clock, self.entropy)
        self.policy_file.write_bytes(self.witnessed_policy.format())
        self.evidence_folder.mkdir()
        self.receipts_folder.mkdir()
        # One of several chunks and two of one; an export is on record before it is made.
        names = [
            next(iter(CONTENTS)),
            *chance.sample([name for name in self.clips if name not in CONTENTS], EXPORTS - 1),
        ]
        for number, name in enumerate(names):
            target = self.evidence_folder / f"exhibit {number + 1}"
            await exporter.export_clip(clip=self.clips[name], target=target, actor="service", purpose="legal_review")
        await hand_out_parts(self, exporter, self.parts_folder)
        async with self.pool.acquire() as conn:
            for name in chance.sample(sorted(self.clips), min(RECEIPTS, len(self.clips))):
                receipt = await build_receipt(conn, self.reader, self.entries[f"clip.sealed:{name}"])
                assert receipt
                (self.receipts_folder / f"{self.clips[name]}.receipt").write_bytes(format_receipt(receipt))


@asynccontextmanager
async def open_drill_house(*, entries: int, clips: int, seed: int) -> AsyncIterator[DrillHouse]:
    """Build the house on a PostgreSQL of its own, and remove both afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="shilu-drill-"))
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "postgres", durable=False) as server:
            await make_template(server)
            async with open_on(server, folder / "house", entries=entries, clips=clips, seed=seed) as house:
                yield house
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def open_on(server: str, root: Path, *, entries: int, clips: int, seed: int) -> AsyncIterator[DrillHouse]:
    """Build the house in a database of its own on a server that runs and has the migrated template."""
    root.mkdir()
    with second_store() as bucket:
        async with fresh_database(server) as dsn, open_pool(dsn, program="drill") as pool:
            house = DrillHouse(
                pool=pool, dsn=dsn, root=root, clock=SteppingClock(), entropy=SeededEntropy(seed), bucket=bucket
            )
            await house.grow(entries=entries, clips=clips, seed=seed)
            yield house


@contextmanager
def second_store() -> Iterator[Bucket]:
    """Run a second store of the drill's own."""
    with s3_server() as server:
        yield make_bucket(server, make_session())
