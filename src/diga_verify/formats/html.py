"""The report as one page of HTML for auditors and data-protection officers: no script, nothing loaded, on paper too.

The order is that of an auditor's questions: what is the verdict, who asked what and when, where does the data lie,
what is wrong, what is not known, what was accepted, what was not looked at, what do the controls say; then the records.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from itertools import chain

from diga_verify.formats.html_findings import changes, missing, unread, violations, waivers
from diga_verify.formats.html_markup import Html, around, code, each_line, element, fragment, lines, raw
from diga_verify.formats.html_places import picture
from diga_verify.formats.html_records import calls, controls, limits, resources
from diga_verify.formats.html_tables import facts_table, joined, verdict_word
from diga_verify.formats.page import Page
from diga_verify.formats.places import places
from diga_verify.formats.words import caveats, conclusion
from diga_verify.model import Verdict
from diga_verify.report import Report

_MEANS = {
    Verdict.COMPLIANT: "Everything in scope was read to its end, and every place that the APIs named for every "
    "resource lies wholly within what the policy allows, or is waived below by name.",
    Verdict.VIOLATION: "At least one copy of data lies, or is set up to lie, where the policy does not allow it, or a "
    "resource that must exist is not there. Whatever else is listed as not verified may hide more.",
    Verdict.UNVERIFIED: "No violation was found, and yet not everything was read or proven. What is not proven must "
    "not be taken for compliant: see what was not verified, and why.",
}


@dataclass(frozen=True, slots=True)
class _Section:
    title: str
    anchor: str
    body: Iterable[Html]
    """In pieces; that of a long one is made while it is written."""
    count: int | None = None
    """How many of what it is about there are, for the table of contents."""


def render(report: Report, page: Page) -> str:
    """The whole page. It decides nothing, and is the same for the same report."""
    return "".join(pieces(report, page))


def pieces(report: Report, page: Page) -> Iterator[str]:
    """The same in pieces."""
    sections = [*_sections(report)]
    skip = element("a", "Skip to the verdict", class_="skip", href="#verdict")
    header = element("header", lines([*_head(report), _contents(sections)]))
    main = around("main", chain.from_iterable(_numbered(sections)), id="main")
    footer = element("footer", _foot(report))
    body = chain(each_line([skip, header]), main, [raw("\n")], each_line([footer]))
    yield "<!DOCTYPE html>\n"
    yield from around("html", chain([_meta(report)], around("body", body)), lang="en")
    yield "\n"


def _sections(report: Report) -> Iterator[_Section]:
    summary, found, drift = report.summary, places(report), report.drift
    yield _Section("Who asked what, and when", "run", [_run(report)])
    yield _Section("Where the data lies", "places", [picture(found)], len(found))
    yield _Section("Violations", "violations", violations(report), summary.violations)
    yield _Section("Expected and missing", "missing", [missing(report)], summary.missing)
    yield _Section("Not verified", "unread", [unread(report)], summary.unread)
    yield _Section("Waivers in force", "waivers", [waivers(report)], len(report.judgement.waivers_used))
    if drift is not None:
        yield _Section("Changes since the baseline", "changes", [changes(drift)], len(drift.changes))
    yield _Section("What was not covered", "limits", [limits(report)])
    yield _Section("Controls", "controls", [controls(report)])
    yield _Section("Every resource, every place", "resources", resources(report), summary.resources)
    yield _Section("Every call", "calls", [calls(report)], len(report.calls))


def _numbered(sections: Sequence[_Section]) -> Iterator[Iterable[Html]]:
    for number, one in enumerate(sections, 1):
        heading = element("h2", element("span", str(number), class_="number"), one.title, id=f"h-{one.anchor}")
        inner = chain(each_line([heading]), one.body, [raw("\n")])
        yield around("section", inner, id=one.anchor, aria_labelledby=f"h-{one.anchor}")
        yield [raw("\n")]


def _contents(sections: Sequence[_Section]) -> Html:
    items = [
        element(
            "li",
            element("span", str(number), class_="number"),
            element("a", one.title, href=f"#{one.anchor}"),
            "" if one.count is None else element("span", f" {one.count:,}", class_="muted"),
        )
        for number, one in enumerate(sections, 1)
    ]
    return element("nav", element("ul", lines(items), class_="contents"), aria_label="Contents")


@cache
def _style() -> tuple[str, str]:
    """The style sheet, and what the content security policy must say for it to count."""
    text = "\n" + files(__package__).joinpath("html.css").read_text(encoding="utf-8")
    return text, f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def _meta(report: Report) -> Html:
    style, digest = _style()
    policy = f"default-src 'none'; style-src {digest}; base-uri 'none'; form-action 'none'"
    title = f"{report.verdict}: {report.project.id}, {report.environment}, {report.started_at} (diga-verify)"
    head = [
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        element("style", raw(style)),
    ]
    return element("head", lines(head))


def _head(report: Report) -> Iterator[Html]:
    yield element("p", "diga-verify, report on data residency", class_="eyebrow")
    yield element("h1", "Where the data of ", code(report.project.id), " lies")
    said = [
        element("h2", verdict_word(report.verdict, report.verdict.value.capitalize()), id="h-verdict"),
        element("p", conclusion(report), class_="conclusion"),
        element("p", _MEANS[report.verdict]),
        element("p", f"Exit code {report.exit_code}. ", _asked(report), class_="note"),
    ]
    where = f"verdict {report.verdict}"
    yield element("section", lines(said), class_=where, id="verdict", aria_labelledby="h-verdict")
    told = [_caveat(caveat.word, caveat.sentence, caveat.names) for caveat in caveats(report)]
    if told:
        yield element("ul", lines(told), class_="caveats")
    yield _tally(report)


def _asked(report: Report) -> Html:
    enforced = f"{report.enforcement}, made required by --strict" if report.strict else str(report.enforcement)
    return fragment("Environment ", code(report.environment), f" ({enforced}), {report.started_at}.")


def _caveat(word: str, sentence: str, names: tuple[str, ...]) -> Html:
    return element("li", element("strong", word), f" {sentence}", ": " if names else "", joined(map(code, names)))


def _tally(report: Report) -> Html:
    summary = report.summary
    counted = [
        ("resources", summary.resources, ""),
        ("compliant", summary.compliant, ""),
        ("in violation", summary.violations, "wrong"),
        ("missing", summary.missing, "wrong"),
        ("unverified", summary.unverified, "open"),
        ("not read or proven", summary.unread, "open"),
        ("waived", summary.waived, ""),
    ]
    cells = [
        element("div", element("dt", name), element("dd", f"{count:,}"), class_=grave if count and grave else None)
        for name, count, grave in counted
    ]
    return element("dl", *cells, class_="tally")


def _run(report: Report) -> Html:
    project = [code(report.project.id), f", number {report.project.number}" if report.project.number else ""]
    evidence = report.evidence
    what_if = ", another than that of the run: this report says what if" if report.what_if else ""
    rows: list[tuple[str, Html]] = [
        ("Project", fragment(*project)),
        ("Environment", fragment(code(report.environment), f", enforcement {report.enforcement}")),
        ("Asked as", code(report.principal) if report.principal else fragment("not known")),
        ("Policy", fragment(code(report.policy_path), what_if)),
        ("Policy, SHA-256", code(report.policy_sha256)),
        (
            "Evidence, SHA-256",
            code(evidence.sha256) if evidence else fragment("no evidence was stored with this report"),
        ),
        ("Started", fragment(report.started_at)),
        ("Finished", fragment(report.finished_at)),
        ("Scope", _scope(report)),
        ("Tool", fragment(f"diga-verify {report.version}")),
        ("Read by", _checkers(report)),
        ("Table of locations", fragment(f"of {report.table_date}")),
        ("Adequacy decisions", fragment(f"to be reviewed by {report.adequacy_review_date}")),
    ]
    return facts_table("The run, and what its verdict rests on", rows)


def _scope(report: Report) -> Html:
    deep = "; asked more deeply than lists show (--deep)" if report.deep else ""
    if report.whole:
        return fragment(f"the whole project{deep}")
    return fragment("a selection: ", joined(map(code, report.selection)), deep)


def _checkers(report: Report) -> Html:
    named: dict[tuple[str, str], list[str]] = {}
    for one in report.checkers:
        named.setdefault((one.distribution, one.version), []).append(one.type)
    parts = (
        fragment(code(f"{distribution} {version}"), ": ", code(", ".join(types)))
        for (distribution, version), types in named.items()
    )
    return joined(parts, "; ")


def _foot(report: Report) -> Html:
    return element(
        "p",
        f"Written by diga-verify {report.version} from its report of the run that began {report.started_at}. "
        "Names, fields and answers were chosen by others: whatever in them could hide or command something is written "
        "as an escape. The page loads nothing and runs nothing.",
    )
