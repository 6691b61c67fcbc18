"""An old report never outlives a run that fails, however early it fails; what is no report is left alone."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from diga_verify.cli.main import run
from diga_verify.errors import CheckerError, Interrupted, UsageError
from diga_verify.policy import default_policy

GATE = ["production", "dtx-data", "--api-root", "http://127.0.0.1:1"]
OUTPUTS = ["-o", "r.json", "-o", "table=second"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the default policy and two old reports."""
    for name in [name for name in os.environ if name.startswith(("DIGA_VERIFY_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    for name in "r.json", "second":
        (tmp_path / name).write_text("an old PASS")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        [*GATE, "-p", "none.toml"],
        [*GATE, "-t", "gkee"],
        [*GATE, "-f", "jason"],
        [*GATE, "-r", "gke"],
        [*GATE, "-o", "third.pdf"],
        [*GATE, "-o", "r.json"],
        [*GATE, "-o", "./x/../r.json"],
        [*GATE, "-o", "json=regions.toml"],
        [*GATE, "--deadline", "soon"],
        [*GATE, "--no-such-flag"],
        [*GATE, "--no-such-flag", "-v", "--color", "pink"],
        [*GATE, "one", "too", "many"],
        ["production"],
        ["produktion", *GATE[1:]],
        ["production", "../etc"],
        ["production", "p", "--api-root", "http://example.com"],
        ["verify", *GATE, "--bogus=1"],
        ["demo", "--world", "none"],
        ["demo", "-f", "jason"],
        ["demo", "--no-such-flag"],
    ],
    ids=" ".join,
)
def test_a_misused_gate_leaves_no_old_report(arguments: list[str], folder: Path) -> None:
    verb, *rest = arguments
    assert run([verb, *rest, *OUTPUTS]) == 2
    assert names(folder) == ["regions.toml"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("pinned"), 2),
        (CheckerError("broken"), 2),
        (ZeroDivisionError(), 70),
        (Interrupted(2), 130),
        (Interrupted(15), 143),
        (SystemExit(0), 70),
        (SystemExit(3), 70),
        (KeyboardInterrupt(), 130),
        (BrokenPipeError(errno.EPIPE, "Broken pipe"), 4),
    ],
    ids=repr,
)
def test_a_run_that_breaks_off_leaves_no_old_report(
    error: BaseException, code: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        assert names(folder) == ["regions.toml"]
        raise error

    monkeypatch.setattr("diga_verify.cli.gate.verify", broken)
    assert run([*GATE, *OUTPUTS]) == code
    assert names(folder) == ["regions.toml"]


def test_old_reports_are_gone_before_checkers_load(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise CheckerError("does not load")

    monkeypatch.setattr("diga_verify.cli.gate.registered", broken)
    assert run([*GATE, *OUTPUTS]) == 2
    assert names(folder) == ["regions.toml"]


@pytest.mark.parametrize("more", [[], ["--no-such-flag"]])
def test_the_policy_is_never_taken_for_an_old_report(
    more: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.link(folder / "regions.toml", folder / "hard.json")
    (folder / "soft.toml").symlink_to("regions.toml")
    for policy in "regions.toml", "soft.toml", "./regions.toml", "hard.json":
        for output in "json=regions.toml", "json=./regions.toml", "hard.json":
            assert run([*GATE, "-p", policy, "-o", output, *more]) == 2
            said = capsys.readouterr().err
            assert more or "is the file of the policy; a report needs a file of its own" in said
    assert (folder / "regions.toml").read_bytes() == (folder / "hard.json").read_bytes() == default_policy()


def test_the_credentials_are_never_taken_for_an_old_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(folder / "key.json"))
    (folder / "key.json").write_text("{}")
    assert run([*GATE, "-o", "key.json"]) == 2
    assert "-o key.json is the file of the credentials" in capsys.readouterr().err
    assert (folder / "key.json").read_text() == "{}"


def test_what_is_no_ordinary_file_stays_and_is_exit_4(folder: Path) -> None:
    (folder / "link.json").symlink_to("r.json")
    (folder / "folder.json").mkdir()
    assert run(["demo", "--world", "compliant", "-q", "-o", "link.json", "-o", "folder.json"]) == 4
    assert (folder / "r.json").read_text() == "an old PASS"
    assert names(folder) == ["folder.json", "link.json", "r.json", "regions.toml", "second"]


def test_help_removes_nothing(folder: Path) -> None:
    assert run(["verify", *OUTPUTS, "--help"]) == 0
    assert names(folder) == ["r.json", "regions.toml", "second"]


def test_no_environment_variable_turns_the_gate_into_a_completion(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_DIGA_VERIFY_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "diga-verify production")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert run([*GATE, "-p", "none.toml"]) not in {0, 1}


@pytest.mark.parametrize("verb", ["replay", "render"])
def test_a_misused_verb_keeps_the_file_that_it_would_have_read(verb: str, folder: Path) -> None:
    (folder / "read.json").write_text("evidence or report")
    assert run([verb, "read.json", "--no-such-flag", "-o", "json=read.json", *OUTPUTS]) == 2
    assert names(folder) == ["read.json", "regions.toml"]
