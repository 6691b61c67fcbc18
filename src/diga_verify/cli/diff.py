"""`diga-verify diff`: what changed between two runs, and whether it is something to stop for (docs/drift.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from diga_verify.changes import Change, Drift, Effect, Kind
from diga_verify.cli import options, screen
from diga_verify.cli.claims import claim
from diga_verify.cli.stored import refuse_second_stdin, stored_report
from diga_verify.drift import NOTHING_IN_COMMON, drift
from diga_verify.errors import OutputError, UsageError
from diga_verify.formats import drift_json, drift_table
from diga_verify.formats.page import Page
from diga_verify.sinks.file import write_file

FORMATS: Mapping[str, Callable[[Drift, Page], str]] = {"table": drift_table.render, "json": drift_json.render}
FAIL_ON = ("none", "any", Effect.WORSE.value, *(kind.value for kind in Kind))
FAILING, NOT_WRITTEN = 1, 4


def diff(
    old: Annotated[
        Path, typer.Argument(metavar="OLD", help="The JSON report of a run, or its evidence; - for standard input.")
    ],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Those of a later run of the same project.")],
    format: Annotated[
        str,
        typer.Option(
            "-f",
            "--format",
            metavar="NAME",
            help=f"What stdout gets: {' or '.join(FORMATS)}.",
            autocompletion=lambda: [*FORMATS],
        ),
    ] = "table",
    output: Annotated[
        list[str] | None,
        typer.Option("-o", "--output", metavar="FILE", help="Also write it to FILE.json or FILE.txt; repeatable."),
    ] = None,
    fail_on: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-on",
            metavar="KIND",
            help=f"Exit 1 when there is such a change; repeatable. One of {', '.join(FAIL_ON)}.",
            show_default="worse",
            autocompletion=lambda: FAIL_ON,
        ),
    ] = None,
    color: options.ColorChoice = screen.Color.AUTO,
) -> None:
    """Show what changed between two runs of one project: what moved, came and went, and what the policy made of it."""
    outputs = claim(output, also_read={"old run": old, "new run": new})
    format = options.known(format, tuple(FORMATS), "format of changes")
    for name, path in outputs:
        if name not in FORMATS:
            raise UsageError(f"-o {path}: changes are written as {' or '.join(FORMATS)}, not as {name}")
    fails = failing(fail_on or [Effect.WORSE.value])
    refuse_second_stdin("the old or the new run", old, new)
    found = drift(stored_report(old), stored_report(new))
    if NOTHING_IN_COMMON in found.caveats:
        scopes = [", ".join(side.selection) or "the project" for side in (found.old, found.new)]
        raise UsageError(f"{NOTHING_IN_COMMON} (old: {scopes[0]}; new: {scopes[1]})")
    written = _write(found, format, outputs, color)
    if any(map(fails, found.changes)):
        raise typer.Exit(FAILING)
    raise typer.Exit(0 if written else NOT_WRITTEN)


def failing(words: Sequence[str]) -> Callable[[Change], bool]:
    """Whether a change is one of those that `--fail-on` names. Raises UsageError."""
    named = {options.known(word, FAIL_ON, "kind of change") for word in words}
    if "none" in named and len(named) > 1:
        raise UsageError("--fail-on none stands alone: leave it out, or leave out the others")
    return lambda change: "any" in named or not named.isdisjoint({change.kind.value, change.effect.value})


def _write(found: Drift, format: str, outputs: Sequence[tuple[str, Path]], color: screen.Color) -> bool:
    """Whether everything is written."""
    page = screen.page(color)
    written = True
    for name, path in outputs:
        try:
            write_file(path, FORMATS[name](found, replace(page, color=False)))
        except OutputError as error:
            screen.note(f"diga-verify: {error}")
            written = False
    try:
        screen.result(FORMATS[format](found, page))
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        written = False
    return written
