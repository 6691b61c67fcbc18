"""The Terraform of the account and of the Cloud Run job: in Frankfurt, for nobody else, and its arguments are
understood. Without the provider, Terraform itself looks at the form only; hence these tests read what it says."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hcl2
import pytest

from diga_verify.cli import main
from diga_verify.locations.algebra import explain
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

ROOT = Path(__file__).parents[2]
FOLDERS = ("terraform", "cloud-run")
FILES = sorted(file for folder in FOLDERS for file in (ROOT / "deploy" / folder).glob("*.tf"))
REPORTS, POLICY = "/var/lib/diga-verify", "/etc/diga-verify/regions.toml"


def plain(value: Any) -> Any:
    """What a file says: texts without their quotes, and blocks without what the parser adds."""
    if isinstance(value, dict):
        return {plain(key): plain(one) for key, one in value.items() if not key.startswith("__")}
    if isinstance(value, list):
        return [plain(one) for one in value]
    return value[1:-1] if isinstance(value, str) and re.fullmatch('".*"', value, re.DOTALL) else value


def blocks(kind: str, folder: str) -> dict[str, Any]:
    """The blocks of a kind in a folder by their names, which for resources are `type.name`."""
    found: dict[str, Any] = {}
    for file in (one for one in FILES if one.parent.name == folder):
        for block in plain(hcl2.loads(file.read_text("utf-8"))).get(kind, []):
            for label, body in block.items():
                named = {f"{label}.{name}": body[name] for name in body}
                found |= named if kind == "resource" else {label: body}
    return found


ACCOUNT, RUN = (blocks("resource", folder) for folder in FOLDERS)
JOB = RUN["google_cloud_run_v2_job.diga_verify"]
[TASK] = JOB["template"][0]["template"]
[CONTAINER] = TASK["containers"]
[LOCALS] = plain(hcl2.loads((ROOT / "deploy/cloud-run/main.tf").read_text("utf-8")))["locals"]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_reads_and_would_not_reformat_it() -> None:
    subprocess.run(["terraform", "fmt", "-check", "-recursive", ROOT / "deploy"], check=True, timeout=60)


def test_every_place_is_frankfurt() -> None:
    """Written once, as a region that the default policy allows; whatever has a place has that one."""
    [place] = explain(LOCALS["region"])
    assert (place.location, place.bound and place.bound.countries) == ("europe-west3", ("DE",))
    places = [
        said for resource in (ACCOUNT | RUN).values() for key, said in walk(resource) if key in {"location", "region"}
    ]
    assert places == ["${local.region}"] * 5
    texts = "".join(file.read_text("utf-8") for file in FILES)
    assert {*re.findall(r"\b(?:africa|asia|australia|europe|me|us|northamerica|southamerica)-[a-z]+\d", texts)} == {
        "europe-west3"
    }


def test_everybody_who_may_do_anything_is_one_of_two_accounts() -> None:
    bindings = {name: body for name, body in (ACCOUNT | RUN).items() if "_iam_" in name and "_role" not in name}
    assert {name: (body["role"], body["member"]) for name, body in bindings.items()} == {
        "google_project_iam_member.diga_verify": ("${each.value.name}", "${google_service_account.diga_verify.member}"),
        "google_service_account_iam_member.kubernetes": (
            "roles/iam.workloadIdentityUser",
            "serviceAccount:${var.cluster_project}.svc.id.goog[diga-verify/diga-verify]",
        ),
        "google_cloud_run_v2_job_iam_member.scheduler": (
            "roles/run.invoker",
            "${google_service_account.scheduler.member}",
        ),
        "google_secret_manager_secret_iam_member.policy": (
            "roles/secretmanager.secretAccessor",
            "${module.account.member}",
        ),
        "google_storage_bucket_iam_member.reports": ("roles/storage.objectUser", "${module.account.member}"),
    }
    assert not [body for body in bindings.values() if "condition" in body]


def test_the_roles_are_the_files_that_are_made() -> None:
    role = ACCOUNT["google_project_iam_custom_role.diga_verify"]
    assert (role["for_each"], role["permissions"]) == ("${local.roles}", "${each.value.includedPermissions}")
    text = (ROOT / "deploy/terraform/main.tf").read_text("utf-8")
    assert 'yamldecode(file("${path.module}/roles/${name}.yaml"))' in text
    names = {file.stem for file in (ROOT / "deploy/terraform/roles").glob("*.yaml")}
    assert names == {"gate", "witness", "deep", "restore"}
    for folder in FOLDERS:
        assert blocks("variable", folder)["roles"]["default"] == ["gate", "witness"]


def test_a_result_is_no_reason_to_try_again() -> None:
    schedule = RUN["google_cloud_scheduler_job.diga_verify"]
    assert TASK["max_retries"] == 0
    assert schedule["retry_config"] == [{"retry_count": 0}]
    assert (JOB["template"][0]["task_count"], JOB["template"][0]["parallelism"]) == (1, 1)


def test_it_runs_hourly_in_berlins_time_and_the_job_has_more_time_than_the_run() -> None:
    schedule = RUN["google_cloud_scheduler_job.diga_verify"]
    assert (schedule["schedule"], schedule["time_zone"]) == ("${var.schedule}", "Europe/Berlin")
    assert re.fullmatch(r"[0-5]?\d \* \* \* \*", blocks("variable", "cloud-run")["schedule"]["default"])
    assert not schedule.get("paused", False)
    assert TASK["timeout"] == "${local.deadline + 120}s"
    assert "--deadline=${local.deadline}" in CONTAINER["args"]


def test_the_schedule_starts_this_job_as_an_account_that_may_do_nothing_else() -> None:
    [target] = RUN["google_cloud_scheduler_job.diga_verify"]["http_target"]
    assert target["http_method"] == "POST"
    assert "${google_cloud_run_v2_job.diga_verify.name}:run" in target["uri"]
    assert target["oauth_token"] == [{"service_account_email": "${google_service_account.scheduler.email}"}]
    rights = [name for name, body in RUN.items() if body.get("member") == "${google_service_account.scheduler.member}"]
    assert rights == ["google_cloud_run_v2_job_iam_member.scheduler"]
    assert TASK["service_account"] == "${module.account.email}"


@pytest.mark.parametrize(
    ("image", "accepted"),
    [
        ("europe-west3-docker.pkg.dev/dtx-tools/tools/diga-verify@sha256:" + 64 * "a", True),
        ("europe-west3-docker.pkg.dev/dtx-tools/tools/diga-verify:latest", False),
        ("europe-west3-docker.pkg.dev/dtx-tools/tools/diga-verify", False),
        ("us-docker.pkg.dev/dtx-tools/tools/diga-verify@sha256:" + 64 * "a", False),
        ("europe-west3-docker.pkg.dev/dtx-tools/tools/diga-verify@sha256:" + 63 * "a", False),
    ],
)
def test_the_image_is_of_frankfurts_registry_and_named_by_its_digest(image: str, accepted: bool) -> None:
    assert CONTAINER["image"] == "${var.image}"
    [validation] = blocks("variable", "cloud-run")["image"]["validation"]
    found = re.fullmatch(r'\$\{can\(regex\("(.*)", var\.image\)\)\}', validation["condition"])
    assert found
    pattern = found[1].replace("\\\\", "\\")
    assert bool(re.search(pattern, image)) is accepted


def test_the_policy_is_the_one_that_was_applied_and_reports_are_kept() -> None:
    volumes = {volume["name"]: volume for volume in TASK["volumes"]}
    mounts = {mount["name"]: mount["mount_path"] for mount in CONTAINER["volume_mounts"]}
    assert mounts == {"policy": str(Path(POLICY).parent), "reports": REPORTS}
    [secret] = volumes["policy"]["secret"]
    version = "${google_secret_manager_secret_version.policy.version}"
    assert secret["items"] == [{"path": Path(POLICY).name, "version": version}]
    bucket = RUN["google_storage_bucket.reports"]
    assert bucket["public_access_prevention"] == "enforced"
    assert bucket["uniform_bucket_level_access"] is True
    assert bucket["versioning"] == [{"enabled": True}]


@pytest.fixture(params=[("compliant", 0), ("demo", 1)], ids=["compliant", "violations"])
def simulated(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """The address of a simulated project, and the exit code that its verification has."""
    world, code = request.param
    with Simulator(shipped_world(world)) as simulator:
        yield simulator.url, code


def arguments(tmp_path: Path, environment: str) -> list[str]:
    """The job's, with what the variables and the mounts stand for."""
    said = {
        "${var.environment}": environment,
        "${var.verified_project}": "dtx-data",
        "${local.deadline}": str(LOCALS["deadline"]),
        POLICY: str(ROOT / "regions.toml"),
        REPORTS: str(tmp_path),
    }
    words: list[str] = CONTAINER["args"]
    for name, value in said.items():
        words = [word.replace(name, value) for word in words]
    return words


