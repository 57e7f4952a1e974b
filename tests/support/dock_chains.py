"""What can be wrong with the dock's signature in an evidence folder: one spoiler each, with the code it must get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from evidence.core.wire.dock_key import DockKeyChange, sign_dock_key
from evidence.core.wire.receipt import Receipt
from ledger.canonical import JsonValue, canonical_json, commitment, decode_entry, encode_entry
from ledger.proof import format_proof, parse_proof
from tests.support.evidence_folder import (
    DOCK,
    OTHER_DOCK,
    DockedFolder,
    docked_payload,
    enrolled,
    key_of,
    record_keys,
    rotated,
)
from tests.support.paper_log import ORIGIN, PaperLog, seeded_signer

SUBJECT = f"dock:{DOCK}"
CONTENT = b"the bytes of a very short recording"

Spoil = Callable[[DockedFolder], object]


def _entry(folder: DockedFolder, payload: dict[str, JsonValue], kind: str = "dock.key_rotated") -> Receipt:
    return folder.log.record(payload, kind=kind, subject=SUBJECT)


def _reseal(folder: DockedFolder, payload: dict[str, JsonValue]) -> None:
    """Seal another clip in the same log and put its receipt in the place of the first."""
    folder.write_receipt(folder.log.record(payload))


def _rewrite(folder: DockedFolder, number: int, **changes: bytes) -> None:
    chain = list(folder.chain)
    chain[number] = replace(chain[number], **changes)
    folder.write_chain(chain)


def _other_log(folder: DockedFolder, name: str, *, believed: bool) -> None:
    other = PaperLog(seeded_signer(name, "other log"))
    folder.write_chain(record_keys(other, changes=2))
    if believed:
        vkey = other.signer.verifier.vkey
        folder.policy_file.write_text(f"log {folder.vkey}\nlog {vkey}\nquorum none\n")


def _split_log(folder: DockedFolder) -> None:
    """The log's own key signs two histories of one size: one for the clip, one for the dock."""
    other = PaperLog()
    chain = record_keys(other, changes=2)
    other.pad(len(folder.log.entries) - len(other.entries))
    folder.write_chain([replace(one, proof=other.prove(parse_proof(one.proof).index)) for one in chain])


def _late_entry(folder: DockedFolder) -> None:
    """A change of key that stands behind the clip in the log."""
    folder.write_chain([*folder.chain, _entry(folder, rotated(3))])


def _hole(folder: DockedFolder) -> None:
    folder.write_chain([folder.chain[0], folder.chain[2]])


def _change(folder: DockedFolder, payload: dict[str, JsonValue]) -> None:
    """An enrolment and one change as given, then a clip under the new key, all in the log."""
    log = PaperLog()
    chain = [
        log.record(enrolled(), kind="dock.enrolled", subject=SUBJECT),
        log.record(payload, kind="dock.key_rotated", subject=SUBJECT),
    ]
    folder.log = log
    folder.write_receipt(log.record(docked_payload(CONTENT, signer=key_of(1))))
    folder.write_chain(chain)


def _signed_by_three() -> dict[str, JsonValue]:
    old, new = key_of(0), key_of(1)
    change = DockKeyChange(dock=DOCK, sequence=1, old=old.verifier, new=new.verifier)
    note = sign_dock_key(change, old=old, new=new).decode()
    text = note.partition("\n\n")[0] + "\n"
    return rotated(1) | {"note": note + key_of(7).sign(text).line()}


def _false_line(folder: DockedFolder) -> None:
    stated = rotated(1)
    note = str(stated["note"])
    text = note.partition("\n\n")[0] + "\n"
    line = seeded_signer(key_of(0).name, "thief").sign(text).line()
    first = note.partition("\n\n")[2].partition("\n")[0] + "\n"
    kept = first.rpartition(" ")[2][:5]
    forged = line.rpartition(" ")[0] + " " + kept + line.rpartition(" ")[2][5:]
    _change(folder, stated | {"note": note.replace(first, forged)})


def _altered_commitment(folder: DockedFolder) -> None:
    payload = canonical_json(enrolled() | {"name": "二号采集站"})
    _rewrite(folder, 0, payload=payload)


def _forged_entry(folder: DockedFolder) -> None:
    """A whole entry made up, with its commitment, put on the honest proof."""
    entry = decode_entry(folder.chain[0].entry)
    payload = canonical_json(enrolled() | {"vkey": key_of(9).verifier.vkey})
    forged = replace(entry, commit=commitment(salt=folder.chain[0].salt, payload=payload))
    _rewrite(folder, 0, payload=payload, entry=encode_entry(forged))


def _moved(folder: DockedFolder) -> None:
    proof = parse_proof(folder.chain[1].proof)
    _rewrite(folder, 1, proof=format_proof(replace(proof, index=proof.index + 1)))


def _other_recorder(folder: DockedFolder) -> None:
    folder.dock_file.unlink()
    _reseal(folder, docked_payload(CONTENT, signer=key_of(2), recorder="OTHER"))


def _raw(folder: DockedFolder, change: Callable[[bytes], bytes]) -> None:
    folder.dock_file.write_bytes(change(folder.dock_file.read_bytes()))


