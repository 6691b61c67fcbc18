"""Markdown as a reader sees it, once rendered by a parser that is not ours."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diga_verify.formats.markdown import LIMIT, render
from diga_verify.formats.page import Page
from diga_verify.model import Enforcement, Reason, Unread
from diga_verify.report import Report

Reader = Callable[[str], Any]
HOSTILE = (
    "a | b",
    "` <img src=x onerror=alert(1)> `",
    "`` @octocat #12 ``",
    "\\",
    "\\|",
    "![x](http://evil/x.png) [y](http://evil)",
    "# heading",
    "\n# heading\n\n| a | b |\n|---|---|\n",
    "@octocat fixes #12 GH-12 org/repo#12 !3 ~bug",
    "https://evil.example www.evil.example a@evil.example",
    "</code></td></table><script>",
    "<!--",
    "&lt;b&gt; &#64;octocat",
    "```",
    "$`x`$ $$x$$",
    "/close",
    "[^1] :smile: ~~x~~ **b**",
    "",
    " ",
)


def section(text: str, title: str) -> str:
    found = re.search(rf"^### {title}\n\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def named(report: Report, *names: str) -> Report:
    """The report, its last resources named so."""
    resources = report.judgement.resources
    last = [
        replace(one, resource=replace(one.resource, name=name, kind=name, full_name=name))
        for one, name in zip(resources[-len(names) :], names, strict=True)
    ]
    return replace(report, judgement=replace(report.judgement, resources=(*resources[: -len(names)], *last)))


def test_the_demo_through_the_command_line(
    ask: Callable[..., tuple[int, str]], folder: Path, read_markdown: Reader
) -> None:
    code, text = ask("demo", "-f", "markdown", "-o", "report.md")
    assert code == 1
    assert (folder / "report.md").read_text() == text
    lines = text.splitlines()
    assert lines[:3] == [
        "## diga-verify: violation, exit 1",
        "",
        "**Deployment stopped: the data is not proven to be where the policy requires.**",
    ]
    shown = read_markdown(text)
    violations, unread, facts = shown.tables
    assert [
        "critical",
        "gcs",
        "dtx-exports bucket",
        "primary",
        "US: multi-region, United States",
        "location",
        "europe-west3 (regions.toml:31)",
        "yes",
    ] in violations
    assert len(unread) == 1 + 3
    assert ["exit_code", "1"] in facts
    assert (
        "* `dtx-exports`: `gcloud storage buckets relocate gs://dtx-exports --location europe-west3, or copy its "
        "objects to a new bucket and delete this one; see docs/respond.md#gcs`"
    ) in lines


def test_every_misplaced_placement_is_told_the_gravest_first(
    demo_report: Report, wrong_places: list[Any], read_markdown: Reader
) -> None:
    rows = read_markdown(render(demo_report, Page())).tables[0][1:]
    assert len(rows) == len(wrong_places)
    for type, role, location, field, severity in wrong_places:
        assert [row for row in rows if row[:2] == [severity, type] and row[3] == role and f"{location}" in row[4]]
        assert [row for row in rows if row[5].partition(" (")[0] == field]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_the_compliant_world(ask: Callable[..., tuple[int, str]], read_markdown: Reader) -> None:
    code, text = ask("compliant", "-f", "markdown")
    assert code == 0
    shown = read_markdown(text)
    assert text.startswith(
        "## diga-verify: compliant, exit 0\n\n**All data of the project lies where the policy requires"
    )
    assert "SIMULATED: the answers came from a stand-in, not from Google Cloud: " in shown.text
    assert [table[1][0] for table in shown.tables] == ["verdict"]


def test_two_of_everything(everything: Report, read_markdown: Reader) -> None:
    text = render(everything, Page())
    violations, missing, unread, waived, _ = read_markdown(text).tables
    assert [row[2] for row in violations[1:]] == ["wrong-2 bucket", "wrong-1 bucket"]
    line = everything.judgement.missing[1].line
    assert missing[1:] == [
        ["gcs", "gone", "", f"regions.toml:{everything.judgement.missing[0].line}", ""],
        ["gcs", "wrong-3", "", f"regions.toml:{line}", "wrong-2, wrong-1"],
    ]
    assert unread[2] == ["kms", "timeout", "projects/dtx-data/locations/b", r"b \x7c did not answer"]
    assert [row[:3] for row in unread[1:-1]] == [["kms", "nothing_found", "kms"]]
    assert waived[2] == [
        "high",
        "gcs",
        "waived-2 bucket",
        "primary",
        waived[2][4],
        "owner 2",
        "2027-01-31",
        r"old \x7c contract",
    ]
    assert section(text, "What to do").count("* `") == 2 + 2


def test_each_run_tells_whether_it_passed(calm: dict[str, tuple[Report, str, int]], read_markdown: Reader) -> None:
    for report, verdict, code in calm.values():
        text = render(report, Page())
        assert text.startswith(f"## diga-verify: {verdict}, exit {code}\n")
        facts = dict(read_markdown(text).tables[-1])
        assert (facts["verdict"], facts["exit_code"], facts["simulated"]) == (verdict, str(code), "true")


def test_what_has_no_placement_to_blame_has_a_row_too(
    calm: dict[str, tuple[Report, str, int]], read_markdown: Reader
) -> None:
    for name, cell in ("bare", "no places of it are known"), ("unused", "declared unused"):
        assert cell in read_markdown(render(calm[name][0], Page())).tables[0][1]


def test_caveats(full_of_caveats: Report, read_markdown: Reader) -> None:
    text = render(full_of_caveats, Page())
    assert re.findall(r"^> \*\*(\w+)\*\*: ", text, re.MULTILINE) == [
        "SIMULATED",
        "REROUTED",
        "SELECTED",
        "INCOMPLETE",
        "STRICT",
        "UNUSED",
    ]
    assert "SELECTED: only a part was looked at; no gate result for the project: , " in read_markdown(text).text
    assert text.index("**SELECTED**") < text.index("### Violations")


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_foreign_is_anything_but_code(name: str, demo_report: Report, read_markdown: Reader) -> None:
    honest = read_markdown(render(named(demo_report, "fine", "x"), Page()))
    text = render(named(demo_report, "fine", name), Page())
    shown = read_markdown(text)
    assert shown.text == honest.text
    assert (shown.elements, shown.attributes) == (honest.elements, set())
    assert [[len(row) for row in table] for table in shown.tables] == [
        [len(row) for row in table] for table in honest.tables
    ]


def test_our_own_words_hold_nothing_that_github_or_gitlab_would_link(
    demo_report: Report, read_markdown: Reader
) -> None:
    shown = read_markdown(render(named(demo_report, *HOSTILE[-7:], *HOSTILE[:7]), Page()))
    assert re.findall(r"@|#\d|://|www\.|\bGH-|[!~$%&]\w", shown.text) == []
    assert shown.elements == {
        *("h2", "h3", "p", "strong", "code", "blockquote", "ul", "li"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }


def test_hostile_names_through_the_command_line(ask: Callable[..., tuple[int, str]], read_markdown: Reader) -> None:
    buckets = [{"name": "fine", "location": "EUROPE-WEST3"}, {"name": "@a | `<b>` #1\n# x", "location": "US"}]
    code, text = ask(
        {"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": buckets}}, "-t", "gcs", "-f", "markdown"
    )
    assert code == 1
    [row] = read_markdown(text).tables[0][1:]
    assert row[2] == r"@a \x7c \x60<b>\x60 #1\n# x bucket"
    assert "SELECTED" in text


def many(report: Report, number: int) -> Report:
    """The report with many violations, and two of everything else."""
    wrong = next(one for one in report.judgement.resources if one.resource.name == "dtx-exports")
    resources = tuple(
        replace(wrong, resource=replace(wrong.resource, name=f"bucket-{one:06d}")) for one in range(number)
    )
    return replace(report, judgement=replace(report.judgement, resources=resources))


def test_a_page_that_is_too_long_is_cut_and_says_so(demo_report: Report, read_markdown: Reader) -> None:
    text = render(many(demo_report, 8000), Page())
    assert LIMIT - 5000 < len(text.encode()) < LIMIT < 2**20
    said = re.findall(
        r"^> \*\*CUT\*\*: for want of room this leaves out (.*)\. The JSON report has all", text, re.MULTILINE
    )
    shown = read_markdown(text)
    rows = len(shown.tables[0]) - 1
    assert said == [f"{8000 - rows} of 8000 violations, 3 of 3 things not verified, 8001 of 8001 next steps"]
    assert text.startswith("## diga-verify: violation, exit 1\n")
    assert text.index("**CUT**") < text.index("### Violations")
    assert "### Not verified" not in text
    assert ["exit_code", "1"] in shown.tables[-1]
    assert {len(row) for row in shown.tables[0]} == {8}


def test_a_page_with_room_for_all_is_not_cut(demo_report: Report, read_markdown: Reader) -> None:
    text = render(many(demo_report, 1500), Page())
    assert "CUT" not in text
    assert len(read_markdown(text).tables[0]) == 1501


def test_one_long_text_does_not_take_all_the_room(demo_report: Report) -> None:
    unread = tuple(replace(one, detail="\u2028" * 500_000) for one in demo_report.judgement.unread)
    assert all(isinstance(one, Unread) for one in unread)
    text = render(replace(demo_report, judgement=replace(demo_report.judgement, unread=unread)), Page())
    assert len(text) < 40_000
    assert text.count("` and 2999000 more characters") == 3


def test_a_long_selection_does_not_take_all_the_room(demo_report: Report) -> None:
    text = render(replace(demo_report, whole=False, selection=tuple("\U0001f600" * 900 for _ in range(5000))), Page())
    assert len(text.encode()) < 200_000
    assert ", and 4980 more" in text


def test_the_order_is_always_the_same(demo_report: Report) -> None:
    assert render(demo_report, Page()) == render(demo_report, Page(width=40, color=True))


def test_what_is_enforced_is_told_row_by_row(demo_report: Report, read_markdown: Reader) -> None:
    resources = [one for one in demo_report.judgement.resources if one.resource.type == "gcs"]
    some = tuple(replace(one, enforced=one.resource.name == "dtx-video") for one in resources)
    judgement = replace(demo_report.judgement, resources=some)
    free = replace(demo_report, enforcement=Enforcement.FREE, judgement=judgement)
    for strict, told in (False, ["no", "yes"]), (True, ["yes", "yes"]):
        shown = read_markdown(render(replace(free, strict=strict), Page()))
        assert [row[7] for row in shown.tables[0][1:]] == told


def test_a_remedy_with_code_in_it_is_one_piece_of_code(demo_report: Report, read_markdown: Reader) -> None:
    one = replace(demo_report.judgement.unread[0], reason=Reason.RATE_LIMITED)
    judgement = replace(demo_report.judgement, resources=(), unread=(one,))
    step = (
        'run again later, or bill the calls elsewhere: "--billing-project PROJECT"; see docs/unverified.md#rate_limited'
    )
    assert step in read_markdown(render(replace(demo_report, judgement=judgement), Page())).code


def test_every_part_has_its_share_of_the_room_only(demo_report: Report, read_markdown: Reader) -> None:
    """The parts before the cut are whole."""
    one = demo_report.judgement.unread[0]
    unread = tuple(replace(one, scope=f"{number:05d}", detail="x" * 100) for number in range(8000))
    report = many(demo_report, 2500)
    text = render(replace(report, judgement=replace(report.judgement, unread=unread)), Page())
    violations, shown, facts = read_markdown(text).tables
    assert LIMIT - 5000 < len(text.encode()) < LIMIT
    assert len(violations) == 2501
    assert [row[2] for row in shown[1:]] == [f"{number:05d}" for number in range(len(shown) - 1)]
    left_out = f"leaves out {8001 - len(shown)} of 8000 things not verified, 2501 of 2501 next steps."
    assert left_out in text
    assert "### What to do" not in text
    assert facts[1][0] == "verdict"


def test_no_part_is_a_heading_only(demo_report: Report, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever the cut falls."""
    whole = len(render(demo_report, Page()).encode())
    for limit in range(whole - 6000, whole + 2000, 100):
        monkeypatch.setattr("diga_verify.formats.markdown.LIMIT", limit)
        text = render(demo_report, Page())
        headings = re.findall(r"^### (.*)\n\n(.*)\n?(.*)\n?(.*)", text, re.MULTILINE)
        assert [title for title, *lines in headings if not all(lines) and not lines[0].startswith("* ")] == []
        assert ("**CUT**" in text) == ("partial_answer`: `run again" not in text)
