"""The scripts of the action, run as GitHub runs them, against the simulator or a gate of straw."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Step:
    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def reports(self) -> set[str]:
        """Names of the files that are kept."""
        folder = self.outputs.get("reports")
        return {path.name for path in Path(folder).iterdir()} if folder else set()


@pytest.fixture(scope="module")
def compliant() -> Iterator[str]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator.url


@pytest.fixture
def github(shell: Callable[..., Any], documents: Callable[[str], list[Any]], tmp_path: Path) -> Callable[..., Step]:
    """Runs a step of the action with inputs, as GitHub would."""
    action = documents("action.yml")[0]
    steps = {step["id"]: step for step in action["runs"]["steps"] if "id" in step}

    def github(step: str = "gate", python: Path | str = sys.executable, **inputs: str) -> Step:
        files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.touch()
        given = {name: one.get("default", "") for name, one in action["inputs"].items()}
        given |= {"environment": "production", "project": "dtx-data"} | inputs
        env = {}
        for name, value in steps[step]["env"].items():
            source, _, key = value.removeprefix("${{ ").removesuffix(" }}").rpartition(".")
            env[name] = given[key] if source == "inputs" else str(python) if source else value
        env |= {name: str(file) for name, file in files.items()}
        env |= {"RUNNER_TEMP": str(tmp_path), "GITHUB_ACTION_PATH": str(ROOT), "GITHUB_ACTIONS": "true"}
        done = shell(steps[step]["run"], **env)
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        outputs = dict(line.split("=", 1) for line in lines)
        return Step(done.code, done.log, outputs, files["GITHUB_STEP_SUMMARY"].read_text(encoding="utf-8"))

    return github


@pytest.fixture
def straw_python(straw: Any, program: Callable[[str, str], Path]) -> Callable[..., Path]:
    """Makes a Python in which the module `diga_verify` is of straw."""

    def straw_python(code: int, report: str = "") -> Path:
        gate = straw(code, report)
        return program(
            "python",
            f'#!/bin/sh\nif [ "$1 $2 $3" = "-I -m diga_verify" ]; then shift 3; exec "{gate}" "$@"; fi\n'
            f'exec "{sys.executable}" "$@"\n',
        )

    return straw_python


def a_report(
    exit_code: object = 0, verdict: str = "compliant", simulated: object = False, scope: str = "project"
) -> str:
    return json.dumps({"exit_code": exit_code, "verdict": verdict, "simulated": simulated, "scope": scope})


class TestTheGateOnGithub:
    REPORTS = frozenset({"report.json", "report.sarif", "report.md", "report.xml", "report.html"})

    def test_a_violation_stops_with_reports_and_a_summary(self, github: Callable[..., Step]) -> None:
        step = github(demo="demo")
        assert step.code == 1
        assert step.outputs["exit-code"] == "1"
        assert step.reports == self.REPORTS
        assert json.loads(Path(step.outputs["report"]).read_text(encoding="utf-8"))["verdict"] == "violation"
        assert step.summary.startswith("## diga-verify: violation, exit 1\n")
        assert "::error file=regions.toml,line=" in step.log
        # It was simulated, so it is no verdict about the project, and no alert in code scanning.
        assert step.outputs["verdict"] == ""
        assert "sarif" not in step.outputs

    def test_a_compliant_simulated_run_does_not_pass(self, github: Callable[..., Step], compliant: str) -> None:
        step = github(arguments=f"--api-root\n\n{compliant}\n", evidence="true", strict="true", deadline="100")
        assert (step.code, step.outputs["exit-code"], step.outputs["verdict"]) == (3, "3", "")
        assert "diga-verify: a trial does not pass: a stand-in for Google Cloud was asked; exit 3\n" in step.log
        assert "::error title=diga-verify::The gate did not end as its report says. " in step.log
        assert step.summary.startswith("**Exit code 3: The gate did not end as its report says. ")
        assert step.reports == self.REPORTS | {"evidence.json"}
        report = json.loads(Path(step.outputs["report"]).read_text(encoding="utf-8"))
        assert (report["exit_code"], report["strict"], report["simulated"]) == (0, True, True)

    def test_nor_does_a_compliant_demo(self, github: Callable[..., Step]) -> None:
        step = github(demo="compliant")
        assert (step.code, step.outputs["exit-code"], step.outputs["verdict"]) == (3, "3", "")

    def test_what_cannot_be_asked_is_not_verified(self, github: Callable[..., Step]) -> None:
        step = github(arguments="--api-root=http://127.0.0.1:9\n--deadline=0.5")
        assert (step.code, step.outputs["exit-code"]) == (3, "3")
        assert "## diga-verify: unverified, exit 3" in step.summary
        assert step.reports == self.REPORTS

    @pytest.mark.parametrize("name", ["environment", "project", "policy", "deadline", "baseline", "arguments", "demo"])
    def test_whatever_an_input_holds_is_a_word(
        self, name: str, hostile: str, github: Callable[..., Step], straw_python: Callable[..., Path], straw: Any
    ) -> None:
        step = github(python=straw_python(0, a_report()), **{name: hostile})
        assert step.code == 0
        assert [line for line in step.log.splitlines() if line.startswith("::")] == []
        prefix = {"policy": "--policy=", "deadline": "--deadline=", "baseline": "--baseline=", "demo": "--world="}
        expected = hostile.splitlines() if name == "arguments" else [prefix.get(name, "") + hostile]
        assert [word for word in straw.words if word in expected] == expected

    def test_hostile_inputs_through_the_gate_itself(self, github: Callable[..., Step], hostile: str) -> None:
        step = github(environment=hostile, project="--help")
        assert (step.code, step.outputs) == (2, {"exit-code": "2", "verdict": ""})
        assert [line for line in step.log.splitlines() if line.startswith("::")] == []
        assert step.summary == "## diga-verify: exit 2\nThere is no report. The log of the step says why.\n"

    def test_every_input_has_its_option(
        self, github: Callable[..., Step], straw_python: Callable[..., Path], straw: Any
    ) -> None:
        inputs = {"strict": "true", "deadline": "90", "baseline": "old.json", "evidence": "true", "attest-key": "k.pem"}
        step = github(python=straw_python(0, a_report()), **inputs, policy="p.toml", arguments="--deep\n-v")
        folder = step.outputs["reports"]
        assert straw.words == [
            *("verify", "-f", "github"),
            *("-o", f"{folder}/report.json", "-o", f"{folder}/report.sarif", "-o", f"{folder}/report.md"),
            *("-o", f"{folder}/report.xml", "-o", f"{folder}/report.html"),
            *("--policy=p.toml", "--strict", "--deadline=90", "--baseline=old.json"),
            *(f"--evidence={folder}/evidence.json", f"--attest={folder}/attestation.json", "--attest-key=k.pem"),
            *("--deep", "-v", "--", "production", "dtx-data"),
        ]

    @pytest.mark.parametrize("name", ["strict", "evidence", "code-scanning"])
    def test_a_switch_that_is_neither_true_nor_false_stops(self, name: str, github: Callable[..., Step]) -> None:
        step = github(**{name: "yes\n::notice::x"})
        assert step.code == 2
        assert step.log == f"::error title=diga-verify::The input {name} is neither true nor false.\n"

    @pytest.mark.parametrize(
        ("report", "said", "code"),
        [
            (a_report(), 0, 0),
            (a_report(0, "violation"), 0, 0),  # an environment that does not enforce
            ("", 0, 70),
            ("no JSON", 0, 70),
            ("{}", 0, 70),
            (a_report(1, "violation"), 0, 70),
            (a_report(None), 0, 70),
            (a_report(simulated=True), 0, 70),
            (a_report(simulated="false"), 0, 70),
            (a_report(scope="selected"), 0, 70),
            (a_report(scope="selected"), 3, 3),
            (a_report(1, "violation"), 1, 1),
            ("", 2, 2),
            (a_report(3, "unverified"), 3, 3),
            (a_report(), 4, 4),
            ("", 70, 70),
            (a_report(137), 137, 137),
            (a_report(143, "unverified"), 143, 143),
        ],
    )
    def test_it_passes_only_with_a_real_report_of_the_whole_that_says_so(
        self, report: str, said: int, code: int, github: Callable[..., Step], straw_python: Callable[..., Path]
    ) -> None:
        step = github(python=straw_python(said, report))
        assert (step.code, step.outputs["exit-code"]) == (code, str(code))

    def test_a_gate_that_is_killed_does_not_pass(
        self, github: Callable[..., Step], tmp_path: Path, program: Callable[[str, str], Path]
    ) -> None:
        step = github(python=program("python", "#!/bin/sh\nkill -9 $$\n"))
        assert (step.code, step.reports) == (137, set())

    def test_a_report_in_another_form_is_kept_even_without_json(
        self, github: Callable[..., Step], tmp_path: Path, program: Callable[[str, str], Path]
    ) -> None:
        folder = f"{tmp_path}/diga-verify-reports-*"
        step = github(python=program("python", f"#!/bin/sh\necho x > $(echo {folder})/report.md\nexit 4\n"))
        assert (step.code, step.reports, step.summary) == (4, {"report.md"}, "x\n")
        assert "report" not in step.outputs

    @pytest.mark.parametrize(("wanted", "there"), [("true", True), ("false", False)])
    def test_findings_go_to_code_scanning_if_that_is_wanted(
        self, wanted: str, there: bool, github: Callable[..., Step], straw_python: Callable[..., Path]
    ) -> None:
        step = github(python=straw_python(1, a_report(1, "violation")), **{"code-scanning": wanted})
        assert (step.outputs["verdict"], "sarif" in step.outputs) == ("violation", there)

    def test_a_part_has_no_verdict_and_no_alerts(
        self, github: Callable[..., Step], straw_python: Callable[..., Path]
    ) -> None:
        step = github(python=straw_python(1, a_report(1, "violation", scope="selected")))
        assert (step.code, step.outputs["verdict"], "sarif" in step.outputs) == (1, "", False)

    def test_two_gates_in_one_job_keep_their_reports_apart(
        self, github: Callable[..., Step], straw_python: Callable[..., Path]
    ) -> None:
        python = straw_python(0, a_report())
        assert github(python=python).outputs["reports"] != github(python=python).outputs["reports"]


class TestTheInstallationOnGithub:
    PYTHON = """#!/bin/sh
