"""What the dataset list says and what a dataset's own record says must be about the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from diga_verify.checkers.bigquery import DATASET, BigQuery
from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role


def dataset(name: str, location: str) -> Json:
    return {"datasetReference": {"projectId": "p", "datasetId": name}, "location": location}


class OneRecordForAll:
    """A gateway to a service that gives the same record whichever dataset is asked for."""

    deep = False
    clients = SimpleNamespace(bigquery=lambda _: None)

    def __init__(self, record: Json) -> None:
        self.record = record

    def list_all(self, *_: Any) -> Listed:
        return Listed((dataset("first", "europe-west3"), dataset("second", "europe-west3")))

    def get_one(self, *_: Any) -> Listed:
        return Listed((self.record,))

    def spread(self, read: Callable[[Json], Listed], parts: Iterable[Json]) -> tuple[Listed, ...]:
        return tuple(map(read, parts))


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
    gateway = cast("Gateway", OneRecordForAll(record))
    found = BigQuery().query(gateway, Project("p", "1", "ACTIVE"))
    assert [unread.resource for unread in found.unread] == lost
    assert {unread.reason for unread in found.unread} == {Reason.MALFORMED_ANSWER}
    assert [item.data["datasetReference"]["datasetId"] for item in found.items] == ["first", "second"]


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


def test_what_a_dataset_is_called() -> None:
    kinds = [read(type=word).kind for word in ("DEFAULT", "LINKED", "EXTERNAL")]
    assert kinds == ["dataset", "linked dataset", "external dataset"]
    assert {place.role for place in read(type="FUTURE").placements} == {Role.PRIMARY}


@pytest.mark.parametrize("reference", [None, 7, [], {"projectId": "p"}])
def test_a_dataset_without_a_name(reference: object) -> None:
    with pytest.raises(ReadError) as error:
        read(datasetReference=reference)
    assert error.value.reason is Reason.MALFORMED_ANSWER
