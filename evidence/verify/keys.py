"""The statements about a log's keys that came with evidence: what they add to the keys that are believed already.

They introduce nobody by themselves. Where one of their keys is believed, each other one is for the sizes it speaks for,
by statements that both keys of each step signed (`ledger.key_history`). False statements are a sign of tampering and
fail the run, also when the checkpoint would be believed without them.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidence.verify.findings import finding
from ledger.errors import LedgerInputError
from ledger.findings import Finding
from ledger.key_history import KeyHistory
from ledger.policy import Policy


@dataclass(frozen=True, slots=True)
class Belief:
    """Whom to believe once the statements are judged.

    Attributes:
        policy: Log keys, each for its sizes, and witnesses.
        findings: What is to be said of the statements.
    """

    policy: Policy
    findings: tuple[Finding, ...] = ()


def judge_keys(raw: bytes | None, policy: Policy) -> Belief:
    """Judge statements by the keys that are believed.

    Args:
        raw: `log.keys` as it came; None when it did not.
        policy: Who is believed, for reasons that lie outside of the statements.
    """
    if raw is None:
        return Belief(policy)
    try:
        keys = KeyHistory.parse(raw)
    except LedgerInputError as error:
        return Belief(policy, (finding("keys.not_proved", "log", why=error.code),))
    if not set(keys.verifiers) & set(policy.log_verifiers):
        return Belief(policy, (finding("keys.unrelated", "log", origin=keys.origin),))
    told = finding("keys.followed", "log", successions=keys.successions, newest=keys.newest.vkey)
    return Belief(policy.with_keys(keys), (told,))
