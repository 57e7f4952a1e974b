"""What the page says and counts with, taken from the Python verifier so that the two cannot drift apart.

Only what concerns a browser is said here: findings that no program with a full library of signatures can have, reasons
why a run does not begin, and the short names of the steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from evidence.core.wire.bag import LINES_MAX, LIST_BYTES_MAX, PATH_BYTES_MAX
from evidence.core.wire.receipt import RECEIPT_BYTES_MAX
from evidence.verify.archived_files import CUSTODY_BYTES_MAX
from evidence.verify.bag import BAG_TAGS
from evidence.verify.docks import DOCK_BYTES_MAX, DOCK_ENTRIES_MAX
from evidence.verify.excerpt_statement import (
    CUT_NAME_CHARS_MAX,
    EXCERPT_BYTES_MAX,
    PROOF_HASHES_MAX,
    RUNS_MAX,
    SPANS_MAX,
)
from evidence.verify.findings import FINDINGS
from evidence.verify.judge import PLACES_MAX
from evidence.verify.meaning import Meaning
from evidence.verify.package import KEYS_NAME, LEAVES_BYTES_MAX, OUR_NAMES, OUR_SUFFIXES, POLICY_NAME, STAMPS_MAX
from evidence.verify.report import OWED, VERDICTS, Exit
from evidence.verify.rounds_findings import ROUNDS_FINDINGS
from ledger.canonical import DEPTH_MAX, ENTRY_BYTES_MAX, PAYLOAD_BYTES_MAX, SALT_BYTES
from ledger.findings import Severity
from ledger.key_history import KEYS_BYTES_MAX, SUCCESSIONS_MAX
from ledger.key_statement import STATEMENT_BYTES_MAX
from ledger.keys import NAME_BYTES_MAX
from ledger.note import SIGNATURES_MAX
from ledger.policy import PARTIES_MAX, POLICY_BYTES_MAX
from ledger.proof import PROOF_BYTES_MAX
from ledger.timestamp.certificate import ROOTS_BYTES_MAX, ROOTS_MAX
from ledger.timestamp.response import CERTIFICATES_MAX, RESPONSE_BYTES_MAX
from ledger.timestamp.signatures import RSA_BITS_MAX, RSA_BITS_MIN

PAGE_FINDINGS: Mapping[str, Meaning] = {
    "page.signature_unsupported": Meaning(
        7,
        Severity.ERROR,
        "not checked: this browser cannot verify {kind} signatures; use a current browser or shilu-verify",
        "未能检查：此浏览器不能验证 {kind} 签名；请改用新版浏览器或 shilu-verify",
    ),
    "page.dock_unsupported": Meaning(
        8,
        Severity.ERROR,
        "not checked: this browser cannot verify {kind} signatures; use a current browser or shilu-verify",
        "未能检查：此浏览器不能验证 {kind} 签名；请改用新版浏览器或 shilu-verify",
    ),
    "page.review_not_judged": Meaning(
        None,
        Severity.WARNING,
        "not checked: this page does not judge the receipts of the legal review; use shilu-verify",
        "未核验：本网页不核验法制审核回执，请使用 shilu-verify",
    ),
}
"""Findings that only the page can have."""

STEPS: Mapping[int, tuple[str, str]] = {
    1: ("文件", "file"),
    2: ("分块", "chunks"),
    3: ("全文摘要", "whole-file digest"),
    4: ("载荷", "payload"),
    5: ("条目", "entry"),
    6: ("账本", "log"),
    7: ("检查点签名", "checkpoint signatures"),
    8: ("采集站签名", "the dock's signature"),
    9: ("时间", "time"),
}
"""Short names of the obligations, Chinese and English."""

STOPS: Mapping[str, tuple[str, str]] = {
    "verify.nothing": (
        "没有可验证的内容：未找到 .receipt 回执文件",
        "nothing to verify: there is no .receipt among what was chosen",
    ),
    "verify.log_key": (
        "没有日志密钥：请粘贴密钥，或连同 log.policy 一起选择",
        "no log key: paste one, or choose log.policy together with the evidence",
    ),
    "verify.key_given": (
        "粘贴的内容既不是日志密钥，也不是策略文件",
        "what was pasted is neither a log key nor a policy",
    ),
    "verify.key_package": (
        "随证据提供的 log.policy 无法解读；请粘贴取自可信渠道的日志密钥",
        "the log.policy that came with the evidence is not readable; paste a log key from a trusted place",
    ),
    "verify.tsa_roots": (
        "所选文件中没有可用的根证书（PEM）",
        "the file chosen for time stamps holds no usable root certificates (PEM)",
    ),
    "page.no_crypto": (
        "此浏览器不向本页提供密码算法（WebCrypto），无法验证；请从本地磁盘打开本页，或改用 shilu-verify",
        "this browser gives the page no cryptography (WebCrypto): open it from a local disk, or use shilu-verify",
    ),
    "page.no_ed25519": (
        "此浏览器不能验证 Ed25519 签名：第 7 项将无法通过；请使用新版浏览器或 shilu-verify",
        "this browser cannot verify Ed25519 signatures, so obligation 7 will fail: use a current one, or shilu-verify",
    ),
    "page.drop": (
        "此浏览器不允许本地网页读取拖入的文件夹；请改用“选择文件夹”",
        "this browser lets no local page read a dropped folder; use “Choose a folder”",
    ),
    "page.failed": (
        "验证程序自身出错，未得出任何结论；请改用 shilu-verify",
        "the page itself failed and says nothing about the evidence; use shilu-verify",
    ),
}
"""Why a run does not begin or end, Chinese and English."""

PAYLOAD_FACTS: Mapping[str, tuple[str, str]] = {
    "recorder": ("记录仪", "recorder"),
    "officer": ("执法人员", "officer"),
    "recorded_at": ("录制时间（设备时钟）", "recorded at, by the device's clock"),
    "received_at": ("接收时间", "received at"),
}
"""Fields of a sealed clip's payload that are shown when they are texts."""

