"""A package of an archived case: whether what lies in it is the case as it was frozen. Pure.

`data/case.archive` is the receipt of the entry `case.archived`; its payload holds the frozen manifest and the root over
it (`evidence.core.wire.case_manifest`). Obligations, in this order:

1. the receipt is that of an entry `case.archived`, which commits to its payload, in the log of a believed checkpoint
2. the root is the one over the manifest, and the manifest is of the case that the package says it is of
3. every exhibit and document of the manifest lies in its folder, `exhibits/0001` by the number in the case,
   `documents/0001` by the place in the manifest: the clip, name, size, SHA-256 and root that were frozen, sealed by the
   entry that was
4. nothing else lies in such a folder
5. the custody log beside an exhibit holds, proved, the entry that gave it its number in this case, and the version of
   the annotation that was frozen; `annotation.json` is that version or a later one, which is told

Where an excerpt lies in the place of an original, the case is told as excerpted, never as complete: what was frozen is
the whole file, and nobody has read that.

The caller owes that each original was verified by its own receipt, and says what came out.

A package without `case.archive` does not say that it is an archived case. Whoever takes the file away takes it from a
list that the log commits to (`evidence.verify.bag`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from evidence.core.clock import format_time
from evidence.core.wire.case_manifest import manifest_root
from evidence.core.wire.receipt import Receipt, open_payload, parse_receipt
from evidence.core.wire.sealed import SealedClip
from evidence.errors import WireError, WireMalformed
from evidence.verify.findings import finding
from evidence.verify.judge import judge_log
from ledger.canonical import Entry, JsonObject, canonical_json, decode_entry
from ledger.errors import CodedError
from ledger.findings import Finding, is_clean
from ledger.policy import Policy

CASE_NAME: Final = "case.archive"
"""Below `data/` of a package: the receipt of the entry that archived the case."""

CUSTODY_NAME: Final = "custody.receipts"
ANNOTATION_NAME: Final = "annotation.json"
SHELVES: Final = ("exhibits", "documents")
"""Folders below `data/` that hold one evidence folder a file, and the manifest's lists that they hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One original of a package.

    Attributes:
        place: Its folder below `data/`, `exhibits/0001`.
        sealed: What its receipt states; None where that cannot be read.
        entry: The entry of that receipt.
        holds: Whether it was verified by it in this run.
        whole: Whether that was the whole original, and not an excerpt of it.
        custody: Bytes of the custody log beside it; None without one.
        annotation: Bytes of `annotation.json` beside it; None without one.
    """

    place: str
    sealed: SealedClip | None
    entry: UUID | None
    holds: bool
    custody: bytes | None
    annotation: bytes | None
    whole: bool = True


@dataclass(frozen=True, slots=True)
class _Frozen:
    """What the manifest says of one file."""

    place: str
    said: Mapping[str, Any]
    is_exhibit: bool


def judge_archived(
    raw: bytes, held: Iterable[Held], *, policy: Policy, subject: str, stated_case: str | None
) -> list[Finding]:
    """Judge obligations 1 to 5.

    Args:
        raw: Bytes of `case.archive`.
        held: Every original below `data/`, read once.
        policy: The log keys that are believed, and the witnesses they need.
        subject: What the findings are about.
        stated_case: Id of the case that the package itself says it is of; None where it says none.
    """
    try:
        receipt, entry, said = _opened(raw)
        manifest = said["manifest"]
        root = manifest_root(manifest)
        frozen = {one.place: one for one in _frozen(manifest)}
    except CodedError as error:
        return [finding("archive.malformed", subject, reason=error.message)]
    found = _judge_entry(receipt, entry, manifest, policy=policy, subject=subject)
    if said.get("root") != root.hex():
        found.append(finding("archive.root_differs", subject))
    if not said.get("case") == manifest.get("case") == stated_case or entry.subject != f"case:{stated_case}":
        found.append(finding("archive.other_case", subject))
    faults = list(_judge_files(frozen, held, case=str(manifest.get("case")), policy=policy))
    if is_clean(found) and is_clean(faults):
        exhibits = sum(one.is_exhibit for one in frozen.values())
        counts = {"exhibits": exhibits, "documents": len(frozen) - exhibits}
        excerpts = sum(one.code == "archive.file_excerpted" for one in faults)
        code, more = ("archive.excerpted", {"excerpts": excerpts}) if excerpts else ("archive.complete", {})
        found.append(finding(code, subject, root=root.hex(), **counts, **more))
    return [*found, *faults]


def _opened(raw: bytes) -> tuple[Receipt, Entry, Any]:
    receipt = parse_receipt(raw)
    entry = decode_entry(receipt.entry)
    said: JsonObject = open_payload(entry, payload=receipt.payload, salt=receipt.salt)
    if entry.type != "case.archived" or not isinstance(said.get("manifest"), dict):
        raise WireMalformed(f"this is the receipt of a {entry.type}")
    return receipt, entry, said


def _judge_entry(
    receipt: Receipt, entry: Entry, manifest: Mapping[str, Any], *, policy: Policy, subject: str
) -> list[Finding]:
    proof, _, logged = judge_log(receipt, policy, subject)
    if proof is None or not is_clean(list(logged)):
        codes = ", ".join(one.code for one in logged if not is_clean([one]))
        return [finding("archive.not_proved", subject, codes=codes or "receipt.malformed")]
    number = str(manifest.get("number"))
    return [finding("archive.proved", subject, number=number, index=proof.index, at=format_time(entry.at))]


def _frozen(manifest: Mapping[str, Any]) -> Iterator[_Frozen]:
    """Yield where each file of a manifest belongs.

    Raises:
        WireMalformed: A member of its lists is not of its form.
    """
    for shelf in SHELVES:
        for number, member in enumerate(manifest[shelf], 1):
            named = member.get("exhibit") if shelf == "exhibits" and isinstance(member, dict) else number
            # A truth value is no number here, though Python takes it for one.
            is_number = type(named) is int and named > 0
            if not isinstance(member, dict) or not is_number or not isinstance(member.get("sha256"), str):
                raise WireMalformed(f"one of the {shelf} is not of its form")
            yield _Frozen(f"{shelf}/{named:04d}", member, shelf == "exhibits")


def _judge_files(
    frozen: Mapping[str, _Frozen], held: Iterable[Held], *, case: str, policy: Policy
) -> Iterator[Finding]:
    there = set[str]()
    for one in held:
        expected = frozen.get(one.place)
        if expected is None or one.place in there:
            yield finding("archive.file_strange", f"file:{one.place}")
            continue
        there.add(one.place)
        yield from _judge_file(one, expected, case=case, policy=policy)
    for place in frozen:
        if place not in there:
            yield finding("archive.file_missing", f"file:{place}")


def _judge_file(one: Held, expected: _Frozen, *, case: str, policy: Policy) -> Iterator[Finding]:
    subject, said = f"file:{one.place}", expected.said
    actual = _stated(one)
    differing = [name for name, value in actual.items() if said.get(name) != value]
    if differing:
        yield finding("archive.file_differs", subject, fields=", ".join(differing))
    elif not one.holds:
        yield finding("archive.file_unverified", subject)
    elif not one.whole:
        yield finding("archive.file_excerpted", subject)
    if not expected.is_exhibit:
        return
    custody = _custody(one.custody, wanted={str(said.get("linked")), str(said.get("annotation"))})
    link = _proved(custody.get(str(said.get("linked"))), "case.clip_linked", policy)
    numbered = {"case": case, "clip": said.get("clip"), "exhibit": said.get("exhibit")}
    if link is None or any(link.get(name) != value for name, value in numbered.items()):
        yield finding("archive.number_unproved", subject, number=said.get("exhibit"))
    yield from _judge_annotation(one, said, custody, policy, subject)


def _stated(one: Held) -> dict[str, object]:
    """Return what an original's receipt states, under the names of the manifest."""
    if one.sealed is None:
        return {"sha256": None}
    digest = one.sealed.digest
    return {
        "clip": str(one.sealed.clip),
        "file": one.sealed.name,
        "size": digest.size,
        "sha256": digest.sha256.hex(),
        "root": digest.root.hex(),
        "sealed": str(one.entry),
    }


