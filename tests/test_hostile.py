"""Names, labels, errors and addresses that others chose, through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from diga_verify.cli.main import run
from diga_verify.errors import UsageError
from diga_verify.gateway.endpoints import LOOPBACK, stand_in
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

PROJECT = "dtx-data"
NAMES = (
    "::error file=a::pwned",
    "a\n::set-output name=verdict::compliant",
    "##vso[task.complete result=Succeeded;]",
    "##[error]x ##teamcity[y]",
    "\x1b[2J\x1b]0;title\x07\x9b1m\r",
    "\u202etxt\u2066\u200b\ufeff\u2028e\u0301",
    "[/] [link=http://evil]x[/link] :smile:",
    "</script><!-- ' \" $(id) `id` ; rm -rf",
    "=HYPERLINK(1)",
    "x" * 300,
)


pytestmark = pytest.mark.usefixtures("folder")


@contextmanager
def served(**sections: Any) -> Iterator[list[str]]:
    """The gate's arguments against a world with these sections."""
    with Simulator(World.from_dict({"project": {"id": PROJECT, "number": "1"}, **sections})) as simulator:
        yield ["production", PROJECT, "--api-root", simulator.url]


def assert_harmless(text: str) -> None:
    for line in text.split("\n"):
        assert not line.strip().startswith("::"), line
        assert not any(order in line for order in ("##[", "##vso[", "##teamcity[")), line
        assert not {unicodedata.category(character)[0] for character in line} & {"C", "M"}, ascii(line)


