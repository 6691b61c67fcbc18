"""Every field that says where something lies, in one resource of each kind: each is read, and each is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from diga_verify.checkers.fields import of_name
from diga_verify.checkers.registry import BUILTIN
from diga_verify.gateway.listing import Method
from diga_verify.model import Item, Placement, Reason, Resource, Role

PRIMARY, NODE, REPLICA, BACKUP, KEY = Role
CHECKERS = {checker.type: checker for checker in BUILTIN}


def key(location: str, version: str = "") -> str:
    return f"projects/other/locations/{location}/keyRings/r/cryptoKeys/k{version}"


def lying(role: Role, location: str | None, field: str, about: str = "") -> Placement:
    return Placement(role, location, field, about=about)


def named(role: Role, name: str, field: str) -> Placement:
    return Placement(role, of_name(name), field, about=name)


CLUSTER: dict[str, Any] = {
    "name": "c",
    "selfLink": "https://container.googleapis.com/v1/projects/p/locations/l1/clusters/c",
    "location": "l1",
    "locations": ["l1-a", "l1-b"],
    "resourceLabels": {"data": "health"},
    "nodePools": [
        {"name": "n", "locations": ["l1-c"]},
        {
            "name": "m",
            "locations": ["l1-c", "l2-c"],
            "instanceGroupUrls": [
                "https://www.googleapis.com/compute/v1/projects/p/zones/l3-a/instanceGroupManagers/g",
                "https://www.googleapis.com/compute/v1/projects/p/zones/l3-b/instanceGroupManagers/g",
            ],
            "config": {"bootDiskKmsKey": key("k1")},
        },
    ],
    "autoscaling": {
        "autoprovisioningLocations": ["l4-a", "l4-b"],
        "autoprovisioningNodePoolDefaults": {"bootDiskKmsKey": key("k2")},
    },
    "databaseEncryption": {"keyName": key("k3")},
    "nodeConfig": {"bootDiskKmsKey": key("k4")},
    "userManagedKeysConfig": {
        "controlPlaneDiskEncryptionKey": key("k5"),
        "gkeopsEtcdBackupEncryptionKey": key("k6"),
        "serviceAccountSigningKeys": [key("k7", "/cryptoKeyVersions/1")],
        "serviceAccountVerificationKeys": [key("k8", "/cryptoKeyVersions/1"), key("k9", "/cryptoKeyVersions/1")],
    },
}
GROUP = "https://www.googleapis.com/compute/v1/projects/p/zones/{}/instanceGroupManagers/g"
CLUSTER_PLACES = [
    lying(PRIMARY, "l1", "location"),
    lying(NODE, "l1-a", "locations[0]"),
    lying(NODE, "l1-b", "locations[1]"),
    lying(NODE, "l1-c", "nodePools[0].locations[0]"),
    lying(NODE, "l1-c", "nodePools[1].locations[0]"),
    lying(NODE, "l2-c", "nodePools[1].locations[1]"),
    lying(NODE, "l3-a", "nodePools[1].instanceGroupUrls[0]", GROUP.format("l3-a")),
    lying(NODE, "l3-b", "nodePools[1].instanceGroupUrls[1]", GROUP.format("l3-b")),
    lying(NODE, "l4-a", "autoscaling.autoprovisioningLocations[0]"),
    lying(NODE, "l4-b", "autoscaling.autoprovisioningLocations[1]"),
    named(KEY, key("k3"), "databaseEncryption.keyName"),
    named(KEY, key("k4"), "nodeConfig.bootDiskKmsKey"),
    named(KEY, key("k1"), "nodePools[1].config.bootDiskKmsKey"),
    named(KEY, key("k2"), "autoscaling.autoprovisioningNodePoolDefaults.bootDiskKmsKey"),
    named(KEY, key("k5"), "userManagedKeysConfig.controlPlaneDiskEncryptionKey"),
    named(KEY, key("k6"), "userManagedKeysConfig.gkeopsEtcdBackupEncryptionKey"),
    named(KEY, key("k7", "/cryptoKeyVersions/1"), "userManagedKeysConfig.serviceAccountSigningKeys[0]"),
    named(KEY, key("k8", "/cryptoKeyVersions/1"), "userManagedKeysConfig.serviceAccountVerificationKeys[0]"),
    named(KEY, key("k9", "/cryptoKeyVersions/1"), "userManagedKeysConfig.serviceAccountVerificationKeys[1]"),
]
RUN: dict[str, Any] = {
    "id": "7",
    "instance": "i",
    "location": "b2",
    "status": "SUCCESSFUL",
    "type": "AUTOMATED",
    "diskEncryptionConfiguration": {"kmsKeyName": key("k3")},
    "diskEncryptionStatus": {"kmsKeyVersionName": key("k4", "/cryptoKeyVersions/1")},
}
SQL_BACKUP: dict[str, Any] = {
    "name": "projects/p/backups/u-1",
    "instance": "i",
    "instanceDeletionTime": "2026-01-01T00:00:00Z",
    "instanceSettings": {"settings": {"userLabels": {"data": "health"}}},
    "location": "b3",
    "state": "SUCCESSFUL",
    "type": "FINAL",
    "kmsKey": key("k5"),
    "kmsKeyVersion": key("k6", "/cryptoKeyVersions/1"),
}


def run_places(prefix: str) -> list[Placement]:
    return [
        lying(BACKUP, "b2", f"{prefix}location"),
        named(KEY, key("k3"), f"{prefix}diskEncryptionConfiguration.kmsKeyName"),
        named(KEY, key("k4", "/cryptoKeyVersions/1"), f"{prefix}diskEncryptionStatus.kmsKeyVersionName"),
    ]


def backup_places(prefix: str) -> list[Placement]:
    return [
        lying(BACKUP, "b3", f"{prefix}location"),
        named(KEY, key("k5"), f"{prefix}kmsKey"),
        named(KEY, key("k6", "/cryptoKeyVersions/1"), f"{prefix}kmsKeyVersion"),
    ]


INSTANCE: dict[str, Any] = {
    "name": "i",
    "project": "p",
    "region": "l1",
    "gceZone": "l1-a",
    "secondaryGceZone": "l1-b",
    "nodes": [{"gceZone": "l1-c"}, {"gceZone": "l2-c"}],
    "instanceType": "CLOUD_SQL_INSTANCE",
    "settings": {"backupConfiguration": {"enabled": True, "location": "b1"}, "userLabels": {"data": "health"}},
    "diskEncryptionConfiguration": {"kmsKeyName": key("k1")},
    "diskEncryptionStatus": {"kmsKeyVersionName": key("k2", "/cryptoKeyVersions/1")},
}
INSTANCE_PLACES = [
    lying(PRIMARY, "l1", "region"),
    lying(NODE, "l1-a", "gceZone"),
    lying(NODE, "l1-b", "secondaryGceZone"),
    lying(NODE, "l1-c", "nodes[0].gceZone"),
    lying(NODE, "l2-c", "nodes[1].gceZone"),
    lying(BACKUP, "b1", "settings.backupConfiguration.location"),
    named(KEY, key("k1"), "diskEncryptionConfiguration.kmsKeyName"),
    named(KEY, key("k2", "/cryptoKeyVersions/1"), "diskEncryptionStatus.kmsKeyVersionName"),
]
HERE = "projects/p/locations/l1"
REDIS: dict[str, Any] = {
    "name": f"{HERE}/instances/i",
    "locationId": "l1-a",
    "alternativeLocationId": "l1-b",
    "currentLocationId": "l1-c",
    "nodes": [{"zone": "l1-d"}, {"zone": "l2-d"}],
    "customerManagedKey": key("k1"),
    "labels": {"data": "health"},
}
REDIS_PLACES = [
    named(PRIMARY, f"{HERE}/instances/i", "name"),
    lying(NODE, "l1-a", "locationId"),
    lying(NODE, "l1-b", "alternativeLocationId"),
    lying(NODE, "l1-c", "currentLocationId"),
    lying(NODE, "l1-d", "nodes[0].zone"),
    lying(NODE, "l2-d", "nodes[1].zone"),
    named(KEY, key("k1"), "customerManagedKey"),
]
OTHER = "projects/p/locations/{}/clusters/c"
SESSIONS: dict[str, Any] = {
    "name": f"{HERE}/clusters/c",
    "zoneDistributionConfig": {"zone": "l1-a", "zones": ["l1-b", "l2-b"], "activeZones": ["l1-c", "l2-c"]},
    "crossClusterReplicationConfig": {
        "clusterRole": "PRIMARY",
        "primaryCluster": {"cluster": OTHER.format("r1")},
        "secondaryClusters": [{"cluster": OTHER.format("r2")}, {"cluster": OTHER.format("r3")}],
        "membership": {
            "primaryCluster": {"cluster": OTHER.format("r4")},
            "secondaryClusters": [{"cluster": OTHER.format("r5")}, {"cluster": OTHER.format("r6")}],
        },
    },
    "kmsKey": key("k1"),
    "encryptionInfo": {"kmsKeyVersions": [key("k2", "/cryptoKeyVersions/1"), key("k3", "/cryptoKeyVersions/1")]},
    "labels": {"data": "health"},
}
REPLICATION = "crossClusterReplicationConfig"
SESSIONS_PLACES = [
    named(PRIMARY, f"{HERE}/clusters/c", "name"),
    lying(NODE, "l1-a", "zoneDistributionConfig.zone"),
    lying(NODE, "l1-b", "zoneDistributionConfig.zones[0]"),
    lying(NODE, "l2-b", "zoneDistributionConfig.zones[1]"),
    lying(NODE, "l1-c", "zoneDistributionConfig.activeZones[0]"),
    lying(NODE, "l2-c", "zoneDistributionConfig.activeZones[1]"),
    named(PRIMARY, OTHER.format("r1"), f"{REPLICATION}.primaryCluster.cluster"),
    named(REPLICA, OTHER.format("r2"), f"{REPLICATION}.secondaryClusters[0].cluster"),
    named(REPLICA, OTHER.format("r3"), f"{REPLICATION}.secondaryClusters[1].cluster"),
    named(PRIMARY, OTHER.format("r4"), f"{REPLICATION}.membership.primaryCluster.cluster"),
    named(REPLICA, OTHER.format("r5"), f"{REPLICATION}.membership.secondaryClusters[0].cluster"),
    named(REPLICA, OTHER.format("r6"), f"{REPLICATION}.membership.secondaryClusters[1].cluster"),
    named(KEY, key("k1"), "kmsKey"),
    named(KEY, key("k2", "/cryptoKeyVersions/1"), "encryptionInfo.kmsKeyVersions[0]"),
    named(KEY, key("k3", "/cryptoKeyVersions/1"), "encryptionInfo.kmsKeyVersions[1]"),
]
DATASET: dict[str, Any] = {
    "datasetReference": {"projectId": "p", "datasetId": "d"},
    "location": "l1",
    "labels": {"data": "health"},
    "type": "DEFAULT",
    "externalCatalogDatasetOptions": {"parameters": {}},
    "defaultEncryptionConfiguration": {"kmsKeyName": key("k1")},
}
KEY_NAME = f"{HERE}/keyRings/r/cryptoKeys/k"

WHOLE: dict[str, tuple[dict[str, Any], list[Placement], Resource]] = {
    "container.googleapis.com/Cluster": (
        CLUSTER,
        CLUSTER_PLACES,
        Resource(
            "gke", "c", "//container.googleapis.com/projects/p/locations/l1/clusters/c", "cluster", (),
            {"data": "health"},
        ),
    ),
    "sqladmin.googleapis.com/Instance": (
        INSTANCE,
        [*INSTANCE_PLACES, *run_places("backupRuns[7]."), *backup_places("backups[u-1].")],
        Resource(
            "sql", "i", "//cloudsql.googleapis.com/projects/p/instances/i", "instance", (), {"data": "health"}
        ),
    ),
    "sqladmin.googleapis.com/BackupRun": (
        RUN,
        run_places(""),
        Resource(
            "sql", "i/7", "//cloudsql.googleapis.com/projects/asked/instances/i/backupRuns/7", "backup run", ()
        ),
    ),
    "sqladmin.googleapis.com/Backup": (
        SQL_BACKUP,
        backup_places(""),
        Resource(
            "sql", "u-1", "//sqladmin.googleapis.com/projects/p/backups/u-1", "backup", (), {"data": "health"}
        ),
    ),
    "redis.googleapis.com/Instance": (
        REDIS,
        REDIS_PLACES,
        Resource("redis", "i", f"//redis.googleapis.com/{HERE}/instances/i", "instance", (), {"data": "health"}),
    ),
    "redis.googleapis.com/Cluster": (
        SESSIONS,
        SESSIONS_PLACES,
        Resource("redis", "c", f"//redis.googleapis.com/{HERE}/clusters/c", "cluster", (), {"data": "health"}),
    ),
    "redis.googleapis.com/BackupCollection": (
        {"name": f"{HERE}/backupCollections/b", "cluster": f"{HERE}/clusters/c", "kmsKey": key("k1")},
        [named(BACKUP, f"{HERE}/backupCollections/b", "name"), named(KEY, key("k1"), "kmsKey")],
        Resource(
            "redis", "b", f"//redis.googleapis.com/{HERE}/backupCollections/b", "backup collection", (),
            owner=f"//redis.googleapis.com/{HERE}/clusters/c",
        ),
    ),
    "bigquery.googleapis.com/Dataset": (
        DATASET,
        [
            lying(PRIMARY, "l1", "location"),
            named(KEY, key("k1"), "defaultEncryptionConfiguration.kmsKeyName"),
            lying(REPLICA, "r1", "SCHEMATA_REPLICAS[0].location"),
            lying(REPLICA, "r2", "SCHEMATA_REPLICAS[1].location"),
        ],
        Resource(
            "bigquery", "d", "//bigquery.googleapis.com/projects/p/datasets/d", "dataset", (), {"data": "health"}
        ),
    ),
    "firestore.googleapis.com/Database": (
        {
            "name": "projects/p/databases/d",
            "locationId": "l1",
            "cmekConfig": {
                "kmsKeyName": key("k1"),
                "activeKeyVersion": [key("k2", "/cryptoKeyVersions/1"), key("k3", "/cryptoKeyVersions/1")],
            },
        },
        [
            lying(PRIMARY, "l1", "locationId"),
            named(KEY, key("k1"), "cmekConfig.kmsKeyName"),
            named(KEY, key("k2", "/cryptoKeyVersions/1"), "cmekConfig.activeKeyVersion[0]"),
            named(KEY, key("k3", "/cryptoKeyVersions/1"), "cmekConfig.activeKeyVersion[1]"),
        ],
        Resource("firestore", "d", "//firestore.googleapis.com/projects/p/databases/d", "database", ()),
    ),
    "firestore.googleapis.com/Backup": (
        {"name": f"{HERE}/backups/b", "database": "projects/p/databases/d"},
        [named(BACKUP, f"{HERE}/backups/b", "name")],
        Resource(
            "firestore", "b", f"//firestore.googleapis.com/{HERE}/backups/b", "backup", (),
            owner="//firestore.googleapis.com/projects/p/databases/d",
        ),
    ),
    "storage.googleapis.com/Bucket": (
        {
            "name": "b",
            "location": "EU",
            "locationType": "dual-region",
            "customPlacementConfig": {"dataLocations": ["L1", "L2"]},
            "encryption": {"defaultKmsKeyName": key("k1")},
            "labels": {"data": "health"},
        },
        [
            Placement(PRIMARY, "EU", "location", members=("L1", "L2")),
            lying(PRIMARY, "L1", "customPlacementConfig.dataLocations[0]"),
            lying(PRIMARY, "L2", "customPlacementConfig.dataLocations[1]"),
            named(KEY, key("k1"), "encryption.defaultKmsKeyName"),
        ],
        Resource("gcs", "b", "//storage.googleapis.com/b", "bucket", (), {"data": "health"}),
    ),
    "cloudkms.googleapis.com/KeyRing": (
        {"name": f"{HERE}/keyRings/r"},
        [named(PRIMARY, f"{HERE}/keyRings/r", "name")],
        Resource("kms", "r", f"//cloudkms.googleapis.com/{HERE}/keyRings/r", "key ring", ()),
    ),
    "cloudkms.googleapis.com/CryptoKey": (
        {
            "name": KEY_NAME,
            "labels": {"data": "health"},
            "versionTemplate": {"protectionLevel": "HSM"},
            "primary": {"protectionLevel": "SOFTWARE"},
        },
        [named(PRIMARY, KEY_NAME, "name")],
        Resource("kms", "r/k", f"//cloudkms.googleapis.com/{KEY_NAME}", "key", (), {"data": "health"}),
    ),
}  # fmt: skip
RELATED: dict[str, Any] = {
    "sqladmin.googleapis.com/Instance": {"backupRuns": (RUN,), "backups": (SQL_BACKUP,)},
    "bigquery.googleapis.com/Dataset": {"replicas": ({"location": "r1"}, {"location": "r2"})},
}


def read(asset_type: str, data: Any, related: Any = None) -> Resource:
    checker = CHECKERS[WHOLE[asset_type][2].type]
    return checker.read(Item(asset_type, "asked", data, RELATED.get(asset_type, {}) if related is None else related))


def changed(asset_type: str, **changes: Any) -> dict[str, Any]:
    return {**WHOLE[asset_type][0], **changes}


@pytest.mark.parametrize("asset_type", sorted(WHOLE))
def test_every_place_of_a_resource(asset_type: str) -> None:
    data, expected, _ = WHOLE[asset_type]
    assert [*read(asset_type, data).placements] == expected


@pytest.mark.parametrize("asset_type", sorted(WHOLE))
def test_what_a_resource_is(asset_type: str) -> None:
    data, _, due = WHOLE[asset_type]
    got = read(asset_type, data)
    assert (got.type, got.name, got.full_name, got.kind) == (due.type, due.name, due.full_name, due.kind)
    assert (got.labels, got.owner, got.live) == (due.labels, due.owner, True)


class Watched(dict[str, Any]):
    """An object of an answer that remembers which of its fields somebody looked at."""

    def __init__(self, data: dict[str, Any], seen: set[str], at: str = "") -> None:
        self._seen, self._at = seen, at
        super().__init__({key: self._watched(value, f"{at}{key}") for key, value in data.items()})

    def _watched(self, value: Any, at: str) -> Any:
        if isinstance(value, dict):
            return Watched(value, self._seen, f"{at}/")
        return [self._watched(one, at) for one in value] if isinstance(value, list) else value

    def get(self, key: str, default: Any = None) -> Any:
        self._seen.add(f"{self._at}{key}")
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self._seen.add(f"{self._at}{key}")
        return super().__contains__(key)


def asked(mask: str) -> list[str]:
    """`a(b,c/d),e` as a/b, a/c/d and e."""
    if not mask:
        return []
    found, above, word = [], [""], ""
    for sign in f"{mask},":
        if sign == "(":
            above.append(f"{above[-1]}{word}/")
        elif sign in ",)" and word:
            found.append(above[-1] + word)
        if sign == ")":
            above.pop()
        word = "" if sign in "()," else word + sign
    return found


MASKED = {
    "container.googleapis.com/Cluster": ("gke", "_CLUSTERS"),
    "sqladmin.googleapis.com/Instance": ("sql", "_INSTANCES"),
    "sqladmin.googleapis.com/BackupRun": ("sql", "_RUNS"),
    "sqladmin.googleapis.com/Backup": ("sql", "_BACKUPS"),
    "redis.googleapis.com/Instance": ("redis", "_INSTANCES"),
    "redis.googleapis.com/Cluster": ("redis", "_CLUSTERS"),
    "redis.googleapis.com/BackupCollection": ("redis", "_COLLECTIONS"),
    "bigquery.googleapis.com/Dataset": ("bigquery", "_DATASET"),
    "firestore.googleapis.com/Database": ("firestore", "_DATABASES"),
    "firestore.googleapis.com/Backup": ("firestore", "_BACKUPS"),
    "storage.googleapis.com/Bucket": ("gcs", "_BUCKETS"),
    "cloudkms.googleapis.com/KeyRing": ("kms", "_KEY_RINGS"),
    "cloudkms.googleapis.com/CryptoKey": ("kms", "_CRYPTO_KEYS"),
}
NEVER_SENT = {
    "redis.googleapis.com/Instance": {"cluster"},
    "redis.googleapis.com/Cluster": {"cluster"},
    "redis.googleapis.com/BackupCollection": {"labels"},
}
"""Fields that one kind of a type has and another has not, read for all of them."""


@pytest.mark.parametrize("asset_type", sorted(WHOLE))
def test_what_is_read_is_asked_for(asset_type: str) -> None:
    type, name = MASKED[asset_type]
    method: Method = vars(import_module(f"diga_verify.checkers.{type}"))[name]
    wanted = [path.removeprefix(f"{method.items}/") for path in asked(method.fields or "")]
    seen: set[str] = set()
    read(asset_type, Watched(WHOLE[asset_type][0], seen))
    leaves = {path for path in seen if not any(other.startswith(f"{path}/") for other in seen)}
    lacking = {path for path in leaves if not any(f"{path}/".startswith(f"{one}/") for one in wanted)}
    assert lacking - NEVER_SENT.get(asset_type, set()) == set()


def test_a_list_of_datasets_asks_for_all_that_it_may_have_to_stand_for() -> None:
    """Where a dataset's own record cannot be had, what the list says of it is read instead."""
    method: Method = vars(import_module("diga_verify.checkers.bigquery"))["_DATASETS"]
    wanted = {"datasets/datasetReference", "datasets/location", "datasets/labels", "datasets/type"}
    assert wanted <= {*asked(method.fields or "")}


