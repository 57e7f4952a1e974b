"""Receipt: the service's answer that something is sealed, checkable by anybody who knows the log's key.

```
shilu/receipt/v1
{"entry":"<canonical JSON>","payload":"<canonical JSON>","proof":"<tlog-proof>","salt":"<base64>"}
```

A receipt is not signed by itself: the checkpoint inside its proof is. `check_receipt` meets four obligations, in order:

1. the entry is canonical and of the known shape;
2. payload and salt are what the entry commits to;
3. the entry is in the log of the proof's checkpoint, at the stated index;
4. that checkpoint is signed by the log key which the caller trusts, and where the caller hands in a policy, cosigned
   by its quorum of witnesses.

The caller owes two more: that the log key came from a trusted place (a dock: its enrolment), and that the payload
speaks of what the caller means; for a sealed clip see `evidence.core.wire.sealed`.
"""

from __future__ import annotations

from dataclasses import dataclass

from evidence.core.wire.fields import take_object, take_text
from evidence.core.wire.statement import format_text, parse_text
from evidence.errors import ReceiptMismatch, WireLimit, WireMalformed
from ledger.canonical import (
    PAYLOAD_BYTES_MAX,
    SALT_BYTES,
    Entry,
    JsonObject,
    commitment,
    decode_entry,
    parse_canonical,
)
from ledger.checkpoint import Checkpoint
from ledger.errors import CodedError
from ledger.key_history import KeyHistory
from ledger.lexemes import format_base64, parse_base64
from ledger.note import Verifier
from ledger.policy import Policy
from ledger.proof import check_proof, parse_proof

VERSION = "shilu/receipt/v1"

RECEIPT_BYTES_MAX = 2 * PAYLOAD_BYTES_MAX + 1024 * 1024
"""Longest receipt in bytes: the payload as a JSON string, quotes escaped, and some room for entry and proof."""

_NAMES = frozenset({"entry", "payload", "salt", "proof"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The parts of a receipt as they came, nothing checked but their lengths.

    Attributes:
        entry: Canonical JSON of the ledger entry, the leaf's bytes.
        payload: Canonical JSON that the entry commits to.
        salt: 32 bytes.
        proof: A tlog-proof of the entry against a signed checkpoint.
    """

    entry: bytes
    payload: bytes
    salt: bytes
    proof: bytes

    def __post_init__(self) -> None:
        if len(self.salt) != SALT_BYTES:
            raise WireMalformed(f"the salt has {len(self.salt)} bytes instead of {SALT_BYTES}")
        if len(self.payload) > PAYLOAD_BYTES_MAX:
            raise WireLimit(f"the payload has {len(self.payload)} bytes, at most {PAYLOAD_BYTES_MAX} are allowed")


@dataclass(frozen=True, slots=True)
class CheckedReceipt:
    """What a receipt proves.

    Attributes:
        entry: The ledger entry.
        payload: What the entry commits to.
        index: Place of the entry in the log, from 0.
        checkpoint: The log's signed state that the proof leads to.
    """

    entry: Entry
    payload: JsonObject
    index: int
    checkpoint: Checkpoint


def format_receipt(receipt: Receipt) -> bytes:
    """Write a receipt.

    Raises:
        WireMalformed: A part is not UTF-8.
        WireLimit: It is too long.
    """
    try:
        body: JsonObject = {
            "entry": receipt.entry.decode(),
            "payload": receipt.payload.decode(),
            "salt": format_base64(receipt.salt),
            "proof": receipt.proof.decode(),
        }
    except UnicodeDecodeError as error:
        raise WireMalformed("a part of the receipt is not UTF-8") from error
    return format_text(body, version=VERSION, bytes_max=RECEIPT_BYTES_MAX).encode()


def parse_receipt(raw: bytes) -> Receipt:
    """Read what `format_receipt` wrote; nothing is proved yet.

    Raises:
        WireError: It is no receipt; see the subclasses.
    """
    if len(raw) > RECEIPT_BYTES_MAX:
        raise WireLimit(f"the receipt has {len(raw)} bytes, at most {RECEIPT_BYTES_MAX} are allowed")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise WireMalformed("the receipt is not UTF-8") from error
    parsed = parse_text(text, version=VERSION, bytes_max=RECEIPT_BYTES_MAX)
    body = take_object(parsed, names=_NAMES, where="receipt")
    return Receipt(
        entry=take_text(body["entry"], where="entry").encode(),
        payload=take_text(body["payload"], where="payload").encode(),
        salt=_take_salt(take_text(body["salt"], where="salt")),
        proof=take_text(body["proof"], where="proof").encode(),
    )


def check_receipt(receipt: Receipt, *, log: Verifier | KeyHistory, policy: Policy | None = None) -> CheckedReceipt:
    """Meet the four obligations of the module's front page and return what is proved.

    Args:
        log: The log's key, from a place the caller trusts, never from beside the receipt; or the keys that lead on
            from it.
        policy: Witnesses and quorum, from such a place too; None asks for no cosignature.

    Raises:
        CodedError: The obligation that failed: an entry, receipt, proof, note or policy error.
    """
    entry = decode_entry(receipt.entry)
    payload = open_payload(entry, payload=receipt.payload, salt=receipt.salt)
    proof = parse_proof(receipt.proof)
    checkpoint = check_proof(proof, entry=receipt.entry, log=log)
    if policy is not None:
        policy.open_checkpoint(proof.checkpoint)
    return CheckedReceipt(entry=entry, payload=payload, index=proof.index, checkpoint=checkpoint)


def open_payload(entry: Entry, *, payload: bytes, salt: bytes) -> JsonObject:
    """Check that an entry commits to a payload and return it.

    Raises:
        ReceiptMismatch: It commits to something else.
        WireMalformed: What it commits to is not a canonical JSON object.
    """
    if commitment(salt=salt, payload=payload) != entry.commit:
        raise ReceiptMismatch("the entry does not commit to this payload and salt")
    return parse_payload(payload)


def parse_payload(payload: bytes) -> JsonObject:
    """Read a payload without asking whether anything commits to it.

    Raises:
        WireMalformed: It is not a canonical JSON object.
    """
    try:
        value = parse_canonical(payload, bytes_max=PAYLOAD_BYTES_MAX)
    except CodedError as error:
        raise WireMalformed(f"the payload is not canonical JSON: {error.message}") from error
    if not isinstance(value, dict):
        raise WireMalformed("the payload is not an object")
    return value


def _take_salt(text: str) -> bytes:
    try:
        return parse_base64(text)
    except ValueError as error:
        raise WireMalformed("the salt is not base64 in its one spelling") from error