def test_the_arguments_are_understood(simulated: tuple[str, int], tmp_path: Path) -> None:
    root, code = simulated
    verb, *words = arguments(tmp_path, blocks("variable", "cloud-run")["environment"]["default"])
    assert main.run([verb, "--api-root", root, *words]) == code
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert (report["exit_code"], report["environment"], report["scope"]) == (code, "production", "project")


def test_what_asks_a_stand_in_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for one in CONTAINER["env"]:
        monkeypatch.setenv(one["name"], one["value"])
    verb, *words = arguments(tmp_path, "production")
    with Simulator(shipped_world("compliant")) as simulator:
        assert main.run([verb, "--api-root", simulator.url, *words]) == 3


@pytest.mark.parametrize("environment", ["--version", "--help", "types", ""])
def test_an_environment_is_nothing_else(environment: str, tmp_path: Path) -> None:
    assert main.run(arguments(tmp_path, environment)) == 2


def test_the_metrics_go_where_the_variable_says() -> None:
    [dynamic] = CONTAINER["dynamic"]
    assert dynamic["env"]["content"] == [{"name": "DIGA_VERIFY_PUSH_GATEWAY", "value": "${env.value}"}]


def condition(policy: str) -> Any:
    [condition] = RUN[f"google_monitoring_alert_policy.{policy}"]["conditions"]
    return condition


