"""Calls and what they bring: every page, in order, once; and what failed, by its reason and scope."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from threading import Thread, Timer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import urllib3
from requests.adapters import HTTPAdapter

from diga_verify.gateway import gateway as module
from diga_verify.gateway.ceiling import CALLS_IN_FLIGHT
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door, put_in_front
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.identity import Anonymous
from diga_verify.gateway.listing import PROJECT, Listed, Method
from diga_verify.gateway.live import Live
from diga_verify.gateway.patience import Patience
from diga_verify.model import Json, Project, Reason, Unread

THINGS = Method("gcs", "storage.googleapis.com", "things.list", items="things", owner="name")
THING = Method("gcs", "storage.googleapis.com", "things.get", fields="name", kind="thing")
SCOPE = "projects/p/locations/-"
URL = "https://storage.googleapis.com/things"


def thing(name: str) -> Json:
    return {"name": f"projects/p/locations/l/things/{name}"}


class Network:
    """What stands in for the network: one answer after the other, or one computed from the request."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []
        self.timeouts: list[tuple[float, float]] = []
        self.under_way = self.most_under_way = 0
        self.lock = threading.Lock()
        self.meanwhile: Callable[[], None] = lambda: None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        with self.lock:
            self.asked.append(request.url or "")
            self.timeouts.append(options["timeout"])
            self.under_way += 1
            self.most_under_way = max(self.under_way, self.most_under_way)
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        try:
            self.meanwhile()
            if callable(answer):
                answer = answer(parse_qs(urlsplit(request.url or "").query))
            status, body = answer if isinstance(answer, tuple) else (200, answer)
            raw = urllib3.HTTPResponse(
                io.BytesIO(json.dumps(body).encode()),
                {"Content-Type": "application/json"},
                status,
                preload_content=False,
            )
            response = requests.Response()
            response.status_code, response.raw = status, raw
            return response
        finally:
            with self.lock:
                self.under_way -= 1


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Asking:
    """A gateway, and requests that a client library would send."""

    def __init__(self, network: Network, patience: Patience) -> None:
        door = Door(Endpoints(), Anonymous(), patience, CALLS_IN_FLIGHT)
        self.session = put_in_front(door, requests.Session(), trust_environment=False)
        clients = Clients(door, Endpoints(), "x")
        self.gateway = Gateway(Live(patience), clients, Project("p", "1", "ACTIVE"), deep=False, spread=map)
        self.network = network

    def page(self, token: str | None) -> object:
        return self.session.get(URL, params={} if token is None else {"pageToken": token})

    def list(self, method: Method = THINGS, scope: str = SCOPE) -> Listed:
        return self.gateway.list_all(method, scope, self.page)

    def get(self, method: Method = THING) -> Listed:
        return self.gateway.get_one(method, SCOPE, lambda: self.page(None))


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Callable[..., Asking]:
    def asking(*answers: Any, **patience: Any) -> Asking:
        network = Network(*answers)
        monkeypatch.setattr(HTTPAdapter, "send", lambda _, request, **options: network.send(request, **options))
        return Asking(network, Patience(**{"attempts": 1, "clock": clock, **patience}))

    return asking


Ask = Callable[..., Asking]


def tokens(asked: list[str]) -> list[str | None]:
    return [parse_qs(urlsplit(url).query).get("pageToken", [None])[0] for url in asked]


def test_every_page_is_asked_for_until_the_last(asking: Ask) -> None:
    first = {"things": [thing("a"), thing("b")], "nextPageToken": "1"}
    empty = {"things": [], "nextPageToken": "2"}
    one = asking(first, empty, {"things": [thing("c")], "nextPageToken": ""})
    assert one.list() == Listed((thing("a"), thing("b"), thing("c")))
    assert tokens(one.network.asked) == [None, "1", "2"]
    (call,) = one.gateway.calls
    assert (call.service, call.method, call.scope) == ("storage.googleapis.com", "things.list", SCOPE)
    assert (call.pages, call.status, call.duration_ms) == (3, "ok", 0)


