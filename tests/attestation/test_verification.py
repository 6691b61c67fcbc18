"""`diga-verify attestation verify`, as an auditor types it: what is genuine, and everything that is not."""

from __future__ import annotations

import json
import random
import re
import shutil
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from diga_verify.attestation.envelope import sealed
from diga_verify.attestation.keys import PublicKey, keyid, public_key
from diga_verify.attestation.statement import ATTESTED, encoded
from diga_verify.attestation.verification import verified
from diga_verify.errors import AttestationError
from diga_verify.files import File

CHANGES = 200
FILES = ("attestation.json", "report.json", "regions.toml", "evidence.json", "table.csv")


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on stderr of a verification that failed, which shows nothing on stdout."""
    shown = capsys.readouterr()
    assert shown.out == ""
    (line,) = shown.err.splitlines()
    return line


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def test_a_genuine_attestation_ends_as_its_run_did(
    compliant: Any, violating: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compliant.verify("--allow-simulated") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "The attested run ended with 0, and so does this." in shown.out
    assert "SIMULATED" in shown.out
    assert "SELECTED" in shown.out
    assert "verdict   compliant, complete" in shown.out
    assert violating.verify("--allow-simulated") == 1
    assert "verdict   violation, complete" in capsys.readouterr().out


def test_what_is_shown_names_every_file_with_its_digest(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    compliant.verify("--allow-simulated")
    shown = capsys.readouterr().out
    for name in FILES[1:]:
        assert digest(compliant.path / name) in shown


def test_a_simulated_run_is_refused_unless_it_is_asked_for(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert compliant.verify() == 3
    assert "the run was SIMULATED" in said(capsys)


@pytest.mark.parametrize(
    ("more", "code", "text"),
    [
        (["--project", "dtx-data", "--environment", "production"], 0, ""),
        (["--project", "100000000001"], 0, ""),
        (["--project", "dtx-other"], 3, "the project dtx-data (100000000001), and dtx-other was due"),
        (["--environment", "staging"], 3, "the environment production, and staging was due"),
    ],
)
def test_a_run_about_something_else_is_no_answer(
    more: list[str], code: int, text: str, compliant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compliant.verify("--allow-simulated", *more) == code
    assert text in capsys.readouterr().err


def changed(data: bytes, chance: random.Random) -> bytes:
    """The data with one byte that is another."""
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :]


def check(files: Mapping[str, bytes], key: PublicKey) -> int:
    """The exit code that `verified` finds for the files, by their names."""
    attestation, report, policy, evidence, table = (File(Path(name), files[name]) for name in FILES)
    return verified(attestation, key, [report, table], policy, evidence).exit_code


@pytest.mark.parametrize("name", FILES)
def test_every_one_of_200_changed_bytes_is_found(name: str, compliant: Any) -> None:
    files = {one: (compliant.path / one).read_bytes() for one in FILES}
    key = public_key(compliant.path / "public.pem")
    chance = random.Random(f"a seed for {name}")  # noqa: S311 - not for secrets
    assert check(files, key) == 0
    for _ in range(CHANGES):
        with pytest.raises(AttestationError, match=re.escape(name)):
            check(files | {name: changed(files[name], chance)}, key)


@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_exit_3_and_names_the_file(
    name: str, compliant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = compliant.path / name
    genuine = path.read_bytes()
    for seed in range(4):
        path.write_bytes(changed(genuine, random.Random(seed)))  # noqa: S311 - not for secrets
        assert compliant.verify("--allow-simulated") == 3
        assert name in said(capsys)
    path.write_bytes(genuine)
    assert compliant.verify("--allow-simulated") == 0


def test_a_change_to_any_byte_of_the_attestation_is_found(compliant: Any) -> None:
    files = {one: (compliant.path / one).read_bytes() for one in FILES}
    key, genuine = public_key(compliant.path / "public.pem"), files["attestation.json"]
    for at, byte in enumerate(genuine):
        with pytest.raises(AttestationError):
            check(files | {"attestation.json": genuine[:at] + bytes([byte ^ 1]) + genuine[at + 1 :]}, key)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda text: text[:-1], "is not as diga-verify writes it"),
        (lambda text: text + b"\n", "is not as diga-verify writes it"),
        (lambda text: text.replace(b'": "', b'":  "', 1), "is not as diga-verify writes it"),
        (lambda text: text.replace(b'"sig": "', b'"sig": "\\u0041', 1), "base64"),
        (lambda text: text.replace(b'"payload": "e', b'"payload": "\\u0065', 1), "is not as diga-verify writes it"),
        (lambda text: text.replace(b"==\n", b"=\n").replace(b'=="', b'="'), "base64"),
        (lambda text: text.replace(b'"keyid": "', b'"keyid": "0', 1), "names the key '0"),
        (lambda text: re.sub(rb'"keyid": "\w+"', b'"keyid": ""', text), "names the key ''"),
        (lambda text: text.replace(b"vnd.in-toto+json", b"vnd.in-toto"), "payloadType"),
        (lambda text: text.replace(b'{\n  "payload"', b'{\n  "payload": "",\n  "payload"'), "there twice"),
        (lambda text: text.replace(b'{\n  "payload"', b'{\n  "more": "",\n  "payload"'), "as diga-verify writes it"),
        (lambda text: re.sub(rb'"signatures": \[.*\]', b'"signatures": []', text, flags=re.DOTALL), "one signature"),
        (lambda _: b"", "not a JSON object"),
        (lambda _: b"[]", "not a JSON object"),
        (lambda _: b"[" * 100_000, "not a JSON object"),
        (lambda _: b"{}", "not a DSSE envelope"),
    ],
)
def test_only_the_one_form_of_an_envelope_is_taken(
    change: Any, text: str, compliant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    path = compliant.path / "attestation.json"
    genuine = path.read_bytes()
    path.write_bytes(change(genuine))
    assert path.read_bytes() != genuine
    assert compliant.verify("--allow-simulated") == 3
    assert text in said(capsys)


def test_a_second_signature_is_refused(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    document = compliant.read("attestation.json")
    document["signatures"].append({"keyid": "x", "sig": "AAAA"})
    (compliant.path / "attestation.json").write_bytes(encoded(document))
    assert compliant.verify("--allow-simulated") == 3
    assert "has 2 signatures, and one was due" in said(capsys)


def test_a_statement_without_a_signature_is_refused(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (compliant.path / "attestation.json").write_bytes(encoded(compliant.statement()))
    assert compliant.verify("--allow-simulated") == 3
    assert "a statement without a signature" in said(capsys)


@pytest.mark.parametrize("kind", ["ed25519", "p256", "p384", "rsa"])
def test_only_the_key_that_signed_counts(
    kind: str, compliant: Any, keys: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    compliant.sign(compliant.statement(), kind)
    other = "p256" if kind == "ed25519" else "ed25519"
    assert compliant.verify("--allow-simulated", key=f"{kind}.pub") == 0
    capsys.readouterr()
    assert compliant.verify("--allow-simulated", key=f"{other}.pub") == 3
    both = [keyid(keys(name).public_key()) for name in (kind, other)]
    assert all(one in said_ for said_ in [said(capsys)] for one in both)


def test_another_signature_under_the_right_key_id_is_refused(
    compliant: Any, keys: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from diga_verify.attestation.envelope import Signature, to_be_signed
    from diga_verify.attestation.keys import FileSigner

    payload = encoded(compliant.statement())
    forged = FileSigner(keys("p256")).sign(to_be_signed(payload)).signature
    right = keyid(keys("ed25519").public_key())
    for signature in (forged, b"", bytes(64)):
        (compliant.path / "attestation.json").write_bytes(sealed(payload, Signature(right, signature)))
        assert compliant.verify("--allow-simulated") == 3
        assert "the signature was not made over this statement by the key" in said(capsys)


def swapped_digests(statement: Any) -> None:
    report, policy = statement["subject"][0], statement["subject"][-1]
    report["digest"], policy["digest"] = policy["digest"], report["digest"]


def swapped_roles(statement: Any) -> None:
    files = statement["predicate"]["files"]
    files["policy"], files["evidence"] = files["evidence"], files["policy"]


def dropped_subject(statement: Any) -> None:
    statement["subject"].pop()


def extra_subject(statement: Any) -> None:
    statement["subject"].append({"name": "more", "digest": {"sha256": "0" * 64}})


def extra_role(statement: Any) -> None:
    statement["predicate"]["files"]["reports"].append({"name": "more", "format": "json"})


def second_digest(statement: Any) -> None:
    statement["subject"][0]["digest"]["sha1"] = "0" * 40


def same_subject_twice(statement: Any) -> None:
    statement["subject"].append(statement["subject"][0])


def no_json(statement: Any) -> None:
    for report in statement["predicate"]["files"]["reports"]:
        report["format"] = "csv"


def no_evidence(statement: Any) -> None:
    name = statement["predicate"]["files"]["evidence"]
    statement["predicate"]["files"]["evidence"] = None
    statement["subject"] = [one for one in statement["subject"] if one["name"] != name]


def other_type(statement: Any) -> None:
    statement["predicateType"] = "urn:diga-verify:attestation:v2"


def other_statement(statement: Any) -> None:
    statement["_type"] = "https://in-toto.io/Statement/v0.1"


def extra_key(statement: Any) -> None:
    statement["predicate"]["note"] = "PASS"


def missing_key(statement: Any) -> None:
    del statement["predicate"]["simulated"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (swapped_digests, "has sha256"),
        (swapped_roles, "has sha256"),
        (dropped_subject, "the subjects are"),
        (extra_subject, "the subjects are"),
        (extra_role, "the subjects are"),
        (second_digest, "a subject is a name and its SHA-256"),
        (same_subject_twice, "is there twice"),
        (no_json, "none of its subjects is a JSON report"),
        (no_evidence, "is about no evidence"),
        (other_type, "predicateType is 'urn:diga-verify:attestation:v2'"),
        (other_statement, "_type is 'https://in-toto.io/Statement/v0.1'"),
        (extra_key, "it differs in note"),
        (missing_key, "it differs in simulated"),
    ],
)
def test_another_statement_under_the_right_key_is_refused(
    change: Any, text: str, compliant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    statement = compliant.statement()
    change(statement)
    compliant.sign(statement)
    assert compliant.verify("--allow-simulated") == 3
    assert text in said(capsys)


@pytest.mark.parametrize("key", ATTESTED)
def test_a_predicate_that_says_else_than_the_report_is_refused(
    key: str, violating: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    statement = violating.statement()
    better = {"verdict": "compliant", "complete": 1, "exit_code": 0, "simulated": False, "scope": "project"}
    statement["predicate"][key] = better.get(key, "something else")
    violating.sign(statement)
    assert violating.verify("--allow-simulated") == 3
    assert f"attestation.json states that {key} is {json.dumps(statement['predicate'][key])}" in said(capsys)


def test_a_worse_verdict_than_the_report_has_is_found_too(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    statement = compliant.statement()
    statement["predicate"] |= {"verdict": "violation", "exit_code": 1}
    compliant.sign(statement)
    assert compliant.verify("--allow-simulated") == 3
    assert 'states that verdict is "violation"' in said(capsys)


def forge(folder: Any, statement: Any, change: dict[str, Any]) -> None:
    """A report that says something else, and a signed statement that says the same of it."""
    report = folder.path / "report.json"
    report.write_text(json.dumps(json.loads(report.read_bytes()) | change))
    statement["predicate"] |= {key: value for key, value in change.items() if key in ATTESTED}
    for one in statement["subject"]:
        if one["name"].endswith("report.json"):
            one["digest"] = {"sha256": digest(report)}
    folder.sign(statement)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"exit_code": 0}, "no run ends so"),
        ({"exit_code": 0, "verdict": "compliant", "complete": "yes"}, "no run ends so"),
        ({"exit_code": 0, "verdict": "compliant", "complete": False}, "no run ends so"),
        ({"exit_code": False}, "states the exit code false"),
        ({"exit_code": 4}, "states the exit code 4"),
        ({"exit_code": 0, "enforcement": "free", "strict": True}, "no run ends so"),
        ({"policy": {"path": "regions.toml", "sha256": "0" * 64}}, "regions.toml has "),
        ({"policy": None}, "about the policy with sha256 None"),
        ({"evidence": {"sha256": "0" * 64}}, "about the evidence with sha256 000"),
        ({"evidence": None}, "about the evidence with sha256 None"),
    ],
)
def test_a_report_that_contradicts_itself_or_its_files_is_refused_under_the_right_key(
    change: dict[str, Any], text: str, violating: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are forged, and agree: what remains is that they are not of one piece."""
    forge(violating, violating.statement(), change)
    assert violating.verify("--allow-simulated") == 3
    assert text in said(capsys)


