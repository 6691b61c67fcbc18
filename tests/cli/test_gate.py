"""The gate through its front door: arguments in; exit code, stdout, stderr and files out."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diga_verify.cli.main import run
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World, shipped_world

PROJECT = "dtx-data"


@pytest.fixture(scope="module")
def compliant() -> Iterator[str]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator.url


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with Simulator(shipped_world("demo")) as simulator:
        yield simulator.url


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the default policy, and nothing of the caller's settings."""
    for name in [name for name in os.environ if name.startswith("DIGA_VERIFY_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    return tmp_path


def report_of(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_text())
    schema = json.loads((resources.files("diga_verify.formats") / "report.schema.json").read_text())
    jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
    return report


def test_a_compliant_project_passes(compliant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", PROJECT, "--api-root", compliant]) == 0
    shown = capsys.readouterr()
    assert "All data of dtx-data lies where the policy requires.  exit 0" in shown.out
    assert "SIMULATED" in shown.out
    assert shown.err == ""


def test_a_violation_stops_and_is_named_in_table_and_json(
    demo: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["production", PROJECT, "--api-root", demo, "-o", "report.json"]) == 1
    table = capsys.readouterr().out
    report = report_of(folder / "report.json")
    assert (report["verdict"], report["exit_code"], report["complete"], report["simulated"]) == (
        "violation",
        1,
        False,
        True,
    )
    wrong = {
        (resource["type"], resource["name"], place["role"], place["location"])
        for resource in report["resources"]
        for place in resource["placements"]
        if place["verdict"] == "violation"
    }
    assert wrong == {
        ("gke", "dta-cluster", "node", "europe-west1-b"),
        ("sql", "dta-postgres", "backup", "us"),
        ("sql", "dta-postgres-replica-2", "replica", "us-central1"),
        ("sql", "dta-postgres-replica-2", "node", "us-central1-c"),
        ("bigquery", "de_reporting", "key", "europe-west1"),
        ("firestore", "consents", "primary", "nam5"),
        ("firestore", "7f1c0b52-consents", "backup", "nam5"),
        ("gcs", "dtx-exports", "primary", "US"),
        ("gcs", "dtx-video", "primary", "EUR8"),
        ("kms", "legacy", "primary", "global"),
        ("kms", "legacy/old-key", "primary", "global"),
    }
    for _, name, _, location in wrong:
        assert name in table
        assert location in table
    assert {(one["type"], one["reason"]) for one in report["unread"]} == {("redis", "partial_answer")}
    assert "nodePools[1].locations[2]" in table


def test_the_table_fits_eighty_columns_without_colour(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["production", PROJECT, "--api-root", demo])
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in "".join(lines)


def test_colour_on_demand(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(["production", PROJECT, "--api-root", demo, "--color", "always"])
    assert "\x1b[1;31mVIOLATION" in capsys.readouterr().out


def test_two_runs_differ_only_in_times(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for _ in range(2):
        run(["production", PROJECT, "--api-root", demo, "-f", "json"])
        report = json.loads(capsys.readouterr().out)
        for place in (report, *report["calls"]):
            for key in ("started_at", "finished_at", "duration_ms"):
                place.pop(key, None)
        found.append(json.dumps(report))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "name", ["gke/dta-cluster", "sql/dta-postgres", "redis/dta-redis", "bigquery/de", "firestore/(default)"]
)
def test_the_five_checks_of_the_specification_by_name(
    name: str, compliant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["production", PROJECT, "--api-root", compliant, "-r", name]) == 0
    assert f"SELECTED: only {name}" in capsys.readouterr().out


def test_a_name_that_does_not_exist_is_no_pass(compliant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", PROJECT, "--api-root", compliant, "-r", "gke/dta-clutser"]) == 1
    assert "did you mean dta-cluster?" in " ".join(capsys.readouterr().out.split())


def test_a_replica_belongs_to_the_instance_asked_for(demo: str, folder: Path) -> None:
    assert run(["production", PROJECT, "--api-root", demo, "-r", "sql/dta-postgres", "-o", "r.json"]) == 1
    report = report_of(folder / "r.json")
    names = [resource["name"] for resource in report["resources"]]
    assert names == ["dta-postgres", "dta-postgres-replica-1", "dta-postgres-replica-2"]
    assert (report["scope"], report["selection"]) == ("selected", ["sql/dta-postgres"])


def test_only_some_types(demo: str, folder: Path) -> None:
    assert run(["production", PROJECT, "--api-root", demo, "-t", "gcs", "-t", "kms", "-o", "r.json"]) == 1
    report = report_of(folder / "r.json")
    assert {resource["type"] for resource in report["resources"]} == {"gcs", "kms"}
    assert {call["service"] for call in report["calls"]} == {
        "cloudasset.googleapis.com",
        "cloudkms.googleapis.com",
        "cloudresourcemanager.googleapis.com",
        "serviceusage.googleapis.com",
        "storage.googleapis.com",
    }


def test_staging_warns_and_strict_stops(demo: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["staging", PROJECT, "--api-root", demo]) == 0
    assert "Shown, not enforced" in capsys.readouterr().out
    assert run(["staging", PROJECT, "--api-root", demo, "--strict"]) == 1


def test_development_is_free_save_for_personal_data(folder: Path) -> None:
    bucket = {"name": "dev-1", "location": "US"}
    marked = {"name": "dev-2", "location": "US", "labels": {"data": "health"}}
    for buckets, expected in ([bucket], 0), ([bucket, marked], 1):
        world = World.from_dict({"project": {"id": "dev-project", "number": "1"}, "gcs": {"buckets": buckets}})
        with Simulator(world) as simulator:
            assert run(["development", "dev-project", "--api-root", simulator.url, "-t", "gcs", "-q"]) == expected


def test_labels_of_personal_data_count_in_a_recommended_environment_too(folder: Path) -> None:
    label = 'required_for_labels = [{ key = "data", values = ["health"] }]'
    text = default_policy().decode().replace("[environments.staging]\n", f"[environments.staging]\n{label}\n")
    (folder / "regions.toml").write_text(text)
    plain = {"name": "plain", "location": "US"}
    marked = {"name": "marked", "location": "US", "labels": {"data": "health"}}
    for buckets, expected in ([plain], 0), ([plain, marked], 1):
        world = World.from_dict({"project": {"id": "staging-project", "number": "1"}, "gcs": {"buckets": buckets}})
        with Simulator(world) as simulator:
            assert run(["staging", "staging-project", "--api-root", simulator.url, "-t", "gcs", "-q"]) == expected


def test_verbose_names_the_calls_on_stderr(compliant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", PROJECT, "--api-root", compliant, "-t", "gke", "-v"]) == 0
    assert "container.projects.locations.clusters.list" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["produktion", PROJECT], "production"),
        (["production"], "PROJECT"),
        (["production", "../etc"], "not a project's id or number"),
        (["production", PROJECT, "-t", "gkee"], "did you mean 'gke'?"),
        (["production", PROJECT, "-r", "gke"], "TYPE/NAME"),
        (["production", PROJECT, "-t", "gke", "-r", "gke/a"], "not both"),
        (["production", PROJECT, "-f", "jason"], "did you mean 'json'?"),
        (["production", PROJECT, "-o", "report.pdf"], "'.pdf'"),
        (["production", PROJECT, "-o", "a.json", "-o", "json=a.json"], "twice"),
        (["production", PROJECT, "--api-root", "http://example.com"], "plain http"),
        (["production", PROJECT, "--api-root", "ftp://127.0.0.1"], "is not a URL"),
        (["production", PROJECT, "-p", "nowhere.toml"], "nowhere.toml"),
        (["production", PROJECT, "--no-such-flag"], "no-such-flag"),
        (["production", PROJECT, "--deadline", "-1"], "deadline"),
    ],
)
def test_wrong_use_is_exit_2_with_a_hint(
    arguments: list[str], said: str, compliant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    extra = [] if "--api-root" in arguments else ["--api-root", compliant]
    assert run([*arguments, *extra]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err


def test_the_policy_of_another_project_is_refused(folder: Path, compliant: str) -> None:
    text = default_policy().decode()
    for pin, expected in ("other-project", 2), ("200000000002", 2), ("100000000001", 0), (PROJECT, 0):
        pinned = text.replace("[environments.production]\n", f'[environments.production]\nproject = "{pin}"\n')
        (folder / "regions.toml").write_text(pinned)
        assert run(["production", PROJECT, "--api-root", compliant, "-t", "gke", "-q"]) == expected


def test_a_waiver_covers_its_violation_and_an_idle_one_is_an_error(folder: Path) -> None:
    world = {
        "project": {"id": PROJECT, "number": "1"},
        "gcs": {"buckets": [{"name": "first", "location": "EUROPE-WEST3"}, {"name": "public", "location": "EU"}]},
    }
    unused = '["gke", "sql", "redis", "bigquery", "firestore", "kms"]'
    policy = f"""
version = 1
[locations]
frankfurt = ["europe-west3"]
[environments.production]
enforcement = "required"
unused = {unused}
[rules]
primary = "frankfurt"
node = "frankfurt"
replica = "frankfurt"
backup = "frankfurt"
key = "frankfurt"
"""
    waiver = """
[[waivers]]
resource = "//storage.googleapis.com/{name}"
role = "primary"
location = "EU"
reason = "public images"
owner = "data-protection officer"
expires = {expires}
"""
    expires = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86_400 * 30))
    with Simulator(World.from_dict(world)) as simulator:
        arguments = ["production", PROJECT, "--api-root", simulator.url, "-q", "-o", "r.json"]
        (folder / "regions.toml").write_text(policy)
        assert run(arguments) == 1
        (folder / "regions.toml").write_text(policy + waiver.format(name="public", expires=expires))
        assert run(arguments) == 0
        report = report_of(folder / "r.json")
        assert (report["summary"]["waived"], report["waivers"][0]["owner"]) == (1, "data-protection officer")
        idle = waiver.format(name="public", expires=expires) + waiver.format(name="gone", expires=expires)
        (folder / "regions.toml").write_text(policy + idle)
        assert run(arguments) == 2
        assert [one["reason"] for one in report_of(folder / "r.json")["unread"]] == ["unmatched_waiver"]


def test_no_credentials_is_exit_3_with_a_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "CLOUDSDK_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(folder))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    assert run(["production", PROJECT, "-o", "r.json"]) == 3
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.count("gcloud auth application-default login") == 1
    assert "gke, sql, redis, bigquery, firestore, gcs, kms no_credentials" in shown
    report = report_of(folder / "r.json")
    assert {one["reason"] for one in report["unread"]} == {"no_credentials"}
    assert (report["verdict"], report["complete"]) == ("unverified", False)


def test_a_report_is_for_its_owner_and_never_through_a_link(folder: Path, compliant: str) -> None:
    arguments = ["production", PROJECT, "--api-root", compliant, "-q", "-o"]
    assert run([*arguments, "r.json"]) == 0
    assert stat.S_IMODE((folder / "r.json").stat().st_mode) == 0o600
    (folder / "victim").write_text("untouched")
    (folder / "link.json").symlink_to(folder / "victim")
    assert run([*arguments, "link.json"]) == 4
    assert (folder / "victim").read_text() == "untouched"
    assert run([*arguments, "no/such/folder.json"]) == 4


def test_a_violation_wins_over_a_report_that_cannot_be_written(demo: str) -> None:
    assert run(["production", PROJECT, "--api-root", demo, "-q", "-o", "no/such/folder.json"]) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_writes_an_incomplete_report(
    number: int, code: int, folder: Path, world: Callable[[], dict[str, Any]]
) -> None:
    silent = "redis.googleapis.com"
    table = world() | {"faults": [{"service": silent, "answer": "silence"}]}
    with Simulator(World.from_dict(table)) as simulator:
        arguments = [sys.executable, "-m", "diga_verify", "production", PROJECT, "--api-root", simulator.url]
        process = subprocess.Popen([*arguments, "-o", "r.json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        await_call(simulator, silent)
        process.send_signal(number)
        process.communicate(timeout=120)
    assert process.returncode == code
    report = report_of(folder / "r.json")
    assert (report["complete"], report["verdict"], report["exit_code"]) == (False, "unverified", code)
    assert "interrupted" in {one["reason"] for one in report["unread"]}


def await_call(simulator: Simulator, host: str) -> None:
    """A run waits for the answer of a silent host for so long that no machine is too slow to interrupt it."""
    for _ in range(2400):
        if any(request.host == host for request in simulator.requests):
            return
        time.sleep(0.05)
    raise AssertionError("the run made no call")


def test_the_deadline_ends_a_run_that_nobody_answers(folder: Path) -> None:
    faults = [{"service": "redis.googleapis.com", "answer": "silence"}]
    world = {"project": {"id": PROJECT, "number": "1"}, "faults": faults}
    with Simulator(World.from_dict(world)) as simulator:
        arguments = [sys.executable, "-m", "diga_verify", "production", PROJECT, "--api-root", simulator.url]
        done = subprocess.run(
            [*arguments, "-t", "redis", "--deadline", "2", "-o", "r.json"],
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 3, done.stderr
    report = report_of(folder / "r.json")
    assert "timeout" in {one["reason"] for one in report["unread"]}


def test_a_bug_is_exit_70(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("diga_verify.cli.gate.verify", broken)
    assert run(["production", PROJECT, "--api-root", "http://127.0.0.1:1"]) == 70
    assert "this is a bug in diga-verify" in capsys.readouterr().err


def test_hostile_names_are_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    name = "evil\x1b[2J\u202e[bold]\n::error::"
    world = {"project": {"id": PROJECT, "number": "1"}, "gcs": {"buckets": [{"name": name, "location": "US"}]}}
    with Simulator(World.from_dict(world)) as simulator:
        assert run(["production", PROJECT, "--api-root", simulator.url, "-t", "gcs"]) == 1
        table = capsys.readouterr().out
        assert run(["production", PROJECT, "--api-root", simulator.url, "-t", "gcs", "-f", "json"]) == 1
        document = capsys.readouterr().out
    assert "\x1b" not in table + document
    assert "\u202e" not in table + document
    assert not [line for line in table.splitlines() if line.startswith("::")]
    assert r"evil\x1b[2J\u202e[bold]\n:\x3aerror:\x3a" in table


Run = Callable[[list[str]], int]


@pytest.mark.parametrize("verb", [["--help"], ["verify", "--help"], ["--version"], ["policy", "--help"]])
def test_help_is_exit_0(verb: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(verb) == 0
    assert "diga-verify" in capsys.readouterr().out
