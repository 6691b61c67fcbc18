"""Every field mask names fields that the API's discovery document knows, and never masks away what it must not."""

from __future__ import annotations

import json
import re
from importlib import import_module, resources
from typing import Any

import pytest

from diga_verify.gateway.listing import Method
from diga_verify.model import TYPES

DOCUMENTS = {
    "container": "container.v1",
    "sql": "sqladmin.v1",
    "redis": "redis.v1",
    "bigquery": "bigquery.v2",
    "firestore": "firestore.v1",
    "storage": "storage.v1",
    "cloudkms": "cloudkms.v1",
}
NEVER_MASKED = ("nextPageToken", "unreachable", "missingZones", "warnings", "kind", "totalSize")
METHODS = [
    method
    for type in TYPES
    for method in vars(import_module(f"diga_verify.checkers.{type}")).values()
    if isinstance(method, Method)
]


def document(method: Method) -> Any:
    name = DOCUMENTS[method.name.partition(".")[0]]
    file = resources.files("googleapiclient.discovery_cache.documents") / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8"))


def description(discovery: Any, name: str) -> Any:
    pending = [discovery]
    while pending:
        node = pending.pop()
        for method in node.get("methods", {}).values():
            if method["id"] == name:
                return method
        pending += node.get("resources", {}).values()
    raise AssertionError(f"no method {name}")


def paths(mask: str) -> list[list[str]]:
    """`a(b,c/d),e` as [[a, b], [a, c, d], [e]]."""
    found: list[list[str]] = []
    stack: list[list[str]] = [[]]
    current: list[str] = []
    for token in re.findall(r"[\w$]+|[(),/]", mask):
        if token == "(":
            stack.append(stack[-1] + current)
            current = []
        elif token in {",", ")"}:
            if current:
                found.append(stack[-1] + current)
            current = []
            if token == ")":
                stack.pop()
        elif token != "/":
            current.append(token)
    return found + ([stack[-1] + current] if current else [])


def properties(discovery: Any, schema: Any) -> Any:
    if "$ref" in schema:
        return properties(discovery, discovery["schemas"][schema["$ref"]])
    if "items" in schema:
        return properties(discovery, schema["items"])
    return schema.get("properties", {})


@pytest.mark.parametrize("method", [one for one in METHODS if one.fields], ids=lambda one: one.name)
def test_a_mask_names_fields_that_exist(method: Method) -> None:
    discovery = document(method)
    response = description(discovery, method.name)["response"]
    for path in paths(method.fields or ""):
        schema = response
        for step in path:
            known = properties(discovery, schema)
            assert step in known, f"{'/'.join(path)} of {method.name}"
            schema = known[step]


@pytest.mark.parametrize("method", [one for one in METHODS if one.items], ids=lambda one: one.name)
def test_a_list_asks_for_every_sign_that_it_may_be_incomplete(method: Method) -> None:
    discovery = document(method)
    known = properties(discovery, description(discovery, method.name)["response"])
    asked = {path[0] for path in paths(method.fields or "")}
    for sign in NEVER_MASKED:
        if sign in known:
            assert sign in asked
    declared = [sign for sign in ("unreachable", "missingZones", "warnings") if sign in known]
    assert declared == ([method.partial] if method.partial else [])
    assert method.items in known


def test_every_type_has_methods() -> None:
    assert {method.type for method in METHODS} == set(TYPES)
