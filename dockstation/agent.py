"""Agent: puts a station together from its state folder, for as long as it is used.

This is the one place where the parts meet; nothing else here opens a journal, a session or a key.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dockstation.cleanup import Cleaner
from dockstation.config import Settings, StateFolder, trust
from dockstation.copier import Copier
from dockstation.courier import Courier
from dockstation.detect.hints import Hints
from dockstation.detect.opening import open_folder_hints, open_places
from dockstation.detect.places import Places
from dockstation.docking import Station
from dockstation.errors import ConfigInvalid, LinkLost, ServiceBusy
from dockstation.events import Bus, Event, Kind
from dockstation.forward import Forwarder
from dockstation.heartbeat import Heart
from dockstation.identity import Enrolment, TokenMaker
from dockstation.intake import Pread
from dockstation.journal import RECEIPTED
from dockstation.journal_store import Journal
from dockstation.layout import Profile, load_profiles
from dockstation.link import Link
from dockstation.log_trust import LogTrust
from dockstation.outbox import Outbox
from dockstation.receipts import Settler
from dockstation.rotation import KeyChanger
from dockstation.service import Service
from dockstation.showcase import Showcase
from dockstation.spool import Spool
from dockstation.threads import Books, Lane
from dockstation.throttle import Throttle, parse_window
from dockstation.tus import TusClient
from dockstation.uploader import Uploader
from dockstation.watch import Job, Watch
from evidence.core.clock import Clock, Entropy, utc_now
from evidence.core.durable import remove_temporaries
from ledger.note import Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a call of the program may ask for beyond the settings.

    Attributes:
        dry_run: Only tell what would be cleared.
        retry_refused: Try files again that the service once refused.
        patient: Wait for the service as long as it takes before the first look, when a change of key is under way.
        hints: Begin rounds early when something changes in the folders.
        places: Where recorders are, in place of what the settings and the job say.
        pread: How files are read for sending; another one than the system's makes a medium slow or fail.
        change_key: Begin a change of key before the first look, because an administrator asked for it.
    """

    dry_run: bool = False
    retry_refused: bool = False
    patient: bool = False
    hints: bool = False
    places: Places | None = None
    pread: Pread = os.pread
    change_key: bool = False


@asynccontextmanager
async def open_watch(
    folder: StateFolder,
    settings: Settings,
    job: Job,
    *,
    options: Options,
    bus: Bus,
    clock: Clock = utc_now,
    entropy: Entropy = secrets.token_bytes,
) -> AsyncIterator[Watch]:
    """Open a station for a job; the state folder is this process's own until the end.

    Raises:
        DockError: The state folder cannot be used; see config.py and journal_store.py.
    """
    enrolment = folder.load_enrolment()
    folder.load_signer(enrolment.dock)
    profiles = load_profiles(folder.profiles if folder.profiles.is_dir() else None, only=settings.profile)
    async with AsyncExitStack() as stack:
        stack.enter_context(folder.owned())
        await _settle_key(folder, settings, enrolment, options=options, clock=clock, entropy=entropy)
        signer = folder.load_signer(enrolment.dock)
        remove_temporaries(folder.receipts)
        journal = stack.enter_context(Journal(folder.journal, clock=clock))
        books = Books(journal, await stack.enter_async_context(Lane("journal")))
        await books.do(Journal.forget_unfinished_of_others, enrolment.dock)
        if options.retry_refused:
            await books.do(Journal.retry_refused)
        copier = await _open_spool(settings, books, entropy=entropy)
        tokens = TokenMaker(enrolment, signer, clock=clock)
        connections = settings.parallel * 6
        link = Link(service_url(settings, enrolment), tokens=tokens, trust=trust(settings), connections=connections)
        await stack.enter_async_context(link)
        heart = Heart(
            link=link,
            books=books,
            dock=enrolment.dock,
            folder=folder.path,
            profiles=profiles,
            clock=clock,
            has_new_key=options.change_key,
        )
        station = _make_station(
            folder,
            settings,
            enrolment,
            signer,
            options=options,
            link=link,
            books=books,
            copier=copier,
            heart=heart,
            clock=clock,
            entropy=entropy,
            bus=bus,
            profiles=profiles,
        )
        showcase = Showcase(books=books, clock=clock, tell=bus)
        bus.listen(showcase.heard)
        hints = Hints()
        notice = partial(_notice, bus, clock)
        places = options.places or open_places(settings, job, hints=hints, notice=notice)
        stack.push_async_callback(places.close)
        folders = open_folder_hints(hints, notice=notice) if options.hints else None
        if folders is not None:
            stack.callback(folders.close)
        yield Watch(station, job, showcase=showcase, places=places, hints=hints, folders=folders)


def _notice(bus: Bus, clock: Clock, text: str) -> None:
    bus(Event(kind=Kind.NOTICE, at=clock(), text=text))