SPOILERS: dict[str, tuple[Spoil, list[str]]] = {
    "honest": (lambda folder: None, []),
    "not shown": (lambda folder: folder.dock_file.unlink(), ["dock.not_shown"]),
    "empty": (lambda folder: _raw(folder, lambda _: b""), ["dock.malformed"]),
    "cut in the middle": (lambda folder: _raw(folder, lambda raw: raw[: len(raw) // 2]), ["dock.malformed"]),
    "last newline missing": (lambda folder: _raw(folder, lambda raw: raw[:-1]), ["dock.malformed"]),
    "a line too many": (lambda folder: _raw(folder, lambda raw: raw + b"\n"), ["dock.malformed"]),
    "not receipts": (lambda folder: _raw(folder, lambda _: b"a\nb\n"), ["dock.malformed"]),
    "not text": (lambda folder: _raw(folder, lambda _: b"\xff\n\xfe\n"), ["dock.malformed"]),
    "a receipt that is none": (
        lambda folder: _raw(folder, lambda raw: raw + b"shilu/receipt/v1\n{}\n"),
        ["dock.malformed"],
    ),
    "too many receipts": (lambda folder: folder.write_chain(folder.chain[:1] * 2001), ["dock.malformed"]),
    "huge": (lambda folder: _raw(folder, lambda _: b"x" * (8 * 1024 * 1024 + 1)), ["dock.malformed"]),
    "receipts of another dock": (
        lambda folder: folder.write_chain(record_keys(folder.log, changes=1, dock=OTHER_DOCK)),
        ["dock.other_dock"],
    ),
    "receipts of a log that is not believed": (
        lambda folder: _other_log(folder, "other.example/log", believed=False),
        ["dock.entry_unproved"],
    ),
    "receipts of a log of the same name": (
        lambda folder: _other_log(folder, ORIGIN, believed=False),
        ["dock.entry_unproved"],
    ),
    "receipts of another log that is believed": (
        lambda folder: _other_log(folder, "other.example/log", believed=True),
        ["dock.other_log"],
    ),
    "two histories": (_split_log, ["dock.other_log"]),
    "enrolment left out": (lambda folder: folder.write_chain(folder.chain[1:]), ["dock.chain_broken"]),
    "hole in the chain": (_hole, ["dock.chain_broken"]),
    "last change left out": (lambda folder: folder.write_chain(folder.chain[:-1]), ["dock.manifest_unsigned"]),
    "the other way round": (lambda folder: folder.write_chain(folder.chain[::-1]), ["dock.chain_broken"]),
    "an entry twice": (
        lambda folder: folder.write_chain([folder.chain[0], *folder.chain]),
        ["dock.out_of_order"],
    ),
    "change behind the clip": (_late_entry, ["dock.out_of_order"]),
    "payload not committed": (_altered_commitment, ["dock.entry_unproved"]),
    "salt swapped": (lambda folder: _rewrite(folder, 1, salt=bytes(32)), ["dock.entry_unproved"]),
    "entry made up": (_forged_entry, ["dock.entry_unproved"]),
    "entry no JSON": (lambda folder: _rewrite(folder, 1, entry=b"[]"), ["dock.entry_unproved"]),
    "payload no object": (lambda folder: _rewrite(folder, 1, payload=b"[]"), ["dock.entry_unproved"]),
    "proof of another place": (_moved, ["dock.entry_unproved"]),
    "proof garbled": (lambda folder: _rewrite(folder, 2, proof=b"x"), ["dock.entry_unproved"]),
    "change by a thief": (
        lambda folder: _change(folder, rotated(1, old=seeded_signer(key_of(0).name, "thief"))),
        ["dock.chain_broken"],
    ),
    "change with a third line": (lambda folder: _change(folder, _signed_by_three()), ["dock.chain_broken"]),
    "change with a false line": (_false_line, ["dock.chain_broken"]),
    "change out of turn": (
        lambda folder: _change(folder, rotated(1) | {"sequence": 2}),
        ["dock.chain_broken"],
    ),
    "change numbered true": (lambda folder: _change(folder, rotated(1) | {"sequence": True}), ["dock.chain_broken"]),
    "change without a key": (lambda folder: _change(folder, rotated(1) | {"vkey": 7}), ["dock.chain_broken"]),
    "change to another dock's key": (
        lambda folder: _change(folder, rotated(1) | {"vkey": key_of(1, dock=OTHER_DOCK).verifier.vkey}),
        ["dock.chain_broken"],
    ),
    "change without a note": (lambda folder: _change(folder, rotated(1) | {"note": None}), ["dock.chain_broken"]),
    "manifest by a superseded key": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(1))),
        ["dock.key_superseded"],
    ),
    "manifest by a stranger": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(9))),
        ["dock.manifest_unsigned"],
    ),
    "manifest of another clip": (
        lambda folder: _reseal(
            folder,
            docked_payload(CONTENT, signer=key_of(2))
            | {"manifest": docked_payload(b"other", signer=key_of(2))["manifest"]},
        ),
        ["dock.manifest_differs"],
    ),
    "manifest of another path, by a stranger": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(9), path="DCIM/other.mp4")),
        ["dock.manifest_differs", "dock.manifest_unsigned"],
    ),
    "manifest of another recorder, not shown": (
        _other_recorder,
        ["dock.manifest_differs", "dock.not_shown"],
    ),
    "manifest left out": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(2), manifest=None)),
        ["dock.manifest_missing"],
    ),
    "manifest no note": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(2), manifest="x")),
        ["dock.manifest_malformed"],
    ),
    "dock is a number": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(2), dock=7)),
        ["dock.manifest_missing"],
    ),
    "nested too deep to be signed": (
        lambda folder: _reseal(folder, docked_payload(CONTENT, signer=key_of(2), recorder=[[[[[[[["x"]]]]]]]])),
        ["dock.manifest_differs"],
    ),
}
"""Name -> how a folder is spoilt, and the codes of everything that is not in order then."""
