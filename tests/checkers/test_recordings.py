"""Answers recorded from Google's servers, where there are any: all of them are read, and say where things lie.

The recordings are no part of this repository. DIGA_VERIFY_RECORDINGS names their folder; without it,
`../shared/recordings` beside the repository is tried.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from diga_verify.checkers.registry import BUILTIN
from diga_verify.gateway import answers
from diga_verify.locations.algebra import bound
from diga_verify.model import Item, Json, Role

FOLDER = Path(os.environ.get("DIGA_VERIFY_RECORDINGS", Path(__file__).parents[2].parent / "shared" / "recordings"))
SERVICES = ("gke", "sql", "redis", "bigquery", "firestore", "storage", "kms")
CHECKERS = {checker.type: checker for checker in BUILTIN}
_PLACE = r"/v1(?:beta1)?/projects/[^/]+/(?:locations|zones)/[^/]+"
KINDS = (
    # type, asset type, the path of a list (and of one of it, below that), the key of the list
    ("gke", "container.googleapis.com/Cluster", rf"{_PLACE}/clusters", "clusters"),
    ("sql", "sqladmin.googleapis.com/BackupRun", r".*/instances/[^/]+/backupRuns", "items"),
    ("sql", "sqladmin.googleapis.com/Instance", r"(?:/sql)?/v1(?:beta4)?/projects/[^/]+/instances", "items"),
    ("redis", "redis.googleapis.com/Instance", rf"{_PLACE}/instances", "instances"),
    ("redis", "redis.googleapis.com/Cluster", rf"{_PLACE}/clusters", "clusters"),
    ("bigquery", "bigquery.googleapis.com/Dataset", r"/bigquery/v2/projects/[^/]+/datasets", "datasets"),
    ("firestore", "firestore.googleapis.com/Database", r"/v1/projects/[^/]+/databases", "databases"),
    ("gcs", "storage.googleapis.com/Bucket", r"/storage/v1/b", "items"),
    ("kms", "cloudkms.googleapis.com/CryptoKey", rf"{_PLACE}/keyRings/[^/]+/cryptoKeys", "cryptoKeys"),
    ("kms", "cloudkms.googleapis.com/KeyRing", rf"{_PLACE}/keyRings", "keyRings"),
)
EXCEPTIONS = {
    "cloud-custodian__sqlbackuprun-query__get-sql-v1beta4-projects-cloud-custodian-instances-custodian-postgres-"
    "backupRuns_1.json": "recorded in 2019, before backup runs had a location: such a backup is unverified",
}
"""Recordings with a primary location that the table does not know, each with the reason why that is right."""


def recordings() -> Iterator[tuple[Path, Json]]:
    for service in SERVICES:
        for path in sorted((FOLDER / service).glob("*.json")):
            recording = json.loads(path.read_text("utf-8"))
            if not str(recording["source"].get("kind", "")).startswith("SYNTHETIC"):
                yield path, recording


def items(service: str, recording: Json) -> Iterator[tuple[str, str, Json]]:
    """Type, asset type and REST representation of what the answer holds, as far as a checker reads it."""
    type = {"storage": "gcs"}.get(service, service)
    path = urlsplit(recording["request"]["url"]).path.rstrip("/")
    for one, asset_type, pattern, key in KINDS:
        match = re.fullmatch(rf"({pattern})(/[^/]+)?", path)
        if one != type or match is None:
            continue
        answer = answers.understand(200, "application/json", json.dumps(recording["response"]["body"]).encode())
        for data in [answer] if match[2] else answer.get(key, []):
            yield type, asset_type, data
        return


def answered() -> list[Any]:
    """Every recorded answer of a list or get method that holds something for a checker."""
    found = []
    for path, recording in recordings():
        is_read = recording["request"].get("method") == "GET" and recording["response"].get("status") == 200
        held = list(items(path.parent.name, recording)) if is_read else []
        if held:
            found.append(pytest.param(held, path.name, id=f"{path.parent.name}/{path.stem}"))
    return found


ANSWERED = answered()


@pytest.mark.skipif(not FOLDER.is_dir(), reason="there are no recorded answers here; see DIGA_VERIFY_RECORDINGS")
def test_each_type_has_recordings() -> None:
    assert {held[0] for param in ANSWERED for held in param.values[0]} == set(CHECKERS)


@pytest.mark.parametrize(
    ("held", "name"),
    ANSWERED or [pytest.param([], "", marks=pytest.mark.skip(reason="there are no recorded answers here"))],
)
def test_recorded_answer(held: list[tuple[str, str, Json]], name: str) -> None:
    for type, asset_type, data in held:
        resource = CHECKERS[type].read(Item(asset_type, "recorded-project", data))
        own = [place for place in resource.placements if place.role is not Role.KEY]
        assert resource.full_name.startswith("//")
        home = own[0]
        known = bound(home.location, type, home.members) is not None
        assert known != (name in EXCEPTIONS), f"{resource.full_name}: {home}"
