"""`--baseline`: an earlier run, and what changed since."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diga_verify.cli.stored import stored_report

if TYPE_CHECKING:  # to compare takes libraries that a run without a baseline need not wait for
    from diga_verify.report import Report

Baseline = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="REPORT",
        envvar="DIGA_VERIFY_BASELINE",
        help="Also show what changed since an earlier run, of which this is the JSON report or the evidence.",
    ),
]


def earlier_run(baseline: Path | None, environment: str, project: str) -> Report | None:
    """The report of the earlier run, read before anything is asked. Raises UsageError when it is of no use here."""
    if baseline is None:
        return None
    from diga_verify.drift import refuse_baseline

    earlier = stored_report(baseline)
    refuse_baseline(earlier, environment, project)
    return earlier


def since(earlier: Report | None, report: Report) -> Report:
    """The report, with what changed since the earlier run if there is one."""
    if earlier is None:
        return report
    from diga_verify.drift import drift

    return replace(report, drift=drift(earlier, report))
