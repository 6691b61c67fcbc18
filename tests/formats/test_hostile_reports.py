"""A report in which every text is hostile, through every format."""

from __future__ import annotations

import csv
import io
import json as json_library
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml
from py_ocsf_models.events.findings.compliance_finding import ComplianceFinding
from trestle.common.model_utils import ModelUtils
from trestle.oscal.assessment_results import Model

from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.cli.gate import tell_calls
from diga_verify.formats import json
from diga_verify.formats.page import Page, plain
from diga_verify.formats.registry import FORMATS
from diga_verify.report import Report

HOSTILE = (
    "::error file=a,line=1::pwned",
    "\n::set-output name=a::b",
    "a\r\n\u00a0::warning::x",
    "##vso[task.complete result=Succeeded]",
    "x ##[error]",
    "##teamcity[buildStatus text='ok']",
    "#",
    ":",
    "\x1b[2J\x1b]0;title\x07\x1b]8;;http://evil\x1b\\link",
    "\x9b31m\x85\u2028\u2029\x7f\x00",
    "\u202etxt.exe\u2066\u200f\ufeff\u200b\u00ad",
    "[/]",
    "[bold red]a[/bold red][link=http://evil]b[/link][@click=x]c",
    ":smile: \U0001f600 \ud83d\U0001f44d\U0001f3fb\U0001f1e9\U0001f1ea",
    "</script><script>alert(1)</script><!--",
    "=HYPERLINK(1)",
    "e" + "\u0301" * 300,
    "\ufdfa\uff21\u3000\u1100\u1161\u0e33",
    "w" * 300,
    "Deployment allowed.  exit 0",
    "{name} %s \\",
    "",
)
TEXTS = st.one_of(
    st.sampled_from(HOSTILE), st.text(max_size=30), st.lists(st.sampled_from(HOSTILE), max_size=3).map(" ".join)
)


@cache
def honest() -> Report:
    return run_against_shipped_world("demo", quiet=True)


