"""One table for all errors: complete, without strangers, and every code with one meaning."""

from __future__ import annotations

import json

import pytest

from api.errors import MethodRefused, RangeUnsatisfiable, TusVersionRefused
from api.problems import MEDIA_TYPE, PROBLEMS, Problem, Retry, Treatment, problem_response, title_of
from ledger.errors import Blame, CodedError
from tests.support.error_codes import crosses_http, errors_of_the_house

ID = "0192f0c1-2f5e-7cc3-98c4-dc0c0c07398f"


def test_every_error_that_may_leave_the_house_is_in_the_table() -> None:
    missing = {error.code for error in errors_of_the_house() if crosses_http(error)} - PROBLEMS.keys()
    assert not missing


def test_the_table_holds_no_code_that_nobody_raises() -> None:
    assert PROBLEMS.keys() - {error.code for error in errors_of_the_house()} == {CodedError.code}


def test_a_code_means_one_thing() -> None:
    codes = [error.code for error in errors_of_the_house()]
    assert len(codes) == len(set(codes))


def test_every_error_says_what_it_means() -> None:
    for error in errors_of_the_house():
        assert error.__doc__, error.__name__
        assert not title_of(error).endswith("."), error.__name__


@pytest.mark.parametrize("code", PROBLEMS)
def test_blame_status_and_retry_agree(code: str) -> None:
    treatment = PROBLEMS[code]
    blame = next((error.blame for error in errors_of_the_house() if error.code == code), Blame.BUG)
    if treatment.status >= 500:
        assert treatment.retry is Retry.LATER
    elif blame is Blame.BUG:
        pytest.fail("a bug of ours is never the caller's fault")
    if blame is Blame.WAY:
        assert treatment.retry is not Retry.NEVER


def test_a_problem_is_written_as_the_rfc_asks() -> None:
    error = RangeUnsatisfiable("the range begins behind the end", size=7)
    response = problem_response(error, PROBLEMS[error.code], request_id=ID)
    assert isinstance(response.body, bytes)
    problem = Problem.model_validate_json(response.body)
    assert problem.type == "urn:shilu:problem:request.range"
    assert problem.instance == f"urn:uuid:{ID}"
    assert problem.details == {"size": 7}
    assert response.content_type == MEDIA_TYPE
    assert response.headers["Content-Range"] == "bytes */7"


@pytest.mark.parametrize(
    ("error", "header", "value"),
    [
        (MethodRefused("no", methods=["GET", "HEAD"]), "Allow", "GET, HEAD"),
        (TusVersionRefused("no"), "Tus-Version", "1.0.0"),
    ],
)
def test_headers_that_belong_to_a_status_come_along(error: CodedError, header: str, value: str) -> None:
    response = problem_response(error, PROBLEMS[error.code], request_id=ID)
    assert response.headers[header] == value


def test_later_says_when() -> None:
    response = problem_response(CodedError("x"), Treatment(503, Retry.LATER), request_id=ID)
    assert int(response.headers["Retry-After"]) > 0


def test_details_that_json_does_not_know_are_written_as_text() -> None:
    response = problem_response(CodedError("x", thing={1}), PROBLEMS["internal"], request_id=ID)
    assert isinstance(response.body, bytes)
    assert json.loads(response.body)["details"]["thing"]
