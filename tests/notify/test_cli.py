"""The gate and `diga-verify notify` through the front door: who is told, what stays as it was, and no secret said."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.notify.conftest import CANARY, Received, bucket

from diga_verify.cli.main import run
from diga_verify.cli.notify import When, announce
from diga_verify.errors import OutputError
from diga_verify.formats.json import render
from diga_verify.formats.page import Page
from diga_verify.model import Project
from diga_verify.notify.result import NotifyResult
from diga_verify.policy import Policy, default_policy, parse_policy
from diga_verify.report import Report
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

POLICY = """
[notify]
[notify.slack.team]
url_env = "TEAM"
[notify.sms.boss]
url_env = "BOSS"
to = ["+4930111"]
[[notify.routes]]
to = "team"
[[notify.routes]]
to = "boss"
when = ["critical"]
environments = ["production"]
after_hours = 4
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Received) -> Path:
    """A folder with a policy that tells two channels, which are there."""
    for name in [name for name in os.environ if name.startswith("DIGA_VERIFY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("TEAM", f"{receiver.url}/team/{CANARY}")
    monkeypatch.setenv("BOSS", f"{receiver.url}/boss/{CANARY}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy() + POLICY.encode())
    return tmp_path


@pytest.fixture(scope="module")
def demo() -> Iterator[str]:
    with Simulator(shipped_world("demo")) as simulator:
        yield simulator.url


@pytest.fixture
def policy() -> Policy:
    return parse_policy(default_policy() + POLICY.encode(), path="regions.toml", today=date(2026, 11, 23))


def paths(receiver: Received) -> list[str]:
    return [path.split("/")[1] for path, _, _ in receiver.requests]


class TestTheGate:
    def test_it_tells_after_the_report_is_written(
        self, demo: str, folder: Path, receiver: Received, capfd: pytest.CaptureFixture[str]
    ) -> None:
        options = ["--notify", "always", "--notify-state", "state.json", "-o", "report.json"]
        assert run(["production", "dtx-data", "--api-root", demo, *options]) == 1
        shown = capfd.readouterr()
        assert shown.err == ""
        assert paths(receiver) == ["team"]
        subject = json.loads(receiver.requests[0][2])["text"]
        assert subject.startswith("[diga-verify] SIMULATED production dtx-data: violation; ")
        assert json.loads((folder / "report.json").read_text())["exit_code"] == 1
        state = (folder / "state.json").read_text()
        assert [list(one["told"]) for one in json.loads(state)["open"]] == [["team"]] * len(json.loads(state)["open"])
        assert CANARY not in shown.out + state + (folder / "report.json").read_text()
        assert run(["production", "dtx-data", "--api-root", demo, *options]) == 1
        assert paths(receiver) == ["team"]  # nothing is new

    def test_a_simulated_run_tells_nobody_unless_asked(
        self, demo: str, receiver: Received, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert run(["production", "dtx-data", "--api-root", demo]) == 1
        said = "notify: nobody is told: the run is simulated; --notify always tells them all the same\n"
        assert capfd.readouterr().err == said
        assert run(["production", "dtx-data", "--api-root", demo, "--notify", "never"]) == 1
        assert capfd.readouterr().err == ""
        assert receiver.requests == []

    def test_a_channel_that_fails_changes_no_exit_code(
        self, demo: str, folder: Path, receiver: Received, capfd: pytest.CaptureFixture[str]
    ) -> None:
        receiver.status, receiver.body = 403, b"invalid_token"
        options = ["--notify", "always", "--notify-state", "state.json"]
        assert run(["production", "dtx-data", "--api-root", demo, *options]) == 1
        shown = capfd.readouterr()
        assert shown.err == "warning: notify: slack team was not told: it answered 403: invalid_token\n"
        state = (folder / "state.json").read_text()
        assert not any(one["told"] for one in json.loads(state)["open"])
        assert CANARY not in shown.out + shown.err + state

    def test_to_always_tell_nobody_is_a_contradiction(
        self, demo: str, folder: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "regions.toml").write_bytes(default_policy())
        assert run(["production", "dtx-data", "--api-root", demo, "--notify", "always"]) == 2
        assert "--notify always: regions.toml has no [notify]" in capfd.readouterr().err

    def test_the_state_has_a_file_of_its_own(self, demo: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        before = (folder / "regions.toml").read_bytes()
        assert run(["production", "dtx-data", "--api-root", demo, "--notify-state", "regions.toml"]) == 2
        assert (folder / "regions.toml").read_bytes() == before
        assert "--notify-state regions.toml is the file of the policy" in capfd.readouterr().err

    def test_a_file_that_is_no_state_stays_as_it_is(
        self, demo: str, folder: Path, receiver: Received, capfd: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "mine").write_text("my own notes")
        options = ["--notify", "always", "--notify-state", "mine"]
        assert run(["production", "dtx-data", "--api-root", demo, *options]) == 1
        assert capfd.readouterr().err.splitlines()[0] == (
            "warning: notify: mine is no state of diga-verify; remove it, or name another file; "
            "everything is told as new"
        )
        assert (folder / "mine").read_text() == "my own notes"
        assert paths(receiver) == ["team"]


class TestAnnouncing:
    """Runs that are no simulation, which a test has no Google Cloud for."""

    def test_a_real_run_is_told_without_being_asked(
        self, policy: Policy, reported: Callable[..., Report], receiver: Received, folder: Path
    ) -> None:
        assert announce(reported(bucket("a")), policy, When.AUTO, folder / "state.json").sent == ("team",)
        assert paths(receiver) == ["team"]

    @pytest.mark.parametrize(
        ("change", "when", "said"),
        [
            ({"interrupted_by": 15}, When.ALWAYS, "the run was interrupted"),
            ({"whole": False}, When.AUTO, "the run looked at a part only"),
        ],
    )
    def test_some_runs_tell_nobody(
        self,
        policy: Policy,
        reported: Callable[..., Report],
        receiver: Received,
        capfd: pytest.CaptureFixture[str],
        change: dict[str, object],
        when: When,
        said: str,
    ) -> None:
        assert announce(reported(bucket("a"), **change), policy, when) == NotifyResult()
        assert capfd.readouterr().err.startswith(f"notify: nobody is told: {said}")
        assert receiver.requests == []

    def test_without_a_state_nothing_escalates_and_that_is_said(
        self, policy: Policy, reported: Callable[..., Report], capfd: pytest.CaptureFixture[str]
    ) -> None:
        announce(reported(bucket("a")), policy, When.AUTO)
        assert capfd.readouterr().err == "warning: notify: nothing escalates without --notify-state\n"

    def test_a_baseline_stands_in_for_a_state(
        self, policy: Policy, reported: Callable[..., Report], receiver: Received
    ) -> None:
        earlier = reported(bucket("a"), finished_at="2126-11-23T11:00:00Z")  # a time to come counts as no time
        assert announce(reported(bucket("a")), policy, When.AUTO, None, replace(earlier, simulated=True)).sent
        assert announce(earlier, policy, When.AUTO, None, earlier).sent
        receiver.requests.clear()
        just_now = reported(bucket("a"), finished_at=datetime.now(UTC).isoformat())
        assert announce(just_now, policy, When.AUTO, None, just_now) == NotifyResult()
        assert announce(reported(bucket("a"), bucket("b")), policy, When.AUTO, None, just_now).sent == ("team",)
        assert b"1 new" in receiver.requests[0][2]

    def test_no_baseline_stands_in_for_a_state_that_cannot_be_read(
        self,
        policy: Policy,
        reported: Callable[..., Report],
        receiver: Received,
        folder: Path,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        """The baseline does not know who was told, and moves on from run to run: nobody would ever be told again."""
        (folder / "torn").write_text('{"format": "diga-ver')
        just_now = reported(bucket("a"), finished_at=datetime.now(UTC).isoformat())
        told = announce(just_now, policy, When.AUTO, folder / "torn", just_now)
        assert told.sent == ("team",)
        assert [one.kind for one in told.failed] == ["state"]  # an alert: nothing escalates from now on
        assert "is no state of diga-verify; remove it, or name another file; everything is told as new" in (
            capfd.readouterr().err
        )

    def test_what_failed_and_nothing_remembers_is_said_to_be_lost(
        self,
        policy: Policy,
        reported: Callable[..., Report],
        receiver: Received,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        receiver.status, receiver.body = 500, b""
        earlier = reported(finished_at="2026-11-23T11:00:00Z")
        announce(reported(bucket("a")), policy, When.AUTO, None, earlier)
        assert capfd.readouterr().err == (
            "warning: notify: slack team was not told: it answered 500\n"
            "warning: notify: nothing escalates without --notify-state\n"
            "warning: notify: what was not told is lost without --notify-state: "
            "the next run takes its baseline for told\n"
        )

    def test_a_project_named_by_its_number_keeps_its_state(
        self, policy: Policy, reported: Callable[..., Report], receiver: Received, folder: Path
    ) -> None:
        """Before the project's record is read its id is not known."""
        known = reported(bucket("a"), project=Project("dtx-data", "100000000001", "ACTIVE"))
        outage = reported(bucket("a"), project=Project("100000000001", None, None))
        for report in (outage, known, outage, known):
            announce(report, policy, When.AUTO, folder / "state.json")
        assert paths(receiver) == ["team"]

    def test_a_state_that_cannot_be_written_is_a_warning(
        self,
        policy: Policy,
        reported: Callable[..., Report],
        folder: Path,
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def full(*_: object) -> None:
            raise OutputError("disk full")

        monkeypatch.setattr("diga_verify.cli.telling.save", full)
        told = announce(reported(bucket("a")), policy, When.AUTO, folder / "state.json")
        assert told.sent == ("team",)
        assert [one.kind for one in told.failed] == ["state"]
        said = f"warning: notify: {folder}/state.json could not be written: the next run tells everything again\n"
        assert capfd.readouterr().err == said

    def test_a_bug_changes_nothing_and_says_no_secret(
        self,
        policy: Policy,
        reported: Callable[..., Report],
        capfd: pytest.CaptureFixture[str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def broken(*_: object) -> None:
            raise RuntimeError(CANARY)

        monkeypatch.setattr("diga_verify.cli.telling.plan", broken)
        told = announce(reported(bucket("a")), policy, When.AUTO)
        assert (told.sent, [one.kind for one in told.failed]) == ((), ["slack", "sms"])
        said = "warning: notify: this is a bug in diga-verify, perhaps nobody was told (RuntimeError)\n"
        assert capfd.readouterr().err == said


class TestTheCommand:
    def test_every_channel_is_tried(self, receiver: Received, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["notify", "--test"]) == 0
        assert capfd.readouterr().out == "ok      slack    team\nok      sms      boss\n"
        assert sorted(paths(receiver)) == ["boss", "team"]
        assert any(b"nothing+happened" in body for _, _, body in receiver.requests)

    def test_a_channel_that_fails_is_named(
        self, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BOSS", f"http://sms.example/{CANARY}")
        assert run(["notify", "--test"]) == 4
        shown = capfd.readouterr()
        why = "the URL in BOSS is plain http to another machine: it must begin with https://"
        assert shown.out == f"ok      slack    team\nFAILED  sms      boss: {why}\n"
        assert CANARY not in shown.out + shown.err

    def test_only_the_channels_of_an_environment(self, receiver: Received, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["notify", "--test", "--environment", "staging"]) == 0
        assert paths(receiver) == ["team"]
        assert run(["notify", "--test", "-e", "stagin"]) == 2
        assert "defines no environment 'stagin'" in capfd.readouterr().err

    def test_it_shows_who_is_told_of_what(self, receiver: Received, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["notify"]) == 0
        assert capfd.readouterr().out.splitlines() == [
            "slack    team: critical, high, missing, unverified in every environment, at once",
            "sms      boss: critical in production, after 4 h",
            "what stays is told again after 23 h; --test sends every channel a harmless message",
        ]
        assert receiver.requests == []

    def test_it_shows_what_a_report_would_tell_and_sends_nothing(
        self,
        receiver: Received,
        capfd: pytest.CaptureFixture[str],
    ) -> None:
        assert run(["demo", "-o", "report.json", "-q"]) == 1
        capfd.readouterr()
        assert run(["notify", "report.json"]) == 0
        shown = capfd.readouterr().out
        assert shown.startswith("To slack team:\n  [diga-verify] SIMULATED production dtx-data: violation; ")
        assert "To sms boss" not in shown
        assert receiver.requests == []

    @pytest.mark.parametrize(
        ("arguments", "said"),
        [
            (["notify", "--test", "report.json"], "leave out the report, or --test"),
            (["notify", "nothing.json"], "nothing.json cannot be read"),
            (["notify", "-p", "bare.toml"], "bare.toml has no [notify]; see docs/notify.md"),
        ],
    )
    def test_what_cannot_be_is_refused(
        self, folder: Path, capfd: pytest.CaptureFixture[str], arguments: list[str], said: str
    ) -> None:
        (folder / "bare.toml").write_bytes(default_policy())
        assert run(arguments) == 2
        assert said in capfd.readouterr().err

    def test_a_test_that_tries_nobody_is_no_success(self, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
        only = (
            default_policy() + POLICY.replace('to = "team"\n', 'to = "team"\nenvironments = ["production"]\n').encode()
        )
        (folder / "regions.toml").write_bytes(only)
        assert run(["notify", "--test", "-e", "staging"]) == 2
        assert "no channel is told of staging: there is nothing to test" in capfd.readouterr().err


def test_a_stored_report_of_a_compliant_run_tells_nobody(
    folder: Path, reported: Callable[..., Report], capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "report.json").write_text(render(reported(), Page()))
    assert run(["notify", "report.json"]) == 0
    assert capfd.readouterr().out == "Nobody would be told anything.\n"
