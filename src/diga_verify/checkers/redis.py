"""Memorystore for Redis: instances, Redis Clusters with their cross-region members, and backup collections."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from diga_verify.checkers.fields import Field, identity, labels, of_name, placements, segment, unheard_of, walk
from diga_verify.checkers.interface import Found
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method
from diga_verify.gateway.records import source_of
from diga_verify.history import Filling, History
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role, Unread

INSTANCE = "redis.googleapis.com/Instance"
CLUSTER = "redis.googleapis.com/Cluster"
BACKUP_COLLECTION = "redis.googleapis.com/BackupCollection"

_INSTANCE_FIELDS = (
    Field(Role.PRIMARY, "name", of_name, required=True),
    Field(Role.NODE, "locationId"),
    Field(Role.NODE, "alternativeLocationId"),
    Field(Role.NODE, "currentLocationId"),
    Field(Role.NODE, "nodes[].zone"),
    Field(Role.KEY, "customerManagedKey", of_name),
)
_REPLICATION = "crossClusterReplicationConfig"
_CLUSTER_ROLES = ("CLUSTER_ROLE_UNSPECIFIED", "NONE", "PRIMARY", "SECONDARY")
_CLUSTER_FIELDS = (
    Field(Role.NODE, "zoneDistributionConfig.zone"),
    Field(Role.NODE, "zoneDistributionConfig.zones[]"),
    Field(Role.NODE, "zoneDistributionConfig.activeZones[]"),
    Field(Role.PRIMARY, f"{_REPLICATION}.primaryCluster.cluster", of_name),
    Field(Role.REPLICA, f"{_REPLICATION}.secondaryClusters[].cluster", of_name),
    Field(Role.PRIMARY, f"{_REPLICATION}.membership.primaryCluster.cluster", of_name),
    Field(Role.REPLICA, f"{_REPLICATION}.membership.secondaryClusters[].cluster", of_name),
    Field(Role.KEY, "kmsKey", of_name),
    Field(Role.KEY, "encryptionInfo.kmsKeyVersions[]", of_name),
)
_MEMBERS = tuple(field for field in _CLUSTER_FIELDS if field.path.startswith(_REPLICATION))
_COLLECTION_FIELDS = (
    Field(Role.BACKUP, "name", of_name, required=True),
    Field(Role.KEY, "kmsKey", of_name),
)
_PREFIX = "redis.projects.locations"
_INSTANCES = Method(
    "redis",
    "redis.googleapis.com",
    f"{_PREFIX}.instances.list",
    fields="instances(name,locationId,alternativeLocationId,currentLocationId,nodes/zone,customerManagedKey,labels),"
    "nextPageToken,unreachable",
    items="instances",
    partial="unreachable",
    owner="name",
)
_CLUSTERS = Method(
    "redis",
    "redis.googleapis.com",
    f"{_PREFIX}.clusters.list",
    fields="clusters(name,zoneDistributionConfig,crossClusterReplicationConfig,kmsKey,"
    "encryptionInfo/kmsKeyVersions,labels),nextPageToken,unreachable",
    items="clusters",
    partial="unreachable",
    owner="name",
)
_PAST = "past"
"""Marks the items of a run after a restore."""
_CLUSTERS_AND_ORIGIN = _CLUSTERS.asking("createTime,managedBackupSource/backup,gcsSource/uris")
_ORIGINS = ("managedBackupSource.backup", "gcsSource.uris[]")
_COLLECTIONS = Method(
    "redis",
    "redis.googleapis.com",
    f"{_PREFIX}.backupCollections.list",
    fields="backupCollections(name,cluster,kmsKey),nextPageToken,unreachable",
    items="backupCollections",
    partial="unreachable",
    owner="name",
)


class Redis:
    """Instances through google-cloud-redis; clusters and backups, which it lacks, through the discovery client."""

    type = "redis"
    title = "Memorystore for Redis"
    permissions = ("redis.instances.list", "redis.clusters.list", "redis.backupCollections.list")
    asset_types = (INSTANCE, CLUSTER)
    reads = (
        "instances: region, current, alternative and node zones, key",
        "Redis Clusters: region, zones, the members of cross-region replication, keys",
        "backup collections, also those whose cluster is gone, and their keys",
    )
    limits = (
        "Where persistence (RDB) snapshots and exports of a Redis instance lie is shown by no field.",
        "Keys of single backups in a collection are not read; the collection's own key is.",
        "Memorystore for Valkey and for Memcached are other products and are not read.",
    )

    def query(self, gateway: Gateway, project: Project) -> Found:
        parent = f"projects/{project.id}/locations/-"
        instances, clusters, collections = gateway.together(
            lambda: _instances(gateway, parent),
            lambda: _clusters(gateway, parent),
            lambda: _collections(gateway, parent),
        )
        past: Mapping[str, tuple[Json, ...]] = {_PAST: ()} if gateway.after_restore else {}
        answers = ((INSTANCE, instances), (CLUSTER, clusters), (BACKUP_COLLECTION, collections))
        return Found(
            tuple(
                Item(asset_type, project.id, data, past)
                for asset_type, listed in answers
                for data in listed.items
                if not _is_placeholder(data)
            ),
            tuple(unread for _, listed in answers for unread in (*listed.unread, *_unavailable(listed.items))),
        )

    def read(self, item: Item) -> Resource:
        name = identity(item.data, "name")
        kind, collection, found = _READERS[item.asset_type]
        return Resource(
            type=self.type,
            name=segment(name, collection),
            full_name=f"//redis.googleapis.com/{name}",
            kind=kind,
            placements=found(item.data),
            labels=labels(item.data, "labels"),
            owner=f"//redis.googleapis.com/{item.data['cluster']}" if item.data.get("cluster") else "",
            history=_history(item.data) if item.asset_type == CLUSTER and _PAST in item.related else None,
        )


def _history(cluster: Json) -> History:
    """A cluster is a cache unless somebody says otherwise: backups of it are not asked for."""
    created = cluster.get("createTime")
    at = created if isinstance(created, str) else ""
    found = ((field, value) for path in _ORIGINS for field, value in walk(cluster, path))
    fillings = (Filling(field, str(value), at, pointer=source_of(cluster, field)) for field, value in found)
    return History(at, None, tuple(fillings))


def _instance(data: Json) -> tuple[Placement, ...]:
    return placements(data, _INSTANCE_FIELDS)


def _collection(data: Json) -> tuple[Placement, ...]:
    return placements(data, _COLLECTION_FIELDS)


def _instances(gateway: Gateway, parent: str) -> Listed:
    from google.cloud.redis_v1 import CloudRedisClient

    client = gateway.clients.gapic(CloudRedisClient)
    return gateway.list_all(
        _INSTANCES,
        parent,
        lambda token: client.list_instances(
            {"parent": parent, "page_size": 1000, "page_token": token or ""}, retry=None
        ),
    )


def _clusters(gateway: Gateway, parent: str) -> Listed:
    collection = gateway.clients.discovery("redis", "v1").projects().locations().clusters()
    return gateway.list_all(
        _CLUSTERS_AND_ORIGIN if gateway.after_restore else _CLUSTERS,
        parent,
        lambda token: collection.list(parent=parent, pageSize=1000, pageToken=token).execute(num_retries=0),
    )


def _collections(gateway: Gateway, parent: str) -> Listed:
    collection = gateway.clients.discovery("redis", "v1").projects().locations().backupCollections()
    return gateway.list_all(
        _COLLECTIONS,
        parent,
        lambda token: collection.list(parent=parent, pageSize=1000, pageToken=token).execute(num_retries=0),
    )


def _cluster(data: Json) -> tuple[Placement, ...]:
    config = data.get(_REPLICATION)
    secondary = isinstance(config, dict) and config.get("clusterRole") == "SECONDARY"
    own = Field(Role.REPLICA if secondary else Role.PRIMARY, "name", of_name, required=True)
    strange = unheard_of(data, Role.REPLICA, f"{_REPLICATION}.clusterRole", _CLUSTER_ROLES)
    return (*placements(data, (own, *_CLUSTER_FIELDS)), *strange, *_nameless(data))


def _nameless(data: Json) -> Iterator[Placement]:
    """Members of the replication of which the answer says that they are there, and not where."""
    for field in _MEMBERS:
        holder, _, key = field.path.rpartition(".")
        for place, member in walk(data, holder):
            if isinstance(member, dict) and (member or place.endswith("]")) and not member.get(key):
                at = f"{place}.{key}"
                yield Placement(field.role, None, at, reason=Reason.MISSING_LOCATION, source=source_of(data, place))


_READERS: Mapping[str, tuple[str, str, Callable[[Json], tuple[Placement, ...]]]] = {
    INSTANCE: ("instance", "instances", _instance),
    CLUSTER: ("cluster", "clusters", _cluster),
    BACKUP_COLLECTION: ("backup collection", "backupCollections", _collection),
}


def _is_placeholder(data: Json) -> bool:
    """A location that did not answer is listed as a resource named `-` (the API's own description says so)."""
    return str(data.get("name", "")).endswith("/-")


def _unavailable(items: Iterable[Json]) -> Iterable[Unread]:
    for data in items:
        if _is_placeholder(data):
            detail = f"the list holds the placeholder {data['name']}: its location did not answer"
            yield Unread("redis", str(data["name"]), Reason.PARTIAL_ANSWER, detail)
