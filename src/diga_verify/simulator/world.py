"""The world: what the simulated project holds, read from a TOML or JSON file."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from diga_verify.simulator.errors import Json
from diga_verify.simulator.faults import read_fault
from diga_verify.simulator.kinds import KINDS, Kind
from diga_verify.simulator.scene import Fault
from diga_verify.simulator.schemas import unknown_fields
from diga_verify.simulator.shape import Shape, WorldError, hint

T = TypeVar("T")
SHIPPED: tuple[str, ...] = ("demo", "compliant")
"""The worlds that come with the package."""

LISTS = {
    "gke": ("clusters",),
    "sql": ("instances", "backupRuns", "backups", "operations"),
    "redis": ("instances", "clusters", "backupCollections"),
    "bigquery": ("datasets",),
    "firestore": ("databases", "backups"),
    "gcs": ("buckets",),
    "kms": ("keyRings",),
    "assets": ("extra",),
    "serviceusage": (),
}
"""The lists of resources in each section."""

MARKS = {
    "gke": ("missingZones",),
    "sql": (),
    "redis": ("unreachable",),
    "bigquery": ("unreachable",),
    "firestore": ("unreachable", "backupsUnreachable"),
    "gcs": ("unreachable",),
    "kms": ("locations",),
    "assets": ("without",),
    "serviceusage": ("services",),
}
"""The lists of words in each section."""

HOSTS = {
    "gke": "container.googleapis.com",
    "sql": "sqladmin.googleapis.com",
    "redis": "redis.googleapis.com",
    "bigquery": "bigquery.googleapis.com",
    "firestore": "firestore.googleapis.com",
    "gcs": "storage.googleapis.com",
    "kms": "cloudkms.googleapis.com",
    "assets": "cloudasset.googleapis.com",
    "serviceusage": "serviceusage.googleapis.com",
    "project": "cloudresourcemanager.googleapis.com",
}
"""The hosts that are served, and that a fault may name, by the section that they serve."""

_PROJECT = ("id", "number", "state", "name", "labels")
_PAGING = ("size", "partialPage")
_NEEDS_LOCATION = {("redis", "instances"), ("redis", "clusters"), ("redis", "backupCollections"),
                   ("firestore", "backups"), ("kms", "keyRings")}  # fmt: skip
_NEEDED = {
    ("sql", "backupRuns"): ("instance", "id"),
    ("sql", "operations"): ("targetId", "name"),
    ("assets", "extra"): ("name", "assetType"),
}
_INNER_LISTS = {("redis", "backupCollections"): "backups", ("kms", "keyRings"): "cryptoKeys"}


@dataclass(frozen=True)
class World:
    """A project and everything in it. The resources are kept as the world file gives them.

    `partial_page` is the page, from 1, on which a list says that it is incomplete. `page_size` caps every page.
    """

    name: str
    project: Json
    sections: Mapping[str, Json]
    denied: frozenset[str]
    faults: tuple[Fault, ...]
    page_size: int | None
    partial_page: int
    granted: frozenset[str] | None = None
    """The only permissions that the caller has; None: all there are, but for those denied."""
    derived: dict[Callable[[World], Any], Any] = field(init=False, default_factory=dict, compare=False, repr=False)
    """What `of_world` keeps."""

    def grants(self, permission: str | None) -> bool:
        """Whether the caller has a permission; None is what needs none."""
        held = self.granted is None or permission in self.granted
        return permission is None or (held and permission not in self.denied)

    @property
    def project_id(self) -> str:
        return str(self.project["id"])

    @property
    def project_number(self) -> str:
        return str(self.project["number"])

    def says(self, section: str, key: str) -> bool:
        """Whether the world file says anything of `section.key`, were it that there is nothing."""
        return key in self.sections.get(section, {})

    def items(self, section: str, key: str) -> list[Json]:
        """The resources that the world gives under `section.key`."""
        return list(self.sections.get(section, {}).get(key, ()))

    def words(self, section: str, key: str) -> list[str]:
        """The words under `section.key`, for instance `redis.unreachable`."""
        return list(self.sections.get(section, {}).get(key, ()))

    @classmethod
    def from_dict(cls, table: Mapping[str, Any], name: str = "world") -> World:
        """A world from what a world file holds. Raises WorldError."""
        return _Reader(name).world(table)


def of_world(make: Callable[[World], T]) -> Callable[[World], T]:
    """What follows from a world is worked out once: the world does not change, and nobody may change what follows.

    A world of many resources could not be served in pages otherwise, each of which needs the whole list.
    """

    @wraps(make)
    def derived(world: World) -> T:
        if make not in world.derived:
            world.derived[make] = make(world)
        found: T = world.derived[make]
        return found

    return derived


def load_world(path: str | Path) -> World:
    """Read a world file, `.json` or else TOML. Raises WorldError, also if it cannot be read."""
    file = Path(path)
    try:
        text = file.read_text("utf-8")
        table = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise WorldError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        raise WorldError(f"{path}: {error}") from error
    return World.from_dict(table, str(path))


def shipped_world(name: str) -> World:
    """A world that comes with the package. Raises WorldError for a name that is not in SHIPPED."""
    if name not in SHIPPED:
        raise WorldError(f"there is no shipped world {name!r}{hint(name, SHIPPED)}; there are: {', '.join(SHIPPED)}")
    text = resources.files("diga_verify.simulator").joinpath("worlds", f"{name}.toml").read_text("utf-8")
    return World.from_dict(tomllib.loads(text), name)


class _Reader(Shape):
    """Checks the structure of a world, and that every field exists; what a field holds may be as wrong as one wants."""

    def world(self, table: Any) -> World:
        top = self.table(table, "the world", ("project", *LISTS, "iam", "paging", "faults"))
        paging = self.table(top.get("paging", {}), "paging", _PAGING)
        iam = self.table(top.get("iam", {}), "iam", ("denied", "granted"))
        return World(
            name=self.file,
            project=self.project(top.get("project")),
            sections={section: self.section(section, top.get(section, {})) for section in LISTS},
            denied=self.permissions(iam, "denied"),
            granted=self.permissions(iam, "granted") if "granted" in iam else None,
            faults=tuple(
                read_fault(self, one, where, tuple(HOSTS.values())) for where, one in self.each(top, "faults")
            ),
            page_size=self.positive(paging["size"], "paging.size") if "size" in paging else None,
            partial_page=self.positive(paging.get("partialPage", 1), "paging.partialPage"),
        )

    def project(self, value: Any) -> Json:
        if value is None:
            raise self.wrong("project", "is missing: every world needs a [project] with an id and a number")
        project = self.table(value, "project", _PROJECT)
        for key in ("id", "number"):
            if key not in project:
                raise self.wrong(f"project.{key}", "is missing")
        for key in ("id", "number", "state", "name"):
            self.text(project.get(key, "-"), f"project.{key}")
        if not project["number"].isdecimal():
            raise self.wrong("project.number", f"must be digits in quotes, not {project['number']!r}")
        return project

    def section(self, section: str, value: Any) -> Json:
        others = ("warnings",) if section == "sql" else ()
        table = self.table(value, section, (*LISTS[section], *MARKS[section], *others))
        for key in LISTS[section]:
            for where, item in self.each(table, key, section):
                self.resource(section, key, item, where)
        for key in MARKS[section]:
            for where, word in self.each(table, key, section):
                self.text(word, where)
        for key in others:
            for where, item in self.each(table, key, section):
                self.table(item, where, None)
        return table

    def resource(self, section: str, key: str, value: Any, where: str) -> None:
        item = self.table(value, where, None)
        self.fields_of(item, where, KINDS[section, key])
        if (section, key) == ("bigquery", "datasets"):
            if "datasetId" not in item and "datasetReference" not in item:
                raise self.wrong(where, "needs a datasetId")
            return
        for name in _NEEDED.get((section, key), ("name",)):
            if name not in item:
                raise self.wrong(where, f"needs {'an' if name[0] in 'aeiou' else 'a'} {name}")
        short = "/" not in str(item.get("name", ""))
        if short and (section, key) in _NEEDS_LOCATION and "location" not in item:
            raise self.wrong(where, "needs a location, or a full name (projects/P/locations/L/...)")
        inner = _INNER_LISTS.get((section, key))
        if inner is not None:
            for place, below in self.each(item, inner, where):
                if "name" not in self.table(below, place, None):
                    raise self.wrong(place, "needs a name")

    def fields_of(self, item: Json, where: str, kind: Kind) -> None:
        """A misspelt field would be served as it is, and the true one would be missing."""
        for key, inner in kind.inner.items():
            for place, below in self.each(item, key, where):
                self.fields_of(self.table(below, place, None), place, inner)
        theirs = {key: part for key, part in item.items() if key not in kind.ours | kind.beyond | kind.inner.keys()}
        if not kind.schema:
            self.table(theirs, where, tuple(kind.ours))
            return
        for place, key, known in unknown_fields(kind.document, kind.schema, theirs):
            at_place = f"{where}.{place}" if place else where
            raise self.wrong(at_place, f"has an unknown key {key!r}{hint(key, (*known, *kind.ours))}")

    def permissions(self, iam: Json, key: str) -> frozenset[str]:
        named = dict(self.each(iam, key, "iam"))
        for where, permission in named.items():
            if not re.fullmatch(r"[a-z]+(\.[A-Za-z]+){2}", self.text(permission, where)):
                raise self.wrong(where, f"{permission!r} is no permission such as 'storage.buckets.list'")
        return frozenset(named.values())
