"""OCSF compliance findings as Prowler's own models read them: which outcome, how grave, and known again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from py_ocsf_models import OCSF_VERSION
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from py_ocsf_models.objects.cloud import Cloud

from diga_verify.assessment import concerned
from diga_verify.formats import ocsf
from diga_verify.formats.page import Page
from diga_verify.model import Verdict
from diga_verify.report import Evidence, Report

HOST = "//storage.googleapis.com/"


def events(report: Report) -> list[dict[str, Any]]:
    text = ocsf.render(report, Page())
    assert text == ocsf.render(report, Page(width=40, color=True))
    assert text.isascii()
    found: list[dict[str, Any]] = json.loads(text)
    assert found
    for event in found:
        assert_the_models_know_all_of_it(event)
    uids = [event["finding_info"]["uid"] for event in found]
    assert len(set(uids)) == len(uids)
    return found


def assert_the_models_know_all_of_it(event: dict[str, Any]) -> None:
    """The models leave out what they do not know, so what comes back is compared. They lack the cloud
    profile's object and its project, and the caption of one code."""
    read = ComplianceFinding.model_validate(event)
    shown = read.model_dump(mode="json", exclude_unset=True)
    sent = {name: value for name, value in event.items() if name != "cloud"}
    sent["compliance"] = {name: value for name, value in event["compliance"].items() if name != "status"}
    times = [shown.pop("time_dt", None), sent.pop("time_dt", None)]
    assert shown == sent
    assert times[0] == times[1] or datetime.fromisoformat(times[0]) == datetime.fromisoformat(times[1])
    cloud = Cloud.model_validate(event["cloud"]).model_dump(mode="json", exclude_unset=True)
    assert cloud | {"project_uid": cloud["account"]["uid"]} == event["cloud"]
    assert event["severity"] == read.severity_id.name
    assert read.status_id is not None
    assert event["status"] == read.status_id.name
    assert read.compliance.status_id is not None
    assert event["compliance"]["status"] == read.compliance.status_id.name
    assert read.type_uid == event["class_uid"] * 100 + event["activity_id"]


def outcome(event: dict[str, Any]) -> tuple[str, str, str, str]:
    return event["status_code"], event["compliance"]["status"], event["severity"], event["status"]


def resource(event: dict[str, Any]) -> str:
    [one] = event["resources"]
    return str(one["uid"])


def test_the_demo_through_the_command_line(ask: Callable[..., tuple[int, str]], folder: Path) -> None:
    code, text = ask("demo", "-f", "ocsf", "-o", "ocsf=findings.json")
    assert code == 1
    assert (folder / "findings.json").read_text() == text
    found = json.loads(text)
    assert Counter(event["status_code"] for event in found) == {"FAIL": 12, "MANUAL": 3, "PASS": 17}
    [exports] = [event for event in found if resource(event) == f"{HOST}dtx-exports"]
    assert outcome(exports) == ("FAIL", "Fail", "Critical", "New")
    assert exports["message"] == "gcs dtx-exports: primary in US"
    assert exports["status_detail"].startswith("primary in US: multi-region, United States\nread from location\n")
    assert exports["remediation"]["desc"].startswith("gcloud storage buckets relocate gs://dtx-exports ")
    assert exports["metadata"]["version"] == OCSF_VERSION
    assert exports["metadata"]["labels"] == ["SIMULATED", "INCOMPLETE"]
    assert exports["metadata"]["event_code"] == "residency-gcs"
    assert (exports["cloud"]["provider"], exports["cloud"]["account"]["uid"]) == ("gcp", "dtx-data")
    assert (exports["cloud"]["region"], exports["resources"][0]["region"]) == ("US", "US")
    assert exports["unmapped"]["placement"]["countries"] == ["US"]


def test_every_misplaced_placement_has_an_event(demo_report: Report, wrong_places: list[Any]) -> None:
    severities = {"critical": "Critical", "high": "High"}
    assert sorted(
        (
            event["resources"][0]["group"]["name"],
            *(event["unmapped"]["placement"][name] for name in ("role", "location", "field")),
            event["severity"],
        )
        for event in events(demo_report)
        if event["status_code"] == "FAIL"
    ) == sorted((*place, severities[severity]) for *place, severity in wrong_places)


def test_two_of_everything(everything: Report) -> None:
    found = events(everything)
    assert [(resource(event), *outcome(event)) for event in found] == [
        (f"{HOST}wrong-2", "FAIL", "Fail", "Critical", "New"),
        (f"{HOST}wrong-1", "FAIL", "Fail", "High", "New"),
        ("gcs/gone", "FAIL", "Fail", "High", "New"),
        ("gcs/wrong-3", "FAIL", "Fail", "High", "New"),
        ("projects/dtx-data/locations/b", "MANUAL", "Warning", "High", "New"),
        ("kms", "MANUAL", "Warning", "High", "New"),
        (f"{HOST}waived-1", "FAIL", "Fail", "High", "Suppressed"),
        (f"{HOST}waived-2", "FAIL", "Fail", "High", "Suppressed"),
        (f"{HOST}fine-1", "PASS", "Pass", "Informational", "New"),
        (f"{HOST}fine-2", "PASS", "Pass", "Informational", "New"),
    ]
    assert found[7]["unmapped"]["placement"]["waiver"] == {
        "reason": "old | contract",
        "owner": "owner 2",
        "expires": "2027-01-31",
        "line": everything.judgement.waivers_used[1].line,
    }
    assert [event["unmapped"]["finding"].get("reason") for event in found[4:6]] == ["timeout", "nothing_found"]
    assert [event["unmapped"]["finding"].get("enforced") for event in found[4:8]] == [True, True, False, False]


