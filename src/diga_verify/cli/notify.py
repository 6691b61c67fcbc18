"""Telling people: what the gate does when its reports are written, and `diga-verify notify` (docs/notify.md)."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from diga_verify.checkers.registry import registered
from diga_verify.cli import completion, options, screen
from diga_verify.cli.stored import load_report
from diga_verify.errors import UsageError
from diga_verify.moment import today
from diga_verify.notify.result import NotifyResult, Outcome
from diga_verify.policy import Policy, load_policy
from diga_verify.report import Report


class When(StrEnum):
    """When the gate tells people."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


Choice = Annotated[
    When,
    typer.Option(
        "--notify",
        envvar="DIGA_VERIFY_NOTIFY",
        help="Tell those whom the policy names; auto leaves out simulated runs and those of a part.",
    ),
]
StateFile = Annotated[
    Path | None,
    typer.Option(
        "--notify-state",
        metavar="FILE",
        envvar="DIGA_VERIFY_NOTIFY_STATE",
        help="Keeps who was told of what, from run to run.",
    ),
]


def refuse_vain_wish(policy: Policy, when: When) -> None:
    """Raises UsageError when messages are demanded, and there is nobody to tell."""
    if when is When.ALWAYS and policy.notify is None:
        raise UsageError(f"--notify always: {policy.path} has no [notify]; see docs/notify.md")


def announce(
    report: Report, policy: Policy, when: When, state: Path | None = None, earlier: Report | None = None
) -> NotifyResult:
    """Tell everybody whom the policy wants told of a run. Whatever fails is said on stderr, and changes nothing."""
    notify = policy.notify
    if notify is None or when is When.NEVER:
        return NotifyResult()
    if why := _out_of_place(report, when):
        screen.note(f"notify: nobody is told: {why}")
        return NotifyResult()
    from diga_verify.cli import telling  # what it takes to send is loaded only where there is something to send

    try:
        return telling.announced(report, notify, state, earlier)
    except Exception as error:  # noqa: BLE001 - a bug here must not change what the run found; its words may be secret
        screen.note(f"warning: notify: this is a bug in diga-verify, perhaps nobody was told ({type(error).__name__})")
        return NotifyResult(tuple(Outcome(kind, name, "a bug") for kind, name, _ in notify.channels()))


def notify(
    report: Annotated[
        Path | None, typer.Argument(metavar="REPORT", help="A JSON report: show what it would tell whom.")
    ] = None,
    test: Annotated[bool, typer.Option("--test", help="Send every channel a harmless message.")] = False,
    environment: Annotated[
        str | None,
        typer.Option(
            "-e",
            "--environment",
            metavar="NAME",
            help="Only channels that are told of this one.",
            autocompletion=completion.environments,
        ),
    ] = None,
    policy: options.PolicyFile = options.DEFAULT_POLICY,
    state: StateFile = None,
) -> None:
    """Show who is told of what, or with --test try every channel. Exit 4: a channel failed."""
    from diga_verify.cli import telling

    known = load_policy(policy, today=today(), known_types=tuple(registered()))
    if known.notify is None:
        raise UsageError(f"{known.path} has no [notify]; see docs/notify.md")
    if environment is not None:
        known.environment(environment)
    if test and report is not None:
        raise UsageError("--test sends a message of its own: leave out the report, or --test")
    if test:
        raise typer.Exit(telling.tested(known.notify, environment))
    if report is None:
        screen.tell(*telling.routes(known.notify, environment))
    else:
        telling.rehearse(load_report(report), known.notify, state)


def _out_of_place(report: Report, when: When) -> str | None:
    if report.interrupted_by is not None:
        return "the run was interrupted"
    if when is When.AUTO and report.simulated:
        return "the run is simulated; --notify always tells them all the same"
    if when is When.AUTO and not report.whole:
        return "the run looked at a part only; --notify always tells them all the same"
    return None
