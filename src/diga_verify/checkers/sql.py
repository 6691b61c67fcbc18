"""Cloud SQL: instances, their standbys and replicas, and backups, also those that outlived their instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from diga_verify.checkers.fields import Field, identity, labels, of_name, placements, unheard_of, walk
from diga_verify.checkers.interface import Found
from diga_verify.checkers.sql_history import history, operations
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role, Unread

INSTANCE = "sqladmin.googleapis.com/Instance"
BACKUP_RUN = "sqladmin.googleapis.com/BackupRun"
BACKUP = "sqladmin.googleapis.com/Backup"

_INSTANCE_FIELDS = (
    Field(Role.NODE, "gceZone"),
    Field(Role.NODE, "secondaryGceZone"),
    Field(Role.NODE, "nodes[].gceZone"),
    Field(Role.BACKUP, "settings.backupConfiguration.location"),
    Field(Role.KEY, "diskEncryptionConfiguration.kmsKeyName", of_name),
    Field(Role.KEY, "diskEncryptionStatus.kmsKeyVersionName", of_name),
)
_RUN_KEYS = (
    Field(Role.KEY, "diskEncryptionConfiguration.kmsKeyName", of_name),
    Field(Role.KEY, "diskEncryptionStatus.kmsKeyVersionName", of_name),
)
_BACKUP_KEYS = (Field(Role.KEY, "kmsKey", of_name), Field(Role.KEY, "kmsKeyVersion", of_name))
_HOLDS_NOTHING = frozenset({"ENQUEUED", "OVERDUE", "FAILED", "SKIPPED", "DELETED"})
"""States in which a backup holds no data, and may have no location (`BackupRun.status`, `Backup.state`)."""
_IN_ITS_REGION = ("CLOUD_SQL_INSTANCE", "READ_REPLICA_INSTANCE", "READ_POOL_INSTANCE", "GREEN_INSTANCE")
_TIER = "settings.backupConfiguration.backupTier"
_TIERS = ("BACKUP_TIER_UNSPECIFIED", "STANDARD")
"""Tiers whose backups Cloud SQL keeps itself, and lists."""
_REPLICAS = ("replicaNames[]", "failoverReplica.name", "replicationCluster.failoverDrReplicaName")

_SERVICE = "sqladmin.googleapis.com"
_INSTANCES = Method(
    "sql",
    _SERVICE,
    "sql.instances.list",
    fields="kind,items(name,project,region,gceZone,secondaryGceZone,nodes/gceZone,instanceType,masterInstanceName,"
    "replicaNames,failoverReplica/name,replicationCluster/failoverDrReplicaName,"
    "settings(backupConfiguration(enabled,location,backupTier),userLabels),diskEncryptionConfiguration/kmsKeyName,"
    "diskEncryptionStatus/kmsKeyVersionName),nextPageToken,warnings",
    kind="sql#instancesList",
    items="items",
    partial="warnings",
    owner="project",
)
_RUNS = Method(
    "sql",
    _SERVICE,
    "sql.backupRuns.list",
    fields="kind,items(id,instance,location,status,type,diskEncryptionConfiguration/kmsKeyName,"
    "diskEncryptionStatus/kmsKeyVersionName),nextPageToken",
    kind="sql#backupRunsList",
    items="items",
)
_BACKUPS = Method(
    "sql",
    _SERVICE,
    "sql.Backups.ListBackups",
    fields="backups(name,instance,instanceDeletionTime,instanceSettings/settings/userLabels,location,state,type,kmsKey,"
    "kmsKeyVersion),nextPageToken,warnings",
    items="backups",
    partial="warnings",
    owner="name",
)
_INSTANCES_AND_AGE = _INSTANCES.asking("createTime")
_RUNS_AND_AGE = _RUNS.asking("endTime")
_BACKUPS_AND_AGE = _BACKUPS.asking("backupInterval/endTime,expiryTime")


class Sql:
    """Instances of all regions, and where their backups really are."""

    type = "sql"
    title = "Cloud SQL"
    permissions = ("cloudsql.instances.list", "cloudsql.backupRuns.list")
    after_restore = ("cloudsql.instances.get",)
    asset_types = (INSTANCE,)
    reads = (
        "instances and read replicas: region, zone, standby zone, zones of read-pool nodes, keys",
        "where backups are configured to go",
        "where every backup really is, those of deleted instances too, and its key",
    )
    limits = (
        "Where the logs for point-in-time recovery lie is shown by no field.",
        "Exports go to Cloud Storage: they are seen as buckets, and only by a run that reads gcs.",
        "Audit files of SQL Server go to a bucket: it is seen only by a run on its own project that reads gcs.",
    )

    def query(self, gateway: Gateway, project: Project) -> Found:
        instances, runs, backups = gateway.together(
            lambda: _instances(gateway, project),
            lambda: _runs(gateway, project),
            lambda: _backups(gateway, project),
        )
        listed = {str(data.get("name")) for data in instances.items}
        runs_of, backups_of = _by_instance(runs.items), _by_instance(backups.items)
        originals = (data for data in instances.items if not _is_copy(data))
        done = operations(gateway, project, originals) if gateway.after_restore else {}
        items = [
            Item(
                INSTANCE,
                project.id,
                data,
                {
                    "backupRuns": tuple(runs_of[str(data.get("name"))]),
                    "backups": tuple(backups_of[str(data.get("name"))]),
                    **_done_to(data, done),
                },
            )
            for data in instances.items
        ]
        for asset_type, found in ((BACKUP_RUN, runs), (BACKUP, backups)):
            orphans = (data for data in found.items if str(data.get("instance")) not in listed)
            items += [Item(asset_type, project.id, data) for data in orphans]
        lost = (
            *_not_listed(project, instances.items, listed),
            *(() if instances.unread else _of_nobody(project, runs.items, backups.items, listed)),
        )
        unread = (one for listed in done.values() for one in listed.unread)
        return Found(tuple(items), (*instances.unread, *runs.unread, *backups.unread, *unread, *lost))

    def read(self, item: Item) -> Resource:
        if item.asset_type == BACKUP:
            name = identity(item.data, "name")
            found = tuple(_backup_placements(item.data, "state", "", _BACKUP_KEYS))
            kept = labels(item.data, "instanceSettings.settings.userLabels")
            return Resource(self.type, name.rpartition("/")[2], f"//{_SERVICE}/{name}", "backup", found, kept)
        if item.asset_type == BACKUP_RUN:
            name = f"{identity(item.data, 'instance')}/{item.data.get('id', '')}"
            full_name = f"{_full_name(item.project, identity(item.data, 'instance'))}/backupRuns/{item.data.get('id')}"
            found = tuple(_backup_placements(item.data, "status", "", _RUN_KEYS))
            return Resource(self.type, name, full_name, "backup run", found)
        return self._instance(item)

    def _instance(self, item: Item) -> Resource:
        data = item.data
        name = identity(data, "name")
        project = str(data.get("project") or item.project)
        master = data.get("masterInstanceName")
        is_copy = _is_copy(data)
        region = Field(Role.REPLICA if is_copy else Role.PRIMARY, "region", required=True)
        return Resource(
            type=self.type,
            name=name,
            full_name=_full_name(project, name),
            kind="read replica" if is_copy else "instance",
            placements=(
                *placements(data, (region, *_INSTANCE_FIELDS)),
                *_elsewhere(data),
                *_vaulted(data),
                *_default_backup(item),
                *_actual_backups(item),
            ),
            labels=labels(data, "settings.userLabels"),
            owner=_full_name(project, _short(master)) if isinstance(master, str) and master else "",
            history=None if is_copy else history(data, item.related),
        )


def _instances(gateway: Gateway, project: Project) -> Listed:
    instances = gateway.clients.discovery("sqladmin", "v1").instances()
    return gateway.list_all(
        _INSTANCES_AND_AGE if gateway.after_restore else _INSTANCES,
        f"projects/{project.id}",
        lambda token: instances.list(project=project.id, maxResults=1000, pageToken=token).execute(num_retries=0),
    )


def _runs(gateway: Gateway, project: Project) -> Listed:
    runs = gateway.clients.discovery("sqladmin", "v1").backupRuns()
    return gateway.list_all(
        _RUNS_AND_AGE if gateway.after_restore else _RUNS,
        f"projects/{project.id}/instances/-",
        lambda token: runs.list(project=project.id, instance="-", pageToken=token).execute(num_retries=0),
    )


def _backups(gateway: Gateway, project: Project) -> Listed:
    backups = gateway.clients.discovery("sqladmin", "v1").Backups()
    parent = f"projects/{project.id}"
    return gateway.list_all(
        _BACKUPS_AND_AGE if gateway.after_restore else _BACKUPS,
        parent,
        lambda token: backups.ListBackups(parent=parent, pageSize=2000, pageToken=token).execute(num_retries=0),
    )


def _full_name(project: str, instance: str) -> str:
    return f"//cloudsql.googleapis.com/projects/{project}/instances/{instance}"


def _short(instance: str) -> str:
    """An instance's name as the list gives it; other instances may write it as `project:name`."""
    return instance.rpartition(":")[2]


