"""Our envelopes against securesystemslib's DSSE, in both directions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

from diga_verify.attestation.envelope import PAYLOAD_TYPE, Signature, sealed, to_be_signed
from diga_verify.attestation.keys import FileSigner, is_signature, keyid
from diga_verify.attestation.statement import encoded

KINDS = ("ed25519", "p256", "p384", "rsa")


def theirs(key: Any) -> SSlibKey:
    return SSlibKey.from_crypto(key.public_key(), keyid=keyid(key.public_key()))


@pytest.mark.parametrize("kind", KINDS)
def test_securesystemslib_verifies_ours(kind: str, compliant: Any, keys: Any) -> None:
    compliant.sign(compliant.statement(), kind)
    envelope = Envelope.from_dict(compliant.read("attestation.json"))
    right, wrong = theirs(keys(kind)), theirs(keys("p384" if kind == "p256" else "p256"))
    assert set(envelope.verify([wrong, right], 1)) == {right.keyid}
    assert json.loads(envelope.payload)["_type"] == "https://in-toto.io/Statement/v1"
    with pytest.raises(VerificationError):
        envelope.verify([wrong], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_ours_verifies_what_securesystemslib_signed(kind: str, compliant: Any, keys: Any) -> None:
    envelope = Envelope(encoded(compliant.statement()), PAYLOAD_TYPE, {})
    envelope.sign(CryptoSigner(keys(kind), theirs(keys(kind))))
    (compliant.path / "attestation.json").write_text(json.dumps(envelope.to_dict(), indent=2, sort_keys=True) + "\n")
    assert compliant.verify("--allow-simulated", key=f"{kind}.pub") == 0
    (compliant.path / "attestation.json").write_text(json.dumps(envelope.to_dict()))
    assert compliant.verify("--allow-simulated", key=f"{kind}.pub") == 3


def test_the_encoding_is_that_of_the_specification() -> None:
    envelope = Envelope(b"{}", PAYLOAD_TYPE, {})
    assert to_be_signed(b"{}") == envelope.pae() == b"DSSEv1 28 application/vnd.in-toto+json 2 {}"


def test_the_older_padding_of_rsa_counts_and_the_older_hash_does_not(compliant: Any, keys: Any) -> None:
    key, payload = keys("rsa"), encoded(compliant.statement())
    for digest, code in (hashes.SHA256(), 0), (hashes.SHA1(), 3):  # noqa: S303 - refused
        signature = key.sign(to_be_signed(payload), padding.PKCS1v15(), digest)
        data = sealed(payload, Signature(keyid(key.public_key()), signature))
        (compliant.path / "attestation.json").write_bytes(data)
        assert compliant.verify("--allow-simulated", key="rsa.pub") == code


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_is_over_all_of_the_data(kind: str, keys: Any) -> None:
    signer = FileSigner(keys(kind))
    signature, public = signer.sign(b"data"), keys(kind).public_key()
    assert signature.keyid == keyid(public)
    assert is_signature(public, signature.signature, b"data")
    assert not is_signature(public, signature.signature, b"datA")
    assert not is_signature(public, signature.signature[:-1], b"data")
    assert "rivate" not in repr(signer)
