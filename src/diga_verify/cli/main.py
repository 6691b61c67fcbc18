"""From the words on the command line to an exit code (docs/exit-codes.md). Only here the program ends."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from types import FrameType
from typing import Any, NoReturn, cast

import typer

from diga_verify.cli import completion, screen
from diga_verify.cli.verbs import VERBS, command
from diga_verify.errors import CheckerError, Interrupted, OutputError, PolicyError, ReportError, UsageError

USAGE, NOT_WRITTEN, BUG = 2, 4, 70
_MISUSE = cast("type[Exception]", typer.BadParameter.__mro__[1])
"""Whatever the parser raises when it does not understand the arguments; Typer names only this one of them."""
_COMPLETION = ("--install-completion", "--show-completion")


def run(arguments: Sequence[str]) -> int:
    """Do what the arguments ask for; the exit code. Whatever happens, 0 and 1 are never a crash."""
    words = _with_verb(arguments)
    try:
        with _signals(), screen.overheard():
            if completion.VARIABLE in os.environ and not arguments:
                return completion.answer()
            code = _obey(words)
            if words == [*arguments, "--help"]:  # nobody asked for help: where arguments got lost, nothing may go on
                return code or USAGE
            if code == USAGE and words != [*arguments]:
                _suggest_verb(words[1])
            return USAGE if code == 1 and words[0] in _COMPLETION else code  # a shell that Typer does not know
    except Interrupted as error:  # before a run began, or after it was over: a run itself ends with a report
        screen.note("diga-verify: interrupted")
        return 128 + error.signal
    except SystemExit as end:  # Typer ends so when nobody takes its help (1), and after its completion scripts (0)
        if end.code in (0, None) and words[0] in (*_COMPLETION, "--help"):
            return 0
        return NOT_WRITTEN if end.code == 1 else BUG


def _obey(words: list[str]) -> int:
    try:
        code = _answered(words)
    except _MISUSE as error:
        _remove_stale_reports(words)
        _explain_misuse(error, words[0])
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


def _answered(words: list[str]) -> Any:
    try:
        return _parser(words[0])(args=words, prog_name="diga-verify", standalone_mode=False)
    except OSError:
        screen.result("")  # Typer writes its help by itself: was it standard output that took no more, this says so
        raise


def _parser(verb: str) -> Any:
    return command(verb) if verb in VERBS else command(listed=True)


def _explain_misuse(error: Exception, verb: str) -> None:
    """What Typer's parser found wrong, in plain words: the arguments that it repeats are anybody's."""
    context = getattr(error, "ctx", None)
    usage = [f"Try 'diga-verify {verb} --help'."]  # the parser says no more of an option without its value
    if context is not None:
        usage = [context.get_usage(), f"Try '{context.command_path} --help'."]
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    message = message.replace(": Value error, ", ": ")  # words of the parser's own parser
    screen.note(*usage, f"diga-verify: {message}")


def _suggest_verb(word: str) -> None:
    """A misspelt verb was taken for an environment."""
    if close := get_close_matches(word, VERBS, 1, cutoff=0.75):
        screen.note(f"diga-verify: did you mean the command 'diga-verify {close[0]}'?")


def _remove_stale_reports(words: list[str]) -> None:
    """Those that a refused command line names: it fails as any other does, and no old report may outlive it."""
    from diga_verify.cli.claims import claim

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
    verb = getattr(_parser(words[0]), "commands", {}).get(words[0])
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
    # A run makes many objects and few cycles: to look for these as often as usual takes a tenth of the time of a small
    # run, and a third of that of a large one.
    gc.set_threshold(100_000, 20, 20)
    code = run(sys.argv[1:])
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # whoever had to know that it was not written knows it
            stream.flush()
    # Everything is written. To take all objects apart would take a while, and a call that hangs would keep the process
    # alive beyond the deadline.
    os._exit(code)


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
