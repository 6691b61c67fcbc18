"""What the models of stored documents are made of: strict objects, and the texts that stand for other kinds."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from diga_verify.model import Reason, Role, Severity, Verdict


def _time(text: str) -> str:
    datetime.fromisoformat(text)
    return text


def _date(text: str) -> str:
    date.fromisoformat(text)
    return text


Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Time = Annotated[
    str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z$"), AfterValidator(_time)
]
Day = Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_date)]
Line = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Signal = Annotated[int, Field(ge=1, le=64)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]
Countries = Annotated[tuple[Annotated[str, Field(pattern=r"^[A-Z]{2}$")], ...], Field(strict=False)]

# JSON has none of these kinds, only the texts that stand for them.
OneRole = Annotated[Role, Field(strict=False)]
OneVerdict = Annotated[Verdict, Field(strict=False)]
OneSeverity = Annotated[Severity, Field(strict=False)]
OneReason = Annotated[Reason, Field(strict=False)]


class Table(BaseModel):
    """An object of the report: no key that is not named here, no value bent into another kind."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
