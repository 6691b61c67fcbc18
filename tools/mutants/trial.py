"""Trying mutants: each in a forked process, which the tests end by failing, or time by running out."""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import CodeType
from typing import NoReturn

from tools.mutants.grafting import Mutated, graft
from tools.mutants.mutations import Mutant
from tools.mutants.plan import PLAN, RESULTS, SOURCES, dotted, source
from tools.mutants.results import Results, Running, say
from tools.mutants.selection import Chosen


def _fork(log: Path, work: Callable[[], int]) -> int:
    """Do `work` in a forked process of its own group, which ends with what it returns; the process id."""
    if (pid := os.fork()) == 0:
        _become(log)
        _end(work)
    return pid


def _become(log: Path) -> None:
    os.setpgid(0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _end(work: Callable[[], int]) -> NoReturn:
    exit_code = 70
    try:
        exit_code = work()
    except BaseException:  # noqa: BLE001 - the end of a forked process, which must not run on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _test(module: str, chosen: Chosen) -> int:
    import pytest

    options = ["-x", "-q", "-s", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler"]
    return int(pytest.main([*options, *PLAN[module]], plugins=[chosen]))


def _test_mutated(module: str, code: CodeType) -> int:
    sys.meta_path.insert(0, Mutated(module, code))
    return _test(module, Chosen(module))


def _finished(running: dict[int, Running], limit: float) -> Iterator[tuple[Running, str]]:
    """Processes that have ended, or were ended because their time was over, each with its outcome."""
    for pid, one in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and time.monotonic() - one.started < limit:
            continue
        if not ended:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        del running[pid]
        yield one, _outcome(os.waitstatus_to_exitcode(status)) if ended else "timeout"


def _outcome(exit_code: int) -> str:
    if exit_code == 0:
        return "survived"
    if exit_code in (3, 4, 5, 70):  # pytest: internal error, wrong usage, no tests; and our own
        return "broken"
    return "killed"


def _noted(finished: Iterable[tuple[Running, str]], chosen: Chosen) -> Iterator[tuple[Running, str]]:
    """The same; whatever noticed a mutant is asked first of the next."""
    for one, outcome in finished:
        if outcome == "killed":
            chosen.ask_first(one.log)
        yield one, outcome


def _serve_all(module: str, mutants: Sequence[Mutant], jobs: int, results: Results, chosen: Chosen) -> None:
    """Grafts, quickly. What survives a graft has yet to survive a real import: some tests look at a module while they
    are collected. Comes back in the forks alone."""
    name = dotted(module)
    unchanged = compile(source(module), str(SOURCES / module), "exec")
    gc.collect()
    gc.freeze()  # what is imported now is nothing for the forks to collect
    log = RESULTS.with_name("mutants-baseline.log")
    started = time.monotonic()
    if (pid := os.fork()) == 0:
        _become(log)
        graft(name, unchanged)
        return
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status):
        os._exit(1)
    limit = 20 + 5 * (time.monotonic() - started)
    running: dict[int, Running] = {}
    for mutant in mutants:
        while len(running) >= jobs:
            results.add_all(_noted(_finished(running, limit), chosen), final={"killed", "timeout"})
            time.sleep(0.005)
        code = mutant.code()
        log = _free_log(running, jobs)
        if (pid := os.fork()) == 0:
            _become(log)
            try:
                graft(name, code)
            except Exception:  # noqa: BLE001 - a module that cannot be imported is noticed by every test
                traceback.print_exc()
                os._exit(1)
            return
        running[pid] = Running(mutant, time.monotonic(), log)
    while running:
        results.add_all(_noted(_finished(running, limit), chosen), final={"killed", "timeout"})
        time.sleep(0.005)
    os._exit(0)


def _import_all(module: str, mutants: Sequence[Mutant], jobs: int, results: Results, limit: float) -> None:
    """Real imports, slowly: each mutant in a process that imports everything of ours anew."""
    running: dict[int, Running] = {}
    for mutant in mutants:
        while len(running) >= jobs:
            results.add_all(_finished(running, limit))
            time.sleep(0.02)
        log = _free_log(running, jobs)
        pid = _fork(log, partial(_test_mutated, module, mutant.code()))
        running[pid] = Running(mutant, time.monotonic(), log)
    while running:
        results.add_all(_finished(running, limit))
        time.sleep(0.02)


def _free_log(running: dict[int, Running], jobs: int) -> Path:
    logs = {RESULTS.with_name(f"mutants-{number}.log") for number in range(jobs)}
    return min(logs - {one.log for one in running.values()})


def try_all(module: str, mutants: Sequence[Mutant], jobs: int, results: Results) -> None:
    """Try those mutants of a module that have no outcome yet; none, when its tests fail without any."""
    if not (left := results.without(mutants)):
        return
    started = time.monotonic()
    log = RESULTS.with_name("mutants-serve.log")
    chosen = Chosen(module)
    chosen.serve = partial(_serve_all, module, left, jobs, results, chosen)
    _, status = os.waitpid(_fork(log, partial(_test, module, chosen)), 0)
    if os.waitstatus_to_exitcode(status):
        told = RESULTS.with_name("mutants-baseline.log").read_text("utf-8") + log.read_text("utf-8")
        say(f"{module}: its tests fail without any mutant, so none was tried\n{told[-1000:]}")
        return
    results.read()
    _import_all(module, results.without(left), jobs, results, limit=60 + time.monotonic() - started)
