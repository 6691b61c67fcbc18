"""Files that are no policy, through the command line: exit 2, quickly, and a message that names the file."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from diga_verify.cli.main import run
from diga_verify.policy import default_policy, load

PATH = "regions.toml"
DEEP = ": more than 16 brackets within each other"
LARGE = ": the file is larger than 256 KiB; that is no policy"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGA_VERIFY_POLICY", raising=False)
    return tmp_path


def sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(300 * 1024 * 1024)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (sparse, LARGE),
        (lambda path: path.symlink_to("/dev/zero"), LARGE),
        (lambda path: path.symlink_to("/dev/null"), ":1: the policy lacks the key 'version'"),
        (Path.mkdir, ": this is a directory; -p FILE wants the policy file itself"),
        (lambda path: None, ": there is no such file; "),
        (lambda path: path.symlink_to(path.name), ": the file cannot be read: Too many levels of symbolic links"),
        (lambda path: path.write_bytes(default_policy() + b"# \xff"), ": the file is not UTF-8, as TOML must be"),
        (lambda path: path.write_bytes(default_policy() + b"x = '\0'"), ": not valid TOML: "),
        (lambda path: path.write_bytes(b"\0" * 200), ":1: not valid TOML: "),
        (lambda path: path.write_text(".".join(["k"] * 20_000) + " = 1"), ":1: a key of more than 16 parts"),
        (lambda path: path.write_text("".join(f"k.a{at} = 1\n" for at in range(20_000))), ": unknown key 'k'"),
        (lambda path: path.write_text("x = " + "[" * 100_000), DEEP),
        (lambda path: path.write_text("x = " + "{x = " * 40_000), DEEP),
        (lambda path: path.write_text("x = '" + "x" * 200 * 1024), ":1: not valid TOML: "),
        (lambda path: path.write_text("x = [" + "1, " * 65_000 + "1]"), ": unknown key 'x'"),
        (lambda path: path.write_text("x" * 200 * 1024), ":1: a key or number of more than 200 characters"),
    ],
)  # fmt: skip
def test_it_is_refused(
    make: Callable[[Path], object], said: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make(folder / PATH)
    assert run(["production", "dtx-data", "--api-root", "http://127.0.0.1:1"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(PATH)
    assert said in shown.err
    assert shown.err.endswith("\ndiga-verify: the policy is invalid; nothing was verified\n")


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbf" + default_policy(),
        default_policy().replace(b"\n", b"\r\n"),
        default_policy() + b"#" + b"x" * 200 * 1024,
    ],
    ids=["byte order mark", "Windows", "a long line"],
)
def test_it_is_unusual_and_legal(text: bytes, folder: Path) -> None:
    (folder / PATH).write_bytes(text)
    assert run(["policy", "check"]) == 0


def test_a_pipe_that_nobody_writes_to_is_not_waited_for_for_ever(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load, "PIPE_SECONDS", 0.2)
    os.mkfifo(folder / PATH)
    assert run(["policy", "check"]) == 2
    assert "regions.toml: this is a pipe into which nothing came within 0.2 s" in capsys.readouterr().err


def test_a_pipe_whose_writer_stops_halfway_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(load, "PIPE_SECONDS", 0.2)
    reader, writer = os.pipe()
    try:
        os.write(writer, default_policy()[:100])
        assert run(["policy", "check", f"/dev/fd/{reader}"]) == 2
    finally:
        os.close(reader)
        os.close(writer)
    assert "this is a pipe into which nothing came" in capsys.readouterr().err


def test_a_named_pipe_is_read_to_its_end(folder: Path) -> None:
    os.mkfifo(folder / PATH)
    writer = threading.Thread(target=(folder / PATH).write_bytes, args=[default_policy() + b"#" * 200_000])
    writer.start()
    assert run(["policy", "check"]) == 0
    writer.join()


def test_process_substitution_works(folder: Path) -> None:
    (folder / "elsewhere.toml").write_bytes(default_policy())
    command = f"{sys.executable} -m diga_verify policy check <(sleep 0.2; cat elsewhere.toml)"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


def test_what_a_file_says_is_harmless_in_what_is_said_of_it(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = default_policy().decode()
    text += '\n["##[error]\\u001b[2J\\u202e"]\n"::error::" = 1\n[environments."::set-env::"]\nenforcement = "##vso["\n'
    (folder / "::a\n##[b].toml").write_text(text)
    assert run(["policy", "check", "::a\n##[b].toml"]) == 2
    said = capsys.readouterr().err
    assert r"#\x23[error]" in said
    assert all(line.startswith((r":\x3aa\n#\x23[b].toml:", "diga-verify: ")) for line in said.splitlines())
    assert not {"\x1b", "\u202e", "##", "::"} & {one for one in ("\x1b", "\u202e", "##", "::") if one in said}
