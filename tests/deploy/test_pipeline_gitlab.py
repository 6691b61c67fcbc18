"""The scripts of the template, run as GitLab's runner runs them, against the simulator or a gate of straw."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diga_verify.gateway import credential_file
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

ROOT = Path(__file__).parents[2]
GATE = Path(sys.executable).with_name("diga-verify")
INPUTS = {
    "image": "registry.example/diga-verify@sha256:0",
    "staging-project": "dtx-staging",
    "production-project": "dtx-data",
    "workload-identity-provider": "projects/100000000001/locations/global/workloadIdentityPools/ci/providers/gitlab",
    "service-account": "diga-verify@dtx-data.iam.gserviceaccount.com",
}


@pytest.fixture
def gitlab(shell: Callable[..., Any], documents: Callable[[str], list[Any]]) -> Callable[..., Any]:
    """Runs a job of the template with inputs, as GitLab's runner would."""

    def gitlab(job: str, more: str = "", **inputs: str) -> Any:
        spec, jobs = documents("deploy/gitlab/diga-verify.gitlab-ci.yml")
        jobs["overridden"] = {"script": []}
        given = {name: one.get("default", "") for name, one in spec["spec"]["inputs"].items()} | INPUTS | inputs
        lines = [*jobs[".diga-verify"]["before_script"], *jobs[job]["script"], more]
        script = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", lambda found: given[found[1]], "\n".join(lines))
        return shell(script, DIGA_VERIFY_ID_TOKEN="a token")

    return gitlab


OUTPUTS = tuple(
    word for extension in ("json", "xml", "md", "html") for word in ("-o", f"diga-verify-reports/report.{extension}")
)


