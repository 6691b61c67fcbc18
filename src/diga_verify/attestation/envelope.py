"""DSSE, the envelope of a signed statement (https://github.com/secure-systems-lab/dsse), version 1."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from diga_verify.attestation.statement import decoded, encoded, is_statement
from diga_verify.errors import AttestationError

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature, and the SHA-256 of the public key (its DER SubjectPublicKeyInfo) that it can be checked with."""

    keyid: str
    signature: bytes


def to_be_signed(payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding of a statement: what a signature is made over."""
    return b"DSSEv1 %d %b %d %b" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode("ascii"), len(payload), payload)


def sealed(payload: bytes, signature: Signature) -> bytes:
    """The envelope, in the one form in which it is written."""
    return encoded(
        {
            "payload": _base64(payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": signature.keyid, "sig": _base64(signature.signature)}],
        }
    )


def opened(data: bytes, name: str) -> tuple[bytes, Signature]:
    """Payload and signature of an envelope, neither of them checked.

    Raises AttestationError unless `data` is, byte for byte, how the envelope is written: there is no place in it that
    could be changed and mean the same.
    """
    document = decoded(data, name)
    if is_statement(document):
        raise AttestationError(f"{name} is a statement without a signature: anybody could have written it")
    match document:
        case {
            "payload": str(payload),
            "payloadType": str(payload_type),
            "signatures": [{"keyid": str(keyid), "sig": str(sig)}],
        }:
            pass
        case {"signatures": [_, _, *_] as signatures}:
            raise AttestationError(f"{name} has {len(signatures)} signatures, and one was due")
        case _:
            raise AttestationError(f"{name} is not a DSSE envelope with a payload, its type and one signature")
    if payload_type != PAYLOAD_TYPE:
        raise AttestationError(f"{name}: payloadType is {payload_type!r}, and {PAYLOAD_TYPE!r} was due")
    found = _bytes(payload, name, "payload"), Signature(keyid, _bytes(sig, name, "sig"))
    _refuse_other_forms(data, sealed(*found), name)
    return found


def _refuse_other_forms(data: bytes, due: bytes, name: str) -> None:
    if data != due:
        at = next((at for at, (one, other) in enumerate(zip(data, due, strict=False)) if one != other), None)
        place = min(len(data), len(due)) if at is None else at
        raise AttestationError(
            f"{name}: byte {place + 1} is not as diga-verify writes it: {data[place : place + 20]!r}, "
            f"and {due[place : place + 20]!r} was due"
        )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _bytes(text: str, name: str, key: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise AttestationError(f"{name}: {key} is not base64") from None
