"""The scripts of the build, run as Cloud Build runs them, against a gate of straw."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

GATE = Path(sys.executable).with_name("diga-verify")
PAGE = Path(__file__).parents[2] / "docs/pipeline.md"


@pytest.fixture
def cloud_build(
    shell: Callable[..., Any],
    documents: Callable[[str], list[Any]],
    program: Callable[[str, str], Path],
    tmp_path: Path,
) -> Callable[..., Any]:
    """Runs steps of the build in a row until one fails, as Cloud Build would; the last one's result."""
    build = documents("deploy/cloud-build/cloudbuild.yaml")[0]
    program("gcloud", f'#!/bin/sh\necho "$*" >> {tmp_path}/gcloud\nexit "${{GCLOUD:-0}}"\n')

    (tmp_path / "verification").mkdir(mode=0o755)

    def cloud_build(*steps: str, overridden: str = "", **env: str) -> Any:
        done: Any = None
        given = {"LOCATION": "europe-west3", "BUILD_ID": "b1", **build["substitutions"], **env}
        for step in build["steps"]:
            if step["id"] in steps and (done is None or done.code == 0):
                script = overridden or step["script"]
                script = script.replace(" /verification", f" {tmp_path}/verification")
                script = script.replace("=/verification/", f"={tmp_path}/verification/")
                own = dict(one.split("=", 1) for one in step.get("env", []))
                done = shell(script, ("sh",), **given, **own)
        return done

    return cloud_build


REGION = ("prepare", "region-verification", "region-verification-result")
COMPLIANCE = ("prepare", "compliance-verification", "compliance-verification-result")


