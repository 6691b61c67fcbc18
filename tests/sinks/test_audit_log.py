"""The audit log: lines are added, whoever else adds some, and nothing is ever lost."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from diga_verify.errors import OutputError
from diga_verify.sinks import audit_log
from diga_verify.sinks.audit_log import append

REFUSED = "is not an ordinary file; an audit log is kept in none other"


def python(script: str, folder: Path) -> subprocess.Popen[str]:
    head = "import sys; from pathlib import Path; from diga_verify.sinks.audit_log import append\n"
    program = [sys.executable, "-c", head + script]
    return subprocess.Popen(program, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.usefixtures("no_mask")
def test_lines_are_added_and_a_new_log_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "audit.ndjson"
    append(path, "a\nb\n")
    append(path, "c\n")
    assert path.read_text() == "a\nb\nc\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_log_that_is_there_keeps_its_mode_and_stays_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "audit.ndjson"
    path.write_text("a\n")
    path.chmod(0o640)
    inode = path.stat().st_ino
    append(path, "b\n")
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_ino) == (0o640, inode)


def test_it_is_on_the_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync = os.fsync

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else (tmp_path / "log").read_text())
        fsync(handle)

    monkeypatch.setattr(os, "fsync", synced)
    append(tmp_path / "log", "a\n")
    assert done == ["a\n", "folder"]


def test_two_processes_at_once(tmp_path: Path) -> None:
    """Each run's lines stand together, none is lost, none is torn, though each run is larger than a pipe's buffer."""
    script = "sys.stdin.readline()\nfor run in range(20): append(Path('log'), f'{NAME} {run} {\"x\" * 2000}\\n' * 50)\n"
    writers = [python(script.replace("{NAME}", name), tmp_path) for name in "ab"]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    assert [writer.communicate(timeout=60)[0] for writer in writers] == ["", ""]
    lines = (tmp_path / "log").read_text().splitlines()
    assert len(lines) == 2 * 20 * 50
    blocks = [lines[start : start + 50] for start in range(0, len(lines), 50)]
    assert all(len(set(block)) == 1 for block in blocks)
    assert len({block[0] for block in blocks}) == 2 * 20
    assert {len(line.split(" ")[2]) for line in lines} == {2000}


def test_short_writes_of_one_run_are_not_mixed_with_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:3]))
    texts = [f"{name * 40}\n" for name in "abcd"]
    threads = [threading.Thread(target=append, args=(tmp_path / "log", text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted((tmp_path / "log").read_text().splitlines(keepends=True)) == texts


def test_a_full_disk_leaves_what_was_there_and_the_next_run_its_own_lines(
    tmp_path: Path, on_a_small_disk: Callable[[str], tuple[int, str]]
) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    told = on_a_small_disk(r"audit_log.append(Path('log'), 'first\n' + 'x' * 100_000 + '\n')")
    assert told == (4, "the audit log could not be written to log: File too large\n")
    torn = path.read_text()
    assert torn.startswith("old\nfirst\nxxx")
    assert not torn.endswith("\n")
    append(path, "next\n")
    assert path.read_text() == f"{torn}\nnext\n"


def test_no_space_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        append(tmp_path / "log", "a\n")
    monkeypatch.undo()
    append(tmp_path / "log", "b\n")
    assert (tmp_path / "log").read_text() == "b\n"


@pytest.mark.parametrize("device", ["/dev/full", "/dev/null"])
def test_a_device_is_not_written(device: str) -> None:
    with pytest.raises(OutputError, match=f"^{device} {REFUSED}$"):
        append(Path(device), "a\n")


def test_what_is_no_ordinary_file_is_not_written(no_ordinary_file: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError, match=REFUSED):
        append(no_ordinary_file, "a\n")
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "victim").read_text() == "untouched\n"


def link(path: Path) -> None:
    path.symlink_to(path.with_name("victim"))


@pytest.mark.parametrize("make", [link, os.mkfifo])
def test_what_takes_its_place_in_the_last_moment_is_not_written_either(
    tmp_path: Path, make: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "victim").write_text("untouched\n")
    usual = os.open

    def late(name: str, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if dir_fd is not None:
            make(tmp_path / "log")
        return usual(name, flags, mode, dir_fd=dir_fd)

    monkeypatch.setattr(os, "open", late)
    with pytest.raises(OutputError):
        append(tmp_path / "log", "a\n")
    assert (tmp_path / "victim").read_text() == "untouched\n"


def test_a_log_that_is_rotated_while_it_waits_is_not_written_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log"
    path.write_text("old\n")
    usual = fcntl.flock

    def rotated(handle: int, operation: int) -> None:
        monkeypatch.setattr(fcntl, "flock", usual)
        path.rename(tmp_path / "log.1")
        usual(handle, operation)

    monkeypatch.setattr(fcntl, "flock", rotated)
    append(path, "a\n")
    assert ((tmp_path / "log.1").read_text(), path.read_text()) == ("old\n", "a\n")


def test_a_lock_that_nobody_gives_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_log, "PATIENCE", 0.05)
    with open(tmp_path / "log", "w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(OutputError) as caught:
            append(tmp_path / "log", "a\n")
        assert str(caught.value) == (
            f"the audit log could not be written to {tmp_path / 'log'}: another process holds its lock"
        )
        fcntl.flock(held, fcntl.LOCK_UN)
        append(tmp_path / "log", "b\n")
    assert (tmp_path / "log").read_text() == "b\n"


def test_a_path_that_cannot_be(impossible_path: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        append(impossible_path, "a\n")
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]
