"""A run with everything signed, made once, and a folder of its own for every test that spoils something of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from diga_verify.attestation.envelope import opened, sealed, to_be_signed
from diga_verify.attestation.keys import FileSigner, PrivateKey
from diga_verify.attestation.statement import encoded
from diga_verify.cli.main import run
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

KEYS: dict[str, PrivateKey] = {
    "ed25519": ed25519.Ed25519PrivateKey.generate(),
    "p256": ec.generate_private_key(ec.SECP256R1()),
    "p384": ec.generate_private_key(ec.SECP384R1()),
    "rsa": rsa.generate_private_key(65537, 3072),
}


@dataclass(frozen=True)
class Folder:
    """The files of a signed run, by name; `verify` takes them as an auditor would."""

    path: Path

    def verify(self, *more: str, **names: str) -> int:
        files = {"key": "public.pem", "policy": "regions.toml", "evidence": "evidence.json", **names}
        options = [word for option, name in files.items() if name for word in (f"--{option}", str(self.path / name))]
        reports = [] if "--report" in more else ["--report", "report.json", "--report", "table.csv"]
        words = [
            str(self.path / word) if word.startswith(("report.", "table.")) else word for word in (*reports, *more)
        ]
        return run(["attestation", "verify", str(self.path / "attestation.json"), *options, *words])

    def read(self, name: str) -> Any:
        return json.loads((self.path / name).read_bytes())

    def statement(self) -> Any:
        """What is in the envelope."""
        payload, _ = opened((self.path / "attestation.json").read_bytes(), "it")
        return json.loads(payload)

    def sign(self, statement: object, key: str = "ed25519") -> None:
        """Another statement in the place of the attestation, signed with a key of `KEYS`."""
        payload = encoded(statement)  # type: ignore[arg-type]
        data = sealed(payload, FileSigner(KEYS[key]).sign(to_be_signed(payload)))
        (self.path / "attestation.json").write_bytes(data)


def _write_keys(folder: Path) -> None:
    for name, key in KEYS.items():
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"{name}.pem").write_bytes(private)
        (folder / f"{name}.pem").chmod(0o600)
        (folder / f"{name}.pub").write_bytes(public)
    shutil.copy(folder / "ed25519.pub", folder / "public.pem")


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DIGA_VERIFY_")]:
        monkeypatch.delenv(name)


def _run(world: str, folder: Path) -> tuple[Path, int]:
    (folder / "regions.toml").write_bytes(default_policy())
    _write_keys(folder)
    outputs = [word for name in ("report.json", "table.csv") for word in ("-o", str(folder / name))]
    records = ["--evidence", str(folder / "evidence.json"), "--attest", str(folder / "attestation.json")]
    with Simulator(shipped_world(world)) as simulator:
        code = run(
            [
                *("production", "dtx-data", "--api-root", simulator.url, "-t", "gcs", "-t", "kms", "-q"),
                *("-p", str(folder / "regions.toml"), *outputs, *records, "--attest-key", str(folder / "ed25519.pem")),
            ]
        )
    return folder, code


@pytest.fixture(scope="session")
def _compliant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, code = _run("compliant", tmp_path_factory.mktemp("compliant"))
    assert code == 0
    return folder


@pytest.fixture(scope="session")
def _violating(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, code = _run("demo", tmp_path_factory.mktemp("demo"))
    assert code == 1
    return folder


@pytest.fixture
def compliant(_compliant: Path, tmp_path: Path) -> Folder:
    """The signed files of a run that ended with 0."""
    return Folder(Path(shutil.copytree(_compliant, tmp_path / "compliant")))


@pytest.fixture
def violating(_violating: Path, tmp_path: Path) -> Folder:
    """The signed files of a run that ended with 1."""
    return Folder(Path(shutil.copytree(_violating, tmp_path / "violating")))


@pytest.fixture(scope="session")
def keys() -> Callable[[str], PrivateKey]:
    """A private key by its kind."""
    return KEYS.__getitem__
