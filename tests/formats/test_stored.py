"""A stored report is the report: every format makes the same of it, and what is no report is refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from datetime import date
from functools import cache
from importlib import resources as files
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from diga_verify import __version__
from diga_verify.changes import Drift
from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.drift import drift
from diga_verify.errors import ReportError
from diga_verify.evaluate import evaluate
from diga_verify.formats.page import Page
from diga_verify.formats.registry import FORMATS
from diga_verify.formats.stored import read_report
from diga_verify.formats.stored.models import StoredReport
from diga_verify.judgement import Scope
from diga_verify.locations import algebra
from diga_verify.model import (
    TYPES,
    Asset,
    Call,
    Enforcement,
    Placement,
    Project,
    Reason,
    Recovery,
    Resource,
    Role,
    Unread,
    Witness,
)
from diga_verify.policy import Policy, default_policy, parse_policy
from diga_verify.report import CheckerOrigin, Evidence, Limit, LimitKind, Report
from diga_verify.services import DataService, Services

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]
PAGES = (Page(), Page(width=200, color=True))
MORE = """
[assume.sql]
backup = "europe-west3"
[[waivers]]
resource = "//x.googleapis.com/waived"
role = "primary"
location = "EU"
reason = "first | reason"
owner = "owner 1"
expires = 2027-01-31
[[waivers]]
resource = "//x.googleapis.com/waived"
role = "backup"
location = "us"
reason = "second reason"
owner = "owner 2"
expires = 2027-02-28
"""
ODD = (
    "",
    "::error::x",
    "</script><!-- ##[x]",
    "\x1b[2J\x00\x7f",
    "\u202e\u2028",
    "\ud83d",
    "\U0001f600",
    "=1+1",
    "a/b~c",
    "w" * 200,
)


def as_json(report: Report) -> bytes:
    return FORMATS["json"](report, Page()).encode("ascii")


def in_order(report: Report) -> Report:
    """The report with its assets as JSON has them: in order."""
    assets = tuple(sorted(report.witness.assets, key=lambda one: (one.type, one.full_name)))
    return replace(report, witness=replace(report.witness, assets=assets))


def assert_the_same(report: Report) -> None:
    text = as_json(report)
    stored = read_report(text, "report.json")
    assert as_json(stored) == text
    for name, render in FORMATS.items():
        for page in PAGES:
            assert render(stored, page) == render(report, page), name
    assert stored == in_order(report)


def assert_valid(document: JsonObject) -> None:
    schema = json.loads(files.files("diga_verify.formats").joinpath("report.schema.json").read_text("utf-8"))
    jsonschema.validate(document, schema, format_checker=jsonschema.FormatChecker())


# --- reports of runs against worlds


@cache
def demo() -> Report:
    return run_against_shipped_world("demo", quiet=True)


Gate = Callable[..., Report]
Made = Callable[[Gate, Callable[..., Policy], JsonObject], Report]
BACKUP_SOMEWHERE = {"name": "quiet", "region": "europe-west3", "settings": {"backupConfiguration": {"enabled": True}}}


def _deep(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    return gate(world, deep=True)


def _strict(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    world["gcs"]["buckets"].append({"name": "wrong", "location": "US", "labels": {"z": "1", "a": "2"}})
    return gate(world, environment="staging", strict=True)


def _selected_types(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    return gate(world, scope=Scope(("gcs", "kms"), whole=False))


def _selected_resources(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    wanted = frozenset({("gke", "dta-clutser"), ("sql", "dta-postgres")})
    return gate(world, scope=Scope(("gke", "sql"), wanted, whole=False))


def _missing(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    more = '[[expected]]\ntype = "gke"\nname = "dta-clutser"\nlocation = "europe-west3"\n'
    return gate(world, rules=policy(more=more))


def _unused(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    required = '[environments.production]\nenforcement = "required"'
    return gate(world, rules=policy((required, f'{required}\nunused = ["gcs", "kms"]')))


def _assumed(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    world["sql"]["instances"].append(BACKUP_SOMEWHERE)
    return gate(world, rules=policy(more='[assume.sql]\nbackup = "europe-west3"'))


def _not_assumed(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    world["sql"]["instances"].append(BACKUP_SOMEWHERE)
    return gate(world)


def _waived(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    world["gcs"]["buckets"] += [{"name": "old-1", "location": "EU"}, {"name": "old-2", "location": "US"}]
    waivers = "".join(
        f'[[waivers]]\nresource = "//storage.googleapis.com/old-{number}"\nrole = "primary"\nlocation = "{location}"\n'
        f'reason = "reason {number}"\nowner = "owner {number}"\nexpires = 2027-01-0{number}\n'
        for number, location in ((1, "EU"), (2, "us"))
    )
    return gate(world, rules=policy(more=waivers))


def _with_evidence(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    report = gate(world, keep_evidence=True)
    assert report.evidence is not None
    assert any(place.placement.source for judged in report.judgement.resources for place in judged.placements)
    return report


def _faults(gate: Gate, policy: Callable[..., Policy], world: JsonObject) -> Report:
    world["faults"] = [
        {"service": "cloudkms.googleapis.com", "answer": "permission_denied"},
        {"service": "storage.googleapis.com", "answer": "surrogate"},
        {"service": "cloudasset.googleapis.com", "answer": "permission_denied"},
    ]
    return gate(world)


@pytest.mark.parametrize(
    "made",
    [
        _deep,
        _strict,
        _selected_types,
        _selected_resources,
        _missing,
        _unused,
        _assumed,
        _not_assumed,
        _waived,
        _with_evidence,
        _faults,
    ],
)
def test_the_report_of_a_run_is_the_same_after_it_was_stored(
    made: Made, gate: Gate, policy: Callable[..., Policy], world: Callable[[], JsonObject]
) -> None:
    report = made(gate, policy, world())
    assert_the_same(report)
    assert_valid(json.loads(as_json(report)))


@pytest.mark.parametrize("name", ["demo", "compliant"])
def test_the_shipped_worlds_are_the_same_after_they_were_stored(name: str) -> None:
    report = run_against_shipped_world(name, quiet=True)
    assert_the_same(report)
    assert_the_same(replace(report, interrupted_by=15))
    assert_valid(json.loads(as_json(replace(report, interrupted_by=15))))


def test_a_report_with_a_baseline_is_the_same_after_it_was_stored() -> None:
    report = demo()
    kept = replace(report.judgement, resources=report.judgement.resources[2:], unread=())
    changes: Drift = drift(replace(report, judgement=kept), report)
    assert changes.changes
    assert_the_same(replace(report, drift=changes))


# --- reports of anything

TEXTS = st.one_of(st.sampled_from(ODD), st.text(max_size=12))
LOCATIONS = st.sampled_from(
    [
        *(None, "", "europe-west3", "EUROPE-WEST3-a", "europe-west1", "us-central1", "EU", "us", "US", "EUR4", "EUR8"),
        *("global", "projects/p/locations/europe-west3/x", "europe-west99", "\ud83d"),
    ]
)
REASONS = st.sampled_from([None, None, Reason.DEFAULT_LOCATION, Reason.EXTERNAL_KEY, Reason.MALFORMED_ANSWER])
PLACEMENTS = st.builds(
    Placement,
    role=st.sampled_from(Role),
    location=LOCATIONS,
    field=TEXTS,
    members=st.sampled_from([(), (), ("europe-west3",), ("EUROPE-WEST3", "europe-west4"), ("nowhere",)]),
    reason=REASONS,
    about=TEXTS,
    source=st.sampled_from(["/answers/0", "/answers/1/a~1b"]),
)
RESOURCES = st.builds(
    Resource,
    type=st.sampled_from(TYPES),
    name=TEXTS,
    full_name=st.one_of(st.just("//x.googleapis.com/waived"), TEXTS),
    kind=TEXTS,
    placements=st.lists(PLACEMENTS, max_size=4).map(tuple),
    labels=st.dictionaries(TEXTS, TEXTS, max_size=3),
    owner=TEXTS,
    live=st.booleans(),
)
UNREAD = st.builds(
    Unread,
    type=st.sampled_from([*TYPES, "project", "inventory"]),
    scope=TEXTS,
    reason=st.sampled_from(Reason),
    detail=TEXTS,
    resource=st.one_of(st.none(), st.just("//x.googleapis.com/waived"), TEXTS),
    off_in_project=st.booleans(),
)
TIMES = st.sampled_from(["2026-11-23T10:00:00.000Z", "2026-11-23T10:00:01.500Z", "2026-11-24T00:00:00Z"])
CALLS = st.builds(
    Call, TEXTS, TEXTS, TEXTS, st.integers(0, 9), st.sampled_from(["ok", "timeout"]), TIMES, st.integers(0, 10**6)
)
WITNESSES = st.builds(
    Witness,
    heard=st.lists(TEXTS, max_size=2).map(tuple),
    silent=st.lists(st.tuples(TEXTS, st.sampled_from(Reason)), max_size=2).map(tuple),
    assets=st.lists(st.builds(Asset, st.sampled_from(TYPES), TEXTS), max_size=3).map(tuple),
)
NAMES = st.lists(TEXTS, max_size=2).map(tuple)
SERVICES = st.one_of(
    st.builds(Services, reason=st.sampled_from([None, *Reason])),
    st.builds(
        Services,
        names=NAMES,
        not_read=st.lists(st.builds(DataService, TEXTS, TEXTS, TEXTS), max_size=2).map(tuple),
    ),
)


THREE = st.lists(st.tuples(TEXTS, TEXTS, TEXTS), max_size=3).map(tuple)
RECOVERIES = st.one_of(
    st.none(), st.builds(Recovery, st.one_of(st.none(), TIMES), THREE, THREE, st.sampled_from([None, 1.0, 25.5]))
)


@cache
def rules_of(environment: str, unused: bool) -> Any:
    text = default_policy().decode()
    if unused:
        head = f"[environments.{environment}]\n"
        assert head in text
        text = text.replace(head, f'{head}unused = ["gcs", "kms"]\n')
    policy = parse_policy(f"{text}\n{MORE}".encode(), path="regions.toml", today=date(2026, 11, 23))
    return policy.environment(environment)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Whatever a run could come to, with any words of others in it."""
    rules = rules_of(draw(st.sampled_from(["production", "staging", "development"])), draw(st.booleans()))
    strict = draw(st.booleans())
    wanted = draw(st.sampled_from([None, frozenset({("gcs", "x"), ("sql", "y")})]))
    scope = Scope(TYPES) if wanted is None else Scope(("sql", "gcs"), wanted, whole=False)
    judgement = evaluate(
        draw(st.lists(RESOURCES, max_size=4)),
        draw(st.lists(UNREAD, max_size=3)),
        rules,
        scope,
        Enforcement.REQUIRED if strict else rules.enforcement,
    )
    api_root = draw(st.one_of(st.none(), TEXTS))
    values: JsonObject = {
        "environment": rules.name,
        "enforcement": rules.enforcement,
        "strict": strict,
        "deep": draw(st.booleans()),
        "project": draw(st.builds(Project, TEXTS, st.one_of(st.none(), TEXTS), st.one_of(st.none(), TEXTS))),
        "policy_path": draw(TEXTS),
        "policy_sha256": "0a" * 32,
        "principal": draw(st.one_of(st.none(), TEXTS)),
        "started_at": draw(TIMES),
        "finished_at": draw(TIMES),
        "simulated": api_root is not None,
        "api_root": api_root,
        "network_variables": draw(NAMES),
        "whole": scope.whole,
        "selection": tuple(f"{type}/{name}" for type, name in sorted(scope.wanted)) or scope.types,
        "judgement": judgement,
        "witness": draw(WITNESSES),
        "calls": tuple(draw(st.lists(CALLS, max_size=3))),
        "checkers": tuple(CheckerOrigin(type, draw(TEXTS), draw(TEXTS), draw(NAMES)) for type in scope.types),
        "limits": tuple(draw(st.lists(st.builds(Limit, TEXTS, TEXTS, st.sampled_from(LimitKind)), max_size=3))),
        "table_date": algebra.table_date(),
        "adequacy_review_date": algebra.adequacy_review_date(),
        "interrupted_by": draw(st.sampled_from([None, None, 2, 15])),
        "services": draw(SERVICES),
        "evidence": Evidence("0b" * 32),
        "what_if": draw(st.booleans()),
        "recovery": draw(RECOVERIES),
    }
    # A new attribute of a report needs a place in the document, in the models, and here.
    assert {one.name for one in fields(Report)} - values.keys() == {"drift", "version"}
    return Report(**values)


