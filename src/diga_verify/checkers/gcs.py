"""Cloud Storage: buckets, the soft-deleted ones too, which hold their data until they are gone for good."""

from __future__ import annotations

from diga_verify.checkers.fields import Field, identity, labels, of_name, placements, walk
from diga_verify.checkers.interface import Found
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method, joined
from diga_verify.gateway.records import source_of
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role

_DATA_LOCATIONS = "customPlacementConfig.dataLocations[]"
_FIELDS = (
    Field(Role.PRIMARY, _DATA_LOCATIONS),
    Field(Role.KEY, "encryption.defaultKmsKeyName", of_name),
)

BUCKET = "storage.googleapis.com/Bucket"
_BUCKETS = Method(
    "gcs",
    "storage.googleapis.com",
    "storage.buckets.list",
    fields="kind,items(name,generation,location,locationType,customPlacementConfig/dataLocations,"
    "encryption/defaultKmsKeyName,labels,softDeleteTime,projectNumber),nextPageToken,unreachable",
    kind="storage#buckets",
    kind_required=True,
    items="items",
    partial="unreachable",
    owner="projectNumber",
)


class Gcs:
    """Buckets. Anywhere caches need no call of their own: they lie in zones of their bucket's location."""

    type = "gcs"
    title = "Cloud Storage"
    permissions = ("storage.buckets.list",)
    asset_types = (BUCKET,)
    reads = (
        "buckets, live and soft-deleted: location, and the regions of a configurable dual-region",
        "the default key",
    )
    limits = (
        "Objects may name a key of their own; keys of single objects are not read.",
        "Copies made by Storage Transfer are seen only in the project where they arrive, as buckets.",
    )

    def query(self, gateway: Gateway, project: Project) -> Found:
        listed = joined(
            gateway.together(
                lambda: _buckets(gateway, project, soft_deleted=False),
                lambda: _buckets(gateway, project, soft_deleted=True),
            )
        )
        items = (Item(BUCKET, project.id, data) for data in listed.items)
        return Found(tuple(items), listed.unread)

    def read(self, item: Item) -> Resource:
        name = identity(item.data, "name")
        deleted = "softDeleteTime" in item.data
        # A deleted bucket's name may live on in another bucket: its generation tells them apart.
        version = f"#{item.data.get('generation', '')}" if deleted else ""
        return Resource(
            type=self.type,
            name=name,
            full_name=f"//storage.googleapis.com/{name}{version}",
            kind="soft-deleted bucket" if deleted else "bucket",
            placements=(_location(item.data), *placements(item.data, _FIELDS)),
            labels=labels(item.data, "labels"),
            live=not deleted,
        )


def _buckets(gateway: Gateway, project: Project, *, soft_deleted: bool) -> Listed:
    buckets = gateway.clients.discovery("storage", "v1").buckets()
    return gateway.list_all(
        _BUCKETS,
        f"projects/{project.id}{' soft-deleted' if soft_deleted else ''}",
        lambda token: buckets.list(
            project=project.id,
            maxResults=1000,
            pageToken=token,
            projection="noAcl",
            softDeleted=soft_deleted or None,
            returnPartialSuccess=True,
        ).execute(num_retries=0),
    )


def _location(data: Json) -> Placement:
    """Where the bucket lies. For a configurable dual-region `location` is a mere code (`EU`); the two regions that
    hold the data stand beside it."""
    location = data.get("location")
    if not isinstance(location, str) or not location:
        strange = Reason.MISSING_LOCATION if location in (None, "") else Reason.MALFORMED_ANSWER
        return Placement(Role.PRIMARY, None, "location", reason=strange)
    return Placement(Role.PRIMARY, location, "location", members=_members(data), source=source_of(data, "location"))


def _members(data: Json) -> tuple[str, ...]:
    """The two regions of a configurable dual-region. Anything but two different ones, of a bucket that calls itself
    a dual-region, does not say where all of the data lies: then the location stands for all that it may mean."""
    regions = [value for _, value in walk(data, _DATA_LOCATIONS)]
    names = tuple(value for value in regions if isinstance(value, str))
    is_pair = len(names) == len(regions) == len({name.upper() for name in names}) == 2
    return names if is_pair and data.get("locationType") == "dual-region" else ()
