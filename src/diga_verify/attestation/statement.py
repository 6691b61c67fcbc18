"""The in-toto Statement of a run: what it is about, and what is stated of it.

The predicate repeats keys of the JSON report, under their names and with their values, so that whoever has the report
can compare them one by one.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from diga_verify.errors import AttestationError, ReadError
from diga_verify.gateway.answers import parse
from diga_verify.model import Json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:diga-verify:attestation:v1"
"""A name, not an address. A predicate with other keys gets another."""
ATTESTED = (
    "tool",
    "environment",
    "enforcement",
    "strict",
    "project",
    "principal",
    "started_at",
    "finished_at",
    "verdict",
    "complete",
    "exit_code",
    "simulated",
    "scope",
    "summary",
)
"""The keys of the JSON report that the predicate repeats."""

_STATEMENT_KEYS = {"_type", "subject", "predicateType", "predicate"}
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Role(StrEnum):
    """What a file is to a run."""

    REPORT = "report"
    POLICY = "policy"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Subject:
    """A file that a statement is about. `format` is that of a report."""

    role: Role
    name: str
    sha256: str
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What a statement says."""

    subjects: tuple[Subject, ...]
    predicate: Mapping[str, Any]

    def of(self, role: Role) -> tuple[Subject, ...]:
        return tuple(subject for subject in self.subjects if subject.role is role)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def encoded(document: Json) -> bytes:
    """JSON in the one form in which attestations are written: ASCII, keys in order, a line end."""
    return (json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n").encode("ascii")


def decoded(data: bytes, name: str) -> Json:
    """One JSON object in which no key stands twice. Raises AttestationError."""
    try:
        return parse(data)
    except ReadError as error:
        raise AttestationError(f"{name} is not a JSON object that can be trusted: {error.__cause__ or error}") from None


def make(report: Json, subjects: Sequence[Subject]) -> bytes:
    """The statement about a run, from its JSON report and the files that came of it.

    There has to be one policy, at least one JSON report, and no name twice; the gate sees to it.
    """
    files = {role: [subject for subject in subjects if subject.role is role] for role in Role}
    predicate = {key: report[key] for key in ATTESTED} | {
        "files": {
            "reports": [{"name": one.name, "format": one.format} for one in files[Role.REPORT]],
            "policy": files[Role.POLICY][0].name,
            "evidence": files[Role.EVIDENCE][0].name if files[Role.EVIDENCE] else None,
        }
    }
    named = [{"name": one.name, "digest": {"sha256": one.sha256}} for one in subjects]
    return encoded({"_type": STATEMENT_TYPE, "subject": named, "predicateType": PREDICATE_TYPE, "predicate": predicate})


def is_statement(document: Json) -> bool:
    """Whether this is a statement that nobody put into an envelope."""
    return "_type" in document


def read(payload: bytes, name: str) -> Statement:
    """The statement in a payload. Raises AttestationError unless it is one of ours, with every key and no other."""
    document = decoded(payload, f"the payload of {name}")
    for key, due in ("_type", STATEMENT_TYPE), ("predicateType", PREDICATE_TYPE):
        if document.get(key) != due:
            raise AttestationError(f"{name}: {key} is {document.get(key)!r}, and {due!r} was due")
    predicate = document.get("predicate")
    if set(document) != _STATEMENT_KEYS or not isinstance(predicate, dict):
        raise AttestationError(f"{name}: a statement has the keys {', '.join(sorted(_STATEMENT_KEYS))}, and no others")
    if set(predicate) != {*ATTESTED, "files"}:
        other = ", ".join(sorted(set(predicate) ^ {*ATTESTED, "files"}))
        raise AttestationError(f"{name}: the predicate has not exactly the keys that are due; it differs in {other}")
    return Statement(_subjects(document["subject"], predicate["files"], name), predicate)


def _subjects(subject: object, files: object, name: str) -> tuple[Subject, ...]:
    """The subjects with their roles: each has exactly one."""
    digests = _digests(subject, name)
    roles = _roles(files, name)
    names = [one for one, _, _ in roles]
    if sorted(names) != sorted(digests):
        raise AttestationError(
            f"{name}: the subjects are {', '.join(sorted(digests))}; the predicate's files, {', '.join(sorted(names))}"
        )
    if not any(format == "json" for _, _, format in roles):
        raise AttestationError(f"{name}: none of its subjects is a JSON report, from which the verdict could be read")
    return tuple(Subject(role, one, digests[one], format) for one, role, format in roles)


def _digests(subject: object, name: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in subject if isinstance(subject, list) else [None]:
        match one:
            case {"name": str(title), "digest": {"sha256": str(digest), **more}, **others} if not more and not others:
                if title in found or not _SHA256.fullmatch(digest):
                    raise AttestationError(f"{name}: the subject {title!r} is there twice, or has no SHA-256")
                found[title] = digest
            case _:
                raise AttestationError(f"{name}: a subject is a name and its SHA-256, and nothing else")
    return found


def _roles(files: object, name: str) -> list[tuple[str, Role, str | None]]:
    found: list[tuple[str, Role, str | None]] = []
    match files:
        case {"reports": [*reports], "policy": str(policy), "evidence": str() | None as evidence, **more} if not more:
            found.append((policy, Role.POLICY, None))
            if evidence is not None:
                found.append((evidence, Role.EVIDENCE, None))
        case _:
            raise AttestationError(f"{name}: the predicate's files are not reports, policy and evidence")
    for report in reports:
        match report:
            case {"name": str(title), "format": str(format), **more} if not more:
                found.append((title, Role.REPORT, format))
            case _:
                raise AttestationError(f"{name}: a report in the predicate's files is a name and a format")
    return found
