"""What may differ between two runs, as nouns. `drift` finds it, reports carry it, formats show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from diga_verify.model import Role, Severity, Verdict


class Kind(StrEnum):
    """What changed. The list is closed; docs/drift.md has a row for each."""

    MOVED = "moved"  # a placement, or a resource that was made anew elsewhere
    APPEARED = "appeared"
    VANISHED = "vanished"
    PLACEMENT_APPEARED = "placement_appeared"
    PLACEMENT_VANISHED = "placement_vanished"
    VERDICT = "verdict"  # of the run, a resource, or a placement that stayed where it was
    NOT_SEEN = "not_seen"  # seen by the old run, and the new one could not read what would show it
    NEWLY_SEEN = "newly_seen"  # the other way round: nobody knows since when it has been there
    UNREAD = "unread"
    READ_AGAIN = "read_again"
    MISSING = "missing"  # an expected resource
    NOT_MISSING = "not_missing"
    COVERAGE = "coverage"  # what the second witness speaks of, and enabled services that nobody reads
    ENFORCEMENT = "enforcement"
    POLICY = "policy"
    TOOL = "tool"  # the program, its checkers or its tables


class Effect(StrEnum):
    """Whether less or more is right, proven or demanded than before."""

    WORSE = "worse"
    BETTER = "better"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class State:
    """One side of a change."""

    value: str
    """A location, a verdict, a reason, a list of places: what the kind of change is about."""
    verdict: Verdict | None = None
    """The verdict then, of a resource or a placement."""
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two runs."""

    kind: Kind
    effect: Effect
    type: str
    """A resource type; empty when the change is about the run, its policy or the tool."""
    name: str
    """The resource's short name, or what it is about: `verdict`, `rules.gcs.primary`."""
    full_name: str = ""
    """Of the resource, in the new run where it is in both."""
    role: Role | None = None
    """Of the placement that the change is about."""
    field: str = ""
    """The API field, in the new run where it is in both."""
    about: str = ""
    before: State | None = None
    after: State | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs, as far as one must know it to understand their difference."""

    started_at: str
    finished_at: str
    verdict: Verdict
    complete: bool
    exit_code: int
    simulated: bool
    deep: bool
    whole: bool
    selection: tuple[str, ...]
    policy_sha256: str
    principal: str | None
    version: str


@dataclass(frozen=True, slots=True)
class Drift:
    """All that differs between two runs of one environment and one project."""

    environment: str
    project: str
    old: Side
    new: Side
    changes: tuple[Change, ...]
    turnover: int
    """Placements and backups that came or went where others like them were before and after."""
    caveats: tuple[str, ...] = ()
    """Sentences without which the changes, or that there are none, may be misunderstood."""

    def count(self, effect: Effect) -> int:
        return sum(one.effect is effect for one in self.changes)

    def of(self, effect: Effect) -> Iterator[Change]:
        """The changes with this effect, in order."""
        return (one for one in self.changes if one.effect is effect)
