"""The CronJob: valid to Kubernetes, in Frankfurt, with the fewest rights, and its arguments are understood."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
from ruamel.yaml import YAML

from diga_verify.cli import main
from diga_verify.locations.algebra import explain
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
FILES = sorted(file for file in FOLDER.glob("*.yaml") if file.name != "kustomization.yaml")
REPORTS, POLICY = "/var/lib/diga-verify", "/etc/diga-verify/regions.toml"


def load(name: str) -> Any:
    return YAML(typ="safe").load(FOLDER / name)


CRONJOB = load("cronjob.yaml")["spec"]
JOB = CRONJOB["jobTemplate"]["spec"]
POD = JOB["template"]["spec"]
[CONTAINER] = POD["containers"]


@pytest.mark.parametrize("version", ["1.31", "1.37"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_valid_to_kubernetes(file: Path, version: str) -> None:
    kubernetes_validate.validate(YAML(typ="safe").load(file), version, strict=True)


def test_the_kustomization_has_every_file_and_says_what_to_change() -> None:
    kustomization = load("kustomization.yaml")
    assert sorted(kustomization["resources"]) == [file.name for file in FILES]
    texts = {file.name: file.read_text("utf-8").count("# CHANGE") for file in FOLDER.glob("*.yaml")}
    assert {name: count for name, count in texts.items() if count} == {
        "cronjob.yaml": 3,
        "kustomization.yaml": 2,
        "networkpolicy.yaml": 1,
        "serviceaccount.yaml": 1,
    }


def test_the_image_is_of_frankfurts_registry_and_named_by_its_digest() -> None:
    [image] = load("kustomization.yaml")["images"]
    assert CONTAINER["image"] == image["name"]
    assert image["newName"].startswith("europe-west3-docker.pkg.dev/")
    assert re.fullmatch("sha256:0{64}", image["digest"])  # no image has it, so one that is forgotten starts nothing
    assert "newTag" not in image


def test_the_policy_cannot_be_changed_in_place() -> None:
    [policy] = load("kustomization.yaml")["configMapGenerator"]
    assert policy["options"] == {"immutable": True}
    assert policy["files"] == [Path(POLICY).name]
    mounts = {mount["name"]: mount for mount in CONTAINER["volumeMounts"]}
    assert mounts["policy"] == {"name": "policy", "mountPath": str(Path(POLICY).parent), "readOnly": True}
    assert [volume["configMap"] for volume in POD["volumes"] if "configMap" in volume] == [{"name": policy["name"]}]


def test_it_runs_hourly_in_berlins_time_one_run_at_a_time_and_is_not_suspended() -> None:
    assert re.fullmatch(r"[0-5]?\d \* \* \* \*", CRONJOB["schedule"])
    assert (CRONJOB["timeZone"], CRONJOB["concurrencyPolicy"]) == ("Europe/Berlin", "Forbid")
    assert not CRONJOB.get("suspend", False)


def test_a_result_is_no_reason_to_try_again_and_a_lost_node_is() -> None:
    assert (JOB["backoffLimit"], POD["restartPolicy"]) == (0, "Never")
    assert JOB["podFailurePolicy"]["rules"] == [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    ]


def test_the_job_has_more_time_than_the_run() -> None:
    [deadline] = [int(word.partition("=")[2]) for word in CONTAINER["args"] if word.startswith("--deadline=")]
    assert deadline + 120 <= JOB["activeDeadlineSeconds"] < 3600


def test_the_pod_is_restricted() -> None:
    """As the Pod Security Standard `restricted` has it, and its file system read-only besides."""
    labels = load("namespace.yaml")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    security = POD["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")} == {65532}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert CONTAINER["resources"]["limits"]["memory"]
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & {*POD}


def test_the_user_is_the_images() -> None:
    """`USER` of the image definition, which a bucket's mount of Cloud Run names too."""
    users = re.findall(
        r"^USER (\d+):(\d+)$", (ROOT / "deploy/container/Containerfile").read_text("utf-8"), re.MULTILINE
    )
    assert users == [("65532", "65532")]
    assert 'mount_options = ["uid=65532", "gid=65532"]' in (ROOT / "deploy/cloud-run/main.tf").read_text("utf-8")


def test_the_pod_has_no_token_for_kubernetes_and_a_google_account_of_its_own() -> None:
    account = load("serviceaccount.yaml")
    assert account["automountServiceAccountToken"] is POD["automountServiceAccountToken"] is False
    assert POD["serviceAccountName"] == account["metadata"]["name"]
    assert account["metadata"]["annotations"]["iam.gke.io/gcp-service-account"].startswith("diga-verify@")
    namespace, name = load("namespace.yaml")["metadata"]["name"], account["metadata"]["name"]
    assert f"svc.id.goog[{namespace}/{name}]" in (ROOT / "deploy/terraform/main.tf").read_text("utf-8")
    assert load("kustomization.yaml")["namespace"] == namespace


