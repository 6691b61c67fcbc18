"""The built wheel works where the source tree is out of reach: policy, schemas and worlds are inside."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SCRIPT = """
import sys
wheel, source = sys.argv[1:3]
sys.path[:] = [wheel, *(path for path in sys.path if path != source)]
import diga_verify
assert diga_verify.__file__.startswith(wheel), diga_verify.__file__
from diga_verify.cli.main import main
sys.argv[1:] = sys.argv[3:]
main()
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unpacked wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (archive,) = folder.glob("diga_verify-*.whl")
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(folder / "unpacked")
    return folder / "unpacked"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["demo", "-q"], 1),
        (["demo", "-q", "--world", "compliant"], 0),
        (["policy", "init", "regions.toml"], 0),
        (["policy", "schema"], 0),
        (["locations", "EUR8"], 0),
    ],
)
def test_the_wheel_stands_on_its_own(words: list[str], code: int, wheel: Path, tmp_path: Path) -> None:
    call = [sys.executable, "-c", SCRIPT, str(wheel), str(ROOT / "src"), *words]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr


def test_what_belongs_in_the_wheel_is_inside(wheel: Path) -> None:
    inside = {str(path.relative_to(wheel / "diga_verify")) for path in (wheel / "diga_verify").rglob("*")}
    assert {
        "py.typed",
        "policy/regions.toml",
        "policy/regions.schema.json",
        "formats/drift.schema.json",
        "formats/report.schema.json",
        "locations/table.toml",
        "services.toml",
        "simulator/worlds/demo.toml",
        "simulator/worlds/compliant.toml",
    } <= inside
    assert (wheel / "diga_verify/policy/regions.toml").read_bytes() == (ROOT / "regions.toml").read_bytes()
