"""What the dataset list says and what a dataset's own record says must be about the same thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from diga_verify.checkers.bigquery import DATASET, BigQuery
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed
from diga_verify.model import Item, Json, Project, Reason


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
