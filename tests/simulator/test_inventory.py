"""Cloud Asset Inventory knows the world's resources under their full names, and is asked as Google's is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from diga_verify.simulator.server import Simulator

ASSETS = "cloudasset.googleapis.com/v1/projects/p/assets"
CLUSTER = "container.googleapis.com/Cluster"
BUCKET = "storage.googleapis.com/Bucket"
WORLD = {
    "gke": {"clusters": [{"name": "c", "location": "us-east1-b"}, {"name": "d", "location": "europe-west3"}]},
    "gcs": {"buckets": [{"name": "live"}, {"name": "gone", "softDeleteTime": "2026-11-18T09:00:00Z"}]},
    "firestore": {"databases": [{"name": "f"}, {"name": "g", "deleteTime": "2026-11-18T09:00:00Z"}]},
    "redis": {"instances": [{"name": "-", "location": "us-east1"}, {"name": "r", "location": "europe-west3"}]},
}
NAMES = [
    "//container.googleapis.com/projects/p/zones/us-east1-b/clusters/c",
    "//container.googleapis.com/projects/p/locations/europe-west3/clusters/d",
    "//redis.googleapis.com/projects/p/locations/europe-west3/instances/r",
    "//firestore.googleapis.com/projects/p/databases/f",
    "//storage.googleapis.com/live",
]


def _names(answer: requests.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [asset["name"] for asset in answer.json().get("assets", [])]


def test_only_what_there_is_is_an_asset(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    answer = fetch(serve(**WORLD), ASSETS)
    assert _names(answer) == NAMES
    assert answer.json()["assets"][-1] == {
        "name": "//storage.googleapis.com/live",
        "assetType": BUCKET,
        "ancestors": ["projects/1"],
        "updateTime": "2026-11-01T08:00:00.000Z",
    }
    assert datetime.now(UTC) - datetime.fromisoformat(answer.json()["readTime"]) < timedelta(hours=1)


def test_the_inventory_may_know_more_and_less(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    disk = {"name": "//compute.googleapis.com/projects/p/zones/z/disks/d", "assetType": "compute.googleapis.com/Disk"}
    hidden = {"name": "//storage.googleapis.com/hidden", "assetType": BUCKET}
    simulator = serve(**WORLD, assets={"extra": [disk, hidden], "without": [NAMES[1], NAMES[4]]})
    assert _names(fetch(simulator, ASSETS)) == [NAMES[0], *NAMES[2:4], disk["name"], hidden["name"]]
    assert _names(fetch(simulator, ASSETS, params={"assetTypes": BUCKET})) == [hidden["name"]]
    assert _names(fetch(simulator, ASSETS, params={"assetTypes": disk["assetType"]})) == [disk["name"]]


@pytest.mark.parametrize(
    ("types", "names"),
    [
        ([CLUSTER], NAMES[:2]),
        ([BUCKET, CLUSTER], [*NAMES[:2], NAMES[4]]),
        (["sqladmin.googleapis.com/Instance"], []),
        (["container.googleapis.com.*"], NAMES[:2]),
        ([".*Instance"], NAMES[2:3]),
        ([".*/(Database|Bucket)"], NAMES[3:]),
    ],
)
def test_asset_types_may_be_several_and_regular_expressions(
    types: list[str], names: list[str], serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    assert _names(fetch(serve(**WORLD), ASSETS, params={"assetTypes": types})) == names


def test_the_mask_and_the_pages_are_as_elsewhere(
    serve: Callable[..., Simulator], fetch_pages: Callable[..., list[dict[str, Any]]]
) -> None:
    mask = "assets(name,assetType),nextPageToken"
    pages = fetch_pages(serve(**WORLD), ASSETS, fields=mask, pageSize=2)
    assert [[asset["name"] for asset in page["assets"]] for page in pages] == [NAMES[:2], NAMES[2:4], NAMES[4:]]
    assert pages[2] == {"assets": [{"name": NAMES[4], "assetType": BUCKET}]}


@pytest.mark.parametrize(("size", "length"), [({}, 100), ({"pageSize": 150}, 150), ({"pageSize": 2000}, 1000)])
def test_a_page_has_its_default_and_its_maximum(
    size: dict[str, int], length: int, serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve(gcs={"buckets": [{"name": f"bucket-{number}"} for number in range(1001)]})
    assert len(_names(fetch(simulator, ASSETS, params=size))) == length


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        (ASSETS.replace("/p/", "/1/"), {}, 200),
        (ASSETS.replace("/p/", "/q/"), {}, 403),
        (ASSETS.replace("/projects/", "/folders/"), {}, 400),
        (ASSETS, {"assetTypes": [BUCKET, "compute.googleapis.com/Disk"]}, 400),
        (ASSETS, {"assetTypes": "storage.googleapis.com"}, 400),
        (ASSETS, {"assetTypes": "("}, 400),
        (ASSETS, {"contentType": "CONTENT_TYPE_UNSPECIFIED"}, 200),
        (ASSETS, {"contentType": "RESOURCE"}, 501),
        (ASSETS, {"contentType": "BUCKET"}, 400),
        (ASSETS, {"relationshipTypes": "INSTANCE_TO_INSTANCEGROUP"}, 400),
        (ASSETS, {"readTime": "yesterday"}, 400),
        (ASSETS, {"readTime": "2020-01-01T00:00:00Z"}, 400),
        (ASSETS, {"fields": "assets(name,location)"}, 400),
    ],
)
def test_what_the_inventory_takes_and_refuses(
    path: str, query: dict[str, Any], status: int,
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    assert fetch(serve(**WORLD), path, params=query).status_code == status


def test_a_snapshot_says_of_when_it_is(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat().replace("+00:00", "Z")
    assert fetch(serve(**WORLD), ASSETS, params={"readTime": yesterday}).json()["readTime"] == yesterday


def test_the_inventory_may_be_denied_or_out_of_order(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    assert fetch(serve(iam={"denied": ["cloudasset.assets.listResource"]}), ASSETS).status_code == 403
    faults = [{"service": "cloudasset.googleapis.com", "answer": "server_error", "status": 500}]
    assert fetch(serve(faults=faults), ASSETS).status_code == 500