@settings(max_examples=30)
@given(reports())
def test_every_report_is_the_same_in_every_format_after_it_was_stored(report: Report) -> None:
    assert_the_same(report)


@settings(max_examples=30)
@given(reports())
def test_every_report_fits_the_schema(report: Report) -> None:
    assert_valid(json.loads(as_json(report)))


@settings(max_examples=30)
@given(reports())
def test_pointers_into_the_evidence_and_its_digest_survive(report: Report) -> None:
    stored = read_report(as_json(report), "r.json")
    assert stored.evidence == Evidence("0b" * 32)
    assert [place.placement.source for judged in stored.judgement.resources for place in judged.placements] == [
        place.placement.source for judged in report.judgement.resources for place in judged.placements
    ]


# --- what is refused


def changed(at: Path, value: Any, base: Callable[[], Report] = demo) -> bytes:
    document = json.loads(as_json(base()))
    inside: Any = document
    for part in at[:-1]:
        inside = inside[part]
    inside[at[-1]] = value
    return json.dumps(document).encode()


def refusal(data: bytes) -> str:
    with pytest.raises(ReportError) as caught:
        read_report(data, "r.json")
    assert caught.value.path == "r.json"
    message = str(caught.value)
    assert message.startswith("r.json: ")
    assert "; " in message
    return message


