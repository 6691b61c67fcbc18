"""What changed between two runs, through the command line: two worlds, their reports, and the gate with a baseline."""

from __future__ import annotations

import io
import json
import sys
import unicodedata
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from diga_verify.cli.diff import FAIL_ON
from diga_verify.cli.main import run
from diga_verify.formats.stored import read_report
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

GATE = ["production", "dtx-data"]
Gate = Callable[..., int]
Worlds = Callable[[], dict[str, Any]]


pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Gate:
    """The gate against a world; what it shows is for the test to read."""

    def verify(table: dict[str, Any], *options: str) -> int:
        capsys.readouterr()
        with Simulator(World.from_dict(table)) as simulator:
            return run([*GATE, "--api-root", simulator.url, *options])

    return verify


RUNS: dict[str, bytes] = {}
"""The files of two runs, which are made once."""


@pytest.fixture
def two_runs(world: Worlds, verify: Gate, folder: Path) -> None:
    """old.json of a compliant world; new.json of one with two buckets moved, one of them out of Frankfurt."""
    if not RUNS:
        _run_twice(world, verify)
        RUNS.update({name: (folder / name).read_bytes() for name in ("old.json", "new.json")})
    for name, data in RUNS.items():
        (folder / name).write_bytes(data)


def _run_twice(world: Worlds, verify: Gate) -> None:
    old, new = world(), world()
    for table, within, away in (old, "europe-west3", "europe-west3"), (new, "europe-west3-a", "us-east1"):
        table["gcs"]["buckets"] += [{"name": "stays", "location": within}, {"name": "leaves", "location": away}]
    assert verify(old, "-o", "old.json", "-t", "gcs", "-t", "kms") == 0
    assert verify(new, "-o", "new.json", "-t", "gcs", "-t", "kms") == 1


def valid(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    schema = json.loads((resources.files("diga_verify.formats") / "drift.schema.json").read_text())
    jsonschema.validate(found, schema, format_checker=jsonschema.FormatChecker())
    return found


@pytest.mark.usefixtures("two_runs")
def test_what_left_the_region_is_shown_first_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["diff", "old.json", "new.json"]) == 1
    shown = capsys.readouterr().out
    body = shown.split("\n\n", 1)[1]
    assert body == (
        "WORSE  gcs  leaves\n"
        "  moved       primary europe-west3 -> us-east1 (compliant -> violation,\n"
        "              critical)\n"
        "              read from location\n"
        "  verdict     compliant -> violation, critical\n"
        "\n"
        "WORSE  run\n"
        "  verdict     compliant -> violation\n"
        "\n"
        "CHANGED  gcs  stays\n"
        "  moved       primary europe-west3 -> europe-west3-a (compliant)\n"
        "              read from location\n"
        "\n"
        "4 changes: 3 worse, 0 better, 1 neutral\n"
        "Less is right, proven or demanded than before.\n"
    )
    head = shown.split("\n\n")[0]
    assert head.startswith("changes in production, project dtx-data\nold  20")
    assert "compliant, exit 0, only gcs, kms" in head
    assert "NOTE: both runs asked a stand-in, not Google Cloud" in head


@pytest.mark.usefixtures("two_runs")
def test_a_wide_page_has_one_line_for_each_change(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    run(["diff", "old.json", "new.json", "--color", "always"])
    shown = capsys.readouterr().out
    assert "primary europe-west3 -> us-east1 (compliant -> violation, critical)\n" in shown
    assert "\x1b[1;31mWORSE\x1b[0m" in shown


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 1),
        (["none"], 0),
        (["any"], 1),
        (["worse"], 1),
        (["moved"], 1),
        (["verdict"], 1),
        (["vanished"], 0),
        (["policy", "moved"], 1),
        (["policy", "tool"], 0),
        (["none", "any"], 2),
        (["moves"], 2),
    ],
)
def test_what_fails_is_chosen(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    options = [option for word in words for option in ("--fail-on", word)]
    assert run(["diff", "old.json", "new.json", *options]) == code
    assert ("did you mean 'moved'?" in capsys.readouterr().err) is (words == ["moves"])


@pytest.mark.usefixtures("two_runs")
def test_nothing_worse_is_0_and_no_change_never_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["diff", "new.json", "old.json"]) == 0
    assert "Nothing got worse, and something got better." in capsys.readouterr().out
    assert run(["diff", "new.json", "old.json", "--fail-on", "any"]) == 1
    capsys.readouterr()
    assert run(["diff", "new.json", "new.json", "--fail-on", "any"]) == 0
    assert "\nno change\nNothing got worse.\n" in capsys.readouterr().out


