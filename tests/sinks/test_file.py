"""A report file: whole or not at all, its owner's only, and nobody else's file."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diga_verify.errors import OutputError
from diga_verify.sinks.file import remove_stale, write_file

REFUSED = "is not an ordinary file; a report is written to none other"


@pytest.mark.usefixtures("no_mask")
def test_a_report_is_its_owners_whatever_the_mask_and_replaces_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text("old")
    path.chmod(0o666)
    write_file(path, "new\n")
    assert path.read_text() == "new\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_file_and_folder_are_on_the_disk_before_it_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, os.replace

    def synced(handle: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        fsync(handle)

    def renamed(draft: str, name: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        done.append("rename")
        rename(draft, name, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    write_file(tmp_path / "r.json", "new")
    assert done == ["file", "rename", "folder"]


def test_what_is_no_ordinary_file_is_neither_written_nor_removed(no_ordinary_file: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir()), no_ordinary_file.lstat().st_ino
    remove_stale(no_ordinary_file)
    with pytest.raises(OutputError, match=REFUSED):
        write_file(no_ordinary_file, "new")
    assert (sorted(tmp_path.iterdir()), no_ordinary_file.lstat().st_ino) == before
    assert (tmp_path / "victim").read_text() == "untouched\n"


def test_a_device_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=f"^/dev/null {REFUSED}"):
        write_file(Path("/dev/null"), "new")
    remove_stale(Path("/dev/null"))
    assert Path("/dev/null").exists()


def test_a_draft_name_that_somebody_took_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda _: "guessed")
    (tmp_path / "victim").write_text("untouched")
    (tmp_path / ".r.json.guessed").symlink_to(tmp_path / "victim")
    with pytest.raises(OutputError, match="File exists"):
        write_file(tmp_path / "r.json", "new")
    assert (tmp_path / "victim").read_text() == "untouched"
    assert not (tmp_path / "r.json").exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failing_disk_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    (tmp_path / "r.json").write_text("old")
    monkeypatch.setattr(os, call, fails)
    with pytest.raises(OutputError) as caught:
        write_file(tmp_path / "r.json", "new")
    assert str(caught.value) == f"the report could not be written to {tmp_path / 'r.json'}: {os.strerror(number)}"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.json", "old")]


def test_an_interrupted_write_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "r.json", "new")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_takes_a_part_only(tmp_path: Path, on_a_small_disk: Callable[[str], tuple[int, str]]) -> None:
    told = on_a_small_disk("file.write_file(Path('r.json'), 'x' * 100_000)")
    assert told == (4, "the report could not be written to r.json: File too large\n")
    assert list(tmp_path.iterdir()) == []


def test_a_path_that_cannot_be(impossible_path: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_file(impossible_path, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["victim"]


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("ü" * 125 + ".json")
    write_file(path, "new")
    assert list(tmp_path.iterdir()) == [path]


def test_pieces_are_one_file_whose_digest_is_told(tmp_path: Path) -> None:
    digest = write_file(tmp_path / "r.txt", iter(["one\n", "", "tw\ud800\n"]))
    assert (tmp_path / "r.txt").read_text() == "one\ntw\\ud800\n"
    assert digest == hashlib.sha256((tmp_path / "r.txt").read_bytes()).hexdigest()
    assert digest == write_file(tmp_path / "s.txt", "one\ntw\ud800\n")


def test_a_piece_that_cannot_be_made_is_no_failing_disk(tmp_path: Path) -> None:
    def pieces() -> Iterator[str]:
        yield "half"
        raise ValueError("a bug")

    (tmp_path / "r.json").write_text("old")
    with pytest.raises(ValueError, match="a bug"):
        write_file(tmp_path / "r.json", pieces())
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("r.json", "old")]


def test_text_that_no_encoding_knows(tmp_path: Path) -> None:
    write_file(tmp_path / "r.txt", "a\ud800b")
    assert (tmp_path / "r.txt").read_text() == "a\\ud800b"


def test_a_stale_report_is_removed_and_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("old")
    (tmp_path / "other.json").write_text("other")
    for path in tmp_path / "r.json", tmp_path / "none.json", tmp_path / "other.json" / "r.json":
        remove_stale(path)
    assert [path.name for path in tmp_path.iterdir()] == ["other.json"]


def test_a_stale_report_that_cannot_be_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    (tmp_path / "r.json").write_text("old")
    monkeypatch.setattr(Path, "unlink", fails)
    with pytest.raises(OutputError, match="Read-only file system"):
        remove_stale(tmp_path / "r.json")