def test_a_failing_page_ends_the_list_and_keeps_what_came_before(asking: Ask) -> None:
    first = {"things": [thing("a")], "nextPageToken": "1", "unreachable": ["us-east1"]}
    one = asking(first, (403, {}), {"things": [thing("c")]})
    listed = one.list()
    assert listed.items == (thing("a"),)
    assert [(unread.reason, unread.scope, unread.type) for unread in listed.unread] == [
        (Reason.PARTIAL_ANSWER, f"{SCOPE} us-east1", "gcs"),
        (Reason.PERMISSION_DENIED, f"things.list {SCOPE}", "gcs"),
    ]
    assert len(one.network.asked) == 2
    assert [(call.pages, call.status) for call in one.gateway.calls] == [(1, "permission_denied")]


def test_a_list_that_holds_less_than_it_speaks_of(asking: Ask) -> None:
    """What came is kept; on which page the service tells the total does not matter."""
    first, last = {"things": [thing("a")], "nextPageToken": "2"}, {"things": [thing("b")], "totalSize": 3}
    listed = asking(first, last).list()
    assert listed.items == (thing("a"), thing("b"))
    assert [one.reason for one in listed.unread] == [Reason.PARTIAL_ANSWER]
    assert asking(first, {**last, "totalSize": 2}).list() == Listed((thing("a"), thing("b")))


def test_a_page_that_is_none_is_not_believed(asking: Ask) -> None:
    listed = asking({"things": [thing("a")], "nextPageToken": "1"}, {"things": "b"}).list()
    assert listed.items == (thing("a"),)
    assert [unread.reason for unread in listed.unread] == [Reason.MALFORMED_ANSWER]


@pytest.mark.parametrize("loop", [["1", "1"], ["1", "2", "1"], ["1", "2", "2"]])
def test_pages_that_lead_back(asking: Ask, loop: list[str]) -> None:
    pages = [{"things": [thing(f"{number}")], "nextPageToken": token} for number, token in enumerate(loop)]
    one = asking(*pages)
    listed = one.list()
    assert [unread.reason for unread in listed.unread] == [Reason.ENDLESS_PAGING]
    assert len(listed.items) == len(one.network.asked) == len(loop)


@pytest.mark.parametrize(("pages", "ends"), [(5, True), (6, False)])
def test_there_is_a_last_page_to_ask_for(asking: Ask, monkeypatch: pytest.MonkeyPatch, pages: int, ends: bool) -> None:
    monkeypatch.setattr(module, "PAGE_LIMIT", 5)
    more = [{"things": [thing(f"{number}")], "nextPageToken": f"{number}"} for number in range(pages - 1)]
    listed = asking(*more, {"things": [thing("last")]}).list()
    assert [unread.reason for unread in listed.unread] == ([] if ends else [Reason.ENDLESS_PAGING])
    assert len(listed.items) == 5


@pytest.mark.parametrize(("limit", "ends"), [(5, True), (4, True), (3, False)])
def test_there_is_a_last_item_to_ask_for(asking: Ask, monkeypatch: pytest.MonkeyPatch, limit: int, ends: bool) -> None:
    monkeypatch.setattr(module, "ITEM_LIMIT", limit)
    pages = [{"things": [thing(f"{number}{half}") for half in "ab"], "nextPageToken": f"{number}"} for number in (1, 2)]
    one = asking(*pages, {"things": [thing("last")]})
    listed = one.list()
    assert [unread.reason for unread in listed.unread] == ([] if ends else [Reason.ENDLESS_PAGING])
    assert len(listed.items) == (5 if ends else 4)


def test_long_lists_are_read() -> None:
    assert (module.PAGE_LIMIT, module.ITEM_LIMIT, CALLS_IN_FLIGHT) == (1000, 200_000, 64)


