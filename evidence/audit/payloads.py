"""The audit's look at payloads: each belongs to an entry, is what the entry commits to, and says what its dock signed.

Judged from values alone; the reading is done in `house`. A payload that is not what was committed to is not asked any
further: whatever follows from it would blame rows and objects that are in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from uuid import UUID

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.audit.store import Kept, NamedObject
from evidence.core.wire.cleared import open_cleared
from evidence.core.wire.clip_digest import digest_body
from evidence.core.wire.inventory import open_inventory, parse_inventory
from evidence.core.wire.manifest import open_manifest
from evidence.core.wire.sealed import SEALING_TYPES
from evidence.errors import WireError, WireSignature
from ledger.canonical import PAYLOAD_BYTES_MAX, Entry, JsonObject, JsonValue, commitment, decode_entry, parse_canonical
from ledger.errors import CodedError, LedgerInputError
from ledger.findings import Finding
from ledger.note import Verifier, parse_note
from ledger.tree import leaf_hash


def judge_payload(kept: Kept) -> Finding | None:
    """Hold a payload row against its entry; None when they fit, or when the log's own audit names the entry already."""
    stored, subject = kept.stored, f"entry:{kept.stored.entry_id}"
    if kept.entry is None:
        if kept.leaf_hash is not None:
            return None
        return found(codes.PAYLOAD_WITHOUT_ENTRY, subject, "a payload belongs to no entry of the ledger")
    if kept.leaf_hash is not None and leaf_hash(kept.entry) != kept.leaf_hash:
        return None
    try:
        entry = decode_entry(kept.entry)
    except LedgerInputError:
        return None
    if commitment(salt=stored.salt, payload=stored.payload) != entry.commit:
        return found(codes.PAYLOAD_NOT_COMMITTED, subject, "payload or salt are not what the entry commits to")
    if differing := _differing_columns(kept, entry):
        message = f"beside the payload {', '.join(differing)} are not as in the entry"
        return found(codes.PAYLOAD_COLUMNS_DIFFER, subject, message, columns=differing)
    return None


def parse_payload(raw: bytes) -> JsonObject | None:
    """Return a payload as an object, None when it is none; the replay says so then."""
    try:
        value = parse_canonical(raw, bytes_max=PAYLOAD_BYTES_MAX)
    except LedgerInputError:
        return None
    return value if isinstance(value, dict) else None


def named_by(event_type: str, payload: JsonObject) -> Iterator[NamedObject]:
    """Yield the objects that a payload names; malformed ones name nothing, the replay reports them."""
    try:
        if event_type in SEALING_TYPES:
            yield _named(payload, clip=payload["clip"], root=bytes.fromhex(str(payload["root"])))
        elif event_type in ("clip.derived", "clip.transcribed"):
            for made in _list(payload["objects"]):
                yield _named(made, clip=payload["clip"], root=None)
        elif event_type == "clip.redacted":
            yield _named(payload, clip=payload["clip"], root=None)
        elif event_type == "recording.sealed":
            for companion in _list(payload["companions"]):
                if isinstance(companion, dict) and companion["sha256"] is not None:
                    yield _named(companion, clip=companion["clip"], root=None)
    except (KeyError, TypeError, ValueError):
        return


def inventory_in(payload: JsonObject | None) -> UUID | None:
    """Return the inventory that a payload's note lists, whoever signed it; None when there is none to read."""
    try:
        return parse_inventory(parse_note(str((payload or {}).get("note", "")).encode()).text).id
    except CodedError:
        return None


def judge_statement(
    event_type: str, payload: JsonObject, *, subject: str, keys: Sequence[Verifier], keys_ever: Sequence[Verifier]
) -> Finding | None:
    """Hold what a payload says against the dock's signed statement in it.

    Args:
        keys: Those of the dock that count at the entry's place.
        keys_ever: Those that ever counted.
    """
    dock, note = payload.get("dock"), payload.get("manifest" if event_type in SEALING_TYPES else "note")
    if event_type not in _STATED or dock is None:
        return None
    if not isinstance(note, str):
        return found(codes.STATEMENT_MISSING, subject, f"dock {dock} sent this, and its signed manifest is not there")
    try:
        stated = _STATED[event_type](note.encode(), keys)
    except WireSignature as error:
        if _is_signed(event_type, note.encode(), keys_ever):
            message = f"signed by a key of dock {dock} that did not count at this place"
            return found(codes.STATEMENT_KEY_NOT_IN_FORCE, subject, message, dock=str(dock))
        return found(codes.STATEMENT_NOT_SIGNED, subject, f"not signed by dock {dock}: {error.message}")
    except WireError as error:
        return found(codes.STATEMENT_DISAGREES, subject, f"what dock {dock} signed is no such statement: {error}")
    # `raw` is optional in payloads, and false when it is not stated.
    differing = [name for name, value in stated.items() if payload.get(name, False) != value]
    if differing:
        message = f"dock {dock} signed something else about: {', '.join(differing)}"
        return found(codes.STATEMENT_DISAGREES, subject, message, fields=differing)
    return None


def _is_signed(event_type: str, note: bytes, keys: Sequence[Verifier]) -> bool:
    try:
        _STATED[event_type](note, keys)
    except WireError:
        return False
    return True


def _stated_inventory(note: bytes, keys: Sequence[Verifier]) -> JsonObject:
    inventory = open_inventory(note, keys)
    return {"inventory": str(inventory.id), "dock": str(inventory.dock), "recorder": inventory.recorder}


def _stated_cleared(note: bytes, keys: Sequence[Verifier]) -> JsonObject:
    cleared = open_cleared(note, keys)
    return {"dock": str(cleared.dock), "recorder": cleared.recorder}


def _stated_manifest(note: bytes, keys: Sequence[Verifier]) -> JsonObject:
    manifest = open_manifest(note, keys)
    return {
        "upload": str(manifest.upload),
        "dock": str(manifest.dock),
        "inventory": str(manifest.inventory),
        "recorder": manifest.recorder,
        "path": manifest.path,
        "raw": manifest.raw,
        **digest_body(manifest.digest),
    }


_STATED: Mapping[str, Callable[[bytes, Sequence[Verifier]], JsonObject]] = {
    "dock.inventory": _stated_inventory,
    "dock.cleared": _stated_cleared,
    **dict.fromkeys(SEALING_TYPES, _stated_manifest),
}


def _differing_columns(kept: Kept, entry: Entry) -> list[str]:
    stored = kept.stored
    return [name for name in ("type", "actor", "subject", "at") if getattr(stored, name) != getattr(entry, name)]


def _named(made: JsonValue, *, clip: JsonValue, root: bytes | None) -> NamedObject:
    if not isinstance(made, dict):
        raise TypeError("not an object")
    sm3 = made.get("sm3")
    return NamedObject(
        sha256=bytes.fromhex(made["sha256"]),
        size=int(made["size"]),
        root=root,
        clip=UUID(str(clip)),
        sm3=None if sm3 is None else bytes.fromhex(str(sm3)),
    )


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value
