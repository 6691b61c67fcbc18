"""After a restore: backups that count and others that do not, where data came from, and what is not back."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from diga_verify.checkers.firestore import DATABASE, Firestore
from diga_verify.checkers.redis import CLUSTER, Redis
from diga_verify.checkers.sql import Sql
from diga_verify.evaluate import evaluate
from diga_verify.history import Backup, Filling, History
from diga_verify.judgement import Scope
from diga_verify.model import (
    TYPES,
    Enforcement,
    Item,
    Placement,
    Project,
    Reason,
    Recovery,
    Resource,
    Role,
    Unread,
    Verdict,
)
from diga_verify.policy import Policy
from diga_verify.restore import Recovered, recovered, recovery

BEGAN = "2026-11-23T12:00:00Z"
CREATED = "2026-11-01T00:00:00Z"
SINCE = "2026-11-23T06:00:00Z"
GOOD = Backup("good", "eu", "2026-11-23T02:00:00Z")
Look = Callable[..., Recovered]


@pytest.fixture
def look(policy: Callable[..., Policy]) -> Look:
    def look(
        found: Iterable[Resource],
        asked: Recovery | None = None,
        scope: Scope | None = None,
        number: str | None = "100000000001",
    ) -> Recovered:
        rules = policy().environment("production")
        project = Project("dtx-data", number, "ACTIVE")
        return recovered(asked or Recovery(), tuple(found), rules, scope or Scope(TYPES), project, BEGAN)

    return look


def database(
    name: str = "db", *, backups: tuple[Backup, ...] | None = (GOOD,), fillings: tuple[Filling, ...] = (), **of: Any
) -> Resource:
    return Resource(
        type=of.pop("type", "sql"),
        name=name,
        full_name=f"//cloudsql.googleapis.com/projects/dtx-data/instances/{name}",
        kind="instance",
        placements=(Placement(Role.PRIMARY, of.pop("region", "europe-west3"), "region", source="/answers/a"),),
        history=History(of.pop("created", CREATED), backups, fillings),
        **of,
    )


def bucket(name: str, location: str = "EUROPE-WEST3") -> Resource:
    placements = (
        Placement(Role.PRIMARY, location, "location"),
        Placement(Role.KEY, "europe-west3", "encryption.defaultKmsKeyName"),
    )
    return Resource("gcs", name, f"//storage.googleapis.com/{name}", "bucket", placements)


def restore(at: str = "2026-11-23T09:00:00Z", **of: Any) -> Filling:
    return Filling("operations[op-2].operationType", at=at, pointer="/answers/op/operationType", **of)


def reasons(found: Recovered) -> list[Reason]:
    return [one.reason for one in found.unread]


def origins(found: Recovered, name: str = "db") -> list[tuple[str | None, str, str]]:
    [one] = [one for one in found.resources if one.name == name]
    assert all(place.role is Role.BACKUP for place in one.placements[1:])
    return [(place.location, place.field, place.about) for place in one.placements[1:]]


class TestBackups:
    def test_one_that_is_kept_in_an_allowed_place_is_enough(self, look: Look) -> None:
        found = look([database(backups=(Backup("us", "us", GOOD.until), GOOD))])
        assert (found.unread, found.resources[0].history) == ((), None)

    @pytest.mark.parametrize(
        ("backups", "said"),
        [
            ((), "there is no finished backup of it in an allowed place"),
            ((replace(GOOD, location="us"), replace(GOOD, location=None)), "and 2 elsewhere"),
            ((replace(GOOD, location="moon"),), "and 1 elsewhere"),
            ((replace(GOOD, expires=BEGAN),), "there is no finished backup"),
            ((replace(GOOD, expires="soon"),), "there is no finished backup"),
        ],
    )
    def test_others_are_not(self, look: Look, backups: tuple[Backup, ...], said: str) -> None:
        found = look([database("other"), database(backups=backups)])
        [one] = found.unread
        assert (one.type, one.reason, one.resource) == ("sql", Reason.NO_BACKUP, found.resources[1].full_name)
        assert said in one.detail

    def test_none_are_asked_for_of_what_is_no_database(self, look: Look) -> None:
        assert look([database(backups=None), bucket("b")]).unread == ()

    def test_one_that_expires_after_the_run_counts(self, look: Look) -> None:
        assert look([database(backups=(replace(GOOD, expires="2026-11-23T12:00:01Z"),))]).unread == ()

    @pytest.mark.parametrize(("hours", "expected"), [(10.0, []), (9.998, [Reason.NO_BACKUP])])
    def test_the_newest_may_have_to_be_new(self, look: Look, hours: float, expected: list[Reason]) -> None:
        old = replace(GOOD, until="2026-11-22T02:00:00Z")
        new_elsewhere = Backup("us", "us", "2026-11-23T11:59:00Z")
        found = look([database(backups=(GOOD, old, new_elsewhere))], Recovery(max_age_hours=hours))
        assert reasons(found) == expected
        assert not expected or "2026-11-23T02:00:00Z, more than 9.998 hours" in found.unread[0].detail

    @pytest.mark.parametrize(
        ("until", "expected"), [("2026-11-23T13:00:00Z", []), ("2099-01-01T00:00:00Z", [Reason.NO_BACKUP])]
    )
    def test_one_of_the_future_tells_that_a_clock_is_wrong(
        self, look: Look, until: str, expected: list[Reason]
    ) -> None:
        found = look([database(backups=(replace(GOOD, until=until),))], Recovery(max_age_hours=26))
        assert reasons(found) == expected

    def test_any_number_of_hours_can_be_asked_for(self, look: Look) -> None:
        assert look([database()], Recovery(max_age_hours=1e300)).unread == ()

    def test_one_without_a_time_is_not_new(self, look: Look) -> None:
        found = look([database(backups=(replace(GOOD, until=""),))], Recovery(max_age_hours=1000))
        assert reasons(found) == [Reason.NO_BACKUP]


class TestSources:
    def test_a_backup_that_the_api_names_is_judged_by_its_place(self, look: Look) -> None:
        name = "projects/dtx-data/locations/us/backups/b"
        found = look([database(fillings=(Filling("sourceInfo.backup.backup", name, BEGAN),))])
        assert origins(found) == [("us", "sourceInfo.backup.backup", name)]
        assert found.unread == ()

    @pytest.mark.parametrize("project", ["other", "200000000002"])
    def test_a_backup_of_another_project_proves_nothing(self, look: Look, project: str) -> None:
        name = f"projects/{project}/locations/europe-west3/backups/b"
        found = look([database(fillings=(Filling("sourceInfo.backup.backup", name, BEGAN),))])
        assert origins(found)[0][0] == "europe-west3"
        assert reasons(found) == [Reason.UNKNOWN_SOURCE]

    def test_the_project_may_be_named_by_number(self, look: Look) -> None:
        name = "//redis.googleapis.com/projects/100000000001/locations/europe-west3/backupCollections/c/backups/b"
        restored = database(fillings=(Filling("managedBackupSource.backup", name, BEGAN),))
        assert look([restored]).unread == ()
        assert reasons(look([restored], number=None)) == [Reason.UNKNOWN_SOURCE]

    def test_a_bucket_of_this_run_is_where_it_lies(self, look: Look) -> None:
        fillings = (Filling("f", "gs://dumps/a.sql", BEGAN), Filling("g", "gs://dumps-us/b.sql", BEGAN))
        found = look([database(fillings=fillings), bucket("dumps"), bucket("dumps-us", "US")])
        assert origins(found) == [("EUROPE-WEST3", "f", "gs://dumps/a.sql"), ("US", "g", "gs://dumps-us/b.sql")]

    def test_a_name_that_is_none_is_not_of_this_project(self, look: Look) -> None:
        odd = database(fillings=(Filling("f", "my-projects/dtx-data/locations/europe-west3/b/c", BEGAN),))
        assert reasons(look([odd])) == [Reason.UNKNOWN_SOURCE]
        assert look([database(fillings=(Filling("f", "gs://projects/x", BEGAN),)), bucket("projects")]).unread == ()

    @pytest.mark.parametrize("source", ["", "gs://elsewhere/a.sql", "projects/dtx-data/backups/x", "://"])
    def test_what_nobody_can_place_is_unproven(self, look: Look, source: str) -> None:
        found = look([database(fillings=(restore(source=source),)), bucket("dumps")])
        [place] = found.resources[0].placements[1:]
        assert (place.location, place.reason) == (None, Reason.UNKNOWN_SOURCE)
        assert place.source == "/answers/op/operationType"

    @pytest.mark.parametrize(
        ("said", "expected"),
        [
            ("good", ["eu", "eu"]),
            ("sql/old", ["europe-west1"]),
            ("old", ["europe-west1"]),
            ("sql/final", ["us"]),
            ("final", ["us"]),
            ("sql/zones", ["europe-west3-a", "europe-west3-b"]),
            ("in-time", ["eu"]),
            ("untimed", [None]),
            ("gs://dumps/x", ["EUROPE-WEST3"]),
            ("gcs/dumps", ["EUROPE-WEST3"]),
            ("empty", []),
            ("later", [None]),
            ("sql/db", [None]),
            ("db", [None]),
            ("firestore/old", [None]),
            ("nothing", [None]),
            ("of-firestore", [None]),
            ("projects/dtx-data/locations/europe-west3/backups/x", [None]),
        ],
    )
    def test_the_operators_word_counts_as_far_as_this_run_finds_it(
        self, look: Look, said: str, expected: list[str | None]
    ) -> None:
        key = Placement(Role.KEY, "europe-west3", "kmsKey")
        final = Resource("sql", "final", "//final", "backup", (Placement(Role.BACKUP, "us", "location"), key))
        replica = Placement(Role.REPLICA, "europe-west3-b", "secondaryGceZone")
        zones = replace(database("zones", region="europe-west3-a"), history=None)
        zones = replace(zones, placements=(*zones.placements, replica, *final.placements))
        backups = (
            GOOD,
            Backup("later", "eu", "2026-11-23T09:00:01Z"),
            Backup("in-time", "eu", "2026-11-23T09:00:00Z"),
            Backup("untimed", "eu", ""),
        )
        found = look(
            [
                database(fillings=(restore(),)),
                database("old", region="europe-west1", backups=backups),
                bucket("dumps"),
                final,
                zones,
                database("fs", type="firestore", backups=(Backup("of-firestore", "europe-west3", GOOD.until),)),
            ],
            Recovery(sources=(("sql", "db", said),)),
        )
        places = origins(found)
        assert [location for location, _, _ in places] == expected
        assert all(about == f"{said}, as --restored-from says" for _, _, about in places)
        assert found.unread == ()

    def test_a_backup_is_nobodys_source_of_what_came_nobody_knows_when(self, look: Look) -> None:
        found = look([database(fillings=(restore(at=""),))], Recovery(sources=(("sql", "db", "good"),)))
        assert [location for location, _, _ in origins(found)] == [None]

    def test_nobodys_word_makes_a_failed_restore_good(self, look: Look) -> None:
        failed = restore(trouble="RESTORE_VOLUME failed")
        for said in ("good", "empty"):
            found = look([database(fillings=(failed,))], Recovery(sources=(("sql", "db", said),)))
            assert origins(found) == [(None, failed.field, "RESTORE_VOLUME failed")]

    def test_nobodys_word_makes_a_restored_database_empty(self, look: Look) -> None:
        asked = Recovery(sources=(("sql", "db", "empty"),))
        found = look([database("empty"), database(fillings=(restore(), restore(full=True)))], asked)
        [(location, _, about)] = origins(found)
        assert (location, about[:35]) == (None, "the API tells that data was put int")

    def test_the_api_is_believed_before_the_operator(self, look: Look) -> None:
        name = "projects/dtx-data/locations/us/backups/b"
        asked = Recovery(sources=(("sql", "db", "good"),))
        found = look([database(fillings=(Filling("sourceInfo.backup.backup", name, BEGAN),))], asked)
        assert [location for location, _, _ in origins(found)] == ["us"]
        assert [(one.scope, one.reason) for one in found.unread] == [("--restored-from sql/db", Reason.UNKNOWN_SOURCE)]

    @pytest.mark.parametrize("name", ["db", "bd"])
    def test_a_word_about_what_was_not_restored_is_a_slip(self, look: Look, name: str) -> None:
        found = look([database()], Recovery(sources=(("sql", name, "good"),)))
        assert [one.scope for one in found.unread] == [f"--restored-from sql/{name}"]
        assert look([database()], Recovery(sources=(("sql", name, "good"),)), Scope(("gke",))).unread == ()

    def test_a_slip_is_told_of_what_is_asked_for(self, look: Look) -> None:
        asked = Recovery(sources=(("sql", "a", "good"), ("sql", "b", "good")))
        only = Scope(("sql",), frozenset({("sql", "b")}), whole=False)
        assert [one.scope for one in look([database("a"), database("b")], asked, only).unread] == [
            "--restored-from sql/b"
        ]


class TestSince:
    def test_what_was_restored_before_the_baseline_was_judged_then(self, look: Look) -> None:
        found = look([database(fillings=(restore("2026-11-23T05:59:59Z"),))], Recovery(SINCE))
        assert (origins(found), found.unread) == ([], ())

    @pytest.mark.parametrize("at", [SINCE, "2026-11-23T06:59:59+01:00", "", "yesterday"])
    def test_what_was_restored_since_or_nobody_knows_when_is_not(self, look: Look, at: str) -> None:
        asked = Recovery(SINCE)
        expected = [] if at.endswith("+01:00") else [None]
        assert [location for location, *_ in origins(look([database(fillings=(restore(at),))], asked))] == expected

    @pytest.mark.parametrize("created", ["2026-11-23T06:00:01Z", "", "soon"])
    def test_what_was_made_since_came_from_somewhere(self, look: Look, created: str) -> None:
        found = look([database(created=created)], Recovery(SINCE))
        assert origins(found) == [(None, "createTime", "")]
        assert found.resources[0].placements[1].source == "/answers/a"
        assert origins(look([database(created=created)])) == []

    @pytest.mark.parametrize(("said", "expected"), [("good", "eu"), ("later", None)])
    def test_what_was_made_since_came_from_a_backup_that_was_there_before(
        self, look: Look, said: str, expected: str | None
    ) -> None:
        made = database(created="2026-11-23T09:00:00Z", backups=(GOOD, Backup("later", "eu", "2026-11-23T09:00:01Z")))
        found = look([made], Recovery(SINCE, sources=(("sql", "db", said),)))
        assert origins(found) == [(expected, "createTime", f"{said}, as --restored-from says")]

    def test_what_the_baseline_had_must_be_there_again(self, look: Look) -> None:
        gone, here = database("gone"), database("here")
        deleted = replace(database("deleted"), live=False)
        before = tuple(sorted((one.type, one.name, one.full_name) for one in (gone, here, deleted)))
        found = look([here, deleted], Recovery(SINCE, before))
        assert [(one.reason, one.resource) for one in found.unread] == [
            (Reason.NOT_RESTORED, deleted.full_name),
            (Reason.NOT_RESTORED, gone.full_name),
        ]
        only = Scope(("sql",), frozenset({("sql", "here")}), whole=False)
        assert look([here], Recovery(SINCE, before), only).unread == ()
        lost = Scope(("sql",), frozenset({("sql", "gone")}), whole=False)
        assert [one.resource for one in look([here], Recovery(SINCE, before), lost).unread] == [gone.full_name]
        assert look([here], Recovery(SINCE, before), Scope(("gke",))).unread == ()

    def test_a_baseline_asks_for_all_that_lives_and_no_backup(
        self, gate: Callable[..., Any], world: Callable[[], dict[str, Any]]
    ) -> None:
        report = gate(world(), "sql", "gcs", "redis")
        names = {(type, name) for type, name, _ in recovery(report).before}
        assert {("sql", "dta-postgres"), ("sql", "dta-postgres-replica-1"), ("gcs", "dtx-uploads")} <= names
        assert ("redis", "dta-sessions") in names
        assert names.isdisjoint({("gcs", "dtx-uploads-old"), ("redis", "dta-sessions-backups")})
        assert not any("0f6f1f3c" in name for _, name in names)
        assert recovery(report).since == report.started_at
        assert recovery(None, [("b", "", ""), ("a", "", "")]) == Recovery(sources=(("a", "", ""), ("b", "", "")))


def test_all_of_it_counts_in_the_judgement(look: Look, policy: Callable[..., Policy]) -> None:
    found = look([database(backups=()), database("other", fillings=(restore(),)), database("fine")])
    rules = policy().environment("production")
    judged = evaluate(found.resources, found.unread, rules, Scope(("sql",)), Enforcement.REQUIRED)
    verdicts = {one.resource.name: one.verdict for one in judged.resources}
    assert verdicts == {"db": Verdict.UNVERIFIED, "other": Verdict.UNVERIFIED, "fine": Verdict.COMPLIANT}
    assert {one.reason for one in judged.unread} == {Reason.NO_BACKUP, Reason.UNKNOWN_SOURCE}
    [said] = [one.detail for one in judged.unread if one.reason is Reason.UNKNOWN_SOURCE]
    assert said == "instance other: what it was restored from is not known to lie in this project"


def history_of_sql(**related: list[dict[str, Any]]) -> History:
    data = {"name": "db", "project": "dtx-data", "region": "europe-west3", "createTime": CREATED}
    past = {"operations": ({"operationType": "BACKUP_VOLUME"},), **freeze(related)}
    item = Item("sqladmin.googleapis.com/Instance", "dtx-data", data, past)
    found = Sql().read(item).history
    assert found is not None
    return found


def freeze(related: dict[str, list[dict[str, Any]]]) -> dict[str, tuple[dict[str, Any], ...]]:
    return {key: tuple(value) for key, value in related.items()}


class TestWhatCloudSqlTells:
    RUN: ClassVar[dict[str, Any]] = {
        "id": "1",
        "status": "SUCCESSFUL",
        "location": "eu",
        "endTime": "2026-11-02T00:00:00Z",
    }
    BACKUP: ClassVar[dict[str, Any]] = {
        "name": "projects/p/backups/u",
        "state": "SUCCESSFUL",
        "type": "ON_DEMAND",
        "location": "eu",
        "backupInterval": {"endTime": "2026-11-02T00:00:00Z"},
        "expiryTime": "2026-12-01T00:00:00Z",
    }

    def test_finished_backups_count(self) -> None:
        found = history_of_sql(backupRuns=[self.RUN], backups=[self.BACKUP])
        end = "2026-11-02T00:00:00Z"
        assert found.backups == (Backup("1", "eu", end), Backup("u", "eu", end, "2026-12-01T00:00:00Z"))

    @pytest.mark.parametrize(
        "change",
        [
            *({"status": status} for status in ("ENQUEUED", "RUNNING", "FAILED", "DELETION_PENDING", "DELETED", None)),
            {"endTime": None},
            {"endTime": "2026-10-31T23:59:59Z"},
        ],
    )
    def test_other_runs_do_not(self, change: dict[str, Any]) -> None:
        assert history_of_sql(backupRuns=[self.RUN | {"id": "2"}, self.RUN | change]).backups == (
            Backup("2", "eu", "2026-11-02T00:00:00Z"),
        )

    @pytest.mark.parametrize(
        "change",
        [
            *({"state": state} for state in ("ENQUEUED", "RUNNING", "FAILED", "DELETING", "DELETION_FAILED", None)),
            {"type": "FINAL"},
            {"instanceDeletionTime": "2026-11-03T00:00:00Z"},
            {"backupInterval": None},
            {"backupInterval": {"endTime": "2026-10-31T23:59:59Z"}},
        ],
    )
    def test_other_backups_do_not(self, change: dict[str, Any]) -> None:
        assert history_of_sql(backups=[self.BACKUP | change]).backups == ()

    def test_nothing_counts_for_an_instance_without_an_age(self) -> None:
        data = {"name": "db", "region": "europe-west3"}
        related = {"operations": ({"operationType": "UPDATE"},), "backupRuns": ({**self.RUN, "instance": "db"},)}
        found = Sql().read(Item("sqladmin.googleapis.com/Instance", "p", data, related)).history
        assert found == History("", (), ())

    def test_without_the_flag_and_for_replicas_there_is_no_history(self) -> None:
        data: dict[str, Any] = {"name": "db", "region": "europe-west3", "createTime": CREATED}
        asset = "sqladmin.googleapis.com/Instance"
        assert Sql().read(Item(asset, "p", data)).history is None
        replica = data | {"masterInstanceName": "p:main"}
        assert Sql().read(Item(asset, "p", replica, {"operations": ()})).history is None

    @staticmethod
    def operation(name: str, kind: str | None, hour: int, **more: Any) -> dict[str, Any]:
        times = {"insertTime": f"2026-11-23T{hour:02}:00:00Z", "endTime": f"2026-11-23T{hour:02}:30:00Z"}
        return {"name": name, "operationType": kind, "status": "DONE", **times, **more}

    def test_the_last_restore_and_the_imports_after_it_count(self) -> None:
        done = [
            self.operation("e", "IMPORT", 9, importContext={"uri": "gs://dumps/a"}),
            self.operation("d", "BACKUP_VOLUME", 8),
            self.operation("c", "RESTORE_VOLUME", 7),
            self.operation("b", "IMPORT", 6, importContext={"uri": "gs://us/a"}),
            self.operation("a", "CREATE", 5),
        ]
        assert history_of_sql(operations=done).fillings == (
            Filling("operations[c].operationType", "", "2026-11-23T07:30:00Z", full=True),
            Filling("operations[e].operationType", "gs://dumps/a", "2026-11-23T09:30:00Z", full=True),
        )

    def test_a_record_without_any_operation_is_no_proof(self) -> None:
        [one] = history_of_sql(operations=[]).fillings
        assert (one.field, one.at, one.trouble[:28]) == ("operations", "", "no operation is on record, t")

    def test_imports_alone_count_too(self) -> None:
        done = [self.operation(name, "IMPORT", 9, importContext={"uri": f"gs://{name}/x"}) for name in ("a", "b")]
        assert [one.source for one in history_of_sql(operations=done).fillings] == ["gs://a/x", "gs://b/x"]

    @pytest.mark.parametrize("kind", ["CLONE", "CREATE_CLONE", "START_EXTERNAL_SYNC", "NEVER_HEARD_OF", None])
    def test_what_may_bring_data_counts(self, kind: str | None) -> None:
        misled = {"importContext": {"uri": "gs://dumps/a"}}
        done = [self.operation("a", kind, 5, **misled), self.operation("b", "UPDATE", 6)]
        [one] = history_of_sql(operations=done).fillings
        assert (one.source, one.trouble) == ("", "")

    def test_a_restore_that_failed_or_runs_is_trouble_and_a_failed_import_is_none(self) -> None:
        error = {"errors": [{"code": "INTERNAL_ERROR"}]}
        running = self.operation("a", "RESTORE_VOLUME", 5, status="RUNNING", endTime=None)
        [one] = history_of_sql(operations=[running]).fillings
        assert (one.trouble, one.at) == ("RESTORE_VOLUME is not finished", "")
        [one] = history_of_sql(operations=[self.operation("a", "RESTORE_VOLUME", 5, error=error)]).fillings
        assert one.trouble == "RESTORE_VOLUME failed"
        [one] = history_of_sql(operations=[self.operation("a", "IMPORT", 5, error=error)]).fillings
        assert one.trouble == ""

    @pytest.mark.parametrize("kind", ["IMPORT", "START_EXTERNAL_SYNC", "DEMOTE_MASTER", "NEVER_HEARD_OF", None])
    def test_what_does_not_replace_the_data_hides_no_restore_before_it(self, kind: str | None) -> None:
        done = [self.operation("b", kind, 6), self.operation("a", "RESTORE_VOLUME", 5)]
        fields = [one.field for one in history_of_sql(operations=done).fillings]
        assert fields == ["operations[a].operationType", "operations[b].operationType"]

    @pytest.mark.parametrize(
        ("kind", "full"), [("CLONE", True), ("IMPORT", True), ("CREATE", False), ("NEVER_HEARD_OF", False)]
    )
    def test_what_a_database_was_made_with_is_known(self, kind: str, full: bool) -> None:
        [one] = history_of_sql(operations=[self.operation("a", kind, 5)]).fillings
        assert one.full is full

    @pytest.mark.parametrize("more", [{"status": "RUNNING", "endTime": None}, {"status": "RUNNING"}, {"endTime": None}])
    def test_one_that_was_under_way_when_the_baseline_was_taken_is_not_older(
        self, look: Look, more: dict[str, Any]
    ) -> None:
        [one] = history_of_sql(operations=[self.operation("a", "RESTORE_VOLUME", 5, **more)]).fillings
        found = look([database(fillings=(one,))], Recovery("2026-11-23T11:00:00Z"))
        assert [location for location, *_ in origins(found)] == [None]

    def test_one_that_does_not_say_when_comes_last(self) -> None:
        done = [self.operation("x", "CLONE", 5, insertTime=None), self.operation("y", "RESTORE_VOLUME", 6)]
        fields = [one.field for one in history_of_sql(operations=done).fillings]
        assert fields == ["operations[y].operationType", "operations[x].operationType"]  # neither hides the other


class TestWhatFirestoreTells:
    DATA: ClassVar[dict[str, Any]] = {
        "name": "projects/p/databases/(default)",
        "locationId": "europe-west3",
        "uid": "u-2",
        "createTime": CREATED,
    }
    BACKUP: ClassVar[dict[str, Any]] = {
        "name": "projects/p/locations/eu/backups/b",
        "databaseUid": "u-2",
        "state": "READY",
        "snapshotTime": "2026-11-02T00:00:00Z",
        "expireTime": "2026-12-02T00:00:00Z",
    }

    def history(self, data: dict[str, Any], *backups: dict[str, Any]) -> History | None:
        return Firestore().read(Item(DATABASE, "p", data, {"backups": backups})).history

    def test_its_own_backups_count_by_uid(self) -> None:
        of_predecessor = self.BACKUP | {"name": "projects/p/locations/eu/backups/a", "databaseUid": "u-1"}
        own = Backup(self.BACKUP["name"], "eu", "2026-11-02T00:00:00Z", "2026-12-02T00:00:00Z")
        assert self.history(self.DATA, of_predecessor, self.BACKUP) == History(CREATED, (own,), ())

    @pytest.mark.parametrize("change", [{"state": "CREATING"}, {"state": "NOT_AVAILABLE"}, {"state": None}])
    def test_others_do_not(self, change: dict[str, Any]) -> None:
        assert self.history(self.DATA, self.BACKUP | change) == History(CREATED, (), ())

    def test_without_a_uid_none_is_its_own(self) -> None:
        data, backup = (self.DATA | {"uid": ""}, self.BACKUP | {"databaseUid": ""})
        assert self.history(data, backup) == History(CREATED, (), ())

    def test_the_backup_it_was_restored_from_covers_it(self) -> None:
        name = "projects/p/locations/eu/backups/a"
        data = self.DATA | {"sourceInfo": {"backup": {"backup": name}}}
        found = self.history(data, self.BACKUP | {"name": name, "databaseUid": "u-1"})
        assert found is not None
        assert [one.name for one in found.backups or ()] == [name]
        assert found.fillings == (Filling("sourceInfo.backup.backup", name, CREATED),)

    def test_a_deleted_one_has_no_history(self) -> None:
        assert self.history(self.DATA | {"deleteTime": BEGAN}, self.BACKUP) is None
        assert Firestore().read(Item(DATABASE, "p", self.DATA)).history is None


def test_redis_clusters_tell_where_they_came_from() -> None:
    backup = "projects/p/locations/europe-west3/backupCollections/c/backups/b"
    data = {
        "name": "projects/p/locations/europe-west3/clusters/c",
        "createTime": CREATED,
        "managedBackupSource": {"backup": backup},
        "gcsSource": {"uris": ["gs://a/x", "gs://b/y"]},
    }
    found = Redis().read(Item(CLUSTER, "p", data, {"past": ()})).history
    assert found == History(
        CREATED,
        None,
        (
            Filling("managedBackupSource.backup", backup, CREATED),
            Filling("gcsSource.uris[0]", "gs://a/x", CREATED),
            Filling("gcsSource.uris[1]", "gs://b/y", CREATED),
        ),
    )
    assert Redis().read(Item(CLUSTER, "p", data)).history is None


def test_details_are_about_resources(look: Look) -> None:
    found = look([database(backups=())])
    assert found.unread == (
        Unread(
            "sql",
            f"{found.resources[0].full_name} backups",
            Reason.NO_BACKUP,
            "instance db: there is no finished backup of it in an allowed place",
            found.resources[0].full_name,
        ),
    )
