"""What changed between two runs: each kind of change, what is none, and laws that hold for all pairs of runs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diga_verify.changes import Change, Drift, Effect, Kind
from diga_verify.drift import NOTHING_IN_COMMON, drift, refuse_baseline
from diga_verify.drift.places import path, spot, without_indices
from diga_verify.errors import UsageError
from diga_verify.evaluate import evaluate
from diga_verify.judgement import Scope
from diga_verify.model import Enforcement, Placement, Project, Reason, Resource, Role, Unread, Verdict, Witness
from diga_verify.policy import parse_policy
from diga_verify.policy.rules import Rules
from diga_verify.report import CheckerOrigin, Report
from diga_verify.services import DataService, Services

WORSE, BETTER, NEUTRAL = Effect.WORSE, Effect.BETTER, Effect.NEUTRAL
TYPES = ("gke", "sql", "bigquery", "firestore", "gcs")
WHOLE = Scope(TYPES)
POLICY = """
version = 1
[locations]
frankfurt = ["europe-west3"]
eu = ["jurisdiction:EU"]
[environments.production]
enforcement = "required"
[environments.development]
enforcement = "free"
required_for_labels = [{ key = "data", values = ["personal"] }]
[rules]
primary = "frankfurt"
node = "frankfurt"
replica = "frankfurt"
backup = ["frankfurt", "eu"]
key = "frankfurt"
"""
UNUSED = POLICY.replace('"required"\n', '"required"\nunused = ["gcs"]\n', 1)
WAIVER = """
[[waivers]]
resource = "//storage.googleapis.com/a"
role = "primary"
location = "US"
reason = "public"
owner = "dpo"
expires = {expires}
"""
EXPECTED = """
[[expected]]
type = "gcs"
name = "{name}"
"""


@cache
def rules_of(text: str, environment: str) -> tuple[Rules, str]:
    policy = parse_policy(text.encode(), path="regions.toml", today=date(2026, 11, 23))
    return policy.environment(environment), policy.sha256


def run(
    *resources: Resource,
    unread: Iterable[Unread] = (),
    policy: str = POLICY,
    scope: Scope = WHOLE,
    environment: str = "production",
    day: int = 1,
    **changes: Any,
) -> Report:
    """A run that found these resources, on a day of November."""
    rules, sha256 = rules_of(policy, environment)
    there = {one.type for one in resources} | {one.type for one in unread}
    # A type of which there is nothing would be unverified, and that is not what most tests are about.
    filled = [bucket(f"other-{type}", type=type) for type in scope.types if type not in there and not scope.wanted]
    values: dict[str, Any] = {
        "environment": environment,
        "enforcement": rules.enforcement,
        "strict": False,
        "deep": False,
        "project": Project("p", "1", "ACTIVE"),
        "policy_path": "regions.toml",
        "policy_sha256": sha256,
        "principal": "somebody@example.com",
        "started_at": f"2026-11-{day:02}T09:00:00Z",
        "finished_at": f"2026-11-{day:02}T09:00:01Z",
        "simulated": False,
        "api_root": None,
        "network_variables": (),
        "whole": scope.whole,
        "selection": tuple(f"{type}/{name}" for type, name in sorted(scope.wanted)) or scope.types,
        "judgement": evaluate((*resources, *filled), unread, rules, scope, Enforcement.REQUIRED),
        "witness": Witness(),
        "calls": (),
        "checkers": tuple(CheckerOrigin(type, "diga-verify", "0", ()) for type in scope.types),
        "limits": (),
        "table_date": "2026-11-20",
        "adequacy_review_date": "2026-11-20",
        "version": "0",
    }
    return Report(**values | changes)


def bucket(
    name: str, location: str | None = "europe-west3", *more: Placement, type: str = "gcs", **changes: Any
) -> Resource:
    places = (Placement(Role.PRIMARY, location, "location"), *more)
    return Resource(type, name, f"//storage.googleapis.com/{name}", "bucket", places, **changes)


def cluster(*pools: str, location: str = "europe-west3") -> Resource:
    """A cluster whose node pools lie in zones of Frankfurt, each a letter, or in what is no letter."""
    places = [Placement(Role.PRIMARY, location, "location")]
    for number, zones in enumerate(pools):
        for index, zone in enumerate(zones.split()):
            name = f"europe-west3-{zone}" if len(zone) == 1 else zone
            places.append(Placement(Role.NODE, name, f"nodePools[{number}].locations[{index}]"))
    name = f"//container.googleapis.com/projects/p/locations/{location}/clusters/work"
    return Resource("gke", "work", name, "cluster", tuple(places))


def instance(configured: str | None = None, **backups: str) -> Resource:
    """An instance with its backups, each an id and a location."""
    places = [Placement(Role.PRIMARY, "europe-west3", "region")]
    if configured is not None:
        places.append(Placement(Role.BACKUP, configured, "settings.backupConfiguration.location"))
    places += [Placement(Role.BACKUP, where, f"backupRuns[{id_}].location") for id_, where in backups.items()]
    return Resource("sql", "db", "//cloudsql.googleapis.com/projects/p/instances/db", "instance", tuple(places))


def backup(name: str, location: str, owner: str = "//firestore.googleapis.com/d") -> Resource:
    full_name = f"//firestore.googleapis.com/projects/p/locations/{location}/backups/{name}"
    return Resource(
        "firestore", name, full_name, "backup", (Placement(Role.BACKUP, location, "name"),), owner=owner, live=True
    )


def told(found: Drift) -> list[tuple[Kind, Effect, str, str | None, str | None]]:
    """Kind, effect, what it is about, before and after."""
    return [
        (
            one.kind,
            one.effect,
            f"{one.type} {one.name}{f' {one.role}' if one.role else ''}".strip(),
            one.before.value if one.before else None,
            one.after.value if one.after else None,
        )
        for one in found.changes
    ]


def between(old: Report, new: Report) -> list[tuple[Kind, Effect, str, str | None, str | None]]:
    return told(drift(old, new))


RUN_WORSE = (Kind.VERDICT, WORSE, "run", "compliant", "violation")
RUN_OPEN = (Kind.VERDICT, WORSE, "run", "compliant", "unverified")
LOST = Unread("gcs", "projects/p", Reason.TIMEOUT, "no answer")


def test_the_same_run_twice_has_no_changes() -> None:
    found = drift(run(bucket("a"), cluster("a b")), run(bucket("a"), cluster("a b"), day=2))
    assert (found.changes, found.turnover, found.caveats) == ((), 0, ())
    assert (found.old.finished_at, found.new.finished_at) == ("2026-11-01T09:00:01Z", "2026-11-02T09:00:01Z")


def test_a_resource_that_appears_and_one_that_vanishes() -> None:
    found = between(run(bucket("a"), bucket("b", "US")), run(bucket("a"), bucket("c", "US"), bucket("d")))
    assert found == [
        (Kind.VANISHED, BETTER, "gcs b", "primary US", None),
        (Kind.APPEARED, WORSE, "gcs c", None, "primary US"),
        (Kind.APPEARED, NEUTRAL, "gcs d", None, "primary europe-west3"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        ("europe-west3", "us-east1", WORSE),
        ("europe-west1", "us-east1", WORSE),  # from lawful to unlawful
        ("us-east1", "europe-west1", BETTER),
        ("us-east1", "europe-west3", BETTER),
        ("us-east1", "us-east4", NEUTRAL),
        ("europe-west3-a", "europe-west3-b", NEUTRAL),
        ("europe-west3", "mars-north1", WORSE),
        ("us-east1", "mars-north1", NEUTRAL),  # that nobody knows where it is now makes nothing better
        ("mars-north1", "us-east1", WORSE),
    ],
)
def test_a_move(before: str, after: str, effect: Effect) -> None:
    one = drift(run(bucket("z"), bucket("a", before)), run(bucket("z"), bucket("a", after))).changes[0]
    assert (one.kind, one.effect, one.role, one.field) == (Kind.MOVED, effect, Role.PRIMARY, "location")
    assert (one.before and one.before.value, one.after and one.after.value) == (before, after)


def test_a_location_in_other_letters_has_not_moved() -> None:
    assert between(run(bucket("a", "US")), run(bucket("a", "us"))) == []


def test_the_members_of_a_dual_region_move() -> None:
    def pair(*members: str) -> Resource:
        place = Placement(Role.PRIMARY, "EU", "location", members=members)
        return replace(bucket("a"), placements=(place,))

    old, same, new = pair("EUROPE-WEST3", "EUROPE-WEST1"), pair("europe-west1", "europe-west3"), pair("europe-west3")
    assert between(run(old), run(same)) == []
    found = between(run(old), run(new))[0]
    assert found == (
        Kind.MOVED,
        BETTER,
        "gcs a primary",
        "EU (europe-west1, europe-west3)",
        "EU (europe-west3)",
    )


def test_lists_in_another_order_are_no_change() -> None:
    assert between(run(cluster("a b", "b c")), run(cluster("c b", "b a"))) == []


def test_one_zone_of_a_list_in_another_order_moved() -> None:
    found = drift(run(cluster("a b", "a b c")), run(cluster("europe-west1-b c a", "b a")))
    assert told(found)[0] == (Kind.MOVED, WORSE, "gke work node", "europe-west3-b", "europe-west1-b")
    assert found.changes[0].field == "nodePools[0].locations[0]"
    assert {one.kind for one in found.changes[1:]} == {Kind.VERDICT}


def test_a_place_more_and_a_place_less_are_no_move() -> None:
    assert between(run(cluster("a b")), run(cluster("a b c"))) == [
        (Kind.PLACEMENT_APPEARED, NEUTRAL, "gke work node", None, "europe-west3-c")
    ]
    assert between(run(cluster("a b c")), run(cluster("a c"))) == [
        (Kind.PLACEMENT_VANISHED, NEUTRAL, "gke work node", "europe-west3-b", None)
    ]


def test_a_place_in_another_role_is_no_move() -> None:
    replica = Placement(Role.REPLICA, "us-east1", "location")
    found = between(run(bucket("a", "us-east1")), run(replace(bucket("a"), placements=(replica,))))
    assert [one[:4] for one in found] == [
        (Kind.PLACEMENT_APPEARED, WORSE, "gcs a replica", None),
        (Kind.PLACEMENT_VANISHED, BETTER, "gcs a primary", "us-east1"),
    ]


def test_the_same_new_place_of_many_pools_is_told_once() -> None:
    found = drift(run(cluster("a", "a")), run(cluster("a c", "a c")))
    assert told(found) == [(Kind.PLACEMENT_APPEARED, NEUTRAL, "gke work node", None, "europe-west3-c")]
    assert found.turnover == 1


def test_backups_of_every_day_are_counted_and_bury_nothing() -> None:
    old = run(instance("eu", **{str(day): "eu" for day in range(1, 8)}))
    new = run(instance("eu", **{str(day): "eu" for day in range(2, 8)}, **{"8": "us", "9": "us", "10": "eu"}))
    found = drift(old, new)
    assert told(found) == [
        (Kind.PLACEMENT_APPEARED, WORSE, "sql db backup", None, "us"),
        (Kind.VERDICT, WORSE, "sql db", "compliant", "violation"),
        RUN_WORSE,
    ]
    assert found.turnover == 1


def test_the_last_backup_in_a_place_is_told_and_no_backup_moves() -> None:
    assert between(run(instance(**{"1": "eu"})), run(instance(**{"2": "europe-west3"}))) == [
        (Kind.PLACEMENT_APPEARED, NEUTRAL, "sql db backup", None, "europe-west3"),
        (Kind.PLACEMENT_VANISHED, NEUTRAL, "sql db backup", "eu", None),
    ]


def test_where_backups_are_configured_to_go_moves() -> None:
    found = between(run(instance("eu")), run(instance("us")))
    assert found[0] == (Kind.MOVED, WORSE, "sql db backup", "eu", "us")


def test_backups_that_are_resources_come_and_go_too() -> None:
    old, new = [backup("1", "eur3"), backup("2", "eur3")], [backup("2", "eur3"), backup("3", "eur3")]
    found = drift(run(*old), run(*new))
    assert (found.changes, found.turnover) == ((), 2)
    away = drift(run(*old), run(*new, backup("4", "nam5")))
    assert told(away)[0] == (Kind.APPEARED, WORSE, "firestore 4", None, "backup nam5")
    another = drift(run(*old), run(*old, backup("5", "eur3", owner="//firestore.googleapis.com/other")))
    assert [one[:3] for one in told(another)] == [(Kind.APPEARED, NEUTRAL, "firestore 5")]


def test_what_is_no_backup_is_told_though_there_are_others_like_it() -> None:
    assert [one[0] for one in between(run(bucket("a"), bucket("b")), run(bucket("a"), bucket("c")))] == [
        Kind.VANISHED,
        Kind.APPEARED,
    ]


def test_a_resource_made_anew_elsewhere_has_moved() -> None:
    old, new = cluster("a"), cluster("us-east1-b", location="us-east1")
    found = between(run(old), run(new))
    assert found[:3] == [
        (Kind.MOVED, WORSE, "gke work", old.full_name, new.full_name),
        (Kind.MOVED, WORSE, "gke work node", "europe-west3-a", "us-east1-b"),
        (Kind.MOVED, WORSE, "gke work primary", "europe-west3", "us-east1"),
    ]
    assert {one[0] for one in found[3:]} == {Kind.VERDICT}


def test_backups_that_are_like_no_other_are_told() -> None:
    key = Placement(Role.KEY, "europe-west3", "kmsKey")
    plain = backup("1", "europe-west3")
    one = replace(plain, placements=(*plain.placements, key))

    def come(**changes: Any) -> Resource:
        return replace(one, name="2", full_name="//firestore.googleapis.com/2", **changes)

    def kinds(*new: Resource, policy: str = POLICY) -> list[Kind]:
        return [each.kind for each in drift(run(one, policy=policy), run(one, *new, policy=policy)).changes]

    assert kinds(come()) == []
    here = one.placements[0]
    away, elsewhere = replace(here, location="eur3"), replace(here, field="location")
    for places in ((here,), (away, key), (elsewhere, key), (replace(here, role=Role.REPLICA), key), ()):
        assert Kind.APPEARED in kinds(come(placements=places)), places
    assert kinds(come(kind="final backup")) == [Kind.APPEARED]
    assert Kind.APPEARED in kinds(come(type="sql"))


def test_a_backup_that_is_waived_is_not_like_one_that_is_a_violation() -> None:
    waiver = WAIVER.format(expires="2026-12-31").replace("storage.googleapis.com/a", "firestore.googleapis.com/2")
    policy = POLICY + waiver.replace('"primary"', '"backup"').replace('"US"', '"nam5"')
    waived = replace(backup("2", "nam5"), full_name="//firestore.googleapis.com/2")
    other = replace(waived, name="3", full_name="//firestore.googleapis.com/3")
    found = drift(run(waived, policy=policy), run(waived, other, policy=policy))
    assert (Kind.APPEARED, WORSE, "firestore 3", None, "backup nam5") in told(found)


@pytest.mark.parametrize(
    ("places", "shown"),
    [
        ((*bucket("a").placements, Placement(Role.BACKUP, "eur3", "backup")), "primary europe-west3, backup eur3"),
        ((), "no known place"),
    ],
)
def test_what_has_more_than_backups_or_no_place_is_no_backup(places: tuple[Placement, ...], shown: str) -> None:
    one = replace(bucket("a"), placements=places)
    other = replace(one, name="b", full_name="//storage.googleapis.com/b")
    found = between(run(one), run(one, other))
    assert (Kind.APPEARED, "gcs b", shown) in [(each[0], each[2], each[4]) for each in found]


def test_of_another_kind_is_not_made_anew() -> None:
    old, new = cluster("a"), replace(cluster("a", location="europe-west1"), kind="Autopilot cluster")
    assert {Kind.VANISHED, Kind.APPEARED} <= {one[0] for one in between(run(old), run(new))}


def test_two_answers_about_what_is_gone_are_as_grave_as_the_worse() -> None:
    twins = bucket("b"), bucket("b", "US")
    [gone] = [one for one in drift(run(bucket("a"), *twins), run(bucket("a"))).changes if one.kind is Kind.VANISHED]
    assert (gone.effect, gone.before and gone.before.verdict) == (BETTER, Verdict.VIOLATION)


def test_nobody_knows_which_of_two_has_moved() -> None:
    olds = [cluster("a"), cluster("a", location="europe-west1")]
    kinds = [one[0] for one in between(run(*olds), run(cluster("a", location="us-east1")))]
    assert sorted(kinds[:3]) == [Kind.APPEARED, Kind.VANISHED, Kind.VANISHED]


def test_two_answers_about_one_resource_are_one_resource() -> None:
    twins = bucket("a"), bucket("a", "US")
    assert between(run(*twins), run(*twins[::-1])) == []
    assert between(run(*twins), run(twins[0]))[0] == (Kind.PLACEMENT_VANISHED, BETTER, "gcs a primary", "US", None)


class TestUnread:
    """What could not be read is not gone."""

    def test_what_was_not_read_is_not_seen(self) -> None:
        old, new = run(bucket("a"), bucket("b", "US"), cluster("a")), run(cluster("a"), unread=[LOST])
        assert between(old, new) == [
            (Kind.UNREAD, WORSE, "gcs projects/p", None, "timeout"),
            (Kind.NOT_SEEN, WORSE, "gcs a", "primary europe-west3", None),
            (Kind.NOT_SEEN, NEUTRAL, "gcs b", "primary US", None),
            (Kind.VERDICT, NEUTRAL, "run", "violation", "unverified"),
        ]
        assert between(new, old) == [
            (Kind.READ_AGAIN, BETTER, "gcs projects/p", "timeout", None),
            (Kind.NEWLY_SEEN, BETTER, "gcs a", None, "primary europe-west3"),
            (Kind.NEWLY_SEEN, WORSE, "gcs b", None, "primary US"),
            (Kind.VERDICT, WORSE, "run", "unverified", "violation"),
        ]

    def test_an_empty_list_is_an_answer(self) -> None:
        nothing = Unread("gcs", "gcs", Reason.NOTHING_FOUND, "nothing")
        assert (Kind.VANISHED, NEUTRAL, "gcs a", "primary europe-west3", None) in between(
            run(bucket("a")), run(unread=[nothing])
        )

    def test_places_that_a_broken_list_would_have_shown_are_not_seen(self) -> None:
        lost = Unread("sql", "projects/p/backups", Reason.PERMISSION_DENIED, "no")
        found = between(run(instance(**{"1": "eu"})), run(instance(), unread=[lost]))
        assert (Kind.NOT_SEEN, WORSE, "sql db backup", "eu", None) in found
        assert not {one[0] for one in found} & {Kind.VANISHED, Kind.PLACEMENT_VANISHED}

    def test_trouble_with_one_resource_hides_its_own_places_and_copies_alone(self) -> None:
        database = replace(bucket("d", type="firestore"), full_name="//firestore.googleapis.com/d")
        lost = Unread("firestore", "d", Reason.TIMEOUT, "no answer", resource=database.full_name)
        stranger = backup("2", "eur3", owner="//firestore.googleapis.com/e")
        found = between(run(database, backup("1", "eur3"), stranger), run(database, unread=[lost]))
        assert [one[:3] for one in found if one[0] in (Kind.NOT_SEEN, Kind.VANISHED)] == [
            (Kind.NOT_SEEN, WORSE, "firestore 1"),
            (Kind.VANISHED, NEUTRAL, "firestore 2"),
        ]

    def test_a_location_that_is_not_told_any_more_is_no_move(self) -> None:
        old, new = run(bucket("a")), run(bucket("a", None))
        assert (Kind.NOT_SEEN, WORSE, "gcs a primary", "europe-west3", "no location") in between(old, new)
        assert (Kind.NEWLY_SEEN, BETTER, "gcs a primary", "no location", "europe-west3") in between(new, old)

    def test_another_reason(self) -> None:
        denied = replace(LOST, reason=Reason.PERMISSION_DENIED)
        assert between(run(unread=[LOST]), run(unread=[denied])) == [
            (Kind.UNREAD, NEUTRAL, "gcs projects/p", "timeout", "permission_denied")
        ]

    def test_the_same_trouble_at_another_index_is_no_change(self) -> None:
        def lost(index: int) -> Unread:
            name = "//storage.googleapis.com/a"
            return Unread("gcs", f"{name} places[{index}]", Reason.NOT_LISTED, "", resource=name)

        assert between(run(bucket("a"), unread=[lost(1)]), run(bucket("a"), unread=[lost(2)])) == []

    def test_replicas_of_datasets_are_seen_by_a_deep_run_only(self) -> None:
        replica = Placement(Role.REPLICA, "europe-west3", "SCHEMATA_REPLICAS[0].location")
        with_replica = run(bucket("d", "europe-west3", replica, type="bigquery"), deep=True)
        without = run(bucket("d", type="bigquery"))
        found = drift(with_replica, without)
        assert told(found) == [(Kind.NOT_SEEN, WORSE, "bigquery d replica", "europe-west3", None)]
        assert found.caveats == ("only the old run was --deep: the other could not see replicas of datasets",)
        assert told(drift(without, with_replica))[0][0] is Kind.NEWLY_SEEN
        assert told(drift(with_replica, replace(without, deep=True)))[0][0] is Kind.PLACEMENT_VANISHED

    @pytest.mark.parametrize("lost", [{"unread": [LOST]}, {"interrupted_by": 15}])
    def test_an_incomplete_run_is_said_to_be_one(self, lost: Any) -> None:
        word = "interrupted" if "interrupted_by" in lost else "incomplete"
        assert any(
            f"the old run {'was' if word == 'interrupted' else 'is'} {word}" in one
            for one in drift(run(bucket("a"), **lost), run(bucket("a"))).caveats
        )
        assert any(one.startswith("the new run") for one in drift(run(bucket("a")), run(bucket("a"), **lost)).caveats)


class TestScope:
    """What was out of scope on one side is not a change."""

    def test_a_type_that_only_one_run_looked_at(self) -> None:
        old = run(bucket("a", "US"), cluster("a"), unread=[replace(LOST, type="sql")])
        new = run(cluster("a", "b"), scope=Scope(("gke",), whole=False))
        found = drift(old, new)
        assert told(found) == [(Kind.PLACEMENT_APPEARED, NEUTRAL, "gke work node", None, "europe-west3-b")]
        assert "the new run looked only at gke: nothing else is compared" in found.caveats
        assert [one.kind for one in drift(new, old).changes] == [Kind.PLACEMENT_VANISHED]

    def test_resources_that_only_one_run_looked_at(self) -> None:
        copy = replace(bucket("copy"), owner="//storage.googleapis.com/a")
        trouble = Unread("gcs", "b", Reason.TIMEOUT, "", resource="//storage.googleapis.com/b")
        old = run(bucket("a"), bucket("b", "US"), copy, unread=[trouble])
        new = run(bucket("a"), bucket("b"), scope=Scope(("gcs",), frozenset({("gcs", "a")}), whole=False))
        assert between(old, new) == [(Kind.VANISHED, NEUTRAL, "gcs copy", "primary europe-west3", None)]

    def test_runs_with_nothing_in_common(self) -> None:
        parts = [
            Scope(("gke",), whole=False),
            Scope(("gcs",), frozenset({("gcs", "a")}), whole=False),
            Scope(("gcs",), frozenset({("gcs", "b")}), whole=False),
            Scope(("gcs", "gke"), frozenset({("gcs", "b"), ("gke", "work")}), whole=False),
        ]
        runs = [run(*(bucket(name) for _, name in one.wanted), scope=one) for one in parts]
        for old, new, compared in (0, 1, False), (1, 2, False), (1, 3, False), (2, 3, True), (0, 3, True):
            assert (NOTHING_IN_COMMON in drift(runs[old], runs[new]).caveats) is not compared
        copy = replace(bucket("b"), owner="//storage.googleapis.com/a")
        both = [run(bucket("a"), copy, scope=parts[1]), run(bucket("a"), copy, scope=parts[2])]
        assert NOTHING_IN_COMMON not in drift(*both).caveats

    def test_a_type_that_only_one_whole_run_could_read(self) -> None:
        old, new = run(bucket("a"), scope=Scope(("gcs", "kms"))), run(bucket("a"), scope=Scope(("gcs",)))
        found = drift(old, new)
        assert told(found) == [(Kind.COVERAGE, WORSE, "kms checker", "diga-verify 0", "not looked at")]
        assert found.caveats == ("only the old run looked at kms: not compared",)
        assert between(new, old) == [(Kind.COVERAGE, BETTER, "kms checker", "not looked at", "diga-verify 0")]
        assert between(old, run(bucket("a"), scope=Scope(("gcs",), whole=False))) == []


class TestRules:
    """Changes of the policy, of what is enforced, and of the tool."""

    def test_a_policy_that_allows_more_is_worse_whatever_it_does_to_verdicts(self) -> None:
        wider = POLICY.replace('primary = "frankfurt"', 'primary = "eu"')
        old, new = run(bucket("a", "europe-west1")), run(bucket("a", "europe-west1"), policy=wider)
        found = between(old, new)
        assert (Kind.POLICY, WORSE, "gcs allowed primary", "europe-west3", "jurisdiction:EU") in found
        assert (Kind.VERDICT, BETTER, "gcs a primary", "europe-west1", "europe-west1") in found
        assert (Kind.VERDICT, BETTER, "gcs a", "violation", "compliant") in found
        assert (Kind.POLICY, BETTER, "gcs allowed primary", "jurisdiction:EU", "europe-west3") in between(new, old)
        assert [one[2] for one in found if one[0] is Kind.POLICY and one[2].startswith("gke")] == [
            "gke allowed primary"
        ]

    def test_a_policy_that_allows_something_else_is_neither(self) -> None:
        other = POLICY.replace('frankfurt = ["europe-west3"]', 'frankfurt = ["europe-west1"]')
        effects = {one[1] for one in between(run(), run(policy=other)) if "allowed" in one[2]}
        assert effects == {NEUTRAL}

    @pytest.mark.parametrize(
        ("old", "new", "before", "after", "effect"),
        [
            (None, "2027-01-31", None, "until 2027-01-31, dpo: public", WORSE),
            ("2027-01-31", None, "until 2027-01-31, dpo: public", None, BETTER),
            ("2027-01-31", "2027-03-31", "until 2027-01-31, dpo: public", "until 2027-03-31, dpo: public", WORSE),
            ("2027-03-31", "2027-01-31", "until 2027-03-31, dpo: public", "until 2027-01-31, dpo: public", BETTER),
        ],
    )
    def test_waivers(self, old: str | None, new: str | None, before: str, after: str, effect: Effect) -> None:
        policies = [POLICY + (WAIVER.format(expires=one) if one else "") for one in (old, new)]
        found = between(*(run(bucket("a", "US"), bucket("b"), policy=one) for one in policies))
        assert (Kind.POLICY, effect, "gcs waiver for us primary", before, after) in found
        assert ((Kind.VERDICT, BETTER, "gcs a", "violation", "waived") in found) is (old is None)

    def test_a_waiver_whose_violation_is_gone_is_no_change_of_the_policy(self) -> None:
        waived = POLICY + WAIVER.format(expires="2027-01-31")
        kinds = {one[0] for one in between(run(bucket("a", "US"), policy=waived), run(bucket("a"), policy=waived))}
        assert Kind.MOVED in kinds
        assert Kind.POLICY not in kinds

    def test_a_type_declared_unused(self) -> None:
        found = between(run(scope=Scope(("gcs",))), run(policy=UNUSED, scope=Scope(("gcs",))))
        assert (Kind.POLICY, NEUTRAL, "gcs unused", "used", "declared unused") in found

    def test_what_is_enforced(self) -> None:
        old, new = run(strict=True, environment="development"), run(environment="development")
        assert between(old, new) == [(Kind.ENFORCEMENT, WORSE, "enforcement", "required", "free")]
        assert between(new, old) == [(Kind.ENFORCEMENT, BETTER, "enforcement", "free", "required")]

    def test_a_label_that_no_longer_says_personal_data(self) -> None:
        rules, _ = rules_of(POLICY, "development")

        def labelled(value: str) -> Report:
            resources = [bucket("a", labels={"data": value}), bucket("b", labels={"data": "personal"})]
            judgement = evaluate(resources, (), rules, Scope(("gcs",)), Enforcement.FREE)
            return run(environment="development", scope=Scope(("gcs",)), judgement=judgement)

        assert between(labelled("personal"), labelled("none")) == [
            (Kind.ENFORCEMENT, WORSE, "gcs a", "enforced", "not enforced")
        ]
        assert between(labelled("none"), labelled("personal")) == [
            (Kind.ENFORCEMENT, BETTER, "gcs a", "not enforced", "enforced")
        ]

    def test_one_of_two_answers_is_enough_to_be_enforced(self) -> None:
        rules, _ = rules_of(POLICY, "development")

        def labelled(*values: str) -> Report:
            resources = [bucket("a", labels={"data": value}) for value in values]
            judgement = evaluate(resources, (), rules, Scope(("gcs",)), Enforcement.FREE)
            return run(environment="development", scope=Scope(("gcs",)), judgement=judgement)

        assert between(labelled("personal"), labelled("personal", "none")) == []

    def test_what_is_enforced_of_all_is_not_told_of_each(self) -> None:
        rules, _ = rules_of(POLICY, "development")
        judgement = evaluate([bucket("a")], (), rules, Scope(("gcs",)), Enforcement.FREE)
        strict = run(bucket("a"), environment="development", scope=Scope(("gcs",)), strict=True)
        free = replace(strict, strict=False, judgement=judgement)
        assert between(strict, free) == [(Kind.ENFORCEMENT, WORSE, "enforcement", "required", "free")]

    def test_the_tool_its_tables_and_its_checkers(self) -> None:
        old = run(checkers=tuple(CheckerOrigin(type, "acme", "1", ()) for type in TYPES))
        odd = tuple(CheckerOrigin(type, "acme", "2" if type == "gcs" else "1", ()) for type in TYPES)
        new = run(version="1", table_date="2026-12-01", adequacy_review_date="2026-12-02", checkers=odd)
        assert between(old, new) == [
            (Kind.TOOL, NEUTRAL, "gcs checker", "acme 1", "acme 2"),
            (Kind.TOOL, NEUTRAL, "adequacy review", "2026-11-20", "2026-12-02"),
            (Kind.TOOL, NEUTRAL, "location table", "2026-11-20", "2026-12-01"),
            (Kind.TOOL, NEUTRAL, "version", "0", "1"),
        ]

    def test_coverage(self) -> None:
        heard = Witness(heard=("x/A", "x/B"))
        lost = Witness(heard=("x/A",), silent=(("x/B", Reason.PERMISSION_DENIED),))
        disk = Services(("compute.googleapis.com",), None, (DataService("compute.googleapis.com", "Disks", "disks"),))
        old, new = run(witness=heard, services=Services(())), run(witness=lost, services=disk)
        found = between(old, new)
        assert [(one[0], one[1], one[4]) for one in found] == [
            (Kind.COVERAGE, WORSE, "permission_denied"),
            (Kind.COVERAGE, WORSE, "Disks, not read"),
        ]
        assert [one[1] for one in between(new, old)] == [BETTER, BETTER]
        assert between(replace(old, services=Services()), replace(new, witness=heard)) == []


class TestMissing:
    """Expected resources that are not there."""

    def test_it_went_and_came_back(self) -> None:
        policy = POLICY + EXPECTED.format(name="b") + EXPECTED.format(name="a")
        old, new = run(bucket("a"), bucket("b"), policy=policy), run(bucket("b"), policy=policy)
        assert (Kind.MISSING, WORSE, "gcs a", "there", "missing") in between(old, new)
        assert (Kind.NOT_MISSING, BETTER, "gcs a", "missing", "there") in between(new, old)

    def test_it_is_expected_no_more(self) -> None:
        old = run(bucket("b"), policy=POLICY + EXPECTED.format(name="a"))
        assert (Kind.NOT_MISSING, NEUTRAL, "gcs a", "missing", "not expected") in between(old, run(bucket("b")))
        assert (Kind.MISSING, WORSE, "gcs a", "not expected", "missing") in between(run(bucket("b")), old)

    def test_nobody_could_look_for_it(self) -> None:
        policy = POLICY + EXPECTED.format(name="a")
        old, new = run(bucket("b"), policy=policy), run(bucket("b"), policy=policy, unread=[LOST])
        assert (Kind.NOT_MISSING, NEUTRAL, "gcs a", "missing", "not read") in between(old, new)


class TestStrangers:
    """Runs that have nothing to do with each other are refused, with both sides named."""

    @pytest.mark.parametrize(
        ("other", "said"),
        [
            (Project("q", "2", None), "project p (1) in production, the new one of project q (2) in production"),
            (Project("p", "2", None), "project p (1) in production, the new one of project p (2) in production"),
            (Project("q", None, None), "the new one of project q in production"),
        ],
    )
    def test_another_project(self, other: Project, said: str) -> None:
        with pytest.raises(UsageError) as error:
            drift(run(), run(project=other))
        assert said in str(error.value)

    def test_another_environment(self) -> None:
        with pytest.raises(
            UsageError, match=r"of project p .1. in production, the new one of project p .1. in develop"
        ):
            drift(run(), run(environment="development"))

    @pytest.mark.parametrize("other", [Project("p", None, None), Project("1", None, None), Project("p", "1", None)])
    def test_the_same_project_by_another_name(self, other: Project) -> None:
        assert drift(run(), run(project=other)).changes == ()
        assert drift(run(project=other), run()).changes == ()

    def test_a_baseline_is_refused_before_anything_is_asked(self) -> None:
        refuse_baseline(run(), "production", "p")
        refuse_baseline(run(), "production", "1")
        for environment, project in ("production", "q"), ("production", "2"), ("staging", "p"):
            with pytest.raises(UsageError):
                refuse_baseline(run(), environment, project)


def test_what_must_be_known_besides() -> None:
    old, new = run(day=2, simulated=True), run(day=1, principal="another@example.com", what_if=True)
    assert drift(old, new).caveats == (
        "the old run began after the new one: are they the right way round?",
        "the old run asked a stand-in, not Google Cloud",
        "the new report judges stored answers by another policy than the run's own",
        "the runs asked as different callers: somebody@example.com, then another@example.com",
    )


LOCATIONS = ("europe-west3", "europe-west3-a", "europe-west1", "us-east1", "EU", "mars-1", None)
FIELDS = ("location", "pools[0].zones[0]", "pools[0].zones[1]", "pools[1].zones[0]", "backups[1].at", "backups[2].at")


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Runs over a few resources, whose placements are of few roles in few locations, some of them unread."""
    place = st.builds(
        Placement,
        st.sampled_from(Role),
        st.sampled_from(LOCATIONS),
        st.sampled_from(FIELDS),
        about=st.sampled_from("xy"),
    )
    resources = [
        Resource(type, name, f"//{type}/{home}/{name}", kind, tuple(places), owner=owner)
        for type, name, home, kind, owner, places in draw(
            st.lists(
                st.tuples(
                    st.sampled_from(["gcs", "sql"]),
                    st.sampled_from("abc"),
                    st.sampled_from("lm"),
                    st.sampled_from(["thing", "backup"]),
                    st.sampled_from(["", "//gcs/l/a"]),
                    st.lists(place, max_size=5),
                ),
                max_size=5,
                unique_by=lambda one: one[:3],
            )
        )
    ]
    unread = draw(
        st.lists(
            st.builds(
                Unread,
                st.sampled_from(["gcs", "sql"]),
                st.sampled_from(["here", "there[1]", "there[2]"]),
                st.sampled_from([Reason.TIMEOUT, Reason.PARTIAL_ANSWER]),
                st.just("lost"),
                st.sampled_from([None, None, "//gcs/l/a", "//sql/m/b"]),
            ),
            max_size=2,
        )
    )
    policy = draw(st.sampled_from([POLICY, POLICY.replace('node = "frankfurt"', 'node = "eu"'), UNUSED]))
    return run(*resources, unread=unread, policy=policy, scope=Scope(("sql", "gcs")))


