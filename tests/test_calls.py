"""The calls of a run: nothing twice, everything at once that can be, and a service that is asked too much is spared."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from diga_verify.checkers.gcs import Gcs
from diga_verify.checkers.kms import Kms
from diga_verify.gateway.ceiling import CALLS_IN_FLIGHT, OTHER, RATES
from diga_verify.gateway.patience import Patience
from diga_verify.model import TYPES, Reason
from diga_verify.reading import Reading
from diga_verify.report import Report
from diga_verify.simulator import server
from diga_verify.simulator.answer import Ask, Google
from diga_verify.simulator.wire import Answer

Gate = Callable[..., Report]
World = Callable[[], dict[str, Any]]
Hook = Callable[[Ask, Callable[[], Answer]], Answer]
IN_TIME = 60.0
PAGE = (Path(__file__).parents[1] / "docs" / "calls.md").read_text(encoding="utf-8")


@pytest.fixture
def whole(world: World) -> dict[str, Any]:
    """The compliant world, in pages as Google sizes them."""
    table = world()
    del table["paging"]
    return table


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Callable[[Hook], list[Ask]]:
    """Puts a hook before the simulator's answers; what was asked is in the list, in the order in which it came."""
    true_answer = Google.answer

    def listen(hook: Hook) -> list[Ask]:
        asked: list[Ask] = []

        def answer(google: Google, ask: Ask) -> Answer:
            asked.append(ask)
            return hook(ask, partial(true_answer, google, ask))

        monkeypatch.setattr(Google, "answer", answer)
        return asked

    return listen


def at_once(_: Ask, answer: Callable[[], Answer]) -> Answer:
    return answer()


def wave(ask: Ask) -> int:
    """How many calls must have been answered, one after the other, before this one can be asked."""
    deep = ("cryptoKeys",), ("keyRings", "/datasets/", "cloudasset.", "/assets")
    where = f"{ask.host}/{ask.path}"
    return next((2 - level for level, words in enumerate(deep) if any(word in where for word in words)), 0)


class Waves:
    """Holds every answer back until all calls have come that can be under way together with it."""

    def __init__(self, *sizes: int) -> None:
        self.barriers = [threading.Barrier(size) for size in sizes]

    def __call__(self, ask: Ask, answer: Callable[[], Answer]) -> Answer:
        self.barriers[wave(ask)].wait(IN_TIME)
        return answer()


def test_whatever_can_be_asked_together_is_asked_together(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    """The whole run in three rounds: were one call to wait for another without need, neither would be answered."""
    counted = Counter(map(wave, _asked(whole, gate, listen)))
    # The project, permissions, witness and services, and the lists of all types; then what was found in them.
    assert counted[0] == 1 + len(TYPES) + 2 + 13
    assert counted[1] > CALLS_IN_FLIGHT
    assert counted[2] == len(whole["kms"]["keyRings"])
    listen(Waves(*(counted[number] for number in range(3))))
    assert gate(whole).exit_code == 0


def _asked(table: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]) -> list[Ask]:
    asked = listen(at_once)
    assert gate(table).exit_code == 0
    return asked


@pytest.mark.parametrize("pages", [1, None])
def test_nothing_is_asked_twice(world: World, gate: Gate, pages: int | None) -> None:
    table = world()
    table["paging"] = {"size": pages} if pages else {}
    table["kms"]["locations"] = ["europe-west3", "us"]
    report = gate(table, keep_evidence=True, deep=True)
    assert report.exit_code == 0
    assert report.evidence is not None
    answers = json.loads(report.evidence.data)["answers"].values()
    asked = Counter(json.dumps(request, sort_keys=True) for answer in answers for request in answer["requests"])
    assert len(asked) > 30
    assert [request for request, times in asked.items() if times > 1] == []


def rows(head: str) -> list[list[str]]:
    """The cells of a table in docs/calls.md, whose first line begins with `head`."""
    found = re.search(rf"^{re.escape(head)}.*\n\|[-|: ]+\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert found
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in found[1].splitlines()]


