"""The documents say what the code does: lists that are closed, links that lead somewhere, examples that run."""

from __future__ import annotations

import importlib
import json
import re
import sys
import threading
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from diga_verify.checkers import registry
from diga_verify.cli import main
from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.cli.verbs import VERBS, command
from diga_verify.gateway.endpoints import stand_in
from diga_verify.judgement import Scope
from diga_verify.model import TYPES, Reason, Role, Unread, Verdict
from diga_verify.policy import default_policy, parse_policy
from diga_verify.report import Report
from diga_verify.verify import Run, verify

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
README, EXIT_CODES, UNVERIFIED, RESPOND, CHECKERS, PERMISSIONS, LIMITS = (
    (ROOT / name).read_text(encoding="utf-8")
    for name in (
        "README.md",
        "docs/exit-codes.md",
        "docs/unverified.md",
        "docs/respond.md",
        "docs/checkers.md",
        "docs/permissions.md",
        "docs/limits.md",
    )
)
TODAY = date(2026, 11, 23)


def without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def code(text: str, language: str) -> str:
    """The first block in that language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found, f"no block of {language}"
    return found[1]


def sections(text: str, mark: str = "##") -> dict[str, str]:
    """The text below each heading, by heading."""
    parts = re.split(rf"^{mark} (.+)$", without_code(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def table(text: str, head: str) -> list[str]:
    """The lines of the table whose first line begins with `head`."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(head))
    end = next(number for number in range(start, len(lines)) if not lines[number].startswith("|"))
    return lines[start:end]


