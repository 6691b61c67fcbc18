"""The policy, resolved: what it asks for in one environment. The evaluator sees nothing else of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from diga_verify.errors import UsageError
from diga_verify.locations.algebra import Area, normalise
from diga_verify.model import Reason
from diga_verify.policy.wording import did_you_mean, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from diga_verify.model import Enforcement, Role, Unread
    from diga_verify.policy.notify import Notify


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where placements of one role of one type may lie."""

    area: Area
    entries: tuple[str, ...]
    """The entries of its sets, in their order, each once."""
    sets: tuple[str, ...]
    line: int
    """The line of the rule that decided."""


@dataclass(frozen=True, slots=True)
class NamedSet:
    """One of the named sets in [locations]."""

    entries: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Label:
    """A label, and the values of it that say: personal data."""

    key: str
    values: frozenset[str]


@dataclass(frozen=True, slots=True)
class Expected:
    """A resource that must exist."""

    type: str
    name: str
    location: str | None
    line: int


@dataclass(frozen=True, slots=True)
class Waiver:
    """A violation that somebody answers for, up to and including the day on which it expires."""

    resource: str
    role: Role
    location: str
    reason: str
    owner: str
    expires: date
    line: int

    def matches(self, full_name: str, role: Role, location: str | None) -> bool:
        """Whether it is for this placement of this resource: exactly, save that locations are normalised."""
        same_location = location is not None and normalise(location) == normalise(self.location)
        return (full_name, role) == (self.resource, self.role) and same_location


@dataclass(frozen=True, slots=True)
class Assumption:
    """A location that the policy's owner vouches for, where the API leaves it out."""

    location: str
    line: int


@dataclass(frozen=True, slots=True)
class Rules:
    """What the policy asks for in one environment."""

    name: str
    enforcement: Enforcement
    project: str | None
    """Id or number of the one project that the environment is for."""
    unused: frozenset[str]
    """Types that are declared unused."""
    second_witness: bool
    """Whether Cloud Asset Inventory must be heard too."""
    required_for_labels: tuple[Label, ...]
    expected: tuple[Expected, ...]
    waivers: tuple[Waiver, ...]
    by_type: Mapping[tuple[str, Role], Allowed]
    assumptions: Mapping[tuple[str, Role], Assumption]

    def allowed(self, type: str, role: Role) -> Allowed:
        """Where such a placement may lie. Raises `KeyError` for a type that the policy was not read for."""
        return self.by_type[type, role]

    def assumed_location(self, type: str, role: Role) -> Assumption | None:
        """What to take for a location that the API left out, if the policy says."""
        return self.assumptions.get((type, role))

    def settles(self, unread: Unread) -> bool:
        """Whether nothing is missing for all that: a type that is declared unused need not have its API switched on,
        in the project itself. That it is off where the calls are billed says nothing about the project."""
        return unread.type in self.unused and unread.reason is Reason.API_DISABLED and unread.off_in_project

    def holds_personal_data(self, labels: Mapping[str, str]) -> bool:
        """Whether a resource's labels say that it is to be judged as `required`."""
        return any(labels.get(label.key) in label.values for label in self.required_for_labels)


@dataclass(frozen=True, slots=True)
class Policy:
    """A valid policy file."""

    path: str
    sha256: str
    """Of the bytes of the file, in hexadecimal."""
    types: tuple[str, ...]
    """The types that it was read for."""
    sets: Mapping[str, NamedSet]
    rules: Mapping[str, Rules]
    data: bytes = field(repr=False)
    """The file itself."""
    notify: Notify | None = None
    """Who is told of what a run found, and how."""

    @property
    def environments(self) -> tuple[str, ...]:
        """The names of the environments, in the order of the file."""
        return tuple(self.rules)

    def environment(self, name: str) -> Rules:
        """The rules of an environment. Raises `UsageError` if the policy does not define it."""
        if name not in self.rules:
            known, hint = listed(self.environments), did_you_mean(name, self.environments)
            raise UsageError(f"{self.path} defines no environment {quoted(name)}, but {known}{hint}")
        return self.rules[name]
