"""What a person sees: results on stdout, everything else on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from diga_verify.errors import OutputError
from diga_verify.formats.page import Page
from diga_verify.verify import Progress


class Color(StrEnum):
    """When to colour."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def page(color: Color) -> Page:
    """The page that stdout is: as wide as the terminal, 80 columns where there is none."""
    wanted = {Color.ALWAYS: True, Color.NEVER: False, Color.AUTO: _color_by_habit()}[color]
    return Page(width=max(40, shutil.get_terminal_size((80, 24)).columns), color=wanted)


def result(text: str) -> None:
    """Write the result to stdout. Raises OutputError when nobody takes it."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again when Python flushes at exit, and change the exit code.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(f"the report could not be written to standard output: {error.strerror or error}") from error


def note(text: str) -> None:
    """Say something on stderr."""
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - this is where the program prints


@contextmanager
def progress(*, shown: bool) -> Iterator[Callable[[Progress], None]]:
    """A line on a terminal's stderr that tells how far a run is, gone when it is over."""
    if not shown or not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("asking Google Cloud") as status:
        yield lambda state: status.update(f"{state.calls} calls done, reading {', '.join(state.waiting)}")


def _color_by_habit() -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
