"""Every failure that an API can show, for every type, through the command line: `make matrix` prints the table."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli.main import run
from diga_verify.gateway import gateway
from diga_verify.gateway.patience import Patience
from diga_verify.model import PROOF_LACKING, TYPES, Reason
from diga_verify.policy import default_policy
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.refused import CANARIES
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import HOSTS, World

ROOT = Path(__file__).parents[1]
Failure = dict[str, Any]
FAILURES: list[Failure] = tomllib.loads((ROOT / "tests" / "faults.toml").read_text("utf-8"))["failures"]
GATES = "diga_verify.cli.gate.Patience"
SILENCE, DRIP = 0.25, 1.0
"""Seconds for the next bytes of a peer that is silent, and for a call, with all its attempts, to one that drips."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    """Pauses that the gate would have made. It runs in a folder with the default policy, and reads 60 pages at most."""
    waits: list[float] = []

    def clock() -> float:
        return time.monotonic() + sum(waits)

    monkeypatch.setattr(GATES, lambda: Patience(attempts=2, sleep=waits.append, clock=clock))
    monkeypatch.setattr(gateway, "PAGE_LIMIT", 60)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    return waits


def expected(failure: Failure, type: str) -> tuple[int, str | None]:
    """Exit code and reason."""
    own = failure.get("in", {}).get(type, {})
    code = own.get("exit", failure.get("exit", 3))
    return code, None if code == 0 else own.get("reason", failure.get("reason"))


def world_with(table: dict[str, Any], failure: Failure, type: str) -> World:
    table["paging"] = {"size": 2}
    table["kms"]["locations"] = ["europe-west3", "us", "global"]
    table["redis"]["clusters"][-1]["crossClusterReplicationConfig"] = {"clusterRole": "NONE"}
    table["bigquery"]["datasets"].append({"datasetId": "more", "location": "europe-west3"})
    for number in range(3):
        table["redis"]["instances"].append({"name": f"more-{number}", "location": "europe-west3"})
        table["kms"]["keyRings"].append({"name": f"more-{number}", "location": "europe-west3"})
    return World.from_dict(table | {"faults": [{"service": HOSTS[type], **failure["fault"]}]})


CASES = [pytest.param(failure, type, id=f"{failure['name']}-{type}") for failure in FAILURES for type in TYPES]


@pytest.mark.parametrize(("failure", "type"), CASES)
def test_failure(
    failure: Failure,
    type: str,
    world: Callable[[], dict[str, Any]],
    waits: list[float],
    capsys: pytest.CaptureFixture[str],
    hurry: Callable[..., None],
    record_property: Callable[[str, object], None],
) -> None:
    if "slow" in failure:
        # One small budget at a time, so that a drip is not taken for silence, and silence is asked again.
        hurry(type, **({"read": SILENCE} if failure.get("asked_again") else {"call": DRIP}))
    with Simulator(world_with(world(), failure, type)) as simulator:
        files = ["-o", "report.json", "--evidence", "evidence.json"]
        code = run(["production", "dtx-data", "--api-root", simulator.url, "-t", type, "-v", *files])
        hosts = {request.host for request in simulator.requests}
    record_property("matrix", [failure["name"], type, code])
    shown = capsys.readouterr()
    report = json.loads(Path("report.json").read_text("ascii"))
    due, reason = expected(failure, type)
    reasons = {one["reason"] for one in report["unread"]}

    assert (code, report["exit_code"]) == (due, due)
    assert report["verdict"] == {0: "compliant", 1: "violation", 3: "unverified"}[due]
    assert reason is None or reason in reasons, reasons
    assert report["complete"] == all(Reason(one) in PROOF_LACKING for one in reasons)
    assert {one["type"] for one in report["unread"]} <= {type}
    for one in reasons:
        assert re.search(rf"^NOT VERIFIED  .*{type}  {one}$", shown.out, re.MULTILINE)
        assert f"docs/unverified.md#{one}" in shown.out
    assert bool(waits) == bool(failure.get("asked_again", False)) or due == 0
    assert sum(waits) < Patience().call
    assert "redirected.googleapis.com" not in hosts
    told = shown.out + shown.err + Path("report.json").read_text("ascii") + Path("evidence.json").read_text("ascii")
    assert [canary for canary in CANARIES if canary in told] == []
    assert "\x1b" not in told
    # A replay is the same code whatever the type is: each failure is replayed for one of them.
    if type == TYPES[FAILURES.index(failure) % len(TYPES)]:
        assert run(["replay", "evidence.json", "--report", "report.json", "-q"]) == code


def test_the_catalogue_has_every_fault_of_the_simulator() -> None:
    names = [failure["name"] for failure in FAILURES]
    assert sorted(set(names)) == sorted(names)
    assert {failure["fault"]["answer"] for failure in FAILURES} == set(ANSWERS)


def test_the_page_of_failures_is_made_of_the_catalogue() -> None:
    made = subprocess.run([sys.executable, ROOT / "tools" / "failures.py", "--check"], check=False)
    assert made.returncode == 0, "run tools/failures.py"
