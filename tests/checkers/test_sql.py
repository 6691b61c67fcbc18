"""Cloud SQL: what makes an instance a copy, which backups hold data, and when a backup's place is anybody's guess."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from diga_verify.checkers.sql import BACKUP, BACKUP_RUN, INSTANCE, Sql
from diga_verify.gateway.listing import Listed
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role, Unread

if TYPE_CHECKING:
    from diga_verify.gateway.gateway import Gateway

HERE = {"region": "europe-west3", "instanceType": "CLOUD_SQL_INSTANCE"}
ENABLED = {"settings": {"backupConfiguration": {"enabled": True}}}
BY_DEFAULT = Placement(Role.BACKUP, None, "settings.backupConfiguration.location", reason=Reason.DEFAULT_LOCATION)


def instance(data: dict[str, Any], runs: tuple[Json, ...] = (), backups: tuple[Json, ...] = ()) -> Resource:
    return Sql().read(Item(INSTANCE, "p", {"name": "i", **data}, {"backupRuns": runs, "backups": backups}))


def backup_of(state: object, asset_type: str) -> tuple[Placement, ...]:
    """Placements of a backup without a location."""
    key = "state" if asset_type == BACKUP else "status"
    return Sql().read(Item(asset_type, "p", {"name": "n/b", "instance": "i", "id": "1", key: state})).placements


@pytest.mark.parametrize(
    ("data", "role", "kind", "owner"),
    [
        ({}, Role.PRIMARY, "instance", ""),
        ({"instanceType": "CLOUD_SQL_INSTANCE"}, Role.PRIMARY, "instance", ""),
        ({"masterInstanceName": ""}, Role.PRIMARY, "instance", ""),
        ({"masterInstanceName": "main"}, Role.REPLICA, "read replica", "main"),
        ({"masterInstanceName": "p:main"}, Role.REPLICA, "read replica", "main"),
        ({"masterInstanceName": 7}, Role.REPLICA, "read replica", ""),
        ({"instanceType": "READ_REPLICA_INSTANCE"}, Role.REPLICA, "read replica", ""),
    ],
)
def test_what_makes_an_instance_a_copy(data: dict[str, Any], role: Role, kind: str, owner: str) -> None:
    found = instance({**HERE, **data})
    assert found.placements == (Placement(role, "europe-west3", "region"),)
    assert found.kind == kind
    assert found.owner == (f"//cloudsql.googleapis.com/projects/p/instances/{owner}" if owner else "")


@pytest.mark.parametrize("region", ["", None])
def test_an_instance_without_a_region(region: str | None) -> None:
    nowhere = Placement(Role.PRIMARY, None, "region", reason=Reason.MISSING_LOCATION)
    assert instance({**HERE, "region": region}).placements == (nowhere,)


@pytest.mark.parametrize("type", [{}, {"instanceType": None}])
def test_an_instance_of_no_type_may_stand_for_a_server_elsewhere(type: dict[str, Any]) -> None:
    unsaid = Placement(Role.PRIMARY, None, "instanceType", reason=Reason.MISSING_LOCATION)
    found = instance({"region": "europe-west3", **type}).placements
    assert found == (Placement(Role.PRIMARY, "europe-west3", "region"), unsaid)


@pytest.mark.parametrize(
    ("tier", "reason"),
    [
        ("STANDARD", None),
        ("BACKUP_TIER_UNSPECIFIED", None),
        ("ENHANCED", Reason.EXTERNAL_DATA),
        ("ADVANCED", Reason.EXTERNAL_DATA),
        ("FUTURE", Reason.MALFORMED_ANSWER),
    ],
)
def test_tiers_whose_backups_lie_in_a_vault(tier: str, reason: Reason | None) -> None:
    """Which no field of the instance names, whatever its own location says."""
    settings = {"backupConfiguration": {"enabled": True, "location": "eu", "backupTier": tier}}
    field = "settings.backupConfiguration.backupTier"
    found = [place for place in instance({**HERE, "settings": settings}).placements if place.field == field]
    assert found == ([Placement(Role.BACKUP, None, field, reason=reason, about=tier)] if reason else [])


def test_the_project_is_the_instances_own() -> None:
    assert instance(HERE).full_name == "//cloudsql.googleapis.com/projects/p/instances/i"
    assert instance({**HERE, "project": "q"}).full_name == "//cloudsql.googleapis.com/projects/q/instances/i"


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        *((word, None) for word in ("CLOUD_SQL_INSTANCE", "READ_REPLICA_INSTANCE", "READ_POOL_INSTANCE")),
        ("GREEN_INSTANCE", None),
        ("ON_PREMISES_INSTANCE", Reason.EXTERNAL_DATA),
        ("SQL_INSTANCE_TYPE_UNSPECIFIED", Reason.MALFORMED_ANSWER),
    ],
)
def test_types_whose_data_lies_in_their_region(word: str, reason: Reason | None) -> None:
    found = [place for place in instance({**HERE, "instanceType": word}).placements if place.field == "instanceType"]
    expected = [Placement(Role.PRIMARY, None, "instanceType", reason=reason, about=word)] if reason else []
    assert found == expected


def test_a_backup_keeps_the_labels_of_an_instance_that_is_gone() -> None:
    settings = {"settings": {"userLabels": {"data": "health"}}}
    data = {"name": "projects/p/backups/b", "instance": "gone", "location": "eu", "instanceSettings": settings}
    assert Sql().read(Item(BACKUP, "p", data)).labels == {"data": "health"}


@pytest.mark.parametrize("asset_type", [BACKUP, BACKUP_RUN])
def test_only_a_backup_that_holds_nothing_may_be_nowhere(asset_type: str) -> None:
    for state in ("ENQUEUED", "OVERDUE", "FAILED", "SKIPPED", "DELETED"):
        assert backup_of(state, asset_type) == ()
    holding: tuple[object, ...] = ("SUCCESSFUL", "RUNNING", "DELETION_PENDING", "FUTURE", None, ["FAILED"])
    for held in holding:
        (place,) = backup_of(held, asset_type)
        assert (place.role, place.location, place.reason) == (Role.BACKUP, None, Reason.MISSING_LOCATION)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"settings": None},
        {"settings": {"backupConfiguration": None}},
        {"settings": {"backupConfiguration": {"enabled": False}}},
        {"settings": {"backupConfiguration": {}}},
    ],
)
def test_who_makes_no_backups_has_none_anywhere(settings: dict[str, Any]) -> None:
    assert BY_DEFAULT not in instance({**HERE, **settings}).placements


@pytest.mark.parametrize("enabled", [True, "yes", 1])
def test_who_makes_backups_and_says_not_where_leaves_it_to_the_service(enabled: object) -> None:
    assert BY_DEFAULT in instance({**HERE, "settings": {"backupConfiguration": {"enabled": enabled}}}).placements
    there = {"settings": {"backupConfiguration": {"enabled": enabled, "location": "eu"}}}
    assert BY_DEFAULT not in instance({**HERE, **there}).placements


@pytest.mark.parametrize(
    ("backup", "shown"),
    [
        ({"location": "eu", "type": "AUTOMATED"}, True),
        ({"location": "eu"}, False),
        ({"location": "eu", "type": "ON_DEMAND"}, False),
        ({"location": "", "type": "AUTOMATED"}, False),
        ({"type": "AUTOMATED"}, False),
    ],
)
def test_only_scheduled_backups_show_where_the_service_sends_them(backup: dict[str, Any], shown: bool) -> None:
    data = {**HERE, **ENABLED}
    good, failed = (
        {"instance": "i", "name": "b", "id": "1", **backup, **state}
        for state in ({}, {"state": "FAILED", "status": "FAILED"})
    )
    for found in (instance(data, runs=(failed, good)), instance(data, backups=(failed, good))):
        assert (BY_DEFAULT not in found.placements) is shown
    for found in (instance(data, runs=(failed,)), instance(data, backups=(failed,))):
        assert BY_DEFAULT in found.placements


class Answers:
    """A gateway that has asked already."""

    after_restore = False

    def __init__(self, *instances: Json, runs: tuple[Json, ...] = (), unread: tuple[Unread, ...] = ()) -> None:
        self._listed = (Listed(instances, unread), Listed(runs), Listed(()))

    def together(self, *_: object) -> tuple[Listed, ...]:
        return self._listed


@pytest.mark.parametrize(("own", "project"), [({}, "p"), ({"project": "q"}, "q")])
def test_what_is_not_listed_is_about_the_instance_that_names_it(own: Json, project: str) -> None:
    data = {"name": "i", **HERE, **own, "replicaNames": ["i-2", "lost"]}
    gateway = cast("Gateway", Answers(data, {"name": "i-2", **HERE}))
    found = Sql().query(gateway, Project("p", "1", "ACTIVE"))
    name = f"//cloudsql.googleapis.com/projects/{project}/instances/i"
    assert [(one.resource, one.reason) for one in found.unread] == [(name, Reason.NOT_LISTED)]
    assert Sql().read(found.items[0]).full_name == name


@pytest.mark.parametrize("name", ["", 7, ["lost"], {"name": "lost"}])
def test_a_replica_whose_name_is_no_name_is_not_listed(name: object) -> None:
    gateway = cast("Gateway", Answers({"name": "i", **HERE, "replicaNames": ["i", name]}))
    (unread,) = Sql().query(gateway, Project("p", "1", "ACTIVE")).unread
    assert (unread.reason, unread.scope.rpartition(" ")[2]) == (Reason.NOT_LISTED, "replicaNames[1]")


def test_backups_of_nobody_tell_of_an_instance_only_where_the_list_is_whole() -> None:
    runs: tuple[Json, ...] = ({"instance": "i", "id": "1"}, {"instance": "lost", "id": "2"})
    broken = (Unread("sql", "p", Reason.PARTIAL_ANSWER, "a region is missing"),)
    for unread, told in (((), [Reason.NOT_LISTED]), (broken, [Reason.PARTIAL_ANSWER])):
        gateway = cast("Gateway", Answers({"name": "i", **HERE}, runs=runs, unread=unread))
        assert [one.reason for one in Sql().query(gateway, Project("p", "1", "ACTIVE")).unread] == told


def test_backups_of_an_instance_that_hold_nothing_have_no_place() -> None:
    runs = ({"id": "1", "status": "FAILED"}, {"id": "2", "status": "SUCCESSFUL"})
    backups = ({"name": "n/3", "state": "DELETED"}, {"name": "n/4", "state": "SUCCESSFUL"})
    found = instance(HERE, runs, backups).placements
    assert [place.field for place in found] == ["region", "backupRuns[2].location", "backups[4].location"]
    assert [place.reason for place in found] == [None, Reason.MISSING_LOCATION, Reason.MISSING_LOCATION]
