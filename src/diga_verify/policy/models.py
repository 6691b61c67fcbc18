"""The shape of `regions.toml`. What its words mean, and whether they fit together, is for checks.py.

The description of a key is for editors, by way of the JSON Schema.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema

from diga_verify.model import TYPES, Enforcement, Role
from diga_verify.policy.notify import Notify
from diga_verify.policy.table import Names as SetNames
from diga_verify.policy.table import Table, Text

ENVIRONMENT_NAME = r"^[a-z][a-z0-9_-]*$"
FULL_NAME = r"^//[^\s*/]+/[^\s*]+$"
_OF_LABELS = r"[^\s\x00-,./:-^`{-\x7f]"
"""Letters of any script, but no capitals of ours, digits, `-` and `_`: in particular no `*`, which would match nothing.
https://cloud.google.com/resource-manager/docs/labels-overview#requirements"""
LABEL_KEY = rf"^{_OF_LABELS}{{1,63}}$"
LABEL_VALUE = rf"^{_OF_LABELS}{{0,63}}$"

EnvironmentName = Annotated[str, Field(pattern=ENVIRONMENT_NAME)]
TypeName = Annotated[str, WithJsonSchema({"anyOf": [{"enum": list(TYPES)}, {"type": "string"}]})]
EnvironmentNames = Annotated[list[Text], Field(min_length=1)]


class RoleRules(Table):
    """For each role the named set, or sets, in which such a placement may lie."""

    primary: SetNames | None = Field(default=None, description="Where resources live.")
    node: SetNames | None = Field(default=None, description="The zones in which nodes and standbys run.")
    replica: SetNames | None = Field(default=None, description="Other live copies.")
    backup: SetNames | None = Field(default=None, description="Backups, and where they are configured to go.")
    key: SetNames | None = Field(default=None, description="Customer-managed keys that encrypt the data.")

    def sets(self, role: Role) -> list[str] | None:
        """The sets of a role; None where nothing is said of it."""
        names: list[str] | None = getattr(self, role)
        return names


def _complete_types(schema: dict[str, Any]) -> None:
    """Let editors propose the built-in types; a third-party type is as good."""
    schema["properties"] |= dict.fromkeys(TYPES, schema["additionalProperties"])


class RuleTable(RoleRules):
    """Rules for every type, and in tables named after types, rules that differ for one."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_complete_types)
    __pydantic_extra__: dict[str, RoleRules] = Field(init=False)

    @property
    def types(self) -> dict[str, RoleRules]:
        """The tables named after types."""
        return self.__pydantic_extra__


class Label(Table):
    """A label, and the values of it that count. Labels in Google Cloud are lower case."""

    key: Annotated[str, Field(pattern=LABEL_KEY)] = Field(description="The label's key.")
    values: Annotated[list[Annotated[str, Field(pattern=LABEL_VALUE)]], Field(min_length=1)] = Field(
        description="The values, any of which counts."
    )


class Environment(Table):
    """One environment. Its name is the first argument of `diga-verify`."""

    enforcement: Annotated[Enforcement, Field(strict=False)] = Field(
        description="What a violation, or anything unverified, does: stops the deployment, is a warning, is only shown."
    )
    project: Text | None = Field(
        default=None, description="Id or number of the one project that this environment is for."
    )
    unused: Annotated[list[TypeName], Field(min_length=1)] | None = Field(
        default=None, description="Types that the project does not use. A resource of such a type is a violation."
    )
    second_witness: Literal["required", "optional"] = Field(
        default="optional",
        description="Whether a run is verified only if Cloud Asset Inventory could be asked as well.",
    )
    required_for_labels: Annotated[list[Label], Field(min_length=1)] | None = Field(
        default=None, description="Labels that say: personal data. A resource that has one is judged as `required`."
    )
    rules: RuleTable = Field(
        default=RuleTable(), description="Rules that differ in this environment. They go before all rules outside it."
    )


class Expected(Table):
    """A resource that must exist."""

    type: TypeName = Field(description="Its type.")
    name: Text = Field(description="Its short name, as reports show it: `dta-cluster`, or `ring/key`.")
    location: Text | None = Field(default=None, description="Its location, where the name alone is ambiguous.")
    environments: EnvironmentNames | None = Field(
        default=None, description="The environments in which it must exist; all, if left out."
    )


class Waiver(Table):
    """A violation that somebody answers for, for a time."""

    resource: Annotated[str, Field(pattern=FULL_NAME)] = Field(
        description="The full resource name, as reports show it: `//storage.googleapis.com/BUCKET`."
    )
    role: Annotated[Role, Field(strict=False)] = Field(description="The role of the placement.")
    location: Text = Field(description="The location of the placement, as reports show it.")
    reason: Text = Field(description="Why this is acceptable.")
    owner: Text = Field(description="Who answers for it.")
    expires: date = Field(description="The last day on which it holds; at most 366 days ahead.")
    environments: EnvironmentNames | None = Field(
        default=None, description="The environments in which it holds; all, if left out."
    )


class AssumedSql(Table):
    """Locations that the Cloud SQL API leaves out."""

    backup: Text | None = Field(
        default=None,
        description="Where backups go when their configured location is absent, that is, the service's default.",
    )


class Assume(Table):
    """Locations that the policy's owner vouches for, where the API leaves them out."""

    sql: AssumedSql = Field(default=AssumedSql(), description="For Cloud SQL.")


class PolicyFile(Table):
    """Where the data of a project may lie, as diga-verify checks it."""

    version: Annotated[int, Field(ge=1, le=1)] = Field(description="The version of this format.")
    locations: Annotated[
        dict[Text, Annotated[list[Text], Field(min_length=1, json_schema_extra={"uniqueItems": True})]],
        Field(min_length=1),
    ] = Field(
        description="Named sets: regions, zones, dual- and multi-regions, `global`, `jurisdiction:EU`, "
        "`jurisdiction:DE`."
    )
    environments: Annotated[dict[EnvironmentName, Environment], Field(min_length=1)] = Field(
        description="The environments, by name."
    )
    rules: RuleTable = Field(default=RuleTable(), description="The rules for every environment.")
    expected: list[Expected] = Field(default=[], description="Resources that must exist.")
    waivers: list[Waiver] = Field(default=[], description="Violations that somebody answers for, for a time.")
    assume: Assume = Field(
        default=Assume(), description="Locations that the policy's owner vouches for, where the API leaves them out."
    )
    notify: Notify | None = Field(default=None, description="Who is told of what a run found, and how.")
