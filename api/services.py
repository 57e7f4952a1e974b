"""Composition root: the whole house from one configuration, for every program that needs some of it.

`open_services` builds everything, in this order, and takes it down in the opposite one: folders, database, schema,
pool, the log's identity, objects, intake, the published log. Which duties the process takes up is the caller's choice:

    serve     intake, sequence, audit, and work unless told otherwise
    work      work
    audit, search, verify, keys     none

Nothing below this module knows where its parts come from; nothing above it makes parts of its own.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import asyncpg

from api.accounts import make_sign_in
from api.audit_rules import stamp_rules, time_rules
from api.config import ServiceConfig
from api.duties import Duties, Run
from api.errors import LogAbsent
from api.folders import DataFolders
from api.housekeeping import sweep
from api.identity import has_log, known_log_keys, open_log_key
from api.key_file import passphrase_from
from api.keyring import FolderKeyring
from api.oidc import Provider, open_provider
from api.outbox import run_outbox
from api.second_store import both_of, make_copier, open_second
from api.standing_audit import AuditSettings, StandingAudit
from api.timestamps import open_stamp_transport, read_authorities
from api.witnesses import handed_out, open_transport, read_policy
from evidence.accounts.sign_in import SignIn
from evidence.core.clock import Clock, Entropy, utc_now
from evidence.core.digest import start_sm3
from evidence.custody.timestamps import TimestampBook
from evidence.db.embedded import EmbeddedPostgres
from evidence.db.migrate import migrate, require_schema
from evidence.db.pool import Pool, connect, open_pool
from evidence.deadlines.follow import run_deadlines
from evidence.objects.local import LocalObjects
from evidence.objects.store import ObjectStore
from evidence.retention.removal import Disposer
from ingest.copies import Copier
from ingest.settings import UploadSettings, WorkerSettings
from ingest.spool import Spool
from ingest.swift.delivery import Deliveries
from ingest.transcription import Transcriber, TranscriptionSettings
from ingest.upload import UploadService
from ingest.worker import Worker
from ledger.cosigning import Cosigning, CosigningSettings
from ledger.key_history import KeyHistory
from ledger.note import Signer, Verifier
from ledger.policy import Policy
from ledger.publish import LogFolder, LogStorage
from ledger.reader import LogReader
from ledger.s3_place import S3Place
from ledger.sequencer import Sequencer, SequencerSettings
from ledger.shelf import FolderShelf
from ledger.stamping import Stamping, StampingSettings
from ledger.timestamp.stamp import Authority
from ledger.waiting import PublicationWaiter

if TYPE_CHECKING:
    from evidence.objects.s3 import S3Objects


class Duty(Enum):
    """What a process may take up besides answering."""

    INTAKE = "intake"
    SEQUENCE = "sequence"
    WORK = "work"
    AUDIT = "audit"


PIECES_AT_ONCE: Final = 2
"""Excerpts and stills that are made for requests at one time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The parts, ready to use.

    Attributes:
        log_verifier: The key of this house's log that followed last when the house was opened; its name is the log's
            origin. Keys change while a house is open: what is handed out or checked asks `log_keys`.
        witness_policy: The witnesses with their addresses, and the quorum.
        cosigning: Collects cosignatures for the sequencer; None when it does not stand, or nobody is to be asked.
        sequencer: This process's candidate for leading the log; None when it does not stand.
        authorities: The time stamp authorities that are asked, with the roots that are believed.
        stamping: Asks them while this process leads; None when it does not stand, or there are none.
        objects: All objects; those that are not here are fetched from the second store.
        local: Those that are here.
        second: Where copies are; None without a second store.
        deliveries: The intake of controllers of body worn systems, in front of `uploads`.
        sign_in: Lets people in.
        oidc: The agency's OpenID provider; None when none is configured.
        copier: Brings copies there; None when this process does not.
        audit: The background audit; None when this process does not do it.
        duties: What runs besides, and how it is.
        pieces_at_once: Whoever asks for an excerpt or a still waits here for one of the places: each takes a child with
            a decoder, and as many at once as there are askers would take the machine from everybody.
    """

    config: ServiceConfig
    folders: DataFolders
    clock: Clock
    entropy: Entropy
    dsn: str
    pool: Pool
    objects: ObjectStore
    local: LocalObjects
    second: S3Objects | None
    copier: Copier | None
    uploads: UploadService
    deliveries: Deliveries
    sign_in: SignIn
    oidc: Provider | None
    log_verifier: Verifier
    storage: LogStorage
    reader: LogReader
    waiter: PublicationWaiter
    witness_policy: Policy
    cosigning: Cosigning | None
    sequencer: Sequencer | None
    authorities: tuple[Authority, ...]
    stamping: Stamping | None
    audit: StandingAudit | None
    duties: Duties
    pieces_at_once: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, PIECES_AT_ONCE))

    @property
    def origin(self) -> str:
        """The log's name, and the audience of docks' tokens."""
        return self.log_verifier.name

    async def log_keys(self) -> KeyHistory:
        """Return the log's keys as they stand now, as far as the rows tell them; each speaks for its sizes."""
        return await known_log_keys(self.pool)

    async def policy(self) -> Policy:
        """Return the trust policy that is handed out: the log's newest key, the witnesses and the quorum."""
        return handed_out(self.witness_policy, (await self.log_keys()).newest)

    @property
    def shelf(self) -> FolderShelf:
        """Where cosignatures are kept that came as files."""
        return FolderShelf(self.folders.cosigned)


