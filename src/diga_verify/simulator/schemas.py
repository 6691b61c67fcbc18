"""Which fields there are: Google's own description of each API, which google-api-python-client carries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any

from diga_verify.simulator.errors import Json

DOCUMENTS: Mapping[str, tuple[str, ...]] = {
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
"""The discovery documents of each host."""


@cache
def document(name: str) -> Json:
    """A discovery document, for instance `redis.v1`. It is shared: nobody may change it."""
    file = resources.files("googleapiclient.discovery_cache").joinpath("documents", f"{name}.json")
    loaded: Json = json.loads(file.read_text("utf-8"))
    return loaded


@cache
def answered(host: str, method: str, template: str) -> tuple[str, str] | None:
    """The document and the schema of what a method answers with; None for a path that no document describes."""
    for name in DOCUMENTS[host]:
        described = document(name)
        for one in _methods(described):
            path = described["servicePath"] + one.get("flatPath", one["path"])
            if one["httpMethod"] == method and _nameless(path) == _nameless(template):
                return name, one["response"]["$ref"]
    return None


def listed(host: str, method: str, template: str) -> str | None:
    """The key under which a list method answers its items; None for a method that is no list."""
    described = answered(host, method, template)
    if described is None or method != "GET" or template.endswith("}"):
        return None
    properties = document(described[0])["schemas"][described[1]]["properties"]
    return next((key for key, one in properties.items() if one.get("items", {}).keys() & {"$ref", "properties"}), None)


def unknown_fields(name: str, schema: str, value: object) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The keys of a JSON value, or of a field mask, that the schema does not have.

    Each with the place it is in (`nodePools[1].config`), and the names that are known there. What the values are is
    not looked at.
    """
    yield from _unknown(document(name)["schemas"], {"$ref": schema}, value, "")


def _unknown(schemas: Json, schema: Json, value: Any, at: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    if "$ref" in schema:
        schema = schemas[schema["$ref"]]
    if isinstance(value, list):
        for number, element in enumerate(value):
            yield from _unknown(schemas, schema.get("items", {}), element, f"{at}[{number}]")
    elif isinstance(value, Mapping) and schema.get("type") == "array":
        yield from _unknown(schemas, schema["items"], value, at)
    elif isinstance(value, Mapping) and schema.get("type") != "any":
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        for key, below in value.items():
            if key in properties or others is not None:
                yield from _unknown(schemas, properties.get(key, others), below, f"{at}.{key}".lstrip("."))
            elif key != "*":
                yield at, key, tuple(properties)


def _methods(resource: Json) -> Iterator[Json]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def _nameless(path: str) -> str:
    return re.sub(r"\{\+?\w+\}", "{}", path)
