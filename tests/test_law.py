"""The law that holds over all failures, for random worlds and random faults:

adding a fault to a run never turns a non-zero exit code into 0, and never removes a violation that was seen.

`make law` looks at thousands of them; the tests at a few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from diga_verify.checkers.registry import registered
from diga_verify.formats.json import render
from diga_verify.formats.page import Page
from diga_verify.gateway import gateway
from diga_verify.gateway.endpoints import stand_in
from diga_verify.gateway.patience import Patience
from diga_verify.judgement import Scope
from diga_verify.model import TYPES, Reason, Verdict
from diga_verify.policy import Policy
from diga_verify.report import Report
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import HOSTS, World
from diga_verify.verify import Run, replay, verify

Table = dict[str, Any]
SHARDS = 8
FAULTS_PER_WORLD = 5
HERE, AWAY = "europe-west3", ["us-central1", "europe-west1", "europe-west2", "europe-west99"]
CHECKERS = registered()
OTHER_HOSTS = (HOSTS["project"], HOSTS["assets"], HOSTS["serviceusage"])
SLOW = {"silence", "drip", "header_drip", "body_then_silence", "huge", "gzip_bomb", "endless"}
UNDETECTABLE = {"shrunk", "empty_object"}
"""Answers that are as good as true ones. Only the second witness sees through them, and it knows no backups."""
ALTERING = {
    *UNDETECTABLE, "no_location", "blank_location", "number_location", "unknown_location", "unknown_enum",
    "foreign_project", "surrogate",
}  # fmt: skip
"""Answers that tell of other resources than there are: what they hide was never seen."""
WITNESSED = "/(clusters|instances|datasets|databases|b|keyRings|cryptoKeys)$"

# --- worlds

places = st.one_of(st.just(HERE), st.just(HERE), st.sampled_from(AWAY))
zones = st.sampled_from([f"{HERE}-a", f"{HERE}-b", "us-central1-a", f"{HERE}-c"])


def some(build: Callable[[st.DrawFn, str], Table], *, at_most: int = 4) -> st.SearchStrategy[list[Table]]:
    """Up to so many resources, each with a name of its own."""

    @st.composite
    def draw_all(draw: st.DrawFn) -> list[Table]:
        return [build(draw, f"r{number}") for number in range(draw(st.integers(0, at_most)))]

    return draw_all()


def _cluster(draw: st.DrawFn, name: str) -> Table:
    pools = [{"name": f"pool-{n}", "locations": [draw(zones)]} for n in range(draw(st.integers(1, 2)))]
    return {"name": name, "location": draw(places), "locations": [draw(zones)], "nodePools": pools}


def _instance(draw: st.DrawFn, name: str) -> Table:
    backups = {"enabled": True, "location": draw(st.sampled_from(["eu", HERE, "us"]))}
    return {"name": name, "region": draw(places), "settings": {"backupConfiguration": backups}}


def _redis(draw: st.DrawFn, name: str) -> Table:
    return {"name": name, "location": draw(places)}


def _dataset(draw: st.DrawFn, name: str) -> Table:
    key = f"projects/dtx-data/locations/{draw(places)}/keyRings/r/cryptoKeys/k"
    more = {"defaultEncryptionConfiguration": {"kmsKeyName": key}} if draw(st.booleans()) else {}
    return {"datasetId": name, "location": draw(places), **more}


def _database(draw: st.DrawFn, name: str) -> Table:
    return {"name": name, "locationId": draw(places)}


def _bucket(draw: st.DrawFn, name: str) -> Table:
    return {"name": name, "location": draw(places).upper()}


def _ring(draw: st.DrawFn, name: str) -> Table:
    return {"name": name, "location": draw(places), "cryptoKeys": [{"name": "a"}, {"name": "b"}]}


SECTIONS: dict[str, dict[str, Callable[[st.DrawFn, str], Table]]] = {
    "gke": {"clusters": _cluster},
    "sql": {"instances": _instance},
    "redis": {"instances": _redis, "clusters": _redis},
    "bigquery": {"datasets": _dataset},
    "firestore": {"databases": _database},
    "gcs": {"buckets": _bucket},
    "kms": {"keyRings": _ring},
}


@st.composite
def worlds(draw: st.DrawFn) -> Table:
    """One to three types with some resources, in pages of one to three, now and then with a denied permission."""
    types = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True))
    table: Table = {
        "project": {"id": "dtx-data", "number": "100000000001"},
        "paging": {"size": draw(st.integers(1, 3)), "partialPage": draw(st.integers(1, 3))},
    }
    for type in types:
        table[type] = {key: draw(some(build)) for key, build in SECTIONS[type].items()}
    if "kms" in types:
        table["kms"]["locations"] = [HERE, "us-central1", "global"]
    if draw(st.integers(0, 9)) == 0:
        table["assets"] = {
            "extra": [{"name": "//storage.googleapis.com/forgotten", "assetType": "storage.googleapis.com/Bucket"}]
        }
    if draw(st.integers(0, 9)) == 0:
        table["iam"] = {"denied": [draw(st.sampled_from([right for type in types for right in _rights(type)]))]}
    return table


def _rights(type: str) -> tuple[str, ...]:
    return CHECKERS[type].checker.permissions


# --- faults


@st.composite
def faults(draw: st.DrawFn, types: list[str], answers: list[str]) -> list[Table]:
    """One or two faults at the services of a world, everywhere or at one page, for ever or for a while."""
    return [draw(_fault(types, answers)) for _ in range(draw(st.integers(1, 2)))]


@st.composite
def _fault(draw: st.DrawFn, types: list[str], answers: list[str]) -> Table:
    answer = draw(st.sampled_from(answers))
    hosts = [HOSTS[type] for type in types]
    fault: Table = {
        "answer": answer,
        "service": draw(st.sampled_from(hosts if answer in UNDETECTABLE else [*hosts, *OTHER_HOSTS])),
    }
    if answer in UNDETECTABLE:
        fault["path"] = WITNESSED
    if answer == "forbidden_reason":
        fault["reason"] = draw(st.sampled_from(["CONSUMER_SUSPENDED", "CONSUMER_INVALID", "ACCESS_TOKEN_EXPIRED"]))
    if answer == "http_status":
        fault["status"] = draw(
            st.sampled_from([201, 204, 206, 301, 304, 307, 400, 404, 409, 412, 429, 500, 501, 503, 504])
        )
    if draw(st.booleans()):
        fault["page"] = draw(st.integers(1, 3))
    if draw(st.booleans()):
        fault["times"] = draw(st.integers(1, 3))
    return fault


# --- the law


def verified(table: Table, rules: Policy) -> Report:
    """What the gate makes of the types that the world has."""
    patience = Patience(attempts=2, sleep=lambda _: None)
    if _is_slow(table):
        patience = replace(patience, read=0.1, call=0.3)
    types = tuple(type for type in TYPES if type in table)
    with Simulator(World.from_dict(table)) as simulator:
        run = Run(
            "production",
            "dtx-data",
            rules,
            Scope(types, whole=False),
            endpoints=stand_in(simulator.url),
            patience=patience,
            keep_evidence=True,
        )
        return verify(run, CHECKERS)


def _is_slow(table: Table) -> bool:
    return any(fault["answer"] in SLOW for fault in table.get("faults", ()))


def verdicts(report: Report) -> dict[tuple[str, str, str | None], Verdict]:
    """The verdict of every placement, by resource, field and location."""
    return {
        (one.resource.full_name, place.placement.field, place.location): place.verdict
        for one in report.judgement.resources
        for place in one.placements
    }


def violations(report: Report, hosts: set[str]) -> set[tuple[str, str, str | None]]:
    """The misplaced placements of the types that these hosts serve."""
    names = {one.resource.full_name for one in report.judgement.resources if HOSTS[one.resource.type] in hosts}
    return {key for key, verdict in verdicts(report).items() if verdict is Verdict.VIOLATION and key[0] in names}


def hold_to_the_law(clean: Report, faulted: Report, added: list[Table]) -> None:
    """Of the services that a fault alters, a violation may be gone; of those that it stops, only what was not seen."""
    hit, altered = ({one["service"] for one in added if one["answer"] in some} for some in (ANSWERS, ALTERING))
    # Budgets are small where a fault is slow, and on a busy machine that ends other calls too.
    hit |= {HOSTS[one.type] for one in faulted.judgement.unread if one.reason is Reason.TIMEOUT and one.type in HOSTS}
    everywhere, now = set(HOSTS.values()), verdicts(faulted)
    assert faulted.exit_code in {0, 1, 3}
    if clean.exit_code != 0:
        assert faulted.exit_code != 0
    assert violations(clean, everywhere - hit) <= violations(faulted, everywhere - hit)
    for key in violations(clean, hit - altered) & now.keys():
        assert now[key] is Verdict.VIOLATION
    if faulted.exit_code == 0:
        assert faulted.complete
        assert faulted.judgement.resources == clean.judgement.resources


def hold_to_its_evidence(report: Report) -> None:
    """Whatever happened, the evidence shows it again."""
    assert report.evidence is not None
    assert render(replay(report.evidence.data, "evidence.json", CHECKERS), Page()) == render(report, Page())


@pytest.fixture
def strict(policy: Callable[..., Policy], monkeypatch: pytest.MonkeyPatch) -> Policy:
    """A policy that expects nothing by name, and a second witness always. Lists end after 40 pages."""
    monkeypatch.setattr(gateway, "PAGE_LIMIT", 40)
    return policy(
        ('enforcement = "required"', 'enforcement = "required"\nsecond_witness = "required"'),
        *((f'name = "{name}"', f'name = "{name}"\nenvironments = ["staging"]') for name in EXPECTED),
    )


EXPECTED = ("dta-cluster", "dta-postgres", "dta-redis", "de", "(default)")


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_fault_never_makes_a_pass_and_never_hides_a_violation(
    shard: int, strict: Policy, pytestconfig: pytest.Config
) -> None:
    runs = int(pytestconfig.getoption("--law-runs"))
    quick = sorted(set(ANSWERS) - SLOW)
    answers = quick if runs < 1000 else sorted(ANSWERS)

    @seed(int(pytestconfig.getoption("--law-seed")) * SHARDS + shard)
    @settings(
        max_examples=max(1, runs // (SHARDS * FAULTS_PER_WORLD)),
        derandomize=False,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(data=st.data())
    def law(data: st.DataObject) -> None:
        table = data.draw(worlds(), label="world")
        types = [type for type in TYPES if type in table]
        clean = verified(table, strict)
        for _ in range(FAULTS_PER_WORLD):
            added = data.draw(faults(types, answers), label="faults")
            faulted = verified(table | {"faults": added}, strict)
            hold_to_the_law(clean, faulted, added)
            hold_to_its_evidence(faulted)

    law()


@settings(max_examples=20)
@given(table=worlds(), sizes=st.lists(st.integers(1, 5), min_size=2, max_size=2, unique=True))
def test_how_lists_are_split_into_pages_changes_no_verdict(table: Table, sizes: list[int], strict: Policy) -> None:
    one, other = (verified(table | {"paging": {"size": size}}, strict) for size in sizes)
    assert one.judgement == other.judgement
    assert one.exit_code == other.exit_code
