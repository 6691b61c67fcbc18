"""What shells offer at TAB: asked as their scripts ask, and by real shells where there are some."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from diga_verify.cli import completion
from diga_verify.cli.main import run
from diga_verify.cli.verbs import VERBS
from diga_verify.formats.registry import FORMATS
from diga_verify.model import TYPES
from diga_verify.policy import default_policy

SCRIPTS = Path(__file__).parents[2] / "completion"
POLICY = """
[environments.production]
project = "dtx-data"
[environments.preview]
[[expected]]
type = "gke"
name = "dta-cluster"
[[expected]]
type = "firestore"
name = "(default)"
[[waivers]]
resource = "//storage.googleapis.com/dtx-public-images"
[[waivers]]
resource = "//cloudkms.googleapis.com/projects/p/locations/global/keyRings/legacy/cryptoKeys/old-key"
[[waivers]]
resource = "//cloudsql.googleapis.com/projects/p/instances/dta-postgres"
"""
NAMED = ("gke/dta-cluster", "firestore/(default)", "gcs/dtx-public-images", "kms/legacy/old-key", "sql/dta-postgres")
HOSTILE = ("$(touch pwned)", "`id`", "a b", "a\\nb", "a;b", "*", "~root", "-rf", "\\u001b[2J", "\\u202ea", "a'b", "a:b")
Offered = Callable[..., list[str]]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a policy, and nothing of the caller's settings."""
    for name in [name for name in os.environ if "DIGA_VERIFY_" in name]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_text(POLICY)
    return tmp_path


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offered:
    """The words offered after these; nothing may be said besides, and nobody asked."""
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("somebody was asked"))

    def offered(typed: str) -> list[str]:
        monkeypatch.setenv(completion.VARIABLE, "complete_fish")
        monkeypatch.setenv("_TYPER_COMPLETE_FISH_ACTION", "get-args")
        monkeypatch.setenv("_TYPER_COMPLETE_ARGS", f"diga-verify {typed}")
        run([])
        shown = capsys.readouterr()
        assert shown.err == ""
        return [line.partition("\t")[0] for line in shown.out.splitlines() if line]

    return offered


def test_the_first_word_is_a_verb_or_an_environment(offered: Offered) -> None:
    assert offered("") == [*VERBS, "production", "preview"]
    assert offered("pr") == ["production", "preview"]
    assert offered("po") == ["policy"]


def test_the_first_word_does_not_wait_for_the_gate(offered: Offered, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "_loaded", lambda _: pytest.fail("the gate was loaded"))
    assert offered("pre") == ["preview"]


@pytest.mark.parametrize("before", ["verify ", ""])
def test_the_gate_needs_no_verb(before: str, offered: Offered) -> None:
    assert offered(f"{before}pre") == ["preview"]
    assert offered(f"{before}production d") == ["dtx-data"]
    assert offered(f"{before}preview ") == []
    assert offered(f"{before}production dtx-data --stri") == ["--strict"]
    assert offered(f"{before}-t gcs pre") == ["preview"]


def test_options_of_the_gate_are_offered_as_first_word_too(offered: Offered) -> None:
    assert offered("--base") == ["--baseline"]
    assert offered("--ver") == ["--version", "--verbose"]


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("production p -t ", [*TYPES]),
        ("production p -t gcs -t g", ["gke", "gcs"]),
        ("production p --type k", ["kms"]),
        ("production p -f ", [*FORMATS]),
        ("production p --format=js", ["json"]),
        ("production p --color ", ["auto", "always", "never"]),
        ("production p --notify=n", ["never"]),
        ("production p -r ", [*(f"{type}/" for type in TYPES), *NAMED]),
        ("production p -r gke/", ["gke/dta-cluster"]),
        ("production p -r 'firestore/(", ["firestore/(default)"]),
        ("production p -p ", []),
        ("policy ex", ["explain"]),
        ("policy explain sq", ["sql"]),
        ("policy explain sql ", ["primary", "node", "replica", "backup", "key"]),
        ("policy explain sql backup europe-west1", ["europe-west1", "europe-west10", "europe-west12"]),
        ("policy explain gcs primary eur4", ["eur4"]),
        ("policy explain sql backup eur4", []),
        ("policy explain sql backup europe-west3 -e pre", ["preview"]),
        ("notify --environment pre", ["preview"]),
        ("attestation verify --environment prod", ["production"]),
        ("locations europe-west3", ["europe-west3"]),
        ("locations EUR4", ["EUR4"]),
        ("demo --world c", ["compliant"]),
        ("simulator d", ["demo"]),
        ("diff a b --fail-on wor", ["worse"]),
        ("diff a b -f ", ["table", "json"]),
        ("render r.json -f ht", ["html"]),
        ("nonsense here -t g", ["gke", "gcs"]),
        ("production p --no-such-option -t g", ["gke", "gcs"]),
        ("--version ", [*VERBS, "production", "preview"]),
    ],
)
def test_what_is_offered(typed: str, words: list[str], offered: Offered) -> None:
    assert offered(typed) == words


