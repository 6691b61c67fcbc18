"""The simulated Cloud KMS signs really, and refuses what Google refuses."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import google_crc32c
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from diga_verify.simulator.server import Simulator

RING = "projects/p/locations/europe-west3/keyRings/ring"
DIGEST = hashlib.sha256(b"data").digest()


def _name(key: str) -> str:
    return f"{RING}/cryptoKeys/{key}/cryptoKeyVersions/1"


@pytest.fixture
def signer(serve: Callable[..., Simulator]) -> Simulator:
    algorithms = {"one": "EC_SIGN_P256_SHA256", "two": "EC_SIGN_P256_SHA256", "data": "EC_SIGN_ED25519"}
    keys: list[dict[str, Any]] = [
        {"name": name, "purpose": "ASYMMETRIC_SIGN", "versionTemplate": {"algorithm": algorithm}}
        for name, algorithm in algorithms.items()
    ]
    return serve(
        kms={"keyRings": [{"name": "ring", "location": "europe-west3", "cryptoKeys": [*keys, {"name": "no"}]}]}
    )


@pytest.fixture
def ask(signer: Simulator, fetch: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    """The public key of a key's version, or what it signs."""

    def ask(key: str, body: dict[str, Any] | None = None) -> requests.Response:
        path = f"cloudkms.googleapis.com/v1/{_name(key)}"
        if body is None:
            return fetch(signer, f"{path}/publicKey")
        return fetch(signer, f"{path}:asymmetricSign", method="POST", json=body)

    return ask


def _digest(data: bytes) -> dict[str, str]:
    return {"sha256": base64.b64encode(data).decode()}


def test_the_public_key_is_that_of_the_signature_and_of_no_other_version(
    ask: Callable[..., requests.Response],
) -> None:
    answer = ask("two").json()
    assert answer["name"] == _name("two")
    assert answer["pemCrc32c"] == str(google_crc32c.value(answer["pem"].encode()))
    signed = ask("two", {"digest": _digest(DIGEST), "digestCrc32c": str(google_crc32c.value(DIGEST))}).json()
    signature = base64.b64decode(signed["signature"])
    assert (signed["name"], signed["verifiedDigestCrc32c"]) == (_name("two"), True)
    assert signed["signatureCrc32c"] == str(google_crc32c.value(signature))
    key = load_pem_public_key(answer["pem"].encode())
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(signature, b"data", ec.ECDSA(hashes.SHA256()))
    assert ask("one").json()["pem"] != answer["pem"]
    assert ask("two").json() == answer


def test_without_a_checksum_none_is_confirmed(ask: Callable[..., requests.Response]) -> None:
    assert "verifiedDigestCrc32c" not in ask("one", {"digest": _digest(DIGEST)}).json()
    assert "verifiedDataCrc32c" not in ask("data", {"data": "AAAA"}).json()


def test_the_checksum_is_the_one_of_the_standard() -> None:
    """The check value of CRC-32C in RFC 3720's tables: what a client computes has to agree with Google."""
    assert google_crc32c.value(b"123456789") == 0xE3069283


@pytest.mark.parametrize(
    ("key", "body", "status", "text"),
    [
        ("one", {"digest": _digest(DIGEST), "digestCrc32c": "7"}, 400, "digest_crc32c did not match"),
        ("data", {"data": "AAAA", "dataCrc32c": "7"}, 400, "data_crc32c did not match"),
        ("one", {"digest": _digest(DIGEST[1:])}, 400, "31 bytes"),
        ("one", {"digest": {"sha384": "AAAA"}}, 400, "no digest of the kind"),
        ("one", {"data": "AAAA"}, 400, "no digest of the kind"),
        ("data", {"digest": _digest(DIGEST)}, 400, "no data of the kind"),
        ("data", {"data": "A"}, 400, "Base64 decoding failed"),
        ("one", {}, 400, "no digest of the kind"),
        ("no", {"digest": _digest(DIGEST)}, 400, "does not sign"),
        ("no", None, 400, "does not sign"),
        ("nobody", None, 404, "was not found"),
    ],
)
def test_what_google_refuses_is_refused(
    key: str, body: dict[str, Any] | None, status: int, text: str, ask: Callable[..., requests.Response]
) -> None:
    answer = ask(key, body)
    assert answer.status_code == status
    assert text in answer.json()["error"]["message"]