def test_one_object(asking: Ask) -> None:
    one = asking({"kind": "thing", "name": "a", "password": "not asked for"})
    assert one.get() == Listed(({"name": "a"},))
    assert parse_qs(urlsplit(one.network.asked[0]).query) == {"fields": ["name"]}
    assert [(call.method, call.pages, call.status) for call in one.gateway.calls] == [("things.get", 1, "ok")]


def test_an_object_of_another_kind_is_unread(asking: Ask) -> None:
    listed = asking({"kind": "other", "name": "a"}).get()
    assert (listed.items, [unread.reason for unread in listed.unread]) == ((), [Reason.MALFORMED_ANSWER])


def test_a_list_is_of_this_project(asking: Ask) -> None:
    foreign = {"name": "projects/q/locations/l/things/b"}
    listed = asking({"things": [thing("a"), foreign]}).list()
    assert listed.items == (thing("a"),)
    assert [unread.reason for unread in listed.unread] == [Reason.FOREIGN_RESOURCE]


@pytest.mark.parametrize("requests_sent", [0, 2])
def test_one_request_brings_one_answer(asking: Ask, requests_sent: int) -> None:
    one = asking({"things": [thing("a")]})
    listed = one.gateway.list_all(THINGS, SCOPE, lambda token: [one.page(token) for _ in range(requests_sent)])
    assert listed.items == ()
    assert [unread.reason for unread in listed.unread] == [Reason.UNEXPECTED_ERROR]
    assert f"{requests_sent} answers" in listed.unread[0].detail


def test_a_client_library_that_stumbles_over_an_answer(asking: Ask) -> None:
    one = asking({"name": "a"})

    def stumble(answered: bool) -> object:
        if answered:
            one.page(None)
        raise KeyError("name")

    for answered, reason in ((False, Reason.UNEXPECTED_ERROR), (True, Reason.MALFORMED_ANSWER)):
        listed = one.gateway.get_one(THING, SCOPE, lambda answered=answered: stumble(answered))  # type: ignore[misc]
        assert (listed.items, [unread.reason for unread in listed.unread]) == ((), [reason])
        assert "KeyError" in listed.unread[0].detail


def test_the_rows_of_a_query(asking: Ask) -> None:
    one = asking({"rows": [1], "totalRows": "2"}, {"rows": [2], "totalRows": "2"})

    def rows() -> list[Json]:
        one.page(None)
        one.page("1")
        return [{"location": "US"}, {"location": "EU"}]

    assert one.gateway.rows(THINGS, SCOPE, rows) == Listed(({"location": "US"}, {"location": "EU"}))
    assert [(call.pages, call.status) for call in one.gateway.calls] == [(1, "ok")]


@pytest.mark.parametrize("answer", [{}, {"totalRows": "2"}, {"rows": "x", "totalRows": "1"}])
def test_rows_that_are_not_all_there(asking: Ask, answer: Json) -> None:
    one = asking(answer)
    listed = one.gateway.rows(THINGS, SCOPE, lambda: [{"page": one.page(None)}])
    assert [unread.reason for unread in listed.unread] == [Reason.MALFORMED_ANSWER]


def test_a_query_that_fails_brings_no_row(asking: Ask) -> None:
    one = asking((404, {}))
    listed = one.gateway.rows(THINGS, SCOPE, lambda: [{"row": one.page(None)}])
    assert listed.items == ()
    assert [(unread.reason, unread.scope) for unread in listed.unread] == [(Reason.NOT_FOUND, f"things.list {SCOPE}")]


def disabled(consumer: str | None) -> tuple[int, Json]:
    metadata = {} if consumer is None else {"consumer": consumer}
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED", "metadata": metadata}
    return 403, {"error": {"code": 403, "message": "it is off", "details": [detail]}}


