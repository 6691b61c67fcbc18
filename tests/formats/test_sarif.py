"""SARIF as GitHub code scanning takes it: what is a result, where it stands, how it is known again."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diga_verify.formats import sarif
from diga_verify.formats.findings import Kind
from diga_verify.formats.page import Page
from diga_verify.judgement import JudgedPlacement
from diga_verify.model import Enforcement, Reason, Role, Unread, Verdict
from diga_verify.policy import Policy
from diga_verify.report import Report

HOST = "//storage.googleapis.com/"
LEVELS = ["error", "warning", "note"]


def run_of(report: Report) -> dict[str, Any]:
    text = sarif.render(report, Page())
    assert text == sarif.render(report, Page(width=40, color=True))
    assert text.isascii()
    log = json.loads(text)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    assert isinstance(run, dict)
    assert_github_takes(run)
    return run


def assert_github_takes(run: dict[str, Any]) -> None:
    """What GitHub's page on SARIF asks for, and does not say of every file that lacks it."""
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert rule["help"]["markdown"]
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
    assert len(set(prints)) == len(prints) <= sarif.SHOWN
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        [location] = result["locations"]
        uri = location["physicalLocation"]["artifactLocation"]["uri"]
        assert uri
        assert ":" not in uri
        assert "\\" not in uri
        assert not {"", ".", ".."} & set(uri.split("/"))
        assert location["physicalLocation"]["region"]["startLine"] >= 1
    ranks = [(LEVELS.index(result["level"]), result["ruleIndex"]) for result in run["results"]]
    assert ranks == sorted(ranks)


def results(report: Report) -> list[dict[str, Any]]:
    return list(run_of(report)["results"])


def name(result: dict[str, Any]) -> str:
    return str(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"])


def line(result: dict[str, Any]) -> int:
    return int(result["locations"][0]["physicalLocation"]["region"]["startLine"])


def about(found: list[dict[str, Any]], full_name: str) -> dict[str, Any]:
    [result] = [one for one in found if name(one) == full_name]
    return result


def with_placement(report: Report, resource: str, **changes: Any) -> Report:
    """The report with its last violating placement of a resource changed."""
    judged = next(one for one in report.judgement.resources if one.resource.name == resource)
    places = [*judged.placements]
    number = max(number for number, place in enumerate(places) if place.verdict is not Verdict.COMPLIANT)
    places[number] = replace(places[number], placement=replace(places[number].placement, **changes))
    return with_places(report, resource, places)


def with_places(report: Report, resource: str, places: list[JudgedPlacement]) -> Report:
    changed = tuple(
        replace(one, placements=tuple(places)) if one.resource.name == resource else one
        for one in report.judgement.resources
    )
    return replace(report, judgement=replace(report.judgement, resources=changed))


def fingerprint(report: Report, resource: str) -> str:
    [print_] = {
        one["partialFingerprints"]["primaryLocationLineHash"]
        for one in results(report)
        if name(one).endswith(f"/{resource}")
    }
    return str(print_)


def test_the_demo_through_the_command_line(ask: Callable[..., tuple[int, str]], folder: Path) -> None:
    code, text = ask("demo", "-f", "sarif", "-o", "report.sarif")
    assert code == 1
    assert (folder / "report.sarif").read_text() == text
    [run] = json.loads(text)["runs"]
    exports = about(run["results"], f"{HOST}dtx-exports")
    assert (exports["ruleId"], exports["level"]) == ("outside-law", "error")
    assert exports["message"]["text"] == (
        "gcs dtx-exports: primary in US.\n"
        "primary in US: multi-region, United States\n"
        "read from location\n"
        "allowed: europe-west3 (regions.toml:31)\n"
        "critical: outside what DiGAV section 4(3) allows\n"
        "next: gcloud storage buckets relocate gs://dtx-exports --location europe-west3, or copy its objects to "
        "a new bucket and delete this one; see docs/respond.md#gcs"
    )
    assert exports["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "regions.toml", "index": 0},
        "region": {"startLine": 31},
    }
    assert exports["properties"]["controls"][0] == "digav-4-3"
    assert run["automationDetails"] == {"id": "diga-verify/production/dtx-data/simulated/"}
    invocation = run["invocations"][0]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 1)
    assert run["artifacts"][0]["location"] == {"uri": "regions.toml"}
    assert run["properties"]["simulated"] == "true"


