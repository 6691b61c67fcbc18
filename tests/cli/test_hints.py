"""What a wrong command line is answered with: what is wrong, and the next step."""

from __future__ import annotations

from functools import partial

import pytest

from diga_verify.cli.main import run
from diga_verify.gateway.patience import Patience

pytestmark = pytest.mark.usefixtures("folder")


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("polcy check", "did you mean the command 'diga-verify policy'?"),
        ("locatoins EU", "did you mean the command 'diga-verify locations'?"),
        ("rendr", "did you mean the command 'diga-verify render'?"),
        ("prodution dtx-data", "did you mean 'production'?"),
        ("production", "Try 'diga-verify verify --help'."),
        ("production dtx-data --polcy x", "(Possible options: --policy)"),
        ("production dtx-data -p", "Try 'diga-verify verify --help'."),
        ("production dtx-data -p none.toml", "'diga-verify policy init' writes one, and -p FILE names another"),
        ("production DTX_DATA", "such as dtx-data; `gcloud projects list` shows yours"),
        ("production dtx-data -t sqk", "did you mean 'sql'?"),
        ("production dtx-data -r sqk/dta", "did you mean 'sql'?"),
        ("production dtx-data -r dta", "for example gke/dta-cluster"),
        ("production dtx-data -f tabel", "did you mean 'table'?"),
        ("production dtx-data -o r.jsn", "say FORMAT=FILE with one of table, json"),
        ("production dtx-data --baseline regions.toml", "`diga-verify ENVIRONMENT PROJECT -o report.json` writes"),
        ("production dtx-data --api-root 127.0.0.1:8080", "is not a URL such as http://127.0.0.1:8080"),
        ("simulator none.toml", "name a world file, or one of: demo, compliant"),
        ("policy explain sqk backup eu", "did you mean 'sql'?"),
    ],
)
def test_a_wrong_command_line_is_told_the_next_step(words: str, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words.split()) == 2
    assert step in capsys.readouterr().err


@pytest.mark.parametrize("words", ["production", "staging x --no", "production dtx-data -t sqk"])
def test_an_environment_is_no_misspelt_verb(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words.split()) == 2
    assert "did you mean the command" not in capsys.readouterr().err


def test_a_verb_is_no_misspelt_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render"]) == 2
    assert "did you mean the command" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("locations europe-wset3", "did you mean europe-west3? `diga-verify locations` lists all"),
        ("locations mars", "next  `diga-verify locations` lists all"),
        ("policy explain sql backup mars", "Next: `diga-verify locations NAME`"),
    ],
)
def test_a_location_that_nobody_knows(words: str, step: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(words.split()) == 3
    assert step in capsys.readouterr().out


def test_a_stand_in_that_does_not_answer_and_a_folder_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("diga_verify.cli.gate.Patience", partial(Patience, attempts=1))
    words = ["production", "dtx-data", "-t", "kms", "--api-root", "http://127.0.0.1:1", "-o", "none/r.json"]
    assert run(words) == 4
    said = capsys.readouterr().err
    assert "nobody answers at http://127.0.0.1:1; for the simulator to do so:" in said
    assert "diga-verify simulator demo --port 1\n" in said
    assert said.startswith("warning: -o none/r.json: there is no folder none; make it before the run is over")
