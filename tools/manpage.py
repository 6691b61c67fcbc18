"""Write man/diga-verify.1 from the parser's own help and the tables of the docs, or with --check compare it.

The language of the page is groff_man(7); every text goes through `_text`, so that none is taken for an order.
"""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from diga_verify import __version__
from diga_verify.cli.verbs import VERBS, command
from diga_verify.locations.algebra import table_date

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "man" / "diga-verify.1"
NAME = "diga-verify"
_GATE = "verify"
_SEE = "The pages in docs: on-call.md for the hurried; respond.md and unverified.md for what to do about findings."


def page() -> str:
    """The whole page."""
    root = command(*VERBS, listed=True)
    lines = [
        r".\" Made by tools/manpage.py of the parser's help and the tables of the docs.",
        f'.TH {NAME.upper()} 1 "{table_date()}" "{NAME} {__version__}" "User Commands"',
        ".nh",
        ".ad l",
        ".SH NAME",
        f"{_text(NAME)} \\-",
        _folded(_sentences(root.help)[0].rstrip(".").replace("Prove", "prove", 1)),
        ".SH SYNOPSIS",
        *_synopsis(root),
        ".SH DESCRIPTION",
        *_description(),
        ".SH COMMANDS",
        *(line for path, one in _commands(root) for line in _command(path, one)),
        ".SH EXIT STATUS",
        *_listed(_rows("exit-codes.md", "| code |")),
        ".SH ENVIRONMENT",
        *_listed([*_variables(root), *_rows("shell.md", "| variable |")]),
        ".SH FILES",
        *_listed(_rows("shell.md", "| file |")),
        ".SH EXAMPLES",
        *_examples(),
        ".SH SEE ALSO",
        ".BR gcloud (1)",
        ".PP",
        _folded(_SEE),
    ]
    return "\n".join(lines) + "\n"


def _commands(root: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with the words that lead to it; the gate first."""
    for name, one in root.commands.items():
        for below, two in getattr(one, "commands", {"": one}).items():
            yield f"{name} {below}".strip(), two


def _synopsis(root: Any) -> Iterator[str]:
    for number, (path, one) in enumerate(_commands(root)):
        if number:
            yield ".br"
        words = [_bold(NAME), *([] if path == _GATE else map(_bold, path.split()))]
        words += [_italic(_called(param)) for param in _arguments(one)]
        options = "[" + _italic("OPTION") + "]..."
        yield " ".join([*words, options])


def _description() -> Iterator[str]:
    for number, paragraph in enumerate(_paragraphs("README.md")):
        if number:
            yield ".PP"
        yield _folded(paragraph)


def _paragraphs(page: str) -> list[str]:
    """The paragraphs below the title of a page, as far as its first heading or block."""
    body = (ROOT / page).read_text("utf-8").partition("\n\n")[2]
    text = re.split(r"^(?:#|```|    |\|)", body, maxsplit=1, flags=re.MULTILINE)[0]
    return [_plain(" ".join(part.split())) for part in text.strip().split("\n\n")]


def _command(path: str, one: Any) -> Iterator[str]:
    words = " ".join([*([] if path == _GATE else [path]), *(_called(param) for param in _arguments(one))])
    yield f'.SS "{_text(f"{NAME} {words}")}"'
    yield _folded(one.help)
    for param in (*_arguments(one), *_options(one)):
        yield ".TP"
        yield _head(param)
        yield _folded(" ".join([param.help or "As of the gate.", *_more(param)]))


def _arguments(one: Any) -> list[Any]:
    return [param for param in one.params if param.param_type_name == "argument"]


def _options(one: Any) -> list[Any]:
    return [param for param in one.params if param.param_type_name == "option" and not param.hidden]


def _called(param: Any) -> str:
    """An argument as the usage line has it."""
    name = str(param.metavar or param.name).strip("[]").upper()
    return name if param.required else f"[{name}]"


def _head(param: Any) -> str:
    if param.param_type_name == "argument":
        return _italic(_called(param))
    names = ", ".join(map(_bold, sorted(param.opts, key=len)))
    return names if param.is_flag else f"{names} {_italic(_value(param))}"


def _value(param: Any) -> str:
    """What an option wants: its word for it, its choices, or else a number."""
    choices = "|".join(str(getattr(choice, "value", choice)) for choice in param.type_descriptor.choices or ())
    return param.metavar or choices or "NUMBER"


def _more(param: Any) -> Iterator[str]:
    """What the parser's help says in brackets: the default, the variable."""
    default = param.show_default if isinstance(getattr(param, "show_default", None), str) else param.default
    if not getattr(param, "is_flag", False) and default not in (None, (), "") and not param.required:
        yield f"Default: {f'{default:g}' if isinstance(default, float) else getattr(default, 'value', default)}."
    if getattr(param, "multiple", False) and "repeat" not in param.help:
        yield "May be repeated."
    if param.envvar:
        yield f"Variable: {param.envvar}."


def _variables(root: Any) -> list[tuple[str, str]]:
    """The variables that stand for an option, each with it."""
    found: dict[str, str] = {}
    for _, one in _commands(root):
        for param in one.params:
            if param.envvar:
                name = (
                    max(param.opts, key=len) if param.param_type_name == "option" else f"the argument {param.metavar}"
                )
                found.setdefault(str(param.envvar), f"for {name}, where that is not given")
    return sorted(found.items())


def _rows(page: str, head: str) -> list[tuple[str, str]]:
    """The first two columns of the table whose first line begins so."""
    lines = (ROOT / "docs" / page).read_text("utf-8").splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head)) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        cells = [_plain(cell.strip()) for cell in line.strip("|").split("|")]
        rows.append((cells[0], cells[1]))
    return rows


def _listed(rows: list[tuple[str, str]]) -> Iterator[str]:
    for name, text in rows:
        yield from (".TP", _bold(name), _folded(f"{text[:1].upper()}{text[1:]}."))


def _examples() -> Iterator[str]:
    for number, (about, *calls) in enumerate(one for verb in VERBS.values() for one in verb.examples):
        yield from ([".PP"] if number else [])
        yield from (_text(about), ".PP", ".RS 4", ".nf", *map(_text, calls), ".fi", ".RE")


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in " ".join(text.split()).replace(". ", ".\n").split("\n") if part.strip()]


def _plain(markdown: str) -> str:
    """A piece of Markdown without its marks."""
    return re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", markdown).replace("`", "").replace("**", "")


def _bold(text: str) -> str:
    return rf"\fB{_text(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_text(text)}\fR"


def _folded(text: str) -> str:
    """A paragraph, in lines that people can compare."""
    lines = textwrap.wrap(" ".join(text.split()), 68, break_long_words=False, break_on_hyphens=False)
    return "\n".join(map(_text, lines))


def _text(text: str) -> str:
    """Text of which troff makes just that: no escapes, no requests, hyphens that can be copied."""
    safe = (
        text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace('"', r"\(dq").replace("^", r"\(ha")
    )
    safe = safe.replace("`", r"\(ga").replace("~", r"\(ti")
    safe = "".join(one if one.isascii() else rf"\[u{ord(one):04X}]" for one in safe)
    return rf"\&{safe}" if safe.startswith(".") else safe


def main() -> int:
    """0 if the page is as it should be, or is now."""
    made = page()
    if "--check" in sys.argv:
        return int(not PAGE.is_file() or PAGE.read_text("ascii") != made)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(made, "ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
