"""What is open since when, and who was told when: a small JSON file (docs/notify.md). No secret is in it."""

from __future__ import annotations

import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from diga_verify.errors import UsageError
from diga_verify.files import read_file
from diga_verify.formats.ascii import ascii_json
from diga_verify.model import Project
from diga_verify.moment import moment
from diga_verify.policy.notify import Gravity
from diga_verify.sinks.file import write_file

FORMAT: Literal["diga-verify notify state"] = "diga-verify notify state"
MAX_BYTES = 64 * 1024 * 1024


class Need(StrEnum):
    """What a run must be asked for, lest it overlook what another saw."""

    DEEP = "deep"
    AFTER_RESTORE = "after_restore"
    BASELINE = "baseline"  # of a run after a restore: what was there before


@dataclass(frozen=True, slots=True)
class Open:
    """Something that was found, and is not known to be gone."""

    key: str
    """What stays the same from run to run; see `routing.key`."""
    gravity: Gravity
    type: str
    name: str
    title: str
    step: str
    """What to do about it."""
    since: datetime
    """When it was first found."""
    needs: frozenset[Need] = frozenset()
    """What the runs were asked for that found it: one that was not cannot tell that it is gone."""
    gone: bool = False
    """Whether it is gone, and only the channels in `told` were not reached with that yet."""
    told: Mapping[str, datetime] = field(default_factory=dict)
    """When a message about it reached each channel, by name."""
    seen: bool = True
    """Whether the last run saw it; no file holds this."""


@dataclass(frozen=True, slots=True)
class State:
    """What was open, and told, after the last run."""

    open: tuple[Open, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a state is about. What is simulated says nothing about what is not."""

    project: Project
    environment: str
    simulated: bool

    def is_same(self, other: Subject) -> bool:
        """Whether both are about the same runs."""
        return (self.environment, self.simulated) == (other.environment, other.simulated) and (
            self.project.is_same(other.project)
        )


class _Stored(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Entry(_Stored):
    key: str
    gravity: str
    type: str
    name: str
    title: str
    step: str
    since: str
    needs: list[Annotated[Need, Field(strict=False)]]
    gone: bool
    told: dict[str, str]


class _File(_Stored):
    format: Literal["diga-verify notify state"]
    version: Literal[1]
    project: str
    project_number: str | None
    environment: str
    simulated: bool
    updated_at: str
    open: list[_Entry]


def load(path: Path, subject: Subject) -> tuple[State, Subject]:
    """The state in a file, and the subject with all that is known of its project; an empty state where there is no
    file. Raises UsageError for a file that is no state, or one of another project, environment or kind of run: its
    owner may want it, so it must not be overwritten."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):  # a pipe would keep everybody waiting
            raise UsageError(f"{path} is not an ordinary file; name another")
    except FileNotFoundError:
        return State(), subject
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    try:
        stored = _File.model_validate(json.loads(read_file(path, MAX_BYTES).data))
        state = State(tuple(map(_opened, stored.open)))
    except (ValueError, ValidationError, RecursionError):
        raise UsageError(f"{path} is no state of diga-verify; remove it, or name another file") from None
    about = Subject(Project(stored.project, stored.project_number, None), stored.environment, stored.simulated)
    if not about.is_same(subject):
        raise UsageError(f"{path} is about {_words(about)}, not {_words(subject)}; name another file")
    return state, subject if subject.project.number else about


def save(path: Path, state: State, subject: Subject, now: datetime) -> None:
    """Put the state at `path` in one step. Raises OutputError."""
    document = {
        "format": FORMAT,
        "version": 1,
        "project": subject.project.id,
        "project_number": subject.project.number,
        "environment": subject.environment,
        "simulated": subject.simulated,
        "updated_at": _time(now),
        "open": [_entry(one) for one in state.open],
    }
    write_file(path, ascii_json(document))


def _opened(entry: _Entry) -> Open:
    return Open(
        key=entry.key,
        gravity=Gravity(entry.gravity),
        type=entry.type,
        name=entry.name,
        title=entry.title,
        step=entry.step,
        since=_moment(entry.since),
        needs=frozenset(entry.needs),
        gone=entry.gone,
        told={channel: _moment(at) for channel, at in entry.told.items()},
    )


def _entry(one: Open) -> dict[str, object]:
    return {
        "key": one.key,
        "gravity": one.gravity.value,
        "type": one.type,
        "name": one.name,
        "title": one.title,
        "step": one.step,
        "since": _time(one.since),
        "needs": sorted(one.needs),
        "gone": one.gone,
        "told": {channel: _time(at) for channel, at in sorted(one.told.items())},
    }


def _moment(text: str) -> datetime:
    at = moment(text)
    if at is None:
        raise ValueError(f"{text!r} is no time")
    return at


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _words(subject: Subject) -> str:
    simulated = " (simulated)" if subject.simulated else ""
    return f"{subject.environment} of the project {subject.project.id}{simulated}"
