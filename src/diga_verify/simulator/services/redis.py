"""redis.googleapis.com v1: instances, clusters, and the backup collections that outlive clusters."""

from __future__ import annotations

from diga_verify.simulator.errors import Json, no_such_thing
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.services.naming import (
    REGIONS,
    located,
    locations,
    named,
    silent,
    stable_id,
    within,
)
from diga_verify.simulator.world import World, of_world

HOST = "redis.googleapis.com"
PAGES = Sizes("pageSize", 1000, 1000)
PROJECT = "v1/projects/{project}"
PLACE = f"{PROJECT}/locations/{{location}}"


@of_world
def _instances(world: World) -> list[Json]:
    return [{"state": "READY"} | located(world, item, "instances") for item in world.items("redis", "instances")]


@of_world
def _clusters(world: World) -> list[Json]:
    return [
        {"state": "ACTIVE", "uid": stable_id(item["name"]), "createTime": "2025-03-19T08:00:00Z"}
        | located(world, item, "clusters")
        for item in world.items("redis", "clusters")
    ]


def _collections(world: World) -> list[Json]:
    """The collections, without their backups: those have a list of their own."""
    return [
        {key: value for key, value in located(world, item, "backupCollections").items() if key != "backups"}
        for item in world.items("redis", "backupCollections")
    ]


def _backups(world: World) -> list[Json]:
    found = []
    for item in world.items("redis", "backupCollections"):
        collection = located(world, item, "backupCollections")["name"]
        for backup in item.get("backups", []):
            name = backup["name"] if "/" in backup["name"] else f"{collection}/backups/{backup['name']}"
            found.append({"state": "ACTIVE"} | backup | {"name": name})
    return found


def _page(call: Call, key: str, items: list[Json]) -> Json:
    place = call.path["location"]
    unreachable = silent(call.world.words("redis", "unreachable"), place)
    return paged(call, key, within(items, place), partial={"unreachable": unreachable})


def _list_instances(call: Call) -> Json:
    return _page(call, "instances", _instances(call.world))


def _list_clusters(call: Call) -> Json:
    return _page(call, "clusters", _clusters(call.world))


def _list_collections(call: Call) -> Json:
    return _page(call, "backupCollections", _collections(call.world))


def _list_backups(call: Call) -> Json:
    wanted = call.path["collection"]
    items = [item for item in _backups(call.world) if wanted in ("-", item["name"].split("/")[5])]
    return _page(call, "backups", items)


def _list_locations(call: Call) -> Json:
    return paged(call, "locations", locations(call.world, REGIONS))


def _get_location(call: Call) -> Json:
    if call.path["location"] not in REGIONS:
        raise no_such_thing(call.path["location"])
    return locations(call.world, [call.path["location"]])[0]


SERVICE = Service(
    HOST,
    (
        Route(
            "GET",
            f"{PROJECT}/locations",
            "redis.locations.list",
            _list_locations,
            ("filter", "extraLocationTypes"),
            PAGES,
        ),
        Route("GET", PLACE, "redis.locations.get", _get_location),
        Route("GET", f"{PLACE}/instances", "redis.instances.list", _list_instances, (), PAGES),
        Route(
            "GET",
            f"{PLACE}/instances/{{instance}}",
            "redis.instances.get",
            lambda call: named(_instances(call.world), call.address),
        ),
        Route("GET", f"{PLACE}/clusters", "redis.clusters.list", _list_clusters, (), PAGES),
        Route(
            "GET",
            f"{PLACE}/clusters/{{cluster}}",
            "redis.clusters.get",
            lambda call: named(_clusters(call.world), call.address),
        ),
        Route("GET", f"{PLACE}/backupCollections", "redis.backupCollections.list", _list_collections, (), PAGES),
        Route(
            "GET",
            f"{PLACE}/backupCollections/{{collection}}",
            "redis.backupCollections.get",
            lambda call: named(_collections(call.world), call.address),
        ),
        Route(
            "GET",
            f"{PLACE}/backupCollections/{{collection}}/backups",
            "redis.backups.list",
            _list_backups,
            (),
            PAGES,
        ),
        Route(
            "GET",
            f"{PLACE}/backupCollections/{{collection}}/backups/{{backup}}",
            "redis.backups.get",
            lambda call: named(_backups(call.world), call.address),
        ),
    ),
)
