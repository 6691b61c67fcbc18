"""The state file: what goes in comes out, and what is no state of this project is left alone."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tests.notify.conftest import NOW

from diga_verify.errors import UsageError
from diga_verify.model import Project
from diga_verify.notify.state import Need, Open, State, Subject, load, save
from diga_verify.policy.notify import Gravity

PROJECT = Project("dtx-data", "100000000001", "ACTIVE")
SUBJECT = Subject(PROJECT, "production", simulated=False)
NEEDS = frozenset({Need.DEEP, Need.BASELINE})
STATE = State(
    (
        Open("k1", Gravity.CRITICAL, "gcs", "//b/1", "gcs \u202e1", "move", NOW, NEEDS, False, {"team": NOW, "a": NOW}),
        Open("k2", Gravity.MISSING, "sql", "sql/x", "sql x", "", NOW - timedelta(days=2), frozenset(), True, {}),
    )
)


def test_what_goes_in_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    assert load(path, SUBJECT) == (State(), SUBJECT)
    save(path, STATE, SUBJECT, NOW)
    assert load(path, SUBJECT) == (STATE, SUBJECT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().isascii()


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (
            replace(SUBJECT, project=Project("other", None, None)),
            "is about production of the project other, not production of",
        ),
        (replace(SUBJECT, environment="staging"), "is about staging of the project dtx-data, not production of"),
        (replace(SUBJECT, simulated=True), "is about production of the project dtx-data (simulated), not"),
    ],
)
def test_what_is_about_something_else_is_refused(tmp_path: Path, other: Subject, said: str) -> None:
    save(tmp_path / "state.json", STATE, other, NOW)
    with pytest.raises(UsageError) as caught:
        load(tmp_path / "state.json", SUBJECT)
    assert said in str(caught.value)


@pytest.mark.parametrize("first", [PROJECT, Project("100000000001", None, None)])
@pytest.mark.parametrize("then", [PROJECT, Project("100000000001", None, None)])
def test_a_project_named_by_its_number_is_the_same_though_its_record_is_not_read(
    tmp_path: Path, first: Project, then: Project
) -> None:
    path = tmp_path / "state.json"
    save(path, STATE, replace(SUBJECT, project=first), NOW)
    state, known = load(path, replace(SUBJECT, project=then))
    assert state == STATE
    save(path, state, known, NOW)  # what one run knows of the project the next one need not read
    assert load(path, SUBJECT)[0] == STATE
    assert load(path, replace(SUBJECT, project=first))[0] == STATE


def test_a_project_that_was_made_anew_under_its_name_is_another(tmp_path: Path) -> None:
    save(tmp_path / "state.json", STATE, SUBJECT, NOW)
    with pytest.raises(UsageError, match="is about production of the project dtx-data"):
        load(tmp_path / "state.json", replace(SUBJECT, project=replace(PROJECT, number="100000000002")))


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"format": "x"},
        {"more": 1},
        {"open": [{}]},
        {"open": [{"key": 1}]},
        {"simulated": "false"},
    ],
)
def test_what_has_another_shape_is_no_state(tmp_path: Path, change: dict[str, object]) -> None:
    path = tmp_path / "state.json"
    save(path, STATE, SUBJECT, NOW)
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(UsageError, match="is no state of diga-verify; remove it, or name another file"):
        load(path, SUBJECT)


@pytest.mark.parametrize(
    ("key", "value"), [("since", "monday"), ("gravity", "dire"), ("told", {"team": "2026-11-23"}), ("needs", ["x"])]
)
def test_an_entry_that_says_nonsense_is_no_state(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "state.json"
    save(path, STATE, SUBJECT, NOW)
    document = json.loads(path.read_text())
    document["open"][1][key] = value
    path.write_text(json.dumps(document))
    with pytest.raises(UsageError, match="is no state"):
        load(path, SUBJECT)


def test_what_is_no_file_is_no_state(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "state.json")
    for name in ("pipe", "link", "."):
        with pytest.raises(UsageError, match="is not an ordinary file"):
            load(tmp_path / name, SUBJECT)
    with pytest.raises(UsageError, match="cannot be read"):
        load(tmp_path / ("x" * 300), SUBJECT)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"version = 1\n"])
def test_garbage_is_no_state(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "state.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match="is no state"):
        load(path, SUBJECT)
