"""Reports of earlier runs: out of a JSON report, or made anew of the evidence of a run."""

from __future__ import annotations

import sys
from pathlib import Path

from diga_verify.checkers.registry import registered
from diga_verify.errors import EvidenceError, ReportError, UsageError
from diga_verify.evidence.stored import MAX_BYTES
from diga_verify.files import File, read_file
from diga_verify.gateway.records import ANSWERS
from diga_verify.report import Report
from diga_verify.verify import replay

STDIN = Path("-")
"""What stands for standard input on the command line."""
_EVIDENCE = f'{{"{ANSWERS}"'.encode()
"""How evidence begins, whose keys are sorted. A report begins otherwise."""


def load_report(path: Path) -> Report:
    """The report in a file, a pipe, or standard input. Raises UsageError, and ReportError for what is no report."""
    from diga_verify.formats.stored import read_report  # its models take a while to make, and few runs need them

    file = handed_in(path)
    return read_report(file.data, str(file.path))


def stored_report(path: Path) -> Report:
    """The report in what is handed in, or of the evidence in it. Raises UsageError for anything else."""
    from diga_verify.formats.stored import read_report

    file = handed_in(path)
    try:
        if file.data.startswith(_EVIDENCE):
            return replay(file.data, str(file.path), registered())
        return read_report(file.data, str(file.path))
    except (ReportError, EvidenceError) as error:
        raise UsageError(str(error)) from None


def handed_in(path: Path) -> File:
    """A file, or standard input, whose path is called so. Raises UsageError."""
    if path != STDIN:
        return read_file(path, MAX_BYTES)
    if sys.stdin is None:
        raise UsageError("standard input cannot be read: it is closed; name a file")
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise UsageError(f"standard input is larger than {MAX_BYTES} bytes")
    return File(Path("standard input"), data)


def refuse_second_stdin(what: str, *paths: Path | None) -> None:
    """Raises UsageError where more than one of the files is to come through standard input."""
    if paths.count(STDIN) > 1:
        raise UsageError(f"standard input can be read once: name a file for {what}")
