"""Statements of a dock: round trips of everything a dock can say, limits, and who may sign for whom."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evidence.core.digest import CHUNK_BYTES, ClipDigest
from evidence.core.wire.cleared import CLEARED_FILES_MAX, Cleared, ClearedFile, open_cleared, sign_cleared
from evidence.core.wire.docking import ClockReading, Device, Docking, RecorderClock
from evidence.core.wire.inventory import (
    INVENTORY_FILES_MAX,
    Inventory,
    InventoryFile,
    format_inventory,
    open_inventory,
    parse_inventory,
    sign_inventory,
)
from evidence.core.wire.manifest import Manifest, open_manifest, parse_manifest, sign_manifest
from evidence.core.wire.paths import PATH_BYTES_MAX, escape_path, unescape_path
from evidence.core.wire.statement import STATEMENT_BYTES_MAX, dock_key_name, sign_statement
from evidence.errors import WireError, WireLimit, WireMalformed, WirePath, WireSignature
from ledger.canonical import INTEGER_MAX, PAYLOAD_BYTES_MAX, canonical_json
from ledger.note import Signer

DOCK = UUID("01930000-0000-7000-8000-00000000d0c1")
OTHER_DOCK = UUID("01930000-0000-7000-8000-00000000d0c2")
SIGNER = Signer.generate(dock_key_name(DOCK))
OTHER_SIGNER = Signer.generate(dock_key_name(OTHER_DOCK))
NOW = datetime(2026, 11, 21, 1, tzinfo=UTC)

T = TypeVar("T")

UUIDS = st.uuids()
TIMES = st.datetimes(min_value=datetime(1601, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 strategy wants it naive
    lambda instant: instant.replace(microsecond=instant.microsecond // 1000 * 1000)
)
NAMES = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=64)
SIZES = st.integers(min_value=0, max_value=INTEGER_MAX)
OFFSETS = st.integers(min_value=-INTEGER_MAX, max_value=INTEGER_MAX)
PART = st.binary(min_size=1, max_size=20).filter(lambda part: not {0, 0x2F} & set(part) and part not in (b".", b".."))
PATHS = st.lists(PART, min_size=1, max_size=4).map(b"/".join)
DIGESTS = st.builds(
    lambda size, root, sha256: ClipDigest(
        size=size, chunk_bytes=CHUNK_BYTES, chunks=-(-size // CHUNK_BYTES), root=root, sha256=sha256
    ),
    st.integers(min_value=1, max_value=INTEGER_MAX),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=32, max_size=32),
)


READINGS = st.builds(ClockReading, offset_ms=OFFSETS, uncertainty_ms=SIZES, measured_at=TIMES)
DOCKINGS = st.integers(min_value=1, max_value=INTEGER_MAX).flatmap(
    lambda number: st.builds(
        Docking,
        docked_at=TIMES,
        number=st.just(number),
        previous=st.none() if number == 1 else UUIDS,
        clock=st.none() | READINGS,
        recorder_clock=st.none() | st.builds(RecorderClock, shown=TIMES, read_at=TIMES),
        device=st.builds(Device, serial=st.none() | NAMES, volume=st.none() | NAMES, model=st.none() | NAMES),
    )
)


@st.composite
def inventories(draw: st.DrawFn) -> Inventory:
    paths = draw(st.lists(PATHS, unique=True, max_size=6))
    orders = sorted(draw(st.sets(SIZES, min_size=len(paths), max_size=len(paths))))
    return Inventory(
        id=draw(UUIDS),
        dock=DOCK,
        recorder=draw(NAMES),
        seen_at=draw(TIMES),
        dock_clock=draw(TIMES),
        profile=draw(NAMES),
        docking=draw(st.none() | DOCKINGS),
        files=tuple(
            InventoryFile(
                path=escape_path(path)[0],
                raw=escape_path(path)[1],
                size=draw(SIZES),
                modified_at=draw(TIMES),
                order=order,
                recorded_at=draw(st.none() | TIMES),
                officer=draw(st.none() | NAMES),
                key_mark=draw(st.booleans()),
            )
            for path, order in zip(paths, orders, strict=True)
        ),
    )


@given(inventories())
def test_an_inventory_round_trips(inventory: Inventory) -> None:
    assert parse_inventory(format_inventory(inventory)) == inventory


@given(PATHS)
def test_any_name_of_a_file_system_has_one_spelling(path: bytes) -> None:
    text, raw = escape_path(path)
    assert unescape_path(text, raw=raw) == path
    assert raw is (_decodes(path) is None)
    with pytest.raises(WirePath):
        unescape_path(text + "%4", raw=True)


@given(DIGESTS, PATHS)
def test_a_signed_manifest_round_trips(digest: ClipDigest, path: bytes) -> None:
    text, raw = escape_path(path)
    manifest = Manifest(
        upload=DOCK, dock=DOCK, inventory=OTHER_DOCK, recorder="4A00123", path=text, raw=raw, digest=digest
    )
    assert open_manifest(sign_manifest(manifest, SIGNER), [SIGNER.verifier]) == manifest


@given(st.lists(PATHS, min_size=1, max_size=6, unique=True), TIMES)
def test_a_signed_cleared_list_round_trips(paths: list[bytes], at: datetime) -> None:
    files = tuple(
        ClearedFile(path=text, raw=raw, clip=OTHER_DOCK, sha256=bytes(32))
        for text, raw in (escape_path(path) for path in paths)
    )
    cleared = Cleared(dock=DOCK, recorder="4A00123", at=at, files=files)
    assert open_cleared(sign_cleared(cleared, SIGNER), [SIGNER.verifier]) == cleared


@given(inventories(), st.data())
def test_no_changed_byte_of_a_signed_inventory_passes(inventory: Inventory, data: st.DataObject) -> None:
    note = bytearray(sign_inventory(inventory, SIGNER))
    position = data.draw(st.integers(min_value=0, max_value=len(note) - 1))
    note[position] ^= data.draw(st.integers(min_value=1, max_value=255))
    with pytest.raises(WireError):
        open_inventory(bytes(note), [SIGNER.verifier])


@given(st.binary(max_size=300))
def test_noise_is_refused_with_a_code(noise: bytes) -> None:
    for judge in (open_inventory, open_manifest, open_cleared):
        with pytest.raises(WireSignature):
            judge(noise, [SIGNER.verifier])


MANIFEST = Manifest(
    upload=DOCK,
    dock=DOCK,
    inventory=DOCK,
    recorder="4A00123",
    path="a.mp4",
    digest=ClipDigest(size=1, chunk_bytes=CHUNK_BYTES, chunks=1, root=bytes(32), sha256=bytes(32)),
)
CLEARED = Cleared(
    dock=DOCK, recorder="4A00123", at=NOW, files=(ClearedFile(path="a.mp4", clip=DOCK, sha256=bytes(32)),)
)


def file(order: int, **changes: object) -> InventoryFile:
    fields: dict[str, object] = {"path": f"{order}.mp4", "size": 1, "modified_at": NOW, "order": order}
    return InventoryFile(**(fields | changes))  # type: ignore[arg-type]  # values are right by construction


def inventory_of(files: tuple[InventoryFile, ...], **changes: object) -> Inventory:
    fields: dict[str, object] = {"id": DOCK, "dock": DOCK, "recorder": "4A00123", "seen_at": NOW, "dock_clock": NOW}
    return Inventory(**(fields | {"profile": "dcim", "files": files} | changes))  # type: ignore[arg-type]  # the same


SAYINGS: list[tuple[bytes, Callable[..., object]]] = [
    (sign_inventory(inventory_of((file(1),)), SIGNER), open_inventory),
    (sign_manifest(MANIFEST, SIGNER), open_manifest),
    (sign_cleared(CLEARED, SIGNER), open_cleared),
]


@pytest.mark.parametrize(("note", "judge"), SAYINGS)
def test_only_the_docks_own_key_signs(note: bytes, judge: Callable[..., object]) -> None:
    judge(note, [SIGNER.verifier])
    judge(note, [OTHER_SIGNER.verifier, SIGNER.verifier])
    for verifiers in ([], [OTHER_SIGNER.verifier], [Signer.generate(SIGNER.name).verifier]):
        with pytest.raises(WireSignature):
            judge(note, verifiers)


@pytest.mark.parametrize(("note", "judge"), SAYINGS)
def test_a_known_dock_cannot_speak_for_another(note: bytes, judge: Callable[..., object]) -> None:
    text = note.split(b"\n\n")[0].decode() + "\n"
    forged = sign_statement(text, dock=OTHER_DOCK, signer=OTHER_SIGNER)
    with pytest.raises(WireSignature):
        judge(forged, [SIGNER.verifier, OTHER_SIGNER.verifier])


def test_a_dock_signs_in_no_other_name() -> None:
    with pytest.raises(WireSignature):
        sign_inventory(inventory_of(()), OTHER_SIGNER)
    with pytest.raises(WireSignature):
        sign_manifest(MANIFEST, OTHER_SIGNER)
    with pytest.raises(WireSignature):
        sign_cleared(CLEARED, OTHER_SIGNER)


@pytest.mark.parametrize(("note", "judge"), SAYINGS)
def test_a_statement_of_another_kind_is_refused(note: bytes, judge: Callable[..., object]) -> None:
    for other, _ in SAYINGS:
        if other is not note:
            with pytest.raises(WireError, match=r"wire\.version"):
                judge(other, [SIGNER.verifier])


def test_a_full_inventory_of_long_names_fits_the_ledger() -> None:
    files = tuple(file(order, path=f"{order:05}" + '"' * 250) for order in range(INVENTORY_FILES_MAX))
    note = sign_inventory(inventory_of(files), SIGNER)
    assert len(note) <= STATEMENT_BYTES_MAX
    assert len(canonical_json({"note": note.decode()})) < PAYLOAD_BYTES_MAX
    assert len(open_inventory(note, [SIGNER.verifier]).files) == INVENTORY_FILES_MAX


def test_the_longest_statement_fits_the_ledger_whatever_it_holds() -> None:
    # A quote or backslash doubles inside a string of JSON, and in a canonical statement no byte does worse.
    assert 2 * STATEMENT_BYTES_MAX + 4096 < PAYLOAD_BYTES_MAX


def test_an_inventory_that_is_too_long_is_refused_before_it_is_signed() -> None:
    files = tuple(file(order, path=f"{order:05}" + "x" * (PATH_BYTES_MAX - 5)) for order in range(INVENTORY_FILES_MAX))
    with pytest.raises(WireLimit):
        sign_inventory(inventory_of(files), SIGNER)


def test_an_over_long_note_is_refused_unread() -> None:
    with pytest.raises(WireLimit):
        open_inventory(b"x" * (STATEMENT_BYTES_MAX + 1), [SIGNER.verifier])


def test_too_many_files_are_refused() -> None:
    with pytest.raises(WireLimit):
        inventory_of(tuple(file(order) for order in range(INVENTORY_FILES_MAX + 1)))
    cleared = [ClearedFile(path=str(number), clip=DOCK, sha256=bytes(32)) for number in range(CLEARED_FILES_MAX + 1)]
    with pytest.raises(WireLimit):
        Cleared(dock=DOCK, recorder="4A00123", at=NOW, files=tuple(cleared))


@pytest.mark.parametrize(
    "make",
    [
        lambda: file(1, path="a\udcff.mp4"),
        lambda: file(1, modified_at=datetime(2026, 1, 1)),  # noqa: DTZ001 the point
        lambda: file(1, officer="a\udcff"),
        lambda: file(1, size=INTEGER_MAX + 1),
        lambda: inventory_of((), recorder=""),
        lambda: inventory_of((), seen_at=datetime(1, 1, 1, tzinfo=UTC)),
        lambda: inventory_of((file(2), file(1))),
        lambda: inventory_of((file(1), file(2, path="1.mp4"))),
        lambda: ClearedFile(path="a", clip=DOCK, sha256=b"short"),
    ],
)
def test_an_illegal_statement_cannot_even_be_made(make: Callable[[], object]) -> None:
    with pytest.raises((WireLimit, WireMalformed, WirePath)):
        make()


def test_two_texts_are_never_one_manifest() -> None:
    note = sign_manifest(MANIFEST, SIGNER).decode()
    with pytest.raises(WireMalformed):
        parse_manifest(note)


def _decodes(path: bytes) -> str | None:
    try:
        return path.decode("utf-8")
    except UnicodeDecodeError:
        return None
