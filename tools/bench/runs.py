"""Running a program and measuring it: time, processor, memory, and what it asked the stand-in."""

from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from resource import struct_rusage

from tools.bench.chain import longest_chain, rounds
from tools.bench.machine import environment
from tools.bench.stand_in import StandIn

KIB = 1024
"""What Linux counts resident memory in."""


class RunError(RuntimeError):
    """A program that was to be measured did not do its work, so that there is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run. Times are in seconds, processor time with that of the system.

    `peak` is the largest resident memory of a process, in bytes; `google` the processor time of the stand-in, `pages`
    what it answered, `calls` that without the pages after the first. `start` is the time from the start of the first
    process to the first request, `end` that after the last answer.
    """

    wall: float
    cpu: float
    peak: int
    google: float = 0.0
    calls: int = 0
    pages: int = 0
    chain: int = 0
    rounds: int = 0
    start: float = 0.0
    end: float = 0.0

    @property
    def after_start(self) -> float:
        """The wall time minus the start-up."""
        return self.wall - self.start


@dataclass(frozen=True)
class Contestant:
    """What is measured: commands, one after the other, and the stand-in that they ask, if any."""

    name: str
    commands: Sequence[Sequence[str]]
    variables: Mapping[str, str] = field(default_factory=dict)
    google: StandIn | None = None


def measured(contestant: Contestant, home: Path) -> Run:
    """One run of all its commands in `home`. Raises RunError when one ends with anything but 0."""
    if contestant.google is not None:
        contestant.google.told()
    variables = environment(HOME=str(home), **contestant.variables)
    started = time.monotonic()
    used = [_one(command, variables, home) for command in contestant.commands]
    ended = time.monotonic()
    asked, google = contestant.google.told() if contestant.google else ([], 0.0)
    return Run(
        wall=ended - started,
        cpu=sum(one.ru_utime + one.ru_stime for one in used),
        peak=max(one.ru_maxrss for one in used) * KIB,
        google=google,
        calls=sum("pageToken=" not in one.query for one in asked),
        pages=len(asked),
        chain=longest_chain(asked),
        rounds=rounds(asked),
        start=min((one.begun for one in asked), default=ended) - started,
        end=ended - max((one.answered for one in asked), default=ended),
    )


def series(
    contestants: Sequence[Contestant], runs: int, home: Path, say: Callable[[str], None]
) -> dict[str, list[Run]]:
    """So many runs of each, by name, in the folder `home`: in rounds, each in another order, so that nobody always has
    the warm machine. Before them one that does not count: it fills the caches of the machine and of the stand-in."""
    found: dict[str, list[Run]] = {one.name: [] for one in contestants}
    order = random.Random(0)  # noqa: S311 - shuffles, and guards nothing
    for one in contestants:
        say(f"0/{runs}  {one.name}: {measured(one, home).wall:.2f} s, not counted")
    for number in range(1, runs + 1):
        for one in order.sample(contestants, len(contestants)):
            found[one.name].append(run := measured(one, home))
            say(f"{number}/{runs}  {one.name}: {run.wall:.2f} s")
    return found


def _one(command: Sequence[str], variables: Mapping[str, str], home: Path) -> struct_rusage:
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(  # noqa: S603 - the programs that are measured
            command, env=dict(variables), cwd=home, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            told = output.read().decode(errors="replace")
            raise RunError(f"{' '.join(command)} ended with {process.returncode}:\n{told[-2000:]}")
    return usage
