"""`--watch`: look after look until everything is compliant. Time is the tests' own: nobody waits."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli import watch
from diga_verify.cli.main import run
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

PROJECT = "dtx-data"
WRONG, RIGHT = {"name": "exports", "location": "US"}, {"name": "exports", "location": "EUROPE-WEST3"}
OTHER = {"name": "video", "location": "EU"}
BUSY = {"service": "storage.googleapis.com", "answer": "permission_denied"}


@pytest.fixture(autouse=True)
def folder(clean_folder: Path) -> Path:
    """A folder with the default policy, and nothing of the caller's settings."""
    (clean_folder / "regions.toml").write_bytes(default_policy())
    return clean_folder


class Cloud:
    """A cloud in which one step happens in every pause between two looks, and the time that this takes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.port = 0
        self.pauses: list[float] = []
        self._served: Simulator | None = None
        self._steps: list[Callable[[], None]] = []
        own = partial(watch.Pace, clock=self._clock, wait=self._wait, now=self._now)
        monkeypatch.setattr(watch, "Pace", own)

    def holds(self, *buckets: dict[str, Any], faults: tuple[dict[str, Any], ...] = ()) -> None:
        """From now on these are the buckets, and these the faults."""
        if self._served is not None:
            self._served.__exit__(None, None, None)
        table = {"project": {"id": PROJECT, "number": "1"}, "gcs": {"buckets": [*buckets]}, "faults": [*faults]}
        self._served = Simulator(World.from_dict(table), port=self.port).__enter__()
        self.port = int(self._served.url.rpartition(":")[2])

    def then(self, *steps: Callable[[], None]) -> None:
        """One for each pause, in order."""
        self._steps += steps

    def watch(self, *more: str) -> int:
        words = ["production", PROJECT, "--api-root", f"http://127.0.0.1:{self.port}", "-t", "gcs", "--watch", *more]
        try:
            return run(words)
        finally:
            assert self._served is not None
            self._served.__exit__(None, None, None)

    def _clock(self) -> float:
        return sum(self.pauses)

    def _now(self) -> datetime:
        return datetime(2026, 11, 24, 3, 0, tzinfo=UTC) + timedelta(seconds=self._clock())

    def _wait(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self._steps.pop(0)()


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(monkeypatch)


def nothing() -> None:
    """What mostly happens between two looks."""


def test_it_looks_until_the_fix_takes_effect(cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.holds(WRONG, OTHER)
    cloud.then(nothing, lambda: cloud.holds(RIGHT, OTHER), lambda: cloud.holds(RIGHT))
    assert cloud.watch("-o", "r.json") == 0
    assert cloud.pauses == [30.0] * 3
    said = capsys.readouterr()
    heads = [line for line in said.err.splitlines() if line.startswith("03:")]
    assert heads == [
        "03:00:00  look 1: violation (2 violations); next look 03:00:30",
        "03:00:30  look 2: no change; violation (2 violations); next look 03:01:00",
        "03:01:00  look 3: 2 changes: 0 worse, 2 better, 0 neutral; violation (1",
        "03:01:30  look 4: 2 changes: 0 worse, 2 better, 0 neutral; compliant; done after",
    ]
    assert "moved       primary US -> EUROPE-WEST3 (violation, critical -> compliant)" in said.err
    assert "as soon as Google Cloud calls its operation" in said.err
    assert said.out.count("SIMULATED") == 1  # the result is that of the last look alone
    assert "exit 0" in said.out
    report = json.loads((folder / "r.json").read_text())
    assert (report["verdict"], [one["name"] for one in report["resources"]]) == ("compliant", ["exports"])


def test_the_page_for_on_call_shows_what_is_said(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.holds(WRONG)
    cloud.then(nothing, lambda: cloud.holds(RIGHT))
    assert cloud.watch() == 0
    page = (Path(__file__).parents[2] / "docs" / "on-call.md").read_text("utf-8")
    assert f"```text\n{capsys.readouterr().err}```\n" in page


def test_a_single_look_waits_for_nothing(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.holds(RIGHT)
    assert cloud.watch() == 0
    assert cloud.pauses == []
    assert "look 1: compliant; done after 0 s" in capsys.readouterr().err


def test_the_fix_may_be_in_the_policy(cloud: Cloud, folder: Path) -> None:
    cloud.holds(OTHER)
    text = default_policy().decode()
    cloud.then(lambda: None, lambda: _write(folder, f'{text}\n[rules.gcs]\nprimary = ["frankfurt", "eu"]\n'))
    assert cloud.watch("-o", "r.json") == 0
    assert len(cloud.pauses) == 2


def _write(folder: Path, text: str) -> None:
    (folder / "regions.toml").write_text(text)


def test_a_policy_that_becomes_invalid_ends_it(cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.holds(WRONG)
    cloud.then(lambda: _write(folder, "version = 1\n[rules\n"))
    (folder / "r.json").write_text("old")
    assert cloud.watch("-o", "r.json") == 2
    said = capsys.readouterr()
    assert "regions.toml:2: not valid TOML" in said.err
    assert said.out == ""
    assert not (folder / "r.json").exists()


def test_what_cannot_be_read_does_not_end_it(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.holds(RIGHT, faults=(BUSY,))
    cloud.then(lambda: cloud.holds(RIGHT))
    assert cloud.watch() == 0
    said = capsys.readouterr().err
    assert "look 1: unverified (2 not verified); next look 03:00:30" in said
    assert "gcs: permission_denied; check the project's id; give the" in said
    assert "a role takes effect 2 to 7 minutes after it was given" in said


def test_it_gives_up_when_its_time_is_over_and_ends_as_the_last_look_did(
    cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.holds(WRONG)
    cloud.then(nothing, nothing, lambda: cloud.holds(RIGHT, faults=(BUSY,)), nothing)
    assert cloud.watch("--watch-every", "40", "--watch-for", "130") == 3
    assert cloud.pauses == [40.0] * 3
    said = " ".join(capsys.readouterr().err.split())
    assert "given up after 2 min 0 s, see --watch-for" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_between_two_looks_leaves_the_result_of_the_last(
    number: signal.Signals, cloud: Cloud, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.holds(WRONG)
    cloud.then(nothing, lambda: os.kill(os.getpid(), number))
    assert cloud.watch("-o", "r.json") == 128 + number
    said = capsys.readouterr()
    assert "stopped watching; what the last look found is the result" in said.err
    assert "VIOLATION  critical  gcs  exports" in said.out
    report = json.loads((folder / "r.json").read_text())
    assert (report["verdict"], report["complete"]) == ("violation", True)


def test_a_signal_during_a_look_leaves_a_report_marked_incomplete(
    cloud: Cloud, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.holds(WRONG)
    cloud.then(lambda: monkeypatch.setattr("diga_verify.verify.Live", _interrupted))
    assert cloud.watch("-o", "r.json") == 130
    report = json.loads((folder / "r.json").read_text())
    assert (report["exit_code"], report["complete"], cloud.pauses) == (130, False, [30.0])


def _interrupted(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_in_an_environment_that_enforces_nothing_it_waits_for_the_verdict(cloud: Cloud) -> None:
    cloud.holds(WRONG)
    cloud.then(nothing, lambda: cloud.holds(RIGHT))
    words = ["staging", PROJECT, "--api-root", f"http://127.0.0.1:{cloud.port}", "-t", "gcs", "--watch", "-q"]
    assert run(words) == 0
    cloud.holds()
    assert len(cloud.pauses) == 2


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--watch-every", "60"], "--watch-every says how --watch looks: add --watch"),
        (["--watch-for", "60"], "--watch-for says how --watch looks: add --watch"),
        (["--watch", "--watch-for", "inf"], "--watch-for inf is no number of seconds"),
        (["--watch", "--watch-every", "nan"], "Invalid value for '--watch-every'"),
        (["--watch", "--watch-every", "9"], "should be greater than or equal to 10"),
        (["--watch", "-p", "/dev/null"], "/dev/null can be read once: name a file"),
    ],
)
def test_wrong_options(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", PROJECT, *options]) == 2
    assert said in capsys.readouterr().err


def test_hostile_names_are_harmless(cloud: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    cloud.holds({"name": "\x1b[2J\u202e::error::a\nb", "location": "US"})
    cloud.then(lambda: cloud.holds(RIGHT))
    assert cloud.watch() == 0
    said = capsys.readouterr().err
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "::error" not in said
    assert said.count("\\x1b[2J") == 2  # found wrong, then gone
