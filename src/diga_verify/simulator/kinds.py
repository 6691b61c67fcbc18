"""The kinds of resources in a world file: the schema of each, and what only the world file knows of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Kind:
    """`ours` are keys that the API does not have; `inner` are resources that are written inside this one.

    `beyond` are fields that Google's recorded answers have and the discovery document has not.
    """

    document: str
    schema: str
    ours: frozenset[str] = frozenset()
    inner: Mapping[str, Kind] = field(default_factory=dict)
    beyond: frozenset[str] = frozenset()


_LOCATED = frozenset({"location"})
_FIRESTORE = "GoogleFirestoreAdminV1"
_KEY = Kind("cloudkms.v1", "CryptoKey", inner={"cryptoKeyVersions": Kind("cloudkms.v1", "CryptoKeyVersion")})

KINDS: Mapping[tuple[str, str], Kind] = {
    ("gke", "clusters"): Kind("container.v1", "Cluster", beyond=frozenset({"clusterTelemetry", "protectConfig"})),
    ("sql", "instances"): Kind("sqladmin.v1", "DatabaseInstance"),
    ("sql", "backupRuns"): Kind("sqladmin.v1", "BackupRun"),
    ("sql", "backups"): Kind("sqladmin.v1", "Backup"),
    ("sql", "operations"): Kind("sqladmin.v1", "Operation"),
    ("redis", "instances"): Kind("redis.v1", "Instance", _LOCATED),
    ("redis", "clusters"): Kind("redis.v1", "Cluster", _LOCATED),
    ("redis", "backupCollections"): Kind(
        "redis.v1", "BackupCollection", _LOCATED, {"backups": Kind("redis.v1", "Backup")}
    ),
    ("bigquery", "datasets"): Kind(
        "bigquery.v2",
        "Dataset",
        frozenset({"datasetId"}),
        {"tables": Kind("bigquery.v2", "Table", frozenset({"tableId"})), "replicas": Kind("", "", _LOCATED)},
    ),
    ("firestore", "databases"): Kind(
        "firestore.v1",
        f"{_FIRESTORE}Database",
        inner={"backupSchedules": Kind("firestore.v1", f"{_FIRESTORE}BackupSchedule")},
        beyond=frozenset({"backupConfig"}),
    ),
    ("firestore", "backups"): Kind("firestore.v1", f"{_FIRESTORE}Backup", _LOCATED),
    ("gcs", "buckets"): Kind("storage.v1", "Bucket"),
    ("assets", "extra"): Kind("", "", frozenset({"name", "assetType"})),
    ("kms", "keyRings"): Kind("cloudkms.v1", "KeyRing", _LOCATED, {"cryptoKeys": _KEY}),
}
"""By section and list of the world file. A kind without a schema has no keys but `ours`."""
