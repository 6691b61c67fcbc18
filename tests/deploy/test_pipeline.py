"""The pipeline files to copy: what their platforms and the linters say, and what must not be in a gate."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from check_jsonschema.builtin_schemas import get_builtin_schema  # type: ignore[import-untyped]
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOW = ROOT / "deploy/github/deployment.yml"
GITLAB = ROOT / "deploy/gitlab/diga-verify.gitlab-ci.yml"
CLOUD_BUILD = ROOT / "deploy/cloud-build/cloudbuild.yaml"
HOOKS = ROOT / ".pre-commit-hooks.yaml"
FILES = (ACTION, WORKFLOW, GITLAB, CLOUD_BUILD, HOOKS)
PAGE = ROOT / "docs/pipeline.md"
SHELLCHECK = shutil.which("shellcheck")


def documents(path: Path) -> list[Any]:
    return list(YAML(typ="safe", pure=True).load_all(path.read_text(encoding="utf-8")))


def nodes(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at whatever depth."""
    for key, item in value.items() if isinstance(value, dict) else [("", one) for one in value]:
        yield key, item
        if isinstance(item, dict | list):
            yield from nodes(item)


def scripts(path: Path) -> list[str]:
    """Every shell script of a file."""
    found = [
        "\n".join(item) if isinstance(item, list) else item
        for document in documents(path)
        for key, item in nodes(document)
        if key in {"run", "script", "before_script", "entry"}
    ]
    assert found
    return found


