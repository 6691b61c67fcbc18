"""A report in a file: whole or not at all, for its owner's eyes, never through a symbolic link."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from diga_verify.errors import OutputError


def write_file(path: Path, text: str) -> None:
    """Put `text` at `path` in one step, readable by its owner only. Raises OutputError; then `path` is as it was."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise OutputError(f"{path} is not an ordinary file; a report is written to none other")
        _write(draft, text)
        draft.replace(path)
    except OSError as error:
        raise OutputError(f"the report could not be written to {path}: {error.strerror or error}") from error
    finally:
        draft.unlink(missing_ok=True)


def _write(draft: Path, text: str) -> None:
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
