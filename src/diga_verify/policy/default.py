"""The default policy and the JSON Schema beside it, as `diga-verify policy init` writes them."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from diga_verify.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

POLICY_NAME = "regions.toml"
SCHEMA_NAME = "regions.schema.json"
"""The first line of the default policy names it, relative to itself."""


def default_policy() -> bytes:
    """The default policy."""
    return files(__package__).joinpath(POLICY_NAME).read_bytes()


def write_default(path: Path, *, force: bool = False) -> list[Path]:
    """Write the default policy to a file, or into a directory, and the schema for editors beside it.

    Returns the files written. Raises `UsageError` if one of them exists and `force` is not set (then nothing
    was written), or if one cannot be written.
    """
    policy = path / POLICY_NAME if path.is_dir() else path
    texts = {
        policy: default_policy(),
        policy.with_name(SCHEMA_NAME): files(__package__).joinpath(SCHEMA_NAME).read_bytes(),
    }
    existing = [file for file in texts if file.exists() or file.is_symlink()]
    if existing and not force:
        raise UsageError(f"{existing[0]} exists already; --force overwrites it")
    for file, text in texts.items():
        try:
            file.write_bytes(text)
        except OSError as error:
            raise UsageError(f"{file} cannot be written: {error.strerror or error}") from None
    return list(texts)
