"""What a person or a program gets to read: the findings of a run, numbered, in Chinese and English side by side.

Names in evidence are people's words and may be hostile: whatever a terminal would act on instead of showing is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from evidence.core.wire.sealed import SealedBeginning
from evidence.verify.clip import Verification
from evidence.verify.findings import obligation_of, sentence_zh
from evidence.verify.package import Trust
from ledger.findings import Finding, Severity, is_clean

Language = Literal["zh", "en", "both"]

OWED = {
    "owed.key": (
        "that the log key came from a trusted place: the agency's publication, the supervising authority, a witness",
        "日志密钥须取自可信渠道：机关公示、上级机关或见证方",
    ),
    "owed.checkpoint": (
        "that others see the same log: compare the checkpoint with a witness or with one from another day",
        "他人所见账本应与此一致：请与见证方或其他日期的检查点核对",
    ),
    "owed.dock": (
        "that the dock's key was neither changed nor revoked between the last entry shown and the clip: audits show it",
        "所附最后一条密钥条目与片段之间，采集站密钥未曾更换或吊销：须由全账本审计证明",
    ),
    "owed.before": (
        "what happened before the docking station read the recorder: no ledger can show that",
        "采集站读取记录仪之前发生的事，任何账本都无法证明",
    ),
}
"""What no program can do for the reader, in English and Chinese."""

_MARKS = {Severity.OK: "✓", Severity.WARNING: "!", Severity.ERROR: "✗"}


class Exit(IntEnum):
    """Exit codes of `shilu-verify`."""

    VERIFIED = 0
    FAILED = 1
    USAGE = 2
    TRUST_OWED = 3
    PARTLY = 5
    INTERRUPTED = 130


VERDICTS = {
    Exit.VERIFIED: ("verified", "验证通过"),
    Exit.FAILED: ("NOT verified", "验证不通过"),
    Exit.TRUST_OWED: (
        "consistent in itself; not verified before the log key is trusted",
        "内容自洽；日志密钥未经核对，尚不能视为验证通过",
    ),
    Exit.PARTLY: (
        "verified as far as it was sealed; what came after that is NOT proven",
        "已封存的部分验证通过；其后的内容未经证明",
    ),
}


@dataclass(frozen=True, slots=True)
class Report:
    """A whole run.

    Attributes:
        verifications: One per original.
        trusts: Whose checkpoints were believed, one per package.
        remarks: Findings about the package and the trust in it.
    """

    verifications: tuple[Verification, ...]
    trusts: tuple[Trust, ...]
    remarks: tuple[Finding, ...]

    @property
    def exit(self) -> Exit:
        """The run's exit code; `VERIFIED` only with a key that did not come with the evidence, for whole files."""
        if not all(one.holds for one in self.verifications) or not is_clean(self.remarks):
            return Exit.FAILED
        if self._trust_is_owed:
            return Exit.TRUST_OWED
        return Exit.VERIFIED if all(one.is_whole for one in self.verifications) else Exit.PARTLY

    @property
    def log_keys(self) -> tuple[str, ...]:
        """Verifier keys of the logs that were believed, each once."""
        keys = (verifier.vkey for trust in self.trusts for verifier in trust.policy.log_verifiers)
        return tuple(dict.fromkeys(keys))

    @property
    def _trust_is_owed(self) -> bool:
        return any(trust.from_package for trust in self.trusts)

    def as_json(self) -> dict[str, object]:
        """Return the run as one JSON object."""
        return {
            "verified": self.exit is Exit.VERIFIED,
            "consistent": self.exit is not Exit.FAILED,
            "log_keys": list(self.log_keys),
            "log_keys_from": "package" if self._trust_is_owed else "caller",
            "items": [_item_json(one) for one in self.verifications],
            "remarks": [remark.as_json() for remark in self.remarks],
            "owed": [{"code": code, "en": en, "zh": zh} for code, (en, zh) in OWED.items()],
        }


def render(report: Report, *, language: Language) -> str:
    """Return the run as text for a terminal."""
    lines: list[str] = []
    for one in report.verifications:
        lines += [*_item_lines(one, language), ""]
    lines += [_line(remark, language) for remark in report.remarks]
    lines += [f"  {side_by_side('log key', '日志密钥', language)}: {vkey}" for vkey in report.log_keys]
    lines += ["", side_by_side("Still yours to check", "仍须由您核对", language)]
    lines += [f"  - {side_by_side(en, zh, language)}" for en, zh in OWED.values()]
    verdict = side_by_side(*VERDICTS[report.exit], language)
    return printable("\n".join([*lines, "", f"{_mark(report.exit)} {verdict}", ""]))


def side_by_side(en: str, zh: str, language: Language) -> str:
    """Return a sentence in the wanted language, or in both."""
    return {"en": en, "zh": zh, "both": f"{zh} / {en}"}[language]


def printable(text: str) -> str:
    """Escape what a terminal would act on: control characters but newline, and those that turn text around."""
    return "".join(char if _is_shown(char) else f"\\u{ord(char):04x}" for char in text)


def one_line(text: str) -> str:
    """Return a name without line breaks, so that it cannot pretend to be a line of the report."""
    return text.replace("\n", "\\n")


def _is_shown(char: str) -> bool:
    # The wide space of Chinese text is not "printable" to Python, and is harmless.
    return char.isprintable() or char in "\n\u3000"


def _item_lines(one: Verification, language: Language) -> Iterator[str]:
    yield one_line(str(one.file))
    if isinstance(one.sealed, SealedBeginning):
        yield f"  {one_line(one.sealed.name)}  upload {one.sealed.upload}"
    elif one.sealed:
        yield f"  {one_line(one.sealed.name)}  clip {one.sealed.clip}"
    if one.checkpoint:
        yield f"  checkpoint {one.checkpoint.origin} {one.checkpoint.size} {one.checkpoint.root.hex()}"
    for found in one.findings:
        yield _line(found, language)


def _line(found: Finding, language: Language) -> str:
    number = obligation_of(found) or " "
    about = "" if obligation_of(found) else f"{one_line(found.subject)}: "
    sentence = side_by_side(found.message, sentence_zh(found), language)
    return f"  {number} {_MARKS[found.severity]} {about}{one_line(sentence)}  [{found.code}]"


def _mark(code: Exit) -> str:
    return {Exit.VERIFIED: "✓", Exit.FAILED: "✗"}.get(code, "!")


def _item_json(one: Verification) -> dict[str, object]:
    clip, sealed = one.clip, one.sealed
    return {
        "file": str(one.file),
        "clip": str(clip.clip) if clip else None,
        "upload": str(sealed.upload) if isinstance(sealed, SealedBeginning) else None,
        "name": sealed.name if sealed else None,
        "size": clip.digest.size if clip else sealed.size if isinstance(sealed, SealedBeginning) else None,
        "sha256": clip.digest.sha256.hex() if clip else None,
        "sm3": clip.digest.sm3.hex() if clip and clip.digest.sm3 else None,
        "index": one.index,
        "holds": one.holds,
        "checkpoint": None
        if one.checkpoint is None
        else {"origin": one.checkpoint.origin, "size": one.checkpoint.size, "root": one.checkpoint.root.hex()},
        "findings": [found.as_json() for found in one.findings],
    }
