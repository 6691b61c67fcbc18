"""A run that stands before a deployment: what was only tried never passes, wherever the wish to try came from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diga_verify.cli.main import run
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world
from diga_verify.verify import verify

STAND_IN = "diga-verify: a trial does not pass: a stand-in for Google Cloud was asked; exit 3"
PART = "diga-verify: a trial does not pass: only a part of the project was looked at; exit 3"


@pytest.fixture(scope="module")
def compliant() -> Iterator[str]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator.url


@pytest.fixture(autouse=True)
def folder(clean_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (clean_folder / "regions.toml").write_bytes(default_policy())
    monkeypatch.setenv("DIGA_VERIFY_NO_TRIAL", "true")
    return clean_folder


def gate(root: str, *words: str) -> int:
    return run(["verify", "production", "dtx-data", "--api-root", root, *words])


def test_a_simulated_run_ends_with_3_and_the_last_line_says_why(
    compliant: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(compliant, "-o", "report.json", "--metrics-file", "run.prom") == 3
    assert capsys.readouterr().err.splitlines()[-1] == STAND_IN
    assert json.loads((folder / "report.json").read_text("utf-8"))["verdict"] == "compliant"
    assert 'diga_verify_exit_code{environment="production",project="dtx-data",simulated="true"} 3.0' in (
        folder / "run.prom"
    ).read_text("utf-8")


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stand-in is taken for Google."""
    monkeypatch.setattr("diga_verify.cli.gate.verify", lambda *words: replace(verify(*words), simulated=False))


@pytest.mark.usefixtures("google")
@pytest.mark.parametrize("selection", [("-t", "gcs"), ("-r", "gke/dta-cluster")])
def test_a_part_ends_with_3(selection: tuple[str, str], compliant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(compliant, *selection) == 3
    assert capsys.readouterr().err.splitlines()[-1] == PART


@pytest.mark.usefixtures("google")
def test_the_whole_passes_when_google_was_asked(compliant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(compliant) == 0
    assert capsys.readouterr().err == ""


def test_what_stops_anyway_stops_as_ever(compliant: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with Simulator(shipped_world("demo")) as simulator:
        assert gate(simulator.url) == 1
    (folder / "there").mkdir()
    assert gate(compliant, "-o", "there/no/report.json") == 4
    assert gate(compliant, "-o", "report.nothing") == 2
    assert "a trial" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--world", "compliant"], 3),
        (["--world", "compliant", "--explain-exit"], 3),
        (["--world", "demo"], 1),
        (["--world", "demo", "--explain-exit"], 1),
    ],
)
def test_the_demo_never_passes(words: list[str], code: int) -> None:
    assert run(["demo", *words]) == code


def test_without_the_wish_a_trial_passes_and_the_flag_is_as_good_as_the_variable(
    compliant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGA_VERIFY_NO_TRIAL")
    assert [gate(compliant), run(["demo", "--world", "compliant", "-q"])] == [0, 0]
    assert [gate(compliant, "--no-trial"), run(["demo", "--world", "compliant", "--no-trial"])] == [3, 3]


@pytest.mark.parametrize("value", ["1", "TRUE", "yes", "on"])
def test_what_counts_as_yes(value: str, compliant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGA_VERIFY_NO_TRIAL", value)
    assert gate(compliant) == 3


@pytest.mark.parametrize("value", ["ja", "true false", "$(true)", "tru\ne"])
def test_what_is_neither_yes_nor_no_is_no_way_out(value: str, compliant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGA_VERIFY_NO_TRIAL", value)
    assert gate(compliant) == 2
