"""The default policy is the specification's, holds on any day, and is written with the schema beside it."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import UsageError
from diga_verify.model import TYPES, Enforcement, Role
from diga_verify.policy import default_policy, load_policy, parse_policy, write_default

ENVIRONMENTS = {
    "production": Enforcement.REQUIRED,
    "staging": Enforcement.RECOMMENDED,
    "development": Enforcement.FREE,
}


@given(st.dates())
def test_it_holds_on_any_day(today: date) -> None:
    policy = parse_policy(default_policy(), path="regions.toml", today=today)
    assert policy.environments == tuple(ENVIRONMENTS)


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_it_says_what_the_specification_says(name: str) -> None:
    rules = parse_policy(default_policy(), path="regions.toml", today=date.min).environment(name)
    assert rules.enforcement == ENVIRONMENTS[name]
    assert rules.holds_personal_data({"data": "health"}) == (name == "development")
    assert [(expected.type, expected.name) for expected in rules.expected] == [
        ("gke", "dta-cluster"),
        ("sql", "dta-postgres"),
        ("redis", "dta-redis"),
        ("bigquery", "de"),
        ("firestore", "(default)"),
    ]
    assert {rules.allowed(type_, role).entries for type_ in TYPES for role in Role if role != Role.BACKUP} == {
        ("europe-west3",)
    }
    assert {rules.allowed(type_, Role.BACKUP).entries for type_ in TYPES} == {("europe-west3", "jurisdiction:EU")}
    assert (rules.project, rules.unused, rules.waivers) == (None, frozenset(), ())
    assert rules.assumed_location("sql", Role.BACKUP) is None


def test_its_commented_examples_are_valid() -> None:
    text = default_policy().decode()
    examples = text[text.index("# [assume.sql]") :].replace("#\n", "\n").splitlines()
    live = "\n".join(line.removeprefix("# ") for line in examples if line.startswith("# [") or " = " in line)
    whole = f"{text}\n{live}\n".encode()
    rules = parse_policy(whole, path="regions.toml", today=date(2026, 11, 23)).environment("production")
    assert len(rules.waivers) == 1
    assert rules.assumed_location("sql", Role.BACKUP) is not None


def test_editors_find_the_schema_beside_it(tmp_path: Path) -> None:
    policy, schema = write_default(tmp_path)
    assert (policy, schema) == (tmp_path / "regions.toml", tmp_path / "regions.schema.json")
    first = policy.read_text().splitlines()[0]
    assert first == "#:schema ./regions.schema.json"
    assert (policy.parent / first.removeprefix("#:schema ")).samefile(schema)
    assert load_policy(policy, today=date.min).environments == tuple(ENVIRONMENTS)


def test_it_can_be_given_another_name(tmp_path: Path) -> None:
    assert write_default(tmp_path / "mine.toml") == [tmp_path / "mine.toml", tmp_path / "regions.schema.json"]


@pytest.mark.parametrize("name", ["regions.toml", "regions.schema.json"])
def test_nothing_is_overwritten_unless_forced(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    mine.write_text("mine")
    with pytest.raises(UsageError) as caught:
        write_default(tmp_path)
    assert str(caught.value) == f"{mine} exists already; --force overwrites it"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["mine"]
    assert len(write_default(tmp_path, force=True)) == 2
    assert mine.read_text() != "mine"


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "regions.toml"
    with pytest.raises(UsageError) as caught:
        write_default(path)
    assert str(caught.value) == f"{path} cannot be written: No such file or directory"


def test_no_google_library_is_imported_for_it() -> None:
    look = "import sys, diga_verify.policy; print([name for name in sys.modules if name.startswith('google')])"
    assert subprocess.check_output([sys.executable, "-c", look], text=True) == "[]\n"


@pytest.mark.parametrize("name", ["regions.toml", "regions.schema.json"])
def test_the_repository_s_own_files_are_those_of_the_package(name: str) -> None:
    root = Path(__file__).parents[2]
    assert (root / name).read_bytes() == files("diga_verify.policy").joinpath(name).read_bytes()


def test_the_documented_policy_is_valid() -> None:
    text = (Path(__file__).parents[2] / "docs" / "policy.md").read_text()
    documented = "".join(re.findall(r"```toml\n(.*?)```", text, re.DOTALL))
    rules = parse_policy(documented.encode(), path="policy.md", today=date(2026, 11, 23)).environment("production")
    assert (rules.project, len(rules.expected), len(rules.waivers)) == ("dtx-data", 1, 1)
    assert rules.assumed_location("sql", Role.BACKUP) is not None
