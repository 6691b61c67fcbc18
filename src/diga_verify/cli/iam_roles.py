"""Custom roles that hold what a run needs and nothing else, as `gcloud iam roles create --file` reads them.

https://cloud.google.com/iam/docs/creating-custom-roles has the form of the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

from diga_verify import second_witness, services
from diga_verify.checkers.interface import Checker

ALWAYS = ("resourcemanager.projects.get",)
"""What a run needs whatever its types."""


class IamRole(StrEnum):
    """What the holder of a role may do."""

    GATE = "gate"
    """Verify: without any of its permissions nothing is compliant."""
    WITNESS = "witness"
    """Besides, hear the second witness and see which services are enabled; neither makes a pass."""
    DEEP = "deep"
    """Besides, run with `--deep`; whoever holds it can have queries billed."""
    RESTORE = "restore"
    """Besides, run with `--after-restore`."""


_DESCRIPTIONS = {
    IamRole.GATE: "Reads where data lies, and no data.",
    IamRole.WITNESS: "Reads the names of assets and of enabled services.",
    IamRole.DEEP: "Runs queries, for cross-region replicas of BigQuery datasets.",
    IamRole.RESTORE: "Reads what was done with databases, and no data.",
}


def needed(checkers: Iterable[Checker]) -> list[str]:
    """The permissions without which a run with these checkers is not verified, sorted."""
    return sorted({*ALWAYS, *(name for checker in checkers for name in checker.permissions)})


def role_file(role: IamRole, checkers: Iterable[Checker]) -> Iterator[str]:
    """The lines of a YAML file."""
    yield f"# Made by `diga-verify types --iam-role {role}`."
    yield f"title: diga-verify {role}"
    yield f"description: {_DESCRIPTIONS[role]}"
    yield "stage: GA"
    yield "includedPermissions:"
    yield from (f"  - {name}" for name in _permissions(role, checkers))


def _permissions(role: IamRole, checkers: Iterable[Checker]) -> list[str]:
    match role:
        case IamRole.GATE:
            return needed(checkers)
        case IamRole.WITNESS:
            return [second_witness.PERMISSIONS[0], services.PERMISSION]  # either of the witness's is enough
        case IamRole.DEEP:
            return ["bigquery.jobs.create"]
        case IamRole.RESTORE:
            return sorted({name for checker in checkers for name in getattr(checker, "after_restore", ())})
