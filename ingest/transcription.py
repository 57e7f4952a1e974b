"""Transcripts: what a machine takes people to have said, made after the derivation and published as a proposal.

    look for clips with speech -> take a job -> a child listens -> objects -> one transaction

1. a row per clip with speech                              crash: found again at the next look
2. the row is taken under a token, the attempt counted     crash: the hold runs out, another worker takes it
3. a child process writes the transcript (`pieces`)        crash: the same; the work folder is cleared a day later
4. it is parsed, written anew, captions made of it; both   crash: the same; objects that nobody names, harmless
   become objects
5. one transaction: `clip.transcribed`, rows, end of job   crash: all or nothing, and only under the token in force

Off unless an operator names a folder of models; never in the way of derivation: one clip at a time and worker, after it
was derived, and a service without the library or with a broken folder says so and does everything else. What is wrong
with the models says nothing about the clip and counts as no attempt. Nothing of it goes into people's annotations.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import UUID

import structlog

from evidence.clips.store import MadeObject
from evidence.core.clock import Clock, Entropy
from evidence.core.ids import uuid7
from evidence.custody.record import record
from evidence.db.holding import while_held
from evidence.db.pool import Pool
from evidence.errors import LeaseLost, ObjectDamaged, ObjectMissing
from evidence.objects.store import ObjectStore
from ingest import transcription_store as jobs
from ingest.errors import IngestError
from ingest.media.errors import (
    MediaError,
    ModelsDiffer,
    ModelsMalformed,
    ModelsRefused,
    NoSpace,
    SourceUnreadable,
    SpeechMissing,
    TranscriptMalformed,
)
from ingest.media.limits import MEBIBYTE, Limits
from ingest.media.models import library_name, read_models
from ingest.media.piece_child import SPEECH_NAME
from ingest.media.pieces import make_piece
from ingest.media.result import REASON_CHARACTERS_MAX
from ingest.media.transcript import (
    BYTES_MAX,
    MEDIA_TYPES,
    Transcript,
    captions,
    format_transcript,
    parse_spans,
    parse_transcript,
)
from ingest.offload import on_disk, to_the_end
from ingest.transcription_store import Hold
from ingest.workroom import workroom
from ledger.canonical import JsonObject, JsonValue
from ledger.errors import CodedError
from ledger.pausing import happens
from ledger.store import DATABASE_ERRORS

_MODELS_FAULTS = (SpeechMissing, ModelsMalformed, ModelsDiffer, ModelsRefused)
_NOT_THE_CLIPS = (*_MODELS_FAULTS, NoSpace, SourceUnreadable, ObjectMissing, ObjectDamaged, IngestError)
_HOUR_MS = 3_600_000

R = TypeVar("R")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TranscriptionSettings:
    """How transcription jobs are taken and held.

    Attributes:
        attempts_max: Attempts after which a clip is left without a transcript.
        lease_seconds: Silence after which a worker is taken for dead; it renews three times as often.
        retry_seconds: Pause after a failed attempt.
        blocked_seconds: Pause after an attempt that failed for want of models, disk space or the objects.
        look_seconds: How often new clips with speech are looked for.
        threads: Threads of the speech library.
    """

    attempts_max: int = 2
    lease_seconds: float = 30.0
    retry_seconds: float = 30.0
    blocked_seconds: float = 300.0
    look_seconds: float = 10.0
    threads: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A transcript and what it was made from."""

    transcript: Transcript
    proxy: MadeObject
    speech: MadeObject
    tools: JsonObject
    parts: int


