"""What an evidence file holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from diga_verify import __version__
from diga_verify.gateway.records import Record
from diga_verify.judgement import Scope
from diga_verify.model import Recovery
from diga_verify.reading import Course

SCHEMA_VERSION = "1"
MAX_BYTES = 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of a run, by whom and when."""

    environment: str
    project: str
    """By id or number, as on the command line."""
    scope: Scope
    strict: bool
    deep: bool
    principal: str | None
    simulated: bool
    api_root: str | None
    network_variables: tuple[str, ...]
    started_at: str
    finished_at: str
    recovery: Recovery | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """All that an evidence file holds."""

    asked: Asked
    course: Course
    policy_path: str
    policy: bytes
    records: tuple[Record, ...]
    checkers: Mapping[str, tuple[str, str]]
    """Distribution and version of the checker of each type."""
    version: str = __version__
