"""What a run after a restore proves besides the places: that there are backups, whence data came, and that all is back.

Pure: what was read and what is asked in, the same resources with more placements and more unread things out. Where data
was restored from is a placement of the role `backup`, and judged as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from diga_verify.checkers.fields import of_name, segment
from diga_verify.errors import ReadError
from diga_verify.history import Backup, Filling, History
from diga_verify.judgement import Scope
from diga_verify.locations.algebra import bound
from diga_verify.model import Placement, Project, Reason, Recovery, Resource, Role, Unread
from diga_verify.moment import moment
from diga_verify.policy.rules import Rules
from diga_verify.report import Report

EMPTY = "empty"
"""What a database is said to be restored from that was not: it was made, and nothing was put into it."""
_CREATED = "createTime"
_BUCKET = "gs://"


def recovery(
    baseline: Report | None, sources: Iterable[tuple[str, str, str]] = (), max_age_hours: float | None = None
) -> Recovery:
    """What to ask of a run after a restore; `baseline` is the report of a run before it."""
    if baseline is None:
        return Recovery(None, (), tuple(sorted(sources)), max_age_hours)
    there = (judged.resource for judged in baseline.judgement.resources)
    before = {(one.type, one.name, one.full_name) for one in there if _is_to_return(one)}
    return Recovery(baseline.started_at, tuple(sorted(before)), tuple(sorted(sources)), max_age_hours)


def _is_to_return(resource: Resource) -> bool:
    """Backups come and go, and what was deleted before is no loss."""
    return resource.live and any(place.role not in (Role.BACKUP, Role.KEY) for place in resource.placements)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was found after a restore, with all that speaks for and against it."""

    resources: tuple[Resource, ...]
    unread: tuple[Unread, ...]


def recovered(
    asked: Recovery, found: Sequence[Resource], rules: Rules, scope: Scope, project: Project, began: str
) -> Recovered:
    """The resources with the places that their data was restored from, and what is not proven of them. `began` is
    when the run did: an expired backup is judged by it."""
    looked = _Look(asked, found, rules, project, moment(began))
    resources = tuple(replace(one, placements=looked.placements(one), history=None) for one in found)
    unread = (one for resource in found for one in looked.unproven(resource))
    return Recovered(resources, (*unread, *looked.lost(scope), *looked.idle(scope)))


