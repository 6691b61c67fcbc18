"""What tests of formats share: reports to render, the command line against a world, and readers that are not ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.cli.main import run
from diga_verify.judgement import Missing
from diga_verify.model import Reason, Severity, Unread, Verdict
from diga_verify.policy import Policy
from diga_verify.report import Report
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World, shipped_world

_TABLE = tuple[tuple[str, ...], ...]


@dataclass
class Shown:
    """A Markdown page as a reader sees it: what is in code, what is not, tables as cells, and the elements used."""

    code: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    tables: list[list[list[str]]] = field(default_factory=list)
    elements: set[str] = field(default_factory=set)
    attributes: set[tuple[str, str | None]] = field(default_factory=set)

    @property
    def text(self) -> str:
        return "".join(self.words)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.shown = Shown()
        self._in_code = self._in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.shown.elements.add(tag)
        self.shown.attributes.update(attrs)
        if tag == "table":
            self.shown.tables.append([])
        elif tag == "tr":
            self.shown.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.shown.tables[-1][-1].append("")
            self._in_cell = True
        elif tag == "code":
            self.shown.code.append("")
            self._in_code = True

    def handle_endtag(self, tag: str) -> None:
        self._in_cell &= tag not in {"td", "th"}
        self._in_code &= tag != "code"

    def handle_data(self, data: str) -> None:
        if self._in_code:
            self.shown.code[-1] += data
        else:
            self.shown.words.append(data)
        if self._in_cell:
            self.shown.tables[-1][-1][-1] += data


@dataclass(frozen=True)
class Command:
    """One workflow command, as GitHub's runner understands a line."""

    level: str
    properties: dict[str, str]
    message: str


def _command(line: str) -> Command:
    assert line.startswith("::")
    head, separator, data = line[2:].partition("::")
    assert separator
    assert ":" not in head
    level, _, listed = head.partition(" ")
    properties = dict(one.split("=", 1) for one in listed.split(",") if one)
    assert set(re.findall(r"%..", line)) <= {"%25", "%0D", "%0A", "%3A", "%2C"}
    return Command(level, {name: _unescaped(value) for name, value in properties.items()}, _unescaped(data))


def _unescaped(text: str) -> str:
    for escape, character in ("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%"):
        text = text.replace(escape, character)
    return text


@pytest.fixture(scope="session")
def read_markdown() -> Callable[[str], Shown]:
    """Renders Markdown as GitHub does, HTML in it included, and reads the page."""

    def read_markdown(text: str) -> Shown:
        reader = _Reader()
        reader.feed(MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(text))
        return reader.shown

    return read_markdown


@pytest.fixture(scope="session")
def read_commands() -> Callable[[str], list[Command]]:
    """Reads workflow commands; every line must be one."""

    def read_commands(text: str) -> list[Command]:
        assert text.endswith("\n")
        return [_command(line) for line in text.removesuffix("\n").split("\n")]

    return read_commands


@cache
def _shipped(world: str) -> Report:
    return run_against_shipped_world(world, quiet=True)


@pytest.fixture(scope="session")
def demo_report() -> Report:
    return _shipped("demo")


@pytest.fixture(scope="session")
def compliant_report() -> Report:
    return _shipped("compliant")


@pytest.fixture
def everything(gate: Callable[..., Report], policy: Callable[..., Policy]) -> Report:
    """Two of everything that a report can hold, the worst last."""
    buckets = [
        {"name": "fine-1", "location": "EUROPE-WEST3"},
        {"name": "fine-2", "location": "EUROPE-WEST3"},
        {"name": "waived-1", "location": "EUR8"},
        {"name": "waived-2", "location": "EU"},
        {"name": "wrong-1", "location": "EUROPE-WEST6"},
        {"name": "wrong-2", "location": "US"},
    ]
    more = "".join(
        f'[[waivers]]\nresource = "//storage.googleapis.com/waived-{number}"\nrole = "primary"\n'
        f'location = "{location}"\nreason = "old | contract"\nowner = "owner {number}"\nexpires = 2027-01-31\n'
        for number, location in ((1, "EUR8"), (2, "EU"))
    )
    expected = "".join(f'[[expected]]\ntype = "gcs"\nname = "{name}"\n' for name in ("gone", "wrong-3"))
    table = {"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": buckets}}
    report = gate(table, "gcs", "kms", rules=policy(more=f"{more}{expected}"))
    second = Unread("kms", "projects/dtx-data/locations/b", Reason.TIMEOUT, "b | did not answer")
    return replace(report, judgement=replace(report.judgement, unread=(*report.judgement.unread, second)))


