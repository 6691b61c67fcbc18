"""How changes are shown: what got worse first, the same of many resources once, and a section of a report that ends."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from diga_verify.changes import Change, Drift, Effect, Kind, Side, State
from diga_verify.formats import drift_json, drift_table, json, markdown, table
from diga_verify.formats.drift_words import LABELS, said
from diga_verify.formats.page import Page
from diga_verify.formats.stored import read_report
from diga_verify.model import Role, Severity, Verdict
from diga_verify.report import Report

SIDE = Side(
    started_at="2026-11-22T09:00:00Z",
    finished_at="2026-11-22T09:00:01Z",
    verdict=Verdict.COMPLIANT,
    complete=True,
    exit_code=0,
    simulated=False,
    deep=False,
    whole=True,
    selection=(),
    policy_sha256="a" * 64,
    principal=None,
    version="0.1.0",
)
GOOD, BAD = State("here", Verdict.COMPLIANT), State("there", Verdict.VIOLATION, Severity.HIGH)


def drift(*changes: Change, turnover: int = 0, caveats: tuple[str, ...] = ()) -> Drift:
    return Drift("production", "p", SIDE, replace(SIDE, complete=False), changes, turnover, caveats)


def moved(name: str, effect: Effect = Effect.WORSE, before: State = GOOD, after: State = BAD) -> Change:
    return Change(Kind.MOVED, effect, "gcs", name, f"//{name}", Role.PRIMARY, "location", "me", before, after)


def shown(found: Drift) -> str:
    return drift_table.render(found, Page(width=100)).split("\n\n", 1)[1]


def test_worse_comes_before_changed_and_better() -> None:
    better, neutral = moved("a", Effect.BETTER, BAD, GOOD), moved("b", Effect.NEUTRAL, GOOD, GOOD)
    titles = re.findall(r"^[A-Z]+  .*$", shown(drift(better, neutral, moved("c"))), re.MULTILINE)
    assert titles == ["WORSE  gcs  c", "CHANGED  gcs  b", "BETTER  gcs  a"]


def test_the_same_of_many_resources_is_told_once_and_of_few_one_by_one() -> None:
    many = [moved(f"b{number}") for number in range(12)]
    text = shown(drift(*many, moved("other", after=replace(BAD, value="elsewhere"))))
    assert "WORSE  gcs  12 resources\n  moved       primary here -> there (compliant -> violation, high)\n" in text
    assert "b0, b1, b2, b3, b4, b5, b6, b7, b8, b9 and 2 more\n" in text
    assert "WORSE  gcs  other\n" in text
    assert [f"WORSE  gcs  b{number}" in shown(drift(*many[:3])) for number in range(4)] == [True, True, True, False]


def test_one_move_in_two_fields_is_one_line() -> None:
    text = shown(drift(moved("a"), replace(moved("a"), field="other")))
    assert text.count("moved") == 1
    assert "read from location and 1 more\n" in text


def test_what_is_about_the_run_and_what_came_and_went() -> None:
    digest = Change(Kind.POLICY, Effect.NEUTRAL, "", "sha256", before=State("1"), after=State("2"))
    text = drift_table.render(drift(digest, turnover=3, caveats=("mind the gap",)), Page(width=100))
    assert (
        "new  2026-11-22T09:00:01Z  compliant, incomplete, exit 0; policy sha256 aaaaaaaa\nNOTE: mind the gap\n" in text
    )
    assert "CHANGED  run\n  policy      sha256: 1 -> 2\n" in text
    assert "1 change: 0 worse, 0 better, 1 neutral; 3 more came or went among others like them, as backups do\n" in text


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (moved("a"), "primary here -> there (compliant -> violation, high)"),
        (moved("a", after=GOOD), "primary here (compliant)"),
        (Change(Kind.APPEARED, Effect.WORSE, "gcs", "a", "//a", after=BAD), "there (violation, high)"),
        (replace(moved("a"), kind=Kind.VERDICT), "primary here: compliant -> violation, high"),
        (Change(Kind.VERDICT, Effect.WORSE, "gcs", "a", "//a", before=GOOD, after=BAD), "compliant -> violation, high"),
        (Change(Kind.UNREAD, Effect.WORSE, "gcs", "projects/p", after=State("timeout")), "projects/p: timeout"),
        (Change(Kind.UNREAD, Effect.WORSE, "gcs", "//a keys", "//a", after=State("timeout")), "//a keys: timeout"),
        (Change(Kind.MISSING, Effect.WORSE, "gcs", "a", before=State("there"), after=State("missing")),
         "a: there -> missing"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_change(change: Change, text: str) -> None:
    assert said(change) == text


def test_every_kind_has_a_label_and_a_row_in_the_documents() -> None:
    assert [*LABELS] == [*Kind]
    assert all(len(label) <= 10 for label in LABELS.values())
    page = (Path(__file__).parents[2] / "docs" / "drift.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE) == [kind.value for kind in Kind]


def test_the_section_of_a_report_ends_and_says_what_it_left_out(demo_report: Report) -> None:
    changes = [moved(f"b{number}", after=replace(BAD, value=f"there{number}")) for number in range(25)]
    report = replace(demo_report, drift=drift(*changes, caveats=("mind the gap",)))
    text = table.render(report, Page(width=100))
    section = text[text.index("CHANGES since 2026-11-22T09:00:01Z\nNOTE: mind the gap\n") :]
    assert section.count("\nWORSE  gcs  ") == 20
    assert "and 5 more, all in the JSON report\n\n25 changes: 25 worse, 0 better, 0 neutral\n\n" in section
    assert "CHANGES since" not in table.render(demo_report, Page())


def test_markdown_has_the_changes_as_a_table(demo_report: Report) -> None:
    report = replace(demo_report, drift=drift(moved("a|`b"), moved("c", Effect.BETTER), caveats=("mind | the gap",)))
    text = markdown.render(report, Page())
    section = text[text.index("### Changes since 2026-11-22T09:00:01Z\n") :].split("\n### ")[0]
    change = "`primary here -> there (compliant -> violation, high), read from location (me)`"
    assert section.split("\n")[2:] == [
        "2 changes: 1 worse, 1 better, 0 neutral.",
        "",
        r"> `mind \x7c the gap`",
        "",
        "| Effect | What | Type | Resource | Change |",
        "| --- | --- | --- | --- | --- |",
        rf"| worse | moved | `gcs` | `a\x7c\x60b` | {change} |",
        f"| better | moved | `gcs` | `c` | {change} |",
        "",
    ]
    assert "### Changes" not in markdown.render(demo_report, Page())


def test_a_stored_report_keeps_its_changes(demo_report: Report) -> None:
    found = drift(
        moved("a"),
        Change(Kind.POLICY, Effect.NEUTRAL, "", "sha256", before=State("1"), after=State("2")),
        Change(Kind.NOT_SEEN, Effect.NEUTRAL, "gcs", "b", "//b", before=BAD),
        turnover=7,
        caveats=("mind the gap",),
    )
    text = json.render(replace(demo_report, drift=found), Page())
    assert read_report(text.encode(), "r.json").drift == found
    assert drift_json.document(found)["summary"]["turnover"] == 7
