"""What every file that a run writes must withstand: odd things in its place, a full disk, impossible paths."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


def link(path: Path) -> None:
    path.symlink_to(path.with_name("victim"))


def dangling(path: Path) -> None:
    path.symlink_to(path.with_name("nowhere"))


def bound_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))  # an absolute path may be longer than a socket's


@pytest.fixture(params=[link, dangling, Path.mkdir, os.mkfifo, bound_socket])
def no_ordinary_file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Something that must not be written, in a folder with a file that must not be written through it: `victim`."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "victim").write_text("untouched\n")
    path = tmp_path / "odd"
    request.param(path)
    return path


@pytest.fixture(params=["no/such/file", "victim/file", ".", "..", "x" * 256, "a\0b"])
def impossible_path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A path at which no file can be, in a folder with nothing but a file `victim`."""
    (tmp_path / "victim").write_text("untouched\n")
    return tmp_path / str(request.param)


@pytest.fixture
def no_mask() -> Iterator[None]:
    """A process that takes no permission from the files it makes."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Callable[[str], tuple[int, str]]:
    """Makes a call to a sink in a process whose files hold 4096 bytes at most: its exit code, and what it was told."""

    def done(call: str) -> tuple[int, str]:
        script = (
            "import resource, sys; from pathlib import Path; from diga_verify.sinks import audit_log, file\n"
            "from diga_verify.errors import OutputError\n"
            f"resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.RLIM_INFINITY}))\n"
            f"try: {call}\n"
            "except OutputError as error: print(error); sys.exit(4)\n"
        )
        program = [sys.executable, "-c", script]
        ended = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
        return ended.returncode, ended.stdout

    return done
