"""Full resource names, `projects/P/locations/L/COLLECTION/ID`, made from short ones and looked up again."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

from diga_verify.simulator.errors import Json, no_such_thing
from diga_verify.simulator.world import World

REGIONS = (
    "africa-south1", "asia-east1", "asia-east2", "asia-northeast1", "asia-northeast2", "asia-northeast3",
    "asia-south1", "asia-south2", "asia-southeast1", "asia-southeast2", "australia-southeast1",
    "australia-southeast2", "europe-central2", "europe-north1", "europe-southwest1", "europe-west1", "europe-west10",
    "europe-west12", "europe-west2", "europe-west3", "europe-west4", "europe-west6", "europe-west8", "europe-west9",
    "me-central1", "me-west1", "northamerica-northeast1", "northamerica-northeast2", "southamerica-east1",
    "southamerica-west1", "us-central1", "us-east1", "us-east4", "us-east5", "us-south1", "us-west1", "us-west2",
    "us-west3", "us-west4",
)  # fmt: skip
"""The regions that `locations.list` tells of."""


def located(world: World, item: Mapping[str, object], collection: str) -> Json:
    """The item under its full name. The `location` beside a short name is the world file's, not the API's."""
    name = str(item["name"])
    if "/" in name:
        return dict(item)
    full = f"projects/{world.project_id}/locations/{item['location']}/{collection}/{name}"
    return {"name": full} | {key: value for key, value in item.items() if key not in {"name", "location"}}


def location_of(item: Mapping[str, object]) -> str:
    """The location in a full name; empty if there is none."""
    parts = str(item["name"]).split("/")
    return parts[3] if len(parts) > 3 and parts[2] == "locations" else ""


def within(items: Iterable[Json], location: str) -> list[Json]:
    """The items in a location; `-` is all of them."""
    return list(items) if location == "-" else [item for item in items if location_of(item) == location]


def named(items: Iterable[Json], address: str) -> Json:
    """The item whose full name ends like the address `v1/projects/P/...`. Raises ApiError (404)."""
    wanted = address.split("/")[3:]
    for item in items:
        if str(item["name"]).split("/")[2:] == wanted:
            return item
    raise no_such_thing(address.partition("/")[2])


def silent(places: Sequence[str], location: str) -> list[str]:
    """Those of the unreachable places that a list over the location, or over `-`, has to name."""
    return [place for place in places if location in ("-", place.rpartition("/")[2])]


def locations(world: World, ids: Iterable[str]) -> list[Json]:
    """The items of `projects.locations.list`."""
    return [
        {
            "name": f"projects/{world.project_id}/locations/{place}",
            "locationId": place,
            "labels": {"cloud.googleapis.com/region": place},
        }
        for place in ids
    ]


def stable_id(*parts: str) -> str:
    """An id that is the same on every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))
