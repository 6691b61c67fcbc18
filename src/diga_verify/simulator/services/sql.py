"""sqladmin.googleapis.com v1 and v1beta4: instances, their backup runs, and the project's backups."""

from __future__ import annotations

from diga_verify.simulator.errors import Json, no_such_thing
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.world import World, of_world

HOST = "sqladmin.googleapis.com"


@of_world
def _instances(world: World) -> list[Json]:
    return [_instance(world, item) for item in world.items("sql", "instances")]


def _instance(world: World, item: Json) -> Json:
    replica = "masterInstanceName" in item
    return {
        "kind": "sql#instance",
        "project": world.project_id,
        "state": "RUNNABLE",
        "backendType": "SECOND_GEN",
        "createTime": "2025-03-19T08:00:00.000Z",
        "instanceType": "READ_REPLICA_INSTANCE" if replica else "CLOUD_SQL_INSTANCE",
        "connectionName": f"{world.project_id}:{item.get('region', '')}:{item['name']}",
        "selfLink": f"https://{HOST}/v1/projects/{world.project_id}/instances/{item['name']}",
    } | item


@of_world
def _all_runs(world: World) -> list[Json]:
    return [_run(world, item) for item in world.items("sql", "backupRuns")]


def _runs(world: World, instance: str) -> list[Json]:
    found = _all_runs(world)
    return found if instance == "-" else [item for item in found if item["instance"] == instance]


def _run(world: World, item: Json) -> Json:
    instance, number = item["instance"], str(item["id"])
    derived = {
        "kind": "sql#backupRun",
        "status": "SUCCESSFUL",
        "type": "AUTOMATED",
        "selfLink": f"https://{HOST}/v1/projects/{world.project_id}/instances/{instance}/backupRuns/{number}",
    }
    return derived | item | {"id": number}  # int64 travels as text


def _backup(world: World, item: Json) -> Json:
    name = item["name"] if "/" in item["name"] else f"projects/{world.project_id}/backups/{item['name']}"
    return {"kind": "sql#backup", "state": "SUCCESSFUL", "type": "AUTOMATED"} | item | {"name": name}


@of_world
def _backups(world: World) -> list[Json]:
    return [_backup(world, item) for item in world.items("sql", "backups")]


def _list_instances(call: Call) -> Json:
    place = call.query.get("location")
    items = [item for item in _instances(call.world) if place in (None, item.get("region"))]
    # No `kind`: the discovery document promises one, and since 2021 the recorded answers do not have it.
    return paged(call, "items", items, partial={"warnings": _warnings(call.world)})


def _get_instance(call: Call) -> Json:
    for item in _instances(call.world):
        if item["name"] == call.path["instance"]:
            return item
    raise no_such_thing(call.path["instance"])


def _list_runs(call: Call) -> Json:
    if call.path["instance"] != "-":
        _get_instance(call)
    items = _runs(call.world, call.path["instance"])
    return paged(call, "items", items, head={"kind": "sql#backupRunsList"})


def _get_run(call: Call) -> Json:
    for item in _runs(call.world, call.path["instance"]):
        if item["id"] == call.path["run"]:
            return item
    raise no_such_thing(call.path["run"])


def _list_backups(call: Call) -> Json:
    return paged(call, "backups", _backups(call.world), partial={"warnings": _warnings(call.world)})


def _get_backup(call: Call) -> Json:
    for item in call.world.items("sql", "backups"):
        if item["name"].rpartition("/")[2] == call.path["backup"]:
            return _backup(call.world, item)
    raise no_such_thing(call.path["backup"])


@of_world
def _operations(world: World) -> list[Json]:
    return [
        {
            "kind": "sql#operation",
            "status": "DONE",
            "targetProject": world.project_id,
            "selfLink": f"https://{HOST}/v1/projects/{world.project_id}/operations/{item['name']}",
        }
        | item
        for item in (*map(_backing_up, world.items("sql", "backupRuns")), *world.items("sql", "operations"))
    ]


def _backing_up(run: Json) -> Json:
    """The operation that made a backup run."""
    at = run.get("endTime", "2025-03-20T02:00:00Z")
    name = f"backup-{run['instance']}-{run['id']}"
    return {
        "name": name, "targetId": run["instance"], "operationType": "BACKUP_VOLUME", "insertTime": at, "endTime": at,
    }  # fmt: skip


def _list_operations(call: Call) -> Json:
    instance = call.query.get("instance")
    items = [item for item in _operations(call.world) if instance in (None, item["targetId"])]
    return paged(call, "items", items, head={"kind": "sql#operationsList"})


def _warnings(world: World) -> list[Json]:
    return world.items("sql", "warnings")


def _routes(version: str) -> tuple[Route, ...]:
    project = f"{version}/projects/{{project}}"
    runs = f"{project}/instances/{{instance}}/backupRuns"
    instances = Sizes("maxResults", 500, 1000)
    backups = Sizes("pageSize", 500, 2000)
    return (
        Route(
            "GET",
            f"{project}/instances",
            "cloudsql.instances.list",
            _list_instances,
            ("filter", "location"),
            instances,
        ),
        Route("GET", f"{project}/instances/{{instance}}", "cloudsql.instances.get", _get_instance, ("location",)),
        Route("GET", runs, "cloudsql.backupRuns.list", _list_runs, (), instances),
        Route("GET", f"{runs}/{{run}}", "cloudsql.backupRuns.get", _get_run),
        Route("GET", f"{project}/backups", "cloudsql.backupRuns.list", _list_backups, ("filter",), backups),
        Route("GET", f"{project}/backups/{{backup}}", "cloudsql.backupRuns.get", _get_backup),
        Route(
            "GET",
            f"{project}/operations",
            "cloudsql.instances.get",
            _list_operations,
            ("instance", "location"),
            instances,
        ),
    )


SERVICE = Service(HOST, (*_routes("v1"), *_routes("sql/v1beta4")), errors_list=True)
