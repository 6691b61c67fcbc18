"""Every named fault shows on the wire, and hits the requests that it names and no other."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from diga_verify.simulator import server
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.refused import CANARIES, HOSTILE, OTHER_NUMBER
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.wire import PADDING

if TYPE_CHECKING:
    from collections.abc import Callable


SQL = "sqladmin.googleapis.com"
INSTANCES = f"{SQL}/v1/projects/p/instances"
DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator.md"
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


def _connection(simulator: Simulator) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=10)


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
        ("daily_limit", 403, "dailyLimitExceeded"),
        ("quota_exceeded", 403, "quotaExceeded"),
        ("api_disabled_elsewhere", 403, "accessNotConfigured"),
        ("quota_project_denied", 403, "forbidden"),
        ("echo", 403, "forbidden"),
        ("hostile", 403, "forbidden"),
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
    assert info["metadata"]["consumer"] == "projects/1"


@pytest.mark.parametrize("reason", ["CONSUMER_SUSPENDED", "LOCATION_POLICY_VIOLATED"])
def test_a_refusal_has_the_reason_asked_for(
    reason: str, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(spoilt("forbidden_reason", reason=reason), INSTANCES)
    assert answer.status_code == 403
    assert _details(_error(answer), "ErrorInfo") == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SQL, "consumer": "projects/1"},
    }


def test_the_api_may_be_disabled_in_another_project(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    error = _error(fetch(spoilt("api_disabled_elsewhere"), INSTANCES))
    assert _details(error, "ErrorInfo")["metadata"]["consumer"] == f"projects/{OTHER_NUMBER}"
    assert f"in project {OTHER_NUMBER} before" in error["message"]


@pytest.mark.parametrize(("headers", "project"), [({}, "p"), ({"X-Goog-User-Project": "payer"}, "payer")])
def test_the_project_that_pays_is_refused(
    headers: dict[str, str], project: str, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    error = _error(fetch(spoilt("quota_project_denied"), INSTANCES, headers=headers))
    info = _details(error, "ErrorInfo")
    assert (info["reason"], info["metadata"]["consumer"]) == ("USER_PROJECT_DENIED", f"projects/{project}")
    assert f"required permission to use project {project}. " in error["message"]


@pytest.mark.parametrize("answer", ["quota_403", "daily_limit", "quota_exceeded"])
def test_what_is_used_up_is_told_in_the_old_style_by_every_service(
    answer: str, serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(faults=[{"service": "redis.googleapis.com", "answer": answer}])
    error = _error(fetch(simulator, "redis.googleapis.com/v1/projects/p/locations/-/instances"))
    assert [one["domain"] for one in error["errors"]] == ["usageLimits"]
    assert not {"status", "details"} & error.keys()


@pytest.mark.parametrize(
    "status",
    [201, 202, 206, 301, 307, 308, 400, 405, 408, 409, 410, 412, 413, 418, 421, 425, 431, 451, 499, 500, 501, 502, 503,
     504, 511, 599],
)  # fmt: skip
def test_any_status_may_come_with_an_error(
    status: int, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = spoilt("http_status", status=status)
    answer = fetch(simulator, INSTANCES)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("application/json")
    assert _error(answer)["message"] == f"The request ended with status {status}."
    assert ("Location" in answer.headers) is (status in {301, 307, 308})
    assert [one.status for one in simulator.requests] == [status]


@pytest.mark.parametrize(
    ("answer", "more", "status"),
    [("no_content", {}, 204), ("http_status", {"status": 204}, 204), ("http_status", {"status": 304}, 304)],
)
def test_a_status_without_a_body_has_none(
    answer: str, more: dict[str, int], status: int, spoilt: Callable[..., Simulator]
) -> None:
    with closing(_connection(spoilt(answer, **more))) as connection:
        for _ in range(2):  # nothing is left on the connection
            connection.request("GET", f"/{INSTANCES}")
            answered = connection.getresponse()
            assert (answered.status, answered.read()) == (status, b"")
            assert not {"content-type", "content-length"} & {name.lower() for name in answered.headers}


def test_an_echo_repeats_what_was_sent_and_secrets(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    sent = {"Authorization": "Bearer mine", "X-Goog-User-Project": "payer"}
    message = _error(fetch(spoilt("echo"), INSTANCES, params={"maxResults": "7"}, headers=sent))["message"]
    for text in ("maxResults=7", "authorization: Bearer mine", "x-goog-user-project: payer", *CANARIES):
        assert text in message
    assert len(CANARIES) == 4


def test_a_hostile_message_arrives_as_it_is(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    message = _error(fetch(spoilt("hostile"), INSTANCES))["message"]
    assert message == HOSTILE
    for text in ("\x1b[", "\u202e", "[/]", "\n::error::", "\n##vso[task.complete", "<script>"):
        assert text in message


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
    ("answer", "body"),
    [
        ("empty", b""),
        ("blank", b" \r\n\t\n"),
        ("null", b"null"),
        ("array", b"[]"),
        ("empty_object", b"{}"),
        ("html", b"<!DOCTYPE html>"),
    ],
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
    patience = time.monotonic() + 60
    while not simulator.requests and time.monotonic() < patience:
        time.sleep(0.01)  # on a busy machine the caller may be gone before anybody has looked at the request
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


@pytest.mark.parametrize(("answer", "sent"), [("plain_text", "text/plain; charset=UTF-8"), ("no_type", None)])
def test_the_truth_may_come_as_something_else(
    answer: str, sent: str | None, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answered = fetch(spoilt(answer), INSTANCES)
    assert answered.headers.get("Content-Type") == sent
    assert [item["name"] for item in answered.json()["items"]] == ["one", "two"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("bad_gzip", requests.exceptions.ContentDecodingError),
        ("short_body", requests.exceptions.ChunkedEncodingError),
        ("bad_chunks", requests.exceptions.ChunkedEncodingError),
    ],
)
def test_an_answer_may_break_off(
    answer: str, error: type[Exception], spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = spoilt(answer)
    with pytest.raises(error):
        fetch(simulator, INSTANCES)
    assert [one.status for one in simulator.requests] == [200]


@pytest.mark.parametrize("answer", ["short_body", "bad_chunks"])
def test_what_breaks_off_is_the_whole_truth_to_who_does_not_count(
    answer: str, spoilt: Callable[..., Simulator]
) -> None:
    with closing(_connection(spoilt(answer))) as connection:
        connection.request("GET", f"/{INSTANCES}")
        with pytest.raises(http.client.IncompleteRead) as broken:
            connection.getresponse().read()
    assert [item["name"] for item in json.loads(broken.value.partial)["items"]] == ["one", "two"]


def test_headers_may_drip_for_ever(spoilt: Callable[..., Simulator], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "DRIP_SECONDS", 0.0001)
    simulator = spoilt("header_drip")
    address, port = simulator.url.removeprefix("http://").split(":")
    with closing(socket.create_connection((address, int(port)), timeout=10)) as connection:
        connection.sendall(f"GET /{INSTANCES} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        came = [connection.recv(1) for _ in range(400)]
    whole = b"".join(came)
    assert len(whole) == 400
    assert whole.startswith(b"HTTP/1.1 200 OK\r\n")
    assert whole.endswith(b"aaaaaaaa")
    assert b"\r\n\r\n" not in whole
    assert [one.status for one in simulator.requests] == [0]


def test_silence_may_follow_half_of_the_body(spoilt: Callable[..., Simulator]) -> None:
    simulator = spoilt("body_then_silence")
    with closing(_connection(simulator)) as connection:
        connection.request("GET", f"/{INSTANCES}")
        answer = connection.getresponse()
        length = int(answer.headers["Content-Length"])
        assert len(answer.read(length // 2)) == length // 2
        assert connection.sock is not None
        connection.sock.settimeout(0.2)
        with pytest.raises(TimeoutError):
            answer.read(1)
    assert [one.status for one in simulator.requests] == [200]


@pytest.mark.parametrize(("answer", "at_most"), [("huge", 2 * PADDING), ("gzip_bomb", 100_000)])
def test_the_truth_may_be_behind_a_lot_of_nothing(
    answer: str, at_most: int, spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answered = fetch(spoilt(answer), INSTANCES, stream=True)
    came = b"".join(answered.iter_content(1024 * 1024))
    assert len(came) > PADDING > 32 * 1024 * 1024
    assert [item["name"] for item in json.loads(came)["items"]] == ["one", "two"]
    assert answered.raw.tell() < at_most


def test_an_answer_may_be_nested_too_deeply(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    body = fetch(spoilt("deep"), INSTANCES).content
    assert body.count(b"[[") == 50_000
    with pytest.raises(RecursionError):
        json.loads(body)


def test_an_answer_may_hold_what_is_not_a_number(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    found: list[str] = []
    answer = json.loads(fetch(spoilt("not_a_number"), INSTANCES).content, parse_constant=found.append)
    assert found == ["NaN"]
    assert len(answer["items"]) == 2


def test_an_answer_may_not_be_utf8(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    body = fetch(spoilt("not_utf8"), INSTANCES).content
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    assert len(json.loads(body.decode("latin-1"))["items"]) == 2


def test_a_mark_may_come_before_the_answer(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    body = fetch(spoilt("bom"), INSTANCES).content
    assert body.startswith(b"\xef\xbb\xbf{")
    assert len(json.loads(body.decode("utf-8-sig"))["items"]) == 2


@pytest.mark.parametrize(
    ("path", "changed"),
    [
        (INSTANCES, ["items", 0, "project"]),
        (f"{INSTANCES}/two", ["project"]),
        ("bigquery.googleapis.com/bigquery/v2/projects/p/datasets?fields=datasets(id,location)",
         ["datasets", 0, "description"]),
    ],
)  # fmt: skip
def test_a_text_may_hold_half_a_character(
    path: str, changed: list[Any], serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    host = path.partition("/")[0]
    world = WORLD | {"bigquery": {"datasets": [{"datasetId": "one", "location": "EU"}]}}
    body = fetch(serve(**world, faults=[{"service": host, "answer": "surrogate"}]), path).content
    assert body.count(b"\\ud800") == 1
    value = json.loads(body)
    for step in changed:
        value = value[step]
    assert value.endswith("\ud800")


@pytest.mark.parametrize(("answer", "items"), [("null_items", None), ("object_items", {}), ("text_items", "")])
@pytest.mark.parametrize("instances", [[], [{"name": "one"}, {"name": "two"}]])
def test_the_list_may_be_no_list(
    answer: str, items: object, instances: list[dict[str, str]],
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    simulator = serve(sql={"instances": instances}, faults=[{"service": SQL, "answer": answer}])
    assert fetch(simulator, INSTANCES).json() == {"items": items}


def test_an_item_may_be_null(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    items = fetch(spoilt("null_item"), INSTANCES).json()["items"]
    assert [item["name"] for item in items[:2]] == ["one", "two"]
    assert items[2:] == [None]


def test_the_last_item_may_be_missing(
    spoilt: Callable[..., Simulator], fetch_pages: Callable[..., list[dict[str, Any]]]
) -> None:
    first, second = fetch_pages(spoilt("shrunk"), INSTANCES)
    assert [item["name"] for item in first["items"]] == ["one"]
    assert second == {}


@pytest.mark.parametrize(("names", "left"), [(["a"], None), (["a", "b"], 1)])
def test_a_total_does_not_give_away_what_is_missing(
    names: list[str], left: int | None, serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(
        kms={"keyRings": [{"name": name, "location": "europe-west3"} for name in names]},
        faults=[{"service": "cloudkms.googleapis.com", "answer": "shrunk"}],
    )
    answer = fetch(simulator, "cloudkms.googleapis.com/v1/projects/p/locations/europe-west3/keyRings").json()
    assert answer.get("totalSize") == left
    assert len(answer.get("keyRings", [])) == (left or 0)


def test_the_answer_may_be_about_another_project(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    world = {
        "project": {"id": "dtx-data", "number": "100000000001"},
        "gcs": {"buckets": [{"name": "dtx-data-uploads", "location": "EU"}]},
        "kms": {"keyRings": [{"name": "ring", "location": "eu"}, {"name": "100000000001", "location": "eu"}]},
        "faults": [
            {"service": "storage.googleapis.com", "answer": "foreign_project"},
            {"service": "cloudkms.googleapis.com", "answer": "foreign_project"},
            {"service": "cloudresourcemanager.googleapis.com", "answer": "foreign_project"},
        ],
    }
    simulator = serve(**world)
    (bucket,) = fetch(simulator, "storage.googleapis.com/storage/v1/b?project=dtx-data").json()["items"]
    assert (bucket["name"], bucket["projectNumber"]) == ("dtx-data-uploads", OTHER_NUMBER)
    rings = fetch(simulator, "cloudkms.googleapis.com/v1/projects/dtx-data/locations/eu/keyRings").json()["keyRings"]
    assert [ring["name"] for ring in rings] == [
        "projects/another-project/locations/eu/keyRings/ring",
        "projects/another-project/locations/eu/keyRings/100000000001",
    ]
    project = fetch(simulator, "cloudresourcemanager.googleapis.com/v3/projects/dtx-data").json()
    assert (project["name"], project["projectId"]) == (f"projects/{OTHER_NUMBER}", "another-project")


@pytest.mark.parametrize(
    ("path", "mark"),
    [
        ("container.googleapis.com/v1/projects/p/locations/-/clusters", {"missingZones": ["us-east1-b"]}),
        (INSTANCES, {"warnings": [{"code": "REGION_UNREACHABLE", "region": "us-east1", "message": "..."}]}),
        ("redis.googleapis.com/v1/projects/p/locations/-/clusters",
         {"unreachable": ["projects/p/locations/us-east1"]}),
        ("firestore.googleapis.com/v1/projects/p/databases", {"unreachable": ["projects/p/locations/us-east1"]}),
        ("bigquery.googleapis.com/bigquery/v2/projects/p/datasets", {"unreachable": ["us-east4"]}),
        ("storage.googleapis.com/storage/v1/b?project=p", {"unreachable": ["projects/_/buckets/unreachable"]}),
        ("cloudkms.googleapis.com/v1/projects/p/locations/eur3/keyRings",
         {"unreachable": ["projects/p/locations/us-east1"]}),
    ],
)  # fmt: skip
def test_every_list_may_say_that_it_is_incomplete(
    path: str, mark: dict[str, Any], serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(faults=[{"service": path.partition("/")[0], "answer": "partial"}])
    answer = fetch(simulator, path).json()
    assert {key: value for key, value in answer.items() if isinstance(value, list)} == mark


def test_every_page_may_say_that_the_list_is_incomplete(
    spoilt: Callable[..., Simulator],
    fetch: Callable[..., requests.Response],
    fetch_pages: Callable[..., list[dict[str, Any]]],
) -> None:
    simulator = spoilt("partial")
    pages = fetch_pages(simulator, INSTANCES)
    assert [len(page["warnings"]) for page in pages] == [1, 1]
    assert [item["name"] for page in pages for item in page["items"]] == ["one", "two", "three"]
    assert "warnings" not in fetch(simulator, f"{INSTANCES}/one").json()


def test_an_empty_page_may_come_first(
    spoilt: Callable[..., Simulator], fetch_pages: Callable[..., list[dict[str, Any]]]
) -> None:
    pages = fetch_pages(spoilt("empty_page"), INSTANCES)
    assert [[item["name"] for item in page.get("items", [])] for page in pages] == [[], ["one", "two"], ["three"]]


def test_the_last_token_may_be_blank(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    simulator = spoilt("blank_token")
    token = fetch(simulator, INSTANCES).json()["nextPageToken"]
    assert token
    last = fetch(simulator, INSTANCES, params={"pageToken": token}).json()
    assert [item["name"] for item in last["items"]] == ["three"]
    assert last["nextPageToken"] == ""
    assert "nextPageToken" not in fetch(simulator, f"{INSTANCES}/one").json()


def test_there_may_always_be_another_page(
    spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = spoilt("endless")
    query: dict[str, str] = {}
    seen, tokens = [], []
    for _ in range(6):
        answer = fetch(simulator, INSTANCES, params=query).json()
        seen.append([item["name"] for item in answer["items"]])
        tokens.append(answer["nextPageToken"])
        query = {"pageToken": tokens[-1]}
    assert seen == [["one", "two"], ["three"]] * 3
    assert len(set(tokens)) == 6


def test_a_token_may_be_a_number(spoilt: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    simulator = spoilt("number_token")
    answer = fetch(simulator, INSTANCES).json()
    assert (len(answer["items"]), answer["nextPageToken"]) == (2, 2)
    assert "nextPageToken" not in fetch(simulator, f"{INSTANCES}/one").json()


PLACED = {
    "gke": {"clusters": [{"name": "c", "location": "europe-west3"}]},
    "sql": {
        "instances": [{"name": "i", "region": "europe-west3"}],
        "backupRuns": [{"instance": "i", "id": "1", "location": "eu"}],
        "backups": [{"name": "b", "location": "eu"}],
    },
    "bigquery": {"datasets": [{"datasetId": "d", "location": "EU"}]},
    "firestore": {"databases": [{"name": "f", "locationId": "eur3"}]},
    "gcs": {"buckets": [{"name": "u", "location": "EU"}]},
    "redis": {"instances": [{"name": "r", "location": "europe-west3"}]},
}
FIELDS = [
    ("container.googleapis.com/v1/projects/p/locations/-/clusters", "clusters", "location"),
    ("container.googleapis.com/v1/projects/p/locations/europe-west3/clusters/c", None, "location"),
    (INSTANCES, "items", "region"),
    (f"{INSTANCES}/-/backupRuns", "items", "location"),
    ("bigquery.googleapis.com/bigquery/v2/projects/p/datasets", "datasets", "location"),
    ("bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d", None, "location"),
    ("firestore.googleapis.com/v1/projects/p/databases", "databases", "locationId"),
    ("storage.googleapis.com/storage/v1/b?project=p", "items", "location"),
    ("cloudkms.googleapis.com/v1/projects/p/locations", "locations", "locationId"),
]


@pytest.mark.parametrize(
    ("answer", "place"),
    [("no_location", None), ("blank_location", ""), ("number_location", 7), ("unknown_location", "mars-north1")],
)
@pytest.mark.parametrize(("path", "key", "field"), FIELDS)
def test_a_place_may_be_missing_or_wrong(
    answer: str, place: object, path: str, key: str | None, field: str,
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    whole = fetch(serve(**PLACED), path).json()
    spoilt = fetch(serve(**PLACED, faults=[{"service": path.partition("/")[0], "answer": answer}]), path).json()
    expected, found = (whole[key][-1], spoilt[key][-1]) if key else (whole, spoilt)
    assert found.get(field) == place
    assert (field in found) is (place is not None)
    assert {name for name in expected if expected[name] != found.get(name)} == {field}


@pytest.mark.parametrize("answer", ["no_location", "blank_location", "number_location", "unknown_location"])
def test_a_place_that_is_in_the_name_stays(
    answer: str, serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    path = "redis.googleapis.com/v1/projects/p/locations/-/instances"
    spoilt = serve(**PLACED, faults=[{"service": "redis.googleapis.com", "answer": answer}])
    assert fetch(spoilt, path).json() == fetch(serve(**PLACED), path).json()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (INSTANCES, ["instanceType"]),
        (f"{INSTANCES}/i", ["instanceType"]),
        (f"{INSTANCES}/-/backupRuns", ["status"]),
        (f"{SQL}/v1/projects/p/backups", ["state"]),
        (f"{SQL}/v1/projects/p/backups/b", ["state"]),
        ("storage.googleapis.com/storage/v1/b?project=p", ["locationType"]),
        ("bigquery.googleapis.com/bigquery/v2/projects/p/datasets/d", ["type"]),
        ("cloudkms.googleapis.com/v1/projects/p/locations/europe-west3/keyRings/ring/cryptoKeys",
         ["protectionLevel", "protectionLevel"]),
        ("redis.googleapis.com/v1/projects/p/locations/-/clusters", ["clusterRole"]),
        ("redis.googleapis.com/v1/projects/p/locations/-/instances", []),
    ],
)  # fmt: skip
def test_a_word_may_be_new(
    path: str, fields: list[str], serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    role = {"crossClusterReplicationConfig": {"clusterRole": "PRIMARY"}}
    world = PLACED | {
        "redis": PLACED["redis"] | {"clusters": [{"name": "c", "location": "europe-west3"} | role]},
        "kms": {"keyRings": [{"name": "ring", "location": "europe-west3", "cryptoKeys": [{"name": "k"}]}]},
    }
    simulator = serve(**world, faults=[{"service": path.partition("/")[0], "answer": "unknown_enum"}])
    assert re.findall(r'"(\w+)": "FUTURE_VALUE"', fetch(simulator, path).text) == fields


def test_every_fault_is_in_the_document_and_no_other() -> None:
    lines = DOCUMENT.read_text("utf-8").splitlines()
    start = lines.index("| answer | what comes |") + 2
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines[start:])
    named = [name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(named) == sorted(ANSWERS)


def test_every_fault_has_been_seen() -> None:
    """The faults that the tests above name; a new one needs a test."""
    seen = {
        "forbidden_reason", "quota_project_denied", "api_disabled_elsewhere", "daily_limit", "quota_exceeded",
        "http_status", "no_content", "empty_object", "blank", "bad_gzip", "short_body", "bad_chunks", "plain_text",
        "no_type", "header_drip", "body_then_silence", "empty_page", "blank_token", "number_token", "null_items",
        "object_items", "text_items", "null_item", "foreign_project", "partial", "unknown_enum", "no_location",
        "blank_location", "number_location", "unknown_location", "huge", "gzip_bomb", "deep", "not_a_number",
        "not_utf8", "bom", "surrogate", "echo", "hostile", "shrunk", "endless",
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


def test_whoever_is_granted_something_has_nothing_else(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    granted = ["cloudsql.instances.list", "cloudsql.backupRuns.list"]
    simulator = serve(iam={"granted": granted, "denied": granted[1:]}, bigquery={"datasets": [{"datasetId": "a"}]})
    assert fetch(simulator, INSTANCES).status_code == 200
    assert fetch(simulator, f"{SQL}/v1/projects/p/instances/-/backupRuns").status_code == 403
    assert fetch(simulator, "storage.googleapis.com/storage/v1/b", params={"project": "p"}).status_code == 403
    datasets = fetch(simulator, "bigquery.googleapis.com/bigquery/v2/projects/p/datasets")
    assert (datasets.status_code, datasets.json().get("datasets")) == (200, None)
    answer = fetch(
        simulator, "cloudresourcemanager.googleapis.com/v3/projects/p:testIamPermissions", method="POST",
        json={"permissions": ["storage.buckets.list", *granted]},
    )  # fmt: skip
    assert answer.json() == {"permissions": granted[:1]}


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
