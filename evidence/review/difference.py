"""What changed between two evidence sets of a case, told from their manifests (R29). Pure.

The manifests are those of `evidence.core.wire.case_manifest`: an exhibit is known by its number, a document by its
file, a statement by its entry. Equal manifests have equal roots and no difference, different ones at least one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evidence.core.wire.case_manifest import LISTS
from ledger.canonical import JsonObject, canonical_json

_KEYS = {"exhibits": "exhibit", "unlinked": "exhibit", "documents": "clip", "statements": "entry", "sections": "title"}


def manifest_difference(before: JsonObject, after: JsonObject) -> list[JsonObject]:
    """Return what changed: `{"what", "key", "change"}`, with the names of fields where something was changed."""
    changes: list[JsonObject] = []
    fields = sorted(name for name in {*before, *after} - set(LISTS) if not _same(before.get(name), after.get(name)))
    if fields:
        changes.append({"what": "case", "key": str(after.get("number", "")), "change": "changed", "fields": fields})
    for name in LISTS:
        changes.extend(_of_list(name, before, after))
    return changes


def _of_list(name: str, before: JsonObject, after: JsonObject) -> list[JsonObject]:
    old, new = _by_key(name, before), _by_key(name, after)
    found: list[JsonObject] = []
    for key in [*old, *(key for key in new if key not in old)]:
        if key not in new:
            found.append({"what": name, "key": key, "change": "removed"})
        elif key not in old:
            found.append({"what": name, "key": key, "change": "added"})
        elif not _same(old[key], new[key]):
            one, other = old[key], new[key]
            fields = sorted(field for field in {*one, *other} if not _same(one.get(field), other.get(field)))
            found.append({"what": name, "key": key, "change": "changed", "fields": fields})
    if not found and list(old) != list(new):
        found.append({"what": name, "key": "", "change": "reordered"})
    return found


def _by_key(name: str, manifest: JsonObject) -> Mapping[str, Mapping[str, Any]]:
    members: Any = manifest.get(name) or []
    found: dict[str, Mapping[str, Any]] = {}
    for place, member in enumerate(members):
        key = str(member.get(_KEYS[name]))
        found[key if key not in found else f"{key}#{place}"] = member
    return found


def _same(one: Any, other: Any) -> bool:
    return canonical_json(one) == canonical_json(other)
