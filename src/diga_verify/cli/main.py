"""From the words on the command line to an exit code (docs/exit-codes.md). Only here the program ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, NoReturn

import typer

from diga_verify import __version__
from diga_verify.cli import demo, gate, lookups, policy, screen
from diga_verify.errors import CheckerError, OutputError, PolicyError, UsageError
from diga_verify.verify import Interrupted

USAGE, NOT_WRITTEN, BUG = 2, 4, 70

app = typer.Typer(
    name="diga-verify",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Prove that every copy of a project's data in Google Cloud lies where law and policy allow.\n\n"
    "The gate:  diga-verify ENVIRONMENT PROJECT, for example  diga-verify production dtx-data. "
    "Its options:  diga-verify verify --help.",
    epilog="Exit codes: 0 compliant, 1 violation, 2 usage or policy, 3 not verified, 4 report not written, 70 bug.",
)
app.command("verify")(gate.gate)
app.command("demo")(demo.demo)
app.command("simulator")(demo.simulator)
app.add_typer(policy.app, name="policy")
app.command("types")(lookups.types)
app.command("locations")(lookups.locations)
VERBS = ("verify", "demo", "simulator", "policy", "types", "locations")


def _version(wanted: bool) -> None:
    if wanted:
        screen.result(f"diga-verify {__version__}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("-V", "--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Nothing to do: every verb has its own options."""


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; the exit code. Whatever happens, 0 and 1 are never a crash."""
    try:
        with _signals():
            app(args=_with_verb(arguments), prog_name="diga-verify", standalone_mode=True)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else BUG
    except (UsageError, CheckerError) as error:
        screen.note(f"diga-verify: {error}")
        return USAGE
    except PolicyError as error:
        screen.note(f"{error}\ndiga-verify: the policy is invalid; nothing was verified")
        return USAGE
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return NOT_WRITTEN
    except Interrupted as error:
        return 128 + error.signal
    except Exception:  # noqa: BLE001 - a bug must not read as a violation
        screen.note(f"{traceback.format_exc()}diga-verify: this is a bug in diga-verify; nothing is proven")
        return BUG
    return BUG


def main() -> NoReturn:
    """The console script."""
    code = run(sys.argv[1:])
    sys.stderr.flush()
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        # A call that hangs would keep the process alive beyond the deadline: everything is written, so leave it.
        os._exit(code)
    sys.exit(code)


def _with_verb(arguments: Sequence[str]) -> list[str]:
    """The gate has no verb of its own: what starts with none of the verbs is its arguments."""
    words = list(arguments)
    if not words or words[0] in VERBS or words[0] in {"-h", "--help", "-V", "--version"}:
        return words or ["--help"]
    if words[0] in {"--install-completion", "--show-completion"}:
        return words
    return ["verify", *words]


@contextmanager
def _signals() -> Iterator[None]:
    """While inside, Ctrl-C and SIGTERM raise Interrupted in the main thread, so that a report is still written."""

    def interrupt(number: int, _: FrameType | None) -> None:
        raise Interrupted(number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
