"""SARIF before its authors' own validator, by the rules of the standard and those of GitHub.

The tool is no Python package: it is looked for in `DIGA_VERIFY_SARIF_MULTITOOL` and on the path. It ends with 0
whatever it finds, so its report is read.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diga_verify.formats.page import Page
from diga_verify.formats.sarif import render
from diga_verify.report import Report

NAMES = ("Sarif.Multitool", "sarif-multitool", "sarif-multitool-linux", "sarif")
TOOL = os.environ.get("DIGA_VERIFY_SARIF_MULTITOOL") or next(filter(None, map(shutil.which, NAMES)), None)
needs_the_tool = pytest.mark.skipif(TOOL is None, reason="Sarif.Multitool is not installed")
ACCEPTED = {"SARIF2005"}
"""Warnings: it wants an address of the tool's home, and there is none that is sure to stay."""


@pytest.fixture
def complaints(tmp_path: Path) -> Callable[[str], list[Any]]:
    """What the tool has against a SARIF file, save its notes."""

    def complaints(text: str) -> list[Any]:
        log, out = tmp_path / "log.sarif", tmp_path / "out.sarif"
        log.write_text(text, encoding="utf-8")
        command = [str(TOOL), "validate", str(log), "--rule-kind", "Sarif;Ghas", "--output", str(out)]
        environment = {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1", "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout
        [run] = json.loads(out.read_text(encoding="utf-8-sig"))["runs"]
        out.unlink()
        assert all(one["executionSuccessful"] for one in run.get("invocations", ()))
        graver = [one for one in run["results"] if one.get("level", "warning") not in {"note", "none"}]
        return [(one["ruleId"], one["level"], one["message"]) for one in graver if one["ruleId"] not in ACCEPTED]

    return complaints


@needs_the_tool
def test_it_takes_every_report(
    complaints: Callable[[str], list[Any]], demo_report: Report, everything: Report, full_of_caveats: Report
) -> None:
    interrupted = replace(everything, interrupted_by=15, policy_path="/etc/regions.toml", started_at="yesterday")
    for report in (demo_report, everything, full_of_caveats, interrupted):
        assert complaints(render(report, Page())) == []


@needs_the_tool
def test_it_takes_the_runs_with_next_to_nothing(
    complaints: Callable[[str], list[Any]], calm: dict[str, tuple[Report, str, int]]
) -> None:
    for word in ("compliant", "nothing", "unused"):
        assert complaints(render(calm[word][0], Page())) == []


@needs_the_tool
def test_it_would_tell(complaints: Callable[[str], list[Any]], demo_report: Report) -> None:
    log = json.loads(render(demo_report, Page()))
    log["runs"][0]["results"][-1]["ruleIndex"] = 99
    del log["runs"][0]["results"][-1]["locations"]
    assert complaints(json.dumps(log)) != []