def test_every_misplaced_placement_is_told(demo_report: Report, wrong_places: list[Any]) -> None:
    told = [one for one in results(demo_report) if one["ruleId"] in {"outside-law", "outside-policy"}]
    rules = {"critical": "outside-law", "high": "outside-policy"}
    assert sorted(
        (one["properties"]["type"], one["properties"]["role"], one["properties"]["location"], field, one["ruleId"])
        for one in told
        for field in one["properties"]["fields"]
    ) == sorted(
        (type, role, location, field, rules[severity]) for type, role, location, field, severity in wrong_places
    )
    assert sum(one["occurrenceCount"] for one in told) == len(wrong_places)


def test_two_of_everything(everything: Report) -> None:
    found = results(everything)
    assert [(one["ruleId"], one["level"], name(one)) for one in found] == [
        ("outside-law", "error", f"{HOST}wrong-2"),
        ("outside-policy", "error", f"{HOST}wrong-1"),
        ("missing", "error", "gcs/gone"),
        ("missing", "error", "gcs/wrong-3"),
        ("not-read", "error", "projects/dtx-data/locations/b"),
        ("not-proven", "error", "kms"),
        ("waived", "note", f"{HOST}waived-1"),
        ("waived", "note", f"{HOST}waived-2"),
    ]
    assert [bool(one.get("suppressions")) for one in found] == [False] * 6 + [True] * 2
    first, second = everything.judgement.waivers_used
    assert found[-1]["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": f"waived until 2027-01-31 by owner 2: old | contract (regions.toml:{second.line})",
        }
    ]
    gone, other = everything.judgement.missing
    assert [line(one) for one in found[2:]] == [gone.line, other.line, 1, 1, first.line, second.line]
    assert found[3]["message"]["text"].endswith(
        "next: did you mean wrong-2, wrong-1? correct the name, or create it; see docs/respond.md#missing"
    )
    assert found[4]["properties"]["reason"] == "timeout"


def test_a_run_without_results_is_a_compliant_one(calm: dict[str, tuple[Report, str, int]]) -> None:
    for word, (report, verdict, code) in calm.items():
        run = run_of(report)
        invocation = run["invocations"][0]
        assert invocation["exitCode"] == code
        assert invocation["executionSuccessful"] is (word in {"compliant", "nothing", "missing", "bare", "unused"}) or (
            word == "idle waiver"
        )
        loud = [one for one in run["results"] if not one.get("suppressions")]
        assert bool(loud) is (verdict != "compliant"), word
    rules = {
        word: [one["ruleId"] for one in results(calm[word][0])]
        for word in ("nothing", "bare", "unused", "idle waiver", "interrupted")
    }
    assert rules == {
        "nothing": ["run-not-compliant"],
        "bare": ["not-proven"],
        "unused": ["unused-type"],
        "idle waiver": ["idle-waiver"],
        "interrupted": ["run-not-compliant"],
    }
    assert run_of(calm["interrupted"][0])["invocations"][0]["exitSignalNumber"] == 15


def test_a_run_that_stops_never_looks_like_one_that_passed(compliant_report: Report) -> None:
    judged = compliant_report.judgement.resources[-1]
    places = (judged.placements[0], replace(judged.placements[0], verdict=Verdict.UNVERIFIED))
    waived = replace(judged, verdict=Verdict.WAIVED, placements=places)
    report = replace(compliant_report, judgement=replace(compliant_report.judgement, resources=(waived,)))
    assert report.exit_code == 3
    assert [one["ruleId"] for one in results(report)] == ["not-proven"]


def test_waivers_alone_are_no_alarm_and_hide_none(everything: Report) -> None:
    waived = tuple(one for one in everything.judgement.resources if one.verdict is Verdict.WAIVED)
    calm = replace(everything, judgement=replace(everything.judgement, resources=waived, missing=(), unread=()))
    assert calm.exit_code == 0
    assert [one["ruleId"] for one in results(calm)] == ["waived", "waived"]
    stopped = [one["ruleId"] for one in results(replace(calm, interrupted_by=2))]
    assert stopped == ["run-not-compliant", "waived", "waived"]


