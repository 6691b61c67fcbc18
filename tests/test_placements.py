"""One misplaced placement in an otherwise compliant project is found, whichever it is, and is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from diga_verify.model import TYPES, Verdict
from diga_verify.report import Report

World = dict[str, Any]
AWAY = "us-central1"
ZONE = "us-central1-f"
KEY = "projects/dtx-data/locations/us-central1/keyRings/far-ring/cryptoKeys/far-key"
FOREIGN_KEY = "projects/other-project/locations/europe-west4/keyRings/r/cryptoKeys/k"
VERSION = f"{KEY}/cryptoKeyVersions/7"
HERE_KEY = "projects/dtx-data/locations/europe-west3/keyRings/dta-ring/cryptoKeys/dta-key"
HERE_VERSION = f"{HERE_KEY}/cryptoKeyVersions/1"
FAR_POOL = "projects/dtx-data/locations/us-central1/caPools/far-pool"
CLUSTER = "projects/dtx-data/locations/europe-west3/clusters/dta-sessions"
FAR_CLUSTER = "projects/dtx-data/locations/us-central1/clusters/dta-sessions-2"


def at(path: str, value: object) -> Callable[[World], None]:
    """Sets what stands at a path such as `gke.clusters.-1.location`; a list that is too short is made."""

    def spoil(world: World) -> None:
        holder: Any = world
        *way, last = (int(step) if step.lstrip("-").isdigit() else step for step in path.split("."))
        for step in way:
            holder = holder.setdefault(step, {}) if isinstance(step, str) else holder[step]
        holder[last] = value

    return spoil


def add(path: str, *values: object) -> Callable[[World], None]:
    """Appends to the list at a path."""

    def spoil(world: World) -> None:
        holder: Any = world
        *way, last = (int(step) if step.lstrip("-").isdigit() else step for step in path.split("."))
        for step in way:
            holder = holder.setdefault(step, {}) if isinstance(step, str) else holder[step]
        holder.setdefault(last, []).extend(values)

    return spoil


# Where it lies, and whose it is: name, what is wrong in the world, type, resource, role, location, field.
MISPLACED: tuple[tuple[str, Callable[[World], None], str, str, str, str, str], ...] = (
    # GKE
    (
        "gke location",
        add("gke.clusters", {"name": "far", "location": AWAY, "locations": ["europe-west3-a"]}),
        "gke", "far", "primary", AWAY, "location",
    ),
    (
        "gke zonal cluster",
        add("gke.clusters", {"name": "far", "location": "europe-west4-b", "locations": ["europe-west3-a"]}),
        "gke", "far", "primary", "europe-west4-b", "location",
    ),
    (
        "gke one of two clusters of the same name",
        add("gke.clusters", {"name": "dta-cluster", "location": AWAY, "locations": ["europe-west3-a"]}),
        "gke", "dta-cluster", "primary", AWAY, "location",
    ),
    ("gke locations", add("gke.clusters.-1.locations", ZONE), "gke", "dta-cluster", "node", ZONE, "locations[3]"),
    (
        "gke zone of a region whose name begins alike",
        add("gke.clusters.-1.locations", "europe-west12-a"),
        "gke", "dta-cluster", "node", "europe-west12-a", "locations[3]",
    ),
    (
        "gke node pool",
        add("gke.clusters.-1.nodePools.-1.locations", ZONE),
        "gke", "dta-cluster", "node", ZONE, "nodePools[1].locations[3]",
    ),
    (
        "gke autoprovisioning",
        at("gke.clusters.-1.autoscaling.autoprovisioningLocations", ["europe-west3-a", ZONE]),
        "gke", "dta-cluster", "node", ZONE, "autoscaling.autoprovisioningLocations[1]",
    ),
    (
        "gke database encryption",
        at("gke.clusters.-1.databaseEncryption.keyName", KEY),
        "gke", "dta-cluster", "key", AWAY, "databaseEncryption.keyName",
    ),
    (
        "gke boot disks of a pool",
        at("gke.clusters.-1.nodePools.-1.config.bootDiskKmsKey", KEY),
        "gke", "dta-cluster", "key", AWAY, "nodePools[1].config.bootDiskKmsKey",
    ),
    (
        "gke boot disks of the default pool",
        at("gke.clusters.-1.nodeConfig.bootDiskKmsKey", KEY),
        "gke", "dta-cluster", "key", AWAY, "nodeConfig.bootDiskKmsKey",
    ),
    (
        "gke boot disks of auto-provisioned pools",
        at("gke.clusters.-1.autoscaling.autoprovisioningNodePoolDefaults.bootDiskKmsKey", KEY),
        "gke", "dta-cluster", "key", AWAY, "autoscaling.autoprovisioningNodePoolDefaults.bootDiskKmsKey",
    ),
    (
        "gke key that database encryption used before",
        at("gke.clusters.-1.databaseEncryption.decryptionKeys", [HERE_KEY, KEY]),
        "gke", "dta-cluster", "key", AWAY, "databaseEncryption.decryptionKeys[1]",
    ),
    (
        "gke disks of the control plane",
        at("gke.clusters.-1.userManagedKeysConfig.controlPlaneDiskEncryptionKeyVersions", [HERE_VERSION, VERSION]),
        "gke", "dta-cluster", "key", AWAY, "userManagedKeysConfig.controlPlaneDiskEncryptionKeyVersions[1]",
    ),
    *(
        (
            f"gke {authority}",
            at(f"gke.clusters.-1.userManagedKeysConfig.{authority}", FAR_POOL),
            "gke", "dta-cluster", "key", AWAY, f"userManagedKeysConfig.{authority}",
        )
        for authority in ("clusterCa", "aggregationCa", "etcdApiCa", "etcdPeerCa")
    ),
    # Cloud SQL
    ("sql region", at("sql.instances.0.region", AWAY), "sql", "dta-postgres", "primary", AWAY, "region"),
    (
        "sql second replica",
        at("sql.instances.2.region", "europe-west2"),
        "sql", "dta-postgres-replica-2", "replica", "europe-west2", "region",
    ),
    ("sql zone", at("sql.instances.0.gceZone", ZONE), "sql", "dta-postgres", "node", ZONE, "gceZone"),
    (
        "sql standby zone",
        at("sql.instances.0.secondaryGceZone", "europe-west6-a"),
        "sql", "dta-postgres", "node", "europe-west6-a", "secondaryGceZone",
    ),
    (
        "sql read pool",
        at("sql.instances.2.nodes", [{"gceZone": "europe-west3-a"}, {"gceZone": ZONE}]),
        "sql", "dta-postgres-replica-2", "node", ZONE, "nodes[1].gceZone",
    ),
    (
        "sql configured backups",
        at("sql.instances.0.settings.backupConfiguration.location", "us"),
        "sql", "dta-postgres", "backup", "us", "settings.backupConfiguration.location",
    ),
    (
        "sql backup run",
        at("sql.backupRuns.-1.location", "us"),
        "sql", "dta-postgres", "backup", "us", "backupRuns[1795226400000].location",
    ),
    (
        "sql backup run of an instance that is gone",
        add("sql.backupRuns", {"instance": "dta-postgres-old", "id": "9", "location": "asia"}),
        "sql", "dta-postgres-old/9", "backup", "asia", "location",
    ),
    (
        "sql backup of a deleted instance",
        at("sql.backups.-1.location", "us"),
        "sql", "0f6f1f3c-8f0a-4f0e-9a59-2a1a6b6f9d11", "backup", "us", "location",
    ),
    (
        "sql key",
        at("sql.instances.0.diskEncryptionConfiguration.kmsKeyName", KEY),
        "sql", "dta-postgres", "key", AWAY, "diskEncryptionConfiguration.kmsKeyName",
    ),
    (
        "sql key in another project",
        at("sql.instances.2.diskEncryptionConfiguration.kmsKeyName", FOREIGN_KEY),
        "sql", "dta-postgres-replica-2", "key", "europe-west4", "diskEncryptionConfiguration.kmsKeyName",
    ),
    (
        "sql key of a backup",
        at("sql.backups.-1.kmsKey", KEY),
        "sql", "0f6f1f3c-8f0a-4f0e-9a59-2a1a6b6f9d11", "key", AWAY, "kmsKey",
    ),
    (
        "sql key of a backup run",
        at("sql.backupRuns.-1.diskEncryptionConfiguration", {"kmsKeyName": KEY}),
        "sql", "dta-postgres", "key", AWAY, "backupRuns[1795226400000].diskEncryptionConfiguration.kmsKeyName",
    ),
    # Memorystore for Redis
    (
        "redis region",
        add("redis.instances", {"name": "far", "location": AWAY, "locationId": "europe-west3-a"}),
        "redis", "far", "primary", AWAY, "name",
    ),
    ("redis zone", at("redis.instances.-1.locationId", ZONE), "redis", "dta-redis", "node", ZONE, "locationId"),
    (
        "redis alternative zone",
        at("redis.instances.-1.alternativeLocationId", ZONE),
        "redis", "dta-redis", "node", ZONE, "alternativeLocationId",
    ),
    (
        "redis current zone",
        at("redis.instances.-1.currentLocationId", ZONE),
        "redis", "dta-redis", "node", ZONE, "currentLocationId",
    ),
    ("redis node", at("redis.instances.-1.nodes.-1.zone", ZONE), "redis", "dta-redis", "node", ZONE, "nodes[1].zone"),
    (
        "redis key",
        at("redis.instances.-1.customerManagedKey", KEY),
        "redis", "dta-redis", "key", AWAY, "customerManagedKey",
    ),
    (
        "redis cluster region",
        add("redis.clusters", {"name": "far", "location": AWAY}),
        "redis", "far", "primary", AWAY, "name",
    ),
    (
        "redis cluster in one zone",
        at("redis.clusters.-1.zoneDistributionConfig", {"mode": "SINGLE_ZONE", "zone": ZONE}),
        "redis", "dta-sessions", "node", ZONE, "zoneDistributionConfig.zone",
    ),
    (
        "redis cluster in several zones",
        at("redis.clusters.-1.zoneDistributionConfig.zones", ["europe-west3-a", ZONE]),
        "redis", "dta-sessions", "node", ZONE, "zoneDistributionConfig.zones[1]",
    ),
    (
        "redis cluster secondary",
        at(
            "redis.clusters.-1.crossClusterReplicationConfig",
            {
                "clusterRole": "PRIMARY",
                "secondaryClusters": [{"cluster": CLUSTER, "uid": "1"}, {"cluster": FAR_CLUSTER, "uid": "2"}],
            },
        ),
        "redis", "dta-sessions", "replica", AWAY, "crossClusterReplicationConfig.secondaryClusters[1].cluster",
    ),
    (
        "redis cluster whose primary is elsewhere",
        at(
            "redis.clusters.-1.crossClusterReplicationConfig",
            {"clusterRole": "SECONDARY", "primaryCluster": {"cluster": FAR_CLUSTER, "uid": "2"}},
        ),
        "redis", "dta-sessions", "primary", AWAY, "crossClusterReplicationConfig.primaryCluster.cluster",
    ),
    (
        "redis cluster membership",
        at(
            "redis.clusters.-1.crossClusterReplicationConfig.membership",
            {"secondaryClusters": [{"cluster": CLUSTER}, {"cluster": FAR_CLUSTER}]},
        ),
        "redis", "dta-sessions", "replica", AWAY,
        "crossClusterReplicationConfig.membership.secondaryClusters[1].cluster",
    ),
    ("redis cluster key", at("redis.clusters.-1.kmsKey", KEY), "redis", "dta-sessions", "key", AWAY, "kmsKey"),
    (
        "redis backup collection",
        at("redis.backupCollections.-1.location", AWAY),
        "redis", "dta-sessions-backups", "backup", AWAY, "name",
    ),
    (
        "redis backup collection key",
        at("redis.backupCollections.-1.kmsKey", KEY),
        "redis", "dta-sessions-backups", "key", AWAY, "kmsKey",
    ),
    # BigQuery
    ("bigquery", at("bigquery.datasets.-1.location", "US"), "bigquery", "de_reporting", "primary", "US", "location"),
    (
        "bigquery EU",
        at("bigquery.datasets.-1.location", "EU"),
        "bigquery", "de_reporting", "primary", "EU", "location",
    ),
    (
        "bigquery hidden",
        add("bigquery.datasets", {"datasetId": "_x", "location": AWAY}),
        "bigquery", "_x", "primary", AWAY, "location",
    ),
    (
        "bigquery linked",
        add("bigquery.datasets", {"datasetId": "linked", "location": AWAY, "type": "LINKED"}),
        "bigquery", "linked", "primary", AWAY, "location",
    ),
    (
        "bigquery key",
        at("bigquery.datasets.-1.defaultEncryptionConfiguration.kmsKeyName", KEY),
        "bigquery", "de_reporting", "key", AWAY, "defaultEncryptionConfiguration.kmsKeyName",
    ),
    # Firestore
    (
        "firestore default",
        at("firestore.databases.0.locationId", "nam5"),
        "firestore", "(default)", "primary", "nam5", "locationId",
    ),
    (
        "firestore named",
        at("firestore.databases.-1.locationId", "eur3"),
        "firestore", "consents", "primary", "eur3", "locationId",
    ),
    (
        "firestore deleted",
        add(
            "firestore.databases",
            {"name": "old", "locationId": "europe-west1", "deleteTime": "2026-11-20T00:00:00Z", "previousId": "old"},
        ),
        "firestore", "old", "primary", "europe-west1", "locationId",
    ),
    (
        "firestore backup",
        at("firestore.backups.-1.location", AWAY),
        "firestore", "7f1c0b52-consents", "backup", AWAY, "name",
    ),
    (
        "firestore key",
        at("firestore.databases.-1.cmekConfig", {"kmsKeyName": KEY}),
        "firestore", "consents", "key", AWAY, "cmekConfig.kmsKeyName",
    ),
    (
        "firestore key version",
        add("firestore.databases.0.cmekConfig.activeKeyVersion", VERSION),
        "firestore", "(default)", "key", AWAY, "cmekConfig.activeKeyVersion[1]",
    ),
    # Cloud Storage
    ("gcs", at("gcs.buckets.-1.location", "US"), "gcs", "dtx-video", "primary", "US", "location"),
    ("gcs EU", at("gcs.buckets.-1.location", "EU"), "gcs", "dtx-video", "primary", "EU", "location"),
    ("gcs EUR8", at("gcs.buckets.-1.location", "EUR8"), "gcs", "dtx-video", "primary", "EUR8", "location"),
    ("gcs London", at("gcs.buckets.-1.location", "EUROPE-WEST2"), "gcs", "dtx-video", "primary", "EUROPE-WEST2",
     "location"),
    (
        "gcs configurable dual-region",
        add(
            "gcs.buckets",
            {
                "name": "pair",
                "location": "EU",
                "customPlacementConfig": {"dataLocations": ["EUROPE-WEST3", "EUROPE-WEST1"]},
            },
        ),
        "gcs", "pair", "primary", "EUROPE-WEST1", "customPlacementConfig.dataLocations[1]",
    ),
    (
        "gcs soft-deleted",
        add(
            "gcs.buckets",
            {"name": "old", "location": "US-EAST1", "generation": "1", "softDeleteTime": "2026-11-19T09:00:00Z"},
        ),
        "gcs", "old", "primary", "US-EAST1", "location",
    ),
    (
        "gcs key",
        at("gcs.buckets.-1.encryption", {"defaultKmsKeyName": KEY}),
        "gcs", "dtx-video", "key", AWAY, "encryption.defaultKmsKeyName",
    ),
    # Cloud KMS
    (
        "kms empty ring in global",
        add("kms.keyRings", {"name": "everywhere", "location": "global"}),
        "kms", "everywhere", "primary", "global", "name",
    ),
    (
        "kms ring in the last location",
        add("kms.keyRings", {"name": "far", "location": "us"}),
        "kms", "far", "primary", "us", "name",
    ),
    (
        "kms ring in europe",
        add("kms.keyRings", {"name": "far", "location": "europe"}),
        "kms", "far", "primary", "europe", "name",
    ),
)  # fmt: skip


def culprits(report: Report) -> set[tuple[str, str, str, str | None, str]]:
    """Whatever is not compliant: type, resource, role, location, field."""
    return {
        (one.resource.type, one.resource.name, place.placement.role.value, place.location, place.placement.field)
        for one in report.judgement.resources
        for place in one.placements
        if place.verdict is not Verdict.COMPLIANT
    }


def test_compliant(world: Callable[[], World], gate: Callable[..., Report]) -> None:
    report = gate(world())
    assert (report.exit_code, report.verdict, report.complete) == (0, Verdict.COMPLIANT, True)
    assert culprits(report) == set()
    assert {one.resource.type for one in report.judgement.resources} == set(TYPES)


@pytest.mark.parametrize(
    ("spoil", "type", "name", "role", "location", "field"),
    [pytest.param(*row[1:], id=row[0]) for row in MISPLACED],
)
def test_misplaced(
    world: Callable[[], World],
    gate: Callable[..., Report],
    spoil: Callable[[World], None],
    type: str,
    name: str,
    role: str,
    location: str,
    field: str,
) -> None:
    table = world()
    spoil(table)
    report = gate(table, type)
    wrong = culprits(report)
    assert (report.exit_code, report.verdict, report.complete) == (1, Verdict.VIOLATION, True)
    assert (type, name, role, location, field) in wrong
    # The API may say the same thing in a second field; it says it of the same resource.
    assert {(one[0], one[1], one[2], one[3]) for one in wrong} - {(type, name, role, "EU")} <= {
        (type, name, role, location)
    }


def test_every_type_is_misplaced_somewhere_in_the_table() -> None:
    assert {row[2] for row in MISPLACED} == set(TYPES)


@pytest.mark.parametrize("location", ["europe-west3", "europe-west3-a", "EUROPE-WEST3"])
def test_a_bucket_more_within_frankfurt(world: Callable[[], World], gate: Callable[..., Report], location: str) -> None:
    """Not every change is a violation: the table above could not tell a tool that always fails."""
    table = world()
    add("gcs.buckets", {"name": "more", "location": location})(table)
    report = gate(table, "gcs")
    assert report.exit_code == 0


def test_a_cluster_of_the_same_name_hides_no_other(world: Callable[[], World], gate: Callable[..., Report]) -> None:
    table = world()
    add("gke.clusters", {"name": "dta-cluster", "location": AWAY, "locations": ["europe-west3-a"]})(table)
    full_names = [one.resource.full_name for one in gate(table, "gke").judgement.resources]
    assert full_names == [
        "//container.googleapis.com/projects/dtx-data/locations/europe-west3/clusters/dta-cluster",
        "//container.googleapis.com/projects/dtx-data/locations/us-central1/clusters/dta-cluster",
    ]


@pytest.mark.parametrize("location", ["global", "us-central1"])
def test_keys_of_a_misplaced_ring(world: Callable[[], World], gate: Callable[..., Report], location: str) -> None:
    table = world()
    add("kms.keyRings", {"name": "far", "location": location, "cryptoKeys": [{"name": "a"}, {"name": "b"}]})(table)
    report = gate(table, "kms")
    assert report.exit_code == 1
    assert {(one[1], one[3]) for one in culprits(report)} == {
        ("far", location),
        ("far/a", location),
        ("far/b", location),
    }


def test_a_replica_of_a_dataset_is_seen_by_a_deep_run(world: Callable[[], World], gate: Callable[..., Report]) -> None:
    table = world()
    table["bigquery"]["datasets"][-1]["replicas"] = [{"location": "europe-west3"}, {"location": AWAY}]
    deep = gate(table, "bigquery", deep=True)
    assert (deep.exit_code, deep.complete) == (1, True)
    assert {one[:4] for one in culprits(deep)} == {("bigquery", "de_reporting", "replica", AWAY)}


def test_what_a_run_without_deep_cannot_see_is_said(world: Callable[[], World], gate: Callable[..., Report]) -> None:
    limits = [limit.text for limit in gate(world(), "bigquery").limits if limit.type == "bigquery"]
    assert any("--deep" in text for text in limits)


@pytest.mark.parametrize("type", TYPES)
def test_a_violation_of_one_type_stops_a_run_over_all(
    world: Callable[[], World], gate: Callable[..., Report], type: str
) -> None:
    table = world()
    row = next(row for row in MISPLACED if row[2] == type)
    row[1](table)
    report = gate(table)
    assert (report.exit_code, report.complete) == (1, True)
    assert {one[0] for one in culprits(report)} == {type}
