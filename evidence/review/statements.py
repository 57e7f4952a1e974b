"""What handlers and reviewers sign: the declaration over a submission, and the opinion. Pure.

The signature is Ed25519 over the canonical JSON (RFC 8785) of the statement exactly as it is sent: every field is
stated, what may be left out is left out. The format's name stands in the text, so no statement can pass for another
kind; case, round and root stand in it, so none can be used again elsewhere. Whoever has the statement, the signature
and the person's key verifies it without this house.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from evidence.clips.parts import Key, Part, Remark
from evidence.custody.payloads import Digest, Id, Octets, Ordinal
from evidence.review.errors import OpinionRefused, SignatureInvalid
from evidence.review.rules import Row
from ledger.canonical import JsonObject, JsonValue, canonical_json
from ledger.keys import KeyType, PublicKey
from ledger.lexemes import format_base64
from ledger.note import ed25519_verifies

DECLARATION = "shilu-review-declaration/1"
OPINION = "shilu-review-opinion/1"
PERSON_KEY = "shilu-person-key/1"

KEY_BYTES = 32
SIGNATURE_BYTES = 64

PROBLEMS_MAX = 200
REFERENCES_MAX = 100

PublicKeyBytes = Annotated[Octets, Field(min_length=KEY_BYTES, max_length=KEY_BYTES)]
SignatureBytes = Annotated[Octets, Field(min_length=SIGNATURE_BYTES, max_length=SIGNATURE_BYTES)]


class MaterialGiven(Part):
    """Something that is handed in: a document of the case, or in words where it is found."""

    key: Key
    document: Id | None = None
    note: Remark | None = None


class Answer(Part):
    """What was done about a problem of the last opinion."""

    problem: Ordinal
    answer: Remark


class _Signed(Part):
    """Base of what is signed."""

    case: Id
    round: Ordinal
    root: Digest
    by: Id

    def as_json(self) -> JsonObject:
        """Return the statement as it is signed and as payloads state it."""
        stated: dict[str, JsonValue] = self.model_dump(mode="json", exclude_none=True)
        return stated


class Declaration(_Signed):
    """A handler answers for what is submitted: 真实性、准确性、完整性 (R32).

    Attributes:
        root: The case's evidence root as it stands.
        rules: The version of rules it is submitted under.
        answers: One to every problem of the last opinion.
        declares: In the handler's words.
    """

    format: Literal["shilu-review-declaration/1"]
    rules: Id
    materials: Annotated[list[MaterialGiven], Field(max_length=100)]
    answers: Annotated[list[Answer], Field(max_length=PROBLEMS_MAX)]
    declares: Remark


class Judgement(Part):
    """What a reviewer finds on one point; `evidence` names exhibits and documents as the reviewer calls them."""

    row: Key
    verdict: Literal["ok", "problem", "not_applicable", "transfer"]
    note: Remark
    evidence: Annotated[list[Annotated[str, Field(min_length=1, max_length=400)]], Field(max_length=REFERENCES_MAX)]


class OpinionProblem(Part):
    """Something that has to be put right, by its number in the opinion, from 1."""

    problem: Ordinal
    row: Key
    text: Remark


class Opinion(_Signed):
    """A written opinion: 同意 (`approve`) or 存在问题 (`problems`) (R28).

    Attributes:
        root: That of the submission.
        submission: Entry of the submission.
        rows: One judgement of every row that is asked.
    """

    format: Literal["shilu-review-opinion/1"]
    submission: Id
    conclusion: Literal["approve", "problems"]
    rows: Annotated[list[Judgement], Field(max_length=100)]
    problems: Annotated[list[OpinionProblem], Field(max_length=PROBLEMS_MAX)]


def person_key_text(*, staff: str, key: bytes) -> JsonObject:
    """Return what a person signs with a new key, to show that they have it."""
    return {"format": PERSON_KEY, "key": format_base64(key), "staff": staff}


def signature_holds(statement: JsonObject, *, key: bytes, signature: bytes) -> bool:
    """Tell whether a signature is by a key over a statement."""
    return ed25519_verifies(PublicKey("person", KeyType.ED25519, key), canonical_json(statement), signature)


def check_signature(statement: JsonObject, *, key: bytes, signature: bytes) -> None:
    """Refuse a signature that is not by a key over a statement.

    Raises:
        SignatureInvalid: The details show the text that has to be signed.
    """
    if not signature_holds(statement, key=key, signature=signature):
        text = canonical_json(statement).decode()
        raise SignatureInvalid("the signature is not by the person's key over this statement", signed=text[:4096])


def check_opinion(opinion: Opinion, rows: Iterable[Row]) -> None:
    """Refuse an opinion that leaves a row blank, judges one that is not asked, or contradicts itself (R27).

    Raises:
        OpinionRefused: `details["problems"]` names each place.
    """
    asked = {row.key: row for row in rows}
    given = [one.row for one in opinion.rows]
    wrong = [f"{key} is not judged" for key in asked if key not in given]
    wrong += [f"{key} is not asked" for key in given if key not in asked]
    wrong += [f"{key} is judged twice" for key in sorted({key for key in given if given.count(key) > 1})]
    for one in opinion.rows:
        row = asked.get(one.row)
        if one.verdict == "transfer" and (row is None or row.opens != "transfer"):
            wrong.append(f"{one.row} is no row about transfer to the judiciary")
    bad = {one.row for one in opinion.rows if one.verdict == "problem"}
    if [one.problem for one in opinion.problems] != list(range(1, len(opinion.problems) + 1)):
        wrong.append("problems are numbered from 1")
    named = {one.row for one in opinion.problems}
    wrong += [f"{key} is a problem that no problem names" for key in sorted(bad - named)]
    wrong += [f"a problem names {key}, which is judged otherwise" for key in sorted(named - bad)]
    if opinion.conclusion == "approve" and (bad or opinion.problems):
        wrong.append("an approval has no problems")
    if opinion.conclusion == "problems" and not opinion.problems:
        wrong.append("an opinion that there are problems names them")
    if wrong:
        raise OpinionRefused(f"{len(wrong)} things are wrong with the opinion, first: {wrong[0]}", problems=wrong[:50])
