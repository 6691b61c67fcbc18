"""Worlds of any size: the project of a company that grew, all of it where the shipped policy allows.

Mostly buckets and keys, then instances, each with the seven daily backups that Cloud SQL keeps by default, and few of
what is rare: a dataset for every 250 resources, a database for every 500, a cluster for every 1,000. The five resources
that the shipped policy expects are in every world.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from diga_verify.simulator.world import World

Json = dict[str, Any]

PROJECT = "dtx-data"
NUMBER = "100000000001"
SMALLEST = 10
"""There is no smaller world: the five expected resources, a key in its ring, and a few buckets."""
BACKUPS_EACH = 7
"""Automated backups that Cloud SQL keeps of an instance unless told otherwise:
https://cloud.google.com/sql/docs/postgres/backup-recovery/backups"""
KEYS_IN_RING = 100

_REGION = "europe-west3"
_ZONES = tuple(f"{_REGION}-{zone}" for zone in "abc")
_TEAMS = ("analytics", "app", "billing", "care", "research", "video")
_OUTSIDE = "US"


def counts(size: int) -> dict[str, int]:
    """How many resources of each kind a world of `size` resources has, the size being their sum. Raises ValueError."""
    if size < SMALLEST:
        raise ValueError(f"the smallest world has {SMALLEST} resources, not {size}")
    keys = max(1, size * 34 // 100)
    some = {
        "clusters": max(1, size // 1000),
        "sql": max(1, size * 5 // 100),
        "redis": max(1, size * 5 // 100),
        "datasets": min(max(1, size // 250), 50),
        "databases": min(max(1, size // 500), 100),
        "rings": -(-keys // KEYS_IN_RING),
    }
    keys = min(keys, size - sum(some.values()) - 1)
    return {**some, "keys": keys, "buckets": size - keys - sum(some.values())}


def table(size: int, wrong: int = 0) -> Json:
    """What a world file of that size holds. `wrong` of its buckets lie in the United States; where there are more
    than buckets, all do."""
    count = counts(size)
    return {
        "project": {"id": PROJECT, "number": NUMBER, "name": "DTx data", "labels": {"company": "dtx"}},
        "gke": {"clusters": [_cluster(name) for name in _names("dta-cluster", count["clusters"])]},
        "sql": {
            "instances": [_instance(name) for name in _names("dta-postgres", count["sql"])],
            "backupRuns": [run for name in _names("dta-postgres", count["sql"]) for run in _backups(name)],
        },
        "redis": {"instances": [_redis(name) for name in _names("dta-redis", count["redis"])]},
        "bigquery": {"datasets": [_dataset(name) for name in _names("de", count["datasets"], "_")]},
        "firestore": {"databases": [_database(name) for name in _names("(default)", count["databases"])]},
        "gcs": {"buckets": [_bucket(at, outside=at < wrong) for at in range(count["buckets"])]},
        "kms": {"keyRings": [*_rings(count["rings"], count["keys"])]},
    }


def world(size: int, wrong: int = 0) -> World:
    """The same as a world that the simulator serves."""
    return World.from_dict(table(size, wrong), f"a world of {size}")


def _names(first: str, count: int, dash: str = "-") -> list[str]:
    """The name that the policy expects, and others like it."""
    return [first, *(f"{first.strip('()')}{dash}{at:06}" for at in range(1, count))]


def _labels(at: int) -> Json:
    return {"team": _TEAMS[at % len(_TEAMS)], "data": "health" if at % 2 else "none"}


def _key(at: int = 0) -> str:
    return f"projects/{PROJECT}/locations/{_REGION}/keyRings/ring-0000/cryptoKeys/key-{at % KEYS_IN_RING:02}"


def _cluster(name: str) -> Json:
    return {
        "name": name,
        "location": _REGION,
        "locations": [*_ZONES],
        "databaseEncryption": {"state": "ENCRYPTED", "keyName": _key()},
        "nodePools": [
            {"name": "system", "locations": [*_ZONES[:2]]},
            {"name": "work", "locations": [*_ZONES], "config": {"bootDiskKmsKey": _key()}},
        ],
    }


def _instance(name: str) -> Json:
    return {
        "name": name,
        "databaseVersion": "POSTGRES_16",
        "region": _REGION,
        "gceZone": _ZONES[0],
        "secondaryGceZone": _ZONES[1],
        "settings": {
            "tier": "db-custom-4-16384",
            "userLabels": _labels(0),
            "backupConfiguration": {"enabled": True, "location": "eu", "startTime": "02:00"},
        },
        "diskEncryptionConfiguration": {"kmsKeyName": _key()},
        "diskEncryptionStatus": {"kmsKeyVersionName": f"{_key()}/cryptoKeyVersions/1"},
    }


def _backups(instance: str) -> Iterator[Json]:
    for day in range(BACKUPS_EACH):
        yield {"instance": instance, "id": str(1795399200000 - day * 86_400_000), "location": "eu"}


def _redis(name: str) -> Json:
    return {
        "name": name,
        "location": _REGION,
        "tier": "STANDARD_HA",
        "locationId": _ZONES[0],
        "alternativeLocationId": _ZONES[1],
        "currentLocationId": _ZONES[0],
        "nodes": [{"id": f"node-{at}", "zone": _ZONES[at]} for at in range(2)],
        "customerManagedKey": _key(),
        "labels": _labels(1),
    }


def _dataset(name: str) -> Json:
    return {
        "datasetId": name,
        "location": _REGION,
        "labels": _labels(1),
        "defaultEncryptionConfiguration": {"kmsKeyName": _key()},
    }


def _database(name: str) -> Json:
    return {"name": name, "locationId": _REGION, "cmekConfig": {"kmsKeyName": _key()}}


def _bucket(at: int, *, outside: bool) -> Json:
    return {
        "name": f"dtx-{_TEAMS[at % len(_TEAMS)]}-{at:06}",
        "location": _OUTSIDE if outside else _REGION.upper(),
        "labels": _labels(at),
        **({"encryption": {"defaultKmsKeyName": _key(at)}} if at % 2 else {}),
    }


def _rings(rings: int, keys: int) -> Iterator[Json]:
    for ring in range(rings):
        last = min(KEYS_IN_RING, keys - ring * KEYS_IN_RING)
        yield {
            "name": f"ring-{ring:04}",
            "location": _REGION,
            "cryptoKeys": [{"name": f"key-{at:02}", "labels": _labels(at)} for at in range(last)],
        }
