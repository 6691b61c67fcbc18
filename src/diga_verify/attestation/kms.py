"""Signing with a key that never leaves Cloud KMS.

What KMS is asked to sign, and what it answers, may be garbled on the way: a CRC32C is sent and checked in both
directions, and in the end the signature itself is checked, with the public key that KMS gives for the version.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import google_crc32c

from diga_verify import __version__
from diga_verify.attestation import keys
from diga_verify.attestation.envelope import Signature
from diga_verify.errors import OutputError, ReadError, UsageError
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.identity import Anonymous, Identity, caller
from diga_verify.gateway.listing import Method
from diga_verify.gateway.live import Live
from diga_verify.gateway.patience import Patience
from diga_verify.model import Json

SCHEME = "gcpkms://"
ATTEMPTS = 3
"""How often an answer that was garbled on its way is asked for."""
HASHES = {
    "EC_SIGN_ED25519": None,
    "EC_SIGN_P256_SHA256": "sha256",
    "EC_SIGN_P384_SHA384": "sha384",
    "RSA_SIGN_PSS_3072_SHA256": "sha256",
    "RSA_SIGN_PSS_4096_SHA256": "sha256",
    "RSA_SIGN_PKCS1_3072_SHA256": "sha256",
    "RSA_SIGN_PKCS1_4096_SHA256": "sha256",
}
"""The algorithms that attestations are signed with, and the digest that KMS signs; Ed25519 signs the data itself."""

_NAME = re.compile(
    r"projects/[a-z0-9][a-z0-9.:-]*/locations/[a-z0-9-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+/cryptoKeyVersions/[0-9]+",
    re.ASCII,
)
_SERVICE = "cloudkms.googleapis.com"
_PREFIX = "cloudkms.projects.locations.keyRings.cryptoKeys.cryptoKeyVersions"
_GET = Method("attestation", _SERVICE, f"{_PREFIX}.getPublicKey", fields="name,algorithm,pem,pemCrc32c")
_SIGN = Method(
    "attestation",
    _SERVICE,
    f"{_PREFIX}.asymmetricSign",
    fields="name,signature,signatureCrc32c,verifiedDataCrc32c,verifiedDigestCrc32c",
)


T = TypeVar("T")


class _GarbledError(Exception):
    """An answer is not what was sent, or is to something else than what was asked."""


def key_version(uri: str) -> str:
    """The name of the key version in a `gcpkms://` URI. Raises UsageError."""
    name = uri.removeprefix(SCHEME)
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"--attest-key {uri} is not a key version in Cloud KMS: {SCHEME}projects/P/locations/L/keyRings/R/"
            "cryptoKeys/K/cryptoKeyVersions/V"
        )
    return name


@dataclass(frozen=True, slots=True)
class KmsSigner:
    """A key version of Cloud KMS. Nothing is asked before `sign`."""

    version: str
    endpoints: Endpoints
    impersonate: str | None = None
    billing_project: str | None = None
    patience: Patience = field(default_factory=lambda: Patience(run=60.0))

    def sign(self, data: bytes) -> Signature:
        try:
            asking = _Asking(self)
            algorithm, key = _ungarbled(asking.public_key)
            signature = _ungarbled(lambda: asking.signature(algorithm, data))
        except (ReadError, UsageError, _GarbledError) as error:
            raise OutputError(f"Cloud KMS did not sign the attestation with {self.version}: {error}") from error
        if not keys.is_signature(key, signature, data):
            raise OutputError(f"the signature that came for {self.version} is not one by its public key")
        return Signature(keys.keyid(key), signature)


class _Asking:
    """The two calls that a signature takes."""

    def __init__(self, signer: KmsSigner) -> None:
        patience, endpoints = signer.patience, signer.endpoints
        identity: Identity = Anonymous()
        if not endpoints.simulated:
            identity = caller(signer.impersonate, signer.billing_project, seconds=min(patience.token, patience.run))
        self._version = signer.version
        self._live = Live(patience)
        clients = Clients(Door(endpoints, identity, patience, 1), endpoints, f"diga-verify/{__version__}")
        service = clients.discovery("cloudkms", "v1").projects().locations().keyRings().cryptoKeys()
        self._versions = service.cryptoKeyVersions()

    def public_key(self) -> tuple[str, keys.PublicKey]:
        """The algorithm of the version and its public key, as they were sent."""
        answer = self._ask(_GET, lambda: self._versions.getPublicKey(name=self._version))
        pem, algorithm = str(answer.get("pem", "")), str(answer.get("algorithm"))
        if _crc32c(pem.encode()) != str(answer.get("pemCrc32c")):
            raise _GarbledError("the checksum of the public key that came is wrong")
        if algorithm not in HASHES:
            known = ", ".join(HASHES)
            raise UsageError(f"its algorithm is {algorithm}, and attestations are signed with one of {known}")
        return algorithm, keys.parsed_public_key(pem.encode(), "the public key that came")

    def signature(self, algorithm: str, data: bytes) -> bytes:
        """The signature over `data`, as it was sent."""
        body, confirmation = _request(algorithm, data)
        answer = self._ask(_SIGN, lambda: self._versions.asymmetricSign(name=self._version, body=body))
        if answer.get(confirmation) is not True:
            raise _GarbledError("the service does not confirm the checksum of what it was to sign")
        try:
            signature = base64.b64decode(str(answer.get("signature", "")), validate=True)
        except (ValueError, binascii.Error):
            raise _GarbledError("the signature that came is not base64") from None
        if _crc32c(signature) != str(answer.get("signatureCrc32c")):
            raise _GarbledError("the checksum of the signature that came is wrong")
        return signature

    def _ask(self, method: Method, request: Callable[[], Any]) -> Json:
        answer = self._live.begin(method, self._version, self._version).ask(lambda: request().execute(num_retries=0))
        if answer.get("name") != self._version:
            raise _GarbledError(f"the answer is about {answer.get('name')!r}")
        return answer


def _ungarbled(ask: Callable[[], T]) -> T:
    """What `ask` brings, at the last of some attempts."""
    for _ in range(ATTEMPTS - 1):
        with suppress(_GarbledError):
            return ask()
    return ask()


def _request(algorithm: str, data: bytes) -> tuple[Json, str]:
    """The body of asymmetricSign, and the key in the answer that confirms its checksum."""
    name = HASHES[algorithm]
    if name is None:
        return {"data": _base64(data), "dataCrc32c": _crc32c(data)}, "verifiedDataCrc32c"
    digest = hashlib.new(name, data).digest()
    return {"digest": {name: _base64(digest)}, "digestCrc32c": _crc32c(digest)}, "verifiedDigestCrc32c"


def _crc32c(data: bytes) -> str:
    """The checksum, in decimal digits, as 64-bit numbers travel in Google's JSON."""
    return str(google_crc32c.value(data))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
