"""Dashboard, alert rules and docs speak of the metrics and labels that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from diga_verify.sinks.metrics_list import METRICS

ROOT = Path(__file__).parents[2]
COMMON = frozenset({"environment", "project", "simulated"})
NAMES = {metric.name: {*metric.labels} | COMMON for metric in METRICS}


@pytest.fixture(scope="module")
def dashboard() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((ROOT / "deploy/grafana/diga-verify.json").read_text("utf-8"))
    return loaded


@pytest.mark.parametrize("file", ["grafana/diga-verify.json", "prometheus/rules.yml", "prometheus/rules_test.yml"])
def test_every_metric_that_is_asked_for_exists(file: str) -> None:
    said = (ROOT / "deploy" / file).read_text("utf-8").replace('\\"', '"')
    asked = re.findall(r"\b(diga_verify_\w+)(?:\{([^}]*)\})?", said)
    assert len(asked) > 10
    for name, selector in asked:
        assert name in NAMES
        labels = {*re.findall(r"(\w+)(?:=~|=|!=)", selector)} - {"instance", "job"}
        assert {label.removeprefix("exported_") for label in labels} <= NAMES[name], (name, labels)


def test_every_query_keeps_simulated_runs_apart(dashboard: dict[str, Any]) -> None:
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    for query in queries:
        selectors = re.findall(r"diga_verify_\w+(\{[^}]*\})?", query)
        assert all('simulated="$simulated"' in one for one in selectors), query
    assert dashboard["templating"]["list"][1]["current"]["value"] == "false"


def test_the_panels_that_were_asked_for(dashboard: dict[str, Any]) -> None:
    panels = dashboard["panels"]
    assert [panel["id"] for panel in panels] == [*range(1, len(panels) + 1)]
    used = {name for panel in panels for t in panel["targets"] for name in re.findall(r"diga_verify_\w+", t["expr"])}
    assert used >= {
        "diga_verify_verdict",
        "diga_verify_placements",
        "diga_verify_unread",
        "diga_verify_waiver_expiry_timestamp_seconds",
        "diga_verify_last_complete_timestamp_seconds",
        "diga_verify_last_compliant_timestamp_seconds",
        "diga_verify_run_duration_seconds",
        "diga_verify_resources",
    }
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert (
        dashboard["templating"]["list"][0] | {"name": "datasource", "type": "datasource"}
        == (dashboard["templating"]["list"][0])
    )
    for one in panels:
        for other in panels[one["id"] :]:
            a, b = one["gridPos"], other["gridPos"]
            apart = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
            assert apart or a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"], (one["title"], other["title"])


def test_the_docs_have_each_metric_with_its_labels_and_its_help() -> None:
    docs = (ROOT / "docs/metrics.md").read_text("utf-8")
    rows = re.findall(r"^\| `(diga_verify_\w+)` \| (.*) \| (.*) \|$", docs, re.MULTILINE)
    assert rows == [
        (metric.name, ", ".join(f"`{label}`" for label in metric.labels), metric.help) for metric in METRICS
    ]


def test_every_alert_has_its_section_and_leads_to_it() -> None:
    docs = (ROOT / "docs/metrics.md").read_text("utf-8")
    rules = (ROOT / "deploy/prometheus/rules.yml").read_text("utf-8")
    alerts = re.findall(r"- alert: (\w+)", rules)
    assert re.findall(r"^### (DigaVerify\w+)", docs, re.MULTILINE) == alerts
    assert re.findall(r"runbook_url: docs/metrics.md#(\w+)", rules) == [alert.lower() for alert in alerts]
    assert len(re.findall(r"severity: (?:critical|warning)$", rules, re.MULTILINE)) == len(alerts)
    tested = (ROOT / "deploy/prometheus/rules_test.yml").read_text("utf-8")
    assert set(re.findall(r"alertname: (\w+)", tested)) == set(alerts)
