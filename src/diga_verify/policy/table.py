"""What all tables of `regions.toml` have in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

NOT_BLANK = r"\S"

Text = Annotated[str, Field(pattern=NOT_BLANK)]


def _one_or_more(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    list[Text],
    Field(min_length=1),
    BeforeValidator(_one_or_more),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True},
            ]
        }
    ),
]
"""One name, or an array of them."""


class Table(BaseModel):
    """A table of the file: no key that is not named here, no value bent into another kind."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, defer_build=True)
