"""What the project has enabled is told whole or not at all, and what nobody answers is not known; nothing is raised."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import resources
from types import MappingProxyType
from typing import Any, cast

import pytest

from diga_verify import services
from diga_verify.checkers import registry
from diga_verify.gateway import gateway
from diga_verify.gateway.ceiling import CALLS_IN_FLIGHT
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door
from diga_verify.gateway.endpoints import stand_in
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.identity import Anonymous
from diga_verify.gateway.listing import Listed, Method
from diga_verify.gateway.live import Live
from diga_verify.gateway.patience import Patience
from diga_verify.model import Json, Project, Reason, Unread
from diga_verify.services import DataService, Services, enabled_services
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

PROJECT = Project("p", "1", "ACTIVE")
HOST = "serviceusage.googleapis.com"
ENABLED = ["storage.googleapis.com", "pubsub.googleapis.com", "file.googleapis.com", "run.googleapis.com", HOST]
UNNOTICED = {"no_kind", "no_location", "blank_location", "number_location", "unknown_location", "unknown_enum",
             "shrunk", "empty_page", "blank_token"}  # fmt: skip
"""Faults that change nothing here, that are legal, or that no reader of a list could notice."""
SLOW = {
    "silence": {"read": 0.25},
    "body_then_silence": {"read": 0.25},
    "drip": {"call": 1.0},
    "header_drip": {"call": 1.0},
}
"""Budgets, in seconds, for those that never come to an end."""


class Usage:
    """A gateway to a Service Usage with one answer, which writes down what it is asked."""

    def __init__(self, listed: Listed) -> None:
        self._listed = listed
        self.asked: list[tuple[Method, str]] = []
        self.said: list[tuple[str, dict[str, Any]]] = []

    @property
    def clients(self) -> Usage:
        return self

    def discovery(self, name: str, version: str) -> Usage:
        self.said.append((f"{name} {version}", {}))
        return self

    def services(self) -> Usage:
        return self

    def list(self, **named: Any) -> Usage:
        self.said.append(("list", named))
        return self

    def execute(self, **named: Any) -> Json:
        self.said.append(("execute", named))
        return {}

    def list_all(self, method: Method, scope: str, send: Callable[[str | None], object]) -> Listed:
        self.asked.append((method, scope))
        send("token")
        return self._listed


def said(*items: object, unread: tuple[Unread, ...] = ()) -> Services:
    return enabled_services(cast("Gateway", Usage(Listed(cast("tuple[Json, ...]", items), unread))), PROJECT)


def item(host: str, state: str = "ENABLED") -> Json:
    return {"name": f"projects/1/services/{host}", "state": state}


def test_how_it_is_asked() -> None:
    usage = Usage(Listed(()))
    enabled_services(cast("Gateway", usage), PROJECT)
    [(method, scope)] = usage.asked
    assert (method.type, method.service, method.name) == ("services", HOST, services.PERMISSION)
    assert (method.items, method.fields, method.owner) == ("services", "services(name,state),nextPageToken", "name")
    assert scope == "projects/p"
    query = {"parent": "projects/p", "filter": "state:ENABLED", "pageSize": 200, "pageToken": "token"}
    assert usage.said == [("serviceusage v1", {}), ("list", query), ("execute", {"num_retries": 0})]


def test_what_is_enabled_is_sorted_and_what_holds_data_is_named() -> None:
    found = said(*map(item, ["run.googleapis.com", "x.endpoints.acme.cloud.goog", "compute.googleapis.com"]))
    assert found.names == ("compute.googleapis.com", "run.googleapis.com", "x.endpoints.acme.cloud.goog")
    assert (found.known, found.reason) == (True, None)
    assert [one.service for one in found.not_read] == ["compute.googleapis.com", "run.googleapis.com"]
    assert found.not_read[0].product == "Compute Engine"
    assert "snapshots" in found.not_read[0].holds


def test_what_a_checker_reads_is_not_named() -> None:
    usage = Usage(Listed((item("file.googleapis.com"), item("pubsub.googleapis.com"))))
    asset_types = ("storage.googleapis.com/Bucket", "file.googleapis.com/Instance", "file.googleapis.com/Backup")
    found = enabled_services(cast("Gateway", usage), PROJECT, asset_types)
    assert found.names == ("file.googleapis.com", "pubsub.googleapis.com")
    assert [one.product for one in found.not_read] == ["Pub/Sub"]


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"name": None, "state": "ENABLED"},
        {"name": 7, "state": "ENABLED"},
        {"name": "compute.googleapis.com", "state": "ENABLED"},
        {"name": "projects/1/services/", "state": "ENABLED"},
        {"name": "projects/1/services/a b", "state": "ENABLED"},
        {"name": "projects/1/services/evil\x1b[2J", "state": "ENABLED"},
        {"name": "projects/1/services/a\n", "state": "ENABLED"},
        item("compute.googleapis.com", "DISABLED"),
        {"name": "projects/1/services/compute.googleapis.com"},
    ],
)
def test_a_service_that_cannot_be_understood_makes_the_list_unknown(strange: Json) -> None:
    assert said(item("run.googleapis.com"), strange) == Services(reason=Reason.MALFORMED_ANSWER)


def test_an_empty_list_is_no_proof() -> None:
    assert said() == Services(reason=Reason.NOTHING_FOUND)


def test_a_list_that_breaks_off_is_not_known_whatever_came_before() -> None:
    broken = tuple(Unread("services", "list", reason, "no") for reason in (Reason.TIMEOUT, Reason.SERVER_ERROR))
    assert said(item("run.googleapis.com"), unread=broken) == Services(reason=Reason.TIMEOUT)


def test_a_run_that_did_not_ask_knows_nothing() -> None:
    assert Services() == services.NOT_ASKED
    assert not services.NOT_ASKED.known


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Services]:
    """Asks a simulated project by way of a true gateway, which reads 20 pages at most."""
    monkeypatch.setattr(gateway, "PAGE_LIMIT", 20)

    def ask(budgets: Mapping[str, Any] = MappingProxyType({}), **sections: Any) -> Services:
        bare = {"project": {"id": "p", "number": "1"}, "serviceusage": {"services": ENABLED}}
        with Simulator(World.from_dict(bare | sections)) as simulator:
            patience = replace(Patience(attempts=1), **budgets)
            endpoints = stand_in(simulator.url)
            clients = Clients(Door(endpoints, Anonymous(), patience, CALLS_IN_FLIGHT), endpoints, "tests")
            way = Gateway(Live(patience), clients, PROJECT, deep=False, spread=map, keep=False)
            return enabled_services(way, PROJECT)

    return ask


def test_the_simulated_project_tells_it_page_by_page(ask: Callable[..., Services]) -> None:
    found = ask(paging={"size": 2})
    assert found.names == tuple(sorted(ENABLED))
    assert [one.service for one in found.not_read] == [ENABLED[2], ENABLED[1], ENABLED[3]]


def test_who_may_not_ask_does_not_know(ask: Callable[..., Services]) -> None:
    assert ask(iam={"denied": [services.PERMISSION]}) == Services(reason=Reason.PERMISSION_DENIED)


@pytest.mark.parametrize("answer", ANSWERS)
def test_under_every_fault_it_is_known_whole_or_not_at_all(answer: str, ask: Callable[..., Services]) -> None:
    more: dict[str, Any] = {"http_status": {"status": 418}, "forbidden_reason": {"reason": "CONSUMER_SUSPENDED"}}
    found = ask(SLOW.get(answer, {}), faults=[{"service": HOST, "answer": answer, **more.get(answer, {})}])
    if answer in UNNOTICED:
        lost = {"storage.googleapis.com"} if answer == "shrunk" else set()
        assert (found.known, found.reason) == (True, None)
        assert set(found.names or ()) == set(ENABLED) - lost
    else:
        assert found.reason is not None
        assert found == Services(reason=found.reason)


class TestTheTable:
    """services.toml beside Google's own descriptions of its APIs."""

    @staticmethod
    def entries() -> dict[str, Json]:
        text = resources.files("diga_verify").joinpath("services.toml").read_text("utf-8")
        found: dict[str, Json] = tomllib.loads(text)["services"]
        return found

    @staticmethod
    def document(name: str) -> Json:
        documents = resources.files("googleapiclient.discovery_cache").joinpath("documents")
        found: Json = json.loads(documents.joinpath(f"{name}.json").read_text("utf-8"))
        return found

    def test_it_has_what_the_run_says_of_a_service(self) -> None:
        table = services.table()
        assert table.date == "2026-11-23"
        assert [*table.services] == [*self.entries()]
        assert table.services["healthcare.googleapis.com"] == DataService(
            "healthcare.googleapis.com",
            "Cloud Healthcare API",
            "health records: FHIR, DICOM and HL7v2 stores, consents",
        )

    def test_the_services_that_every_project_for_health_would_ask_about_are_there(self) -> None:
        known = {host.partition(".")[0] for host in services.table().services}
        assert known >= {
            *("compute", "pubsub", "spanner", "bigtableadmin", "logging", "secretmanager", "artifactregistry", "file"),
            *("memorystore", "memcache", "alloydb", "healthcare", "aiplatform", "run", "cloudfunctions", "cloudtasks"),
            *("backupdr", "gkebackup", "storagetransfer", "monitoring", "clouderrorreporting", "cloudtrace", "dlp"),
        }

    def test_none_is_there_that_is_read(self) -> None:
        read = {name.partition("/")[0] for checker in registry.BUILTIN for name in checker.asset_types}
        assert len(read) == 7
        assert not read & services.table().services.keys()

    def test_each_is_a_service_of_google_with_methods_that_tell_what_it_keeps(self) -> None:
        described = {host: one for host, one in self.entries().items() if "document" in one}
        for host, one in described.items():
            document = self.document(one["document"])
            assert document["rootUrl"] == f"https://{host}/", host
            assert one["methods"], host
            assert set(one["methods"]) <= set(_methods(document)), host
        others = {host: one["source"] for host, one in self.entries().items() if host not in described}
        assert [*others] == ["memorystore.googleapis.com"]
        assert all(source.startswith("https://cloud.google.com/") for source in others.values())

    def test_each_has_words_that_fit_into_a_line(self) -> None:
        for one in services.table().services.values():
            assert one.product
            assert one.product == one.product.strip()
            assert 0 < len(one.holds) <= 80
            assert not one.holds.endswith(".")


def _methods(resource: Json) -> Iterator[str]:
    yield from (method["id"] for method in resource.get("methods", {}).values())
    for below in resource.get("resources", {}).values():
        yield from _methods(below)
