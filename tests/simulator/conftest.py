"""Simulators that end with the test, ways to ask them, and all that the shipped worlds answer."""

from __future__ import annotations

import itertools
import re
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
import requests

from diga_verify.simulator.server import Simulator
from diga_verify.simulator.services import SERVICES
from diga_verify.simulator.world import SHIPPED, World, shipped_world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from diga_verify.simulator.routes import Route

WORDS = {
    "scope": ["projects"],
    "project": ["dtx-data"],
    "location": ["europe-west3", "nam5", "global", "-"],
    "cluster": ["dta-cluster", "dta-sessions"],
    "pool": ["system", "work"],
    "instance": ["dta-postgres", "dta-redis", "-"],
    "run": ["1795399200000", "1795226400000"],
    "backup": ["0f6f1f3c-8f0a-4f0e-9a59-2a1a6b6f9d11", "monday", "tuesday", "7f1c0b52-default", "7f1c0b52-consents"],
    "collection": ["dta-sessions-backups", "-"],
    "dataset": ["de", "de_reporting"],
    "job": ["a-job"],
    "database": ["(default)", "consents"],
    "schedule": ["daily"],
    "bucket": ["dtx-uploads", "dtx-video"],
    "ring": ["dta-ring", "legacy", "signers"],
    "key": ["dta-key", "old-key", "p256"],
    "version": ["1"],
}
"""What may stand in each place of a path, in the shipped worlds."""

REPLICAS = "SELECT * FROM `region-europe-west3`.INFORMATION_SCHEMA.SCHEMATA_REPLICAS"
BODIES = {
    "queries": {"query": REPLICAS, "useLegacySql": False},
    "jobs": {"jobReference": {"jobId": "a-job"}, "configuration": {"query": {"query": REPLICAS}}},
    "testIamPermissions": {"permissions": ["storage.buckets.list"]},
    "asymmetricSign": {"digest": {"sha256": "A" * 43 + "="}, "digestCrc32c": "2324772522"},
}
"""What is posted, by the last word of the path."""
SIGNERS = {
    "project": {"id": "dtx-data", "number": "100000000001"},
    "kms": {
        "keyRings": [
            {
                "name": "signers",
                "location": "europe-west3",
                "cryptoKeys": [
                    {
                        "name": "p256",
                        "purpose": "ASYMMETRIC_SIGN",
                        "versionTemplate": {"algorithm": "EC_SIGN_P256_SHA256"},
                    }
                ],
            }
        ]
    },
}
"""A world with what the shipped ones have not: a key that signs."""


@pytest.fixture
def serve() -> Iterator[Callable[..., Simulator]]:
    """Serves a world, or the sections of one over a bare project, until the test ends."""
    with ExitStack() as stack:

        def start(world: World | None = None, **sections: Any) -> Simulator:
            bare = {"project": {"id": "p", "number": "1"}}
            return stack.enter_context(Simulator(world or World.from_dict(bare | sections)))

        yield start


@pytest.fixture(scope="session")
def fetch() -> Iterator[Callable[..., requests.Response]]:
    """Sends a request to a simulator, by host and path; redirects are not followed."""
    with requests.Session() as session:

        def send(simulator: Simulator, path: str, *, method: str = "GET", **options: Any) -> requests.Response:
            defaults = {"allow_redirects": False, "timeout": 10}
            return session.request(method, f"{simulator.url}/{path}", **defaults | options)

        yield send


@pytest.fixture(scope="session")
def fetch_pages(fetch: Callable[..., requests.Response]) -> Callable[..., list[dict[str, Any]]]:
    """All pages of a list."""

    def walk(simulator: Simulator, path: str, **query: object) -> list[dict[str, Any]]:
        pages: list[dict[str, Any]] = []
        while not pages or "nextPageToken" in pages[-1]:
            token = {"pageToken": pages[-1]["nextPageToken"]} if pages else {}
            answer = fetch(simulator, path, params=query | token)
            assert answer.status_code == 200, answer.text
            pages.append(answer.json())
        return pages

    return walk


