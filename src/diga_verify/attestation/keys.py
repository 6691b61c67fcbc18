"""Keys of attestations: which ones are sound enough, how they sign, and how a signature is checked.

| key | signature |
|---|---|
| Ed25519 | Ed25519 |
| ECDSA on P-256 | with SHA-256 |
| ECDSA on P-384 | with SHA-384 |
| RSA, from 3072 bits | RSASSA-PSS with SHA-256 |

RSASSA-PKCS1-v1_5 with SHA-256 is accepted too, as there are keys in Cloud KMS that sign in no other way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from diga_verify.attestation.envelope import Signature
from diga_verify.errors import UsageError
from diga_verify.files import read_file

PublicKey = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

PASSPHRASE = "DIGA_VERIFY_ATTEST_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
RSA_BITS = 3072
SOUND = f"Ed25519, ECDSA on P-256 or P-384, RSA from {RSA_BITS} bits"
_LIMIT = 64 * 1024
_HASHES: dict[str, hashes.HashAlgorithm] = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384()}
_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
_ANY_PSS = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.AUTO)


class Signer(Protocol):
    """What can sign a statement."""

    def sign(self, data: bytes) -> Signature:
        """The signature over `data`. Raises OutputError."""


@dataclass(frozen=True, slots=True)
class FileSigner:
    """The private key of a file. It is no part of its `repr`."""

    key: PrivateKey = field(repr=False)
    exposed: bool = False
    """Whether others than the file's owner may read it."""

    def sign(self, data: bytes) -> Signature:
        return Signature(keyid(self.key.public_key()), self._signature(data))

    def _signature(self, data: bytes) -> bytes:
        if isinstance(self.key, ed25519.Ed25519PrivateKey):
            return self.key.sign(data)
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(data, ec.ECDSA(_HASHES[self.key.curve.name]))
        return self.key.sign(data, _PSS, hashes.SHA256())


def keyid(key: PublicKey) -> str:
    """The SHA-256 of a public key's DER SubjectPublicKeyInfo."""
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def is_signature(key: PublicKey, signature: bytes, data: bytes) -> bool:
    """Whether `signature` was made over `data` with the private half of `key`."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return _holds(lambda: key.verify(signature, data))
    if isinstance(key, ec.EllipticCurvePublicKey):
        return _holds(lambda: key.verify(signature, data, ec.ECDSA(_HASHES[key.curve.name])))
    by_rsa = partial(key.verify, signature, data)
    return any(_holds(partial(by_rsa, way, hashes.SHA256())) for way in (_ANY_PSS, padding.PKCS1v15()))


def private_key(path: Path, passphrase: bytes | None) -> FileSigner:
    """The private key in a PEM file. Raises UsageError; no message has anything of what is in the file."""
    file = read_file(path, _LIMIT)
    try:
        key: object = load_pem_private_key(file.data, passphrase)
    except TypeError:
        if passphrase is None:
            raise UsageError(f"the key {path} is encrypted: put its passphrase into {PASSPHRASE}") from None
        raise UsageError(f"{PASSPHRASE} is set, and the key {path} is not encrypted") from None
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(_no_private_key(path, file.data, passphrase)) from None
    if not isinstance(key, PrivateKey) or not _is_sound(key.public_key()):
        raise UsageError(f"the key {path} is of no kind that attestations are signed with: {SOUND}")
    return FileSigner(key, file.exposed)


def public_key(path: Path) -> PublicKey:
    """The public key in a PEM file. Raises UsageError."""
    data = read_file(path, _LIMIT).data
    if b"PRIVATE KEY-----" in data:
        raise UsageError(
            f"{path} is a private key, which whoever verifies must not have; "
            f"its public half is what `openssl pkey -in {path} -pubout` writes"
        )
    if b"BEGIN CERTIFICATE-----" in data:
        raise UsageError(
            f"{path} is a certificate, not a key: nothing in it is checked here. "
            f"Decide whether you trust it, and take its key with `openssl x509 -in {path} -pubkey -noout`"
        )
    if data.count(b"-----BEGIN ") != 1:
        raise UsageError(f"{path} does not hold one public key in PEM")
    return parsed_public_key(data, str(path))


def parsed_public_key(pem: bytes, name: str) -> PublicKey:
    """The public key in PEM. Raises UsageError, in which it is called `name`."""
    try:
        key: object = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError(f"{name} is no public key in PEM that can be read") from None
    if not isinstance(key, PublicKey) or not _is_sound(key):
        raise UsageError(f"{name} is a key of no kind that attestations are signed with: {SOUND}")
    return key


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except InvalidSignature:
        return False
    return True


def _no_private_key(path: Path, data: bytes, passphrase: bytes | None) -> str:
    if b"PRIVATE KEY-----" not in data:
        what = "a public key" if b"PUBLIC KEY-----" in data else "no private key in PEM"
        return f"{path} is {what}; to sign takes a private key"
    if passphrase is not None:
        return f"the key {path} does not open with the passphrase in {PASSPHRASE}"
    return f"the private key {path} cannot be read"


def _is_sound(key: PublicKey) -> bool:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return key.curve.name in _HASHES
    return not isinstance(key, rsa.RSAPublicKey) or key.key_size >= RSA_BITS
