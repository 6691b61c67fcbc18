"""A report as Prometheus metrics. Pure: a report in, a registry and its text out.

No label holds anybody's text: each value is from a closed list, from our tables, or from the policy, so that the number
of series is bounded whatever a project holds. docs/metrics.md has every metric, and what the bounds are.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import product

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from diga_verify.changes import Effect, Kind
from diga_verify.judgement import JudgedPlacement
from diga_verify.locations.bound import normalise, region_of
from diga_verify.locations.table import table
from diga_verify.model import Severity, Verdict
from diga_verify.report import Report
from diga_verify.second_witness import INVENTORY
from diga_verify.sinks.metrics_list import (
    BUILD,
    CALLS,
    CHANGES,
    COMPARED,
    COMPLETE,
    DURATION,
    ENFORCED,
    EXIT_CODE,
    LAST_COMPLETE,
    LAST_COMPLIANT,
    MESSAGES,
    METRICS,
    MISSING,
    PLACEMENTS,
    POLICY,
    RESOURCES,
    RUN,
    SERVICES_KNOWN,
    SERVICES_NOT_READ,
    UNREAD,
    VERDICT,
    VIOLATIONS,
    WAIVER_EXPIRY,
    WAIVERS,
    Metric,
)

OTHER = "other"
"""The label of what is in no list of ours."""
NONE = "none"
"""The location of a placement about which the API said nothing."""
_RUN_VERDICTS = (Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.UNVERIFIED)
_NOT_OF_A_TYPE = ("project", "policy", INVENTORY)
"""What else than a resource type may be unread."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose metrics they are. Real and simulated runs never share a series."""

    environment: str
    project: str
    """As it was named to the gate: that stays the same when the project's record cannot be read."""
    simulated: bool

    @property
    def labels(self) -> Mapping[str, str]:
        """The labels that every series has, by name."""
        simulated = "true" if self.simulated else "false"
        return {"environment": self.environment, "project": self.project, "simulated": simulated}


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of the runs before this one, in seconds since 1970; 0 where nothing is."""

    complete: float = 0
    """When the last complete run ended."""
    compliant: float = 0
    """When the last compliant one did."""


Sample = tuple[Metric, tuple[str, ...], float]
"""A metric, the values of its own labels, and its value."""
Messages = tuple[tuple[str, bool], ...]
"""Of each message that the run was to send: the kind of its channel, and whether that took it."""


def registry(
    report: Report, subject: Subject, exit_code: int, past: Past, messages: Messages = ()
) -> CollectorRegistry:
    """The metrics of a run that ended with `exit_code`, in a registry of their own."""
    collected = CollectorRegistry()
    collected.register(_Metrics(subject, [*_samples(report, exit_code, past), *_messages(messages)]))
    return collected


def text(report: Report, subject: Subject, exit_code: int, past: Past, messages: Messages = ()) -> str:
    """The same in Prometheus' text format."""
    return generate_latest(registry(report, subject, exit_code, past, messages)).decode()


def ended(report: Report) -> float:
    """When the run ended, in seconds since 1970."""
    return _seconds(report.finished_at)


class _Metrics(Collector):
    def __init__(self, subject: Subject, samples: Iterable[Sample]) -> None:
        self._subject = subject
        self._samples: dict[Metric, list[tuple[tuple[str, ...], float]]] = {metric: [] for metric in METRICS}
        for metric, labels, value in samples:
            self._samples[metric].append((labels, value))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        common = self._subject.labels
        for metric, samples in self._samples.items():
            if not samples:
                continue
            family = GaugeMetricFamily(metric.name, metric.help, labels=[*common, *metric.labels])
            for labels, value in samples:
                family.add_metric([*common.values(), *labels], value)
            yield family


def _samples(report: Report, exit_code: int, past: Past) -> Iterator[Sample]:
    yield from _run(report, exit_code, past)
    yield from _found(report)
    yield from _not_found(report)
    yield from _waivers(report)
    yield from _services(report)
    yield from _calls(report)
    yield from _drift(report)
    yield POLICY, (report.enforcement, report.policy_sha256[:12]), 1
    yield BUILD, (report.table_date, report.version), 1