class Transcriber:
    """Writes down what is said, clip by clip.

    Args:
        pool: Two connections.
        objects: Where review copies lie and transcripts go.
        workspace: Folder for work in progress, on the file system of the objects.
        models: The operator's folder of models.
    """

    def __init__(
        self,
        *,
        pool: Pool,
        objects: ObjectStore,
        workspace: Path,
        models: Path,
        clock: Clock,
        entropy: Entropy,
        settings: TranscriptionSettings,
    ) -> None:
        self._pool, self._objects, self._workspace, self._models = pool, objects, workspace, models
        self._clock, self._entropy, self._settings = clock, entropy, settings
        self._since = UUID(int=0)
        self._complaint = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; what is held then is given back."""
        while not stop.is_set():
            try:
                if await self._is_ready():
                    await self.find()
                    while not stop.is_set() and await self._one(stop):
                        pass
            except DATABASE_ERRORS as error:
                _log.warning("speech.database_away", error=str(error))
            await happens(stop, self._settings.look_seconds)

    async def attempt(self) -> bool:
        """Take one job and do it; False when there is none."""
        token = uuid7(clock=self._clock, entropy=self._entropy)
        try:
            return await self._attempt(token)
        except asyncio.CancelledError:
            # Told to stop, perhaps in the middle of taking the job: that says nothing about the clip.
            await to_the_end(self._give_back(token, None, counts=False, delay_seconds=0.0))
            raise

    async def _attempt(self, token: UUID) -> bool:
        hold = await jobs.take_next(self._pool, token=token, lease_seconds=self._settings.lease_seconds)
        if hold is None:
            return False
        try:
            await self._work(hold)
        except LeaseLost:
            _log.warning("speech.lease_lost", clip=str(hold.clip), attempt=hold.attempt)
        except CodedError as error:
            _log.warning("speech.failed", clip=str(hold.clip), attempt=hold.attempt, reason=str(error))
            await self._after_failure(hold, error)
        return True

    async def find(self) -> None:
        """Make jobs for clips with speech that have none."""
        while await jobs.find_work(self._pool, since=self._since) >= jobs.FOUND_MAX:
            pass
        # Entries are named by time: what was derived an hour ago was seen by now, whoever's clock is off a little.
        now_ms = int(self._clock().timestamp() * 1000)
        self._since = UUID(int=max(now_ms - _HOUR_MS, 0) << 80)

    async def _is_ready(self) -> bool:
        """Tell whether there is a library and a manifest; say once what is missing."""
        try:
            await asyncio.to_thread(lambda: (library_name(), read_models(self._models)))
        except MediaError as error:
            if str(error) != self._complaint:
                self._complaint = str(error)
                _log.error("speech.unavailable", code=error.code, reason=error.message)
            return False
        self._complaint = ""
        return True

    async def _one(self, stop: asyncio.Event) -> bool:
        """Attempt a job, and give it back when `stop` is set meanwhile."""
        task, stopped = asyncio.create_task(self.attempt()), asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            task.cancel()
            await asyncio.wait({task, stopped})
        return not task.cancelled() and task.result()

    async def _work(self, hold: Hold) -> None:
        if hold.attempt > self._settings.attempts_max:
            await self._end(hold, "failed", hold.reason or "every worker that tried ended without a result")
            return
        objects = await jobs.heard_objects(self._pool, hold.derivation)
        if "speech" not in objects or "proxy" not in objects:
            await self._end(hold, "silent", None)
            return
        made = await self._held(hold, self._make(objects))
        if made is None:
            await self._end(hold, "silent", None)
            return
        kept = await on_disk(self._keep, made.transcript)
        await self._publish(hold, made, kept)

    async def _make(self, objects: Mapping[str, MadeObject]) -> Made | None:
        """Have a child listen; None when nobody speaks."""
        proxy, speech = objects["proxy"], objects["speech"]
        raw = await on_disk(_head, self._objects.open_path, speech)
        spans = parse_spans(raw)
        if not spans:
            return None
        source = await on_disk(self._objects.open_path, proxy.sha256.hex())
        async with workroom(self._workspace, prefix="speech-") as folder:
            await on_disk((folder / SPEECH_NAME).write_bytes, raw)
            seconds = sum(end - start for start, end in spans) // 1000
            task: JsonObject = {"task": "transcribe", "models": str(self._models.resolve())}
            piece = await make_piece(source, folder, task, limits_for(seconds, threads=self._settings.threads))
            told = await on_disk(_read, piece.path)
        tools: JsonObject = {**piece.facts.tools, "speech": str(piece.facts.probe.get("library"))}
        parts = piece.facts.probe.get("parts")
        return Made(
            transcript=parse_transcript(told),
            proxy=proxy,
            speech=speech,
            tools=tools,
            parts=parts if isinstance(parts, int) else 0,
        )

    async def _held(self, hold: Hold, work: Awaitable[R]) -> R:
        seconds = self._settings.lease_seconds
        return await while_held(
            work, renew=lambda: jobs.renew(self._pool, hold, lease_seconds=seconds), every_seconds=seconds / 3
        )

    def _keep(self, transcript: Transcript) -> list[JsonValue]:
        """Put transcript and captions among the objects and return how the payload states them."""
        made = {"transcript": format_transcript(transcript), "captions": captions(transcript.segments)}
        return [
            {"kind": kind, "sha256": self._objects.put(data), "size": len(data), "media_type": MEDIA_TYPES[kind]}
            for kind, data in made.items()
        ]

    async def _publish(self, hold: Hold, made: Made, kept: list[JsonValue]) -> None:
        counts: JsonObject = {
            "parts": made.parts,
            "segments": len(made.transcript.segments),
            "speakers": made.transcript.speakers,
        }
        async with self._pool.acquire() as conn, conn.transaction():
            if not await jobs.finish(conn, hold, outcome="transcribed", reason=None):
                raise LeaseLost("another worker has taken the clip over", clip=str(hold.clip))
            await record(
                conn,
                type="clip.transcribed",
                actor="service",
                subject=f"clip:{hold.clip}",
                payload={
                    "clip": str(hold.clip),
                    "attempt": hold.attempt,
                    "parent": made.proxy.sha256.hex(),
                    "speech": made.speech.sha256.hex(),
                    "models": made.transcript.models,
                    "tools": made.tools,
                    "counts": counts,
                    "objects": kept,
                },
                clock=self._clock,
                entropy=self._entropy,
            )

    async def _after_failure(self, hold: Hold, error: CodedError) -> None:
        reason = str(error)[:REASON_CHARACTERS_MAX]
        if isinstance(error, _NOT_THE_CLIPS):
            await self._give_back(hold.token, reason, counts=False, delay_seconds=self._settings.blocked_seconds)
        elif hold.attempt < self._settings.attempts_max and not isinstance(error, TranscriptMalformed):
            await self._give_back(hold.token, reason, counts=True, delay_seconds=self._settings.retry_seconds)
        else:
            await self._end(hold, "failed", reason)

    async def _end(self, hold: Hold, outcome: str, reason: str | None) -> None:
        async with self._pool.acquire() as conn:
            await jobs.finish(conn, hold, outcome=outcome, reason=reason)

    async def _give_back(self, token: UUID, reason: str | None, *, counts: bool, delay_seconds: float) -> None:
        try:
            await jobs.TABLE.give_back(self._pool, token, reason=reason, counts=counts, delay_seconds=delay_seconds)
        except DATABASE_ERRORS as error:
            # The hold runs out by itself; then the attempt does count, which is the safe side.
            _log.warning("speech.not_given_back", error=str(error))


def limits_for(spoken_seconds: int, *, threads: int) -> Limits:
    """Return what listening to so many seconds may cost.

    Models that fit a desk machine take a tenth to a half of the time that is spoken; four times as long is allowed.
    """
    cpu_seconds = 300 + 4 * spoken_seconds
    return Limits(
        cpu_seconds=cpu_seconds,
        wall_seconds=600 + 2 * cpu_seconds,
        idle_seconds=300,
        output_bytes=64 * MEBIBYTE,
        threads=threads,
    )


def _head(open_path: Callable[[str], Path], made: MadeObject) -> bytes:
    with open_path(made.sha256.hex()).open("rb") as file:
        return file.read(BYTES_MAX + 1)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(BYTES_MAX + 1)