OWED_PAGE: Mapping[str, tuple[str, str]] = {
    "owed.page": (
        "that this page itself came from a trusted place: whoever forges a folder can forge a page with it",
        "本验证页自身须取自可信渠道：能伪造证据文件夹者，也能伪造其中的验证页",
    ),
}
"""What the reader of a page owes besides, in English and Chinese."""

LIMITS: Final = {
    "CERTIFICATES_MAX": CERTIFICATES_MAX,
    "CUSTODY_BYTES_MAX": CUSTODY_BYTES_MAX,
    "CUT_NAME_CHARS_MAX": CUT_NAME_CHARS_MAX,
    "DEPTH_MAX": DEPTH_MAX,
    "DOCK_BYTES_MAX": DOCK_BYTES_MAX,
    "DOCK_ENTRIES_MAX": DOCK_ENTRIES_MAX,
    "ENTRY_BYTES_MAX": ENTRY_BYTES_MAX,
    "EXCERPT_BYTES_MAX": EXCERPT_BYTES_MAX,
    "KEYS_BYTES_MAX": KEYS_BYTES_MAX,
    "LEAVES_BYTES_MAX": LEAVES_BYTES_MAX,
    "LINES_MAX": LINES_MAX,
    "LIST_BYTES_MAX": LIST_BYTES_MAX,
    "NAME_BYTES_MAX": NAME_BYTES_MAX,
    "PARTIES_MAX": PARTIES_MAX,
    "PATH_BYTES_MAX": PATH_BYTES_MAX,
    "PAYLOAD_BYTES_MAX": PAYLOAD_BYTES_MAX,
    "PLACES_MAX": PLACES_MAX,
    "POLICY_BYTES_MAX": POLICY_BYTES_MAX,
    "PROOF_BYTES_MAX": PROOF_BYTES_MAX,
    "PROOF_HASHES_MAX": PROOF_HASHES_MAX,
    "RECEIPT_BYTES_MAX": RECEIPT_BYTES_MAX,
    "RESPONSE_BYTES_MAX": RESPONSE_BYTES_MAX,
    "ROOTS_BYTES_MAX": ROOTS_BYTES_MAX,
    "ROOTS_MAX": ROOTS_MAX,
    "RSA_BITS_MAX": RSA_BITS_MAX,
    "RSA_BITS_MIN": RSA_BITS_MIN,
    "RUNS_MAX": RUNS_MAX,
    "SPANS_MAX": SPANS_MAX,
    "SALT_BYTES": SALT_BYTES,
    "SIGNATURES_MAX": SIGNATURES_MAX,
    "STAMPS_MAX": STAMPS_MAX,
    "STATEMENT_BYTES_MAX": STATEMENT_BYTES_MAX,
    "SUCCESSIONS_MAX": SUCCESSIONS_MAX,
}
"""Limits of the formats, equal on both sides."""

_VERDICT_NAMES = {
    Exit.VERIFIED: "verified",
    Exit.FAILED: "failed",
    Exit.TRUST_OWED: "trust_owed",
    Exit.PARTLY: "partly",
}


def tables() -> dict[str, object]:
    """Return the page's constants, name -> JSON value."""
    return {
        "BAG_TAGS": list(BAG_TAGS),
        "FINDINGS": {
            code: {
                "obligation": meaning.obligation,
                "severity": meaning.severity.value,
                "en": meaning.en,
                "zh": meaning.zh,
            }
            for code, meaning in {**FINDINGS, **PAGE_FINDINGS}.items()
            # The page does not judge reviews, and says so.
            if code not in ROUNDS_FINDINGS
        },
        "KEYS_NAME": KEYS_NAME,
        "LIMITS": LIMITS,
        "OUR_NAMES": list(OUR_NAMES),
        "OUR_SUFFIXES": list(OUR_SUFFIXES),
        "OWED": [{"code": code, "en": en, "zh": zh} for code, (en, zh) in {**OWED, **OWED_PAGE}.items()],
        "PAYLOAD_FACTS": PAYLOAD_FACTS,
        "POLICY_NAME": POLICY_NAME,
        "STEPS": STEPS,
        "STOPS": STOPS,
        "VERDICTS": {_VERDICT_NAMES[code]: [zh, en] for code, (en, zh) in VERDICTS.items()},
    }
