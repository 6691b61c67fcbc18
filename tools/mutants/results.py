"""What became of mutants, kept in a file, so that an interrupted run goes on where it was."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Container, Iterable
from dataclasses import dataclass
from pathlib import Path

from tools.mutants.mutations import Mutant
from tools.mutants.plan import RESULTS, source


@dataclass(slots=True)
class Running:
    mutant: Mutant
    started: float
    log: Path


class Results:
    """What became of mutants, kept in a file: by the text of their module, and their name; with `new`, what was
    noticed in another text of the module stands for the mutant of the same name in this one."""

    def __init__(self, *, again: bool, new: bool = False) -> None:
        RESULTS.parent.mkdir(exist_ok=True)
        self._again = again
        self._new = new
        self._noticed: set[str] = set()
        self._ours: set[str] = set()
        self._known: dict[str, str] = {}
        self.read()

    def read(self) -> None:
        """Take in what other processes wrote."""
        lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
        told = [json.loads(line) for line in lines]
        known = {line["key"]: line["outcome"] for line in told}
        if self._new:
            last = {line["name"]: line["outcome"] for line in told}
            self._noticed = {name for name, outcome in last.items() if outcome == "killed"}
        self._known = {
            key: outcome
            for key, outcome in known.items()
            if outcome in {"killed", "timeout"} or key in self._ours or not self._again
        }

    def of(self, mutant: Mutant) -> str:
        earlier = "killed" if mutant.name in self._noticed else "not tried"
        return self._known.get(_key(mutant), earlier)

    def without(self, mutants: Iterable[Mutant]) -> list[Mutant]:
        """Those that have none yet."""
        return [mutant for mutant in mutants if self.of(mutant) == "not tried"]

    def add_all(self, finished: Iterable[tuple[Running, str]], final: Container[str] | None = None) -> None:
        """Write down outcomes; with `final`, only those that need no second look."""
        for one, outcome in finished:
            if final is None or outcome in final:
                self._add(one, outcome)

    def _add(self, one: Running, outcome: str) -> None:
        key, seconds = _key(one.mutant), round(time.monotonic() - one.started, 1)
        self._ours.add(key)
        self._known[key] = outcome
        line = {"key": key, "outcome": outcome, "seconds": seconds, "line": one.mutant.line, "name": one.mutant.name}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if final_word := outcome if outcome != "killed" else "":
            say(f"{final_word:9} {seconds:5}s line {one.mutant.line:3}  {one.mutant.name}")


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(source(mutant.module) + mutant.name.encode()).hexdigest()[:24]


def say(text: str) -> None:
    print(text, flush=True)  # noqa: T201
