"""The gate: verify a project against a policy, show what was found, and say with the exit code whether it may go on."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from diga_verify.checkers.registry import registered
from diga_verify.cli import options, screen
from diga_verify.errors import OutputError, UsageError
from diga_verify.formats.registry import FORMATS
from diga_verify.gateway.endpoints import Endpoints, stand_in
from diga_verify.gateway.patience import Patience
from diga_verify.policy import Policy, default_policy, load_policy, parse_policy
from diga_verify.report import Report
from diga_verify.sinks.file import remove_stale, write_file
from diga_verify.verify import Run, verify

_PROJECT_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.:")


def gate(
    environment: Annotated[str, typer.Argument(metavar="ENVIRONMENT", help="An environment that the policy defines.")],
    project: Annotated[str, typer.Argument(metavar="PROJECT", help="The project's id or number.")],
    policy: options.PolicyFile = options.DEFAULT_POLICY,
    types: options.Types = None,
    resources: options.Resources = None,
    format: options.Format = "table",
    output: options.Outputs = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", envvar="DIGA_VERIFY_STRICT", help="Treat `recommended` and `free` as `required`."),
    ] = False,
    deep: Annotated[
        bool,
        typer.Option("--deep", envvar="DIGA_VERIFY_DEEP", help="Also query BigQuery for cross-region replicas."),
    ] = False,
    deadline: Annotated[
        float,
        typer.Option(metavar="SECONDS", envvar="DIGA_VERIFY_DEADLINE", min=0.1, help="For the whole run."),
    ] = Patience().run,
    impersonate: Annotated[
        str | None,
        typer.Option(
            "--impersonate-service-account",
            metavar="EMAIL",
            help="Ask as this service account.",
            envvar="DIGA_VERIFY_IMPERSONATE_SERVICE_ACCOUNT",
        ),
    ] = None,
    billing_project: Annotated[
        str | None,
        typer.Option(metavar="PROJECT", envvar="DIGA_VERIFY_BILLING_PROJECT", help="Project charged for the calls."),
    ] = None,
    api_root: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask a stand-in for Google Cloud, without credentials.")
    ] = None,
    quiet: options.Quiet = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Name every call on stderr.")] = False,
    no_progress: Annotated[
        bool, typer.Option("--no-progress", envvar="DIGA_VERIFY_NO_PROGRESS", help="No progress line on a terminal.")
    ] = False,
    color: options.ColorChoice = screen.Color.AUTO,
) -> None:
    """Verify that PROJECT's data lies where the policy allows in ENVIRONMENT. The word `verify` may be left out."""
    outputs = claim(output, policy)
    checkers = registered()
    format = options.known(format, tuple(FORMATS), "format")
    if not project or not set(project) <= _PROJECT_CHARACTERS:
        raise UsageError(f"{project!r} is not a project's id or number")
    if not math.isfinite(deadline):
        raise UsageError(f"--deadline {deadline} is no number of seconds")
    run = Run(
        environment=environment,
        project=project,
        policy=load_policy(policy, today=_today(), known_types=tuple(checkers)),
        scope=options.scope(tuple(checkers), types, resources),
        strict=strict,
        deep=deep,
        endpoints=stand_in(api_root) if api_root is not None else Endpoints(),
        patience=replace(Patience(), run=deadline),
        impersonate=impersonate,
        billing_project=billing_project,
    )
    with screen.progress(shown=not (no_progress or quiet)) as watch:
        report = verify(run, checkers, watch)
    if verbose:
        tell_calls(report)
    raise typer.Exit(deliver(report, format, outputs, quiet=quiet, color=color))


def claim(outputs: Iterable[str] | None, policy: Path | None = None) -> list[tuple[str, Path]]:
    """Format and file of each `-o`, and nothing left there of an earlier run: whatever becomes of this one, nobody
    takes an old report for its own.

    Therefore the first thing that a gate does. Raises UsageError, once the files that can be understood are gone.
    """
    claimed: dict[tuple[str, str], tuple[str, Path]] = {}
    wrong: list[UsageError] = []
    for text in outputs or ():
        try:
            format, path = options.destination(text)
            _refuse_what_is_read(path, policy)
            place = os.path.realpath(path.parent), path.name
            if place in claimed:
                wrong.append(UsageError(f"-o names {path} twice"))
            claimed[place] = format, path
            remove_stale(path)
        except UsageError as error:
            wrong.append(error)
        except OutputError as error:  # it will not be written either, and then decide the exit code
            screen.note(f"diga-verify: {error}")
    if wrong:
        raise wrong[0]
    return list(claimed.values())


def _refuse_what_is_read(path: Path, policy: Path | None) -> None:
    """A slip of the pen must not cost anybody the policy or the credentials, under whatever name."""
    credentials = os.environ.get("GOOGLE_APPLICATION_CREDENTIALS")
    for what, read in ("policy", policy), ("credentials", Path(credentials) if credentials else None):
        with suppress(OSError, ValueError):
            if read is not None and os.path.samestat(path.lstat(), read.stat()):
                raise UsageError(f"-o {path} is the file of the {what}; a report needs a file of its own")


def run_against_shipped_world(world: str, policy: Policy | None, *, quiet: bool) -> Report:
    """The production gate against the simulator of a shipped world."""
    from diga_verify.simulator.server import Simulator
    from diga_verify.simulator.world import shipped_world

    checkers = registered()
    own = parse_policy(default_policy(), path="regions.toml", today=_today(), known_types=tuple(checkers))
    simulated = shipped_world(world)
    with Simulator(simulated) as simulator, screen.progress(shown=not quiet) as watch:
        run = Run(
            "production",
            "dtx-data",
            policy or own,
            options.scope(tuple(checkers), None, None),
            endpoints=stand_in(simulator.url),
        )
        return verify(run, checkers, watch)


def deliver(
    report: Report, format: str, outputs: Sequence[tuple[str, Path]], *, quiet: bool, color: screen.Color
) -> int:
    """Show the report and write its files; the exit code that follows. A violation wins over a failed write, and
    so does the signal that ended the run."""
    page = screen.page(color)
    failed = False
    for name, path in outputs:
        try:
            write_file(path, FORMATS[name](report, replace(page, color=False)))
        except OutputError as error:
            screen.note(f"diga-verify: {error}")
            failed = True
    text = FORMATS[format](report, page)
    if quiet and format == "table":
        text = text[text.rstrip().rfind("\n\n") + 2 :]
    try:
        screen.result(text)
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        failed = True
    return 4 if failed and report.exit_code in {0, 2, 3} else report.exit_code


def tell_calls(report: Report) -> None:
    """Name every call on stderr."""
    for call in report.calls:
        pages = f"{call.pages} page{'' if call.pages == 1 else 's'}"
        screen.note(f"{call.duration_ms:6d} ms  {call.status:18s} {pages:9s} {call.method} {call.scope}")


def _today() -> date:
    return datetime.now(UTC).date()
