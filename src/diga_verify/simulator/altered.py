"""Faults of the content: well-formed JSON that says too little, too much, or something else than the truth."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from diga_verify.simulator.refused import OTHER_NUMBER
from diga_verify.simulator.wire import Answer, json_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.simulator.errors import Json
    from diga_verify.simulator.scene import Fault, Scene, Spoiler

OTHER_PROJECT = "another-project"
FUTURE = "FUTURE_VALUE"
NOWHERE = "mars-north1"

_PLACES = ("location", "region", "locationId")
_NAMES = {"name", "id", "kind", "selfLink", "zone", *_PLACES}
_DECIDING = {"protectionLevel", "locationType", "instanceType", "clusterRole"}
_TOTALS = ("totalSize", "totalItems", "totalRows")


def _json(change: Callable[[Scene, Json], Json]) -> Spoiler:
    """The true answer after a change to its JSON, which is the scene's own."""
    return lambda _fault, scene: replace(scene.answer, body=json_bytes(change(scene, scene.json)))


def _first_list(scene: Scene, value: Json) -> str | None:
    """Where the items are; in the answer of another method than a list, the first list there is."""
    return scene.list_key or next((key for key, item in value.items() if isinstance(item, list)), None)


def _items_as(items: object) -> Spoiler:
    def change(scene: Scene, value: Json) -> Json:
        key = _first_list(scene, value)
        return value if key is None else value | {key: items}

    return _json(change)


def _null_item(scene: Scene, value: Json) -> Json:
    key = _first_list(scene, value)
    return value if key is None else value | {key: [*value.get(key, []), None]}


def _shrunk(scene: Scene, value: Json) -> Json:
    """One item less, also in the total that some lists give; a list that has become empty is not mentioned."""
    key = _first_list(scene, value)
    if key is None or not value.get(key):
        return value
    value[key].pop()
    for total in _TOTALS:
        if total in value:  # 64-bit numbers travel as text
            value[total] = type(value[total])(int(value[total]) - 1)
    return value if value[key] else {name: item for name, item in value.items() if name not in {key, "totalSize"}}


def _no_kind(_: Scene, value: Json) -> Json:
    return {key: item for key, item in value.items() if key != "kind"}


def _foreign_project(scene: Scene, value: Json) -> Json:
    by_id = re.compile(rf"(?<![\w-]){re.escape(scene.project_id)}(?![\w-])")
    by_number = re.compile(rf"(?<=projects/){scene.project_number}(?!\w)|^{scene.project_number}$")

    def move(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: move(below) for key, below in item.items()}
        if isinstance(item, list):
            return [move(below) for below in item]
        return by_number.sub(OTHER_NUMBER, by_id.sub(OTHER_PROJECT, item)) if isinstance(item, str) else item

    moved: Json = move(value)
    return moved


def _partial(scene: Scene, value: Json) -> Json:
    if scene.list_key is None:
        return value
    key, mark = {
        "container.googleapis.com": ("missingZones", "us-east1-b"),
        "sqladmin.googleapis.com": ("warnings", {"code": "REGION_UNREACHABLE", "region": "us-east1", "message": "..."}),
        "bigquery.googleapis.com": ("unreachable", "us-east4"),
        "storage.googleapis.com": ("unreachable", "projects/_/buckets/unreachable"),
    }.get(scene.service, ("unreachable", f"projects/{scene.project_id}/locations/us-east1"))
    return value | {key: [*value.get(key, []), mark]}


def _repeat_token(scene: Scene, value: Json) -> Json:
    return value | {"nextPageToken": scene.token(1)}


def _empty_page(scene: Scene, value: Json) -> Json:
    """Legal: an empty page that is not the last. Its token leads to the true first page."""
    if not scene.paged or scene.asks_with_token:
        return value
    kept = {key: item for key, item in value.items() if not isinstance(item, list)}
    return kept | {"nextPageToken": scene.token(1)}


def _blank_token(scene: Scene, value: Json) -> Json:
    return {"nextPageToken": ""} | value if scene.paged else value


def _endless(scene: Scene, value: Json) -> Json:
    """After the last page it starts again, under tokens that have not been there before."""
    return {"nextPageToken": scene.token(scene.page + 1)} | value if scene.paged else value


def _number_token(scene: Scene, value: Json) -> Json:
    return value if scene.list_key is None else value | {"nextPageToken": 2}


def _each_item(change: Callable[[Json], Json]) -> Spoiler:
    """Every item of a list, or the one resource that was asked for, after the change."""

    def each(scene: Scene, value: Json) -> Json:
        if scene.list_key is None:
            return change(value)
        if scene.list_key not in value:
            return value
        return value | {scene.list_key: [change(item) for item in value[scene.list_key]]}

    return _json(each)


def _placed(place: object) -> Spoiler:
    return _each_item(lambda item: item | {key: place for key in _PLACES if key in item})


def _unknown_enum(scene: Scene, value: Json) -> Json:
    """Words that Google may introduce some day, where a word decides about places."""
    deciding = set(_DECIDING)
    if re.search(r"/(backups|backupRuns)(/|$)", scene.address):
        deciding |= {"status", "state"}
    if re.search(r"/datasets/[^/]+$", scene.address):
        deciding.add("type")

    def renew(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: FUTURE if key in deciding else renew(below) for key, below in item.items()}
        return [renew(below) for below in item] if isinstance(item, list) else item

    renewed: Json = renew(value)
    return renewed


def _surrogate(_: Fault, scene: Scene) -> Answer:
    """Half a character, which JSON can write and UTF-8 cannot."""
    value = scene.json
    key = _first_list(scene, value)
    tables = [item for item in value.get(key or "", []) if isinstance(item, dict)]
    item = tables[0] if tables else value
    text = next((key for key, below in item.items() if isinstance(below, str) and key not in _NAMES), "description")
    item[text] = item.get(text, "") + "\ud800"
    return replace(scene.answer, body=json.dumps(value).encode("ascii"))


ALTERED: dict[str, Spoiler] = {
    "no_kind": _json(_no_kind),
    "null_items": _items_as(None),
    "object_items": _items_as({}),
    "text_items": _items_as(""),
    "null_item": _json(_null_item),
    "shrunk": _json(_shrunk),
    "foreign_project": _json(_foreign_project),
    "partial": _json(_partial),
    "repeat_token": _json(_repeat_token),
    "empty_page": _json(_empty_page),
    "blank_token": _json(_blank_token),
    "endless": _json(_endless),
    "number_token": _json(_number_token),
    "no_location": _each_item(lambda item: {key: below for key, below in item.items() if key not in _PLACES}),
    "blank_location": _placed(""),
    "number_location": _placed(7),
    "unknown_location": _placed(NOWHERE),
    "unknown_enum": _json(_unknown_enum),
    "surrogate": _surrogate,
}
"""By name of the answer."""
