"""A strict stand-in for the service, as docks see it: what the real one would refuse, this one refuses.

It keeps everything in memory, judges every request by the contract (version and token first, then the rules) and writes
real receipts from a real log. `violations` collects what a well-behaved dock never does, even if it is refused: bytes
before their inventory, a cleared file whose receipt was never served. Faults are switched on by tests: each names a way
in which the service or the link fails, and how often.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import ssl
import time
from base64 import b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from aiohttp import web
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from evidence.core.clock import Entropy, format_time, utc_now
from evidence.core.digest import ClipHasher
from evidence.core.ids import uuid7
from evidence.core.wire.cleared import Cleared, open_cleared
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.dock_key import open_dock_key
from evidence.core.wire.inventory import Inventory, InventoryFile, open_inventory
from evidence.core.wire.manifest import open_manifest
from evidence.core.wire.statement import STATEMENT_BYTES_MAX, dock_key_name
from ledger.errors import CodedError
from ledger.note import Signer, Verifier, parse_note
from tests.support.memory_log import MemoryLog, other_signer_like

TUS = "1.0.0"
CODE = "code-1"
RECEIPT_TYPE = "application/vnd.shilu.receipt"


@dataclass
class Faults:
    """What goes wrong, and how often still. All zero: nothing.

    Attributes:
        cut_after_bytes: A PATCH body is cut after that many bytes.
        cuts: How many PATCHes are cut.
        busy: Answers by path part: how many requests get 503.
        no_space: How many PATCHes get 507.
        lose_answer: By operation: how many requests have their effect and then no answer.
        receipt_later: How many times a manifest is answered with a promise.
        receipt_fault: Which lie receipts tell; see `FakeService.receipt_lies`.
        corrupt: How many uploads have a byte flipped on the way.
        forget_upload: How many uploads are forgotten when they are asked for next.
        refuse_code: A code with which every creation is refused for ever.
        piece_seconds: Pause before every piece of a PATCH body.
        clock_off_seconds: How far the service's clock is from this machine's.
        redirect_to: An address to which every request is sent away.
    """

    cut_after_bytes: int = 0
    cuts: int = 0
    busy: Counter[str] = field(default_factory=Counter)
    no_space: int = 0
    lose_answer: Counter[str] = field(default_factory=Counter)
    receipt_later: int = 0
    receipt_fault: str = ""
    corrupt: int = 0
    forget_upload: int = 0
    refuse_code: str = ""
    piece_seconds: float = 0.0
    clock_off_seconds: int = 0
    redirect_to: str = ""


@dataclass
class FakeUpload:
    """One upload and what it has received."""

    id: UUID
    dock: UUID
    length: int
    listed: InventoryFile
    inventory: UUID
    recorder: str
    data: bytearray = field(default_factory=bytearray)
    received_bytes: int = 0
    state: str = "open"
    code: str = ""
    index: int | None = None


class Refusal(Exception):
    """An answer that is a problem."""

    def __init__(self, status: int, code: str, retry: str) -> None:
        super().__init__(code)
        self.status, self.code, self.retry = status, code, retry


class FakeService:
    """The service's half of the contract; see the module's front page."""

    receipt_lies = (
        "other_key",
        "other_bytes",
        "other_path",
        "other_dock",
        "other_recorder",
        "other_payload",
        "garbage",
    )

    def __init__(self, *, origin: str = "log.test/shilu", entropy: Entropy = secrets.token_bytes) -> None:
        self.log = MemoryLog(origin, entropy=entropy)
        self.faults = Faults()
        self.codes = {CODE}
        self.docks: dict[UUID, Verifier] = {}
        self.key_changes: Counter[UUID] = Counter()
        self.told_keys: bytes | None = None
        self.receipt_signer: Signer | None = None
        self.revoked: set[UUID] = set()
        self.inventories: dict[UUID, tuple[bytes, Inventory]] = {}
        self.uploads: dict[UUID, FakeUpload] = {}
        self.cleared: dict[str, Cleared] = {}
        self.sources: dict[tuple[UUID, str, str, bool, str], int] = {}
        self.served: set[str] = set()
        self.violations: list[str] = []
        self.heartbeats: list[dict[str, object]] = []
        self.knows_heartbeats = True
        self.demands_key = False
        self.beat_seconds = 60
        self.requests: list[tuple[str, str, int]] = []
        self._entropy = entropy
        self.log.append(
            kind="log.created",
            actor="service",
            subject="log",
            payload={"origin": origin, "vkey": self.log.signer.verifier.vkey},
        )

    @asynccontextmanager
    async def serving(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
        """Serve on loopback for the length of the block and yield the address; with TLS as `localhost`."""
        app = web.Application(middlewares=[self._answer], client_max_size=STATEMENT_BYTES_MAX)
        app.router.add_post("/v1/docks/enrol", self._enrol)
        app.router.add_get("/log/checkpoint", self._checkpoint)
        app.router.add_get("/log/keys", self._log_keys)
        app.router.add_get("/v1/docks/{dock}/key", self._key_state)
        app.router.add_post("/v1/docks/{dock}/key", self._change_key)
        app.router.add_post("/v1/docks/{dock}/heartbeat", self._heartbeat)
        app.router.add_post("/v1/inventories", self._inventory)
        app.router.add_post("/v1/cleared", self._clear)
        app.router.add_post("/v1/uploads/{upload}/manifest", self._manifest)
        app.router.add_post("/uploads", self._create)
        app.router.add_route("HEAD", "/uploads/{upload}", self._head)
        app.router.add_patch("/uploads/{upload}", self._patch)
        app.router.add_delete("/uploads/{upload}", self._delete)
        runner = web.AppRunner(app, auto_decompress=False, shutdown_timeout=0.1)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port, reuse_address=True, ssl_context=tls)
            await site.start()
            host, bound, *_ = runner.addresses[0]
            yield f"http://{host}:{bound}" if tls is None else f"https://localhost:{bound}"
        finally:
            await runner.cleanup()

    def sealed_entries(self) -> Counter[tuple[str, str]]:
        """Return how many sealing entries the log has for each recorder and path."""
        kinds = {"clip.sealed", "clip.repeated"}
        sealed = [item.payload for item in self.log.logged if item.entry.type in kinds]
        return Counter((str(payload["recorder"]), str(payload["path"])) for payload in sealed)

    @web.middleware
    async def _answer(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        try:
            for part in [part for part, left in self.faults.busy.items() if left > 0 and part in request.path]:
                self.faults.busy[part] -= 1
                raise Refusal(503, "upload.busy", "later")
            if self.faults.redirect_to:
                headers = {"Location": self.faults.redirect_to + request.path}
                response: web.StreamResponse = web.Response(status=307, headers=headers)
            else:
                response = await handler(request)
        except Refusal as refusal:
            response = _problem(refusal)
        except CodedError as error:
            response = _problem(Refusal(403 if error.code == "wire.signature" else 400, error.code, "never"))
        response.headers["Date"] = time.strftime(
            "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + self.faults.clock_off_seconds)
        )
        # Heartbeats that are taken say nothing about recorders; tests that count requests are not about them.
        if not request.path.endswith("/heartbeat") or response.status != 200:
            self.requests.append((request.method, request.path, response.status))
        return response

    async def _enrol(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read())
        if body.keys() != {"code", "name", "vkey"}:
            raise Refusal(400, "request.invalid", "never")
        if body["code"] not in self.codes:
            raise Refusal(403, "dock.code_refused", "fixed")
        verifier = Verifier.parse(body["vkey"])
        dock = UUID(verifier.name.removeprefix("dock."))
        self.codes.discard(body["code"])
        self.docks[dock] = verifier
        answer = {
            "dock": str(dock),
            "origin": self.log.signer.name,
            "log_vkey": self.log.signer.verifier.vkey,
            "policy": f"log {self.log.signer.verifier.vkey}\nquorum none\n",
        }
        return web.json_response(answer, status=201)

    async def _key_state(self, request: web.Request) -> web.StreamResponse:
        dock = self._dock(request)
        self._lose("key_state", request)
        return web.json_response({"sequence": self.key_changes[dock], "vkey": self.docks[dock].vkey})

    async def _change_key(self, request: web.Request) -> web.StreamResponse:
        dock = self._dock(request)
        change = open_dock_key(await request.read())
        if (change.dock, change.old, change.sequence) != (dock, self.docks[dock], self.key_changes[dock] + 1):
            raise Refusal(409, "dock.key_superseded", "fixed")
        self.docks[dock], self.key_changes[dock] = change.new, change.sequence
        self._lose("change_key", request)
        return web.json_response({"sequence": change.sequence, "vkey": change.new.vkey}, status=201)

    async def _checkpoint(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=self.log.checkpoint(), content_type="text/plain")

    async def _log_keys(self, request: web.Request) -> web.StreamResponse:
        raw = self.told_keys
        if raw is None and self.log.statements:
            raw = self.log.keys.format()
        if not raw:
            raise Refusal(404, "route.unknown", "never")
        self._lose("log_keys", request)
        return web.Response(body=raw, content_type="text/plain")

    async def _heartbeat(self, request: web.Request) -> web.StreamResponse:
        dock = self._dock(request)
        if not self.knows_heartbeats or str(dock) != request.match_info["dock"]:
            raise Refusal(404, "route.unknown", "never")
        self.heartbeats.append(await request.json())
        is_demanded = self.demands_key and self.key_changes[dock] == 0
        now = utc_now() + timedelta(seconds=self.faults.clock_off_seconds)
        answer = {"server_time": format_time(now), "rotate_key": is_demanded, "next_seconds": self.beat_seconds}
        return web.json_response(answer)

    async def _inventory(self, request: web.Request) -> web.StreamResponse:
        dock = self._dock(request)
        note = await request.read()
        inventory = open_inventory(note, [self.docks[dock]])
        known = self.inventories.get(inventory.id)
        if known is not None and known[1] != inventory:
            raise Refusal(409, "inventory.conflict", "never")
        if known is None:
            self.inventories[inventory.id] = (note, inventory)
            self.log.append(
                kind="dock.inventory",
                actor=f"dock:{dock}",
                subject=f"dock:{dock}",
                payload={"inventory": str(inventory.id), "dock": str(dock), "note": note.decode()},
            )
        self._lose("inventory", request)
        return web.json_response({"inventory": str(inventory.id), "entry": str(inventory.id)}, status=201)

    async def _create(self, request: web.Request) -> web.StreamResponse:
        dock = self._tus(request)
        metadata = _metadata(request.headers.get("Upload-Metadata", ""))
        length = _integer(request, "Upload-Length")
        if self.faults.refuse_code:
            raise Refusal(413, self.faults.refuse_code, "never")
        if length == 0:
            self.violations.append("an upload of an empty file")
            raise Refusal(400, "upload.empty", "never")
        if not {"inventory", "path", "recorder"} <= metadata.keys() <= {"inventory", "path", "recorder", "raw"}:
            raise Refusal(400, "upload.metadata_invalid", "never")
        known = self.inventories.get(UUID(metadata["inventory"]))
        key = (metadata["path"], metadata.get("raw") == "true", length)
        found = [] if known is None else [file for file in known[1].files if (file.path, file.raw, file.size) == key]
        if known is None or not found or known[1].recorder != metadata["recorder"] or known[1].dock != dock:
            self.violations.append(f"an upload that no inventory lists: {metadata['path']}")
            raise Refusal(409, "upload.not_inventoried", "fixed")
        upload = FakeUpload(
            id=uuid7(clock=utc_now, entropy=self._entropy),
            dock=dock,
            length=length,
            listed=found[0],
            inventory=known[1].id,
            recorder=known[1].recorder,
        )
        self.uploads[upload.id] = upload
        self._lose("create", request)
        # Another host on purpose: what a service behind a proxy may answer.
        return web.Response(status=201, headers={"Location": f"https://elsewhere.test/uploads/{upload.id}"})

    async def _head(self, request: web.Request) -> web.StreamResponse:
        upload = self._upload(request, self._tus(request))
        headers = {"Upload-Offset": str(len(upload.data)), "Upload-Length": str(upload.length)}
        return web.Response(status=200, headers={**headers, "Cache-Control": "no-store"})

    async def _patch(self, request: web.Request) -> web.StreamResponse:
        upload = self._upload(request, self._tus(request))
        if request.content_type != "application/offset+octet-stream" or "Content-Encoding" in request.headers:
            raise Refusal(415, "request.media_type", "never")
        if self.faults.no_space > 0:
            self.faults.no_space -= 1
            raise Refusal(507, "upload.no_space", "later")
        if upload.state != "open":
            raise Refusal(409, "upload.finished", "never")
        if _integer(request, "Upload-Offset") != len(upload.data):
            raise Refusal(409, "upload.offset_mismatch", "fixed")
        if request.content_length is None or request.content_length > upload.length - len(upload.data):
            self.violations.append("a PATCH without a length, or longer than what is missing")
            raise Refusal(413, "upload.length_exceeded", "never")
        await self._receive(request, upload)
        if len(upload.data) == upload.length:
            upload.state = "complete"
        self._lose("patch", request)
        return web.Response(status=204, headers={"Upload-Offset": str(len(upload.data))})

    async def _delete(self, request: web.Request) -> web.StreamResponse:
        upload = self._upload(request, self._tus(request))
        if upload.state not in {"open", "complete"}:
            raise Refusal(409, "upload.finished", "never")
        upload.state = "terminated"
        return web.Response(status=204)

    async def _manifest(self, request: web.Request) -> web.StreamResponse:
        dock = self._dock(request)
        upload = self._upload(request, dock)
        manifest = open_manifest(await request.read(), [self.docks[dock]])
        if (manifest.upload, manifest.dock) != (upload.id, dock):
            raise Refusal(409, "manifest.misplaced", "never")
        if upload.state == "quarantined":
            raise Refusal(409, upload.code, "never")
        if upload.state == "open":
            raise Refusal(409, "upload.incomplete", "fixed")
        hasher = ClipHasher()
        hasher.update(bytes(upload.data))
        said = (manifest.inventory, manifest.recorder, manifest.path, manifest.raw, manifest.digest)
        held = (upload.inventory, upload.recorder, upload.listed.path, upload.listed.raw, hasher.digest())
        if said != held:
            upload.state, upload.code = "quarantined", "manifest.disagrees"
            raise Refusal(409, "manifest.disagrees", "never")
        index = self._seal(upload, hasher)
        self._lose("manifest", request)
        clip, entry = str(self.log.logged[index].payload["clip"]), str(self.log.entry_id(index))
        if self.faults.receipt_later > 0:
            self.faults.receipt_later -= 1
            return web.json_response({"clip": clip, "entry": entry}, status=202, headers={"Retry-After": "1"})
        if not self.faults.receipt_fault:
            self.served.add(clip)
        return web.Response(body=self._receipt(index), headers={"Content-Type": RECEIPT_TYPE})

    async def _clear(self, request: web.Request) -> web.StreamResponse:
        dock = self._dock(request)
        note = await request.read()
        cleared = open_cleared(note, [self.docks[dock]])
        for file in cleared.files:
            if str(file.clip) not in self.served:
                self.violations.append(f"cleared without a receipt: {file.path}")
            if (dock, cleared.recorder, file.path, file.raw, file.sha256.hex()) not in self.sources:
                self.violations.append(f"cleared and never sealed: {file.path}")
        self.cleared[parse_note(note).text] = cleared
        self._lose("cleared", request)
        return web.json_response({"entry": str(uuid7(clock=utc_now, entropy=self._entropy))}, status=201)

    async def _receive(self, request: web.Request, upload: FakeUpload) -> None:
        taken = 0
        with contextlib.suppress(web.RequestPayloadError, ConnectionError):
            async for piece in request.content.iter_any():
                if self.faults.piece_seconds:
                    await asyncio.sleep(self.faults.piece_seconds)
                data = bytearray(piece)
                if self.faults.cuts > 0 and taken + len(data) >= self.faults.cut_after_bytes:
                    self.faults.cuts -= 1
                    upload.data += data[: self.faults.cut_after_bytes - taken]
                    upload.received_bytes += self.faults.cut_after_bytes - taken
                    _drop(request)
                if self.faults.corrupt > 0:
                    self.faults.corrupt -= 1
                    data[0] ^= 1
                upload.data += data
                upload.received_bytes += len(data)
                taken += len(data)

    def _seal(self, upload: FakeUpload, hasher: ClipHasher) -> int:
        if upload.index is not None:
            return upload.index
        digest = hasher.digest()
        source = (upload.dock, upload.recorder, upload.listed.path, upload.listed.raw, digest.sha256.hex())
        index = self.sources.get(source)
        if index is None:
            twin = next((i for key, i in self.sources.items() if key[-1] == source[-1]), None)
            clip = uuid7(clock=utc_now, entropy=self._entropy)
            clip_text = str(clip) if twin is None else str(self.log.logged[twin].payload["clip"])
            index = self.log.append(
                kind="clip.sealed" if twin is None else "clip.repeated",
                actor=f"dock:{upload.dock}",
                subject=f"clip:{clip_text}",
                payload={
                    "clip": clip_text,
                    "upload": str(upload.id),
                    "name": upload.listed.path.rpartition("/")[2],
                    "path": upload.listed.path,
                    "raw": upload.listed.raw,
                    "recorder": upload.recorder,
                    "dock": str(upload.dock),
                    "inventory": str(upload.inventory),
                    **digest_body(digest),
                },
            )
            self.sources[source] = index
        upload.state, upload.index = "sealed", index
        return index

    def _receipt(self, index: int) -> bytes:
        lie = self.faults.receipt_fault
        item = self.log.logged[index]
        if not lie:
            return self.log.receipt(index, signer=self.receipt_signer)
        if lie == "garbage":
            return b"shilu/receipt/v1\n{}\n"
        if lie == "other_key":
            return self.log.receipt(index, signer=other_signer_like(self.log, entropy=self._entropy))
        if lie == "other_payload":
            return self.log.receipt(index, payload={**item.payload, "officer": "000000"})
        changes = {
            "other_bytes": {"sha256": "00" * 32},
            "other_path": {"path": "elsewhere.mp4"},
            "other_dock": {"dock": str(uuid7(clock=utc_now, entropy=self._entropy))},
            "other_recorder": {"recorder": "ELSE001"},
        }[lie]
        # A true receipt of the log, about something else.
        other = self.log.append(
            kind=item.entry.type,
            actor=item.entry.actor,
            subject=item.entry.subject,
            payload={**item.payload, **changes},
        )
        return self.log.receipt(other)

    def _dock(self, request: web.Request) -> UUID:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise Refusal(401, "auth.missing", "fixed")
        claims = json.loads(b64decode(token.split(".")[1] + "==", altchars=b"-_"))
        dock = UUID(claims["iss"])
        if dock not in self.docks:
            raise Refusal(401, "auth.unknown_token", "fixed")
        verifier = self.docks[dock]
        raw = urlsafe_b64encode(verifier.key.raw).rstrip(b"=").decode()
        key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": raw})
        try:
            decoded = jwt.decode(token, key, algorithms=["Ed25519"])
        except BadSignatureError as error:
            raise Refusal(401, "auth.signature", "fixed") from error
        if decoded.header != {"alg": "Ed25519", "kid": verifier.key_id.hex(), "typ": "JWT"}:
            raise Refusal(401, "auth.malformed", "fixed")
        if decoded.claims.keys() != {"iss", "aud", "iat", "exp"} or verifier.name != dock_key_name(dock):
            raise Refusal(401, "auth.malformed", "fixed")
        if decoded.claims["aud"] != self.log.signer.name:
            raise Refusal(401, "auth.audience", "fixed")
        now = time.time() + self.faults.clock_off_seconds
        lifetime = decoded.claims["exp"] - decoded.claims["iat"]
        if lifetime > 300 or not decoded.claims["iat"] - 5 <= now <= decoded.claims["exp"]:
            raise Refusal(401, "auth.expired", "fixed")
        if dock in self.revoked:
            raise Refusal(401, "auth.revoked", "never")
        return dock

    def _tus(self, request: web.Request) -> UUID:
        if request.headers.get("Tus-Resumable") != TUS:
            self.violations.append("a tus request without its version")
            raise Refusal(412, "tus.version", "fixed")
        return self._dock(request)

    def _upload(self, request: web.Request, dock: UUID) -> FakeUpload:
        upload = self.uploads.get(UUID(request.match_info["upload"]))
        if upload is not None and self.faults.forget_upload > 0:
            self.faults.forget_upload -= 1
            del self.uploads[upload.id]
            upload = None
        if upload is None or upload.dock != dock:
            raise Refusal(404, "upload.unknown", "never")
        if upload.state == "terminated":
            raise Refusal(410, "upload.terminated", "never")
        return upload

    def _lose(self, operation: str, request: web.Request) -> None:
        if self.faults.lose_answer[operation] > 0:
            self.faults.lose_answer[operation] -= 1
            _drop(request)


def _drop(request: web.Request) -> None:
    """Break the connection now, as a pulled cable would, and end the handler."""
    if request.transport is not None:
        request.transport.abort()
    raise ConnectionResetError("dropped by the test")


def _problem(refusal: Refusal) -> web.StreamResponse:
    body = {"code": refusal.code, "retry": refusal.retry, "detail": "as the test wishes", "status": refusal.status}
    headers = {"Retry-After": "0"} if refusal.retry == "later" else {}
    return web.json_response(body, status=refusal.status, headers=headers, content_type="application/problem+json")


def _metadata(text: str) -> dict[str, str]:
    pairs = [pair.partition(" ") for pair in text.split(",")] if text else []
    return {key: b64decode(value, validate=True).decode() for key, _, value in pairs}


def _integer(request: web.Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isdigit():
        raise Refusal(400, "request.header", "never")
    return int(text)
