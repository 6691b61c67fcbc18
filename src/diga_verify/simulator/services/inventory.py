"""cloudasset.googleapis.com v1: the list of assets, which is the rest of the world under other names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from diga_verify.simulator.errors import Json, bad_request, not_simulated
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.services.bigquery import dataset_id
from diga_verify.simulator.services.gke import level
from diga_verify.simulator.services.naming import located
from diga_verify.simulator.world import World, of_world

HOST = "cloudasset.googleapis.com"
UPDATED = "2026-11-01T08:00:00.000Z"
KEPT = timedelta(days=35)
"""How far back a snapshot may lie."""

_CONTENT = ("CONTENT_TYPE_UNSPECIFIED", "RESOURCE", "IAM_POLICY", "ORG_POLICY", "ACCESS_POLICY", "OS_INVENTORY",
            "RELATIONSHIP")  # fmt: skip


def _clusters(world: World) -> Iterator[str]:
    """The zone of a zonal cluster is not written as a location here."""
    for item in world.items("gke", "clusters"):
        place = item.get("location", "")
        yield f"projects/{world.project_id}/{level(place)}/{place}/clusters/{item['name']}"


def _sql(world: World) -> Iterator[str]:
    for item in world.items("sql", "instances"):
        yield f"projects/{world.project_id}/instances/{item['name']}"


def _redis(collection: str) -> Callable[[World], Iterator[str]]:
    def names(world: World) -> Iterator[str]:
        for item in world.items("redis", collection):
            yield located(world, item, collection)["name"]

    return names


def _datasets(world: World) -> Iterator[str]:
    for item in world.items("bigquery", "datasets"):
        yield f"projects/{world.project_id}/datasets/{dataset_id(item)}"


def _databases(world: World) -> Iterator[str]:
    for item in world.items("firestore", "databases"):
        if "deleteTime" not in item:
            yield f"projects/{world.project_id}/databases/{item['name'].rpartition('/')[2]}"


def _buckets(world: World) -> Iterator[str]:
    for item in world.items("gcs", "buckets"):
        if "softDeleteTime" not in item:
            yield item["name"]


def _rings(world: World) -> Iterator[str]:
    for item in world.items("kms", "keyRings"):
        yield located(world, item, "keyRings")["name"]


def _keys(world: World) -> Iterator[str]:
    for item in world.items("kms", "keyRings"):
        ring = located(world, item, "keyRings")["name"]
        for key in item.get("cryptoKeys", []):
            yield f"{ring}/cryptoKeys/{key['name'].rpartition('/')[2]}"


TYPES: dict[str, tuple[str, Callable[[World], Iterable[str]]]] = {
    "container.googleapis.com/Cluster": ("container.googleapis.com", _clusters),
    "sqladmin.googleapis.com/Instance": ("cloudsql.googleapis.com", _sql),
    "redis.googleapis.com/Instance": ("redis.googleapis.com", _redis("instances")),
    "redis.googleapis.com/Cluster": ("redis.googleapis.com", _redis("clusters")),
    "bigquery.googleapis.com/Dataset": ("bigquery.googleapis.com", _datasets),
    "firestore.googleapis.com/Database": ("firestore.googleapis.com", _databases),
    "storage.googleapis.com/Bucket": ("storage.googleapis.com", _buckets),
    "cloudkms.googleapis.com/KeyRing": ("cloudkms.googleapis.com", _rings),
    "cloudkms.googleapis.com/CryptoKey": ("cloudkms.googleapis.com", _keys),
}
"""The asset types, each with the host that full names begin with, and the names below that."""


@of_world
def _assets(world: World) -> dict[str, list[Json]]:
    """What the inventory knows, by type: the world's resources, but for what it is said not to know, and what it knows
    besides.

    A `-` is no resource: Redis writes it into the list of a location that it could not reach.
    """
    found = [
        (f"//{host}/{name}", asset_type)
        for asset_type, (host, names) in TYPES.items()
        for name in names(world)
        if name.rpartition("/")[2] != "-"
    ]
    found += [(item["name"], item["assetType"]) for item in world.items("assets", "extra")]
    unknown = set(world.words("assets", "without"))
    ancestors = [f"projects/{world.project_number}"]
    assets: dict[str, list[Json]] = {}
    for name, asset_type in found:
        if name not in unknown:
            asset = {"name": name, "assetType": asset_type, "ancestors": ancestors, "updateTime": UPDATED}
            assets.setdefault(asset_type, []).append(asset)
    return assets


def _list(call: Call) -> Json:
    _check_content(call)
    return paged(call, "assets", _chosen(call), head={"readTime": _read_time(call)})


def _search(call: Call) -> Json:
    for name in ("query", "readMask"):
        if call.query.get(name):
            raise not_simulated(f"{name} in a search")
    page = paged(call, "results", _chosen(call))
    found = [
        {"name": asset["name"], "assetType": asset["assetType"], "project": asset["ancestors"][0]}
        for asset in page.get("results", [])
    ]
    return page | {"results": found} if found else page


def _chosen(call: Call) -> list[Json]:
    """The assets of the types that the request names."""
    if call.path["scope"] != "projects":
        raise bad_request(f"The simulator has no {call.path['scope']}, only a project.")
    assets = _assets(call.world)
    wanted = _wanted(call, {*TYPES, *assets})
    return [asset for asset_type, known in assets.items() if asset_type in wanted for asset in known]


def _wanted(call: Call, known: set[str]) -> set[str]:
    """The types that the request names, by name or regular expression; all, if it names none."""
    patterns = call.every("assetTypes")
    wanted = set() if patterns else known
    for pattern in patterns:
        try:
            matching = {one for one in known if re.fullmatch(pattern, one)}
        except re.error as error:
            raise bad_request(f"Invalid asset type {pattern!r}: {error}") from error
        if not matching:
            raise bad_request(f"Asset type {pattern!r} is not supported.")
        wanted |= matching
    return wanted


def _check_content(call: Call) -> None:
    content = call.query.get("contentType", _CONTENT[0])
    if content not in _CONTENT:
        raise bad_request(f"Invalid value at 'content_type' (TYPE_ENUM), {content!r}")
    if content != _CONTENT[0]:
        raise not_simulated(f"the content type {content}")
    if call.every("relationshipTypes"):
        raise bad_request("relationshipTypes needs the content type RELATIONSHIP.")


def _read_time(call: Call) -> str:
    """The time of the snapshot, which is of now whatever the time."""
    now = datetime.now(UTC)
    asked = call.query.get("readTime")
    if asked is None:
        return now.isoformat().replace("+00:00", "Z")
    try:
        time = datetime.fromisoformat(asked)
    except ValueError as error:
        raise bad_request(f"Invalid value at 'read_time' (TYPE_MESSAGE), {asked!r}") from error
    if time.tzinfo is None or not now - KEPT <= time <= now:
        raise bad_request("readTime must be a time in the last 35 days.")
    return asked


SERVICE = Service(
    HOST,
    (
        Route(
            "GET",
            "v1/{scope}/{project}/assets",
            "cloudasset.assets.listResource",
            _list,
            ("assetTypes", "contentType", "readTime", "relationshipTypes"),
            Sizes("pageSize", 100, 1000),
        ),
        Route(
            "GET",
            "v1/{scope}/{project}:searchAllResources",
            "cloudasset.assets.searchAllResources",
            _search,
            ("assetTypes", "query", "readMask", "orderBy"),
            Sizes("pageSize", 100, 500),
        ),
    ),
)
