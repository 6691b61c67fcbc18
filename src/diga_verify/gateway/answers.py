"""What counts as an answer: pure functions from status, headers and bytes to JSON, or to a reason why not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from diga_verify.errors import ReadError
from diga_verify.model import Json, Reason
from diga_verify.redact import redact

# google.rpc.ErrorInfo reasons (google/api/error_reason.proto) and the older `errors[].reason` words.
_BY_ERROR_REASON = {
    "SERVICE_DISABLED": Reason.API_DISABLED,
    "accessNotConfigured": Reason.API_DISABLED,
    "BILLING_DISABLED": Reason.BILLING_DISABLED,
    "SECURITY_POLICY_VIOLATED": Reason.SERVICE_PERIMETER,
    "RATE_LIMIT_EXCEEDED": Reason.RATE_LIMITED,
    "rateLimitExceeded": Reason.RATE_LIMITED,
    "userRateLimitExceeded": Reason.RATE_LIMITED,
    "dailyLimitExceeded": Reason.QUOTA_EXCEEDED,
    "quotaExceeded": Reason.QUOTA_EXCEEDED,
    "ACCESS_TOKEN_EXPIRED": Reason.CREDENTIALS_REJECTED,
    "ACCESS_TOKEN_SCOPE_INSUFFICIENT": Reason.CREDENTIALS_REJECTED,
    "ACCOUNT_STATE_INVALID": Reason.CREDENTIALS_REJECTED,
    "CONSUMER_SUSPENDED": Reason.PROJECT_INACTIVE,
    "GCP_SUSPENDED": Reason.PROJECT_INACTIVE,
    "USER_PROJECT_DENIED": Reason.CREDENTIALS_REJECTED,
}
_BY_STATUS = {
    400: Reason.INVALID_REQUEST,
    401: Reason.CREDENTIALS_REJECTED,
    403: Reason.PERMISSION_DENIED,
    404: Reason.NOT_FOUND,
    408: Reason.TIMEOUT,
    429: Reason.RATE_LIMITED,
    501: Reason.INVALID_REQUEST,
    504: Reason.TIMEOUT,
}
_DETAIL_LIMIT = 300


def understand(status: int, content_type: str, body: bytes, kind: str | None = None) -> Json:
    """The JSON object that a call brought. Raises ReadError for everything that is not one.

    `kind` is the value the API declares for the object's `kind`; an answer that carries another is refused.
    """
    if 300 <= status < 400:
        raise ReadError(Reason.REDIRECTED, f"HTTP {status}: the answer points elsewhere; redirects are not followed")
    if status != 200:
        raise failure(status, body)
    if content_type.partition(";")[0].strip().lower() != "application/json":
        raise ReadError(Reason.MALFORMED_ANSWER, f"HTTP 200 with content type {content_type!r}, not JSON")
    answer = parse(body)
    if "error" in answer:
        raise _from_envelope(_code(answer["error"], status), answer)
    if kind is not None and answer.get("kind", kind) != kind:
        raise ReadError(Reason.MALFORMED_ANSWER, f"got an object of kind {answer['kind']!r}, asked for {kind!r}")
    return answer


def parse(body: bytes) -> Json:
    """One JSON object without repeated keys. Raises ReadError."""
    try:
        # Decoded here and strictly: left to itself, json would also take UTF-16, or halves of characters.
        answer = json.loads(body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ReadError(Reason.MALFORMED_ANSWER, f"the answer is not JSON that can be trusted: {error}") from error
    if not isinstance(answer, dict):
        raise ReadError(Reason.MALFORMED_ANSWER, f"the answer is a JSON {type(answer).__name__}, not an object")
    return answer


def failure(status: int, body: bytes) -> ReadError:
    """What an HTTP error means, told from its codes, never from its text."""
    try:
        return _from_envelope(status, parse(body))
    except ReadError:
        return ReadError(_by_status(status), f"HTTP {status} without a readable explanation")


def retry_after(headers: Mapping[str, str], body: bytes) -> float | None:
    """Seconds that the server asks us to wait: `Retry-After`, or `RetryInfo.retryDelay` in the body."""
    if (header := _seconds(headers.get("Retry-After", ""))) is not None:
        return header
    try:
        details = _details(parse(body).get("error"))
    except ReadError:
        return None
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and delay.endswith("s") and delay[:-1].replace(".", "", 1).isdecimal():
            return float(delay[:-1])
    return None


def _seconds(header: str) -> float | None:
    """`Retry-After` is a number of seconds or a date (RFC 9110, section 10.2.3)."""
    if header.strip().isdecimal():
        return float(header)
    try:
        moment = parsedate_to_datetime(header).astimezone(UTC)
    except (ValueError, OverflowError):  # the calendar has an end
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {repeated!r} is there twice")
    return result


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _from_envelope(status: int, answer: Json) -> ReadError:
    error = answer.get("error")
    message = error.get("message") if isinstance(error, dict) else error
    text = message if isinstance(message, str) else "no message"
    known = (_BY_ERROR_REASON[word] for word in _reason_words(error) if word in _BY_ERROR_REASON)
    reason = next(known, _by_status(status))
    return ReadError(reason, f"HTTP {status}: {_clipped(text)}", consumer=_consumer(error))


def _clipped(text: str) -> str:
    # Clean first, cut later: half a secret would not look like one any more.
    clean = redact(text)
    return clean if len(clean) <= _DETAIL_LIMIT else f"{clean[:_DETAIL_LIMIT]}..."


def _consumer(error: object) -> str | None:
    """The project that `ErrorInfo.metadata.consumer` names (`projects/123`)."""
    for detail in _details(error):
        metadata = detail.get("metadata")
        consumer = metadata.get("consumer") if isinstance(metadata, dict) else None
        if isinstance(consumer, str) and consumer.startswith("projects/"):
            return consumer.removeprefix("projects/")
    return None


def _by_status(status: int) -> Reason:
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return Reason.SERVER_ERROR
    return Reason.INVALID_REQUEST if status >= 400 else Reason.MALFORMED_ANSWER


def _code(error: object, status: int) -> int:
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, int) else status


def _reason_words(error: object) -> Iterable[str]:
    for entry in (*_details(error), *_objects(error, "errors")):
        word = entry.get("reason")
        if isinstance(word, str):
            yield word


def _details(error: object) -> list[Json]:
    return _objects(error, "details")


def _objects(error: object, key: str) -> list[Json]:
    entries = error.get(key) if isinstance(error, dict) else None
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
