"""What becomes of a report: its files, its attestation, what standard output shows, and the exit code of it all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from diga_verify.attestation.statement import Subject
from diga_verify.cli import attesting, screen
from diga_verify.errors import OutputError
from diga_verify.formats.page import Page
from diga_verify.formats.registry import pieces
from diga_verify.report import Report
from diga_verify.sinks.file import write_file


def deliver(
    report: Report,
    format: str,
    outputs: Sequence[tuple[str, Path]],
    *,
    quiet: bool,
    color: screen.Color,
    evidence: Path | None = None,
    order: attesting.Order | None = None,
    no_trial: bool = False,
) -> int:
    """Show the report and write its files, then their attestation; the exit code that follows. A violation wins over
    a failed write, and so does the signal that ended the run. With `no_trial` what is no result for the project does
    not pass."""
    page = screen.page(color)
    failed = evidence is not None and not _write_evidence(report, evidence)
    written = []
    if evidence is not None and report.evidence is not None:
        written.append(attesting.evidence_subject(evidence, report.evidence.sha256))
    for name, path in outputs:
        digest = write_report(report, name, path, page)
        if digest is None:
            failed = True
        else:
            written.append(attesting.report_subject(path, digest, name))
    if order is not None:
        failed = not _attest(order, report, written, whole=not failed) or failed
    failed = not show(report, format, page, quiet=quiet) or failed
    if failed:
        return lacking(report.exit_code)
    if no_trial and report.exit_code == 0 and (tried := _trial(report)):
        screen.note(f"diga-verify: a trial does not pass: {tried}; exit 3")
        return 3
    return report.exit_code


def lacking(code: int) -> int:
    """The exit code of a run without a record that was asked for: only a violation, a bug or a signal is graver."""
    return 4 if code in {0, 2, 3} else code


def _trial(report: Report) -> str:
    """Why the report is no result for the project; empty where it is one."""
    if report.simulated:
        return "a stand-in for Google Cloud was asked"
    return "" if report.whole else "only a part of the project was looked at"


def write_report(report: Report, format: str, path: Path, page: Page) -> str | None:
    """Write a report to a file; the file's SHA-256, or None where it could not be written."""
    try:
        return write_file(path, pieces(format, report, replace(page, color=False)))
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return None


def show(report: Report, format: str, page: Page, *, quiet: bool) -> bool:
    """Whether standard output took the report."""
    try:
        screen.result(_last_lines(report, page) if quiet and format == "table" else pieces(format, report, page))
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return False
    return True


def _last_lines(report: Report, page: Page) -> str:
    from diga_verify.formats.table import last_lines

    return last_lines(report, page)


def _write_evidence(report: Report, path: Path) -> bool:
    """Whether the evidence is written."""
    try:
        write_file(path, report.evidence.data.decode("ascii") if report.evidence else "")
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return False
    return True


def _attest(order: attesting.Order, report: Report, written: Sequence[Subject], *, whole: bool) -> bool:
    """Whether the attestation is written. Nothing is attested unless all that was asked for is there."""
    if not whole:
        screen.note(f"diga-verify: the attestation {order.path} was not made: a file that it is to be about is missing")
        return False
    try:
        attesting.write_attestation(order, report, written)
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return False
    return True