@pytest.mark.parametrize(
    ("consumer", "here", "told"),
    [
        ("projects/p", True, "HTTP 403: it is off"),
        ("projects/1", True, "HTTP 403: it is off"),
        ("projects/q", False, "off in project q, which is not proven to be the one verified"),
        ("projects/2", False, "off in project 2, which is not proven to be the one verified"),
        (None, False, "off in a project that the answer does not name"),
    ],
)
def test_an_api_that_is_off_in_this_project_or_in_another(
    asking: Ask, consumer: str | None, here: bool, told: str
) -> None:
    (unread,) = asking(disabled(consumer)).list().unread
    assert (unread.reason, unread.off_in_project) == (Reason.API_DISABLED, here)
    assert told in unread.detail
    assert ("which is not proven" in unread.detail) == (not here)


def test_an_api_that_is_off_somewhere_before_the_project_is_known(asking: Ask) -> None:
    one = asking(disabled("projects/1"))
    one.gateway.project = Project("p", None, None)
    assert [unread.off_in_project for unread in one.list().unread] == [False]


def test_another_refusal_says_nothing_about_the_api(asking: Ask) -> None:
    detail = {"reason": "BILLING_DISABLED", "metadata": {"consumer": "projects/p"}}
    (unread,) = asking((403, {"error": {"message": "no", "details": [detail]}})).list().unread
    assert (unread.reason, unread.off_in_project, unread.detail) == (Reason.BILLING_DISABLED, False, "HTTP 403: no")


@pytest.mark.parametrize(
    ("budget", "expected"),
    [({"run": 3.0}, 3.0), ({"type": 2.0}, 2.0), ({"call": 1.0}, 1.0), ({"read": 0.5, "connect": 0.5}, 0.5)],
)
def test_a_call_waits_no_longer_than_the_smallest_budget(
    asking: Ask, budget: dict[str, float], expected: float
) -> None:
    one = asking({"things": []}, **({"read": 9.0, "connect": 9.0} | budget))
    one.list()
    assert one.network.timeouts == [(expected, expected)]


def test_a_type_has_one_budget_for_all_its_calls_and_no_other_types(asking: Ask, clock: Clock) -> None:
    one = asking({"things": []}, type=10.0, read=60.0, connect=60.0)
    one.list()
    clock.now += 4.0
    one.list()
    one.list(replace(THINGS, type="kms"))
    clock.now += 6.0
    late = one.list()
    assert [read for _, read in one.network.timeouts] == [10.0, 6.0, 10.0]
    assert [unread.reason for unread in late.unread] == [Reason.TIMEOUT]
    assert len(one.network.asked) == 3


def test_the_time_left_to_the_run(asking: Ask, clock: Clock) -> None:
    one = asking({}, run=5.0)
    assert one.gateway.seconds_left == 5.0
    clock.now += 2.0
    assert one.gateway.seconds_left == 3.0
    clock.now += 9.0
    assert one.gateway.seconds_left == 0.0


def test_how_long_a_call_took(asking: Ask, clock: Clock) -> None:
    one = asking({"things": []})

    def later() -> None:
        clock.now += 1.5

    one.network.meanwhile = later
    one.list()
    (call,) = one.gateway.calls
    assert call.duration_ms == 1500
    assert call.started_at.endswith("Z")
    assert len(call.started_at) == len("2026-11-23T08:00:00.000Z")


def test_the_log_does_not_depend_on_who_was_first(asking: Ask) -> None:
    one = asking({"things": []})
    methods = [replace(THINGS, name=name, service=service) for name in "ba" for service in ("y", "x")]
    for method in methods:
        for scope in ("projects/p/2", "projects/p/1"):
            one.list(method, scope)
    logged = [(call.service, call.method, call.scope) for call in one.gateway.calls]
    assert logged == sorted(logged)
    assert len(logged) == 8


def test_several_at_once_come_back_in_their_order(asking: Ask) -> None:
    gateway = asking({}).gateway
    first, second = Listed(({"a": 1},)), Listed((), (Unread("t", "s", Reason.TIMEOUT, "d"),))
    assert gateway.together(lambda: first, lambda: second) == (first, second)
    assert tuple(gateway.spread(lambda part: Listed(({"part": part},)), [2, 1])) == (
        Listed(({"part": 2},)),
        Listed(({"part": 1},)),
    )