def first(verdict: str) -> tuple[int, int]:
    """The first resource of the demo with a placement of that verdict, and the placement."""
    document = json.loads(as_json(demo()))
    return next(
        (number, place)
        for number, one in enumerate(document["resources"])
        for place, judged in enumerate(one["placements"])
        if judged["verdict"] == verdict
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "nothing is in it"),
        (b" \n", "nothing is in it"),
        (b"\xff{}", "byte 0 is not UTF-8"),
        (b"VIOLATION  high", "not valid JSON: Expecting value, line 1, column 1"),
        (b'{"schema_version":\n "1"', "line 2, column 5"),
        (b"[" * 100_000, "brackets within brackets"),
        (b'{"a":' * 100_000, "brackets within brackets"),
        (b'{"a": 1, "b": 2, "a": 3}', "the key 'a' is in one object twice"),
        (b'{"a": NaN}', "NaN is no JSON"),
        (b'{"a": -Infinity}', "-Infinity is no JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not a report: "),
        (b"[]", "an array of 0 where a JSON object was expected"),
        (b"null", "'None' where a JSON object was expected"),
        (b'{"answers": 1}', "a JSON object without `schema_version`"),
        (b'{"schema_version": "2"}', f"schema_version is '2', and diga-verify {__version__} reads '1'"),
        (b'{"schema_version": 1}', f"schema_version is '1', and diga-verify {__version__} reads '1'"),
        (b'{"schema_version": {"x": []}}', "schema_version is '{\"x\": []}'"),
        (b'{"schema_version": "1", "answers": {}}', "evidence, and no report; `diga-verify replay EVIDENCE"),
        (b'{"schema_version": "1"}', "the report lacks the key 'tool' (and "),
    ],
)
def test_what_is_no_report_is_refused(data: bytes, said: str) -> None:
    assert said in refusal(data)


