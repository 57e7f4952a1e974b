"""The link's table of meanings, tus metadata, and who the station says it is."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import OKPKey

from dockstation.errors import (
    DockError,
    DockNotAccepted,
    OffsetConflict,
    ServiceBusy,
    ServiceMalformed,
    ServiceObjects,
    ServiceRefused,
    UploadGone,
)
from dockstation.identity import TOKEN_SECONDS, Enrolment, TokenMaker
from dockstation.link import Answer, asked_seconds, explain
from dockstation.tus import _meaning, format_metadata, upload_id
from evidence.core.wire.statement import dock_key_name
from ledger.note import Signer
from tests.support.clock import SeededEntropy, SteppingClock
from tests.support.dock_journal import DOCK


def problem(status: int, retry: str = "", code: str = "x.y", **headers: str) -> DockError:
    body = f'{{"code": "{code}", "retry": "{retry}", "detail": "because"}}'.encode()
    return explain(Answer(status, headers, body))


@pytest.mark.parametrize(
    ("status", "retry", "meaning"),
    [
        (400, "never", ServiceRefused),
        (413, "never", ServiceRefused),
        (415, "never", ServiceRefused),
        (409, "fixed", ServiceObjects),
        (412, "fixed", ServiceObjects),
        (400, "", ServiceObjects),
        (404, "later", ServiceBusy),
        (408, "later", ServiceBusy),
        (401, "fixed", DockNotAccepted),
        (401, "never", DockNotAccepted),
        (403, "never", DockNotAccepted),
        (429, "", ServiceBusy),
        (500, "later", ServiceBusy),
        (502, "", ServiceBusy),
        (503, "later", ServiceBusy),
        (507, "later", ServiceBusy),
        # A server error that calls itself final is still the server's: the file is not to blame.
        (503, "never", ServiceBusy),
        (301, "", ServiceMalformed),
    ],
)
def test_every_answer_of_failure_has_one_meaning(status: int, retry: str, meaning: type[DockError]) -> None:
    error = problem(status, retry)
    assert type(error) is meaning
    assert error.details["status"] == status
    assert error.details["service_code"] == "x.y"


@pytest.mark.parametrize("body", [b"", b"<html>Bad gateway</html>", b"[]", b"\xff", b'{"code": 1, "retry": []}'])
def test_a_proxy_s_own_words_have_the_meaning_of_their_status(body: bytes) -> None:
    assert type(explain(Answer(502, {}, body))) is ServiceBusy
    assert type(explain(Answer(404, {}, body))) is ServiceObjects


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [("7", 7, 7), ("", 0, 0), ("soon", 0, 0), ("-3", 0, 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0), ("٣", 0, 0)],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value: str, low: float, high: float) -> None:
    assert low <= asked_seconds(problem(503, "later", **{"Retry-After": value})) <= high


def test_retry_after_as_a_date_in_the_future() -> None:
    at = (datetime.now(UTC) + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    assert 50 < asked_seconds(problem(503, "later", **{"Retry-After": at})) <= 60


@pytest.mark.parametrize(
    ("status", "code", "meaning"),
    [
        (404, "upload.unknown", UploadGone),
        (410, "upload.terminated", UploadGone),
        (409, "upload.finished", UploadGone),
        (409, "upload.offset_mismatch", OffsetConflict),
        (413, "upload.too_large", ServiceRefused),
    ],
)
def test_failures_about_an_upload(status: int, code: str, meaning: type[DockError]) -> None:
    assert type(_meaning(problem(status, "never", code))) is meaning


@given(st.text(max_size=200))
def test_metadata_carries_any_path(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:
        return
    written = format_metadata({"path": path, "raw": "true"})
    assert written.isascii()
    first, last = written.split(",")
    assert base64.b64decode(first.partition(" ")[2]).decode() == path
    assert last == "raw dHJ1ZQ=="


@pytest.mark.parametrize("text", ["", "uploads", "uploads/7", "uploads/../../v1/docks", "x" * 36])
def test_what_is_no_upload_is_not_asked_about(text: str) -> None:
    with pytest.raises(ServiceMalformed):
        upload_id(text)


def tokens(clock: SteppingClock) -> tuple[TokenMaker, Signer]:
    entropy = SeededEntropy(3)
    signer = Signer.generate(dock_key_name(DOCK), entropy)
    log = Signer.generate("log.test/x", entropy).verifier
    enrolment = Enrolment(DOCK, "n", "http://x", "log.test/x", log, "")
    return TokenMaker(enrolment, signer, clock=clock), signer


def claims_of(token: str, signer: Signer) -> dict[str, object]:
    raw = base64.urlsafe_b64encode(signer.verifier.key.raw).rstrip(b"=").decode()
    decoded = jwt.decode(token, OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": raw}), algorithms=["Ed25519"])
    assert decoded.header == {"alg": "Ed25519", "kid": signer.verifier.key_id.hex(), "typ": "JWT"}
    return dict(decoded.claims)


def test_a_token_names_the_station_the_log_and_five_minutes() -> None:
    clock = SteppingClock()
    maker, signer = tokens(clock)
    claims = claims_of(maker.token(), signer)
    issued = int(clock.now.timestamp())
    assert claims == {"iss": str(DOCK), "aud": "log.test/x", "iat": issued, "exp": issued + TOKEN_SECONDS}


def test_a_token_is_kept_while_it_is_good_for_a_minute() -> None:
    clock = SteppingClock()
    maker, _ = tokens(clock)
    first = maker.token()
    clock.advance(timedelta(seconds=200))
    assert maker.token() == first
    clock.advance(timedelta(seconds=60))
    assert maker.token() != first


def test_a_clock_that_is_off_follows_the_service_s() -> None:
    clock = SteppingClock()
    maker, signer = tokens(clock)
    before = maker.token()
    maker.set_service_time(clock.now + timedelta(seconds=2))
    assert maker.token() == before
    maker.set_service_time(clock.now + timedelta(days=400))
    issued = claims_of(maker.token(), signer)["iat"]
    assert isinstance(issued, int)
    assert abs(issued - (clock.now + timedelta(days=400)).timestamp()) < 3