@pytest.fixture(scope="session")
def calm(compliant_report: Report) -> dict[str, tuple[Report, str, int]]:
    """Reports of runs with next to nothing in them, each with its verdict and exit code."""
    none = replace(compliant_report.judgement, resources=(), missing=(), unread=(), declared_unused=())
    gone = replace(none, missing=(Missing("gcs", "a", None, None), Missing("gcs", "b", "EU", 9, ("c", "d"))))
    open_ = replace(none, unread=(Unread("gcs", "gcs", Reason.TIMEOUT, "first"), Unread("x", "y", Reason.TIMEOUT, "2")))
    bare = replace(compliant_report.judgement.resources[-1], placements=(), verdict=Verdict.UNVERIFIED)
    unused = replace(compliant_report.judgement.resources[-1], declared_unused=True, verdict=Verdict.VIOLATION)
    idle = replace(compliant_report.judgement, unread=(Unread("policy", "//b", Reason.UNMATCHED_WAIVER, "line 7"),))
    made = {
        "compliant": (compliant_report, "compliant", 0),
        "nothing": (replace(compliant_report, judgement=none), "unverified", 3),
        "missing": (replace(compliant_report, judgement=gone), "violation", 1),
        "unread": (replace(compliant_report, judgement=open_), "unverified", 3),
        "bare": (replace(compliant_report, judgement=replace(none, resources=(bare,))), "unverified", 3),
        "unused": (replace(compliant_report, judgement=replace(none, resources=(unused,))), "violation", 1),
        "idle waiver": (replace(compliant_report, judgement=idle), "unverified", 2),
        "interrupted": (replace(compliant_report, interrupted_by=15), "unverified", 143),
    }
    for report, verdict, code in made.values():
        assert (report.verdict, report.exit_code) == (verdict, code)
    return made


@pytest.fixture(scope="session")
def full_of_caveats(demo_report: Report) -> Report:
    """A report of which nothing may be overlooked: simulated, selected, strict, incomplete, rerouted, unused."""
    return replace(
        demo_report,
        judgement=replace(demo_report.judgement, declared_unused=("kms", "redis")),
        whole=False,
        selection=("gke/a", "gcs/b"),
        strict=True,
        network_variables=("HTTPS_PROXY", "GCE_METADATA_HOST"),
    )


@pytest.fixture(scope="session")
def wrong_places(demo_report: Report) -> list[tuple[str, str, str | None, str, Severity | None]]:
    """Type, role, location, field and severity of each placement that the demo world has wrong."""
    return [
        (judged.resource.type, place.placement.role, place.location, place.placement.field, place.severity)
        for judged in demo_report.judgement.resources
        for place in judged.placements
        if place.verdict is Verdict.VIOLATION
    ]


@pytest.fixture
def ask(folder: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The gate through the command line against a world, shipped or a table: its exit code and stdout."""

    @contextmanager
    def served(world: str | dict[str, Any]) -> Iterator[str]:
        loaded = shipped_world(world) if isinstance(world, str) else World.from_dict(world)
        with Simulator(loaded) as simulator:
            yield simulator.url

    def ask(world: str | dict[str, Any], *options: str) -> tuple[int, str]:
        with served(world) as url:
            code = run(["production", "dtx-data", "--api-root", url, *options])
        shown = capfd.readouterr()
        assert shown.err == ""
        return code, shown.out

    return ask