class _Look:
    """One look at what was found."""

    def __init__(
        self, asked: Recovery, found: Sequence[Resource], rules: Rules, project: Project, began: datetime | None
    ) -> None:
        self._asked = asked
        self._found = found
        self._rules = rules
        self._project = project
        self._began = began
        self._since = moment(asked.since) if asked.since is not None else None
        self._sources = {(type, name): source for type, name, source in asked.sources}

    def placements(self, resource: Resource) -> tuple[Placement, ...]:
        """The resource's own places, and those that its data was restored from."""
        fillings = self._fillings(resource)
        return (*resource.placements, *(place for one in fillings for place in self._origin(resource, one)))

    def unproven(self, resource: Resource) -> Iterator[Unread]:
        """What there is no proof of: a backup in an allowed place, and that the data is this project's own."""
        for filling in self._fillings(resource):
            if self._is_foreign(filling.source):
                detail = f"{resource.kind} {resource.name} was restored from {filling.source}, not of this project"
                yield _unread(resource, filling.field, Reason.UNKNOWN_SOURCE, detail)
        if resource.history is not None and resource.history.backups is not None:
            lacking = self._lacking(resource, resource.history.backups)
            if lacking:
                yield _unread(resource, "backups", Reason.NO_BACKUP, f"{resource.kind} {resource.name}: {lacking}")

    def lost(self, scope: Scope) -> Iterator[Unread]:
        """What the baseline had, and nobody found."""
        there = {one.full_name for one in self._found if one.live}
        for type, name, full_name in self._asked.before:
            wanted = type in scope.types and (not scope.wanted or (type, name) in scope.wanted)
            if wanted and full_name not in there:
                detail = f"{type} {name} was there at {self._asked.since}, and is not there now"
                yield Unread(type, full_name, Reason.NOT_RESTORED, detail, full_name)

    def idle(self, scope: Scope) -> Iterator[Unread]:
        """What the operator says of a database that needs no such word, or is not there: a slip, most likely."""
        due = {(one.type, one.name) for one in self._found for filling in self._fillings(one) if not filling.source}
        for type, name in sorted(self._sources.keys() - due):
            if type in scope.types and (not scope.wanted or (type, name) in scope.wanted):
                detail = f"--restored-from speaks of {type} {name}, and nothing is known to have been restored there"
                yield Unread(type, f"--restored-from {type}/{name}", Reason.UNKNOWN_SOURCE, detail)

    def _fillings(self, resource: Resource) -> tuple[Filling, ...]:
        """What put data into a database since the baseline, or at all if there is none. A database that was made
        since then got its data from somewhere."""
        past = resource.history
        if past is None:
            return ()
        recent = tuple(one for one in past.fillings if not self._is_older(one.at))
        made_since = self._since is not None and not self._is_older(past.created_at)
        return recent or ((Filling(_CREATED, at=past.created_at),) if made_since else ())

    def _is_older(self, at: str) -> bool:
        """Whether it is certain that something was before the baseline."""
        then = moment(at)
        return self._since is not None and then is not None and then < self._since

    def _origin(self, resource: Resource, filling: Filling) -> Iterator[Placement]:
        said = "" if filling.source else self._sources.get((resource.type, resource.name), "")
        if said == EMPTY and not (filling.trouble or filling.full):
            return
        places: list[Placement] = []
        if filling.trouble:
            about = filling.trouble
        elif said == EMPTY:
            about = "the API tells that data was put into it, and --restored-from says that none was"
        elif said:
            places, about = [*self._of_word(resource, filling, said)], f"{said}, as --restored-from says"
        else:
            places, about = [*self._of_name(filling)], filling.source
        blank = Placement(Role.BACKUP, None, filling.field, reason=Reason.UNKNOWN_SOURCE)
        pointer = filling.pointer or next((place.source for place in resource.placements), None)
        for place in places or [blank]:
            yield replace(place, role=Role.BACKUP, field=filling.field, about=about, source=pointer)

    def _of_name(self, filling: Filling) -> Iterator[Placement]:
        """Where the API says that the data came from: a backup's resource name, or a bucket that this run read."""
        if filling.source.startswith(_BUCKET):
            yield from self._of_bucket(filling.source)
        elif (location := of_name(filling.source)) is not None:
            yield Placement(Role.BACKUP, location, filling.field)

    def _of_word(self, resource: Resource, filling: Filling, said: str) -> Iterator[Placement]:
        """Where something lies that the operator names, and this run found: a bucket, a backup by its id, or any
        other resource as TYPE/NAME."""
        if said.startswith(_BUCKET):
            yield from self._of_bucket(said)
            return
        type, _, name = said.partition("/")
        wanted = {(type, name), (resource.type, said)} - {(resource.type, resource.name)}
        for one in self._found:
            if (one.type, one.name) in wanted:
                yield from _home(one)
        yield from self._of_backup(resource, filling, said)

    def _of_bucket(self, uri: str) -> Iterator[Placement]:
        name = uri.removeprefix(_BUCKET).partition("/")[0]
        for one in self._found:
            if (one.type, one.name) == ("gcs", name):
                yield from _home(one)

    def _of_backup(self, resource: Resource, filling: Filling, source: str) -> Iterator[Placement]:
        ended = moment(filling.at)
        for one in self._found:
            past = one.history or History()
            for backup in (past.backups or ()) if one.type == resource.type else ():
                until = moment(backup.until)
                if backup.name == source and until is not None and ended is not None and until <= ended:
                    yield Placement(Role.BACKUP, backup.location, filling.field)

    def _is_foreign(self, source: str) -> bool:
        """Whether a source is a resource name that is not known to be of this project."""
        if "projects/" not in source or source.startswith(_BUCKET):
            return False
        try:
            return self._project.is_named(segment(source, "projects")) is not True
        except ReadError:
            return True

    def _lacking(self, resource: Resource, backups: Sequence[Backup]) -> str:
        """What is lacking for a backup in an allowed place, in words; empty if nothing is."""
        kept = [one for one in backups if self._is_kept(one)]
        allowed = self._rules.allowed(resource.type, Role.BACKUP).area
        in_place = [one for one in kept if allowed.covers(one.location, bound(one.location, resource.type))]
        if not in_place:
            others = f", and {len(kept)} elsewhere" if kept else ""
            return f"there is no finished backup of it in an allowed place{others}"
        hours = self._asked.max_age_hours
        if hours is None or any(self._is_young(one, hours) for one in in_place):
            return ""
        newest = max(one.until for one in in_place)
        return f"its newest backup in an allowed place is of {newest}, more than {hours:g} hours before the run"

    def _is_kept(self, backup: Backup) -> bool:
        """Whether a backup is there for longer than the run."""
        if not backup.expires:
            return True
        end = moment(backup.expires)
        return end is not None and self._began is not None and end > self._began

    def _is_young(self, backup: Backup, hours: float) -> bool:
        until = moment(backup.until)
        if until is None or self._began is None:
            return False
        # Of clocks that differ by more than that, either may be wrong.
        return abs((self._began - until).total_seconds()) <= hours * 3600


def _home(resource: Resource) -> Sequence[Placement]:
    """Where a resource lives; of a backup, where it is."""
    lives = [place for place in resource.placements if place.role in (Role.PRIMARY, Role.REPLICA)]
    return lives or [place for place in resource.placements if place.role is Role.BACKUP]


def _unread(resource: Resource, what: str, reason: Reason, detail: str) -> Unread:
    return Unread(resource.type, f"{resource.full_name} {what}", reason, detail, resource.full_name)
