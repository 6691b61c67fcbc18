"""Firestore: databases, the deleted ones that can still be recovered too, and backups."""

from __future__ import annotations

from collections.abc import Iterable

from diga_verify.checkers.fields import Field, identity, of_name, placements, segment, walk
from diga_verify.checkers.interface import Found
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Method
from diga_verify.gateway.records import source_of
from diga_verify.history import Backup, Filling, History
from diga_verify.model import Item, Json, Project, Resource, Role

DATABASE = "firestore.googleapis.com/Database"
BACKUP = "firestore.googleapis.com/Backup"

_DATABASE_FIELDS = (
    Field(Role.PRIMARY, "locationId", required=True),
    Field(Role.KEY, "cmekConfig.kmsKeyName", of_name),
    Field(Role.KEY, "cmekConfig.activeKeyVersion[]", of_name),
)
_BACKUP_FIELDS = (Field(Role.BACKUP, "name", of_name, required=True),)
_DATABASES = Method(
    "firestore",
    "firestore.googleapis.com",
    "firestore.projects.databases.list",
    fields="databases(name,locationId,deleteTime,cmekConfig),unreachable",
    items="databases",
    partial="unreachable",
    owner="name",
)
_BACKUPS = Method(
    "firestore",
    "firestore.googleapis.com",
    "firestore.projects.locations.backups.list",
    fields="backups(name,database),unreachable",
    items="backups",
    partial="unreachable",
    owner="name",
)
_DATABASES_AND_ORIGIN = _DATABASES.asking("createTime,uid,sourceInfo/backup/backup")
_BACKUPS_AND_AGE = _BACKUPS.asking("databaseUid,state,snapshotTime,expireTime")
_ORIGIN = "sourceInfo.backup.backup"


class Firestore:
    """Databases of the project, and the backups of all locations: a backup outlives its database."""

    type = "firestore"
    title = "Firestore"
    permissions = ("datastore.databases.list", "datastore.backups.list")
    asset_types = (DATABASE,)
    reads = (
        "databases, named and deleted-but-recoverable ones too: location, keys",
        "backups in all locations",
    )
    limits = ("Exports go to Cloud Storage: they are seen as buckets, and only by a run that reads gcs.",)

    def query(self, gateway: Gateway, project: Project) -> Found:
        from google.cloud.firestore_admin_v1.services.firestore_admin import FirestoreAdminClient

        client = gateway.clients.gapic(FirestoreAdminClient)
        parent = f"projects/{project.id}"
        anywhere = f"{parent}/locations/-"
        databases, backups = gateway.together(
            lambda: gateway.list_all(
                _DATABASES_AND_ORIGIN if gateway.after_restore else _DATABASES,
                parent,
                lambda _: client.list_databases({"parent": parent, "show_deleted": True}, retry=None),
            ),
            lambda: gateway.list_all(
                _BACKUPS_AND_AGE if gateway.after_restore else _BACKUPS,
                anywhere,
                lambda _: client.list_backups({"parent": anywhere}, retry=None),
            ),
        )
        related = {"backups": backups.items} if gateway.after_restore else {}
        items = [Item(DATABASE, project.id, data, related) for data in databases.items]
        items += [Item(BACKUP, project.id, data) for data in backups.items]
        return Found(tuple(items), databases.unread + backups.unread)

    def read(self, item: Item) -> Resource:
        name = identity(item.data, "name")
        full_name = f"//firestore.googleapis.com/{name}"
        if item.asset_type == BACKUP:
            database = item.data.get("database")
            owner = f"//firestore.googleapis.com/{database}" if database else ""
            found = placements(item.data, _BACKUP_FIELDS)
            return Resource(self.type, segment(name, "backups"), full_name, "backup", found, owner=owner)
        found = placements(item.data, _DATABASE_FIELDS)
        live = not item.data.get("deleteTime")
        kind = "database" if live else "deleted database"
        past = _history(item.data, item.related["backups"]) if live and "backups" in item.related else None
        return Resource(self.type, segment(name, "databases"), full_name, kind, found, live=live, history=past)


def _history(database: Json, backups: Iterable[Json]) -> History:
    """Backups of a database carry its uid, which no later database of the same name has. One that was restored is
    covered by the backup it was restored from, for as long as that is kept: a backup of its own comes only with the
    next run of a schedule, which cannot be hastened (`projects.databases.backupSchedules`)."""
    uid, origin = _text(database, "uid"), next((str(value) for _, value in walk(database, _ORIGIN)), "")
    backups = (one for one in backups if one.get("state") == "READY")
    covering = (
        Backup(_text(one, "name"), of_name(_text(one, "name")), _text(one, "snapshotTime"), _text(one, "expireTime"))
        for one in backups
        if (uid and one.get("databaseUid") == uid) or (origin and one.get("name") == origin)
    )
    created = _text(database, "createTime")
    filling = Filling(_ORIGIN, origin, created, pointer=source_of(database, _ORIGIN))
    return History(created, tuple(covering), (filling,) if origin else ())


def _text(data: Json, key: str) -> str:
    value = data.get(key)
    return value if isinstance(value, str) else ""