def test_a_file_of_any_size_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = as_json(demo())
    monkeypatch.setattr("diga_verify.formats.stored.parse.MAX_BYTES", len(data))
    assert read_report(data, "r.json") == in_order(demo())
    assert "larger than " in refusal(data + b" ")


def test_a_byte_order_mark_does_no_harm() -> None:
    assert read_report(b"\xef\xbb\xbf" + as_json(demo()), "r.json") == in_order(demo())


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (("verdict",), "compliant", "/verdict is 'compliant', and 'violation' follows"),
        (("exit_code",), 0, "/exit_code is 0, and 1 follows"),
        (("complete",), True, "/complete is true, and false follows"),
        (("summary", "violations"), 0, "/summary/violations is 0, and "),
        (("controls", 0, "standing"), "satisfied", "/controls/0/standing is 'satisfied', and "),
        (("controls",), [], "/controls is an array of 0, and "),
        (("second_witness", "assets"), 1, "/second_witness/assets is 1, and "),
        (("second_witness", "name"), "nobody", "/second_witness/name is 'nobody', and "),
        (("waivers",), [{**dict.fromkeys(("resource", "location", "reason", "owner"), "x"), "role": "key",
                         "expires": "2027-01-31", "line": 3}], "/waivers is an array of 1, and an array of 0 follows"),
        (("declared_unused",), ["gcs"], "/declared_unused is false, and true follows"),
        (("interrupted_by",), 2, "/exit_code is 1, and 130 follows"),
        (("interrupted_by",), 0, "/interrupted_by is 0, and should be greater"),
        (("selection",), ["gcs/x"], "/selection is an array of 1, and an array of 0 follows"),
        (("simulated",), False, "/simulated is false, and true follows"),
        (("api_root",), None, "/simulated is true, and false follows"),
        (("checkers",), [], "/scope is 'project', and 'selected' follows"),
        (("resources", 0, "type"), "vault", "/resources/0/type is 'vault', and 'bigquery or"),
        (("selection",), None, "/selection is null, and should be a valid array"),
        (("scope",), "whole", "/scope is 'whole', and should be 'project' or 'selected'"),
        (("strict",), "false", "/strict is 'false', and should be a valid boolean"),
        (("exit_code",), 1.0, "/exit_code is 1.0, and should be a valid integer"),
        (("exit_code",), True, "/exit_code is true, and should be a valid integer"),
        (("started_at",), "yesterday", "/started_at is 'yesterday', and "),
        (("started_at",), "2026-13-01T00:00:00Z", "/started_at is '2026-13-01T00:00:00Z', and month must be"),
        (("tables", "locations"), "2026-02-30", "/tables/locations is '2026-02-30', and "),
        (("policy", "sha256"), "ABC", "/policy/sha256 is 'ABC', and "),
        (("tool", "name"), "other", "/tool/name is 'other', and "),
        (("resources",), {}, "/resources is an object, and "),
        (("resources", 0, "type"), None, "/resources/0/type is null, and should be a valid string"),
        (("resources", 0, "placements", 0, "role"), "lead", "/resources/0/placements/0/role is 'lead', and "),
        (("calls", 0, "pages"), -1, "/calls/0/pages is -1, and "),
        (("what-if",), False, "the report has the key 'what-if', which no such report has"),
        (("resources", 0, "a/b~\ud83d"), 1, "/resources/0 is 'a/b~\\ud83d', and should be a valid string"),
        (("resources", 0, "enforced"), False, "/resources/0/enforced is false, and true follows"),
    ],
)  # fmt: skip
def test_a_report_that_contradicts_itself_or_has_another_shape_is_refused(at: Path, value: Any, said: str) -> None:
    assert said in refusal(changed(at, value))


