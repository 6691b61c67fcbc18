"""Metrics, alert rules and dashboard before Prometheus itself: promtool, a Pushgateway, and a server that scrapes both.

The programs are looked for on the path; Debian has them in prometheus and prometheus-pushgateway. They choose their own
ports.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests

from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.cli.main import run
from diga_verify.report import Report
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world
from diga_verify.sinks.metrics import Past, Subject, ended, text
from diga_verify.sinks.metrics_file import write_metrics
from diga_verify.sinks.pushgateway import push, pushgateway

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "prometheus"
DOCS = (ROOT / "docs" / "metrics.md").read_text("utf-8")
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")
PUSHGATEWAY = shutil.which("prometheus-pushgateway") or shutil.which("pushgateway")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
needs_servers = pytest.mark.skipif(not (PROMETHEUS and PUSHGATEWAY), reason="no Prometheus with a Pushgateway here")
PROJECT = "dtx-data"
REAL, STAGING = Subject("production", PROJECT, simulated=False), Subject("staging", PROJECT, simulated=False)
WAIVER = """
[[waivers]]
resource = "//storage.googleapis.com/dtx-exports"
role     = "primary"
location = "US"
reason   = "a test"
owner    = "the tests"
expires  = {ends}
"""
PATIENCE = 60.0
"""Seconds for what takes a second or two on an idle machine."""
T = TypeVar("T")


def until(found: Callable[[], T | None]) -> T:
    """What `found` finds, asked until it does."""
    end = time.monotonic() + PATIENCE
    while (value := found()) is None:
        assert time.monotonic() < end, "nothing came"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="module")
def demo() -> Report:
    return run_against_shipped_world("demo", quiet=True)


@pytest.fixture(scope="module")
def compliant() -> Report:
    return run_against_shipped_world("compliant", quiet=True)


def promtool(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROMTOOL), *arguments], input=given, cwd=RULES, capture_output=True, text=True, timeout=60, check=False
    )


@needs_promtool
class TestPromtool:
    @pytest.mark.parametrize("which", ["demo", "compliant"])
    def test_it_has_nothing_to_say_about_the_metrics(self, which: str, request: pytest.FixtureRequest) -> None:
        report: Report = request.getfixturevalue(which)
        done = promtool("check", "metrics", given=text(report, REAL, report.exit_code, Past(1, 1)))
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def test_it_does_say_what_is_wrong(self) -> None:
        done = promtool("check", "metrics", given="# TYPE a_total gauge\na_total 1\n")
        assert done.returncode
        assert "a_total" in done.stderr

    def test_the_rules_are_valid(self) -> None:
        done = promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yml")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "11 rules found" in done.stdout

    def test_the_rules_raise_what_they_should(self) -> None:
        done = promtool("test", "rules", "rules_test.yml")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SUCCESS" in done.stdout

    def test_the_configuration_in_the_docs_is_valid(self, tmp_path: Path) -> None:
        [config] = re.findall(r"```yaml\n(rule_files.*?)```", DOCS, re.DOTALL)
        (tmp_path / "prometheus.yml").write_text(config, encoding="utf-8")
        shutil.copy(RULES / "rules.yml", tmp_path)
        done = promtool("check", "config", "--lint=all", str(tmp_path / "prometheus.yml"))
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 rule files found" in done.stdout

    def test_their_tests_notice_a_change(self, tmp_path: Path) -> None:
        rules = (RULES / "rules.yml").read_text("utf-8")
        (tmp_path / "rules.yml").write_text(rules.replace("> 86400", "> 86500000"), encoding="utf-8")
        shutil.copy(RULES / "rules_test.yml", tmp_path)
        done = promtool("test", "rules", str(tmp_path / "rules_test.yml"))
        assert done.returncode
        assert "DigaVerifyStale" in done.stdout + done.stderr


@dataclass(frozen=True)
class Servers:
    """A Prometheus that scrapes a Pushgateway, and a folder as node-exporter would read it."""

    gateway: str
    prometheus: str
    folder: Path

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The samples of an instant query, which must be valid."""
        answer = requests.get(f"{self.prometheus}/api/v1/query", params={"query": query}, timeout=PATIENCE).json()
        assert answer["status"] == "success", (query, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def value(self, query: str) -> float | None:
        """Of its only sample; None while there is none."""
        found = self.ask(query)
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else None

    def silent(self, query: str) -> bool | None:
        """True where it has no sample; None where it has."""
        return None if self.ask(query) else True

    def held(self) -> str:
        return requests.get(f"{self.gateway}/metrics", timeout=PATIENCE).text


@contextmanager
def started(log: Path, *command: str) -> Iterator[str]:
    """The address that a program listens on while it runs."""

    def listening() -> str | None:
        assert process.poll() is None, log.read_text()
        found = re.search(r'msg="Listening on" address=(\S+)', log.read_text())
        return f"http://{found[1]}" if found else None

    with log.open("w") as file:
        process = subprocess.Popen([*command, "--web.listen-address=127.0.0.1:0"], stderr=file, stdout=file)
    try:
        yield until(listening)
    finally:
        process.terminate()
        process.wait(PATIENCE)


class _Quiet(SimpleHTTPRequestHandler):
    extensions_map = {".prom": "text/plain; version=0.0.4"}  # noqa: RUF012 - as the class it is from has it

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def exporter(folder: Path) -> Iterator[str]:
    """Serves the files of a folder, for node-exporter is not needed to read one."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    folder = tmp_path_factory.mktemp("prometheus")
    with ExitStack() as stack:
        gateway = stack.enter_context(started(folder / "gateway.log", str(PUSHGATEWAY), "--persistence.file="))
        files = stack.enter_context(exporter(folder))
        job = {"honor_labels": True, "static_configs": [{"targets": [gateway.removeprefix("http://")]}]}
        node = {"metrics_path": "/staging.prom", "static_configs": [{"targets": [files]}]}
        config = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(RULES / "rules.yml")],
            "scrape_configs": [{"job_name": "pushgateway", **job}, {"job_name": "node", **node}],
        }
        (folder / "config.json").write_text(json.dumps(config))  # JSON is YAML
        options = [f"--config.file={folder / 'config.json'}", f"--storage.tsdb.path={folder / 'data'}"]
        prometheus = stack.enter_context(started(folder / "prometheus.log", str(PROMETHEUS), *options))
        yield Servers(gateway, prometheus, folder)


@needs_servers
class TestServers:
    def test_a_simulated_run_through_the_command_line(
        self, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "regions.toml").write_bytes((ROOT / "regions.toml").read_bytes())
        with Simulator(shipped_world("demo")) as simulator:
            options = ["--api-root", simulator.url, "--push-gateway", servers.gateway, "-p", f"{tmp_path}/regions.toml"]
            assert run(["production", PROJECT, *options]) == 1
        assert capsys.readouterr().err == ""
        query = 'diga_verify_verdict{simulated="true", verdict="violation"}'
        assert until(lambda: servers.value(query)) == 1
        [found] = servers.ask(query)
        assert found["metric"] == {
            "__name__": "diga_verify_verdict",
            "environment": "production",
            "job": "diga_verify",
            "project": PROJECT,
            "simulated": "true",
            "verdict": "violation",
        }
        assert servers.ask('ALERTS{project="dtx-data"}') == []

    def test_alerts_come_and_go_with_what_is_pushed(self, servers: Servers, demo: Report, compliant: Report) -> None:
        firing = 'ALERTS{alertname="%s", alertstate="firing", environment="production", project="watched"}'
        gateway, subject = pushgateway(servers.gateway, insecure=False), replace(REAL, project="watched")
        assert push(gateway, compliant, subject, 0) is None
        until(lambda: servers.value('diga_verify_verdict{project="watched", verdict="compliant"} == 1'))
        assert push(gateway, demo, subject, 1) is None
        for alert in "DigaVerifyViolation", "DigaVerifyNotVerified":
            assert until(partial(servers.value, firing % alert)) == 1
        assert servers.ask(firing % "DigaVerifyStale") == []
        assert push(gateway, compliant, subject, 0) is None
        for alert in "DigaVerifyViolation", "DigaVerifyNotVerified":
            until(partial(servers.silent, firing % alert))

    def test_the_gateway_remembers_and_forgets_what_is_over(
        self, servers: Servers, demo: Report, compliant: Report
    ) -> None:
        gateway, subject = pushgateway(servers.gateway, insecure=False), replace(REAL, project="remembered")
        for report in compliant, demo, replace(compliant, interrupted_by=15):
            later = report if report is compliant else replace(report, finished_at="2030-01-01T00:00:00Z")
            assert push(gateway, later, subject, later.exit_code) is None
        ours = [line for line in servers.held().splitlines() if 'project="remembered"' in line]
        values = dict(re.findall(r"^(diga_verify_\w+)\{[^}]*\} (\S+)$", "\n".join(ours), re.MULTILINE))
        assert float(values["diga_verify_exit_code"]) == 143
        for last in "diga_verify_last_complete_timestamp_seconds", "diga_verify_last_compliant_timestamp_seconds":
            assert float(values[last]) == ended(compliant)
        assert "diga_verify_unread" not in values  # of the run in between

    def test_the_group_of_a_project_can_be_deleted_as_the_docs_say(self, servers: Servers, compliant: Report) -> None:
        assert push(pushgateway(servers.gateway, insecure=False), compliant, REAL, 0) is None
        mine = 'project="dtx-data",simulated="false"'
        assert mine in servers.held()
        [path] = re.findall(r"curl -X DELETE https://pushgateway\.example\.org(/\S+)", DOCS)
        assert requests.delete(f"{servers.gateway}{path}", timeout=PATIENCE).status_code == 202
        assert mine not in servers.held()

    def test_a_file_is_scraped(self, servers: Servers, demo: Report) -> None:
        write_metrics(servers.folder / "staging.prom", demo, STAGING, 0)
        query = 'sum(diga_verify_placements{environment="staging", job="node", simulated="false"})'
        assert until(lambda: servers.value(query)) == demo.placements

    def test_every_query_of_the_dashboard_has_an_answer(self, servers: Servers, tmp_path: Path) -> None:
        """After a run with a waiver and a baseline, so that no panel has a reason to be empty."""
        panels = json.loads((ROOT / "deploy/grafana/diga-verify.json").read_text("utf-8"))["panels"]
        queries = [(panel["title"], target["expr"]) for panel in panels for target in panel["targets"]]
        policy, last = tmp_path / "regions.toml", tmp_path / "last.json"
        policy.write_bytes((ROOT / "regions.toml").read_bytes())
        with Simulator(shipped_world("compliant")) as simulator:
            assert run(["staging", PROJECT, "--api-root", simulator.url, "-p", f"{policy}", "-q", "-o", f"{last}"]) == 0
        ends = datetime.now(UTC).date() + timedelta(days=30)
        policy.write_text(policy.read_text("utf-8") + WAIVER.format(ends=ends), "utf-8")
        with Simulator(shipped_world("demo")) as simulator:
            options = ["--api-root", simulator.url, "-p", f"{policy}", "-q", "--baseline", f"{last}"]
            assert run(["staging", PROJECT, *options, "--push-gateway", servers.gateway]) == 0
        until(lambda: servers.ask('diga_verify_verdict{environment="staging", simulated="true"}') or None)

        def chosen(query: str) -> str:
            return query.replace("$simulated", "true").replace("$environment", "staging").replace("$project", ".*")

        assert [title for title, query in queries if not servers.ask(chosen(query))] == []
        assert servers.value(chosen(dict(queries)["Verdict"])) == 3
