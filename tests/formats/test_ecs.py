"""Events of the audit log: their fields and types, which there are, and that they can be known again."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from ruamel.yaml import YAML

from diga_verify.changes import Kind
from diga_verify.drift import drift
from diga_verify.formats import ecs, ocsf
from diga_verify.formats.json import render
from diga_verify.formats.page import Page
from diga_verify.model import Call, Recovery, Role
from diga_verify.policy import Policy
from diga_verify.report import CheckerOrigin, Report

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "elastic"
SCHEMA = json.loads((resources.files("diga_verify.formats") / "ecs.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
ECS = {
    "@timestamp": "date",
    "log.level": "keyword",
    "message": "match_only_text",
    "ecs.version": "keyword",
    "tags": "keyword[]",
    "event.kind": "keyword",
    "event.category": "keyword[]",
    "event.type": "keyword[]",
    "event.action": "keyword",
    "event.outcome": "keyword",
    "event.severity": "long",
    "event.id": "keyword",
    "event.reason": "keyword",
    "event.sequence": "long",
    "event.start": "date",
    "event.end": "date",
    "event.duration": "long",
    "event.dataset": "keyword",
    "event.module": "keyword",
    "event.provider": "keyword",
    "service.name": "keyword",
    "service.version": "keyword",
    "user.name": "keyword",
    "related.user": "keyword[]",
    "related.hash": "keyword[]",
    "cloud.provider": "keyword",
    "cloud.project.id": "keyword",
    "cloud.region": "keyword",
    "cloud.service.name": "keyword",
    "orchestrator.type": "keyword",
    "orchestrator.cluster.name": "keyword",
    "rule.id": "keyword",
    "rule.name": "keyword",
    "rule.ruleset": "keyword",
    "rule.version": "keyword",
}
"""What the field reference of Elastic Common Schema 8.11 (9.5-dev has the same) says of the fields that we use."""
SHIPPED = {"error.message": "match_only_text", "error.type": "keyword", "event.ingested": "date"}
"""What Filebeat and the ingest pipeline add, and one wants to search for."""


def events(report: Report) -> list[dict[str, Any]]:
    text = ecs.lines(report)
    assert text == ecs.lines(report)
    assert text.endswith("\n")
    assert text.isascii()
    assert not re.search(r"[^\x20-\x7e\n]|##|</|<!", text)
    found: list[dict[str, Any]] = [json.loads(line) for line in text.removesuffix("\n").split("\n")]
    for event in found:
        VALIDATOR.validate(event)
    assert len({event["event"]["id"] for event in found}) == len(found)
    assert {event["diga_verify"]["run"]["id"] for event in found} == {hashlib.sha256(render_json(report)).hexdigest()}
    assert [event["event"]["sequence"] for event in found] == [*range(len(found))]
    assert [event["diga_verify"]["run"].get("events") for event in found] == [len(found), *[None] * (len(found) - 1)]
    assert {event["diga_verify"]["run"]["simulated"] for event in found} == {report.simulated}
    assert {event["message"].startswith("SIMULATED: ") for event in found} == {report.simulated}
    assert {"simulated" in event["tags"] for event in found} == {report.simulated}
    return found


def render_json(report: Report) -> bytes:
    return render(report, Page()).encode("ascii")


def value(event: dict[str, Any], name: str) -> Any:
    found: Any = event
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


def told(report: Report, *names: str) -> list[tuple[Any, ...]]:
    return [tuple(value(event, name) for name in names) for event in events(report)]


def leaves(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in node["properties"].items():
        if "properties" in inner:
            yield from leaves(inner, f"{path}{name}.")
        else:
            yield f"{path}{name}", inner


def type_of(leaf: dict[str, Any]) -> str:
    """As Elasticsearch calls it."""
    if leaf["type"] == "array":
        return f"{type_of(leaf['items'])}[]"
    if leaf.get("format", "").startswith("date"):
        return "date"
    return {"string": "keyword", "integer": "long", "boolean": "boolean"}[leaf["type"]]


@pytest.fixture(scope="module")
def fields() -> dict[str, str]:
    found = {name: type_of(leaf) for name, leaf in leaves(SCHEMA)}
    return {**found, "message": "match_only_text"}


def test_the_fields_are_those_of_the_common_schema_and_our_own(fields: dict[str, str]) -> None:
    assert {name: type for name, type in fields.items() if not name.startswith("diga_verify.")} == ECS


def test_the_template_has_every_field_with_its_type(fields: dict[str, str]) -> None:
    template = json.loads((DEPLOY / "component-template.json").read_text("utf-8"))["template"]
    mapped = {name: leaf["type"] for name, leaf in leaves(template["mappings"])}
    assert mapped == {name: type.removesuffix("[]") for name, type in {**fields, **SHIPPED}.items()}
    assert template["mappings"]["dynamic"] is False
    limits = {leaf["ignore_above"] for _, leaf in leaves(template["mappings"]) if leaf["type"] == "keyword"}
    assert max(limits) * 4 <= 32766  # bytes that Lucene takes for one


def test_no_event_can_have_a_field_that_is_not_listed(demo_report: Report) -> None:
    [event, *_] = events(demo_report)
    for spoilt in event | {"more": 1}, event | {"cloud": {**event["cloud"], "zone": "a"}}:
        assert not VALIDATOR.is_valid(spoilt)
    for missing in "@timestamp", "event", "diga_verify", "ecs.version":
        assert not VALIDATOR.is_valid({name: inner for name, inner in event.items() if name != missing})


def test_what_is_deployed_fits_together() -> None:
    filebeat = YAML(typ="safe").load((DEPLOY / "filebeat.yml").read_text("utf-8"))
    pipeline, lifecycle, template = (
        json.loads((DEPLOY / f"{name}.json").read_text("utf-8"))
        for name in ("ingest-pipeline", "ilm-policy", "index-template")
    )
    [source] = filebeat["filebeat.inputs"]
    [parser] = source["parsers"]
    assert parser == {
        "ndjson": {"target": "", "overwrite_keys": True, "expand_keys": True, "add_error_key": True},
    }
    stream = filebeat["output.elasticsearch"]["index"]
    [pattern] = template["index_patterns"]
    assert stream.startswith(pattern.removesuffix("*"))
    assert pattern.startswith(f"logs-{SCHEMA['properties']['event']['properties']['dataset']['enum'][0]}-")
    assert {one["set"]["field"]: one["set"]["value"] for one in pipeline["processors"]} == {
        "_id": "{{{event.id}}}",
        "event.ingested": "{{{_ingest.timestamp}}}",
        "event.kind": "pipeline_error",
    }
    assert "delete" in lifecycle["policy"]["phases"]


def test_the_page_lists_the_fields(fields: dict[str, str]) -> None:
    page = (ROOT / "docs" / "audit-log.md").read_text("utf-8")
    table = page.partition("| field | type | what |\n")[2]
    rows = re.findall(r"^\| `([@\w.]+)` \| (\w+(?:\[\])?) \| (.+) \|$", table, re.MULTILINE)
    described = {name: leaf.get("description") for name, leaf in leaves(SCHEMA)}
    assert [(name, type) for name, type, _ in rows] == [*fields.items()]
    assert {name: text for name, _, text in rows} == described


def test_the_lines_of_the_page_are_those_of_a_run(compliant_report: Report, demo_report: Report) -> None:
    """Save for ids, which follow from the times of all calls."""
    page = (ROOT / "docs" / "audit-log.md").read_text("utf-8")
    shown = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]
    assert [event["event"]["action"] for event in shown] == ["residency-violation", "residency-change"]
    for event in shown:
        VALIDATOR.validate(event)
    changes = drift(compliant_report, demo_report)
    baseline = replace(changes.old, simulated=False, finished_at=value(shown[1], "diga_verify.baseline.finished_at"))
    report = replace(
        demo_report,
        simulated=False,
        principal=shown[0]["user"]["name"],
        started_at="2026-11-23T06:00:00Z",
        finished_at=shown[0]["@timestamp"],
        drift=replace(changes, old=baseline, caveats=()),
    )
    due = [without_ids(event) for event in events(report)]
    assert [event for event in map(without_ids, shown) if event not in due] == []


def without_ids(event: dict[str, Any]) -> dict[str, Any]:
    own = event["diga_verify"]
    run = {name: inner for name, inner in own["run"].items() if name != "id"}
    core = {name: inner for name, inner in event["event"].items() if name != "id"}
    return {**event, "event": core, "diga_verify": {**own, "run": run}}


def test_two_of_everything(everything: Report) -> None:
    names = (
        "event.action",
        "event.kind",
        "event.outcome",
        "event.severity",
        "event.reason",
        "diga_verify.finding.name",
    )
    host = "//storage.googleapis.com/"
    assert told(everything, *names) == [
        ("residency-run", "event", "failure", 5, None, None),
        ("residency-violation", "alert", "failure", 5, "outside-law", f"{host}wrong-2"),
        ("residency-violation", "alert", "failure", 4, "outside-policy", f"{host}wrong-1"),
        ("residency-missing", "alert", "failure", 4, "missing", "gcs/gone"),
        ("residency-missing", "alert", "failure", 4, "missing", "gcs/wrong-3"),
        ("residency-unread", "event", "unknown", 4, "timeout", "projects/dtx-data/locations/b"),
        ("residency-unread", "event", "unknown", 4, "nothing_found", "kms"),
        ("residency-waiver", "event", None, 3, "old | contract", None),
        ("residency-waiver", "event", None, 3, "old | contract", None),
    ]


def test_a_violation_holds_all_there_is_about_it(everything: Report) -> None:
    event = events(everything)[1]
    line = everything.judgement.resources[-1].placements[0].allowed.line
    assert event["log.level"] == "critical"
    assert event["message"] == "SIMULATED: gcs wrong-2: primary in US; allowed: europe-west3"
    assert event["cloud"] == {
        "provider": "gcp",
        "project": {"id": "dtx-data"},
        "service": {"name": "storage.googleapis.com"},
    }
    assert event["rule"] == {
        "id": f"regions.toml:{line}",
        "name": "gcs primary",
        "ruleset": "regions.toml",
        "version": everything.policy_sha256,
    }
    assert event["related"] == {"hash": [everything.policy_sha256]}
    assert event["diga_verify"]["placement"] == {
        "role": "primary",
        "location": "US",
        "field": "location",
        "verdict": "violation",
        "severity": "critical",
        "lawful": False,
        "regions": [],
        "countries": ["US"],
        "allowed": ["europe-west3"],
    }
    assert value(event, "diga_verify.finding.next").startswith("gcloud storage buckets relocate gs://wrong-2")


def test_a_waiver_tells_who_answers_for_it_and_how_long(everything: Report) -> None:
    *_, event = events(everything)
    waiver = everything.judgement.waivers_used[1]
    assert event["diga_verify"]["waiver"] == {
        "owner": "owner 2",
        "expires": "2027-01-31",
        "days_left": value(event, "diga_verify.waiver.days_left"),
        "fields": ["location"],
    }
    assert value({"a": event}, "a.rule.id") == f"regions.toml:{waiver.line}"
    later = replace(everything, finished_at="2027-01-30T23:59:59.999Z")
    assert value(events(later)[-1], "diga_verify.waiver.days_left") == 1
    assert event["message"] == (
        "SIMULATED: gcs waived-2: primary in EU, waived until 2027-01-31 by owner 2: old | contract"
    )


def test_one_waiver_for_two_fields_is_one_event(gate: Callable[..., Report], policy: Callable[..., Policy]) -> None:
    waiver = (
        '[[waivers]]\nresource = "//container.googleapis.com/projects/dtx-data/locations/europe-west3/clusters/c"\n'
        'role = "node"\nlocation = "europe-west1-b"\nreason = "r"\nowner = "o"\nexpires = 2027-01-31\n'
    )
    zones = ["europe-west3-a", "europe-west1-b"]
    cluster = {
        "name": "c",
        "location": "europe-west3",
        "locations": zones,
        "nodePools": [{"name": "p", "locations": zones}],
    }
    table = {"project": {"id": "dtx-data", "number": "1"}, "gke": {"clusters": [cluster]}}
    report = gate(table, "gke", rules=policy(more=waiver))
    found = [event for event in events(report) if event["event"]["action"] == "residency-waiver"]
    [fields] = [value(event, "diga_verify.waiver.fields") for event in found]
    assert len(fields) > 1
    assert found[0]["orchestrator"] == {"type": "kubernetes", "cluster": {"name": "c"}}


def test_the_event_of_a_run(calm: dict[str, tuple[Report, str, int]]) -> None:
    names = ("event.outcome", "event.severity", "diga_verify.run.exit_code", "diga_verify.run.verdict")
    assert {word: told(report, *names)[0] for word, (report, _, _) in calm.items()} == {
        "compliant": ("success", 1, 0, "compliant"),
        "nothing": ("unknown", 4, 3, "unverified"),
        "missing": ("failure", 4, 1, "violation"),
        "unread": ("unknown", 4, 3, "unverified"),
        "bare": ("unknown", 4, 3, "unverified"),
        "unused": ("failure", 4, 1, "violation"),
        "idle waiver": ("unknown", 4, 2, "unverified"),
        "interrupted": ("unknown", 4, 143, "unverified"),
    }
    counts = {
        word: Counter(action for (action,) in told(report, "event.action")[1:]) for word, (report, *_) in calm.items()
    }
    assert counts == {
        "compliant": {},
        "nothing": {},
        "missing": {"residency-missing": 2},
        "unread": {"residency-unread": 2},
        "bare": {"residency-unread": 1},
        "unused": {"residency-violation": 1},
        "idle waiver": {"residency-unread": 1},
        "interrupted": {},
    }
    assert value(events(calm["interrupted"][0])[0], "diga_verify.run.interrupted_by") == 15
    assert told(calm["idle waiver"][0], "event.severity")[1] == (3,)


def test_a_run_tells_who_when_and_how_long(compliant_report: Report) -> None:
    started, finished = "2026-11-23T11:59:58.500Z", "2026-11-23T12:00:00.250Z"
    report = replace(compliant_report, started_at=started, finished_at=finished, principal="robot@x", simulated=False)
    [event] = events(report)
    assert event["@timestamp"] == finished
    assert (event["event"]["start"], event["event"]["end"], event["event"]["duration"]) == (
        started,
        finished,
        1_750_000_000,
    )
    assert (event["user"], event["related"]["user"]) == ({"name": "robot@x"}, ["robot@x"])
    assert event["message"].startswith("dtx-data production: compliant, exit 0; All data of the project lies where")
    assert event["log.level"] == "info"


def test_what_must_not_be_overlooked_is_in_every_event(full_of_caveats: Report) -> None:
    tags = ["simulated", "rerouted", "selected", "incomplete", "strict", "unused"]
    assert {tuple(event["tags"]) for event in events(full_of_caveats)} == {tuple(tags)}
    assert {event["diga_verify"]["run"]["scope"] for event in events(full_of_caveats)} == {"selected"}


def test_the_page_lists_the_tags(full_of_caveats: Report) -> None:
    restored = replace(full_of_caveats, recovery=Recovery(None, (), (("sql", "a", "empty"),)))
    [tags] = {tuple(event["tags"]) for event in events(restored)}
    assert {"after_restore", "by_word"} < {*tags}
    page = (ROOT / "docs" / "audit-log.md").read_text("utf-8")
    [row] = re.findall(r"^\| `tags` .*$", page, re.MULTILINE)
    assert {*re.findall(r"`(\w+)`", row)} == {"tags", *tags}


def test_changes_against_a_baseline(compliant_report: Report, demo_report: Report) -> None:
    changes = drift(compliant_report, demo_report)
    report = replace(demo_report, drift=changes)
    found = [event for event in events(report) if event["event"]["action"] == "residency-change"]
    assert [value(event, "diga_verify.change.kind") for event in found] == [one.kind.value for one in changes.changes]
    assert [value(event, "diga_verify.change.effect") for event in found] == [
        one.effect.value for one in changes.changes
    ]
    assert {event["diga_verify"]["baseline"]["verdict"] for event in found} == {"compliant"}
    types = {(value(event, "diga_verify.change.kind"), *event["event"]["type"]) for event in found}
    assert {("appeared", "creation"), ("placement_appeared", "creation")} & types
    worse = {event["event"]["severity"] for event in found if value(event, "diga_verify.change.effect") == "worse"}
    assert 5 in worse
    assert worse <= {4, 5}
    assert {event["event"]["severity"] for event in found if value(event, "diga_verify.change.effect") != "worse"} <= {
        1
    }


def test_a_change_that_is_about_no_resource_says_of_which_type(compliant_report: Report) -> None:
    origin = CheckerOrigin("spanner", "acme", "1", ())
    changes = drift(replace(compliant_report, checkers=(*compliant_report.checkers, origin)), compliant_report)
    [_, event] = events(replace(compliant_report, drift=changes))
    assert event["message"] == "SIMULATED: spanner: coverage: checker: acme 1 -> not looked at"
    assert value(event, "diga_verify.resource.type") == "spanner"


def test_a_move_says_from_where_to_where(everything: Report) -> None:
    resources_ = everything.judgement.resources
    last = resources_[-1]
    place = replace(last.placements[0], placement=replace(last.placements[0].placement, location="EUROPE-WEST3"))
    place = replace(place, location="EUROPE-WEST3", bound=resources_[0].placements[0].bound, severity=None)
    was = replace(last, placements=(replace(place, verdict=resources_[0].verdict),), verdict=resources_[0].verdict)
    before = replace(everything, judgement=replace(everything.judgement, resources=(*resources_[:-1], was)))
    report = replace(everything, drift=drift(before, everything))
    assert report.drift is not None
    [event] = [one for one in events(report) if value(one, "diga_verify.change.kind") == Kind.MOVED]
    change = event["diga_verify"]["change"]
    assert (change["effect"], change["role"], change["field"]) == ("worse", Role.PRIMARY, "location")
    assert change["before"] == {"value": "EUROPE-WEST3", "verdict": "compliant"}
    assert change["after"] == {"value": "US", "verdict": "violation", "severity": "critical"}
    assert event["event"]["type"] == ["change"]
    assert event["cloud"]["service"]["name"] == "storage.googleapis.com"
    assert event["message"] == (
        "SIMULATED: gcs wrong-2: moved: primary EUROPE-WEST3 -> US (compliant -> violation, critical), "
        "read from location"
    )


def test_a_finding_is_known_again_in_the_next_run_and_an_event_is_not(demo_report: Report) -> None:
    call = Call("storage", "list", "p", 1, "ok", "2026-11-23T12:00:00Z", 1)
    later = replace(demo_report, calls=(*demo_report.calls, call))
    ids, findings = (set(told(demo_report, name)) for name in ("event.id", "diga_verify.finding.id"))
    assert findings == set(told(later, "diga_verify.finding.id"))
    assert ids.isdisjoint(told(later, "event.id"))
    known = {one["finding_info"]["uid"] for one in json.loads(ocsf.render(demo_report, Page()))}
    assert {f"diga-verify-{one}" for (one,) in findings if one} <= known


def test_two_events_that_are_alike_in_all_are_two(calm: dict[str, tuple[Report, str, int]]) -> None:
    report = calm["unread"][0]
    twice = replace(report, judgement=replace(report.judgement, unread=report.judgement.unread[:1] * 2))
    assert len(events(twice)) == 3


@pytest.mark.parametrize(
    "text",
    [
        "a\n::error::x",
        "##vso[x]</script><!--",
        "\x1b[2J\x7f\x9b\u202e\u2028\ud800",
        "%s {name} %(a)s",
        "a.b",
        "x" * 70_000,
    ],
)
def test_hostile_texts(everything: Report, text: str) -> None:
    judged = everything.judgement.resources[-1]
    labels = {text: text, "a": text, "a.b": "c", "message": "x", "event": "y"}
    hostile = replace(judged, resource=replace(judged.resource, name=text, full_name=f"//{text}", labels=labels))
    judgement = replace(everything.judgement, resources=(*everything.judgement.resources[:-1], hostile))
    report = replace(everything, judgement=judgement, environment=text, policy_path=text, principal=text, version=text)
    found = events(report)
    [event] = [one for one in found if value(one, "diga_verify.placement.location") == "US"]
    assert len(event["diga_verify"]["resource"]["labels"]) == len(labels)
    for line in event["message"], event["diga_verify"]["resource"]["name"], event["user"]["name"]:
        assert line.isprintable()
        assert "##" not in line
        assert "::" not in line


def test_times_that_are_none(demo_report: Report) -> None:
    [event, *_] = events(replace(demo_report, started_at="yesterday", finished_at="now\n"))
    assert event["@timestamp"] == "1970-01-01T00:00:00.000Z"
    assert "start" not in event["event"]
