"""A report in a file: whole or not at all, for its owner's eyes, never through a symbolic link."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from diga_verify.errors import OutputError

_DRAFT = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
OWNERS_ONLY = 0o600
_OF_PATHS = (OSError, ValueError)
"""What may be wrong with a path; one with a NUL in it is a ValueError."""
_LONGEST = 200
"""Bytes of a draft's name that come from the report's: a file system takes 255."""


def remove_stale(path: Path) -> None:
    """Remove what an earlier run left at `path`, so that nobody takes it for this run's report.

    Only an ordinary file is removed: anything else was made by somebody else, and `write_file` refuses it. Raises
    OutputError when the file cannot be removed.
    """
    with _reported(path, *_OF_PATHS), suppress(FileNotFoundError, NotADirectoryError):
        if stat.S_ISREG(path.lstat().st_mode):
            path.unlink()


def write_file(path: Path, text: str | Iterable[str], mode: int = OWNERS_ONLY) -> str:
    """Put `text`, whole or in pieces, at `path` in one step and for good, readable by its owner only unless `mode` says
    otherwise. The SHA-256 of the file, in hexadecimal.

    Raises OutputError; then `path` is as it was, unless it is only not certain that the report outlives a power cut.
    What keeps a piece from being made is raised as it is, and leaves `path` as it was too.
    """
    with _reported(path, *_OF_PATHS):
        folder = os.open(path.parent, _FOLDER)  # one folder from here on, whatever its name comes to mean
    try:
        with _reported(path, *_OF_PATHS):
            _refuse_other_than_files(path, folder)
        with _reported(path, OSError):
            return _put(path.name, [text] if isinstance(text, str) else text, folder, mode)
    finally:
        os.close(folder)


def _refuse_other_than_files(path: Path, folder: int) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path.name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise OutputError(f"{path} is not an ordinary file; a report is written to none other")


def _put(name: str, pieces: Iterable[str], folder: int, mode: int) -> str:
    draft = f".{os.fsdecode(os.fsencode(name)[:_LONGEST])}.{secrets.token_hex(8)}"
    digest = sha256()
    try:
        handle = os.open(draft, _DRAFT, OWNERS_ONLY, dir_fd=folder)
        with os.fdopen(handle, "wb") as file:
            for piece in pieces:
                data = piece.encode("utf-8", "backslashreplace")
                digest.update(data)
                file.write(data)
            if mode != OWNERS_ONLY:
                os.fchmod(file.fileno(), mode)  # whatever the mask
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:  # also when a signal ends the run: a draft is of use to nobody
        with suppress(OSError):
            os.unlink(draft, dir_fd=folder)
        raise
    os.fsync(folder)
    return digest.hexdigest()


@contextmanager
def _reported(path: Path, *errors: type[Exception]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise OutputError(f"the report could not be written to {path}: {reason or error}") from error
