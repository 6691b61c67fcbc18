"""Whether an attestation is genuine: the signature, the files, and what is stated of them. Asks nobody."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diga_verify.attestation import keys
from diga_verify.attestation.envelope import opened, to_be_signed
from diga_verify.attestation.statement import ATTESTED, Role, Statement, Subject, decoded, read, sha256
from diga_verify.errors import AttestationError
from diga_verify.files import File
from diga_verify.model import Json

EXIT_CODES = frozenset({0, 1, 2, 3, 130, 143})
"""Those that the report of a run can have."""


@dataclass(frozen=True, slots=True)
class Genuine:
    """A genuine attestation: what was stated of the run, and its files with their digests proven."""

    keyid: str
    statement: Statement
    reports: tuple[File, ...]
    """The reports in JSON."""
    policy: File
    evidence: File | None

    @property
    def predicate(self) -> Mapping[str, Any]:
        return self.statement.predicate

    @property
    def exit_code(self) -> int:
        """The exit code of the run."""
        return int(self.predicate["exit_code"])

    @property
    def simulated(self) -> bool:
        """Whether a stand-in answered the run, and not Google."""
        return self.predicate["simulated"] is not False


def verified(
    attestation: File, key: keys.PublicKey, reports: Sequence[File], policy: File, evidence: File | None
) -> Genuine:
    """The attestation, when it is genuine and about exactly these files. Raises AttestationError."""
    name = str(attestation.path)
    statement = _signed(attestation, key)
    _match(Role.REPORT, statement, reports, name)
    _match(Role.POLICY, statement, [policy], name)
    _match(Role.EVIDENCE, statement, [] if evidence is None else [evidence], name)
    in_json = {one.sha256 for one in statement.of(Role.REPORT) if one.format == "json"}
    readable = tuple(report for report in reports if sha256(report.data) in in_json)
    for report in readable:
        document = decoded(report.data, str(report.path))
        _agree(statement, document, report, name)
        _chained(document, report, policy, evidence)
    _refuse_contradictions(statement.predicate, name)
    return Genuine(keys.keyid(key), statement, readable, policy, evidence)


def _signed(attestation: File, key: keys.PublicKey) -> Statement:
    """The statement, when the key signed it."""
    name = str(attestation.path)
    payload, signature = opened(attestation.data, name)
    due = keys.keyid(key)
    if signature.keyid != due:
        raise AttestationError(f"{name} names the key {signature.keyid!r}, and the key that was given is {due}")
    if not keys.is_signature(key, signature.signature, to_be_signed(payload)):
        raise AttestationError(f"{name}: the signature was not made over this statement by the key {due}")
    return read(payload, name)


def _match(role: Role, statement: Statement, given: Sequence[File], name: str) -> None:
    """Every file is a subject in this role, and every subject in this role a file."""
    left = list(statement.of(role))
    for file in given:
        digest = sha256(file.data)
        subject = next((one for one in left if one.sha256 == digest), None)
        if subject is None:
            raise AttestationError(f"{file.path} has sha256 {digest}; {name} is about {_listed(left, role)}")
        left.remove(subject)
    if left:
        raise AttestationError(f"{name} is also about {_listed(left, role)}; give that file with --{role}")


def _listed(subjects: Sequence[Subject], role: Role) -> str:
    if not subjects:
        return f"no {'other ' if role is Role.REPORT else ''}{role}"
    return ", ".join(f"the {role} {one.name!r} with sha256 {one.sha256}" for one in subjects)


def _agree(statement: Statement, document: Json, report: File, name: str) -> None:
    """What is stated of the run is what its report says."""
    for key in ATTESTED:
        stated, reported = _text(statement.predicate[key]), _text(document.get(key))
        if stated != reported:
            raise AttestationError(f"{name} states that {key} is {stated}, and {report.path} says {reported}")


def _chained(document: Json, report: File, policy: File, evidence: File | None) -> None:
    """The report is about this policy, and rests on this evidence."""
    for what, file in ("policy", policy), ("evidence", evidence):
        entry = document.get(what)
        reported = entry.get("sha256") if isinstance(entry, dict) else None
        due = None if file is None else sha256(file.data)
        if reported != due:
            given = f"no {what} was given" if file is None else f"{file.path} has {due}"
            raise AttestationError(f"{report.path} is about the {what} with sha256 {reported}, and {given}")


def _refuse_contradictions(predicate: Mapping[str, Any], name: str) -> None:
    """A run that passes where everything is enforced has read all, and found all of it compliant."""
    code = predicate["exit_code"]
    if type(code) is not int or code not in EXIT_CODES:
        raise AttestationError(f"{name} states the exit code {_text(code)}, and a run has one of {sorted(EXIT_CODES)}")
    enforced = predicate["strict"] is not False or predicate["enforcement"] == "required"
    passed = predicate["verdict"] == "compliant" and predicate["complete"] is True
    if code == 0 and enforced and not passed:
        raise AttestationError(
            f"{name} states exit code 0 with verdict {_text(predicate['verdict'])} and complete "
            f"{_text(predicate['complete'])}, and where the policy is enforced no run ends so"
        )


def _text(value: object) -> str:
    """JSON in which equal is the same: to Python, true is 1."""
    return json.dumps(value, sort_keys=True)