def test_it_runs_where_the_default_policy_allows() -> None:
    assert POD["nodeSelector"] == {"topology.kubernetes.io/region": "europe-west3"}
    [place] = explain(POD["nodeSelector"]["topology.kubernetes.io/region"])
    assert place.bound is not None
    assert place.bound.countries == ("DE",)


def test_the_network_lets_nothing_in_and_only_some_out() -> None:
    spec = load("networkpolicy.yaml")["spec"]
    assert (spec["podSelector"], spec["policyTypes"]) == ({}, ["Ingress", "Egress"])
    assert "ingress" not in spec
    ports = sorted({port["port"] for rule in spec["egress"] for port in rule["ports"]})
    assert ports == [53, 80, 443, 988, 9091]
    anywhere = [rule for rule in spec["egress"] if "to" not in rule]
    assert [{port["port"] for port in rule["ports"]} for rule in anywhere] == [{53}]


def test_what_asks_a_stand_in_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in CONTAINER["env"]:
        monkeypatch.setenv(one["name"], one["value"])
    words = ["production", "dtx-data", f"--policy={ROOT / 'regions.toml'}", f"--output={tmp_path / 'report.json'}"]
    with Simulator(shipped_world("compliant")) as simulator:
        assert main.run([*words, "--api-root", simulator.url]) == 3


@pytest.fixture(
    params=[("compliant", (), 0), ("demo", (), 1), ("compliant", ("storage.buckets.list",), 3)],
    ids=["compliant", "violations", "not verified"],
)
def simulated(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """The address of a simulated project, and the exit code that its verification has."""
    world, denied, code = request.param
    with Simulator(replace(shipped_world(world), denied=frozenset(denied))) as simulator:
        yield simulator.url, code


def test_the_arguments_are_understood(
    simulated: tuple[str, int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, code = simulated
    words = [
        word.replace(POLICY, str(ROOT / "regions.toml")).replace(REPORTS, str(tmp_path)) for word in CONTAINER["args"]
    ]
    words = [re.sub("^--push-gateway=.*", "--push-gateway=http://127.0.0.1:1", word) for word in words]
    assert main.run([*words, "--api-root", root]) == code
    assert "http://127.0.0.1:1" in capsys.readouterr().err  # nobody is there: a warning, and the same exit code
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["exit_code"], report["scope"]) == (code, "project")
    complete = re.search('^  "complete": true', (tmp_path / "report.json").read_text("utf-8"), re.MULTILINE)
    assert report["complete"] == (complete is not None)  # the words that the pod looks for
    assert (tmp_path / "audit.ndjson").read_text("utf-8").count('"residency-run"') == 1


def test_each_run_is_compared_with_the_last_complete_one(
    program: Callable[[str, str], Path], shell: Callable[..., Any], tmp_path: Path
) -> None:
    """What the pod does before the program, which here shows its words and leaves the report that it is given."""
    program("diga-verify", '#!/bin/sh\necho "words: $*"\nprintf "%s" "$REPORT" > report.json\nexit 3\n')
    sh, c, script, name = CONTAINER["command"]
    assert (sh, c, name) == ("sh", "-c", "diga-verify")
    (tmp_path / "kept").mkdir()
    given = 'set -- production "a b"\n' + script.replace(REPORTS, f"{tmp_path}/kept")

    def said(report: str) -> str:
        done = shell(given, ("sh",), REPORT=report)
        assert done.code == 3
        return str(done.log)

    complete, part = (json.dumps({"n": n, "complete": n == 1}, indent=2) for n in (1, 2))
    assert said(complete) == "words: production a b\n"
    assert [said(part), said(part)] == 2 * ["words: production a b --baseline=last.json\n"]
    assert (tmp_path / "kept" / "last.json").read_text("utf-8") == complete


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_puts_the_parts_together(tmp_path: Path) -> None:
    folder = tmp_path / "kubernetes"
    shutil.copytree(FOLDER, folder)
    shutil.copy(ROOT / "regions.toml", folder)
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True, timeout=60)
    made = {one["kind"]: one for one in YAML(typ="safe").load_all(done.stdout)}
    for one in made.values():
        kubernetes_validate.validate(one, "1.37", strict=True)
        assert one["kind"] == "Namespace" or one["metadata"]["namespace"] == "diga-verify"
    pod = made["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    image = "europe-west3-docker.pkg.dev/dtx-tools/tools/diga-verify@sha256:" + 64 * "0"
    assert pod["containers"][0]["image"] == image
    name = made["ConfigMap"]["metadata"]["name"]
    assert re.fullmatch("diga-verify-policy-[a-z0-9]{10}", name)
    assert {"name": "policy", "configMap": {"name": name}} in pod["volumes"]
    assert made["ConfigMap"]["data"]["regions.toml"] == (ROOT / "regions.toml").read_text("utf-8")
