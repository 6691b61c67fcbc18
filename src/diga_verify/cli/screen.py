"""What a person sees: results on stdout, everything else on stderr. All foreign text is made harmless here, save what
a format did already."""

from __future__ import annotations

import logging
import os
import shutil
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from typing import TYPE_CHECKING, TextIO

from diga_verify.errors import OutputError
from diga_verify.formats.page import Page, plain
from diga_verify.redact import redact

if TYPE_CHECKING:
    from diga_verify.reading import Progress


class Color(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def page(color: Color) -> Page:
    """The page that stdout is: as wide as the terminal, 80 columns where there is none."""
    wanted = {Color.ALWAYS: True, Color.NEVER: False, Color.AUTO: _color_by_habit()}[color]
    return Page(width=max(40, shutil.get_terminal_size((80, 24)).columns), color=wanted)


def result(text: str | Iterable[str]) -> None:
    """Write the result to stdout, whole or in pieces, as a format or a schema made it. Raises OutputError when nobody
    takes it."""
    if sys.stdout is None:  # closed before the program began
        raise OutputError("the result could not be written to standard output: it is closed")
    for piece in [text] if isinstance(text, str) else text:
        with _taken(sys.stdout):
            sys.stdout.write(_encodable(piece, sys.stdout))
    with _taken(sys.stdout):
        sys.stdout.flush()


def tell(*lines: str) -> None:
    """Write lines to stdout, each made harmless. Raises OutputError when nobody takes them."""
    result("".join(f"{plain(line)}\n" for line in lines))


def note(*lines: str) -> None:
    """Say something on stderr, each line without secrets and made harmless. Whether anybody listens changes nothing."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write("".join(f"{_encodable(plain(redact(line)), sys.stderr)}\n" for line in lines))
        sys.stderr.flush()
    except (OSError, ValueError):
        _give_up_on(sys.stderr)


def note_crash(error: BaseException) -> None:
    """Say on stderr where an exception came from. What it says may be anybody's words."""
    text = "".join(traceback.format_exception(error))
    note(*redact(text).rstrip("\n").split("\n"))


@contextmanager
def overheard() -> Iterator[None]:
    """While inside, what libraries log or warn of, and what ends a thread, is said by `note` and not by themselves."""
    handler = _Notes(logging.WARNING)
    root = logging.getLogger()
    before = threading.excepthook, warnings.showwarning
    root.addHandler(handler)
    threading.excepthook, warnings.showwarning = _thread_ended, _warned
    try:
        yield
    finally:
        threading.excepthook, warnings.showwarning = before
        root.removeHandler(handler)


@contextmanager
def progress(*, shown: bool) -> Iterator[Callable[[Progress], None]]:
    """A line on a terminal's stderr that tells how far a run is, gone when it is over."""
    if not shown or sys.stderr is None or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.text import Text

    with Console(stderr=True).status(Text("asking Google Cloud")) as status:
        yield lambda state: status.update(
            Text(plain(f"{state.calls} calls done, reading {', '.join(state.waiting)}"), overflow="ellipsis")
        )


class _Notes(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            message = record.getMessage()
        except Exception:  # noqa: BLE001 - a log line that cannot be made is no reason to stop
            message = str(record.msg)
        note(f"{record.levelname.lower()}: {record.name}: {message}")


def _thread_ended(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
        note_crash(arguments.exc_value)


def _warned(message: Warning | str, *_: object, **__: object) -> None:
    note(f"warning: {message}")


def _encodable(text: str, stream: TextIO) -> str:
    """The text with escapes for what the stream's encoding lacks, under `LANG=C` for example."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


@contextmanager
def _taken(stream: TextIO) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        _give_up_on(stream)
        reason = error.strerror if isinstance(error, OSError) else None
        raise OutputError(f"the result could not be written to standard output: {reason or error}") from error


def _give_up_on(stream: TextIO) -> None:
    """What is left in the buffer would fail again when Python flushes at exit, and change the exit code."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _color_by_habit() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
