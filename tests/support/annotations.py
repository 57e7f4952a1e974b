"""Contents of annotations for property tests: valid ones of every shape, as JSON values."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from evidence.clips.vocabulary import vocabulary

ENTRY = "0195a000-0000-7000-8000-00000000000a"

words = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp")), min_size=1, max_size=12
).filter(str.strip)
moments = st.integers(0, 5_000)


def spans() -> st.SearchStrategy[dict[str, int]]:
    """Stretches of a clip."""
    return st.tuples(moments, st.integers(1, 900)).map(lambda pair: {"from_ms": pair[0], "to_ms": sum(pair)})


def markers() -> st.SearchStrategy[dict[str, Any]]:
    """Markers in force."""
    return st.fixed_dictionaries(
        {"kind": st.sampled_from(sorted(vocabulary().markers)), "at_ms": moments}, optional={"note": words}
    )


def documents() -> st.SearchStrategy[dict[str, Any]]:
    """Documents, some with the time they begin at."""
    times = st.datetimes().filter(lambda at: at.year > 1).map(lambda at: f"{at:%Y-%m-%dT%H:%M}".zfill(16) + "+08:00")
    return st.fixed_dictionaries({"kind": words}, optional={"number": words, "from": times})


def contents() -> st.SearchStrategy[dict[str, Any]]:
    """Whole contents: no speaker twice, no dialogue of a stranger."""
    speakers = st.lists(
        st.fixed_dictionaries(
            {"key": st.sampled_from(["s1", "s2", "s3"]), "role": st.sampled_from(sorted(vocabulary().speakers))},
            optional={"name": words, "identity": words, "spans": st.lists(spans(), min_size=1, max_size=2)},
        ),
        max_size=3,
        unique_by=lambda speaker: speaker["key"],
    )
    dialogue = st.lists(
        st.builds(
            lambda span, text: {**span, "text": text},
            spans(),
            words,
        ),
        max_size=4,
    )
    covert = st.fixed_dictionaries({"basis": words, "approver": words})
    position = st.fixed_dictionaries(
        {"latitude_e6": st.integers(-90_000_000, 90_000_000), "longitude_e6": st.integers(-180_000_000, 180_000_000)}
    )
    whole = st.fixed_dictionaries(
        {},
        optional={
            "remark": words,
            "item": words,
            "place": words,
            "position": position,
            "markers": st.lists(markers(), max_size=4),
            "speakers": speakers,
            "dialogue": dialogue,
            "documents": st.lists(documents(), max_size=3),
            "covert": covert,
            "exemption": words,
            "legality_argument": words,
            "not_needed_because": words,
        },
    )
    # What is empty is left out of a payload.
    return whole.map(lambda content: {name: value for name, value in content.items() if value})
