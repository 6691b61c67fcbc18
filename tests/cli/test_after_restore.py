"""`--after-restore` through the front door: a world in which something was restored; exit codes, reports, replay."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli.main import run
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

World_ = dict[str, Any]
PROJECT = "dtx-data"
BACKUP = "1795399200000"
RESTORE = {
    "name": "op-2",
    "targetId": "dta-postgres",
    "operationType": "RESTORE_VOLUME",
    "insertTime": "2026-11-23T08:10:00Z",
    "endTime": "2026-11-23T08:31:00Z",
}
EVIL = "\x1b[31m\u202eevil\n::error::"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    return tmp_path


@pytest.fixture
def after(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The gate after a restore, of the databases; its exit code, and what it said."""

    def after(table: World_, *words: str, page: int = 100) -> tuple[int, str]:
        with Simulator(World.from_dict(table | {"paging": {"size": page}})) as simulator:
            types = () if "-t" in words else ("-t", "sql", "-t", "firestore", "-t", "gcs", "-t", "redis")
            root = ("--api-root", simulator.url, "--no-progress", "--deadline", "60")
            code = run(["production", PROJECT, "--after-restore", *root, *types, *words])
        shown = capsys.readouterr()
        return code, " ".join((shown.out + shown.err).split())

    return after


def database(world: World_, name: str) -> World_:
    [one] = [one for one in world["firestore"]["databases"] if one["name"] == name]
    found: World_ = one
    return found


def test_a_project_with_backups_and_nothing_restored_passes(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]]
) -> None:
    code, said = after(world(), "--backup-newer-than", "999999")
    assert code == 0
    assert "AFTER RESTORE: also looked for backups in allowed places" in said


def spoilt(world: World_, what: str) -> World_:
    if what == "no backup runs":
        world["sql"]["backupRuns"] = []
    elif what == "runs that failed":
        for one in world["sql"]["backupRuns"]:
            one["status"] = "FAILED"
    elif what == "an instance of the same name, made anew":
        world["sql"]["instances"][0]["createTime"] = "2026-11-23T09:00:00Z"
    elif what == "a database of the same name, made anew":
        database(world, "consents")["uid"] = "another"
    elif what == "a database whose backups are not ready":
        world["firestore"]["backups"][1]["state"] = "NOT_AVAILABLE"
    elif what == "a database whose backups have expired":
        world["firestore"]["backups"][1]["expireTime"] = "2026-11-22T09:00:00Z"
    return world


@pytest.mark.parametrize(
    "what",
    [
        "no backup runs",
        "runs that failed",
        "an instance of the same name, made anew",
        "a database of the same name, made anew",
        "a database whose backups are not ready",
        "a database whose backups have expired",
    ],
)
def test_without_a_backup_nothing_is_verified(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]], what: str
) -> None:
    table = spoilt(world(), what)
    table["sql"]["instances"][0]["settings"]["backupConfiguration"]["location"] = "europe-west3"
    code, said = after(table, "-t", "sql", "-t", "firestore")
    assert (code, "no_backup" in said, "there is no finished backup of it in an allowed place" in said) == (
        3,
        True,
        True,
    )


def test_a_backup_elsewhere_is_a_violation_and_no_backup(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]]
) -> None:
    table = world()
    for one in table["sql"]["backupRuns"]:
        one["location"] = "us"
    code, said = after(table, "-t", "sql")
    assert (code, "and 3 elsewhere" in said) == (1, True)


def test_a_waived_backup_elsewhere_is_not_a_backup_in_an_allowed_place(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]], folder: Path
) -> None:
    table = world()
    for one in table["sql"]["backupRuns"]:
        one["location"] = "us"
    waiver = (
        '\n[[waivers]]\nresource = "//cloudsql.googleapis.com/projects/dtx-data/instances/dta-postgres"\n'
        'role = "backup"\nlocation = "us"\nreason = "moving"\nowner = "me"\n'
        f"expires = {datetime.now(UTC).date() + timedelta(days=30)}\n"
    )
    (folder / "waived.toml").write_bytes(default_policy() + waiver.encode())
    code, said = after(table, "-t", "sql", "-p", "waived.toml")
    assert (code, "no_backup" in said) == (3, True)


