"""OSCAL assessment results as compliance-trestle reads them: controls, what they rest on, what is only not proven."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from trestle.common.model_utils import ModelUtils
from trestle.oscal import OSCAL_VERSION
from trestle.oscal.assessment_results import Model

from diga_verify.assessment import Standing, assessed
from diga_verify.formats import oscal, sarif
from diga_verify.formats.page import Page
from diga_verify.judgement import JudgedResource
from diga_verify.model import Verdict
from diga_verify.report import Evidence, Report

HOST = "//storage.googleapis.com/"


def document(report: Report) -> dict[str, Any]:
    text = oscal.render(report, Page())
    assert text == oscal.render(report, Page(width=40, color=True))
    assert text.isascii()
    read: dict[str, Any] = json.loads(text)["assessment-results"]
    assert_trestle_reads(text)
    assert_nothing_leads_nowhere(read)
    return read


def assert_trestle_reads(text: str) -> None:
    """Its models forbid what they do not know."""
    model = Model.model_validate(json.loads(text)).assessment_results
    assert ModelUtils.has_no_duplicate_values_by_name(model, "uuid")


def strings(node: Any, key: str) -> Iterator[str]:
    """The values of a key, wherever it is."""
    if isinstance(node, dict):
        yield from (value for name, value in node.items() if name == key and isinstance(value, str))
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from strings(one, key)


def assert_nothing_leads_nowhere(read: dict[str, Any]) -> None:
    """trestle does not look after references within a document."""
    [result] = read["results"]
    known = set(strings(read, "uuid"))
    for key in ("subject-uuid", "actor-uuid", "observation-uuid", "component-uuid"):
        assert set(strings(read, key)) <= known
    resources = {one["uuid"] for one in read["back-matter"]["resources"]}
    assert {href[1:] for href in strings(read, "href") if href.startswith("#")} <= resources
    objectives = read["local-definitions"]["objectives-and-methods"]
    targets = [one["target"]["target-id"] for one in result["findings"]]
    assert targets == [part["id"] for one in objectives for part in one["parts"]]
    selected = result["reviewed-controls"]["control-selections"][0]["include-controls"]
    assert [one["control-id"] for one in selected] == [one["control-id"] for one in objectives]


def observations(read: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The observations by the names of their subjects."""
    found = read["results"][0].get("observations", [])
    return {one["subjects"][0]["title"]: one for one in found}


def findings(read: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["target"]["target-id"].removesuffix("_obj"): one for one in read["results"][0]["findings"]}


def status(finding: dict[str, Any]) -> tuple[str, str]:
    return finding["target"]["status"]["state"], finding["target"]["status"]["reason"]


def props(node: dict[str, Any]) -> dict[str, str]:
    assert {one["ns"] for one in node["props"]} == {"urn:diga-verify:oscal:v1"}
    return {one["name"]: one["value"] for one in node["props"]}


@pytest.fixture
def proven(compliant_report: Report) -> Report:
    """What a compliant run would have reported with Google's own answers."""
    return replace(compliant_report, simulated=False, api_root=None, deep=True)


def test_the_demo_through_the_command_line(ask: Callable[..., tuple[int, str]], folder: Path) -> None:
    code, text = ask("demo", "-f", "oscal", "-o", "oscal=results.json")
    assert code == 1
    assert (folder / "results.json").read_text() == text
    assert_trestle_reads(text)
    read = json.loads(text)["assessment-results"]
    assert read["metadata"]["oscal-version"] == OSCAL_VERSION
    assert read["metadata"]["title"] == "Data residency of dtx-data, production"
    [result] = read["results"]
    assert result["title"] == "diga-verify production dtx-data: violation"
    assert "SIMULATED: the answers came from a stand-in" in result["description"]
    assert (props(result)["exit-code"], props(result)["simulated"]) == ("1", "true")
    assert len(result["local-definitions"]["inventory-items"]) == 27
    assert len(result["observations"]) == 28
    [policy] = [one for one in read["back-matter"]["resources"] if one["title"] == "The policy"]
    assert policy["rlinks"][0]["href"] == "regions.toml"
    assert policy["rlinks"][0]["hashes"][0]["value"] == props(result)["policy-sha256"]
    assert read["import-ap"]["href"] == f"#{policy['uuid']}"
    exports = observations(read)[f"{HOST}dtx-exports"]
    assert exports["description"].startswith(
        "violation: primary in US: multi-region, United States\n  read from location\n"
        "  allowed: europe-west3 (regions.toml:31)\n"
    )
    assert props(exports) == {"verdict": "violation", "severity": "critical", "enforced": "true"}


