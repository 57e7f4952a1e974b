"""Accepting proposals over HTTP (R14): by whoever has looked, once, and never over people's words."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from evidence.parties.roles import Role
from ingest.media.transcript import Said
from tests.support.service import Reply, RunningService
from tests.support.transcripts import transcribed

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def look(service: RunningService, clip: UUID, *, role: Role = Role.INVESTIGATOR) -> None:
    view = {"purpose": "legal_review", "rendition": "original"}
    assert (await service.ask("POST", f"/v1/clips/{clip}/views", role=role, json=view)).status == 201


async def accept(
    service: RunningService,
    clip: UUID,
    entry: str,
    *utterances: dict[str, Any],
    role: Role = Role.INVESTIGATOR,
    headers: dict[str, str] | None = None,
    **more: Any,
) -> Reply:
    body = {"transcript": entry, "utterances": list(utterances), **more}
    return await service.ask("POST", f"/v1/clips/{clip}/proposals/accept", role=role, json=body, headers=headers)


async def newest(service: RunningService, clip: UUID) -> Any:
    return (await service.ask("GET", f"/v1/clips/{clip}", role=Role.REVIEWER)).json()["annotation"]


async def test_r14_a_person_stands_for_what_they_accept_and_the_proposal_stays(shared: RunningService) -> None:
    clip, entry, _ = await transcribed(shared)
    await look(shared, clip)
    wang = {"key": "wang", "role": "party", "name": f"王{uuid4().hex}"}
    text = f"排口在这里{uuid4().hex}"
    made = await accept(
        shared, clip, entry, {"index": 0, "text": text}, {"index": 1}, voices={"S1": "wang"}, speakers=[wang]
    )
    assert (made.status, made.json()["version"]) == (201, 1)
    annotation = await newest(shared, clip)
    first, second = annotation["content"]["dialogue"]
    assert first == {
        "from_ms": 0, "to_ms": 900, "text": text, "speaker": "wang", "source": "asr", "confidence": 870,
        "reviewed_by": annotation["annotated_by"], "proposal": {"entry": entry, "index": 0, "text": "排狗在这里"},
    }  # fmt: skip
    assert (second["reviewed_by"], "confidence" in second) == (annotation["annotated_by"], False)
    query = {"q": f"{text} speaker:当事人"}
    (found,) = (await shared.ask("GET", "/v1/clips", role=Role.REVIEWER, params=query)).json()["items"]
    assert (found["clip"], found["hits"][0]["at_ms"]) == (str(clip), 0)


async def test_r14_a_newer_transcript_changes_nothing_that_was_accepted(shared: RunningService) -> None:
    clip, entry, _ = await transcribed(shared)
    await look(shared, clip)
    assert (await accept(shared, clip, entry, {"index": 1})).status == 201
    before = await newest(shared, clip)
    _, newer, _ = await transcribed(shared, (Said(0, 900, "别的", None, None),), clip)
    assert await newest(shared, clip) == before
    assert (await accept(shared, clip, entry, {"index": 0})).status == 201
    assert (await accept(shared, clip, newer, {"index": 0})).status == 201
    assert [said["text"] for said in (await newest(shared, clip))["content"]["dialogue"]] == [
        "排狗在这里",
        "别的",
        "是",
    ]


async def test_nobody_stands_for_what_they_have_not_looked_at(shared: RunningService) -> None:
    clip, entry, _ = await transcribed(shared)
    await look(shared, clip, role=Role.ARCHIVIST)
    refused = await accept(shared, clip, entry, {"index": 0})
    assert (refused.status, refused.code) == (409, "proposal.unseen")
    assert (await accept(shared, clip, entry, {"index": 0}, role=Role.ARCHIVIST)).status == 201


async def test_a_proposal_is_taken_over_once(shared: RunningService) -> None:
    clip, entry, _ = await transcribed(shared)
    await look(shared, clip)
    replies = await asyncio.gather(*(accept(shared, clip, entry, {"index": 0, "text": f"甲{n}"}) for n in range(5)))
    assert sorted((reply.status, reply.code) for reply in replies if reply.code) == [(409, "proposal.taken")] * 4
    assert len((await newest(shared, clip))["content"]["dialogue"]) == 1
    key = {"Idempotency-Key": uuid4().hex}
    first = await accept(shared, clip, entry, {"index": 1}, headers=key)
    again = await accept(shared, clip, entry, {"index": 1}, headers=key)
    assert (first.status, first.body) == (again.status, again.body)


async def test_whoever_names_a_version_has_seen_it(shared: RunningService) -> None:
    clip, entry, _ = await transcribed(shared)
    await look(shared, clip)
    assert (await accept(shared, clip, entry, {"index": 0}, headers={"If-Match": '"0"'})).status == 201
    stale = await accept(shared, clip, entry, {"index": 0}, headers={"If-Match": '"0"'})
    assert (stale.status, stale.code) == (412, "annotation.stale")
    assert (await accept(shared, clip, entry, {"index": 1}, headers={"If-Match": "1"})).code == "request.header"


async def test_what_is_no_proposal(shared: RunningService) -> None:
    clip, entry, _digest = await transcribed(shared)
    await look(shared, clip)
    assert (await accept(shared, clip, str(uuid4()), {"index": 0})).code == "proposal.unknown"
    assert (await accept(shared, clip, entry, {"index": 3})).code == "proposal.unknown"
    assert (await accept(shared, clip, entry, {"index": 2})).code == "annotation.invalid"
    assert (await accept(shared, clip, entry, {"index": 0, "speaker": "nobody"})).code == "annotation.invalid"
    assert (await accept(shared, clip, entry, {"index": 0, "text": "王\u202e强"})).code == "annotation.invalid"
    assert (await accept(shared, clip, entry)).code == "request.invalid"
    assert (await accept(shared, clip, entry, *({"index": n} for n in range(10_000)))).code == "request.invalid"
    assert (await accept(shared, uuid4(), entry, {"index": 0})).code == "clip.unknown"
    _other, foreign, _ = await transcribed(shared)
    assert (await accept(shared, clip, foreign, {"index": 0})).code == "proposal.unknown"
    assert await newest(shared, clip) is None


async def test_nobody_stands_for_words_that_somebody_changed_in_the_store(shared: RunningService) -> None:
    clip, entry, digest = await transcribed(shared, (Said(0, 9, f"原话{uuid4()}", None, None),))
    await look(shared, clip)
    path = shared.services.objects.open_path(digest)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace("原话".encode(), "假话".encode()))
    refused = await accept(shared, clip, entry, {"index": 0})
    assert (refused.status, refused.code) == (500, "object.damaged")
    path.unlink()
    assert (await accept(shared, clip, entry, {"index": 0})).code == "object.missing"
