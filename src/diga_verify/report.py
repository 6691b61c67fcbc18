"""The report of a run: everything that formats may show, and the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from diga_verify import __version__
from diga_verify.changes import Drift
from diga_verify.judgement import JudgedResource, Judgement
from diga_verify.model import PROOF_LACKING, Call, Enforcement, Project, Reason, Recovery, Severity, Verdict, Witness
from diga_verify.services import NOT_ASKED, Services

SCHEMA_VERSION = "1"
COMPLIANT, VIOLATION, UNVERIFIED = Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.UNVERIFIED


@dataclass(frozen=True, slots=True)
class CheckerOrigin:
    """Which distribution read a type. A checker can change a verdict, so it is evidence."""

    type: str
    distribution: str
    version: str
    permissions: tuple[str, ...]


class LimitKind(StrEnum):
    """What kind of thing a run leaves open."""

    API = "api"  # what the API of a type does not show
    SERVICE = "service"  # an enabled service that holds data and is not read, or that such are not known
    SELECTION = "selection"  # what `-t` and `-r` left out
    UNUSED = "unused"  # a type that the policy declares unused
    WAIVER = "waiver"  # a violation that somebody answers for
    ASSUMPTION = "assumption"  # a location that the policy's owner vouches for
    RESTORE = "restore"  # what a run after a restore cannot see, or takes an operator's word for
    WITNESS = "witness"  # what the second witness was not heard about
    TABLE = "table"  # the dated tables that verdicts rest on
    GENERAL = "general"  # what no run shows


@dataclass(frozen=True, slots=True)
class Limit:
    """Something that this run cannot show, or that its verdict rests on."""

    type: str
    """The resource type that it is about; empty where it is about the whole run."""
    text: str
    kind: LimitKind


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence file of a run, which the placements' `source` points into."""

    sha256: str
    data: bytes = field(default=b"", compare=False, repr=False)
    """The file itself; empty in a report that was read from a file."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of resources by verdict, of expected resources that are missing, and of unread things."""

    resources: int
    compliant: int
    violations: int
    unverified: int
    waived: int
    missing: int
    unread: int


@dataclass(frozen=True, slots=True)
class Report:
    """What one run found out."""

    environment: str
    enforcement: Enforcement
    """The environment's own; see `strict`."""
    strict: bool
    deep: bool
    """Whether what the list methods do not show was asked for too (`--deep`)."""
    project: Project
    policy_path: str
    policy_sha256: str
    principal: str | None
    started_at: str
    finished_at: str
    simulated: bool
    api_root: str | None
    network_variables: tuple[str, ...]
    """Environment variables that were set and decide whom the run took for Google."""
    whole: bool
    """False when `-t` or `-r` selected a part: then this is no gate result for the project."""
    selection: tuple[str, ...]
    judgement: Judgement
    witness: Witness
    calls: tuple[Call, ...]
    checkers: tuple[CheckerOrigin, ...]
    limits: tuple[Limit, ...]
    table_date: str
    adequacy_review_date: str
    interrupted_by: int | None = None
    """Number of the signal that ended the run before its time."""
    services: Services = NOT_ASKED
    """What the project has enabled. It changes no verdict."""
    evidence: Evidence | None = None
    what_if: bool = False
    """Whether stored evidence was judged by another policy than the run's own."""
    drift: Drift | None = None
    """What changed since the run that was given as its baseline. It changes no verdict."""
    recovery: Recovery | None = None
    """What was asked besides, in a run after a restore (`--after-restore`)."""
    version: str = __version__

    @property
    def enforced(self) -> bool:
        """Whether the environment as a whole is enforced, as opposed to single resources in it."""
        return self.strict or self.enforcement is Enforcement.REQUIRED

    @property
    def complete(self) -> bool:
        """Whether everything in scope was read to its end."""
        return self.interrupted_by is None and all(one.reason in PROOF_LACKING for one in self.judgement.unread)

    @property
    def verdict(self) -> Verdict:
        """`violation`, `unverified` or `compliant`; only a run that read and proved everything is compliant."""
        summary = self.summary
        if summary.violations or summary.missing:
            return VIOLATION
        if summary.unverified or summary.unread or not self.complete or not (summary.resources or self._nothing_due):
            return UNVERIFIED
        return COMPLIANT

    @property
    def summary(self) -> Summary:
        verdicts = [judged.verdict for judged in self.judgement.resources]
        return Summary(
            resources=len(verdicts),
            compliant=verdicts.count(COMPLIANT),
            violations=verdicts.count(VIOLATION),
            unverified=verdicts.count(UNVERIFIED),
            waived=verdicts.count(Verdict.WAIVED),
            missing=len(self.judgement.missing),
            unread=len(self.judgement.unread),
        )

    @property
    def exit_code(self) -> int:
        """The exit code of the run, before its reports are written (see docs/exit-codes.md)."""
        if self.interrupted_by is not None:
            return 128 + self.interrupted_by
        if self._stops(VIOLATION):
            return 1
        if self._stops(UNVERIFIED):
            return 3
        return 2 if self.enforced and self._idle_waivers else 0

    @property
    def placements(self) -> int:
        return sum(len(judged.placements) for judged in self.judgement.resources)

    def of(self, verdict: Verdict) -> Iterator[JudgedResource]:
        """The resources with this verdict, in order; of violations the critical ones first."""
        found = [judged for judged in self.judgement.resources if judged.verdict is verdict]
        return iter(sorted(found, key=lambda judged: judged.severity is not Severity.CRITICAL))

    def _stops(self, verdict: Verdict) -> bool:
        single = any(judged.enforced and self._counts_as(judged, verdict) for judged in self.judgement.resources)
        if single or not self.enforced:
            return single
        if verdict is VIOLATION:
            return bool(self.judgement.missing)
        unread = any(one.reason is not Reason.UNMATCHED_WAIVER for one in self.judgement.unread)
        return unread or not self.complete or not (self.judgement.resources or self._nothing_due)

    def _counts_as(self, judged: JudgedResource, verdict: Verdict) -> bool:
        if verdict is VIOLATION:
            return judged.verdict is VIOLATION
        return judged.verdict is UNVERIFIED or any(place.verdict is UNVERIFIED for place in judged.placements)

    @property
    def _idle_waivers(self) -> bool:
        return any(one.reason is Reason.UNMATCHED_WAIVER for one in self.judgement.unread)

    @property
    def _nothing_due(self) -> bool:
        """Every type looked at is declared unused, so that there being nothing is what the policy says."""
        types = {origin.type for origin in self.checkers}
        return bool(types) and types <= set(self.judgement.declared_unused)
