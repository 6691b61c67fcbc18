"""The past of a database: what it can be restored from, and what filled it. Read only in a run after a restore."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backup:
    """A finished backup that a database can be restored from."""

    name: str
    """As it is named to restore it."""
    location: str | None
    until: str = ""
    """When its data is from, as the API writes it; empty when it does not say."""
    expires: str = ""
    """When it will be deleted, if the API says."""


@dataclass(frozen=True, slots=True)
class Filling:
    """Something that filled a database with data from elsewhere: a restore, an import, a clone."""

    field: str
    """The API field it was read from."""
    source: str = ""
    """What it read from: a backup's resource name, or a `gs://` URI; empty when the API does not say."""
    at: str = ""
    """When it ended, as the API writes it; empty when it has not, or the API does not say."""
    trouble: str = ""
    """Why it cannot be relied upon, in words: it failed, or is not finished."""
    full: bool = False
    """Whether it brought data for certain: then nobody's word makes the database an empty one."""
    pointer: str | None = dataclasses.field(default=None, compare=False)
    """Where it stands in the evidence of the run."""


@dataclass(frozen=True, slots=True)
class History:
    """What a run after a restore reads of a database besides its places."""

    created_at: str = ""
    """As the API writes it; empty when it does not say."""
    backups: tuple[Backup, ...] | None = None
    """Those that it can be restored from; None where none are asked for."""
    fillings: tuple[Filling, ...] = ()