class TestTheJobsOnGitlab:
    @pytest.mark.parametrize(
        ("job", "more", "environment", "project"),
        [
            ("region-verification-staging", [], "staging", "dtx-staging"),
            ("region-verification-production", [], "production", "dtx-data"),
            (
                "compliance-verification",
                ["--strict", "--evidence=diga-verify-reports/evidence.json"],
                "production",
                "dtx-data",
            ),
        ],
    )
    def test_what_they_ask(
        self,
        job: str,
        more: list[str],
        environment: str,
        project: str,
        gitlab: Callable[..., Any],
        straw: Any,
        tmp_path: Path,
    ) -> None:
        straw(0)
        assert gitlab(job).code == 0
        expected = ["verify", "--policy=regions.toml", *OUTPUTS, *more, "--", environment, project]
        assert straw.words == expected

    @pytest.mark.parametrize("code", [1, 3, 4, 70, 137])
    @pytest.mark.parametrize(
        "job", ["region-verification-staging", "region-verification-production", "compliance-verification"]
    )
    def test_they_end_with_the_gate_s_exit_code(
        self, job: str, code: int, gitlab: Callable[..., Any], straw: Any
    ) -> None:
        straw(code)
        assert gitlab(job, "echo went on").code == code

    def test_an_attestation_if_there_is_a_key(self, gitlab: Callable[..., Any], straw: Any, tmp_path: Path) -> None:
        straw(0)
        gitlab("compliance-verification", **{"attest-key": "gcpkms://k"})
        attest = ["--attest=diga-verify-reports/attestation.json", "--attest-key=gcpkms://k"]
        assert straw.words[-5:-3] == attest

    def test_the_credentials_are_of_a_form_that_the_gate_takes(
        self, gitlab: Callable[..., Any], straw: Any, tmp_path: Path
    ) -> None:
        straw(0)
        kept = tmp_path / "kept.json"
        done = gitlab("region-verification-staging", f'cp "$GOOGLE_APPLICATION_CREDENTIALS" {kept}')
        file = credential_file.read(str(kept))
        loaded = credential_file.load(file, ["https://www.googleapis.com/auth/cloud-platform"])
        assert loaded.service_account_email == INPUTS["service-account"]
        assert loaded.retrieve_subject_token(None) == "a token"
        assert "a token" not in done.log
        source = Path(file.info["credential_source"]["file"])
        assert (source.stat().st_mode | source.parent.stat().st_mode) & 0o077 == source.stat().st_mode & 0o077
        assert source.parent.stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize(
        ("world", "setting", "code"),
        [("compliant", "-u DIGA_VERIFY_NO_TRIAL", 0), ("compliant", "", 3), ("demo", "", 1)],
        ids=["compliant", "a trial", "violations"],
    )
    def test_against_the_simulator(
        self,
        world: str,
        setting: str,
        code: int,
        gitlab: Callable[..., Any],
        tmp_path: Path,
        program: Callable[[str, str], Path],
    ) -> None:
        with Simulator(shipped_world(world)) as simulator:
            pointed = f'#!/bin/sh\nshift\nexec env {setting} "{GATE}" verify --api-root {simulator.url} "$@"\n'
            program("diga-verify", pointed)
            done = gitlab("compliance-verification")
        assert done.code == code
        kept = {path.name for path in (tmp_path / "workspace/diga-verify-reports").iterdir()}
        assert kept == {"report.json", "report.xml", "report.md", "report.html", "evidence.json"} | (
            {"verified.env"} if code == 0 else set()
        )

    @pytest.mark.parametrize(
        ("script", "code"),
        [
            ("verify --api-root {} -- production dtx-data", 3),
            ("verify -t gcs --api-root {} -- production dtx-data", 3),
            ("diga-verify production dtx-data --api-root {}", 3),
            ("diga-verify demo --world compliant", 3),
            ("diga-verify demo --world compliant --explain-exit", 3),
            ("diga-verify demo -o diga-verify-reports/report.json", 1),
        ],
    )
    def test_a_script_that_is_left_over_from_a_try_does_not_pass(
        self, script: str, code: int, gitlab: Callable[..., Any], program: Callable[[str, str], Path]
    ) -> None:
        program("diga-verify", f'#!/bin/sh\nexec "{GATE}" "$@"\n')
        with Simulator(shipped_world("compliant")) as simulator:
            assert gitlab("overridden", script.format(simulator.url)).code == code

    def test_no_report_of_an_earlier_job_is_kept_for_this_one_s(
        self, gitlab: Callable[..., Any], straw: Any, tmp_path: Path
    ) -> None:
        folder = tmp_path / "workspace/diga-verify-reports"
        folder.mkdir()
        for name in ("report.json", "report.xml"):
            (folder / name).write_text("all is well")
        straw(2)
        assert gitlab("region-verification-production").code == 2
        assert list(folder.iterdir()) == []

    def test_a_verification_that_passed_counts_for_an_hour(
        self, gitlab: Callable[..., Any], shell: Callable[..., Any], straw: Any, tmp_path: Path
    ) -> None:
        straw(0)
        begun = int(time.time())
        assert gitlab("compliance-verification").code == 0
        text = (tmp_path / "workspace/diga-verify-reports/verified.env").read_text(encoding="utf-8")
        [until] = re.findall(r"\ACOMPLIANCE_VERIFIED_UNTIL=(\d+)\n\Z", text)
        assert begun + 3600 <= int(until) <= time.time() + 3600
        page = (ROOT / "docs/pipeline.md").read_text(encoding="utf-8")
        [check] = re.findall(r"^    - (test .*COMPLIANCE_VERIFIED_UNTIL.*)$", page, re.MULTILINE)
        late, junk = str(begun - 1), "a while; touch pwned"
        ends = [shell(check, COMPLIANCE_VERIFIED_UNTIL=one).code for one in (until, late, "", junk)]
        assert (ends[0], [code != 0 for code in ends[1:]]) == (0, [True, True, True])
        assert shell(check).code == 1

    @pytest.mark.parametrize("code", [1, 3, 4, 70])
    def test_one_that_did_not_pass_does_not_count(
        self, code: int, gitlab: Callable[..., Any], straw: Any, tmp_path: Path
    ) -> None:
        straw(0)
        gitlab("compliance-verification")
        straw(code)
        assert gitlab("compliance-verification").code == code
        assert not (tmp_path / "workspace/diga-verify-reports/verified.env").exists()
