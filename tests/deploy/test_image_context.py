"""What gets into the build of the image, before Buildah itself: what it is built of, and no secret that lies around."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILDAH = shutil.which("buildah")
WANTED = {
    "README.md",
    "pyproject.toml",
    "regions.toml",
    "requirements/run.txt",
    "src/diga_verify/__init__.py",
    "src/diga_verify/simulator/worlds/demo.toml",
    "tools/prune.py",
}
UNWANTED = {
    ".env",
    ".git/config",
    "deploy/terraform/terraform.tfstate",
    "gha-creds-1.json",
    "key.pem",
    "report.json",
    "requirements/dev.txt",
    "src/diga_verify/.env",
    "src/diga_verify/simulator/__pycache__/world.pyc",
    "src/other/__init__.py",
    "tools/services.py",
}
pytestmark = [
    pytest.mark.skipif(BUILDAH is None, reason="buildah is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can use buildah without setting it up"),
]


def test_the_build_gets_what_it_needs_and_nothing_else(tmp_path: Path) -> None:
    context, out = tmp_path / "context", tmp_path / "out"
    for name in WANTED | UNWANTED:
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(name)
    shutil.copy(ROOT / ".dockerignore", context)
    probe = tmp_path / "Containerfile"
    probe.write_text("FROM scratch\nCOPY . /\n")
    store = [f"--root={tmp_path}/root", f"--runroot={tmp_path}/run", "--storage-driver=vfs"]
    build = ["build", "--quiet", "--no-cache", f"--file={probe}", f"--output=type=local,dest={out}", str(context)]
    done = subprocess.run([str(BUILDAH), *store, *build], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()} == WANTED
