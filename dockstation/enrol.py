"""Enrolment: the one moment at which the station believes what it is told about the log.

Order of effects: key made in memory -> service registers its public half and names the log -> key, policy and pinned
log on disk, the pinned log last. A crash after the registration leaves an identity at the service that nobody holds
the key of; it can do nothing, and the next enrolment, with a new code, makes another.

A station that is enrolled already asks the service for its log's checkpoint *before* it spends the code: if that is not
signed by the pinned key, or one that followed it, it is another log, and only `force` goes on. Then everything that
belongs to the old log is put aside: its receipts must not clear files that the new log does not hold.
"""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from yarl import URL

from dockstation.config import StateFolder
from dockstation.errors import ConfigInvalid, OtherLog, ReceiptRefused, ServiceMalformed
from dockstation.identity import Enrolment
from dockstation.link import Link
from dockstation.log_trust import LogTrust
from dockstation.service import EnrolmentAnswer, Service
from evidence.core.clock import Clock, Entropy
from evidence.core.durable import sync_folder
from evidence.core.ids import uuid7
from evidence.core.wire.fields import check_name
from evidence.core.wire.statement import dock_key_name
from evidence.errors import WireError
from ledger.errors import CodedError, LedgerInputError
from ledger.note import Signer, Verifier


async def enrol(
    folder: StateFolder, link: Link, *, url: str, code: str, name: str, force: bool, clock: Clock, entropy: Entropy
) -> Enrolment:
    """Register this station with a service and pin the log that it names.

    Args:
        link: A session with the service, without tokens.
        code: One-time code from the service's administrator.
        name: What people call the station.
        force: Go on although the service keeps another log than the pinned one.

    Raises:
        OtherLog: It does, and `force` was not given. Nothing was changed, and the code is not spent.
        DockError: See `dockstation.link`.
    """
    _check(url, name)
    service = Service(link)
    former = folder.load_enrolment() if folder.is_enrolled() else None
    if former is not None and not force:
        await _require_same_log(service, LogTrust(folder, former))
    dock = uuid7(clock=clock, entropy=entropy)
    signer = Signer.generate(dock_key_name(dock), entropy)
    answer = await service.enrol(code=code, name=name, vkey=signer.verifier.vkey)
    enrolment = _accept(answer, sent=dock_key_name(dock), url=url, name=name)
    if former is not None and not await _is_same_log(service, folder, former, enrolment):
        if not force:
            raise OtherLog(f"the service named the log {enrolment.origin} after showing another")
        await asyncio.to_thread(_put_aside, folder, clock=clock)
    await asyncio.to_thread(folder.save_enrolment, enrolment, signer)
    return enrolment


def _check(url: str, name: str) -> None:
    root = URL(url)
    if root.scheme not in {"http", "https"} or not root.host or root.query_string or root.fragment:
        raise ConfigInvalid(f"not the address of a service: {url!r}")
    try:
        check_name(name, where="name")
    except WireError as error:
        raise ConfigInvalid(error.message) from error


async def _require_same_log(service: Service, trust: LogTrust) -> None:
    checkpoint = await service.checkpoint()
    try:
        await trust.refresh(service)
        trust.keys.open_checkpoint(checkpoint)
    except (LedgerInputError, ReceiptRefused) as error:
        raise OtherLog(
            f"this station trusts the log {trust.keys.origin}; the service shows a checkpoint that its key did not sign"
        ) from error


async def _is_same_log(service: Service, folder: StateFolder, former: Enrolment, enrolment: Enrolment) -> bool:
    """Tell whether the key that the service names is the pinned one, or one that followed it."""
    if former.log == enrolment.log:
        return True
    if former.origin != enrolment.origin:
        return False
    trust = LogTrust(folder, former)
    with contextlib.suppress(ReceiptRefused):
        await trust.learn(service)
    return enrolment.log in trust.keys.verifiers


def _accept(answer: EnrolmentAnswer, *, sent: str, url: str, name: str) -> Enrolment:
    if dock_key_name(answer.dock) != sent:
        raise ServiceMalformed("the service enrolled another dock than this one")
    try:
        log = Verifier.parse(answer.log_vkey)
    except CodedError as error:
        raise ServiceMalformed(f"the service's log key cannot be used: {error.message}") from error
    if log.name != answer.origin:
        raise ServiceMalformed("the log's key does not bear the log's name")
    return Enrolment(
        dock=answer.dock, name=name, url=url.rstrip("/"), origin=answer.origin, log=log, policy=answer.policy
    )


def _put_aside(folder: StateFolder, *, clock: Clock) -> None:
    """Move what belongs to the former log out of the way; the enrolment first, so that a crash leaves none."""
    aside = folder.path / f"former-{clock():%Y%m%dT%H%M%SZ}"
    aside.mkdir(mode=0o700)
    names = [folder.enrolment, folder.policy, folder.log_keys, folder.key, folder.journal, folder.receipts]
    names += [Path(f"{folder.journal}{ending}") for ending in ("-wal", "-shm")]
    for path in names:
        if path.exists():
            path.rename(aside / path.name)
    sync_folder(aside)
    sync_folder(folder.path)
    folder.create()
