"""Metrics: what a run says to Prometheus, in which files, and what it never says."""

from __future__ import annotations

import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from diga_verify.changes import Change, Drift, Effect, Kind, Side
from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.cli.main import run
from diga_verify.cli.metrics import Order, deliver_metrics
from diga_verify.errors import OutputError, UsageError
from diga_verify.judgement import Missing
from diga_verify.locations.table import table
from diga_verify.model import TYPES, Call, Reason, Role, Unread, Verdict
from diga_verify.notify.result import NotifyResult, Outcome
from diga_verify.policy import Policy
from diga_verify.policy.rules import Waiver
from diga_verify.report import Report
from diga_verify.services import NOT_ASKED
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world
from diga_verify.sinks.metrics import Past, Subject, ended, text
from diga_verify.sinks.metrics_file import write_metrics
from diga_verify.sinks.metrics_past import past, somebody_elses
from diga_verify.sinks.pushgateway import Pushgateway, push, pushgateway

PROJECT = "dtx-data"
REAL = Subject("production", PROJECT, simulated=False)
TOY = replace(REAL, simulated=True)
HOSTILE = ("\x1b[2J\x07", 'a"} 1\nevil{x="', "\u202etxt\u2066", "</script>", "ü" * 300, "\\", "{{ $labels }}")
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True)
class Found:
    """Metrics, as Prometheus' own parser reads them; asked for by name and some of the labels."""

    samples: Samples

    def __call__(self, name: str, **labels: str) -> float | None:
        wanted = set(labels.items())
        found = [value for (one, has), value in self.samples.items() if one == f"diga_verify_{name}" and wanted <= has]
        assert len(found) <= 1, found
        return found[0] if found else None

    def each(self, name: str, *labels: str) -> dict[tuple[str, ...], float]:
        """The values that are not zero, by these labels."""
        return {
            tuple(dict(has)[label] for label in labels): value
            for (one, has), value in self.samples.items()
            if one == f"diga_verify_{name}" and value
        }


def parsed(metrics: str) -> Found:
    samples: Samples = {}
    for family in text_string_to_metric_families(metrics):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            key = sample.name, frozenset(sample.labels.items())
            assert key not in samples, key
            samples[key] = sample.value
    return Found(samples)


def of(report: Report, exit_code: int | None = None, known: Past | None = None, subject: Subject = REAL) -> Found:
    return parsed(text(report, subject, report.exit_code if exit_code is None else exit_code, known or Past()))


@pytest.fixture(scope="module")
def compliant() -> Report:
    return run_against_shipped_world("compliant", quiet=True)


@pytest.fixture(scope="module")
def demo() -> Report:
    return run_against_shipped_world("demo", quiet=True)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator.url


def interrupted(report: Report) -> Report:
    return replace(report, interrupted_by=15)


