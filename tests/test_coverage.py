"""What a run did not cover: every sentence that is true of it, and none that is not; and nothing of it is a verdict."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from diga_verify import services
from diga_verify.checkers import registry
from diga_verify.checkers.bigquery import BigQuery
from diga_verify.checkers.interface import Checker
from diga_verify.checkers.registry import registered
from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.cli.main import run
from diga_verify.coverage import limits
from diga_verify.judgement import Scope
from diga_verify.model import TYPES, Reason, Role, Witness
from diga_verify.policy import Policy, default_policy
from diga_verify.report import Limit, LimitKind, Report
from diga_verify.services import NOT_ASKED, Services
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

HOST = "serviceusage.googleapis.com"
REPLICAS = "Cross-region replicas of datasets are not shown by the dataset API: only a run with --deep reads them."
LOGS = "Log entries are not read."
RECOVERY = "Where the logs for point-in-time recovery lie is shown by no field."
WAIVERS = "".join(
    f'[[waivers]]\nresource = "//storage.googleapis.com/{name}"\nrole = "primary"\nlocation = "US"\n'
    f'reason = "public {name}"\nowner = "owner of {name}"\nexpires = 2027-01-{day}\n'
    for name, day in (("first", 30), ("second", 31))
)
Gate = Callable[..., Report]
Tables = Callable[[], dict[str, Any]]


def texts(report: Report, kind: LimitKind) -> list[str]:
    return [limit.text for limit in report.limits if limit.kind is kind]


@pytest.fixture(scope="module")
def whole() -> Report:
    """A run over the whole compliant project."""
    return run_against_shipped_world("compliant", quiet=True)


def instance(name: str) -> dict[str, Any]:
    """A Cloud SQL instance that makes backups and does not say where they go."""
    backups = {"backupConfiguration": {"enabled": True}}
    return {"name": name, "region": "europe-west3", "gceZone": "europe-west3-a", "settings": backups}


def of(report: Report, *checkers: Checker, **changes: Any) -> Report:
    """The report with changes, and the limits that follow."""
    changed = replace(report, **changes)
    used = checkers or [registered()[one.type].checker for one in changed.checkers]
    return replace(changed, limits=limits(changed, used))


def test_the_order_is_that_of_the_kinds(gate: Gate, world: Tables, policy: Callable[..., Policy]) -> None:
    table = world()
    table["sql"] = {"instances": [instance("dta-postgres")]}
    table["gcs"]["buckets"] += [{"name": name, "location": "US"} for name in ("first", "second")]
    table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": "api_disabled"}]
    unused = ('enforcement = "required"', 'enforcement = "required"\nunused = ["kms"]')
    rules = policy(unused, more=f'{WAIVERS}[assume.sql]\nbackup = "eu"\n')
    report = gate(table, rules=rules, scope=Scope(("sql", "gcs", "kms"), whole=False))
    assert list(dict.fromkeys(limit.kind for limit in report.limits)) == [
        *(LimitKind.SELECTION, LimitKind.SERVICE, LimitKind.API, LimitKind.UNUSED, LimitKind.WAIVER),
        *(LimitKind.ASSUMPTION, LimitKind.WITNESS, LimitKind.TABLE, LimitKind.GENERAL),
    ]


def test_limits_of_a_report_do_not_depend_on_those_it_has(whole: Report) -> None:
    nonsense = (Limit("x", "nonsense", LimitKind.API),)
    assert of(replace(whole, limits=nonsense)).limits == whole.limits == of(whole).limits


class TestServices:
    def test_those_that_hold_data_and_are_not_read_are_named(self, whole: Report) -> None:
        said = texts(whole, LimitKind.SERVICE)
        named = [one.service for one in whole.services.not_read]
        assert [re.findall(r"\((\S+)\) is enabled and not read: ", one) for one in said[:-1]] == [
            [one] for one in named
        ]
        assert named[0] == "compute.googleapis.com"
        assert "secretmanager.googleapis.com" in named
        assert said[0] == (
            "Compute Engine (compute.googleapis.com) is enabled and not read: disks (also those of GKE nodes and "
            "volumes), snapshots, images, machine images."
        )

    def test_of_the_others_it_is_said_how_many_there_are(self, whole: Report) -> None:
        assert whole.services.names is not None
        read = {name.partition("/")[0] for one in registry.BUILTIN for name in one.asset_types}
        others = set(whole.services.names) - read - {one.service for one in whole.services.not_read}
        assert "iam.googleapis.com" in others
        assert texts(whole, LimitKind.SERVICE)[-1].startswith(
            f"Of {len(others)} other enabled services nothing is known"
        )

    def test_a_project_with_nothing_else_has_no_such_limit(self, whole: Report) -> None:
        only = Services(("bigquery.googleapis.com", "storage.googleapis.com"))
        assert texts(of(whole, services=only), LimitKind.SERVICE) == []

    def test_what_is_not_known_is_said_with_its_reason(self, whole: Report) -> None:
        said = "Which services the project has enabled is not known{}; those that are not read may hold data."
        denied = of(whole, services=Services(reason=Reason.PERMISSION_DENIED))
        assert texts(denied, LimitKind.SERVICE) == [said.format(" (permission_denied)")]
        assert texts(of(whole, services=NOT_ASKED), LimitKind.SERVICE) == [said.format("")]


class TestTypes:
    def test_what_the_api_of_each_type_does_not_show(self, whole: Report) -> None:
        found = [(limit.type, limit.text) for limit in whole.limits if limit.kind is LimitKind.API]
        assert found == [(checker.type, text) for checker in registry.BUILTIN for text in checker.limits]

    @pytest.mark.parametrize(("deep", "said"), [(False, True), (True, False)])
    def test_replicas_are_a_limit_of_a_run_that_is_not_deep(self, deep: bool, said: bool, whole: Report) -> None:
        assert (REPLICAS in texts(of(whole, deep=deep), LimitKind.API)) is said
        tables = "Tables may name a key of their own; keys of single tables are not read."
        assert tables in texts(of(whole, deep=deep), LimitKind.API)

    def test_a_deep_run_says_so_itself(self, gate: Gate, world: Tables) -> None:
        assert REPLICAS in texts(gate(world(), "bigquery"), LimitKind.API)
        assert REPLICAS not in texts(gate(world(), "bigquery", deep=True), LimitKind.API)

    def test_what_deep_lifts_is_one_of_the_limits(self) -> None:
        for checker in registry.BUILTIN:
            assert set(getattr(checker, "lifted_by_deep", ())) <= set(checker.limits)
        assert BigQuery.lifted_by_deep == (REPLICAS,)

    def test_a_type_that_was_not_looked_at_has_none(self, gate: Gate, world: Tables) -> None:
        assert RECOVERY in texts(gate(world(), "kms", "sql"), LimitKind.API)
        assert RECOVERY not in texts(gate(world(), "kms", "gcs"), LimitKind.API)


class TestSelection:
    def test_a_whole_run_has_none(self, whole: Report) -> None:
        assert texts(whole, LimitKind.SELECTION) == []

    def test_types(self, gate: Gate, world: Tables) -> None:
        report = gate(world(), scope=Scope(("gcs", "kms"), whole=False))
        assert texts(report, LimitKind.SELECTION) == [
            "Only this was looked at: gcs, kms. It is no result for the project.",
            "Not looked at, for they were not selected: gke, sql, redis, bigquery, firestore.",
        ]

    def test_resources(self, gate: Gate, world: Tables) -> None:
        wanted = frozenset({("gcs", "dtx-video"), ("gcs", "dtx-uploads")})
        report = gate(world(), scope=Scope(("gcs",), wanted, whole=False))
        assert texts(report, LimitKind.SELECTION)[0].startswith(
            "Only this was looked at: gcs/dtx-uploads, gcs/dtx-video. "
        )

    def test_every_type_of_which_some_resources_were_selected(self, whole: Report) -> None:
        (said,) = texts(of(whole, whole=False, selection=("gcs/a", "sql/b")), LimitKind.SELECTION)
        assert said.startswith("Only this was looked at: gcs/a, sql/b. ")


class TestPolicy:
    def test_waivers_in_force_are_named_with_owner_and_expiry(
        self, gate: Gate, world: Tables, policy: Callable[..., Policy]
    ) -> None:
        table = world()
        table["gcs"]["buckets"] += [{"name": name, "location": "US"} for name in ("first", "second")]
        rules = policy(more=WAIVERS)
        report = gate(table, rules=rules)
        lines = [waiver.line for waiver in rules.environment("production").waivers]
        assert [limit for limit in report.limits if limit.kind is LimitKind.WAIVER] == [
            Limit(
                "gcs",
                f"owner of {name} answers until 2027-01-{day} for the primary of //storage.googleapis.com/{name} "
                f"in US: public {name} (regions.toml:{line})",
                LimitKind.WAIVER,
            )
            for (name, day), line in zip((("first", 30), ("second", 31)), lines, strict=True)
        ]

    def test_a_waiver_that_covers_nothing_is_no_limit(
        self, gate: Gate, world: Tables, policy: Callable[..., Policy]
    ) -> None:
        table = world()
        table["gcs"]["buckets"].append({"name": "second", "location": "US"})
        (said,) = texts(gate(table, rules=policy(more=WAIVERS)), LimitKind.WAIVER)
        assert said.startswith("owner of second answers")

    def test_types_declared_unused(self, gate: Gate, world: Tables, policy: Callable[..., Policy]) -> None:
        unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["kms", "gcs"]'))
        report = gate(world(), "gcs", "sql", "kms", rules=unused)
        assert [(one.type, one.text) for one in report.limits if one.kind is LimitKind.UNUSED] == [
            (type, f"The policy declares {type} unused: an empty list is proof enough, and so is an API that is off.")
            for type in ("gcs", "kms")
        ]

    def test_locations_that_the_policy_vouches_for(
        self, gate: Gate, world: Tables, policy: Callable[..., Policy]
    ) -> None:
        table = world()
        table["sql"] = {"instances": [instance(name) for name in ("dta-postgres", "second")]}
        rules = policy(more='[assume.sql]\nbackup = "eu"\n')
        line = rules.environment("production").assumptions["sql", Role.BACKUP].line
        said = (
            "The API names no location for {} of sql; the policy vouches for eu "
            f"(regions.toml:{line})."
        )  # fmt: skip
        assert texts(gate(table, "sql", rules=rules), LimitKind.ASSUMPTION) == [said.format("2 backup placements")]
        table["sql"]["instances"].pop()
        assert texts(gate(table, "sql", rules=rules), LimitKind.ASSUMPTION) == [said.format("1 backup placement")]
        assert texts(gate(table, "sql"), LimitKind.ASSUMPTION) == []


class TestWitness:
    def test_one_that_was_heard_about_everything_is_no_limit(self, whole: Report) -> None:
        assert texts(whole, LimitKind.WITNESS) == []

    def test_what_it_was_not_heard_about_by_reason(self, whole: Report) -> None:
        bucket, key, ring = (
            "storage.googleapis.com/Bucket",
            "cloudkms.googleapis.com/CryptoKey",
            "cloudkms.googleapis.com/KeyRing",
        )
        heard = tuple(name for name in whole.witness.heard if name not in (bucket, key, ring))
        silent = ((bucket, Reason.PERMISSION_DENIED), (ring, Reason.NOT_FOUND))
        said = texts(of(whole, witness=Witness(heard, silent)), LimitKind.WITNESS)
        ends = ": nobody else says that the lists of these are whole."
        assert said == [
            f"Cloud Asset Inventory, the second witness, was not heard{why} about {name}{ends}"
            for why, name in ((" (permission_denied)", bucket), (" (not_found)", ring), ("", key))
        ]

    def test_none_at_all(self, gate: Gate, world: Tables) -> None:
        table = world()
        table["faults"] = [{"service": "cloudasset.googleapis.com", "answer": "api_disabled"}]
        report = gate(table, "gcs")
        (said,) = texts(report, LimitKind.WITNESS)
        assert said == (
            "Cloud Asset Inventory, the second witness, was not heard (api_disabled) about "
            "storage.googleapis.com/Bucket: nobody else says that the lists of these are whole."
        )


class TestTables:
    def test_they_are_named_with_their_dates(self, whole: Report) -> None:
        report = of(whole, table_date="2026-01-02", adequacy_review_date="2099-03-04")
        locations, law, holding = texts(report, LimitKind.TABLE)
        assert locations == "What a location stands for is taken from the table of 2026-01-02."
        assert law == (
            "Which countries DiGAV section 4(3) allows, adequacy decisions among them, is taken from the same table, "
            "which is to be checked again by 2099-03-04."
        )
        assert holding == "Which services hold data is taken from the table of 2026-11-23; it cannot name them all."

    @pytest.mark.parametrize(("day", "past"), [("2027-05-23", False), ("2027-05-24", True)])
    def test_a_review_that_is_overdue_when_the_run_begins(self, day: str, past: bool, whole: Report) -> None:
        said = texts(of(whole, started_at=f"{day}T00:00:01.000Z", adequacy_review_date="2027-05-23"), LimitKind.TABLE)
        assert ("a day that was past when this run began" in said[1]) is past

    def test_a_table_that_was_not_used_is_not_named(self, whole: Report) -> None:
        assert len(texts(of(whole, services=NOT_ASKED), LimitKind.TABLE)) == 2


class Logs:
    """A checker of log buckets, as far as limits go."""

    type = "logs"
    asset_types = ("logging.googleapis.com/LogBucket",)
    limits = ("first", "second")


class TestEveryRun:
    def test_what_no_run_shows(self, whole: Report) -> None:
        said = texts(whole, LimitKind.GENERAL)
        assert [one.split(" ")[0] for one in said] == ["Log", "A", "Other", "Copies"]
        assert said[0].startswith(LOGS)
        assert "_Default and _Required" in said[0]
        assert "`global`" in said[0]

    def test_who_reads_log_buckets_says_nothing_of_them(self, whole: Report) -> None:
        checker: Any = Logs()
        report = of(whole, checker)
        assert not [one for one in texts(report, LimitKind.GENERAL) if one.startswith(LOGS)]
        assert [limit.text for limit in report.limits if limit.kind is LimitKind.API] == ["first", "second"]

    def test_of_types_that_are_read_the_type_is_named_and_otherwise_none(self, whole: Report) -> None:
        assert {limit.type for limit in whole.limits if limit.kind is LimitKind.API} == set(TYPES)
        assert {limit.type for limit in whole.limits if limit.kind is not LimitKind.API} == {""}


class TestThePage:
    """docs/coverage.md, and what other pages say of limits."""

    ROOT = Path(__file__).parents[1]

    def test_its_table_is_made_of_the_services_that_the_program_knows(self) -> None:
        made = subprocess.run([sys.executable, self.ROOT / "tools" / "services.py", "--check"], check=False)
        assert made.returncode == 0, "run tools/services.py"
        page = (self.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
        assert re.findall(r"^\| .* \| `(\S+)` \| .* \|$", page, re.MULTILINE) == [*services.table().services]

    def test_it_explains_every_kind(self) -> None:
        page = (self.ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
        assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == {kind.value for kind in LimitKind}

    def test_the_permission_is_named_where_permissions_are(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert services.PERMISSION in (self.ROOT / "docs" / "permissions.md").read_text(encoding="utf-8")
        assert run(["types"]) == 0
        assert f"with {services.PERMISSION}, a report names" in capsys.readouterr().out
        assert run(["types", "--permissions"]) == 0
        assert services.PERMISSION not in capsys.readouterr().out


class TestOnTheCommandLine:
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "80")
        (tmp_path / "regions.toml").write_bytes(default_policy())

    def verified(self, table: dict[str, Any], *options: str) -> tuple[int, dict[str, Any]]:
        with Simulator(World.from_dict(table)) as simulator:
            code = run(["production", "dtx-data", "--api-root", simulator.url, "-o", "r.json", *options])
        report: dict[str, Any] = json.loads(Path("r.json").read_text())
        return code, report

    def test_the_services_are_in_the_json_report(self, world: Tables) -> None:
        table = world() | {"serviceusage": {"services": ["storage.googleapis.com", "run.googleapis.com", HOST]}}
        code, report = self.verified(table, "-t", "gcs")
        assert code == 0
        assert report["services"] == {
            "enabled": ["run.googleapis.com", HOST, "storage.googleapis.com"],
            "reason": None,
            "not_read": [
                {
                    "service": "run.googleapis.com",
                    "product": "Cloud Run",
                    "holds": "services, jobs and their settings, environment variables among them",
                }
            ],
        }
        assert {one["kind"] for one in report["limits"]} == {"selection", "service", "api", "table", "general"}

    @pytest.mark.parametrize(
        ("services", "said"),
        [
            (["run"], "1 enabled service that holds data and is not read (Cloud Run)"),
            (
                ["run", "dlp"],
                "2 enabled services that hold data and are not read (Cloud Run, Sensitive Data Protection)",
            ),
            (
                ["run", "file", "spanner", "pubsub", "looker"],
                "5 enabled services that hold data and are not read (Filestore, Spanner, Pub/Sub, Cloud Run, Looker)",
            ),
            (
                ["run", "file", "spanner", "pubsub", "alloydb", "looker"],
                "6 enabled services that hold data and are not read (Filestore, AlloyDB, Spanner, Pub/Sub and 2 more)",
            ),
        ],
    )
    def test_the_table_names_some(
        self, services: list[str], said: str, world: Tables, capsys: pytest.CaptureFixture[str]
    ) -> None:
        table = world() | {"serviceusage": {"services": [f"{name}.googleapis.com" for name in services]}}
        code, report = self.verified(table, "-t", "gcs")
        shown = capsys.readouterr().out
        assert code == 0
        count = f"{len(report['limits'])} limits of this run: limits in the JSON report, docs/coverage.md"
        assert f" not covered: {said} {count} " in " ".join(shown.split())
        assert max(map(len, shown.splitlines())) <= 80

    def test_the_table_says_nothing_of_services_where_all_are_read(
        self, world: Tables, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.verified(world() | {"serviceusage": {"services": ["storage.googleapis.com"]}}, "-t", "gcs")
        shown = capsys.readouterr().out
        assert "not covered:" not in shown
        assert "not known:" not in shown
        assert " limits of this run: " in shown

    def test_markdown_has_what_is_of_this_run(self, world: Tables, capsys: pytest.CaptureFixture[str]) -> None:
        table = world() | {"serviceusage": {"services": ["run.googleapis.com", "file.googleapis.com"]}}
        _, report = self.verified(table, "-t", "gcs", "-f", "markdown")
        section = capsys.readouterr().out.partition("### Not covered\n\n")[2].partition("\n\n###")[0].splitlines()
        assert section[0] == (
            "* `not covered: 2 enabled services that hold data and are not read (Filestore, Cloud Run)`"
        )
        assert (
            section[1] == f"* `{len(report['limits'])} limits of this run: limits in the JSON report, docs/coverage.md`"
        )
        assert [line.split(":")[0] for line in section[2:]] == ["* selection", "* selection", "* service", "* service"]
        assert section[-1].startswith("* service: `Cloud Run (run.googleapis.com) is enabled and not read: ")

    def test_names_from_the_command_line_are_harmless(self, world: Tables, capsys: pytest.CaptureFixture[str]) -> None:
        name = "a`b|c\x1b[31m\u202ed\n## e <b>f</b>"
        code, report = self.verified(world(), "-r", f"gcs/{name}", "-f", "markdown")
        shown = capsys.readouterr().out
        (line,) = [line for line in shown.splitlines() if line.startswith("* selection: `Only this was looked at: ")]
        assert code == 1
        assert line.count("`") == 2
        assert line.endswith("It is no result for the project.`")
        assert not re.search(r"[\x1b\u202e]|^## e", shown, re.MULTILINE)
        assert name in next(one["text"] for one in report["limits"] if one["kind"] == "selection")
        assert Path("r.json").read_bytes().isascii()

    def test_evidence_has_what_the_limits_rest_on(self, world: Tables) -> None:
        self.verified(world(), "-t", "gcs", "--evidence", "evidence.json")
        assert run(["replay", "evidence.json", "-q", "-o", "again.json"]) == 0
        first, again = (json.loads(Path(name).read_text()) for name in ("r.json", "again.json"))
        assert first["services"]["not_read"]
        assert (again["services"], again["limits"]) == (first["services"], first["limits"])

    @pytest.mark.parametrize("answer", sorted(set(ANSWERS) - {"silence", "drip", "header_drip", "body_then_silence"}))
    def test_no_fault_of_service_usage_changes_a_verdict(
        self, answer: str, world: Tables, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("diga_verify.gateway.gateway.PAGE_LIMIT", 60)
        monkeypatch.setattr("diga_verify.gateway.patience.Patience.wait", lambda *_: False)
        more: dict[str, Any] = {"http_status": {"status": 418}, "forbidden_reason": {"reason": "CONSUMER_SUSPENDED"}}
        table = world() | {"faults": [{"service": HOST, "answer": answer, **more.get(answer, {})}]}
        code, report = self.verified(table, "-t", "gcs")
        shown = capsys.readouterr().out
        assert (code, report["exit_code"], report["verdict"], report["complete"]) == (0, 0, "compliant", True)
        assert report["unread"] == []
        reason, (call,) = report["services"]["reason"], [one for one in report["calls"] if one["service"] == HOST]
        if report["services"]["enabled"] is None:
            assert f"not known: which services the project has enabled ({reason})" in shown
            assert reason in {call["status"], "foreign_resource", "partial_answer", "nothing_found", "malformed_answer"}
        else:
            assert (reason, call["status"]) == (None, "ok")
        assert "\x1b" not in shown

    def test_a_service_usage_that_hangs_does_not_hold_the_verdict_up(
        self, world: Tables, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("diga_verify.reading._COURTESY", 0.3)
        code, report = self.verified(world() | {"faults": [{"service": HOST, "answer": "silence"}]}, "-t", "gcs")
        assert (code, report["verdict"], report["complete"], report["unread"]) == (0, "compliant", True, [])
        assert report["services"]["enabled"] is None
        assert "not known: which services the project has enabled" in capsys.readouterr().out

    def test_a_violation_stays_one(self, world: Tables) -> None:
        table = world() | {"faults": [{"service": HOST, "answer": "permission_denied"}]}
        table["gcs"]["buckets"].append({"name": "last", "location": "US"})
        code, report = self.verified(table, "-t", "gcs")
        assert (code, report["verdict"], report["services"]["reason"]) == (1, "violation", "permission_denied")
