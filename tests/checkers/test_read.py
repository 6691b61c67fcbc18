"""`read` takes the REST representation of a resource, whatever is in it, and believes only what is a location."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.checkers.registry import BUILTIN
from diga_verify.errors import ReadError
from diga_verify.locations.algebra import bound
from diga_verify.model import Item, Reason, Resource, Role

CHECKERS = {checker.type: checker for checker in BUILTIN}
PLACE = "projects/p/locations/europe-west3"
KEY = f"{PLACE}/keyRings/r/cryptoKeys/k"
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "container.googleapis.com/Cluster": (
        "gke",
        {
            "name": "c",
            "location": "europe-west3",
            "locations": ["europe-west3-a"],
            "nodePools": [{"locations": ["europe-west3-b"]}],
            "databaseEncryption": {"keyName": KEY},
        },
    ),
    "sqladmin.googleapis.com/Instance": (
        "sql",
        {
            "name": "i",
            "region": "europe-west3",
            "instanceType": "CLOUD_SQL_INSTANCE",
            "gceZone": "europe-west3-a",
            "settings": {"backupConfiguration": {"enabled": True, "location": "eu"}},
        },
    ),
    "sqladmin.googleapis.com/BackupRun": ("sql", {"id": "1", "instance": "i", "location": "eu"}),
    "sqladmin.googleapis.com/Backup": ("sql", {"name": "projects/p/backups/b", "location": "eu", "kmsKey": KEY}),
    "redis.googleapis.com/Instance": ("redis", {"name": f"{PLACE}/instances/i", "locationId": "europe-west3-a"}),
    "redis.googleapis.com/Cluster": ("redis", {"name": f"{PLACE}/clusters/c", "kmsKey": KEY}),
    "redis.googleapis.com/BackupCollection": ("redis", {"name": f"{PLACE}/backupCollections/b"}),
    "bigquery.googleapis.com/Dataset": (
        "bigquery",
        {"datasetReference": {"projectId": "p", "datasetId": "d"}, "location": "europe-west3"},
    ),
    "firestore.googleapis.com/Database": (
        "firestore",
        {"name": "projects/p/databases/d", "locationId": "europe-west3", "cmekConfig": {"kmsKeyName": KEY}},
    ),
    "firestore.googleapis.com/Backup": ("firestore", {"name": f"{PLACE}/backups/b"}),
    "storage.googleapis.com/Bucket": (
        "gcs",
        {
            "name": "b",
            "location": "EUROPE-WEST3",
            "customPlacementConfig": {"dataLocations": ["EUROPE-WEST3"]},
            "encryption": {"defaultKmsKeyName": KEY},
        },
    ),
    "cloudkms.googleapis.com/KeyRing": ("kms", {"name": f"{PLACE}/keyRings/r"}),
    "cloudkms.googleapis.com/CryptoKey": ("kms", {"name": KEY, "versionTemplate": {"protectionLevel": "HSM"}}),
}
ASSET_TYPES = st.sampled_from(sorted(KINDS))
KEYS = sorted(
    {key for _, data in KINDS.values() for key in data}
    | {"labels", "type", "nodes", "zone", "kmsKeyName", "gceZone", "selfLink", "softDeleteTime", "cluster"}
    | {"replicaNames", "masterInstanceName", "crossClusterReplicationConfig", "projectId", "datasetId", "deleteTime"}
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([PLACE, KEY, "europe-west3"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=10,
)
JUNK: st.SearchStrategy[object] = (
    st.text(max_size=8).map(lambda text: f"{text}-nowhere")
    | st.integers()
    | st.booleans()
    | st.just([])
    | st.just({})
    | st.lists(st.none(), min_size=1, max_size=2)
    | st.dictionaries(st.text(max_size=3), st.integers(), min_size=1, max_size=2)
)


def read(asset_type: str, data: object) -> Resource:
    return CHECKERS[KINDS[asset_type][0]].read(Item(asset_type, "p", data))  # type: ignore[arg-type]


def proven(resource: Resource) -> bool:
    """Whether every placement has a bound, so that the resource could be compliant at all."""
    return bool(resource.placements) and all(
        bound(place.location, "kms" if place.role is Role.KEY else resource.type, place.members)
        for place in resource.placements
    )


@pytest.mark.parametrize("asset_type", sorted(KINDS))
def test_a_plain_resource(asset_type: str) -> None:
    resource = read(asset_type, KINDS[asset_type][1])
    assert resource.type == KINDS[asset_type][0]
    assert resource.full_name.startswith("//")
    assert proven(resource)


@pytest.mark.parametrize("asset_type", sorted(KINDS))
def test_an_empty_object_is_no_resource(asset_type: str) -> None:
    with pytest.raises(ReadError):
        read(asset_type, {})


@given(asset_type=ASSET_TYPES, junk=st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=6))
def test_anything_is_a_resource_or_a_read_error(asset_type: str, junk: dict[str, Any]) -> None:
    with suppress(ReadError):
        assert isinstance(read(asset_type, junk), Resource)


@given(asset_type=ASSET_TYPES, data=st.data())
def test_a_good_resource_with_one_strange_field(asset_type: str, data: st.DataObject) -> None:
    table = KINDS[asset_type][1]
    key = data.draw(st.sampled_from(KEYS))
    with suppress(ReadError):
        assert isinstance(read(asset_type, table | {key: data.draw(ANYTHING)}), Resource)


LOCATED = {
    "container.googleapis.com/Cluster": ("location", "locations", "nodePools", "databaseEncryption"),
    "sqladmin.googleapis.com/Instance": ("region", "gceZone"),
    "sqladmin.googleapis.com/BackupRun": ("location",),
    "sqladmin.googleapis.com/Backup": ("location", "kmsKey"),
    "redis.googleapis.com/Instance": ("locationId",),
    "redis.googleapis.com/Cluster": ("kmsKey",),
    "bigquery.googleapis.com/Dataset": ("location",),
    "firestore.googleapis.com/Database": ("locationId", "cmekConfig"),
    "storage.googleapis.com/Bucket": ("location", "encryption"),
}


@pytest.mark.parametrize(
    ("asset_type", "field"), [(asset_type, field) for asset_type, fields in LOCATED.items() for field in fields]
)
@given(junk=JUNK)
def test_junk_is_no_location(asset_type: str, field: str, junk: object) -> None:
    # An object without the wanted key, or an empty list, says that there is no such placement.
    holds_no_place = isinstance(junk, dict) or junk == []
    optional = field in {"locations", "nodePools", "databaseEncryption", "cmekConfig", "encryption"}
    if holds_no_place and optional:
        return
    assert not proven(read(asset_type, KINDS[asset_type][1] | {field: junk}))


@pytest.mark.parametrize(
    "name",
    [
        "",
        "k",
        "projects/p/keyRings/r/cryptoKeys/k",
        "projects/p/locations//keyRings/r/cryptoKeys/k",
        "projects/p/locations/europe-west3",
        "x/projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k",
    ],
)
def test_a_key_that_names_no_location(name: str) -> None:
    data = KINDS["firestore.googleapis.com/Database"][1] | {"cmekConfig": {"kmsKeyName": name}}
    resource = read("firestore.googleapis.com/Database", data)
    keys = [place for place in resource.placements if place.role is Role.KEY]
    assert [place.location for place in keys] == ([] if name == "" else [None])


def test_a_cluster_without_zones_leaves_its_nodes_open() -> None:
    resource = read("container.googleapis.com/Cluster", {"name": "c", "location": "europe-west3"})
    assert [place.reason for place in resource.placements if place.role is Role.NODE] == [Reason.MISSING_LOCATION]


@pytest.mark.parametrize("state", ["FAILED", "SKIPPED", "ENQUEUED", "DELETED"])
def test_a_backup_that_holds_nothing_lies_nowhere(state: str) -> None:
    run = {"id": "1", "instance": "i", "status": state}
    assert read("sqladmin.googleapis.com/BackupRun", run).placements == ()


@pytest.mark.parametrize("state", ["SUCCESSFUL", "RUNNING", "DELETION_PENDING", "DELETION_FAILED", "NEW", None])
def test_a_backup_that_may_hold_something_lies_somewhere(state: str | None) -> None:
    run = {"id": "1", "instance": "i", "status": state}
    places = read("sqladmin.googleapis.com/BackupRun", run).placements
    assert [(place.location, place.reason) for place in places] == [(None, Reason.MISSING_LOCATION)]


def test_a_secondary_cluster_is_a_replica() -> None:
    data = KINDS["redis.googleapis.com/Cluster"][1] | {"crossClusterReplicationConfig": {"clusterRole": "SECONDARY"}}
    assert read("redis.googleapis.com/Cluster", data).placements[0].role is Role.REPLICA
