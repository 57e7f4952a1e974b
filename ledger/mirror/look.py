"""One look at a log: fetch its checkpoint, verify who signed it, and judge whether it continues what was believed.

Obligations, in this order; the first that is not met ends the look with a `Deviation`:
1. there is a checkpoint, and it is one;
2. a log key of the policy that speaks for its size signed it in its own name, and no line of a known key is false;
3. it is of the log that was followed so far;
4. it is not smaller than what was believed (`source.rolled_back`), not another root for the same size, and the first
   entries of its tree lead to the root that was believed (`source.forked`).
The caller owes: the quorum of witnesses (`Sighting.verdict`), and to believe nothing before its files are proved.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.checkpoint import Checkpoint, parse_checkpoint
from ledger.errors import CheckpointMalformed, NoteMalformed, NoteSignatureFalse, NoteUnsigned
from ledger.findings import Finding
from ledger.key_history import not_speaking
from ledger.mirror import findings as codes
from ledger.mirror.errors import Deviation, SourceUnreachable
from ledger.mirror.findings import found
from ledger.mirror.signed_tree import SignedTree
from ledger.mirror.source import LogSource
from ledger.note import open_note
from ledger.policy import Policy, Verdict
from ledger.publish import CHECKPOINT_PATH


@dataclass(frozen=True, slots=True)
class Sighting:
    """A checkpoint whose signature by the log holds."""

    note: bytes
    checkpoint: Checkpoint
    verdict: Verdict

    @property
    def cosigned_at(self) -> int | None:
        """POSIX seconds of the newest cosignature by a witness of the policy."""
        return max((one.at for one in self.verdict.cosigned), default=None)


async def look_at(source: LogSource, policy: Policy) -> Sighting:
    """Fetch and verify the checkpoint; obligations 1 and 2.

    Raises:
        Deviation: It does not hold.
        SourceUnreachable: It cannot be said.
    """
    note = await source.get(CHECKPOINT_PATH)
    if note is None:
        raise Deviation(found(codes.CHECKPOINT_MISSING, CHECKPOINT_PATH, "the log shows no checkpoint"))
    return open_sighting(note, policy)


def open_sighting(note: bytes, policy: Policy) -> Sighting:
    """Verify a checkpoint; obligations 1 and 2, without its fetching.

    Raises:
        Deviation: It does not hold.
    """
    try:
        opened = open_note(note, policy.verifiers)
        checkpoint = parse_checkpoint(opened.text)
    except (NoteMalformed, CheckpointMalformed) as error:
        raise Deviation(found(codes.CHECKPOINT_MALFORMED, CHECKPOINT_PATH, error.message)) from error
    except (NoteSignatureFalse, NoteUnsigned) as error:
        raise Deviation(found(codes.CHECKPOINT_SIGNATURE, CHECKPOINT_PATH, error.message, **error.details)) from error
    verdict = policy.check(opened)
    if verdict.silent and not verdict.logs:
        spans = [log.span for log in verdict.silent if log.span]
        message = not_speaking(checkpoint.size, spans).message
        raise Deviation(found(codes.KEY_RETIRED, CHECKPOINT_PATH, message, size=checkpoint.size))
    if checkpoint.origin not in {log.verifier.name for log in verdict.logs}:
        message = f"no trusted key of {checkpoint.origin} signed its checkpoint"
        raise Deviation(found(codes.CHECKPOINT_SIGNATURE, CHECKPOINT_PATH, message, origin=checkpoint.origin))
    return Sighting(note, checkpoint, verdict)


async def judge_history(seen: Sighting, believed: Checkpoint, tree: SignedTree, own: SignedTree | None) -> None:
    """Judge whether a sighting continues what was believed; obligations 3 and 4.

    Args:
        tree: The source's tree at the sighting.
        own: A proved copy, to tell a fork from a way back; it may be of fewer entries than `believed`.

    Raises:
        Deviation: It does not.
        SourceUnreachable: It cannot be said.
    """
    new = seen.checkpoint
    facts = {"size": new.size, "root": new.root.hex(), "believed": believed.size, "believed_root": believed.root.hex()}
    if new.origin != believed.origin:
        message = f"the log was {believed.origin} so far, and is {new.origin} now"
        raise Deviation(found(codes.ORIGIN_DIFFERS, CHECKPOINT_PATH, message))
    if new.size < believed.size:
        if own and new.size <= own.checkpoint.size and await _own_root(own, new.size) != new.root:
            message = f"two histories: {new.size} entries with another root, after {believed.size} were signed"
            raise Deviation(found(codes.FORKED, CHECKPOINT_PATH, message, **facts))
        message = f"{new.size} entries are shown, {believed.size} were signed before"
        raise Deviation(found(codes.ROLLED_BACK, CHECKPOINT_PATH, message, **facts))
    root = new.root if new.size == believed.size else await tree.root(believed.size)
    if root != believed.root:
        message = f"two histories: the {new.size} entries do not begin with the {believed.size} that were signed before"
        raise Deviation(found(codes.FORKED, CHECKPOINT_PATH, message, **facts))


async def _own_root(own: SignedTree, size: int) -> bytes:
    try:
        return await own.root(size)
    except Deviation as deviation:
        raise Deviation(copy_altered(deviation.finding.subject)) from deviation


def copy_altered(path: str) -> Finding:
    """Make the finding that the own copy is not what was verified when it was kept."""
    return found(codes.COPY_ALTERED, path, f"the copy's {path} is not what was verified when it was kept")


def cosignature_findings(seen: Sighting) -> list[Finding]:
    """Say which witnesses are missing: below the quorum an error, otherwise a warning each."""
    missing = list(seen.verdict.missing)
    if not seen.verdict.quorum_met:
        message = f"too few witnesses cosigned the checkpoint of {seen.checkpoint.size} entries"
        return [found(codes.COSIGNATURES_MISSING, CHECKPOINT_PATH, message, missing=missing)]
    return [found(codes.WITNESS_SILENT, f"witness:{name}", f"witness {name} did not cosign") for name in missing]


def unreachable(error: SourceUnreachable) -> Finding:
    """Make the finding that the log cannot be read."""
    return found(codes.UNREACHABLE, str(error.details.get("path", "log")), error.message)
