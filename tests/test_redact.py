"""Secrets leave no text, and nothing else does."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.redact import MARK, redact

PEM = "-----BEGIN PRIVATE KEY-----\nCANARYcanaryMIIEvQ\nIBADAN\n-----END PRIVATE KEY-----\n"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJDQU5BUlkifQ.CANARY-sig_nature"
REFRESH = "1//0gCANARYcanaryCANARY-L9Ir_xyz"
KEY = "AIzaSyCANARYcanaryCANARYcanaryCANARY123"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("token ya29.a0CANARY-x_y.z, expired", f"token {MARK}, expired"),
        ("ya29.c.b0CANARY", MARK),
        (f"refresh {REFRESH} was revoked", f"refresh {MARK} was revoked"),
        (rf"line\n{REFRESH}", rf"line\n{MARK}"),
        ("1//canary-short", MARK),
        ("1%2F%2F0gCANARYcanaryCANARY", MARK),
        ("Authorization: Bearer CANARY", f"Authorization: {MARK}"),
        ("authorization: Basic Q0FOQVJZ\nhost: x", f"authorization: {MARK}\nhost: x"),
        ("{'Authorization': 'Bearer CANARY', 'x': 1}", f"{{'Authorization': '{MARK}', 'x': 1}}"),
        ('curl -H "Authorization: Bearer CANARY" https://x', f'curl -H "Authorization: {MARK}" https://x'),
        ("('authorization', 'Bearer CANARY')", f"('authorization', 'Bearer {MARK}')"),
        ("X-Goog-Iam-Authorization-Token: CANARY", f"X-Goog-Iam-Authorization-Token: {MARK}"),
        ("sent bearer CANARY, twice", f"sent bearer {MARK}, twice"),
        (KEY, MARK),
        (
            f"https://x.googleapis.com/v1/b?alt=json&key={KEY}&p=q",
            f"https://x.googleapis.com/v1/b?alt=json&key={MARK}&p=q",
        ),
        ("GET /v1?key=CANARY HTTP/1.1", f"GET /v1?key={MARK} HTTP/1.1"),
        ("key=CANARYcanaryCANARY", f"key={MARK}"),
        ("X-Goog-Api-Key: CANARY", f"X-Goog-Api-Key: {MARK}"),
        ("access_token=CANARY&scope=a", f"access_token={MARK}&scope=a"),
        (
            "grant_type=x&refresh_token=CANARY&client_secret=CANARY",
            f"grant_type=x&refresh_token={MARK}&client_secret={MARK}",
        ),
        ("assertion=CANARY", f"assertion={MARK}"),
        ('{"access_token": "CANARY", "expires_in": 3599}', f'{{"access_token": "{MARK}", "expires_in": 3599}}'),
        ('{"accessToken":"CANARY"}', f'{{"accessToken":"{MARK}"}}'),
        ("{'refresh_token': 'CANARY'}", f"{{'refresh_token': '{MARK}'}}"),
        (r'"{\"client_secret\": \"CANARY\"}"', rf'"{{\"client_secret\": \"{MARK}\"}}"'),
        ('{"access_token": "CANARY cut off', f'{{"access_token": "{MARK}'),
        ('{"private_key": "CANARY\\nCANARY", "a": 1}', f'{{"private_key": "{MARK}", "a": 1}}'),
        (f"key:\n{PEM}rest", f"key:\n{MARK}\nrest"),
        (json.dumps({"private_key": PEM}), f'{{"private_key": "{MARK}"}}'),
        (json.dumps({"x": json.dumps({"y": PEM})}), f'{{"x": "{{\\"y\\": \\"{MARK}\\\\n\\"}}"}}'),
        (f"cut {PEM[:45]}", f"cut {MARK}"),
        (PEM.replace("PRIVATE", "RSA PRIVATE"), f"{MARK}\n"),
        (f"private_key={PEM}", f"private_key={MARK}\n"),
        (f"jwt {JWT}.", f"jwt {MARK}"),
        (JWT.partition(".")[0], MARK),
        (f"id {JWT} sent", f"id {MARK} sent"),
        ("GOCSPX-CANARYcanary", MARK),
        ("AKIACANARYCANARYCANA", MARK),
        ("ghp_CANARYcanaryCANARYcanaryCANARYcanary", MARK),
        ("github_pat_11CANARY0canaryCANARYcanary", MARK),
        ("proxy http://name:CANARY@proxy:3128 refused", f"proxy http://{MARK}@proxy:3128 refused"),
    ],
)
def test_a_secret_is_removed(text: str, left: str) -> None:
    assert redact(text) == left
    assert redact(left) == left


@pytest.mark.parametrize(
    "text",
    [
        "",
        "projects/p/locations/l/keyRings/r/cryptoKeys/k",
        "//cloudkms.googleapis.com/projects/dtx-data/locations/europe-west3/keyRings/main/cryptoKeys/data/cryptoKeyVersions/1",
        "//container.googleapis.com/projects/dtx-data/zones/europe-west3-a/clusters/dta-cluster",
        "gs://dtx-exports-1//0/archive",
        "gate@dtx-data.iam.gserviceaccount.com",
        "arn:aws:iam::123456789012:role/gate",
        "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        'policy d86cce57, line 12: key = "data", values = ["personal"]',
        "Permission 'redis.instances.list' denied on 'projects/p/locations/-'",
        (
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
            "valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project."
        ),
        'WWW-Authenticate: Bearer realm="https://accounts.google.com/", error="invalid_token"',
        "Bearer tokens and bearer authentication are refused",
        "('invalid_grant: Token has been expired or revoked.', {'error': 'invalid_grant'})",
        "the list repeats its nextPageToken CAESBmJ1Y2tldA==, pageToken=CAESBmJ1Y2tldA",
        "https://console.developers.google.com/apis/api/sqladmin.googleapis.com/overview?project=123456785634",
        "http://127.0.0.1:8080/storage.googleapis.com/storage/v1/b?alt=json&project=dtx-data&fields=items(name,location)",
        "http://localhost:1//storage.googleapis.com/x",
        "privateKeyName, cryptoKeyJoin, accessTokenLifetime, apiKeys.list, authorizedNetworks[0].value",
        "nodePools[1].locations[2]",
        "AssertionError: assert key == 'data'",
        "-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----",
        "dta-postgres-replica-2 eu-key-ya29 keyring-aiza authorization",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


NAMES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-_./:@", max_size=80)


@given(NAMES)
def test_names_stay(name: str) -> None:
    full = f"//storage.googleapis.com/projects/p/locations/europe-west3/x/a-{name.replace('//', '/')}"
    assert redact(full) == full


SECRETS = ("ya29.a0CANARYcanary", REFRESH, KEY, JWT, PEM, "GOCSPX-CANARYcanary", "Bearer CANARYcanary")
PARTS = st.sampled_from(
    [
        *SECRETS,
        MARK,
        "Authorization: ",
        "authorization",
        "access_token=",
        '"access_token": "',
        "client_secret",
        "?key=",
        "assertion=",
        "://",
        "@",
        ":",
        "=",
        '"',
        "'",
        "\\",
        "\n",
        "\\n",
        " ",
        "[",
        "]",
        "{",
        "}",
        "-----BEGIN ",
        "PRIVATE KEY",
        "-----",
        "-----END ",
        "eyJ",
        "ya29.",
        "1//",
        "0",
        ".",
        "bearer",
        "Bearer ",
        "token",
        "a",
        "b'",
        "\x00",
        "\u202e",
        "é",
    ]
)


@given(st.lists(PARTS, max_size=12).map("".join))
def test_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


FENCES = st.text(" \t\n\"'<>,;(){}|&?!", min_size=1, max_size=5)


@given(st.text(), FENCES, st.sampled_from(SECRETS), FENCES, st.text())
def test_a_secret_in_any_text_is_removed(before: str, fence: str, secret: str, other: str, after: str) -> None:
    left = redact(f"{before}{fence}{secret}{other}{after}")
    assert "CANARY" not in left


@pytest.mark.parametrize(
    "unit",
    [
        "ya29.",
        "eyJ",
        "eyJ.",
        "-----BEGIN",
        "-----BEGIN ",
        "-----BEGIN PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY----------END ",
        "1//",
        "1//0",
        "AIza",
        "authorization",
        "authorization:",
        "authorization ",
        "Authorization: Bearer ",
        "bearer ",
        "bearer",
        "access_token",
        "access_token=",
        'access_token":"',
        "key=",
        "?key=",
        "://",
        "://a:",
        ":/",
        "@:",
        "\\",
        '\\"',
        "A ",
        "A",
        "ASIA",
        "gho_",
        "x",
        " ",
        "assertion=",
        "assertion\\",
        "access_token\\",
        'access_token="\\',
    ],
)
def test_a_megabyte_of_anything_is_read_once(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    with_budget(lambda: redact(text), seconds=20)


def with_budget(work: Callable[[], object], seconds: int) -> None:
    """Quadratic time over a megabyte would be hours: the alarm is no race, whatever machine this is."""

    def ring(_: int, __: object) -> None:
        pytest.fail(f"not done after {seconds} s")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        work()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