def _by_instance(copies: Iterable[Json]) -> defaultdict[str, list[Json]]:
    """Backups by the name of their instance, so that each is looked at once, however many instances there are."""
    found: defaultdict[str, list[Json]] = defaultdict(list)
    for copy in copies:
        found[str(copy.get("instance"))].append(copy)
    return found


def _is_copy(instance: Json) -> bool:
    return bool(instance.get("masterInstanceName")) or instance.get("instanceType") == "READ_REPLICA_INSTANCE"


def _done_to(instance: Json, done: Mapping[str, Listed]) -> Mapping[str, tuple[Json, ...]]:
    listed = done.get(str(instance.get("name")))
    return {} if listed is None else {"operations": listed.items}


def _not_listed(project: Project, instances: Iterable[Json], listed: set[str]) -> Iterator[Unread]:
    """Replicas and primaries that an instance names and the list does not hold: a copy nobody has looked at."""
    for data in instances:
        full_name = _full_name(str(data.get("project") or project.id), str(data.get("name")))
        for path in (*_REPLICAS, "masterInstanceName"):
            for field, other in walk(data, path):
                unset = other == "" and not field.endswith("]")
                if not isinstance(other, str) or (not unset and _short(other) not in listed):
                    detail = f"{data.get('name')} names {other!r}, and the list of instances does not hold it"
                    yield Unread("sql", f"{full_name} {field}", Reason.NOT_LISTED, detail, resource=full_name)