class TestTheirPlatforms:
    """Schemas are those that check-jsonschema ships."""

    @pytest.mark.parametrize(
        ("path", "schema"),
        [
            (ACTION, "github-actions"),
            (WORKFLOW, "github-workflows"),
            (GITLAB, "gitlab-ci"),
            (CLOUD_BUILD, "cloudbuild"),
        ],
        ids=lambda value: getattr(value, "name", value),
    )
    def test_take_their_form(self, path: Path, schema: str) -> None:
        validator = jsonschema.Draft7Validator(get_builtin_schema(f"vendor.{schema}"))
        assert [error.message for document in documents(path) for error in validator.iter_errors(document)] == []

    def test_zizmor_finds_nothing_not_even_pedantically(self, tmp_path: Path) -> None:
        folder = tmp_path / ".github/workflows"
        folder.mkdir(parents=True)
        pinned = WORKFLOW.read_text(encoding="utf-8").replace("@COMMIT", f"@{'0123456789' * 4} # v0.1.0")
        (folder / "deployment.yml").write_text(pinned, encoding="utf-8")
        shutil.copy(ACTION, tmp_path)
        shutil.copy(HOOKS, tmp_path)
        words = ["--offline", "--no-config", "--pedantic", "--strict-collection", "--collect=all", "--quiet"]
        zizmor = Path(sys.executable).with_name("zizmor")
        # Where CI is set it colours even what goes into a pipe.
        done = subprocess.run([zizmor, *words, "--color=never", tmp_path], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "No findings to report. Good job!\n"), done.stdout + done.stderr

    @pytest.mark.skipif(SHELLCHECK is None, reason="shellcheck is not installed")
    @pytest.mark.parametrize("path", FILES[:4], ids=lambda path: path.name)
    def test_shellcheck_finds_nothing(self, path: Path) -> None:
        for script in scripts(path):
            text = script if script.startswith("#!") else f"#!/bin/bash\n{script}"
            text = re.sub(r"\$\[\[ inputs\.([a-z-]+) \]\]", r"\1", text)
            done = subprocess.run([str(SHELLCHECK), "-"], input=text, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


class TestNothingWeakensTheGate:
    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_no_key_lets_a_failure_pass(self, path: Path) -> None:
        said = [(key, value) for document in documents(path) for key, value in nodes(document)]
        weak = {"continue-on-error", "allow_failure", "allowFailure", "allowExitCodes", "waitFor", "rules", "retry"}
        assert [one for one in said if one[0] in weak and one != ("allow_failure", False)] == []

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
    def test_no_script_swallows_a_failure(self, path: Path) -> None:
        for script in scripts(path):
            assert re.findall(r"\|\|\s*(?:true|:|echo)|set \+e|;\s*true\b", script) == []

    @pytest.mark.parametrize("path", [ACTION, WORKFLOW], ids=lambda path: path.name)
    def test_no_expression_stands_in_a_script(self, path: Path) -> None:
        assert [script for script in scripts(path) if "${{" in script] == []

    @pytest.mark.parametrize("path", [ACTION, WORKFLOW, PAGE], ids=lambda path: path.name)
    def test_every_action_is_pinned_to_a_commit_and_says_which_version_that_is(self, path: Path) -> None:
        used = re.findall(r"\buses: *(.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        ours = "OWNER/diga-verify@COMMIT"
        pinned = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
        assert used
        assert [one for one in used if one != ours and not pinned.fullmatch(one)] == []

    def test_one_version_of_an_action_has_one_commit(self) -> None:
        pins = set()
        for path in (ACTION, WORKFLOW, PAGE):
            pins |= set(re.findall(r"uses: *([\w./-]+)@([0-9a-f]{40}) # (\S+)", path.read_text(encoding="utf-8")))
        assert len({name for name, _, _ in pins}) == len(pins)


@pytest.fixture(scope="module")
def action() -> Any:
    return documents(ACTION)[0]


class TestTheAction:
    def test_what_uploads_runs_after_the_gate_whatever_its_result(self, action: Any) -> None:
        steps = action["runs"]["steps"]
        names = [step.get("id") or step["uses"].partition("@")[0] for step in steps]
        assert names == ["python", "install", "gate", "github/codeql-action/upload-sarif", "actions/upload-artifact"]
        assert ["always()" in step.get("if", "") for step in steps] == [False, False, False, True, True]

    def test_every_input_reaches_a_step_through_its_environment_or_with(self, action: Any) -> None:
        text = ACTION.read_text(encoding="utf-8").partition("\nruns:")[2]
        used = set(re.findall(r"inputs\.([a-z-]+)", text))
        assert used == set(action["inputs"])

    def test_every_output_is_one_that_the_gate_writes(self, action: Any) -> None:
        gate = next(step["run"] for step in action["runs"]["steps"] if step.get("id") == "gate")
        for name, output in action["outputs"].items():
            assert output["value"] == f"${{{{ steps.gate.outputs.{name} }}}}"
            assert f'echo "{name}=' in gate

    def test_the_page_lists_the_inputs_and_outputs_that_there_are(self, action: Any) -> None:
        listed = re.findall(r"^\| `([a-z-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        assert listed == [*action["inputs"], *action["outputs"]]


class TestTheStages:
    """A deployment cannot go on without its verification."""

    def test_github(self) -> None:
        jobs = documents(WORKFLOW)[0]["jobs"]
        assert [(name, job.get("needs")) for name, job in jobs.items()] == [
            ("build", None),
            ("region-verification", "build"),
            ("deploy-staging", "region-verification"),
            ("test-staging", "deploy-staging"),
            ("production", "test-staging"),
        ]
        assert [name for name, job in jobs.items() if "if" in job] == []
        steps = [step for job in jobs.values() for step in job["steps"]]
        assert [step for step in steps if "if" in step] == []
        gates = [step["with"] for step in steps if "diga-verify@" in step.get("uses", "")]
        assert [gate["environment"] for gate in gates] == ["staging", "production", "production"]
        assert (gates[2]["strict"], gates[2]["evidence"]) == (True, True)

    def test_github_verifies_after_an_approval_and_again_whenever_it_deploys_again(self) -> None:
        """In two jobs, the second could wait for its approval, or be run anew, weeks after the first."""
        jobs = documents(WORKFLOW)[0]["jobs"]
        [job] = [job for job in jobs.values() if job.get("environment") == "production"]
        steps = [step.get("name") or step.get("uses", "").partition("@")[0] for step in job["steps"]]
        assert steps == ["actions/checkout", "google-github-actions/auth", "compliance verification", "deployment"]
        assert job["steps"][2]["uses"] == "OWNER/diga-verify@COMMIT"

    def test_github_gives_no_job_more_than_it_needs(self) -> None:
        workflow = documents(WORKFLOW)[0]
        assert workflow["permissions"] == {}
        writes = {
            name: {right for right, level in job["permissions"].items() if level == "write"}
            for name, job in workflow["jobs"].items()
        }
        verification = {"id-token", "security-events"}
        assert writes["region-verification"] == writes["production"] == verification
        assert set().union(*writes.values()) == verification

    def test_gitlab(self) -> None:
        _, jobs = documents(GITLAB)
        gates = {name: job for name, job in jobs.items() if not name.startswith(".")}
        stages = {name: job["stage"] for name, job in gates.items()}
        region, compliance = "$[[ inputs.region-stage ]]", "$[[ inputs.compliance-stage ]]"
        assert stages == {
            "region-verification-staging": region,
            "region-verification-production": region,
            "compliance-verification": compliance,
        }
        assert {key for job in gates.values() for key in job} == {"extends", "stage", "script", "artifacts"}
        assert [name for name, job in gates.items() if "artifacts" in job] == ["compliance-verification"]
        assert jobs[".diga-verify"]["cache"] == jobs[".diga-verify"]["dependencies"] == []
        assert jobs[".diga-verify"]["artifacts"]["when"] == "always"
        # GitLab's default is otherwise for whoever makes the job a manual one: the pipeline would go on without it.
        assert jobs[".diga-verify"]["allow_failure"] is False
        assert "variables" not in jobs
        assert "stages" not in jobs

    def test_cloud_build(self) -> None:
        steps = documents(CLOUD_BUILD)[0]["steps"]
        assert [step["id"] for step in steps] == [
            "prepare",
            "build",
            "region-verification",
            "region-verification-result",
            "deploy-staging",
            "compliance-verification",
            "compliance-verification-result",
            "deploy-production",
        ]
        assert steps[3]["script"] == steps[6]["script"]
        assert documents(CLOUD_BUILD)[0]["options"]["automapSubstitutions"] is True

    def test_the_image_is_one_by_its_digest(self) -> None:
        build = documents(CLOUD_BUILD)[0]
        images = {step["name"] for step in build["steps"]}
        assert images == {"$_DIGA_VERIFY_IMAGE", "$_GCLOUD_IMAGE"}
        assert all("@sha256:" in build["substitutions"][name.removeprefix("$")] for name in images)


VALID = {
    "image": f"europe-west3-docker.pkg.dev/tools/images/diga-verify@sha256:{'0123456789abcdef' * 4}",
    "staging-project": "dtx-staging",
    "production-project": "example.com:dtx-data",
    "policy": "policies/regions.toml",
    "workload-identity-provider": "projects/1000/locations/global/workloadIdentityPools/ci/providers/gitlab",
    "service-account": "diga-verify@dtx-data.iam.gserviceaccount.com",
    "attest-key": "gcpkms://projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/1",
    "region-stage": "region verification",
    "compliance-stage": "compliance-verification",
}
"""What the inputs of the template are meant for."""
HOSTILE = ("{}'; touch x", "{}$(touch x)", "{}`touch x`", '{}"', "{}\ntouch x", "--help", "-h", "{} {}\t", "{}\\")


@pytest.fixture(scope="module")
def inputs() -> Any:
    return documents(GITLAB)[0]["spec"]["inputs"]


class TestTheInputsOfGitlab:
    @pytest.mark.parametrize("name", VALID)
    def test_a_pattern_takes_what_is_meant_and_nothing_that_a_shell_would_read(self, inputs: Any, name: str) -> None:
        pattern, good = inputs[name]["regex"], VALID[name]
        assert (pattern[0], pattern[-1]) == ("^", "$")
        # GitLab's patterns are RE2's, in which `$` is the end of the text and not of a line.
        taken = re.compile(pattern.removesuffix("$") + r"\Z")
        assert taken.search(good)
        assert [bad for bad in HOSTILE if taken.search(bad.format(good, good))] == []

    def test_every_input_has_a_pattern_and_every_one_is_used(self, inputs: Any) -> None:
        assert set(inputs) == set(VALID)
        used = set(re.findall(r"\$\[\[ inputs\.([a-z-]+) \]\]", GITLAB.read_text(encoding="utf-8")))
        assert used == set(inputs)

    def test_the_defaults_are_taken(self, inputs: Any) -> None:
        for one in inputs.values():
            assert re.search(one["regex"], one.get("default", "")) or "default" not in one


def test_the_hook_is_for_one_file_alone() -> None:
    [hook] = documents(HOOKS)[0]
    assert (hook["entry"], hook["language"]) == ("diga-verify policy check", "python")
    # `policy check` takes one file, and pre-commit hands over all that match.
    names = ("regions.toml", "a/regions.toml", "regions.toml.md")
    assert [name for name in names if re.search(hook["files"], name)] == ["regions.toml"]


def test_the_page_s_pipeline_for_gitlab_does_not_exist_without_its_verification() -> None:
    """GitLab makes no pipeline in which a job needs one that is not there."""
    blocks = re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    [text] = [block for block in blocks if "include:" in block]
    page, (spec, jobs) = YAML(typ="safe", pure=True).load(text), documents(GITLAB)
    [include] = page["include"]
    deploys = {name: job for name, job in page.items() if name.startswith("deploy-")}
    assert {name: job["needs"] for name, job in deploys.items()} == {
        "deploy-staging": ["region-verification-staging", "region-verification-production"],
        "deploy-production": ["compliance-verification"],
    }
    assert {need for job in deploys.values() for need in job["needs"]} == {name for name in jobs if name[0] != "."}
    assert [job["rules"] for job in deploys.values()] == [include["rules"]] * 2
    # Among the stages, each deployment behind its verification.
    defaults = [spec["spec"]["inputs"][name]["default"] for name in ("region-stage", "compliance-stage")]
    assert page["stages"][1:] == [defaults[0], "staging", defaults[1], "production"]
    required = {name for name, one in spec["spec"]["inputs"].items() if "default" not in one}
    assert set(include["inputs"]) == required
    digest = "0123456789abcdef" * 4
    values = {name: value.replace("DIGEST", digest) for name, value in include["inputs"].items()}
    patterns = {name: one["regex"] for name, one in spec["spec"]["inputs"].items()}
    assert [name for name, value in values.items() if not re.search(patterns[name], value)] == []
