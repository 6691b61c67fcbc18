"""storage.googleapis.com v1: buckets, the living and the soft-deleted."""

from __future__ import annotations

import re

from diga_verify.simulator.errors import ApiError, Json, bad_request, foreign_project
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.world import World, of_world

HOST = "storage.googleapis.com"
_OWNERS = {"acl", "defaultObjectAcl", "owner"}


def _bucket(world: World, item: Json) -> Json:
    derived = {
        "kind": "storage#bucket",
        "id": item["name"],
        "selfLink": f"https://www.googleapis.com/storage/v1/b/{item['name']}",
        "projectNumber": world.project_number,
        "storageClass": "STANDARD",
        "etag": "CAE=",
    }
    if "location" in item:
        derived["locationType"] = _location_type(item)
    return derived | item


def _location_type(item: Json) -> str:
    """`region` for EUROPE-WEST3, `multi-region` for EU, `dual-region` for EUR4 and for EU with two named regions."""
    location = str(item["location"])
    if "customPlacementConfig" in item or re.fullmatch(r"[A-Za-z]+\d+", location):
        return "dual-region"
    return "region" if "-" in location else "multi-region"


@of_world
def _views(world: World) -> dict[tuple[str, bool], list[Json]]:
    """The buckets by projection, and by whether they are deleted."""
    views: dict[tuple[str, bool], list[Json]] = {}
    for item in world.items("gcs", "buckets"):
        bucket, deleted = _bucket(world, item), "softDeleteTime" in item
        views.setdefault(("full", deleted), []).append(bucket)
        public = {key: value for key, value in bucket.items() if key not in _OWNERS}
        views.setdefault(("noAcl", deleted), []).append(public)
    return views


def _buckets(call: Call) -> list[Json]:
    return _views(call.world).get((_projection(call), call.flag("softDeleted")), [])


def _projection(call: Call) -> str:
    projection = call.query.get("projection", "noAcl")
    if projection not in {"full", "noAcl"}:
        raise bad_request(f"Invalid value for projection: {projection!r}")
    return projection


def _list(call: Call) -> Json:
    project = call.query.get("project")
    if project is None:
        raise ApiError(400, "Required parameter: project", reason="required")
    if project not in (call.world.project_id, call.world.project_number):
        raise foreign_project(project, HOST)
    unreachable = call.world.words("gcs", "unreachable")
    if unreachable and not call.flag("returnPartialSuccess"):
        raise ApiError(503, "We encountered an internal error. Please try again.")
    items, prefix = _buckets(call), call.query.get("prefix")
    if prefix:
        items = [item for item in items if item["name"].startswith(prefix)]
    return paged(call, "items", items, head={"kind": "storage#buckets"}, partial={"unreachable": unreachable})


def _get(call: Call) -> Json:
    for item in _buckets(call):
        if item["name"] == call.path["bucket"]:
            return item
    raise ApiError(404, "The specified bucket does not exist.")


SERVICE = Service(
    HOST,
    (
        Route(
            "GET",
            "storage/v1/b",
            "storage.buckets.list",
            _list,
            ("project", "prefix", "projection", "returnPartialSuccess", "softDeleted"),
            Sizes("maxResults", 1000, 1000),
        ),
        Route(
            "GET",
            "storage/v1/b/{bucket}",
            "storage.buckets.get",
            _get,
            ("projection", "softDeleted", "generation", "ifMetagenerationMatch", "ifMetagenerationNotMatch"),
        ),
    ),
    errors_list=True,
)