def _of_nobody(project: Project, runs: Iterable[Json], backups: Iterable[Json], listed: set[str]) -> Iterator[Unread]:
    """Instances of which there are backups, and that are neither listed nor said to be deleted: only the backups of
    deleted instances outlive the list (`Backup.instanceDeletionTime`, and type FINAL)."""
    deleted = (one for one in backups if one.get("instanceDeletionTime") or one.get("type") == "FINAL")
    known = listed | {str(one.get("instance")) for one in deleted}
    for name in sorted({str(one.get("instance")) for one in (*runs, *backups)} - known):
        detail = f"there are backups of {name}, and the list of instances does not hold it"
        yield Unread("sql", _full_name(project.id, name), Reason.NOT_LISTED, detail)


def _elsewhere(data: Json) -> Iterator[Placement]:
    """A source representation (`ON_PREMISES_INSTANCE`) stands for a server outside Google, at a place of its own."""
    for place in unheard_of(data, Role.PRIMARY, "instanceType", _IN_ITS_REGION, required=True):
        on_premises = place.about == "ON_PREMISES_INSTANCE"
        yield replace(place, reason=Reason.EXTERNAL_DATA) if on_premises else place


def _vaulted(data: Json) -> Iterator[Placement]:
    """Backup and DR Service keeps enhanced backups in a vault, which may lie in another project and another region
    (https://cloud.google.com/sql/docs/postgres/backup-recovery/backup-options)."""
    for place in unheard_of(data, Role.BACKUP, _TIER, _TIERS):
        elsewhere = place.about in ("ADVANCED", "ENHANCED")
        yield replace(place, reason=Reason.EXTERNAL_DATA) if elsewhere else place


def _actual_backups(item: Item) -> Iterator[Placement]:
    for run in item.related.get("backupRuns", ()):
        yield from _backup_placements(run, "status", f"backupRuns[{run.get('id')}].", _RUN_KEYS)
    for backup in item.related.get("backups", ()):
        number = str(backup.get("name", "")).rpartition("/")[2]
        yield from _backup_placements(backup, "state", f"backups[{number}].", _BACKUP_KEYS)


def _backup_placements(data: Json, state: str, prefix: str, keys: Iterable[Field]) -> Iterator[Placement]:
    holds_data = str(data.get(state)) not in _HOLDS_NOTHING
    yield from placements(data, (Field(Role.BACKUP, "location", required=holds_data), *keys), prefix=prefix)


def _default_backup(item: Item) -> Iterator[Placement]:
    """An instance that makes backups and does not say where sends them to a multi-region of Google's choice
    (`gcloud sql instances create --help`, --backup-location). Only backups that it made show which."""
    settings = item.data.get("settings")
    config = settings.get("backupConfiguration") if isinstance(settings, Mapping) else None
    if not isinstance(config, Mapping) or config.get("location") or config.get("enabled") in (None, False):
        return
    runs, backups = item.related.get("backupRuns", ()), item.related.get("backups", ())
    if not any(_shows_default(run, "status") for run in runs) and not any(
        _shows_default(one, "state") for one in backups
    ):
        path = "settings.backupConfiguration.location"
        yield Placement(Role.BACKUP, None, path, reason=Reason.DEFAULT_LOCATION)


def _shows_default(backup: Json, state: str) -> bool:
    """Whether a backup lies where the instance's configuration sent it. One that somebody made by hand may have
    been given a place of its own."""
    by_schedule = backup.get("type") == "AUTOMATED"
    return by_schedule and bool(backup.get("location")) and str(backup.get(state)) not in _HOLDS_NOTHING
