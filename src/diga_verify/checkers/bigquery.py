"""BigQuery: every dataset, the hidden ones too, its default key, and on demand its cross-region replicas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from diga_verify.checkers.fields import Field, identity, labels, of_name, placements, unheard_of
from diga_verify.checkers.interface import Found
from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method, joined
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role, Unread

_FIELDS = (
    Field(Role.PRIMARY, "location", required=True),
    Field(Role.KEY, "defaultEncryptionConfiguration.kmsKeyName", of_name),
)

DATASET = "bigquery.googleapis.com/Dataset"
_REPLICA = Field(Role.REPLICA, "location", required=True)
_KINDS = {"LINKED": "linked dataset", "EXTERNAL": "external dataset"}
_ELSEWHERE = ("EXTERNAL", "BIGLAKE_ICEBERG", "BIGLAKE_HIVE")
"""Types of datasets whose data another system keeps."""
_TYPES = ("DEFAULT", "PUBLIC", "LINKED", *_ELSEWHERE)
_SERVICE = "bigquery.googleapis.com"
_DATASETS = Method(
    "bigquery",
    _SERVICE,
    "bigquery.datasets.list",
    fields="kind,datasets(datasetReference,location,labels,type),nextPageToken,unreachable",
    kind="bigquery#datasetList",
    kind_required=True,
    items="datasets",
    partial="unreachable",
    owner="datasetReference.projectId",
)
_DATASET = Method(
    "bigquery",
    _SERVICE,
    "bigquery.datasets.get",
    fields="kind,datasetReference,location,labels,type,defaultEncryptionConfiguration,externalDatasetReference,"
    "externalCatalogDatasetOptions/defaultStorageLocationUri,catalogSource",
    kind="bigquery#dataset",
)
_REPLICAS = Method("bigquery", _SERVICE, "bigquery.jobs.query")


class BigQuery:
    """Datasets. The list is silently shortened to those that the caller may get: hence the permission."""

    type = "bigquery"
    title = "BigQuery"
    permissions = ("bigquery.datasets.get",)
    asset_types = (DATASET,)
    reads = (
        "datasets, hidden, linked and external ones too: location, default key",
        "with --deep: cross-region replicas, by a query in each location that holds datasets",
    )
    limits = (
        "Cross-region replicas of datasets are not shown by the dataset API: only a run with --deep reads them.",
        "Tables may name a key of their own; keys of single tables are not read.",
        "Tables may stand for files or for other systems (external, BigLake), wherever those are: they are not read.",
    )
    lifted_by_deep = limits[:1]

    def query(self, gateway: Gateway, project: Project) -> Found:
        client = gateway.clients.bigquery(project.id)
        scope = f"projects/{project.id}"
        listed = gateway.list_all(
            _DATASETS,
            scope,
            lambda token: next(
                client.list_datasets(include_all=True, page_token=token, page_size=1000, retry=None).pages
            ),
        )
        answers = gateway.spread(lambda data: _dataset(gateway, client, scope, data), listed.items)
        replicas = _replicas(gateway, client, scope, listed.items) if gateway.deep else Listed(())
        got = joined(answers)
        items = (Item(DATASET, project.id, data, {"replicas": _of(data, replicas.items)}) for data in got.items)
        unknown = () if listed.unread else tuple(_of_nobody(scope, listed.items, replicas.items))
        return Found(tuple(items), listed.unread + got.unread + replicas.unread + unknown)

    def read(self, item: Item) -> Resource:
        project, dataset = _reference(item.data)
        replicas = (
            place
            for index, replica in enumerate(item.related.get("replicas", ()))
            for place in placements(replica, (_REPLICA,), prefix=f"SCHEMATA_REPLICAS[{index}].")
        )
        return Resource(
            type=self.type,
            name=dataset,
            full_name=_full_name(project, dataset),
            kind=_KINDS.get(str(item.data.get("type")), "dataset"),
            placements=(
                *placements(item.data, _FIELDS),
                *unheard_of(item.data, Role.PRIMARY, "type", _TYPES),
                *_outside(item.data),
                *replicas,
            ),
            labels=labels(item.data, "labels"),
        )


def _full_name(project: str, dataset: str) -> str:
    return f"//bigquery.googleapis.com/projects/{project}/datasets/{dataset}"


def _reference(data: Json) -> tuple[str, str]:
    reference = data.get("datasetReference")
    if not isinstance(reference, dict):
        raise ReadError(Reason.MALFORMED_ANSWER, "a dataset was listed without 'datasetReference'")
    return identity(reference, "projectId"), identity(reference, "datasetId")


def _dataset(gateway: Gateway, client: Any, scope: str, listed: Json) -> Listed:
    """The dataset's own record, which the list gives in part only. Without it the listed part is kept, and the
    rest of the dataset is unread."""
    from google.cloud.bigquery.enums import DatasetView

    try:
        project, dataset = _reference(listed)
    except ReadError:
        return Listed((listed,))
    answer = gateway.get_one(
        _DATASET,
        f"{scope}/datasets/{dataset}",
        lambda: client.get_dataset(f"{project}.{dataset}", retry=None, dataset_view=DatasetView.METADATA),
    )
    full_name = _full_name(project, dataset)
    said = [key for key in ("datasetReference", "location") if key in listed]
    if any(got.get(key) != listed[key] for got in answer.items for key in said):
        detail = f"the record of {dataset} speaks of another dataset or another location than the list does"
        return Listed((listed,), (Unread("bigquery", full_name, Reason.MALFORMED_ANSWER, detail, full_name),))
    return Listed(answer.items or (listed,), tuple(replace(unread, resource=full_name) for unread in answer.unread))


def _outside(data: Json) -> Iterable[Placement]:
    """An external dataset is a view of data that another system keeps, at a place that BigQuery does not tell. So is
    one out of a catalogue: its tables are files, in a bucket of whichever project."""
    if data.get("type") in _ELSEWHERE or "externalDatasetReference" in data:
        source = data.get("externalDatasetReference")
        about = str(source.get("externalSource", "")) if isinstance(source, dict) else ""
        yield Placement(
            Role.PRIMARY,
            None,
            "externalDatasetReference.externalSource",
            reason=Reason.EXTERNAL_DATA,
            about=about,
        )
    for path in ("externalCatalogDatasetOptions.defaultStorageLocationUri", "catalogSource"):
        for place in unheard_of(data, Role.PRIMARY, path, ("",)):
            yield replace(place, reason=Reason.EXTERNAL_DATA)


def _replicas(gateway: Gateway, client: Any, scope: str, datasets: Iterable[Json]) -> Listed:
    locations = sorted({str(data.get("location")) for data in datasets if data.get("location")})
    return joined(gateway.spread(lambda location: _replicas_in(gateway, client, scope, location), locations))


def _replicas_in(gateway: Gateway, client: Any, scope: str, location: str) -> Listed:
    """The view INFORMATION_SCHEMA.SCHEMATA_REPLICAS of one location. It needs bigquery.jobs.create."""
    if not location.replace("-", "").isalnum():
        unread = Unread("bigquery", f"{scope}/locations", Reason.MALFORMED_ANSWER, f"{location!r} cannot be a location")
        return Listed((), (unread,))
    table = f"`{client.project}`.`region-{location.lower()}`.INFORMATION_SCHEMA.SCHEMATA_REPLICAS"
    statement = f"SELECT schema_name, location FROM {table}"  # noqa: S608 - the location is letters, digits and dashes
    return gateway.rows(
        _REPLICAS,
        f"{scope}/locations/{location}",
        lambda: [
            dict(row.items()) for row in client.query_and_wait(statement, location=location, retry=None, job_retry=None)
        ],
    )


def _id(dataset: Json) -> object:
    reference = dataset.get("datasetReference")
    return reference.get("datasetId") if isinstance(reference, dict) else None


def _of_nobody(scope: str, datasets: Iterable[Json], replicas: Iterable[Json]) -> Iterator[Unread]:
    """Datasets of which there are replicas, and that the list does not hold."""
    for name in sorted({str(row.get("schema_name")) for row in replicas} - {str(_id(one)) for one in datasets}):
        detail = f"there is a replica of {name}, and the list of datasets does not hold it"
        yield Unread("bigquery", f"{scope}/datasets/{name}", Reason.NOT_LISTED, detail)


def _of(dataset: Json, replicas: Iterable[Json]) -> tuple[Json, ...]:
    name = _id(dataset)
    found = {str(row.get("location")): row for row in replicas if row.get("schema_name") == name}
    return tuple(found[location] for location in sorted(found))
