"""`diga-verify types` and `diga-verify locations`: what the program knows, without asking anybody."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Annotated

import typer

from diga_verify import services
from diga_verify.checkers.registry import registered
from diga_verify.cli import completion, screen
from diga_verify.cli.iam_roles import ALWAYS, IamRole, needed, role_file
from diga_verify.locations.algebra import Explanation, all_locations, explain, table_date
from diga_verify.second_witness import NAME, PERMISSIONS


def types(
    permissions: Annotated[
        bool, typer.Option("--permissions", help="Only the permissions of all types, one a line.")
    ] = False,
    role: Annotated[
        IamRole | None,
        typer.Option("--iam-role", help="Only a custom role with them, as YAML for `gcloud iam roles create --file`."),
    ] = None,
) -> None:
    """Show the types, what each reads, and the permissions it needs."""
    checkers = [one.checker for one in registered().values()]
    if role is not None or permissions:
        screen.tell(*(needed(checkers) if role is None else role_file(role, checkers)))
        return
    for checker in checkers:
        lines = [f"{checker.type}  {checker.title}"]
        lines += [f"    reads      {text}" for text in checker.reads]
        lines += [f"    needs      {name}" for name in checker.permissions]
        lines += [f"    not shown  {text}" for text in checker.limits]
        screen.tell(*_folded(*lines, indent=15), "")
    restore = sorted({name for checker in checkers for name in getattr(checker, "after_restore", ())})
    last = (
        f"every run also needs {', '.join(ALWAYS)}; --deep needs bigquery.jobs.create;",
        f"--after-restore needs {', '.join(restore)};",
        f"with {' or '.join(PERMISSIONS)}, {NAME} is a second witness;",
        f"with {services.PERMISSION}, a report names the enabled services that are not read",
    )
    screen.tell(*_folded(*last, indent=4))


def locations(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="A region, zone, multi-region id.", autocompletion=completion.locations),
    ] = None,
) -> None:
    """Explain what a location stands for and where that is; without NAME, the whole table. Exit 3: nothing is known."""
    if name is None:
        screen.tell(*_folded(*map(_line, all_locations()), indent=25), f"table of {table_date()}")
        return
    found = explain(name)
    if not found:
        close = _named_so(name) or get_close_matches(name.lower(), {one.location for one in all_locations()}, 1)
        hint = f"did you mean {' or '.join(close)}? " if close else ""
        screen.tell(f"{name}: never heard of; a resource there is unverified")
        screen.tell(f"  next  {hint}`diga-verify locations` lists all; if it is new, update diga-verify")
    for one in found:
        screen.tell(*_folded(*_whole(one), indent=17))
    if not any(one.bound for one in found):
        raise typer.Exit(3)


def _folded(*lines: str, indent: int) -> Iterator[str]:
    """The lines as a terminal takes them, continued below their text; whole for a program, which looks for words."""
    width = shutil.get_terminal_size((10_000, 24)).columns
    for line in lines:
        yield from textwrap.wrap(
            line,
            max(width, indent + 20),
            subsequent_indent=" " * indent,
            replace_whitespace=False,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _named_so(place: str) -> list[str]:
    """The regions in a city or country of that name."""
    named = re.compile(rf"[a-z0-9-]+ \(([^()]+, )?{re.escape(place)}(, [^()]+)?\)", re.IGNORECASE)
    return [one.location for one in all_locations() if one.bound and named.fullmatch(one.bound.description)]


def _line(one: Explanation) -> str:
    meaning = one.bound.description if one.bound else f"unknown: {one.note}"
    return f"{one.location:24s} {','.join(one.types) or 'all types':34s} {meaning}"


def _whole(one: Explanation) -> list[str]:
    lines = [f"{one.location}  for {', '.join(one.types) or 'all types'}"]
    if one.bound is None:
        lines.append(f"  unknown, hence unverified: {one.note}")
    else:
        lines.append(f"  stands for     {one.bound.description}")
        lines.append(f"  regions        {', '.join(one.bound.regions) or 'not named'}")
        lines.append(f"  countries      {', '.join(one.bound.countries) or 'any'}")
        lines.append(f"  jurisdictions  {', '.join(one.jurisdictions) or 'none'}")
        lawful = "within" if one.bound.lawful else "outside"
        lines.append(f"  law            {lawful} what DiGAV section 4(3) allows")
        if one.note:
            lines.append(f"  note           {one.note}")
    if one.source:
        lines.append(f"  source         {one.source}")
    return lines
