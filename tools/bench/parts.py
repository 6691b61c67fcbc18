"""What is measured, and what is aimed at: one part for each question that the page about performance answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.bench import gcloud
from tools.bench.machine import ROOT, found
from tools.bench.page import MEGABYTE, Target, costs, details, middle, targets
from tools.bench.runs import Contestant, Run, RunError, series
from tools.bench.stand_in import StandIn
from tools.bench.worlds import PROJECT

SCRIPT_LATENCY = 0.05
"""Seconds that a call takes in the comparison with the script that the gate replaces: in Frankfurt, at best."""
GATE = "diga-verify"
LARGEST_CHAIN = 10_000
"""In larger worlds the machine is what a run waits for, and not the network."""


_IMPORTS = (
    "google.cloud.container_v1, google.cloud.redis_v1, google.cloud.bigquery, google.cloud.firestore_admin_v1",
    "googleapiclient.discovery, google.auth",
)
LIBRARIES = Contestant("Google's client libraries, imported", [[sys.executable, "-c", f"import {', '.join(_IMPORTS)}"]])
"""What no run over all types can be quicker than."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says: sizes of worlds, runs of each, seconds of latency. `home` is an empty folder in
    which the programs run."""

    sizes: tuple[int, ...]
    runs: int
    latency: float
    home: Path
    say: Callable[[str], None]


def help(options: Options) -> Iterator[str]:  # noqa: A001 - the name of the part
    """The help, which costs the program's bare start, and the libraries that a run over all types needs."""
    programs = [name for name in (GATE, "gcloud") if found(name)]
    contestants = [Contestant(f"`{name} --help`", [[_program(name), "--help"]], gcloud.SETTINGS) for name in programs]
    runs = series([*contestants, LIBRARIES], options.runs, options.home, options.say)
    yield from costs(runs)
    if len(contestants) == 1:
        yield from ("", "gcloud is not installed here: there is nothing to compare with.")
        return
    ours, theirs = (middle(runs[one.name], "wall") for one in contestants)
    yield from targets(Target(f"`{GATE} --help` against `gcloud --help`, wall time", 1 / 3, ours / theirs, ""))


def script(options: Options) -> Iterator[str]:
    """The whole gate against the script that it replaces, which describes five resources one after the other."""
    with StandIn("compliant", SCRIPT_LATENCY) as google:
        gate = _gate(f"the gate, {_milliseconds(SCRIPT_LATENCY)} a call", google)
        script = Contestant(
            f"five describes, {_milliseconds(SCRIPT_LATENCY)} a call",
            gcloud.describes(google.url),
            gcloud.settings(google.url),
            google,
        )
        there = gcloud.installed()
        runs = series([gate, script] if there else [gate], options.runs, options.home, options.say)
    yield from details(runs)
    if not there:
        yield from ("", "gcloud and bq are not installed here: there is nothing to compare with.")
        return
    ratio = middle(runs[gate.name], "wall") / middle(runs[script.name], "wall")
    yield from targets(Target("the gate against the script's five describes, wall time", 1 / 4, ratio, ""))


def chain(options: Options) -> Iterator[str]:
    """How much of the time is waiting, against the least that it could be."""
    worlds = ["compliant", *(str(size) for size in options.sizes if size <= LARGEST_CHAIN)]
    with ExitStack() as stack:
        slow, quick = (
            {world: stack.enter_context(StandIn(world, latency)) for world in worlds}
            for latency in (options.latency, 0.0)
        )
        gates = {
            world: _gate(f"{_of(world)}, {_milliseconds(options.latency)} a call", slow[world]) for world in worlds
        }
        others = {world: _gate(f"{_of(world)}, no latency", quick[world]) for world in worlds}
        every = [one for world in worlds for one in (gates[world], others[world])]
        runs = series(every, options.runs, options.home, options.say)
    yield from details(runs)
    aims = []
    for world, gate in gates.items():
        least = middle(runs[gate.name], "chain") * options.latency
        aims.append(
            Target(f"{_of(world)}: wall time minus start-up", 1.5 * least, middle(runs[gate.name], "after_start"), " s")
        )
        waited = middle(runs[gate.name], "wall") - middle(runs[others[world].name], "wall")
        aims.append(Target(f"{_of(world)}: wall time minus that without latency", 1.5 * least, waited, " s"))
    yield from targets(*aims)


def scale(options: Options) -> Iterator[str]:
    """How time and memory grow with the world."""
    with ExitStack() as stack:
        google = {size: stack.enter_context(StandIn(str(size))) for size in sorted(set(options.sizes))}
        gates = {size: _gate(_of(str(size)), google[size]) for size in google}
        largest = max(google)
        written = _gate(f"{_of(str(largest))}, and the report as JSON", google[largest], "--output", "report.json")
        runs = series([*gates.values(), written], options.runs, options.home, options.say)
    yield from details(runs)
    yield from targets(*_aims({size: runs[gate.name] for size, gate in gates.items()}))


def _aims(runs: Mapping[int, list[Run]]) -> Iterator[Target]:
    if {10, 10_000} <= runs.keys():
        ratio = middle(runs[10_000], "wall") / middle(runs[10], "wall")
        yield Target("10,000 resources against 10, wall time", 6, ratio, "")
    if 100_000 in runs:
        yield Target("peak memory at 100,000 resources", 400, middle(runs[100_000], "peak") / MEGABYTE, " MB")


PARTS: Mapping[str, Callable[[Options], Iterator[str]]] = {
    "help": help,
    "script": script,
    "chain": chain,
    "scale": scale,
}
"""By the name that the command line has for it."""
COMPARED = ("help", "script")
"""The parts that measure gcloud too."""


def _gate(name: str, google: StandIn, *more: str) -> Contestant:
    """The production gate, with the policy that ships, as a pipeline runs it."""
    policy = str(ROOT / "regions.toml")
    command = [_program(GATE), "production", PROJECT, "--policy", policy, "--api-root", google.url, *more]
    return Contestant(name, [command], google=google)


def _of(world: str) -> str:
    return f"{int(world):,} resources" if world.isdecimal() else f"the world `{world}`"


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"


def _program(name: str) -> str:
    path = found(name)
    if path is None:
        raise RunError(f"{name} is not installed")
    return path
