"""What was not read, or cannot be proven, stops the deployment: exit 3, with the reason, and hiding nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from diga_verify.gateway.patience import Patience
from diga_verify.judgement import Scope
from diga_verify.model import TYPES, Reason, Verdict
from diga_verify.policy import Policy
from diga_verify.report import Report
from diga_verify.simulator.world import HOSTS

World = dict[str, Any]
Gate = Callable[..., Report]
MAY_NOT_HEAR = ["cloudasset.assets.listResource", "cloudasset.assets.searchAllResources"]
"""What a caller lacks who has no second witness."""


def reasons(report: Report, type: str) -> set[Reason]:
    """Why things of a type are unread; nothing else may be."""
    assert {one.type for one in report.judgement.unread} <= {type}
    return {one.reason for one in report.judgement.unread}


def assert_unread(report: Report, type: str, *expected: Reason) -> None:
    """A read failed: for these reasons and no other, and the run says that it is incomplete."""
    assert reasons(report, type) == set(expected)
    assert (report.exit_code, report.verdict, report.complete) == (3, Verdict.UNVERIFIED, False)


def assert_unproven(report: Report, type: str, expected: Reason) -> None:
    """All was read, and something in it proves nothing."""
    assert reasons(report, type) == {expected}
    assert (report.exit_code, report.verdict, report.complete) == (3, Verdict.UNVERIFIED, True)


def fault(world: World, type: str, answer: str, **where: Any) -> World:
    world["faults"] = [{"service": HOSTS[type], "answer": answer, **where}]
    return world


PARTIAL = (
    ("gke", "missingZones", ["europe-west3-a", "us-east1-b"], "us-east1-b"),
    ("sql", "warnings", [{"code": "REGION_UNREACHABLE", "region": "us-east1", "message": "no answer"}], "us-east1"),
    ("redis", "unreachable", ["projects/dtx-data/locations/us-east1"], "us-east1"),
    ("bigquery", "unreachable", ["us-east1"], "us-east1"),
    ("firestore", "unreachable", ["us-east1"], "us-east1"),
    ("firestore", "backupsUnreachable", ["us-east1"], "us-east1"),
    ("gcs", "unreachable", ["projects/_/buckets/lost"], "lost"),
)


@pytest.mark.parametrize("page", [1, 99], ids=["first page", "last page"])
@pytest.mark.parametrize(("type", "key", "marks", "named"), PARTIAL, ids=[f"{row[0]} {row[1]}" for row in PARTIAL])
def test_partial_answer(
    world: Callable[[], World], gate: Gate, type: str, key: str, marks: list[Any], named: str, page: int
) -> None:
    table = world()
    table[type][key] = marks
    table["paging"]["partialPage"] = page
    report = gate(table, type)
    assert_unread(report, type, Reason.PARTIAL_ANSWER)
    assert any(named in one.scope for one in report.judgement.unread)


def test_redis_placeholder(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    table["redis"]["instances"].append({"name": "projects/dtx-data/locations/us-east1/instances/-"})
    report = gate(table, "redis")
    assert_unread(report, "redis", Reason.PARTIAL_ANSWER)
    assert "-" not in [one.resource.name for one in report.judgement.resources]


PERMISSIONS = (
    ("gke", "container.clusters.list"),
    ("sql", "cloudsql.instances.list"),
    ("sql", "cloudsql.backupRuns.list"),
    ("redis", "redis.instances.list"),
    ("redis", "redis.clusters.list"),
    ("redis", "redis.backupCollections.list"),
    ("bigquery", "bigquery.datasets.get"),
    ("firestore", "datastore.databases.list"),
    ("firestore", "datastore.backups.list"),
    ("gcs", "storage.buckets.list"),
    ("kms", "cloudkms.locations.list"),
    ("kms", "cloudkms.keyRings.list"),
    ("kms", "cloudkms.cryptoKeys.list"),
)


@pytest.mark.parametrize(("type", "permission"), PERMISSIONS)
def test_denied_permission(world: Callable[[], World], gate: Gate, type: str, permission: str) -> None:
    table = world()
    table["iam"] = {"denied": [permission]}
    report = gate(table, type)
    found = reasons(report, type) - {Reason.NOTHING_FOUND}
    assert found == {Reason.PERMISSION_DENIED}
    assert (report.exit_code, report.complete) == (3, False)
    assert report.judgement.missing == ()


def test_a_list_that_bigquery_shortens_without_a_word(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    table["iam"] = {"denied": ["bigquery.datasets.get"]}
    report = gate(table, "bigquery")
    assert [call.status for call in report.calls if call.method == "bigquery.datasets.list"] == ["ok"]
    assert (report.exit_code, report.complete) == (3, False)


@pytest.mark.parametrize("type", TYPES)
def test_api_disabled(world: Callable[[], World], gate: Gate, type: str) -> None:
    report = gate(fault(world(), type, "api_disabled"), type)
    assert_unread(report, type, Reason.API_DISABLED)


@pytest.mark.parametrize("type", ["gcs", "kms"])
def test_api_disabled_of_a_type_declared_unused(
    world: Callable[[], World], gate: Gate, policy: Callable[..., Policy], type: str
) -> None:
    table = fault(world(), type, "api_disabled")
    table[type] = {}
    unused = policy(('enforcement = "required"', f'enforcement = "required"\nunused = ["{type}"]'))
    report = gate(table, rules=unused)
    assert (report.exit_code, report.verdict, report.complete) == (0, Verdict.COMPLIANT, True)
    assert report.judgement.declared_unused == (type,)


def test_a_type_declared_unused_and_found(
    world: Callable[[], World], gate: Gate, policy: Callable[..., Policy]
) -> None:
    unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["gcs"]'))
    assert gate(world(), "gcs", rules=unused).exit_code == 1


@pytest.mark.parametrize("type", ["gcs", "kms"])
def test_nothing_found(world: Callable[[], World], gate: Gate, type: str) -> None:
    table = world()
    table[type] = {}
    assert_unproven(gate(table, type), type, Reason.NOTHING_FOUND)


@pytest.mark.parametrize(("type", "name"), [("gke", "dta-cluster"), ("redis", "dta-redis"), ("bigquery", "de")])
def test_an_expected_resource_is_missing(world: Callable[[], World], gate: Gate, type: str, name: str) -> None:
    table = world()
    table[type] = {}
    report = gate(table, type)
    assert report.exit_code == 1
    assert [(one.type, one.name) for one in report.judgement.missing] == [(type, name)]


def test_a_name_asked_for_that_does_not_exist(world: Callable[[], World], gate: Gate) -> None:
    scope = Scope(("gcs",), frozenset({("gcs", "no-such-bucket")}), whole=False)
    assert gate(world(), scope=scope).exit_code == 1


LOCATED = (
    ("gke", "clusters", "location"),
    ("sql", "instances", "region"),
    ("bigquery", "datasets", "location"),
    ("firestore", "databases", "locationId"),
    ("gcs", "buckets", "location"),
)


@pytest.mark.parametrize(("type", "key", "field"), LOCATED)
def test_no_location(world: Callable[[], World], gate: Gate, type: str, key: str, field: str) -> None:
    table = world()
    table["iam"] = {"denied": MAY_NOT_HEAR}  # the witness knows where a cluster is
    del table[type][key][-1][field]
    assert_unproven(gate(table, type), type, Reason.MISSING_LOCATION)


@pytest.mark.parametrize("nowhere", ["europe-west99", "europe-west3x", "europe-west3-", "atlantis", "europe-west33"])
@pytest.mark.parametrize(("type", "key", "field"), LOCATED)
def test_unknown_location(
    world: Callable[[], World], gate: Gate, type: str, key: str, field: str, nowhere: str
) -> None:
    table = world()
    table[type][key][-1][field] = nowhere
    assert_unproven(gate(table, type), type, Reason.UNKNOWN_LOCATION)


@pytest.mark.parametrize(("type", "key"), [("redis", "instances"), ("redis", "clusters"), ("firestore", "backups")])
def test_unknown_location_in_a_name(world: Callable[[], World], gate: Gate, type: str, key: str) -> None:
    table = world()
    table[type][key].append({"name": "elsewhere", "location": "europe-west99"})
    assert_unproven(gate(table, type), type, Reason.UNKNOWN_LOCATION)


def test_unknown_location_of_a_key_ring(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    table["kms"]["locations"] = ["europe-west3", "europe-west99"]
    table["kms"]["keyRings"].append({"name": "elsewhere", "location": "europe-west99"})
    assert_unproven(gate(table, "kms"), "kms", Reason.UNKNOWN_LOCATION)


def test_a_replica_that_is_not_listed(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    table["sql"]["instances"][0]["replicaNames"].append("dta-postgres-replica-3")
    report = gate(table, "sql")
    assert_unread(report, "sql", Reason.NOT_LISTED)
    assert "dta-postgres-replica-3" in report.judgement.unread[0].detail


def test_a_primary_that_is_not_listed(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    table["sql"]["instances"][2]["masterInstanceName"] = "dtx-data:gone"
    assert_unread(gate(table, "sql"), "sql", Reason.NOT_LISTED)


@pytest.mark.parametrize("level", ["EXTERNAL", "EXTERNAL_VPC"])
def test_a_key_held_outside_google(world: Callable[[], World], gate: Gate, level: str) -> None:
    table = world()
    keys = table["kms"]["keyRings"][-1]["cryptoKeys"]
    keys.append({"name": "held-outside", "versionTemplate": {"protectionLevel": level}})
    report = gate(table, "kms")
    assert_unproven(report, "kms", Reason.EXTERNAL_KEY)
    assert [one.resource.name for one in report.of(Verdict.UNVERIFIED)] == ["dta-backup-ring/held-outside"]


def test_an_external_dataset(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    source = {"externalSource": "aws-glue://arn:aws:glue:us-east-1:1:database/x", "connection": "c"}
    table["bigquery"]["datasets"].append(
        {"datasetId": "x", "location": "europe-west3", "type": "EXTERNAL", "externalDatasetReference": source}
    )
    assert_unproven(gate(table, "bigquery"), "bigquery", Reason.EXTERNAL_DATA)


def no_configured_backups(table: World) -> World:
    del table["sql"]["instances"][0]["settings"]["backupConfiguration"]["location"]
    return table


def test_default_backups_are_unproven(world: Callable[[], World], gate: Gate) -> None:
    table = no_configured_backups(world())
    table["sql"]["backupRuns"] = []
    assert_unproven(gate(table, "sql"), "sql", Reason.DEFAULT_LOCATION)


def test_default_backups_are_settled_by_those_that_exist(world: Callable[[], World], gate: Gate) -> None:
    assert gate(no_configured_backups(world()), "sql").exit_code == 0


@pytest.mark.parametrize(("assumed", "code"), [("eu", 0), ("us", 1)])
def test_default_backups_are_settled_by_the_policy(
    world: Callable[[], World], gate: Gate, policy: Callable[..., Policy], assumed: str, code: int
) -> None:
    table = no_configured_backups(world())
    table["sql"]["backupRuns"] = []
    report = gate(table, "sql", rules=policy(more=f'[assume.sql]\nbackup = "{assumed}"'))
    assert (report.exit_code, report.complete) == (code, True)


FAULTS = (
    ("html", Reason.MALFORMED_ANSWER),
    ("empty", Reason.MALFORMED_ANSWER),
    ("null", Reason.MALFORMED_ANSWER),
    ("array", Reason.MALFORMED_ANSWER),
    ("truncated", Reason.MALFORMED_ANSWER),
    ("duplicate_keys", Reason.MALFORMED_ANSWER),
    ("error_in_200", Reason.SERVER_ERROR),
    ("redirect", Reason.REDIRECTED),
    ("reset", Reason.CONNECTION_FAILED),
    ("unauthenticated", Reason.CREDENTIALS_REJECTED),
    ("permission_denied", Reason.PERMISSION_DENIED),
    ("rate_limited", Reason.RATE_LIMITED),
    ("vpc_sc", Reason.SERVICE_PERIMETER),
    ("billing_disabled", Reason.BILLING_DISABLED),
    ("not_found", Reason.NOT_FOUND),
    ("server_error", Reason.SERVER_ERROR),
)


@pytest.mark.parametrize("type", ["gke", "sql", "bigquery"])
@pytest.mark.parametrize(("answer", "reason"), FAULTS)
def test_fault(world: Callable[[], World], gate: Gate, type: str, answer: str, reason: Reason) -> None:
    report = gate(fault(world(), type, answer), type)
    assert_unread(report, type, reason)
    assert report.judgement.missing == ()


@pytest.mark.parametrize("type", ["gke", "sql", "bigquery"])
def test_silence(world: Callable[[], World], gate: Gate, hurry: Callable[..., None], type: str) -> None:
    hurry(type, read=0.3)
    assert_unread(gate(fault(world(), type, "silence"), type), type, Reason.TIMEOUT)


def test_an_answer_that_drips(world: Callable[[], World], gate: Gate, hurry: Callable[..., None]) -> None:
    hurry("gke", call=0.8)
    assert_unread(gate(fault(world(), "gke", "drip"), "gke"), "gke", Reason.TIMEOUT)


def test_the_run_has_an_end(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    table["faults"] = [{"service": host, "answer": "silence"} for host in map(HOSTS.get, TYPES)]
    report = gate(table, patience=Patience(run=1.0, read=60.0))
    assert (report.exit_code, report.complete) == (3, False)
    assert {one.type for one in report.judgement.unread} == {*TYPES, "inventory"}
    assert {one.reason for one in report.judgement.unread} == {Reason.TIMEOUT}


@pytest.mark.parametrize("type", ["sql", "bigquery", "gcs"])
@pytest.mark.parametrize("answer", ["wrong_kind", "repeat_token"])
def test_fault_of_lists(world: Callable[[], World], gate: Gate, type: str, answer: str) -> None:
    report = gate(fault(world(), type, answer), type)
    expected = {"wrong_kind": Reason.MALFORMED_ANSWER, "repeat_token": Reason.ENDLESS_PAGING}[answer]
    assert expected in reasons(report, type)
    assert (report.exit_code, report.complete) == (3, False)


@pytest.mark.parametrize("type", ["sql", "redis", "bigquery", "gcs", "kms"])
def test_a_failure_on_the_second_page(world: Callable[[], World], gate: Gate, type: str) -> None:
    table = world()
    table["redis"]["instances"].append({"name": "other", "location": "europe-west3"})
    report = gate(fault(table, type, "server_error", page=2), type)
    # Of the rest of Cloud SQL's list, the replicas that the first page names are known to be lost.
    assert reasons(report, type) - {Reason.NOT_LISTED} == {Reason.SERVER_ERROR}
    assert (report.exit_code, report.complete) == (3, False)
    assert report.judgement.missing == ()


@pytest.mark.parametrize("type", ["bigquery", "gcs"])
def test_a_list_without_its_kind(world: Callable[[], World], gate: Gate, type: str) -> None:
    assert_unread(gate(fault(world(), type, "no_kind", path="(datasets|/b)$"), type), type, Reason.MALFORMED_ANSWER)


@pytest.mark.parametrize("answer", ["server_error", "rate_limited", "reset"])
def test_what_passes_is_asked_again(world: Callable[[], World], gate: Gate, answer: str) -> None:
    waits: list[float] = []
    patience = Patience(sleep=waits.append, clock=lambda: time.monotonic() + sum(waits))
    report = gate(fault(world(), "sql", answer, times=2), "sql", patience=patience)
    assert report.exit_code == 0
    assert len(waits) == 2


def test_a_failing_type_hides_no_violation_of_another(world: Callable[[], World], gate: Gate) -> None:
    table = fault(world(), "gke", "html")
    table["gcs"]["buckets"][-1]["location"] = "US"
    report = gate(table)
    assert (report.exit_code, report.verdict, report.complete) == (1, Verdict.VIOLATION, False)
    assert [one.resource.name for one in report.of(Verdict.VIOLATION)] == ["dtx-video"]
    assert {(one.type, one.reason) for one in report.judgement.unread} == {("gke", Reason.MALFORMED_ANSWER)}


def test_a_failing_page_hides_no_violation_before_it(world: Callable[[], World], gate: Gate) -> None:
    table = fault(world(), "gcs", "server_error", page=2)
    table["gcs"]["buckets"][0]["location"] = "US"
    report = gate(table, "gcs")
    assert (report.exit_code, report.complete) == (1, False)


@pytest.mark.parametrize("state", ["DELETE_REQUESTED", "STATE_UNSPECIFIED"])
def test_a_project_that_is_not_active(world: Callable[[], World], gate: Gate, state: str) -> None:
    table = world()
    table["project"]["state"] = state
    assert_unread(gate(table, "kms"), "project", Reason.PROJECT_INACTIVE)


@pytest.mark.parametrize("answer", ["permission_denied", "html", "unauthenticated"])
def test_permissions_that_cannot_be_told(world: Callable[[], World], gate: Gate, answer: str) -> None:
    table = world()
    table["faults"] = [{"service": "cloudresourcemanager.googleapis.com", "answer": answer}]
    report = gate(table, "kms")
    assert (report.exit_code, report.complete) == (3, False)
    assert {one.type for one in report.judgement.unread} - {"inventory"} == {"project", "kms"}


OF_NO_KIND = (
    ("sql", "/backups$"),
    ("redis", "/clusters$"),
    ("redis", "/backupCollections$"),
    ("firestore", "/backups$"),
    ("kms", "/us/keyRings$"),
    ("kms", "/dta-ring/cryptoKeys$"),
)


@pytest.mark.parametrize(("type", "path"), OF_NO_KIND)
def test_an_answer_to_another_question(world: Callable[[], World], gate: Gate, type: str, path: str) -> None:
    report = gate(fault(world(), type, "wrong_kind", path=path), type)
    assert_unread(report, type, Reason.MALFORMED_ANSWER)


@pytest.mark.parametrize("run", [{"type": "ON_DEMAND"}, {"status": "FAILED"}])
def test_backups_that_do_not_show_the_default(world: Callable[[], World], gate: Gate, run: dict[str, str]) -> None:
    table = no_configured_backups(world())
    table["sql"]["backupRuns"] = [{"instance": "dta-postgres", "id": "1", "location": "eu", **run}]
    assert_unproven(gate(table, "sql"), "sql", Reason.DEFAULT_LOCATION)


@pytest.mark.parametrize("type", TYPES)
def test_an_api_that_is_off_elsewhere_says_nothing_about_a_type_declared_unused(
    world: Callable[[], World], gate: Gate, policy: Callable[..., Policy], type: str
) -> None:
    table = fault(world(), type, "api_disabled_elsewhere")
    table["assets"] = {"without": []}
    name = {
        "gke": "dta-cluster",
        "sql": "dta-postgres",
        "redis": "dta-redis",
        "bigquery": "de",
        "firestore": "(default)",
    }
    expected_in_staging = (
        [(f'name = "{name[type]}"', f'name = "{name[type]}"\nenvironments = ["staging"]')] if type in name else []
    )
    unused = policy(
        ('enforcement = "required"', f'enforcement = "required"\nunused = ["{type}"]'), *expected_in_staging
    )
    table[type] = {}
    report = gate(table, type, rules=unused)
    assert_unread(report, type, Reason.API_DISABLED)
    assert "which is not proven to be the one verified" in report.judgement.unread[0].detail


OURS = "projects/dtx-data"
ASSETS = (
    ("gke", "container.googleapis.com/Cluster", f"//container.googleapis.com/{OURS}/zones/europe-west3-a/clusters/x"),
    ("sql", "sqladmin.googleapis.com/Instance", f"//cloudsql.googleapis.com/{OURS}/instances/x"),
    ("redis", "redis.googleapis.com/Instance", f"//redis.googleapis.com/{OURS}/locations/us-east1/instances/x"),
    ("redis", "redis.googleapis.com/Cluster", f"//redis.googleapis.com/{OURS}/locations/us-east1/clusters/x"),
    ("bigquery", "bigquery.googleapis.com/Dataset", f"//bigquery.googleapis.com/{OURS}/datasets/x"),
    ("firestore", "firestore.googleapis.com/Database", f"//firestore.googleapis.com/{OURS}/databases/x"),
    ("gcs", "storage.googleapis.com/Bucket", "//storage.googleapis.com/x"),
    ("kms", "cloudkms.googleapis.com/KeyRing", f"//cloudkms.googleapis.com/{OURS}/locations/us/keyRings/x"),
    (
        "kms",
        "cloudkms.googleapis.com/CryptoKey",
        f"//cloudkms.googleapis.com/{OURS}/locations/us/keyRings/x/cryptoKeys/x",
    ),
)


class TestTheSecondWitness:
    """Cloud Asset Inventory can spoil a pass, and never make one."""

    @pytest.mark.parametrize(("type", "asset_type", "name"), ASSETS, ids=[row[1] for row in ASSETS])
    def test_it_knows_of_what_no_list_holds(
        self, world: Callable[[], World], gate: Gate, type: str, asset_type: str, name: str
    ) -> None:
        table = world()
        table["assets"] = {"extra": [{"name": name, "assetType": asset_type}]}
        report = gate(table, type)
        assert_unread(report, type, Reason.NOT_LISTED)
        assert [one.scope for one in report.judgement.unread] == [name]
        assert asset_type in report.witness.heard

    def test_it_agrees_with_lists_that_are_whole(self, world: Callable[[], World], gate: Gate) -> None:
        table = world()
        table["gke"]["clusters"].append(
            {"name": "zonal", "location": "europe-west3-a", "locations": ["europe-west3-a"]}
        )
        report = gate(table)
        assert (report.exit_code, report.witness.silent) == (0, ())
        assert {asset for _, asset, _ in ASSETS} == set(report.witness.heard)
        assert len(report.witness.assets) > len(ASSETS)

    def test_it_may_write_the_project_as_a_number(self, world: Callable[[], World], gate: Gate) -> None:
        table = world()
        name = "//redis.googleapis.com/projects/{}/locations/europe-west3/instances/dta-redis"
        extra = {"name": name.format("100000000001"), "assetType": "redis.googleapis.com/Instance"}
        table["assets"] = {"without": [name.format("dtx-data")], "extra": [extra]}
        assert gate(table, "redis").exit_code == 0

    def test_it_lags_behind_and_that_proves_nothing(self, world: Callable[[], World], gate: Gate) -> None:
        table = world()
        table["assets"] = {"without": ["//storage.googleapis.com/dtx-video"]}
        assert gate(table, "gcs").exit_code == 0

    def test_it_shows_what_a_disabled_api_still_holds(
        self, world: Callable[[], World], gate: Gate, policy: Callable[..., Policy]
    ) -> None:
        unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["gcs"]'))
        report = gate(fault(world(), "gcs", "api_disabled"), "gcs", rules=unused)
        assert_unread(report, "gcs", Reason.NOT_LISTED)

    def test_it_says_nothing_more_about_a_list_that_failed(self, world: Callable[[], World], gate: Gate) -> None:
        assert_unread(gate(fault(world(), "gcs", "html"), "gcs"), "gcs", Reason.MALFORMED_ANSWER)

    @pytest.mark.parametrize(
        "answer", ["permission_denied", "api_disabled", "api_disabled_elsewhere", "not_found", "vpc_sc"]
    )
    def test_a_caller_may_have_none(self, world: Callable[[], World], gate: Gate, answer: str) -> None:
        table = world()
        table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": answer}]
        report = gate(table, "gcs")
        assert (report.exit_code, report.complete, report.witness.heard) == (0, True, ())
        assert [asset_type for asset_type, _ in report.witness.silent] == ["storage.googleapis.com/Bucket"]

    def test_a_caller_without_the_permission_asks_for_no_list(self, world: Callable[[], World], gate: Gate) -> None:
        table = world()
        table["iam"] = {"denied": MAY_NOT_HEAR}
        report = gate(table, "gcs")
        assert report.exit_code == 0
        assert report.witness.silent == (("storage.googleapis.com/Bucket", Reason.PERMISSION_DENIED),)
        assert "cloudasset.googleapis.com" not in {call.service for call in report.calls}

    @pytest.mark.parametrize("denied", [True, False], ids=["permission", "api"])
    def test_a_policy_can_require_it(
        self, world: Callable[[], World], gate: Gate, policy: Callable[..., Policy], denied: bool
    ) -> None:
        table = world()
        if denied:
            table["iam"] = {"denied": MAY_NOT_HEAR}
        else:
            table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": "api_disabled"}]
        strict = policy(('enforcement = "required"', 'enforcement = "required"\nsecond_witness = "required"'))
        expected = Reason.PERMISSION_DENIED if denied else Reason.API_DISABLED
        assert_unread(gate(table, "gcs", rules=strict), "inventory", expected)

    @pytest.mark.parametrize(
        "answer", ["server_error", "html", "truncated", "reset", "null_items", "repeat_token", "unauthenticated"]
    )
    def test_one_that_breaks_off_is_unread(self, world: Callable[[], World], gate: Gate, answer: str) -> None:
        table = world()
        table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": answer, "page": 1}]
        report = gate(table, "gcs")
        assert {one.type for one in report.judgement.unread} == {"inventory"}
        assert (report.exit_code, report.complete) == (3, False)

    def test_one_that_breaks_off_hides_no_expected_resource(self, world: Callable[[], World], gate: Gate) -> None:
        table = world()
        table["gke"] = {}
        table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": "server_error"}]
        report = gate(table, "gke")
        assert report.exit_code == 1
        assert [one.name for one in report.judgement.missing] == ["dta-cluster"]


@pytest.mark.parametrize(("type", "key"), [("sql", "instances"), ("redis", "instances"), ("gcs", "buckets")])
def test_another_projects_items_hide_none_of_our_own(
    world: Callable[[], World], gate: Gate, type: str, key: str
) -> None:
    """A page of strangers between two of ours."""
    table = fault(world(), type, "foreign_project", page=2)
    table[type][key].insert(0, dict(table[type][key][-1], name="first"))
    report = gate(table, type)
    assert Reason.FOREIGN_RESOURCE in {one.reason for one in report.judgement.unread}
    assert (report.exit_code, report.complete) == (3, False)
    assert "first" in {one.resource.name for one in report.judgement.resources}


@pytest.mark.parametrize("backup", ["backupRuns", "backups"])
def test_backups_of_an_instance_that_is_neither_listed_nor_deleted(
    world: Callable[[], World], gate: Gate, backup: str
) -> None:
    table = world()
    stray = {"instance": "forgotten", "location": "eu"}
    name = {"id": "99"} if backup == "backupRuns" else {"name": "projects/dtx-data/backups/99"}
    table["sql"][backup].append(stray | name)
    report = gate(table, "sql")
    assert_unread(report, "sql", Reason.NOT_LISTED)
    assert "forgotten" in report.judgement.unread[0].detail


@pytest.mark.parametrize("mark", [{"instanceDeletionTime": "2026-10-01T00:00:00Z"}, {"type": "FINAL"}])
def test_backups_of_a_deleted_instance_stand_for_themselves(
    world: Callable[[], World], gate: Gate, mark: dict[str, str]
) -> None:
    table = world()
    table["sql"]["backups"].append(
        {"name": "projects/dtx-data/backups/99", "instance": "gone", "location": "eu", **mark}
    )
    table["sql"]["backupRuns"].append({"instance": "gone", "id": "98", "location": "eu"})
    report = gate(table, "sql")
    assert report.exit_code == 0
    assert {"99", "gone/98"} <= {one.resource.name for one in report.judgement.resources}


CLUSTER = "projects/dtx-data/locations/europe-west3/clusters/dta-sessions"
ODD_WORDS = (
    ("sql", "instances", {"instanceType": "ON_PREMISES_INSTANCE"}, Reason.EXTERNAL_DATA, True),
    ("sql", "instances", {"instanceType": "FUTURE"}, Reason.MALFORMED_ANSWER, False),
    *(
        ("sql", "instances", {"settings": {"backupConfiguration": {"location": "eu", "backupTier": tier}}}, why, whole)
        for tier, why, whole in (
            ("ENHANCED", Reason.EXTERNAL_DATA, True),
            ("FUTURE", Reason.MALFORMED_ANSWER, False),
        )
    ),
    ("bigquery", "datasets", {"type": "BIGLAKE_ICEBERG"}, Reason.EXTERNAL_DATA, True),
    ("bigquery", "datasets", {"type": "FUTURE"}, Reason.MALFORMED_ANSWER, False),
    ("bigquery", "datasets", {"catalogSource": "BIGLAKE"}, Reason.EXTERNAL_DATA, True),
    (
        "bigquery",
        "datasets",
        {"externalCatalogDatasetOptions": {"defaultStorageLocationUri": "gs://lake/tables"}},
        Reason.EXTERNAL_DATA,
        True,
    ),
    ("redis", "clusters", {"crossClusterReplicationConfig": {"clusterRole": "FUTURE"}}, Reason.MALFORMED_ANSWER, False),
    *(
        ("redis", "clusters", {"crossClusterReplicationConfig": config}, Reason.MISSING_LOCATION, True)
        for config in (
            {"clusterRole": "PRIMARY", "secondaryClusters": [{"cluster": CLUSTER}, {"uid": "2"}]},
            {"clusterRole": "SECONDARY", "primaryCluster": {"uid": "2", "cluster": ""}},
            {"membership": {"primaryCluster": {"uid": "2"}}},
            {"membership": {"secondaryClusters": [{"cluster": CLUSTER}, {}]}},
        )
    ),
)


@pytest.mark.parametrize(("type", "key", "words", "reason", "complete"), ODD_WORDS)
def test_words_that_tell_of_another_place_or_of_one_nobody_knows(
    world: Callable[[], World], gate: Gate, type: str, key: str, words: World, reason: Reason, complete: bool
) -> None:
    table = world()
    table[type][key][-1].update(words)
    report = gate(table, type)
    assert reasons(report, type) == {reason}
    assert (report.exit_code, report.complete) == (3, complete)


def test_a_protection_level_from_the_future(world: Callable[[], World], gate: Gate) -> None:
    table = world()
    keys = table["kms"]["keyRings"][-1]["cryptoKeys"]
    keys.append({"name": "odd", "versionTemplate": {"protectionLevel": "FUTURE"}})
    report = gate(table, "kms")
    assert reasons(report, "kms") == {Reason.MALFORMED_ANSWER}
    assert [one.resource.kind for one in report.of(Verdict.UNVERIFIED)] == ["key"]


def test_a_budget_for_a_type(world: Callable[[], World], gate: Gate) -> None:
    """A type may not use up the time of the run with many calls of which each is in time."""
    now = iter(range(10_000_000))
    patience = Patience(run=1e9, type=60.0, attempts=1, clock=lambda: next(now) * 1.0)
    report = gate(world(), "kms", patience=patience)
    unread = {(one.type, one.reason) for one in report.judgement.unread}
    # Whoever looks at the clock moves it, the second witness too.
    assert ("kms", Reason.TIMEOUT) in unread
    assert {reason for _, reason in unread} == {Reason.TIMEOUT}
    assert (report.exit_code, report.complete) == (3, False)


@pytest.mark.parametrize("answer", ["text_items", "object_items", "null_items", "empty_object", "html", "short_body"])
def test_a_query_of_a_deep_run_that_brings_no_rows(world: Callable[[], World], gate: Gate, answer: str) -> None:
    table = fault(world(), "bigquery", answer, path="(queries|jobs)")
    table["bigquery"]["datasets"][-1]["replicas"] = [{"location": "europe-west3"}, {"location": "us-central1"}]
    report = gate(table, "bigquery", deep=True)
    assert (report.exit_code, report.complete) == (3, False)


class TestEitherWayToTheSecondWitness:
    """Whoever may not list the assets may be allowed to search them."""

    EXTRA: ClassVar[World] = {
        "extra": [{"name": "//storage.googleapis.com/x", "assetType": "storage.googleapis.com/Bucket"}]
    }

    @pytest.mark.parametrize("denied", ["cloudasset.assets.listResource", "cloudasset.assets.searchAllResources"])
    def test_one_permission_is_enough(self, world: Callable[[], World], gate: Gate, denied: str) -> None:
        table = world() | {"assets": self.EXTRA, "iam": {"denied": [denied]}}
        assert_unread(gate(table, "gcs"), "gcs", Reason.NOT_LISTED)

    @pytest.mark.parametrize("path", ["/assets$", "searchAllResources$"])
    def test_one_call_is_enough(self, world: Callable[[], World], gate: Gate, path: str) -> None:
        table = world() | {"assets": self.EXTRA}
        table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": "not_found", "path": path}]
        assert_unread(gate(table, "gcs"), "gcs", Reason.NOT_LISTED)

    def test_one_that_is_refused_half_way_breaks_off(self, world: Callable[[], World], gate: Gate) -> None:
        table = world()
        table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": "permission_denied", "page": 2}]
        assert_unread(gate(table, "gcs"), "inventory", Reason.PERMISSION_DENIED)


def test_a_location_that_would_end_up_in_a_query_is_not_asked_and_hides_nothing(
    world: Callable[[], World], gate: Gate
) -> None:
    table = world()
    odd = "europe-west3`.x; --"
    table["bigquery"]["datasets"] += [{"datasetId": "a", "location": odd}, {"datasetId": "b", "location": "US"}]
    report = gate(table, "bigquery", deep=True)
    assert (report.exit_code, report.complete) == (1, False)
    assert [one.resource.name for one in report.of(Verdict.VIOLATION)] == ["b"]
    assert {Reason.MALFORMED_ANSWER, Reason.UNKNOWN_LOCATION} <= reasons(report, "bigquery")
    asked = {call.scope.rpartition("/")[2] for call in report.calls if call.method == "bigquery.jobs.query"}
    assert asked == {"europe-west3", "US"}
