"""Reports of large projects: nothing is looked at more often than there is of it, and a resource is written when it is
its turn. Counted, not timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from diga_verify import assessment
from diga_verify.evaluate import evaluate
from diga_verify.formats import ecs, html_findings, html_records, oscal_observations
from diga_verify.formats.page import Page
from diga_verify.formats.registry import pieces
from diga_verify.formats.stored import read_report
from diga_verify.judgement import Scope
from diga_verify.model import Enforcement, Placement, Resource, Role, Verdict
from diga_verify.policy import Policy
from diga_verify.policy.rules import Waiver
from diga_verify.report import Report

MANY = 30
Counted = Callable[[Any, str], list[None]]


@pytest.fixture
def waived(policy: Callable[..., Policy], compliant_report: Report) -> Report:
    """A report on many buckets in the United States, each with a waiver of its own, save the last."""
    places = (Placement(Role.PRIMARY, "US", "location"),)
    names = [f"b-{number:03d}" for number in range(MANY)]
    found = [Resource("gcs", name, f"//storage.googleapis.com/{name}", "bucket", places) for name in names]
    more = "".join(
        f'[[waivers]]\nresource = "{one.full_name}"\nrole = "primary"\nlocation = "US"\nreason = "r"\nowner = "o"\n'
        "expires = 2027-01-31\n"
        for one in found[:-1]
    )
    rules = policy(more=more).environment("production")
    judgement = evaluate(found, (), rules, Scope(("gcs",)), Enforcement.REQUIRED)
    assert [one.verdict for one in judgement.resources].count(Verdict.WAIVED) == MANY - 1
    return replace(compliant_report, judgement=judgement)


def test_a_stored_placement_is_compared_with_the_waivers_of_its_resource_alone(
    waived: Report, counted: Counted
) -> None:
    text = "".join(pieces("json", waived, Page()))
    calls = counted(Waiver, "matches")
    read = read_report(text.encode(), "report.json")
    assert read.judgement.waivers_used == waived.judgement.waivers_used
    assert len(calls) <= 2 * MANY


def test_waivers_in_the_audit_log_are_not_compared_with_each_finding(waived: Report, counted: Counted) -> None:
    calls = counted(Waiver, "__eq__")
    events = ecs.lines(waived)
    assert events.count('"residency-waiver"') == MANY - 1
    assert len(calls) <= MANY


def test_the_page_numbers_resources_once_for_all_waivers(waived: Report, counted: Counted) -> None:
    calls = counted(html_findings, "anchors")
    shown = html_findings.waivers(waived)
    assert [shown.count(f'href="#r{number}"') for number in (1, MANY - 1, MANY)] == [1] * 2 + [0]
    assert len(calls) == 1


def test_a_control_asks_once_about_all_places_of_a_kind(waived: Report, counted: Counted) -> None:
    resources = waived.judgement.resources
    calls = counted(assessment, "_says")
    asked = []
    for count in 2, MANY:
        calls.clear()
        assessment.assessed(replace(waived, judgement=replace(waived.judgement, resources=resources[-count:])))
        asked.append(len(calls))
    assert asked[0] == asked[1] > 0


@pytest.mark.parametrize(
    ("name", "module", "maker", "sign"),
    [("oscal", oscal_observations, "_of_resource", '"methods"'), ("html", html_records, "_resource", "<tbody><tr ")],
)
def test_a_resource_is_written_when_it_is_its_turn(
    name: str, module: Any, maker: str, sign: str, compliant_report: Report, counted: Counted
) -> None:
    calls = counted(module, maker)
    made = [len(calls) for piece in pieces(name, compliant_report, Page()) if sign in piece and calls]
    assert [*dict.fromkeys(made)] == [*range(1, 1 + len(compliant_report.judgement.resources))]
