"""`diga-verify attestation verify`: whether an attestation is genuine, and about these files (docs/attestation.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diga_verify.cli import completion, screen
from diga_verify.errors import AttestationError, EvidenceError, ReportError
from diga_verify.files import File, read_file

if TYPE_CHECKING:  # the libraries of cryptography load only where there is something to check
    from diga_verify.attestation.verification import Genuine

NOT_GENUINE = 3
_ATTESTATION_LIMIT = 1024 * 1024
_FILE_LIMIT = 256 * 1024 * 1024

app = typer.Typer()


@app.callback()
def attestation() -> None:
    """Nothing to do: a second command would have its place beside `verify`."""


@app.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The attestation.")],
    key: Annotated[Path, typer.Option("--key", metavar="PUBLIC.pem", help="The public key that must have signed it.")],
    report: Annotated[
        list[Path], typer.Option("--report", metavar="FILE", help="A report that it is about; repeat for every one.")
    ],
    policy: Annotated[Path, typer.Option("-p", "--policy", metavar="FILE", help="The policy that it is about.")],
    evidence: Annotated[
        Path | None, typer.Option("--evidence", metavar="FILE", help="The evidence that it is about.")
    ] = None,
    project: Annotated[
        str | None, typer.Option("--project", metavar="PROJECT", help="The run must be about this project.")
    ] = None,
    environment: Annotated[
        str | None,
        typer.Option(
            "--environment",
            metavar="NAME",
            help="The run must be about this environment.",
            autocompletion=completion.environments,
        ),
    ] = None,
    allow_simulated: Annotated[
        bool, typer.Option("--allow-simulated", help="Take a run against a stand-in for Google too.")
    ] = False,
) -> None:
    """Check an attestation, offline, with the files that it is about. When everything is genuine, the exit code is that
    of the attested run; 3 when anything is not."""
    try:
        genuine = _verified(file, key, report, policy, evidence)
        _refuse_other_findings(genuine)
        _refuse_other_runs(genuine, project, environment, allow_simulated=allow_simulated)
    except (AttestationError, EvidenceError) as error:
        screen.note(f"diga-verify: not genuine, or not what was asked for: {error}")
        raise typer.Exit(NOT_GENUINE) from None
    screen.tell(*_described(genuine))
    raise typer.Exit(genuine.exit_code)


def _verified(file: Path, key: Path, reports: Sequence[Path], policy: Path, evidence: Path | None) -> Genuine:
    """The attestation, when it is genuine and about exactly these files. Raises AttestationError, and UsageError for
    files that cannot be read."""
    from diga_verify.attestation.keys import public_key
    from diga_verify.attestation.verification import verified

    found = [_read(path) for path in reports]
    of_policy, of_evidence = _read(policy), None if evidence is None else _read(evidence)
    return verified(read_file(file, _ATTESTATION_LIMIT), public_key(key), found, of_policy, of_evidence)


def _read(path: Path) -> File:
    return read_file(path, _FILE_LIMIT)


def _refuse_other_findings(genuine: Genuine) -> None:
    """The reports must agree with themselves, and say what the evidence leads to, whoever signed them. Raises
    AttestationError and EvidenceError.

    What changed since an earlier run is taken from the report: the evidence is about this run alone.
    """
    from diga_verify.checkers.registry import registered
    from diga_verify.cli.replay import compare
    from diga_verify.formats.stored import read_report
    from diga_verify.verify import replay

    evidence = genuine.evidence
    found = None if evidence is None else replay(evidence.data, str(evidence.path), registered())
    for report in genuine.reports:
        try:
            told = read_report(report.data, str(report.path))
        except ReportError as error:
            raise AttestationError(str(error)) from None
        if found is not None and evidence is not None:
            compare(replace(found, drift=told.drift), report.data, str(report.path), str(evidence.path))


def _refuse_other_runs(
    genuine: Genuine, project: str | None, environment: str | None, *, allow_simulated: bool
) -> None:
    """A genuine attestation of another run than was asked for is no answer. Raises AttestationError."""
    of = genuine.predicate["project"]
    if project is not None and project not in {of["id"], of["number"]}:
        raise AttestationError(f"the run was about the project {of['id']} ({of['number']}), and {project} was due")
    if environment is not None and environment != genuine.predicate["environment"]:
        was = genuine.predicate["environment"]
        raise AttestationError(f"the run was about the environment {was}, and {environment} was due")
    if genuine.simulated and not allow_simulated:
        raise AttestationError(
            "signature and files are genuine, but the run was SIMULATED: a stand-in answered in Google's place, and it "
            "says nothing about any project; --allow-simulated takes it all the same"
        )


def _described(genuine: Genuine) -> Iterator[str]:
    run, project = genuine.predicate, genuine.predicate["project"]
    if genuine.simulated:
        yield "SIMULATED: a stand-in answered in Google's place; this says nothing about any project"
    if run["scope"] != "project":
        yield "SELECTED: the run looked at a part only, and is no result for the project"
    yield f"Genuine. Signed with the key {genuine.keyid}"
    yield f"  project   {project['id']} ({project['number']}), {run['environment']}: {run['enforcement']}"
    yield f"  verdict   {run['verdict']}, {'complete' if run['complete'] is True else 'not complete'}"
    yield f"  run       {run['started_at']} to {run['finished_at']}, as {run['principal'] or 'nobody that is known'}"
    for subject in genuine.statement.subjects:
        yield f"  {subject.role:8s}  {subject.sha256}  {subject.name}"
    if genuine.exit_code == 0 and run["verdict"] != "compliant":
        yield f"NOT COMPLIANT: {run['environment']} is {run['enforcement']}, so nothing was stopped: 0 is no proof here"
    yield f"The attested run ended with {genuine.exit_code}, and so does this."
