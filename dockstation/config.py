"""The station's state folder and configuration.

```
DIR/dock.key           the station's signing key, 0600
DIR/next.key           the key that takes its place, only while a change is under way; see `rotation`
DIR/enrolment.toml     service, dock id, log key and origin as pinned at enrolment; written by `enrol`, not by hand
DIR/log.policy         the log's witness policy, pinned with it
DIR/log.keys           statements by which the log's keys followed the pinned one, if they did
DIR/config.toml        the operator's settings; every key has a default (see `Settings`)
DIR/journal.sqlite3    what is known of every file
DIR/receipts/          one verified receipt per sealed file, <entry id>.receipt
DIR/profiles/          the operator's own layout profiles, before the shipped ones
DIR/lock               held by the one agent that works here; the lock ends with its process
DIR/former-<time>/     what belonged to another log, after `enrol --force`
```

`config.toml` is a flat table of the keys of `Settings`. It is read once; an unknown key or a wrong type refuses the
start, because a mistyped `clear` must not be taken for its default.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import ssl
import time
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from uuid import UUID

from dockstation.errors import ConfigInvalid, NotEnrolled, StateTaken
from dockstation.identity import Enrolment
from dockstation.layout import AUTOMATIC
from dockstation.throttle import parse_window
from evidence.core.digest import CHUNK_BYTES
from evidence.core.durable import make_folders, sync_folder, write_file
from evidence.core.wire.statement import dock_key_name
from ledger.errors import CodedError
from ledger.note import Signer, Verifier

STATE_VARIABLE = "SHILU_DOCK_STATE"
"""Environment variable that names the state folder when `--state` is not given."""

MBIT_MIN = 0.05
"""Lowest ceiling: below it a turn of 25 recorders would outlast the patience of a connection."""

_LISTEN = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}")
_LOCK_TRIES = 10
_LOCK_PAUSE_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The operator's settings, `config.toml`.

    Attributes:
        watch: Folders whose sub-folders are mounted recorders.
        recorders: Folders each of which is a mounted recorder.
        usb: Whether recorders on USB ports are found by udev and mounted by udisks2.
        usb_slots: Names of ports, `NAME=PORT` (udev's `ID_PATH`, `*` and `?` allowed); with any, other ports are left.
        usb_when_safe: What becomes of a USB recorder when all of it is receipted: `unmount`, `eject` or `stay`.
        hot: Whether a change in a folder begins a look at once; the periodic look goes on all the same.
        profile: Name of a layout profile, or `auto`.
        interval_seconds: Pause between two looks over all slots.
        settle_seconds: How long a file must have kept still before it is read.
        parallel: Recorders that are read at the same time.
        patch_bytes_max: Most bytes of one upload request; an acknowledged request is never sent again.
        patience_seconds: How long failures are borne without progress before a recorder is left for the next look.
        receipt_seconds: How long a look waits for receipts before it is left for the next.
        clear: Whether receipted files are removed from recorders.
        keep_hours: How long a receipted file stays on the recorder before it may be removed.
        rehash: `always` reads a file again before it is removed, `changed` only if it was mounted anew meanwhile.
        set_clocks: Whether recorders whose profile knows how get the time when their card is cleared.
        spool_folder: Where files wait for a slow link; empty for straight from the recorder to the service.
        spool_gb_max: Most gigabytes (10^9 bytes) in it; 0 for as many as its disk takes.
        bandwidth_mbit_max: Most megabits per second of footage, all recorders together; 0 for no ceiling.
        send_windows: Times of day in which footage is sent, `19:00-07:00`; empty for always. Marked footage always is.
        service_url: Where the service is now, if it moved since the enrolment; empty for where it was.
        ca_file: Certificate authorities to trust instead of the system's, PEM; empty for the system's.
        client_certificate: The station's own certificate for the service's TLS, PEM; empty for none.
        client_key: Its key, PEM; empty when it stands in the certificate's file.
        page_listen: Where the status page is served, `127.0.0.1:8459`; empty for nowhere.
    """

    watch: tuple[str, ...] = ()
    recorders: tuple[str, ...] = ()
    usb: bool = False
    usb_slots: tuple[str, ...] = ()
    usb_when_safe: str = "unmount"
    hot: bool = True
    profile: str = AUTOMATIC
    interval_seconds: float = 5.0
    settle_seconds: float = 2.0
    parallel: int = 25
    patch_bytes_max: int = 64 * 1024 * 1024
    patience_seconds: float = 120.0
    receipt_seconds: float = 30.0
    clear: bool = False
    keep_hours: float = 0.0
    rehash: str = "changed"
    set_clocks: bool = False
    spool_folder: str = ""
    spool_gb_max: float = 0.0
    bandwidth_mbit_max: float = 0.0
    send_windows: tuple[str, ...] = ()
    service_url: str = ""
    ca_file: str = ""
    client_certificate: str = ""
    client_key: str = ""
    page_listen: str = ""

    def __post_init__(self) -> None:
        for name in ("interval_seconds", "patience_seconds", "receipt_seconds"):
            if not 0 < getattr(self, name) <= 86_400:
                raise ConfigInvalid(f"{name} is not within 0 to 86400")
        if not 0 <= self.settle_seconds <= 3600 or not 0 <= self.keep_hours <= 24 * 366:
            raise ConfigInvalid("settle_seconds or keep_hours is out of bounds")
        if not 1 <= self.parallel <= 64:
            raise ConfigInvalid("parallel is not within 1 to 64")
        if self.patch_bytes_max < CHUNK_BYTES:
            raise ConfigInvalid(f"patch_bytes_max is below {CHUNK_BYTES}")
        if not 0 <= self.spool_gb_max <= 1e6:
            raise ConfigInvalid("spool_gb_max is not within 0 to 1000000")
        if self.bandwidth_mbit_max and not MBIT_MIN <= self.bandwidth_mbit_max <= 1e5:
            raise ConfigInvalid(f"bandwidth_mbit_max is neither 0 nor within {MBIT_MIN} to 100000")
        for window in self.send_windows:
            parse_window(window)
        if self.page_listen and not _LISTEN.fullmatch(self.page_listen):
            raise ConfigInvalid(f"page_listen {self.page_listen!r} is not of the form 127.0.0.1:8459")
        if self.client_key and not self.client_certificate:
            raise ConfigInvalid("client_key is of no use without client_certificate")
        if self.rehash not in {"always", "changed"}:
            raise ConfigInvalid("rehash is neither 'always' nor 'changed'")
        if self.usb_when_safe not in {"unmount", "eject", "stay"}:
            raise ConfigInvalid("usb_when_safe is neither 'unmount' nor 'eject' nor 'stay'")


