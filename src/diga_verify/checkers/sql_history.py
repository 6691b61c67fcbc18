"""What Cloud SQL tells of how an instance came by its data, and of the backups that it can be restored from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method
from diga_verify.gateway.records import source_of
from diga_verify.history import Backup, Filling, History
from diga_verify.model import Json, Project
from diga_verify.moment import moment

_OPERATIONS = Method(
    "sql",
    "sqladmin.googleapis.com",
    "sql.operations.list",
    fields="kind,items(name,operationType,status,targetId,targetProject,insertTime,endTime,error(kind,errors/code),"
    "importContext/uri),nextPageToken",
    kind="sql#operationsList",
    items="items",
    owner="targetProject",
)
"""https://cloud.google.com/sql/docs/mysql/project-access-control has the permission it needs."""
_IMPORT, _CREATE = "IMPORT", "CREATE"
_REPLACES = frozenset({"CLONE", "CREATE_CLONE", "CREATE_REPLICA", "RECREATE_REPLICA", "RESTORE_VOLUME"})
"""Operations that bring all the data that there is then."""
_ADDS = frozenset({_IMPORT, "DEMOTE_MASTER", "START_EXTERNAL_SYNC"})
"""Operations that bring data besides what is there."""
_LEAVES_DATA = frozenset(
    {
        "EXPORT", "UPDATE", "DELETE", "RESTART", "BACKUP", "SNAPSHOT", "BACKUP_VOLUME", "DELETE_VOLUME", "INJECT_USER",
        "STOP_REPLICA", "START_REPLICA", "PROMOTE_REPLICA", "CREATE_USER", "DELETE_USER", "UPDATE_USER",
        "CREATE_DATABASE", "DELETE_DATABASE", "UPDATE_DATABASE", "FAILOVER", "DELETE_BACKUP", "TRUNCATE_LOG",
        "MAINTENANCE", "ENABLE_PRIVATE_IP", "DEFER_MAINTENANCE", "RESCHEDULE_MAINTENANCE", "LOG_CLEANUP",
        "AUTO_RESTART", "REENCRYPT", "SWITCHOVER", "UPDATE_BACKUP", "ACQUIRE_SSRS_LEASE", "RELEASE_SSRS_LEASE",
        "RECONFIGURE_OLD_PRIMARY", "CLUSTER_MAINTENANCE", "SELF_SERVICE_MAINTENANCE", "SWITCHOVER_TO_REPLICA",
        "MAJOR_VERSION_UPGRADE", "ADVANCED_BACKUP", "MANAGE_BACKUP", "ENHANCED_BACKUP", "REPAIR_READ_POOL",
        "PRE_CHECK_MAJOR_VERSION_UPGRADE", "CREATE_BLUE_GREEN_DEPLOYMENT", "SWITCHOVER_BLUE_GREEN_DEPLOYMENT",
        "DELETE_BLUE_GREEN_DEPLOYMENT",
    }
)  # fmt: skip
"""Operations that bring no data into an instance from elsewhere (`Operation.operationType`). Of any other, also of one
that the API has learnt since, it is taken to be possible."""


def history(instance: Json, related: Mapping[str, tuple[Json, ...]]) -> History | None:
    """The history of an instance; None for one whose operations were not asked for."""
    if "operations" not in related:
        return None
    created = _text(instance, "createTime")
    runs = (_run(one, created) for one in related.get("backupRuns", ()))
    backups = (_backup(one, created) for one in related.get("backups", ()))
    found = (one for one in (*runs, *backups) if one is not None)
    return History(created, tuple(found), tuple(_fillings(related["operations"])))


def operations(gateway: Gateway, project: Project, instances: Iterable[Json]) -> Mapping[str, Listed]:
    """What was done to each instance, by its name, as far as the API remembers."""
    names = sorted({str(data["name"]) for data in instances if data.get("name")})
    lists = gateway.spread(lambda name: _operations(gateway, project, name), names)
    return dict(zip(names, lists, strict=True))


def _operations(gateway: Gateway, project: Project, instance: str) -> Listed:
    known = gateway.clients.collection("sqladmin", "v1", "operations")
    asked = {"project": project.id, "instance": instance, "maxResults": 1000}
    listed = gateway.list_all(
        _OPERATIONS,
        f"projects/{project.id}/instances/{instance}",
        lambda token: known.list(**asked, pageToken=token).execute(num_retries=0),
    )
    full_name = f"//cloudsql.googleapis.com/projects/{project.id}/instances/{instance}"
    return Listed(listed.items, tuple(replace(unread, resource=full_name) for unread in listed.unread))


def _run(run: Json, created: str) -> Backup | None:
    until = _text(run, "endTime")
    if run.get("status") != "SUCCESSFUL" or not _since(until, created):
        return None
    return Backup(_text(run, "id"), _text(run, "location") or None, until)


def _backup(backup: Json, created: str) -> Backup | None:
    interval = backup.get("backupInterval")
    until = _text(interval, "endTime") if isinstance(interval, Mapping) else ""
    of_another = backup.get("type") == "FINAL" or backup.get("instanceDeletionTime")
    if backup.get("state") != "SUCCESSFUL" or of_another or not _since(until, created):
        return None
    name = _text(backup, "name").rpartition("/")[2]
    return Backup(name, _text(backup, "location") or None, until, _text(backup, "expiryTime"))


def _since(until: str, created: str) -> bool:
    """Whether a backup is of this instance, and not of one that had its name before."""
    first, last = moment(created), moment(until)
    return first is not None and last is not None and last >= first


def _fillings(operations: Iterable[Json]) -> Iterator[Filling]:
    """The last operation that replaced all data, and those after it that brought more, or may have: what was there
    before is gone."""
    operations = tuple(operations)
    if not operations:
        yield Filling("operations", trouble="no operation is on record, though every backup is one")
    known = [one for one in operations if one.get("operationType") not in _LEAVES_DATA]
    in_order = sorted(known, key=_order)
    last = max((at for at, one in enumerate(in_order) if _replaces(one)), default=0)
    yield from map(_filling, in_order[last:])


def _replaces(operation: Json) -> bool:
    """Whether nothing is left of what was there before. Of what does not say when, nobody knows what that is."""
    at = moment(_text(operation, "insertTime"))
    return at is not None and operation.get("operationType") in {*_REPLACES, _CREATE}


def _order(operation: Json) -> tuple[bool, float]:
    """By when it was asked for; one that does not say comes last, where nothing replaces it."""
    asked = moment(_text(operation, "insertTime"))
    return asked is None, asked.timestamp() if asked is not None else 0.0


def _filling(operation: Json) -> Filling:
    context = operation.get("importContext")
    kind = operation.get("operationType")
    return Filling(
        field=f"operations[{operation.get('name')}].operationType",
        source=_text(context, "uri") if isinstance(context, Mapping) and kind == _IMPORT else "",
        at=_text(operation, "endTime") if operation.get("status") == "DONE" else "",
        trouble=_trouble(operation, kind),
        full=kind in _REPLACES | _ADDS,
        pointer=source_of(operation, "operationType"),
    )


def _trouble(operation: Json, kind: object) -> str:
    if operation.get("status") != "DONE":
        return f"{kind} is not finished"
    # What a failed import brought before it failed lies there all the same; its source is as good as any.
    return f"{kind} failed" if operation.get("error") is not None and kind != _IMPORT else ""


def _text(data: Json, key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