def test_what_is_not_enforced_is_a_warning(demo_report: Report) -> None:
    *others, last = demo_report.judgement.resources
    resources = (*(replace(one, enforced=False) for one in others), last)
    unread = (
        *demo_report.judgement.unread,
        Unread("kms", "a key", Reason.TIMEOUT, "", resource=last.resource.full_name),
    )
    free = replace(
        demo_report,
        enforcement=Enforcement.FREE,
        judgement=replace(demo_report.judgement, resources=resources, unread=unread),
    )
    levels = {(one["level"], name(one) == last.resource.full_name) for one in results(free)}
    assert levels == {("error", True), ("warning", False)}


def test_an_unproven_placement_is_told_once_at_its_rule(
    gate: Callable[..., Report], policy: Callable[..., Policy]
) -> None:
    buckets = [{"name": "b-1", "location": "EUROPE-WEST3"}, {"name": "b-2", "location": "NOWHERE-1"}]
    report = gate({"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": buckets}}, "gcs", rules=policy())
    lost = about(results(report), f"{HOST}b-2")
    assert (lost["ruleId"], lost["properties"]["reason"]) == ("not-proven", "unknown_location")
    places = [place for one in report.judgement.resources for place in one.placements]
    assert line(lost) == places[-1].allowed.line
    assert "next: `diga-verify locations NAME`" in lost["message"]["text"]


def test_a_fingerprint_is_about_what_lasts(demo_report: Report) -> None:
    honest = fingerprint(demo_report, "dtx-exports")
    [place] = next(one for one in demo_report.judgement.resources if one.resource.name == "dtx-exports").placements
    moved = replace(place, allowed=replace(place.allowed, line=99))
    assert line(about(results(with_places(demo_report, "dtx-exports", [moved])), f"{HOST}dtx-exports")) == 99
    assert fingerprint(with_places(demo_report, "dtx-exports", [moved]), "dtx-exports") == honest
    assert fingerprint(with_placement(demo_report, "dtx-exports", about="backup-17"), "dtx-exports") == honest
    assert fingerprint(replace(demo_report, started_at="2027-01-01T00:00:00Z"), "dtx-exports") == honest
    others = [
        with_places(demo_report, "dtx-exports", [replace(place, location="ASIA")]),
        with_placement(demo_report, "dtx-exports", role=Role.REPLICA),
        with_placement(demo_report, "dtx-exports", field="customPlacementConfig"),
        replace(demo_report, environment="staging"),
        replace(demo_report, project=replace(demo_report.project, id="dtx-more")),
    ]
    assert len({honest, *(fingerprint(one, "dtx-exports") for one in others)}) == 6


def test_placements_that_are_alike_are_one_result(demo_report: Report) -> None:
    places = next(one for one in demo_report.judgement.resources if one.resource.name == "dtx-exports").placements
    fields = [f"things[{number}].location" for number in range(9)]
    many = [replace(places[0], placement=replace(places[0].placement, field=field)) for field in fields]
    [one] = [one for one in results(with_places(demo_report, "dtx-exports", many)) if name(one).endswith("dtx-exports")]
    assert (one["occurrenceCount"], one["properties"]["fields"]) == (9, fields)
    assert one["message"]["text"].endswith(
        "\nand from things[1].location, things[2].location, things[3].location, things[4].location, "
        "things[5].location and 3 more"
    )
    turned = with_places(demo_report, "dtx-exports", many[::-1][:2])
    assert fingerprint(turned, "dtx-exports") == one["partialFingerprints"]["primaryLocationLineHash"]


