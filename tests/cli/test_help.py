"""What `--help` shows: whole names, nothing wider than the terminal, and examples that are commands."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest

from diga_verify.cli.main import run
from diga_verify.cli.verbs import VERBS, command


def commands() -> Iterator[tuple[list[str], Any]]:
    """Every command by the words that lead to it, the root and the groups too."""
    root = command(*VERBS)
    yield [], root
    for name, verb in root.commands.items():
        yield [name], verb
        for below, one in getattr(verb, "commands", {}).items():
            yield [name, below], one


COMMANDS = [pytest.param(words, one, id=" ".join(words) or "root") for words, one in commands()]
EXAMPLES = [
    " ".join(line.removesuffix("\\").strip() for line in lines).replace(" diga-verify ", "\ndiga-verify ").splitlines()
    for verb in VERBS.values()
    for _, *lines in verb.examples
]


@pytest.mark.usefixtures("clean_folder")
@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize(("words", "one"), COMMANDS)
def test_every_name_is_shown_whole(
    words: list[str], one: Any, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    assert run([*words, "--help"]) == 0
    shown, err = capsys.readouterr()
    assert err == ""
    assert "…" not in shown
    assert "...\n" not in shown.partition("\n")[2]
    assert max(map(len, shown.splitlines())) <= columns
    for param in one.params:
        names = [param.metavar] if param.param_type_name == "argument" else param.opts
        assert [name for name in (*names, *([param.envvar] if param.envvar else ())) if name not in shown] == []
        assert param.name == "help" or param.help or param.name == "environment"
    assert [name for name in getattr(one, "commands", {}) if f"\n  {name} " not in shown] == []


@pytest.mark.usefixtures("clean_folder")
@pytest.mark.parametrize("variable", ["FORCE_COLOR", "CI", "GITHUB_ACTIONS"])
def test_help_has_no_colour_whatever_is_set(
    variable: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "true")
    assert run(["verify", "--help"]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.usefixtures("clean_folder")
def test_the_usage_line_is_that_of_the_gate(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: diga-verify [OPTIONS] ENVIRONMENT PROJECT | COMMAND ...\n")


def test_every_verb_has_an_example() -> None:
    assert [name for name, verb in VERBS.items() if not verb.examples] == []


@pytest.mark.parametrize("line", [line for lines in EXAMPLES for line in lines])
def test_an_example_is_a_command_that_the_parser_takes(line: str) -> None:
    program, *words = shlex.split(line)
    assert program == "diga-verify"
    parser: Any = command(*VERBS)
    words = words if words[0] in VERBS else ["verify", *words]
    while nested := getattr(parser, "commands", None):
        parser = nested[words.pop(0)]
    with parser.make_context("", words) as context:  # raises where it does not
        assert not [one for one in context.args if re.match("-", one)]


@pytest.mark.usefixtures("clean_folder")
@pytest.mark.parametrize("name", VERBS)
def test_the_examples_stand_below_the_options(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([name, "--help"]) == 0
    shown = capsys.readouterr().out.partition("Options:")[2]
    for about, *lines in VERBS[name].examples:
        assert "\n".join([f"\n  {about}", *(f"    {line}" for line in lines)]) in shown
