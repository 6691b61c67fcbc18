"""Calls as evidence: what a gateway keeps when it is told to, and what it makes of records in place of Google Cloud."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway, in_order
from diga_verify.gateway.listing import Listed, Method
from diga_verify.gateway.recorded import Recorded, RecordedTalk, offline_clients
from diga_verify.gateway.records import Record, Sourced, source_of, with_sources
from diga_verify.model import Call, Json, Project, Reason

THINGS = Method(
    "gcs", "storage.googleapis.com", "things.list", fields="things(name,size),nextPageToken", items="things"
)
THING = Method("gcs", "storage.googleapis.com", "things.get", fields="name")
QUERY = Method("gcs", "storage.googleapis.com", "things.query")
PROJECT = Project("p", "1", "ACTIVE")
BASE = "/answers/things.list projects~1p"


def call(scope: str = "projects/p", method: str = "things.list") -> Call:
    return Call("storage.googleapis.com", method, scope, 1, "ok", "2026-11-23T10:00:00.000Z", 5)


def record(*pages: Json, name: str = "things.list projects/p", error: ReadError | None = None) -> Record:
    return Record(name, call(), ({"method": "GET", "url": "https://storage.googleapis.com/things"},), pages, error)


@pytest.fixture
def over() -> Callable[..., Gateway]:
    """A gateway over records."""

    def over(*records: Record, keep: bool = True) -> Gateway:
        wire = Recorded({one.name: one for one in records})
        return Gateway(wire, offline_clients(), PROJECT, deep=False, spread=map, keep=keep)

    return over


def nobody(*_: object) -> Sequence[Json]:
    raise AssertionError("a replay asked somebody")


def listed(gateway: Gateway) -> Listed:
    return gateway.list_all(THINGS, "projects/p", nobody)


def unasked_token(gateway: Gateway) -> Listed:
    """The list, by a mask that does not ask for the token of the next page."""
    method = Method("gcs", "storage.googleapis.com", "things.list", fields="things", items="things")
    return gateway.list_all(method, "projects/p", nobody)


def test_items_know_where_they_stand(over: Callable[..., Gateway]) -> None:
    first = {"things": [{"name": "a"}, {"name": "b", "size": [{"x": 1}]}], "nextPageToken": "t"}
    found = listed(over(record(first, {"things": [{"name": "c"}]})))
    assert found == Listed(({"name": "a"}, {"name": "b", "size": [{"x": 1}]}, {"name": "c"}))
    a, b, c = found.items
    assert source_of(a) == f"{BASE}/pages/0/things/0"
    assert source_of(b, "size[0].x") == f"{BASE}/pages/0/things/1/size/0/x"
    assert source_of(c, "name") == f"{BASE}/pages/1/things/0/name"


def test_one_object_and_rows_know_where_they_stand(over: Callable[..., Gateway]) -> None:
    gateway = over(
        record({"name": "a"}, name="things.get projects/p"),
        record({"rows": [{"location": "US"}, {"location": "EU"}]}, name="things.query projects/p"),
    )
    (thing,) = gateway.get_one(THING, "projects/p", nobody).items
    assert source_of(thing, "name") == "/answers/things.get projects~1p/pages/0/name"
    rows = gateway.rows(QUERY, "projects/p", nobody).items
    assert [source_of(row) for row in rows] == [
        f"/answers/things.query projects~1p/pages/0/rows/{number}" for number in range(2)
    ]


def test_without_evidence_nothing_is_kept_and_nothing_points(over: Callable[..., Gateway]) -> None:
    gateway = over(record({"things": [{"name": "a"}]}), keep=False)
    (item,) = listed(gateway).items
    assert source_of(item) is None
    (kept,) = gateway.records
    assert (kept.pages, kept.requests, kept.call) == ((), (), call())
    quiet = Gateway(Recorded({}), offline_clients(), PROJECT, deep=False, spread=map)
    listed(quiet)
    assert quiet.records[0].error is None


def test_the_second_call_of_a_name_has_a_name_of_its_own(over: Callable[..., Gateway]) -> None:
    gateway = over(
        record({"things": [{"name": "a"}]}),
        record({"things": [{"name": "b"}]}, name="things.list projects/p #2"),
        record({"things": [{"name": "c"}]}, name="things.list projects/p #3"),
    )
    assert [listed(gateway).items[0]["name"] for _ in range(3)] == ["a", "b", "c"]
    assert [one.name for one in gateway.records] == [f"things.list projects/p{end}" for end in ("", " #2", " #3")]


def test_records_stand_in_the_order_of_service_method_and_scope(over: Callable[..., Gateway]) -> None:
    gateway = over()
    asked = [("b", "y", "s"), ("b", "x", "t"), ("b", "x", "s"), ("a", "z", "z"), ("b", "x", "s")]
    for service, name, scope in asked:
        gateway.list_all(Method("gcs", service, name, items="things"), scope, nobody)
    assert [one.name for one in gateway.records] == ["z z", "x s", "x s #2", "x t", "y s"]
    assert [one.service for one in gateway.calls] == ["a", "b", "b", "b", "b"]


def test_what_an_answer_says_of_its_gaps_is_kept_whatever_the_mask_says(over: Callable[..., Gateway]) -> None:
    page = {"things": [], "unreachable": ["us-east1"], "warnings": [{"code": "W"}], "missingZones": ["z"], "more": 1}
    gateway = over(record({**page, "nextPageToken": "t"}, {"things": []}))
    assert [one.reason for one in listed(gateway).unread] == [Reason.PARTIAL_ANSWER] * 3


def test_a_list_goes_on_though_its_mask_does_not_ask_for_the_token(over: Callable[..., Gateway]) -> None:
    gateway = over(record({"things": [{"name": "a"}], "nextPageToken": "t"}, {"things": [{"name": "b"}]}))
    assert unasked_token(gateway) == Listed(({"name": "a"}, {"name": "b"}))


@pytest.mark.parametrize(
    ("pages", "detail"),
    [
        ([], "the evidence of things.list projects/p breaks off"),
        ([{"things": [{"name": "a"}], "nextPageToken": "t"}], "the evidence of things.list projects/p breaks off"),
        ([{"things": []}, {"things": []}], "the evidence of things.list projects/p goes on behind its end"),
    ],
)
def test_evidence_that_does_not_add_up(over: Callable[..., Gateway], pages: list[Json], detail: str) -> None:
    (unread,) = listed(over(record(*pages))).unread
    assert (unread.reason, unread.detail) == (Reason.MALFORMED_ANSWER, detail)


def test_a_failure_is_told_again_behind_the_pages_that_came_before_it(over: Callable[..., Gateway]) -> None:
    error = ReadError(Reason.SERVER_ERROR, "HTTP 500", "projects/p")
    for page in ({"things": [{"name": "a"}], "nextPageToken": "t"}, {"things": [{"name": "a"}]}):
        found = listed(over(record(page, error=error)))
        assert found.items == ({"name": "a"},)
        assert [(one.reason, one.detail) for one in found.unread] == [(Reason.SERVER_ERROR, "HTTP 500")]


def test_a_call_that_was_never_made_is_unread(over: Callable[..., Gateway]) -> None:
    gateway = over()
    (unread,) = listed(gateway).unread
    assert (unread.type, unread.scope) == ("gcs", "things.list projects/p")
    assert (unread.reason, unread.detail) == (Reason.MALFORMED_ANSWER, "the evidence holds no such call")
    (one,) = gateway.calls
    assert (one.service, one.method, one.scope, one.pages) == (THINGS.service, "things.list", "projects/p", 0)
    assert (one.status, one.started_at, one.duration_ms) == ("malformed_answer", "", 0)


@pytest.mark.parametrize("rows", [None, {}, [1], [{}, None]])
def test_rows_that_are_none(over: Callable[..., Gateway], rows: object) -> None:
    gateway = over(record({"rows": rows}, name="things.query projects/p"))
    found = gateway.rows(QUERY, "projects/p", nobody)
    assert (found.items, [one.detail for one in found.unread]) == (
        (),
        ["the evidence of things.query projects/p holds no rows"],
    )


def test_a_pointer_writes_slashes_and_tildes_as_escapes() -> None:
    page = with_sources({"things": [{}]}, "things", "m ~x/y", 3)
    assert source_of(page["things"][0]) == "/answers/m ~0x~1y/pages/3/things/0"
    assert isinstance(page["things"][0], Sourced)
    assert source_of({"plain": 1}) is None
    assert source_of(Sourced({}, "/at"), "a~b") == "/at/a~0b"


def test_what_is_kept_is_all_of_it(over: Callable[..., Gateway]) -> None:
    one = record({"things": [{"name": "a"}]})
    gateway = over(one)
    listed(gateway)
    assert gateway.records == (one,)
    assert gateway.records[0].requests == one.requests


def test_records_of_one_method_stand_by_scope_and_those_of_one_scope_by_name() -> None:
    records = [Record("a", call("t")), Record("c", call("s")), Record("b", call("s"))]
    assert [one.name for one in in_order(records)] == ["b", "c", "a"]
    assert [one.name for one in in_order(records[::-1])] == ["b", "c", "a"]


class Answering(RecordedTalk):
    """A call that is made for the first time."""

    def record(self, pages: Sequence[Json], error: ReadError | None) -> Record:
        return Record(self.name, call(), (), tuple(pages), error)


def test_a_kept_page_has_its_token_and_its_gaps_whatever_the_mask_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diga_verify.gateway.recorded.RecordedTalk", Answering)
    first = {"things": [{"name": "a"}], "nextPageToken": "t", "warnings": [{"code": "W"}], "more": 1}
    wire = Recorded({"things.list projects/p": record(first, {"things": []})})
    gateway = Gateway(wire, offline_clients(), PROJECT, deep=False, spread=map, keep=True)
    unasked_token(gateway)
    assert [dict(page) for page in gateway.records[0].pages] == [
        {"things": [{"name": "a"}], "nextPageToken": "t", "warnings": [{"code": "W"}]},
        {"things": []},
    ]
