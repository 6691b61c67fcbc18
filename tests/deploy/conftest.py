"""What the tests of the pipeline files share: a shell as a platform would start it, and a gate of straw in it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from diga_verify.policy import default_policy

ROOT = Path(__file__).parents[2]
BASH = ("bash", "--noprofile", "--norc", "-e", "-o", "pipefail")
"""How GitHub runs `shell: bash`; GitLab's runner sets the same options."""


@dataclass(frozen=True)
class Done:
    code: int
    log: str
    """Standard output and standard error."""


@pytest.fixture(scope="session")
def documents() -> Callable[[str], list[Any]]:
    """Reads the YAML documents of a file in the repository."""

    def documents(path: str) -> list[Any]:
        return list(YAML(typ="safe", pure=True).load_all((ROOT / path).read_text(encoding="utf-8")))

    return documents


@pytest.fixture
def hostile() -> str:
    """Words that order a shell, or GitHub, to do something, if anybody reads them as more than a word."""
    return "$(touch pwned) `touch pwned`; touch pwned '\"\n::set-output name=verdict::compliant\ntouch pwned"


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., Done]:
    """Runs a script in a folder with the default policy, and with nothing of the caller's settings."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    (workspace / "regions.toml").write_bytes(default_policy())

    def shell(script: str, interpreter: tuple[str, ...] = BASH, **env: str) -> Done:
        file = tmp_path / "script.sh"
        file.write_text(script, encoding="utf-8")
        basic = {
            "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "COLUMNS": "80",
        }
        done = subprocess.run(
            [*interpreter, file], cwd=workspace, env=basic | env, capture_output=True, text=True, check=False
        )
        assert list(tmp_path.rglob("*pwned*")) == []
        return Done(done.returncode, done.stdout + done.stderr)

    return shell


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Makes a program: of that name on the PATH of `shell`, with that text."""

    def program(name: str, text: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
        return path

    return program


@dataclass(frozen=True)
class Straw:
    """A `diga-verify` that notes its words, writes what it is given for a report, and ends with a code."""

    folder: Path
    program: Callable[[str, str], Path]

    def __call__(self, code: int, report: str = "") -> Path:
        (self.folder / "straw.json").write_text(report, encoding="utf-8")
        text = f"""#!{sys.executable} -I
import json, pathlib, sys
words = sys.argv[1:]
with open({str(self.folder / "words")!r}, "a", encoding="utf-8") as file:
    print(json.dumps(words), file=file)
report = pathlib.Path({str(self.folder / "straw.json")!r}).read_text(encoding="utf-8")
for flag, name in zip(words, words[1:]):
    if flag == "-o" and report:
        pathlib.Path(name).write_text(report, encoding="utf-8")
sys.exit({code})
"""
        return self.program("diga-verify", text)

    @property
    def words(self) -> list[str]:
        """The words of all its runs, one after the other."""
        lines = (self.folder / "words").read_text(encoding="utf-8").splitlines()
        return [word for line in lines for word in json.loads(line)]


@pytest.fixture
def straw(tmp_path: Path, program: Callable[[str, str], Path]) -> Straw:
    return Straw(tmp_path, program)
