"""firestore.googleapis.com v1, the admin side: databases, backups and backup schedules. None of it is paged."""

from __future__ import annotations

from diga_verify.simulator.errors import Json
from diga_verify.simulator.paging import whole
from diga_verify.simulator.routes import Call, Route, Service
from diga_verify.simulator.services.naming import located, named, silent, stable_id, within
from diga_verify.simulator.world import World

HOST = "firestore.googleapis.com"
PROJECT = "v1/projects/{project}"


def _databases(world: World) -> list[Json]:
    """The databases, without their backup schedules: those have a list of their own."""
    return [
        {key: value for key, value in _database(world, item).items() if key != "backupSchedules"}
        for item in world.items("firestore", "databases")
    ]


def _database(world: World, item: Json) -> Json:
    short = item["name"].rpartition("/")[2]
    derived = {
        "type": "FIRESTORE_NATIVE",
        "uid": _uid(world, short),
        "createTime": "2025-03-19T08:00:00Z",
    }
    return derived | item | {"name": f"projects/{world.project_id}/databases/{short}"}


def _uid(world: World, database: str) -> str:
    return stable_id(world.project_number, database)


def _backups(world: World) -> list[Json]:
    return [_backup(world, item) for item in world.items("firestore", "backups")]


def _backup(world: World, item: Json) -> Json:
    of = str(item.get("database", "")).rpartition("/")[2]
    return {"state": "READY"} | ({"databaseUid": _uid(world, of)} if of else {}) | located(world, item, "backups")


def _list_databases(call: Call) -> Json:
    deleted_too = call.flag("showDeleted")
    items = [item for item in _databases(call.world) if deleted_too or "deleteTime" not in item]
    return whole("databases", items, {"unreachable": call.world.words("firestore", "unreachable")})


def _get_database(call: Call) -> Json:
    return named(_databases(call.world), call.address)


def _list_backups(call: Call) -> Json:
    place = call.path["location"]
    unreachable = silent(call.world.words("firestore", "backupsUnreachable"), place)
    return whole("backups", within(_backups(call.world), place), {"unreachable": unreachable})


def _schedules(call: Call) -> list[Json]:
    parent, _, _ = call.address.partition("/backupSchedules")
    database = named([_database(call.world, item) for item in call.world.items("firestore", "databases")], parent)
    return [
        item | {"name": f"{database['name']}/backupSchedules/{item['name'].rpartition('/')[2]}"}
        for item in database.get("backupSchedules", [])
    ]


SERVICE = Service(
    HOST,
    (
        Route("GET", f"{PROJECT}/databases", "datastore.databases.list", _list_databases, ("showDeleted",)),
        Route("GET", f"{PROJECT}/databases/{{database}}", "datastore.databases.getMetadata", _get_database),
        Route(
            "GET",
            f"{PROJECT}/databases/{{database}}/backupSchedules",
            "datastore.backupSchedules.list",
            lambda call: whole("backupSchedules", _schedules(call), {}),
        ),
        Route(
            "GET",
            f"{PROJECT}/databases/{{database}}/backupSchedules/{{schedule}}",
            "datastore.backupSchedules.get",
            lambda call: named(_schedules(call), call.address),
        ),
        Route(
            "GET",
            f"{PROJECT}/locations/{{location}}/backups",
            "datastore.backups.list",
            _list_backups,
            ("filter",),
        ),
        Route(
            "GET",
            f"{PROJECT}/locations/{{location}}/backups/{{backup}}",
            "datastore.backups.get",
            lambda call: named(_backups(call.world), call.address),
        ),
    ),
)
