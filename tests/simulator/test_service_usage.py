"""Service Usage knows what the world says is enabled, and that the rest is not; it is asked as Google's is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from diga_verify.simulator.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from diga_verify.simulator.server import Simulator

PATH = "serviceusage.googleapis.com/v1/projects/p/services"
ENABLED = {"filter": "state:ENABLED"}
TWO = {"services": ["storage.googleapis.com", "compute.googleapis.com"]}


def _names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["config"]["name"] for one in answer.json().get("services", [])]


def test_what_is_enabled_is_what_the_world_says(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(serve(serviceusage=TWO), PATH, params=ENABLED)
    assert _names(answer) == ["compute.googleapis.com", "storage.googleapis.com"]
    assert answer.json()["services"][1] == {
        "name": "projects/1/services/storage.googleapis.com",
        "config": {"name": "storage.googleapis.com", "title": "storage API"},
        "state": "ENABLED",
        "parent": "projects/1",
    }


def test_a_world_that_says_nothing_has_enabled_all_that_is_served(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    assert _names(fetch(serve(), PATH, params=ENABLED)) == sorted(SERVICES)


def test_a_world_may_have_enabled_nothing(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    assert fetch(serve(serviceusage={"services": []}), PATH, params=ENABLED).json() == {}


def test_what_is_off_is_listed_to_those_who_ask_for_it(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(serviceusage=TWO)
    off = _names(fetch(simulator, PATH, params={"filter": "state:DISABLED", "pageSize": 200}))
    everything = _names(fetch(simulator, PATH, params={"pageSize": 200}))
    assert {"redis.googleapis.com", "zync.googleapis.com"} <= set(off)
    assert not set(off) & set(TWO["services"])
    assert everything == sorted([*off, *TWO["services"]])


def test_the_mask_and_the_pages_are_as_elsewhere(
    serve: Callable[..., Simulator], fetch_pages: Callable[..., list[dict[str, Any]]]
) -> None:
    mask = "services(name,state),nextPageToken"
    pages = fetch_pages(serve(serviceusage=TWO), PATH, fields=mask, pageSize=1, **ENABLED)
    assert [page["services"] for page in pages] == [
        [{"name": f"projects/1/services/{name}.googleapis.com", "state": "ENABLED"}] for name in ("compute", "storage")
    ]


@pytest.mark.parametrize(("size", "length"), [({}, 50), ({"pageSize": 120}, 120), ({"pageSize": 500}, 200)])
def test_a_page_has_its_default_and_its_maximum(
    size: dict[str, int], length: int, serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(serviceusage={"services": [f"api-{number}.googleapis.com" for number in range(201)]})
    assert len(_names(fetch(simulator, PATH, params=ENABLED | size))) == length


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (PATH.replace("/p/", "/1/"), ENABLED, 200),
        (PATH.replace("/p/", "/q/"), ENABLED, 403),
        (PATH.replace("/projects/", "/folders/"), ENABLED, 400),
        (PATH, {"filter": "state:enabled"}, 400),
        (PATH, {"filter": "name:storage"}, 400),
        (PATH, {"orderBy": "name"}, 400),
        (PATH, {"fields": "services(name,location)"}, 400),
    ],
)
def test_what_service_usage_takes_and_refuses(
    path: str, query: dict[str, Any], status: int,
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    assert fetch(serve(), path, params=query).status_code == status


def test_elsewhere_a_filter_is_still_refused(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    path = "sqladmin.googleapis.com/v1/projects/p/instances"
    assert fetch(serve(), path, params={"filter": "name:a"}).status_code == 501


def test_service_usage_may_be_denied_or_out_of_order(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    assert fetch(serve(iam={"denied": ["serviceusage.services.list"]}), PATH).status_code == 403
    faults = [{"service": "serviceusage.googleapis.com", "answer": "server_error", "status": 500}]
    assert fetch(serve(faults=faults), PATH).status_code == 500
