"""Replay: from stored evidence to the same report, offline; or to what another policy would have made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from diga_verify.checkers.registry import registered
from diga_verify.cli import options, screen
from diga_verify.cli.baseline import since
from diga_verify.cli.claims import claim
from diga_verify.cli.delivery import deliver
from diga_verify.cli.stored import handed_in, refuse_second_stdin, stored_report
from diga_verify.errors import EvidenceError, UsageError
from diga_verify.formats.json import render
from diga_verify.formats.page import Page
from diga_verify.formats.registry import FORMATS
from diga_verify.report import Report
from diga_verify.verify import replay as replayed

NOT_PROVEN = 3


def replay(
    evidence: Annotated[
        Path, typer.Argument(metavar="EVIDENCE", help="A file that --evidence wrote; - for standard input.")
    ],
    policy: Annotated[
        Path | None,
        typer.Option("-p", "--policy", metavar="FILE", help="Judge by this policy instead: what would it have said?"),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A JSON report of the same run: it must be what the evidence shows."),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(metavar="REPORT", help="What the run had as its --baseline: a JSON report, or evidence."),
    ] = None,
    format: options.Format = "table",
    output: options.Outputs = None,
    quiet: options.Quiet = False,
    color: options.ColorChoice = screen.Color.AUTO,
) -> None:
    """Derive a run's report anew from its evidence, asking nobody. The exit code is that of the run."""
    outputs = claim(output, policy, also_read={"evidence": evidence, "report": report, "baseline": baseline})
    format = options.known(format, tuple(FORMATS), "format")
    if policy is not None and report is not None:
        raise UsageError("--report compares with the run under its own policy: leave out --policy")
    refuse_second_stdin("the evidence, the report or the baseline", evidence, report, baseline)
    try:
        stored = handed_in(evidence)
        found = replayed(stored.data, str(stored.path), registered(), policy)
        found = since(stored_report(baseline) if baseline is not None else None, found)
        if report is not None:
            told = handed_in(report)
            compare(found, told.data, str(told.path), str(stored.path))
    except EvidenceError as error:
        screen.note(f"diga-verify: {error}", "diga-verify: nothing is proven by this evidence")
        raise typer.Exit(NOT_PROVEN) from None
    raise typer.Exit(deliver(found, format, outputs, quiet=quiet, color=color))


def compare(found: Report, told: bytes, path: str, evidence: str) -> None:
    """Raises EvidenceError unless the report is, byte for byte, what the evidence shows."""
    due = render(found, Page()).encode("ascii")
    if due == told:
        return
    try:
        said = json.loads(told)
    except (ValueError, RecursionError):
        raise EvidenceError(f"{path} is not JSON, and no report of the run that {evidence} is about") from None
    shown = json.loads(due)
    keys = [key for key in shown if not isinstance(said, dict) or said.get(key) != shown[key]]
    what = f"it differs in {', '.join(keys)}" if keys else "its bytes differ, though its values are the same"
    hint = f"; this is diga-verify {found.version}, use the one that wrote it" if "tool" in keys else ""
    hint = "; it was made with --baseline, and wants the same here" if keys == ["drift"] and said["drift"] else hint
    raise EvidenceError(f"{path} is not what {evidence} shows: {what}{hint}")
