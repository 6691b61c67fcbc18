"""The audit log: lines at the end of a file that never loses any, whoever else is writing to it.

All lines of a run go into one write at the end of the file (`O_APPEND`) under an exclusive `flock`: two runs do not
mix, even where the file system takes only a part of the write. Nothing is ever taken back. What a full disk or a crash
leaves of a line stays, and the next run ends it with a line end before its own first one. Therefore the log may be made
append-only (`chattr +a`).
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from diga_verify.errors import OutputError

_APPEND = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""Read as well, for the last byte; without waiting, in case something else takes the file's place."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
PATIENCE = 10.0
"""Seconds for which another run may hold the log. It needs milliseconds; whoever holds it longer hangs."""
_PAUSE = 0.02


def append(path: Path, text: str) -> None:
    """Add `text`, whole lines, to the file at `path`, and for good; a new file is readable by its owner only.

    Raises OutputError; then the log has what it had, and possibly a part of `text`.
    """
    with _reported(path):
        folder = os.open(path.parent, _FOLDER)  # one folder from here on, whatever its name comes to mean
        try:
            with _locked(path, folder) as log:
                _write(log, text.encode("ascii"))
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def _locked(path: Path, folder: int) -> Iterator[int]:
    """The file, open and locked. Where it was rotated away in the meantime, the one that took its place."""
    until = time.monotonic() + PATIENCE
    while True:
        _refuse_other_than_files(path, folder)
        log = os.open(path.name, _APPEND, 0o600, dir_fd=folder)
        try:
            _lock(path, log, until)
            if _is_at(path.name, folder, log):
                yield log
                return
        finally:
            os.close(log)


def _refuse_other_than_files(path: Path, folder: int) -> None:
    """Before it is opened, for opening a device may do something."""
    with suppress(FileNotFoundError):
        _refuse(path, os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode)


def _refuse(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OutputError(f"{path} is not an ordinary file; an audit log is kept in none other")


def _lock(path: Path, log: int, until: float) -> None:
    _refuse(path, os.fstat(log).st_mode)
    while True:
        try:
            fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                raise OutputError(
                    f"the audit log could not be written to {path}: another process holds its lock"
                ) from None
            time.sleep(_PAUSE)
        else:
            return


def _is_at(name: str, folder: int, log: int) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(log))
    return False


def _write(log: int, data: bytes) -> None:
    size = os.fstat(log).st_size
    if size and os.pread(log, 1, size - 1) != b"\n":
        data = b"\n" + data
    left = memoryview(data)
    while left:
        left = left[os.write(log, left) :]
    os.fsync(log)


@contextmanager
def _reported(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:  # a path with a NUL in it is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        raise OutputError(f"the audit log could not be written to {path}: {reason or error}") from error
