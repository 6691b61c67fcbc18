"""The sentences that formats share."""

from __future__ import annotations

from dataclasses import replace

from diga_verify.formats import table
from diga_verify.formats.advice import remedy
from diga_verify.formats.page import Page
from diga_verify.formats.words import about_missing, about_placement, conclusion, where
from diga_verify.judgement import Missing
from diga_verify.model import Enforcement, Reason, Verdict
from diga_verify.policy.rules import Assumption
from diga_verify.report import Report


def test_how_a_run_ended(calm: dict[str, tuple[Report, str, int]], demo_report: Report) -> None:
    stopped = "Deployment stopped: the data is not proven to be where the policy requires."
    assert {name: conclusion(report) for name, (report, _, _) in calm.items()} == dict.fromkeys(calm, stopped) | {
        "compliant": "All data of the project lies where the policy requires.",
        "idle waiver": "Deployment stopped: the policy has waivers that cover nothing.",
        "interrupted": "Interrupted: nothing is proven.",
    }
    part = replace(calm["compliant"][0], whole=False)
    assert conclusion(part) == "What was selected lies where the policy requires."
    good = calm["compliant"][0]
    waived = tuple(replace(one, verdict=Verdict.WAIVED) for one in good.judgement.resources[:1])
    excused = replace(good, judgement=replace(good.judgement, resources=waived))
    assert conclusion(excused) == "All data of the project lies where the policy requires, or is waived by name."
    printed = " ".join(table.render(excused, Page()).split())
    assert "All data of dtx-data lies where the policy requires, or is waived by name. exit 0" in printed
    nobody = tuple(replace(one, enforced=False) for one in demo_report.judgement.resources)
    shown = replace(
        demo_report, enforcement=Enforcement.RECOMMENDED, judgement=replace(demo_report.judgement, resources=nobody)
    )
    assert conclusion(shown) == "Shown, not enforced: the environment is recommended, and the verdict is violation."


def test_a_missing_resource(demo_report: Report) -> None:
    step = "correct the name, or create it; see docs/respond.md#missing"
    assert list(about_missing(Missing("gcs", "a", "EU", 7, ("b", "c")), demo_report)) == [
        "expected in EU by regions.toml:7, and not there",
        f"next: did you mean b, c? {step}",
    ]
    assert list(about_missing(Missing("gcs", "a", None, None), demo_report)) == [
        "expected by the command line, and not there",
        f"next: {step}",
    ]


def test_a_placement_that_is_assumed_or_not_verified(compliant_report: Report) -> None:
    judged = next(one for one in compliant_report.judgement.resources if one.resource.type == "sql")
    place = next(place for place in judged.placements if place.placement.role == "backup")
    assumed = replace(place, assumption=Assumption("eu", 88))
    assert list(about_placement(judged, assumed, compliant_report))[2:] == [
        "the answer names no location; assumed by regions.toml:88",
        "allowed: europe-west3, jurisdiction:EU (regions.toml:34)",
    ]
    unknown = replace(place, location=None, bound=None, verdict=Verdict.UNVERIFIED, reason=Reason.MISSING_LOCATION)
    lines = list(about_placement(judged, unknown, compliant_report))
    assert lines[0] == "backup in no location"
    assert lines[3:] == [
        "not verified: missing_location",
        f"next: {remedy(Reason.MISSING_LOCATION)}; see docs/unverified.md#missing_location",
    ]


def test_a_location_and_what_it_stands_for_are_said_once(demo_report: Report) -> None:
    said = {where(place) for judged in demo_report.judgement.resources for place in judged.placements}
    assert said >= {"us-central1 (Iowa, United States)", "us-central1-c: us-central1 (Iowa, United States)"}
