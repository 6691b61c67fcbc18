"""The page for auditors, as a parser and a browser that are not ours read it."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import struct
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
import pytest

from diga_verify.assessment import assessed
from diga_verify.controls import CONTROLS
from diga_verify.formats.html import render
from diga_verify.formats.html_markup import code, element
from diga_verify.formats.page import Page, plain
from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Reason, Unread, Verdict
from diga_verify.report import Evidence, Report

XHTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def parsed(text: str) -> Element:
    """The page, as a browser would understand it; no error is forgiven."""
    page: Element = html5lib.HTMLParser(strict=True).parse(text)
    return page


def page(report: Report) -> Element:
    return parsed(render(report, Page()))


def said(found: Element) -> str:
    """The text of an element as a reader sees it."""
    return " ".join("".join(found.itertext()).split())


def every(found: Element, name: str) -> list[Element]:
    return list(found.iter(f"{XHTML}{name}"))


def section(found: Element, anchor: str) -> Element:
    [one] = [one for one in every(found, "section") if one.get("id") == anchor]
    return one


def table(found: Element, anchor: str) -> list[list[str]]:
    """The rows of a section's one table, without its head."""
    [body] = every(section(found, anchor), "table")
    return [[said(cell) for cell in row] for row in every(body, "tr")][1:]


def row(judged: JudgedResource, place: JudgedPlacement) -> tuple[str, ...]:
    bound = place.bound.description if place.bound else "unknown"
    allowed = f"{', '.join(place.allowed.entries)} (line {place.allowed.line})"
    return judged.resource.full_name, place.placement.role, place.location or "none", bound, place.verdict, allowed


def shown_placements(found: Element) -> Iterator[tuple[tuple[str, ...], str]]:
    """Each placement in the table of resources: its row's words, and its field."""
    for body in every(section(found, "resources"), "tbody"):
        head, *rows = every(body, "tr")
        name = said(every(head, "small")[0])
        for one in rows:
            *cells, fields = list(one)
            role, location, bound, _, allowed = map(said, cells)
            about = (name, role, location, bound, said(every(cells[3], "span")[0]), allowed)
            for field in every(fields, "div") or [fields]:
                yield about, said(every(field, "code")[0])


def test_the_demo_through_the_command_line(ask: Callable[..., tuple[int, str]], folder: Path) -> None:
    exit_code, text = ask("demo", "-f", "html", "-o", "report.html")
    assert exit_code == 1
    assert (folder / "report.html").read_text(encoding="utf-8") == text
    found = parsed(text)
    assert found.get("lang") == "en"
    verdict = said(section(found, "verdict"))
    assert verdict.startswith("Violation Deployment stopped: the data is not proven to be where the policy requires.")
    assert "Exit code 1. Environment production (required), " in verdict
    caveats = [said(one) for one in every(every(found, "header")[0], "ul")[0]]
    assert caveats[0].startswith("SIMULATED the answers came from a stand-in, not from Google Cloud: http://127.0.0.1:")
    assert caveats[1] == "INCOMPLETE not everything in scope was read to its end"
    first = every(section(found, "violations"), "article")[0]
    assert said(every(first, "h3")[0]) == "critical violation1. sql dta-postgres"
    assert [said(one) for one in every(first, "dd")][:4] == [
        "us: multi-region, United States",
        "backupRuns[1795226400000].location",
        "europe-west3, jurisdiction:EU (regions.toml:34)",
        "critical: outside what DiGAV section 4(3) allows",
    ]


def test_the_compliant_world(ask: Callable[..., tuple[int, str]]) -> None:
    exit_code, text = ask("compliant", "-f", "html")
    assert exit_code == 0
    found = parsed(text)
    assert said(section(found, "verdict")).startswith(
        "Compliant All data of the project lies where the policy requires."
    )
    assert said(section(found, "violations")) == "3Violations None was found in what was read."
    assert said(section(found, "missing")).endswith("expects is there.")
    assert said(section(found, "waivers")) == "6Waivers in force No violation is waived."