printf '%s\\n' "$*" >> "$RUNNER_TEMP/pip"
if [ "$2 $3" = "-m venv" ]; then mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; fi
case "$*" in *"{fails}"*) exit 1 ;; esac
"""

    def test_it_takes_the_locked_dependencies_and_asks_nobody_else(
        self, github: Callable[..., Step], tmp_path: Path, program: Callable[[str, str], Path]
    ) -> None:
        step = github("install", program("python", self.PYTHON.format(fails="nothing")))
        assert (step.code, step.outputs) == (0, {"python": f"{tmp_path}/diga-verify/bin/python"})
        pip = "-I -m pip --disable-pip-version-check install --quiet"
        assert (tmp_path / "pip").read_text(encoding="utf-8").splitlines() == [
            f"-I -m venv {tmp_path}/diga-verify",
            f"{pip} --require-hashes --only-binary :all: -r {ROOT}/requirements/run.txt",
            f"{pip} --no-deps --no-build-isolation --no-index {ROOT}",
        ]
        locked = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
        assert re.search(r"^hatchling==", locked, re.MULTILINE)

    @pytest.mark.parametrize("fails", ["-m venv", "--require-hashes", "--no-deps"])
    def test_a_step_that_fails_stops_it(
        self, fails: str, github: Callable[..., Step], tmp_path: Path, program: Callable[[str, str], Path]
    ) -> None:
        step = github("install", program("python", self.PYTHON.format(fails=fails)))
        assert (step.code, step.outputs) == (1, {})
