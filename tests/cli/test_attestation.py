"""`--attest` and `--attest-key` of the gate: what is written, and what is refused before anything is asked."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from diga_verify.cli.main import run
from diga_verify.formats import json as json_format
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

KEY = ed25519.Ed25519PrivateKey.generate()
PASSPHRASE = "a passphrase that nobody may see"
VARIABLE = "DIGA_VERIFY_ATTEST_KEY_PASSPHRASE"
OLD = "an old attestation"


@pytest.fixture(scope="module")
def compliant() -> Iterator[Simulator]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator


def pem(key: Any, passphrase: str | None = None) -> bytes:
    encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    data: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return data


def public_pem(key: Any) -> bytes:
    data: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return data


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the default policy, a key pair, an old attestation, and nothing of the caller's settings."""
    for name in [name for name in os.environ if name.startswith(("DIGA_VERIFY_", "GOOGLE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    (tmp_path / "key.pem").write_bytes(pem(KEY))
    (tmp_path / "key.pem").chmod(0o600)
    (tmp_path / "public.pem").write_bytes(public_pem(KEY))
    (tmp_path / "a.json").write_text(OLD)
    return tmp_path


@pytest.fixture
def gate(compliant: Simulator) -> Callable[..., int]:
    """The gate over one type, against the compliant world."""

    def gate(*words: str) -> int:
        return run(["production", "dtx-data", "--api-root", compliant.url, "-t", "gcs", "-q", *words])

    return gate


ATTEST = ("-o", "report.json", "-o", "table=report.txt", "--attest", "a.json")


def verify(*words: str) -> int:
    files = ("--report", "report.json", "--report", "report.txt", "--policy", "regions.toml")
    return run(["attestation", "verify", "a.json", "--key", "public.pem", "--allow-simulated", *files, *words])


def secrets_of(key: bytes) -> list[str]:
    return [line for line in key.decode().splitlines() if "-----" not in line]


def test_a_signed_attestation_is_about_every_file_of_the_run(gate: Callable[..., int], folder: Path) -> None:
    assert gate(*ATTEST, "--attest-key", "key.pem", "--evidence", "evidence.json") == 0
    assert verify("--evidence", "evidence.json") == 0
    assert (folder / "a.json").stat().st_mode & 0o777 == 0o600


def test_an_unsigned_statement_says_all_and_says_that_it_is_unsigned(
    gate: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(*ATTEST, "--evidence", "evidence.json") == 0
    assert "a.json is not signed: it proves nothing to anybody; see --attest-key" in capsys.readouterr().err
    report = json.loads((folder / "report.json").read_text())
    statement = json.loads((folder / "a.json").read_text())
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "urn:diga-verify:attestation:v1"
    files = {"evidence.json", "report.json", "report.txt", "regions.toml"}
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files}
    assert {one["name"]: one["digest"] for one in statement["subject"]} == {
        name: {"sha256": digest} for name, digest in digests.items()
    }
    predicate = statement["predicate"]
    assert predicate.pop("files") == {
        "reports": [{"name": "report.json", "format": "json"}, {"name": "report.txt", "format": "table"}],
        "policy": "regions.toml",
        "evidence": "evidence.json",
    }
    assert predicate == {key: report[key] for key in predicate}
    assert set(predicate) == {
        *("tool", "environment", "enforcement", "strict", "project", "principal", "started_at", "finished_at"),
        *("verdict", "complete", "exit_code", "simulated", "scope", "summary"),
    }
    assert report["evidence"]["sha256"] == digests["evidence.json"]
    assert verify("--evidence", "evidence.json") == 3


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 3072),
    ],
    ids=lambda key: f"{type(key).__name__}-{key.key_size}",
)
def test_every_sound_kind_of_key_signs(key: Any, gate: Callable[..., int], folder: Path) -> None:
    (folder / "key.pem").write_bytes(pem(key))
    (folder / "public.pem").write_bytes(public_pem(key))
    assert gate(*ATTEST, "--attest-key", "key.pem") == 0
    assert verify() == 0


