"""Evidence: whatever a run was told is stored, and shows the same again, offline; and nothing in it can be changed."""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from diga_verify.checkers.registry import registered
from diga_verify.cli.main import run
from diga_verify.cli.replay import compare
from diga_verify.errors import EvidenceError, Interrupted
from diga_verify.formats.json import document, render
from diga_verify.formats.page import Page
from diga_verify.gateway import gateway
from diga_verify.gateway.patience import Patience
from diga_verify.judgement import Scope
from diga_verify.model import Reason
from diga_verify.policy import default_policy
from diga_verify.reading import Reading
from diga_verify.report import Report
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world
from diga_verify.verify import replay

Gate = Callable[..., Report]
Tree = dict[str, Any]
CHECKERS = registered()


@pytest.fixture
def stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with the policy, the report and the evidence of a run over the shipped demo world."""
    monkeypatch.chdir(tmp_path)
    Path("regions.toml").write_bytes(default_policy())
    with Simulator(shipped_world("demo")) as simulator:
        words = [
            "production",
            "dtx-data",
            "--api-root",
            simulator.url,
            "-o",
            "report.json",
            "--evidence",
            "evidence.json",
        ]
        assert run(words) == 1
    capsys.readouterr()
    return tmp_path


def data_of(report: Report) -> bytes:
    assert report.evidence is not None
    return report.evidence.data


def tree_of(report: Report) -> Tree:
    tree: Tree = json.loads(data_of(report))
    return tree


def sealed(tree: Tree) -> bytes:
    """Evidence as a forger writes it who knows the format."""

    def canonical(content: Tree) -> bytes:
        return json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n"

    content = {key: value for key, value in tree.items() if key != "sha256"}
    return canonical({**content, "sha256": hashlib.sha256(canonical(content)).hexdigest()})


WHOLE: list[bytes] = []
"""The evidence of one run over the whole compliant world, which forgers begin with."""


def part(*types: str) -> Scope:
    """A run with `-t`."""
    return Scope(types, whole=False)


def again(tree: Tree) -> Report:
    return replay(sealed(tree), "evidence.json", CHECKERS)


def at(tree: Any, pointer: str) -> Any:
    """What a JSON Pointer (RFC 6901) points to."""
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        tree = tree[int(key)] if isinstance(tree, list) else tree[key]
    return tree


# --- the command line


def test_replay_writes_the_same_report(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", "evidence.json", "--report", "report.json", "-o", "again.json"]) == 1
    assert (stored / "again.json").read_bytes() == (stored / "report.json").read_bytes()
    assert "exit 1" in capsys.readouterr().out


def test_evidence_and_a_report_may_come_through_standard_input(
    stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, handed in (
        (["-", "--report", "report.json"], "evidence.json"),
        (
            ["evidence.json", "--report", "-"],
            "report.json",
        ),
    ):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((stored / handed).read_bytes())))
        assert run(["replay", *words, "-o", "again.json"]) == 1
        assert (stored / "again.json").read_bytes() == (stored / "report.json").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"{}")))
    capsys.readouterr()
    assert run(["replay", "-"]) == 3
    assert "diga-verify: standard input is evidence of version None" in capsys.readouterr().err
    assert run(["replay", "-", "--baseline", "-"]) == 2
    assert "standard input can be read once: name a file for the evidence, the report or the baseline" in (
        capsys.readouterr().err
    )


def test_a_compliant_run_is_compliant_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("regions.toml").write_bytes(default_policy())
    with Simulator(shipped_world("compliant")) as simulator:
        files = ["--evidence", "evidence.json", "-o", "report.json"]
        assert run(["production", "dtx-data", "--api-root", simulator.url, *files]) == 0
    assert run(["replay", "evidence.json", "--report", "report.json"]) == 0


def test_evidence_is_for_its_owner_and_names_its_report(stored: Path) -> None:
    assert (stored / "evidence.json").stat().st_mode & 0o777 == 0o600
    report = json.loads((stored / "report.json").read_bytes())
    assert report["evidence"] == {"sha256": hashlib.sha256((stored / "evidence.json").read_bytes()).hexdigest()}
    assert report["what_if"] is False


def test_another_policy_says_what_it_would_have_been(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lax = default_policy().decode().replace('enforcement = "required"', 'enforcement = "recommended"')
    (stored / "lax.toml").write_text(lax)
    assert run(["replay", "evidence.json", "-p", "lax.toml", "-o", "whatif.json"]) == 0
    assert "WHAT IF" in capsys.readouterr().out
    report = json.loads((stored / "whatif.json").read_bytes())
    assert (report["what_if"], report["policy"]["path"], report["verdict"]) == (True, "lax.toml", "violation")


def test_the_policy_of_the_environment_is_not_taken(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGA_VERIFY_POLICY", "nowhere.toml")
    assert run(["replay", "evidence.json", "--report", "report.json"]) == 1


@pytest.mark.parametrize("words", [["-p", "regions.toml", "--report", "report.json"], ["-o", "evidence.json"]])
def test_usage(stored: Path, capsys: pytest.CaptureFixture[str], words: list[str]) -> None:
    before = (stored / "evidence.json").read_bytes()
    assert run(["replay", "evidence.json", *words]) == 2
    assert (stored / "evidence.json").read_bytes() == before
    assert capsys.readouterr().err.startswith("diga-verify: ")


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_there_is_no_such_evidence(stored: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert run(["replay", name]) == 2
    assert f"{name} cannot be read" in capsys.readouterr().err


def test_a_report_of_another_run_is_refused(stored: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = json.loads((stored / "report.json").read_bytes())
    (stored / "better.json").write_text(json.dumps({**report, "verdict": "compliant", "exit_code": 0}, indent=2))
    assert run(["replay", "evidence.json", "--report", "better.json"]) == 3
    assert "better.json is not what evidence.json shows: it differs in verdict, exit_code" in capsys.readouterr().err
    (stored / "same.json").write_text(json.dumps(report))
    assert run(["replay", "evidence.json", "--report", "same.json"]) == 3
    assert "its bytes differ" in capsys.readouterr().err


def test_evidence_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("regions.toml").write_bytes(default_policy())
    with Simulator(shipped_world("compliant")) as simulator:
        words = ["production", "dtx-data", "--api-root", simulator.url, "--evidence"]
        assert run([*words, "no/where/evidence.json"]) == 4
        assert "no/where/evidence.json" in capsys.readouterr().err
        assert run([*words, "regions.toml"]) == 2
        assert Path("regions.toml").read_bytes() == default_policy()
        assert run([*words, "r.json", "-o", "r.json"]) == 2


def test_old_evidence_does_not_outlive_a_failed_run(stored: Path) -> None:
    assert run(["production", "dtx-data", "--api-root", "nonsense", "--evidence", "evidence.json"]) == 2
    assert not (stored / "evidence.json").exists()


# --- nothing can be changed


def spoilt(whole: bytes, times: int) -> Iterator[bytes]:
    """The file with one byte changed, somewhere; the same places in every run."""
    chance = random.Random(times)  # noqa: S311 - nobody is to be surprised
    for _ in range(times):
        place = chance.randrange(len(whole))
        other = chance.choice([byte for byte in range(256) if byte != whole[place]])
        yield whole[:place] + bytes([other]) + whole[place + 1 :]


def test_every_changed_byte_is_found(stored: Path) -> None:
    evidence, report = (stored / "evidence.json").read_bytes(), (stored / "report.json").read_bytes()
    for data in spoilt(evidence, 200):
        with pytest.raises(EvidenceError):
            replay(data, "evidence.json", CHECKERS)
    found = replay(evidence, "evidence.json", CHECKERS)
    compare(found, report, "report.json", "evidence.json")
    for data in spoilt(report, 200):
        with pytest.raises(EvidenceError):
            compare(found, data, "report.json", "evidence.json")


@pytest.mark.parametrize("name", ["evidence.json", "report.json"])
def test_a_changed_byte_ends_a_replay(stored: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    for data in spoilt((stored / name).read_bytes(), 5):
        (stored / name).write_bytes(data)
        assert run(["replay", "evidence.json", "--report", "report.json"]) == 3
        shown = capsys.readouterr()
        assert name in shown.err
        assert shown.out == ""


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"\xff", "no JSON"),
        (b"[]\n", "no JSON object"),
        (b"{}\n", "version None"),
        (b'{"schema_version":"2"}\n', "version '2', and this program reads '1'"),
        (b'{"schema_version":"1"}\n', "is no evidence of diga-verify, which is what `--evidence FILE` writes"),
        (b'{"schema_version":"1","sha256":""}\n', "was changed"),
        (sealed({"schema_version": "1"}), "no evidence of diga-verify: tool"),
        (sealed({"schema_version": "1"}).replace(b":", b": "), "not written as evidence is"),
    ],
)
def test_what_is_no_evidence(data: bytes, said: str) -> None:
    with pytest.raises(EvidenceError, match=re.escape(said)):
        replay(data, "evidence.json", CHECKERS)


def _forged(tree: Tree, path: str, value: object) -> Tree:
    *above, key = path.split(".")
    place = tree
    for name in above:
        place = place[name]
    place[key] = value
    return tree


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("run.started_at", "yesterday", "no time"),
        ("run.interrupted_by", "15", "run.interrupted_by"),
        ("run.interrupted_by", -128, "run.interrupted_by"),
        ("run.interrupted_by", 128, "run.interrupted_by"),
        ("run.types", [], "no types"),
        ("run.types", ["gke", "gke"], "twice"),
        ("run.types", ["gke"], "whole"),
        ("run.resources", [["gke", "dta-cluster"]], "whole"),
        ("run.simulated", False, "simulated"),
        ("run.api_root", None, "simulated"),
        ("run.finished", ["project", "lunch"], "lunch"),
        ("run.started_at", "2025-11-23T10:00:00.000Z", "began at"),
        ("run.finished_at", "2025-11-23T10:00:00.000Z", "ended at"),
        ("run.finished_at", "yesterday", "no time"),
        ("policy.sha256", "0" * 64, "another policy"),
        ("policy.text", "", "another policy"),
        ("answers", [], "answers"),
        ("more", 1, "more"),
    ],
)
def test_a_forger_s_evidence_must_still_make_sense(
    world: Callable[[], Tree], gate: Gate, path: str, value: object, said: str
) -> None:
    if not WHOLE:
        WHOLE.append(data_of(gate(world(), keep_evidence=True)))
    with pytest.raises(EvidenceError, match=said):
        again(_forged(json.loads(WHOLE[0]), path, value))


def test_evidence_about_a_type_that_nobody_here_can_read(world: Callable[[], Tree], gate: Gate) -> None:
    tree = tree_of(gate(world(), scope=part("gke"), keep_evidence=True))
    tree["run"]["types"].append("vault")
    tree["run"]["finished"] = sorted([*tree["run"]["finished"], "vault", "permissions of vault"])
    with pytest.raises(EvidenceError, match="answers about vault, for which no checker"):
        again(tree)


def test_a_stand_in_s_answers_are_not_google_s(world: Callable[[], Tree], gate: Gate) -> None:
    """Also where the evidence says nothing of the stand-in any more."""
    tree = tree_of(gate(world(), scope=part("gcs"), keep_evidence=True))
    tree["run"] |= {"simulated": False, "api_root": None}
    with pytest.raises(EvidenceError, match=r"http://127\.0\.0\.1:\d+/\S+ was asked, which is not Google"):
        again(tree)


@pytest.mark.parametrize("task", ["project", "permissions of kms"])
def test_nothing_is_finished_before_its_beginning(world: Callable[[], Tree], gate: Gate, task: str) -> None:
    """A run tests its permissions first: without these, a list that was read to its end is no whole list."""
    tree = tree_of(gate(world(), keep_evidence=True))
    tree["run"]["finished"].remove(task)
    with pytest.raises(EvidenceError, match=f"finished without {task}"):
        again(tree)


def test_an_answer_is_kept_under_its_own_name(world: Callable[[], Tree], gate: Gate) -> None:
    tree = tree_of(gate(world(), scope=part("gcs"), keep_evidence=True))
    name = next(name for name in tree["answers"] if name.startswith("storage.buckets.list"))
    for key in "method", "scope":
        forged = {**tree, "answers": {**tree["answers"], name: {**tree["answers"][name], key: "another"}}}
        with pytest.raises(EvidenceError, match="another"):
            again(forged)


def test_without_an_answer_there_is_no_proof(world: Callable[[], Tree], gate: Gate) -> None:
    """Whatever call of a compliant run is taken out of the evidence, or breaks off, the rest proves nothing."""
    report = gate(world(), scope=part("sql", "bigquery"), keep_evidence=True)
    assert report.exit_code == 0
    tree = tree_of(report)
    optional = ("cloudasset", "serviceusage", "testIamPermissions projects/dtx-data inventory")
    needed = [name for name in tree["answers"] if not any(word in name for word in optional)]
    assert len(needed) > 7
    for name in needed:
        less = {**tree, "answers": {key: value for key, value in tree["answers"].items() if key != name}}
        assert again(less).exit_code == 3, name
        answer = tree["answers"][name]
        less["answers"][name] = {**answer, "pages": answer["pages"][:-1]}
        assert again(less).exit_code == 3, name
        shorter = [{key: one[key] for key in one if key != "nextPageToken"} for one in answer["pages"][:-1]]
        less["answers"][name] = {**answer, "pages": shorter}
        assert again(less).exit_code == 3, name
        less["answers"][name] = {**answer, "pages": [*answer["pages"], *answer["pages"]]}
        assert again(less).exit_code == 3, name


# --- what it holds


def _pointers(report: Report) -> Iterator[tuple[str, str | None]]:
    for resource in document(report)["resources"]:
        for place in resource["placements"]:
            assert place["evidence"], (resource["full_name"], place["field"])
            yield place["evidence"], place["location"]


def test_every_placement_points_to_what_was_answered(world: Callable[[], Tree], gate: Gate) -> None:
    table = world()
    table["bigquery"]["datasets"][-1]["replicas"] = [{"location": "europe-west3"}, {"location": "us-central1"}]
    table["gke"]["clusters"].append({"name": "nowhere", "location": "", "nodePools": []})
    report = gate(table, deep=True, keep_evidence=True)
    tree = tree_of(report)
    found = list(_pointers(report))
    assert len(found) == report.placements > 50
    assert len({pointer for pointer, _ in found}) > 50
    for pointer, location in found:
        answered = at(tree, pointer)
        assert location is None or location.lower() in json.dumps(answered).lower(), pointer
    vague = [pointer for pointer, location in found if not isinstance(at(tree, pointer), str)]
    # Only the cluster that says neither where it lies nor where its nodes run has no fields to point to.
    clusters = "container.projects.locations.clusters.list projects~1dtx-data~1locations~1-"
    assert vague == [f"/answers/{clusters}/pages/0/clusters/1"] * 2


def test_what_was_not_asked_for_is_not_kept(world: Callable[[], Tree], gate: Gate) -> None:
    """Here an API answers more than the field mask says."""
    unasked = {"answer": "surrogate", "service": "firestore.googleapis.com", "path": "/databases$"}
    report = gate(world() | {"faults": [unasked]}, scope=part("firestore"), keep_evidence=True)
    kept = data_of(report).decode()
    assert "(default)" in kept
    assert "description" not in kept


def test_two_runs_differ_in_times_only(world: Callable[[], Tree], gate: Gate) -> None:
    def timeless(report: Report) -> str:
        text = data_of(report).decode()
        text = re.sub(r'"sha256":"[0-9a-f]{64}","tool":', '"tool":', text)
        return re.sub(r'"duration_ms":\d+|"(started|finished)_at":"[^"]*"|127\.0\.0\.1:\d+', "", text)

    first, second = (gate(world(), keep_evidence=True) for _ in range(2))
    assert timeless(first) == timeless(second)


def test_evidence_names_the_run_its_code_and_its_policy(world: Callable[[], Tree], gate: Gate) -> None:
    tree = tree_of(gate(world(), scope=part("gke", "kms"), keep_evidence=True, strict=True))
    assert tree["policy"]["text"].encode() == default_policy() + b"\n"
    assert tree["policy"]["sha256"] == hashlib.sha256(tree["policy"]["text"].encode()).hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", tree["tool"]["sha256"])
    assert list(tree["tool"]["checkers"]) == ["gke", "kms"]
    assert (tree["run"]["types"], tree["run"]["strict"], tree["run"]["simulated"]) == (["gke", "kms"], True, True)
    clusters = tree["answers"]["container.projects.locations.clusters.list projects/dtx-data/locations/-"]
    (request,) = clusters["requests"]
    assert request["method"] == "GET"
    assert "/v1/projects/dtx-data/locations/-/clusters?" in request["url"]
    assert "fields=clusters" in request["url"]
    rights = tree["answers"]["cloudresourcemanager.projects.testIamPermissions projects/dtx-data gke"]
    assert rights["requests"][0]["body"] == {"permissions": ["container.clusters.list"]}


# --- whatever happened


def _same(report: Report) -> None:
    assert render(replay(data_of(report), "evidence.json", CHECKERS), Page()) == render(report, Page())


def test_selected_and_deep_runs_show_the_same_again(world: Callable[[], Tree], gate: Gate) -> None:
    _same(gate(world(), scope=part("bigquery", "sql"), keep_evidence=True, deep=True))
    wanted = frozenset({("sql", "dta-postgres"), ("gke", "nobody")})
    report = gate(world(), keep_evidence=True, scope=Scope(("gke", "sql"), wanted, whole=False))
    assert report.exit_code == 1
    _same(report)


def test_a_run_without_time_shows_the_same_again(world: Callable[[], Tree], gate: Gate) -> None:
    table = world() | {"faults": [{"answer": "silence", "service": "sqladmin.googleapis.com"}]}
    report = gate(table, keep_evidence=True, patience=Patience(run=2.0, attempts=1))
    assert {(one.type, one.reason) for one in report.judgement.unread} >= {("sql", Reason.TIMEOUT)}
    _same(report)


def test_an_interrupted_run_shows_the_same_again(world: Callable[[], Tree], gate: Gate) -> None:
    tree = tree_of(gate(world(), keep_evidence=True))
    tree["run"]["interrupted_by"] = 15
    tree["run"]["finished"] = [name for name in tree["run"]["finished"] if name not in ("sql", "kms", "inventory")]
    report = again(tree)
    assert report.exit_code == 143
    assert {(one.type, one.reason) for one in report.judgement.unread} == {
        (type, Reason.INTERRUPTED) for type in ("sql", "kms", "inventory")
    }
    assert {judged.resource.type for judged in report.judgement.resources}.isdisjoint({"sql", "kms"})
    _same(report)


@pytest.mark.parametrize("moment", range(1, 6))
def test_a_run_that_was_really_interrupted_shows_the_same_again(
    world: Callable[[], Tree], gate: Gate, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    """While it waits for its permissions, the project's record, the lists, the inventory and the services."""
    usual, waits = Reading._as_done, itertools.count(1)

    def as_done(self: Reading, tasks: Any, **more: Any) -> Any:
        if next(waits) == moment:
            raise Interrupted(15)
        return usual(self, tasks, **more)

    with monkeypatch.context() as patched:
        patched.setattr(Reading, "_as_done", as_done)
        report = gate(world(), keep_evidence=True)
    assert report.exit_code == 143
    _same(report)