@pytest.mark.parametrize(
    ("path", "uri", "told"),
    [
        ("regions.toml", "regions.toml", False),
        ("./a/../policies/r ü.toml", "policies/r%20%C3%BC.toml", False),
        ("ab:c/d.toml", "ab%3Ac/d.toml", False),
        ("/srv/policies/regions.toml", "regions.toml", True),
        ("../shared/regions.toml", "regions.toml", True),
        ("a/../../regions.toml", "regions.toml", True),
        ("C:\\policies\\strict.toml", "strict.toml", True),
        ("C:/policies/strict.toml", "strict.toml", True),
        ("policies\\strict.toml", "strict.toml", True),
        ("/", "regions.toml", True),
        ("", "regions.toml", True),
        (".", "regions.toml", True),
        ("/etc/..", "etc", True),
    ],
)
def test_results_name_a_file_of_the_repository(path: str, uri: str, told: bool, demo_report: Report) -> None:
    run = run_of(replace(demo_report, policy_path=path))
    assert {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in run["results"]} == {uri}
    assert run["artifacts"][0]["location"]["uri"] == uri
    said = [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("results name the file alone" in one for one in said) is told


def test_what_github_does_not_show_is_cut_from_the_end(demo_report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    every = results(demo_report)
    assert len(every) > 4
    monkeypatch.setattr(sarif, "SHOWN", 3)
    assert results(demo_report) == every[:3]
    told = run_of(demo_report)["invocations"][0]["toolExecutionNotifications"][-1]
    assert told["level"] == "warning"
    assert told["message"]["text"].startswith(f"{len(every) - 3} results are left out, the least grave: GitHub shows 3")
    monkeypatch.setattr(sarif, "SHOWN", 5000)
    monkeypatch.setattr(sarif, "ROOM", 1200)
    kept = results(demo_report)
    assert 0 < len(kept) < len(every)
    assert kept == every[: len(kept)]
    assert f"{len(every) - len(kept)} results are left out" in json.dumps(run_of(demo_report)["invocations"])


def test_no_upload_closes_the_alerts_of_another_kind_of_run(demo_report: Report) -> None:
    real = replace(demo_report, simulated=False)
    part = replace(real, whole=False, selection=("gke/a", "gcs/b"))
    runs = [
        real,
        demo_report,
        part,
        replace(part, selection=("gke/a",)),
        replace(real, environment="staging"),
        replace(real, environment="a/b"),
        replace(real, what_if=True),
    ]
    ids = [run_of(one)["automationDetails"]["id"] for one in runs]
    assert ids[0] == "diga-verify/production/dtx-data/"
    assert ids[5] == "diga-verify/a%2Fb/dtx-data/"
    assert len(set(ids)) == len(ids)
    assert run_of(replace(part, selection=("gcs/b", "gke/a")))["automationDetails"]["id"] == ids[2]


def test_caveats_are_notifications(full_of_caveats: Report) -> None:
    notifications = run_of(full_of_caveats)["invocations"][0]["toolExecutionNotifications"]
    words = [one["message"]["text"].partition(":")[0] for one in notifications if one["level"] == "warning"]
    assert words == ["SIMULATED", "REROUTED", "SELECTED", "INCOMPLETE", "STRICT", "UNUSED"]


def test_nothing_of_others_is_a_link_or_a_placeholder(demo_report: Report) -> None:
    evil = with_placement(demo_report, "dtx-exports", field="[click](https://evil)", about="{0} {1}")
    [told] = [one for one in results(evil) if name(one).endswith("dtx-exports")]
    assert r"read from [click]\x28https://evil) (\x7b0} \x7b1})" in told["message"]["text"]
    long = with_placement(demo_report, "dtx-exports", field="f" * 5000)
    [told] = [one for one in results(long) if name(one).endswith("dtx-exports")]
    assert max(map(len, told["message"]["text"].split("\n"))) == 1003


@pytest.mark.parametrize(
    ("started", "told"),
    [("2026-11-23T15:09:10.794+01:00", "2026-11-23T14:09:10.794Z"), ("yesterday", None), ("2026-11-23T14:09:10", None)],
)
def test_times(started: str, told: str | None, compliant_report: Report) -> None:
    assert run_of(replace(compliant_report, started_at=started))["invocations"][0].get("startTimeUtc") == told


def test_there_is_a_rule_for_every_kind_in_their_order(compliant_report: Report) -> None:
    run = run_of(compliant_report)
    rules = run["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [kind.value for kind in Kind]
    scores = [float(rule["properties"].get("security-severity", 0)) for rule in rules]
    assert scores == sorted(scores, reverse=True) or scores[6:8] == [4.0, 7.0]
    assert ["security" in rule["properties"]["tags"] for rule in rules] == [True] * 8 + [False]
    assert run["results"] == []