def test_a_restore_needs_a_source_and_the_operator_can_name_it(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]], folder: Path
) -> None:
    table = world()
    table["sql"]["operations"] = [RESTORE | {"name": "op-1", "operationType": "BACKUP_VOLUME"}, RESTORE]
    code, said = after(table, "-t", "sql", page=1)
    assert (code, "unknown_source" in said, "--restored-from TYPE/NAME=SOURCE" in said) == (3, True, True)
    code, said = after(table, "--restored-from", f"sql/dta-postgres={BACKUP}", "-o", "report.json")
    report = json.loads((folder / "report.json").read_text())
    assert (code, report["after_restore"]["restored_from"]) == (
        0,
        [{"type": "sql", "name": "dta-postgres", "source": BACKUP}],
    )
    assert f"and no API does: sql/dta-postgres from {BACKUP}" in said
    assert any(f"restored from {BACKUP} is the word of" in limit["text"] for limit in report["limits"])
    assert after(table, "--restored-from", "sql/dta-postgres=1795000000000")[0] == 3
    assert after(table, "--restored-from", f"sql/dta-postgress={BACKUP}")[0] == 3


def test_a_database_restored_from_a_backup_elsewhere_is_a_violation(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]]
) -> None:
    table = world()
    name = f"projects/{PROJECT}/locations/nam5/backups/b"
    database(table, "consents")["sourceInfo"] = {"backup": {"backup": name}}
    code, said = after(table, "-t", "firestore")
    assert (code, "sourceInfo.backup.backup" in said, "nam5" in said) == (1, True, True)


def test_a_database_restored_from_another_project_is_not_verified(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]]
) -> None:
    table = world()
    name = f"projects/dtx-staging/locations/europe-west3/backups/{EVIL}"
    database(table, "consents")["sourceInfo"] = {"backup": {"backup": name}}
    with_evil, said = after(table, "-t", "firestore")
    assert (with_evil, "unknown_source" in said) == (3, True)
    assert not {"\x1b", "\u202e"} & {*said}


def test_a_database_restored_from_a_backup_that_is_kept_passes(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]]
) -> None:
    table = world()
    name = f"projects/{PROJECT}/locations/europe-west3/backups/7f1c0b52-consents"
    database(table, "consents").update({"uid": "new", "sourceInfo": {"backup": {"backup": name}}})
    for one in table["firestore"]["backups"]:
        one["expireTime"] = "2099-01-01T00:00:00Z"
    assert after(table, "-t", "firestore")[0] == 0


def test_without_the_flag_none_of_this_is_asked(
    world: Callable[[], World_], capsys: pytest.CaptureFixture[str]
) -> None:
    table = world() | {"paging": {}}
    table["sql"] |= {"operations": [RESTORE]}
    with Simulator(World.from_dict(table)) as simulator:
        assert run(["production", PROJECT, "--api-root", simulator.url, "-t", "sql", "--no-progress"]) == 0
        asked = [f"{one.host}/{one.path}?{one.query}" for one in simulator.requests]
    assert not [one for one in asked if "operations" in one or "createTime" in one]
    assert "AFTER RESTORE" not in capsys.readouterr().out


def test_its_permission_is_needed_with_the_flag_and_named(
    world: Callable[[], World_],
    after: Callable[..., tuple[int, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = world() | {"iam": {"denied": ["cloudsql.instances.get"]}}
    code, said = after(table, "-t", "sql")
    assert (code, "the caller lacks cloudsql.instances.get" in said) == (3, True)
    assert run(["types"]) == 0
    assert "--after-restore needs cloudsql.instances.get;" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("answer", "reason"), [("not_found", "not_found"), ("html", "malformed_answer"), ("empty_object", "unknown_source")]
)
def test_operations_that_are_not_read_leave_the_instance_unverified(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]], folder: Path, answer: str, reason: str
) -> None:
    table = world()
    table["faults"] = [{"service": "sqladmin.googleapis.com", "answer": answer, "path": "/operations$"}]
    code, _ = after(table, "-t", "sql", "-o", "report.json")
    report = json.loads((folder / "report.json").read_text())
    assert (code, {one["resource"].rpartition("/")[2] for one in report["unread"]}) == (3, {"dta-postgres"})
    assert reason in {one["reason"] for one in report["unread"]}
    verdicts = {one["name"]: one["verdict"] for one in report["resources"]}
    assert (verdicts["dta-postgres"], verdicts["dta-postgres-replica-1"]) == ("unverified", "compliant")


def test_a_later_page_of_operations_that_is_lost_may_hold_the_restore(
    world: Callable[[], World_], after: Callable[..., tuple[int, str]], folder: Path
) -> None:
    table = world()
    fault = {"service": "sqladmin.googleapis.com", "path": "/operations$", "page": 3, "answer": "not_found"}
    assert after(table, "-t", "sql", page=1)[0] == 0
    code, said = after(table | {"faults": [fault]}, "-t", "sql", page=1)
    assert (code, "not_found" in said, "unknown_source" in said) == (3, True, False)


