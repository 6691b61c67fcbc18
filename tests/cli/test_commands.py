"""The other verbs: demo, simulator, policy, types, locations."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from diga_verify.cli.main import run
from diga_verify.model import TYPES


@pytest.fixture(autouse=True)
def folder(clean_folder: Path) -> Path:
    """An empty folder, and nothing of the caller's settings."""
    return clean_folder


def test_demo_shows_violations_needs_no_policy_and_no_cloud(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo"]) == 1
    assert "Deployment stopped" in capsys.readouterr().out


def test_demo_of_the_compliant_world_passes() -> None:
    assert run(["demo", "--world", "compliant", "-q"]) == 0


def test_demo_explains_its_exit_code_and_ends_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "-q", "--explain-exit"]) == 0
    assert "The gate ended with 1: a pipeline stops" in capsys.readouterr().err


def test_demo_writes_a_report(folder: Path) -> None:
    assert run(["demo", "-q", "-o", "report.json"]) == 1
    assert json.loads((folder / "report.json").read_text())["project"]["id"] == "dtx-data"


def test_demo_of_an_unknown_world(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "--world", "compliantt"]) == 2
    assert "did you mean 'compliant'?" in capsys.readouterr().err


def test_policy_init_then_check_then_the_gate(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "init"]) == 0
    assert sorted(path.name for path in folder.iterdir()) == ["regions.schema.json", "regions.toml"]
    assert run(["policy", "check"]) == 0
    assert "regions.toml is valid: environments" in capsys.readouterr().out
    assert run(["policy", "init"]) == 2
    assert run(["policy", "init", "--force"]) == 0


def test_policy_check_shows_every_problem_with_its_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["policy", "init"])
    text = (folder / "regions.toml").read_text()
    broken = text.replace('"europe-west3"', '"europe-wset3"').replace("enforcement", "enforcment")
    (folder / "regions.toml").write_text(broken)
    assert run(["policy", "check"]) == 2
    said = capsys.readouterr().err
    assert "europe-west3" in said
    assert said.count("'enforcment'") == text.count("\nenforcement")
    lines = [line.split(":")[1] for line in said.splitlines() if line.startswith("regions.toml:")]
    assert all(line.isdigit() for line in lines)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["sql", "primary", "europe-west3"], 0),
        (["sql", "backup", "eu"], 0),
        (["gcs", "primary", "EU"], 1),
        (["gcs", "primary", "EUR8"], 1),
        (["kms", "primary", "global"], 1),
        (["gke", "node", "europe-west15-a"], 3),
    ],
)
def test_policy_explain_answers_with_its_exit_code(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["policy", "init"])
    assert run(["policy", "explain", *words]) == code
    assert "regions.toml" in capsys.readouterr().out


def test_policy_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["policy", "schema"]) == 0
    assert "environments" in json.loads(capsys.readouterr().out)["properties"]


def test_types_names_every_type_and_permission(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["types"]) == 0
    shown = capsys.readouterr().out
    assert run(["types", "--permissions"]) == 0
    permissions = capsys.readouterr().out.split()
    assert all(f"\n{type}  " in f"\n{shown}" for type in TYPES)
    assert all(permission in shown for permission in permissions)
    assert "storage.buckets.list" in permissions


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("europe-west3-a", 0, "Frankfurt"),
        ("europe-west2", 0, "GB"),
        ("EUR8", 0, "Zurich"),
        ("eur3", 0, "europe-west4"),
        ("europe-west15", 3, "unverified"),
        ("mars-north1", 3, "never heard of"),
    ],
)
def test_locations_explains(name: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["locations", name]) == code
    assert said in capsys.readouterr().out


def test_locations_lists_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["locations"]) == 0
    shown = capsys.readouterr().out
    assert "europe-west3" in shown
    assert "table of 20" in shown


def test_simulator_serves_until_it_is_interrupted(folder: Path) -> None:
    arguments = [sys.executable, "-m", "diga_verify", "simulator", "compliant"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        run(["policy", "init"])
        assert run(["production", "dtx-data", "--api-root", url, "-t", "gke", "-q"]) == 0
        process.send_signal(signal.SIGINT)
        process.wait(timeout=120)
    assert process.returncode == 0


def test_simulator_refuses_a_world_with_a_misspelt_key(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "world.toml").write_text('[project]\nid = "p"\nnumber = "1"\n[gke]\nclustres = []\n')
    assert run(["simulator", "world.toml"]) == 2
    assert "clustres" in capsys.readouterr().err


def test_a_bare_call_shows_the_help_and_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """A pipeline in which the arguments got lost must not go on."""
    assert run([]) == 2
    assert "diga-verify [OPTIONS] ENVIRONMENT PROJECT" in capsys.readouterr().out
    assert run(["policy"]) == 2
    assert "init" in capsys.readouterr().out
    assert run(["--help"]) == 0