class StateFolder:
    """Paths of the state folder and what is kept in them, but for the journal."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.key = path / "dock.key"
        self.next_key = path / "next.key"
        self.enrolment = path / "enrolment.toml"
        self.policy = path / "log.policy"
        self.log_keys = path / "log.keys"
        self.config = path / "config.toml"
        self.journal = path / "journal.sqlite3"
        self.receipts = path / "receipts"
        self.profiles = path / "profiles"
        self._lock = path / "lock"

    def create(self) -> None:
        """Make the folder, for its owner only, if it is not there."""
        make_folders(self.path.absolute().parent)
        self.path.mkdir(mode=0o700, exist_ok=True)
        make_folders(self.receipts)
        sync_folder(self.path.absolute().parent)

    def is_enrolled(self) -> bool:
        """Tell whether an enrolment was completed here; its file is the last that is written."""
        return self.enrolment.exists()

    @contextmanager
    def owned(self) -> Iterator[None]:
        """Be the only agent that works here.

        Raises:
            StateTaken: Another process is.
        """
        handle = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(handle, self.path)
            yield
        finally:
            os.close(handle)

    def is_owned(self) -> bool:
        """Tell whether some agent works here now."""
        if not self._lock.exists():
            return False
        handle = os.open(self._lock, os.O_RDONLY | os.O_CLOEXEC)
        try:
            # A shared lock is enough to find out; an agent that starts in this very moment would find the folder taken,
            # so `owned` tries for a moment.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(handle)

    def load_enrolment(self) -> Enrolment:
        """Return the pinned enrolment.

        Raises:
            NotEnrolled: There is none.
            ConfigInvalid: It was damaged.
        """
        if not self.is_enrolled():
            raise NotEnrolled(f"{self.path} holds no enrolment; run: shilu-dock enrol URL CODE --state {self.path}")
        data = _read_toml(self.enrolment)
        try:
            log = Verifier.parse(str(data["log_vkey"]))
            return Enrolment(
                dock=UUID(str(data["dock"])),
                name=str(data["name"]),
                url=str(data["url"]),
                origin=str(data["origin"]),
                log=log,
                policy=self.policy.read_text(encoding="utf-8"),
            )
        except (KeyError, ValueError, OSError, CodedError) as error:
            raise ConfigInvalid(f"{self.enrolment}: {error}") from error

    def load_signer(self, dock: UUID) -> Signer:
        """Return the station's key.

        Raises:
            ConfigInvalid: It is missing, damaged, readable by others, or another station's.
        """
        try:
            if self.key.stat().st_mode & 0o077:
                raise ConfigInvalid(f"{self.key} can be read by others; chmod 600 it, or enrol anew if it leaked")
            signer = Signer.parse(self.key.read_text(encoding="ascii").strip())
        except (OSError, ValueError, CodedError) as error:
            if isinstance(error, ConfigInvalid):
                raise
            raise ConfigInvalid(f"{self.key}: {error}") from error
        if signer.name != dock_key_name(dock):
            raise ConfigInvalid(f"{self.key} is the key of {signer.name}, the enrolment is that of dock {dock}")
        return signer

    def save_enrolment(self, enrolment: Enrolment, signer: Signer) -> None:
        """Keep an enrolment: key and policy first, the file that makes them count last.

        A crash in between leaves the old enrolment with a key that is not its own, which `load_signer` names, or none.
        """
        values = {
            "dock": str(enrolment.dock),
            "name": enrolment.name,
            "url": enrolment.url,
            "origin": enrolment.origin,
            "log_vkey": enrolment.log.vkey,
        }
        write_file(self.key, signer.encoded().encode() + b"\n", mode=0o600)
        write_file(self.policy, enrolment.policy.encode(), mode=0o644)
        lines = "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in values.items())
        write_file(self.enrolment, lines.encode(), mode=0o644)

    def load_settings(self) -> Settings:
        """Return the operator's settings.

        Raises:
            ConfigInvalid: A key is unknown, mistyped or out of bounds.
        """
        return parse_settings(_read_toml(self.config)) if self.config.exists() else Settings()


def _lock(handle: int, path: Path) -> None:
    for _ in range(_LOCK_TRIES):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_LOCK_PAUSE_SECONDS)
        else:
            return
    raise StateTaken(f"another agent works with {path}")


def parse_settings(data: Mapping[str, object]) -> Settings:
    """Read a table of settings, whole or not at all.

    Raises:
        ConfigInvalid: A key is unknown, mistyped or out of bounds.
    """
    kinds = {field.name: type(field.default) for field in fields(Settings)}
    if unknown := sorted(data.keys() - kinds.keys()):
        raise ConfigInvalid(f"config.toml: unknown key {unknown[0]!r}")
    values: dict[str, object] = {}
    for name, value in data.items():
        kind = kinds[name]
        if kind is tuple and isinstance(value, list) and all(isinstance(item, str) for item in value):
            values[name] = tuple(value)
        elif kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            values[name] = float(value)
        elif type(value) is kind:
            values[name] = value
        else:
            raise ConfigInvalid(f"config.toml: {name} is not a {'list of strings' if kind is tuple else kind.__name__}")
    return Settings(**values)  # type: ignore[arg-type]  # checked against the fields just now


def trust(settings: Settings) -> ssl.SSLContext | None:
    """Return the certificate authorities to trust and the station's own certificate, None for the system's and none.

    Raises:
        ConfigInvalid: A file cannot be used.
    """
    if not settings.ca_file and not settings.client_certificate:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
    except OSError as error:
        raise ConfigInvalid(f"ca_file {settings.ca_file}: {error}") from error
    if settings.client_certificate:
        try:
            # Without a password callback OpenSSL would ask on the terminal for that of a protected key.
            context.load_cert_chain(settings.client_certificate, settings.client_key or None, password=_no_password)
        except (OSError, ValueError) as error:
            raise ConfigInvalid(f"client_certificate {settings.client_certificate}: {error}") from error
    return context


def _no_password() -> str:
    raise ValueError("its key is protected by a password, which nobody is there to type")


def default_state() -> Path:
    """Return the state folder to use when none is given: `$SHILU_DOCK_STATE`, else below the user's state folder."""
    if given := os.environ.get(STATE_VARIABLE):
        return Path(given)
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "shilu-dock"


def _read_toml(path: Path) -> dict[str, object]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigInvalid(f"{path}: {error}") from error
