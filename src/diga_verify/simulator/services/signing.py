"""Cloud KMS as a signer: public keys, and real signatures, of key versions whose purpose is ASYMMETRIC_SIGN.

A key is made from the version's name, or by chance where that takes a prime: anybody can sign with it, and it is worth
nothing outside the simulator.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import threading
from functools import cache

import google_crc32c
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from diga_verify.simulator.errors import Json, bad_request, not_simulated

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_LOCK = threading.Lock()
_HASHES: dict[str, HashAlgorithm] = {"SHA256": SHA256(), "SHA384": SHA384()}


def public_key(version: Json) -> Json:
    """The answer of getPublicKey. Raises ApiError for a version that cannot sign."""
    key = _private_key(str(version["name"]), _algorithm(version))
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "pem": pem.decode("ascii"),
        "algorithm": version["algorithm"],
        "pemCrc32c": _crc32c(pem),
        "name": version["name"],
        "protectionLevel": version["protectionLevel"],
        "publicKeyFormat": "PEM",
        "publicKey": {"data": base64.b64encode(pem).decode("ascii"), "crc32cChecksum": _crc32c(pem)},
    }


def asymmetric_sign(version: Json, body: Json) -> Json:
    """The answer of asymmetricSign. Raises ApiError."""
    algorithm = _algorithm(version)
    key = _private_key(str(version["name"]), algorithm)
    if isinstance(key, ed25519.Ed25519PrivateKey):
        data, confirmed = _sent(body, body.get("data"), "data")
        signature = key.sign(data)
        flag = "verifiedDataCrc32c"
    else:
        name = algorithm.rpartition("_")[2]
        digest, confirmed = _sent(body, _of(body.get("digest"), name.lower()), "digest")
        if len(digest) != _HASHES[name].digest_size:
            raise bad_request(f"The checksum in digest is {len(digest)} bytes; {_HASHES[name].digest_size} were due.")
        signature = _signature(key, digest, algorithm, utils.Prehashed(_HASHES[name]))
        flag = "verifiedDigestCrc32c"
    return {
        "signature": base64.b64encode(signature).decode("ascii"),
        "signatureCrc32c": _crc32c(signature),
        "name": version["name"],
        "protectionLevel": version["protectionLevel"],
        **({flag: True} if confirmed else {}),
    }


def _algorithm(version: Json) -> str:
    algorithm = str(version["algorithm"])
    if "_SIGN_" not in algorithm:
        raise bad_request(f"{version['name']} has the algorithm {algorithm}, which does not sign.")
    if version["state"] != "ENABLED":
        raise bad_request(f"{version['name']} is not enabled, current state is: {version['state']}.")
    return algorithm


def _private_key(name: str, algorithm: str) -> PrivateKey:
    with _LOCK:  # of two that are made by chance at once, one would sign what the other cannot verify
        return _made_key(name, algorithm)


@cache
def _made_key(name: str, algorithm: str) -> PrivateKey:
    secret = hashlib.sha256(name.encode()).digest()
    match algorithm.split("_"):
        case ["EC", "SIGN", "ED25519"]:
            return ed25519.Ed25519PrivateKey.from_private_bytes(secret)
        case ["EC", "SIGN", "P256", "SHA256"]:
            return ec.derive_private_key(int.from_bytes(secret[1:]), ec.SECP256R1())
        case ["EC", "SIGN", "P384", "SHA384"]:
            return ec.derive_private_key(int.from_bytes(secret), ec.SECP384R1())
        case ["RSA", "SIGN", "PSS" | "PKCS1", size, "SHA256"]:
            return rsa.generate_private_key(65537, int(size))
    raise not_simulated(f"the algorithm {algorithm}")


def _signature(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, digest: bytes, algorithm: str, of: utils.Prehashed
) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(digest, ec.ECDSA(of))
    pss = padding.PSS(padding.MGF1(SHA256()), padding.PSS.DIGEST_LENGTH)
    return key.sign(digest, pss if "_PSS_" in algorithm else padding.PKCS1v15(), of)


def _sent(body: Json, text: object, key: str) -> tuple[bytes, bool]:
    """The bytes to be signed, and whether a checksum came with them."""
    if not isinstance(text, str) or not text:
        raise bad_request(f"The request has no {key} of the kind that the key signs.")
    try:
        data = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise bad_request(f"Invalid value at '{key}' (TYPE_BYTES), Base64 decoding failed.") from error
    checksum = body.get(f"{key}Crc32c")
    if checksum is not None and str(checksum) != _crc32c(data):
        raise bad_request(f"The checksum in field {key}_crc32c did not match the data in field {key}.")
    return data, checksum is not None


def _of(digest: object, name: str) -> object:
    return digest.get(name) if isinstance(digest, dict) else None


def _crc32c(data: bytes) -> str:
    return str(google_crc32c.value(data))
