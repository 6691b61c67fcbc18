"""Times as APIs and reports write them, and the day by which a policy is read."""

from __future__ import annotations

from datetime import UTC, date, datetime


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


def stamp(at: datetime) -> str:
    """A time in UTC as reports and evidence write it: RFC 3339, to the millisecond."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def today() -> date:
    """In UTC, wherever the machine stands: on this day a waiver holds, or has expired."""
    return datetime.now(UTC).date()
