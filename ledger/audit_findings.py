"""What an audit of the log can find: one code for each kind of difference, with its meaning.

All but `AUDITED`, `FILE_UNKNOWN`, `QUORUM_BELOW` and `ENTRY_LATE` are errors: a promise of the log is broken, or the
means to keep it are gone.
"""

from __future__ import annotations

from ledger.findings import Finding, Severity

AUDITED = "log.audited"
ENTRY_MISSING = "log.entry_missing"
ENTRY_ALTERED = "log.entry_altered"
ENTRY_MALFORMED = "log.entry_malformed"
ENTRY_UNSEQUENCED = "log.entry_unsequenced"
PENDING_STALE = "log.pending_stale"
LEAF_MISSING = "log.leaf_missing"
LEAF_ALTERED = "log.leaf_altered"
TILE_ROOT_MISSING = "log.tile_root_missing"
TILE_ROOT_ALTERED = "log.tile_root_altered"
HEAD_MISMATCH = "log.head_mismatch"
TILE_MISSING = "log.tile_missing"
TILE_ALTERED = "log.tile_altered"
BUNDLE_MISSING = "log.bundle_missing"
BUNDLE_ALTERED = "log.bundle_altered"
FILE_UNKNOWN = "log.file_unknown"
CHECKPOINT_SIGNATURE = "log.checkpoint_signature"
CHECKPOINT_ROOT = "log.checkpoint_root"
CHECKPOINT_CHAIN = "log.checkpoint_chain"
CHECKPOINT_MISSING = "log.checkpoint_missing"
CHECKPOINT_STALE = "log.checkpoint_stale"
CHECKPOINT_UNRECORDED = "log.checkpoint_unrecorded"
KEYS_ALTERED = "log.keys_altered"
ROLLED_BACK = "log.rolled_back"
REWRITTEN = "log.rewritten"
PUBLICATION_CHAIN = "log.publication_chain"
COSIGNATURE_FALSE = "log.cosignature_false"
QUORUM_BELOW = "log.quorum_below"
ENTRY_MISDATED = "log.entry_misdated"
ENTRY_POSTDATED = "log.entry_postdated"
ENTRY_BACKDATED = "log.entry_backdated"
ENTRY_LATE = "log.entry_late"
CLOCK_JUMPED = "log.clock_jumped"
CLOCK_DISPUTED = "log.clock_disputed"

FINDINGS: dict[str, str] = {
    AUDITED: "The whole tree was recomputed; size and root are given. Says nothing of the other findings.",
    ENTRY_MISSING: "A leaf has no entry row: the entry was deleted or moved to another id.",
    ENTRY_ALTERED: "An entry row does not hold the bytes that were logged, or holds them under another id.",
    ENTRY_MALFORMED: "The logged bytes are not an entry; they were put into the table by another program.",
    ENTRY_UNSEQUENCED: "An entry row has no leaf and does not wait for one: it would never become provable.",
    PENDING_STALE: "A queue row names an entry that has a leaf already, or that is not there.",
    LEAF_MISSING: "No leaf row stands at an index below the size of the tree.",
    LEAF_ALTERED: "A leaf row does not hold the hash that was logged.",
    TILE_ROOT_MISSING: "The row with the root of a full tile is missing.",
    TILE_ROOT_ALTERED: "A row holds another root than its tile has, or there is no such tile.",
    HEAD_MISMATCH: "The head row does not hold size and root of the tree that the leaf rows make.",
    TILE_MISSING: "A published tile is missing.",
    TILE_ALTERED: "A published tile does not hold the hashes that were logged.",
    BUNDLE_MISSING: "A published entry bundle is missing.",
    BUNDLE_ALTERED: "A published entry bundle does not hold the entries that were logged, byte for byte.",
    FILE_UNKNOWN: "The published folder holds a file that belongs to no size of this log (a warning).",
    CHECKPOINT_SIGNATURE: "A checkpoint, in a row or published, is not signed by a key of the log, or of another time.",
    CHECKPOINT_ROOT: "The log's key signed another root than the tree has at that size.",
    CHECKPOINT_CHAIN: "Rows of signed checkpoints are missing, or do not follow each other.",
    CHECKPOINT_MISSING: "A checkpoint was published, and the file is missing.",
    CHECKPOINT_STALE: "The published checkpoint is older than the newest publication on record.",
    CHECKPOINT_UNRECORDED: "The published checkpoint is signed by the log and not on record in its rows.",
    KEYS_ALTERED: "The published statements about the log's keys are not those on record, or are missing.",
    ROLLED_BACK: "The log is smaller than a checkpoint of it that was seen before.",
    REWRITTEN: "The log does not contain, as its beginning, a checkpoint of it that was seen before.",
    PUBLICATION_CHAIN: "Rows of published checkpoints do not follow each other: one that lies between is gone.",
    COSIGNATURE_FALSE: "A line under a published checkpoint bears a witness's name and is not its signature.",
    QUORUM_BELOW: (
        "A published checkpoint is on record with fewer cosignatures than the policy of today asks for: published under"
        " another policy, or lines were taken away (a warning)."
    ),
    ENTRY_MISDATED: "An entry's own time and that of its row differ: the entry was dated by hand, or the row altered.",
    ENTRY_POSTDATED: "An entry is dated after its checkpoint was signed, after a witness saw that, or in the future.",
    ENTRY_BACKDATED: (
        "An entry is dated more than an hour before one that lies earlier in the log: dated back, or a clock was set."
    ),
    ENTRY_LATE: (
        "An entry is dated minutes before one that lies earlier in the log: its transaction stayed open, or it was"
        " dated back (a warning)."
    ),
    CLOCK_JUMPED: "Checkpoints are not signed and published in their order of time: the service's clock jumped.",
    CLOCK_DISPUTED: "A witness states another time than the rows of the checkpoint it cosigned: one clock is wrong.",
}
"""Every code with its meaning."""


def broken(code: str, subject: str, message: str, **details: object) -> Finding:
    """Make the finding of a broken promise."""
    return Finding(code, Severity.ERROR, subject, message, details)
