"""Who could speak at which place of the log: keys of docks, tokens and sessions of people, read from their entries.

A statement counts when it is signed by the key that was its dock's at the statement's own place: enrolled or rotated to
before, not superseded and not revoked before. Places are indices of the log; an entry that waits for one stands behind
them all. An entry of a person counts when the person held a token or a session there: begun before, not ended and not
expired.

A request that was let in may go on past the end of its token (`GRACE`), and bytes may be sealed or put aside long after
they came (`_LATE_TYPES`): those are not held against anybody. What docks state is not given that: the service looks
once more in the transaction that records it, see `evidence.parties.docks`.

A party of which an entry or payload is not what it was is not judged at all: that has been named, and what follows from
it would blame honest statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from evidence.audit import findings as codes
from evidence.audit.findings import found
from evidence.audit.payloads import judge_payload, parse_payload
from evidence.audit.store import Kept
from evidence.core.clock import parse_time
from evidence.core.wire.dock_key import open_dock_key
from evidence.core.wire.sealed import SEALING_TYPES
from evidence.errors import TimeInvalid, WireError
from ledger.canonical import JsonObject, decode_entry
from ledger.errors import CodedError, KeyMalformed
from ledger.findings import Finding
from ledger.note import Verifier

PARTY_TYPES = (
    *("dock.enrolled", "dock.key_rotated", "dock.revoked", "staff.token_issued", "staff.token_revoked"),
    *("controller.connected", "controller.revoked", "session.begun", "session.ended"),
)
"""Entries that give and take the right to speak."""

GRACE = timedelta(hours=1)
"""How long after the end of a token an entry of its holder is no finding: the request may have begun before."""

WAITING = 1 << 62
"""Place of an entry that has none yet."""

_LATE_TYPES = SEALING_TYPES | {"upload.quarantined", "recording.sealed"}


@dataclass(frozen=True, slots=True)
class Term:
    """One key of a dock and the places at which it counts: from `since` on, before `until`."""

    key: Verifier
    since: int
    until: int | None = None

    def counts_at(self, place: int) -> bool:
        """Tell whether it counts; of entries that all wait for their places nothing is said."""
        return self.since <= place and (self.until is None or place < self.until or place == WAITING)


@dataclass(frozen=True, slots=True)
class Token:
    """One token or session of a person: where it was issued and revoked, and when it ends."""

    since: int
    expires_at: datetime
    until: int | None = None
    revoked_at: datetime | None = None

    def counts_at(self, place: int, at: datetime) -> bool:
        """Tell whether an entry at that place and time may be its holder's."""
        if place < self.since or at >= self.expires_at + GRACE:
            return False
        return (
            self.until is None or place < self.until or (self.revoked_at is not None and at < self.revoked_at + GRACE)
        )


@dataclass(slots=True)
class Parties:
    """Every dock and person of the record.

    Attributes:
        docks: Dock id -> its keys, in the order in which they counted.
        revoked: Dock id -> place of its revocation.
        staff: Person id -> tokens by id.
        unsound: Subjects of which something on record is not what it was.
        controllers: Controller id -> where it was connected.
        disconnected: Controller id -> place and time of its revocation.
        holders: Token id -> person id.
        tokens_lost: Whether a token was issued to somebody whom the record does not name any more.
    """

    docks: dict[str, list[Term]] = field(default_factory=dict)
    revoked: dict[str, int] = field(default_factory=dict)
    staff: dict[str, dict[str, Token]] = field(default_factory=dict)
    unsound: set[str] = field(default_factory=set)
    controllers: dict[str, int] = field(default_factory=dict)
    disconnected: dict[str, tuple[int, datetime]] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    tokens_lost: bool = False

    def keys_at(self, dock: str, place: int) -> list[Verifier]:
        """Return the keys that count for a dock at a place: one, or none."""
        if self.revoked.get(dock, WAITING + 1) < place:
            return []
        return [term.key for term in self.docks.get(dock, []) if term.counts_at(place)]

    def keys_ever(self, dock: str) -> list[Verifier]:
        """Return every key that ever counted for a dock."""
        return [term.key for term in self.docks.get(dock, [])]

    def lose(self, raw: bytes) -> None:
        """Take note that what an entry commits to is not there as it was."""
        try:
            entry = decode_entry(raw)
        except CodedError:
            return
        if entry.type in PARTY_TYPES:
            self.unsound.add(entry.subject)
            self.tokens_lost |= entry.type in ("staff.token_issued", "session.begun")

    def judge_actor(self, event_type: str, actor: str, *, place: int, at: datetime, subject: str) -> Finding | None:
        """Hold the actor of an entry against the right to act at its place."""
        kind, _, party = actor.partition(":")
        if kind not in ("dock", "staff", "controller") or actor in self.unsound or event_type == "upload.quarantined":
            return None
        late = event_type in _LATE_TYPES
        if kind == "controller":
            acting = self._controller_acts(party, place=place, at=at, late=late)
        elif kind == "dock":
            acting = party in self.docks and self.docks[party][0].since <= place <= self.revoked.get(party, place)
        else:
            tokens = self.staff.get(party, {}).values()
            acting = self.tokens_lost or any(
                token.since <= place if late else token.counts_at(place, at) for token in tokens
            )
        if acting:
            return None
        message = f"{actor} acted at a place of the log where it had no right to: not let in, revoked or expired"
        return found(codes.ACTOR_NOT_IN_FORCE, subject, message, actor=actor)

    def _controller_acts(self, party: str, *, place: int, at: datetime, late: bool) -> bool:
        if self.controllers.get(party, WAITING + 1) > place:
            return False
        until, revoked_at = self.disconnected.get(party, (WAITING + 1, at))
        return late or place < until or at < revoked_at + GRACE