@pytest.mark.parametrize("type", sorted(CHECKERS))
def test_a_list_asks_for_what_names_its_project(type: str) -> None:
    for method in vars(import_module(f"diga_verify.checkers.{type}")).values():
        if isinstance(method, Method) and method.owner:
            assert any(f"{method.items}/{method.owner}".startswith(path) for path in asked(method.fields or ""))


PROMISES = {
    "container.projects.locations.clusters.list": (None, False, "missingZones", "selfLink"),
    "sql.instances.list": ("sql#instancesList", False, "warnings", "project"),
    "sql.backupRuns.list": ("sql#backupRunsList", False, None, ""),
    "sql.Backups.ListBackups": (None, False, "warnings", "name"),
    "redis.projects.locations.instances.list": (None, False, "unreachable", "name"),
    "redis.projects.locations.clusters.list": (None, False, "unreachable", "name"),
    "redis.projects.locations.backupCollections.list": (None, False, "unreachable", "name"),
    "bigquery.datasets.list": ("bigquery#datasetList", True, "unreachable", "datasetReference.projectId"),
    "bigquery.datasets.get": ("bigquery#dataset", False, None, ""),
    "bigquery.jobs.query": (None, False, None, ""),
    "firestore.projects.databases.list": (None, False, "unreachable", "name"),
    "firestore.projects.locations.backups.list": (None, False, "unreachable", "name"),
    "storage.buckets.list": ("storage#buckets", True, "unreachable", "projectNumber"),
    "cloudkms.projects.locations.list": (None, False, None, "name"),
    "cloudkms.projects.locations.keyRings.list": (None, False, None, "name"),
    "cloudkms.projects.locations.keyRings.cryptoKeys.list": (None, False, None, "name"),
}
"""Kind, whether every answer carries it, the sign of a part that is missing, and what names an item's project."""