def test_every_option_has_one_line_whatever_the_width(offered: Offered) -> None:
    found = offered("production p --")
    assert "--notify-state" in found
    assert all(word.startswith("--") for word in found)


def test_the_policy_is_the_one_that_is_named(folder: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "other.toml").write_text("[environments.other]")
    (folder / "third.toml").write_text("[environments.third]")
    assert offered("-p other.toml o") == ["other"]
    assert offered("policy explain sql key global -p other.toml -e ") == ["other"]
    monkeypatch.setenv("DIGA_VERIFY_POLICY", "third.toml")
    assert offered("th") == ["third"]
    assert offered("-p other.toml o") == ["other"]


def test_without_a_policy_there_are_the_environments_of_the_default_one(folder: Path, offered: Offered) -> None:
    (folder / "regions.toml").unlink()
    assert offered("verify ") == ["production", "staging", "development"]
    assert tomllib.loads(default_policy().decode())["environments"].keys() == {*offered("verify ")}


@pytest.mark.parametrize(
    "text",
    [
        b"[environments",
        b"environments = 1\nexpected = 1\nwaivers = [1]",
        b"[environments]\nproduction = 1\n[[expected]]\n[[waivers]]\nresource = 1",
        b"\xff\xfe",
        b"x = " + b"[" * 5000,
        b"a" + b".a" * 50_000 + b" = 1",
        b"# \n" * 100_000 + b"[environments.late]",
    ],
    ids=lambda text: text[:12].decode("latin-1"),
)
def test_a_policy_of_no_use_is_no_reason_to_say_anything(text: bytes, folder: Path, offered: Offered) -> None:
    (folder / "regions.toml").write_bytes(text)
    assert {*offered("verify ")} <= {"production"}
    assert offered("production p -r gk") == ["gke/"]
    assert offered("production ") == []


def test_a_pipe_is_left_to_the_command(folder: Path, offered: Offered) -> None:
    os.mkfifo(folder / "pipe")
    assert offered("-p pipe ") == []
    assert offered("-p . ") == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_not_offered(name: str, folder: Path, offered: Offered) -> None:
    (folder / "regions.toml").write_text(f"""
[environments."{name}"]
[environments.safe]
project = "{name}"
[[expected]]
type = "gcs"
name = "{name}"
[[expected]]
type = "{name}"
name = "a"
[[waivers]]
resource = "//storage.googleapis.com/{name}"
""")
    assert offered("verify ") == ["safe"]
    assert offered("safe ") == []
    assert offered("safe p -r ") == [f"{type}/" for type in TYPES]


