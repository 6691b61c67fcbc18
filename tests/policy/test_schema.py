"""The JSON Schema: committed as generated, and of one mind with the loader about shapes."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from diga_verify.policy import default_policy, policy_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.policy import Policy


@pytest.fixture(scope="module")
def schema() -> Any:
    return json.loads(policy_schema())


def test_the_committed_schema_is_the_generated_one() -> None:
    assert files("diga_verify.policy").joinpath("regions.schema.json").read_text() == policy_schema()


def test_it_is_a_schema_and_every_key_is_described(schema: Any) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    tables = [schema, *(table for table in schema["$defs"].values() if "properties" in table)]
    types = set(schema["$defs"]["RuleTable"]["properties"]) - set(schema["$defs"]["RoleRules"]["properties"])
    undescribed = {
        key
        for table in tables
        for key, value in table["properties"].items()
        if "description" not in value and "$ref" not in value
    }
    assert undescribed == set()
    assert types == {"gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms"}


def test_it_accepts_the_default_policy(schema: Any) -> None:
    jsonschema.validate(tomllib.loads(default_policy().decode()), schema)


@pytest.mark.parametrize(
    "added",
    [
        "",
        'gcs = { primary = ["eu"] }',
        '[environments.dev]\nenforcement = "free"\nrules.gcs.primary = "eu"',
        '[assume]\nsql.backup = "eu"',
    ],
)
def test_it_accepts_what_the_loader_accepts(schema: Any, read: Callable[..., Policy], small: str, added: str) -> None:
    read(small + added)
    jsonschema.validate(tomllib.loads(small + added), schema)


@pytest.mark.parametrize(
    "added",
    [
        "primry = 'eu'",
        "gcs.primary = []",
        "gcs.primry = 'eu'",
        "[environments.dev]\nenforcement = 'requird'",
        "[environments.dev]\nenforcement = 'free'\nrequired_for_labels = [{ key = 'a', values = [] }]",
        "[environments.dev]\nproject = 'p'",
        "[[expected]]\ntype = 'gke'",
        "[[waivers]]\nresource = 'b'",
        "[assume.gcs]",
        "[more]",
    ],
)
def test_it_refuses_wrong_shapes_as_the_loader_does(
    schema: Any, problems: Callable[..., str], small: str, added: str
) -> None:
    assert problems(small + added)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(tomllib.loads(small + added), schema)