def _judge_annotation(
    one: Held, said: Mapping[str, Any], custody: Mapping[str, tuple[Receipt, Entry]], policy: Policy, subject: str
) -> Iterator[Finding]:
    """Judge what people said of an exhibit: the frozen version on record, the file that version or a later one."""
    version, now = said.get("version"), _object(one.annotation)
    if said.get("annotation") is None:
        if one.annotation is not None:
            yield finding("archive.annotation_newer", subject, version=0)
        return
    known = _proved(custody.get(str(said["annotation"])), "clip.annotated", policy)
    if known is None or known.get("version") != version or known.get("clip") != said.get("clip"):
        yield finding("archive.annotation_differs", subject, version=version)
    elif _is_same(now, known):
        return
    elif now is not None and type(later := now.get("version")) is int and later > said["version"]:
        yield finding("archive.annotation_newer", subject, version=version)
    else:
        yield finding("archive.annotation_differs", subject, version=version)


def _object(raw: bytes | None) -> Mapping[str, Any] | None:
    try:
        value = None if raw is None else json.loads(raw.decode())
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _is_same(now: Mapping[str, Any] | None, known: JsonObject) -> bool:
    try:
        return now is not None and canonical_json(dict(now)) == canonical_json(known)
    except CodedError:
        return False


def _custody(raw: bytes | None, *, wanted: set[str]) -> dict[str, tuple[Receipt, Entry]]:
    """Return the receipts of some entries among a custody log, by the entries' ids; what cannot be read is left out."""
    lines = (raw or b"").split(b"\n")[:-1]
    found: dict[str, tuple[Receipt, Entry]] = {}
    for start in range(0, len(lines), 2):
        try:
            receipt = parse_receipt(b"".join(line + b"\n" for line in lines[start : start + 2]))
            entry = decode_entry(receipt.entry)
        except (WireError, CodedError):
            continue
        if str(entry.id) in wanted:
            found[str(entry.id)] = receipt, entry
    return found


def _proved(known: tuple[Receipt, Entry] | None, kind: str, policy: Policy) -> JsonObject | None:
    """Return the payload of a receipt that holds; None for any other."""
    if known is None or known[1].type != kind:
        return None
    receipt, entry = known
    proof, _, logged = judge_log(receipt, policy, f"entry:{entry.id}")
    if proof is None or not is_clean(list(logged)):
        return None
    try:
        return open_payload(entry, payload=receipt.payload, salt=receipt.salt)
    except CodedError:
        return None
