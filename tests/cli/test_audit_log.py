"""`--audit-log` through the command line: which runs are in the log, and what it does to exit codes and files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli.main import run
from diga_verify.errors import Interrupted
from diga_verify.policy import default_policy
from diga_verify.reading import Reading
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World, shipped_world

GATE = ("production", "dtx-data", "-q")
GCS = (*GATE, "-t", "gcs")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with the default policy, and nothing of the caller's settings."""
    path = tmp_path_factory.mktemp("audit")
    (path / "regions.toml").write_bytes(default_policy())
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DIGA_VERIFY_")]:
            patch.delenv(name)
        patch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path / "none.json"))
        patch.chdir(path)
        yield path


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, tuple[int, list[dict[str, Any]]]]:
    """Three runs that share a log: the exit code and the events of each."""
    log, found = folder / "audit.ndjson", {}
    with Simulator(shipped_world("compliant")) as good, Simulator(shipped_world("demo")) as bad:
        worlds = {
            "compliant": ["--api-root", good.url],
            "violation": ["--api-root", bad.url, "--baseline", "compliant.json"],
            "no credentials": [],
        }
        for name, options in worlds.items():
            before = log.read_text() if log.exists() else ""
            code = run([*GATE, *options, "--audit-log", "audit.ndjson", "-o", f"{name}.json"])
            assert log.read_text().startswith(before)
            added = log.read_text().removeprefix(before)
            found[name] = code, [json.loads(line) for line in added.splitlines()]
    return found


@pytest.fixture
def gcs(folder: Path) -> Iterator[Callable[..., int]]:
    """The gate over a bucket that is where it should be, or is not."""
    buckets = {"good": "EUROPE-WEST3", "bad": "US"}
    made = {
        name: Simulator(World.from_dict({"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": [bucket]}}))
        for name, bucket in ((name, {"name": name, "location": place}) for name, place in buckets.items())
    }
    with made["good"] as good, made["bad"] as bad:
        urls = {"good": good.url, "bad": bad.url}
        yield lambda world, *options: run([*GCS, "--api-root", urls[world], *options])


def actions(events: list[dict[str, Any]]) -> set[str]:
    return {event["event"]["action"] for event in events}


def test_a_compliant_run_is_one_event(runs: dict[str, Any]) -> None:
    code, events = runs["compliant"]
    assert (code, actions(events), len(events)) == (0, {"residency-run"}, 1)
    assert events[0]["event"]["outcome"] == "success"
    assert events[0]["diga_verify"]["run"]["simulated"] is True


def test_a_violating_run_has_its_findings_and_its_changes(runs: dict[str, Any]) -> None:
    code, events = runs["violation"]
    assert code == 1
    assert actions(events) == {"residency-run", "residency-violation", "residency-unread", "residency-change"}
    assert events[0]["diga_verify"]["run"]["events"] == len(events)
    assert {event["diga_verify"]["baseline"]["verdict"] for event in events if "baseline" in event["diga_verify"]} == {
        "compliant"
    }
    assert sum(event["event"]["kind"] == "alert" for event in events) > 9


def test_a_run_without_credentials_is_in_the_log(runs: dict[str, Any]) -> None:
    code, events = runs["no credentials"]
    assert code == 3
    assert events[0]["event"]["outcome"] == "unknown"
    assert {event["event"].get("reason") for event in events[1:]} == {"no_credentials"}
    assert events[0]["diga_verify"]["run"]["simulated"] is False


def test_the_digest_of_a_report_finds_its_events(runs: dict[str, Any], folder: Path) -> None:
    for name, (_, events) in runs.items():
        digest = hashlib.sha256((folder / f"{name}.json").read_bytes()).hexdigest()
        assert {event["diga_verify"]["run"]["id"] for event in events} == {digest}


def test_a_log_that_cannot_be_written_is_exit_4_and_a_violation_wins(
    gcs: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for world, code in ("good", 4), ("bad", 1):
        assert gcs(world, "--audit-log", "none/audit.ndjson") == code
        shown = capsys.readouterr()
        assert shown.err == (
            "diga-verify: the audit log could not be written to none/audit.ndjson: No such file or directory\n"
        )
        assert "exit" in shown.out


def test_a_run_whose_report_cannot_be_written_is_in_the_log(gcs: Callable[..., int], folder: Path) -> None:
    assert gcs("good", "--audit-log", "kept.ndjson", "-o", "none/report.json") == 4
    assert len((folder / "kept.ndjson").read_text().splitlines()) == 1


def test_an_interrupted_run_is_in_the_log(
    gcs: Callable[..., int], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise Interrupted(15)

    monkeypatch.setattr(Reading, "_read_all", interrupted)
    assert gcs("good", "--audit-log", "cut.ndjson") == 143
    first, *_ = (json.loads(line) for line in (folder / "cut.ndjson").read_text().splitlines())
    assert first["diga_verify"]["run"]["interrupted_by"] == 15


def test_the_variable_names_the_log(
    gcs: Callable[..., int], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGA_VERIFY_AUDIT_LOG", "named.ndjson")
    assert gcs("bad") == 1
    logged = (folder / "named.ndjson").read_text()
    assert len(logged.splitlines()) == 2
    # No command takes the log for an old report of its own.
    assert run(["demo", "-q", "-o", "json=named.ndjson"]) == 2
    assert "json=named.ndjson" not in (said := capsys.readouterr().err)
    assert said == "diga-verify: -o named.ndjson is the file of the audit log; a report needs a file of its own\n"
    assert (folder / "named.ndjson").read_text() == logged


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "json=usage.ndjson"],
        ["-o", "json=./usage.ndjson"],
        ["--evidence", "usage.ndjson"],
        ["--attest", "usage.ndjson"],
        ["-o", "json=usage.ndjson", "--no-such-option"],
        ["-f", "no-such-format"],
        ["--baseline", "none.json"],
    ],
    ids=" ".join,
)
def test_a_usage_error_neither_writes_the_log_nor_removes_it(
    gcs: Callable[..., int], folder: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "usage.ndjson").write_text("old\n")
    assert gcs("good", "--audit-log", "usage.ndjson", *options) == 2
    assert (folder / "usage.ndjson").read_text() == "old\n"
    assert capsys.readouterr().err.startswith(("diga-verify: ", "Usage: "))


def test_the_policy_is_no_audit_log(gcs: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (folder / "regions.toml").read_bytes()
    assert gcs("good", "--audit-log", "regions.toml") == 2
    assert "--audit-log regions.toml is the file of the policy" in capsys.readouterr().err
    assert (folder / "regions.toml").read_bytes() == before
