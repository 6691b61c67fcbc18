"""What the dataset list says and what a dataset's own record says must be about the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from diga_verify.checkers.bigquery import DATASET, BigQuery
from diga_verify.checkers.interface import Found
from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role, Unread


def dataset(name: str, location: str) -> Json:
    return {"datasetReference": {"projectId": "p", "datasetId": name}, "location": location}


class OneRecordForAll:
    """A gateway to a service that gives the same record whichever dataset is asked for."""

    deep = False
    clients = SimpleNamespace(bigquery=lambda _: None)

    def __init__(self, record: Json, *listed: Json) -> None:
        self.record = record
        self.listed = listed or (dataset("first", "europe-west3"), dataset("second", "europe-west3"))

    def list_all(self, *_: Any) -> Listed:
        return Listed(self.listed)

    def get_one(self, *_: Any) -> Listed:
        return Listed((self.record,))

    def spread(self, read: Callable[[Json], Listed], parts: Iterable[Json]) -> tuple[Listed, ...]:
        return tuple(map(read, parts))


def query(record: Json, *listed: Json) -> Found:
    gateway = cast("Gateway", OneRecordForAll(record, *listed))
    return BigQuery().query(gateway, Project("p", "1", "ACTIVE"))


@pytest.mark.parametrize(
    ("record", "lost"),
    [
        (dataset("first", "europe-west3"), ["//bigquery.googleapis.com/projects/p/datasets/second"]),
        (
            dataset("first", "US"),
            [
                "//bigquery.googleapis.com/projects/p/datasets/first",
                "//bigquery.googleapis.com/projects/p/datasets/second",
            ],
        ),
    ],
)
def test_a_record_of_something_else_leaves_the_dataset_unread(record: Json, lost: list[str]) -> None:
    found = query(record)
    assert [unread.resource for unread in found.unread] == lost
    assert {(unread.type, unread.reason) for unread in found.unread} == {("bigquery", Reason.MALFORMED_ANSWER)}
    assert [item.data["datasetReference"]["datasetId"] for item in found.items] == ["first", "second"]


def test_a_record_that_says_more_than_the_list_is_what_is_read() -> None:
    record = {**dataset("d", "EU"), "defaultEncryptionConfiguration": {"kmsKeyName": "k"}}
    found = query(record, {"datasetReference": record["datasetReference"]})
    assert (found.unread, [item.data for item in found.items]) == ((), [record])


def test_what_is_listed_without_a_name_is_not_dropped() -> None:
    found = query(dataset("d", "EU"), dataset("d", "EU"), {"location": "US"})
    assert (found.unread, [item.data for item in found.items]) == ((), [dataset("d", "EU"), {"location": "US"}])


class Deep(OneRecordForAll):
    """A gateway of a deep run, and its client library, that remember where they were asked for replicas."""

    deep = True

    def __init__(self, *listed: Json, rows: tuple[Json, ...] = ()) -> None:
        super().__init__({}, *listed)
        self.replicas = [*rows]
        self.asked: list[str] = []
        self.queries: list[tuple[str, dict[str, Any]]] = []
        client = SimpleNamespace(project="p", query_and_wait=self.query)
        self.clients = SimpleNamespace(bigquery=lambda _: client)

    def query(self, statement: str, **options: Any) -> list[Any]:
        self.queries.append((statement, options))
        return self.replicas

    def get_one(self, *_: Any) -> Listed:
        return Listed(())

    def rows(self, _: object, scope: str, send: Callable[[], list[Json]]) -> Listed:
        self.asked.append(scope)
        return Listed(tuple(send()))


@pytest.mark.parametrize(("name", "known"), [("d", True), ("hidden", False), (None, False)])
def test_a_replica_of_a_dataset_that_no_list_holds(name: str | None, known: bool) -> None:
    rows = ({"schema_name": "d", "location": "EU"}, {"schema_name": name, "location": "EU"})
    found = BigQuery().query(cast("Gateway", Deep(dataset("d", "EU"), rows=rows)), Project("p", "1", "ACTIVE"))
    unread = [(one.type, one.scope, one.reason) for one in found.unread]
    assert unread == ([] if known else [("bigquery", f"projects/p/datasets/{name}", Reason.NOT_LISTED)])


def test_a_list_that_broke_off_is_told_once() -> None:
    broken = Unread("bigquery", "bigquery.datasets.list projects/p", Reason.TIMEOUT, "no answer")
    gateway = Deep(dataset("d", "EU"), rows=({"schema_name": "later", "location": "EU"},))
    gateway.list_all = lambda *_: Listed(gateway.listed, (broken,))  # type: ignore[method-assign]
    assert BigQuery().query(cast("Gateway", gateway), Project("p", "1", "ACTIVE")).unread == (broken,)


def test_a_deep_run_asks_wherever_datasets_are_said_to_lie_and_nowhere_else() -> None:
    places = ["us", "-", "EU", "us", "", None, "x`.`y", "europe-west3"]
    listed = [dataset(f"d{number}", cast("str", place)) for number, place in enumerate(places)]
    gateway = Deep(*listed, {"location": "us", "labels": {"of": "a dataset without a name"}})
    found = BigQuery().query(cast("Gateway", gateway), Project("p", "1", "ACTIVE"))
    assert gateway.asked == [f"projects/p/locations/{place}" for place in ("EU", "europe-west3", "us")]
    assert [(one.type, one.scope, one.reason, one.detail) for one in found.unread] == [
        ("bigquery", "projects/p/locations", Reason.MALFORMED_ANSWER, f"{place!r} cannot be a location")
        for place in ("-", "x`.`y")
    ]
    assert len(found.items) == len(places) + 1
    never = {"retry": None, "job_retry": None}
    assert gateway.queries == [
        (
            f"SELECT schema_name, location FROM `p`.`region-{place.lower()}`.INFORMATION_SCHEMA.SCHEMATA_REPLICAS",  # noqa: S608
            {"location": place, **never},
        )
        for place in ("EU", "europe-west3", "us")
    ]


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("DEFAULT", None),
        ("PUBLIC", None),
        ("LINKED", None),
        ("EXTERNAL", Reason.EXTERNAL_DATA),
        ("BIGLAKE_ICEBERG", Reason.EXTERNAL_DATA),
        ("BIGLAKE_HIVE", Reason.EXTERNAL_DATA),
        ("FUTURE", Reason.MALFORMED_ANSWER),
    ],
)
def test_types_of_datasets_whose_data_another_system_keeps(word: str, reason: Reason | None) -> None:
    reference = {"projectId": "p", "datasetId": "d"}
    data = {"datasetReference": reference, "location": "europe-west3", "type": word}
    found = BigQuery().read(Item(DATASET, "p", data)).placements
    assert [place.reason for place in found] == [None, *([reason] if reason else [])]
    assert [place.location for place in found] == ["europe-west3", *([None] if reason else [])]


def read(replicas: tuple[Json, ...] = (), **data: Any) -> Resource:
    return BigQuery().read(Item(DATASET, "p", {**dataset("d", "europe-west3"), **data}, {"replicas": replicas}))


@pytest.mark.parametrize("location", [None, ""])
def test_a_dataset_without_a_location(location: str | None) -> None:
    assert read(location=location).placements == (
        Placement(Role.PRIMARY, None, "location", reason=Reason.MISSING_LOCATION),
    )


def test_replicas_one_of_which_names_no_location() -> None:
    found = read(replicas=({"location": "us-east1"}, {})).placements
    assert found == (
        Placement(Role.PRIMARY, "europe-west3", "location"),
        Placement(Role.REPLICA, "us-east1", "SCHEMATA_REPLICAS[0].location"),
        Placement(Role.REPLICA, None, "SCHEMATA_REPLICAS[1].location", reason=Reason.MISSING_LOCATION),
    )


@pytest.mark.parametrize(
    ("source", "about"), [({"externalSource": "aws-glue://x"}, "aws-glue://x"), ({}, ""), (None, ""), ("x", "")]
)
def test_a_view_of_what_another_system_keeps_whatever_its_type(source: object, about: str) -> None:
    field = "externalDatasetReference.externalSource"
    assert read(type="DEFAULT", externalDatasetReference=source).placements == (
        Placement(Role.PRIMARY, "europe-west3", "location"),
        Placement(Role.PRIMARY, None, field, reason=Reason.EXTERNAL_DATA, about=about),
    )


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"catalogSource": "BIGLAKE"}, "catalogSource"),
        (
            {"externalCatalogDatasetOptions": {"defaultStorageLocationUri": "gs://lake/tables"}},
            "externalCatalogDatasetOptions.defaultStorageLocationUri",
        ),
    ],
)
def test_tables_that_are_files_in_a_bucket_of_whichever_project(data: Json, field: str) -> None:
    home, outside = read(**data).placements
    assert (outside.role, outside.location, outside.field) == (Role.PRIMARY, None, field)
    assert (outside.reason, home.location) == (Reason.EXTERNAL_DATA, "europe-west3")


def test_a_catalogue_that_is_named_by_an_empty_text_is_none() -> None:
    options = {"defaultStorageLocationUri": "", "parameters": {"owner": "x"}}
    assert len(read(catalogSource="", externalCatalogDatasetOptions=options).placements) == 1


def test_what_a_dataset_is_called() -> None:
    assert BigQuery().title == "BigQuery"
    kinds = [read(type=word).kind for word in ("DEFAULT", "LINKED", "EXTERNAL")]
    assert kinds == ["dataset", "linked dataset", "external dataset"]
    assert {place.role for place in read(type="FUTURE").placements} == {Role.PRIMARY}


@pytest.mark.parametrize("reference", [None, 7, [], {"projectId": "p"}])
def test_a_dataset_without_a_name(reference: object) -> None:
    with pytest.raises(ReadError) as error:
        read(datasetReference=reference)
    assert error.value.reason is Reason.MALFORMED_ANSWER
