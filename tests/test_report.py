"""What a run comes to: its verdict, its counts and its exit code, each case of them, without a policy or a cloud."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any

import pytest

from diga_verify.judgement import JudgedPlacement, JudgedResource, Judgement, Missing
from diga_verify.locations.algebra import area, bound
from diga_verify.model import (
    PROOF_LACKING,
    Enforcement,
    Placement,
    Project,
    Reason,
    Resource,
    Role,
    Severity,
    Unread,
    Verdict,
    Witness,
)
from diga_verify.policy.rules import Allowed
from diga_verify.report import SCHEMA_VERSION, CheckerOrigin, Evidence, Report

COMPLIANT, VIOLATION, UNVERIFIED, WAIVED = Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.UNVERIFIED, Verdict.WAIVED
REQUIRED, RECOMMENDED, FREE = Enforcement.REQUIRED, Enforcement.RECOMMENDED, Enforcement.FREE
ALLOWED = Allowed(area(["europe-west3"]), ("europe-west3",), ("frankfurt",), 1)
IDLE = Unread("policy", "//b", Reason.UNMATCHED_WAIVER, "covers nothing")
FAILED = Unread("gcs", "gcs", Reason.TIMEOUT, "no answer")
EMPTY = Unread("gcs", "gcs", Reason.NOTHING_FOUND, "nothing")
GONE = Missing("gcs", "gone", None, 3)


def place(verdict: Verdict, severity: Severity | None = None) -> JudgedPlacement:
    location = "europe-west3"
    placement = Placement(Role.PRIMARY, location, "location")
    return JudgedPlacement(placement, location, bound(location, "gcs"), verdict, severity, ALLOWED)


def judged(verdict: Verdict, *places: JudgedPlacement, enforced: bool = True, unused: bool = False) -> JudgedResource:
    resource = Resource("gcs", "b", "//b", "bucket", tuple(one.placement for one in places))
    return JudgedResource(resource, verdict, places or (place(verdict),), enforced, unused)


def report(
    *resources: JudgedResource,
    unread: tuple[Unread, ...] = (),
    missing: tuple[Missing, ...] = (),
    unused: tuple[str, ...] = (),
    **changes: Any,
) -> Report:
    values: dict[str, Any] = dict.fromkeys(Report.__dataclass_fields__, "")
    values |= {
        "enforcement": REQUIRED,
        "strict": False,
        "project": Project("p", "1", "ACTIVE"),
        "judgement": Judgement(resources, missing, unread, unused, ()),
        "witness": Witness(),
        "calls": (),
        "checkers": (CheckerOrigin("gcs", "diga-verify", "0", ()), CheckerOrigin("kms", "diga-verify", "0", ())),
        "limits": (),
        "interrupted_by": None,
    }
    return Report(**values | changes)


FINE, WRONG, OPEN, EXCUSED = judged(COMPLIANT), judged(VIOLATION), judged(UNVERIFIED), judged(WAIVED)
WRONG_AND_OPEN = judged(VIOLATION, place(VIOLATION), place(UNVERIFIED))
NOBODY_MINDS = [judged(verdict, enforced=False) for verdict in (COMPLIANT, VIOLATION, UNVERIFIED, WAIVED)]


@pytest.mark.parametrize(
    ("made", "verdict", "code"),
    [
        (report(FINE), COMPLIANT, 0),
        (report(FINE, EXCUSED), COMPLIANT, 0),
        (report(FINE, WRONG), VIOLATION, 1),
        (report(FINE, OPEN), UNVERIFIED, 3),
        (report(OPEN, WRONG), VIOLATION, 1),
        (report(FINE, WRONG_AND_OPEN), VIOLATION, 1),
        (report(FINE, missing=(GONE,)), VIOLATION, 1),
        (report(FINE, OPEN, missing=(GONE,)), VIOLATION, 1),
        (report(FINE, unread=(FAILED,)), UNVERIFIED, 3),
        (report(FINE, unread=(EMPTY,)), UNVERIFIED, 3),
        (report(FINE, WRONG, unread=(FAILED,)), VIOLATION, 1),
        (report(), UNVERIFIED, 3),
        (report(unused=("gcs",)), UNVERIFIED, 3),
        (report(unused=("gcs", "kms")), COMPLIANT, 0),
        (report(checkers=()), UNVERIFIED, 3),
        (report(unused=("gcs", "kms", "sql")), COMPLIANT, 0),
        (report(FINE, unread=(IDLE,)), UNVERIFIED, 2),
        (report(FINE, unread=(IDLE, FAILED)), UNVERIFIED, 3),
        (report(FINE, WRONG, unread=(IDLE,)), VIOLATION, 1),
        (report(FINE, interrupted_by=2), UNVERIFIED, 130),
        (report(FINE, WRONG, interrupted_by=15), VIOLATION, 143),
    ],
)
def test_an_enforced_environment(made: Report, verdict: Verdict, code: int) -> None:
    assert (made.verdict, made.exit_code) == (verdict, code)


@pytest.mark.parametrize("enforcement", [RECOMMENDED, FREE])
@pytest.mark.parametrize(
    ("resources", "more", "code"),
    [
        (NOBODY_MINDS, {}, 0),
        ([*NOBODY_MINDS, FINE], {}, 0),
        ([*NOBODY_MINDS, WRONG], {}, 1),
        ([*NOBODY_MINDS, OPEN], {}, 3),
        ([*NOBODY_MINDS, OPEN, WRONG], {}, 1),
        ([FINE], {"unread": (FAILED,)}, 0),
        ([FINE], {"unread": (IDLE,)}, 0),
        ([FINE], {"missing": (GONE,)}, 0),
        ([], {}, 0),
    ],
)
def test_an_environment_in_which_only_single_resources_are_enforced(
    enforcement: Enforcement, resources: list[JudgedResource], more: Any, code: int
) -> None:
    assert report(*resources, enforcement=enforcement, **more).exit_code == code


@pytest.mark.parametrize(
    ("resources", "more", "code"),
    [
        ([FINE], {}, 0),
        ([FINE], {"unread": (FAILED,)}, 3),
        ([FINE], {"unread": (IDLE,)}, 2),
        ([FINE], {"missing": (GONE,)}, 1),
        ([], {}, 3),
    ],
)
def test_strict_enforces_every_environment(resources: list[JudgedResource], more: Any, code: int) -> None:
    assert report(*resources, enforcement=FREE, strict=True, **more).exit_code == code


@pytest.mark.parametrize("open_", [judged(WAIVED, place(WAIVED), place(UNVERIFIED)), OPEN])
@pytest.mark.parametrize("enforcement", list(Enforcement))
def test_one_unproven_placement_stops_whatever_the_rest_is(open_: JudgedResource, enforcement: Enforcement) -> None:
    assert report(FINE, open_, enforcement=enforcement).exit_code == 3


@pytest.mark.parametrize(
    ("enforcement", "strict", "enforced"),
    [
        (REQUIRED, False, True),
        (REQUIRED, True, True),
        (RECOMMENDED, False, False),
        (RECOMMENDED, True, True),
        (FREE, False, False),
        (FREE, True, True),
    ],
)
def test_enforced(enforcement: Enforcement, strict: bool, enforced: bool) -> None:
    assert report(FINE, enforcement=enforcement, strict=strict).enforced is enforced


@pytest.mark.parametrize("reason", list(Reason))
def test_complete_means_that_all_was_read(reason: Reason) -> None:
    unread = (EMPTY, Unread("gcs", "x", reason, "..."))
    assert report(FINE, unread=unread).complete is (reason in PROOF_LACKING)
    assert report(FINE, unread=unread[::-1], interrupted_by=2).complete is False


def test_a_run_that_reads_everything_is_complete() -> None:
    assert report(FINE).complete
    assert not report(FINE, interrupted_by=15).complete


def test_counts() -> None:
    two_places = judged(COMPLIANT, place(COMPLIANT), place(COMPLIANT))
    made = report(
        FINE, two_places, FINE, WRONG, WRONG, OPEN, EXCUSED, EXCUSED, missing=(GONE,) * 3, unread=(FAILED,) * 4
    )
    counts = made.summary
    assert (counts.resources, counts.compliant, counts.violations, counts.unverified) == (8, 3, 2, 1)
    assert (counts.waived, counts.missing, counts.unread) == (2, 3, 4)
    assert made.placements == 9


def test_critical_violations_come_first() -> None:
    high = judged(VIOLATION, place(VIOLATION, Severity.HIGH))
    critical = judged(VIOLATION, place(VIOLATION, Severity.HIGH), place(VIOLATION, Severity.CRITICAL))
    unused = judged(VIOLATION, place(COMPLIANT), unused=True)
    made = report(high, FINE, unused, critical, OPEN)
    assert [*made.of(VIOLATION)] == [critical, high, unused]
    assert [*made.of(COMPLIANT)] == [FINE]
    assert [one.severity for one in (high, critical, unused, FINE, OPEN)] == [
        Severity.HIGH,
        Severity.CRITICAL,
        Severity.HIGH,
        None,
        None,
    ]


def test_what_other_programs_may_rely_on() -> None:
    assert SCHEMA_VERSION == "1"


def test_nothing_is_declared_unused_unless_it_is_said() -> None:
    assert not JudgedResource(FINE.resource, COMPLIANT, FINE.placements, enforced=True).declared_unused


def test_the_severity_of_what_is_waived_does_not_count() -> None:
    one = judged(VIOLATION, place(WAIVED, Severity.CRITICAL), place(VIOLATION, Severity.HIGH))
    assert one.severity is Severity.HIGH


def test_evidence_is_told_by_its_digest() -> None:
    stored = Evidence("ab", b"SECRET")
    assert (stored, Evidence("ab").data) == (Evidence("ab"), b"")
    assert stored != Evidence("cd", b"SECRET")
    assert "SECRET" not in repr(stored)


def test_a_report_is_of_its_own_policy_and_without_more_unless_it_says_so() -> None:
    defaults = {one.name: one.default for one in fields(Report) if one.default is not MISSING}
    assert {name: defaults[name] for name in ("what_if", "evidence", "drift", "interrupted_by")} == {
        "what_if": False,
        "evidence": None,
        "drift": None,
        "interrupted_by": None,
    }


def test_a_resource_of_which_something_is_unread_stops_where_it_alone_is_enforced() -> None:
    """None of its places is unproven: what was not read might be another."""
    troubled = judged(Verdict.UNVERIFIED, place(Verdict.COMPLIANT))
    assert report(troubled, enforcement=Enforcement.FREE).exit_code == 3
