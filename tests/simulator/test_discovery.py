"""The simulator against Google's own descriptions of its APIs, as google-api-python-client carries them."""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from diga_verify.simulator.services import SERVICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.simulator.routes import Route

Json = dict[str, Any]

DOCUMENTS = {
    "container.googleapis.com": ("container.v1",),
    "sqladmin.googleapis.com": ("sqladmin.v1", "sqladmin.v1beta4"),
    "redis.googleapis.com": ("redis.v1",),
    "bigquery.googleapis.com": ("bigquery.v2",),
    "firestore.googleapis.com": ("firestore.v1",),
    "storage.googleapis.com": ("storage.v1",),
    "cloudkms.googleapis.com": ("cloudkms.v1",),
    "cloudasset.googleapis.com": ("cloudasset.v1",),
    "serviceusage.googleapis.com": ("serviceusage.v1",),
    "cloudresourcemanager.googleapis.com": ("cloudresourcemanager.v1", "cloudresourcemanager.v3"),
}
DISCOVERY = {"$discovery/rest", "discovery/v1/apis/bigquery/v2/rest"}
"""The descriptions themselves are not described."""

UNDESCRIBED = {"bigquery.jobs.get": {"projection"}}
"""Parameters that Google's own client sends, and that Google takes without describing them."""

ROUTES = [
    pytest.param(host, route, id=f"{host.partition('.')[0]}-{route.method}-{route.template}")
    for host, service in SERVICES.items()
    for route in service.routes
    if route.template not in DISCOVERY
]
JSON_TYPES: dict[str, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
FORMATS = {
    "int64": r"-?\d+",
    "uint64": r"\d+",
    "google-duration": r"-?\d+(\.\d+)?s",
}


@cache
def _document(name: str) -> Json:
    documents = resources.files("googleapiclient.discovery_cache").joinpath("documents")
    document: Json = json.loads(documents.joinpath(f"{name}.json").read_text("utf-8"))
    return document


def _methods(resource: Json) -> Iterator[Json]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def _anonymous(path: str) -> str:
    return re.sub(r"\{\+?\w+\}", "{}", path)


@cache
def _described(host: str) -> dict[tuple[str, str], tuple[Json, Json]]:
    """The methods of a host: by HTTP method and path, the schemas and the method."""
    return {
        (method["httpMethod"], _anonymous(document["servicePath"] + method.get("flatPath", method["path"]))): (
            document["schemas"],
            method,
        )
        for document in map(_document, DOCUMENTS[host])
        for method in _methods(document)
    }


def _method(host: str, route: Route) -> tuple[Json, Json]:
    return _described(host)[route.method, _anonymous(route.template)]


def _problems(value: object, schema: Json, schemas: Json, at: str) -> Iterator[str]:
    """Where a JSON value departs from a schema of a discovery document."""
    if "$ref" in schema:
        yield from _problems(value, schemas[schema["$ref"]], schemas, at)
        return
    kind = schema["type"]
    if kind == "any":
        return
    if not isinstance(value, JSON_TYPES[kind]) or (kind != "boolean" and isinstance(value, bool)):
        yield f"{at} is {value!r}, not of type {kind}"
    elif isinstance(value, dict):
        for key, item in value.items():
            below = schema.get("properties", {}).get(key, schema.get("additionalProperties"))
            if below is None:
                yield f"{at}.{key} does not exist"
            else:
                yield from _problems(item, below, schemas, f"{at}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _problems(item, schema["items"], schemas, f"{at}[{number}]")
    elif isinstance(value, str):
        yield from _problems_of_text(value, schema, at)


def _problems_of_text(value: str, schema: Json, at: str) -> Iterator[str]:
    form = schema.get("format", "")
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at} is {value!r}, none of {schema['enum']}"
    if not re.fullmatch(FORMATS.get(form, r"[\s\S]*"), value):
        yield f"{at} is {value!r}, not in the form of {form}"
    if form in {"google-datetime", "date-time"} and datetime.fromisoformat(value).tzinfo is None:
        yield f"{at} is {value!r}, without a time zone"


@pytest.mark.parametrize(("host", "route"), ROUTES)
def test_a_route_is_a_method_of_google_with_its_parameters(host: str, route: Route) -> None:
    _, method = _method(host, route)
    described = {name for name, one in method.get("parameters", {}).items() if one["location"] == "query"}
    assert route.parameters <= described | UNDESCRIBED.get(method["id"], set())


@pytest.mark.parametrize(("host", "route"), ROUTES)
def test_every_answer_has_the_form_that_google_describes(
    host: str, route: Route, shipped_answers: list[tuple[str, Route, Json]]
) -> None:
    schemas, method = _method(host, route)
    answers = [answer for of, by, answer in shipped_answers if (of, by) == (host, route)]
    assert answers, "no answer to look at"
    assert [
        problem for answer in answers for problem in _problems(answer, method["response"], schemas, method["id"])
    ] == []


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"kind": "k", "itmes": []}, "itmes does not exist"),
        ({"items": {}}, "not of type array"),
        ({"items": [{"name": "a"}, {"name": 1}]}, "items[1].name is 1"),
        ({"items": [{"projectNumber": 1}]}, "projectNumber is 1"),
        ({"items": [{"projectNumber": "one"}]}, "form of uint64"),
        ({"items": [{"versioning": {"enabled": "true"}}]}, "enabled is 'true'"),
    ],
)
def test_the_comparison_sees_what_is_wrong(answer: Json, problem: str) -> None:
    schemas = _document("storage.v1")["schemas"]
    (found,) = _problems(answer, schemas["Buckets"], schemas, "answer")
    assert problem in found


def test_the_comparison_sees_a_word_that_is_not_in_the_enumeration() -> None:
    schemas = _document("sqladmin.v1")["schemas"]
    (found,) = _problems({"state": "RUNNING"}, schemas["DatabaseInstance"], schemas, "answer")
    assert "RUNNING" in found
