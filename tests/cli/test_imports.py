"""Nobody waits for what is not needed: what each command imports of the libraries that take long to import."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from diga_verify.cli import main
from diga_verify.cli.verbs import VERBS, command

SLOW = {
    "google": "google",
    "googleapiclient": "googleapiclient",
    "container": "google.cloud.container_v1",
    "redis": "google.cloud.redis_v1",
    "bigquery": "google.cloud.bigquery",
    "firestore": "google.cloud.firestore_admin_v1",
    "requests": "requests",
    "pydantic": "pydantic",
    "prometheus": "prometheus_client",
    "policy": "diga_verify.policy",
}
PROBE = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from diga_verify.cli.main import run
slow, commands = json.loads(sys.argv[1]), json.loads(sys.argv[2])
for words in commands:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        code = run(words)
    print(json.dumps([code, [name for name, module in slow.items() if module in sys.modules]]))
"""


def imported_by(*commands: list[str]) -> list[tuple[int, set[str]]]:
    """Exit code of each command, one after the other in one fresh process, and what is imported after it."""
    told = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(SLOW), json.dumps(commands)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [(code, set(names)) for code, names in map(json.loads, told.stdout.splitlines())]


def test_help_and_version_import_none_of_it() -> None:
    assert imported_by(["--version"], ["--help"], ["-h"]) == [(0, set()), (0, set()), (0, set())]


def test_what_asks_nobody_imports_no_library_of_google(tmp_path: Path) -> None:
    policy = tmp_path / "regions.toml"
    found = imported_by(
        ["locations", "EUR4"],
        ["types", "--permissions"],
        ["policy", "init", str(policy)],
        ["policy", "check", str(policy)],
        ["policy", "explain", "gcs", "primary", "EUR8", "--environment", "production", "-p", str(policy)],
    )
    assert [code for code, _ in found] == [0, 0, 0, 0, 1]
    assert [names & {"google", "googleapiclient", "prometheus"} for _, names in found] == [set()] * 5


@pytest.mark.parametrize(
    ("types", "libraries"),
    [
        (["gcs", "kms"], {"googleapiclient"}),
        (["redis"], {"redis"}),
    ],
)
def test_a_run_imports_the_libraries_of_its_types_only(types: list[str], libraries: set[str]) -> None:
    chosen = [word for type in types for word in ("-t", type)]
    [(code, names)] = imported_by(["production", "dtx-data", *chosen, "--api-root", "http://127.0.0.1:9"])
    assert code == 3  # nobody listens there, and the clients were made all the same
    clients = {"googleapiclient", "container", "redis", "bigquery", "firestore"}
    assert names & clients - {"googleapiclient"} == libraries - {"googleapiclient"}
    assert libraries <= names
    assert "prometheus" not in names


def test_the_list_of_verbs_says_what_each_says_of_itself() -> None:
    full = command(*VERBS).commands
    assert {
        name: verb.summary for name, verb in VERBS.items() if not (full[name].help or "").startswith(verb.summary)
    } == {}


def test_the_list_of_verbs_is_the_same_loaded_or_not(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--help"]) == 0
    listed = capsys.readouterr().out
    assert command(*VERBS)(args=["--help"], prog_name="diga-verify", standalone_mode=False) == 0
    assert capsys.readouterr().out == listed