def test_lists_come_in_the_pages_that_are_documented(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    sizes: dict[str, set[tuple[str, str]]] = {}
    for ask in _asked(whole, gate, listen):
        query = parse_qs(ask.query)
        size = query.get("pageSize", query.get("maxResults", [""]))[0]
        sizes.setdefault(ask.host.partition(".")[0], set()).add((ask.path.rpartition("/")[2], size))
    documented = {row[1]: sorted(re.findall(r"\d+", row[3])) for row in rows("| type | service |")}
    assert documented == {
        # Live buckets and soft-deleted ones are two lists of the same path.
        service: sorted([size for _, size in of_service if size] * (2 if service == "storage" else 1))
        for service, of_service in sizes.items()
    }
    assert ("backupRuns", "") in sizes["sqladmin"]


def test_the_documented_sizes_are_the_largest_that_google_names() -> None:
    """In the discovery documents that come with the library."""
    said = {
        ("sqladmin.v1", "sql.instances.list", "maxResults"): "values above 1000 are coerced to 1000",
        ("sqladmin.v1", "sql.Backups.ListBackups", "pageSize"): "The maximum value is 2,000",
        ("redis.v1", "redis.projects.locations.instances.list", "pageSize"): "a default value of 1000",
        ("storage.v1", "storage.buckets.list", "maxResults"): "or 1,000 items, whichever is smaller",
        ("cloudasset.v1", "cloudasset.assets.list", "pageSize"): "maximum is 1000",
        ("cloudasset.v1", "cloudasset.searchAllResources", "pageSize"): "capped at 500",
        ("serviceusage.v1", "serviceusage.services.list", "pageSize"): "cannot exceed 200",
    }
    folder = resources.files("googleapiclient.discovery_cache") / "documents"
    for (document, method, parameter), words in said.items():
        tree = json.loads((folder / f"{document}.json").read_text(encoding="utf-8"))
        (found,) = (one for one in _methods(tree) if one["id"] == method)
        assert words in found["parameters"][parameter]["description"], method


def _methods(tree: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from tree.get("methods", {}).values()
    for below in tree.get("resources", {}).values():
        yield from _methods(below)


def test_the_ceilings_are_documented() -> None:
    assert f"at most **{CALLS_IN_FLIGHT} calls at once**" in PAGE
    documented = {row[0]: (int(row[1]), float(row[2].removesuffix(" s"))) for row in rows("| service | calls | in |")}
    assert documented.pop("all others") == (OTHER.calls, OTHER.seconds)
    assert {f"{name}.googleapis.com": rate for name, rate in documented.items()} == {
        host: (rate.calls, rate.seconds) for host, rate in RATES.items()
    }


def test_the_documented_chains_are_those_of_a_run(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    chains: dict[str, int] = {}
    for ask in _asked(whole, gate, listen):
        service = ask.host.partition(".")[0]
        chains[service] = max(chains.get(service, 0), wave(ask) + 1)
    documented = rows("| type | service |")
    assert {row[1]: int(row[4]) for row in documented} == chains
    assert [row[0] for row in documented if row[0]] == list(TYPES)


def test_connections_are_used_again(world: World, gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run over lists of many pages: never more connections than calls that can be under way at once."""
    opened: list[Any] = []
    accept = server._Server.process_request

    def counted(self: server._Server, request: Any, address: Any) -> None:
        opened.append(address)
        accept(self, request, address)

    monkeypatch.setattr(server._Server, "process_request", counted)
    table = world()
    table["gcs"]["buckets"] += [{"name": f"more-{number}", "location": "europe-west3"} for number in range(30)]
    report = gate(table, "gcs")
    assert report.exit_code == 0
    # The project, the permissions of gcs, the lists of live and of deleted buckets, the witness, the services.
    assert len(opened) <= 6
    assert sum(call.pages for call in report.calls) > 60


# --- the project's record comes when it comes


def test_whose_a_bucket_is_is_told_by_a_record_that_comes_later(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    listed = threading.Semaphore(0)

    def record_last(ask: Ask, answer: Callable[[], Answer]) -> Answer:
        if ask.host == "cloudresourcemanager.googleapis.com" and ask.method == "GET":
            for _ in range(2):
                assert listed.acquire(timeout=IN_TIME)
        found = answer()
        if ask.host == "storage.googleapis.com":
            listed.release()
            return replace(found, body=found.body.replace(b'"100000000001"', b'"200000000002"'))
        return found

    listen(record_last)
    report = gate(whole, "gcs")
    assert {one.reason for one in report.judgement.unread if one.type == "gcs"} >= {Reason.FOREIGN_RESOURCE}
    assert report.judgement.resources == ()
    assert report.exit_code == 3


def test_a_project_given_by_its_number_is_asked_for_by_its_id(
    whole: dict[str, Any], listen: Callable[[Hook], list[Ask]], gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = Reading.__init__
    monkeypatch.setattr(
        Reading, "__init__", lambda self, source, _, *more: usual(self, source, whole["project"]["number"], *more)
    )
    asked = listen(at_once)
    report = gate(whole, "gcs", "kms")
    assert report.exit_code == 0
    number = whole["project"]["number"]
    assert [ask.path for ask in asked if number in f"{ask.path}?{ask.query}"] == [f"v3/projects/{number}"]


def test_a_record_that_never_comes_is_waited_for_no_longer_than_the_run(whole: dict[str, Any], gate: Gate) -> None:
    whole["faults"] = [{"service": "cloudresourcemanager.googleapis.com", "answer": "silence", "method": "GET"}]
    report = gate(whole, "gke", patience=Patience(run=1.0, read=60.0))
    assert {(one.type, one.reason) for one in report.judgement.unread} >= {("gke", Reason.TIMEOUT)}
    assert report.exit_code == 3


@pytest.mark.parametrize("answer", ["permission_denied", "api_disabled", "html"])
def test_a_record_that_cannot_be_had_holds_nothing_up(whole: dict[str, Any], gate: Gate, answer: str) -> None:
    whole["faults"] = [{"service": "cloudresourcemanager.googleapis.com", "answer": answer, "method": "GET"}]
    report = gate(whole, "gke")
    assert {one.type for one in report.judgement.unread} == {"project"}
    assert len(report.judgement.resources) == len(whole["gke"]["clusters"])


# --- a huge fan-out


def test_a_service_with_much_to_ask_holds_no_other_up(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    """Cloud KMS is asked to its ceiling, and more waits; BigQuery, which begins later, gets through all the same."""
    rings = 2 * CALLS_IN_FLIGHT
    whole["kms"]["locations"] = ["europe-west3"]
    whole["kms"]["keyRings"] += [{"name": f"r-{number}", "location": "europe-west3"} for number in range(rings)]
    full, got = threading.Event(), threading.Event()
    lock, under_way, most = threading.Lock(), [0], [0]

    def hook(ask: Ask, answer: Callable[[], Answer]) -> Answer:
        if ask.path.endswith("/datasets"):
            assert full.wait(IN_TIME)
        elif "/datasets/" in ask.path:
            got.set()
        elif ask.path.endswith("/cryptoKeys"):
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
                if under_way[0] == CALLS_IN_FLIGHT:
                    full.set()
            assert got.wait(IN_TIME)
            with lock:
                under_way[0] -= 1
        return answer()

    asked = listen(hook)
    report = gate(whole, "bigquery", "kms")
    assert report.exit_code == 0
    assert sum(ask.path.endswith("/cryptoKeys") for ask in asked) > rings
    assert most[0] == CALLS_IN_FLIGHT


# --- a service that has had enough


def test_a_service_that_refuses_is_asked_again_and_all_is_read(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    whole["kms"]["locations"] = ["europe-west3", *(f"europe-west{number}" for number in range(4, 13) if number != 5)]
    refused: set[str] = set()

    def enough(ask: Ask, answer: Callable[[], Answer]) -> Answer:
        if ask.path.endswith("keyRings") and ask.path not in refused and len(refused) < 5:
            refused.add(ask.path)
            return Answer(429, b'{"error": {"code": 429, "message": "too much"}}')
        return answer()

    asked = listen(enough)
    report = gate(whole, "kms", patience=Patience(sleep=lambda _: None))
    assert (report.exit_code, report.judgement.unread) == (0, ())
    assert sum(ask.path.endswith("keyRings") for ask in asked) == len(whole["kms"]["locations"]) + 5


def test_a_pause_that_is_too_long_is_not_sat_out_by_anybody(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]]
) -> None:
    whole["faults"] = [
        {"service": "cloudkms.googleapis.com", "path": "locations$", "answer": "rate_limited", "retry_delay": 4000}
    ]
    asked = listen(at_once)
    report = gate(whole, "kms", patience=Patience())
    assert {one.reason for one in report.judgement.unread if one.type == "kms"} == {Reason.RATE_LIMITED}
    assert sum(ask.host == "cloudkms.googleapis.com" for ask in asked) == 1


# --- loading while waiting


def test_a_type_is_loaded_while_the_one_before_waits_for_its_answer(
    whole: dict[str, Any], gate: Gate, listen: Callable[[Hook], list[Ask]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cloud KMS begins, and its answer comes when Cloud Storage has begun, and not before it has asked."""
    story: list[str] = []
    began = threading.Event()
    usual = {checker: checker.query for checker in (Kms, Gcs)}

    def query(self: Kms | Gcs, gateway: Any, project: Any) -> Any:
        story.append(f"{self.type} begins")
        if self.type == "gcs":
            began.set()
        return usual[type(self)](self, gateway, project)  # type: ignore[arg-type]

    def hook(ask: Ask, answer: Callable[[], Answer]) -> Answer:
        if ask.host.startswith("cloudkms") and ask.path.endswith("/locations"):
            story.append("kms asks")
            assert began.wait(IN_TIME)
        return answer()

    for checker in usual:
        monkeypatch.setattr(checker, "query", query)
    monkeypatch.setattr("diga_verify.gateway.turns._AT_MOST", IN_TIME)
    listen(hook)
    assert gate(whole, "gcs", "kms").exit_code == 0
    assert story[0] == "kms begins"
    assert sorted(story[1:]) == ["gcs begins", "kms asks"]
