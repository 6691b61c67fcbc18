"""From every finding a link leads to a page that is there: what to do about it, or why it is not verified."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diga_verify.formats.advice import WAIVED_STEP, follow_up
from diga_verify.formats.page import Page
from diga_verify.formats.registry import FORMATS
from diga_verify.model import Verdict
from diga_verify.policy import Policy
from diga_verify.report import Report

DOCS = Path(__file__).parents[2] / "docs"
SHOWING = ("table", "markdown", "csv", "junit", "github", "html")
"""The formats for people. Programs have the codes that the anchors are made of."""
LINK = re.compile(r"docs/(\w+\.md)#([\w-]+)")
FINDINGS = {
    ("respond.md", "gcs"),
    ("respond.md", "missing"),
    ("respond.md", "waiver"),
    ("unverified.md", "nothing_found"),
    ("unverified.md", "timeout"),
    ("unverified.md", "unknown_location"),
}


@pytest.fixture
def findings(everything: Report, gate: Callable[..., Report], policy: Callable[..., Policy]) -> Report:
    """Two of everything, and a resource whose location nobody knows."""
    table: dict[str, Any] = {"project": {"id": "dtx-data", "number": "1"}}
    table["gcs"] = {"buckets": [{"name": "lost", "location": "EUROPE-WEST99"}]}
    lost = gate(table, "gcs", rules=policy()).judgement
    whole = everything.judgement
    both = replace(whole, resources=(*whole.resources, *lost.resources), unread=(*whole.unread, *lost.unread))
    return replace(everything, judgement=both)


@pytest.mark.parametrize("name", [name for name in SHOWING if name in FORMATS])
def test_every_kind_of_finding_links_to_its_section(name: str, findings: Report) -> None:
    shown = FORMATS[name](findings, Page(color=False, width=200))
    links = set(LINK.findall(shown))
    assert links >= FINDINGS
    for page, anchor in links:
        headings = re.findall(r"^#+ (.+)$", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_every_placement_with_something_the_matter_has_a_next_step(findings: Report) -> None:
    seen = set()
    for judged in findings.judgement.resources:
        for place in judged.placements:
            step = follow_up(judged, place)
            seen.add(place.verdict)
            assert (step is None) == (place.verdict is Verdict.COMPLIANT)
            assert step is None or LINK.search(step)
            assert (step == WAIVED_STEP) == (place.verdict is Verdict.WAIVED)
    assert seen == set(Verdict)
