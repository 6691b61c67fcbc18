"""From the words on the command line to an exit code (docs/exit-codes.md). Only here the program ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from types import FrameType
from typing import Annotated, Any, NoReturn, cast

import typer

from diga_verify import __version__
from diga_verify.cli import attestation, demo, diff, gate, lookups, notify, policy, render, replay, screen
from diga_verify.cli.claims import claim
from diga_verify.errors import CheckerError, OutputError, PolicyError, ReportError, UsageError
from diga_verify.reading import Interrupted

USAGE, NOT_WRITTEN, BUG = 2, 4, 70
_MISUSE = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""Whatever the parser raises when it does not understand the arguments; Typer names only this one of them."""
_COMPLETION = ("--install-completion", "--show-completion")

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
app.command("replay")(replay.replay)
app.command("render")(render.render)
app.command("diff")(diff.diff)
app.command("notify")(notify.notify)
app.add_typer(policy.app, name="policy")
app.add_typer(attestation.app, name="attestation")
app.command("types")(lookups.types)
app.command("locations")(lookups.locations)
VERBS = (
    "verify",
    "demo",
    "simulator",
    "replay",
    "render",
    "diff",
    "notify",
    "policy",
    "attestation",
    "types",
    "locations",
)


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
    words = _with_verb(arguments)
    try:
        with _signals(), screen.overheard():
            return _obey(words)
    except Interrupted as error:
        return 128 + error.signal
    except SystemExit as end:  # Typer ends so when nobody takes its help (1), and after its completion scripts (0)
        if end.code in (0, None) and words[0] in (*_COMPLETION, "--help"):
            return 0
        return NOT_WRITTEN if end.code == 1 else BUG


def _obey(words: list[str]) -> int:
    try:
        code = _command()(args=words, prog_name="diga-verify", standalone_mode=False)
    except _MISUSE as error:
        _remove_stale_reports(words)
        _explain_misuse(error)
        return USAGE
    except (UsageError, CheckerError, ReportError) as error:
        screen.note(f"diga-verify: {error}")
        return USAGE
    except PolicyError as error:
        screen.note(*map(str, error.problems), "diga-verify: the policy is invalid; nothing was verified")
        return USAGE
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return NOT_WRITTEN
    except Exception as error:  # noqa: BLE001 - a bug must not read as a violation
        screen.note_crash(error)
        screen.note("diga-verify: this is a bug in diga-verify; nothing is proven")
        return BUG
    return code if isinstance(code, int) else 0


@cache
def _command() -> Any:
    """The parser of all commands, which takes a while to make."""
    return typer.main.get_command(app)


def _explain_misuse(error: Exception) -> None:
    """What Typer's parser found wrong, in plain words: the arguments that it repeats are anybody's."""
    context = getattr(error, "ctx", None)
    usage = [context.get_usage(), f"Try '{context.command_path} --help'."] if context is not None else []
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    screen.note(*usage, f"diga-verify: {message}")


def _remove_stale_reports(words: list[str]) -> None:
    """Those that a refused command line names: it fails as any other does, and no old report may outlive it."""
    found = _read_leniently(words)
    read = {name: found.get(name) for name in ("baseline", "old", "new", "report")}
    if words[0] != "verify":  # only the gate writes evidence, any other verb reads it
        read["evidence"] = found.pop("evidence", None)
    with suppress(UsageError):
        claim(
            found.get("output"),
            found.get("policy"),
            evidence=found.get("evidence"),
            attest=found.get("attest"),
            attest_key=found.get("attest_key"),
            also_read=read,
            kept={
                "--audit-log": found.get("audit_log"),
                "--metrics-file": found.get("metrics_file"),
                "--notify-state": found.get("notify_state"),
            },
        )


def _read_leniently(words: list[str]) -> dict[str, Any]:
    """The options of words that the parser refused, read once more less strictly; unknown ones are left out."""
    verb = getattr(_command(), "commands", {}).get(words[0])
    if verb is None:
        return {}
    try:
        context = verb.make_context(
            words[0], words[1:], resilient_parsing=True, ignore_unknown_options=True, allow_extra_args=True
        )
    except _MISUSE:  # an option without its value: what the words mean is anybody's guess
        return {}
    return dict(context.params)


def main() -> NoReturn:
    """The console script."""
    code = run(sys.argv[1:])
    if any(thread is not threading.main_thread() and not thread.daemon for thread in threading.enumerate()):
        # A call that hangs would keep the process alive beyond the deadline: everything is written, so leave it.
        os._exit(code)
    sys.exit(code)


def _with_verb(arguments: Sequence[str]) -> list[str]:
    """The gate has no verb of its own: what starts with none of the verbs is its arguments."""
    words = list(arguments)
    if words in ([], ["policy"], ["attestation"]):
        return [*words, "--help"]
    if words[0] in (*VERBS, *_COMPLETION, "-h", "--help", "-V", "--version"):
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
