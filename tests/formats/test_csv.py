"""CSV as the csv module reads it, and as a spreadsheet would."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diga_verify.formats.csv import COLUMNS, render
from diga_verify.formats.page import Page
from diga_verify.model import Enforcement
from diga_verify.report import Report


def rows(text: str) -> list[dict[str, str]]:
    """The rows below the header, each as wide as that."""
    assert text.endswith("\r\n")
    header, *found = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert tuple(header) == COLUMNS
    assert {len(row) for row in found} == {len(COLUMNS)}
    return [dict(zip(header, row, strict=True)) for row in found]


def places(report: Report) -> list[tuple[str, str, str, str, str]]:
    return [
        (judged.resource.type, judged.resource.full_name, place.placement.role, place.location or "", place.verdict)
        for judged in report.judgement.resources
        for place in judged.placements
    ]


def test_the_demo_through_the_command_line(ask: Callable[..., tuple[int, str]], folder: Path) -> None:
    code, text = ask("demo", "-f", "csv", "-o", "report.csv")
    assert code == 1
    assert (folder / "report.csv").read_bytes() == text.encode()
    found = rows(text)
    assert [one["record"] for one in found] == ["run", *["placement"] * 67, *["unread"] * 3]
    exports = next(one for one in found if one["name"] == "dtx-exports")
    assert {
        name: value for name, value in exports.items() if value and name not in {"policy_sha256", "started_at"}
    } == {
        "record": "placement",
        "environment": "production",
        "enforcement": "required",
        "strict": "false",
        "project": "dtx-data",
        "policy": "regions.toml",
        "run_verdict": "violation",
        "exit_code": "1",
        "complete": "false",
        "simulated": "true",
        "run_scope": "project",
        "type": "gcs",
        "name": "dtx-exports",
        "full_name": "//storage.googleapis.com/dtx-exports",
        "kind": "bucket",
        "resource_verdict": "violation",
        "enforced": "true",
        "role": "primary",
        "location": "US",
        "countries": "US",
        "field": "location",
        "verdict": "violation",
        "severity": "critical",
        "allowed": "europe-west3",
        "rule_line": "31",
        "next": "gcloud storage buckets relocate gs://dtx-exports --location europe-west3, or copy its objects to a "
        "new bucket and delete this one; see docs/respond.md#gcs",
    }
    default = next(one for one in found if one["location"] == "EUR8")
    assert (default["regions"], default["countries"]) == ("europe-west3 europe-west6", "CH DE")


def test_every_placement_has_its_row(demo_report: Report) -> None:
    found = [one for one in rows(render(demo_report, Page())) if one["record"] == "placement"]
    assert [(one["type"], one["full_name"], one["role"], one["location"], one["verdict"]) for one in found] == places(
        demo_report
    )


def test_two_of_everything(everything: Report) -> None:
    found = rows(render(everything, Page()))
    shown = [(one["record"], one["name"] or one["scope"], one["verdict"], one["severity"]) for one in found]
    assert shown == [
        ("run", "", "violation", ""),
        ("placement", "fine-1", "compliant", ""),
        ("placement", "fine-2", "compliant", ""),
        ("placement", "waived-1", "waived", "high"),
        ("placement", "waived-2", "waived", "high"),
        ("placement", "wrong-1", "violation", "high"),
        ("placement", "wrong-2", "violation", "critical"),
        ("missing", "gone", "violation", ""),
        ("missing", "wrong-3", "violation", ""),
        ("unread", "kms", "unverified", ""),
        ("unread", "projects/dtx-data/locations/b", "unverified", ""),
    ]
    waived, gone, unread = found[4], found[8], found[10]
    waiver = everything.judgement.waivers_used[1]
    assert (waived["waiver_reason"], waived["waiver_owner"], waived["waiver_expires"], waived["waiver_line"]) == (
        "old | contract",
        "owner 2",
        "2027-01-31",
        str(waiver.line),
    )
    line = str(everything.judgement.missing[1].line)
    assert (gone["rule_line"], gone["detail"]) == (line, f"expected by regions.toml:{line}, and not there")
    assert gone["next"].startswith("did you mean wrong-2, wrong-1? correct the name")
    assert (unread["type"], unread["reason"], unread["detail"]) == ("kms", "timeout", "b | did not answer")
    assert unread["next"].endswith("; see docs/unverified.md#timeout")


def test_each_row_tells_whether_the_run_passed(calm: dict[str, tuple[Report, str, int]]) -> None:
    for report, verdict, code in calm.values():
        found = rows(render(report, Page()))
        assert {(one["run_verdict"], one["exit_code"], one["simulated"]) for one in found} == {
            (verdict, str(code), "true")
        }
        assert (found[0]["record"], found[0]["verdict"]) == ("run", verdict)


def test_what_has_no_placement_to_blame_has_a_row_too(calm: dict[str, tuple[Report, str, int]]) -> None:
    for name, verdict, detail in (
        ("bare", "unverified", "no places of it are known"),
        ("unused", "violation", "the policy declares kms unused"),
    ):
        second = rows(render(calm[name][0], Page()))[1]
        assert (second["record"], second["verdict"], second["detail"]) == ("resource", verdict, detail)


def test_caveats(full_of_caveats: Report) -> None:
    found = rows(render(full_of_caveats, Page()))
    words = ("SIMULATED", "REROUTED", "SELECTED", "INCOMPLETE", "STRICT", "UNUSED")
    assert [word for word in words if f"; {word}: " not in found[0]["detail"]] == []
    assert {(one["strict"], one["complete"], one["run_scope"], one["selection"]) for one in found} == {
        ("true", "false", "selected", "gke/a, gcs/b")
    }


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-1+cmd|' /C calc'!A0", "'-1+cmd|' /C calc'!A0"),
        ("@SUM(1)", "'@SUM(1)"),
        ("  =1", "'  =1"),
        ("'=1", "''=1"),
        ("\uff1d1", "'\uff1d1"),
        ("\t=1", r"\t=1"),
        ("\r=1", r"\r=1"),
        ("a\r\n=1", r"a\r\n=1"),
        ("a;=1", r"a\x3b=1"),
        ('a; "@1', r'a\x3b "@1'),
        ("a; b=1", "a; b=1"),
        ("a=1", "a=1"),
        ('"a","b"', '"a","b"'),
        ("\u00fc,\u00df", "\u00fc,\u00df"),
    ],
)
def test_no_name_is_a_formula_or_another_cell(name: str, cell: str, demo_report: Report) -> None:
    resources = demo_report.judgement.resources
    last = replace(resources[-1], resource=replace(resources[-1].resource, name=name))
    report = replace(demo_report, judgement=replace(demo_report.judgement, resources=(*resources[:-1], last)))
    assert [one["name"] for one in rows(render(report, Page())) if one["record"] == "placement"][-1] == cell


def test_the_order_and_the_columns_are_always_the_same(demo_report: Report) -> None:
    assert render(demo_report, Page()) == render(demo_report, Page(width=40, color=True))


def test_hostile_names_through_the_command_line(ask: Callable[..., tuple[int, str]]) -> None:
    names = ["fine", 'x";=cmd,"\r\nplacement,production']
    buckets: list[dict[str, Any]] = [
        {"name": name, "location": location} for name, location in zip(names, ("EUROPE-WEST3", "US"), strict=True)
    ]
    code, text = ask(
        {"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": buckets}}, "-t", "gcs", "-f", "csv"
    )
    assert code == 1
    assert [(one["name"], one["verdict"]) for one in rows(text)[1:]] == [
        ("fine", "compliant"),
        (r'x"\x3b=cmd,"\r\nplacement,production', "violation"),
    ]


def test_what_is_enforced_is_told_row_by_row(demo_report: Report) -> None:
    first, *_, last = demo_report.judgement.resources
    resources = (replace(first, enforced=False), replace(last, enforced=True))
    unread = tuple(replace(demo_report.judgement.unread[0], resource=one.resource.full_name) for one in resources)
    judgement = replace(demo_report.judgement, resources=resources, unread=unread)
    free = replace(demo_report, enforcement=Enforcement.FREE, judgement=judgement)
    told = {(one["record"], one["full_name"], one["enforced"]) for one in rows(render(free, Page()))[1:]}
    assert told == {
        (record, judged.resource.full_name, enforced)
        for judged, enforced in zip(resources, ("false", "true"), strict=True)
        for record in ("placement", "unread")
    }
    strict = rows(render(replace(free, strict=True), Page()))[1:]
    assert {one["enforced"] for one in strict} == {"true"}
