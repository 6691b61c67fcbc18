"""What `-q` leaves of the table: the verdict, and whatever the verdict would be misunderstood without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from diga_verify.cli.main import run
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

pytestmark = pytest.mark.usefixtures("folder")

COUNTS = "25 resources: 25 compliant, 0 violations; 66 placements read in"


@pytest.fixture(scope="module")
def root() -> Iterator[str]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator.url


def test_a_stand_in_is_named_before_the_verdict(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", "dtx-data", "--api-root", root, "-q"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "SIMULATED: the answers came from a stand-in, not from Google Cloud:" in said[0]
    assert said[-2].startswith(COUNTS)
    assert said[-1] == "All data of dtx-data lies where the policy requires.  exit 0"


def test_a_part_of_the_project_is_named_as_one(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", "dtx-data", "--api-root", root, "-q", "-t", "kms", "-t", "gke"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "SELECTED: only a part was looked at; no gate result for the project: gke, kms" in said


def test_what_was_found_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["demo", "-q"]) == 1
    said = capsys.readouterr().out
    assert "INCOMPLETE: not everything in scope was read to its end\n" in said
    assert "NOT VERIFIED" not in said
    assert "VIOLATION" not in said
    assert "limits" not in said


def test_other_formats_are_whole_all_the_same(root: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", "dtx-data", "--api-root", root, "-q", "-f", "csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 60


def test_the_same_trouble_is_told_once_however_often_a_type_met_it(
    root: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["production", "100000000002", "--api-root", root]) == 3
    said = capsys.readouterr().out
    assert said.count("NOT VERIFIED") == said.count("HTTP 403") == 1
    assert "NOT VERIFIED  gke, sql, redis, bigquery, firestore, gcs, kms, project" in said
