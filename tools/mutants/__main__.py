"""Mutants: does a test fail when one small thing in the deciding code is wrong?  docs/mutants.md has the why.

    python -m tools.mutants [--jobs 2] [--module evaluate.py ...] [--new] [--again] [--list]

Each mutant is the syntax tree of one module with one change. It lives in the memory of a forked process only, so that
neither the sources nor a second run of the tests beside it are touched. Exit 1 when a mutant survives that
docs/mutants.md does not explain.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import time
from collections import Counter

from tools.mutants.mutations import Mutant, mutants_of
from tools.mutants.plan import PAGE, PLAN, ROOT
from tools.mutants.results import Results, say
from tools.mutants.trial import try_all

_HEAVY = (
    "google.cloud.bigquery", "google.cloud.container_v1", "google.cloud.firestore_admin_v1", "google.cloud.redis_v1",
    "googleapiclient.discovery", "google.auth.transport.requests", "hypothesis", "jsonschema", "pydantic", "pytest",
    "rich.console", "typer", "trustme",
)  # fmt: skip
"""What the tests and the code import that is not ours. Imported once, before the forks."""


def _table(mutants: dict[str, list[Mutant]], results: Results, explained: str) -> int:
    """Print what became of all mutants, by module; the number of those that nobody has explained."""
    left = 0
    say(f"\n{'module':32}{'mutants':>8}{'killed':>8}{'timeout':>9}{'explained':>11}{'survived':>10}")
    total: Counter[str] = Counter()
    for module, found in mutants.items():
        counts: Counter[str] = Counter()
        for mutant in found:
            outcome = results.of(mutant)
            if outcome == "survived" and f"- {mutant.name}\n" in explained:
                outcome = "explained"
            counts[outcome] += 1
        total += counts
        left += counts["survived"] + counts["broken"] + counts["not tried"]
        say(_row(module, counts))
    say(_row("all", total))
    return left


def _row(name: str, counts: Counter[str]) -> str:
    rest = counts["survived"] + counts["broken"] + counts["not tried"]
    return f"{name:32}{counts.total():>8}{counts['killed']:>8}{counts['timeout']:>9}{counts['explained']:>11}{rest:>10}"


def main() -> int:
    """Run what the command line asks for; 1 when something survived that is not explained."""
    parser = argparse.ArgumentParser(description="Try mutants of the code that decides verdicts.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--module", action="append", choices=PLAN, help="only this module (repeatable)")
    parser.add_argument("--new", action="store_true", help="not what was noticed in an earlier text of the module")
    parser.add_argument("--again", action="store_true", help="try again what survived an earlier run")
    parser.add_argument("--list", action="store_true", help="print what would be tried, and try nothing")
    asked = parser.parse_args()
    mutants = {module: [*mutants_of(module)] for module in asked.module or PLAN}
    if asked.list:
        for mutant in (mutant for found in mutants.values() for mutant in found):
            say(f"{mutant.line:4} {mutant.name}")
        return 0
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT / "src")]
    for name in _HEAVY:
        importlib.import_module(name)
    results = Results(again=asked.again, new=asked.new)
    for module, found in mutants.items():
        started = time.monotonic()
        try_all(module, found, asked.jobs, results)
        say(f"{module}: {len(found)} mutants, {time.monotonic() - started:.0f} s")
    return 1 if _table(mutants, results, PAGE.read_text("utf-8") if PAGE.exists() else "") else 0


if __name__ == "__main__":
    sys.exit(main())