@pytest.mark.parametrize(
    ("verdict", "key", "value", "said"),
    [
        ("violation", "verdict", "compliant", "/verdict is 'compliant', and 'violation' follows"),
        ("violation", "verdict", "waived", "/verdict is 'waived', and 'violation' follows"),
        ("violation", "verdict", "unverified", "/verdict is 'unverified', and 'violation' follows"),
        ("violation", "severity", None, "/severity is null, and '"),
        ("violation", "location", "europe-west3", "/stands_for is "),
        ("violation", "regions", ["europe-west3"], "/stands_for is "),
        ("violation", "stands_for", None, "/stands_for is null, and "),
        ("violation", "lawful", None, "/stands_for is null, and "),
        ("violation", "anywhere", None, "/stands_for is null, and "),
        ("violation", "allowed", ["jurisdiction:EU", "us"], "/verdict is 'violation', and 'compliant' follows"),
        ("violation", "waiver_line", 3, "/waiver_line is 3, and null follows"),
        ("violation", "reason", "timeout", "/reason is 'timeout', and null follows"),
        ("violation", "next", "nothing to do", "/next is 'nothing to do', and "),
        ("violation", "assumed", True, "/assumed is true, and false follows"),
        ("violation", "evidence", "/answers/0", "/evidence is '/answers/0', and null follows"),
        ("violation", "read", {"location": "x", "members": [], "reason": None}, "/location is "),
        ("compliant", "verdict", "violation", "/verdict is 'violation', and 'compliant' follows"),
        ("compliant", "severity", "high", "/severity is 'high', and null follows"),
        ("compliant", "countries", [], "a bound has countries, or is anywhere"),
        ("compliant", "countries", ["Germany"], "/countries/0 is 'Germany', and "),
        ("compliant", "regions", ["europe-west4"], "/stands_for is "),
    ],
)  # fmt: skip
def test_a_placement_that_contradicts_itself_is_refused(verdict: str, key: str, value: Any, said: str) -> None:
    resource, place = first(verdict)
    assert said in refusal(changed(("resources", resource, "placements", place, key), value))


def test_a_violation_taken_back_everywhere_but_in_its_location_is_refused() -> None:
    document = json.loads(as_json(demo()))
    for one in document["resources"]:
        one |= {"verdict": "compliant", "severity": None}
        for place in one["placements"]:
            place |= {"verdict": "compliant", "severity": None, "next": None}
    document |= {"verdict": "compliant", "exit_code": 0, "unread": [], "complete": True}
    document["summary"] |= {"compliant": len(document["resources"]), "violations": 0, "unread": 0}
    assert "/verdict is 'compliant', and 'violation' follows" in refusal(json.dumps(document).encode())


