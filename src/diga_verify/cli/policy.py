"""`diga-verify policy`: make, check, describe and ask a policy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diga_verify.checkers.registry import registered
from diga_verify.cli import completion, options, screen
from diga_verify.formats.advice import remedy
from diga_verify.model import Reason
from diga_verify.moment import today
from diga_verify.policy import Policy, explain, load_policy, policy_schema, write_default

app = typer.Typer()
_Force = Annotated[bool, typer.Option("--force", help="Overwrite what is there.")]


@app.command("init")
def init(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it.")] = options.DEFAULT_POLICY,
    force: _Force = False,
) -> None:
    """Write the default policy, and its schema beside it for editors."""
    screen.tell(*map(str, write_default(path, force=force)))


@app.command("check")
def check(
    path: Annotated[
        Path, typer.Argument(metavar="FILE", envvar="DIGA_VERIFY_POLICY", help="The policy.")
    ] = options.DEFAULT_POLICY,
) -> None:
    """Read a policy as the gate would. Exit 2, with every problem, when it is invalid."""
    policy = _load(path)
    screen.tell(f"{policy.path} is valid: environments {', '.join(policy.environments)}; sha256 {policy.sha256}")


@app.command("schema")
def schema() -> None:
    """Print the JSON Schema of policies."""
    screen.result(policy_schema())


@app.command("explain")
def explain_(
    type: Annotated[str, typer.Argument(metavar="TYPE", help="For example sql.", autocompletion=completion.types)],
    role: Annotated[
        str,
        typer.Argument(metavar="ROLE", help="primary, node, replica, backup or key.", autocompletion=completion.roles),
    ],
    location: Annotated[
        str,
        typer.Argument(metavar="LOCATION", help="For example europe-west3 or EU.", autocompletion=completion.locations),
    ],
    environment: Annotated[
        str, typer.Option("-e", "--environment", metavar="NAME", autocompletion=completion.environments)
    ] = "production",
    path: options.PolicyFile = options.DEFAULT_POLICY,
) -> None:
    """Say whether a location is allowed, and by which line. Exit 0: allowed, 1: not, 3: nothing is known of it."""
    answer = explain(_load(path), type, role, location, environment)
    screen.tell(*answer.sentences)
    if answer.allowed is None:
        screen.tell(f"Next: {remedy(Reason.UNKNOWN_LOCATION)}.")
    raise typer.Exit({True: 0, False: 1, None: 3}[answer.allowed])


def _load(path: Path) -> Policy:
    return load_policy(path, today=today(), known_types=tuple(registered()))
