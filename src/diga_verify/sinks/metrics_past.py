"""What metrics that were written before say of the runs before this one. Pure; never raises, whatever the text."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from diga_verify.sinks.metrics import Past, Subject
from diga_verify.sinks.metrics_list import LAST_COMPLETE, LAST_COMPLIANT, RUN

SKEW = 300.0
"""Seconds by which another run may be ahead: it ended while this one still wrote its reports, or its clock is fast."""


def past(text: str, subject: Subject, now: float) -> Past:
    """What `text`, metrics in Prometheus' text format, has about the subject; 0 for what it has not.

    A time well after `now`, in seconds since 1970, is not believed: it would keep a stale result looking fresh.
    """
    times = {LAST_COMPLETE.name: 0.0, LAST_COMPLIANT.name: 0.0}
    for name, labels, value in _samples(text, tuple(times)):
        ours = subject.labels.items() <= labels.items()
        if ours and times[name] < value <= now + SKEW:
            times[name] = value
    return Past(times[LAST_COMPLETE.name], times[LAST_COMPLIANT.name])


def somebody_elses(text: str, subject: Subject) -> dict[str, str] | None:
    """The labels of another subject that `text` is about, if there is one."""
    for _, labels, _ in _samples(text, (RUN.name,)):
        found = {name: labels.get(name, "") for name in subject.labels}
        if found != subject.labels:
            return found
    return None


def _samples(text: str, names: tuple[str, ...]) -> Iterator[tuple[str, dict[str, str], float]]:
    # Line by line: what another program wrote beside it, or half a line, must not hide the rest.
    for line in text.split("\n"):
        if not line.startswith(names):
            continue
        for family in _understood(line):
            for sample in family.samples:
                if sample.name in names:
                    yield sample.name, sample.labels, sample.value


def _understood(line: str) -> list[Family]:
    try:
        return [*text_string_to_metric_families(line)]
    except Exception:  # noqa: BLE001 - the parser promises no kind of error; a line that is none says nothing
        return []
