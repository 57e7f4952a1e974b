"""Drawing a sample: the same everywhere, by a dozen lines that know nothing of the house."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from evidence.statistics.sampling import commitment_of, drawn, population_digest

VECTOR = json.loads((Path(__file__).parents[3] / "vectors" / "sample.json").read_text(encoding="utf-8"))
BYTES = st.binary(min_size=32, max_size=32)
CASES = st.sets(st.uuids(), min_size=1, max_size=40).map(sorted)


def test_r43_anybody_draws_the_same_sample_from_the_vector() -> None:
    """R43: the same seed, root and population give the same sample, in any language."""
    seed, root = bytes.fromhex(VECTOR["seed"]), bytes.fromhex(VECTOR["root"])
    assert hashlib.sha256(seed).hexdigest() == VECTOR["commitment"]
    listed = "".join(f"{case}\n" for case in VECTOR["population"])
    assert hashlib.sha256(listed.encode()).hexdigest() == VECTOR["population_sha256"]
    key = hashlib.sha256(b"shilu-sample-v1\n" + seed + root).digest()
    ranked = sorted(VECTOR["population"], key=lambda case: hashlib.sha256(key + case.encode()).hexdigest())
    assert ranked[: VECTOR["draw"]] == VECTOR["sample"]


def test_the_house_draws_what_the_vector_says() -> None:
    cases = [UUID(case) for case in VECTOR["population"]]
    seed, root = bytes.fromhex(VECTOR["seed"]), bytes.fromhex(VECTOR["root"])
    assert commitment_of(seed).hex() == VECTOR["commitment"]
    assert population_digest(cases).hex() == VECTOR["population_sha256"]
    assert [str(case) for case in drawn(cases, seed=seed, root=root, draw=VECTOR["draw"])] == VECTOR["sample"]


@given(cases=CASES, seed=BYTES, root=BYTES, draw=st.integers(1, 50))
def test_a_sample_is_of_the_population_and_a_longer_one_begins_with_it(
    cases: list[UUID], seed: bytes, root: bytes, draw: int
) -> None:
    sample = drawn(cases, seed=seed, root=root, draw=draw)
    assert len(sample) == len(set(sample)) == min(draw, len(cases))
    assert set(sample) <= set(cases)
    assert drawn(cases[::-1], seed=seed, root=root, draw=draw + 1)[:draw] == sample


def test_every_case_is_drawn_about_as_often_as_every_other() -> None:
    cases = [UUID(int=n) for n in range(10)]
    counts = dict.fromkeys(cases, 0)
    for n in range(1000):
        for case in drawn(cases, seed=hashlib.sha256(b"%d" % n).digest(), root=bytes(32), draw=3):
            counts[case] += 1
    # 300 each; nine standard deviations.
    assert all(170 < count < 430 for count in counts.values()), counts
