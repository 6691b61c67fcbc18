"""docs/auditors.md, done as it says: the company's part in one folder, the auditor's in another."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli import main
from diga_verify.cli.verbs import VERBS
from diga_verify.cli.verbs import command as parser

DOCS = Path(__file__).parents[1] / "docs"
PAGE = (DOCS / "auditors.md").read_text(encoding="utf-8")
EXAMPLE = PAGE.partition("## A worked example")[2]
BLOCKS: list[str] = re.findall(r"^```bash\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL)
SHOWN: list[str] = re.findall(r"^```text\n(.*?)^```$", EXAMPLE, re.MULTILINE | re.DOTALL)
SENT = ("report.json", "evidence.json", "regions.toml", "attestation.json")
TOOLS = ("bash", "jq", "openssl")
MISSING = [tool for tool in TOOLS if shutil.which(tool) is None]

needs_tools = pytest.mark.skipif(bool(MISSING), reason=f"the page uses {', '.join(MISSING)}, not found on PATH")


@dataclass(frozen=True)
class Folders:
    company: Path
    auditor: Path


def shell(text: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: os.environ[name] for name in ("HOME", "LANG", "LC_ALL") if name in os.environ}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen(
        ["bash", "-c", text],
        cwd=folder,
        env=environment | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate(timeout=120)
        finally:
            with contextlib.suppress(ProcessLookupError):  # what it left behind, such as a simulator
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(text, process.returncode, out, err)


def commands(block: str) -> list[str]:
    """The commands of a block, each with its continued lines."""
    return block.replace("\\\n", " ").strip().splitlines()


def checks(folder: Path) -> list[int]:
    """The exit codes of the two commands that check the files; in this process, for that is quicker."""
    with contextlib.chdir(folder):
        return [main.run(shlex.split(command)[1:]) for command in commands(BLOCKS[1])]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    made = Folders(tmp_path_factory.mktemp("company"), tmp_path_factory.mktemp("auditor"))
    done = shell(BLOCKS[0], made.company)
    assert "exit 1" in done.stdout, done.stderr
    for name in (*SENT, "key.pub.pem"):
        shutil.copy(made.company / name, made.auditor)
    return made


@needs_tools
def test_the_files_are_genuine_and_lead_to_the_same_report(folders: Folders) -> None:
    assert checks(folders.auditor) == [1, 1]
    attested, replayed = commands(BLOCKS[1])
    assert shell(attested.replace("--allow-simulated", ""), folders.auditor).returncode == 3
    assert shell(replayed, folders.auditor).returncode == 1


@needs_tools
@pytest.mark.parametrize(("block", "shown"), [*zip(BLOCKS[2:], SHOWN, strict=True)], ids=["sample", "controls", "law"])
def test_the_auditor_sees_what_the_page_shows(folders: Folders, block: str, shown: str) -> None:
    done = shell(block, folders.auditor)
    assert (done.stdout, done.stderr) == (shown, "")


@needs_tools
def test_a_pointer_leads_to_what_the_report_says(folders: Folders) -> None:
    [recipe] = re.findall(r"^    pointer=.*?evidence\.json$", PAGE, re.MULTILINE | re.DOTALL)
    of_backup = (
        '.resources[] | select(.name == "dta-postgres") | .placements[] | select(.verdict == "violation").evidence'
    )
    recipe = recipe.replace(".resources[1].placements[2].evidence", of_backup)
    assert of_backup in recipe
    done = shell(recipe, folders.auditor)
    assert (done.stdout, done.stderr) == ('"us"\n', "")


@needs_tools
def test_a_sample_can_be_drawn_twice(folders: Folders) -> None:
    [recipe] = re.findall(r"^    jq -r [^\n]*full_name as.*?\)$", PAGE, re.MULTILINE | re.DOTALL)
    first, second = shell(recipe, folders.auditor), shell(recipe, folders.auditor)
    assert first.stderr == ""
    assert len(first.stdout.splitlines()) == 25
    assert first.stdout == second.stdout


@needs_tools
@pytest.mark.parametrize("name", SENT)
def test_a_changed_byte_is_found(folders: Folders, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(folders.auditor, tmp_path / "changed")
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    assert 3 in checks(folder)


def told_commands() -> list[tuple[str, str]]:
    """Every command line of diga-verify on the pages for auditors, by page."""
    pages = ("auditors.md", "checklist.md", "controls.md", "respond.md")
    found = []
    for name in pages:
        text = (DOCS / name).read_text(encoding="utf-8").replace("\\\n", " ")
        found += [(name, line.strip()) for line in re.findall(r"^ *(diga-verify .+)$", text, re.MULTILINE)]
        found += [(name, line) for line in re.findall(r"`(diga-verify [^`]+)`", text)]
    return found


@pytest.mark.parametrize(("page", "line"), told_commands())
def test_a_command_that_a_page_tells_has_its_verb_and_options(page: str, line: str) -> None:
    del page
    words = re.split(r"\s{2,}(?!-)", line.partition(" | ")[0])[0].split()[1:]
    command: Any = parser(*VERBS)
    if words[0] not in command.commands:
        assert words[0] in ("production", "ENVIRONMENT"), words[0]
        words.insert(0, "verify")
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    known = {option for param in command.params for option in param.opts}
    assert [word for word in words if word.startswith("-") and word not in known] == []