@pytest.mark.parametrize(
    ("type", "section", "resource"),
    [
        ("gcs", "gcs", lambda name: {"buckets": [{"name": name, "location": "US", "labels": {"a": name, name: "b"}}]}),
        (
            "gke",
            "gke",
            lambda name: {"clusters": [{"name": name, "location": "us-east1", "resourceLabels": {name: name}}]},
        ),
        (
            "bigquery",
            "bigquery",
            lambda name: {"datasets": [{"datasetReference": {"datasetId": name}, "location": "US"}]},
        ),
        ("sql", "sql", lambda name: {"instances": [{"name": name, "region": "us-east1", "gceZone": name}]}),
    ],
)
@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_and_labels(
    type: str, section: str, resource: Any, name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(**{section: resource(name)}) as arguments:
        code = run([*arguments, "-t", type, "-v", "-o", "r.json", "-o", "r.txt"])
    shown = capsys.readouterr()
    assert code in {1, 3}
    for text in shown.out, shown.err, (folder / "r.txt").read_text(), (folder / "r.json").read_text():
        assert_harmless(text)
    assert max(map(len, shown.out.split("\n"))) <= 80
    report = json.loads((folder / "r.json").read_text())
    assert report["exit_code"] == code
    assert all(one["name"] == name for one in report["resources"])


def test_hostile_names_keep_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    buckets = [{"name": name, "location": "US"} for name in NAMES]
    with served(gcs={"buckets": buckets}) as arguments:
        assert run([*arguments, "-t", "gcs", "-f", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert sorted(one["name"] for one in report["resources"]) == sorted(NAMES)
    assert {one["verdict"] for one in report["resources"]} == {"violation"}


@pytest.mark.parametrize("answer", ["hostile", "echo"])
def test_a_hostile_error_text(answer: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    faults = [{"service": "storage.googleapis.com", "answer": answer}]
    with served(gcs={"buckets": [{"name": "a", "location": "US"}]}, faults=faults) as arguments:
        assert run([*arguments, "-t", "gcs", "-v", "-o", "r.json", "-o", "r.txt"]) == 3
    shown = capsys.readouterr()
    for text in shown.out, shown.err, (folder / "r.txt").read_text(), (folder / "r.json").read_text():
        assert_harmless(text)
    assert "permission_denied" in shown.out


@pytest.mark.parametrize("word", [*NAMES[:8], "\ud800"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["production", PROJECT, "--{}"],
        ["production", PROJECT, "{}"],
        ["production", PROJECT, "--color", "{}"],
        ["production", PROJECT, "--deadline", "{}"],
        ["production", "{}"],
        ["{}", PROJECT, "--api-root", "http://127.0.0.1:1"],
        ["production", PROJECT, "-t", "{}"],
        ["production", PROJECT, "-r", "{}"],
        ["production", PROJECT, "-f", "{}"],
        ["production", PROJECT, "-o", "{}"],
        ["production", PROJECT, "-p", "{}.toml"],
        ["production", PROJECT, "--api-root", "{}"],
        ["policy", "check", "{}"],
        ["policy", "{}"],
        ["policy", "explain", "{}", "primary", "EU"],
        ["policy", "explain", "gcs", "primary", "EU", "-e", "{}"],
        ["policy", "explain", "gcs", "primary", "{}"],
        ["locations", "{}"],
        ["simulator", "{}"],
        ["demo", "--world", "{}"],
    ],
    ids=" ".join,
)
def test_hostile_words_on_the_command_line(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = run([one.replace("{}", word) for one in arguments])
    shown = capsys.readouterr()
    assert code == (3 if arguments[0] == "locations" or arguments[-2:] == ["primary", "{}"] else 2)
    assert_harmless(shown.out + shown.err)
    assert shown.out + shown.err


def test_a_bug_tells_no_secrets_and_gives_no_orders(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Bearer CANARY ya29.CANARY\n::error::x\n##vso[x]\x1b[2J")

    monkeypatch.setattr("diga_verify.cli.gate.verify", broken)
    assert run(["production", PROJECT, "--api-root", "http://127.0.0.1:1"]) == 70
    said = capsys.readouterr().err
    assert "CANARY" not in said
    assert_harmless(said)
    assert said.startswith("Traceback (most recent call last):\n")
    assert said.endswith("\ndiga-verify: this is a bug in diga-verify; nothing is proven\n")


def test_what_libraries_log_and_warn_of_is_harmless_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def talkative(*_: object, **__: object) -> None:
        import logging
        import threading
        import warnings

        def fail() -> None:
            raise ValueError("::thread:: ya29.CANARY")

        logging.getLogger("urllib3").warning("::retry:: %s", "key=AIzaCANARYcanary")
        logging.getLogger("urllib3").info("not said")
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("::careful::\n##[x]", stacklevel=1)
        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
        raise UsageError("enough")

    monkeypatch.setattr("diga_verify.cli.gate.verify", talkative)
    assert run(["production", PROJECT, "--api-root", "http://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err
    assert_harmless(said)
    assert "CANARY" not in said
    lines = said.splitlines()
    assert lines[0] == r"warning: urllib3: :\x3aretry:\x3a key=[secret removed]"
    assert r"warning: :\x3acareful:\x3a\n#\x23[x]" in lines
    assert r"ValueError: :\x3athread:\x3a [secret removed]" in lines
    assert lines[-1] == "diga-verify: enough"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1.evil.com",
        "http://127.1",
        "http://0x7f000001",
        "http://2130706433",
        "http://[::ffff:127.0.0.1]",
        "http://localhost.",
        "http://localhost%2eevil.com",
        "http://user@127.0.0.1",
        "http://127.0.0.1:80@evil.com",
        "http://127.0.0.1%40evil.com",
        "http://127.0.0.1\\@evil.com",
        "http://127.0.0.1:80\\@evil.com/",
        "http://127.0.0.1\t.evil.com",
        "http://127.0.0.1\n.evil.com",
        "http://127.0.0.1 .evil.com",
        "http://127\u30020\u30020\u30021",
        "http://127.0.0.1:\uff18\uff10",
        "http://127.0.0.1?@evil.com/",
        "http://127.0.0.1#@evil.com/",
        "http://127.0.0.1;evil.com",
        "http:\\\\127.0.0.1",
        "http:127.0.0.1",
        "http:///127.0.0.1",
    ],
)
def test_what_only_looks_like_loopback_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["production", PROJECT, "--api-root", url]) == 2
    assert_harmless(capsys.readouterr().err)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/../..",
        "http://127.0.0.1/%2e%2e/x",
        "http://127.0.0.1/a/..",
        "http://127.0.0.1/\n.evil.com",
        "http://@127.0.0.1",
        "http://127.0.0.1?",
        "http://127.0.0.1/#",
        "http://[::1].evil.com",
        "http://[::1]@evil.com",
        "http://[::1]\\@evil.com",
    ],
)
def test_no_request_below_an_odd_root_goes_to_another_host(url: str) -> None:
    """Either the root is refused, or what `requests` makes of it is not trusted, or it stays on loopback."""
    try:
        endpoints = stand_in(url)
        sent = requests.Request("GET", f"{endpoints.base('storage.googleapis.com')}/storage/v1/b").prepare().url
    except (UsageError, requests.exceptions.InvalidURL):
        return
    assert sent is not None
    assert urlsplit(sent).hostname in LOOPBACK


def gate(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "diga_verify", *arguments]
    return subprocess.run(program, text=True, check=False, timeout=120, stderr=subprocess.PIPE, **options)


def test_a_full_disk_behind_standard_output_is_exit_4_and_a_violation_wins() -> None:
    for buckets, code in ([{"name": "a", "location": "EUROPE-WEST3"}], 4), ([{"name": "a", "location": "US"}], 1):
        with served(gcs={"buckets": buckets}) as arguments, open("/dev/full", "w") as full:
            done = gate(*arguments, "-t", "gcs", stdout=full)
        assert (done.returncode, "No space left on device" in done.stderr) == (code, True)


def test_nobody_listening_changes_no_exit_code() -> None:
    with served(gcs={"buckets": [{"name": "a", "location": "EUROPE-WEST3"}]}) as arguments:
        command = f"{sys.executable} -m diga_verify {' '.join(arguments)} -t gcs -v"
        for redirection, code in ("2>&-", 0), ("2>/dev/full", 0), (">&-", 4), (">&- 2>&-", 4):
            done = subprocess.run(
                ["bash", "-c", f"{command} {redirection}"], capture_output=True, check=False, timeout=120
            )
            assert done.returncode == code, redirection


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["verify", "--help"], []])
def test_help_that_nobody_takes_is_exit_4_and_one_line(words: list[str]) -> None:
    with open("/dev/full", "w") as full:
        done = gate(*words, stdout=full)
    said = "diga-verify: the result could not be written to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (4, said)


def test_an_encoding_without_the_characters_is_no_crash() -> None:
    with served(gcs={"buckets": [{"name": "\u00fc\U0001f600", "location": "US"}]}) as arguments:
        environment = os.environ | {"PYTHONIOENCODING": "ascii"}
        done = gate(*arguments, "-t", "gcs", stdout=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr) == (1, "")
    assert r"gcs  \xfc\U0001f600  (bucket)" in done.stdout
