"""Files that were named on the command line, read as a whole and within a limit."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from diga_verify.errors import UsageError


@dataclass(frozen=True, slots=True)
class File:
    """A file's bytes, and whether others than its owner may read it."""

    path: Path
    data: bytes = field(repr=False)
    exposed: bool = False


def read_file(path: Path, limit: int) -> File:
    """The file at `path`, or what comes through a pipe there. Raises UsageError, also beyond `limit` bytes."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                raise UsageError(f"{path} is not a file")
            data = file.read(limit + 1)
    except (OSError, ValueError) as error:  # a path with a NUL in it is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        raise UsageError(f"{path} cannot be read: {reason or error}") from None
    if len(data) > limit:
        raise UsageError(f"{path} is larger than {limit} bytes")
    return File(path, data, stat.S_ISREG(mode) and bool(mode & 0o077))
