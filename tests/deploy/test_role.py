"""The custom roles hold what runs need and nothing else. What a call needs is said by the simulator's own table, which
knows nothing of the checkers, and docs/permissions.md says where Google says it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from diga_verify.checkers.registry import registered
from diga_verify.cli import main
from diga_verify.gateway.endpoints import stand_in
from diga_verify.gateway.patience import Patience
from diga_verify.judgement import Scope
from diga_verify.model import TYPES, Reason, Recovery, Verdict
from diga_verify.policy import Policy
from diga_verify.report import Report
from diga_verify.simulator.server import Request, Simulator
from diga_verify.simulator.services import SERVICES
from diga_verify.simulator.world import HOSTS, World
from diga_verify.verify import Run, verify

ROOT = Path(__file__).parents[2]
ROLES = ("gate", "witness", "deep", "restore")
ON_DEMAND: dict[str, tuple[dict[str, Any], str]] = {
    "deep": ({"deep": True}, "bigquery"),
    "restore": ({"recovery": Recovery()}, "sql"),
}
"""Roles that runs with an option need: what they are asked, and the type that is unverified without the role."""
PAGE = (ROOT / "docs" / "permissions.md").read_text("utf-8")
DOCUMENTS = (
    "bigquery.v2", "cloudasset.v1", "cloudkms.v1", "cloudresourcemanager.v3", "container.v1", "firestore.v1",
    "redis.v1", "serviceusage.v1", "sqladmin.v1", "storage.v1",
)  # fmt: skip


def role_file(name: str) -> Path:
    return ROOT / "deploy" / "terraform" / "roles" / f"{name}.yaml"


def role(name: str) -> list[str]:
    """The permissions of a role that is ready to copy."""
    return list(YAML(typ="safe").load(role_file(name))["includedPermissions"])


@pytest.fixture
def run_as(world: Callable[[], dict[str, Any]], policy: Callable[..., Policy]) -> Callable[..., Any]:
    """The gate as a caller with some permissions and no others; the report, and what was asked of the simulator."""

    def run_as(*permissions: str, **options: Any) -> tuple[Report, list[Request]]:
        table = world() | {"iam": {"granted": [*permissions]}, "paging": {}}
        table["kms"]["locations"] = ["europe-west3", "us-east1"]  # of more there is nothing to learn here
        with Simulator(World.from_dict(table)) as simulator:
            endpoints, patience = stand_in(simulator.url), Patience(attempts=1)
            run = Run(
                "production", "dtx-data", policy(), Scope(TYPES), endpoints=endpoints, patience=patience, **options
            )
            return verify(run, registered()), simulator.requests

    return run_as


@pytest.mark.parametrize("name", ROLES)
def test_the_file_of_a_role_is_what_the_program_makes(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["types", "--iam-role", name]) == 0
    assert capsys.readouterr().out == role_file(name).read_text("utf-8")


def test_the_gate_role_holds_what_types_permissions_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["types", "--permissions"]) == 0
    assert capsys.readouterr().out.split() == role("gate")


def test_no_permission_is_in_two_roles_and_all_but_that_for_queries_are_for_reading() -> None:
    held = [permission for name in ROLES for permission in role(name)]
    assert len(held) == len({*held})
    verbs = {permission.rpartition(".")[2] for permission in held}
    assert verbs == {"get", "list", "listResource", "create"}
    assert [permission for permission in held if permission.endswith(".create")] == role("deep")


def test_a_role_that_there_is_not_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["types", "--iam-role", "owner"]) == 2
    assert "'gate', 'witness', 'deep', 'restore'" in capsys.readouterr().err


def test_the_gate_role_is_enough(run_as: Callable[..., Any]) -> None:
    report, _ = run_as(*role("gate"))
    assert (report.exit_code, report.verdict, report.complete) == (0, Verdict.COMPLIANT, True)
    assert (report.witness.heard, report.services.known) == ((), False)


def test_the_witness_role_adds_the_witness_and_the_services(run_as: Callable[..., Any]) -> None:
    report, _ = run_as(*role("gate"), *role("witness"))
    assert (report.exit_code, report.complete) == (0, True)
    assert len(report.witness.heard) == sum(len(one.checker.asset_types) for one in registered().values())
    assert (report.witness.silent, report.services.known) == ((), True)


@pytest.mark.parametrize("name", ON_DEMAND)
def test_a_role_is_for_the_runs_that_ask_for_it(name: str, run_as: Callable[..., Any]) -> None:
    options, type = ON_DEMAND[name]
    assert run_as(*role("gate"), *role(name), **options)[0].exit_code == 0
    report, _ = run_as(*role("gate"), **options)
    assert {one.type for one in report.judgement.unread} == {type}
    assert Reason.PERMISSION_DENIED in {one.reason for one in report.judgement.unread}
    assert report.exit_code == 3


@pytest.mark.parametrize("permission", role("gate"))
def test_without_a_permission_its_type_is_unverified_and_no_other(permission: str, run_as: Callable[..., Any]) -> None:
    report, _ = run_as(*(one for one in role("gate") if one != permission))
    assert {one.type for one in report.judgement.unread} == {type_of(permission)}
    assert Reason.PERMISSION_DENIED in {one.reason for one in report.judgement.unread}
    assert (report.exit_code, report.verdict, report.complete) == (3, Verdict.UNVERIFIED, False)


@pytest.mark.parametrize("permission", role("witness"))
def test_without_a_permission_of_the_witness_role_the_verdict_is_the_same(
    permission: str, run_as: Callable[..., Any]
) -> None:
    report, _ = run_as(*role("gate"), *(one for one in role("witness") if one != permission))
    assert (report.exit_code, report.complete) == (0, True)
    assert [bool(report.witness.heard), report.services.known].count(False) == 1


def test_every_permission_is_needed_by_a_call_and_every_call_has_its_permission(run_as: Callable[..., Any]) -> None:
    """And docs/permissions.md names each with the methods that need it."""
    held = {permission for name in ROLES for permission in role(name)}
    _, requests = run_as(*held, deep=True, recovery=Recovery())
    needed = {(permission, method) for permission, method in map(needs, requests) if permission}
    assert {permission for permission, _ in needed} == held
    assert {(permission, method) for permission, methods, _ in rows() for method in methods} == needed


def test_the_page_says_where_each_permission_is_documented() -> None:
    source = re.compile(r"`roles/[\w.]+` \| \[[^]]+\]\(https://(docs\.)?cloud\.google\.com/[^)]+\)[^|]* \|")
    assert [permission for permission, _, rest in rows() if not source.fullmatch(rest)] == []


def rows() -> Iterator[tuple[str, list[str], str]]:
    """Permission, methods and the other columns, of the table of calls in docs/permissions.md."""
    for line in PAGE.splitlines():
        if found := re.match(r"\| `([a-z]+\.\w+\.\w+)` \| (`[\w.`, ]+`) \| (.*)", line):
            yield found[1], re.findall(r"`([\w.]+)`", found[2]), found[3]


def type_of(permission: str) -> str:
    """The type, or the project's record, whose service asks for the permission."""
    hosts = {host for host, service in SERVICES.items() for one in service.routes if one.permission == permission}
    [host] = hosts
    return {of: type for type, of in HOSTS.items()}.get(host, "project")


def needs(request: Request) -> tuple[str | None, str]:
    """The permission that a request needs, and the id of its method in Google's description of the API."""
    [route] = [
        one
        for one in SERVICES[request.host].routes
        if one.method == request.method and one.pattern.fullmatch(request.path)
    ]
    return route.permission, methods()[request.host, route.method, re.sub(r"\{\w+\}", "{}", route.template)]


@cache
def methods() -> dict[tuple[str, str, str], str]:
    """The ids of methods, by host, HTTP method and path, as google-api-python-client carries them."""
    found = {}
    for name in DOCUMENTS:
        file = resources.files("googleapiclient.discovery_cache").joinpath("documents", f"{name}.json")
        document = json.loads(file.read_text("utf-8"))
        host = re.sub(r"^https://(www\.)?|/$", "", document["rootUrl"])
        for one in _methods(document):
            path = document["servicePath"] + one.get("flatPath", one["path"])
            found[host, one["httpMethod"], re.sub(r"\{\+?\w+\}", "{}", path)] = str(one["id"])
    return found


def _methods(resource: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)
