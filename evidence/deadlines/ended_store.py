"""SQL of when a recording ended (R20): one expression for the search, the figures and the clocks.

A recording begins at the recorder's time put right by the offset that its dock measured (`clip.attributed`: the time
with its basis), and where nothing of that is on record, at the time its first source states. It ends as much later as
it is long: what was decoded of it, else what its container states, else what an older derivation said.

The expressions speak of aliases: `whose` (an attribution's row, or none), `first` (the source that sealed the clip) and
`made` (what `MADE` selects of a derivation).
"""

from __future__ import annotations

BEGAN_AT = "coalesce(whose.recorded_at, first.recorded_at)"
"""When a recording began, as a timestamptz; null where nobody knows."""

ENDED_AT = f"{BEGAN_AT} + make_interval(secs => coalesce(made.ran_ms, 0) / 1000.0)"
"""When it ended, as a timestamptz; null where nobody knows when it began."""


def _milliseconds(*path: str) -> str:
    """Write how a whole, non-negative number is taken out of a probe, and null of anything else."""
    place = "d.probe #> '{" + ",".join(path) + "}'"
    text = place.replace("#>", "#>>")
    return f"CASE WHEN jsonb_typeof({place}) = 'number' AND {text} ~ '^[0-9]{{1,15}}$' THEN ({text})::bigint END"


MADE = f"""coalesce({_milliseconds("decoded", "duration_ms")}, {_milliseconds("container", "duration_ms")},
                 {_milliseconds("duration_ms")}) AS ran_ms"""
"""How long a clip is, of a row of `clip_derivation` called `d`: what `clips.derived_facts.duration_ms` reads."""
