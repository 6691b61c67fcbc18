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
    """Where a verb is, as `module:name` in this package, its line in the list of verbs, and what one types, each with
    what it is for."""

    place: str
    summary: str
    examples: tuple[tuple[str, ...], ...] = ()

    def load(self) -> Any:
        """A function that does the work, or a Typer app with verbs of its own."""
        module, _, name = self.place.partition(":")
        return getattr(import_module(f"{__package__}.{module}"), name)


VERBS: Mapping[str, Verb] = {
    "verify": Verb(
        "gate:gate",
        "Verify that PROJECT's data lies where the policy allows in ENVIRONMENT.",
        (
            ("The gate, before a deployment:", "diga-verify production dtx-data"),
            (
                "One type, or one resource:",
                "diga-verify production dtx-data -t sql",
                "diga-verify production dtx-data -r sql/dta-postgres",
            ),
            (
                "Wait until a repair has taken effect:",
                "diga-verify production dtx-data -r sql/dta-postgres --watch",
            ),
            (
                "Reports for people, programs and pipelines:",
                "diga-verify production dtx-data -o report.html -o report.json",
                "diga-verify production dtx-data -o junit=report.xml",
            ),
        ),
    ),
    "demo": Verb(
        "demo:demo",
        "Run the production gate against the built-in simulator, with the default policy.",
        (("Without any cloud:", "diga-verify demo", "diga-verify demo --world compliant"),),
    ),
    "simulator": Verb(
        "demo:simulator",
        "Serve a world file on loopback, for trying out pipelines and policies.",
        (
            (
                "A stand-in for Google Cloud, and a run against it:",
                "diga-verify simulator compliant --port 8080",
                "diga-verify production dtx-data --api-root http://127.0.0.1:8080",
            ),
        ),
    ),
    "replay": Verb(
        "replay:replay",
        "Derive a run's report anew from its evidence, asking nobody.",
        (("What another policy would have said:", "diga-verify replay evidence.json -p stricter.toml"),),
    ),
    "render": Verb(
        "render:render",
        "Show a stored JSON report in any format.",
        (("A page for an auditor:", "diga-verify render report.json -q -o report.html"),),
    ),
    "diff": Verb(
        "diff:diff",
        "Show what changed between two runs of one project: what moved, came and went, and what the policy made of it.",
        (("An alarm when anything moved:", "diga-verify diff old.json new.json --fail-on moved"),),
    ),
    "notify": Verb(
        "notify:notify",
        "Show who is told of what, or with --test try every channel.",
        (("Whether every channel works:", "diga-verify notify --test"),),
    ),
    "types": Verb(
        "lookups:types",
        "Show the types, what each reads, and the permissions it needs.",
        (("A role that may do what the gate needs, and nothing else:", "diga-verify types --iam-role gate"),),
    ),
    "locations": Verb(
        "lookups:locations",
        "Explain what a location stands for and where that is; without NAME, the whole table.",
        (("What a name of Cloud Storage stands for:", "diga-verify locations EUR4"),),
    ),
    "policy": Verb(
        "policy:app",
        "Make, check, describe and ask a policy.",
        (
            ("A policy to start from:", "diga-verify policy init"),
            ("Why a location is allowed, or not:", "diga-verify policy explain sql backup eu"),
        ),
    ),
    "attestation": Verb(
        "attestation:app",
        "Check who vouches for a report.",
        (
            (
                "Whether a report is the one that was signed:",
                "diga-verify attestation verify run.intoto.json --key signer.pem \\",
                "    --report report.json -p regions.toml",
            ),
        ),
    ),
}


@cache
def command(*loaded: str, listed: bool = False) -> Any:
    """The parser of these verbs, which takes a while to make; `listed`: the others are there by their lines only."""
    app = _root()
    for name, verb in VERBS.items():
        found = verb.load() if name in loaded else None
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=verb.summary, short_help=verb.summary, epilog=_examples(verb))
        elif found is not None:
            app.command(name, short_help=verb.summary, epilog=_examples(verb))(found)
        elif listed:
            app.command(name, short_help=verb.summary)(_elsewhere)
    return typer.main.get_command(app)


def _examples(verb: Verb) -> str:
    """What stands below a verb's options; the mark keeps its lines from being folded."""
    return "\n\n".join("\n  ".join([f"\b\n{about}", *lines]) for about, *lines in verb.examples)


def _elsewhere() -> None:
    """Stands for a verb that is not loaded."""


def _root() -> typer.Typer:
    app = typer.Typer(
        name="diga-verify",
        cls=completion.Root,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # whose panels cut off names of options and variables at 80 columns
        subcommand_metavar="ENVIRONMENT PROJECT | COMMAND ...",
        context_settings={"help_option_names": ["-h", "--help"]},
        help="Prove that every copy of a project's data in Google Cloud lies where law and policy allow.\n\n"
        "The gate, whose options are those of the command `verify`, a word that may be left out:\n\n"
        "\b\n  diga-verify production dtx-data",
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