def test_a_key_may_have_a_passphrase(
    gate: Callable[..., int], folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    encrypted = pem(KEY, PASSPHRASE)
    (folder / "key.pem").write_bytes(encrypted)
    monkeypatch.setenv(VARIABLE, PASSPHRASE)
    assert gate(*ATTEST, "--attest-key", "key.pem", "-v", "--evidence", "evidence.json") == 0
    assert verify("--evidence", "evidence.json") == 0
    shown = capfd.readouterr()
    written = [path.read_text() for path in folder.iterdir() if path.name not in {"key.pem", "public.pem"}]
    for secret in (PASSPHRASE, *secrets_of(encrypted), *secrets_of(pem(KEY))):
        assert all(secret not in text for text in (shown.out, shown.err, *written))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_warned_of(
    mode: int, gate: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "key.pem").chmod(mode)
    assert gate(*ATTEST, "--attest-key", "key.pem") == 0
    assert "warning: the key key.pem can be read by others than its owner; type chmod 600 key.pem" in (
        capsys.readouterr().err
    )


def test_a_key_of_ones_own_is_no_reason_for_words(gate: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(*ATTEST, "--attest-key", "key.pem") == 0
    assert capsys.readouterr().err == ""


KMS = "gcpkms://projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"
WRONG = {
    "nowhere": (None, None, "nowhere.pem cannot be read: No such file or directory"),
    "folder": (None, None, "folder cannot be read: Is a directory"),
    "empty": (b"", None, "no private key in PEM"),
    "text": (b"no key", None, "no private key in PEM"),
    "large": (b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 65536, None, "is larger than 65536 bytes"),
    "public": (public_pem(KEY), None, "is a public key; to sign takes a private key"),
    "broken": (pem(KEY).replace(b"MC4C", b"MC4D"), None, "cannot be read"),
    "encrypted": (pem(KEY, PASSPHRASE), None, f"is encrypted: put its passphrase into {VARIABLE}"),
    "other": (pem(KEY, PASSPHRASE), "another", f"does not open with the passphrase in {VARIABLE}"),
    "needless": (pem(KEY), PASSPHRASE, f"{VARIABLE} is set, and the key"),
    "rsa-2048": (pem(rsa.generate_private_key(65537, 2048)), None, "RSA from 3072 bits"),
    "p521": (pem(ec.generate_private_key(ec.SECP521R1())), None, "ECDSA on P-256 or P-384"),
    "secp256k1": (pem(ec.generate_private_key(ec.SECP256K1())), None, "ECDSA on P-256 or P-384"),
    "ed448": (pem(ed448.Ed448PrivateKey.generate()), None, "Ed25519"),
    "x25519": (pem(x25519.X25519PrivateKey.generate()), None, "Ed25519"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_key_that_cannot_sign_is_found_before_anything_is_asked(
    name: str,
    gate: Callable[..., int],
    compliant: Simulator,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    content, passphrase, text = WRONG[name]
    key = folder / ("folder" if name == "folder" else f"{name}.pem")
    if content is not None:
        key.write_bytes(content)
        key.chmod(0o600)
    elif name == "folder":
        key.mkdir()
    if passphrase:
        monkeypatch.setenv(VARIABLE, passphrase)
    asked = len(compliant.requests)
    assert gate(*ATTEST, "--attest-key", key.name) == 2
    shown = capsys.readouterr()
    assert text in shown.err
    assert len(compliant.requests) == asked
    assert not (folder / "a.json").exists()
    assert all(secret not in shown.out + shown.err for secret in (PASSPHRASE, *secrets_of(content or b"")) if secret)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-o", "report.json", "--attest-key", "key.pem"], "add --attest FILE"),
        (["-o", "report.csv", "--attest", "a.json"], "add -o report.json"),
        (["--attest", "a.json"], "add -o report.json"),
        (["-o", "report.json", "--attest", "report.json"], "--attest report.json: that file is named twice"),
        (["-o", "report.json", "--attest", "./x/../report.json"], "that file is named twice"),
        (["-o", "report.json", "--attest", "key.pem", "--attest-key", "key.pem"], "is the file of the attestation key"),
        (["-o", "json=key.pem", "--attest", "a.json", "--attest-key", "key.pem"], "is the file of the attestation key"),
        (["-o", "report.json", "--attest", "regions.toml"], "is the file of the policy"),
        ([*ATTEST, "--attest-key", KMS.rpartition("/cryptoKeyVersions")[0]], "is not a key version in Cloud KMS"),
        ([*ATTEST, "--attest-key", KMS + "/x"], "is not a key version in Cloud KMS"),
        ([*ATTEST, "--attest-key", KMS.replace("/p/", "/../")], "is not a key version in Cloud KMS"),
        ([*ATTEST, "--attest-key", KMS.replace("gcpkms", "awskms")], "is not a key version in Cloud KMS"),
    ],
)
def test_what_cannot_be_is_exit_2_and_costs_nobody_a_file(
    words: list[str],
    text: str,
    gate: Callable[..., int],
    compliant: Simulator,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = len(compliant.requests)
    assert gate(*words) == 2
    assert text in capsys.readouterr().err
    assert len(compliant.requests) == asked
    assert (folder / "key.pem").read_bytes() == pem(KEY)
    assert (folder / "regions.toml").read_bytes() == default_policy()


@pytest.mark.parametrize("more", [["-t", "gkee"], ["--no-such-flag"], ["--deadline", "soon"], ["-p", "none.toml"]])
def test_an_old_attestation_never_outlives_a_run(more: list[str], gate: Callable[..., int], folder: Path) -> None:
    assert gate(*ATTEST, "--attest-key", "key.pem", *more) == 2
    assert not (folder / "a.json").exists()
    assert (folder / "key.pem").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["-o", "report.json", "--attest", "nowhere/a.json"], "could not be written to nowhere/a.json"),
        (["-o", "report.json", "--attest", "link.json"], "link.json is not an ordinary file"),
        (["-o", "nowhere/r.json", "--attest", "a.json"], "a file that it is to be about is missing"),
        (["-o", "r.json", "-o", "nowhere/r.csv", "--attest", "a.json"], "a file that it is to be about is missing"),
        (["-o", "r.json", "--evidence", "nowhere/e", "--attest", "a.json"], "a file that it is to be about is missing"),
    ],
)
def test_an_attestation_that_cannot_be_made_is_exit_4(
    words: list[str], text: str, gate: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "link.json").symlink_to("somewhere")
    assert gate(*words, "--attest-key", "key.pem") == 4
    assert text in capsys.readouterr().err
    assert not (folder / "a.json").exists() or "a.json" not in words


def test_a_violation_wins_over_an_attestation_that_cannot_be_written(folder: Path) -> None:
    words = ["-o", "report.json", "--attest", "nowhere/a.json", "--attest-key", "key.pem", "-q"]
    with Simulator(shipped_world("demo")) as simulator:
        assert run(["production", "dtx-data", "--api-root", simulator.url, "-t", "gcs", *words]) == 1


def test_a_name_that_is_no_utf8_is_written_harmlessly(gate: Callable[..., int], folder: Path) -> None:
    name = os.fsdecode(b"r\xff\x1b[2J.json")
    assert gate("-o", name, "--attest", "a.json", "--attest-key", "key.pem") == 0
    assert b"\x1b" not in (folder / "a.json").read_bytes()
    words = ("--report", name, "--policy", "regions.toml", "--allow-simulated")
    assert run(["attestation", "verify", "a.json", "--key", "public.pem", *words]) == 0


def test_a_signed_report_that_contradicts_itself_is_refused(
    gate: Callable[..., int], folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without evidence too: whoever has the key can sign anything, and this is no report of a run."""
    usual = json_format.pieces
    swap = '"europe-west3"', '"us-central1"'
    monkeypatch.setattr(json_format, "pieces", lambda *of: (piece.replace(*swap) for piece in usual(*of)))
    assert gate("-o", "report.json", "--attest", "a.json", "--attest-key", "key.pem") == 0
    words = ("--report", "report.json", "--policy", "regions.toml", "--allow-simulated")
    assert run(["attestation", "verify", "a.json", "--key", "public.pem", *words]) == 3
    assert "follows from the rest" in capsys.readouterr().err


def test_a_violation_that_nobody_enforces_ends_with_0_and_is_not_called_compliant(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["-o", "report.json", "--attest", "a.json", "--attest-key", "key.pem", "-q", "-t", "gcs"]
    with Simulator(shipped_world("demo")) as simulator:
        assert run(["staging", "dtx-data", "--api-root", simulator.url, *words]) == 0
    capsys.readouterr()
    files = ("--report", "report.json", "--policy", "regions.toml", "--allow-simulated")
    assert run(["attestation", "verify", "a.json", "--key", "public.pem", *files]) == 0
    assert "NOT COMPLIANT: staging is recommended" in capsys.readouterr().out


def test_the_verb_alone_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["attestation"]) == 2
    assert "verify" in capsys.readouterr().out
