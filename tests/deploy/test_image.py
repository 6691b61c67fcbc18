"""How the container image is built: of what is locked and no more, for a user without rights on a read-only root."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
CONTAINERFILE = ROOT / "deploy" / "container" / "Containerfile"


def stages() -> list[list[tuple[str, str]]]:
    """The instructions of each stage of the Containerfile, as word and rest; those before the first come first."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", CONTAINERFILE.read_text("utf-8"), flags=re.MULTILINE))
    found: list[list[tuple[str, str]]] = [[]]
    for line in filter(None, text.splitlines()):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, rest))
    return found


def program(name: str) -> str:
    """One that is installed beside Python."""
    return str(Path(sys.executable).with_name(name))


HEAD, BUILD, FINAL = stages()
SETTINGS = dict(one.partition("=")[::2] for word, rest in FINAL if word == "ENV" for one in shlex.split(rest))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def final(word: str) -> str:
    """The instruction that is in force at the end."""
    return [rest for found, rest in FINAL if found == word][-1]


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run([program("hadolint"), str(CONTAINERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_both_stages_have_the_same_python_and_it_is_one_that_we_run_on() -> None:
    [(_, base)] = HEAD
    tag = re.fullmatch(r"BASE=docker\.io/library/python:(3\.\d+)-slim-bookworm", base)
    assert tag
    assert SpecifierSet(PROJECT["requires-python"]).contains(tag[1])
    assert f"Programming Language :: Python :: {tag[1]}" in PROJECT["classifiers"]
    assert [BUILD[0], FINAL[0]] == [("FROM", "${BASE} AS build"), ("FROM", "${BASE}")]


def test_nothing_is_installed_but_what_is_locked_and_ourselves() -> None:
    installs = [rest for word, rest in BUILD if word == "RUN" and " install " in rest]
    assert len(installs) == 2
    assert {"--require-hashes", "--no-deps", "--only-binary"} <= {*shlex.split(installs[0])}
    assert "--no-index" in shlex.split(installs[1])
    assert " && /opt/diga-verify/bin/python tools/prune.py /opt/diga-verify && " in installs[1]
    assert not [rest for word, rest in FINAL if word == "RUN" and "pip" in rest]


def test_the_final_stage_gets_the_environment_and_nothing_else() -> None:
    copies = [rest for word, rest in FINAL if word in ("COPY", "ADD")]
    assert copies == ["--from=build /opt/diga-verify /opt/diga-verify"]


def test_it_runs_as_nobody_in_particular() -> None:
    user, _, group = final("USER").partition(":")
    assert int(user) == int(group) > 0  # Kubernetes' runAsNonRoot wants a number
    assert f"-o {user} -g {group} {final('WORKDIR')}" in final("RUN")
    assert FINAL[-1][0] == "ENTRYPOINT"  # behind USER no layer is made


def test_it_starts_the_command_itself_so_that_signals_reach_it() -> None:
    [command] = json.loads(final("ENTRYPOINT"))
    assert command in PROJECT["scripts"]
    assert final("STOPSIGNAL") == "SIGTERM"
    assert not [
        rest for word, rest in FINAL if word == "CMD"
    ]  # without arguments it ends with 2, and says what it takes


@pytest.mark.parametrize(("isolated", "theirs"), [(False, True), (True, False)])
def test_the_code_that_is_to_be_deployed_is_no_part_of_the_gate(isolated: bool, theirs: bool, tmp_path: Path) -> None:
    """Whatever PYTHONPATH says, which pipelines of Python projects often set."""
    (tmp_path / "diga_verify").mkdir()
    (tmp_path / "diga_verify" / "__init__.py").write_text("raise SystemExit('theirs')\n")
    script = tmp_path / "script"
    shutil.copy(program("diga-verify"), script)
    steps = [shlex.split(step) for word, rest in BUILD if word == "RUN" for step in rest.split(" && ")]
    [edit] = [step for step in steps if step[0] == "sed"]
    assert edit[-1] == f"/opt/diga-verify/bin/{PROJECT['name']}"
    if isolated:
        subprocess.run([*edit[:-1], script], check=True)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([script, "--version"], env=env, capture_output=True, text=True, check=False)
    assert (done.stderr == "theirs\n", done.returncode != 0) == (theirs, theirs)


def test_bytecode_is_made_once_for_all_runs_and_by_none() -> None:
    compiled = [rest for stage in (BUILD, FINAL) for word, rest in stage if "compileall" in rest]
    assert [shlex.split(rest.partition(" && ")[0])[-1] for rest in compiled] == [
        "/opt/diga-verify/lib",
        "/usr/local/lib",
    ]
    assert all("--invalidation-mode unchecked-hash" in rest for rest in compiled)
    assert SETTINGS["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize("file", ["docs/image.md", "deploy/kubernetes/cronjob.yaml", "deploy/cloud-run/main.tf"])
def test_the_page_and_the_schedules_know_its_places_and_its_user(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    user = final("USER").partition(":")[0]
    names = (SETTINGS["DIGA_VERIFY_POLICY"], final("WORKDIR"), user)
    assert [name for name in names if not re.search(rf"{re.escape(name)}\b", text)] == []


def test_cloud_build_builds_it_on_the_same_base_and_under_the_same_name() -> None:
    file = CONTAINERFILE.with_name("cloudbuild.yaml")
    check = [program("check-jsonschema"), "--builtin-schema", "vendor.cloudbuild", str(file)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    build = YAML(typ="safe").load(file)
    assert f"BASE={build['substitutions']['_BASE']}" == HEAD[0][1]
    assert f"--file={CONTAINERFILE.relative_to(ROOT)}" in build["steps"][0]["args"]
    name = build["substitutions"]["_IMAGE"].replace("${PROJECT_ID}", "PROJECT")
    assert f"| `{name}` |" in (ROOT / "docs" / "image.md").read_text("utf-8")


def test_the_source_distribution_has_all_that_it_is_built_of(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    copied = [word for kind, rest in BUILD if kind == "COPY" for word in shlex.split(rest)[:-1]]
    wanted = [".dockerignore", str(CONTAINERFILE.relative_to(ROOT)), *copied]
    assert [name for name in wanted if not any(path == name or path.startswith(f"{name}/") for path in inside)] == []
