"""What a finding code of an offline verification stands for."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.findings import Severity


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a finding code stands for.

    Attributes:
        obligation: Number of the obligation it belongs to, or None when it concerns a package or the trust in it.
        severity: The severity it always has.
        en: Sentence in English, a template over the details.
        zh: The same in Chinese.
    """

    obligation: int | None
    severity: Severity
    en: str
    zh: str