def test_nothing_runs_and_nothing_is_loaded(demo_report: Report, everything: Report) -> None:
    for report in demo_report, everything:
        found = page(report)
        names = {str(one.tag) for one in found.iter()}
        assert names <= {
            *(
                f"{XHTML}{name}"
                for name in ("html", "head", "meta", "title", "style", "body", "header", "main", "footer")
            ),
            *(
                f"{XHTML}{name}"
                for name in ("nav", "section", "article", "figure", "details", "summary", "h1", "h2", "h3")
            ),
            *(f"{XHTML}{name}" for name in ("p", "a", "ul", "li", "dl", "dt", "dd", "div", "span", "strong", "small")),
            *(f"{XHTML}{name}" for name in ("code", "table", "caption", "colgroup", "col", "thead", "tbody", "tr")),
            *(f"{XHTML}{name}" for name in ("th", "td")),
            *(
                f"{SVG}{name}"
                for name in ("svg", "title", "desc", "g", "path", "circle", "rect", "ellipse", "text", "tspan")
            ),
        }
        attributes = [(name, value) for one in found.iter() for name, value in one.attrib.items()]
        assert not [
            name for name, _ in attributes if name.startswith("on") or name in {"src", "style", "srcset", "action"}
        ]
        links = {value for name, value in attributes if "href" in name}
        ids = Counter(value for name, value in attributes if name == "id")
        assert set(ids.values()) == {1}
        assert {link for link in links if not link.startswith("#")} == {control.url for control in CONTROLS}
        assert {link[1:] for link in links if link.startswith("#")} <= ids.keys()


