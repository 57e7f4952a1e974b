"""Nobody is named as having reviewed words but by themselves, and nothing passes for a proposal that was none. Pure.

`reviewed_by` and `proposal` of an utterance speak for people and machines. So, against the version before:

    an utterance that was there as it is stands as it is
    of any other, `reviewed_by` is left out or names the writer
    a `proposal` was there before, or comes with this very acceptance (`proposals.py`) from the transcript itself
"""

from __future__ import annotations

from collections.abc import Collection

from evidence.clips.circumstances import Proposed
from evidence.clips.content import AnnotationContent
from evidence.errors import AnnotationInvalid


def check_reviews(
    content: AnnotationContent, *, before: AnnotationContent, actor: str, accepted: Collection[Proposed] = ()
) -> None:
    """See that a version speaks in nobody else's name.

    Args:
        accepted: Proposals that are taken over now, as the transcript has them.

    Raises:
        AnnotationInvalid: An utterance names another reviewer, or a proposal that nobody made.
    """
    known = [*accepted, *(part.proposal for part in before.dialogue if part.proposal is not None)]
    for place, part in enumerate(content.dialogue):
        if part in before.dialogue:
            continue
        if part.reviewed_by not in (None, actor):
            _refuse(f"dialogue.{place}.reviewed_by", "only the reviewer can say that they reviewed it")
        if part.proposal is not None and part.proposal not in known:
            _refuse(f"dialogue.{place}.proposal", "a proposal is taken over by accepting it")


def _refuse(where: str, problem: str) -> None:
    raise AnnotationInvalid(f"{where}: {problem}", problems=[{"where": where, "problem": problem}])
