"""What an audit of the house can find beyond the log itself (`ledger.audit_findings`): one code per difference.

Errors are broken promises. Warnings are facts that have honest explanations too, and that somebody should look at.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.findings import Finding, Severity

AUDITED = "house.audited"
PAYLOAD_MISSING = "payload.missing"
PAYLOAD_WITHOUT_ENTRY = "payload.without_entry"
PAYLOAD_NOT_COMMITTED = "payload.not_committed"
PAYLOAD_COLUMNS_DIFFER = "payload.columns_differ"
PAYLOAD_NOT_REPLAYABLE = "payload.not_replayable"
ROW_MISSING = "row.missing"
ROW_UNEXPECTED = "row.unexpected"
ROW_ALTERED = "row.altered"
STATEMENT_MISSING = "statement.missing"
STATEMENT_NOT_SIGNED = "statement.not_signed"
STATEMENT_KEY_NOT_IN_FORCE = "statement.key_not_in_force"
STATEMENT_DISAGREES = "statement.disagrees"
KEY_UNPROVED = "dock.key_unproved"
ACTOR_NOT_IN_FORCE = "actor.not_in_force"
OBJECT_MISSING = "object.missing"
OBJECT_SIZE_DIFFERS = "object.size_differs"
OBJECT_ALTERED = "object.altered"
OBJECT_SWAPPED = "object.swapped"
OBJECT_UNREADABLE = "object.unreadable"
OBJECT_UNNAMED = "object.unnamed"
OBJECT_SM3_DIFFERS = "object.sm3_differs"
OBJECT_ELSEWHERE = "object.elsewhere"
OBJECT_NOT_REMOVED = "object.not_removed"
COPY_NOT_REMOVED = "copy.not_removed"
DISPOSAL_UNAPPROVED = "disposal.unapproved"
DISPOSAL_UNLAWFUL = "disposal.unlawful"
COPY_MISSING = "copy.missing"
COPY_ALTERED = "copy.altered"
COPY_UNLOCKED = "copy.unlocked"
COPY_OVERDUE = "copy.overdue"
COPY_UNNAMED = "copy.unnamed"
COPIES_UNCHECKED = "copies.unchecked"
KEPT_GONE = "restored.kept_gone"
UNRECORDED = "restored.unrecorded"
FILE_ABSENT = "inventory.file_absent"
GUARD_MISSING = "guard.missing"
REVIEW_ROOT_DIFFERS = "review.root_differs"
REVIEW_SIGNATURE_INVALID = "review.signature_invalid"
REVIEW_OUT_OF_ORDER = "review.out_of_order"
DECISION_UNAPPROVED = "decision.unapproved"
SESSION_NOT_LINKED = "session.not_linked"
REGISTER_CIRCLE = "register.circle"
REGISTER_OVERLAPPING = "register.overlapping"
HOLDERS_OVERLAPPING = "register.holders_overlapping"
SECRET_DIFFERS = "account.secret_differs"  # noqa: S105 - a code
TIMESTAMP_FALSE = "timestamp.false"
TIMESTAMP_DISAGREES = "timestamp.disagrees"
TIMESTAMP_UNJUDGED = "timestamp.unjudged"
TIMESTAMP_CLOCK = "timestamp.clock_differs"

FINDINGS: Mapping[str, str] = {
    AUDITED: "The audit came to its end; how much it looked at is given. Says nothing of the other findings.",
    PAYLOAD_MISSING: "An entry is in the ledger and what it commits to is gone: the row was deleted.",
    PAYLOAD_WITHOUT_ENTRY: "A payload belongs to no entry of the ledger: the row was put in behind its back.",
    PAYLOAD_NOT_COMMITTED: "A payload or its salt is not what its entry commits to: the row was altered.",
    PAYLOAD_COLUMNS_DIFFER: "Type, actor, subject or time beside a payload are not those of its entry.",
    PAYLOAD_NOT_REPLAYABLE: "A payload is what its entry commits to, and no valid event: another program recorded it.",
    ROW_MISSING: "The record demands a row that is not there: it was deleted.",
    ROW_UNEXPECTED: "A row that nothing on record accounts for: it was put in behind the record's back.",
    ROW_ALTERED: "A row has other values than the record gives it.",
    STATEMENT_MISSING: "A clip came from a dock, and the dock's signed manifest is not in its payload.",
    STATEMENT_NOT_SIGNED: "What is on record as a dock's word is not signed by any key that ever was the dock's.",
    STATEMENT_KEY_NOT_IN_FORCE: "A dock's statement is signed by a key of its own that did not count at that place.",
    STATEMENT_DISAGREES: "The record says something else than the dock's signed statement in the same payload.",
    KEY_UNPROVED: "A change of a dock's key is not signed by both keys, or does not start from the key that counted.",
    ACTOR_NOT_IN_FORCE: "Whoever acted had no right to, at that place of the log: not let in, revoked, or expired.",
    OBJECT_MISSING: "The record names an object that is not in the store: it was deleted.",
    OBJECT_SIZE_DIFFERS: "An object has another size than on record: it was cut or something was added.",
    OBJECT_ALTERED: "An object has its size and other bytes; for originals it is said where.",
    OBJECT_SWAPPED: "An object holds the bytes of another object of the record.",
    OBJECT_UNREADABLE: "An object cannot be read to its end: the storage fails.",
    OBJECT_UNNAMED: "An object in the store is named by nothing on record: left by a crash, or put in (a warning).",
    OBJECT_SM3_DIFFERS: "An object has the SHA-256 on record and another SM3: one of the two was stated wrongly.",
    OBJECT_ELSEWHERE: "Something made of an original is not here, and a copy of it is on record (a warning).",
    OBJECT_NOT_REMOVED: "A clip was disposed of and an object of it is still there, or is there again (a warning).",
    COPY_NOT_REMOVED: "A clip was disposed of and a copy of it is still in the second store (a warning).",
    DISPOSAL_UNAPPROVED: "A clip was disposed of, and no appraisal of it was approved by another person before.",
    DISPOSAL_UNLAWFUL: "A clip was disposed of while a hold stood or a case had it, or before its term was over.",
    COPY_MISSING: "A copy on record is not in the second store: it was deleted, or is hidden by a deletion.",
    COPY_ALTERED: "A copy in the second store has another size, other bytes, or was written anew.",
    COPY_UNLOCKED: "The lock of a copy in the second store ends earlier than on record, or there is none.",
    COPY_OVERDUE: "An object has no copy on record in the second store, a day after it was made.",
    COPY_UNNAMED: "An object in the second store is named by nothing on record (a warning).",
    COPIES_UNCHECKED: "The second store did not answer to its end, so not every copy was looked at (a warning).",
    KEPT_GONE: "Damaged bytes that a repair put aside, and that an entry names, are gone or were changed since.",
    UNRECORDED: "Damaged bytes were put aside and no entry says so: a repair was interrupted, or somebody (a warning).",
    GUARD_MISSING: "A table of evidence has lost the trigger that keeps its rows from being changed, or it is off.",
    REVIEW_ROOT_DIFFERS: "Declaration and opinion of a review do not name the root of the evidence submitted.",
    REVIEW_SIGNATURE_INVALID: "A declaration or an opinion is not signed by a key that its person has on record.",
    REVIEW_OUT_OF_ORDER: "The steps of a review do not follow from each other: no program of this house recorded them.",
    DECISION_UNAPPROVED: "A decision in scope of review rests on no approval of the evidence that it names.",
    SESSION_NOT_LINKED: "Somebody signed in by the agency's provider, and no link of the account stands before that.",
    REGISTER_CIRCLE: "A unit is below itself on some day: no program of this house recorded that.",
    REGISTER_OVERLAPPING: "Two officers bear one number on one day, or two units have one code.",
    HOLDERS_OVERLAPPING: "A recorder is given to several from one moment on; the later word counts (a warning).",
    SECRET_DIFFERS: "What an account is signed in with is not what was set: the stored hash or secret was exchanged.",
    TIMESTAMP_FALSE: "A time stamp on record is none of that checkpoint, or nobody who is believed vouches for it.",
    TIMESTAMP_DISAGREES: "The record states another size, root or time than the time stamp that it carries.",
    TIMESTAMP_UNJUDGED: "The authority of a time stamp is not configured; by whose word it counts is open (a warning).",
    TIMESTAMP_CLOCK: "When a time stamp was recorded, the service's clock and the authority's were far apart.",
    FILE_ABSENT: "A dock saw a file on a recorder, and it has not been sealed, so far (a warning).",
}
"""Every code with its meaning."""

_WARNINGS = frozenset(
    {
        OBJECT_NOT_REMOVED,
        COPY_NOT_REMOVED,
        TIMESTAMP_UNJUDGED,
        OBJECT_UNNAMED,
        OBJECT_ELSEWHERE,
        COPY_UNNAMED,
        COPIES_UNCHECKED,
        UNRECORDED,
        FILE_ABSENT,
        HOLDERS_OVERLAPPING,
    }
)


def found(code: str, subject: str, message: str, **details: object) -> Finding:
    """Make a finding with the severity that its code always has."""
    severity = Severity.OK if code == AUDITED else Severity.WARNING if code in _WARNINGS else Severity.ERROR
    return Finding(code, severity, subject, message, details)