async def _open_spool(settings: Settings, books: Books, *, entropy: Entropy) -> Copier | None:
    """Open the spool and remove what an earlier run had no time to remove.

    Raises:
        ConfigInvalid: There is none, and the journal says that footage lies in one.
    """
    copies = await books.do(Journal.whole_copies) + await books.do(Journal.parts_of_copies)
    if not settings.spool_folder:
        waiting = [row for row in copies if row.is_copied and row.is_safe and row.state not in RECEIPTED]
        if waiting:
            raise ConfigInvalid(
                f"spool_folder is empty, and {len(waiting)} files wait in a spool; name it until they are sent"
            )
        return None
    bytes_max = int(settings.spool_gb_max * 1e9)
    try:
        spool = Spool(Path(settings.spool_folder), bytes_max=bytes_max, rows=copies)
    except OSError as error:
        raise ConfigInvalid(f"spool_folder {settings.spool_folder}: {error.strerror}") from error
    copier = Copier(spool=spool, books=books, entropy=entropy)
    await copier.tidy()
    return copier


def service_url(settings: Settings, enrolment: Enrolment) -> str:
    """Return where the service is.

    That is no matter of trust: what it says is proved by the pinned log or not believed.
    """
    return settings.service_url or enrolment.url


def key_changer(folder: StateFolder, settings: Settings, enrolment: Enrolment, *, clock: Clock) -> KeyChanger:
    """Return what changes the station's key; the caller owns the state folder."""
    return KeyChanger(
        folder=folder,
        enrolment=enrolment,
        url=service_url(settings, enrolment),
        trust=trust(settings),
        patience_seconds=settings.patience_seconds,
        clock=clock,
    )


async def _settle_key(
    folder: StateFolder, settings: Settings, enrolment: Enrolment, *, options: Options, clock: Clock, entropy: Entropy
) -> None:
    """Go on with a change of key before anything is signed, or begin one that was asked for.

    A station that runs for ever waits for the service.
    """
    changer = key_changer(folder, settings, enrolment, clock=clock)
    while True:
        try:
            if options.change_key:
                await changer.begin(entropy=entropy)
            else:
                await changer.finish()
        except (LinkLost, ServiceBusy):
            if not options.patient:
                raise
        else:
            return


def _make_station(
    folder: StateFolder,
    settings: Settings,
    enrolment: Enrolment,
    signer: Signer,
    *,
    options: Options,
    profiles: tuple[Profile, ...],
    link: Link,
    books: Books,
    copier: Copier | None,
    heart: Heart,
    bus: Bus,
    clock: Clock,
    entropy: Entropy,
) -> Station:
    """Put the station's parts together; nothing is opened here."""
    service = Service(link)
    patience = settings.patience_seconds
    throttle = _make_throttle(settings, clock=clock)
    uploader = Uploader(
        tus=TusClient(link),
        books=books,
        throttle=throttle,
        patch_bytes_max=settings.patch_bytes_max,
        patience_seconds=patience,
        pread=options.pread,
    )
    settler = Settler(
        service=service,
        books=books,
        signer=signer,
        trust=LogTrust(folder, enrolment),
        folder=folder.receipts,
        patience_seconds=patience,
    )
    courier = Courier(
        uploader=uploader,
        settler=settler,
        copier=copier,
        books=books,
        receipt_seconds=settings.receipt_seconds,
        clock=clock,
        tell=bus,
    )
    return Station(
        settings=settings,
        profiles=profiles,
        enrolment=enrolment,
        signer=signer,
        books=books,
        outbox=Outbox(service=service, books=books, signer=signer, patience_seconds=patience),
        courier=courier,
        forwarder=None if copier is None else Forwarder(uploader, copier, courier, books, throttle, settings.parallel),
        cleaner=_make_cleaner(
            folder, settings, enrolment, signer, books=books, options=options, clock=clock, entropy=entropy
        ),
        heart=heart,
        clock=clock,
        entropy=entropy,
        tell=bus,
    )


def _make_cleaner(
    folder: StateFolder,
    settings: Settings,
    enrolment: Enrolment,
    signer: Signer,
    *,
    books: Books,
    options: Options,
    clock: Clock,
    entropy: Entropy,
) -> Cleaner:
    return Cleaner(
        books=books,
        signer=signer,
        enrolment=enrolment,
        receipts=folder.receipts,
        keep_hours=settings.keep_hours,
        rehash=settings.rehash == "always",
        dry_run=options.dry_run,
        clock=clock,
        entropy=entropy,
    )


def _make_throttle(settings: Settings, *, clock: Clock) -> Throttle:
    return Throttle(
        bytes_per_second=settings.bandwidth_mbit_max * 1e6 / 8,
        windows=[parse_window(text) for text in settings.send_windows],
        clock=clock,
    )