@asynccontextmanager
async def open_services(
    config: ServiceConfig,
    *,
    duties: frozenset[Duty] = frozenset(),
    create: bool = True,
    clock: Clock = utc_now,
    entropy: Entropy = secrets.token_bytes,
) -> AsyncIterator[Services]:
    """Build the house, run its duties for the length of the block, take it down.

    Args:
        duties: What to take up; INTAKE recovers unfinished uploads before it begins.
        create: Whether to begin a data folder and a log where there is none; False for programs that only look.

    Raises:
        LogAbsent: There is none and `create` is False.
        CodedError: The database, the schema, the disk or the key is not as it has to be; the message says what to do.
    """
    folders = _folders(config, create=create)
    async with AsyncExitStack() as stack:
        dsn = await _open_database(config, folders, stack)
        pool = await stack.enter_async_context(open_pool(dsn, size_max=config.pool_connections_max))
        signs = Duty.SEQUENCE in duties or (create and not await has_log(pool))
        signer = await _open_key(config, folders, pool, clock=clock, entropy=entropy) if signs else None
        local = LocalObjects(folders.objects)
        second = await open_second(config, folders, stack)
        objects = both_of(local, second)
        uploads = await _uploads(config, folders, pool, objects, clock=clock, entropy=entropy, stack=stack)
        storage = await _published_log(config, folders, stack)
        waiter = await stack.enter_async_context(PublicationWaiter(lambda: connect(dsn, program="shilu-waiter")))
        keys = await known_log_keys(pool)
        policy = read_policy(config.witness_policy, keys)
        reader = LogReader(storage)
        authorities = read_authorities(config.timestamp_authorities)
        leads = signer if Duty.SEQUENCE in duties else None
        sequencer, cosigning, stamping = await _candidate(
            config, folders, dsn, pool, storage, leads, policy, reader, clock=clock, entropy=entropy, stack=stack
        )
        looked_at = (local, second, storage, policy, authorities)
        copies = second if duties & {Duty.INTAKE, Duty.WORK} else None
        services = Services(
            config=config,
            folders=folders,
            clock=clock,
            entropy=entropy,
            dsn=dsn,
            pool=pool,
            objects=objects,
            local=local,
            second=second,
            copier=make_copier(config, pool, local, copies, clock=clock, entropy=entropy),
            uploads=uploads,
            deliveries=Deliveries(pool=pool, uploads=uploads, objects=local, clock=clock, entropy=entropy),
            sign_in=make_sign_in(config, pool, clock=clock, entropy=entropy),
            oidc=await stack.enter_async_context(open_provider(config, clock=clock)),
            log_verifier=keys.newest,
            storage=storage,
            reader=reader,
            waiter=waiter,
            witness_policy=policy,
            cosigning=cosigning,
            sequencer=sequencer,
            authorities=authorities,
            stamping=stamping,
            audit=_standing_audit(config, duties, folders, dsn, pool, *looked_at, clock=clock, entropy=entropy),
            duties=await stack.enter_async_context(Duties()),
        )
        await _begin_duties(services, duties)
        yield services


def _folders(config: ServiceConfig, *, create: bool) -> DataFolders:
    folders = DataFolders(config.data.resolve())
    if not create and config.database is None and not folders.postgres.is_dir():
        raise LogAbsent(f"there is no data in {folders.root}")
    folders.make()
    return folders


