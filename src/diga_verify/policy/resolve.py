"""From a file without mistakes to the rules of each of its environments.

Of the rules that say something about a role of a type, the first of these holds:

    [environments.NAME.rules.TYPE]   [environments.NAME.rules]   [rules.TYPE]   [rules]
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from diga_verify.locations.algebra import area
from diga_verify.model import Role
from diga_verify.policy.rules import Allowed, Assumption, Expected, Label, NamedSet, Rules, Waiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from diga_verify.policy import models
    from diga_verify.policy.positions import KeyPath, Positions


class Resolver:
    """Resolves one file, for some types."""

    def __init__(self, file: models.PolicyFile, positions: Positions, types: Sequence[str]) -> None:
        self._file = file
        self._line = positions.line
        self._types = types
        self.sets: Mapping[str, NamedSet] = {
            name: NamedSet(tuple(entries), self._line(("locations", name))) for name, entries in file.locations.items()
        }

    def rules(self, name: str) -> Rules:
        """The rules of one environment of the file."""
        environment = self._file.environments[name]
        return Rules(
            name=name,
            enforcement=environment.enforcement,
            project=environment.project,
            unused=frozenset(environment.unused or ()),
            second_witness=environment.second_witness == "required",
            required_for_labels=tuple(
                Label(label.key, frozenset(label.values)) for label in environment.required_for_labels or ()
            ),
            expected=tuple(self._expected(name)),
            waivers=tuple(self._waivers(name)),
            by_type={(type_, role): self._allowed(name, type_, role) for type_ in self._types for role in Role},
            assumptions=dict(self._assumptions()),
        )

    def _allowed(self, environment: str, type_: str, role: Role) -> Allowed:
        rule = next(self._rules_about(environment, type_, role))
        entries = tuple(dict.fromkeys(entry for name in rule.sets for entry in self.sets[name].entries))
        return Allowed(area(entries), entries, tuple(rule.sets), self._line((*rule.path, role.value)))

    def _rules_about(self, environment: str, type_: str, role: Role) -> Iterator[_Rule]:
        """The rules that say something about a role of a type, the one that holds first."""
        for table, path in (
            (self._file.environments[environment].rules, ("environments", environment, "rules")),
            (self._file.rules, ("rules",)),
        ):
            of_type = table.types.get(type_)
            if of_type and (sets := of_type.sets(role)):
                yield _Rule(sets, (*path, type_))
            if sets := table.sets(role):
                yield _Rule(sets, path)

    def _expected(self, environment: str) -> Iterator[Expected]:
        for index, row in enumerate(self._file.expected):
            if environment in (row.environments or [environment]):
                yield Expected(row.type, row.name, row.location, self._line(("expected", index)))

    def _waivers(self, environment: str) -> Iterator[Waiver]:
        for index, row in enumerate(self._file.waivers):
            if environment in (row.environments or [environment]):
                yield Waiver(
                    resource=row.resource,
                    role=row.role,
                    location=row.location,
                    reason=row.reason,
                    owner=row.owner,
                    expires=row.expires,
                    line=self._line(("waivers", index)),
                )

    def _assumptions(self) -> Iterator[tuple[tuple[str, Role], Assumption]]:
        if location := self._file.assume.sql.backup:
            yield ("sql", Role.BACKUP), Assumption(location, self._line(("assume", "sql", "backup")))


class _Rule(NamedTuple):
    sets: list[str]
    path: KeyPath
