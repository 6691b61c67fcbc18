"""Google Kubernetes Engine: clusters, the zones of their nodes, and the keys that encrypt them."""

from __future__ import annotations

from collections.abc import Iterator

from diga_verify.checkers.fields import (
    Field,
    identity,
    labels,
    of_name,
    of_zone_url,
    placements,
    segment,
    walk,
)
from diga_verify.checkers.interface import Found
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Method
from diga_verify.model import Item, Placement, Project, Reason, Resource, Role

CLUSTER = "container.googleapis.com/Cluster"

_USER_MANAGED = (
    "controlPlaneDiskEncryptionKey",
    "controlPlaneDiskEncryptionKeyVersions[]",
    "gkeopsEtcdBackupEncryptionKey",
    "serviceAccountSigningKeys[]",
    "serviceAccountVerificationKeys[]",
    "clusterCa",
    "aggregationCa",
    "etcdApiCa",
    "etcdPeerCa",
)
_KEYS = (
    "databaseEncryption.keyName",
    "databaseEncryption.decryptionKeys[]",
    "nodeConfig.bootDiskKmsKey",
    "nodePools[].config.bootDiskKmsKey",
    "autoscaling.autoprovisioningNodePoolDefaults.bootDiskKmsKey",
    *(f"userManagedKeysConfig.{key}" for key in _USER_MANAGED),
)
_FIELDS = (
    Field(Role.PRIMARY, "location", required=True),
    Field(Role.NODE, "locations[]"),
    Field(Role.NODE, "nodePools[].locations[]"),
    Field(Role.NODE, "nodePools[].instanceGroupUrls[]", of_zone_url),
    Field(Role.NODE, "autoscaling.autoprovisioningLocations[]"),
    *(Field(Role.KEY, path, of_name) for path in _KEYS),
)
_CLUSTERS = Method(
    "gke",
    "container.googleapis.com",
    "container.projects.locations.clusters.list",
    fields="clusters(name,selfLink,location,locations,resourceLabels,nodePools(locations,instanceGroupUrls,"
    "config/bootDiskKmsKey),autoscaling(autoprovisioningLocations,autoprovisioningNodePoolDefaults/bootDiskKmsKey),"
    "databaseEncryption(keyName,decryptionKeys),nodeConfig/bootDiskKmsKey,userManagedKeysConfig),missingZones",
    items="clusters",
    partial="missingZones",
    owner="selfLink",
)


class Gke:
    """Clusters of every location in one call: `-` stands for all zones and all regions."""

    type = "gke"
    title = "Google Kubernetes Engine"
    permissions = ("container.clusters.list",)
    asset_types = (CLUSTER,)
    reads = (
        "clusters: location, node locations, the zones of every node pool and of its instance groups",
        "zones in which node auto-provisioning may create nodes",
        "keys: application-layer secrets, boot disks, control plane, etcd backups, service accounts, authorities",
    )
    limits = ("Persistent volumes are Compute Engine disks and are not read.", "Backup for GKE is not read.")

    def query(self, gateway: Gateway, project: Project) -> Found:
        from google.cloud.container_v1 import ClusterManagerClient

        parent = f"projects/{project.id}/locations/-"
        client = gateway.clients.gapic(ClusterManagerClient)
        listed = gateway.list_all(_CLUSTERS, parent, lambda _: client.list_clusters(parent=parent, retry=None))
        items = (Item(CLUSTER, project.id, data) for data in listed.items)
        return Found(tuple(items), listed.unread)

    def read(self, item: Item) -> Resource:
        name = identity(item.data, "name")
        location = str(item.data.get("location") or "-")
        return Resource(
            type=self.type,
            name=name,
            full_name=f"//container.googleapis.com/projects/{_project(item)}/locations/{location}/clusters/{name}",
            kind="cluster",
            placements=(*placements(item.data, _FIELDS), *_nowhere(item)),
            labels=labels(item.data, "resourceLabels"),
        )


def _project(item: Item) -> str:
    link = item.data.get("selfLink")
    return segment(link, "projects") if isinstance(link, str) else item.project


def _nowhere(item: Item) -> Iterator[Placement]:
    """A cluster that names no zone, not even for its node pools, leaves open where its nodes run."""
    if not any(True for path in ("locations[]", "nodePools[].locations[]") for _ in walk(item.data, path)):
        yield Placement(Role.NODE, None, "locations", reason=Reason.MISSING_LOCATION)
