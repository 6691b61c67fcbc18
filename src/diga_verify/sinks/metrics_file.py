"""Metrics in a file, for node-exporter's textfile collector.

Unlike a report, the file of an earlier run is not removed: that it grows old shows that no run comes to its end.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from diga_verify.errors import OutputError
from diga_verify.report import Report
from diga_verify.sinks.file import write_file
from diga_verify.sinks.metrics import Messages, Subject, ended, text
from diga_verify.sinks.metrics_past import past, somebody_elses

READABLE = 0o644
"""Node-exporter runs as somebody else. The file holds no names but the project's and the environment's."""
_LIMIT = 4 * 1024 * 1024
_OPEN = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


def write_metrics(path: Path, report: Report, subject: Subject, exit_code: int, messages: Messages = ()) -> None:
    """Put the metrics of a run at `path` in one step; of the runs before it the file keeps what it had.

    Raises OutputError, also when the file is about another environment or project, or about real runs and this is a
    simulated one: nobody would be told that those are not heard of any more.
    """
    before = _before(path)
    if other := somebody_elses(before, subject):
        what = ", ".join(f"{name} {value!a}" for name, value in other.items())
        raise OutputError(f"{path} has the metrics of {what}; each needs a file of its own")
    known = past(before, subject, ended(report))
    write_file(path, text(report, subject, exit_code, known, messages), READABLE)


def _before(path: Path) -> str:
    """What is in the file; nothing where there is none, or nothing that an earlier run could have written."""
    try:
        handle = os.open(path, _OPEN)
        try:
            regular = stat.S_ISREG(os.fstat(handle).st_mode)
            return os.read(handle, _LIMIT).decode("utf-8", "replace") if regular else ""
        finally:
            os.close(handle)
    except (OSError, ValueError):  # `write_file` says what is wrong with the path, if anything is
        return ""
