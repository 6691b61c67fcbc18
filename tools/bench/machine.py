"""Where measurements are taken: what the machine is, and what the programs that are measured are told of it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from diga_verify import __version__

ROOT = Path(__file__).parents[2]


def environment(**more: str) -> dict[str, str]:
    """Variables for a program that is started: none of the user's but where programs are."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **more}


def description(*, gcloud: bool) -> str:
    """The day, the machine and the versions of what is measured, in one line: no names, no paths."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = (f"diga-verify {__version__}", f"Python {platform.python_version()}", *(_gcloud() if gcloud else ()))
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {_processor()}, {cores} cores, {memory:.0f} GiB; {platform.system()}; "
        + ", ".join(versions)
    )


def found(program: str) -> str | None:
    """Where a program is, beside this Python or on the path."""
    return shutil.which(program, path=str(Path(sys.executable).parent)) or shutil.which(program)


def _gcloud() -> tuple[str, ...]:
    program = found("gcloud")
    if program is None:
        return ()
    told = subprocess.run([program, "version"], capture_output=True, text=True, check=False)  # noqa: S603 - gcloud itself
    return tuple(told.stdout.splitlines()[:1])


def _processor() -> str:
    """Linux tells the model in a file; elsewhere the architecture has to do."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
