"""Whether one state is worse than another."""

from __future__ import annotations

from diga_verify.changes import Effect, State
from diga_verify.judgement import GRAVEST_FIRST
from diga_verify.model import Severity, Verdict

_BEST_FIRST = GRAVEST_FIRST[::-1]
_SEVERITIES = (None, Severity.HIGH, Severity.CRITICAL)


def of_verdict(verdict: Verdict, severity: Severity | None = None) -> State:
    """A verdict as one side of a change."""
    return State(verdict.value, verdict, severity)


NOT_THERE = of_verdict(Verdict.COMPLIANT)
"""What is not there breaks no rule."""
NOT_KNOWN = of_verdict(Verdict.UNVERIFIED)


def effect(before: State, after: State) -> Effect:
    """By verdict, then by severity. That a violation can no longer be seen makes nothing better."""
    if before.verdict is Verdict.VIOLATION and after.verdict is Verdict.UNVERIFIED:
        return Effect.NEUTRAL
    return by_rank(rank(before), rank(after))


def by_rank(before: tuple[int, ...], after: tuple[int, ...]) -> Effect:
    """More is worse."""
    if before == after:
        return Effect.NEUTRAL
    return Effect.WORSE if before < after else Effect.BETTER


def rank(state: State) -> tuple[int, int]:
    """How grave a state is. A state without a verdict is as good as unverified."""
    verdict = state.verdict or Verdict.UNVERIFIED
    return _BEST_FIRST.index(verdict), _SEVERITIES.index(state.severity)
