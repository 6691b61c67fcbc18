"""The judgement, by example and by property: nothing is compliant by accident, and exit codes say what was found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.evaluate import evaluate
from diga_verify.judgement import Judgement, Scope
from diga_verify.model import TYPES, Enforcement, Placement, Project, Reason, Resource, Role, Severity, Unread, Verdict
from diga_verify.policy import Policy
from diga_verify.policy.rules import Rules
from diga_verify.report import CheckerOrigin, Report

GCS = Scope(("gcs",))
HERE = Placement(Role.PRIMARY, "europe-west3", "location")
AWAY = Placement(Role.PRIMARY, "us-central1", "location")
NEAR = Placement(Role.PRIMARY, "europe-west1", "location")
NOWHERE = Placement(Role.PRIMARY, "europe-west99", "location")
SILENT = Placement(Role.PRIMARY, None, "location", reason=Reason.MISSING_LOCATION)
FAILED = Unread("gcs", "gcs", Reason.TIMEOUT, "no answer")

LOCATIONS = st.none() | st.sampled_from(
    ["europe-west3", "EUROPE-WEST3", "europe-west3-a", "europe-west1", "us", "eu", "EUR4", "global", "", "nowhere"]
)
PLACES = st.builds(
    Placement,
    st.sampled_from(list(Role)),
    LOCATIONS,
    st.just("field"),
    st.lists(st.sampled_from(["europe-west3", "US-EAST1", "nowhere"]), max_size=2).map(tuple),
    st.none() | st.sampled_from([Reason.MISSING_LOCATION, Reason.DEFAULT_LOCATION, Reason.EXTERNAL_KEY]),
)


def bucket(*places: Placement, name: str = "b", **more: Any) -> Resource:
    return Resource("gcs", name, f"//storage.googleapis.com/{name}", "bucket", places, **more)


@pytest.fixture
def rules(policy: Callable[..., Policy]) -> Rules:
    """Production of the default policy."""
    return policy().environment("production")


def verdict(place: Placement, rules: Rules) -> Verdict:
    return evaluate([bucket(place)], [], rules, GCS, Enforcement.REQUIRED).resources[0].verdict


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (HERE, Verdict.COMPLIANT),
        (replace(HERE, location="EUROPE-WEST3"), Verdict.COMPLIANT),
        (replace(HERE, role=Role.NODE, location="europe-west3-c"), Verdict.COMPLIANT),
        (replace(HERE, role=Role.BACKUP, location="europe-west1"), Verdict.COMPLIANT),
        (NEAR, Verdict.VIOLATION),
        (AWAY, Verdict.VIOLATION),
        (replace(HERE, location="global"), Verdict.VIOLATION),
        (replace(HERE, location="EU"), Verdict.VIOLATION),
        (replace(HERE, role=Role.BACKUP, location="europe-west2"), Verdict.VIOLATION),
        (replace(HERE, role=Role.BACKUP, location="EUR8"), Verdict.VIOLATION),
        (NOWHERE, Verdict.UNVERIFIED),
        (SILENT, Verdict.UNVERIFIED),
        (replace(HERE, location=""), Verdict.UNVERIFIED),
        (replace(HERE, location="europe-west33"), Verdict.UNVERIFIED),
    ],
)
def test_placement(rules: Rules, place: Placement, expected: Verdict) -> None:
    assert verdict(place, rules) is expected


@pytest.mark.parametrize(
    ("location", "severity"),
    [("us-central1", Severity.CRITICAL), ("global", Severity.CRITICAL), ("europe-west1", Severity.HIGH)],
)
def test_severity(rules: Rules, location: str, severity: Severity) -> None:
    judged = evaluate([bucket(replace(HERE, location=location))], [], rules, GCS, Enforcement.REQUIRED).resources[0]
    assert judged.severity is severity


@given(places=st.lists(PLACES, max_size=4), more=PLACES)
def test_another_placement_makes_nothing_compliant(rules: Rules, places: list[Placement], more: Placement) -> None:
    before = evaluate([bucket(*places)], [], rules, GCS, Enforcement.REQUIRED).resources[0].verdict
    after = evaluate([bucket(*places, more)], [], rules, GCS, Enforcement.REQUIRED).resources[0].verdict
    # The first placement of all is what there was no proof without.
    assert before is Verdict.COMPLIANT or not places or after is not Verdict.COMPLIANT


@given(places=st.lists(PLACES, min_size=1, max_size=4))
def test_compliant_means_all_placements_are(rules: Rules, places: list[Placement]) -> None:
    judged = evaluate([bucket(*places)], [], rules, GCS, Enforcement.REQUIRED).resources[0]
    assert (judged.verdict is Verdict.COMPLIANT) == all(one.verdict is Verdict.COMPLIANT for one in judged.placements)
    assert all(one.bound is not None for one in judged.placements if one.verdict is Verdict.COMPLIANT)


@given(location=st.text(max_size=30), type=st.sampled_from(TYPES), role=st.sampled_from(list(Role)))
def test_no_invented_location_is_compliant(rules: Rules, location: str, type: str, role: Role) -> None:
    made_up = f"{location}-nowhere"
    resource = Resource(type, "x", "//x", "thing", (Placement(role, made_up, "field"),))
    judged = evaluate([resource], [], rules, Scope((type,)), Enforcement.REQUIRED)
    assert judged.resources[0].verdict is Verdict.UNVERIFIED
    assert [one.reason for one in judged.unread] == [Reason.UNKNOWN_LOCATION]


def test_a_resource_without_placements_is_unverified(rules: Rules) -> None:
    assert evaluate([bucket()], [], rules, GCS, Enforcement.REQUIRED).resources[0].verdict is Verdict.UNVERIFIED


def test_a_resource_of_which_something_is_unread_is_unverified(rules: Rules) -> None:
    resources = [bucket(HERE), bucket(HERE, name="c")]
    about = replace(FAILED, resource="//storage.googleapis.com/c")
    judged = evaluate(resources, [about], rules, GCS, Enforcement.REQUIRED)
    assert [one.verdict for one in judged.resources] == [Verdict.COMPLIANT, Verdict.UNVERIFIED]


def test_two_answers_about_one_resource_are_both_judged(rules: Rules) -> None:
    judged = evaluate([bucket(HERE), bucket(AWAY), bucket(HERE)], [], rules, GCS, Enforcement.REQUIRED)
    assert sorted(one.verdict for one in judged.resources) == [Verdict.COMPLIANT, Verdict.VIOLATION]


def test_the_same_answer_again_is_no_other_one(rules: Rules) -> None:
    here, away, labelled = bucket(HERE), bucket(AWAY), bucket(AWAY, labels={"a": "b"})
    result = evaluate([here, away, labelled, here, away, labelled], [], rules, GCS, Enforcement.REQUIRED)
    assert [one.resource for one in result.resources] == [here, away, labelled]


WAIVER = """\
[[waivers]]
resource = "//storage.googleapis.com/b"
role = "primary"
location = "US-CENTRAL1"
reason = "public images"
owner = "data-protection officer"
expires = 2027-01-31
"""


@pytest.fixture
def waived(policy: Callable[..., Policy]) -> Rules:
    return policy(more=WAIVER).environment("production")


def test_a_waiver_covers_its_violation(waived: Rules) -> None:
    judged = evaluate([bucket(AWAY)], [], waived, GCS, Enforcement.REQUIRED)
    assert [one.verdict for one in judged.resources] == [Verdict.WAIVED]
    assert judged.waivers_used == waived.waivers
    assert judged.unread == ()


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (bucket(AWAY, name="b2"), Verdict.VIOLATION),
        (bucket(replace(AWAY, role=Role.BACKUP)), Verdict.VIOLATION),
        (bucket(replace(AWAY, location="us-east1")), Verdict.VIOLATION),
        (bucket(replace(AWAY, location="us-central1-a")), Verdict.VIOLATION),
        (bucket(AWAY, replace(AWAY, role=Role.KEY)), Verdict.VIOLATION),
        (bucket(NOWHERE), Verdict.UNVERIFIED),
        (bucket(AWAY, SILENT), Verdict.UNVERIFIED),
    ],
)
def test_a_waiver_covers_nothing_else(waived: Rules, resource: Resource, expected: Verdict) -> None:
    assert evaluate([resource], [], waived, GCS, Enforcement.REQUIRED).resources[0].verdict is expected


@pytest.mark.parametrize("place", [HERE, NOWHERE])
def test_a_waiver_is_for_violations_alone(rules: Rules, waived: Rules, place: Placement) -> None:
    """Where nothing is known of a place, no waiver may hide that; and one for an allowed place covers nothing."""
    (waiver,) = waived.waivers
    odd = replace(rules, waivers=(replace(waiver, location=str(place.location)),))
    judged = evaluate([bucket(place)], [], odd, GCS, Enforcement.REQUIRED)
    assert judged.resources[0].verdict is verdict(place, rules)
    assert Reason.UNMATCHED_WAIVER in {one.reason for one in judged.unread}


def test_waivers_are_told_apart(policy: Callable[..., Policy]) -> None:
    other = WAIVER.replace("US-CENTRAL1", "us-east1")
    rules = policy(more=WAIVER + other).environment("production")
    first, second = rules.waivers
    judged = evaluate([bucket(AWAY, HERE), bucket(HERE, name="c")], [], rules, GCS, Enforcement.REQUIRED)
    assert judged.waivers_used == (first,)
    (idle,) = judged.unread
    assert (idle.type, idle.scope, idle.resource) == ("policy", "//storage.googleapis.com/b", None)
    assert f"line {second.line} for primary us-east1" in idle.detail
    assert [place.waiver for place in judged.resources[0].placements] == [first, None]
    assert [place.severity for place in judged.resources[0].placements] == [Severity.CRITICAL, None]


@pytest.mark.parametrize(
    ("unread", "told"),
    [
        (replace(FAILED, reason=Reason.NOTHING_FOUND), True),
        (replace(FAILED, resource="//storage.googleapis.com/c"), True),
        (FAILED, False),
    ],
)
def test_a_waiver_is_idle_when_all_that_it_might_cover_was_read(waived: Rules, unread: Unread, told: bool) -> None:
    found = [bucket(HERE), bucket(HERE, name="c")]
    judged = evaluate(found, [unread], waived, GCS, Enforcement.REQUIRED)
    assert (Reason.UNMATCHED_WAIVER in {one.reason for one in judged.unread}) == told


def test_a_waiver_that_covers_nothing_is_told(waived: Rules) -> None:
    judged = evaluate([bucket(HERE)], [], waived, GCS, Enforcement.REQUIRED)
    assert [one.reason for one in judged.unread] == [Reason.UNMATCHED_WAIVER]


@pytest.mark.parametrize("scope", [GCS, replace(GCS, whole=False)])
def test_a_run_that_saw_a_part_calls_no_waiver_idle(waived: Rules, scope: Scope) -> None:
    unread = [FAILED] if scope.whole else []
    judged = evaluate([bucket(HERE)], unread, waived, scope, Enforcement.REQUIRED)
    assert Reason.UNMATCHED_WAIVER not in {one.reason for one in judged.unread}


def test_declared_unused(policy: Callable[..., Policy]) -> None:
    unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["gcs"]')).environment(
        "production"
    )
    off = replace(FAILED, reason=Reason.API_DISABLED, off_in_project=True)
    assert evaluate([], [off], unused, GCS, Enforcement.REQUIRED).unread == ()
    elsewhere = replace(off, off_in_project=False)
    assert evaluate([], [elsewhere], unused, GCS, Enforcement.REQUIRED).unread == (elsewhere,)
    assert evaluate([], [FAILED], unused, GCS, Enforcement.REQUIRED).unread == (FAILED,)
    found = evaluate([bucket(HERE)], [], unused, GCS, Enforcement.REQUIRED).resources[0]
    assert (found.verdict, found.declared_unused) == (Verdict.VIOLATION, True)


def test_what_is_unread_about_a_resource_that_nobody_found_is_kept(rules: Rules) -> None:
    about = [replace(FAILED, resource=f"//storage.googleapis.com/{name}") for name in ("b", "b2", "lost")]
    scope = replace(GCS, wanted=frozenset({("gcs", "b")}), whole=False)
    judged = evaluate([bucket(HERE), bucket(HERE, name="b2")], about, rules, scope, Enforcement.REQUIRED)
    assert {one.resource for one in judged.unread} == {about[0].resource, about[2].resource}
    assert [one.verdict for one in judged.resources] == [Verdict.UNVERIFIED]


def test_a_resource_without_a_place_proves_nothing_and_is_named(rules: Rules) -> None:
    judged = evaluate([bucket(HERE), bucket(name="b2")], [], rules, GCS, Enforcement.REQUIRED)
    assert [one.verdict for one in judged.resources] == [Verdict.COMPLIANT, Verdict.UNVERIFIED]
    name = judged.resources[1].resource.full_name
    assert [(one.reason, one.scope, one.resource) for one in judged.unread] == [(Reason.MISSING_LOCATION, name, name)]


def test_an_empty_type_proves_nothing(rules: Rules) -> None:
    judged = evaluate([], [], rules, GCS, Enforcement.REQUIRED)
    assert [one.reason for one in judged.unread] == [Reason.NOTHING_FOUND]


def test_expected_resources(rules: Rules) -> None:
    gke = Scope(("gke",))
    cluster = Resource("gke", "dta-cluster", "//c", "cluster", (HERE,))
    assert evaluate([cluster], [], rules, gke, Enforcement.REQUIRED).missing == ()
    for other in (replace(cluster, name="dta-cluster-2"), replace(cluster, type="gcs"), replace(cluster, live=False)):
        missing = evaluate([other], [], rules, gke, Enforcement.REQUIRED).missing
        assert [(one.type, one.name) for one in missing] == [("gke", "dta-cluster")]
    failed = replace(FAILED, type="gke")
    assert evaluate([], [failed], rules, gke, Enforcement.REQUIRED).missing == ()


def cluster(name: str, *places: Placement, **more: Any) -> Resource:
    return Resource("gke", name, f"//container.googleapis.com/{name}", "cluster", places or (HERE,), **more)


def missing(
    resources: list[Resource], rules: Rules, scope: Scope, *unread: Unread
) -> list[tuple[str, str, int | None]]:
    judged = evaluate(resources, unread, rules, scope, Enforcement.REQUIRED)
    return [(one.type, one.name, one.line) for one in judged.missing]


def test_an_expected_resource_must_be_where_it_is_expected(policy: Callable[..., Policy]) -> None:
    expected = '[[expected]]\ntype = "gcs"\nname = "b"\nlocation = "europe-west3"'
    rules = policy(more=expected).environment("production")
    (line,) = [one.line for one in rules.expected if one.name == "b"]
    key = replace(HERE, role=Role.KEY)
    assert missing([bucket(AWAY, HERE)], rules, GCS) == []
    assert missing([bucket(AWAY)], rules, GCS) == [("gcs", "b", line)]
    assert missing([bucket(AWAY), bucket(key, name="c")], rules, GCS) == [("gcs", "b", line)]
    assert missing([bucket(AWAY), bucket(HERE, live=False)], rules, GCS) == [("gcs", "b", line)]
    assert missing([bucket(AWAY), cluster("b")], rules, GCS) == [("gcs", "b", line)]


def test_expected_resources_of_types_that_were_not_read_are_not_missing(rules: Rules) -> None:
    assert missing([], rules, GCS) == []


def test_one_strange_resource_does_not_make_the_list_incomplete(rules: Rules) -> None:
    gke = Scope(("gke",))
    of_one = replace(FAILED, type="gke", resource="//container.googleapis.com/x")
    assert [name for _, name, _ in missing([cluster("x")], rules, gke, of_one)] == ["dta-cluster"]
    assert missing([cluster("x")], rules, gke, replace(of_one, resource=None)) == []


def test_a_resource_asked_for_must_be_there(rules: Rules) -> None:
    wanted = frozenset({("gke", "dta-cluster"), ("gke", "x"), ("gcs", "b"), ("gcs", "dta-cluster")})
    scope = Scope(("gke", "gcs"), wanted, whole=False)
    (line,) = [one.line for one in rules.expected if one.name == "dta-cluster"]
    found = [bucket(HERE, name="c"), cluster("x"), bucket(HERE, name="x")]
    asked_for = [("gcs", "b", None), ("gcs", "dta-cluster", None)]
    assert missing(found, rules, scope) == [("gke", "dta-cluster", line), *asked_for]
    assert missing(found, rules, scope, replace(FAILED, type="gke")) == asked_for
    assert missing(found, rules, scope, FAILED) == [("gke", "dta-cluster", line)]
    assert missing([*found, bucket(HERE), cluster("dta-cluster")], rules, scope) == [("gcs", "dta-cluster", None)]


def test_only_what_is_asked_for_is_expected(rules: Rules) -> None:
    scope = Scope(("gke",), frozenset({("gke", "x")}), whole=False)
    assert missing([cluster("x")], rules, scope) == []


def test_names_that_might_have_been_meant(rules: Rules) -> None:
    names = ["dta-cluster-1", "dta-cluster-2", "dta-cluster-3", "dta-cluster-4", "other"]
    found = [*(cluster(name) for name in names), bucket(HERE, name="dta-cluste"), cluster("dta-cluster", live=False)]
    judged = evaluate(found, [], rules, Scope(("gke",)), Enforcement.REQUIRED)
    ((suggested,),) = [[one.alike] for one in judged.missing]
    assert set(suggested) < set(names[:4])
    assert len(suggested) == 3
    scope = Scope(("gke",), frozenset({("gke", "othr")}), whole=False)
    (asked,) = evaluate(found, [], rules, scope, Enforcement.REQUIRED).missing
    assert asked.alike == ("other",)


def test_of_very_many_names_those_nearby_are_compared(rules: Rules) -> None:
    names = [*(f"a{number}" for number in range(800)), "logs-eu1", *(f"z{number}" for number in range(800))]
    # Resources come in the order of their full names, which need not be that of their names.
    found = [replace(bucket(HERE, name=name), full_name=f"//b/{9999 - at}") for at, name in enumerate(names)]
    scope = Scope(("gcs",), frozenset({("gcs", "logs-eu2")}), whole=False)
    (asked,) = evaluate(found, [], rules, scope, Enforcement.REQUIRED).missing
    assert asked.alike == ("logs-eu1",)


def test_results_are_in_the_order_of_types_then_of_names(rules: Rules) -> None:
    scope = Scope(("gcs", "gke"))
    found = [bucket(SILENT, name="b"), bucket(SILENT, name="a"), cluster("z", SILENT), cluster("y", SILENT)]
    others = [
        Unread("gcs", "b", Reason.TIMEOUT, "2"),
        Unread("gcs", "b", Reason.TIMEOUT, "1"),
        Unread("gcs", "b", Reason.SERVER_ERROR, "3"),
        Unread("gcs", "a", Reason.TIMEOUT, "4"),
        Unread("gke", "c", Reason.TIMEOUT, "5"),
        Unread("project", "a", Reason.TIMEOUT, "6"),
    ]
    names = ["a", "b", "y", "z"]
    for order in (1, -1):
        judged = evaluate(found[::order], others[::order], rules, scope, Enforcement.REQUIRED)
        assert [one.resource.name for one in judged.resources] == names
        assert [one.detail for one in judged.unread if one.resource is None] == ["4", "3", "1", "2", "5", "6"]
        assert [one.type for one in judged.unread] == ["gcs"] * 6 + ["gke"] * 3 + ["project"]


def test_what_differs_in_its_resource_alone_is_in_order_too(rules: Rules) -> None:
    about = [None, *(f"//storage.googleapis.com/{name}" for name in "abcdefgh")]
    unread = [Unread("gcs", "b", Reason.TIMEOUT, "1", one) for one in about]
    judged = evaluate([], unread[::-1], rules, Scope(("gcs",), whole=False), Enforcement.REQUIRED)
    assert [one.resource for one in judged.unread] == about


def test_what_differs_in_where_an_api_is_off_alone_is_in_order_too(rules: Rules) -> None:
    off = [Unread("gcs", scope, Reason.API_DISABLED, "1", None, here) for scope in "abcdefgh" for here in (False, True)]
    judged = evaluate([], off[::-1], rules, Scope(("gcs",), whole=False), Enforcement.REQUIRED)
    assert list(judged.unread) == off


def test_what_was_not_read_of_resources_nobody_asked_for_is_left_out(rules: Rules) -> None:
    scope = Scope(("gcs",), frozenset({("gcs", "b")}), whole=False)
    mine, other = (replace(FAILED, resource=f"//storage.googleapis.com/{name}") for name in "bc")
    judged = evaluate([bucket(HERE), bucket(AWAY, name="c")], [other, mine, FAILED], rules, scope, REQUIRED)
    assert set(judged.unread) == {mine, FAILED}
    assert [one.verdict for one in judged.resources] == [Verdict.UNVERIFIED]


ASSUMED = '[assume.sql]\nbackup = "{}"'


@pytest.mark.parametrize(
    ("assumed", "reason", "expected"),
    [
        ("eu", Reason.DEFAULT_LOCATION, Verdict.COMPLIANT),
        ("us", Reason.DEFAULT_LOCATION, Verdict.VIOLATION),
        ("eu", Reason.MISSING_LOCATION, Verdict.UNVERIFIED),
        ("eu", Reason.MALFORMED_ANSWER, Verdict.UNVERIFIED),
    ],
)
def test_an_assumption_is_for_what_the_service_chooses(
    policy: Callable[..., Policy], assumed: str, reason: Reason, expected: Verdict
) -> None:
    rules = policy(more=ASSUMED.format(assumed)).environment("production")
    place = Placement(Role.BACKUP, None, "location", reason=reason)
    resource = Resource("sql", "i", "//sql/i", "instance", (place,))
    (judged,) = evaluate([resource], [], rules, Scope(("sql",)), REQUIRED).resources
    assert judged.verdict is expected
    (one,) = judged.placements
    assert (one.assumption is not None) == (reason is Reason.DEFAULT_LOCATION)
    assert one.location == (assumed if one.assumption else None)
    unassumed = replace(resource, type="gcs")
    assert evaluate([unassumed], [], rules, GCS, REQUIRED).resources[0].verdict is Verdict.UNVERIFIED


def test_a_key_lies_where_cloud_kms_says(rules: Rules) -> None:
    """`europe` is a multi-region of Cloud KMS and of nothing else; `nam4` is one of Cloud Storage too."""
    europe = Placement(Role.KEY, "europe", "kmsKey")
    (judged,) = evaluate([bucket(HERE, europe)], [], rules, GCS, REQUIRED).resources
    assert judged.verdict is Verdict.VIOLATION
    assert [one.severity for one in judged.placements] == [None, Severity.HIGH]
    assert verdict(replace(europe, role=Role.PRIMARY), rules) is Verdict.UNVERIFIED


@pytest.mark.parametrize(
    ("place", "reason", "why"),
    [
        (NOWHERE, Reason.UNKNOWN_LOCATION, "nothing is known about the location 'europe-west99'"),
        (replace(HERE, location=None), Reason.MISSING_LOCATION, "the answer names no location"),
        (SILENT, Reason.MISSING_LOCATION, "the answer names no location"),
        (replace(SILENT, reason=Reason.EXTERNAL_KEY), Reason.EXTERNAL_KEY, "no API tells where"),
        (replace(SILENT, reason=Reason.EXTERNAL_DATA), Reason.EXTERNAL_DATA, "the API does not tell where"),
        (replace(SILENT, reason=Reason.DEFAULT_LOCATION), Reason.DEFAULT_LOCATION, "no backup shows which"),
        (
            replace(SILENT, reason=Reason.MALFORMED_ANSWER),
            Reason.MALFORMED_ANSWER,
            "tells no place we know how to judge",
        ),
        (replace(SILENT, reason=Reason.TIMEOUT), Reason.TIMEOUT, "it could not be read"),
    ],
)
def test_why_a_placement_is_unproven(rules: Rules, place: Placement, reason: Reason, why: str) -> None:
    for about, ending in (("", ""), ("backup 7", " (backup 7)")):
        judged = evaluate([bucket(HERE, replace(place, about=about))], [], rules, GCS, REQUIRED)
        (unread,) = judged.unread
        assert (unread.type, unread.reason) == ("gcs", reason)
        assert unread.resource == "//storage.googleapis.com/b"
        assert unread.scope == "//storage.googleapis.com/b location"
        assert unread.detail.startswith("bucket b: ")
        assert unread.detail.endswith(f"{why}{ending}")
        assert [one.reason for one in judged.resources[0].placements] == [None, reason]


def test_types_declared_unused_are_told_as_far_as_they_were_looked_at(policy: Callable[..., Policy]) -> None:
    unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["kms", "gcs"]')).environment(
        "production"
    )
    for types in (("gcs",), ("gcs", "kms")):
        assert evaluate([], [], unused, Scope(types), REQUIRED).declared_unused == types
    assert evaluate([], [], unused, Scope(("gke",)), REQUIRED).declared_unused == ()
    (found,) = evaluate([bucket(HERE)], [], unused, GCS, REQUIRED).resources
    assert (found.severity, found.verdict) == (Severity.HIGH, Verdict.VIOLATION)
    (critical,) = evaluate([bucket(HERE, AWAY)], [], unused, GCS, REQUIRED).resources
    assert critical.severity is Severity.CRITICAL


def test_what_complies_has_no_severity_and_is_not_declared_unused(rules: Rules) -> None:
    (judged,) = evaluate([bucket(HERE)], [], rules, GCS, REQUIRED).resources
    assert (judged.severity, judged.declared_unused) == (None, False)


def test_an_empty_type_beside_others_proves_nothing(rules: Rules) -> None:
    scope = Scope(("gcs", "kms", "redis"))
    judged = evaluate([bucket(HERE)], [replace(FAILED, type="redis")], rules, scope, REQUIRED)
    empty = [one for one in judged.unread if one.reason is Reason.NOTHING_FOUND]
    assert [(one.type, one.scope, one.resource) for one in empty] == [("kms", "kms", None)]
    assert 'unused = ["kms"] into environments.production' in empty[0].detail


def test_a_selected_resource_brings_its_copies(rules: Rules) -> None:
    scope = Scope(("gcs",), frozenset({("gcs", "b")}), whole=False)
    copy = bucket(AWAY, name="copy", owner="//storage.googleapis.com/b")
    judged = evaluate([bucket(HERE), copy, bucket(AWAY, name="other")], [], rules, scope, Enforcement.REQUIRED)
    assert [one.resource.name for one in judged.resources] == ["b", "copy"]


PERSONAL = {"data": "health"}


@pytest.mark.parametrize(
    ("labels", "owner_labels", "enforced"),
    [
        ({}, {}, False),
        ({"data": "public"}, {}, False),
        ({"data": "healthy"}, {}, False),
        ({"kind": "health"}, {}, False),
        (PERSONAL, {}, True),
        ({}, PERSONAL, True),
        ({"data": "public"}, PERSONAL, True),
    ],
)
def test_labels_that_say_personal_data(
    policy: Callable[..., Policy], labels: dict[str, str], owner_labels: dict[str, str], enforced: bool
) -> None:
    """In a free environment. A copy holds what its owner holds, whatever its own labels say."""
    free = policy().environment("development")
    owner = bucket(HERE, name="owner", labels=owner_labels)
    copy = bucket(AWAY, name="copy", labels=labels, owner=owner.full_name)
    judged = evaluate([owner, copy], [], free, GCS, Enforcement.FREE)
    assert {one.resource.name: one.enforced for one in judged.resources}["copy"] is enforced
    assert report(judged, Enforcement.FREE).exit_code == int(enforced)


def report(judgement: Judgement, enforcement: Enforcement, **changes: Any) -> Report:
    values: dict[str, Any] = dict.fromkeys(Report.__dataclass_fields__, "")
    values |= {
        "enforcement": enforcement,
        "strict": False,
        "project": Project("p", "1", "ACTIVE"),
        "judgement": judgement,
        "calls": (),
        "checkers": (CheckerOrigin("gcs", "diga-verify", "0", ()),),
        "limits": (),
        "interrupted_by": None,
    }
    return Report(**values | changes)


REQUIRED, RECOMMENDED, FREE = Enforcement.REQUIRED, Enforcement.RECOMMENDED, Enforcement.FREE
PERSONAL_AWAY = (bucket(AWAY, labels=PERSONAL),)
PERSONAL_NOWHERE = (bucket(NOWHERE, labels=PERSONAL),)


@pytest.mark.parametrize(
    ("resources", "unread", "enforcement", "changes", "code"),
    [
        ((bucket(HERE),), (), REQUIRED, {}, 0),
        ((bucket(AWAY),), (), REQUIRED, {}, 1),
        ((bucket(AWAY),), (FAILED,), REQUIRED, {}, 1),
        ((bucket(HERE),), (FAILED,), REQUIRED, {}, 3),
        ((bucket(NOWHERE),), (), REQUIRED, {}, 3),
        ((bucket(AWAY, SILENT),), (), REQUIRED, {}, 1),
        ((), (), REQUIRED, {}, 3),
        ((bucket(AWAY),), (), RECOMMENDED, {}, 0),
        ((bucket(HERE),), (FAILED,), RECOMMENDED, {}, 0),
        ((bucket(AWAY),), (), RECOMMENDED, {"strict": True}, 1),
        ((bucket(HERE),), (FAILED,), RECOMMENDED, {"strict": True}, 3),
        (PERSONAL_AWAY, (), RECOMMENDED, {}, 0),
        ((bucket(AWAY),), (), FREE, {}, 0),
        ((bucket(NOWHERE),), (), FREE, {}, 0),
        (PERSONAL_AWAY, (), FREE, {}, 1),
        (PERSONAL_AWAY, (FAILED,), FREE, {}, 1),
        (PERSONAL_NOWHERE, (), FREE, {}, 3),
        ((bucket(HERE, labels=PERSONAL),), (), FREE, {}, 0),
        ((bucket(AWAY),), (), REQUIRED, {"interrupted_by": 2}, 130),
        ((bucket(HERE),), (), REQUIRED, {"interrupted_by": 15}, 143),
        ((bucket(HERE),), (), FREE, {"interrupted_by": 2}, 130),
    ],
)
def test_exit_code(
    policy: Callable[..., Policy],
    resources: tuple[Resource, ...],
    unread: tuple[Unread, ...],
    enforcement: Enforcement,
    changes: dict[str, Any],
    code: int,
) -> None:
    environment = {REQUIRED: "production", RECOMMENDED: "staging", FREE: "development"}[enforcement]
    effective = REQUIRED if changes.get("strict") else enforcement
    judgement = evaluate(resources, unread, policy().environment(environment), GCS, effective)
    assert report(judgement, enforcement, **changes).exit_code == code


@pytest.mark.parametrize(("enforcement", "code"), [(REQUIRED, 1), (RECOMMENDED, 0), (FREE, 0)])
def test_exit_code_of_a_missing_resource(rules: Rules, enforcement: Enforcement, code: int) -> None:
    other = Resource("gke", "other", "//c", "cluster", (HERE,))
    judgement = evaluate([other], [], rules, Scope(("gke",)), enforcement)
    assert report(judgement, enforcement).exit_code == code


@pytest.mark.parametrize("enforcement", list(Enforcement))
def test_the_verdict_does_not_depend_on_the_enforcement(rules: Rules, enforcement: Enforcement) -> None:
    for resources, expected in (
        ([bucket(HERE)], Verdict.COMPLIANT),
        ([bucket(HERE), bucket(AWAY, name="c")], Verdict.VIOLATION),
        ([bucket(HERE), bucket(NOWHERE, name="c")], Verdict.UNVERIFIED),
        ([], Verdict.UNVERIFIED),
    ):
        assert report(evaluate(resources, [], rules, GCS, enforcement), enforcement).verdict is expected


@given(places=st.lists(PLACES, max_size=3), unread=st.lists(st.sampled_from(list(Reason)), max_size=2))
def test_zero_means_proven(rules: Rules, places: list[Placement], unread: list[Reason]) -> None:
    left = [replace(FAILED, reason=reason) for reason in unread]
    outcome = report(evaluate([bucket(*places)], left, rules, GCS, REQUIRED), REQUIRED)
    if outcome.exit_code == 0:
        assert places
        assert not unread
        assert outcome.complete
        assert outcome.verdict is Verdict.COMPLIANT