def leaves(value: Any, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield at, value
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inside:
        yield from leaves(one, (*at, key))


@cache
def demo_leaves() -> list[tuple[Path, Any]]:
    return [one for one in leaves(json.loads(as_json(demo()))) if one[0]]


@given(st.data())
def test_no_value_of_the_document_is_overlooked(data: st.DataObject) -> None:
    """Whatever is changed is refused, or stays changed."""
    at, value = data.draw(st.sampled_from(demo_leaves()))
    others = {str: "x", bool: not value, int: 3, type(None): "x", list: [], dict: {}}
    text = changed(at, others[type(value)])
    try:
        stored = read_report(text, "r.json")
    except ReportError:
        return
    assert json.loads(as_json(stored)) == json.loads(text)


@given(st.data())
def test_no_key_can_be_left_out(data: st.DataObject) -> None:
    at, _ = data.draw(st.sampled_from([one for one in demo_leaves() if isinstance(one[0][-1], str)]))
    document = json.loads(as_json(demo()))
    inside: Any = document
    for part in at[:-1]:
        inside = inside[part]
    if "labels" in at[:-1]:
        return
    del inside[at[-1]]
    said = refusal(json.dumps(document).encode())
    assert f" lacks the key {at[-1]!r}" in said or "without `schema_version`" in said


# --- other versions


def test_a_report_of_another_version_keeps_its_version_and_may_have_had_other_words() -> None:
    document = json.loads(as_json(demo()))
    document["tool"]["version"] = "9.9.9"
    document["controls"] = []
    wrong = [place for one in document["resources"] for place in one["placements"] if place["next"]]
    wrong[-1]["next"] = "another step"
    stored = read_report(json.dumps(document).encode(), "r.json")
    assert stored.version == "9.9.9"
    assert "diga-verify 9.9.9 " in FORMATS["table"](stored, Page())
    assert stored == in_order(replace(demo(), version="9.9.9"))
    wrong[-1]["next"] = None
    assert "/next is null, and " in refusal(json.dumps(document).encode())


def test_a_key_of_a_newer_version_says_which_version_to_use() -> None:
    document = json.loads(as_json(demo())) | {"new": 1}
    document["tool"]["version"] = "9.9.9"
    said = refusal(json.dumps(document).encode())
    assert "has the key 'new'" in said
    assert f"written by diga-verify '9.9.9', and this is {__version__}" in said


def test_a_report_judged_by_another_table_keeps_what_that_table_said() -> None:
    document = json.loads(as_json(demo()))
    document["tool"]["version"] = "9.9.9"
    document["tables"]["locations"] = "2020-01-01"
    places = [place for one in document["resources"] for place in one["placements"]]
    place = next(one for one in places if one["severity"] == "critical")
    place |= {"regions": ["atlantis-1"], "countries": ["XA"], "stands_for": "atlantis-1 (Atlantis)", "anywhere": False}
    place |= {"lawful": True, "severity": "high", "allowed": ["europe-west3", "mu-1", "jurisdiction:MU"]}
    resource = next(one for one in document["resources"] if place in one["placements"])
    resource["severity"] = (
        "critical" if any(one["severity"] == "critical" for one in resource["placements"]) else "high"
    )
    text = json.dumps(document).encode()
    stored = read_report(text, "r.json")
    again = json.loads(as_json(stored))
    assert again["resources"] == document["resources"]
    for render in FORMATS.values():
        assert render(stored, Page())
    place["severity"] = "critical"
    assert "/severity is 'critical', and 'high' follows" in refusal(json.dumps(document).encode())


# --- the schema


def keys(schema: JsonObject, definitions: JsonObject, at: str = "") -> Iterator[str]:
    """The paths of all keys that a JSON Schema has, each object's required ones marked."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    for one in schema.get("anyOf", ()):
        yield from keys(one, definitions, at)
    if isinstance(schema.get("items"), dict):
        yield from keys(schema["items"], definitions, f"{at}[]")
    for name, one in schema.get("properties", {}).items():
        yield f"{at}/{name}{'' if name in schema['required'] else '?'}"
        yield from keys(one, definitions, f"{at}/{name}")


def test_the_schema_has_the_keys_of_the_models() -> None:
    schema = json.loads(files.files("diga_verify.formats").joinpath("report.schema.json").read_text("utf-8"))
    models = TypeAdapter(StoredReport).json_schema()
    ours, theirs = ({*keys(one, one.get("$defs", {}))} for one in (schema, models))
    assert ours == theirs
    assert not any(key.endswith("?") for key in ours)
