"""What people type who are new to it, and what they are told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from diga_verify import __version__
from diga_verify.cli import main
from diga_verify.cli.main import run
from diga_verify.errors import Interrupted
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

pytestmark = pytest.mark.usefixtures("clean_folder")

EARLY = """
import os, runpy, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == "diga_verify.cli.main":
            os.kill(os.getpid(), signal.SIGINT)
signal.signal(signal.SIGINT, getattr(signal, sys.argv[1]))
sys.meta_path.insert(0, Finder())
sys.argv = ["diga-verify", "--version"]
runpy.run_module("diga_verify", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("frankfurt", "europe-west3"),
        ("Zurich", "europe-west6"),
        ("germany", "europe-west10 or europe-west3"),
        ("europe-wset3", "europe-west3"),
    ],
)
def test_a_region_is_found_by_its_city_or_country(typed: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["locations", typed]) == 3
    assert f"did you mean {meant}?" in capsys.readouterr().out


@pytest.mark.parametrize("typed", ["", ".*", "(", "Frank", "nowhere on earth"])
def test_what_is_no_place_is_not_taken_for_one(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["locations", typed]) == 3
    assert "did you mean" not in capsys.readouterr().out


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(shipped_world("compliant")) as other:
        port = other.url.rpartition(":")[2]
        assert run(["simulator", "demo", "--port", port]) == 2
    said = "cannot be had: Address already in use; --port 0 takes a free one\n"
    assert capsys.readouterr().err == f"diga-verify: port {port} {said}"


def test_a_world_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["simulator", "none.toml"]) == 2
    said = "none.toml: No such file or directory; name a world file, or one of: demo, compliant\n"
    assert capsys.readouterr().err == f"diga-verify: {said}"


def test_a_wrong_choice_is_told_in_plain_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["types", "--iam-role", "gat"]) == 2
    said = "Invalid value for '--iam-role': 'gat' is not one of 'gate', 'witness', 'deep', 'restore'."
    assert said in capsys.readouterr().err


def test_ctrl_c_before_the_run_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted(_: object) -> int:
        raise Interrupted(signal.SIGINT)

    monkeypatch.setattr(main, "_obey", interrupted)
    assert run(["production", "dtx-data"]) == 130
    assert capsys.readouterr().err == "diga-verify: interrupted\n"


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize(
    ("inherited", "code", "shown"),
    [("default_int_handler", -signal.SIGINT, ""), ("SIG_IGN", 0, f"diga-verify {__version__}\n")],
    ids=["in the foreground", "in the background of a script"],
)
def test_ctrl_c_while_the_program_loads_ends_it_without_a_traceback(inherited: str, code: int, shown: str) -> None:
    command = [sys.executable, "-c", EARLY, inherited]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, shown, "")


@pytest.mark.parametrize("words", [["types"], ["locations"], ["locations", "eur4"], ["locations", "eu"]])
def test_lists_are_folded_for_a_terminal_and_whole_for_a_program(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS")
    monkeypatch.setattr("shutil.get_terminal_size", os.terminal_size)  # what is taken where there is no terminal
    assert run(words) == 0
    whole = capsys.readouterr().out
    monkeypatch.setattr("shutil.get_terminal_size", lambda _: os.terminal_size((80, 24)))
    assert run(words) == 0
    folded = capsys.readouterr().out
    assert (
        max(len(line) for line in folded.splitlines() if "https://" not in line)
        <= 80
        < max(map(len, whole.splitlines()))
    )
    assert folded.split() == whole.split()
    assert [line for line in folded.splitlines() if line and not line.startswith(" ")] == [
        line[: line.rfind(" ", 0, 81)] if len(line) > 80 else line
        for line in whole.splitlines()
        if line and not line.startswith(" ")
    ]


def test_the_console_script_is_the_program() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    module, _, name = project["project"]["scripts"]["diga-verify"].partition(":")
    call = f"import sys; sys.argv = ['diga-verify', '-V']; from {module} import {name}; {name}()"
    said = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, check=True, timeout=60)
    assert said.stdout == f"diga-verify {__version__}\n"
