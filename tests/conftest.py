"""What tests share: a world to spoil, a run against it, and hypothesis without a clock."""

from __future__ import annotations

import copy
import os
import re
import tomllib
from collections.abc import Callable
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from requests.adapters import HTTPAdapter

from diga_verify.checkers.registry import registered
from diga_verify.gateway.endpoints import stand_in
from diga_verify.gateway.live import Live
from diga_verify.gateway.patience import Patience
from diga_verify.judgement import Scope
from diga_verify.model import TYPES
from diga_verify.policy import Policy, default_policy, parse_policy
from diga_verify.report import Report
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import HOSTS, World
from diga_verify.verify import Run, verify

_NOT_OURS = re.compile(
    r"(DIGA_VERIFY|GOOGLE|GCLOUD|CLOUDSDK_(CONFIG|CORE|API)|GCE_METADATA|GITHUB|GITLAB|CI|BUILDKITE)(_.*)?"
    r"|(http|https|all|no)_proxy|(REQUESTS|CURL)_CA_BUNDLE|SSL_CERT_(FILE|DIR)|NETRC"
    r"|(NO|FORCE|PY)_COLORS?|CLICOLOR(_FORCE)?|COLUMNS|LINES|TERM",
    re.IGNORECASE,
)
"""What the machine that runs the tests may tell a program; a test says itself what it wants said."""

for name in [name for name in os.environ if _NOT_OURS.fullmatch(name) and name != "DIGA_VERIFY_RECORDINGS"]:
    del os.environ[name]  # at once: some modules of the tests run programs as they are collected

settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("steady")

TODAY = date(2026, 11, 23)
_COMPLIANT = tomllib.loads(
    resources.files("diga_verify.simulator").joinpath("worlds", "compliant.toml").read_text("utf-8")
)


@pytest.fixture
def world() -> Callable[[], dict[str, Any]]:
    """A fresh copy of the shipped compliant world, with pages of one resource, for a test to spoil."""

    def world() -> dict[str, Any]:
        table = copy.deepcopy(_COMPLIANT)
        table["paging"] = {"size": 1}
        return table

    return world


@pytest.fixture
def clean_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which commands are typed, 80 columns wide."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def folder(clean_folder: Path) -> Path:
    """The same with the default policy."""
    (clean_folder / "regions.toml").write_bytes(default_policy())
    return clean_folder


@pytest.fixture
def policy() -> Callable[..., Policy]:
    """The default policy, each `(old, new)` replaced in its text, and `more` at its end."""

    def policy(*changes: tuple[str, str], more: str = "") -> Policy:
        text = default_policy().decode()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        return parse_policy(f"{text}\n{more}".encode(), path="regions.toml", today=TODAY)

    return policy


@pytest.fixture
def gate(policy: Callable[..., Policy]) -> Callable[..., Report]:
    """The gate against the simulator of a world; impatient, so that a failing call fails at once."""

    def gate(table: dict[str, Any], *types: str, rules: Policy | None = None, **options: Any) -> Report:
        options.setdefault("patience", Patience(attempts=1))
        options.setdefault("scope", Scope(types or TYPES))
        with Simulator(World.from_dict(table)) as simulator:
            run = Run(
                environment=options.pop("environment", "production"),
                project="dtx-data",
                policy=rules or policy(),
                endpoints=stand_in(simulator.url),
                **options,
            )
            return verify(run, registered())

    return gate


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the calls of one type, which never end anyway, have `call` seconds, or `read` seconds for the next bytes.
    All other calls keep their budgets: on a busy machine an ordinary answer may take longer than any small one."""
    usual_send, usual_deadline = HTTPAdapter.send, Live.deadline

    def hurry(type: str, *, call: float = 1000.0, read: float = 1000.0) -> None:
        def send(door: HTTPAdapter, request: Any, *, timeout: tuple[float, float], **options: Any) -> Any:
            small = min(read, timeout[1]) if HOSTS[type] in request.url else timeout[1]
            return usual_send(door, request, timeout=(timeout[0], small), **options)

        def deadline(live: Live, of: str) -> float:
            usual = usual_deadline(live, of)
            return min(usual, live.patience.clock() + call) if of == type else usual

        monkeypatch.setattr(HTTPAdapter, "send", send)
        monkeypatch.setattr(Live, "deadline", deadline)

    return hurry


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, str], list[None]]:
    """Makes a list, for a function of an owner, that gets longer with every call."""

    def counted(owner: Any, name: str) -> list[None]:
        calls: list[None] = []
        usual = getattr(owner, name)

        def call(*words: Any) -> Any:
            calls.append(None)
            return usual(*words)

        monkeypatch.setattr(owner, name, call)
        return calls

    return counted


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--matrix", action="store_true", help="print failures x types -> exit code (make matrix)")
    parser.addoption("--law-runs", default="80", help="runs with a fault, over all worlds (make law)")
    parser.addoption("--law-seed", default="0", help="another seed gives other worlds")


OUTSIDE = {
    "test_gcloud": "Google Cloud SDK",
    "test_image_context": "Buildah",
    "test_prometheus": "Prometheus and its Pushgateway",
    "test_recordings": "recorded answers of Google's servers",
    "test_sarif_multitool": "SARIF multitool",
}
"""Tests that need what a machine may lack; where it is missing they skip, and nobody should overlook that."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests ran against what we did not make ourselves."""
    for module, what in OUTSIDE.items():
        ran, skipped = (
            sum(f"/{module}.py" in report.nodeid for report in terminalreporter.stats.get(outcome, []))
            for outcome in ("passed", "skipped")
        )
        terminalreporter.write_line(f"{what}: {ran} tests ran, {skipped} skipped")
    if terminalreporter.config.getoption("--matrix"):
        _print_matrix(terminalreporter)


def _print_matrix(terminalreporter: pytest.TerminalReporter) -> None:
    """The exit code of every failure of every type, as the tests that ran saw it."""
    codes: dict[str, dict[str, str]] = {}
    for outcome, mark in (("passed", ""), ("failed", "!")):
        for report in terminalreporter.stats.get(outcome, []):
            for name, cell in report.user_properties:
                if name == "matrix":
                    failure, type, code = cell
                    codes.setdefault(failure, {})[type] = f"{code}{mark}"
    width = max(map(len, codes), default=0)
    terminalreporter.write_line(f"\n{'failure':{width}}  {'  '.join(f'{type:>9}' for type in TYPES)}")
    for failure, by_type in sorted(codes.items()):
        terminalreporter.write_line(
            f"{failure:{width}}  {'  '.join(f'{by_type.get(type, str()):>9}' for type in TYPES)}"
        )
    terminalreporter.write_line("exit codes; ! is not what the catalogue says")