class TestWithABaseline:
    @pytest.fixture
    def baseline(self, world: Callable[[], World_], folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
        with Simulator(World.from_dict(world() | {"paging": {}})) as simulator:
            words = ["--api-root", simulator.url, "--no-progress", "-q", "-o", "before.json"]
            assert run(["production", PROJECT, *words]) == 0
        capsys.readouterr()
        return str(folder / "before.json")

    def test_what_is_not_back_is_named_and_replay_repeats_it(
        self,
        world: Callable[[], World_],
        after: Callable[..., tuple[int, str]],
        baseline: str,
        folder: Path,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        table = world()
        del table["gcs"]["buckets"][0]
        table["sql"]["operations"] = [RESTORE | {"endTime": "2020-01-01T00:00:00Z"}]
        words = ("--baseline", baseline, "--evidence", "e.json", "-o", "after.json")
        code, said = after(table, *words)
        assert (code, "gcs dtx-uploads was there at" in said, "not_restored" in said) == (3, True, True)
        assert "unknown_source" not in said  # that restore is older than the baseline
        assert run(["replay", "e.json", "--baseline", baseline, "--report", "after.json", "-q"]) == 3
        assert "nothing is proven by this evidence" not in capsys.readouterr().err
        assert run(["replay", "e.json"]) == 3
        assert "not_restored" in capsys.readouterr().out
        for format in ("markdown", "junit", "sarif", "github", "csv", "html", "ocsf", "oscal"):
            run(["render", "after.json", "-f", format])
            assert "AFTER RESTORE" in capsys.readouterr().out.replace("_", " ").upper(), format

    def test_a_database_made_since_came_from_somewhere(
        self, world: Callable[[], World_], after: Callable[..., tuple[int, str]], baseline: str
    ) -> None:
        table = world()
        database(table, "consents")["createTime"] = "2099-01-01T00:00:00Z"
        words = ("--baseline", baseline)
        assert after(table, *words)[0] == 3
        assert after(table, *words, "--restored-from", "firestore/consents=gs://dtx-exports/x")[0] == 0
        assert after(table, *words, "--restored-from", "firestore/consents=empty")[0] == 0

    def test_a_baseline_of_a_part_is_refused(
        self, world: Callable[[], World_], after: Callable[..., tuple[int, str]], baseline: str, folder: Path
    ) -> None:
        assert after(world(), "-t", "sql", "-o", "part.json")[0] == 0
        code, said = after(world(), "--baseline", "part.json")
        assert (code, "the baseline saw only a part" in said) == (2, True)

    @pytest.mark.parametrize("began", ["2099-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000+00:00"])
    def test_a_baseline_of_the_future_is_refused(
        self, world: Callable[[], World_], after: Callable[..., tuple[int, str]], baseline: str, began: str
    ) -> None:
        """All that was restored would be older than it."""
        report = json.loads(Path(baseline).read_text())
        Path(baseline).write_text(json.dumps(report | {"started_at": began, "finished_at": began}))
        code, said = after(world(), "--baseline", baseline)
        assert (code, "no time in the past" in said or "started_at" in said) == (2, True)

    def test_a_baseline_of_a_stand_in_tells_nothing_of_google_cloud(
        self, baseline: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent/key.json")
        assert run(["production", PROJECT, "--after-restore", "--baseline", baseline]) == 2
        assert "the baseline asked a stand-in" in " ".join(capsys.readouterr().err.split())

    def test_what_a_baseline_hides_is_a_limit(
        self, world: Callable[[], World_], after: Callable[..., tuple[int, str]], baseline: str, folder: Path
    ) -> None:
        assert after(world(), "--baseline", baseline, "-o", "after.json")[0] == 0
        limits = json.loads((folder / "after.json").read_text())["limits"]
        since = json.loads(Path(baseline).read_text())["started_at"]
        [said] = [one["text"] for one in limits if "when the baseline was taken" in one["text"]]
        assert since in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--restored-from", "sql/a=b"], "belong to --after-restore"),
        (["--backup-newer-than", "3"], "belong to --after-restore"),
        (["--after-restore", "--backup-newer-than", "0"], "is no number of hours"),
        (["--after-restore", "--backup-newer-than", "nan"], "is no number of hours"),
        (["--after-restore", "--restored-from", "sql/a"], "is not TYPE/NAME=SOURCE"),
        (["--after-restore", "--restored-from", "sql/=a"], "is not TYPE/NAME=SOURCE"),
        (["--after-restore", "--restored-from", "sqll/a=b"], "did you mean 'sql'?"),
        (["--after-restore", "--restored-from", "sql/a=b", "--restored-from", "sql/a=c"], "says twice what sql/a"),
    ],
)
def test_words_that_make_no_sense_are_usage_errors(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["production", PROJECT, *words]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
