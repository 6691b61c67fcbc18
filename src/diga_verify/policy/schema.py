"""The JSON Schema of `regions.toml`, generated from the models. Editors and other validators read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic.json_schema import GenerateJsonSchema

from diga_verify.policy.models import PolicyFile

if TYPE_CHECKING:
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null: a key that may be left out is just not required."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:
        return False


def policy_schema() -> str:
    """The schema as the text of a file."""
    schema = PolicyFile.model_json_schema(schema_generator=_TomlSchema)
    return json.dumps({"$schema": _TomlSchema.schema_dialect, **schema}, indent=2) + "\n"