def test_a_run_without_credentials_shows_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "nowhere.json")
    Path("regions.toml").write_bytes(default_policy())
    assert run(["production", "dtx-data", "--evidence", "evidence.json", "-o", "report.json"]) == 3
    assert json.loads(Path("evidence.json").read_bytes())["run"]["stopped"]["reason"] == "no_credentials"
    assert run(["replay", "evidence.json", "--report", "report.json"]) == 3
    capsys.readouterr()


@pytest.mark.parametrize("answer", ["repeat_token", "endless", "partial", "null_item", "error_in_200", "html"])
def test_a_spoilt_list_shows_the_same_again(
    world: Callable[[], Tree], gate: Gate, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr(gateway, "PAGE_LIMIT", 20)
    faults = [{"answer": answer, "service": "storage.googleapis.com"}]
    report = gate(world() | {"faults": faults}, scope=part("gcs"), keep_evidence=True)
    assert report.exit_code == 3
    _same(report)


def test_another_world_is_another_evidence(world: Callable[[], Tree], gate: Gate) -> None:
    table = world()
    table["gcs"]["buckets"][-1]["location"] = "US"
    good, bad = (gate(one, scope=part("gcs"), keep_evidence=True) for one in (world(), table))
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert (again(tree_of(good)).exit_code, again(tree_of(bad)).exit_code) == (0, 1)