async def _candidate(
    config: ServiceConfig,
    folders: DataFolders,
    dsn: str,
    pool: Pool,
    storage: LogStorage,
    signer: Signer | None,
    policy: Policy,
    reader: LogReader,
    *,
    clock: Clock,
    entropy: Entropy,
    stack: AsyncExitStack,
) -> tuple[Sequencer | None, Cosigning | None, Stamping | None]:
    """Build what stands for leading the log, with whom it asks to cosign and to stamp; nothing without a signer."""
    if signer is None:
        return None, None, None
    cosigning, stamping = None, None
    if policy.witnesses:
        cosigning = await _cosigning(config, policy, reader, folders, clock=clock, stack=stack)
    sequencer = _sequencer(config, dsn, storage, signer, clock=clock, cosigning=cosigning, folders=folders)
    if authorities := read_authorities(config.timestamp_authorities):
        book = TimestampBook(pool, clock, entropy)
        stamping = await _stamping(config, authorities, book, sequencer, clock=clock, stack=stack)
    return sequencer, cosigning, stamping


async def _uploads(
    config: ServiceConfig,
    folders: DataFolders,
    pool: Pool,
    objects: ObjectStore,
    *,
    clock: Clock,
    entropy: Entropy,
    stack: AsyncExitStack,
) -> UploadService:
    if config.digests == "sha256,sm3":
        start_sm3()  # refused here rather than at the first upload
    settings = UploadSettings(
        length_bytes_max=config.upload_bytes_max,
        staff_length_bytes_max=config.staff_upload_bytes_max,
        appends_max=config.uploads_max,
        appends_per_sender_max=config.uploads_per_sender_max,
        reserve_bytes=config.disk_reserve_bytes,
        prefix_seconds=config.prefix_seconds or None,
        expiry_seconds=config.upload_expiry_seconds or None,
        sm3=config.digests == "sha256,sm3",
        second_store=str(config.second_place) if config.receipt_requires_second_copy else None,
    )
    spool = await asyncio.to_thread(Spool.open, folders.spool, folders.quarantine)
    uploads = UploadService(pool=pool, spool=spool, objects=objects, clock=clock, entropy=entropy, settings=settings)
    stack.push_async_callback(uploads.close)
    return uploads


async def _open_database(config: ServiceConfig, folders: DataFolders, stack: AsyncExitStack) -> str:
    if config.database is not None:
        dsn = config.database.get_secret_value()
        conn = await connect(dsn)
        try:
            await require_schema(conn)
        finally:
            await conn.close()
        return dsn
    server = EmbeddedPostgres(folders.postgres)
    dsn = await asyncio.to_thread(server.start)
    stack.push_async_callback(asyncio.to_thread, server.stop)
    keeper = await stack.enter_async_context(Duties())
    keeper.begin("postgres", server.keep_running)
    await migrate(dsn)
    return dsn


async def _open_key(
    config: ServiceConfig, folders: DataFolders, pool: Pool, *, clock: Clock, entropy: Entropy
) -> Signer:
    passphrase = passphrase_from(config.log_key_passphrase_file)
    return await open_log_key(pool, folders, origin=config.origin, clock=clock, entropy=entropy, passphrase=passphrase)


async def _published_log(config: ServiceConfig, folders: DataFolders, stack: AsyncExitStack) -> LogStorage:
    if config.log_store == "folder":
        return LogFolder(folders.log)
    # Imported here: the client of S3 takes longer to load than all the rest, and only who publishes there needs it.
    from ledger.publish_s3 import open_s3_log

    place = S3Place.parse(config.log_store, endpoint=config.log_store_endpoint, region=config.log_store_region)
    return await stack.enter_async_context(open_s3_log(place))


async def _cosigning(
    config: ServiceConfig,
    policy: Policy,
    reader: LogReader,
    folders: DataFolders,
    *,
    clock: Clock,
    stack: AsyncExitStack,
) -> Cosigning:
    return Cosigning(
        policy,
        await stack.enter_async_context(open_transport()),
        reader,
        clock=clock,
        settings=CosigningSettings(request_seconds=config.witness_seconds, grace_seconds=config.witness_grace_seconds),
        shelf=FolderShelf(folders.cosigned),
    )


