"""Whether a recorder may be cleared yet, by what the ledger says: where the house asks for it, the copy comes first.

A payload that seals a clip may state `second_store`: the address of a store in which the original has to be as well. An
entry `clip.copied` states that it is. The answer to a dock then is two receipts in a row, of the seal and of the copy,
each in the format of `evidence.core.wire.receipt`; without the statement it is the first alone.

`check_copied` meets the obligations for the second one, after those of `check_receipt`:

1. the entry is a `clip.copied` about the clip that was sealed;
2. it names the very store that the seal asks for;
3. among its objects is the original, by digest and size.
"""

from __future__ import annotations

from evidence.core.wire.receipt import VERSION, CheckedReceipt, Receipt, parse_receipt
from evidence.core.wire.sealed import SealedClip
from evidence.errors import ReceiptMismatch, WireMalformed
from ledger.canonical import JsonObject

COPIED_TYPE = "clip.copied"


def split_receipts(raw: bytes) -> tuple[Receipt, Receipt | None]:
    """Read the receipt of a seal and, when it is there, that of its copy; nothing is proved yet.

    Raises:
        WireError: It is not one or two receipts.
    """
    lines = raw.split(b"\n")
    if len(lines) != 5 or lines[2] != VERSION.encode():
        return parse_receipt(raw), None
    return parse_receipt(b"\n".join((*lines[:2], b""))), parse_receipt(b"\n".join(lines[2:]))


def asked_store(payload: JsonObject) -> str | None:
    """Return the store that a sealing payload asks for; None when the seal is enough.

    Raises:
        WireMalformed: What it states is no text.
    """
    store = payload.get("second_store")
    if store is not None and not isinstance(store, str):
        raise WireMalformed("second_store is no text")
    return store


def check_copied(copy: CheckedReceipt, sealed: SealedClip, *, store: str) -> None:
    """Meet the obligations of the module's front page.

    Raises:
        ReceiptMismatch: The one that failed.
    """
    if copy.entry.type != COPIED_TYPE or copy.entry.subject != f"clip:{sealed.clip}":
        raise ReceiptMismatch(f"the second receipt is about {copy.entry.subject!r}, a {copy.entry.type!r}")
    if copy.payload.get("clip") != str(sealed.clip):
        raise ReceiptMismatch("the copy is one of another clip")
    if copy.payload.get("store") != store:
        raise ReceiptMismatch(f"the copy is in {copy.payload.get('store')!r}, and {store!r} was asked for")
    objects = copy.payload.get("objects")
    original = {"sha256": sealed.digest.sha256.hex(), "size": sealed.digest.size}
    for one in objects if isinstance(objects, list) else []:
        if isinstance(one, dict) and {name: one.get(name) for name in original} == original:
            return
    raise ReceiptMismatch("the copy is not one of the original")