def test_what_is_not_verified_never_passes(calm: dict[str, tuple[Report, str, int]]) -> None:
    codes = {word: Counter(event["status_code"] for event in events(report)) for word, (report, _, _) in calm.items()}
    assert codes == {
        "compliant": {"PASS": 25},
        "nothing": {"MANUAL": 1},
        "missing": {"FAIL": 2},
        "unread": {"MANUAL": 2},
        "bare": {"MANUAL": 1},
        "unused": {"FAIL": 1},
        "idle waiver": {"MANUAL": 1, "PASS": 25},
        "interrupted": {"MANUAL": 1, "PASS": 25},
    }
    [idle] = [event for event in events(calm["idle waiver"][0]) if event["status_code"] == "MANUAL"]
    assert outcome(idle) == ("MANUAL", "Warning", "Medium", "New")


def test_a_run_that_found_nothing_because_nothing_is_due_passes(compliant_report: Report) -> None:
    types = tuple(origin.type for origin in compliant_report.checkers)
    empty = replace(compliant_report.judgement, resources=(), declared_unused=types)
    report = replace(compliant_report, judgement=empty)
    assert report.exit_code == 0
    [event] = events(report)
    assert (event["status_code"], resource(event)) == (
        "PASS",
        "//cloudresourcemanager.googleapis.com/projects/dtx-data",
    )


def test_requirements_are_those_that_a_finding_keeps_from_being_satisfied(demo_report: Report) -> None:
    found = events(demo_report)
    expected = [
        [control.name for control in concerned(judged, place)]
        for judged in demo_report.judgement.resources
        for place in judged.placements
        if place.verdict is Verdict.VIOLATION
    ]
    failed = [event["compliance"] for event in found if event["status_code"] == "FAIL"]
    assert sorted(one["requirements"] for one in failed) == sorted(expected)
    assert all("DiGAV section 4(3)" in one["requirements"] for one in failed[:8])
    assert all(one["standards"] for one in failed)
    assert not any("requirements" in event["compliance"] for event in found if event["status_code"] == "PASS")
    assert all(len(event["compliance"]["requirements"]) > 1 for event in found if event["status_code"] == "MANUAL")


def test_a_finding_is_known_again(demo_report: Report) -> None:
    before = [event["finding_info"]["uid"] for event in events(demo_report)]
    later = replace(demo_report, started_at="2027-01-01T00:00:00Z", finished_at="2027-01-01T00:00:01Z")
    assert [event["finding_info"]["uid"] for event in events(later)] == before
    elsewhere = replace(demo_report, project=replace(demo_report.project, id="dtx-more"))
    assert not set(before) & {event["finding_info"]["uid"] for event in events(elsewhere)}
    last = demo_report.judgement.resources[-1]
    twins = (*demo_report.judgement.resources, last)
    twice = replace(demo_report, judgement=replace(demo_report.judgement, resources=twins))
    added = {event["finding_info"]["uid"] for event in events(twice)} - set(before)
    assert len(added) == 1
    assert added.pop().endswith("-2")


def test_every_event_tells_of_its_run(full_of_caveats: Report) -> None:
    for event in events(full_of_caveats):
        run = event["unmapped"]["run"]
        assert (run["verdict"], run["exit_code"], run["complete"]) == ("violation", "1", "false")
        assert (run["simulated"], run["selection"]) == ("true", "gke/a, gcs/b")
        words = ["SIMULATED", "REROUTED", "SELECTED", "INCOMPLETE", "STRICT", "UNUSED"]
        assert event["metadata"]["labels"] == words


def test_an_event_points_into_the_evidence(demo_report: Report) -> None:
    judged = demo_report.judgement.resources[-1]
    place = judged.placements[-1]
    sourced = replace(place, placement=replace(place.placement, source="/calls/7/answer/name"))
    resources = (*demo_report.judgement.resources[:-1], replace(judged, placements=(*judged.placements[:-1], sourced)))
    report = replace(
        demo_report,
        judgement=replace(demo_report.judgement, resources=resources),
        evidence=Evidence(sha256="ab" * 32),
    )
    found = [event for event in events(report) if resource(event) == judged.resource.full_name]
    assert found[-1]["unmapped"]["placement"]["source"] == "/calls/7/answer/name"
    assert {event["unmapped"]["evidence_sha256"] for event in events(report)} == {"ab" * 32}


@pytest.mark.parametrize(
    ("finished", "milliseconds"),
    [("2026-11-23T15:09:10.794+01:00", 1795442950794), ("yesterday", 0), ("2026-11-23T14:09:10", 0)],
)
def test_times(finished: str, milliseconds: int, compliant_report: Report) -> None:
    event = events(replace(compliant_report, finished_at=finished))[-1]
    assert event["time"] == milliseconds
    assert event.get("end_time", 0) == milliseconds
    assert ("time_dt" in event) is bool(milliseconds)
