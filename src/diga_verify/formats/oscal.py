"""The report as OSCAL assessment results, for the tools that governance and audit keep their controls in.

One result. Every resource is an inventory item with an observation, whatever is missing or not verified is an
observation too, and every control is an objective with a finding. OSCAL knows satisfied and not satisfied alone: what
is not proven is not satisfied, and says that it is not proven.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from urllib.parse import quote

from diga_verify.assessment import Assessed, Standing, assessed
from diga_verify.formats.ascii import ascii_pieces
from diga_verify.formats.findings import project_name
from diga_verify.formats.oscal_observations import (
    Named,
    Node,
    Observations,
    by_name,
    identifier,
    inventory_item,
    project_id,
    props,
    string,
    time,
    tool_id,
)
from diga_verify.formats.page import Page, plain
from diga_verify.formats.words import caveats, conclusion, counts, facts, not_covered, yes
from diga_verify.report import Report

VERSION = "1.2.1"
"""Of OSCAL."""
_STATUS = {
    Standing.SATISFIED: ("satisfied", "pass", "Satisfied, as far as the places go that this run read."),
    Standing.NOT_SATISFIED: ("not-satisfied", "fail", "Not satisfied: data lies, or may lie, elsewhere."),
    Standing.NOT_PROVEN: ("not-satisfied", "other", "Not proven: the report shows neither that it is kept nor broken."),
}


def render(report: Report, page: Page) -> str:
    """The report as one ASCII JSON document, `assessment-results`."""
    return "".join(pieces(report, page))


def pieces(report: Report, page: Page) -> Iterator[str]:
    """The same in pieces."""
    controls = assessed(report)
    title = f"Data residency of {report.project.id}, {report.environment}"
    document = {
        "uuid": _run_id(report, "document"),
        "metadata": {
            "title": string(title),
            "last-modified": time(report.finished_at),
            "version": time(report.finished_at),
            "oscal-version": VERSION,
        },
        "import-ap": {"href": f"#{_policy_id(report)}", "remarks": "The policy is what the run assessed by."},
        "local-definitions": {"objectives-and-methods": [_objective(one) for one in controls]},
        "results": [_result(report, controls)],
        "back-matter": {"resources": [*_resources(report, controls)]},
    }
    return ascii_pieces({"assessment-results": document})


def _run_id(report: Report, what: str) -> str:
    """An identifier that no other run has, nor the same run judged otherwise."""
    times = report.started_at, report.finished_at
    judged = report.policy_sha256, yes(report.what_if), report.version
    return identifier(what, report.project.id, report.environment, *times, *judged)


def _policy_id(report: Report) -> str:
    return identifier("policy", report.policy_sha256)


def _objective(one: Assessed) -> Node:
    control = one.control
    return {
        "control-id": control.id,
        "description": f"{control.name}, {control.title}: {control.summary}",
        "links": [{"href": f"#{identifier('source', control.url)}", "rel": "reference"}],
        "parts": [{"id": _objective_id(one), "name": "assessment-objective", "prose": control.scope}],
    }


def _objective_id(one: Assessed) -> str:
    return f"{one.control.id}_obj"


def _result(report: Report, controls: Sequence[Assessed]) -> Node:
    named = by_name(report)
    observed = Observations(report, named)
    said = [conclusion(report), f"{counts(report)}.", *_caveats(report)]
    limits = "\n".join(plain(line) for line in [*not_covered(report), *(one.text for one in report.limits)])
    reviewed = {"include-controls": [{"control-id": one.control.id} for one in controls]}
    return {
        "uuid": _run_id(report, "result"),
        "title": string(f"diga-verify {report.environment} {report.project.id}: {report.verdict}"),
        "description": "\n".join(said),
        "start": time(report.started_at),
        "end": time(report.finished_at),
        "props": props(**facts(report)),
        "local-definitions": _local_definitions(report, named),
        "reviewed-controls": {"control-selections": [reviewed]},
        **({"observations": observed.nodes()} if observed.ids else {}),
        "findings": [_finding(one, report, named, observed) for one in controls],
        **({"remarks": limits} if limits else {}),
    }


def _caveats(report: Report) -> Iterator[str]:
    return (plain(str(one)) for one in caveats(report))


def _local_definitions(report: Report, named: Named) -> Node:
    tool = _component(tool_id(report), "software", f"diga-verify {report.version}", "What made this assessment.")
    project = _component(project_id(report), "system", project_name(report), "The project that was assessed.")
    items = (inventory_item(name, twins, report) for name, twins in named.items())
    platform = {
        "uuid": identifier("platform", report.version),
        "uses-components": [{"component-uuid": tool_id(report)}],
    }
    return {
        "components": [project],
        **({"inventory-items": items} if named else {}),
        "assessment-assets": {"components": [tool], "assessment-platforms": [platform]},
    }


def _component(uuid: str, type: str, title: str, description: str) -> Node:
    status = {"state": "operational"}
    return {"uuid": uuid, "type": type, "title": string(title), "description": description, "status": status}


def _finding(one: Assessed, report: Report, named: Named, observed: Observations) -> Node:
    control = one.control
    state, reason, said = _STATUS[one.standing]
    remarks = " ".join([said, conclusion(report), *(f"{caveat}." for caveat in _caveats(report))])
    related = ({"observation-uuid": uuid} for uuid in _related(one, named, observed))
    first = [*islice(related, 1)]
    return {
        "uuid": identifier("control", report.project.id, report.environment, control.id),
        "title": f"{control.name}: {one.standing}",
        "description": f"{control.title}. {control.scope}",
        "props": props(standing=one.standing, framework=control.framework, clause=control.clause),
        "target": {
            "type": "objective-id",
            "target-id": _objective_id(one),
            "status": {"state": state, "reason": reason, "remarks": remarks},
        },
        **({"related-observations": chain(first, related)} if first else {}),
    }


def _related(one: Assessed, named: Named, observed: Observations) -> Iterator[str]:
    """The observations that a control owes its standing to: of the resources that keep it from being satisfied, and
    where it is not proven of what is no resource; where it is satisfied, all."""
    resources = frozenset(one.resources)
    for name, uuid in observed.ids.items():
        beside = one.standing is Standing.NOT_PROVEN and name not in named
        if one.standing is Standing.SATISFIED or beside or name in resources:
            yield uuid


def _resources(report: Report, controls: Sequence[Assessed]) -> Iterator[Node]:
    """What the document refers to: the policy, the evidence, the sources of the controls."""
    digest = {"algorithm": "SHA-256", "value": string(report.policy_sha256)}
    policy = {"href": quote(plain(report.policy_path)) or "regions.toml", "hashes": [digest]}
    yield {"uuid": _policy_id(report), "title": "The policy", "rlinks": [policy]}
    if report.evidence is not None:
        yield {
            "uuid": identifier("evidence", report.evidence.sha256),
            "title": "The evidence: what the APIs answered",
            "description": "The file that `--evidence` wrote, known by its digest.",
            "document-ids": [{"identifier": string(f"sha256:{report.evidence.sha256}")}],
        }
    sources: dict[str, list[str]] = {}
    for one in controls:
        sources.setdefault(one.control.url, []).append(one.control.name)
    for url, names in sources.items():
        yield {"uuid": identifier("source", url), "title": "; ".join(names), "rlinks": [{"href": url}]}
