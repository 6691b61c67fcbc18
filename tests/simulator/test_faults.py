"""Every named fault shows on the wire, and hits the requests that it names and no other."""

from __future__ import annotations

import http.client
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from diga_verify.simulator import server
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable


SQL = "sqladmin.googleapis.com"
INSTANCES = f"{SQL}/v1/projects/p/instances"
WORLD = {"sql": {"instances": [{"name": "one"}, {"name": "two"}, {"name": "three"}]}, "paging": {"size": 2}}


@pytest.fixture
def spoilt(serve: Callable[..., Simulator]) -> Callable[..., Simulator]:
    """A simulator whose Cloud SQL has one fault."""

    def start(answer: str, **more: object) -> Simulator:
        return serve(**WORLD, faults=[{"service": SQL, "answer": answer, **more}])

    return start


def _error(answer: requests.Response) -> dict[str, Any]:
    error: dict[str, Any] = answer.json()["error"]
    assert error["code"] == answer.status_code
    return error


def _details(error: dict[str, Any], kind: str) -> dict[str, Any]:
    (detail,) = [one for one in error["details"] if one["@type"].endswith(f"google.rpc.{kind}")]
    return dict(detail)


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ("api_disabled", 403, "accessNotConfigured"),
        ("permission_denied", 403, "forbidden"),
        ("billing_disabled", 403, "forbidden"),
        ("vpc_sc", 403, "forbidden"),
        ("rate_limited", 429, "rateLimitExceeded"),
        ("quota_403", 403, "rateLimitExceeded"),
        ("server_error", 503, "backendError"),
        ("not_found", 404, "notFound"),
        ("unauthenticated", 401, "authError"),
    ],
)
def test_an_error_has_its_status_and_its_reason(
    answer: str, status: int, reason: str,
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    answered = fetch(spoilt(answer), INSTANCES)
    assert answered.status_code == status
    assert [one["reason"] for one in _error(answered)["errors"]] == [reason]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("api_disabled", "SERVICE_DISABLED"),
        ("billing_disabled", "BILLING_DISABLED"),
        ("vpc_sc", "SECURITY_POLICY_VIOLATED"),
        ("rate_limited", "RATE_LIMIT_EXCEEDED"),
    ],
)
def test_an_error_tells_machines_why(
    answer: str, reason: str, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    info = _details(_error(fetch(spoilt(answer), INSTANCES)), "ErrorInfo")
    assert info["reason"] == reason
    assert info["metadata"]["service"] == SQL


def test_a_newer_service_has_no_list_of_errors(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(faults=[{"service": "redis.googleapis.com", "answer": "permission_denied"}])
    error = _error(fetch(simulator, "redis.googleapis.com/v1/projects/p/locations/-/instances"))
    assert "errors" not in error
    assert error["status"] == "PERMISSION_DENIED"


def test_too_many_requests_says_how_long_to_wait(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(spoilt("rate_limited", retry_delay=7), INSTANCES)
    assert answer.headers["Retry-After"] == "7"
    assert _details(_error(answer), "RetryInfo")["retryDelay"] == "7s"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_has_the_status_asked_for(
    status: int, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(spoilt("server_error", status=status), INSTANCES)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html" if status == 502 else "application/json")


@pytest.mark.parametrize(
    ("answer", "body"), [("empty", b""), ("null", b"null"), ("array", b"[]"), ("html", b"<!DOCTYPE html>")]
)
def test_a_200_may_hold_no_object(
    answer: str, body: bytes, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answered = fetch(spoilt(answer), INSTANCES)
    assert answered.status_code == 200
    assert answered.content == body or (answer == "html" and answered.content.startswith(body))


def test_a_truncated_answer_is_no_json(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(spoilt("truncated"), INSTANCES)
    assert answer.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        json.loads(answer.content)
    assert answer.content.startswith(b'{"items": [{"kind": "sql#instance"')


def test_duplicate_keys_hide_the_list_from_a_careless_reader(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    text = fetch(spoilt("duplicate_keys"), INSTANCES).text
    assert json.loads(text)["items"] == []
    lists = [value for key, value in json.loads(text, object_pairs_hook=list) if key == "items"]
    assert [len(one) for one in lists] == [2, 0]


def test_the_kind_may_be_missing_or_another(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    without = fetch(spoilt("no_kind"), INSTANCES).json()
    assert "kind" not in without
    assert len(without["items"]) == 2
    assert fetch(spoilt("wrong_kind"), INSTANCES).json()["kind"] == "compute#instanceList"


def test_an_error_may_come_as_200(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    answer = fetch(spoilt("error_in_200"), INSTANCES)
    assert answer.status_code == 200
    assert answer.json()["error"]["code"] == 503


def test_a_redirect_leads_to_another_host_that_tells_who_follows(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = spoilt("redirect")
    answer = fetch(simulator, INSTANCES)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith(f"{simulator.url}/redirected.googleapis.com/v1/")
    fetch(simulator, INSTANCES, allow_redirects=True)
    assert [one.host for one in simulator.requests] == [SQL, SQL, "redirected.googleapis.com"]


def test_a_repeated_token_never_ends(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    simulator = spoilt("repeat_token")
    query: dict[str, str] = {}
    seen = []
    for _ in range(3):
        answer = fetch(simulator, INSTANCES, params=query).json()
        seen.append([item["name"] for item in answer["items"]])
        query = {"pageToken": answer["nextPageToken"]}
    assert seen == [["one", "two"]] * 3


def test_a_reset_cuts_the_connection(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    simulator = spoilt("reset")
    with pytest.raises(requests.ConnectionError):
        fetch(simulator, INSTANCES)
    assert [one.status for one in simulator.requests] == [0]


def test_silence_outlasts_the_caller(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    simulator = spoilt("silence")
    with pytest.raises(requests.ReadTimeout):
        fetch(simulator, INSTANCES, timeout=0.2)
    assert [one.status for one in simulator.requests] == [0]


def test_an_answer_may_drip(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "DRIP_SECONDS", 0.002)
    simulator = spoilt("drip")
    before = time.monotonic()
    answer = fetch(simulator, INSTANCES, params={"fields": "items/name"})
    assert [item["name"] for item in answer.json()["items"]] == ["one", "two"]
    assert time.monotonic() - before >= 0.002 * (len(answer.content) - 1)


def test_a_drip_does_not_keep_the_simulator_open(spoilt: Callable[..., Simulator]) -> None:
    simulator = spoilt("drip")
    connection = http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", f"/{INSTANCES}")
        assert connection.getresponse().read(1) == b"{"
        simulator.__exit__(None, None, None)
    finally:
        connection.close()


def test_every_fault_has_been_seen() -> None:
    """The faults that the tests above name; a new one needs a test."""
    seen = {
        "api_disabled", "permission_denied", "billing_disabled", "vpc_sc", "rate_limited", "quota_403", "server_error",
        "not_found", "unauthenticated", "html", "empty", "null", "array", "truncated", "duplicate_keys", "wrong_kind",
        "no_kind", "error_in_200", "reset", "silence", "drip", "redirect", "repeat_token",
    }  # fmt: skip
    assert ANSWERS.keys() == seen


@pytest.mark.parametrize(
    ("narrowing", "statuses"),
    [
        ({}, [503, 503, 503, 503]),
        ({"times": 2}, [503, 503, 200, 200]),
        ({"page": 2}, [200, 503, 200, 503]),
        ({"page": 2, "times": 1}, [200, 503, 200, 200]),
        ({"path": "/instances$"}, [503, 503, 503, 503]),
        ({"path": "/backupRuns$"}, [200, 200, 200, 200]),
        ({"method": "POST"}, [200, 200, 200, 200]),
    ],
)
def test_a_fault_hits_what_it_names(
    narrowing: dict[str, Any], statuses: list[int],
    serve: Callable[..., Simulator], spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    token = fetch(serve(**WORLD), INSTANCES).json()["nextPageToken"]
    simulator = spoilt("server_error", **narrowing)
    queries = [{}, {"pageToken": token}] * 2
    assert [fetch(simulator, INSTANCES, params=query).status_code for query in queries] == statuses


def test_a_fault_leaves_other_services_alone(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(spoilt("server_error"), "redis.googleapis.com/v1/projects/p/locations/-/instances")
    assert answer.status_code == 200


def test_the_first_fault_that_is_not_used_up_decides(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    faults = [{"service": SQL, "answer": "not_found", "times": 1}, {"service": SQL, "answer": "rate_limited"}]
    simulator = serve(faults=faults)
    assert [fetch(simulator, INSTANCES).status_code for _ in range(3)] == [404, 429, 429]


def test_a_denied_permission_shows_in_the_call_and_in_the_question(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(iam={"denied": ["cloudsql.instances.list", "bigquery.datasets.get"]},
                      bigquery={"datasets": [{"datasetId": "a"}]})  # fmt: skip
    assert fetch(simulator, INSTANCES).status_code == 403
    datasets = fetch(simulator, "bigquery.googleapis.com/bigquery/v2/projects/p/datasets")
    assert (datasets.status_code, datasets.json().get("datasets")) == (200, None)
    answer = fetch(
        simulator, "cloudresourcemanager.googleapis.com/v3/projects/p:testIamPermissions", method="POST",
        json={"permissions": ["storage.buckets.list", "cloudsql.instances.list"]},
    )  # fmt: skip
    assert answer.json() == {"permissions": ["storage.buckets.list"]}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"{SQL}/v1/projects/q/instances", 403),
        ("GET", f"{SQL}/v1/projects/1/instances", 200),
        ("GET", f"{SQL}/v1/projects/p/instances/four", 404),
        ("GET", f"{SQL}/v1/projects/p/planets", 404),
        ("GET", f"{INSTANCES}?colour=red", 400),
        ("GET", f"{INSTANCES}?filter=state:RUNNABLE", 501),
        ("DELETE", f"{SQL}/v1/projects/p/instances/one", 405),
        ("GET", "storage.googleapis.com/storage/v1/b", 400),
        ("GET", "storage.googleapis.com/storage/v1/b?project=q", 403),
        ("GET", "compute.googleapis.com/v1/projects/p", 404),
    ],
)
def test_what_google_refuses_is_refused(
    method: str, path: str, status: int,
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    assert fetch(serve(**WORLD), path, method=method).status_code == status
