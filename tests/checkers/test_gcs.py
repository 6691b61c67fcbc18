"""When the regions beside a bucket's location may be believed to be where its data lies."""

from __future__ import annotations

from typing import Any

import pytest

from diga_verify.checkers.gcs import Gcs
from diga_verify.gateway.records import Sourced
from diga_verify.model import Item


def members(**bucket: Any) -> tuple[str, ...]:
    item = Item("storage.googleapis.com/Bucket", "p", {"name": "b", "location": "EU", **bucket})
    (location,) = [place for place in Gcs().read(item).placements if place.field == "location"]
    return location.members


def test_the_two_regions_of_a_dual_region_bound_its_location() -> None:
    regions = ["EUROPE-WEST3", "EUROPE-WEST4"]
    assert members(locationType="dual-region", customPlacementConfig={"dataLocations": regions}) == tuple(regions)


def test_the_location_points_to_its_field_in_the_evidence() -> None:
    item = Item("storage.googleapis.com/Bucket", "p", Sourced({"name": "b", "location": "EU"}, "/at/0"))
    assert [place.source for place in Gcs().read(item).placements] == ["/at/0/location"]


@pytest.mark.parametrize(
    ("kind", "regions"),
    [
        ("dual-region", ["EUROPE-WEST3"]),
        ("dual-region", ["EUROPE-WEST3", "europe-west3"]),
        ("dual-region", ["EUROPE-WEST3", 4]),
        ("multi-region", ["EUROPE-WEST3", "EUROPE-WEST10"]),
        (None, ["EUROPE-WEST3", "EUROPE-WEST10"]),
    ],
)
def test_anything_else_leaves_the_location_as_wide_as_it_is(kind: str | None, regions: list[Any]) -> None:
    assert members(locationType=kind, customPlacementConfig={"dataLocations": regions}) == ()
