"""Redis Clusters: what they are to each other."""

from __future__ import annotations

from typing import Any

import pytest

from diga_verify.checkers.redis import CLUSTER, Redis
from diga_verify.gateway.records import Sourced
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


@pytest.mark.parametrize(
    ("replication", "role", "at"),
    [
        ({"secondaryClusters": [{"cluster": NAME}, {"uid": "2"}]}, Role.REPLICA, "secondaryClusters[1]"),
        ({"secondaryClusters": [{"cluster": NAME}, {}]}, Role.REPLICA, "secondaryClusters[1]"),
        ({"primaryCluster": {"uid": "2", "cluster": ""}}, Role.PRIMARY, "primaryCluster"),
        ({"membership": {"primaryCluster": {"uid": "2"}}}, Role.PRIMARY, "membership.primaryCluster"),
    ],
)
def test_a_member_that_is_there_and_not_told_where(replication: dict[str, Any], role: Role, at: str) -> None:
    field = f"crossClusterReplicationConfig.{at}.cluster"
    assert places(**replication)[-1] == Placement(role, None, field, reason=Reason.MISSING_LOCATION)


def test_a_member_points_to_where_it_stands() -> None:
    data = Sourced({"name": NAME, "crossClusterReplicationConfig": {"secondaryClusters": [{"uid": "2"}]}}, "/0")
    *_, place = Redis().read(Item(CLUSTER, "p", data)).placements
    assert place.source == "/0/crossClusterReplicationConfig/secondaryClusters/0"


@pytest.mark.parametrize("replication", [{"primaryCluster": {}}, {"secondaryClusters": []}, {"membership": {}}])
def test_no_members_are_no_places(replication: dict[str, Any]) -> None:
    assert places(**replication) == (Placement(Role.PRIMARY, "europe-west3", "name", about=NAME),)


def test_a_member_of_another_shape_is_told_once() -> None:
    *_, place = places(primaryCluster="c")
    assert (place.field, place.reason) == ("crossClusterReplicationConfig.primaryCluster", Reason.MALFORMED_ANSWER)
    assert len(places(primaryCluster="c")) == 2
