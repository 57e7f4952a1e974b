"""Request bodies, read whole within a limit in bytes and a limit in patience; what each route takes is data.

A body is refused for its type, its encoding or its announced length before a byte of it is read, and for its real
length as soon as that is exceeded. Uploads are not read here: their bytes go straight to the intake.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from aiohttp import ClientPayloadError, web
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from api.errors import (
    BodyCutShort,
    BodyTooLarge,
    BodyTooSlow,
    EncodingRefused,
    MediaTypeRefused,
    RequestInvalid,
    RequestMalformed,
)
from evidence.core.wire.statement import STATEMENT_BYTES_MAX

JSON = "application/json"
NOTE = "text/plain"

FIELD_ERRORS_MAX = 20
"""Most field errors that are named in one problem."""

BodyT_co = TypeVar("BodyT_co", covariant=True)
ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """How long a JSON body may be, in bytes, and how long its next piece may take, in seconds."""

    json_bytes_max: int
    seconds_max: float


class Body(Protocol[BodyT_co]):
    """What a route takes as its body."""

    @property
    def media_type(self) -> str | None:
        """The media type it has to have; None when there is no body."""
        ...

    async def read(self, request: web.Request, limits: BodyLimits) -> BodyT_co:
        """Read and judge the body of a request."""
        ...


class RequestModel(BaseModel):
    """Base of all JSON requests: unknown fields and NUL characters are refused, values do not change type."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _no_nul(cls, value: object) -> object:
        # PostgreSQL keeps no NUL in texts; it is refused here for every field at once, nested ones included.
        _refuse_nul(value)
        return value


@dataclass(frozen=True, slots=True)
class Nothing:
    """No body; one that is sent nevertheless is left unread."""

    media_type: None = None

    async def read(self, request: web.Request, limits: BodyLimits) -> None:
        """Read nothing."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A body that the handler takes piece by piece; only its encoding is judged here."""

    media_type: str

    async def read(self, request: web.Request, limits: BodyLimits) -> None:
        """Refuse a content encoding, read nothing."""
        check_encoding(request)


@dataclass(frozen=True, slots=True)
class JsonBody(Generic[ModelT]):
    """A JSON object that is a model."""

    model: type[ModelT]
    media_type: str = JSON

    async def read(self, request: web.Request, limits: BodyLimits) -> ModelT:
        """Read and validate.

        Raises:
            ApiError: The body is no UTF-8 JSON, does not fit the model, or is refused by `read_whole`.
        """
        raw = await read_whole(
            request, media_type=JSON, bytes_max=limits.json_bytes_max, seconds_max=limits.seconds_max
        )
        try:
            return self.model.model_validate_json(raw)
        except ValidationError as error:
            fields = field_errors(error)
            if fields[0]["type"] == "json_invalid":
                raise RequestMalformed(f"the body is not JSON: {fields[0]['problem']}") from error
            raise RequestInvalid("the body does not fit", fields=fields) from error
        except RecursionError as error:
            raise RequestMalformed("the body is nested too deeply") from error


@dataclass(frozen=True, slots=True)
class NoteBody:
    """A signed note, as bytes; what it states is the domain's business."""

    media_type: str = NOTE

    async def read(self, request: web.Request, limits: BodyLimits) -> bytes:
        """Read."""
        return await read_whole(request, media_type=NOTE, bytes_max=STATEMENT_BYTES_MAX, seconds_max=limits.seconds_max)


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file as bytes, of at most `bytes_max`; what it is, is the domain's business."""

    bytes_max: int
    media_type: str = "application/octet-stream"

    async def read(self, request: web.Request, limits: BodyLimits) -> bytes:
        """Read."""
        return await read_whole(
            request, media_type=self.media_type, bytes_max=self.bytes_max, seconds_max=limits.seconds_max
        )


async def read_whole(request: web.Request, *, media_type: str, bytes_max: int, seconds_max: float) -> bytes:
    """Return the body of a request.

    Raises:
        MediaTypeRefused: It has another type.
        EncodingRefused: It has a content encoding.
        BodyTooLarge: It is longer than `bytes_max`.
        BodyTooSlow: A piece of it took longer than `seconds_max`.
        BodyCutShort: The connection ended before the body did.
    """
    if request.content_type != media_type:
        raise MediaTypeRefused(f"the body has to be {media_type}", given=request.content_type[:80])
    check_encoding(request)
    if (request.content_length or 0) > bytes_max:
        raise BodyTooLarge("the body is too long", bytes_max=bytes_max)
    body = bytearray()
    async for piece in _pieces(request, seconds_max=seconds_max):
        body += piece
        if len(body) > bytes_max:
            raise BodyTooLarge("the body is too long", bytes_max=bytes_max)
    return bytes(body)


def check_encoding(request: web.Request) -> None:
    """Refuse a body with a content encoding.

    Raises:
        EncodingRefused: It has one.
    """
    encoding = request.headers.get("Content-Encoding", "identity")
    if encoding.strip().lower() != "identity":
        raise EncodingRefused("a body is taken as it is, without Content-Encoding", given=encoding[:40])


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    """Return what a model objects to: `field`, `type` and `problem` of the first errors; never the input itself."""
    found = error.errors(include_input=False, include_url=False, include_context=False)
    return [
        {
            "field": ".".join(str(part) for part in item["loc"])[:200],
            "type": item["type"],
            "problem": item["msg"][:200],
        }
        for item in found[:FIELD_ERRORS_MAX]
    ]


async def _pieces(request: web.Request, *, seconds_max: float) -> AsyncIterator[bytes]:
    while True:
        try:
            async with asyncio.timeout(seconds_max):
                piece = await request.content.readany()
        except TimeoutError as error:
            raise BodyTooSlow(f"nothing came for {seconds_max:g} seconds") from error
        except (ClientPayloadError, ConnectionError) as error:
            raise BodyCutShort("the connection ended before the body did") from error
        if not piece:
            return
        yield piece


def _refuse_nul(value: object) -> None:
    if isinstance(value, str) and "\0" in value:
        raise ValueError("a text holds a NUL character")
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_nul(key)
            _refuse_nul(item)
    elif isinstance(value, list):
        for item in value:
            _refuse_nul(item)