def test_what_every_method_promises() -> None:
    modules = [vars(import_module(f"diga_verify.checkers.{type}")) for type in CHECKERS]
    methods = [method for module in modules for method in module.values() if isinstance(method, Method)]
    assert {one.name: (one.kind, one.kind_required, one.partial, one.owner) for one in methods} == PROMISES
    for one in methods:
        above = [path.partition("/")[0] for path in asked(one.fields or "")]
        assert {mark for mark in (one.partial, "kind" if one.kind else None) if mark} <= {*above}
        assert ("nextPageToken" in above) == (one.name in PAGED)


PAGED = PROMISES.keys() - {
    "container.projects.locations.clusters.list",
    "firestore.projects.databases.list",
    "firestore.projects.locations.backups.list",
    "bigquery.datasets.get",
    "bigquery.jobs.query",
}

NEEDED = {
    "gke": (["container.clusters.list"], ["container.googleapis.com/Cluster"]),
    "sql": (["cloudsql.instances.list", "cloudsql.backupRuns.list"], ["sqladmin.googleapis.com/Instance"]),
    "redis": (
        ["redis.instances.list", "redis.clusters.list", "redis.backupCollections.list"],
        ["redis.googleapis.com/Instance", "redis.googleapis.com/Cluster"],
    ),
    "bigquery": (["bigquery.datasets.get"], ["bigquery.googleapis.com/Dataset"]),
    "firestore": (
        ["datastore.databases.list", "datastore.backups.list"],
        ["firestore.googleapis.com/Database"],
    ),
    "gcs": (["storage.buckets.list"], ["storage.googleapis.com/Bucket"]),
    "kms": (
        ["cloudkms.locations.list", "cloudkms.keyRings.list", "cloudkms.cryptoKeys.list"],
        ["cloudkms.googleapis.com/KeyRing", "cloudkms.googleapis.com/CryptoKey"],
    ),
}


