"""From the bytes of an evidence file to what it holds, or a reason not to believe it."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from pydantic import ValidationError

from diga_verify.errors import EvidenceError
from diga_verify.evidence.models import EvidenceFile
from diga_verify.evidence.stored import SCHEMA_VERSION, Stored
from diga_verify.evidence.write import canonical


def read(data: bytes, path: str) -> Stored:
    """What a file of evidence holds. Raises EvidenceError unless every byte of it is as it was written."""
    tree = _tree(data, path)
    version = tree.get("schema_version")
    if version != SCHEMA_VERSION:
        raise EvidenceError(f"{path} is evidence of version {version!r}, and this program reads {SCHEMA_VERSION!r}")
    if "sha256" not in tree:
        raise EvidenceError(f"{path} is no evidence of diga-verify, which is what `--evidence FILE` writes: no sha256")
    content = {key: value for key, value in tree.items() if key != "sha256"}
    due, told = hashlib.sha256(canonical(content)).hexdigest(), tree.get("sha256")
    if due != told:
        raise EvidenceError(f"{path} was changed: its content has the SHA-256 {due}, and it says {told}")
    if canonical(tree) != data:
        raise EvidenceError(f"{path} was changed: it is not written as evidence is (one line, sorted keys)")
    try:
        file = EvidenceFile.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise EvidenceError(f"{path} is no evidence of diga-verify: {place}: {first['msg']}") from None
    return file.stored(path)


def _tree(data: bytes, path: str) -> dict[str, Any]:
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"{path} is no JSON ({type(error).__name__}): no evidence, or it was changed") from None
    if not isinstance(tree, dict):
        raise EvidenceError(f"{path} is no evidence of diga-verify: it holds no JSON object")
    return tree
