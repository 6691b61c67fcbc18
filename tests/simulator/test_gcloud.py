"""Google's own command line, where it is installed, sees what the world holds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diga_verify.simulator.server import Simulator

SERVICES = {
    "CONTAINER": "container.googleapis.com/",
    "SQL": "sqladmin.googleapis.com/",
    "REDIS": "redis.googleapis.com/",
    "FIRESTORE": "firestore.googleapis.com/",
    "STORAGE": "storage.googleapis.com/storage/v1/",
    "CLOUDKMS": "cloudkms.googleapis.com/",
    "CLOUDASSET": "cloudasset.googleapis.com/",
    "SERVICEUSAGE": "serviceusage.googleapis.com/",
    "CLOUDRESOURCEMANAGER": "cloudresourcemanager.googleapis.com/",
}
"""The names by which gcloud knows the services, and what it wants for their endpoints."""

ASSET_TYPES = "cloudkms.googleapis.com/CryptoKey,storage.googleapis.com/Bucket"


@pytest.fixture
def run(pairs: Simulator, tmp_path: Path) -> Callable[..., Any]:
    """Runs a program with settings of its own, none of the user's, and reads the JSON that it prints."""
    overrides = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"{pairs.url}/{path}" for name, path in SERVICES.items()}
    environment = overrides | {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_CORE_PROJECT": "dtx-pairs",
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        "CLOUDSDK_AUTH_ACCESS_TOKEN": "none",
    }

    def ask(program: str, *arguments: str) -> Any:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
        done = subprocess.run(
            [program, *arguments], env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return ask


def _short(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"].rpartition("/")[2] for item in items]


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("container clusters list", {"one", "two"}),
        ("sql instances list", {"one", "two"}),
        ("redis instances list --region=-", {"one", "two"}),
        ("firestore databases list", {"(default)", "named"}),
        ("firestore backups list --location=-", {"a", "b"}),
        ("storage buckets list", {"dtx-one", "dtx-two"}),
        ("kms keyrings list --location=global", {"other"}),
        ("kms keys list --location=europe-west3 --keyring=ring", {"old", "new"}),
        (f"asset list --project=dtx-pairs --asset-types={ASSET_TYPES}", {"old", "new", "far", "dtx-one", "dtx-two"}),
    ],
)
def test_gcloud_lists_everything(command: str, names: set[str], run: Callable[..., Any]) -> None:
    found = _short(run("gcloud", *command.split(), "--format=json"))
    assert len(found) == len(names)
    assert set(found) == names


def test_gcloud_lists_the_enabled_services(run: Callable[..., Any]) -> None:
    found = run("gcloud", "services", "list", "--enabled", "--project=dtx-pairs", "--format=json")
    assert [one["config"]["name"] for one in found] == ["pubsub.googleapis.com", "storage.googleapis.com"]
    assert {one["state"] for one in found} == {"ENABLED"}


def test_gcloud_lists_sql_backups(run: Callable[..., Any]) -> None:
    runs = run("gcloud", "sql", "backups", "list", "--instance=-", "--format=json")
    assert {(one["instance"], one["id"], one["location"]) for one in runs} == {("one", "11", "eu"), ("two", "12", "us")}


@pytest.mark.parametrize(
    ("command", "key", "value"),
    [
        ("container clusters describe two --location=us-east1-b", "location", "us-east1-b"),
        ("sql instances describe two", "region", "us-east1"),
        ("redis instances describe two --region=us-east1", "state", "READY"),
        ("firestore databases describe --database=named", "locationId", "nam5"),
        ("storage buckets describe gs://dtx-two", "location", "US"),
        ("kms keys describe far --location=global --keyring=other", "purpose", "ENCRYPT_DECRYPT"),
    ],
)
def test_gcloud_describes_the_second_one(command: str, key: str, value: str, run: Callable[..., Any]) -> None:
    assert run("gcloud", *command.split(), "--format=json")[key] == value


def test_bq_lists_and_shows_datasets(run: Callable[..., Any], pairs: Simulator) -> None:
    api = [f"--api={pairs.url}/bigquery.googleapis.com", "--project_id=dtx-pairs", "--format=json"]
    assert [item["datasetReference"]["datasetId"] for item in run("bq", *api, "ls", "--max_results=9")] == [
        "one",
        "two",
    ]
    assert run("bq", *api, "show", "dtx-pairs:two")["location"] == "US"
