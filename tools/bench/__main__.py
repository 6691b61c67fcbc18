"""The benchmark: what the gate costs, measured on this machine in one run.  docs/performance.md has the why.

    python -m tools.bench [--parts help script chain scale] [--sizes 10 1000 10000 100000] [--runs 5] [--latency 0.1]

Results are printed; with --write they also go to docs/performance.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.bench.machine import description
from tools.bench.page import PAGE, renewed
from tools.bench.parts import COMPARED, PARTS, Options
from tools.bench.runs import RunError
from tools.bench.worlds import SMALLEST


def main() -> int:
    """Measure what the command line asks for. 1 when something that was to be measured did not work."""
    parser = argparse.ArgumentParser(description="Measure the gate against the simulator, and against gcloud and bq.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=[*PARTS])
    parser.add_argument("--sizes", nargs="+", type=_size, default=[10, 1000, 10_000, 100_000], help="resources")
    parser.add_argument("--runs", type=int, default=5, help="of each, in rounds; the tables have their medians")
    parser.add_argument("--latency", type=float, default=0.1, metavar="SECONDS", help="of a call, in the part `chain`")
    parser.add_argument("--write", action="store_true", help=f"renew the tables of docs/{PAGE.name}")
    asked = parser.parse_args()
    try:
        for part in asked.parts:
            with tempfile.TemporaryDirectory() as home:
                options = Options(tuple(asked.sizes), asked.runs, asked.latency, Path(home), _note)
                machine = description(gcloud=part in COMPARED)
                lines = [*PARTS[part](options), "", f"*{machine}; medians of {asked.runs}.*"]
            _say("\n".join([f"\n### {part}\n", *lines]))
            if asked.write:
                PAGE.write_text(renewed(PAGE.read_text("utf-8"), part, lines), "utf-8")
    except RunError as error:
        _note(str(error))
        return 1
    return 0


def _size(text: str) -> int:
    size = int(text)
    if size < SMALLEST:
        raise argparse.ArgumentTypeError(f"the smallest world has {SMALLEST} resources")
    return size


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
