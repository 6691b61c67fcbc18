"""The page about attestations says what the code does."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from diga_verify.attestation.envelope import PAYLOAD_TYPE
from diga_verify.attestation.keys import PASSPHRASE, keyid, private_key, public_key
from diga_verify.attestation.kms import HASHES
from diga_verify.attestation.statement import ATTESTED, PREDICATE_TYPE, STATEMENT_TYPE

PAGE = (Path(__file__).parents[2] / "docs" / "attestation.md").read_text(encoding="utf-8")


def test_the_predicate_is_described_key_by_key() -> None:
    table = PAGE.partition("| key | what |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `(\w+)`", table, re.MULTILINE) == [*ATTESTED, "files"]


def test_names_and_algorithms_are_those_of_the_code() -> None:
    for word in (STATEMENT_TYPE, PREDICATE_TYPE, PAYLOAD_TYPE, PASSPHRASE):
        assert f"`{word}`" in PAGE
    assert re.findall(r"`((?:EC|RSA)_SIGN_\w+)`", PAGE) == list(HASHES)


def test_the_commands_make_keys_that_can_be_used(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    making, taking = (
        block.splitlines()
        for block in re.findall(r"^```sh\n(openssl.*?|chmod.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    )
    assert len(making) == 3
    for command in making:
        for line in (command, *taking):
            subprocess.run(line.split(), cwd=tmp_path, check=True, capture_output=True, timeout=60)
        signer = private_key(tmp_path / "key.pem", None)
        assert not signer.exposed
        assert signer.sign(b"data").keyid == keyid(public_key(tmp_path / "public.pem"))