class TestTheCommandLine:
    def test_a_run_leaves_a_file_that_everybody_may_read(
        self, served: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = os.umask(0o077)
        try:
            code = run(["production", PROJECT, "--api-root", served, "--metrics-file", "a.prom", "-o", "r.json"])
        finally:
            os.umask(before)
        assert (code, capsys.readouterr().err) == (0, "")
        assert stat.S_IMODE((folder / "a.prom").stat().st_mode) == 0o644
        found, report = parsed((folder / "a.prom").read_text()), json.loads((folder / "r.json").read_text())
        assert {has for _, has in found.samples if ("simulated", "true") not in has} == set()
        assert {("environment", "production"), ("project", PROJECT)} <= frozenset.intersection(
            *(has for _, has in found.samples)
        )
        assert sum(found.each("resources", "type", "verdict").values()) == report["summary"]["resources"]
        placements = [place for resource in report["resources"] for place in resource["placements"]]
        assert sum(found.each("placements", "type", "role", "location", "verdict").values()) == len(placements)
        assert found("last_complete_timestamp_seconds") == found("run_timestamp_seconds")

    def test_the_next_run_without_credentials_keeps_what_the_file_knew(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, compliant: Report
    ) -> None:
        path = folder / "a.prom"
        write_metrics(path, compliant, REAL, 0)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "none.json"))
        monkeypatch.setenv("DIGA_VERIFY_METRICS_FILE", str(path))
        assert run(["production", PROJECT]) == 3
        found = parsed(path.read_text())
        assert (found("exit_code"), found("complete"), found("verdict", verdict="unverified")) == (3, 0, 1)
        assert found("last_complete_timestamp_seconds") == found("last_compliant_timestamp_seconds") == ended(compliant)
        assert (found("run_timestamp_seconds") or 0) > ended(compliant)

    def test_a_file_that_cannot_be_written_is_exit_4(
        self, served: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (folder / "link.prom").symlink_to("other")
        (folder / "other").write_text("untouched")
        assert run(["production", PROJECT, "--api-root", served, "--metrics-file", "link.prom"]) == 4
        assert "link.prom is not an ordinary file" in capsys.readouterr().err
        assert (folder / "other").read_text() == "untouched"

    def test_a_violation_wins_over_metrics_that_cannot_be_written(self, folder: Path) -> None:
        with Simulator(shipped_world("demo")) as simulator:
            assert run(["production", PROJECT, "--api-root", simulator.url, "--metrics-file", "no/a.prom"]) == 1

    def test_a_report_that_was_not_written_shows_in_the_exit_code(self, served: str, folder: Path) -> None:
        arguments = ["production", PROJECT, "--api-root", served, "-o", "no/r.json", "--metrics-file", "a.prom"]
        assert run(arguments) == 4
        assert parsed((folder / "a.prom").read_text())("exit_code") == 4

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            (("--metrics-file", "a.json"), "node-exporter reads only files whose names end in .prom"),
            (("--metrics-file", "a.prom", "-o", "json=./a.prom"), "a.prom: that file is named twice"),
            (("--metrics-file", "a.prom", "-p", "a.prom"), "--metrics-file a.prom is the file of the policy"),
            (("--push-gateway", "http://10.0.0.1:9091", "--metrics-file", "a.prom"), "plain http to another machine"),
            (("--deadline", "inf", "--metrics-file", "a.prom"), "is no number of seconds"),
            (("--nonsense", "--metrics-file", "a.prom", "-o", "json=a.prom"), "No such option"),
        ],
    )
    def test_a_refused_command_line_leaves_the_metrics_as_they_are(
        self, folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
    ) -> None:
        (folder / "a.prom").write_text("old")
        (folder / "a.json").write_text("old")
        assert run(["production", PROJECT, *options]) == 2
        assert said in capsys.readouterr().err
        assert (folder / "a.prom").read_text() == (folder / "a.json").read_text() == "old"

    def test_a_part_of_a_project_has_no_metrics(
        self, served: str, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        arguments = ["production", PROJECT, "--api-root", served, "--metrics-file", "a.prom", "-t", "gcs"]
        assert run(arguments) == 0
        assert "no metrics: they are about whole projects" in capsys.readouterr().err
        assert not (folder / "a.prom").exists()

    def test_a_gateway_that_is_down_changes_nothing_but_stderr(
        self, served: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("DIGA_VERIFY_PUSH_GATEWAY", "http://127.0.0.1:1")
        assert run(["production", PROJECT, "--api-root", served, "-q"]) == 0
        said = capsys.readouterr().err
        assert said == (
            "diga-verify: warning: the metrics were not pushed: "
            "the connection to the Pushgateway http://127.0.0.1:1 failed (ConnectionError)\n"
        )

    def test_file_and_gateway_are_told_what_became_of_messages_and_of_the_file(
        self, gateway: tuple[Pushgateway, type[_Answers]], compliant: Report, tmp_path: Path
    ) -> None:
        to, answers = gateway
        told = NotifyResult((Outcome("email", "office", None), Outcome("sms", "night", "no answer")))
        assert deliver_metrics(Order(PROJECT, tmp_path / "a.prom", to), compliant, 0, told) == 0
        assert deliver_metrics(Order(PROJECT, tmp_path / "no" / "a.prom", to), compliant, 3, told) == 4
        written, pushed = (tmp_path / "a.prom").read_text(), answers.seen[3][3].decode()
        for found, code in (parsed(written), 0), (parsed(pushed), 4):
            assert found.each("notify_messages", "channel", "outcome") == {("email", "sent"): 1, ("sms", "failed"): 1}
            assert found("exit_code") == code

    @pytest.mark.parametrize("code", [1, 130, 143])
    def test_no_file_turns_a_violation_or_a_signal_into_something_else(self, demo: Report, code: int) -> None:
        assert deliver_metrics(Order(PROJECT, Path("no/such/a.prom")), demo, code, NotifyResult()) == code


class TestWhatIsSaid:
    def test_of_a_run_with_everything_in_it(self, demo: Report) -> None:
        found = of(demo)
        assert found.each("verdict", "verdict") == {("violation",): 1}
        assert (found("exit_code"), found("complete"), found("enforced")) == (1, 0, 1)
        assert found("verdict", verdict="compliant") == found("verdict", verdict="unverified") == 0
        assert found.each("unread", "type", "reason") == {("redis", "partial_answer"): 3}
        assert found.each("violating_resources", "type", "severity") == {
            ("bigquery", "high"): 1,
            ("firestore", "critical"): 2,
            ("gcs", "critical"): 1,
            ("gcs", "high"): 1,
            ("gke", "high"): 1,
            ("kms", "critical"): 2,
            ("sql", "critical"): 2,
        }
        wrong = {
            key[:3]: value
            for key, value in found.each("placements", "type", "role", "location", "verdict").items()
            if key[3] == "violation"
        }
        assert wrong == {
            ("gke", "node", "europe-west1"): 2,
            ("sql", "backup", "us"): 1,
            ("sql", "replica", "us-central1"): 1,
            ("sql", "node", "us-central1"): 1,
            ("bigquery", "key", "europe-west1"): 1,
            ("firestore", "primary", "nam5"): 1,
            ("firestore", "backup", "nam5"): 1,
            ("gcs", "primary", "us"): 1,
            ("gcs", "primary", "eur8"): 1,
            ("kms", "primary", "global"): 2,
        }
        assert found("services_not_read") == len(demo.services.not_read) > 0
        assert sum(found.each("api_calls", "service", "status").values()) == len(demo.calls)
        seconds = found("run_duration_seconds")
        assert seconds is not None
        assert 0 < seconds < 600
        assert found("policy_info", enforcement="required", sha256=demo.policy_sha256[:12]) == 1
        assert found("build_info", version=demo.version, table=demo.table_date) == 1

    def test_what_is_not_there_is_a_zero_and_what_is_not_known_is_nothing(self, compliant: Report) -> None:
        found = of(replace(compliant, services=NOT_ASKED))
        for type in TYPES:
            assert found("resources", type=type, verdict="violation") == 0
            assert found("missing_resources", type=type) == 0
            assert found("violating_resources", type=type, severity="critical") == 0
        assert (found("services_known"), found("services_not_read")) == (0, None)
        assert found("baseline_compared") == 0
        assert {name for name, _ in found.samples} & {"diga_verify_drift_changes", "diga_verify_unread"} == set()

    def test_missing_resources_and_failed_calls(self, compliant: Report) -> None:
        gone = (Missing("gcs", "a", None, None), Missing("kms", "b", None, 9), Missing("kms", "c", None, 9))
        calls = (*compliant.calls, Call("kms.example", "list", "s", 0, Reason.TIMEOUT, compliant.started_at, 5))
        judgement = replace(compliant.judgement, missing=gone)
        found = of(replace(compliant, judgement=judgement, calls=calls))
        assert found.each("missing_resources", "type") == {("gcs",): 1, ("kms",): 2}
        assert found("api_calls", service="kms.example", status="timeout") == 1

    def test_waivers_end_with_their_last_day(self, compliant: Report) -> None:
        def waiver(line: int, expires: date) -> Waiver:
            return Waiver("//b", Role.PRIMARY, "EU", "contract", "owner", expires, line)

        used = (waiver(57, date(2026, 11, 30)), waiver(66, date(2026, 12, 31)), waiver(66, date(2027, 1, 31)))
        found = of(replace(compliant, judgement=replace(compliant.judgement, waivers_used=used)))
        assert found("waivers") == 3
        assert found.each("waiver_expiry_timestamp_seconds", "line", "role") == {
            ("57", "primary"): 1796083200,  # 2026-12-01T00:00Z
            ("66", "primary"): 1798761600,  # 2027-01-01T00:00Z: of two on one line the first to end
        }

    def test_changes_by_kind_and_effect(self, compliant: Report) -> None:
        side = Side("", "", Verdict.COMPLIANT, True, 0, False, False, True, (), "", None, "")
        changes = (
            Change(Kind.MOVED, Effect.WORSE, "gcs", "a"),
            Change(Kind.MOVED, Effect.WORSE, "gcs", "b"),
            Change(Kind.VANISHED, Effect.NEUTRAL, "gcs", "c"),
        )
        found = of(replace(compliant, drift=Drift("production", PROJECT, side, side, changes, 0)))
        assert found("baseline_compared") == 1
        assert found.each("drift_changes", "kind", "effect") == {("moved", "worse"): 2, ("vanished", "neutral"): 1}
        assert found("drift_changes", kind="read_again", effect="better") == 0

    def test_messages_that_were_sent_and_that_were_not(self, compliant: Report) -> None:
        messages = (("email", True), ("sms", False), ("sms", True), ("sms", False))
        found = parsed(text(compliant, REAL, 0, Past(), messages))
        assert found.each("notify_messages", "channel", "outcome") == {
            ("email", "sent"): 1,
            ("sms", "failed"): 2,
            ("sms", "sent"): 1,
        }
        assert found("notify_messages", channel="email", outcome="failed") == 0


class TestTimes:
    def test_a_complete_run_and_a_compliant_one_are_their_own_last(self, compliant: Report, demo: Report) -> None:
        known = Past(complete=5, compliant=4)
        violating = replace(demo, judgement=replace(demo.judgement, unread=()))
        for report, complete, good in (
            (compliant, ended(compliant), ended(compliant)),
            (violating, ended(violating), 4),
            (demo, 5, 4),
            (interrupted(compliant), 5, 4),
        ):
            found = of(report, known=known)
            assert found("last_complete_timestamp_seconds") == complete
            assert found("last_compliant_timestamp_seconds") == good
            assert found("run_timestamp_seconds") == ended(report)

    def test_a_file_remembers_through_failing_runs(self, compliant: Report, demo: Report, tmp_path: Path) -> None:
        path = tmp_path / "a.prom"
        write_metrics(path, compliant, REAL, 0)
        for report in interrupted(compliant), demo:
            later = replace(report, finished_at="2030-01-01T00:00:00Z")
            write_metrics(path, later, REAL, later.exit_code)
            found = parsed(path.read_text())
            assert found("exit_code") == later.exit_code
            assert found("run_timestamp_seconds") == 1893456000
            assert found("last_complete_timestamp_seconds") == ended(compliant)
            assert found("last_compliant_timestamp_seconds") == ended(compliant)

    @pytest.mark.parametrize("old", [None, b"", b"\xff\xfe\x00", b"diga_verify_last_complete_timestamp_seconds{", b"{"])
    def test_garbage_or_nothing_is_no_last_run(self, demo: Report, tmp_path: Path, old: bytes | None) -> None:
        path = tmp_path / "a.prom"
        if old is not None:
            path.write_bytes(old)
        write_metrics(path, demo, REAL, 1)
        assert parsed(path.read_text())("last_complete_timestamp_seconds") == 0

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")])
    def test_what_is_no_file_is_neither_read_nor_written(
        self, demo: Report, tmp_path: Path, make: Callable[[Path], object]
    ) -> None:
        path = tmp_path / "a.prom"
        make(path)
        with pytest.raises(OutputError, match="is not an ordinary file"):
            write_metrics(path, demo, REAL, 1)

    def test_a_link_to_the_metrics_of_others_is_not_followed(self, demo: Report, tmp_path: Path) -> None:
        write_metrics(tmp_path / "toy.prom", demo, TOY, 1)
        (tmp_path / "a.prom").symlink_to("toy.prom")
        with pytest.raises(OutputError, match="is not an ordinary file"):
            write_metrics(tmp_path / "a.prom", demo, REAL, 1)

    @pytest.mark.parametrize("value", ["1e18", "NaN", "+Inf", "-5", "pineapple", "1893456301", ""])
    def test_a_time_that_cannot_be_is_not_believed(self, compliant: Report, value: str) -> None:
        known = Past(complete=5, compliant=4)
        lines = text(interrupted(compliant), REAL, 143, known).splitlines()
        spoilt = [
            re.sub(r" \S+$", f" {value}", line) if line.startswith("diga_verify_last_complete") else line
            for line in lines
        ]
        assert past("\n".join(spoilt), REAL, now=1893456000) == Past(complete=0, compliant=4)

    def test_another_run_may_have_ended_a_little_later(self, compliant: Report) -> None:
        later = Past(complete=ended(compliant) + 299, compliant=ended(compliant) + 1)
        metrics = text(interrupted(compliant), REAL, 143, later)
        assert past(metrics, REAL, ended(compliant)) == later
        found = of(compliant, known=later)
        assert found("last_complete_timestamp_seconds") == later.complete
        assert found("last_compliant_timestamp_seconds") == later.compliant

    def test_half_a_file_is_still_read(self, compliant: Report) -> None:
        whole = text(compliant, REAL, 0, Past())
        half = whole[: whole.index("diga_verify_last_compliant_timestamp_seconds{") + 60]
        assert past(f"{{\n{half}", REAL, ended(compliant)) == Past(complete=ended(compliant))

    def test_only_what_is_about_the_same_is_taken(self, compliant: Report) -> None:
        metrics = text(compliant, REAL, 0, Past())
        others = (
            TOY,
            replace(REAL, project="dtx-dat"),
            replace(REAL, environment="staging"),
        )
        for other in others:
            assert past(metrics, other, 9e9) == Past()
            assert somebody_elses(metrics, other) == REAL.labels
        assert past(metrics, REAL, 9e9) == Past(ended(compliant), ended(compliant))
        assert somebody_elses(metrics, REAL) is None

    def test_a_file_is_never_taken_from_another_project(self, compliant: Report, tmp_path: Path) -> None:
        path = tmp_path / "a.prom"
        write_metrics(path, compliant, REAL, 0)
        before = path.read_bytes()
        with pytest.raises(OutputError) as caught:
            write_metrics(path, compliant, TOY, 0)
        assert str(caught.value) == (
            f"{path} has the metrics of environment 'production', project 'dtx-data', simulated 'false'; "
            "each needs a file of its own"
        )
        assert path.read_bytes() == before

    @given(
        st.text(), st.sampled_from(["", "diga_verify_last_complete_timestamp_seconds", "diga_verify_run_timestamp_"])
    )
    def test_no_text_breaks_the_reader(self, noise: str, name: str) -> None:
        for said in f"{name}{noise}", f"{name}{{{noise}}} 1", f"{name}{{simulated={noise}":
            past(said, REAL, 9e9)
            somebody_elses(said, REAL)


class TestNamesOfOthers:
    def test_no_name_location_or_text_of_others_becomes_a_label(
        self, gate: Callable[..., Report], policy: Callable[..., Policy]
    ) -> None:
        buckets = [
            {"name": f"{number}{name}", "location": location, "labels": {name: name}}
            for number, (name, location) in enumerate(
                (name, location)
                for name in HOSTILE
                for location in (*HOSTILE, *(f"europe-west3-ai{number}a" for number in range(9)), "us-nowhere1")
            )
        ]
        report = gate({"project": {"id": PROJECT, "number": "1"}, "gcs": {"buckets": buckets}}, rules=policy())
        written = text(report, REAL, report.exit_code, Past())
        assert written.isascii()
        found = parsed(written)
        places = found.each("placements", "location", "role", "type", "verdict")
        assert {key[0] for key in places} == {"europe-west3", "other"}
        assert sum(places.values()) == len(buckets)
        assert {len(value) <= 64 for _, has in found.samples for _, value in has} == {True}

    def test_types_that_no_checker_answers_for_are_other(self, demo: Report) -> None:
        resources = tuple(
            replace(one, resource=replace(one.resource, type=f"type{number}"))
            for number, one in enumerate(demo.judgement.resources)
        )
        unread = tuple(Unread(f"type{number}", "s", Reason.TIMEOUT, "") for number in range(99))
        known = tuple(Unread(type, "s", Reason.TIMEOUT, "") for type in ("project", "policy", "inventory"))
        judgement = replace(demo.judgement, resources=resources, unread=(*unread, *known))
        found = of(replace(demo, judgement=judgement))
        assert {type for type, _ in found.each("resources", "type", "verdict")} == {"other"}
        assert found.each("unread", "type", "reason") == {
            ("other", "timeout"): 99,
            **{(type, "timeout"): 1 for type in ("project", "policy", "inventory")},
        }

    def test_every_location_of_the_tables_is_a_label_and_no_more(self, demo: Report) -> None:
        first = demo.judgement.resources[0]
        ids = {*table().regions, *(multi.id for multi in table().multis)}
        places = tuple(
            replace(first.placements[0], location=location)
            for location in (*ids, *(f"{region}-b" for region in table().regions), "EU ", None, "mars", "mars-a")
        )
        judgement = replace(demo.judgement, resources=(replace(first, placements=places),))
        found = of(replace(demo, judgement=judgement))
        assert {key[0] for key in found.each("placements", "location", "role")} == {*ids, "other", "none"}


class _Answers(BaseHTTPRequestHandler):
    """A gateway that answers as it is told: method -> status; a status of 0 never answers."""

    told: dict[str, int]
    seen: list[tuple[str, str, dict[str, str], bytes]]
    body = b""
    go_on: threading.Event

    def _answer(self) -> None:
        data = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.seen.append((self.command, self.path, dict(self.headers.items()), data))
        status = self.told[self.command]
        if not status:
            self.go_on.wait(30)
            return
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    do_GET = do_PUT = _answer  # noqa: N815

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextmanager
def answering(host: str) -> Iterator[tuple[Pushgateway, type[_Answers]]]:
    class Answers(_Answers):
        told = {"GET": 200, "PUT": 200}  # noqa: RUF012 - a class for each test
        seen = []  # noqa: RUF012
        go_on = threading.Event()

    with ThreadingHTTPServer((host, 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Pushgateway(f"http://{host}:{server.server_port}/sub", seconds=0.5), Answers
        Answers.go_on.set()
        server.shutdown()
        thread.join()


@pytest.fixture
def gateway() -> Iterator[tuple[Pushgateway, type[_Answers]]]:
    with answering("127.0.0.1") as answers:
        yield answers


class TestPushing:
    def test_what_the_gateway_knew_is_handed_on(
        self, gateway: tuple[Pushgateway, type[_Answers]], compliant: Report, demo: Report
    ) -> None:
        to, answers = gateway
        answers.body = text(compliant, REAL, 0, Past()).encode()
        assert push(to, demo, REAL, 1) is None
        asked, pushed = answers.seen
        assert asked[:2] == ("GET", "/sub/metrics")
        assert pushed[:2] == (
            "PUT",
            "/sub/metrics/job/diga_verify/environment/production/project/dtx-data/simulated/false",
        )
        found = parsed(pushed[3].decode())
        assert (found("exit_code"), found("last_compliant_timestamp_seconds")) == (1, ended(compliant))

    @pytest.mark.parametrize(
        ("method", "status", "said"),
        [
            ("PUT", 500, "answered 500"),
            ("PUT", 307, "answered 307"),
            ("PUT", 0, "did not answer|ReadTimeout|ConnectionError"),
        ],
    )
    def test_what_is_not_pushed_is_an_error(
        self, gateway: tuple[Pushgateway, type[_Answers]], demo: Report, method: str, status: int, said: str
    ) -> None:
        to, answers = gateway
        answers.told[method] = status
        with pytest.raises(OutputError, match=said):
            push(to, demo, REAL, 1)
        assert [one[1] for one in answers.seen if one[1].startswith("/elsewhere")] == []

    def test_a_verdict_is_pushed_though_the_past_is_lost(
        self, gateway: tuple[Pushgateway, type[_Answers]], demo: Report
    ) -> None:
        to, answers = gateway
        answers.told["GET"] = 403
        trouble = push(to, demo, REAL, 1)
        assert trouble == f"what the Pushgateway knew of earlier runs is lost: the Pushgateway {to.url} answered 403"
        found = parsed(answers.seen[1][3].decode())
        assert (found("exit_code"), found("last_complete_timestamp_seconds")) == (1, 0)

    def test_an_endless_answer_is_not_read_to_its_end(
        self, gateway: tuple[Pushgateway, type[_Answers]], demo: Report, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("diga_verify.sinks.pushgateway._ANSWER_LIMIT", 9)
        to, answers = gateway
        answers.body = b"# ten bytes"
        with pytest.raises(OutputError, match="answered more than 9 bytes"):
            push(to, demo, REAL, 1)
        assert [one[0] for one in answers.seen] == ["GET", "PUT"]

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])  # the second counts as another machine
    def test_no_password_of_the_machine_is_sent(
        self, host: str, demo: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "netrc").write_text("default login a password b\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.2")
        with answering(host) as (to, answers):
            push(to, demo, REAL, 1)
        assert [one[2].get("Authorization") for one in answers.seen] == [None, None]

    def test_a_proxy_is_not_asked_for_this_machine(
        self, gateway: tuple[Pushgateway, type[_Answers]], demo: Report, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy":
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        for name in "NO_PROXY", "no_proxy":
            monkeypatch.delenv(name, raising=False)
        to, answers = gateway
        assert push(to, demo, REAL, 1) is None
        assert len(answers.seen) == 2

    @pytest.mark.parametrize(
        "url",
        [
            "https://push.example.org",
            "https://push.example.org:443/sub/",
            "http://localhost:9091",
            "http://127.0.0.1:9091/",
            "http://[::1]:9091",
        ],
    )
    def test_addresses_that_are_taken(self, url: str) -> None:
        assert pushgateway(url, insecure=False).url == url.rstrip("/")

    @pytest.mark.parametrize(
        "url",
        [
            "push.example.org:9091",
            "ftp://push.example.org",
            "https://",
            "https://user:secret@push.example.org",
            "https://push.example.org?x=1",
            "https://push.example.org/#x",
            "https://push.example.org:99999",
            "https://push.example.org:0",
            "https://push.example.org\n.evil",
            "http://127.0.0.1\\@push.example.org",
        ],
    )
    def test_addresses_that_are_none(self, url: str) -> None:
        with pytest.raises(UsageError, match="is not a URL such as"):
            pushgateway(url, insecure=True)

    def test_plain_http_to_others_must_be_allowed(self) -> None:
        url = "http://pushgateway.monitoring:9091"
        with pytest.raises(UsageError, match="or allow it with --push-gateway-insecure"):
            pushgateway(url, insecure=False)
        assert pushgateway(url, insecure=True).url == url
