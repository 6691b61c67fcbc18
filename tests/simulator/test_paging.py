"""Whatever the page size, the pages together hold every item once, and the mark of incompleteness exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

NAMES = ["a", "b", "c", "d", "e"]
MANY: dict[str, Any] = {
    "project": {"id": "p", "number": "1"},
    "sql": {
        "instances": [{"name": name, "region": "europe-west3"} for name in NAMES],
        "backupRuns": [{"instance": "a", "id": str(number)} for number in range(5)],
        "backups": [{"name": name} for name in NAMES],
        "warnings": [{"code": "REGION_UNREACHABLE", "region": "us-east1"}],
    },
    "redis": {
        "instances": [{"name": name, "location": "europe-west3"} for name in NAMES],
        "unreachable": ["projects/p/locations/us-east1"],
    },
    "bigquery": {"datasets": [{"datasetId": name} for name in NAMES], "unreachable": ["us-east1"]},
    "gcs": {"buckets": [{"name": name} for name in NAMES], "unreachable": ["us-east1"]},
    "kms": {"keyRings": [{"name": name, "location": "europe-west3"} for name in NAMES]},
}
PLACES = "v1/projects/p/locations"
LISTS = [
    ("sqladmin.googleapis.com/v1/projects/p/instances", "items", "maxResults", "warnings"),
    ("sqladmin.googleapis.com/sql/v1beta4/projects/p/instances/-/backupRuns", "items", "maxResults", None),
    ("sqladmin.googleapis.com/v1/projects/p/backups", "backups", "pageSize", "warnings"),
    ("sqladmin.googleapis.com/v1/projects/p/operations", "items", "maxResults", None),
    (f"redis.googleapis.com/{PLACES}/-/instances", "instances", "pageSize", "unreachable"),
    ("bigquery.googleapis.com/bigquery/v2/projects/p/datasets", "datasets", "maxResults", "unreachable"),
    ("storage.googleapis.com/storage/v1/b?project=p&returnPartialSuccess=true", "items", "maxResults", "unreachable"),
    (f"cloudkms.googleapis.com/{PLACES}/europe-west3/keyRings", "keyRings", "pageSize", None),
]


@pytest.mark.parametrize(("path", "key", "parameter", "mark"), LISTS)
@given(asked=st.integers(0, 7), cap=st.none() | st.integers(1, 7), marked=st.integers(1, 7))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_page_size_gives_the_same_items(
    fetch_pages: Callable[..., list[dict[str, Any]]],
    path: str, key: str, parameter: str, mark: str | None, asked: int, cap: int | None, marked: int,
) -> None:  # fmt: skip
    paging = {"partialPage": marked} | ({} if cap is None else {"size": cap})
    with Simulator(World.from_dict(MANY | {"paging": paging})) as simulator:
        pages = fetch_pages(simulator, path, **{parameter: asked})
    with Simulator(World.from_dict(MANY)) as simulator:
        (unpaged,) = fetch_pages(simulator, path)
    assert [item for page in pages for item in page.get(key, [])] == unpaged[key]
    assert len(unpaged[key]) == len(NAMES)
    size = min(asked or 5, cap or 5, 5)
    assert len(pages) == -(-5 // size)
    if mark is not None:
        assert [number for number, page in enumerate(pages, 1) if mark in page] == [min(marked, len(pages))]


def test_a_token_is_good_for_its_own_list_only(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(World.from_dict(MANY | {"paging": {"size": 2}}))
    here, there = (f"redis.googleapis.com/{PLACES}/{place}/instances" for place in ("europe-west3", "-"))
    token = fetch(simulator, here).json()["nextPageToken"]
    assert fetch(simulator, here, params={"pageToken": token}).status_code == 200
    assert fetch(simulator, there, params={"pageToken": token}).status_code == 400


@pytest.mark.parametrize(
    "query", [{"pageToken": "x"}, {"pageToken": "bm90OjE="}, {"pageSize": "-1"}, {"pageSize": "a"}]
)
def test_a_bad_token_or_size_is_refused(
    query: dict[str, str], serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(serve(), f"redis.googleapis.com/{PLACES}/-/instances", params=query)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize(("path", "key", "parameter", "mark"), LISTS)
def test_an_empty_list_has_no_key(
    serve: Callable[..., Simulator],
    fetch: Callable[..., requests.Response],
    path: str, key: str, parameter: str, mark: str | None,
) -> None:  # fmt: skip
    simulator = serve(sql={"instances": []})
    answer = fetch(simulator, path, params={parameter: 3})
    assert answer.status_code == 200
    assert not {key, mark, "nextPageToken"} & answer.json().keys()
