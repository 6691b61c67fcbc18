"""Redis Clusters: what they are to each other."""

from __future__ import annotations

from typing import Any

import pytest

from diga_verify.checkers.redis import CLUSTER, Redis
from diga_verify.model import Item, Placement, Reason, Role

NAME = "projects/p/locations/europe-west3/clusters/c"


def places(**replication: Any) -> tuple[Placement, ...]:
    data = {"name": NAME, "crossClusterReplicationConfig": replication}
    return Redis().read(Item(CLUSTER, "p", data)).placements


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("CLUSTER_ROLE_UNSPECIFIED", Role.PRIMARY),
        ("NONE", Role.PRIMARY),
        ("PRIMARY", Role.PRIMARY),
        ("SECONDARY", Role.REPLICA),
    ],
)
def test_the_role_of_a_cluster(word: str, role: Role) -> None:
    assert places(clusterRole=word) == (Placement(role, "europe-west3", "name", about=NAME),)


@pytest.mark.parametrize("word", ["FUTURE", "secondary", 7])
def test_a_role_that_nobody_has_heard_of(word: object) -> None:
    strange = Placement(
        Role.REPLICA, None, "crossClusterReplicationConfig.clusterRole", reason=Reason.MALFORMED_ANSWER, about=str(word)
    )
    assert places(clusterRole=word) == (Placement(Role.PRIMARY, "europe-west3", "name", about=NAME), strange)
