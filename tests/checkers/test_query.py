"""What each checker asks of the APIs, page by page, and what it makes of the answers before they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from unittest.mock import MagicMock
from urllib.parse import parse_qsl

import pytest

from diga_verify.checkers.interface import Found
from diga_verify.checkers.registry import BUILTIN
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door
from diga_verify.gateway.endpoints import stand_in
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.identity import Anonymous
from diga_verify.gateway.listing import Listed
from diga_verify.gateway.live import Live
from diga_verify.gateway.patience import Patience
from diga_verify.model import Project, Reason, Unread
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

PROJECT = Project("dtx-data", "100000000001", "ACTIVE")
P = "projects/dtx-data"
CHECKERS = {checker.type: checker for checker in BUILTIN}
MANY = ("maxResults", "1000")
MANY_OF_THEM = ("pageSize", "1000")
PARTS = [MANY, ("projection", "noAcl"), ("returnPartialSuccess", "true"), ("project", "dtx-data")]
RINGS = "cloudkms.projects.locations.keyRings"
RING = f"{P}/locations/europe-west3/keyRings"

ASKED: dict[str, list[tuple[str, list[tuple[str, str]]]]] = {
    "gke": [(f"v1/{P}/locations/-/clusters", [])],
    "sql": [
        (f"v1/{P}/instances", [MANY]),
        (f"v1/{P}/instances/-/backupRuns", []),
        (f"v1/{P}/backups", [("pageSize", "2000")]),
    ],
    "redis": [
        (f"v1/{P}/locations/-/instances", [MANY_OF_THEM]),
        (f"v1/{P}/locations/-/clusters", [MANY_OF_THEM]),
        (f"v1/{P}/locations/-/backupCollections", [MANY_OF_THEM]),
    ],
    "bigquery": [
        (f"bigquery/v2/{P}/datasets", [("all", "True"), MANY]),
        (f"bigquery/v2/{P}/datasets/de", [("datasetView", "METADATA")]),
        (f"bigquery/v2/{P}/datasets/de_reporting", [("datasetView", "METADATA")]),
    ],
    "firestore": [
        (f"v1/{P}/databases", [("showDeleted", "true")]),
        (f"v1/{P}/locations/-/backups", []),
    ],
    "gcs": [("storage/v1/b", PARTS), ("storage/v1/b", [*PARTS, ("softDeleted", "true")])],
    "kms": [
        (f"v1/{P}/locations", [MANY_OF_THEM]),
        (f"v1/{P}/locations/europe-west3/keyRings", [MANY_OF_THEM]),
        (f"v1/{P}/locations/us/keyRings", [MANY_OF_THEM]),
        (f"v1/{RING}/dta-ring/cryptoKeys", [MANY_OF_THEM]),
        (f"v1/{RING}/dta-backup-ring/cryptoKeys", [MANY_OF_THEM]),
    ],
}
"""Every request but for its page token and its mask, each once."""

LOGGED: dict[str, list[tuple[str, str, str, int]]] = {
    "gke": [("container.googleapis.com", "container.projects.locations.clusters.list", f"{P}/locations/-", 1)],
    "sql": [
        ("sqladmin.googleapis.com", "sql.Backups.ListBackups", P, 1),
        ("sqladmin.googleapis.com", "sql.backupRuns.list", f"{P}/instances/-", 3),
        ("sqladmin.googleapis.com", "sql.instances.list", P, 3),
    ],
    "redis": [
        ("redis.googleapis.com", "redis.projects.locations.backupCollections.list", f"{P}/locations/-", 2),
        ("redis.googleapis.com", "redis.projects.locations.clusters.list", f"{P}/locations/-", 2),
        ("redis.googleapis.com", "redis.projects.locations.instances.list", f"{P}/locations/-", 2),
    ],
    "bigquery": [
        ("bigquery.googleapis.com", "bigquery.datasets.get", f"{P}/datasets/de", 1),
        ("bigquery.googleapis.com", "bigquery.datasets.get", f"{P}/datasets/de_reporting", 1),
        ("bigquery.googleapis.com", "bigquery.datasets.list", P, 2),
    ],
    "firestore": [
        ("firestore.googleapis.com", "firestore.projects.databases.list", P, 1),
        ("firestore.googleapis.com", "firestore.projects.locations.backups.list", f"{P}/locations/-", 1),
    ],
    "gcs": [
        ("storage.googleapis.com", "storage.buckets.list", P, 5),
        ("storage.googleapis.com", "storage.buckets.list", f"{P} soft-deleted", 1),
    ],
    "kms": [
        ("cloudkms.googleapis.com", f"{RINGS}.cryptoKeys.list", f"{RING}/dta-backup-ring", 1),
        ("cloudkms.googleapis.com", f"{RINGS}.cryptoKeys.list", f"{RING}/dta-ring", 2),
        ("cloudkms.googleapis.com", f"{RINGS}.list", f"{P}/locations/europe-west3", 2),
        ("cloudkms.googleapis.com", f"{RINGS}.list", f"{P}/locations/us", 1),
        ("cloudkms.googleapis.com", "cloudkms.projects.locations.list", P, 2),
    ],
}
"""Service, method, scope and pages of every call."""

FOUND: dict[str, list[str]] = {
    "gke": ["Cluster dta-cluster"],
    "sql": [
        "Instance dta-postgres",
        "Instance dta-postgres-replica-1",
        "Instance dta-postgres-replica-2",
        f"Backup {P}/backups/0f6f1f3c-8f0a-4f0e-9a59-2a1a6b6f9d11",
    ],
    "redis": [
        f"Instance {P}/locations/europe-west3/instances/dta-redis",
        f"Instance {P}/locations/europe-west3/instances/other",
        f"Cluster {P}/locations/europe-west3/clusters/dta-sessions",
        f"Cluster {P}/locations/europe-west3/clusters/other",
        f"BackupCollection {P}/locations/europe-west3/backupCollections/dta-sessions-backups",
        f"BackupCollection {P}/locations/europe-west3/backupCollections/other",
    ],
    "bigquery": ["Dataset de", "Dataset de_reporting"],
    "firestore": [
        f"Database {P}/databases/(default)",
        f"Database {P}/databases/consents",
        f"Backup {P}/locations/europe-west3/backups/7f1c0b52-default",
        f"Backup {P}/locations/europe-west3/backups/7f1c0b52-consents",
    ],
    "gcs": [
        "Bucket dtx-uploads",
        "Bucket dtx-exports",
        "Bucket dtx-public-images",
        "Bucket dtx-terraform-state",
        "Bucket dtx-video",
        "Bucket dtx-uploads-old",
    ],
    "kms": [
        f"KeyRing {RING}/dta-ring",
        f"KeyRing {RING}/dta-backup-ring",
        f"CryptoKey {RING}/dta-ring/cryptoKeys/dta-key",
        f"CryptoKey {RING}/dta-ring/cryptoKeys/dta-uploads-key",
        f"CryptoKey {RING}/dta-backup-ring/cryptoKeys/dta-backup-key",
    ],
}

World_ = dict[str, Any]


@pytest.fixture
def table(world: Callable[[], World_]) -> World_:
    table = world()
    table["kms"]["locations"] = ["europe-west3", "us"]
    table["redis"]["instances"].append({"name": "other", "location": "europe-west3"})
    for key in ("clusters", "backupCollections"):
        table["redis"][key].append({"name": "other", "location": "europe-west3"})
    return table


@contextmanager
def open_gateway(table: World_, *, deep: bool = False) -> Iterator[tuple[Gateway, Simulator]]:
    with Simulator(World.from_dict(table)) as simulator:
        patience, endpoints = Patience(attempts=1), stand_in(simulator.url)
        door = Door(endpoints, Anonymous(), patience, 16)
        clients = Clients(door, endpoints, "test")
        yield Gateway(Live(patience), clients, PROJECT, deep=deep, spread=map), simulator


def query(table: World_, type: str, *, deep: bool = False) -> Found:
    with open_gateway(table, deep=deep) as (gateway, _):
        return CHECKERS[type].query(gateway, PROJECT)


def names(found: Found) -> list[str]:
    def name(data: Any) -> str:
        reference = data.get("datasetReference")
        return str(reference["datasetId"] if reference else data.get("name") or data.get("id"))

    return [f"{item.asset_type.partition('/')[2]} {name(item.data)}" for item in found.items]


@pytest.mark.parametrize("type", sorted(CHECKERS))
def test_everything_of_a_type_is_asked_for_and_found(table: World_, type: str) -> None:
    with open_gateway(table) as (gateway, simulator):
        found = CHECKERS[type].query(gateway, PROJECT)
        requests = simulator.requests
    assert found.unread == ()
    assert names(found) == FOUND[type]
    assert {item.project for item in found.items} == {"dtx-data"}
    left_out = {"fields", "alt", "$alt", "prettyPrint", "pageToken"}
    asked = {(one.path, *sorted(pair for pair in parse_qsl(one.query) if pair[0] not in left_out)) for one in requests}
    assert asked == {(path, *sorted(query)) for path, query in ASKED[type]}
    logged = [(call.service, call.method, call.scope, call.pages) for call in gateway.calls]
    assert logged == LOGGED[type]
    assert {call.status for call in gateway.calls} == {"ok"}


FAILING = [
    ("gke", "/clusters$", "Cluster"),
    ("sql", "/instances$", "Instance"),
    ("sql", "/backupRuns$", None),
    ("sql", f"{P}/backups$", "Backup"),
    ("redis", "/instances$", "Instance"),
    ("redis", "/clusters$", "Cluster"),
    ("redis", "/backupCollections$", "BackupCollection"),
    ("bigquery", "/datasets$", "Dataset"),
    ("bigquery", "/datasets/de$", None),
    ("firestore", "/databases$", "Database"),
    ("firestore", "/backups$", "Backup"),
    ("gcs", "/b$", "Bucket"),
    ("kms", f"{P}/locations$", "KeyRing"),
    ("kms", "/us/keyRings$", None),
    ("kms", "/dta-ring/cryptoKeys$", None),
]
HOSTS = {"sql": "sqladmin", "gke": "container", "gcs": "storage", "kms": "cloudkms"}


@pytest.mark.parametrize(("type", "path", "gone"), FAILING)
def test_each_request_that_fails_is_told_once_and_hides_no_other(
    table: World_, type: str, path: str, gone: str | None
) -> None:
    service = f"{HOSTS.get(type, type)}.googleapis.com"
    table["faults"] = [{"service": service, "path": path, "answer": "server_error"}]
    found = query(table, type)
    failed = [one for one in found.unread if one.reason is Reason.SERVER_ERROR]
    assert len(failed) == (2 if type == "gcs" else 1)
    assert {one.type for one in found.unread} == {type}
    assert {one.reason for one in found.unread} <= {Reason.SERVER_ERROR, Reason.NOT_LISTED}
    left = {name.partition(" ")[0] for name in names(found)}
    due = {name.partition(" ")[0] for name in FOUND[type]}
    if gone == "KeyRing":
        assert left == set()
    elif (type, gone) == ("sql", "Instance"):
        assert left == {"Backup", "BackupRun"}
    else:
        assert left == due - {gone}


def test_the_record_of_a_dataset_that_fails_leaves_that_dataset_unread(table: World_) -> None:
    path = "/datasets/de_reporting$"
    table["faults"] = [{"service": "bigquery.googleapis.com", "path": path, "answer": "server_error"}]
    found = query(table, "bigquery")
    assert [one.resource for one in found.unread] == [f"//bigquery.googleapis.com/{P}/datasets/de_reporting"]
    assert names(found) == FOUND["bigquery"]


def test_of_a_dataset_whose_record_fails_the_list_tells_what_it_can(table: World_) -> None:
    more = {"location": "US", "labels": {"data": "health"}}
    table["bigquery"]["datasets"].append({"datasetId": "last", **more})
    table["faults"] = [{"service": "bigquery.googleapis.com", "path": "/datasets/last$", "answer": "server_error"}]
    data = query(table, "bigquery").items[-1].data
    assert data["datasetReference"]["datasetId"] == "last"
    assert (data["location"], data["labels"]) == ("US", {"data": "health"})


def test_backups_belong_to_their_instance_and_others_stand_alone(table: World_) -> None:
    table["sql"]["backupRuns"] += [
        {"instance": "gone", "id": "8", "location": "eu"},
        {"instance": "dta-postgres-replica-1", "id": "9", "location": "eu"},
    ]
    table["sql"]["backups"] += [
        {"name": f"{P}/backups/final", "instance": "gone", "type": "FINAL", "location": "eu"},
        {"name": f"{P}/backups/kept", "instance": "dta-postgres", "location": "eu"},
    ]
    found = query(table, "sql")
    assert found.unread == ()
    related = {
        str(item.data["name"]): [len(item.related.get(key, ())) for key in ("backupRuns", "backups")]
        for item in found.items
        if item.asset_type.endswith("/Instance")
    }
    assert related == {
        "dta-postgres": [3, 1],
        "dta-postgres-replica-1": [1, 0],
        "dta-postgres-replica-2": [0, 0],
    }
    alone = [name for name in names(found) if not name.startswith("Instance")]
    assert alone == ["BackupRun 8", FOUND["sql"][3], f"Backup {P}/backups/final"]


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (("replicaNames",), ["dta-postgres-replica-1", "lost"], "replicaNames[1]"),
        (("failoverReplica",), {"name": "lost"}, "failoverReplica.name"),
        (
            ("replicationCluster",),
            {"failoverDrReplicaName": "dtx-data:lost"},
            "replicationCluster.failoverDrReplicaName",
        ),
        (("masterInstanceName",), "dtx-data:lost", "masterInstanceName"),
    ],
)
def test_an_instance_that_others_name_and_nobody_lists(
    table: World_, path: tuple[str], value: object, field: str
) -> None:
    table["sql"]["instances"][0][path[0]] = value
    (unread,) = query(table, "sql").unread
    full_name = f"//cloudsql.googleapis.com/{P}/instances/dta-postgres"
    assert (unread.type, unread.reason, unread.resource) == ("sql", Reason.NOT_LISTED, full_name)
    assert unread.scope == f"{full_name} {field}"


def test_a_copy_that_is_listed_is_not_lost(table: World_) -> None:
    table["sql"]["instances"][0]["failoverReplica"] = {"name": "dta-postgres-replica-2"}
    table["sql"]["instances"][1]["masterInstanceName"] = "dtx-data:dta-postgres"
    table["sql"]["instances"][2]["masterInstanceName"] = ""
    assert query(table, "sql").unread == ()


@pytest.mark.parametrize(
    ("runs", "backups", "lost"),
    [
        ([{"instance": "b", "id": "1"}, {"instance": "a", "id": "2"}], [], ["a", "b"]),
        ([], [{"name": f"{P}/backups/x", "instance": "a"}], ["a"]),
        ([{"instance": "a", "id": "1"}], [{"name": f"{P}/backups/x", "instance": "a", "type": "FINAL"}], []),
        ([], [{"name": f"{P}/backups/x", "instance": "a", "instanceDeletionTime": "2026-01-01T00:00:00Z"}], []),
        ([], [{"name": f"{P}/backups/x", "instance": "a", "type": "ON_DEMAND"}], ["a"]),
    ],
)
def test_backups_of_an_instance_that_nobody_lists_or_calls_deleted(
    table: World_, runs: list[Any], backups: list[Any], lost: list[str]
) -> None:
    table["sql"]["backupRuns"] = [{"location": "eu", **one} for one in runs]
    table["sql"]["backups"] = [{"location": "eu", **one} for one in backups]
    unread = query(table, "sql").unread
    assert [one.scope for one in unread] == [f"//cloudsql.googleapis.com/{P}/instances/{name}" for name in lost]
    assert {(one.type, one.reason, one.resource) for one in unread} <= {("sql", Reason.NOT_LISTED, None)}


def test_placeholders_of_locations_that_did_not_answer(table: World_) -> None:
    for key, collection in (("instances", "instances"), ("clusters", "clusters")):
        table["redis"][key].append({"name": f"{P}/locations/us-east1/{collection}/-"})
    found = query(table, "redis")
    assert names(found) == FOUND["redis"]
    assert [(one.type, one.scope, one.reason) for one in found.unread] == [
        ("redis", f"{P}/locations/us-east1/{collection}/-", Reason.PARTIAL_ANSWER)
        for collection in ("instances", "clusters")
    ]


class Empty:
    """A gateway to services that have nothing."""

    clients = MagicMock()

    def list_all(self, *_: Any) -> Listed:
        return Listed(())

    def spread(self, read: Callable[[Any], Listed], parts: Iterable[Any]) -> tuple[Listed, ...]:
        return tuple(map(read, parts))


def test_a_key_management_service_without_locations() -> None:
    found = CHECKERS["kms"].query(cast("Gateway", Empty()), PROJECT)
    assert found.items == ()
    detail = "the service names no location at all, so that no key ring could be looked for"
    assert found.unread == (Unread("kms", f"{P}/locations", Reason.MALFORMED_ANSWER, detail),)


def test_a_deep_run_reads_the_replicas_of_each_dataset(table: World_) -> None:
    table["bigquery"]["datasets"] = [
        {
            "datasetId": "one",
            "location": "europe-west3",
            "replicas": [{"location": "us-east4"}, {"location": "europe-west1"}],
        },
        {"datasetId": "two", "location": "US", "replicas": []},
        {"datasetId": "three", "location": "europe-west3"},
    ]
    assert [item.related for item in query(table, "bigquery").items] == [{"replicas": ()}] * 3
    with open_gateway(table, deep=True) as (gateway, _):
        found = CHECKERS["bigquery"].query(gateway, PROJECT)
    replicas = [[row["location"] for row in item.related["replicas"]] for item in found.items]
    assert found.unread == ()
    assert {"us-east4", "europe-west1"} <= set(replicas[0])
    assert replicas[0] == sorted(replicas[0])
    assert not {"us-east4", "europe-west1"} & {*replicas[1], *replicas[2]}
    asked = [(call.service, call.scope) for call in gateway.calls if call.method == "bigquery.jobs.query"]
    assert asked == [("bigquery.googleapis.com", f"{P}/locations/{place}") for place in ("US", "europe-west3")]


def test_replicas_that_cannot_be_asked_for_are_unread(table: World_) -> None:
    table["faults"] = [{"service": "bigquery.googleapis.com", "path": "/queries$", "answer": "permission_denied"}]
    found = query(table, "bigquery", deep=True)
    assert [(one.type, one.scope, one.reason) for one in found.unread] == [
        ("bigquery", f"bigquery.jobs.query {P}/locations/europe-west3", Reason.PERMISSION_DENIED)
    ]
