"""What the image leaves out: the gate says the same without it, and when that is not certain nothing is left out.

No image is built here. Its environment is made instead, of links to the packages that are installed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import pytest
from googleapiclient import discovery_cache
from packaging.requirements import Requirement

from diga_verify.cli.main import run
from diga_verify.model import Reason
from diga_verify.report import Report

ROOT = Path(__file__).parents[2]
DOCUMENTS = Path("googleapiclient", "discovery_cache", "documents")
BUILD_TOOLS = {"editables", "hatchling", "pathspec", "pluggy", "tomlkit", "trove-classifiers"}
DEMO = ["demo", "-f", "json"]
GATE = "import sys; sys.path.append(sys.argv.pop(1)); from diga_verify.cli.main import main; main()"
BUILDS = """
import sys
sys.path.append(sys.argv[1])
from googleapiclient.discovery import build

class Network:
    def request(self, *_, **__):
        raise AssertionError("something was fetched")

for name in sys.argv[2:]:
    service, version = name.split(".")
    build(service, version, http=Network(), static_discovery=True, cache_discovery=False)
    print(service, version)
"""


def python(*words: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Python without any of the packages that this one has."""
    command = [sys.executable, "-I", "-S", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)


def prune(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/prune.py", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def site(environment: Path) -> Path:
    return environment / "lib" / "python3.11" / "site-packages"


def files(folder: Path) -> set[str]:
    walked = ((Path(at).relative_to(folder), names) for at, _, names in os.walk(folder))
    return {f"{at}/{name}" for at, names in walked for name in names}


def without_times(text: str) -> Any:
    """A JSON report, less what differs between two runs."""
    report: Any = json.loads(text)
    del report["started_at"], report["finished_at"]
    for call in report["calls"]:
        del call["started_at"], call["duration_ms"]
    return json.loads(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", json.dumps(report)))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Callable[[Path], Path]:
    """Makes an environment as the image's before it is pruned: what is locked, as links, and our own wheel."""
    lines = re.findall(r"^\w.*?(?= \\$)", (ROOT / "requirements" / "run.txt").read_text("utf-8"), re.MULTILINE)
    locked = [one.name for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate()]
    records = [str(file) for name in locked for file in distribution(name).files or []]
    packages = str(distribution("requests").locate_file(""))

    def installed(environment: Path) -> Path:
        for folder in {os.path.dirname(record) for record in records}:  # noqa: PTH120 - thousands: pathlib takes seconds
            os.makedirs(site(environment) / folder, exist_ok=True)  # noqa: PTH103
        for record in records:
            os.symlink(f"{packages}/{record}", f"{site(environment)}/{record}")  # noqa: PTH211
        with zipfile.ZipFile(wheel) as opened:
            opened.extractall(site(environment))
        return environment

    return installed


class Image:
    """An environment before and after it was pruned; what the gate said there, and what a run of it left behind."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.environment = environment
        self.before = files(environment)
        self.pruning = prune(str(environment))
        self.after = files(environment)
        nowhere = {"HOME": str(folder), "TMPDIR": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        self.run = python("-B", "-c", GATE, str(site(environment)), *DEMO, cwd=folder, env=nowhere)
        self.written = files(environment) - self.after | files(folder)


@pytest.fixture(scope="module")
def image(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Image:
    return Image(installed(tmp_path_factory.mktemp("environment")), tmp_path_factory.mktemp("empty"))


class TestPruning:
    def test_what_built_the_package_goes_and_what_it_requires_stays(self, image: Image) -> None:
        assert image.pruning.returncode == 0, image.pruning.stderr
        assert f"removed: {', '.join(sorted(BUILD_TOOLS))}\n" in image.pruning.stdout
        gone = {path.split("/")[-2] for path in image.before - image.after if path.endswith(".dist-info/METADATA")}
        assert {name.partition("-")[0].replace("_", "-") for name in gone} == BUILD_TOOLS
        assert not (site(image.environment) / "hatchling").exists()
        assert "bin/hatchling" in image.before
        assert "bin/hatchling" not in image.after

    def test_of_what_stays_only_documents_go(self, image: Image) -> None:
        prefix = str(site(image.environment).relative_to(image.environment))
        built = tuple(f"{prefix}/{name.replace('-', '_')}" for name in BUILD_TOOLS)
        gone = {path for path in image.before - image.after if not path.startswith((*built, "bin/"))}
        assert {Path(path).parent for path in gone} == {Path(prefix) / DOCUMENTS}
        assert len(gone) > 500

    def test_what_was_linked_to_is_still_there(self, image: Image) -> None:
        assert image.before != image.after
        assert (Path(discovery_cache.DISCOVERY_DOC_DIR) / "compute.v1.json").is_file()

    def test_every_document_that_is_kept_makes_a_client_without_a_network(self, image: Image) -> None:
        kept = sorted(path.stem for path in (site(image.environment) / DOCUMENTS).iterdir())
        assert f"documents kept: {', '.join(kept)}\n" in image.pruning.stdout
        done = python("-c", BUILDS, str(site(image.environment)), *kept)
        assert done.stderr == ""
        assert done.stdout.split("\n") == [*(name.replace(".", " ") for name in kept), ""]

    def test_the_gate_says_what_it_says_here(self, image: Image, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(DEMO) == image.run.returncode == 1, image.run.stderr
        here = capsys.readouterr()
        assert without_times(image.run.stdout) == without_times(here.out)
        assert image.run.stderr == here.err

    def test_a_run_writes_nothing_so_a_read_only_root_will_do(self, image: Image) -> None:
        assert image.run.returncode == 1
        assert image.written == set()


class TestWhatCannotBePruned:
    """It ends with 1 and says why, and everything is still there."""

    @pytest.fixture
    def environment(self, tmp_path: Path) -> Path:
        """As small as it gets: diga-verify, which requires a library, asks for two documents out of four."""
        add(tmp_path, "google-api-python-client", requires=["uritemplate"])
        add(tmp_path, "uritemplate")
        add(tmp_path, "spare")
        add(tmp_path, "diga-verify", "g.clients.discovery('redis', 'v1')\nHOSTS = ['storage.v1', 'tzdata.v1']\n")
        add(tmp_path, "diga-verify", requires=["google_api.python-client>=2", "apprise; extra == 'notify'"])
        (site(tmp_path) / DOCUMENTS).mkdir(parents=True)
        for name in ("redis.v1", "storage.v1", "compute.v1", "index"):
            (site(tmp_path) / DOCUMENTS / f"{name}.json").write_text("{}")
        return tmp_path

    def refused(self, environment: Path) -> str:
        before = files(environment)
        done = prune(str(environment))
        assert (done.returncode, done.stdout) == (1, "")
        assert files(environment) == before
        return done.stderr

    def kept(self, environment: Path) -> set[str]:
        assert prune(str(environment)).returncode == 0
        return {path.stem for path in (site(environment) / DOCUMENTS).iterdir()}

    def test_this_one_can(self, environment: Path) -> None:
        assert self.kept(environment) == {"redis.v1", "storage.v1"}
        assert {path.name for path in site(environment).glob("*.py")} == {
            "diga_verify.py",
            "google_api_python_client.py",
            "uritemplate.py",
        }
        assert not [*site(environment).glob("spare*")]

    def test_a_document_that_is_not_there(self, environment: Path) -> None:
        (site(environment) / DOCUMENTS / "redis.v1.json").unlink()
        assert "not there: redis.v1\n" in self.refused(environment)

    def test_a_document_that_only_the_gateway_asks_for(self, environment: Path) -> None:
        add(environment, "diga-verify", "gateway.collection('sqladmin', 'v1', 'instances')\n")
        assert "not there: sqladmin.v1\n" in self.refused(environment)

    def test_a_library_that_is_not_there(self, environment: Path) -> None:
        shutil.rmtree(next(site(environment).glob("uritemplate-*")))
        assert "uritemplate is required, and not installed" in self.refused(environment)

    def test_diga_verify_without_its_code(self, environment: Path) -> None:
        (site(environment) / "diga_verify-1.0.dist-info" / "RECORD").write_text("diga_verify.pth,,\n")
        assert "is its code in" in self.refused(environment)

    def test_a_folder_that_is_no_environment(self, tmp_path: Path) -> None:
        (tmp_path / "lib").mkdir()
        assert "is not a virtual environment" in self.refused(tmp_path / "lib")

    def test_a_checker_of_somebody_else_keeps_what_it_asks_for(self, environment: Path) -> None:
        points = "[diga_verify.checkers]\ncompute = acme_compute:CHECKER\n"
        add(environment, "acme-compute", "g.discovery('compute', 'v1')\n", requires=["spare"], points=points)
        assert self.kept(environment) == {"compute.v1", "redis.v1", "storage.v1"}
        assert [*site(environment).glob("spare-*")]

    def test_what_a_record_names_outside_of_the_environment_stays(self, environment: Path, tmp_path: Path) -> None:
        other = tmp_path.parent / f"{tmp_path.name}-other.py"
        other.write_text("")
        (site(environment) / "spare-1.0.dist-info" / "RECORD").write_text(f"../../../../{other.name},,\n")
        self.kept(environment)
        assert other.is_file()


def add(
    environment: Path, name: str, code: str | None = None, requires: list[str] | None = None, points: str = ""
) -> None:
    """A distribution of one module, or other code or requirements for one that is there."""
    module = name.replace("-", "_")
    info = site(environment) / f"{module}-1.0.dist-info"
    info.mkdir(parents=True, exist_ok=True)
    (info / "entry_points.txt").write_text(points)
    listed = [f"{module}.py", *(f"{info.name}/{one}" for one in ("METADATA", "RECORD", "entry_points.txt"))]
    (info / "RECORD").write_text("".join(f"{one},,\n" for one in listed))
    with (site(environment) / f"{module}.py").open("w" if code else "a") as file:
        file.write(code or "")
    if requires is not None or code is None:
        lines = [f"Requires-Dist: {line}" for line in requires or []]
        (info / "METADATA").write_text("\n".join([f"Name: {name}", "Version: 1.0", *lines, ""]))


def test_a_document_that_is_missing_after_all_leaves_its_type_unread_and_fetches_nothing(
    gate: Callable[..., Report],
    world: Callable[[], dict[str, Any]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    documents = Path(discovery_cache.DISCOVERY_DOC_DIR)
    for path in documents.glob("*.json"):
        if path.stem != "sqladmin.v1":
            (tmp_path / path.name).symlink_to(path)
    monkeypatch.setattr(discovery_cache, "DISCOVERY_DOC_DIR", str(tmp_path))
    report = gate(world())
    [unread] = [one for one in report.judgement.unread if one.type == "sql"]
    assert (report.exit_code, unread.reason) == (3, Reason.UNEXPECTED_ERROR)
    assert "UnknownApiNameOrVersion" in unread.detail
    assert not [call for call in report.calls if call.service == "sqladmin.googleapis.com"]
