"""A world file is checked in its structure: what is wrong is named with the file and the key."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from diga_verify.simulator.shape import WorldError
from diga_verify.simulator.world import SHIPPED, World, load_world, of_world, shipped_world

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = {"id": "p", "number": "1"}
FAULT = {"service": "redis.googleapis.com", "answer": "empty"}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_worlds_load(name: str) -> None:
    world = shipped_world(name)
    assert (world.name, world.project_id) == (name, "dtx-data")
    assert len(world.items("gcs", "buckets")) > 2


def test_what_follows_from_a_world_is_worked_out_once_for_each() -> None:
    made: list[str] = []

    @of_world
    def names(world: World) -> list[str]:
        made.append(world.name)
        return [world.name]

    one, two = (World.from_dict({"project": PROJECT}, name) for name in ("one", "two"))
    assert [names(world) for world in (one, two, one, two)] == [["one"], ["two"], ["one"], ["two"]]
    assert made == ["one", "two"]
    assert names(replace(one, name="three")) == ["three"]


def test_another_name_is_not_shipped() -> None:
    with pytest.raises(WorldError, match="did you mean 'demo'"):
        shipped_world("dema")


@pytest.mark.parametrize(
    ("table", "where", "what"),
    [
        ({}, "project", "missing"),
        ({"project": {"id": "p"}}, "project.number", "missing"),
        ({"project": {"id": "p", "number": 1}}, "project.number", "a number"),
        ({"project": {"id": "p", "number": "x1"}}, "project.number", "digits"),
        ({"project": PROJECT, "gsc": {}}, "gsc", "did you mean 'gcs'"),
        ({"project": PROJECT, "gcs": {"bucket": []}}, "gcs", "did you mean 'buckets'"),
        ({"project": PROJECT, "gcs": {"buckets": {}}}, "gcs.buckets", "an array"),
        ({"project": PROJECT, "gcs": {"buckets": [{"name": "a"}, {}]}}, "gcs.buckets[1]", "needs a name"),
        ({"project": PROJECT, "gcs": {"buckets": [{"name": "a"}, "b"]}}, "gcs.buckets[1]", "a table"),
        ({"project": PROJECT, "sql": {"backupRuns": [{"instance": "a"}]}}, "sql.backupRuns[0]", "needs an id"),
        ({"project": PROJECT, "bigquery": {"datasets": [{}]}}, "bigquery.datasets[0]", "datasetId"),
        ({"project": PROJECT, "redis": {"instances": [{"name": "a"}]}}, "redis.instances[0]", "location"),
        ({"project": PROJECT, "kms": {"keyRings": [{"name": "r", "location": "eu", "cryptoKeys": [{}]}]}},
         "kms.keyRings[0].cryptoKeys[0]", "needs a name"),
        ({"project": PROJECT, "assets": {"extra": [{"name": "//a/b"}]}}, "assets.extra[0]", "needs an assetType"),
        ({"project": PROJECT, "assets": {"extra": [{"name": "//a/b", "type": "c"}]}}, "assets.extra[0]", "'type'"),
        ({"project": PROJECT, "assets": {"without": [{}]}}, "assets.without[0]", "text"),
        ({"project": PROJECT, "gke": {"missingZones": ["a", 1]}}, "gke.missingZones[1]", "text"),
        ({"project": PROJECT, "paging": {"size": 0}}, "paging.size", "from 1"),
        ({"project": PROJECT, "paging": {"partialPage": True}}, "paging.partialPage", "from 1"),
        ({"project": PROJECT, "iam": {"denied": ["storage.buckets.list", "buckets"]}}, "iam.denied[1]", "permission"),
        ({"project": PROJECT, "iam": {"granted": ["storage.buckets"]}}, "iam.granted[0]", "permission"),
        ({"project": PROJECT, "faults": [FAULT, {"answer": "empty"}]}, "faults[1].service", "missing"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "emtpy"}]}, "faults[0].answer", "did you mean 'empty'"),
        ({"project": PROJECT, "faults": [FAULT | {"service": "redis"}]}, "faults[0].service", "redis.googleapis.com"),
        ({"project": PROJECT, "faults": [FAULT | {"path": "("}]}, "faults[0].path", "regular expression"),
        ({"project": PROJECT, "faults": [FAULT | {"status": 418}]}, "faults[0].status", "418"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "http_status"}]}, "faults[0].status", "missing"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "http_status", "status": 200}]}, "faults[0].status",
         "from 201 to 599"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "http_status", "status": 600}]}, "faults[0].status",
         "from 201 to 599"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "http_status", "status": "503"}]}, "faults[0].status",
         "from 201 to 599"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "server_error", "status": 501}]}, "faults[0].status",
         "500, 502, 503 or 504"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "forbidden_reason"}]}, "faults[0].reason", "missing"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "forbidden_reason", "reason": 1}]}, "faults[0].reason",
         "text"),
        ({"project": PROJECT, "faults": [FAULT | {"answer": "forbidden_reason", "reason": "suspended"}]},
         "faults[0].reason", "such as CONSUMER_SUSPENDED"),
        ({"project": PROJECT, "faults": [FAULT | {"reason": "CONSUMER_SUSPENDED"}]}, "faults[0].reason", "'empty'"),
        ({"project": PROJECT, "faults": [FAULT | {"tims": 1}]}, "faults[0]", "did you mean 'times'"),
    ],
)  # fmt: skip
def test_an_error_names_the_file_and_the_key(table: dict[str, Any], where: str, what: str) -> None:
    with pytest.raises(WorldError) as wrong:
        World.from_dict(table, "my-world.toml")
    text = str(wrong.value)
    assert text.startswith("my-world.toml: ")
    assert where in text
    assert what in text


def test_toml_and_json_say_the_same(tmp_path: Path) -> None:
    (tmp_path / "w.toml").write_text('[project]\nid = "p"\nnumber = "1"\n[[gcs.buckets]]\nname = "b"\n')
    (tmp_path / "w.json").write_text(json.dumps({"project": PROJECT, "gcs": {"buckets": [{"name": "b"}]}}))
    toml, as_json = load_world(tmp_path / "w.toml"), load_world(tmp_path / "w.json")
    assert toml.items("gcs", "buckets") == as_json.items("gcs", "buckets") == [{"name": "b"}]
    assert toml.name.endswith("w.toml")


@pytest.mark.parametrize(("name", "text"), [("w.toml", "[project"), ("w.json", "{"), ("absent.toml", None)])
def test_an_unreadable_file_is_named(name: str, text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(WorldError, match=name):
        load_world(tmp_path / name)


def test_an_empty_world_is_a_project_with_nothing_in_it() -> None:
    world = World.from_dict({"project": PROJECT})
    assert world.items("gcs", "buckets") == []
    assert world.words("redis", "unreachable") == []
    assert world.faults == ()
    assert (world.page_size, world.partial_page) == (None, 1)
