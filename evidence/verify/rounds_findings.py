"""Findings about the legal review of a package's case, see `evidence.verify.rounds`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence.verify.meaning import Meaning
from ledger.findings import Severity

_OK, _WARNING, _ERROR = Severity.OK, Severity.WARNING, Severity.ERROR

ROUNDS_FINDINGS: Final[Mapping[str, Meaning]] = {
    "rounds.declared": Meaning(
        None,
        _OK,
        "round {round}: {by} signed the declaration over the evidence with root {root:.16}…, recorded {at}",
        "第 {round} 轮：{by} 就根值 {root:.16}… 的证据签署送审承诺（{at} 入账）",
    ),
    "rounds.approved": Meaning(
        None,
        _OK,
        "round {round}: {by}, qualified until {until}, signed opinion {number} over that root: approved",
        "第 {round} 轮：审核人员 {by}（资格有效至 {until}）就该根值签署审核意见 {number}：同意",
    ),
    "rounds.objected": Meaning(
        None,
        _OK,
        "round {round}: {by}, qualified until {until}, signed opinion {number} over that root: there are problems",
        "第 {round} 轮：审核人员 {by}（资格有效至 {until}）就该根值签署审核意见 {number}：存在问题",
    ),
    "rounds.decided": Meaning(
        None,
        _OK,
        "decision {number} stands on opinion {opinion}, over the root that was approved",
        "决定 {number} 以审核意见 {opinion} 为依据，证据根值与审核通过时一致",
    ),
    "rounds.decided_unreviewed": Meaning(
        None,
        _OK,
        "decision {number} names no approval: by the rules it was made under it needed none",
        "决定 {number} 未引用审核意见：按其适用的规则无需法制审核",
    ),
    "rounds.revoked": Meaning(
        None,
        _WARNING,
        "the decision does not stand as it was made: {effect} by {document} of {authority}, from {on}",
        "该决定已不再按原样有效：{effect_zh}，依据 {authority} {document}，自 {on} 起",
    ),
    "rounds.malformed": Meaning(
        None,
        _ERROR,
        "review.receipts is no list of receipts of a review: {reason}",
        "review.receipts 不是法制审核回执清单：{reason}",
    ),
    "rounds.not_proved": Meaning(
        None,
        _ERROR,
        "receipt {place} of the review is not proved by a log that is believed: {codes}",
        "法制审核的第 {place} 份回执未能由受信账本证明：{codes}",
    ),
    "rounds.out_of_order": Meaning(
        None,
        _ERROR,
        "receipt {place} of the review is not behind the one before it in the log, or is there twice",
        "法制审核的第 {place} 份回执在账本中不在前一份之后，或者重复",
    ),
    "rounds.strange": Meaning(
        None,
        _ERROR,
        "receipt {place} is of a {type}, which has no place here",
        "第 {place} 份回执属于 {type}，不应在此处",
    ),
    "rounds.other_case": Meaning(
        None,
        _ERROR,
        "receipt {place}, a {type}, is of another case than the package",
        "第 {place} 份回执（{type}）与证据包不属于同一案件",
    ),
    "rounds.entry_missing": Meaning(
        None,
        _ERROR,
        "before receipt {place}, a {type}, something of the review is missing: {missing}",
        "第 {place} 份回执（{type}）之前缺少审核记录：{missing}",
    ),
    "rounds.root_differs": Meaning(
        None,
        _ERROR,
        "round {round}: the root signed is not the one over the evidence manifest of the round",
        "第 {round} 轮：所签署的根值与该轮证据清单不符",
    ),
    "rounds.other_round": Meaning(
        None,
        _ERROR,
        "round {round}: what was signed names another case, round or submission",
        "第 {round} 轮：所签署的内容指向其他案件、轮次或送审",
    ),
    "rounds.signature_invalid": Meaning(
        None,
        _ERROR,
        "receipt {place}, a {type}, is not signed by the key that {by} had on record at that place of the log",
        "第 {place} 份回执（{type}）并非由 {by} 当时在账的密钥签署",
    ),
    "rounds.same_person": Meaning(
        None,
        _ERROR,
        "{by} reviewed what they had handled, or decided what they had approved",
        "{by} 审核了本人经办的案件，或者决定了本人审核通过的案件",
    ),
    "rounds.not_qualified": Meaning(
        None,
        _ERROR,
        "round {round}: {by} had no qualification on record that counts on {day}",
        "第 {round} 轮：{by} 在 {day} 没有在账的有效审核资格",
    ),
    "rounds.decision_unapproved": Meaning(
        None,
        _ERROR,
        "decision {number} does not stand on the last opinion, an approval of exactly the evidence it names",
        "决定 {number} 并非以最后一份、且对该证据表示同意的审核意见为依据",
    ),
}
"""Code -> meaning."""
