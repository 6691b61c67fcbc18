"""Google's own client libraries see everything that the world holds, over all pages."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, container_v1, redis_v1
from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminClient
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.simulator.server import Simulator

PROJECT = "projects/dtx-pairs"


def _generated(simulator: Simulator, client: Any, host: str) -> Any:
    """A generated client over REST."""
    endpoint = f"{simulator.url}/{host}"
    return client(transport="rest", credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint})


def _discovered(simulator: Simulator, name: str, version: str, path: str = "") -> Any:
    """A client built from a discovery document; `path` is the service path, which a bare endpoint would lose."""
    endpoint = f"{simulator.url}/{name}.googleapis.com/{path}"
    service = build(
        name,
        version,
        credentials=AnonymousCredentials(),
        static_discovery=True,
        cache_discovery=False,
        client_options={"api_endpoint": endpoint},
    )
    return closing(service)


def _all(collection: Any, key: str, **arguments: Any) -> Iterator[dict[str, Any]]:
    request = collection.list(**arguments)
    while request is not None:
        answer = request.execute()
        yield from answer.get(key, [])
        request = collection.list_next(request, answer)


def _names(items: Any) -> list[str]:
    return [item["name"].rpartition("/")[2] for item in items]


def test_container_lists_and_gets_clusters(pairs: Simulator) -> None:
    with _generated(pairs, container_v1.ClusterManagerClient, "container.googleapis.com") as client:
        clusters = client.list_clusters(parent=f"{PROJECT}/locations/-").clusters
        assert [(cluster.name, cluster.location) for cluster in clusters] == [
            ("one", "europe-west3"),
            ("two", "us-east1-b"),
        ]
        assert list(clusters[1].locations) == ["us-east1-b"]
        assert [pool.name for pool in clusters[0].node_pools] == ["a", "b"]
        two = client.get_cluster(name=f"{PROJECT}/locations/us-east1-b/clusters/two")
        assert two == clusters[1]
        pools = client.list_node_pools(parent=f"{PROJECT}/locations/europe-west3/clusters/one").node_pools
        assert list(pools) == list(clusters[0].node_pools)
        pool = client.get_node_pool(name=f"{PROJECT}/locations/us-east1-b/clusters/two/nodePools/c")
        assert list(pool.locations) == ["us-east1-b"]


def test_redis_lists_and_gets_instances(pairs: Simulator) -> None:
    with _generated(pairs, redis_v1.CloudRedisClient, "redis.googleapis.com") as client:
        instances = list(client.list_instances(parent=f"{PROJECT}/locations/-"))
        assert [instance.name for instance in instances] == [
            f"{PROJECT}/locations/europe-west3/instances/one",
            f"{PROJECT}/locations/us-east1/instances/two",
        ]
        assert instances[1].state == redis_v1.Instance.State.READY
        assert client.get_instance(name=instances[1].name) == instances[1]


def test_firestore_lists_and_gets_databases_schedules_and_backups(pairs: Simulator) -> None:
    with _generated(pairs, FirestoreAdminClient, "firestore.googleapis.com") as client:
        databases = client.list_databases(parent=PROJECT).databases
        assert [(one.name.rpartition("/")[2], one.location_id) for one in databases] == [
            ("(default)", "europe-west3"),
            ("named", "nam5"),
        ]
        assert client.get_database(name=databases[0].name) == databases[0]
        schedules = client.list_backup_schedules(parent=databases[0].name).backup_schedules
        assert [one.name.rpartition("/")[2] for one in schedules] == ["daily", "weekly"]
        assert client.get_backup_schedule(name=schedules[1].name) == schedules[1]
        assert not client.list_backup_schedules(parent=databases[1].name).backup_schedules
        backups = client.list_backups(parent=f"{PROJECT}/locations/-").backups
        assert [one.name for one in backups] == [
            f"{PROJECT}/locations/europe-west3/backups/a",
            f"{PROJECT}/locations/nam5/backups/b",
        ]
        assert client.get_backup(name=backups[1].name) == backups[1]


def test_bigquery_lists_gets_and_queries(pairs: Simulator) -> None:
    client = bigquery.Client(
        project="dtx-pairs",
        credentials=AnonymousCredentials(),
        client_options={"api_endpoint": f"{pairs.url}/bigquery.googleapis.com"},
    )
    with closing(client):
        ids = [dataset.dataset_id for dataset in client.list_datasets()]
        assert ids == ["one", "two"]
        assert [client.get_dataset(one).location for one in ids] == ["europe-west3", "US"]
        assert [table.table_id for table in client.list_tables("two")] == ["t", "u"]
        assert _replicas(client, "europe-west3") == [("one", "europe-west3"), ("one", "europe-west4")]
        assert _replicas(client, "us") == [("two", "us")]
        assert _replicas(client, "europe-west4") == []


def _replicas(client: Any, region: str) -> list[tuple[str, str]]:
    text = f"SELECT schema_name, location FROM `region-{region}`.INFORMATION_SCHEMA.SCHEMATA_REPLICAS"  # noqa: S608
    return [(row["schema_name"], row["location"]) for row in client.query(text, location=region).result()]


@pytest.mark.parametrize("version", ["v1", "v1beta4"])
def test_sql_lists_and_gets_instances_and_backups(pairs: Simulator, version: str) -> None:
    with _discovered(pairs, "sqladmin", version) as service:
        instances = list(_all(service.instances(), "items", project="dtx-pairs"))
        assert [(one["name"], one["region"]) for one in instances] == [("one", "europe-west3"), ("two", "us-east1")]
        assert service.instances().get(project="dtx-pairs", instance="two").execute() == instances[1]
        runs = list(_all(service.backupRuns(), "items", project="dtx-pairs", instance="-"))
        assert [(run["instance"], run["id"]) for run in runs] == [("one", "11"), ("two", "12")]
        assert service.backupRuns().get(project="dtx-pairs", instance="two", id="12").execute() == runs[1]
        assert list(_all(service.backupRuns(), "items", project="dtx-pairs", instance="two")) == runs[1:]


def test_sql_lists_and_gets_the_project_s_backups(pairs: Simulator) -> None:
    with _discovered(pairs, "sqladmin", "v1") as service:
        # The list is called listBackups in this document, and googleapiclient gives it a companion for the next page.
        request, found = service.Backups().ListBackups(parent=PROJECT), []
        while request is not None:
            answer = request.execute()
            found += answer["backups"]
            request = service.Backups().ListBackups_next(request, answer)
        assert _names(found) == ["left", "over"]
        assert service.Backups().GetBackup(name=found[1]["name"]).execute() == found[1]


def test_redis_lists_and_gets_clusters_and_their_backups(pairs: Simulator) -> None:
    with _discovered(pairs, "redis", "v1") as service:
        places = service.projects().locations()
        clusters = list(_all(places.clusters(), "clusters", parent=f"{PROJECT}/locations/-"))
        assert _names(clusters) == ["three", "four"]
        assert places.clusters().get(name=clusters[1]["name"]).execute() == clusters[1]
        collections = list(_all(places.backupCollections(), "backupCollections", parent=f"{PROJECT}/locations/-"))
        assert _names(collections) == ["first", "second"]
        assert places.backupCollections().get(name=collections[1]["name"]).execute() == collections[1]
        backups = list(_all(places.backupCollections().backups(), "backups", parent=collections[1]["name"]))
        assert _names(backups) == ["b", "c"]
        assert places.backupCollections().backups().get(name=backups[1]["name"]).execute() == backups[1]


def test_storage_lists_and_gets_buckets_also_deleted_ones(pairs: Simulator) -> None:
    with _discovered(pairs, "storage", "v1", "storage/v1/") as service:
        buckets = list(_all(service.buckets(), "items", project="dtx-pairs"))
        assert [(one["name"], one["location"]) for one in buckets] == [("dtx-one", "EUROPE-WEST3"), ("dtx-two", "US")]
        assert service.buckets().get(bucket="dtx-two").execute() == buckets[1]
        deleted = list(_all(service.buckets(), "items", project="dtx-pairs", softDeleted=True))
        assert _names(deleted) == ["dtx-gone"]
        with pytest.raises(HttpError, match="404"):
            service.buckets().get(bucket="dtx-gone").execute()


def test_kms_lists_and_gets_rings_keys_and_versions(pairs: Simulator) -> None:
    with _discovered(pairs, "cloudkms", "v1") as service:
        places = service.projects().locations()
        locations = list(_all(places, "locations", name=PROJECT))
        assert [one["locationId"] for one in locations] == ["europe-west3", "global"]
        rings = [ring for one in locations for ring in _all(places.keyRings(), "keyRings", parent=one["name"])]
        assert _names(rings) == ["ring", "other"]
        assert places.keyRings().get(name=rings[1]["name"]).execute() == rings[1]
        in_rings = places.keyRings().cryptoKeys()
        keys = [key for ring in rings for key in _all(in_rings, "cryptoKeys", parent=ring["name"])]
        assert _names(keys) == ["old", "new", "far"]
        assert in_rings.get(name=keys[2]["name"]).execute() == keys[2]
        versions = list(_all(in_rings.cryptoKeyVersions(), "cryptoKeyVersions", parent=keys[2]["name"]))
        assert versions == [keys[2]["primary"]]
        assert in_rings.cryptoKeyVersions().get(name=versions[0]["name"]).execute() == versions[0]


TYPES = {
    "container.googleapis.com/Cluster": [
        "//container.googleapis.com/projects/dtx-pairs/locations/europe-west3/clusters/one",
        "//container.googleapis.com/projects/dtx-pairs/zones/us-east1-b/clusters/two",
    ],
    "sqladmin.googleapis.com/Instance": [
        "//cloudsql.googleapis.com/projects/dtx-pairs/instances/one",
        "//cloudsql.googleapis.com/projects/dtx-pairs/instances/two",
    ],
    "redis.googleapis.com/Instance": [
        "//redis.googleapis.com/projects/dtx-pairs/locations/europe-west3/instances/one",
        "//redis.googleapis.com/projects/dtx-pairs/locations/us-east1/instances/two",
    ],
    "redis.googleapis.com/Cluster": [
        "//redis.googleapis.com/projects/dtx-pairs/locations/europe-west3/clusters/three",
        "//redis.googleapis.com/projects/dtx-pairs/locations/us-east1/clusters/four",
    ],
    "bigquery.googleapis.com/Dataset": [
        "//bigquery.googleapis.com/projects/dtx-pairs/datasets/one",
        "//bigquery.googleapis.com/projects/dtx-pairs/datasets/two",
    ],
    "firestore.googleapis.com/Database": [
        "//firestore.googleapis.com/projects/dtx-pairs/databases/(default)",
        "//firestore.googleapis.com/projects/dtx-pairs/databases/named",
    ],
    "storage.googleapis.com/Bucket": ["//storage.googleapis.com/dtx-one", "//storage.googleapis.com/dtx-two"],
    "cloudkms.googleapis.com/KeyRing": [
        "//cloudkms.googleapis.com/projects/dtx-pairs/locations/europe-west3/keyRings/ring",
        "//cloudkms.googleapis.com/projects/dtx-pairs/locations/global/keyRings/other",
    ],
    "cloudkms.googleapis.com/CryptoKey": [
        "//cloudkms.googleapis.com/projects/dtx-pairs/locations/europe-west3/keyRings/ring/cryptoKeys/old",
        "//cloudkms.googleapis.com/projects/dtx-pairs/locations/europe-west3/keyRings/ring/cryptoKeys/new",
        "//cloudkms.googleapis.com/projects/dtx-pairs/locations/global/keyRings/other/cryptoKeys/far",
    ],
}


@pytest.mark.parametrize("project", ["dtx-pairs", "4711"])
def test_cloud_asset_lists_every_type(pairs: Simulator, project: str) -> None:
    with _discovered(pairs, "cloudasset", "v1") as service:

        def ask(*types: str) -> list[dict[str, Any]]:
            """Page by page: the library's `list_next` refuses a parameter that is repeated."""
            found: list[dict[str, Any]] = []
            token = None
            while not found or token:
                answer = service.assets().list(
                    parent=f"projects/{project}",
                    assetTypes=list(types) or None,
                    pageToken=token,
                    fields="assets(name,assetType),nextPageToken",
                ).execute()  # fmt: skip
                found += answer["assets"]
                token = answer.get("nextPageToken")
            return found

        everything = [{"name": name, "assetType": kind} for kind, names in TYPES.items() for name in names]
        assert ask() == everything
        assert ask(*TYPES) == everything
        for kind, names in TYPES.items():
            assert [asset["name"] for asset in ask(kind)] == names


