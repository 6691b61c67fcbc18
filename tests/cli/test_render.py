"""Render through its front door: a stored report in, the same bytes out that the run would have written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli.main import run
from diga_verify.formats.registry import FORMATS
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

Shown = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all files that a run over the demo world wrote, one for each format."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "regions.toml").write_bytes(default_policy())
    outputs = [f"--output={name}={folder / name}" for name in FORMATS]
    with Simulator(shipped_world("demo")) as simulator:
        arguments = ["production", "dtx-data", "--api-root", simulator.url, "-p", str(folder / "regions.toml"), "-q"]
        assert run([*arguments, *outputs]) == 1
    return folder


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Path) -> Path:
    """A folder with a stored report, and nothing of the caller's settings."""
    for name in [name for name in os.environ if name.startswith("DIGA_VERIFY_")]:
        monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r.json").write_bytes((made / "json").read_bytes())
    return tmp_path


@pytest.fixture
def render(capfd: pytest.CaptureFixture[str]) -> Shown:
    """`diga-verify render` with some arguments: its exit code, stdout and stderr."""

    def render(*arguments: str) -> tuple[int, str, str]:
        code = run(["render", *arguments])
        return code, *capfd.readouterr()

    return render


def spoil(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_byte_for_byte_what_the_run_wrote(name: str, render: Shown, made: Path) -> None:
    code, out, err = render("r.json", "-o", f"{name}=again")
    assert (code, err) == (0, "")
    assert Path("again").read_bytes() == (made / name).read_bytes()
    assert out.startswith("diga-verify ")


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "table"])
def test_standard_output_gets_the_same(name: str, made: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "diga_verify", "render", "r.json", "-f", name], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == (made / name).read_bytes()


def test_several_files_at_once(render: Shown, made: Path) -> None:
    assert render("r.json", "-o", "a.csv", "-o", "b.md", "-f", "github")[0] == 0
    assert Path("a.csv").read_bytes() == (made / "csv").read_bytes()
    assert Path("b.md").read_bytes() == (made / "markdown").read_bytes()


def test_it_ends_with_0_whatever_the_report_says_for_it_does_not_judge(render: Shown) -> None:
    code, out, _ = render("r.json")
    assert out.rstrip().endswith("exit 1")
    assert code == 0


def test_quiet_and_colour_as_in_the_gate(render: Shown) -> None:
    _, quiet, _ = render("r.json", "-q")
    assert "\n27 resources: " in quiet
    _, colored, _ = render("r.json", "--color", "always")
    assert "\x1b[1;31mVIOLATION" in colored


def test_a_pipe(render: Shown, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    class Handed:
        buffer = io.BytesIO((folder / "r.json").read_bytes())

    monkeypatch.setattr(sys, "stdin", Handed)
    code, out, err = render("-", "-f", "json")
    assert (code, err) == (0, "")
    assert out.encode() == (folder / "r.json").read_bytes()


def test_a_closed_standard_input(render: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert render("-") == (
        2,
        "",
        "diga-verify: standard input cannot be read: it is closed; name a file\n",
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none.json", "none.json cannot be read: No such file or directory"),
        (".", ". cannot be read: Is a directory"),
        ("regions.toml", "regions.toml: not valid JSON: Expecting value, line 1, column 1; a JSON report is what "),
        ("wrong.json", "wrong.json: /exit_code is 0, and 1 follows from the rest; a report that contradicts itself"),
        ("newer.json", "newer.json: schema_version is '2', and diga-verify "),
        ("hostile.json", "lacks the key 'name'"),
    ],
)
def test_what_is_no_report_ends_with_2_and_leaves_no_old_file(
    name: str, said: str, render: Shown, folder: Path
) -> None:
    (folder / "regions.toml").write_bytes(default_policy())
    for changed, changes in (
        ("wrong.json", {"exit_code": 0}),
        ("newer.json", {"schema_version": "2"}),
        ("hostile.json", {"tool": {"version": "\x1b[2J\n::error::x"}}),
    ):
        (folder / changed).write_bytes((folder / "r.json").read_bytes())
        spoil(folder / changed, **changes)
    (folder / "old.csv").write_text("an old PASS")
    code, out, err = render(name, "-o", "old.csv")
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("diga-verify: ")
    assert len(err.splitlines()) == 1
    assert "\x1b" not in err
    assert not (folder / "old.csv").exists()


@pytest.mark.parametrize(
    "arguments", [["r.json", "-f", "jason"], ["r.json", "-o", "x.pdf"], ["r.json", "--bogus"], [], ["r.json", "more"]]
)
def test_misuse_ends_with_2_and_keeps_the_report(arguments: list[str], render: Shown, folder: Path) -> None:
    code, out, _ = render(*arguments, "-o", "json=r.json", "-o", "a.csv")
    assert (code, out) == (2, "")
    if arguments:
        assert json.loads((folder / "r.json").read_bytes())["exit_code"] == 1


@pytest.mark.parametrize("name", ["r.json", "./r.json", "twin.json"])
def test_the_report_that_is_read_is_never_written(name: str, render: Shown, folder: Path) -> None:
    os.link(folder / "r.json", folder / "twin.json")
    before = (folder / "r.json").read_bytes()
    code, out, err = render("r.json", "-o", f"csv={name}")
    assert (code, out) == (2, "")
    assert "is the file of the report; a report needs a file of its own" in err
    assert (folder / "r.json").read_bytes() == before


def test_nor_is_the_one_that_a_shell_hands_in(folder: Path) -> None:
    before = (folder / "r.json").read_bytes()
    for more in [], ["--bogus"]:
        with (folder / "r.json").open("rb") as handed:
            done = subprocess.run(
                [sys.executable, "-m", "diga_verify", "render", "-", "-o", "csv=r.json", *more],
                stdin=handed,
                capture_output=True,
                check=False,
            )
        assert (done.returncode, done.stdout) == (2, b"")
        assert (folder / "r.json").read_bytes() == before


def test_a_symbolic_link_to_the_report_is_not_followed(render: Shown, folder: Path) -> None:
    (folder / "link.json").symlink_to("r.json")
    before = (folder / "r.json").read_bytes()
    code, out, err = render("r.json", "-o", "csv=link.json", "-f", "csv")
    assert code == 4
    assert out.startswith("record,")
    assert "is not an ordinary file" in err
    assert (folder / "r.json").read_bytes() == before


def test_what_cannot_be_written_ends_with_4_and_the_rest_is_written(render: Shown, folder: Path) -> None:
    code, out, err = render("r.json", "-o", "none/a.csv", "-o", "b.csv", "-f", "csv")
    assert code == 4
    assert "the report could not be written to none/a.csv" in err
    assert (folder / "b.csv").read_bytes().decode() == out


def test_standard_output_that_nobody_takes_ends_with_4(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "diga_verify", "render", "r.json", "-f", "csv", "-o", "a.csv"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert b"could not be written to standard output" in done.stderr
    assert (folder / "a.csv").exists()