def test_every_placement_is_evidence(demo_report: Report) -> None:
    read = document(demo_report)
    evidence = [
        (one["subjects"][0]["title"], *(props(place)[name] for name in ("role", "location", "field", "verdict")))
        for one in read["results"][0]["observations"]
        for place in one.get("relevant-evidence", [])
    ]
    assert evidence == [
        (judged.resource.full_name, place.placement.role, place.location, place.placement.field, place.verdict)
        for judged in demo_report.judgement.resources
        for place in judged.placements
    ]


def test_what_a_control_rests_on(demo_report: Report) -> None:
    read = document(demo_report)
    found, by_uuid = findings(read), {one["uuid"]: name for name, one in observations(read).items()}
    for one in assessed(demo_report):
        finding = found[one.control.id]
        related = [by_uuid[other["observation-uuid"]] for other in finding["related-observations"]]
        beside = ["projects/dtx-data/locations/- projects/dtx-data/locations/us-east1"]
        assert related == [*one.resources, *(beside if one.standing is Standing.NOT_PROVEN else [])]
        expected = ("not-satisfied", "fail" if one.standing is Standing.NOT_SATISFIED else "other")
        assert status(finding) == expected
        assert props(finding)["standing"] == one.standing
    assert status(found["digav-4-3"]) == ("not-satisfied", "fail")


def test_what_is_proven_is_satisfied_and_nothing_else_is(proven: Report) -> None:
    read = document(proven)
    assert {status(one) for one in findings(read).values()} == {("satisfied", "pass")}
    assert {len(one["related-observations"]) for one in findings(read).values()} == {25}
    doubtful = [
        replace(proven, simulated=True),
        replace(proven, whole=False, selection=("gcs",)),
        replace(proven, interrupted_by=15),
        replace(proven, judgement=replace(proven.judgement, resources=())),
    ]
    for report in doubtful:
        for one in findings(document(report)).values():
            assert status(one) == ("not-satisfied", "other")
            remarks = one["target"]["status"]["remarks"]
            assert remarks.startswith("Not proven: the report shows neither that it is kept nor broken. ")


def test_it_says_why_nothing_is_proven(proven: Report) -> None:
    [finding, *_] = findings(document(replace(proven, simulated=True))).values()
    assert (
        "SIMULATED: the answers came from a stand-in, not from Google Cloud." in finding["target"]["status"]["remarks"]
    )
    assert "related-observations" not in finding
    [finding, *_] = findings(document(replace(proven, interrupted_by=15))).values()
    assert "Interrupted: nothing is proven." in finding["target"]["status"]["remarks"]
    assert len(finding["related-observations"]) == 1


def test_two_of_everything(everything: Report) -> None:
    found = observations(document(everything))
    assert {name: props(one).get("verdict") or props(one)["kind"] for name, one in found.items()} == {
        f"{HOST}fine-1": "compliant",
        f"{HOST}fine-2": "compliant",
        f"{HOST}waived-1": "waived",
        f"{HOST}waived-2": "waived",
        f"{HOST}wrong-1": "violation",
        f"{HOST}wrong-2": "violation",
        "gcs/gone": "missing",
        "gcs/wrong-3": "missing",
        "projects/dtx-data/locations/b": "not-read",
        "kms": "not-proven",
    }
    assert [one["types"] for one in found.values()] == [["control-objective"]] * 2 + [["finding"]] * 8
    waiver = everything.judgement.waivers_used[1]
    said = f"  waived until 2027-01-31 by owner 2: old | contract (regions.toml:{waiver.line})"
    assert said in found[f"{HOST}waived-2"]["description"].split("\n")
    assert props(found["projects/dtx-data/locations/b"])["reason"] == "timeout"
    assert found["gcs/gone"]["subjects"][0]["type"] == "component"


