"""What counts as an answer: the promised JSON object, and nothing else."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import ReadError
from diga_verify.gateway import answers
from diga_verify.model import Reason

JSON = "application/json; charset=UTF-8"


def reason(status: int, body: bytes, content_type: str = JSON, kind: str | None = None) -> Reason:
    with pytest.raises(ReadError) as caught:
        answers.understand(status, content_type, body, kind)
    return caught.value.reason


def envelope(code: int, word: str | None = None, *, older: bool = False) -> bytes:
    error: dict[str, Any] = {"code": code, "message": "words that nobody branches on"}
    if word:
        error["errors" if older else "details"] = [{"reason": "unknown"}, {"reason": word}]
    return json.dumps({"error": error}).encode()


def test_an_object() -> None:
    assert answers.understand(200, JSON, b'{"items": [1], "a": {}}') == {"items": [1], "a": {}}
    assert answers.understand(200, JSON, b"{}") == {}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"null",
        b"[]",
        b'"text"',
        b"1",
        b"{",
        b'{"items": [',
        b'{"a": 1} {"a": 1}',
        b'{"items": [1], "items": []}',
        b'{"a": {"b": 1, "b": 2}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"<html></html>",
        b'{"a": "\xff"}',
        b"[" * 100_000,
    ],
)
def test_no_object(body: bytes) -> None:
    assert reason(200, body) is Reason.MALFORMED_ANSWER


@pytest.mark.parametrize("content_type", ["", "text/html; charset=UTF-8", "text/plain", "application/octet-stream"])
def test_no_json_by_its_own_word(content_type: str) -> None:
    assert reason(200, b"{}", content_type) is Reason.MALFORMED_ANSWER


def test_kind() -> None:
    body = b'{"kind": "storage#buckets"}'
    assert answers.understand(200, JSON, body, "storage#buckets")
    assert answers.understand(200, JSON, body)
    assert answers.understand(200, JSON, b"{}", "storage#buckets") == {}
    assert reason(200, body, kind="storage#bucket") is Reason.MALFORMED_ANSWER
    assert reason(200, b'{"kind": null}', kind="storage#bucket") is Reason.MALFORMED_ANSWER


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (201, Reason.MALFORMED_ANSWER),
        (204, Reason.MALFORMED_ANSWER),
        (299, Reason.MALFORMED_ANSWER),
        (300, Reason.REDIRECTED),
        (301, Reason.REDIRECTED),
        (302, Reason.REDIRECTED),
        (308, Reason.REDIRECTED),
        (399, Reason.REDIRECTED),
        (400, Reason.INVALID_REQUEST),
        (401, Reason.CREDENTIALS_REJECTED),
        (403, Reason.PERMISSION_DENIED),
        (404, Reason.NOT_FOUND),
        (408, Reason.TIMEOUT),
        (418, Reason.INVALID_REQUEST),
        (429, Reason.RATE_LIMITED),
        (499, Reason.INVALID_REQUEST),
        (501, Reason.INVALID_REQUEST),
        (500, Reason.SERVER_ERROR),
        (502, Reason.SERVER_ERROR),
        (503, Reason.SERVER_ERROR),
        (504, Reason.TIMEOUT),
    ],
)
@pytest.mark.parametrize("body", [b"", b"<html>sorry</html>", b"{}", b"null"])
def test_status(status: int, body: bytes, expected: Reason) -> None:
    assert reason(status, body) is expected


@pytest.mark.parametrize(
    ("word", "older", "expected"),
    [
        ("SERVICE_DISABLED", False, Reason.API_DISABLED),
        ("accessNotConfigured", True, Reason.API_DISABLED),
        ("BILLING_DISABLED", False, Reason.BILLING_DISABLED),
        ("SECURITY_POLICY_VIOLATED", False, Reason.SERVICE_PERIMETER),
        ("RATE_LIMIT_EXCEEDED", False, Reason.RATE_LIMITED),
        ("rateLimitExceeded", True, Reason.RATE_LIMITED),
        ("userRateLimitExceeded", True, Reason.RATE_LIMITED),
        ("dailyLimitExceeded", True, Reason.QUOTA_EXCEEDED),
        ("quotaExceeded", True, Reason.QUOTA_EXCEEDED),
        ("ACCESS_TOKEN_EXPIRED", False, Reason.CREDENTIALS_REJECTED),
        ("ACCESS_TOKEN_SCOPE_INSUFFICIENT", False, Reason.CREDENTIALS_REJECTED),
        ("ACCOUNT_STATE_INVALID", False, Reason.CREDENTIALS_REJECTED),
        ("USER_PROJECT_DENIED", False, Reason.CREDENTIALS_REJECTED),
        ("CONSUMER_SUSPENDED", False, Reason.PROJECT_INACTIVE),
        ("GCP_SUSPENDED", False, Reason.PROJECT_INACTIVE),
        ("forbidden", True, Reason.PERMISSION_DENIED),
    ],
)
def test_reason_word(word: str, older: bool, expected: Reason) -> None:
    assert reason(403, envelope(403, word, older=older)) is expected


def test_an_error_in_200() -> None:
    assert reason(200, envelope(503)) is Reason.SERVER_ERROR
    assert reason(200, envelope(403, "SERVICE_DISABLED")) is Reason.API_DISABLED
    assert reason(200, b'{"error": null}') is Reason.MALFORMED_ANSWER


def failing(status: int, body: object) -> ReadError:
    return answers.failure(status, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ({"message": "not now"}, "HTTP 503: not now"),
        ({"message": "x" * 300}, f"HTTP 503: {'x' * 300}"),
        ({"message": "x" * 301}, f"HTTP 503: {'x' * 300}..."),
        ("not now", "HTTP 503: not now"),
        ({"message": 7}, "HTTP 503: no message"),
        ({}, "HTTP 503: no message"),
        (None, "HTTP 503: no message"),
        (["not now"], "HTTP 503: no message"),
    ],
)
def test_what_is_told_about_a_failure(error: object, said: str) -> None:
    assert failing(503, {"error": error}).detail == said


def test_a_failure_without_a_readable_explanation() -> None:
    assert answers.failure(503, b"<html>").detail == "HTTP 503 without a readable explanation"
    assert failing(403, {}).detail == "HTTP 403: no message"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": 503}, Reason.SERVER_ERROR),
        ({"code": "503"}, Reason.MALFORMED_ANSWER),
        ({}, Reason.MALFORMED_ANSWER),
        ("it broke", Reason.MALFORMED_ANSWER),
    ],
)
def test_the_code_of_an_error_in_200(error: object, reason: Reason) -> None:
    with pytest.raises(ReadError) as caught:
        answers.understand(200, JSON, json.dumps({"error": error}).encode())
    assert caught.value.reason is reason


@pytest.mark.parametrize(
    ("details", "consumer"),
    [
        ([{"metadata": {"consumer": "projects/123"}}], "123"),
        ([{}, {"metadata": None}, {"metadata": {"consumer": "projects/dtx-data"}}], "dtx-data"),
        ([{"metadata": {"consumer": "folders/1"}}, {"metadata": {"consumer": "projects/2"}}], "2"),
        ([{"metadata": {"consumer": 7}}], None),
        ([{"metadata": ["projects/1"]}], None),
        ([{"metadata": {"service": "projects/1"}}], None),
        (["projects/1"], None),
        ("projects/1", None),
        ([], None),
    ],
)
def test_the_project_that_an_error_is_about(details: object, consumer: str | None) -> None:
    assert failing(403, {"error": {"message": "no", "details": details}}).consumer == consumer


@pytest.mark.parametrize("key", ["details", "errors"])
@pytest.mark.parametrize("entries", [["SERVICE_DISABLED"], [{"reason": ["SERVICE_DISABLED"]}], [None], {}, "x"])
def test_an_explanation_that_is_none(key: str, entries: object) -> None:
    assert failing(403, {"error": {key: entries}}).reason is Reason.PERMISSION_DENIED


def test_the_first_known_word_counts() -> None:
    details = [{"reason": 7}, {"reason": "forbidden"}, {"reason": "BILLING_DISABLED"}, {"reason": "GCP_SUSPENDED"}]
    older = [{"reason": "accessNotConfigured"}]
    assert failing(403, {"error": {"details": details, "errors": older}}).reason is Reason.BILLING_DISABLED


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON", " application/json ;charset=x"])
def test_json_by_its_own_word(content_type: str) -> None:
    assert answers.understand(200, content_type, b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"a": 1, "b": 2, "b": 3}', "the key 'b' is there twice"),
        (b'{"a": NaN}', "NaN is not JSON"),
        (b"[]", "the answer is a JSON list, not an object"),
    ],
)
def test_what_is_told_about_no_object(body: bytes, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        answers.parse(body)


def test_an_answer_in_another_encoding() -> None:
    assert reason(200, '{"a": 1}'.encode("utf-16")) is Reason.MALFORMED_ANSWER


def test_a_date_to_wait_for() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    asked = answers.retry_after({"Retry-After": soon}, b"")
    assert asked is not None
    assert 3000 < asked <= 3600


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({}, b"", None),
        ({"Retry-After": "7"}, b"", 7.0),
        ({"Retry-After": "Sat, 23 Nov 2024 10:00:00 GMT"}, b"", 0.0),
        ({"Retry-After": "next week"}, b"", None),
        ({"Retry-After": "-1"}, b"", None),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 -2359"}, b"", None),
        ({"Retry-After": "Fri, 31 Dec 99999999999999999999 00:00:00 GMT"}, b"", None),
        ({"Retry-After": "9" * 400}, b"", float("inf")),
        ({}, '{"error": {"details": [{"retryDelay": "²s"}]}}'.encode(), None),
        ({}, b'{"error": {"details": [{}, {"retryDelay": "1.5s"}]}}', 1.5),
        ({}, b'{"error": {"details": [{"retryDelay": "7s"}, {"retryDelay": "9s"}]}}', 7.0),
        ({"Retry-After": "2"}, b'{"error": {"details": [{"retryDelay": "9s"}]}}', 2.0),
        ({"Retry-After": " 2 "}, b"", 2.0),
        ({"Retry-After": "soon"}, b'{"error": {"details": [{"retryDelay": "9s"}]}}', 9.0),
        ({}, b'{"error": {"details": [{"retryDelay": "soon"}]}}', None),
        ({}, b'{"error": {"details": [{"retryDelay": "12"}]}}', None),
        ({}, b'{"error": {"details": [{"retryDelay": "1.2.3s"}]}}', None),
        ({}, b'{"error": {"details": [{"retryDelay": "-1s"}]}}', None),
        ({}, b'{"error": {"details": [{"retryDelay": 3}]}}', None),
    ],
)
def test_retry_after(headers: dict[str, str], body: bytes, expected: float | None) -> None:
    assert answers.retry_after(headers, body) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["error", "details", "errors", "code", "reason", "message", "kind"]), inner)
    ),
    max_leaves=12,
)
BODIES = st.binary(max_size=80) | VALUES.map(lambda value: json.dumps(value).encode())


@given(status=st.integers(200, 599), body=BODIES, header=st.text(max_size=6))
def test_any_bytes_are_an_object_or_a_read_error(status: int, body: bytes, header: str) -> None:
    answers.retry_after({"Retry-After": header}, body)
    try:
        answer = answers.understand(status, JSON, body, "storage#buckets")
    except ReadError:
        return
    assert status == 200
    assert isinstance(answer, dict)
    assert "error" not in answer
