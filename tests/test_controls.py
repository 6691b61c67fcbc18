"""What a report says about the control texts of auditors: never more than was proven, and nothing that is not known."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.assessment import Standing, assessed, concerned
from diga_verify.controls import CONTROLS, Control, Matter
from diga_verify.evaluate import evaluate
from diga_verify.judgement import JudgedPlacement, Scope
from diga_verify.model import Enforcement, Placement, Project, Reason, Resource, Role, Unread, Verdict, Witness
from diga_verify.policy import Policy
from diga_verify.policy.rules import Rules
from diga_verify.report import CheckerOrigin, Report

GCS = Scope(("gcs",))
LAW = ("digav-4-3", "gdpr-45")
TRANSFER = ("gdpr-44", "gdpr-46")
COMMITMENT = ("c5-pss-12", "ccc-core-cn06")
REPLICATION = ("ccc-core-cn10",)
ALL = tuple(control.id for control in CONTROLS)

HERE = Placement(Role.PRIMARY, "europe-west3", "location")
NEAR = replace(HERE, location="europe-west1")
AWAY = replace(HERE, location="us-central1")
ANYWHERE = replace(HERE, location="global")
SILENT = replace(HERE, location=None, reason=Reason.MISSING_LOCATION)
FAILED = Unread("gcs", "gcs", Reason.TIMEOUT, "no answer")


def bucket(*places: Placement, name: str = "b", **more: Any) -> Resource:
    return Resource("gcs", name, f"//storage.googleapis.com/{name}", "bucket", places, **more)


@pytest.fixture
def rules(policy: Callable[..., Policy]) -> Rules:
    """Production of the default policy."""
    return policy().environment("production")


def reported(resources: list[Resource], rules: Rules, *unread: Unread, scope: Scope = GCS, **changes: Any) -> Report:
    judgement = evaluate(resources, unread, rules, scope, Enforcement.REQUIRED)
    values: dict[str, Any] = dict.fromkeys(
        ("environment", "policy_path", "policy_sha256", "started_at", "finished_at", "table_date"), ""
    )
    values |= {
        "enforcement": Enforcement.REQUIRED,
        "strict": False,
        "deep": True,
        "project": Project("p", "1", "ACTIVE"),
        "principal": None,
        "simulated": False,
        "api_root": None,
        "network_variables": (),
        "whole": scope.whole,
        "selection": (),
        "judgement": judgement,
        "witness": Witness(),
        "calls": (),
        "checkers": tuple(CheckerOrigin(type, "diga-verify", "0", ()) for type in scope.types),
        "limits": (),
        "adequacy_review_date": "",
    }
    return Report(**values | changes)


def standings(report: Report) -> dict[str, str]:
    return {one.control.id: one.standing.value for one in assessed(report)}


def touched(report: Report) -> dict[str, tuple[str, ...]]:
    """The ends of the names of the resources, by control."""
    return {
        one.control.id: tuple(name.rpartition("/")[2] for name in one.resources)
        for one in assessed(report)
        if one.resources
    }


def every(standing: str, *but: dict[str, str]) -> dict[str, str]:
    return dict.fromkeys(ALL, standing) | {key: value for one in but for key, value in one.items()}


def ids(controls: tuple[Control, ...]) -> tuple[str, ...]:
    return tuple(control.id for control in controls)


# --- what satisfies, and what does not


def test_a_compliant_report_of_the_whole_project_satisfies_every_control(rules: Rules) -> None:
    report = reported([bucket(HERE), bucket(HERE, replace(NEAR, role=Role.BACKUP), name="c")], rules)
    assert standings(report) == every("satisfied")
    assert touched(report) == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"simulated": True},
        {"what_if": True},
        {"interrupted_by": 2},
        {"scope": replace(GCS, whole=False)},
    ],
    ids=["simulated", "what if", "interrupted", "selected"],
)
def test_a_report_of_less_than_all_that_there_really_is_proves_nothing(rules: Rules, changes: dict[str, Any]) -> None:
    assert standings(reported([bucket(HERE)], rules, **changes)) == every("not-proven")
    against = reported([bucket(HERE), bucket(AWAY, name="c")], rules, **changes)
    assert standings(against)["digav-4-3"] == "not-satisfied"


def test_what_is_not_read_leaves_every_control_unproven(rules: Rules) -> None:
    listed = reported([bucket(HERE)], rules, FAILED)
    assert (standings(listed), touched(listed)) == (every("not-proven"), {})
    about = replace(FAILED, resource="//storage.googleapis.com/c")
    one = reported([bucket(HERE), bucket(HERE, name="c")], rules, about)
    assert (standings(one), touched(one)) == (every("not-proven"), dict.fromkeys(ALL, ("c",)))
    silent = reported([bucket(HERE), bucket(SILENT, name="c")], rules)
    assert (standings(silent), touched(silent)) == (every("not-proven"), dict.fromkeys(ALL, ("c",)))


def test_an_expected_resource_that_is_not_there_leaves_every_control_unproven(rules: Rules) -> None:
    cluster = Resource("gke", "other", "//container.googleapis.com/other", "cluster", (HERE,))
    report = reported([cluster], rules, scope=Scope(("gke",)))
    assert [one.name for one in report.judgement.missing] == ["dta-cluster"]
    assert (standings(report), touched(report)) == (every("not-proven"), {})


def test_a_place_outside_the_law_satisfies_neither_the_law_nor_the_commitment(rules: Rules) -> None:
    report = reported([bucket(HERE), bucket(AWAY, name="c")], rules)
    assert standings(report) == every(
        "not-satisfied",
        # Other grounds may carry a transfer, and no API shows them; and one region is no copy.
        dict.fromkeys((*TRANSFER, *REPLICATION), "not-proven"),
    )
    assert touched(report) == dict.fromkeys(ALL, ("c",))


def test_a_lawful_place_outside_the_policy_touches_the_commitment_only(rules: Rules) -> None:
    report = reported([bucket(HERE), bucket(NEAR, name="c")], rules)
    assert standings(report) == every("not-proven", dict.fromkeys(COMMITMENT, "not-satisfied"))
    assert touched(report) == dict.fromkeys(ALL, ("c",))


@pytest.mark.parametrize(
    "place",
    [
        replace(NEAR, role=Role.REPLICA),
        replace(HERE, role=Role.BACKUP, location="europe-west2"),
        replace(HERE, location="EU"),
        replace(HERE, location="EUR8"),
        ANYWHERE,
    ],
    ids=["replica", "backup", "multi-region", "dual-region", "global"],
)
def test_a_copy_elsewhere_is_a_matter_of_replication(rules: Rules, place: Placement) -> None:
    assert standings(reported([bucket(HERE), bucket(place, name="c")], rules))["ccc-core-cn10"] == "not-satisfied"


@pytest.mark.parametrize("place", [NEAR, replace(NEAR, role=Role.NODE), replace(NEAR, role=Role.KEY)])
def test_what_is_no_copy_is_no_matter_of_replication(rules: Rules, place: Placement) -> None:
    report = reported([bucket(HERE), bucket(HERE, place, name="c")], rules)
    assert standings(report)["ccc-core-cn10"] == "not-proven"
    assert "ccc-core-cn10" not in ids(concerned(*_last(report)))


def test_replicas_of_datasets_must_have_been_looked_for(rules: Rules) -> None:
    both = Scope(("gcs", "bigquery"))
    dataset = Resource("bigquery", "d", "//bigquery.googleapis.com/d", "dataset", (HERE,))
    shallow = reported([bucket(HERE)], rules, deep=False)
    assert standings(shallow) == every("satisfied")
    expected = replace(rules, expected=())
    assert standings(reported([bucket(HERE), dataset], expected, scope=both)) == every("satisfied")
    report = reported([bucket(HERE), dataset], expected, scope=both, deep=False)
    assert standings(report) == every("satisfied", {"ccc-core-cn10": "not-proven"})
    assert touched(report) == {"ccc-core-cn10": ("d",)}


# --- somebody's word

WAIVER = """\
[[waivers]]
resource = "//storage.googleapis.com/c"
role = "primary"
location = "{}"
reason = "public images"
owner = "data-protection officer"
expires = 2027-01-31
"""


def waived(policy: Callable[..., Policy], place: Placement) -> Report:
    rules = policy(more=WAIVER.format(place.location)).environment("production")
    report = reported([bucket(HERE), bucket(place, name="c")], rules)
    assert report.verdict is Verdict.COMPLIANT
    return report


def test_a_waiver_inside_the_law_leaves_the_commitment_unproven(policy: Callable[..., Policy]) -> None:
    report = waived(policy, NEAR)
    assert standings(report) == every("satisfied", dict.fromkeys(COMMITMENT, "not-proven"))
    assert touched(report) == dict.fromkeys(COMMITMENT, ("c",))


def test_a_waiver_outside_the_law_does_not_satisfy_it(policy: Callable[..., Policy]) -> None:
    report = waived(policy, ANYWHERE)
    assert standings(report) == every("not-proven", dict.fromkeys(LAW, "not-satisfied"))
    assert touched(report) == dict.fromkeys(ALL, ("c",))


def test_a_policy_that_allows_what_the_law_does_not_satisfies_no_law(policy: Callable[..., Policy]) -> None:
    loose = policy(('"europe-west3"', '"europe-west3", "us-central1"')).environment("production")
    report = reported([bucket(HERE), bucket(AWAY, name="c")], loose)
    assert report.verdict is Verdict.COMPLIANT
    assert standings(report) == every(
        "satisfied", dict.fromkeys(LAW, "not-satisfied"), dict.fromkeys(TRANSFER, "not-proven")
    )
    assert touched(report) == dict.fromkeys((*LAW, *TRANSFER), ("c",))


def test_a_location_that_the_policy_assumes_is_not_proven(policy: Callable[..., Policy]) -> None:
    rules = policy(more='[assume.sql]\nbackup = "eu"').environment("production")
    default = Placement(Role.BACKUP, None, "location", reason=Reason.DEFAULT_LOCATION)
    instances = [
        Resource("sql", name, f"//cloudsql.googleapis.com/{name}", "instance", places)
        for name, places in (("dta-postgres", (HERE,)), ("i", (HERE, default)))
    ]
    report = reported(instances, rules, scope=Scope(("sql",)))
    assert report.verdict is Verdict.COMPLIANT
    assert (standings(report), touched(report)) == (every("not-proven"), dict.fromkeys(ALL, ("i",)))


# --- findings and their controls


def _last(report: Report) -> tuple[Any, JudgedPlacement]:
    judged = report.judgement.resources[-1]
    return judged, judged.placements[-1]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (HERE, ()),
        (NEAR, COMMITMENT),
        (replace(NEAR, role=Role.REPLICA), (*COMMITMENT, *REPLICATION)),
        (AWAY, (*LAW, *TRANSFER, *COMMITMENT)),
        (ANYWHERE, ALL),
        (SILENT, ALL),
    ],
    ids=["compliant", "high", "high replica", "critical", "critical copy", "unverified"],
)
def test_a_placement_has_the_controls_that_it_touches(
    rules: Rules, place: Placement, expected: tuple[str, ...]
) -> None:
    found = ids(concerned(*_last(reported([bucket(HERE), bucket(HERE, place, name="c")], rules))))
    assert set(found) == set(expected)
    assert found == tuple(id_ for id_ in ALL if id_ in found)


def test_a_type_that_should_not_be_there_is_no_matter_of_places(policy: Callable[..., Policy]) -> None:
    unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["gcs"]'))
    report = reported([bucket(HERE)], unused.environment("production"))
    judged, place = _last(report)
    assert (concerned(judged, None), concerned(judged, place)) == ((), ())
    assert (standings(report), touched(report)) == (every("not-proven"), dict.fromkeys(ALL, ("b",)))


def test_a_resource_without_a_place_touches_every_control(rules: Rules) -> None:
    report = reported([bucket(HERE), bucket(name="c")], rules)
    assert concerned(report.judgement.resources[0], None) == ()
    assert concerned(report.judgement.resources[1], None) == CONTROLS


def test_a_resource_is_named_once(rules: Rules) -> None:
    twins = [bucket(AWAY, replace(AWAY, role=Role.KEY), name="z"), bucket(ANYWHERE, name="z"), bucket(AWAY, name="a")]
    assert touched(reported(twins, rules))["digav-4-3"] == ("a", "z")


# --- by property

PLACES = st.builds(
    Placement,
    st.sampled_from(list(Role)),
    st.none() | st.sampled_from(["europe-west3", "europe-west1", "us", "eu", "EUR4", "EUR8", "global", "", "nowhere"]),
    st.just("field"),
    st.lists(st.sampled_from(["europe-west3", "US-EAST1", "nowhere"]), max_size=2).map(tuple),
    st.none() | st.sampled_from([Reason.MISSING_LOCATION, Reason.EXTERNAL_KEY]),
)
RESOURCES = st.lists(st.lists(PLACES, max_size=3), min_size=1, max_size=3)
RANK = {Standing.SATISFIED: 0, Standing.NOT_PROVEN: 1, Standing.NOT_SATISFIED: 2}


def buckets(places: list[list[Placement]]) -> list[Resource]:
    return [bucket(*those, name=f"b{number}") for number, those in enumerate(places)]


@given(places=RESOURCES)
def test_only_a_compliant_report_satisfies_anything(rules: Rules, places: list[list[Placement]]) -> None:
    report = reported(buckets(places), rules)
    satisfied = [one for one in assessed(report) if one.standing is Standing.SATISFIED]
    assert report.verdict is Verdict.COMPLIANT or not satisfied
    assert all(one.resources == () for one in satisfied)


@given(places=RESOURCES, reason=st.sampled_from(list(Reason)), about=st.sampled_from([None, "b0", "elsewhere"]))
def test_a_fault_satisfies_no_control_and_settles_none(
    rules: Rules, places: list[list[Placement]], reason: Reason, about: str | None
) -> None:
    fault = replace(FAILED, reason=reason, resource=about and f"//storage.googleapis.com/{about}")
    before, after = reported(buckets(places), rules), reported(buckets(places), rules, fault)
    for old, new in zip(assessed(before), assessed(after), strict=True):
        assert new.standing is not Standing.SATISFIED
        assert RANK[new.standing] >= RANK[old.standing]


@given(places=RESOURCES, more=st.lists(PLACES, max_size=3))
def test_another_resource_makes_no_standing_better(
    rules: Rules, places: list[list[Placement]], more: list[Placement]
) -> None:
    before, after = reported(buckets(places), rules), reported(buckets([*places, more]), rules)
    for old, new in zip(assessed(before), assessed(after), strict=True):
        assert RANK[new.standing] >= RANK[old.standing]


@given(places=RESOURCES)
def test_findings_and_standings_say_the_same(rules: Rules, places: list[list[Placement]]) -> None:
    report = reported(buckets(places), rules)
    by_control = {one.control: one for one in assessed(report)}
    for judged in report.judgement.resources:
        for place in judged.placements:
            for control in concerned(judged, place):
                assert by_control[control].standing is not Standing.SATISFIED
    for one in by_control.values():
        if one.standing is Standing.NOT_SATISFIED:
            guilty = [judged for judged in report.judgement.resources if judged.resource.full_name in one.resources]
            assert all(any(one.control in concerned(judged, place) for place in judged.placements) for judged in guilty)
            assert guilty


@given(places=RESOURCES)
def test_data_outside_the_law_never_satisfies_a_control_of_the_law(rules: Rules, places: list[list[Placement]]) -> None:
    report = reported(buckets(places), rules)
    bounds = [place.bound for judged in report.judgement.resources for place in judged.placements]
    if any(bound is not None and not bound.lawful for bound in bounds):
        for one in assessed(report):
            assert one.control.matter is not Matter.LAW or one.standing is Standing.NOT_SATISFIED
            assert one.control.matter is not Matter.TRANSFER or one.standing is Standing.NOT_PROVEN


# --- the texts

PAGE = (Path(__file__).parents[1] / "docs" / "controls.md").read_text(encoding="utf-8")


def test_the_document_has_these_controls_and_no_others() -> None:
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (.+?) \| `(\w+)` \| \[\w+\]\((\S+)\) \|$", PAGE, re.MULTILINE)
    assert rows == [(one.id, one.name, one.title, one.matter.value, one.url) for one in CONTROLS]
    told = re.findall(r"^### `([\w-]+)`\n\n(.+)\n\n(.+)\n", PAGE, re.MULTILINE)
    assert told == [(one.id, one.summary, one.scope) for one in CONTROLS]


CASES = {
    "compliant": (HERE, False),
    "`high`: lawful, and outside the policy": (replace(NEAR, role=Role.REPLICA), False),
    "`critical`: outside what DiGAV section 4(3) allows": (ANYWHERE, False),
    "waived, and lawful": (replace(NEAR, role=Role.REPLICA), True),
    "waived, and outside the law": (replace(ANYWHERE, role=Role.REPLICA), True),
    "allowed by the policy, and outside the law": (replace(ANYWHERE, location="us"), False),
    "unverified": (SILENT, False),
}


@pytest.mark.parametrize("case", CASES)
def test_the_document_says_what_a_placement_says(policy: Callable[..., Policy], case: str) -> None:
    place, excused = CASES[case]
    excuse = WAIVER.format(place.location).replace("primary", place.role.value) if excused else ""
    rules = policy(('"europe-west3"', '"europe-west3", "us"'), more=excuse).environment("production")
    report = reported([bucket(HERE), bucket(HERE, place, name="c")], rules)
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {case} |"))
    said = dict(zip(Matter, row.strip("| ").split(" | ")[1:], strict=True))
    found = concerned(*_last(report))
    for one in assessed(report):
        alone = said[one.control.matter]
        assert (alone != "satisfied") == (one.control in found)
        # A violation leaves also those unproven that it does not touch.
        spoilt = alone == "satisfied" and report.verdict is not Verdict.COMPLIANT
        assert one.standing == ("not-proven" if spoilt else alone)


def test_the_controls_are_told_apart() -> None:
    assert len(set(ALL)) == len({control.name for control in CONTROLS}) == len(CONTROLS)
    by_matter = {matter: tuple(one.id for one in CONTROLS if one.matter is matter) for matter in Matter}
    assert by_matter == dict(zip(Matter, (LAW, TRANSFER, COMMITMENT, REPLICATION), strict=True))


@pytest.mark.parametrize("control", CONTROLS, ids=ALL)
def test_a_control_has_a_source_and_says_how_far_it_goes(control: Control) -> None:
    assert control.url.startswith("https://")
    assert control.summary.endswith(".")
    assert control.scope.startswith("Covers ")
    assert control.scope.endswith(("not seen.", "C5 report.", "where they arrive."))
    assert control.name == f"{control.framework} {control.clause}"
