"""Times as APIs and reports write them."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(text: str) -> datetime | None:
    """An RFC 3339 time, in UTC; None for anything else, also for one without an offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the first or the last day of the calendar
        return None
