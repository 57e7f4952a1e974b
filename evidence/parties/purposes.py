"""Purposes: why somebody may look at footage.

No viewing without a purpose on record. Six uses come from the agencies' own documents on whole-process recording:
案卷评查, 执法监督, 评议考核, 舆情应对, 行政决策, 健全社会信用体系. Legal review and court come from the procedures
around them. Keys are stored in ledger payloads: a key is never renamed, only added or retired.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PURPOSES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "case_file_review": ("案卷评查", "quality review of case files"),
        "enforcement_supervision": ("执法监督", "supervision of enforcement"),
        "performance_assessment": ("评议考核", "assessment of performance"),
        "public_opinion_response": ("舆情应对", "response to public opinion"),
        "administrative_decision": ("行政决策", "administrative decision-making"),
        "credit_system": ("信用体系", "social credit system"),
        "legal_review": ("法制审核", "legal review of a decision"),
        "litigation": ("诉讼", "litigation"),
    }
)
"""Key -> (Chinese, English)."""
