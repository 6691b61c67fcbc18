"""The checkers of a run: the built-in seven, in the order of reports, and those of other distributions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from diga_verify import __version__
from diga_verify.checkers.bigquery import BigQuery
from diga_verify.checkers.firestore import Firestore
from diga_verify.checkers.gcs import Gcs
from diga_verify.checkers.gke import Gke
from diga_verify.checkers.interface import Checker
from diga_verify.checkers.kms import Kms
from diga_verify.checkers.redis import Redis
from diga_verify.checkers.sql import Sql
from diga_verify.errors import CheckerError

BUILTIN: tuple[Checker, ...] = (Gke(), Sql(), Redis(), BigQuery(), Firestore(), Gcs(), Kms())
GROUP = "diga_verify.checkers"
_NEEDED = ("type", "title", "permissions", "asset_types", "reads", "limits", "query", "read")


@dataclass(frozen=True, slots=True)
class Registered:
    """A checker and where it comes from: it can change a verdict, so the report names it."""

    checker: Checker
    distribution: str
    version: str


def registered() -> Mapping[str, Registered]:
    """All checkers by type. Raises CheckerError when a third-party one does not load or takes a type twice."""
    found = {checker.type: Registered(checker, "diga-verify", __version__) for checker in BUILTIN}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        one = _load(entry)
        if one.checker.type in found:
            taken = found[one.checker.type].distribution
            raise CheckerError(f"{one.distribution} brings a checker for {one.checker.type!r}, and so does {taken}")
        found[one.checker.type] = one
    return found


def _load(entry: EntryPoint) -> Registered:
    distribution = entry.dist.name if entry.dist else "an unnamed distribution"
    try:
        loaded = entry.load()
        checker: Checker = loaded() if isinstance(loaded, type) else loaded
        lacking = [name for name in _NEEDED if not hasattr(checker, name)]
    except (Exception, SystemExit) as error:  # a module that ends the process, even with 0, has not loaded either
        message = f"{entry.name} of {distribution} ({entry.value})"
        raise CheckerError(f"the checker {message} does not load: {type(error).__name__}: {error}") from error
    if lacking or checker.type != entry.name:
        what = f"lacks {', '.join(lacking)}" if lacking else f"is for {checker.type!r}"
        raise CheckerError(f"the checker {entry.name!r} of {distribution} {what}; see docs/checkers.md")
    return Registered(checker, distribution, entry.dist.version if entry.dist else "unknown")