def _run(report: Report, exit_code: int, past: Past) -> Iterator[Sample]:
    end = ended(report)
    compliant = report.verdict is Verdict.COMPLIANT
    for verdict in _RUN_VERDICTS:
        yield VERDICT, (verdict,), report.verdict is verdict
    yield EXIT_CODE, (), exit_code
    yield ENFORCED, (), report.enforced
    yield COMPLETE, (), report.complete
    yield RUN, (), end
    yield LAST_COMPLETE, (), max(end, past.complete) if report.complete else past.complete
    yield LAST_COMPLIANT, (), max(end, past.compliant) if compliant else past.compliant
    yield DURATION, (), max(0.0, end - _seconds(report.started_at))


def _found(report: Report) -> Iterator[Sample]:
    types = _types(report)
    judged = report.judgement.resources
    resources = ((_one_of(types, one.resource.type), one.verdict.value) for one in judged)
    yield from _counted(RESOURCES, resources, product(types, Verdict))
    wrong = (
        ((one.severity or Severity.HIGH).value, _one_of(types, one.resource.type))
        for one in judged
        if one.verdict is Verdict.VIOLATION
    )
    yield from _counted(VIOLATIONS, wrong, product(Severity, types))
    placements = (
        (_location(place), place.placement.role.value, _one_of(types, one.resource.type), place.verdict.value)
        for one in judged
        for place in one.placements
    )
    yield from _counted(PLACEMENTS, placements)


def _not_found(report: Report) -> Iterator[Sample]:
    types = _types(report)
    missing = ((_one_of(types, one.type),) for one in report.judgement.missing)
    yield from _counted(MISSING, missing, ((type,) for type in types))
    about = (*types, *_NOT_OF_A_TYPE)
    unread = ((one.reason.value, _one_of(about, one.type)) for one in report.judgement.unread)
    yield from _counted(UNREAD, unread)


def _waivers(report: Report) -> Iterator[Sample]:
    used = report.judgement.waivers_used
    yield WAIVERS, (), len(used)
    ends: dict[tuple[str, ...], float] = {}
    for waiver in used:
        # It holds on its last day too. Two on one line of the policy, in an inline table, are told by the first to end.
        end = datetime.combine(waiver.expires, time(), UTC) + timedelta(days=1)
        labels = (str(waiver.line), waiver.role.value)
        ends[labels] = min(end.timestamp(), ends.get(labels, math.inf))
    yield from ((WAIVER_EXPIRY, labels, end) for labels, end in ends.items())


def _services(report: Report) -> Iterator[Sample]:
    yield SERVICES_KNOWN, (), report.services.known
    if report.services.known:
        yield SERVICES_NOT_READ, (), len(report.services.not_read)


def _calls(report: Report) -> Iterator[Sample]:
    yield from _counted(CALLS, ((call.service, call.status) for call in report.calls))


def _drift(report: Report) -> Iterator[Sample]:
    yield COMPARED, (), report.drift is not None
    if report.drift is not None:
        changes = ((one.effect.value, one.kind.value) for one in report.drift.changes)
        yield from _counted(CHANGES, changes, product(Effect, Kind))


def _messages(messages: Messages) -> Iterator[Sample]:
    outcomes = ("failed", "sent")
    told = ((channel, outcomes[sent]) for channel, sent in messages)
    yield from _counted(MESSAGES, told, product({channel for channel, _ in messages}, outcomes))


def _counted(
    metric: Metric, found: Iterable[tuple[str, ...]], always: Iterable[tuple[str, ...]] = ()
) -> Iterator[Sample]:
    """How often each was found, and a zero for what is always told: a series that comes and goes is hard to ask for."""
    counts = Counter(found)
    for labels in sorted({*counts, *(tuple(map(str, labels)) for labels in always)}):
        yield metric, labels, counts[labels]


def _types(report: Report) -> tuple[str, ...]:
    return tuple(origin.type for origin in report.checkers)


def _one_of(known: tuple[str, ...], word: str) -> str:
    return word if word in known else OTHER


def _location(place: JudgedPlacement) -> str:
    """The region or multi-region, if the tables have it. A zone counts to its region: any letter would make a zone."""
    if place.location is None:
        return NONE
    name = normalise(place.location)
    if region := region_of(name):
        return region.id
    return name if any(multi.id == name for multi in table().multis) else OTHER


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).timestamp()
