"""Options of a run after a restore, and what they ask for."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Annotated

import typer

from diga_verify.cli.options import known
from diga_verify.errors import UsageError
from diga_verify.model import Recovery
from diga_verify.moment import moment
from diga_verify.report import Report
from diga_verify.restore import recovery

AfterRestore = Annotated[
    bool,
    typer.Option(
        "--after-restore",
        help="Also prove that there are backups, where data was restored from, and with --baseline that all is back.",
    ),
]
RestoredFrom = Annotated[
    list[str] | None,
    typer.Option(
        "--restored-from",
        metavar="TYPE/NAME=SOURCE",
        help="What a database was restored from, where no API tells: a backup's id, TYPE/NAME, gs://BUCKET or `empty`.",
    ),
]
BackupNewerThan = Annotated[
    float | None,
    typer.Option("--backup-newer-than", metavar="HOURS", help="How old the newest backup may be after a restore."),
]


def ordered(
    types: tuple[str, ...],
    earlier: Report | None,
    *,
    simulated: bool,
    after_restore: bool,
    restored_from: list[str] | None,
    newer_than: float | None,
) -> Recovery | None:
    """What to ask of the run besides; None where it is not one after a restore. Raises UsageError."""
    if not after_restore:
        if restored_from or newer_than is not None:
            raise UsageError("--restored-from and --backup-newer-than belong to --after-restore")
        return None
    if newer_than is not None and (not math.isfinite(newer_than) or newer_than <= 0):
        raise UsageError(f"--backup-newer-than {newer_than} is no number of hours")
    _refuse_useless(earlier, simulated=simulated)
    sources = [_source(text, types) for text in restored_from or ()]
    named = [one[:2] for one in sources]
    if twice := next((one for one in named if named.count(one) > 1), None):
        raise UsageError(f"--restored-from says twice what {'/'.join(twice)} was restored from")
    return recovery(earlier, sources, newer_than)


def _refuse_useless(earlier: Report | None, *, simulated: bool) -> None:
    """Raises UsageError for a baseline that does not tell what was there before, or when that was."""
    if earlier is None:
        return
    if not (earlier.whole and earlier.complete):
        raise UsageError("the baseline saw only a part of the project: what was there before is not known from it")
    if earlier.simulated and not simulated:
        raise UsageError("the baseline asked a stand-in, not Google Cloud: what was there before is not known from it")
    began = moment(earlier.started_at)
    if began is None or began > datetime.now(UTC):
        raise UsageError(f"the baseline began at {earlier.started_at}, which is no time in the past")


def _source(text: str, types: tuple[str, ...]) -> tuple[str, str, str]:
    resource, equals, source = text.partition("=")
    type, slash, name = resource.partition("/")
    if not (equals and slash and name and source):
        raise UsageError(
            f"--restored-from {text!r} is not TYPE/NAME=SOURCE, for example sql/dta-postgres=1795399200000"
        )
    return known(type, types, "type"), name, source
