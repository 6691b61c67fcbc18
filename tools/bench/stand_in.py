"""The stand-in for Google in a process of its own, which tells what it was asked, when, and what that cost it.

    python -m tools.bench.stand_in WORLD [--latency SECONDS] [--wrong BUCKETS]

WORLD is a number of resources, or a shipped world. The first line that it prints is its URL. For every line that it
reads it prints one line of JSON: what it served since the last one (`requests`), and the seconds of processor time that
this took (`cpu`). It ends where its input does. Times are those of the machine's one monotonic clock.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from dataclasses import astuple
from types import TracebackType
from typing import IO, Self

from tools.bench.asked import Asked
from tools.bench.machine import ROOT, environment
from tools.bench.worlds import world as grown

from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import SHIPPED, shipped_world


class StandIn:
    """A stand-in in a process of its own, from the first line of its output to the end of its input."""

    def __init__(self, world: str, latency: float = 0.0) -> None:
        arguments = [sys.executable, "-m", "tools.bench.stand_in", world, "--latency", str(latency)]
        self._process = subprocess.Popen(  # noqa: S603 - ourselves
            arguments, cwd=ROOT, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.url = self._output.readline().strip()
        if not self.url:
            raise RuntimeError(f"the stand-in for {world} did not start")

    @property
    def _output(self) -> IO[str]:
        assert self._process.stdout is not None  # noqa: S101 - it is piped
        return self._process.stdout

    def told(self) -> tuple[list[Asked], float]:
        """What was asked since the last time, in the order of answers, and the processor time that it took."""
        assert self._process.stdin is not None  # noqa: S101 - it is piped
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        line = json.loads(self._output.readline())
        return [Asked(*one) for one in line["requests"]], line["cpu"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def main() -> None:
    """Serve until the input ends."""
    parser = argparse.ArgumentParser(description="Serve a world on loopback, and tell what was asked.")
    parser.add_argument("world", help=f"a number of resources, or {' or '.join(SHIPPED)}")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--wrong", type=int, default=0, metavar="BUCKETS", help="so many buckets lie elsewhere")
    asked = parser.parse_args()
    served = shipped_world(asked.world) if asked.world in SHIPPED else grown(int(asked.world), asked.wrong)
    gc.freeze()  # a big world is nothing to collect
    with Simulator(served, latency=asked.latency) as simulator:
        _say(simulator.url)
        spent = time.process_time()
        for _ in sys.stdin:
            requests = [*simulator.requests]
            simulator.requests.clear()
            now = time.process_time()
            _say(json.dumps({"requests": [astuple(one) for one in requests], "cpu": now - spent}))
            spent = now


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
