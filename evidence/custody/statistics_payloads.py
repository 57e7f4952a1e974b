"""Payloads of entries about what storage costs and about random samples; same rules as in `payloads`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import Count, Digest, Id, Name, Payload, Size


class StoragePriced(Payload):
    """What a terabyte (10^12 bytes) costs in a month, in hundredths of the currency; the newest counts."""

    price: Id
    hundredths: Count
    currency: Name
    citation: Name


class SampleCommitted(Payload):
    """Somebody will draw `draw` of the `population` cases that were open at a checkpoint, and is bound to a seed.

    `commitment` is SHA-256 of the seed, `population_sha256` of the ids of the cases, each with a newline, in order of
    the log up to `size`, whose tree has `root`.
    """

    sample: Id
    commitment: Digest
    size: Size
    root: Digest
    population: Size
    population_sha256: Digest
    draw: Size
    rule: Name
    purpose: Name


class SampleDrawn(Payload):
    """The seed of a sample, and what it draws with the root of the first checkpoint that contains the commitment."""

    sample: Id
    seed: Digest
    size: Size
    root: Digest
    cases: Annotated[list[Id], Field(min_length=1, max_length=10_000)]


class SheetRow(Payload):
    """One row of a score sheet (评分表): what was looked at, the points given out of `of`, and why."""

    item: Name
    points: Annotated[int, Field(ge=0, le=100)]
    of: Annotated[int, Field(ge=0, le=100)]
    note: Name | None = None


class SampleScored(Payload):
    """What somebody found in one case of a sample, in points out of a hundred; the newest counts.

    `sheet` has the rows that the points are the sum of, where a sheet was used.
    """

    sample: Id
    case: Id
    points: Annotated[int, Field(ge=0, le=100)]
    note: Name
    sheet: Annotated[list[SheetRow], Field(max_length=100)] | None = None