def test_the_content_security_policy_names_this_style_sheet_and_nothing_else(demo_report: Report) -> None:
    found = page(demo_report)
    [style] = every(found, "style")
    [policy] = [one.get("content") for one in every(found, "meta") if one.get("http-equiv")]
    digest = base64.b64encode(hashlib.sha256((style.text or "").encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert not re.search(r"url\(|@import|expression", style.text or "")
    assert every(found, "meta")[0].get("charset") == "utf-8"


def test_every_resource_and_every_placement_is_there_once(demo_report: Report, everything: Report) -> None:
    for report in demo_report, everything:
        expected = Counter(
            (row(judged, place), place.placement.field)
            for judged in report.judgement.resources
            for place in judged.placements
        )
        assert expected
        assert Counter(shown_placements(page(report))) == expected
        heads = [said(every(one, "small")[0]) for one in every(section(page(report), "resources"), "tbody")]
        assert heads == [judged.resource.full_name for judged in report.judgement.resources]


def test_a_placement_points_into_the_evidence(everything: Report) -> None:
    resources = everything.judgement.resources
    sources = [f"/answers/{number}" for number in range(len(resources))]
    pointed = tuple(
        replace(
            one, placements=tuple(replace(it, placement=replace(it.placement, source=source)) for it in one.placements)
        )
        for one, source in zip(resources, sources, strict=True)
    )
    judgement = replace(everything.judgement, resources=pointed)
    found = page(replace(everything, judgement=judgement, evidence=Evidence("ab" * 32)))
    records = [said(one) for one in every(section(found, "resources"), "small")]
    assert [one.removeprefix("evidence ") for one in records if one.startswith("evidence ")] == sources
    assert ["Evidence, SHA-256", "ab" * 32] in [
        [said(cell) for cell in one] for one in every(section(found, "run"), "tr")
    ]
    assert "evidence /" not in said(page(everything))


def test_every_misplaced_placement_is_told_the_gravest_first(demo_report: Report, wrong_places: list[Any]) -> None:
    articles = every(section(page(demo_report), "violations"), "article")
    resources = [*demo_report.of(Verdict.VIOLATION)]
    assert [said(every(one, "a")[0]) for one in articles] == [one.resource.full_name for one in resources]
    graves = [said(every(one, "h3")[0]).split(" ")[0] for one in articles]
    assert graves == sorted(graves)
    assert set(graves) == {"critical", "high"}
    fields = [
        said(code)
        for one in articles
        for term, value in zip(every(one, "dt"), every(one, "dd"), strict=True)
        if said(term) == "read from"
        for code in [every(part, "code")[0] for part in every(value, "div") or [value]]
    ]
    assert Counter(fields) == Counter(field for *_, field, _ in wrong_places)


def test_two_of_everything(everything: Report) -> None:
    found = page(everything)
    first, second = everything.judgement.missing
    step = "correct the name, or create it; see docs/respond.md#missing"
    assert table(found, "missing") == [
        ["gcs", "gone", f"expected by regions.toml:{first.line}, and not there", step],
        [
            *("gcs", "wrong-3", f"expected by regions.toml:{second.line}, and not there"),
            f"did you mean wrong-2, wrong-1? {step}",
        ],
    ]
    unread = table(found, "unread")
    assert [one for one in unread if len(one) == 3] == [
        [one.type, one.scope, one.detail] for one in everything.judgement.unread
    ]
    assert unread[-2][0].startswith("1 not verifiedtimeoutWhat to do: run again")
    assert table(found, "waivers") == [
        [
            f"//storage.googleapis.com/waived-{number}1 placement",
            *(f"primary: {location}", "high", "old | contract", f"owner {number}"),
            f"2027-01-31regions.toml:{everything.judgement.waivers_used[number - 1].line}",
        ]
        for number, location in ((1, "EUR8"), (2, "EU"))
    ]


def test_limits_controls_and_calls(demo_report: Report) -> None:
    found = page(demo_report)
    limits = [said(one) for one in every(section(found, "limits"), "li")]
    assert len(demo_report.limits) > 2
    for one in demo_report.limits:
        text = " ".join(one.text.replace("`", "").split())
        assert limits.count(f"{one.type}: {text}" if one.type else text) == 1
    assert [one for one in limits if one.startswith("Cloud Asset Inventory gave its whole list of these types, ")]
    words = {"satisfied": "satisfied", "not-satisfied": "not satisfied", "not-proven": "not proven"}
    assert [(one[0], one[2]) for one in table(found, "controls")] == [
        (f"{one.control.framework} {one.control.clause}", words[one.standing]) for one in assessed(demo_report)
    ]
    first = assessed(demo_report)[0]
    names = {
        one.resource.full_name: f"{one.resource.type} {one.resource.name}" for one in demo_report.judgement.resources
    }
    assert table(found, "controls")[0][3] == "".join(names[one] for one in first.resources)
    assert table(found, "calls") == [
        [
            *(f"{one.method}{one.service}", one.scope, one.status, one.started_at),
            *(str(one.pages), f"{one.duration_ms:,}"),
        ]
        for one in demo_report.calls
    ]


def test_what_the_run_was(demo_report: Report, full_of_caveats: Report) -> None:
    facts = dict(table_of_facts(page(demo_report)))
    assert facts["Project"] == "dtx-data, number 100000000001"
    assert facts["Environment"] == "production, enforcement required"
    assert (facts["Policy"], facts["Policy, SHA-256"]) == ("regions.toml", demo_report.policy_sha256)
    assert facts["Evidence, SHA-256"] == "no evidence was stored with this report"
    assert (facts["Started"], facts["Finished"]) == (demo_report.started_at, demo_report.finished_at)
    assert (facts["Asked as"], facts["Scope"]) == ("not known", "the whole project")
    assert facts["Tool"] == f"diga-verify {demo_report.version}"
    assert facts["Table of locations"] == f"of {demo_report.table_date}"
    assert facts["Adequacy decisions"] == f"to be reviewed by {demo_report.adequacy_review_date}"
    other = replace(full_of_caveats, principal="robot@x", what_if=True, deep=True)
    facts = dict(table_of_facts(page(other)))
    assert facts["Asked as"] == "robot@x"
    assert facts["Policy"] == "regions.toml, another than that of the run: this report says what if"
    assert facts["Scope"] == "a selection: gke/a, gcs/b; asked more deeply than lists show (--deep)"
    assert "made required by --strict" in said(section(page(other), "verdict"))
    words = [said(one).split(" ")[0] for one in every(every(page(other), "header")[0], "strong")]
    assert {"SIMULATED", "REROUTED", "SELECTED", "INCOMPLETE", "STRICT", "UNUSED"} <= {*words}


def table_of_facts(found: Element) -> Iterator[tuple[str, str]]:
    for one in every(section(found, "run"), "tr"):
        name, value = one
        yield said(name), said(value)


def test_each_run_tells_whether_it_passed(calm: dict[str, tuple[Report, str, int]]) -> None:
    for report, verdict, exit_code in calm.values():
        told = said(section(page(report), "verdict"))
        assert told.startswith(f"{verdict.capitalize()} ")
        assert f" Exit code {exit_code}. " in told


def test_what_has_no_placement_is_shown_too(calm: dict[str, tuple[Report, str, int]]) -> None:
    bare, unused = page(calm["bare"][0]), page(calm["unused"][0])
    name = calm["bare"][0].judgement.resources[0].resource.full_name
    assert table(bare, "unread")[-1] == ["kms", name, "no places of it are known"]
    assert "no places of it are known" in said(section(bare, "resources"))
    assert "the policy declares kms unused in production" in said(section(unused, "violations"))
    assert 'take "kms" out of `unused` in the policy' in said(section(unused, "violations"))
    assert "of a type that the policy declares unused" in said(section(unused, "resources"))
    assert said(section(page(calm["nothing"][0]), "resources")).endswith("No resource was read.")
    assert said(section(page(calm["nothing"][0]), "places")).endswith("so there is nothing to show.")


def test_headings_are_in_order_and_tables_have_names(demo_report: Report) -> None:
    found = page(demo_report)
    levels = [int(one.tag[-1]) for one in found.iter() if re.fullmatch(r".*\}h[1-6]", str(one.tag))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in pairwise(levels))
    for one in every(found, "table"):
        assert one[0].tag == f"{XHTML}caption"
        assert said(one[0])
        assert {cell.get("scope") for cell in every(one, "th")} <= {"col", "row", "rowgroup"}
    assert every(found, "body")[0][0].get("href") == "#verdict"
    assert {one.get("open") for one in every(found, "details")} == {""}
    entries = [said(one).lstrip("0123456789") for one in every(every(found, "nav")[0], "a")]
    headings = [said(one).lstrip("0123456789") for one in every(every(found, "main")[0], "h2")]
    assert entries == headings


HOSTILE = (
    "</td></table></main><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "<!-- --!> <![CDATA[",
    "&lt;b&gt;&amp;&#60;script&#62;",
    "javascript:alert(1)",
    "</style><style>*{display:none}",
    "</title><base href=//evil>",
    "\x00\x1b[2J\ud800\ufdd0\x85",
    "\u202etxt\u2066\u200b\ufeff\u2028",
    "</svg></text><foreignObject>",
    "",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_others_chose_is_text_and_nothing_else(text: str, everything: Report) -> None:
    resources = everything.judgement.resources
    places = tuple(
        replace(
            place, placement=replace(place.placement, field=text, about=text, source=text), location=text, bound=None
        )
        for place in resources[-1].placements
    )
    named = replace(resources[-1].resource, name=text, kind=text, full_name=text, labels={text: text})
    spoilt = replace(resources[-1], resource=named, placements=places)
    unread = Unread(text, text, Reason.TIMEOUT, text)
    waiver = replace(everything.judgement.waivers_used[-1], resource=text, location=text, reason=text, owner=text)
    judgement = replace(
        everything.judgement,
        resources=(*resources[:-1], spoilt),
        unread=(*everything.judgement.unread[:-1], unread),
        waivers_used=(*everything.judgement.waivers_used[:-1], waiver),
    )
    hostile = replace(everything, judgement=judgement, principal=text, environment=text, policy_path=text, version=text)
    harmless = replace(hostile, judgement=spelt(judgement, text), principal="x", environment="x", policy_path="x")
    found = page(hostile)
    assert shape(found) == shape(page(replace(harmless, version="x")))
    shown = " ".join(plain(text).split())
    assert table(found, "unread")[-1] == [shown, shown, shown]
    assert table(found, "waivers")[-1][3:5] == [shown, shown]
    assert {field for _, field in [*shown_placements(found)][-len(places) :]} == {shown}


def spelt(value: Any, text: str) -> Any:
    """The judgement with a harmless word wherever the text stands."""
    last, waiver, unread = value.resources[-1], value.waivers_used[-1], value.unread[-1]
    places = tuple(
        replace(place, placement=replace(place.placement, field="x", about="x", source="x"), location="x")
        for place in last.placements
    )
    named = replace(last.resource, name="x", kind="x", full_name="x", labels={"x": "x"})
    return replace(
        value,
        resources=(*value.resources[:-1], replace(last, resource=named, placements=places)),
        unread=(*value.unread[:-1], replace(unread, type="x", scope="x", detail="x")),
        waivers_used=(*value.waivers_used[:-1], replace(waiver, resource="x", location="x", reason="x", owner="x")),
    )


def shape(found: Element) -> list[tuple[str, tuple[str, ...]]]:
    """The elements of a page in their order, each with the names of its attributes, without marks for code."""
    small = {f"{XHTML}small", f"{XHTML}code"}  # empty names have no line of their own
    return [(str(one.tag), tuple(one.attrib)) for one in found.iter() if one.tag not in small]


def test_markup_is_made_by_element_alone() -> None:
    assert (
        element("p", "<b>", code("&"), "a:", ":b", class_='"')
        == '<p class="&quot;">&lt;b&gt;<code>&amp;</code>a:\\x3ab</p>'
    )
    assert element("td", "x") == "<td>x"
    assert element("i", element("b", "x") + "<", title=None) == "<i>&lt;b&gt;x&lt;/b&gt;&lt;</i>"


def crowd(report: Report, number: int) -> Report:
    """The report with so many resources, each as one that it has, under names of 80 characters."""
    some = report.judgement.resources
    many = tuple(
        replace(
            some[index % len(some)],
            resource=replace(
                some[index % len(some)].resource,
                name=f"{index:080d}",
                full_name=f"//storage.googleapis.com/projects/dtx-data/{index:080d}",
            ),
        )
        for index in range(number)
    )
    return replace(report, judgement=replace(report.judgement, resources=many))


def test_two_thousand_resources_with_long_names_are_a_page_of_few_megabytes(demo_report: Report) -> None:
    report = crowd(demo_report, 2000)
    text = render(report, Page())
    assert len(text.encode()) < 3_000_000
    assert text.count('class="group" id="r') == 2000
    assert text == render(report, Page())


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
class TestInABrowser:
    """What only a browser can tell: that the policy lets the style sheet through, and that paper gets everything."""

    def browse(self, folder: Path, report: Report, *options: str) -> str:
        assert CHROMIUM
        (folder / "report.html").write_text(render(report, Page()), encoding="utf-8")
        fixed = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr"]
        place = [f"--user-data-dir={folder / 'profile'}", (folder / "report.html").as_uri()]
        done = subprocess.run(
            [CHROMIUM, *fixed, *options, *place], capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stderr

    def test_a_picture_of_it(self, tmp_path: Path, demo_report: Report) -> None:
        log = self.browse(tmp_path, demo_report, f"--screenshot={tmp_path / 'x.png'}", "--window-size=1280,2000")
        assert "CONSOLE" not in log
        assert "Content Security Policy" not in log
        data = (tmp_path / "x.png").read_bytes()
        assert struct.unpack(">II", data[16:24]) == (1280, 2000)
        assert len(data) > 100_000  # a page without its map and its style has half of it

    def test_paper_gets_what_is_closed_too(self, tmp_path: Path, demo_report: Report) -> None:
        log = self.browse(tmp_path, demo_report, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'x.pdf'}")
        assert "Content Security Policy" not in log
        pages = re.findall(rb"/Type\s*/Page\b", (tmp_path / "x.pdf").read_bytes())
        assert 10 <= len(pages) <= 24
