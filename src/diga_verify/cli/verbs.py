"""The verbs of the command line. Each is imported when it is asked for, so that none waits for what another needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer

from diga_verify import __version__
from diga_verify.cli import completion, screen


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb is, as `module:name` in this package, and its line in the list of verbs."""

    place: str
    summary: str

    def load(self) -> Any:
        """A function that does the work, or a Typer app with verbs of its own."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(f"{__package__}.{module}"), name)


VERBS: Mapping[str, Verb] = {
    "verify": Verb("gate:gate", "Verify that PROJECT's data lies where the policy allows in ENVIRONMENT."),
    "demo": Verb("demo:demo", "Run the production gate against the built-in simulator, with the default policy."),
    "simulator": Verb("demo:simulator", "Serve a world file on loopback, for trying out pipelines and policies."),
    "replay": Verb("replay:replay", "Derive a run's report anew from its evidence, asking nobody."),
    "render": Verb("render:render", "Show a stored JSON report in any format."),
    "diff": Verb(
        "diff:diff",
        "Show what changed between two runs of one project: what moved, came and went, and what the policy made of it.",
    ),
    "notify": Verb("notify:notify", "Show who is told of what, or with --test try every channel."),
    "types": Verb("lookups:types", "Show the types, what each reads, and the permissions it needs."),
    "locations": Verb(
        "lookups:locations", "Explain what a location stands for and where that is; without NAME, the whole table."
    ),
    "policy": Verb("policy:app", "Make, check, describe and ask a policy."),
    "attestation": Verb("attestation:app", "Check who vouches for a report."),
}


@cache
def command(*loaded: str, listed: bool = False) -> Any:
    """The parser of these verbs, which takes a while to make; `listed`: the others are there by their lines only."""
    app = _root()
    for name, verb in VERBS.items():
        found = verb.load() if name in loaded else None
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=verb.summary)
        elif found is not None:
            app.command(name, short_help=verb.summary)(found)
        elif listed:
            app.command(name, help=verb.summary)(_elsewhere)
    return typer.main.get_command(app)


def _elsewhere() -> None:
    """Stands for a verb that is not loaded."""


def _root() -> typer.Typer:
    app = typer.Typer(
        name="diga-verify",
        cls=completion.Root,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Prove that every copy of a project's data in Google Cloud lies where law and policy allow.\n\n"
        "The gate:  diga-verify ENVIRONMENT PROJECT, for example  diga-verify production dtx-data. "
        "Its options:  diga-verify verify --help.",
        epilog="Exit codes: 0 compliant, 1 violation, 2 usage or policy, 3 not verified, 4 report not written, 70 bug.",
    )
    app.callback()(_options)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        screen.result(f"diga-verify {__version__}\n")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("-V", "--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Nothing to do: every verb has its own options."""