def _sequencer(
    config: ServiceConfig,
    dsn: str,
    storage: LogStorage,
    signer: Signer,
    *,
    clock: Clock,
    cosigning: Cosigning | None,
    folders: DataFolders,
) -> Sequencer:
    async def connect_alone() -> asyncpg.Connection[asyncpg.Record]:
        return await connect(dsn, program="shilu-sequencer")

    settings = SequencerSettings(
        batch_seconds=config.sequencer_interval_seconds, recosign_seconds=config.recosign_seconds
    )
    keyring = FolderKeyring(folders, passphrase_from(config.log_key_passphrase_file), storage)
    return Sequencer(connect_alone, storage, signer, clock, settings, cosign=cosigning, keyring=keyring)


_STAMP_LOOK_SECONDS = 30.0


async def _stamping(
    config: ServiceConfig,
    authorities: tuple[Authority, ...],
    book: TimestampBook,
    sequencer: Sequencer,
    *,
    clock: Clock,
    stack: AsyncExitStack,
) -> Stamping:
    interval = config.timestamp_seconds
    pause = min(interval, _STAMP_LOOK_SECONDS)
    return Stamping(
        authorities,
        await stack.enter_async_context(open_stamp_transport()),
        book,
        clock=clock,
        is_leading=lambda: sequencer.status.is_leading,
        settings=StampingSettings(interval_seconds=interval, retry_seconds=pause, look_seconds=pause),
    )


def _standing_audit(
    config: ServiceConfig,
    duties: frozenset[Duty],
    folders: DataFolders,
    dsn: str,
    pool: Pool,
    local: LocalObjects,
    second: S3Objects | None,
    storage: LogStorage,
    witnesses: Policy,
    authorities: tuple[Authority, ...],
    *,
    clock: Clock,
    entropy: Entropy,
) -> StandingAudit | None:
    if Duty.AUDIT not in duties or not config.audit_interval_seconds or not config.audit_bytes_per_second:
        return None
    return StandingAudit(
        connect=lambda: connect(dsn, program="shilu-audit"),
        pool=pool,
        objects=local,
        second=second,
        storage=storage,
        memory=folders.root / "run" / "audit.json",
        clock=clock,
        entropy=entropy,
        settings=AuditSettings(
            interval_seconds=config.audit_interval_seconds, bytes_per_second=config.audit_bytes_per_second
        ),
        times=lambda: time_rules(config, witnesses, clock),
        stamps=stamp_rules(config, authorities),
    )


async def _begin_duties(services: Services, duties: frozenset[Duty]) -> None:
    if services.sequencer is not None:
        services.duties.begin("sequencer", services.sequencer.run)
    if services.stamping is not None:
        services.duties.begin("timestamps", services.stamping.run)
    if Duty.INTAKE in duties:
        await services.uploads.recover()
        await services.deliveries.sealer.recover()
        services.duties.begin("intake", services.uploads.run)
        services.duties.begin("recordings", services.deliveries.sealer.run)
        services.duties.begin(
            "housekeeping",
            partial(sweep, pool=services.pool, clock=services.clock, entropy=services.entropy),
        )
        services.duties.begin("disposals", disposer_of(services).run)
        services.duties.begin(
            "deadlines",
            partial(run_deadlines, pool=services.pool, clock=services.clock, entropy=services.entropy),
        )
        if services.config.outbox_targets:
            services.duties.begin("outbox", _outbox(services))
    if services.copier is not None:
        services.duties.begin("copies", services.copier.run)
    if services.audit is not None:
        services.duties.begin("audit", services.audit.run)
    if Duty.WORK in duties:
        worker = Worker(
            pool=services.pool,
            objects=services.objects,
            workspace=services.folders.work,
            clock=services.clock,
            entropy=services.entropy,
            settings=WorkerSettings(concurrency=services.config.worker_concurrency),
        )
        services.duties.begin("worker", worker.run)
        if services.config.speech_models is not None:
            services.duties.begin("speech", _transcriber(services, services.config.speech_models).run)


def disposer_of(services: Services) -> Disposer:
    """Return what carries out disposals in the stores of this house."""
    return Disposer(
        pool=services.pool,
        local=services.local,
        second=services.second,
        clock=services.clock,
        entropy=services.entropy,
    )


def _outbox(services: Services) -> Run:
    targets = services.config.outbox_targets
    return partial(run_outbox, pool=services.pool, targets=targets, clock=services.clock, entropy=services.entropy)


def _transcriber(services: Services, models: Path) -> Transcriber:
    return Transcriber(
        pool=services.pool,
        objects=services.objects,
        workspace=services.folders.work,
        models=models,
        clock=services.clock,
        entropy=services.entropy,
        settings=TranscriptionSettings(),
    )
