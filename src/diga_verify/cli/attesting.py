"""`--attest` and `--attest-key`: what the gate attests of the files that it wrote (docs/attestation.md)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diga_verify.attestation.envelope import sealed, to_be_signed
from diga_verify.attestation.statement import Role, Subject, make
from diga_verify.cli import screen
from diga_verify.errors import UsageError
from diga_verify.report import Report
from diga_verify.sinks.file import write_file

if TYPE_CHECKING:  # the libraries of cryptography load only where there is something to sign
    from diga_verify.attestation.keys import Signer
    from diga_verify.verify import Run

Attest = Annotated[
    Path | None,
    typer.Option("--attest", metavar="FILE", help="Also write an in-toto attestation of reports, policy and evidence."),
]
AttestKey = Annotated[
    str | None,
    typer.Option(
        "--attest-key",
        metavar="KEY",
        help="Sign it with this private key: a PEM file, or gcpkms://projects/.../cryptoKeyVersions/N.",
    ),
]


@dataclass(frozen=True, slots=True)
class Order:
    """An attestation that a run is to make."""

    path: Path
    signer: Signer | None


def ordered(path: Path | None, key: str | None, outputs: Sequence[tuple[str, Path]], run: Run) -> Order | None:
    """What `--attest` and `--attest-key` ask for. The key is read and checked here, before anybody is asked anything.

    Raises UsageError.
    """
    if path is None:
        if key is not None:
            raise UsageError("--attest-key signs what --attest writes: add --attest FILE")
        return None
    if not any(format == "json" for format, _ in outputs):
        raise UsageError("--attest vouches for a JSON report, and there is none: add -o report.json")
    return Order(path, None if key is None else _signer(key, run))


def report_subject(path: Path, sha256: str, format: str) -> Subject:
    """A report that was written to `path`."""
    return Subject(Role.REPORT, _name(path), sha256, format)


def evidence_subject(path: Path, sha256: str) -> Subject:
    """The evidence that was written to `path`."""
    return Subject(Role.EVIDENCE, _name(path), sha256)


def write_attestation(order: Order, report: Report, written: Sequence[Subject]) -> None:
    """Write the attestation of a run whose files are written. Raises OutputError."""
    from diga_verify.formats.json import document

    policy = Subject(Role.POLICY, _name(report.policy_path), report.policy_sha256)
    payload = make(document(report, many=iter), (*written, policy))  # which reads no long array
    if order.signer is None:
        screen.note(
            f"diga-verify: the attestation {order.path} is not signed: it proves nothing to anybody; see --attest-key"
        )
        data = payload
    else:
        data = sealed(payload, order.signer.sign(to_be_signed(payload)))
    write_file(order.path, data.decode("ascii"))


def _signer(key: str, run: Run) -> Signer:
    from diga_verify.attestation.keys import PASSPHRASE, private_key

    if "://" in key:
        from diga_verify.attestation.kms import KmsSigner, key_version

        return KmsSigner(key_version(key), run.endpoints, run.impersonate, run.billing_project)
    signer = private_key(Path(key), os.fsencode(os.environ.get(PASSPHRASE, "")) or None)
    if signer.exposed:
        screen.note(f"warning: the key {key} can be read by others than its owner; type chmod 600 {key}")
    return signer


def _name(path: Path | str) -> str:
    """A path as a subject's name, which is text whatever bytes are in it."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
