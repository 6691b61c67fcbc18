"""`--audit-log`: the events of a run at the end of a log, and what becomes of its exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diga_verify.cli import screen
from diga_verify.errors import OutputError
from diga_verify.report import Report

OPTION = "--audit-log"
AuditLog = Annotated[
    Path | None,
    typer.Option(
        OPTION,
        metavar="FILE",
        envvar="DIGA_VERIFY_AUDIT_LOG",
        help="Also append what happened to this file, as JSON lines in Elastic Common Schema.",
    ),
]


def logged(path: Path | None, report: Report) -> bool:
    """Whether the log, where one is asked for, has the run. To be called before reports are written: whatever keeps
    those from it, the log tells that there was a run."""
    if path is None:
        return True
    from diga_verify.formats import ecs  # loaded only by a run that keeps a log
    from diga_verify.sinks.audit_log import append

    try:
        append(path, ecs.lines(report))
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return False
    return True
