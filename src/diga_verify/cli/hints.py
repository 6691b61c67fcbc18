"""What the command line alone can say about a run that failed: the next step, where the report cannot know it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diga_verify.model import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.report import Report

_NOBODY = {Reason.CONNECTION_FAILED, Reason.TIMEOUT}


def hints(report: Report) -> Iterator[str]:
    """Lines for stderr."""
    reasons = {one.reason for one in report.judgement.unread}
    if report.api_root is not None and Reason.CONNECTION_FAILED in reasons and reasons <= _NOBODY:
        port = urlsplit(report.api_root).port or 8080
        yield f"diga-verify: nobody answers at {report.api_root}; for the simulator to do so:"
        yield f"    diga-verify simulator demo --port {port}"
