"""Render: a stored JSON report in any format, as the run itself would have written it. It converts and does not
judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diga_verify.cli import delivery, options, screen
from diga_verify.cli.claims import claim
from diga_verify.cli.stored import load_report
from diga_verify.formats.registry import FORMATS

NOT_WRITTEN = 4


def render(
    report: Annotated[Path, typer.Argument(metavar="REPORT", help="A JSON report; - for standard input.")],
    format: options.Format = "table",
    output: options.Outputs = None,
    quiet: options.Quiet = False,
    color: options.ColorChoice = screen.Color.AUTO,
) -> None:
    """Show a stored JSON report in any format. Exit 0 when that is done, whatever the report says."""
    outputs = claim(output, also_read={"report": report})
    format = options.known(format, tuple(FORMATS), "format")
    stored = load_report(report)
    page = screen.page(color)
    written = [delivery.write_report(stored, name, path, page) is not None for name, path in outputs]
    shown = delivery.show(stored, format, page, quiet=quiet)
    raise typer.Exit(0 if shown and all(written) else NOT_WRITTEN)
