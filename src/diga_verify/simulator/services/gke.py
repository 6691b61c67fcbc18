"""container.googleapis.com v1: clusters and node pools, by location and by the older zone paths."""

from __future__ import annotations

from collections.abc import Callable

from diga_verify.simulator.errors import Json, no_such_thing
from diga_verify.simulator.paging import whole
from diga_verify.simulator.routes import Call, Route, Service
from diga_verify.simulator.services.naming import silent, stable_id
from diga_verify.simulator.world import World

HOST = "container.googleapis.com"
VERSION = "1.33.5-gke.1080000"
"""What runs on clusters whose world file does not say; `gcloud` describes none without a version."""


def _clusters(world: World, location: str) -> list[Json]:
    return [_cluster(world, item) for item in world.items("gke", "clusters") if location in ("-", item.get("location"))]


def _cluster(world: World, item: Json) -> Json:
    place = item.get("location", "")
    link = f"https://{HOST}/v1/projects/{world.project_id}/{level(place)}/{place}/clusters/{item['name']}"
    derived: Json = {
        "zone": place,
        "status": "RUNNING",
        "currentMasterVersion": VERSION,
        "currentNodeVersion": VERSION,
        "id": stable_id(world.project_number, place, item["name"]).replace("-", ""),
        "selfLink": link,
    }
    if level(place) == "zones":
        derived["locations"] = [place]
    cluster = derived | item
    if "nodePools" in item:
        cluster["nodePools"] = [_pool(world, cluster, pool) for pool in item["nodePools"]]
    return cluster


def _pool(world: World, cluster: Json, pool: Json) -> Json:
    zones: list[str] = (cluster | pool).get("locations", [])  # those of the cluster, unless the pool has its own
    groups = f"https://www.googleapis.com/compute/v1/projects/{world.project_id}/zones"
    derived = {
        "status": "RUNNING",
        "version": VERSION,
        "selfLink": f"{cluster['selfLink']}/nodePools/{pool['name']}",
        "locations": zones,
        "instanceGroupUrls": [
            f"{groups}/{zone}/instanceGroupManagers/gke-{cluster['name']}-{pool['name']}-grp" for zone in zones
        ],
    }
    return derived | pool


def level(place: str) -> str:
    """The word before a location in the name of a cluster."""
    return "zones" if place.count("-") == 2 else "locations"


def _list(call: Call) -> Json:
    missing = silent(call.world.words("gke", "missingZones"), call.path["location"])
    return whole("clusters", _clusters(call.world, call.path["location"]), {"missingZones": missing})


def _get(call: Call) -> Json:
    for cluster in _clusters(call.world, call.path["location"]):
        if cluster["name"] == call.path["cluster"]:
            return cluster
    raise no_such_thing(call.address.partition("/")[2])


def _list_pools(call: Call) -> Json:
    return whole("nodePools", _get(call).get("nodePools", []), {})


def _get_pool(call: Call) -> Json:
    for pool in _get(call).get("nodePools", []):
        if pool["name"] == call.path["pool"]:
            return dict(pool)
    raise no_such_thing(call.address.partition("/")[2])


def _routes(level: str, older: bool) -> tuple[Route, ...]:
    parent = f"v1/projects/{{project}}/{level}/{{location}}/clusters"
    table: tuple[tuple[str, str, Callable[[Call], Json], tuple[str, ...], str], ...] = (
        (parent, "list", _list, ("projectId", "zone"), "parent"),
        (f"{parent}/{{cluster}}", "get", _get, ("projectId", "zone", "clusterId"), "name"),
        (f"{parent}/{{cluster}}/nodePools", "get", _list_pools, ("projectId", "zone", "clusterId"), "parent"),
        (
            f"{parent}/{{cluster}}/nodePools/{{pool}}",
            "get",
            _get_pool,
            ("projectId", "zone", "clusterId", "nodePoolId"),
            "name",
        ),
    )
    return tuple(
        Route("GET", path, f"container.clusters.{verb}", handler, (name,) if older else query)
        for path, verb, handler, query, name in table
    )


SERVICE = Service(HOST, (*_routes("locations", older=False), *_routes("zones", older=True)))