def test_trestle_reads_the_runs_with_next_to_nothing(calm: dict[str, tuple[Report, str, int]]) -> None:
    told = {word: [*observations(document(report))][25:] for word, (report, _, _) in calm.items()}
    project = "//cloudresourcemanager.googleapis.com/projects/dtx-data"
    assert (told["compliant"], told["interrupted"], told["idle waiver"]) == ([], [project], ["//b"])
    [nothing] = observations(document(calm["nothing"][0])).values()
    assert nothing["title"] == "the run ended unverified, exit 3"
    [bare] = observations(document(calm["bare"][0])).values()
    assert bare["description"] == "no places of it are known"
    [unused] = observations(document(calm["unused"][0])).values()
    assert unused["description"].startswith("the policy declares kms unused in production\nnext: delete it")


def test_what_was_not_covered_is_told(demo_report: Report) -> None:
    remarks = document(demo_report)["results"][0]["remarks"].split("\n")
    assert demo_report.limits
    assert remarks[-len(demo_report.limits) :] == [one.text for one in demo_report.limits]
    [told] = [one for one in remarks if one.startswith("not covered: ")]
    said = json.loads(sarif.render(demo_report, Page()))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert f"{told}." in [one["message"]["text"] for one in said if one["level"] == "note"]


def test_evidence_is_linked(demo_report: Report) -> None:
    judged = demo_report.judgement.resources[-1]
    place = judged.placements[-1]
    sourced = replace(place, placement=replace(place.placement, source="/calls/7/answer/name"))
    resources = (*demo_report.judgement.resources[:-1], replace(judged, placements=(*judged.placements[:-1], sourced)))
    report = replace(
        demo_report,
        judgement=replace(demo_report.judgement, resources=resources),
        evidence=Evidence(sha256="ab" * 32),
    )
    read = document(report)
    [kept] = [one for one in read["back-matter"]["resources"] if one["title"].startswith("The evidence")]
    assert kept["document-ids"] == [{"identifier": f"sha256:{'ab' * 32}"}]
    evidence = observations(read)[judged.resource.full_name]["relevant-evidence"][-1]
    assert evidence["href"] == f"#{kept['uuid']}"
    assert props(evidence)["evidence-pointer"] == "/calls/7/answer/name"


def test_identifiers_stay_from_run_to_run(demo_report: Report) -> None:
    later = replace(demo_report, started_at="2027-01-01T00:00:00Z", finished_at="2027-01-01T00:00:01Z")
    first, second = document(demo_report), document(later)
    own = [{read["uuid"], read["results"][0]["uuid"]} for read in (first, second)]
    assert len(own[0] | own[1]) == 4
    assert set(strings(first, "uuid")) - own[0] == set(strings(second, "uuid")) - own[1]
    judged_otherwise = document(replace(demo_report, what_if=True, policy_sha256="cd" * 32))
    assert judged_otherwise["uuid"] not in own[0]


def test_answers_that_differ_about_a_resource_are_one_observation(demo_report: Report) -> None:
    *others, last = demo_report.judgement.resources
    assert last.verdict is not Verdict.COMPLIANT
    fine = replace(last, verdict=Verdict.COMPLIANT, placements=(), enforced=False)

    def told(*twins: JudgedResource) -> dict[str, Any]:
        report = replace(demo_report, judgement=replace(demo_report.judgement, resources=(*others, *twins)))
        return observations(document(report))[last.resource.full_name]

    assert props(told(fine, last)) == props(told(last, fine)) == props(told(last))


@pytest.mark.parametrize(
    ("text", "time"),
    [("2026-11-23T15:09:10.794+01:00", "2026-11-23T14:09:10.794000+00:00"), ("yesterday", "1970-01-01T00:00:00+00:00")],
)
def test_times(text: str, time: str, compliant_report: Report) -> None:
    read = document(replace(compliant_report, started_at=text, finished_at=text))
    assert (read["results"][0]["start"], read["results"][0]["end"], read["metadata"]["last-modified"]) == (time,) * 3