@settings(max_examples=40)
@given(reports())
def test_no_run_differs_from_itself(one: Report) -> None:
    found = drift(one, one)
    assert (found.changes, found.turnover) == ((), 0)


OPPOSITES = {
    Kind.APPEARED: Kind.VANISHED,
    Kind.PLACEMENT_APPEARED: Kind.PLACEMENT_VANISHED,
    Kind.NEWLY_SEEN: Kind.NOT_SEEN,
    Kind.UNREAD: Kind.READ_AGAIN,
    Kind.MISSING: Kind.NOT_MISSING,
}
BOTH_WAYS = OPPOSITES | {other: one for one, other in OPPOSITES.items()}


def seen_from_behind(one: Change) -> tuple[object, ...]:
    kind = BOTH_WAYS.get(one.kind, one.kind)
    if one.kind is Kind.UNREAD and one.before and one.after:
        kind = one.kind
    return kind, one.type, one.name, one.role, without_indices(one.field), one.after, one.before


def seen(one: Change) -> tuple[object, ...]:
    return one.kind, one.type, one.name, one.role, without_indices(one.field), one.before, one.after


@settings(max_examples=60)
@given(reports(), reports())
def test_the_other_way_round_everything_is_the_other_way_round(old: Report, new: Report) -> None:
    there, back = drift(old, new), drift(new, old)
    assert sorted(map(repr, map(seen, there.changes))) == sorted(map(repr, map(seen_from_behind, back.changes)))
    assert there.turnover == back.turnover
    effects = {repr(seen_from_behind(one)): one.effect for one in back.changes}
    for one in there.changes:
        pair = {one.effect, effects[repr(seen(one))]}
        verdicts = {state.verdict for state in (one.before, one.after) if state}
        hidden = one.kind in (Kind.NOT_SEEN, Kind.NEWLY_SEEN) or Verdict.UNVERIFIED in verdicts
        excused = Verdict.VIOLATION in verdicts and hidden
        assert pair in ([{WORSE, BETTER}, {NEUTRAL}, {WORSE, NEUTRAL}] if excused else [{WORSE, BETTER}, {NEUTRAL}])


