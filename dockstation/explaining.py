"""Explaining: what a profile makes of a folder and why, rule by rule, for whoever writes or doubts a profile. Pure.

For every file: whether it is read, which list and glob of the profile said what it is, which name rule fitted and what
each of its groups took from the name, and what became of that. For the folder: how many files each profile claims,
and by that which profile was chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockstation.layout import Kind, Match, NameRule, Profile, Reading, choose_profile, count_claims
from evidence.core.clock import format_time


@dataclass(frozen=True, slots=True)
class Explained:
    """One file: its path, what the profile reads from it, and by which rules."""

    path: str
    reading: Reading
    match: Match


@dataclass(frozen=True, slots=True)
class Explanation:
    """A folder as one profile reads it.

    Attributes:
        profile: The profile that reads it.
        why: How it came to be that one, one sentence.
        claims: Every profile that was asked, and how many of the files it claims.
        files: In the order of their paths.
    """

    profile: Profile
    why: str
    claims: tuple[tuple[str, int], ...]
    files: tuple[Explained, ...]

    def as_json(self) -> dict[str, object]:
        """Return the explanation as a JSON object with stable keys."""
        return {
            "profile": self.profile.name,
            "chosen": self.why,
            "claims": dict(self.claims),
            "files": [_file(self.profile, item) for item in self.files],
        }


def explain(profiles: Sequence[Profile], paths: Sequence[str]) -> Explanation:
    """Explain the files of a folder as a docking would read them."""
    profile = choose_profile(profiles, paths)
    counts = count_claims(profiles, paths)
    claims = tuple((item.name, count) for item, count in zip(profiles, counts, strict=True))
    files = tuple(Explained(path, profile.read(path), profile.match(path)) for path in paths)
    return Explanation(profile, _choice(profiles, dict(claims), profile, len(paths)), claims, files)


def rule_of(item: Explained) -> str:
    """Return which list and glob said what a file is, as they stand in the profile."""
    return "no list knows it" if item.match.key is None else f"{item.match.key} {item.match.glob!r}"


def taken_from_name(profile: Profile, item: Explained) -> list[str]:
    """Return what the name rule took from a path, one sentence for each group, as the profile's file calls them."""
    number = item.match.rule
    if number is None:
        return []
    read = {"recorder": item.reading.recorder, "officer": item.reading.officer, "start": item.reading.recorded_at}
    lines = [f"names[{number}]"]
    for group, text in item.match.groups.items():
        if text is None:
            continue
        outcome = "" if read[group] is not None else f"; not usable: {_unusable(profile.names[number], group)}"
        lines.append(f"{group} {text!r}{outcome}")
    return lines


def _choice(profiles: Sequence[Profile], claims: dict[str, int], profile: Profile, files: int) -> str:
    if len(profiles) == 1:
        return "it was named"
    if claims[profile.name]:
        return f"it claims {claims[profile.name]} of {files} files, more than any other, or as many and stands first"
    return "no profile claims a file; it is the first that claims none"


def _unusable(rule: NameRule, group: str) -> str:
    return f"no such time in the form {rule.time!r}" if group == "start" else "statements cannot carry such a name"


def _file(profile: Profile, item: Explained) -> dict[str, object]:
    reading = item.reading
    return {
        "path": item.path,
        "read": reading.kind is not Kind.IGNORED,
        "kind": reading.kind.value,
        "recorder": reading.recorder,
        "officer": reading.officer,
        "recorded_at": None if reading.recorded_at is None else format_time(reading.recorded_at),
        "key_mark": reading.key_mark,
        "why": reading.why,
        "rule": rule_of(item),
        "name_rule": item.match.rule,
        "taken": {group: text for group, text in item.match.groups.items() if text is not None},
        "notes": taken_from_name(profile, item),
    }