@pytest.mark.parametrize("project", ["dtx-pairs", "4711"])
def test_service_usage_lists_the_enabled_services(pairs: Simulator, project: str) -> None:
    with _discovered(pairs, "serviceusage", "v1") as service:
        services = service.services()
        request = services.list(parent=f"projects/{project}", filter="state:ENABLED", pageSize=200)
        names: list[str] = []
        while request is not None:
            answer = request.execute()
            names += [one["name"] for one in answer["services"]]
            request = services.list_next(request, answer)
        assert names == [f"projects/4711/services/{name}.googleapis.com" for name in ("pubsub", "storage")]


@pytest.mark.parametrize("project", ["dtx-pairs", "4711"])
def test_resource_manager_gets_the_project_and_its_permissions(pairs: Simulator, project: str) -> None:
    asked = {"permissions": ["storage.buckets.list", "storage.buckets.update"]}
    with _discovered(pairs, "cloudresourcemanager", "v3") as service:
        found = service.projects().get(name=f"projects/{project}").execute()
        assert (found["name"], found["projectId"], found["state"]) == ("projects/4711", "dtx-pairs", "ACTIVE")
        granted = service.projects().testIamPermissions(resource=f"projects/{project}", body=asked).execute()
        assert granted == {"permissions": ["storage.buckets.list"]}
    with _discovered(pairs, "cloudresourcemanager", "v1") as service:
        assert service.projects().get(projectId=project).execute()["projectNumber"] == "4711"
