"""Errors about legal review and decisions."""

from __future__ import annotations

from evidence.errors import EvidenceError


class RulesInvalid(EvidenceError):
    """The rules of review break a rule of their form; the details name each place and what is wrong there."""

    code = "review.rules_invalid"


class RulesUnknown(EvidenceError):
    """No rules of review are in force for this case's agency, so whether it needs a review cannot be told."""

    code = "review.rules_unknown"


class RulesBackdated(EvidenceError):
    """A version of rules is in force from no earlier day than the version before it."""

    code = "review.rules_backdated"


class StepRefused(EvidenceError):
    """The review is not where this can be done; the details name its state and what can be done in it."""

    code = "review.not_now"


class SubmissionRefused(EvidenceError):
    """The case cannot be submitted to review like this; the details list every reason with a code of its own."""

    code = "review.submission_refused"


class OpinionRefused(EvidenceError):
    """The opinion is not whole, or its parts contradict each other; the details name each place."""

    code = "review.opinion_refused"


class EvidenceChanged(EvidenceError):
    """The case's evidence is not what was looked at: its root is another one by now, and the details name it."""

    code = "review.evidence_changed"


class SamePerson(EvidenceError):
    """Another person has to do this: who worked on a case neither reviews it nor settles what its review is about."""

    code = "review.same_person"


class NotQualified(EvidenceError):
    """The person has no qualification on record that is valid today."""

    code = "review.not_qualified"


class KeyMissing(EvidenceError):
    """The person has no signing key on record."""

    code = "review.key_missing"


class SignatureInvalid(EvidenceError):
    """The signature is not by the person's key over exactly these words; the details show the text that is signed."""

    code = "review.signature_invalid"


class CorrectionRefused(EvidenceError):
    """There is no such fact to correct."""

    code = "review.correction_refused"


class ClockBehind(EvidenceError):
    """The service's clock stands before the last step of this review: it was set back, and nothing is decided by it."""

    code = "review.clock_behind"


class TransferUnknown(EvidenceError):
    """The case has no open task of transfer to the judiciary (移送)."""

    code = "review.transfer_unknown"


class RoundUnknown(EvidenceError):
    """The review has no such round."""

    code = "review.round_unknown"


class DecisionRefused(EvidenceError):
    """The decision cannot be made: the case is in scope of review and has no approval of its evidence as it stands."""

    code = "decision.refused"


class DecisionMade(EvidenceError):
    """The case is decided already; the details name the decision."""

    code = "decision.made"


class DecisionUnknown(EvidenceError):
    """The case has no decision yet."""

    code = "decision.unknown"


class RevocationRefused(EvidenceError):
    """What became of a decision cannot have: the day lies ahead or before it, or it stands no more; see `problem`."""

    code = "decision.revocation_refused"
