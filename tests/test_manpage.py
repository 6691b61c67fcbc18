"""The manual page says what the parser and the docs say, and is one to man, groff and mandoc."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from tools import manpage

from diga_verify.cli.verbs import VERBS, command
from diga_verify.gateway.endpoints import NETWORK_VARIABLES

ROOT = Path(__file__).parents[1]
SOURCE = manpage.PAGE.read_text("ascii")


def needs(program: str) -> str:
    found = shutil.which(program)
    return found or pytest.skip(f"{program} is not installed")


def test_it_is_up_to_date() -> None:
    assert manpage.page() == SOURCE, "type: python -m tools.manpage"


def test_it_has_every_section() -> None:
    assert re.findall(r"^\.SH (.+)$", SOURCE, re.MULTILINE) == [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "COMMANDS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "SEE ALSO",
    ]


def test_it_has_every_command_option_and_variable() -> None:
    shown = SOURCE.replace(r"\-", "-")
    root = command(*VERBS, listed=True)
    commands = [one for verb in root.commands.values() for one in getattr(verb, "commands", {"": verb}).values()]
    assert len(re.findall(r"^\.SS ", shown, re.MULTILINE)) == len(commands) == 14
    for param in [param for one in commands for param in one.params if param.param_type_name == "option"]:
        assert all(rf"\fB{name}\fR" in shown for name in param.opts)
        assert not param.envvar or rf"\fB{param.envvar}\fR" in shown
    named = {
        name for path in (ROOT / "src").rglob("*.py") for name in re.findall(r'"(DIGA_VERIFY_\w+)"', path.read_text())
    }
    assert {name for name in (*named, *NETWORK_VARIABLES) if name not in shown} == set()


@pytest.mark.parametrize(
    ("text", "made"),
    [
        (".TH x", r"\&.TH x"),
        ("'so x", r"\(aqso x"),
        (r"a\fBb", r"a\efBb"),
        ("--strict", r"\-\-strict"),
        ('^ ~ ` "', r"\(ha \(ti \(ga \(dq"),
        ("§", r"\[u00A7]"),
    ],
)
def test_no_text_is_an_order_to_troff(text: str, made: str) -> None:
    assert manpage._text(text) == made


def test_no_folded_line_begins_with_an_order() -> None:
    assert [line[:2] for line in manpage._folded("x" * 67 + " .so /etc/passwd").split("\n")] == ["xx", r"\&"]


def test_groff_has_nothing_to_say() -> None:
    done = subprocess.run([needs("groff"), "-man", "-ww", "-z", str(manpage.PAGE)], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_mandoc_finds_nothing() -> None:
    lint = [needs("mandoc"), "-T", "lint", "-W", "warning", str(manpage.PAGE)]
    done = subprocess.run(lint, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_man_shows_it_in_eighty_columns() -> None:
    man = [needs("man"), "-l", str(manpage.PAGE)]
    shown = subprocess.run(
        man,
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
    ).stdout
    assert "NAME\n       diga-verify - prove that every copy of a project's data" in shown
    assert "diga-verify production dtx-data -r sql/dta-postgres --watch" in shown
    assert "       -p, --policy FILE\n              The policy. Default: regions.toml." in shown


def test_the_wheel_brings_it_along_with_the_completion() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert all((ROOT / source).is_file() for source in wheel["shared-data"])
    assert set(wheel["shared-data"].values()) == {
        "share/man/man1/diga-verify.1",
        "share/bash-completion/completions/diga-verify",
        "share/zsh/site-functions/_diga-verify",
        "share/fish/vendor_completions.d/diga-verify.fish",
    }
