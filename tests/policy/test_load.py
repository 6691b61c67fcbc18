"""From a file to a policy: what is read, what is refused unparsed, and that nothing else escapes."""

from __future__ import annotations

import hashlib
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import PolicyError, UsageError
from diga_verify.policy import default_policy, load_policy, parse_policy
from diga_verify.policy.load import MAX_BYTES, MAX_DEPTH, MAX_KEY_PARTS
from diga_verify.policy.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diga_verify.policy import Policy

TODAY = date(2026, 11, 23)


def test_a_policy_knows_its_file(tmp_path: Path, small: str) -> None:
    path = tmp_path / "regions.toml"
    path.write_text(small)
    policy = load_policy(path, today=TODAY)
    assert policy.path == str(path)
    assert policy.sha256 == hashlib.sha256(small.encode()).hexdigest()
    assert policy.environments == ("production", "staging")
    assert policy.environment("staging").name == "staging"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("prod", "regions.toml defines no environment 'prod', but production and staging"),
        (
            "Staging",
            ("regions.toml defines no environment 'Staging', but production and staging; did you mean 'staging'?"),
        ),
    ],
)
def test_an_unknown_environment_lists_the_known(read: Callable[..., Policy], small: str, name: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(small).environment(name)
    assert str(caught.value) == said


def test_windows_files_are_read_alike(read: Callable[..., Policy], small: str) -> None:
    windows = read(b"\xef\xbb\xbf" + small.replace("\n", "\r\n").encode())
    assert windows.rules == read(small).rules


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda _: None,
            "there is no such file; 'diga-verify policy init' writes one, and -p FILE names another",
        ),
        (lambda path: path.mkdir(), "this is a directory; -p FILE wants the policy file itself"),
        (lambda path: path.symlink_to(path), "the file cannot be read: Too many levels of symbolic links"),
        (
            lambda path: path.write_bytes(b" " * (MAX_BYTES + 1)),
            "the file is larger than 256 KiB; that is no policy",
        ),
    ],
    ids=["missing", "directory", "unreadable", "too large"],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, make: Callable[[Path], object], said: str) -> None:
    path = tmp_path / "regions.toml"
    make(path)
    with pytest.raises(PolicyError) as caught:
        load_policy(path, today=TODAY)
    assert str(caught.value) == f"{path}: {said}"


def test_a_file_of_the_largest_size_is_read(tmp_path: Path, small: str) -> None:
    path = tmp_path / "regions.toml"
    path.write_text(small + "#" * (MAX_BYTES - len(small)))
    assert load_policy(path, today=TODAY).environments == ("production", "staging")


def test_bytes_that_are_no_text_have_a_line(problems: Callable[..., str], small: str) -> None:
    assert problems(small.encode() + b"# \xff\n") == "regions.toml:15: the file is not UTF-8, as TOML must be"


@pytest.mark.parametrize(
    ("added", "line"), [("oops\n\n\n", 15), ("\n\n[rules", 17), ('x = """\n\n', 15), ("[rules]\n", 15)]
)
def test_a_mistake_in_the_syntax_has_a_line(problems: Callable[..., str], small: str, added: str, line: int) -> None:
    assert problems(small + added).startswith(f"regions.toml:{line}: not valid TOML: ")


DEEP = f"more than {MAX_DEPTH} brackets within each other"
LONG = f"a key of more than {MAX_KEY_PARTS} parts"


@pytest.mark.parametrize(
    ("absurd", "said"),
    [
        ("x = " + "[" * 200_000, DEEP),
        ("x = " + "[\n" * 100_000, DEEP),
        ("x = " + "{x = " * 50_000, DEEP),
        (".".join(["k"] * 20_000) + " = 1", LONG),
        ("[" + ' . "k"'.join(["k"] * 20_000) + "]", LONG),
        ("version = 1" + "0" * 5000, "a key or number of more than 200 characters"),
        ("version = 0x" + "f" * 5000, "a key or number of more than 200 characters"),
    ],
)
def test_the_absurd_is_refused_before_it_is_parsed(
    problems: Callable[..., str], monkeypatch: pytest.MonkeyPatch, absurd: str, said: str
) -> None:
    monkeypatch.setattr("tomllib.loads", lambda _: pytest.fail("it was parsed"))
    assert problems(absurd).partition(": ")[2] == said


def test_as_much_as_that_is_not_yet_absurd(problems: Callable[..., str]) -> None:
    nested = "x = " + "[" * MAX_DEPTH + "1.5, 2.5" + "]" * MAX_DEPTH
    dotted = ".".join(["k"] * MAX_KEY_PARTS) + " = 1"
    quoted = f"z = '{'[' * 99} {'.' * 99}' # {'[' * 99}"
    said = problems(f"{nested}\n{dotted}\n{quoted}\n")
    assert [line for line in said.splitlines() if "unknown key" not in line] == [
        f"regions.toml:1: the policy lacks the key '{key}'" for key in ("version", "locations", "environments")
    ]


def loads_or_says_why(data: bytes) -> None:
    try:
        parse_policy(data, path="regions.toml", today=TODAY)
    except PolicyError as error:
        problems = error.problems
    else:
        return
    lines = data.count(b"\n") + 1
    assert problems
    assert all(problem.line is None or 1 <= problem.line <= lines for problem in problems)


@given(st.integers(0, len(default_policy()) - 1))
def test_a_missing_character_is_survived_or_reported(index: int) -> None:
    text = default_policy()
    loads_or_says_why(text[:index] + text[index + 1 :])


@given(st.integers(0, len(default_policy())), st.sampled_from('[]{}"=.,#\n\\ 1a') | st.characters())
def test_an_added_character_is_survived_or_reported(index: int, character: str) -> None:
    text = default_policy()
    loads_or_says_why(text[:index] + character.encode("utf-8", "surrogatepass") + text[index:])


SCRAPS = st.sampled_from([token.text for token in tokens(default_policy().decode())])


@given(st.lists(SCRAPS).map(" ".join) | st.text())
def test_junk_is_reported(text: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(text.encode("utf-8", "surrogatepass"), path="regions.toml", today=TODAY)


VALUES = st.recursive(
    st.sampled_from(["1", "nan", "true", "2027-01-31", "2027-01-31T00:00:00Z", '""', '"eu"', '"//a/b"']),
    lambda inner: (
        st.lists(inner, max_size=2).map(lambda values: f"[{', '.join(values)}]")
        | st.dictionaries(
            st.sampled_from(["primary", "sql", "type", "name", "location", "role", "rules", "key", '"[key]"']),
            inner,
            max_size=3,
        ).map(lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}")
    ),
    max_leaves=6,
)
TOP = ["version", "locations", "environments", "rules", "expected", "waivers", "assume", '"[key]"']


@given(st.dictionaries(st.sampled_from(TOP), VALUES))
def test_values_of_any_kind_are_reported(table: dict[str, str]) -> None:
    loads_or_says_why("".join(f"{key} = {value}\n" for key, value in table.items()).encode())
