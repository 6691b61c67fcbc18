"""What is wrong with the meaning of a policy: names that nothing bears, gaps, repetitions, dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from diga_verify.locations.algebra import UnknownEntry, area, bound, known_entries, normalise
from diga_verify.model import Role
from diga_verify.policy.shape import Finding
from diga_verify.policy.tree import Tree, repeated, rows, table, tables, texts
from diga_verify.policy.wording import did_you_mean, listed, quoted, table_title

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Sequence

    from diga_verify.policy.positions import KeyPath

LONGEST_WAIVER = timedelta(days=366)
"""A waiver is looked at again at least once a year."""

VERBS = frozenset(
    {
        "attestation",
        "demo",
        "diff",
        "help",
        "locations",
        "notify",
        "policy",
        "render",
        "replay",
        "simulator",
        "types",
        "verify",
    }
)
"""First words of the command line that are no environment, or may one day be none."""

_ROLES = tuple(map(str, Role))


def meaning_findings(data: Tree, today: date, known_types: Sequence[str]) -> Iterator[Finding]:
    """Everything wrong with what the file says; lazily, for a file may hold very much."""
    file = _File(data, today, tuple(known_types))
    yield from file.locations()
    yield from file.environments()
    yield from file.rules()
    yield from file.gaps()
    yield from file.expected()
    yield from file.waivers()
    yield from file.assumptions()


@dataclass(frozen=True)
class _File:
    data: Tree
    today: date
    types: tuple[str, ...]

    def locations(self) -> Iterator[Finding]:
        for name, entries in table(self.data, "locations").items():
            path: KeyPath = ("locations", name)
            for index, entry in texts(entries):
                yield from _known_entry((*path, *index), entry, name)
            folded = ((index, entry.lower()) for index, entry in texts(entries))
            yield from repeated(path, folded, f"in set {quoted(name)}")

    def environments(self) -> Iterator[Finding]:
        for name, environment in tables(table(self.data, "environments")):
            path: KeyPath = ("environments", name)
            if name in VERBS:
                yield Finding(path, f"an environment cannot be called {name!r}: that is a command of diga-verify")
            yield from self._type_list((*path, "unused"), environment.get("unused"))

    def _type_list(self, path: KeyPath, types: object) -> Iterator[Finding]:
        for index, type_ in texts(types):
            yield from self._type((*path, *index), type_)
        yield from repeated(path, texts(types), f"in {quoted(str(path[-1]))}")

    def _type(self, path: KeyPath, type_: str) -> Iterator[Finding]:
        if type_ not in self.types:
            hint = did_you_mean(type_, self.types) or f"; known: {listed(self.types)}"
            yield Finding(path, f"unknown type {quoted(type_)}{hint}")

    def rules(self) -> Iterator[Finding]:
        for path, rules in self._general_rules():
            yield from self._role_rules(path, rules)
            for type_, of_type in tables(rules):
                if type_ not in _ROLES:
                    yield from self._type((*path, type_), type_)
                    yield from self._role_rules((*path, type_), of_type)

    def _general_rules(self) -> Iterator[tuple[KeyPath, Tree]]:
        yield ("rules",), table(self.data, "rules")
        for name, environment in tables(table(self.data, "environments")):
            yield ("environments", name, "rules"), table(environment, "rules")

    def _role_rules(self, path: KeyPath, rules: Tree) -> Iterator[Finding]:
        sets = table(self.data, "locations")
        for role in _ROLES:
            for index, name in texts(rules.get(role)):
                if name.strip() and name not in sets:
                    known = f"; [locations] defines {listed(map(repr, sets))}" if sets else ""
                    hint = did_you_mean(name, sets) or known
                    yield Finding(
                        (*path, role, *index),
                        f"unknown set {quoted(name)} in {table_title(path)}{hint}",
                    )
            yield from repeated((*path, role), texts(rules.get(role)), f"in {role!r} of {table_title(path)}")

    def gaps(self) -> Iterator[Finding]:
        """Roles for which nothing is said, for some types, in some environments."""
        without: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        for name, environment in tables(table(self.data, "environments")):
            for role in _ROLES:
                if types := self._types_without(role, table(environment, "rules")):
                    without.setdefault((role, types), []).append(name)
        for (role, types), names in without.items():
            where = "for any type" if types == self.types else f"for {listed(types)}"
            yield Finding(
                ("rules",),
                f"nothing says where {role!r} may be {where} in {listed(map(quoted, names))}; "
                f'add {role} = "SET" to [rules]',
            )

    def _types_without(self, role: str, own: Tree) -> tuple[str, ...]:
        general = table(self.data, "rules")
        if role in own or role in general:
            return ()
        levels = (own, general)
        return tuple(type_ for type_ in self.types if all(role not in table(rules, type_) for rules in levels))

    def expected(self) -> Iterator[Finding]:
        seen = _Seen()
        for path, row in rows(self.data, "expected"):
            yield from self._environment_names(path, row)
            type_, name, location = row.get("type"), row.get("name"), row.get("location")
            if isinstance(location, str) and isinstance(type_, str):
                yield from _known_location((*path, "location"), location, type_)
            if not (isinstance(type_, str) and isinstance(name, str)):
                continue
            yield from self._type((*path, "type"), type_)
            yield from self._expected_but_unused(path, row)
            where = normalise(location) if isinstance(location, str) else None
            if seen.before((type_, name, where), self._environments_of(row)):
                yield Finding(path, f"{type_} {quoted(name)} is expected twice")

    def _expected_but_unused(self, path: KeyPath, row: Tree) -> Iterator[Finding]:
        environments = table(self.data, "environments")
        for name in self._environments_of(row):
            unused = table(environments, name).get("unused")
            if row["type"] in [type_ for _, type_ in texts(unused)]:
                yield Finding(
                    path,
                    f"{row['type']} {quoted(row['name'])} is expected in {quoted(name)}, "
                    f"which declares {row['type']} unused",
                )

    def waivers(self) -> Iterator[Finding]:
        seen = _Seen()
        for path, row in rows(self.data, "waivers"):
            yield from self._environment_names(path, row)
            yield from self._expiry((*path, "expires"), row.get("expires"))
            resource, role, location = (row.get(key) for key in ("resource", "role", "location"))
            if not (isinstance(resource, str) and isinstance(role, str) and isinstance(location, str)):
                continue
            if seen.before((resource, role, normalise(location)), self._environments_of(row)):
                yield Finding(path, f"{quoted(resource)} has two waivers for {quoted(role)} in {quoted(location)}")

    def _expiry(self, path: KeyPath, expires: object) -> Iterator[Finding]:
        if not isinstance(expires, date) or isinstance(expires, datetime):
            return
        if expires < self.today:
            yield Finding(path, f"the waiver expired on {expires}, and today is {self.today}; renew or remove it")
        elif expires - self.today > LONGEST_WAIVER:
            latest = self.today + LONGEST_WAIVER
            yield Finding(path, f"a waiver holds for a year at most: {expires} is later than {latest}")

    def _environment_names(self, path: KeyPath, row: Tree) -> Iterator[Finding]:
        known = table(self.data, "environments")
        names = row.get("environments")
        for index, name in texts(names):
            if name.strip() and name not in known:
                hint = did_you_mean(name, known)
                yield Finding((*path, "environments", *index), f"unknown environment {quoted(name)}{hint}")
        yield from repeated((*path, "environments"), texts(names), "in 'environments'")

    def _environments_of(self, row: Tree) -> list[str]:
        named = [name for _, name in texts(row.get("environments"))]
        return named or list(table(self.data, "environments"))

    def assumptions(self) -> Iterator[Finding]:
        location = table(table(self.data, "assume"), "sql").get("backup")
        if isinstance(location, str):
            yield from _known_location(("assume", "sql", "backup"), location, "sql")


class _Seen:
    """What was met before, in which environments."""

    def __init__(self) -> None:
        self._keys: set[tuple[Hashable, str]] = set()

    def before(self, key: Hashable, environments: Sequence[str]) -> bool:
        """Whether it was met before in one of these; from now on it was."""
        new = {(key, name) for name in environments}
        repeated = not self._keys.isdisjoint(new)
        self._keys |= new
        return repeated


def _known_entry(path: KeyPath, entry: str, name: str) -> Iterator[Finding]:
    if not entry.strip():
        return
    try:
        area([entry])
    except UnknownEntry as error:
        yield Finding(path, f"in set {quoted(name)}: {error}")


def _known_location(path: KeyPath, location: str, type_: str) -> Iterator[Finding]:
    if location.strip() and bound(location, type_) is None:
        places = [entry for entry in known_entries() if bound(entry, type_)]
        hint = did_you_mean(location, places)
        yield Finding(path, f"{quoted(location)} stands for no known location of {type_}{hint}")
