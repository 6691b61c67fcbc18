"""What a stand-in was asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the stand-in served it, with the seconds of the machine's monotonic clock at which it had come and
    at which its answer left."""

    method: str
    host: str
    path: str
    query: str
    status: int
    begun: float
    answered: float