@pytest.fixture
def crowd() -> Iterator[list[threading.Thread]]:
    threads: list[threading.Thread] = []
    yield threads
    for thread in threads:
        thread.join(60)


@pytest.mark.parametrize("how", ["list", "rows"])
def test_so_many_calls_are_under_way_at_once_and_no_more(asking: Ask, crowd: list[threading.Thread], how: str) -> None:
    one = asking({"things": []} if how == "list" else {"totalRows": "1"})
    most = CALLS_IN_FLIGHT
    full = threading.Barrier(most)

    def meet() -> None:
        full.wait(60)

    one.network.meanwhile = meet

    def ask() -> None:
        if how == "rows":
            one.gateway.rows(THINGS, SCOPE, lambda: [{"page": one.page(None)}])
        else:
            one.list()

    crowd += [threading.Thread(target=ask) for _ in range(2 * most)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join(60)
    assert len(one.network.asked) == 2 * most
    assert one.network.most_under_way <= most
    assert {call.status for call in one.gateway.calls} == {"ok"}


class TestWhileTheRecordOfTheProjectIsOnItsWay:
    """Only the record tells the project's number, by which items and refusals may name it."""

    BY_NUMBER = replace(THINGS, owner="projectNumber")
    RECORD = Method(PROJECT, "cloudresourcemanager.googleapis.com", "projects.get", fields="projectId")

    @pytest.fixture
    def expecting(self, asking: Ask) -> Callable[..., Asking]:
        """A gateway that answers at once, and gets the record a moment later."""

        def expecting(*answers: Any) -> Asking:
            one = asking(*answers, run=30.0)
            one.gateway.project = Project("p", None, None)
            one.gateway.expect_project()
            arrives = Timer(0.1, lambda: setattr(one.gateway, "project", Project("p", "1", "ACTIVE")))
            one.network.meanwhile = arrives.start
            return one

        return expecting

    def test_no_item_is_taken_for_the_projects_own(self, expecting: Callable[..., Asking]) -> None:
        own, other = {"projectNumber": "1"}, {"projectNumber": "2"}
        listed = expecting({"things": [own, other]}).list(self.BY_NUMBER)
        assert listed.items == (own,)
        assert [one.reason for one in listed.unread] == [Reason.FOREIGN_RESOURCE]

    def test_no_refusal_is_taken_for_another_projects(self, expecting: Callable[..., Asking]) -> None:
        assert [one.off_in_project for one in expecting(disabled("projects/1")).get().unread] == [True]

    def test_who_asks_for_the_record_does_not_wait_for_it(self, asking: Ask) -> None:
        one = asking(disabled("projects/1"))
        one.gateway.expect_project()
        asked = Thread(target=one.get, args=[self.RECORD], daemon=True)
        asked.start()
        asked.join(20)
        assert not asked.is_alive()

    @pytest.mark.parametrize("was_expected", [False, True])
    def test_nobody_waits_once_it_is_there(self, asking: Ask, was_expected: bool) -> None:
        one = asking({"things": []})
        if was_expected:
            one.gateway.expect_project()
            one.gateway.project = Project("p", "1", "ACTIVE")
        asked = Thread(target=one.list, daemon=True)
        asked.start()
        asked.join(20)
        assert not asked.is_alive()


def test_a_gateway_asks_for_no_more_than_it_is_told_to(asking: Ask) -> None:
    gateway = asking({}).gateway
    assert (gateway.deep, gateway.after_restore) == (False, False)


def test_a_list_of_fewer_items_than_its_answer_speaks_of(asking: Ask) -> None:
    first = {"things": [thing("a")], "nextPageToken": "1", "totalSize": 3}
    listed = asking(first, {"things": [thing("b")], "totalSize": 3}).list()
    assert listed.items == (thing("a"), thing("b"))
    assert [(one.reason, one.resource) for one in listed.unread] == [(Reason.PARTIAL_ANSWER, None)]