def spoilt(value: Any, texts: list[str]) -> Any:
    """The value with every text in it replaced by the next hostile one."""
    if isinstance(value, Enum) or value is None:
        return value
    if isinstance(value, str):
        texts.append(texts.pop(0))
        return texts[-1]
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: spoilt(getattr(value, one.name), texts) for one in fields(value) if one.init}
        return replace(value, **changed)
    if isinstance(value, Mapping):
        return {spoilt(key, texts): spoilt(inner, texts) for key, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(spoilt(inner, texts) for inner in value)
    return value


def assert_harmless(text: str) -> None:
    assert text.endswith("\n")
    for line in text.split("\n"):
        assert not line.strip().startswith("::"), line
        assert not any(order in line for order in ("##[", "##vso[", "##teamcity[")), line
        assert not {unicodedata.category(character)[0] for character in line} & {"C", "M"}, ascii(line)


def without_its_own_orders(format: str, text: str) -> str:
    """The text without what its format demands: each line of `github` begins with one command, a row of CSV ends with
    CR LF. What is left must be as harmless as anything else."""
    if format == "csv":
        return text.replace("\r\n", "\n")
    if format == "github":
        lines = text.removesuffix("\n").split("\n")
        orders = [
            re.match(r"::(error|warning|notice) (file=[^:,]*,line=[0-9]+,)?title=[^:,]*::", line) for line in lines
        ]
        assert all(orders), lines
        return "".join(f"{line[order.end() :]}\n" for line, order in zip(lines, orders, strict=True) if order)
    return text


def columns(line: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in line)


@settings(max_examples=25)
@given(st.lists(TEXTS, min_size=1, max_size=7), st.sampled_from([40, 80, 200]))
def test_every_format_makes_every_text_harmless(texts: list[str], width: int) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    assert report.exit_code == honest().exit_code == 1
    for name, render in FORMATS.items():
        assert_harmless(without_its_own_orders(name, render(report, Page(width=width))))
    table = FORMATS["table"](report, Page(width=width))
    assert max(map(columns, table.split("\n"))) <= width
    assert table.split("\n")[-2].endswith("exit 1") or "exit 1" in " ".join(table.split("\n")[-3:])


@given(st.lists(TEXTS, min_size=1, max_size=7))
def test_the_escapes_in_json_change_no_value(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    text = json.render(report, Page())
    assert json_library.loads(text) == json_library.loads(json_library.dumps(json.document(report)))
    assert "</" not in text
    assert "<!" not in text
    assert text.isascii()


@given(st.lists(TEXTS, min_size=1, max_size=7))
def test_colour_is_all_that_a_coloured_table_adds(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    colored = FORMATS["table"](report, Page(color=True))
    assert_harmless(re.sub(r"\x1b\[[0-9;]*m", "", colored))


@pytest.mark.parametrize("text", HOSTILE)
def test_the_calls_are_told_harmlessly(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    report = cast("Report", spoilt(honest(), [text]))
    tell_calls(report)
    said = capsys.readouterr().err
    assert_harmless(said)
    assert said.count("\n") == len(report.calls)


@given(st.lists(TEXTS, min_size=1, max_size=7))
def test_junit_stays_well_formed_and_loses_nothing(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    xml = JUnitXml.fromstring(FORMATS["junit"](report, Page()).encode())
    summary = report.summary
    cases = [case for suite in xml for case in suite]
    assert len({(case.classname, case.name) for case in cases}) == len(cases)
    assert len(cases) == 1 + summary.resources + summary.missing + summary.unread
    assert (xml.tests, xml.failures, xml.errors, xml.skipped) == (
        *(len(cases), 1 + summary.violations + summary.missing),
        *(summary.unverified + summary.unread, summary.waived),
    )
    outcomes = [type(one) for case in cases for one in case.result]
    assert (outcomes.count(Failure), outcomes.count(Error)) == (xml.failures, xml.errors)
    assert next(iter(cases)).result[0].message.startswith("violation, exit 1: ")


@given(texts=st.lists(TEXTS, min_size=1, max_size=7))
def test_markdown_is_the_same_page_whatever_the_code_in_it(
    texts: list[str], read_markdown: Callable[[str], Any]
) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    shown = read_markdown(FORMATS["markdown"](report, Page()))
    assert shown.elements <= {
        *("h2", "h3", "p", "strong", "code", "blockquote", "ul", "li"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert shown.attributes == set()
    violations, unread, facts = shown.tables
    assert {len(row) for row in violations} == {8}
    assert {len(row) for row in unread} == {4}
    assert {len(row) for row in facts} == {2}
    assert (len(violations), len(unread)) == (1 + 12, 1 + report.summary.unread)
    assert not re.search(r"[@`<\[\\]|#\d|://|www\.", shown.text)
    assert shown.text.lstrip().startswith("diga-verify: violation, exit 1\n")


@given(texts=st.lists(TEXTS, min_size=1, max_size=7))
def test_no_text_is_a_workflow_command_or_hides_one(
    texts: list[str], read_commands: Callable[[str], list[Any]]
) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    commands = read_commands(FORMATS["github"](report, Page()))
    assert [one.level for one in commands] == ["error"] * (1 + 12 + report.summary.unread)
    assert {frozenset(one.properties) for one in commands} == {
        frozenset({"title"}),
        frozenset({"file", "line", "title"}),
    }
    assert {one.properties.get("file") for one in commands} == {None, plain(report.policy_path)}
    assert commands[0].message.startswith("violation, exit 1.\n")
    assert_harmless("".join(f"{one.properties['title']}\n{one.message}\n" for one in commands))


@given(texts=st.lists(TEXTS, min_size=1, max_size=7))
def test_no_cell_of_csv_is_a_formula_wherever_it_is_split(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    text = FORMATS["csv"](report, Page())
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert len(rows) == 1 + report.placements + report.summary.unread
    assert {len(row) for row in rows} == {len(header)}
    assert {(row[header.index("run_verdict")], row[header.index("exit_code")]) for row in rows} == {("violation", "1")}
    cells = [cell for row in rows for cell in row]
    split = [cell for row in csv.reader(io.StringIO(text, newline=""), delimiter=";") for cell in row]
    assert [cell for cell in (*cells, *split) if cell.lstrip(' "')[:1] in {*"=+-@\t\r"}] == []


def strings(node: Any) -> Iterator[str]:
    """All texts in JSON, keys too, as a reader sees them who has undone its escapes."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        yield from node
        yield from strings(list(node.values()))
    elif isinstance(node, list):
        for one in node:
            yield from strings(one)


def undone(format: str, report: Report) -> Any:
    """The report in a format that is JSON, harmless even without its escapes."""
    document = json_library.loads(FORMATS[format](report, Page()))
    assert_harmless("".join(f"{text}\n" for text in strings(document)))
    return document


@settings(max_examples=30)
@given(texts=st.lists(TEXTS, min_size=1, max_size=7))
def test_sarif_points_nowhere_else_and_loses_nothing(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    [run] = undone("sarif", report)["runs"]
    results = run["results"]
    assert sum(one["occurrenceCount"] for one in results) == 12 + report.summary.unread
    prints = [one["partialFingerprints"]["primaryLocationLineHash"] for one in results]
    assert len(set(prints)) == len(prints)
    assert not any("](" in text or "{" in text for one in results for text in strings(one["message"]))
    [uri] = {one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in results}
    assert re.fullmatch(r"[\w.~%-]+(/[\w.~%-]+)*", uri, re.ASCII)
    assert re.fullmatch(r"diga-verify/([\w.~%:-]*/){3}", run["automationDetails"]["id"], re.ASCII)
    assert run["invocations"][0]["exitCode"] == 1


@settings(max_examples=30)
@given(texts=st.lists(TEXTS, min_size=1, max_size=7))
def test_ocsf_stays_readable_and_loses_nothing(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    events = [ComplianceFinding.model_validate(one) for one in undone("ocsf", report)]
    assert len({one.finding_info.uid for one in events}) == len(events)
    codes = [one.status_code for one in events]
    counts = (codes.count("FAIL"), codes.count("MANUAL"), codes.count("PASS"))
    assert counts == (12, report.summary.unread, report.summary.compliant)


@settings(max_examples=30)
@given(texts=st.lists(TEXTS, min_size=1, max_size=7))
def test_oscal_stays_readable_and_loses_nothing(texts: list[str]) -> None:
    report = cast("Report", spoilt(honest(), list(texts)))
    read = Model.model_validate(undone("oscal", report)).assessment_results
    assert ModelUtils.has_no_duplicate_values_by_name(read, "uuid")
    observations = read.results[0].observations or []
    assert sum(len(one.relevant_evidence or []) for one in observations) == report.placements
    names = {judged.resource.full_name for judged in report.judgement.resources}
    local = read.results[0].local_definitions
    assert local is not None
    assert len(local.inventory_items or []) == len(names)
