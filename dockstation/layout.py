"""Layout profiles: how a maker's recorder names its files, as data.

A profile is a small TOML file; a new maker is a new file, not new code:

```
name = "dcam"                        what inventories state, [a-z0-9-]
title = "..."                        one line for people
claims = ["**/DCAM_*"]               one matching file makes the card this profile's; none = a fallback
media = ["**/*.mp4"]                 recordings
companions = ["**/*.gps"]            what belongs to recordings: positions, logs, thumbnails kept on purpose
ignore = ["**/.Trash*/**"]           never read: the operating system's and the maker's own litter
time_zone = "+08:00"                 of the recorder's clock; an offset, or an IANA name where the host knows it
key_mark = '_IMP(?=\\.[^./]*$)'      regular expression, searched in the path: a recording the officer marked
[[names]]
pattern = '...(?P<recorder>...)_(?P<officer>...)_(?P<start>...)...'   must match the whole path, case ignored
time = "%Y%m%d_%H%M%S"               how `start` is written
```

Globs and patterns are matched without regard to case (cards are FAT). `*` and `?` stay within a folder, `**/` crosses
folders. **What no rule ignores is read**, even when no pattern knows it: footage under a strange name is still footage.
Everything here is pure: paths in, readings out.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import Enum
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dockstation.errors import ProfileInvalid
from evidence.core.wire.fields import check_name
from evidence.errors import WireError

AUTOMATIC = "auto"
"""In place of a profile's name: let the card's files choose."""

_KEYS = frozenset({"name", "title", "claims", "media", "companions", "ignore", "time_zone", "key_mark", "names"})
_GROUPS = frozenset({"recorder", "officer", "start"})
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
_NAME = re.compile(r"[a-z0-9-]{1,32}")


class Kind(Enum):
    """What a file on a recorder is; all but `IGNORED` are read."""

    MEDIA = "media"
    COMPANION = "companion"
    OTHER = "other"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True)
class NameRule:
    """One way of naming files: a pattern over the whole path and how it writes the start time."""

    pattern: re.Pattern[str]
    time: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a profile makes of one path.

    Attributes:
        kind: Whether and as what it is read.
        recorder: Serial number of the recorder, where the name tells.
        officer: Number of the officer, where the name tells.
        recorded_at: Start of the recording in UTC, by the recorder's clock, where the name tells.
        key_mark: Whether the officer marked it as important.
        why: One sentence for people.
    """

    kind: Kind
    recorder: str | None
    officer: str | None
    recorded_at: datetime | None
    key_mark: bool
    why: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A parsed layout profile; see the module's front page for the meaning of each part."""

    name: str
    title: str
    claims: tuple[re.Pattern[str], ...]
    media: tuple[re.Pattern[str], ...]
    companions: tuple[re.Pattern[str], ...]
    ignore: tuple[re.Pattern[str], ...]
    zone: tzinfo
    key_mark: re.Pattern[str] | None
    names: tuple[NameRule, ...]

    def read(self, path: str) -> Reading:
        """Judge one relative POSIX path."""
        key_mark = self.key_mark is not None and self.key_mark.search(path) is not None
        if _matches(self.ignore, path):
            return Reading(Kind.IGNORED, None, None, None, key_mark, "the profile ignores it")
        kind, belongs = self._kind(path)
        for rule in self.names:
            if found := rule.pattern.fullmatch(path):
                groups = found.groupdict()
                recorded_at = self._instant(groups.get("start"), rule.time)
                why = belongs if recorded_at or not rule.time else f"{belongs}; the time in its name does not exist"
                return Reading(
                    kind, _sound(groups.get("recorder")), _sound(groups.get("officer")), recorded_at, key_mark, why
                )
        why = f"{belongs}; no name pattern knows it" if self.names else belongs
        return Reading(kind, None, None, None, key_mark, why)

    def _kind(self, path: str) -> tuple[Kind, str]:
        if _matches(self.media, path):
            return Kind.MEDIA, "a recording"
        if _matches(self.companions, path):
            return Kind.COMPANION, "belongs to a recording"
        return Kind.OTHER, "not known to the profile, read all the same"

    def _instant(self, text: str | None, form: str | None) -> datetime | None:
        if text is None or form is None:
            return None
        try:
            # The zone of the recorder's clock is the profile's; `strptime` itself knows none.
            return datetime.strptime(text, form).replace(tzinfo=self.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def choose_profile(profiles: Sequence[Profile], paths: Iterable[str]) -> Profile:
    """Return the profile that claims most of a card's files; with no claim at all, the first that claims nothing."""
    counts = dict.fromkeys(range(len(profiles)), 0)
    for path in paths:
        for index, profile in enumerate(profiles):
            counts[index] += _matches(profile.claims, path)
    best = max(counts, key=lambda index: (counts[index], -index))
    if counts[best]:
        return profiles[best]
    return next((profile for profile in profiles if not profile.claims), profiles[0])


def load_profiles(folder: Path | None = None, *, only: str = AUTOMATIC) -> tuple[Profile, ...]:
    """Return the shipped profiles and those of `folder`, the folder's first; one of them if `only` names it.

    Raises:
        ProfileInvalid: A profile cannot be read, two bear one name within the folder, or `only` is unknown.
    """
    shipped = [parse_profile(item.read_text(encoding="utf-8"), source=item.name) for item in _shipped_files()]
    own = [] if folder is None else [_load(path) for path in sorted(folder.glob("*.toml"))]
    if len({profile.name for profile in own}) != len(own):
        raise ProfileInvalid(f"two profiles in {folder} bear the same name")
    names = {profile.name for profile in own}
    every = (*own, *(profile for profile in shipped if profile.name not in names))
    if only == AUTOMATIC:
        return every
    for profile in every:
        if profile.name == only:
            return (profile,)
    known = ", ".join(profile.name for profile in every)
    raise ProfileInvalid(f"no profile {only!r}; known are {known}")


def parse_profile(text: str, *, source: str) -> Profile:
    """Read a profile, whole or not at all.

    Raises:
        ProfileInvalid: See the message; it names `source` and the key.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileInvalid(f"{source}: not TOML: {error}") from error
    if unknown := sorted(data.keys() - _KEYS):
        raise ProfileInvalid(f"{source}: unknown key {unknown[0]!r}")
    name = _text(data, "name", source=source)
    if not _NAME.fullmatch(name):
        raise ProfileInvalid(f"{source}: name is not made of a-z, 0-9 and '-'")
    key_mark = data.get("key_mark")
    return Profile(
        name=name,
        title=_text(data, "title", source=source),
        claims=_globs(data, "claims", source=source),
        media=_globs(data, "media", source=source),
        companions=_globs(data, "companions", source=source),
        ignore=_globs(data, "ignore", source=source),
        zone=_zone(_text(data, "time_zone", source=source), source=source),
        key_mark=None if key_mark is None else _pattern(key_mark, source=source, key="key_mark"),
        names=tuple(_rule(item, source=source) for item in _list(data, "names", source=source)),
    )


def compile_glob(glob: str) -> re.Pattern[str]:
    """Turn a glob over relative POSIX paths into a pattern for `fullmatch`, case ignored."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.IGNORECASE | re.DOTALL)


def _shipped_files() -> list[Traversable]:
    folder = resources.files("dockstation").joinpath("profiles")
    return sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)


