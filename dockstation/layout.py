"""Layout profiles: how a maker's recorder names its files, as data.

A profile is a small TOML file; a new maker is a new file, not new code:

```
name = "dcam"                        what inventories state, [a-z0-9-]
title = "..."                        one line for people
claims = ["**/DCAM_*"]               one matching file makes the card this profile's; none = a fallback
media = ["**/*.mp4"]                 recordings with a picture that moves
stills = ["**/*.jpg"]                photographs
sound = ["**/*.wav"]                 sound by itself
positions = ["**/*.gps"]             where the recorder was
logs = ["**/*.log"]                  what the recorder wrote about itself
companions = ["**/*.xml"]            what else belongs to recordings: descriptions, indexes, subtitles
ignore = ["**/.Trash*/**"]           never read: the operating system's and the maker's own litter
time_zone = "+08:00"                 of the recorder's clock; an offset, or an IANA name where the host knows it
key_mark = '_IMP(?=\\.[^./]*$)'      regular expression, searched in the path: a recording the officer marked
[[names]]
pattern = '...(?P<recorder>...)_(?P<officer>...)_(?P<start>...)...'   must match the whole path, case ignored
time = "%Y%m%d_%H%M%S"               how `start` is written
[clock]                              only where the maker says that a recorder sets its clock by a file
file = "time.txt"                    what it reads, in the top folder of its card; never taken for footage
text = "%Y-%m-%d %H:%M:%S"           what stands in it, in the recorder's zone
```

Globs and patterns are matched without regard to case (cards are FAT). `*` and `?` stay within a folder, `**/` crosses
folders. `ignore` goes before all others; of the rest the first list that knows a path, in the order above, says what it
is. The first of the `names` that fits says what the name tells. **What no rule ignores is read**, even when no pattern
knows it: footage under a strange name is still footage.
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

from dockstation.card import part_of
from dockstation.errors import ProfileInvalid
from evidence.core.wire.fields import check_name
from evidence.errors import WireError

AUTOMATIC = "auto"
"""In place of a profile's name: let the card's files choose."""

_GROUPS = frozenset({"recorder", "officer", "start"})
_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})")
_NAME = re.compile(r"[a-z0-9-]{1,32}")
_CLOCK_FILE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,31}")


class Kind(Enum):
    """What a file on a recorder is; all but `IGNORED` are read."""

    MEDIA = "media"
    STILL = "still"
    SOUND = "sound"
    POSITION = "position"
    LOG = "log"
    COMPANION = "companion"
    OTHER = "other"
    IGNORED = "ignored"


LISTS: dict[str, Kind] = {
    "ignore": Kind.IGNORED,
    "media": Kind.MEDIA,
    "stills": Kind.STILL,
    "sound": Kind.SOUND,
    "positions": Kind.POSITION,
    "logs": Kind.LOG,
    "companions": Kind.COMPANION,
}
"""Keys of a profile that hold globs, and what a file is that one of them matches; the first that matches counts."""

WORDS: dict[Kind, str] = {
    Kind.MEDIA: "a recording",
    Kind.STILL: "a photograph",
    Kind.SOUND: "a sound recording",
    Kind.POSITION: "positions that belong to a recording",
    Kind.LOG: "a log of the recorder",
    Kind.COMPANION: "belongs to a recording",
    Kind.OTHER: "not known to the profile, read all the same",
    Kind.IGNORED: "the profile ignores it",
}
"""What a file is, for people."""

_KEYS = frozenset({"name", "title", "claims", "time_zone", "key_mark", "names", "clock", *LISTS})


@dataclass(frozen=True, slots=True)
class Glob:
    """A glob as it was written, and the pattern it stands for."""

    text: str
    pattern: re.Pattern[str]


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
class Match:
    """Which rules of a profile apply to a path.

    Attributes:
        kind: What the file is.
        key: The list that says so, None when no list knows the path.
        glob: The glob of that list, as it was written.
        rule: Number of the first name rule that fits, None when none does or the file is ignored.
        groups: What that rule takes out of the path, as it stands there.
    """

    kind: Kind
    key: str | None
    glob: str | None
    rule: int | None
    groups: Mapping[str, str | None]


@dataclass(frozen=True, slots=True)
class ClockFile:
    """The file by which a recorder sets its clock when it starts: its name, and how the time is written in it."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Profile:
    """A parsed layout profile; see the module's front page for the meaning of each part."""

    name: str
    title: str
    source: str
    claims: tuple[Glob, ...]
    lists: Mapping[str, tuple[Glob, ...]]
    zone: tzinfo
    key_mark: re.Pattern[str] | None
    names: tuple[NameRule, ...]
    clock: ClockFile | None

    def clock_text(self, now: datetime) -> bytes | None:
        """Return what the file of the recorder's clock has to say at an instant, None where there is no such file."""
        if self.clock is None:
            return None
        return now.astimezone(self.zone).strftime(self.clock.text).encode()

    def match(self, path: str) -> Match:
        """Return which rules apply to one relative POSIX path."""
        key, glob = next(
            ((key, glob.text) for key in LISTS for glob in self.lists[key] if glob.pattern.fullmatch(path)),
            (None, None),
        )
        kind = Kind.OTHER if key is None else LISTS[key]
        if kind is not Kind.IGNORED:
            for number, rule in enumerate(self.names):
                if found := rule.pattern.fullmatch(path):
                    return Match(kind, key, glob, number, found.groupdict())
        return Match(kind, key, glob, None, {})

    def read(self, path: str) -> Reading:
        """Judge one relative POSIX path."""
        match = self.match(path)
        key_mark = self.key_mark is not None and self.key_mark.search(path) is not None
        why = WORDS[match.kind]
        if match.rule is None:
            if self.names and match.kind is not Kind.IGNORED:
                why = f"{why}; no name pattern knows it"
            return Reading(match.kind, None, None, None, key_mark, why)
        rule, groups = self.names[match.rule], match.groups
        recorded_at = self.instant(groups.get("start"), rule.time)
        if groups.get("start") and recorded_at is None:
            why = f"{why}; the time in its name does not exist"
        recorder, officer = sound_name(groups.get("recorder")), sound_name(groups.get("officer"))
        return Reading(match.kind, recorder, officer, recorded_at, key_mark, why)

    def instant(self, text: str | None, form: str | None) -> datetime | None:
        """Return the instant that a name writes by the recorder's clock, None where there is no such time."""
        if text is None or form is None:
            return None
        try:
            # The zone of the recorder's clock is the profile's; `strptime` itself knows none.
            return datetime.strptime(text, form).replace(tzinfo=self.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            return None


def count_claims(profiles: Sequence[Profile], paths: Iterable[str]) -> tuple[int, ...]:
    """Return how many of a card's files each profile claims."""
    counts = [0] * len(profiles)
    for path in paths:
        for index, profile in enumerate(profiles):
            counts[index] += any(glob.pattern.fullmatch(path) for glob in profile.claims)
    return tuple(counts)


def choose_profile(profiles: Sequence[Profile], paths: Iterable[str]) -> Profile:
    """Return the profile that claims most of a card's files; with no claim at all, the first that claims nothing."""
    counts = count_claims(profiles, paths)
    best = max(range(len(profiles)), key=lambda index: (counts[index], -index))
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
    clock = _clock(data["clock"], source=source) if "clock" in data else None
    lists = {key: _globs(data, key, source=source) for key in LISTS}
    if clock is not None:
        ours = tuple(Glob(name, compile_glob(name)) for name in (clock.name, part_of(clock.name)))
        lists["ignore"] = (*ours, *lists["ignore"])
    return Profile(
        name=name,
        title=_text(data, "title", source=source),
        source=source,
        claims=_globs(data, "claims", source=source),
        lists=lists,
        zone=_zone(_text(data, "time_zone", source=source), source=source),
        key_mark=None if key_mark is None else _pattern(key_mark, source=source, key="key_mark"),
        names=tuple(_rule(item, source=source) for item in _list(data, "names", source=source)),
        clock=clock,
    )


def compile_glob(glob: str) -> re.Pattern[str]:
    """Turn a glob over relative POSIX paths into a pattern for `fullmatch`, case ignored."""
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", glob)
    meaning = {"**/": r"(?:[^/]+/)*", "**": r".*", "*": r"[^/]*", "?": r"[^/]"}
    return re.compile("".join(meaning.get(part, re.escape(part)) for part in parts), re.IGNORECASE | re.DOTALL)


def sound_name(text: str | None) -> str | None:
    """Return a name that statements may carry, or None."""
    if text is None:
        return None
    try:
        check_name(text, where="name")
    except WireError:
        return None
    return text


def _shipped_files() -> list[Traversable]:
    folder = resources.files("dockstation").joinpath("profiles")
    return sorted((item for item in folder.iterdir() if item.name.endswith(".toml")), key=lambda item: item.name)


def _load(path: Path) -> Profile:
    try:
        return parse_profile(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ProfileInvalid(f"{path}: cannot be read: {error}") from error


def _clock(item: object, *, source: str) -> ClockFile:
    if not isinstance(item, dict) or item.keys() != {"file", "text"}:
        raise ProfileInvalid(f"{source}: clock has the keys file and text")
    name, text = (_text(item, key, source=source) for key in ("file", "text"))
    if not _CLOCK_FILE.fullmatch(name):
        raise ProfileInvalid(f"{source}: the clock's file is not a plain name in the card's top folder: {name!r}")
    if "%" not in text:
        raise ProfileInvalid(f"{source}: the clock's text holds no time: {text!r}")
    return ClockFile(name, text)


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


def _globs(data: Mapping[str, object], key: str, *, source: str) -> tuple[Glob, ...]:
    globs = _list(data, key, source=source)
    if not all(isinstance(glob, str) and glob for glob in globs):
        raise ProfileInvalid(f"{source}: {key} holds something that is not a glob")
    return tuple(Glob(str(glob), compile_glob(str(glob))) for glob in globs)
