"""JUnit XML as GitLab and Jenkins read it: who fails, why, and that the counts and names can be relied on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from diga_verify.formats.junit import render
from diga_verify.formats.page import Page
from diga_verify.model import Reason, Unread, Verdict
from diga_verify.report import Report

RUN, KMS = "diga-verify.production.dtx-data.run", "diga-verify.production.dtx-data.kms"
EMPTY = "not verified: nothing_found: kms"


def cases(text: str) -> dict[tuple[str, str], TestCase]:
    """The cases by classname and name, as junitparser reads them; no two have the same."""
    read = [case for suite in JUnitXml.fromstring(text.encode()) for case in suite]
    named = {(str(case.classname), str(case.name)): case for case in read}
    assert len(named) == len(read)
    return named


def outcome(case: TestCase) -> tuple[type, str]:
    """Kind and text of the one thing inside a case; `(type(None), "")` for one that passed."""
    assert len(case.result) <= 1
    return next(((type(one), str(one.text)) for one in case.result), (type(None), ""))


def properties(suite: TestSuite) -> dict[str, str]:
    return {str(one.name): str(one.value) for one in suite.properties()}  # type: ignore[no-untyped-call]


def assert_counts_are_right(text: str) -> None:
    xml = JUnitXml.fromstring(text.encode())
    root = ET.fromstring(text)  # noqa: S314 - our own
    said = [{name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} for suite in (root, *root)]
    xml.update_statistics()  # type: ignore[no-untyped-call]
    counted = [
        {"tests": str(one.tests), "failures": str(one.failures), "errors": str(one.errors), "skipped": str(one.skipped)}
        for one in (xml, *xml)
    ]
    assert said == counted


def test_the_demo_through_the_command_line(ask: Callable[..., tuple[int, str]], folder: Path) -> None:
    code, text = ask("demo", "-f", "junit", "-o", "report.xml")
    assert code == 1
    assert (folder / "report.xml").read_text() == text
    assert_counts_are_right(text)
    xml = JUnitXml.fromstring(text.encode())
    assert [suite.name for suite in xml] == ["run", "gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms"]
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (31, 11, 3, 0)
    exports = cases(text)["diga-verify.production.dtx-data.gcs", "//storage.googleapis.com/dtx-exports"]
    assert outcome(exports) == (
        Failure,
        (
            "critical violation: gcs dtx-exports (bucket): primary in US\n"
            "violation: primary in US: multi-region, United States\n"
            "  read from location\n"
            "  allowed: europe-west3 (regions.toml:31)\n"
            "  critical: outside what DiGAV section 4(3) allows\n"
            "  next: gcloud storage buckets relocate gs://dtx-exports --location europe-west3, or copy its objects to "
            "a new bucket and delete this one; see docs/respond.md#gcs"
        ),
    )


def test_every_misplaced_placement_is_told(demo_report: Report, wrong_places: list[Any]) -> None:
    text = "\n".join(outcome(case)[1] for case in cases(render(demo_report, Page())).values())
    assert len(wrong_places) == 12
    for _, role, location, field, severity in wrong_places:
        assert f"violation: {role} in {location}" in text
        assert f"  read from {field}" in text
        assert f"  {severity}: " in text
    assert text.count("\n  next: ") == text.count("\n  allowed: ") == len(wrong_places)


def test_the_compliant_world_passes_and_says_of_what_nature_it_is(ask: Callable[..., tuple[int, str]]) -> None:
    code, text = ask("compliant", "-f", "junit")
    assert code == 0
    assert_counts_are_right(text)
    xml = JUnitXml.fromstring(text.encode())
    assert (xml.failures, xml.errors, xml.skipped) == (0, 0, 0)
    assert xml.name == "diga-verify production dtx-data SIMULATED"
    verdict = cases(text)[RUN, "verdict"]
    assert str(verdict.system_out).startswith(
        "compliant, exit 0: All data of the project lies where the policy requires."
    )
    assert (
        "\nSIMULATED: the answers came from a stand-in, not from Google Cloud: http://127.0.0.1:" in verdict.system_out
    )


def test_two_of_everything(everything: Report) -> None:
    text = render(everything, Page())
    assert_counts_are_right(text)
    summary = everything.summary
    xml = JUnitXml.fromstring(text.encode())
    assert (xml.failures, xml.errors, xml.skipped) == (summary.violations + summary.missing + 1, summary.unread, 2)
    gcs = {name: outcome(case) for (of, name), case in cases(text).items() if of.endswith(".gcs")}
    host = "//storage.googleapis.com/"
    assert {name: kind for name, (kind, _) in gcs.items()} == {
        f"{host}fine-1": type(None),
        f"{host}fine-2": type(None),
        f"{host}waived-1": Skipped,
        f"{host}waived-2": Skipped,
        f"{host}wrong-1": Failure,
        f"{host}wrong-2": Failure,
        "missing: gone": Failure,
        "missing: wrong-3": Failure,
    }
    waiver = everything.judgement.waivers_used[1]
    said = f"waived until 2027-01-31 by owner 2: old | contract (regions.toml:{waiver.line})"
    assert f"  {said}" in gcs[f"{host}waived-2"][1].splitlines()
    assert "did you mean wrong-2, wrong-1? correct the name" in gcs["missing: wrong-3"][1]
    assert 'write unused = ["kms"] into environments.production' in outcome(cases(text)[KMS, EMPTY])[1]
    assert {name: outcome(case) for (of, name), case in cases(text).items() if of == KMS} == {
        EMPTY: (Error, outcome(cases(text)[KMS, EMPTY])[1]),
        "not verified: timeout: projects/dtx-data/locations/b": (
            Error,
            (
                "not verified: timeout: projects/dtx-data/locations/b\n"
                "b | did not answer\n"
                "what: projects/dtx-data/locations/b\n"
                "next: run again, with a larger `--deadline` if the whole run was too short; "
                "see docs/unverified.md#timeout"
            ),
        ),
    }


def test_each_run_tells_whether_it_passed(calm: dict[str, tuple[Report, str, int]]) -> None:
    kinds = {"compliant": type(None), "violation": Failure, "unverified": Error}
    for report, verdict, code in calm.values():
        text = render(report, Page())
        assert_counts_are_right(text)
        case = cases(text)[RUN, "verdict"]
        kind, said = outcome(case)
        assert kind is kinds[verdict]
        assert (said or str(case.system_out)).startswith(f"{verdict}, exit {code}: ")
        for suite in JUnitXml.fromstring(text.encode()):
            assert (
                properties(suite).items()
                >= {
                    "environment": "production",
                    "policy_sha256": report.policy_sha256,
                    "verdict": verdict,
                    "exit_code": str(code),
                    "simulated": "true",
                }.items()
            )


def test_caveats(full_of_caveats: Report) -> None:
    text = render(full_of_caveats, Page())
    lines = outcome(cases(text)[RUN, "verdict"])[1].splitlines()
    assert [line.partition(":")[0] for line in lines[2:]] == [
        "SIMULATED",
        "REROUTED",
        "SELECTED",
        "INCOMPLETE",
        "STRICT",
        "UNUSED",
    ]
    assert "SELECTED: only a part was looked at; no gate result for the project: gke/a, gcs/b" in lines
    first = properties(next(iter(JUnitXml.fromstring(text.encode()))))
    assert (first["scope"], first["selection"], first["strict"], first["complete"]) == (
        "selected",
        "gke/a, gcs/b",
        "true",
        "false",
    )


def test_what_is_not_enforced_says_so(demo_report: Report) -> None:
    resources = tuple(replace(one, enforced=False) for one in demo_report.judgement.resources)
    free = replace(
        demo_report,
        enforcement=type(demo_report.enforcement).FREE,
        judgement=replace(demo_report.judgement, resources=resources),
    )
    assert free.exit_code == 0
    found = [outcome(case) for case in cases(render(free, Page())).values()]
    failed = [text for kind, text in found if kind is Failure]
    assert failed[0].startswith("violation, exit 0: Shown, not enforced: the environment is free")
    assert all(text.endswith("\nshown, not enforced") for text in failed[1:])


def test_of_two_cases_with_one_name_none_is_lost(demo_report: Report) -> None:
    """GitLab takes the first of cases that are named alike."""
    judged = next(one for one in demo_report.judgement.resources if one.resource.name == "dtx-exports")
    names = ["//b/a", "//b/a", "//b/a (2)", "//b/\0", r"//b/\x00"]
    twins = tuple(replace(judged, resource=replace(judged.resource, full_name=name)) for name in names)
    text = render(replace(demo_report, judgement=replace(demo_report.judgement, resources=twins)), Page())
    found = [name for (_, name), case in cases(text).items() if name.startswith("//b/") and outcome(case)[0] is Failure]
    assert found == ["//b/a", "//b/a (2)", "//b/a (2) (2)", r"//b/\x00", r"//b/\x00 (2)"]


@pytest.mark.parametrize(
    ("started", "finished", "timestamp", "time"),
    [
        ("2026-11-23T14:09:10.794Z", "2026-11-23T14:10:12.318Z", "2026-11-23T14:09:10", "61.524"),
        ("2026-11-23T14:09:10.794Z", "2026-11-23T14:09:09.318Z", "2026-11-23T14:09:10", "0.000"),
        ("2026-11-23T14:09:10.794Z", "2026-11-23T14:10:12", "2026-11-23T14:09:10", "0"),
        ("yesterday\0", "", r"yesterday\x00", "0"),
    ],
)
def test_times(started: str, finished: str, timestamp: str, time: str, compliant_report: Report) -> None:
    made = replace(compliant_report, started_at=started, finished_at=finished)
    root = ET.fromstring(render(made, Page()))  # noqa: S314 - our own
    assert (root.get("time"), root[0].get("time")) == (time, time)
    assert {suite.get("timestamp") for suite in root} == {timestamp}


def test_what_is_in_order_comes_in_one_order(demo_report: Report) -> None:
    assert render(demo_report, Page()) == render(demo_report, Page(width=40, color=True))
    assert render(demo_report, Page()).isascii()


@pytest.mark.parametrize(
    "name", ["\x00\x08\x0b\x1f", "\ufffe\uffff", "\ud800", "]]>", "</testcase>", "\"<&>'", "\u00fc"]
)
def test_no_character_breaks_the_xml(name: str, demo_report: Report) -> None:
    resources = demo_report.judgement.resources
    last = replace(resources[-1].resource, name=name, full_name=name, kind=name)
    spoilt = (*resources[:-1], replace(resources[-1], resource=last))
    text = render(replace(demo_report, judgement=replace(demo_report.judgement, resources=spoilt)), Page())
    assert_counts_are_right(text)
    shown = name if name.isprintable() else name.encode("unicode_escape", "surrogatepass").decode()
    (kind, said) = outcome(cases(text)["diga-verify.production.dtx-data.kms", shown])
    assert kind is Failure
    assert f"critical violation: kms {shown} ({shown}): primary in global" in said


def test_what_is_wrong_with_a_resource_beside_its_places_is_told(calm: dict[str, tuple[Report, str, int]]) -> None:
    compliant, bare, unused = (calm[name][0] for name in ("compliant", "bare", "unused"))
    last = compliant.judgement.resources[-1]
    about = Unread("kms", "x", Reason.NOT_LISTED, "twice", resource=last.resource.full_name)
    troubled = replace(
        compliant.judgement,
        resources=(*compliant.judgement.resources[:-1], replace(last, verdict=Verdict.UNVERIFIED)),
        unread=(replace(about, reason=Reason.TIMEOUT, scope="w"), about, replace(about, scope="y")),
    )
    for report, kind, lines in (
        (bare, Error, ["no places of it are known"]),
        (replace(compliant, judgement=troubled), Error, ["has cases of its own: timeout, not_listed"]),
        (
            unused,
            Failure,
            [
                "the policy declares kms unused in production",
                'next: delete it, or take "kms" out of `unused` in the policy; see docs/respond.md#kms',
            ],
        ),
    ):
        found, text = outcome(cases(render(report, Page()))[KMS, last.resource.full_name])
        assert (found, text.splitlines()[1:]) == (kind, lines)


def test_a_run_that_stops_never_looks_like_one_that_passed(compliant_report: Report) -> None:
    judged = compliant_report.judgement.resources[-1]
    places = (judged.placements[0], replace(judged.placements[0], verdict=Verdict.UNVERIFIED))
    waived = replace(judged, verdict=Verdict.WAIVED, placements=places)
    report = replace(compliant_report, judgement=replace(compliant_report.judgement, resources=(waived,)))
    assert (report.verdict, report.exit_code) == (Verdict.COMPLIANT, 3)
    kind, said = outcome(cases(render(report, Page()))[RUN, "verdict"])
    assert (kind, said.partition(":")[0]) == (Error, "compliant, exit 3")