def _load(path: Path) -> Profile:
    try:
        return parse_profile(path.read_text(encoding="utf-8"), source=path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileInvalid(f"{path.name}: cannot be read: {error}") from error


def _matches(patterns: tuple[re.Pattern[str], ...], path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in patterns)


def _sound(text: str | None) -> str | None:
    """Return a name that statements may carry, or None."""
    if text is None:
        return None
    try:
        check_name(text, where="name")
    except WireError:
        return None
    return text


def _rule(item: object, *, source: str) -> NameRule:
    if not isinstance(item, Mapping) or not item.keys() <= {"pattern", "time"}:
        raise ProfileInvalid(f"{source}: a [[names]] table has `pattern` and `time`")
    pattern = _pattern(item.get("pattern"), source=source, key="names.pattern")
    if strange := sorted(pattern.groupindex.keys() - _GROUPS):
        raise ProfileInvalid(f"{source}: names.pattern has the unknown group {strange[0]!r}")
    time = item.get("time")
    if (time is None) != ("start" not in pattern.groupindex) or not isinstance(time, str | None):
        raise ProfileInvalid(f"{source}: `time` and a group `start` belong together")
    return NameRule(pattern=pattern, time=time)


def _pattern(value: object, *, source: str, key: str) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise ProfileInvalid(f"{source}: {key} is not a string")
    try:
        return re.compile(value, re.IGNORECASE)
    except re.error as error:
        raise ProfileInvalid(f"{source}: {key}: {error}") from error


def _zone(text: str, *, source: str) -> tzinfo:
    if found := _OFFSET.fullmatch(text):
        sign = -1 if found[1] == "-" else 1
        minutes = int(found[2]) * 60 + int(found[3])
        if minutes < 24 * 60:
            return timezone(sign * timedelta(minutes=minutes))
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ProfileInvalid(f"{source}: unknown time_zone {text!r}") from error


def _text(data: Mapping[str, object], key: str, *, source: str) -> str:
    value = data.get(key)
    if not isinstance(value, str) or not value:
        raise ProfileInvalid(f"{source}: {key} is missing or not a string")
    return value


def _list(data: Mapping[str, object], key: str, *, source: str) -> list[object]:
    value = data.get(key, [])
    if not isinstance(value, list):
        raise ProfileInvalid(f"{source}: {key} is not a list")
    return value


def _globs(data: Mapping[str, object], key: str, *, source: str) -> tuple[re.Pattern[str], ...]:
    globs = _list(data, key, source=source)
    if not all(isinstance(glob, str) and glob for glob in globs):
        raise ProfileInvalid(f"{source}: {key} holds something that is not a glob")
    return tuple(compile_glob(str(glob)) for glob in globs)