def anchors(page: Path) -> set[str]:
    """The anchors of a page, made of its headings as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links() -> Iterator[tuple[Path, str]]:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text(encoding="utf-8"))):
            if not target.startswith("https://"):
                yield page, target


def test_every_reason_has_its_section_in_order() -> None:
    assert list(sections(UNVERIFIED)) == [reason.value for reason in Reason]


@pytest.fixture(scope="module")
def compliant() -> Report:
    """The report of a run in which nothing is wrong."""
    report = run_against_shipped_world("compliant", quiet=True)
    assert report.exit_code == 0
    return report


@pytest.mark.parametrize("reason", Reason)
def test_the_section_of_a_reason_names_the_exit_code_of_a_run_with_it(reason: Reason, compliant: Report) -> None:
    unread = (Unread("gcs", "buckets", reason, ""),)
    judgement = replace(compliant.judgement, unread=unread)
    signals = (2, 15) if reason is Reason.INTERRUPTED else (None,)
    reports = [replace(compliant, judgement=judgement, interrupted_by=signal) for signal in signals]
    codes = " or ".join(str(report.exit_code) for report in reports)
    assert f"\nExit code: {codes}\n" in sections(UNVERIFIED)[reason]


def test_every_type_has_its_section_with_every_role_that_is_read() -> None:
    assert list(sections(RESPOND)) == ["procedure", *TYPES, "missing", "waiver"]
    for type in TYPES:
        roles = set(re.findall(r"^\| `(\w+)`", sections(RESPOND)[type], re.MULTILINE))
        module = importlib.import_module(f"diga_verify.checkers.{type}")
        source = Path(str(module.__file__)).read_text(encoding="utf-8")
        read = {role.value for role in Role if f"Role.{role.name}" in source}
        # A key ring is no key to itself: the checker of KMS reads where it lives.
        assert roles == read, type


def test_both_tables_of_exit_codes_are_the_same() -> None:
    assert table(README, "| code |") == table(EXIT_CODES, "| code |")


def test_the_table_of_exit_codes_has_those_that_the_program_ends_with() -> None:
    codes = re.findall(r"^\| (\d+(?:, \d+)*) \|", "\n".join(table(EXIT_CODES, "| code |")), re.MULTILINE)
    assert codes == ["0", "1", str(main.USAGE), "3", str(main.NOT_WRITTEN), str(main.BUG), "130, 143"]


def test_there_are_links_to_look_at() -> None:
    assert {page.name for page, _ in links()} >= {"README.md", "exit-codes.md", "respond.md", "unverified.md"}


@pytest.mark.parametrize(("page", "target"), [pytest.param(*link, id=f"{link[0].name}-{link[1]}") for link in links()])
def test_every_link_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    to = (page.parent / name).resolve() if name else page
    assert to.is_relative_to(ROOT)
    assert to.is_file()
    assert not anchor or anchor in anchors(to)


def test_the_permissions_are_those_of_the_checkers() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| `[a-z]+\.googleapis\.com` \| (.*) \|$", PERMISSIONS, re.MULTILINE),
    )
    listed = {type: tuple(re.findall(r"`([\w.]+)`", cell)) for type, cell in rows.items()}
    assert listed == {checker.type: checker.permissions for checker in registry.BUILTIN}


def test_the_role_holds_the_permissions_and_no_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["types", "--permissions"]) == 0
    needed = capsys.readouterr().out.split()
    assert sorted(re.findall(r"^  - (\S+)$", code(PERMISSIONS, "yaml"), re.MULTILINE)) == sorted(needed)


def test_the_limits_are_those_of_the_checkers() -> None:
    listed = {type: tuple(re.findall(r"^\* (.+)$", text, re.MULTILINE)) for type, text in limits_by_type()}
    assert listed == {checker.type: checker.limits for checker in registry.BUILTIN}


def limits_by_type() -> Iterator[tuple[str, str]]:
    yield from sections(sections(LIMITS)["Limits by type"], "###").items()


def test_the_policy_of_the_readme_is_valid() -> None:
    policy = parse_policy(code(README, "toml").encode(), path="README.md", today=TODAY)
    assert policy.environment("production").unused == frozenset({"redis"})


def test_the_readme_shows_what_the_demo_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert main.run(["demo", "--format", "table", "--color", "never"]) == 1
    printed = re.sub(r"(127\.0\.0\.1):\d+", r"\1:PORT", capsys.readouterr().out).strip().split("\n\n")
    shown = code(README, "text").strip().split("\n\n")
    assert [block for block in printed if block in shown] == shown


def test_the_readme_lists_the_commands_and_options_that_there_are() -> None:
    commands: dict[str, Any] = command(*VERBS).commands
    options = {
        name: {option for param in command.params for option in param.opts} for name, command in commands.items()
    }
    listed = sections(README)["Command line"].partition("`diga-verify verify --help`")[0]
    written = set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", listed))
    assert written <= set().union(*options.values())
    assert [name for name in VERBS if name != "verify" and f"diga-verify {name}" not in listed] == []


def test_every_option_of_the_gate_is_told_of_somewhere() -> None:
    text = "\n".join(page.read_text("utf-8") for page in PAGES if page.name != "CHANGELOG.md")
    told = set(re.findall(r"(?<![\w-])--?[a-zA-Z][a-z-]*", text))
    gate = command("verify").commands["verify"].params
    assert [param.opts for param in gate if param.param_type_name == "option" and not told & {*param.opts}] == []


def test_the_readme_draws_the_layers_that_are_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    layers, _ = project["tool"]["importlinter"]["contracts"]
    drawn = sections(README)["Contributing"].partition("arrows point down:")[2].partition("`make lint`")[0]
    assert [line.split() for line in drawn.strip().splitlines()] == [row.split(" | ") for row in layers["layers"]]


class TestTheCheckerOfTheDocuments:
    """The example in docs/checkers.md, installed beside diga-verify as a distribution of its own."""

    @pytest.fixture(autouse=True)
    def _installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        project = tomllib.loads(code(CHECKERS, "toml"))["project"]
        [(name, value)] = project["entry-points"][registry.GROUP].items()
        module = value.partition(":")[0]
        (tmp_path / f"{module}.py").write_text(code(CHECKERS, "python"), encoding="utf-8")
        info = tmp_path / f"{module}-{project['version']}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {project['name']}\nVersion: {project['version']}\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{name} = {value}\n", encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        yield
        sys.modules.pop(module, None)

    def test_it_is_registered_beside_the_built_in_ones(self) -> None:
        found = registry.registered()
        assert list(found) == [*TYPES, "filestore"]
        assert (found["filestore"].distribution, found["filestore"].version) == ("acme-filestore", "1.0")

    def test_it_reads_every_placement_through_the_gateway(self, stand_in_url: str) -> None:
        checkers = registry.registered()
        policy = parse_policy(default_policy(), path="regions.toml", today=TODAY, known_types=tuple(checkers))
        run = Run("production", "p", policy, Scope(("filestore",), whole=False), endpoints=stand_in(stand_in_url))
        report = verify(run, checkers)
        assert report.judgement.unread == ()
        read = {
            judged.resource.full_name.rpartition("/")[2]: [
                (place.placement.role, place.location, place.verdict) for place in judged.placements
            ]
            for judged in report.judgement.resources
        }
        good, bad = Verdict.COMPLIANT, Verdict.VIOLATION
        assert read == {
            "good": [(Role.PRIMARY, "europe-west3-a", good), (Role.KEY, "europe-west3", good)],
            "twin": [(Role.REPLICA, "us-east1", bad), (Role.PRIMARY, "europe-west3", good)],
            "monday": [(Role.BACKUP, "europe-west4", good), (Role.KEY, "global", bad)],
        }


ANSWERS: dict[str, dict[str, Any]] = {
    "/cloudresourcemanager.googleapis.com/v3/projects/p": {
        "name": "projects/1",
        "projectId": "p",
        "state": "ACTIVE",
    },
    "/cloudresourcemanager.googleapis.com/v3/projects/p:testIamPermissions": {
        "permissions": ["file.instances.list", "file.backups.list"]
    },
    "/file.googleapis.com/v1/projects/p/locations/-/instances": {
        "instances": [
            {
                "name": "projects/p/locations/europe-west3-a/instances/good",
                "kmsKeyName": "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k",
            },
            {
                "name": "projects/p/locations/us-east1/instances/twin",
                "replication": {
                    "role": "STANDBY",
                    "replicas": [{"peerInstance": "projects/p/locations/europe-west3/instances/other"}],
                },
            },
        ]
    },
    "/file.googleapis.com/v1/projects/p/locations/-/backups": {
        "backups": [
            {
                "name": "projects/p/locations/europe-west4/backups/monday",
                "kmsKey": "projects/p/locations/global/keyRings/r/cryptoKeys/k",
            }
        ]
    },
}


class _StandIn(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = ANSWERS.get(self.path.partition("?")[0])
        self.send_response(404 if answer is None else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answer or {}).encode())

    do_POST = do_GET  # noqa: N815 - likewise

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def stand_in_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _StandIn) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