@pytest.fixture(scope="session")
def shipped_answers(
    fetch: Callable[..., requests.Response], fetch_pages: Callable[..., list[dict[str, Any]]]
) -> list[tuple[str, Route, dict[str, Any]]]:
    """Every answer of the shipped worlds: host, route and JSON, of lists all pages."""
    found = []
    for world in (*map(shipped_world, SHIPPED), World.from_dict(SIGNERS)):
        with Simulator(world) as simulator:
            for host, service in SERVICES.items():
                for route in sorted(service.routes, key=lambda route: route.method, reverse=True):
                    query = {"project": "dtx-data"} if "project" in route.query else {}
                    for path in _paths(host, route):
                        body = BODIES[re.split("[/:]", path)[-1]] if route.method == "POST" else None
                        answer = fetch(simulator, path, method=route.method, params=query, json=body)
                        if answer.status_code != 200:
                            no_signer = 400 if "/{version}" in route.template else 404
                            assert answer.status_code in {404, no_signer}, answer.text
                        elif "nextPageToken" in answer.json():
                            found += [(host, route, page) for page in fetch_pages(simulator, path, **query)]
                        else:
                            found.append((host, route, answer.json()))
    return found


def _paths(host: str, route: Route) -> list[str]:
    places = re.findall(r"\{(\w+)\}", route.template)
    choices = itertools.product(*(WORDS[place] for place in places))
    return [f"{host}/{route.template.format(**dict(zip(places, choice, strict=True)))}" for choice in choices]


@pytest.fixture(scope="session")
def pairs() -> Iterator[Simulator]:
    """A project with two of everything, the second one elsewhere, and a single item to a page."""
    here, there = "europe-west3", "us-east1"
    world = {
        "project": {"id": "dtx-pairs", "number": "4711"},
        "paging": {"size": 1},
        "iam": {"denied": ["storage.buckets.update"]},
        "serviceusage": {"services": ["storage.googleapis.com", "pubsub.googleapis.com"]},
        "gke": {
            "clusters": [
                {"name": "one", "location": here, "nodePools": [{"name": "a"}, {"name": "b"}]},
                {"name": "two", "location": f"{there}-b", "nodePools": [{"name": "c"}]},
            ]
        },
        "sql": {
            "instances": [{"name": "one", "region": here}, {"name": "two", "region": there}],
            "backupRuns": [
                {"instance": "one", "id": "11", "location": "eu"},
                {"instance": "two", "id": "12", "location": "us"},
            ],
            "backups": [{"name": "left", "location": "eu"}, {"name": "over", "location": "us"}],
        },
        "redis": {
            "instances": [{"name": "one", "location": here}, {"name": "two", "location": there}],
            "clusters": [{"name": "three", "location": here}, {"name": "four", "location": there}],
            "backupCollections": [
                {"name": "first", "location": here, "backups": [{"name": "a"}]},
                {"name": "second", "location": there, "backups": [{"name": "b"}, {"name": "c"}]},
            ],
        },
        "bigquery": {
            "datasets": [
                {"datasetId": "one", "location": here, "replicas": [{"location": "europe-west4"}]},
                {"datasetId": "two", "location": "US", "tables": [{"tableId": "t"}, {"tableId": "u"}]},
            ]
        },
        "firestore": {
            "databases": [
                {"name": "(default)", "locationId": here, "backupSchedules": [{"name": "daily"}, {"name": "weekly"}]},
                {"name": "named", "locationId": "nam5"},
            ],
            "backups": [{"name": "a", "location": here}, {"name": "b", "location": "nam5"}],
        },
        "gcs": {
            "buckets": [
                {"name": "dtx-one", "location": "EUROPE-WEST3"},
                {"name": "dtx-two", "location": "US"},
                {"name": "dtx-gone", "location": "US", "generation": "7", "softDeleteTime": "2026-11-18T09:00:00Z"},
            ]
        },
        "kms": {
            "locations": [here, "global"],
            "keyRings": [
                {"name": "ring", "location": here, "cryptoKeys": [{"name": "old"}, {"name": "new"}]},
                {"name": "other", "location": "global", "cryptoKeys": [{"name": "far"}]},
            ],
        },
    }
    with Simulator(World.from_dict(world)) as simulator:
        yield simulator
