"""Clusters that say less than they should about where they are."""

from __future__ import annotations

from typing import Any

import pytest

from diga_verify.checkers.gke import CLUSTER, Gke
from diga_verify.model import Item, Placement, Reason, Role

HERE = "europe-west3-a"


def read(**data: Any) -> tuple[str, tuple[Placement, ...]]:
    """Full name and placements of a cluster."""
    found = Gke().read(Item(CLUSTER, "p", {"name": "c", **data}))
    return found.full_name, found.placements


@pytest.mark.parametrize("location", [{}, {"location": ""}, {"location": None}])
def test_a_cluster_without_a_location(location: dict[str, Any]) -> None:
    full_name, found = read(locations=[HERE], **location)
    assert full_name == "//container.googleapis.com/projects/p/locations/-/clusters/c"
    assert found == (
        Placement(Role.PRIMARY, None, "location", reason=Reason.MISSING_LOCATION),
        Placement(Role.NODE, HERE, "locations[0]"),
    )


@pytest.mark.parametrize("nodes", [{}, {"locations": []}, {"nodePools": []}, {"nodePools": [{"name": "a"}, {}]}])
def test_a_cluster_that_names_no_zone(nodes: dict[str, Any]) -> None:
    _, found = read(location="europe-west3", **nodes)
    assert found == (
        Placement(Role.PRIMARY, "europe-west3", "location"),
        Placement(Role.NODE, None, "locations", reason=Reason.MISSING_LOCATION),
    )


@pytest.mark.parametrize("nodes", [{"locations": [HERE]}, {"nodePools": [{"name": "a"}, {"locations": [HERE]}]}])
def test_one_zone_anywhere_is_enough(nodes: dict[str, Any]) -> None:
    _, found = read(location="europe-west3", **nodes)
    assert [(place.role, place.location) for place in found] == [(Role.PRIMARY, "europe-west3"), (Role.NODE, HERE)]


def test_the_keys_of_the_past_count_as_long_as_something_is_encrypted_with_them() -> None:
    ring = "projects/p/locations/{}/keyRings/r/cryptoKeys/k"
    keys = [ring.format(region) for region in ("europe-west3", "us-east1")]
    versions = [f"{key}/cryptoKeyVersions/1" for key in keys]
    _, found = read(
        location="europe-west3",
        locations=[HERE],
        databaseEncryption={"keyName": keys[0], "decryptionKeys": versions},
        userManagedKeysConfig={"controlPlaneDiskEncryptionKeyVersions": versions},
    )
    assert [(place.field, place.location) for place in found if place.role is Role.KEY] == [
        ("databaseEncryption.keyName", "europe-west3"),
        ("databaseEncryption.decryptionKeys[0]", "europe-west3"),
        ("databaseEncryption.decryptionKeys[1]", "us-east1"),
        ("userManagedKeysConfig.controlPlaneDiskEncryptionKeyVersions[0]", "europe-west3"),
        ("userManagedKeysConfig.controlPlaneDiskEncryptionKeyVersions[1]", "us-east1"),
    ]


@pytest.mark.parametrize("authority", ["clusterCa", "aggregationCa", "etcdApiCa", "etcdPeerCa"])
def test_an_authority_is_where_its_pool_is(authority: str) -> None:
    pool = "projects/p/locations/us-east1/caPools/a"
    _, found = read(location="europe-west3", locations=[HERE], userManagedKeysConfig={authority: pool})
    assert found[-1] == Placement(Role.KEY, "us-east1", f"userManagedKeysConfig.{authority}", about=pool)
