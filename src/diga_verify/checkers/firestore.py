"""Firestore: databases, the deleted ones that can still be recovered too, and backups."""

from __future__ import annotations

from diga_verify.checkers.fields import Field, identity, of_name, placements, segment
from diga_verify.checkers.interface import Found
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Method
from diga_verify.model import Item, Project, Resource, Role

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


class Firestore:
    """Databases of the project, and the backups of all locations: a backup outlives its database."""

    type = "firestore"
    title = "Firestore"
    permissions = ("datastore.databases.list", "datastore.databases.getMetadata", "datastore.backups.list")
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
                _DATABASES,
                parent,
                lambda _: client.list_databases({"parent": parent, "show_deleted": True}, retry=None),
            ),
            lambda: gateway.list_all(
                _BACKUPS, anywhere, lambda _: client.list_backups({"parent": anywhere}, retry=None)
            ),
        )
        items = [Item(DATABASE, project.id, data) for data in databases.items]
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
        return Resource(self.type, segment(name, "databases"), full_name, kind, found, live=live)