@pytest.mark.usefixtures("two_runs")
def test_json_keeps_its_schema_on_stdout_and_in_a_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["diff", "old.json", "new.json", "-f", "json", "-o", "changes.json", "-o", "changes.txt"]) == 1
    shown = capsys.readouterr().out
    assert (folder / "changes.json").read_text() == shown
    assert "WORSE  gcs  leaves" in (folder / "changes.txt").read_text()
    found = valid(shown)
    assert found["summary"] == {"changes": 4, "worse": 3, "better": 0, "neutral": 1, "turnover": 0}
    assert [one["after"]["value"] for one in found["changes"] if one["kind"] == "moved"] == [
        "us-east1",
        "europe-west3-a",
    ]
    assert (found["old"]["verdict"], found["new"]["verdict"]) == ("compliant", "violation")


@pytest.mark.usefixtures("two_runs")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["old.json", "none.json"], "none.json cannot be read: No such file or directory"),
        (["none.json", "new.json"], "none.json cannot be read: No such file or directory"),
        (["old.json", "regions.toml"], "regions.toml: "),
        (["old.json", "a\0b"], "embedded null byte"),
        (["old.json", "."], ". cannot be read: Is a directory"),
        (["old.json", "new.json", "-f", "csv"], "there is no format of changes 'csv'"),
        (["old.json", "new.json", "-o", "changes.csv"], "changes are written as table or json, not as csv"),
        (["old.json", "new.json", "-o", "json=new.json"], "-o new.json is the file of the new run"),
        (["old.json", "new.json", "-o", "old.json"], "-o old.json is the file of the old run"),
        (["old.json", "new.json", "-o", "old.json", "--bogus"], "No such option: --bogus"),
        (["old.json"], "Missing argument 'NEW'"),
    ],
)
def test_misuse_is_2_and_costs_no_report(
    arguments: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (folder / name).read_bytes() for name in ("old.json", "new.json")}
    assert run(["diff", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert {name: (folder / name).read_bytes() for name in before} == before


@pytest.mark.usefixtures("two_runs")
def test_runs_that_have_nothing_in_common_are_refused(
    world: Worlds, verify: Gate, capsys: pytest.CaptureFixture[str]
) -> None:
    """That nothing changed in nothing must not look like an all-clear."""
    verify(world(), "-o", "gke.json", "-t", "gke")
    capsys.readouterr()
    assert run(["diff", "old.json", "gke.json"]) == 2
    shown = capsys.readouterr()
    assert "nothing is compared (old: gcs, kms; new: gke)" in shown.err
    assert shown.out == ""


@pytest.mark.usefixtures("two_runs")
def test_what_cannot_be_written_is_4_unless_a_change_fails(folder: Path) -> None:
    (folder / "folder.json").mkdir()
    assert run(["diff", "new.json", "old.json", "-o", "folder.json"]) == 4
    assert run(["diff", "old.json", "new.json", "-o", "folder.json"]) == 1


def test_other_projects_and_environments_are_refused_with_both_sides(
    world: Worlds, verify: Gate, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    verify(world(), "-o", "one.json", "-t", "kms")
    other = json.loads((folder / "one.json").read_text())
    for name, changes in (
        ("project", {"project": {"id": "other", "number": "7", "state": "ACTIVE"}}),
        (
            "environment",
            {"environment": "staging"},
        ),
    ):
        (folder / f"{name}.json").write_text(json.dumps(other | changes))
        capsys.readouterr()
        assert run(["diff", "one.json", f"{name}.json"]) == 2
        said = capsys.readouterr().err
        assert "the old report is of project dtx-data (100000000001) in production" in said
        assert {"project": "project other (7) in production", "environment": "in staging"}[name] in said
        # The gate does not even look for the project: nobody listens at that address.
        gate = [*GATE, "--api-root", "http://127.0.0.1:1", "--baseline", f"{name}.json"]
        assert run(gate) == 2
        assert "only runs of one project and environment can be compared" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["none.json", "regions.toml", "broken.json"])
def test_a_baseline_that_cannot_be_read_ends_the_gate_before_it_begins(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.json").write_text('{"schema_version": "1"}')
    (folder / "report.json").write_text("an old PASS")
    assert run([*GATE, "--api-root", "http://127.0.0.1:1", "--baseline", name, "-o", "report.json"]) == 2
    assert f"{name}" in capsys.readouterr().err
    assert not (folder / "report.json").exists()


def test_the_gate_never_writes_over_its_baseline(world: Worlds, verify: Gate, folder: Path) -> None:
    assert verify(world(), "-o", "report.json", "-t", "kms") == 0
    before = (folder / "report.json").read_bytes()
    for more in [], ["--bogus"]:
        assert run([*GATE, "--baseline", "report.json", "-o", "report.json", *more]) == 2
        assert (folder / "report.json").read_bytes() == before


@pytest.mark.usefixtures("two_runs")
def test_a_baseline_adds_the_changes_and_changes_no_verdict(
    world: Worlds, verify: Gate, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--baseline", "new.json", "-t", "gcs", "-t", "kms", "-o", "third.json", "-o", "third.md"]
    assert verify(world(), *options) == 0
    shown = capsys.readouterr().out
    since = json.loads((folder / "new.json").read_text())["finished_at"]
    section = shown[shown.index(f"CHANGES since {since}\n") :]
    assert "\nBETTER  gcs  leaves\n  vanished    primary us-east1 (violation, critical)\n" in section
    assert section.index("3 changes: 0 worse, 2 better, 1 neutral\n") < section.index("What was selected lies where")
    report = json.loads((folder / "third.json").read_text())
    schema = json.loads((resources.files("diga_verify.formats") / "report.schema.json").read_text())
    jsonschema.validate(report, schema, format_checker=jsonschema.FormatChecker())
    assert valid(json.dumps(report["drift"]))["summary"]["better"] == 2
    assert f"### Changes since {since}" in (folder / "third.md").read_text()
    again = read_report((folder / "third.json").read_bytes(), "third.json").drift
    assert again is not None
    assert [one.kind for one in again.changes] == ["vanished", "vanished", "verdict"]


def test_a_worse_run_with_a_baseline_ends_as_without(world: Worlds, verify: Gate) -> None:
    assert verify(world(), "-o", "old.json", "-t", "gcs") == 0
    worse = world()
    worse["gcs"]["buckets"][-1]["location"] = "europe-west3-a"
    worse["gcs"]["buckets"].append({"name": "more", "location": "europe-west3"})
    assert verify(worse, "--baseline", "old.json", "-t", "gcs") == 0
    worse["gcs"]["buckets"][-1]["location"] = "US"
    assert verify(worse, "--baseline", "old.json", "-t", "gcs") == 1


@pytest.mark.usefixtures("two_runs")
def test_a_report_without_a_baseline_says_so(folder: Path) -> None:
    assert json.loads((folder / "new.json").read_text())["drift"] is None


def test_evidence_is_as_good_as_a_report(
    world: Worlds, verify: Gate, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = world()
    new["gcs"]["buckets"][-1]["location"] = "US"
    verify(world(), "--evidence", "old.evidence", "-o", "old.json", "-t", "gcs")
    verify(new, "--evidence", "new.evidence", "-o", "new.json", "-t", "gcs")
    shown = []
    for end in "evidence", "json":
        capsys.readouterr()
        assert run(["diff", f"old.{end}", f"new.{end}", "-f", "json"]) == 1
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]
    text = (folder / "old.evidence").read_text()
    (folder / "old.evidence").write_text(text.replace("europe-west3", "europe-west4", 1))
    assert run(["diff", "old.evidence", "new.evidence"]) == 2
    assert "old.evidence was changed" in capsys.readouterr().err


@pytest.mark.usefixtures("two_runs")
def test_either_run_may_come_through_standard_input(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["diff", "old.json", "new.json", "-f", "json"]) == 1
    due = capsys.readouterr()
    for words, handed in (["-", "new.json"], "old.json"), (["old.json", "-"], "new.json"):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO((folder / handed).read_bytes())))
        assert run(["diff", *words, "-f", "json"]) == 1
        assert capsys.readouterr() == due
    assert run(["diff", "-", "-"]) == 2
    assert capsys.readouterr().err == (
        "diga-verify: standard input can be read once: name a file for the old or the new run\n"
    )


HOSTILE = (
    "a\n::set-output name=x::y",
    "##vso[task.complete result=Succeeded;]",
    "\x1b[2J\u202etxt",
    "<!-- </script>`|",
)


def test_hostile_names_order_nothing(world: Worlds, verify: Gate, folder: Path) -> None:
    new = world()
    new["gcs"]["buckets"] += [{"name": name, "location": name} for name in HOSTILE]
    verify(world(), "-o", "old.json", "-t", "gcs")
    verify(new, "-o", "new.json", "-t", "gcs")
    outputs = ["-o", "changes.json", "-o", "changes.txt"]
    assert run(["diff", "old.json", "new.json", *outputs]) == 1
    verify(new, "--baseline", "old.json", "-o", "gate.txt", "-o", "gate.md", "-o", "gate.json", "-t", "gcs")
    for name in "changes.json", "changes.txt", "gate.txt", "gate.md", "gate.json":
        for line in (folder / name).read_text().split("\n"):
            assert not line.strip().startswith("::"), (name, line)
            assert not any(order in line for order in ("##vso[", "<!--", "</script>")) or name in (
                "changes.txt",
                "gate.txt",
                "gate.md",
            )
            assert "##vso[" not in line
            assert not {unicodedata.category(character)[0] for character in line} & {"C", "M"}, (name, ascii(line))


def test_the_help_names_every_kind(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    assert run(["diff", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(word in shown for word in FAIL_ON)


def test_the_report_has_the_changes_as_their_own_schema_says() -> None:
    report, own = (
        json.loads((resources.files("diga_verify.formats") / f"{name}.schema.json").read_text())
        for name in ("report", "drift")
    )
    del own["$schema"], own["title"]
    assert report["properties"]["drift"]["anyOf"] == [{"type": "null"}, own]
