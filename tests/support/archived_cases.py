"""An archived case in a small house, and packages of it that somebody spoiled with all lists made to fit."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

from evidence.cases.archive import archive_case, files_to_verify
from evidence.core.wire.bag import MANIFEST_NAME, TAG_MANIFEST_NAME, TRACE_NAME, format_manifest
from evidence.core.wire.receipt import format_receipt, parse_receipt
from evidence.verify.archived import CASE_NAME
from ledger.canonical import decode_entry
from tests.support.case_files import CONCLUDED, item, item_list, opened, publish, say
from tests.support.payloads import STAFF, Scribe
from tests.support.small_house import SmallHouse

LIST = item_list(item("visit", exemptible=True))
Spoil = Callable[[Path], None]


async def archived_case(house: SmallHouse, number: str = "1号") -> UUID:
    """Return a case with two exhibits and a document that was archived, not yet published."""
    for name in ("检查", "询问", "处罚决定书"):
        house.clips[f"{number}{name}"] = await house.seal(f"{number}{name}.mp4", f"{number}{name}".encode())
    first, second, document = (house.clips[f"{number}{name}"] for name in ("检查", "询问", "处罚决定书"))
    async with house.pool.acquire() as conn:
        scribe = Scribe(conn=conn, clock=house.clock, entropy=house.entropy)
        if await conn.fetchval("SELECT count(*) FROM item_list") == 0:
            await publish(scribe, LIST)
        case = await opened(scribe, number, kind="penalty")
        await scribe.annotate(first, remark="未说完", item="visit")
        await scribe.annotate(first, expected_version=1, remark="检查排污口", item="visit")
        await scribe.annotate(second, remark="询问厂长", item="visit")
        for clip in (first, second):
            await scribe.link(case, clip)
        await say(
            scribe, case, {"kind": "document", "document": str(document), "name": "处罚决定书", "title": "处罚决定书"}
        )
        await say(scribe, case, CONCLUDED)
        async with conn.transaction():
            verified: dict[UUID, tuple[str, ...]] = dict.fromkeys(await files_to_verify(conn, case), ())
            await archive_case(
                conn, case_id=case, verified=verified, actor=STAFF, clock=house.clock, entropy=house.entropy
            )
    return case


def write(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


def fit_lists(folder: Path) -> None:
    """Take the trace away and write all lists anew: what is left is what the archived case itself proves."""
    (folder / TRACE_NAME).unlink(missing_ok=True)
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    digests = {name: hashlib.sha256(path.read_bytes()).digest() for name, path in files.items()}
    inner = {name: digest for name, digest in digests.items() if name.startswith("data/")}
    write(folder / MANIFEST_NAME, format_manifest(inner))
    digests[MANIFEST_NAME] = hashlib.sha256((folder / MANIFEST_NAME).read_bytes()).digest()
    tags = {name: digest for name, digest in digests.items() if "/" not in name and name != TAG_MANIFEST_NAME}
    write(folder / TAG_MANIFEST_NAME, format_manifest(tags))


def exhibit(folder: Path, number: int = 1) -> Path:
    return folder / "data" / "exhibits" / f"{number:04d}"


def original(folder: Path) -> Path:
    """Return the one original of an evidence folder."""
    (receipt,) = folder.glob("*.receipt")
    return receipt.with_suffix("")


def custody_types(folder: Path, without: str) -> None:
    """Write a custody log without the entries of a type."""
    lines = (folder / "custody.receipts").read_bytes().splitlines(keepends=True)
    pairs = [b"".join(lines[start : start + 2]) for start in range(0, len(lines), 2)]
    kept = [pair for pair in pairs if decode_entry(parse_receipt(pair).entry).type != without]
    assert len(kept) < len(pairs)
    write(folder / "custody.receipts", b"".join(kept))


def numbers_swapped(folder: Path) -> None:
    exhibit(folder, 1).rename(folder / "between")
    exhibit(folder, 2).rename(exhibit(folder, 1))
    (folder / "between").rename(exhibit(folder, 2))


def exhibit_dropped(folder: Path) -> None:
    shutil.rmtree(exhibit(folder, 2))


def document_dropped(folder: Path) -> None:
    shutil.rmtree(folder / "data" / "documents")


def exhibit_added(folder: Path) -> None:
    shutil.copytree(exhibit(folder, 2), exhibit(folder, 3))


def second_original(folder: Path) -> None:
    for path in exhibit(folder, 2).iterdir():
        if path.name.startswith(original(exhibit(folder, 2)).name):
            shutil.copyfile(path, exhibit(folder, 1) / path.name)


def number_spelled_otherwise(folder: Path) -> None:
    exhibit(folder, 1).rename(exhibit(folder, 1).with_name("1"))


def number_of_more_digits(folder: Path) -> None:
    exhibit(folder, 1).rename(exhibit(folder, 1).with_name("00001"))


def deeper(folder: Path) -> None:
    exhibit(folder, 1).rename(folder / "between")
    exhibit(folder, 1).mkdir()
    (folder / "between").rename(exhibit(folder, 1) / "0001")


def document_as_exhibit(folder: Path) -> None:
    (folder / "data" / "documents" / "0001").rename(exhibit(folder, 3))


def exhibit_as_document(folder: Path) -> None:
    document = folder / "data" / "documents" / "0001"
    shutil.rmtree(document)
    shutil.copytree(exhibit(folder, 1), document)


def bytes_swapped(folder: Path) -> None:
    one, other = original(exhibit(folder, 1)), original(exhibit(folder, 2))
    content = one.read_bytes()
    write(one, other.read_bytes())
    write(other, content)


def one_bit(folder: Path) -> None:
    path = original(exhibit(folder, 1))
    write(path, bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])


def annotation_of_before(folder: Path) -> None:
    """Put the first version there, which its author took back."""
    lines = (exhibit(folder, 1) / "custody.receipts").read_bytes().splitlines(keepends=True)
    for start in range(0, len(lines), 2):
        receipt = parse_receipt(b"".join(lines[start : start + 2]))
        said: dict[str, Any] = json.loads(receipt.payload)
        if decode_entry(receipt.entry).type == "clip.annotated" and said["version"] == 1:
            write(exhibit(folder, 1) / "annotation.json", receipt.payload)


def annotation_made_up(folder: Path) -> None:
    path = exhibit(folder, 1) / "annotation.json"
    said: dict[str, Any] = json.loads(path.read_bytes())
    said["content"]["remark"] = "未见异常"
    write(path, json.dumps(said).encode())


def annotation_of_another(folder: Path) -> None:
    write(exhibit(folder, 1) / "annotation.json", (exhibit(folder, 2) / "annotation.json").read_bytes())


def annotation_gone(folder: Path) -> None:
    (exhibit(folder, 1) / "annotation.json").unlink()


def annotation_no_json(folder: Path) -> None:
    write(exhibit(folder, 1) / "annotation.json", b"[" * 100_000)


def custody_without_number(folder: Path) -> None:
    custody_types(exhibit(folder, 1), "case.clip_linked")


def custody_without_words(folder: Path) -> None:
    custody_types(exhibit(folder, 1), "clip.annotated")


def custody_gone(folder: Path) -> None:
    (exhibit(folder, 1) / "custody.receipts").unlink()


def custody_of_windows(folder: Path) -> None:
    path = exhibit(folder, 1) / "custody.receipts"
    write(path, path.read_bytes().replace(b"\n", b"\r\n"))


def case_words_changed(folder: Path) -> None:
    path = folder / "data" / CASE_NAME
    write(path, path.read_text().replace("某厂案", "他厂案").encode())


def case_receipt_of_a_clip(folder: Path) -> None:
    (receipt,) = exhibit(folder, 1).glob("*.receipt")
    write(folder / "data" / CASE_NAME, receipt.read_bytes())


def case_index_moved(folder: Path) -> None:
    path = folder / "data" / CASE_NAME
    receipt = parse_receipt(path.read_bytes())
    head, _, rest = receipt.proof.partition(b"index ")
    forged = type(receipt)(
        entry=receipt.entry,
        payload=receipt.payload,
        salt=receipt.salt,
        proof=head + b"index 1" + rest[rest.index(b"\n") :],
    )
    write(path, format_receipt(forged))


def case_with_byte_order_mark(folder: Path) -> None:
    path = folder / "data" / CASE_NAME
    write(path, b"\xef\xbb\xbf" + path.read_bytes())


def case_in_utf16(folder: Path) -> None:
    path = folder / "data" / CASE_NAME
    write(path, path.read_text().encode("utf-16"))


def case_empty(folder: Path) -> None:
    write(folder / "data" / CASE_NAME, b"")


def package_of_another_case(folder: Path) -> None:
    path = folder / "data" / "package.json"
    said: dict[str, Any] = json.loads(path.read_bytes())
    said["case"]["case"] = str(UUID(int=7))
    write(path, json.dumps(said).encode())


def package_of_no_case(folder: Path) -> None:
    write(folder / "data" / "package.json", b"[1, 2]")


_GONE_ASTRAY = ("archive.file_strange", "archive.file_missing")
_OTHER_EXHIBIT = ("archive.file_differs", "archive.number_unproved", "archive.annotation_differs")

SPOILED: Mapping[Spoil, tuple[str, ...]] = MappingProxyType(
    {
        numbers_swapped: _OTHER_EXHIBIT,
        exhibit_dropped: ("archive.file_missing",),
        document_dropped: ("archive.file_missing",),
        exhibit_added: ("archive.file_strange",),
        second_original: ("archive.file_strange",),
        number_spelled_otherwise: _GONE_ASTRAY,
        number_of_more_digits: _GONE_ASTRAY,
        deeper: _GONE_ASTRAY,
        document_as_exhibit: _GONE_ASTRAY,
        exhibit_as_document: ("archive.file_differs",),
        bytes_swapped: ("archive.file_unverified",),
        one_bit: ("archive.file_unverified",),
        annotation_of_before: ("archive.annotation_differs",),
        annotation_made_up: ("archive.annotation_differs",),
        annotation_of_another: ("archive.annotation_differs",),
        annotation_gone: ("archive.annotation_differs",),
        annotation_no_json: ("archive.annotation_differs",),
        custody_without_number: ("archive.number_unproved",),
        custody_without_words: ("archive.annotation_differs",),
        custody_gone: ("archive.number_unproved", "archive.annotation_differs"),
        custody_of_windows: ("archive.number_unproved", "archive.annotation_differs"),
        case_words_changed: ("archive.malformed",),
        case_receipt_of_a_clip: ("archive.malformed",),
        case_index_moved: ("archive.not_proved",),
        case_with_byte_order_mark: ("archive.malformed",),
        case_in_utf16: ("archive.malformed",),
        case_empty: ("archive.malformed",),
        package_of_another_case: ("archive.other_case",),
        package_of_no_case: ("archive.other_case",),
    }
)
"""Way of spoiling -> codes about the archived case that are not fine."""