class TestTheStepsInCloudBuild:
    @pytest.mark.parametrize("stage", [REGION, COMPLIANCE], ids=["region", "compliance"])
    @pytest.mark.parametrize("code", [0, 1, 2, 3, 4, 70, 137])
    def test_a_stage_ends_with_the_gate_s_exit_code_once_the_reports_are_kept(
        self,
        stage: tuple[str, ...],
        code: int,
        cloud_build: Callable[..., Any],
        straw: Any,
        tmp_path: Path,
    ) -> None:
        straw(code, "{}")
        done = cloud_build(*stage)
        assert done.code == code
        reports = f"{tmp_path}/verification/{stage[1]}"
        assert (tmp_path / "gcloud").read_text() == f"storage cp --recursive {reports} gs://BUCKET/diga-verify/b1/\n"
        assert f"{stage[1]} ends with exit code {code}\n" in done.log

    def test_what_they_ask(self, cloud_build: Callable[..., Any], straw: Any, tmp_path: Path) -> None:
        straw(0)
        assert cloud_build(*REGION[:2]).code == 0
        words = straw.words
        assert words[:3] == [
            "verify",
            "--policy=regions.toml",
            "--impersonate-service-account=diga-verify@PROJECT.iam.gserviceaccount.com",
        ]
        half = len(words) // 2
        assert (words[half - 3 : half], words[-3:]) == (
            ["--", "staging", "STAGING_PROJECT"],
            ["--", "production", "PRODUCTION_PROJECT"],
        )
        (tmp_path / "words").unlink()
        assert cloud_build(*COMPLIANCE[:2], _ATTEST_KEY="gcpkms://k").code == 0
        reports = f"{tmp_path}/verification/compliance-verification"
        assert straw.words[3:7] == [
            "--strict",
            f"--evidence={reports}/evidence.json",
            f"--attest={reports}/attestation.json",
            "--attest-key=gcpkms://k",
        ]

    @pytest.mark.parametrize(("staging", "production", "code"), [(0, 1, 1), (3, 0, 3), (1, 3, 1), (3, 1, 1), (4, 3, 4)])
    def test_both_projects_must_pass_and_a_violation_wins(
        self,
        staging: int,
        production: int,
        code: int,
        cloud_build: Callable[..., Any],
        program: Callable[[str, str], Path],
    ) -> None:
        branch = f'#!/bin/sh\ncase "$*" in *"-- staging "*) exit {staging} ;; *) exit {production} ;; esac\n'
        program("diga-verify", branch)
        assert cloud_build(*REGION).code == code

    @pytest.mark.parametrize(("said", "code"), [(0, 4), (1, 1), (2, 4), (3, 4), (70, 70)])
    def test_reports_that_cannot_be_kept_stop_it(
        self, said: int, code: int, cloud_build: Callable[..., Any], straw: Any
    ) -> None:
        straw(said)
        done = cloud_build(*COMPLIANCE, GCLOUD="1")
        assert done.code == code
        assert "The reports were not kept." in done.log

    @pytest.mark.parametrize("left", [None, "", "x", "0\n1"])
    def test_without_an_exit_code_nothing_is_proven(
        self, left: str | None, cloud_build: Callable[..., Any], tmp_path: Path
    ) -> None:
        folder = tmp_path / "verification/region-verification"
        folder.mkdir()
        if left is not None:
            (folder / "exit-code").write_text(left)
        assert cloud_build("region-verification-result").code == 70

    def test_a_build_elsewhere_does_not_begin(self, cloud_build: Callable[..., Any]) -> None:
        done = cloud_build("prepare", LOCATION="us-central1")
        assert (done.code, done.log) == (2, "This build runs in us-central1, and not in europe-west3: see --region.\n")

    def test_no_step_of_others_can_change_the_policy_or_a_result(
        self,
        cloud_build: Callable[..., Any],
        documents: Callable[[str], list[Any]],
        program: Callable[[str, str], Path],
        tmp_path: Path,
    ) -> None:
        program("diga-verify", "#!/bin/sh\ncase $* in *--policy=regions.toml*) ! cmp -s regions.toml weak ;; esac\n")
        for folder in ("workspace", "verification"):
            (tmp_path / folder / "weak").write_text("a weaker policy")
        assert cloud_build("prepare").code == 0
        (tmp_path / "workspace/regions.toml").write_text("a weaker policy")
        assert cloud_build(*REGION[1:]).code == 0
        assert cloud_build(*COMPLIANCE[1:]).code == 0
        steps = documents("deploy/cloud-build/cloudbuild.yaml")[0]["steps"]
        assert steps[0]["id"] == "prepare"
        volume = {"name": "verification", "path": "/verification"}
        assert [step["id"] for step in steps if step.get("volumes") == [volume]] == [*REGION, *COMPLIANCE[1:]]
        assert len([step for step in steps if "volumes" in step]) == 5
        # Another user's image writes there.
        assert (tmp_path / "verification").stat().st_mode & 0o777 == 0o777

    def test_whatever_a_substitution_holds_is_a_word(
        self, hostile: str, cloud_build: Callable[..., Any], straw: Any, tmp_path: Path
    ) -> None:
        straw(0)
        names = ("_STAGING_PROJECT", "_PRODUCTION_PROJECT", "_ATTEST_KEY", "_REPORTS_BUCKET", "BUILD_ID")
        env = dict.fromkeys((*names, "_DIGA_VERIFY_ACCOUNT"), hostile)
        assert cloud_build(*REGION, *COMPLIANCE[1:], **env).code == 0
        assert sum(hostile in word for word in straw.words) == 3 * 2 + 1
        for policy in (hostile, "--help", ""):
            done = cloud_build("prepare", _POLICY=policy)
            assert (done.code, "install: " in done.log) == (1, True)

    @pytest.mark.parametrize("account", ["", " ", "-", "diga-verify"])
    def test_an_account_that_was_not_filled_in_is_not_the_build_s_own(
        self, account: str, cloud_build: Callable[..., Any], program: Callable[[str, str], Path], tmp_path: Path
    ) -> None:
        program("diga-verify", f'#!/bin/sh\nexec "{GATE}" "$@"\n')
        assert cloud_build(*COMPLIANCE, _PRODUCTION_PROJECT="dtx-data", _DIGA_VERIFY_ACCOUNT=account).code == 3
        report = json.loads((tmp_path / "verification/compliance-verification/report.json").read_text("utf-8"))
        assert {one["reason"] for one in report["unread"]} == {"invalid_request"}

    def test_the_page_s_way_to_see_it_stop(self, cloud_build: Callable[..., Any], straw: Any, tmp_path: Path) -> None:
        straw(1, "{}")
        blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
        [block] = [block for block in blocks if "=/verification/" in block]
        script = YAML(typ="safe", pure=True).load(block)["script"]
        cloud_build("prepare")
        assert cloud_build("region-verification", overridden=script).code == 0
        assert cloud_build("region-verification-result").code == 1
        assert (tmp_path / "verification/region-verification/report.json").is_file()

    @pytest.mark.parametrize("stage", [REGION, COMPLIANCE], ids=["region", "compliance"])
    def test_a_script_that_is_left_over_from_a_try_does_not_pass(
        self, stage: tuple[str, ...], cloud_build: Callable[..., Any], program: Callable[[str, str], Path]
    ) -> None:
        program("diga-verify", f'#!/bin/sh\nexec "{GATE}" demo --world compliant\n')
        assert cloud_build(*stage).code == 3
