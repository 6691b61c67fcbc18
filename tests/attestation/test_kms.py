"""Keys in Cloud KMS: the gate against the simulator's signer, honest and not."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from diga_verify.attestation.kms import ATTEMPTS, HASHES
from diga_verify.cli.main import run
from diga_verify.policy import default_policy
from diga_verify.simulator.faults import ANSWERS
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

HOST = "cloudkms.googleapis.com"
RING = "projects/dtx-data/locations/europe-west3/keyRings/signers"
OTHER = ec.generate_private_key(ec.SECP256R1()).public_key()


def version(algorithm: str) -> str:
    return f"{RING}/cryptoKeys/{algorithm.lower()}/cryptoKeyVersions/1"


P256 = version("EC_SIGN_P256_SHA256")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the default policy and an old attestation."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    (tmp_path / "a.json").write_text("an old attestation")
    return tmp_path


@pytest.fixture
def serve(world: Callable[[], dict[str, Any]]) -> Callable[..., Any]:
    """A simulator of the compliant world, with a key of every algorithm."""

    @contextmanager
    def serve(*faults: dict[str, Any], denied: tuple[str, ...] = ()) -> Iterator[Simulator]:
        table = world() | {"faults": list(faults), "iam": {"denied": list(denied)}}
        algorithms = (*HASHES, "RSA_SIGN_PSS_2048_SHA256", "RSA_SIGN_PSS_4096_SHA512", "EC_SIGN_SECP256K1_SHA256")
        keys: list[dict[str, Any]] = [
            {"name": name.lower(), "purpose": "ASYMMETRIC_SIGN", "versionTemplate": {"algorithm": name}}
            for name in algorithms
        ]
        keys.append({"name": "secret"})
        keys.append(keys[0] | {"name": "off", "cryptoKeyVersions": [{"name": "1", "state": "DISABLED"}]})
        table["kms"]["keyRings"].append({"name": "signers", "location": "europe-west3", "cryptoKeys": keys})
        with Simulator(World.from_dict(table)) as simulator:
            yield simulator

    return serve


def gate(simulator: Simulator, key: str) -> int:
    words = ["-t", "gcs", "-q", "-o", "report.json", "--attest", "a.json", "--attest-key", f"gcpkms://{key}"]
    return run(["production", "dtx-data", "--api-root", simulator.url, *words])


def verify() -> int:
    words = ["--key", "public.pem", "--report", "report.json", "--policy", "regions.toml", "--allow-simulated"]
    return run(["attestation", "verify", "a.json", *words])


def keep_public_key(simulator: Simulator, key: str, folder: Path) -> None:
    answer = requests.get(f"{simulator.url}/{HOST}/v1/{key}/publicKey", timeout=300)
    (folder / "public.pem").write_text(answer.json()["pem"])


@pytest.mark.parametrize("algorithm", HASHES)
def test_a_key_of_every_known_algorithm_signs(algorithm: str, serve: Callable[..., Any], folder: Path) -> None:
    with serve() as simulator:
        keep_public_key(simulator, version(algorithm), folder)  # first: to make a long key takes a while
        assert gate(simulator, version(algorithm)) == 0
        _, *asked = [one for one in simulator.requests if "signers" in one.path]
    assert [(one.method, one.path.removeprefix(f"v1/{version(algorithm)}")) for one in asked] == [
        ("GET", "/publicKey"),
        ("POST", ":asymmetricSign"),
    ]
    assert verify() == 0
    (folder / "report.json").write_text((folder / "report.json").read_text().replace("compliant", "Compliant", 1))
    assert verify() == 3


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (version("RSA_SIGN_PSS_2048_SHA256"), "its algorithm is RSA_SIGN_PSS_2048_SHA256"),
        (version("RSA_SIGN_PSS_4096_SHA512"), "HTTP 501"),
        (version("EC_SIGN_SECP256K1_SHA256"), "HTTP 501"),
        (f"{RING}/cryptoKeys/secret/cryptoKeyVersions/1", "which does not sign"),
        (f"{RING}/cryptoKeys/off/cryptoKeyVersions/1", "is not enabled"),
        (f"{RING}/cryptoKeys/nobody/cryptoKeyVersions/1", "not_found"),
    ],
)
def test_a_key_that_cannot_sign_is_exit_4(
    key: str, text: str, serve: Callable[..., Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve() as simulator:
        assert gate(simulator, key) == 4
    said = capsys.readouterr().err
    assert f"Cloud KMS did not sign the attestation with {key}: " in said
    assert text in said
    assert not (folder / "a.json").exists()
    assert json.loads((folder / "report.json").read_text())["exit_code"] == 0


@pytest.mark.parametrize("permission", ["viewPublicKey", "useToSign"])
def test_a_permission_that_is_lacking_is_named(
    permission: str, serve: Callable[..., Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    denied = f"cloudkms.cryptoKeyVersions.{permission}"
    with serve(denied=(denied,)) as simulator:
        assert gate(simulator, P256) == 4
    said = capsys.readouterr().err
    assert "permission_denied" in said
    assert denied in said
    assert not (folder / "a.json").exists()


def altered(**change: Callable[[Any], Any]) -> Any:
    """What makes another value of a key of the answer; None takes it out."""

    def spoil(_: Any, scene: Any) -> Any:
        answer = scene.json
        for key, renewed in change.items():
            value = renewed(answer.get(key))
            answer = {name: one for name, one in answer.items() if name != key} | (
                {} if value is None else {key: value}
            )
        return replace(scene.answer, body=json.dumps(answer).encode())

    return spoil


def flipped(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


def checksum(data: bytes) -> str:
    return str(google_crc32c.value(data))


def forged(text: str) -> tuple[str, str]:
    """Another signature than was made, with its own checksum."""
    data = bytearray(base64.b64decode(text))
    data[-1] ^= 1
    return base64.b64encode(data).decode(), checksum(bytes(data))


def consistent_forgery(_: Any, scene: Any) -> Any:
    signature, crc = forged(scene.json["signature"])
    body = scene.json | {"signature": signature, "signatureCrc32c": crc}
    return replace(scene.answer, body=json.dumps(body).encode())


def other_key(_: Any, scene: Any) -> Any:
    pem = OTHER.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    body = scene.json | {"pem": pem.decode(), "pemCrc32c": checksum(pem)}
    return replace(scene.answer, body=json.dumps(body).encode())


SIGN, GET = "asymmetricSign$", "publicKey$"
GARBLED = {
    "signature": (SIGN, altered(signature=flipped), "the checksum of the signature that came is wrong"),
    "no base64": (SIGN, altered(signature=lambda text: text + "\n"), "the signature that came is not base64"),
    "signature's checksum": (SIGN, altered(signatureCrc32c=lambda _: "7"), "the checksum of the signature that came"),
    "no checksum": (SIGN, altered(signatureCrc32c=lambda _: None), "the checksum of the signature that came is wrong"),
    "not confirmed": (SIGN, altered(verifiedDigestCrc32c=lambda _: None), "does not confirm the checksum"),
    "denied": (SIGN, altered(verifiedDigestCrc32c=lambda _: False), "does not confirm the checksum"),
    "other version": (SIGN, altered(name=lambda name: name[:-1] + "2"), "the answer is about '"),
    "no name": (SIGN, altered(name=lambda _: None), "the answer is about None"),
    "pem": (GET, altered(pem=lambda text: text + " "), "the checksum of the public key that came is wrong"),
    "pem's checksum": (GET, altered(pemCrc32c=lambda _: None), "the checksum of the public key that came is wrong"),
    "other key's version": (GET, altered(name=lambda name: name[:-1] + "2"), "the answer is about '"),
}
LIED = {
    "forged signature": (SIGN, consistent_forgery, "is not one by its public key"),
    "other public key": (GET, other_key, "is not one by its public key"),
    "other algorithm": (
        GET,
        altered(algorithm=lambda _: "EC_SIGN_ED25519"),
        "no digest of the kind that the key signs",
    ),
    "unknown algorithm": (GET, altered(algorithm=lambda _: "EC_SIGN_P256_SHA1"), "its algorithm is EC_SIGN_P256_SHA1"),
    "no algorithm": (GET, altered(algorithm=lambda _: None), "its algorithm is None"),
}


@pytest.mark.parametrize("name", GARBLED | LIED)
def test_an_answer_that_is_not_true_makes_no_attestation(
    name: str,
    serve: Callable[..., Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, spoil, text = (GARBLED | LIED)[name]
    monkeypatch.setitem(ANSWERS, "spoilt", spoil)
    with serve({"service": HOST, "path": path, "answer": "spoilt"}) as simulator:
        assert gate(simulator, P256) == 4
        asked = [one for one in simulator.requests if one.path.endswith(path.removesuffix("$"))]
    assert text in capsys.readouterr().err
    assert not (folder / "a.json").exists()
    assert len(asked) == (ATTEMPTS if name in GARBLED else 1)


@pytest.mark.parametrize("name", GARBLED)
def test_what_was_garbled_on_its_way_is_asked_for_again(
    name: str, serve: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, spoil, _ = GARBLED[name]
    monkeypatch.setitem(ANSWERS, "spoilt", spoil)
    with serve({"service": HOST, "path": path, "answer": "spoilt", "times": ATTEMPTS - 1}) as simulator:
        assert gate(simulator, P256) == 0
        keep_public_key(simulator, P256, folder)
    assert verify() == 0


@pytest.mark.parametrize(
    ("answer", "text"),
    [("permission_denied", "permission_denied"), ("html", "malformed_answer"), ("api_disabled", "api_disabled"),
     ("echo", "permission_denied"), ("hostile", "permission_denied"), ("redirect", "redirected")],
)  # fmt: skip
def test_the_door_stands_before_the_signer_too(
    answer: str, text: str, serve: Callable[..., Any], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve({"service": HOST, "path": SIGN, "answer": answer}) as simulator:
        assert gate(simulator, P256) == 4
    said = capsys.readouterr().err
    assert text in said
    assert "CANARY" not in said
    assert not {"\x1b", "\u202e"} & set(said)
    assert not (folder / "a.json").exists()


@pytest.mark.parametrize("algorithm", ["EC_SIGN_P256_SHA256", "EC_SIGN_ED25519"])
def test_what_is_garbled_on_its_way_to_the_service_is_refused_there(
    algorithm: str,
    serve: Callable[..., Any],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("diga_verify.attestation.kms._base64", lambda data: base64.b64encode(data[::-1]).decode())
    with serve() as simulator:
        assert gate(simulator, version(algorithm)) == 4
    assert "did not match the data" in capsys.readouterr().err
