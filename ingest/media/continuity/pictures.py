"""A coded picture as its headers describe it, whatever the standard; what the rules of continuity work on."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.media.continuity.observation import NOWHERE, Place


@dataclass(slots=True)
class Picture:
    """One picture, or the two fields of one.

    Attributes:
        kind: `I`, `P` or `B`, by the strongest prediction in its slices.
        opens: It begins a sequence of its own: nothing behind it may lean on what stands before (IDR).
        entry: Decoding may begin here (IDR, or a clean random access picture).
        reference: Others may lean on it.
        order: Place in the order of showing within its sequence; None where it is not known.
        ordered: Whether an empty place in that order means a picture that is not there.
        frame_num: H.264's count of reference pictures.
        frame_num_max: Where that count begins anew; 0 where there is none.
        gaps_allowed: The stream announces gaps in that count.
        resets: The count and the order begin anew behind it; None if that could not be read.
        idr_id: H.264's number of a full picture.
        needs: Orders of the pictures it leans on directly (H.265).
        keeps: Orders of all pictures that stay for later ones (H.265).
        keeps_more: It keeps pictures that are not in `keeps` (long-term references).
        leads: It is shown before the entry it follows and leans on pictures before that (RASL of H.265).
        field: `top` or `bottom` while only one field of it has come.
        where: Its place in the file.
    """

    kind: str
    opens: bool
    entry: bool
    reference: bool
    order: int | None
    ordered: bool = True
    frame_num: int = 0
    frame_num_max: int = 0
    gaps_allowed: bool = False
    resets: bool | None = False
    idr_id: int | None = None
    needs: frozenset[int] = frozenset()
    keeps: frozenset[int] = frozenset()
    keeps_more: bool = False
    leads: bool = False
    field: str = ""
    where: Place = NOWHERE


_STRENGTH = "IPB"


def stronger(one: str, other: str) -> str:
    """Return the kind of a picture with slices of both kinds."""
    return max(one, other, key=_STRENGTH.index)