@pytest.mark.parametrize("type", sorted(NEEDED))
def test_what_a_type_needs_and_what_the_second_witness_is_asked_for(type: str) -> None:
    checker = CHECKERS[type]
    assert ([*checker.permissions], [*checker.asset_types]) == NEEDED[type]


def test_what_was_deleted_and_holds_its_data_still() -> None:
    bucket = read("storage.googleapis.com/Bucket", {"name": "b", "softDeleteTime": "2026", "generation": "7"})
    assert (bucket.kind, bucket.live, bucket.full_name) == (
        "soft-deleted bucket",
        False,
        "//storage.googleapis.com/b#7",
    )
    database = changed("firestore.googleapis.com/Database", deleteTime="2026-01-01T00:00:00Z")
    gone = read("firestore.googleapis.com/Database", database)
    assert (gone.kind, gone.live) == ("deleted database", False)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        (None, Reason.MISSING_LOCATION),
        ("", Reason.MISSING_LOCATION),
        (["EU"], Reason.MALFORMED_ANSWER),
        (7, Reason.MALFORMED_ANSWER),
    ],
)
def test_a_bucket_without_a_location(location: object, reason: Reason) -> None:
    (place,) = read("storage.googleapis.com/Bucket", {"name": "b", "location": location}).placements
    assert place == Placement(PRIMARY, None, "location", reason=reason)


def test_three_regions_are_no_pair() -> None:
    data = changed("storage.googleapis.com/Bucket", customPlacementConfig={"dataLocations": ["L1", "L2", "L3"]})
    assert read("storage.googleapis.com/Bucket", data).placements[0].members == ()