def test_somebody_is_told_when_a_run_fails() -> None:
    [failed] = condition("failed")["condition_threshold"]
    assert 'metric.labels.result = \\"failed\\"' in failed["filter"]
    # A run that passes is another series, which does not end the alert; and one that goes on is not told twice.
    [strategy] = RUN["google_monitoring_alert_policy.failed"]["alert_strategy"]
    assert strategy == {"auto_close": "7200s"}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
@pytest.mark.parametrize(
    ("runs", "told"),
    [
        ({}, True),
        ({"succeeded": "1x1"}, True),
        ({"succeeded": "1x4"}, False),
        ({"failed": "1x4"}, False),
        ({"failed": "1x1", "succeeded": "1x4"}, False),
    ],
    ids=["never ran", "runs no more", "succeeds", "fails", "failed and succeeds"],
)
def test_somebody_is_told_when_there_are_no_runs(runs: dict[str, str], told: bool, tmp_path: Path) -> None:
    """Also when there never was one, which Cloud Monitoring's own condition for absence does not notice.

    https://cloud.google.com/monitoring/alerts/metric-absence
    """
    [stopped] = condition("stopped")["condition_prometheus_query_language"]
    query = stopped["query"].removeprefix("<<-END").removesuffix("END")
    for name, value in {
        "google_cloud_run_v2_job.diga_verify.name": JOB["name"],
        "local.region": LOCALS["region"],
        "var.project": "dtx-tools",
    }.items():
        query = query.replace(f"${{{name}}}", value)
    place = 'monitored_resource="cloud_run_job", project_id="dtx-tools", location="europe-west3"'
    metric = f"run_googleapis_com:job_completed_execution_count{{{place}"
    series = [{"series": f'{metric}, job_name="another", result="succeeded"}}', "values": "1x4"}]
    series += [
        {"series": f'{metric}, job_name="diga-verify", result="{result}"}}', "values": values}
        for result, values in runs.items()
    ]
    rule = {"alert": "Stopped", "expr": f"count({query})"}
    alert = {"eval_time": "4h30m", "alertname": "Stopped", "exp_alerts": [{}] if told else []}
    test = {"interval": "1h", "input_series": series, "alert_rule_test": [alert]}
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "alerts", "rules": [rule]}]}))
    (tmp_path / "test.yml").write_text(json.dumps({"rule_files": ["rules.yml"], "tests": [test]}))
    command = ["promtool", "test", "rules", "test.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def walk(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at whatever depth."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield key, one
            yield from walk(one)
    elif isinstance(value, list):
        for one in value:
            yield from walk(one)