def kept_none(folder: Any) -> dict[str, Any]:
    """What the report of a run says otherwise that kept no evidence."""
    resources = folder.read("report.json")["resources"]
    for place in (place for one in resources for place in one["placements"]):
        place["evidence"] = None
    return {"evidence": None, "resources": resources}


def test_a_run_against_google_cloud_needs_no_allowance(violating: Any) -> None:
    statement = violating.statement()
    no_evidence(statement)
    forge(violating, statement, kept_none(violating) | {"simulated": False, "api_root": None})
    assert violating.verify(evidence="") == 1


def test_a_run_that_kept_no_evidence_is_about_none(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    statement = compliant.statement()
    no_evidence(statement)
    forge(compliant, statement, {})
    assert compliant.verify("--allow-simulated", evidence="") == 3
    assert said(capsys).endswith("and no evidence was given")
    forge(compliant, statement, kept_none(compliant))
    assert compliant.verify("--allow-simulated", evidence="") == 0


def test_files_in_each_others_place_are_refused(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    for names in (
        {"policy": "evidence.json", "evidence": "regions.toml"},
        {"policy": "report.json"},
        {"evidence": "table.csv"},
    ):
        assert compliant.verify("--allow-simulated", **names) == 3
        assert "has sha256" in said(capsys)


def test_every_subject_has_to_be_given_and_nothing_else(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    (compliant.path / "report.other").write_text("{}")
    shutil.copy(compliant.path / "report.json", compliant.path / "report.copy")
    three = ["--report", "report.json", "--report", "table.csv", "--report"]
    for more, names, text in (
        (["--report", "report.json"], {}, "is also about the report"),
        (["--report", "table.csv"], {}, "give that file with --report"),
        ([], {"evidence": ""}, "give that file with --evidence"),
        ([*three, "report.other"], {}, "is about no other report"),
        ([*three, "report.copy"], {}, "is about no other report"),
    ):
        assert compliant.verify("--allow-simulated", *more, **names) == 3
        assert text in said(capsys)


def test_the_order_and_the_names_of_files_are_nobodys_business(compliant: Any) -> None:
    (compliant.path / "table.csv").rename(compliant.path / "report.renamed")
    assert compliant.verify("--allow-simulated", "--report", "report.renamed", "--report", "report.json") == 0


def test_hostile_words_in_an_attestation_do_no_harm(compliant: Any, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = "\x1b[2J\u202e\n::error::x <script> PASS"
    statement = compliant.statement()
    statement["predicate"]["verdict"] = hostile
    compliant.sign(statement)
    assert compliant.verify("--allow-simulated") == 3
    assert "\x1b" not in said(capsys)
    statement = compliant.statement()
    statement["_type"] = hostile
    compliant.sign(statement)
    assert compliant.verify("--allow-simulated") == 3
    assert not {"\x1b", "\u202e"} & set(said(capsys))


@pytest.mark.parametrize(
    ("option", "name", "text"),
    [
        ("key", "nowhere", "nowhere cannot be read: No such file or directory"),
        ("key", ".", "cannot be read: Is a directory"),
        ("policy", "nowhere", "nowhere cannot be read"),
        ("evidence", "nowhere", "nowhere cannot be read"),
        ("key", "ed25519.pem", "is a private key"),
        ("key", "certificate", "is a certificate, not a key"),
        ("key", "regions.toml", "does not hold one public key in PEM"),
        ("key", "two", "does not hold one public key in PEM"),
        ("key", "broken", "is no public key in PEM that can be read"),
        ("key", "large", "is larger than 65536 bytes"),
    ],
)
def test_a_file_that_cannot_be_used_is_exit_2(
    option: str, name: str, text: str, compliant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    public = (compliant.path / "public.pem").read_text()
    (compliant.path / "certificate").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    (compliant.path / "two").write_text(public * 2)
    (compliant.path / "broken").write_text(public.replace("MCow", "MCox"))
    (compliant.path / "large").write_text(public + " " * 65536)
    assert compliant.verify("--allow-simulated", **{option: name}) == 2
    assert text in said(capsys)


def test_a_command_line_without_key_policy_or_report_is_exit_2(
    compliant: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compliant.verify(key="") == 2
    assert "--key" in capsys.readouterr().err
    assert compliant.verify(policy="") == 2
    assert "--policy" in capsys.readouterr().err
