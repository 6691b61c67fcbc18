"""Options that several commands share, each with its words, its environment variable and its check."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

import typer

from diga_verify.cli import completion
from diga_verify.cli.screen import Color
from diga_verify.errors import UsageError
from diga_verify.formats.registry import BY_EXTENSION, FORMATS
from diga_verify.judgement import Scope

DEFAULT_POLICY = Path("regions.toml")

PolicyFile = Annotated[
    Path, typer.Option("-p", "--policy", metavar="FILE", envvar="DIGA_VERIFY_POLICY", help="The policy.")
]
Format = Annotated[
    str,
    typer.Option(
        "-f",
        "--format",
        metavar="NAME",
        envvar="DIGA_VERIFY_FORMAT",
        help=f"What stdout gets: {', '.join(FORMATS)}.",
        autocompletion=completion.formats,
    ),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Also write a report; repeatable. The format follows the extension, or say FORMAT=FILE.",
    ),
]
Quiet = Annotated[bool, typer.Option("-q", "--quiet", help="Of the table, only the verdict.")]
NoTrial = Annotated[
    bool,
    typer.Option(
        "--no-trial",
        envvar="DIGA_VERIFY_NO_TRIAL",
        help="End with 3 instead of 0 where a stand-in was asked, or a part of the project looked at.",
    ),
]
ColorChoice = Annotated[
    Color, typer.Option("--color", envvar="DIGA_VERIFY_COLOR", help="When to colour; NO_COLOR is honoured.")
]
Types = Annotated[
    list[str] | None,
    typer.Option("-t", "--type", metavar="TYPE", help="Only these types; repeatable.", autocompletion=completion.types),
]
Resources = Annotated[
    list[str] | None,
    typer.Option(
        "-r",
        "--resource",
        metavar="TYPE/NAME",
        help="Only these resources; repeatable.",
        autocompletion=completion.resources,
    ),
]


def known(word: str, words: tuple[str, ...], what: str) -> str:
    """`word`, when it is one of `words`. Raises UsageError with a suggestion."""
    if word in words:
        return word
    close = get_close_matches(word, words, 1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    raise UsageError(f"there is no {what} {word!r}; {hint}there are: {', '.join(words)}")


def scope(all_types: tuple[str, ...], types: list[str] | None, resources: list[str] | None) -> Scope:
    """What `-t` and `-r` select. Raises UsageError."""
    if types and resources:
        raise UsageError("use -t or -r, not both: -r names the type already")
    if resources:
        wanted = frozenset(_resource(one, all_types) for one in resources)
        chosen = {type for type, _ in wanted}
        return Scope(tuple(type for type in all_types if type in chosen), wanted, whole=False)
    if types:
        chosen = {known(one, all_types, "type") for one in types}
        return Scope(tuple(type for type in all_types if type in chosen), whole=False)
    return Scope(all_types)


def destination(text: str) -> tuple[str, Path]:
    """Format and file of one `-o`. Raises UsageError."""
    word, equals, rest = text.partition("=")
    if equals and word in FORMATS:
        if not rest:
            raise UsageError(f"-o {text!r} names no file")
        return word, Path(rest)
    path = Path(text)
    if path.suffix not in BY_EXTENSION:
        raise UsageError(
            f"-o {text!r}: no format goes by the extension {path.suffix!r}; say FORMAT=FILE with one of "
            f"{', '.join(FORMATS)}"
        )
    return BY_EXTENSION[path.suffix], path


def _resource(text: str, all_types: tuple[str, ...]) -> tuple[str, str]:
    type, slash, name = text.partition("/")
    if not slash or not name:
        raise UsageError(f"-r {text!r} is not TYPE/NAME, for example gke/dta-cluster")
    return known(type, all_types, "type"), name
