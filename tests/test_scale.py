"""Large projects: what is done once for each resource, and no more often, counted and not timed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

import pytest

from diga_verify import absent
from diga_verify import evaluate as judging
from diga_verify.checkers.sql import Sql
from diga_verify.evaluate import evaluate, set_apart
from diga_verify.gateway.listing import Listed
from diga_verify.judgement import Scope
from diga_verify.model import Enforcement, Placement, Project, Resource, Role, Verdict
from diga_verify.policy import Policy
from diga_verify.policy.rules import Waiver
from diga_verify.report import Report

Counted = Callable[[Any, str], list[None]]


def buckets(count: int, location: str = "europe-west3") -> list[Resource]:
    return [
        Resource(
            "gcs",
            f"b-{number:05d}",
            f"//storage.googleapis.com/b-{number:05d}",
            "bucket",
            (Placement(Role.PRIMARY, location, "location"),),
        )
        for number in range(count)
    ]


def test_placements_that_are_alike_are_judged_once(policy: Callable[..., Policy], counted: Counted) -> None:
    calls = counted(judging, "bound")
    found = [*buckets(500), *(replace(one, full_name=f"{one.full_name}-us") for one in buckets(500, "US"))]
    judged = evaluate(found, (), policy().environment("production"), Scope(("gcs",)), Enforcement.REQUIRED).resources
    assert len(calls) == 2
    assert [one.verdict for one in judged].count(Verdict.VIOLATION) == 500
    assert all(one.placements[0].placement == one.resource.placements[0] for one in judged)


def test_placements_that_stand_at_different_places_of_the_evidence_are_not_taken_for_each_other(
    policy: Callable[..., Policy],
) -> None:
    found = [
        replace(one, placements=(replace(one.placements[0], source=f"/answers/{number}"),))
        for number, one in enumerate(buckets(3))
    ]
    judged = evaluate(found, (), policy().environment("production"), Scope(("gcs",)), Enforcement.REQUIRED).resources
    assert [one.placements[0].placement.source for one in judged] == ["/answers/0", "/answers/1", "/answers/2"]


def test_a_resource_is_compared_with_its_own_waivers_alone(policy: Callable[..., Policy], counted: Counted) -> None:
    found = buckets(60, "US")
    more = "".join(
        f'[[waivers]]\nresource = "{one.full_name}"\nrole = "primary"\nlocation = "US"\nreason = "r"\nowner = "o"\n'
        "expires = 2027-01-31\n"
        for one in found[:-1]
    )
    rules = policy(more=more).environment("production")
    calls = counted(Waiver, "matches")
    judged = evaluate(found, (), rules, Scope(("gcs",)), Enforcement.REQUIRED).resources
    assert [one.verdict for one in judged] == [Verdict.WAIVED] * 59 + [Verdict.VIOLATION]
    assert len(calls) == 59


def test_many_answers_about_one_resource_are_not_compared_with_each_other(counted: Counted) -> None:
    [one] = buckets(1)
    different = [replace(one, placements=(replace(one.placements[0], location=f"l-{at}"),)) for at in range(100)]
    calls = counted(Resource, "__eq__")
    assert [*set_apart([*different, *different])] == different
    assert len(calls) <= 5 * len(different)


def test_a_missing_name_is_compared_with_those_near_it(
    policy: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[list[str]] = []

    def matches(name: str, names: list[str], most: int) -> list[str]:
        compared.append(names)
        return get_close_matches(name, names[:1], most)

    monkeypatch.setattr(absent, "get_close_matches", matches)
    rules = policy(more='[[expected]]\ntype = "gcs"\nname = "b-02500x"\n').environment("production")
    for count in 1000, 5000:
        evaluate(reversed(buckets(count)), (), rules, Scope(("gcs",)), Enforcement.REQUIRED)
    assert [len(names) for names in compared] == [1000, 1000]
    assert {"b-02001", "b-02500", "b-03000"} <= {*compared[1]}


class Counting(dict[str, Any]):
    """A REST representation that counts how often it is asked for its instance."""

    asked = 0

    def get(self, key: str, default: Any = None) -> Any:
        self.asked += key == "instance"
        return super().get(key, default)


class Answers:
    """A gateway that has these lists already."""

    after_restore = False

    def __init__(self, *lists: Listed) -> None:
        self._lists = lists

    def together(self, *_: object) -> tuple[Listed, ...]:
        return self._lists


def test_a_backup_is_looked_at_as_often_however_many_instances_there_are() -> None:
    asked = []
    for count in 2, 50:
        runs = [Counting(id=str(number), instance=f"i-{number}", location="eu") for number in range(count)]
        instances = Listed(tuple({"name": f"i-{number}", "region": "europe-west3"} for number in range(count)))
        found = Sql().query(Answers(instances, Listed(tuple(runs)), Listed(())), Project("p", "1", "ACTIVE"))  # type: ignore[arg-type]
        assert [one.related["backupRuns"] for one in found.items] == [(run,) for run in runs]
        asked.append({run.asked for run in runs})
    assert asked[0] == asked[1]


def test_what_buckets_have_alike_is_kept_once(gate: Callable[..., Report]) -> None:
    names = ("first", "second", "elsewhere")
    listed = [{"name": name, "location": "EUROPE-WEST3", "labels": {"app": "a"}} for name in names]
    listed[-1] |= {"location": "US", "labels": {"app": "b"}}
    table = {"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": listed}}
    other, first, second = (one.resource for one in gate(table, "gcs").judgement.resources)
    assert first.placements is second.placements
    assert first.labels is second.labels
    assert (other.placements[0].location, other.labels) == ("US", {"app": "b"})
    kept = gate(table, "gcs", keep_evidence=True).judgement.resources
    assert len({place.placement.source for one in kept for place in one.placements}) == 3