@settings(max_examples=60)
@given(reports(), reports())
def test_every_place_that_is_new_or_gone_is_told(old: Report, new: Report) -> None:
    found = drift(old, new)
    places = [
        {
            judged.resource.full_name: {(path(place), spot(place)[0]) for place in judged.placements}
            for judged in one.judgement.resources
        }
        for one in (old, new)
    ]
    for name in places[0].keys() & places[1].keys():
        mine = [one for one in found.changes if one.full_name == name and one.role and one.kind is not Kind.POLICY]
        gone = {(_path(one), _where(one.before.value)) for one in mine if one.before}
        come = {(_path(one), _where(one.after.value)) for one in mine if one.after}
        assert places[0][name] - places[1][name] <= gone <= places[0][name]
        assert places[1][name] - places[0][name] <= come <= places[1][name]
    one_sided = {
        one.full_name for one in found.changes if one.kind in (Kind.APPEARED, Kind.NEWLY_SEEN) and not one.role
    }
    moved = {one.full_name for one in found.changes if one.kind is Kind.MOVED and not one.role}
    untold = places[1].keys() - places[0].keys() - one_sided - moved
    assert len(untold) <= found.turnover


def _path(one: Change) -> tuple[Role | None, str]:
    return one.role, without_indices(one.field)


def _where(value: str) -> str:
    return "" if value == "no location" else value.lower()
