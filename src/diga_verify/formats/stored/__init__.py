"""A report out of the JSON that a run wrote. It is foreign input: whatever is in it, a Report or a ReportError comes
out, and every format makes of that Report what it made of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from diga_verify.errors import ReportError
from diga_verify.formats.stored.checks import refuse_contradictions
from diga_verify.formats.stored.parse import MAX_BYTES, parsed
from diga_verify.formats.stored.rebuild import rebuilt

if TYPE_CHECKING:
    from diga_verify.report import Report

__all__ = ["MAX_BYTES", "read_report"]


def read_report(data: bytes, path: str) -> Report:
    """The report in the bytes of a file, which errors call `path`.

    Its evidence, if any, is the digest of the file and the pointers into it, without the file. Raises ReportError for
    what is no report, has another schema version, or contradicts itself.
    """
    document, stored = parsed(data, path)
    try:
        report = rebuilt(stored)
    except ValueError as error:
        raise ReportError(path, f"not a report: {error}", "take the file as the run wrote it") from None
    refuse_contradictions(document, report, path)
    return report
