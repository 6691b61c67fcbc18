"""Workflow commands as GitHub's runner reads them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from diga_verify.formats.github import render
from diga_verify.formats.page import Page
from diga_verify.judgement import Missing
from diga_verify.model import Enforcement
from diga_verify.report import Report

Reader = Callable[[str], list[Any]]


def test_the_demo_through_the_command_line(
    ask: Callable[..., tuple[int, str]], folder: Path, read_commands: Reader
) -> None:
    code, text = ask("demo", "-f", "github", "-o", "github=annotations.log")
    assert code == 1
    assert (folder / "annotations.log").read_text() == text
    commands = read_commands(text)
    assert {one.level for one in commands} == {"error"}
    assert commands[0].properties == {"title": "diga-verify production dtx-data: violation, exit 1"}
    assert commands[0].message.splitlines()[-1] == (
        "GitHub shows 10 errors of a step: 6 more of 16 are in the log only."
    )
    exports = next(one for one in commands if "dtx-exports" in one.properties["title"])
    assert exports.properties == {
        "file": "regions.toml",
        "line": "31",
        "title": "critical: gcs dtx-exports: primary in US",
    }
    assert exports.message.splitlines() == [
        "bucket //storage.googleapis.com/dtx-exports",
        "primary in US: multi-region, United States",
        "read from location",
        "allowed: europe-west3 (regions.toml:31)",
        "critical: outside what DiGAV section 4(3) allows",
        (
            "next: gcloud storage buckets relocate gs://dtx-exports --location europe-west3, or copy its objects to a "
            "new bucket and delete this one; see docs/respond.md#gcs"
        ),
    ]


def test_the_gravest_come_first(demo_report: Report, wrong_places: list[Any], read_commands: Reader) -> None:
    titles = [one.properties["title"] for one in read_commands(render(demo_report, Page()))]
    ranks = [title.partition(":")[0] for title in titles[1:]]
    critical = sum(severity == "critical" for *_, severity in wrong_places)
    assert ranks == ["critical"] * critical + ["high"] * (len(wrong_places) - critical) + ["not verified"] * 3
    assert critical == 8


def test_the_compliant_world_is_a_notice(ask: Callable[..., tuple[int, str]], read_commands: Reader) -> None:
    code, text = ask("compliant", "-f", "github")
    [verdict] = read_commands(text)
    assert (code, verdict.level) == (0, "notice")
    assert verdict.message.startswith("compliant, exit 0.\nAll data of the project lies where the policy requires.\n")
    assert "\nSIMULATED: " in verdict.message


def test_two_of_everything(everything: Report, read_commands: Reader) -> None:
    commands = read_commands(render(everything, Page()))
    assert [(one.level, one.properties["title"]) for one in commands] == [
        ("error", "diga-verify production dtx-data: violation, exit 1"),
        ("error", "critical: gcs wrong-2: primary in US"),
        ("error", "high: gcs wrong-1: primary in EUROPE-WEST6"),
        ("error", "missing: gcs gone"),
        ("error", "missing: gcs wrong-3"),
        ("error", "not verified: kms: nothing_found"),
        ("error", "not verified: kms: timeout"),
        ("notice", "waived: gcs waived-1: primary in EUR8"),
        ("notice", "waived: gcs waived-2: primary in EU"),
    ]
    assert "are in the log only" not in commands[0].message
    assert commands[4].properties["line"] == str(everything.judgement.missing[1].line)
    assert commands[8].properties["line"] == str(everything.judgement.waivers_used[1].line)
    assert "waived until 2027-01-31 by owner 2: old | contract" in commands[8].message
    assert 'write unused = ["kms"] into' in commands[5].message
    assert commands[6].message.startswith("b | did not answer\nwhat: projects/dtx-data/locations/b\nnext: run again")


def test_each_run_tells_whether_it_passed(calm: dict[str, tuple[Report, str, int]], read_commands: Reader) -> None:
    for report, verdict, code in calm.values():
        first = read_commands(render(report, Page()))[0]
        assert first.level == ("notice" if code == 0 else "error")
        assert first.properties["title"].endswith(f": {verdict}, exit {code}")


def test_a_resource_without_places_and_one_of_an_unused_type_are_told(
    calm: dict[str, tuple[Report, str, int]], read_commands: Reader
) -> None:
    for name, title in ("bare", "not verified: kms "), ("unused", "unused type: kms "):
        second = read_commands(render(calm[name][0], Page()))[1]
        assert (second.level, second.properties["title"][: len(title)]) == ("error", title)


def test_what_is_not_enforced_is_a_warning(demo_report: Report, read_commands: Reader) -> None:
    resources = demo_report.judgement.resources
    nobody = tuple(replace(one, enforced=False) for one in resources)
    judgement = replace(demo_report.judgement, missing=(Missing("gcs", "x", None, None),))
    free = replace(demo_report, enforcement=Enforcement.FREE, judgement=replace(judgement, resources=nobody))
    commands = read_commands(render(free, Page()))
    assert {one.level for one in commands} == {"warning"}
    assert commands[0].message.splitlines()[-1] == (
        "GitHub shows 10 warnings of a step: 7 more of 17 are in the log only."
    )
    one = next(number for number, judged in enumerate(resources) if judged.resource.name == "dtx-video")
    one_enforced = replace(judgement, resources=(*nobody[:one], resources[one], *nobody[one + 1 :]))
    errors = [
        command.properties["title"]
        for command in read_commands(render(replace(free, judgement=one_enforced), Page()))
        if command.level == "error"
    ]
    assert errors == ["diga-verify production dtx-data: violation, exit 1", "high: gcs dtx-video: primary in EUR8"]
    assert {one.level for one in read_commands(render(replace(free, strict=True), Page()))} == {"error"}


def test_what_is_unread_of_an_enforced_resource_is_an_error(
    calm: dict[str, tuple[Report, str, int]], read_commands: Reader
) -> None:
    report = calm["unread"][0]
    about = calm["compliant"][0].judgement.resources
    unread = (report.judgement.unread[0], replace(report.judgement.unread[1], resource=about[-1].resource.full_name))
    free = replace(
        report, enforcement=Enforcement.FREE, judgement=replace(report.judgement, resources=about, unread=unread)
    )
    levels = [(one.level, one.message.partition("\n")[0]) for one in read_commands(render(free, Page()))[1:]]
    assert levels == [("error", "2"), ("warning", "first")]


def test_caveats(full_of_caveats: Report, read_commands: Reader) -> None:
    lines = read_commands(render(full_of_caveats, Page()))[0].message.splitlines()
    assert [line.partition(":")[0] for line in lines[3:-1]] == [
        "SIMULATED",
        "REROUTED",
        "SELECTED",
        "INCOMPLETE",
        "STRICT",
        "UNUSED",
    ]


def test_escapes(demo_report: Report, read_commands: Reader) -> None:
    name = "100%0A::error file=x,line=1::pwned,\r\n::stop-commands::a%3A%25"
    resources = demo_report.judgement.resources
    last = replace(resources[-1], resource=replace(resources[-1].resource, name=name))
    report = replace(
        demo_report,
        policy_path="a,b:c%\n.toml",
        judgement=replace(demo_report.judgement, resources=(*resources[:-1], last)),
    )
    found = [one for one in read_commands(render(report, Page())) if "100%" in one.properties["title"]]
    shown = r"100%0A:\x3aerror file=x,line=1:\x3apwned,\r\n:\x3astop-commands:\x3aa%3A%25"
    assert [one.properties for one in found] == [
        {"file": r"a,b:c%\n.toml", "line": "31", "title": f"critical: kms {shown}: primary in global"}
    ]
    assert r"allowed: europe-west3 (a,b:c%\n.toml:31)" in found[0].message.split("\n")


def test_a_title_is_no_longer_than_github_takes(demo_report: Report, read_commands: Reader) -> None:
    resources = demo_report.judgement.resources
    last = replace(resources[-1], resource=replace(resources[-1].resource, name="x" * 300, full_name="y" * 300))
    report = replace(demo_report, judgement=replace(demo_report.judgement, resources=(*resources[:-1], last)))
    one = next(one for one in read_commands(render(report, Page())) if "xx" in one.properties["title"])
    assert len(one.properties["title"]) == 200
    assert one.properties["title"].endswith("x...")
    assert "y" * 300 in one.message