def test_types_of_other_distributions_are_offered_and_not_loaded(
    folder: Path, offered: Offered, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = folder / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[diga_verify.checkers]\nfilestore = nowhere:Gone\n$(id) = nowhere:Gone\n")
    monkeypatch.syspath_prepend(folder)
    assert offered("production p -t ") == [*TYPES, "filestore"]


def test_a_shell_that_nobody_knows_is_no_violation() -> None:
    shell = [shutil.which("dash") or "/bin/sh", "-c", f"{PROGRAM} --show-completion; exit $?"]
    assert subprocess.run(shell, check=False, capture_output=True).returncode in {0, 2}  # sh may be bash


@pytest.mark.parametrize("instruction", ["complete_nosuch", "nonsense", "install_bash", "complete_powershell"])
def test_an_instruction_that_nobody_knows_says_nothing(
    instruction: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(completion.VARIABLE, instruction)
    monkeypatch.delenv("_TYPER_COMPLETE_ARGS", raising=False)
    assert run([]) not in {1, 70}
    assert capsys.readouterr().err == ""


PROGRAM = Path(sys.executable).with_name("diga-verify")


def needs(shell: str) -> str:
    found = shutil.which(shell)
    return found or pytest.skip(f"{shell} is not installed")


class Terminal:
    """An interactive shell on a terminal of its own."""

    def __init__(self, *command: str, home: Path) -> None:
        self.shown = ""
        variables = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "HOME": str(home), "TERM": "dumb", "LC_ALL": "C.UTF-8"}
        self._pid, self._handle = pty.fork()
        if self._pid == 0:
            os.execve(command[0], command, variables)  # noqa: S606 - it is a shell

    def type(self, keys: str, *, until: str) -> None:
        """Type, and read until this is shown. Waits as long as a shell on a busy machine may need."""
        seen = len(self.shown)
        os.write(self._handle, keys.encode())
        ends = time.monotonic() + 120
        while until not in self.shown[seen:]:
            assert time.monotonic() < ends, self.shown[seen:]
            if select.select([self._handle], [], [], 0.2)[0]:
                self.shown += os.read(self._handle, 65536).decode(errors="replace")

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._handle)


@pytest.fixture
def terminal(folder: Path) -> Iterator[Callable[..., Terminal]]:
    open_: list[Terminal] = []

    def terminal(*command: str) -> Terminal:
        open_.append(Terminal(*command, home=folder))
        return open_[-1]

    yield terminal
    for one in open_:
        one.end()


TYPED = [
    ("pre", "view "),
    ("production p -r firestore/", r"\(default\) "),
    ("production p --color=al", "ways "),
    ("production p -p region", "s.toml "),
]
"""What is typed before TAB, and what the shell adds. Each takes a program's start, and so the tests take seconds."""


def test_bash(terminal: Callable[..., Terminal]) -> None:
    bash = terminal(needs("bash"), "--norc", "--noprofile", "-i")
    bash.type(f"source {SCRIPTS}/diga-verify.bash; PS1='ready> '\n", until="ready> ")
    for typed, added in TYPED:
        bash.type(f"diga-verify {typed}\t", until=added)
        bash.type("\x15", until="")  # clears the line


def test_zsh_with_the_script_found_by_its_name(terminal: Callable[..., Terminal]) -> None:
    zsh = terminal(needs("zsh"), "-f", "-i")
    zsh.type(f"fpath+=({SCRIPTS}); autoload -Uz compinit; compinit -u -D; PS1='ready> '\n", until="ready> ")
    for typed, added in TYPED:
        zsh.type(f"diga-verify {typed}\t", until=added)
        zsh.type("\x15", until="")


def test_zsh_with_the_script_sourced(terminal: Callable[..., Terminal]) -> None:
    zsh = terminal(needs("zsh"), "-f", "-i")
    zsh.type(f"autoload -Uz compinit; compinit -u -D; . {SCRIPTS}/_diga-verify; PS1='ready> '\n", until="ready> ")
    zsh.type("diga-verify pre\t", until="view ")


def test_fish(folder: Path) -> None:
    for typed, added in TYPED:
        ask = f"source {SCRIPTS}/diga-verify.fish; complete --escape --do-complete 'diga-verify {typed}'"
        shell = [needs("fish"), "--no-config", "--command", ask]
        variables = {"PATH": f"{PROGRAM.parent}:/usr/bin:/bin", "HOME": str(folder)}
        done = subprocess.run(shell, check=True, capture_output=True, text=True, env=variables)
        assert [line.partition("\t")[0] for line in done.stdout.splitlines()] == [
            f"{typed.split()[-1]}{added}".rstrip()
        ]
