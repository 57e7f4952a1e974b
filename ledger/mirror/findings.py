"""What following a log can find: one code for each kind of deviation, with its meaning.

`source.*` accuses what the log shows, `copy.*` the mirror's own folder, `clock.*` one of the clocks involved.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.findings import Finding, Severity

FOLLOWED = "source.followed"
UNREACHABLE = "source.unreachable"
CHECKPOINT_MISSING = "source.checkpoint_missing"
CHECKPOINT_MALFORMED = "source.checkpoint_malformed"
CHECKPOINT_SIGNATURE = "source.checkpoint_signature"
KEY_RETIRED = "source.key_retired"
KEYS_FALSE = "source.keys_false"
ORIGIN_DIFFERS = "source.origin_differs"
COSIGNATURES_MISSING = "source.cosignatures_missing"
WITNESS_SILENT = "source.witness_silent"
ROLLED_BACK = "source.rolled_back"
FORKED = "source.forked"
STALLED = "source.stalled"
ROOT_UNPROVED = "source.root_unproved"
TILE_MISSING = "source.tile_missing"
TILE_ALTERED = "source.tile_altered"
BUNDLE_MISSING = "source.bundle_missing"
BUNDLE_MALFORMED = "source.bundle_malformed"
ENTRY_ALTERED = "source.entry_altered"
ENTRY_POSTDATED = "source.entry_postdated"
ENTRY_BACKDATED = "source.entry_backdated"
ENTRY_LATE = "source.entry_late"
COPY_ALTERED = "copy.altered"
COPY_UNWRITABLE = "copy.unwritable"
CLOCK_BEHIND = "clock.behind"
CLOCK_AHEAD = "clock.ahead"

FINDINGS: Mapping[str, str] = {
    FOLLOWED: "The newest checkpoint was verified and follows from the last one; size and root are given.",
    UNREACHABLE: "The log cannot be read: no answer, too late, too long, an error. Its content is not judged.",
    CHECKPOINT_MISSING: "The log shows no checkpoint.",
    CHECKPOINT_MALFORMED: "What the log shows as its checkpoint is none: cut, or another file.",
    CHECKPOINT_SIGNATURE: "No key that is trusted for it signed the checkpoint, or a signature on it is false.",
    KEY_RETIRED: "Only keys of the log signed the checkpoint that do not speak for its size: retired, or not begun.",
    KEYS_FALSE: "A statement about the log's keys is false, out of its place, or leads on from no key that is trusted.",
    ORIGIN_DIFFERS: "The log shows a checkpoint of another log than the one that was followed so far.",
    COSIGNATURES_MISSING: "Fewer witnesses cosigned the checkpoint than the policy asks for.",
    WITNESS_SILENT: "A witness of the policy did not cosign; the quorum is met without it (a warning).",
    ROLLED_BACK: "The log shows fewer entries than it had signed for before. Both checkpoints are kept.",
    FORKED: "The log signed two histories: this one does not continue the one seen before. Both checkpoints are kept.",
    STALLED: "Neither a new checkpoint nor a fresh cosignature has been seen for too long.",
    ROOT_UNPROVED: "The log's tiles do not lead to the root that it signed, and no single tile explains it.",
    TILE_MISSING: "A tile that the signed size calls for is not there.",
    TILE_ALTERED: "A tile does not hold the hashes that the signed root covers, or not as many.",
    BUNDLE_MISSING: "An entry bundle that the signed size calls for is not there.",
    BUNDLE_MALFORMED: "An entry bundle is cut or does not hold as many entries as it has to.",
    ENTRY_ALTERED: "An entry is not the one that the signed root covers.",
    ENTRY_POSTDATED: "An entry is dated after it was seen in the log, by a witness or by this monitor.",
    ENTRY_BACKDATED: (
        "An entry is dated more than an hour before one that lies earlier in the log: dated back, or a clock was set."
    ),
    ENTRY_LATE: (
        "An entry is dated minutes before one that lies earlier in the log: its transaction stayed open, or it was"
        " dated back (a warning)."
    ),
    COPY_ALTERED: "The copy was altered since it was verified. It is not repaired: mirror into a new folder.",
    COPY_UNWRITABLE: "The copy cannot be written or read: the disk is full, away or failing. What is there is true.",
    CLOCK_BEHIND: "A cosignature is dated in the future: this machine's clock is behind, or the witness's ahead.",
    CLOCK_AHEAD: "New cosignatures are dated before the last look: this clock is ahead, or the witnesses' behind.",
}
"""Every code with its meaning."""

_SEVERITIES = {FOLLOWED: Severity.OK, WITNESS_SILENT: Severity.WARNING, ENTRY_LATE: Severity.WARNING}


def found(code: str, subject: str, message: str, **details: object) -> Finding:
    """Make a finding with the severity that its code always has."""
    return Finding(code, _SEVERITIES.get(code, Severity.ERROR), subject, message, details)
