"""Reports of earlier runs: out of a JSON report, or made anew of the evidence of a run."""

from __future__ import annotations

import sys
from pathlib import Path

from diga_verify.checkers.registry import registered
from diga_verify.errors import EvidenceError, ReportError, UsageError
from diga_verify.evidence.stored import MAX_BYTES
from diga_verify.files import read_file
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

    if path == STDIN:
        return read_report(_standard_input(), "standard input")
    return read_report(read_file(path, MAX_BYTES).data, str(path))


def stored_report(path: Path) -> Report:
    """The report in a file, or of the evidence in it. Raises UsageError for anything else."""
    from diga_verify.formats.stored import read_report

    data = read_file(path, MAX_BYTES).data
    try:
        if data.startswith(_EVIDENCE):
            return replay(data, str(path), registered())
        return read_report(data, str(path))
    except (ReportError, EvidenceError) as error:
        raise UsageError(str(error)) from None


def _standard_input() -> bytes:
    """As far as a report may go, and one more."""
    if sys.stdin is None:
        raise UsageError("standard input cannot be read: it is closed; name a JSON report")
    return sys.stdin.buffer.read(MAX_BYTES + 1)
