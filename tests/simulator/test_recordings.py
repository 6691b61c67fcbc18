"""The simulator against recorded answers of Google's servers, where such recordings are at hand.

A recording is a JSON file with `request` (method, url) and `response` (status, body).
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

from diga_verify.simulator.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.simulator.routes import Route

Json = dict[str, Any]
Answers = list[tuple[str, "Route", Json]]

FOLDER = Path(
    os.environ.get("DIGA_VERIFY_RECORDINGS") or Path(__file__).parents[2].resolve().parent / "shared" / "recordings"
)
FOLDERS = ("bigquery", "firestore", "gke", "kms", "other", "redis", "sql", "storage")
SHARED_HOST = {"storage": "storage", "bigquery": "bigquery", "sql": "sqladmin"}
"""The services that were once at www.googleapis.com, by the first word of their paths."""

UNRECORDED = {"cloudasset.googleapis.com"}
"""Of these there are no recordings of the calls that are simulated, only of others and of exports."""

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no recordings: set DIGA_VERIFY_RECORDINGS to their folder")


def _route(url: str) -> tuple[str, Route] | None:
    parts = urlsplit(url)
    path = parts.path.lstrip("/")
    host = parts.netloc
    if host == "www.googleapis.com":
        host = f"{SHARED_HOST.get(path.partition('/')[0], 'www')}.googleapis.com"
    service = SERVICES.get(host)
    for route in service.routes if service else ():
        if route.method == "GET" and route.pattern.fullmatch(path):
            return host, route
    return None


@cache
def _recorded() -> list[tuple[str, str, Route, Json]]:
    """The recorded answers that the simulator has a route for: file, host, route and body.

    Left out are those to callers that asked for enumerations as numbers; the simulator sends words.
    """
    found = []
    for file in sorted(file for folder in FOLDERS for file in (FOLDER / folder).glob("*.json")):
        exchange = json.loads(file.read_text("utf-8"))
        request, response = exchange["request"], exchange["response"]
        numbers = "enum-encoding=int" in unquote(request["url"])
        answered = response["status"] == 200 and isinstance(response["body"], dict)
        if request["method"] == "GET" and answered and not numbers:
            route = _route(request["url"])
            if route is not None:
                found.append((file.name, *route, response["body"]))
    return found


def _types(value: object, at: str = "") -> Iterator[tuple[str, str]]:
    """The JSON type at every path below a value; the items of a list share one path."""
    yield at, "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _types(item, f"{at}.{key}")
    elif isinstance(value, list):
        for item in value:
            yield from _types(item, f"{at}[]")


def _served_types(answers: Answers) -> dict[tuple[str, Route], dict[str, set[str]]]:
    served: dict[tuple[str, Route], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for host, route, answer in answers:
        for at, kind in _types(answer):
            served[host, route][at].add(kind)
    return served


def test_the_fields_that_both_send_have_the_same_types(shipped_answers: Answers) -> None:
    served = _served_types(shipped_answers)
    compared, wrong = 0, []
    for file, host, route, body in _recorded():
        ours = served[host, route]
        for at, kind in _types(body):
            if at in ours:
                compared += 1
                if kind not in ours[at]:
                    wrong.append(f"{file}: {at} is {kind}, the simulator sends {ours[at]}")
    assert wrong == []
    assert compared > 0, "no recording shares a field with the simulator"


def test_a_list_is_under_the_recorded_key(shipped_answers: Answers) -> None:
    """Among the newer and older recordings of a call is one of our `kind`, or without one if we send none."""
    lists: dict[tuple[str, Route], set[str]] = defaultdict(set)
    kinds: dict[tuple[str, Route], set[str | None]] = defaultdict(set)
    for host, route, answer in shipped_answers:
        kinds[host, route].add(answer.get("kind"))
        lists[host, route] |= _keys_of_lists(answer)
    recorded_kinds: dict[tuple[str, Route], set[str | None]] = defaultdict(set)
    for file, host, route, body in _recorded():
        recorded_kinds[host, route].add(body.get("kind"))
        if route.template.endswith("}"):
            continue  # one resource, which may have any lists
        assert _keys_of_lists(body) <= lists[host, route], file
    for called, recorded in recorded_kinds.items():
        assert kinds[called] <= recorded, called


def _keys_of_lists(answer: Json) -> set[str]:
    return {key for key, item in answer.items() if isinstance(item, list)}


def test_the_recordings_cover_every_service() -> None:
    """So that a moved folder, or another form of the files, does not pass for agreement."""
    assert {host for _, host, _, _ in _recorded()} == SERVICES.keys() - UNRECORDED