def read_parties(kept: Iterable[Kept], *, missing: Sequence[bytes] = ()) -> tuple[Parties, list[Finding]]:
    """Read who could speak when.

    Args:
        kept: Entries of `PARTY_TYPES` with their payloads, in the order of their places.
        missing: Entries whose payload is gone.

    Returns:
        The parties, and a finding for every change of key that the key before it does not prove.
    """
    parties = Parties()
    unproved: list[Finding] = []
    for entry in missing:
        parties.lose(entry)
    for one in kept:
        payload = parse_payload(one.stored.payload)
        if judge_payload(one) is not None or payload is None:
            parties.unsound.add(one.stored.subject)
            parties.lose(one.entry or b"")
            continue
        try:
            unproved += _take(parties, one, payload)
        except (KeyError, KeyMalformed, TimeInvalid):
            # No valid event; the replay says so.
            parties.unsound.add(one.stored.subject)
    held = {
        f"staff:{staff}"
        for token, staff in parties.holders.items()
        if {f"token:{token}", f"session:{token}"} & parties.unsound
    }
    parties.unsound |= held
    return parties, unproved


def place_of(kept: Kept) -> int:
    """Return an entry's place in the log."""
    return WAITING if kept.index is None else kept.index


def _take(parties: Parties, kept: Kept, payload: JsonObject) -> list[Finding]:
    place, event_type = place_of(kept), kept.stored.type
    match event_type:
        case "dock.enrolled":
            parties.docks[str(payload["dock"])] = [Term(Verifier.parse(str(payload["vkey"])), place)]
        case "dock.key_rotated":
            return _rotate(parties, kept.stored.entry_id, payload, place)
        case "dock.revoked":
            parties.revoked.setdefault(str(payload["dock"]), place)
        case "controller.connected":
            parties.controllers[str(payload["controller"])] = place
        case "controller.revoked":
            parties.disconnected.setdefault(str(payload["controller"]), (place, kept.stored.at))
        case "staff.token_issued" | "session.begun":
            token, staff = str(payload["token" if "token" in payload else "session"]), str(payload["staff"])
            expires_at = parse_time(str(payload["expires_at"]))
            parties.staff.setdefault(staff, {})[token] = Token(place, expires_at)
            parties.holders[token] = staff
        case "staff.token_revoked" | "session.ended":
            token = str(payload["token" if "token" in payload else "session"])
            held = parties.staff[parties.holders[token]]
            held[token] = Token(held[token].since, held[token].expires_at, place, kept.stored.at)
    return []


def _rotate(parties: Parties, entry_id: UUID, payload: JsonObject, place: int) -> list[Finding]:
    dock, subject = str(payload["dock"]), f"entry:{entry_id}"
    if f"dock:{dock}" in parties.unsound:
        return []
    terms = parties.docks.get(dock, [])
    try:
        change = open_dock_key(str(payload["note"]).encode())
    except WireError as error:
        return [found(codes.KEY_UNPROVED, subject, f"no change of key signed by both keys: {error.message}", dock=dock)]
    stated = (str(change.dock), change.sequence, change.new.vkey)
    if stated != (dock, payload["sequence"], payload["vkey"]):
        return [found(codes.KEY_UNPROVED, subject, "the record says something else than the signed change", dock=dock)]
    if not terms or terms[-1].key != change.old or change.sequence != len(terms) or dock in parties.revoked:
        message = "the change does not start from the key that counted there"
        return [found(codes.KEY_UNPROVED, subject, message, dock=dock)]
    terms[-1] = Term(terms[-1].key, terms[-1].since, place)
    terms.append(Term(change.new, place))
    return []
