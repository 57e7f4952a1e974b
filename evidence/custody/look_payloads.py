"""The payload of `clips.viewed`: one look at the pictures of many clips, as a grid of results shows them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from evidence.custody.payloads import Digest, Id, Payload, Word

LOOK_CLIPS_MAX = 200
"""Most clips of one look: two pages of a search."""


class ClipsViewed(Payload):
    """Somebody is about to see stills and storyboards of many clips; stated before the first byte is served.

    `clips` are all whose pictures they may fetch, `renditions` the kinds of picture, `pictures` the SHA-256 over the
    list of them (see `evidence.parties.look_store.digest_of`), `session` the public id of the session or token shown.
    """

    clips: Annotated[list[Id], Field(min_length=1, max_length=LOOK_CLIPS_MAX)]
    renditions: Annotated[list[Word], Field(min_length=1)]
    pictures: Digest
    purpose: Word
    staff: Id
    ticket: Id
    session: Id | None = None
