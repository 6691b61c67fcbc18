"""A field that does not exist is refused: in a mask as Google does it, in a world file by its place."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from diga_verify.simulator.shape import WorldError
from diga_verify.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from diga_verify.simulator.server import Simulator

CLUSTERS = "container.googleapis.com/v1/projects/p/locations/-/clusters"
KEYS = "cloudkms.googleapis.com/v1/projects/p/locations/europe-west3/keyRings"
PROJECT = {"id": "p", "number": "1"}


@pytest.mark.parametrize(
    ("path", "mask", "status"),
    [
        (CLUSTERS, "clusters(name,nodePools/locations),missingZones", 200),
        (CLUSTERS, "clusters(name,resourceLabels/anything)", 200),
        (CLUSTERS, "clusters/*/locations", 200),
        (CLUSTERS, "clusters(name,nodePools/zones)", 400),
        (CLUSTERS, "clusters/name/first", 400),
        (CLUSTERS, "clusters/name,nextPageToken", 400),
        (KEYS, "keyRings/name,nextPageToken", 200),
        (KEYS, "keyRings/name,unreachable", 400),
    ],
)
def test_a_mask_names_fields_that_the_answer_can_have(
    path: str, mask: str, status: int,
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response],
) -> None:  # fmt: skip
    assert fetch(serve(), path, params={"fields": mask}).status_code == status


@pytest.mark.parametrize(
    ("section", "message"),
    [
        (
            {"gcs": {"buckets": [{"name": "a", "location": "EU"}, {"name": "b", "loaction": "US"}]}},
            "gcs.buckets[1] has an unknown key 'loaction', did you mean 'location'?",
        ),
        (
            {"gke": {"clusters": [{"name": "a", "nodePools": [{"name": "x"}, {"name": "y", "location": ["z"]}]}]}},
            "gke.clusters[0].nodePools[1] has an unknown key 'location', did you mean 'locations'?",
        ),
        (
            {"kms": {"keyRings": [{"name": "r", "location": "l", "cryptoKeys": [{"name": "k", "purpos": "MAC"}]}]}},
            "kms.keyRings[0].cryptoKeys[0] has an unknown key 'purpos', did you mean 'purpose'?",
        ),
        (
            {"bigquery": {"datasets": [{"datasetId": "d", "replicas": [{"location": "a"}, {"locatoin": "b"}]}]}},
            "bigquery.datasets[0].replicas[1] has an unknown key 'locatoin', did you mean 'location'?",
        ),
    ],
)
def test_a_misspelt_field_is_named_with_its_place(section: dict[str, Any], message: str) -> None:
    with pytest.raises(WorldError, match=f"^world: {re.escape(message)}$"):
        World.from_dict({"project": PROJECT} | section)


def test_a_label_may_have_any_name() -> None:
    world = World.from_dict({"project": PROJECT, "gcs": {"buckets": [{"name": "a", "labels": {"loaction": "x"}}]}})
    assert world.items("gcs", "buckets")[0]["labels"] == {"loaction": "x"}
