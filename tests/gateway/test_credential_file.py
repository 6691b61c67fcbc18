"""Which credential files are believed, and what is said of the others."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import ReadError
from diga_verify.gateway.credential_file import SIZE_LIMIT, find, is_googles, load, read
from diga_verify.model import Reason

USER = {"type": "authorized_user", "client_id": "c", "client_secret": "hush", "refresh_token": "hush-hush"}
TOKEN = "https://sts.googleapis.com/v1/token"


def written(folder: Path, content: Any) -> str:
    path = folder / "c.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return str(path)


def refused(path: str) -> ReadError:
    with pytest.raises(ReadError) as caught:
        read(path)
    assert path in caught.value.detail
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "https://oauth2.googleapis.com/token",
        "https://sts.googleapis.com/v1/token",
        "https://sts.googleapis.com:443/v1/token",
        "https://sts.europe-west3.rep.googleapis.com/v1/token",
        "https://STS.GoogleAPIs.com",
        "https://accounts.google.com/o/oauth2/auth",
        "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken",
        "https://www.googleapis.com/robot/v1/metadata/x509/a%40b.iam.gserviceaccount.com",
    ],
)
def test_addresses_of_google(url: str) -> None:
    assert is_googles(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sts.googleapis.com",
        "//sts.googleapis.com/v1/token",
        "http://sts.googleapis.com/v1/token",
        "ftp://sts.googleapis.com/v1/token",
        "https://googleapis.com/",
        "https://sts.googleapis.com.evil.example/",
        "https://evil.example/sts.googleapis.com",
        "https://evilgoogleapis.com/",
        "https://sts-googleapis.com/",
        "https://evil.example#.googleapis.com/",
        "https://evil.example?.googleapis.com/",
        "https://evil.example\\.googleapis.com/",
        "https://evil.example\\@sts.googleapis.com/",
        "https://evil.example/@sts.googleapis.com/",
        "https://user:password@sts.googleapis.com/",
        "https://sts.googleapis.com@evil.example/",
        "https://sts.googleapis.com:8443/",
        "https://sts.googleapis.com:443@evil.example/",
        "https://sts.googleapis.com./",
        "https://.googleapis.com/",
        "https://accounts.google.com.evil.example/",
        "https://evil.accounts.google.com/",
        "https://sts.googleapis.com/\nHost: evil.example",
        "https://sts.googleapis.com/ ",
        " https://sts.googleapis.com/",
        "https://sts。googleapis.com/",
        "https://\uff53ts.googleapis.com/",
        "https://127.0.0.1/",
        "https://[::1]/",
    ],
)
def test_addresses_of_others(url: str) -> None:
    assert not is_googles(url)


@given(st.text(max_size=40), st.sampled_from(["@", "\\", "/", "#", "?", ":", ".", "%", "\t", ""]))
def test_whatever_stands_before_it_the_host_is_google(before: str, sign: str) -> None:
    """If it is taken for Google's, then the parser that connects agrees."""
    from urllib3.util import parse_url

    url = f"https://{before}{sign}sts.googleapis.com/v1/token"
    if is_googles(url):
        host = parse_url(url).host or ""
        assert host.endswith(".googleapis.com") or host == "accounts.google.com"


def test_find_prefers_the_variable_whether_or_not_there_is_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLOUDSDK_CONFIG", raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    assert find() is None
    gcloud = tmp_path / ".config" / "gcloud" / "application_default_credentials.json"
    gcloud.parent.mkdir(parents=True)
    gcloud.write_text("{}")
    assert find() == str(gcloud)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    assert find() is None
    (tmp_path / gcloud.name).symlink_to("nowhere")
    assert find() == str(tmp_path / gcloud.name)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "no/such/file")
    assert find() == "no/such/file"
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    assert find() == str(tmp_path / gcloud.name)


def test_find_agrees_with_google_auth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that it sees and we do not would go unchecked, even the one that an empty variable points to."""
    from google.auth import _cloud_sdk

    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "application_default_credentials.json").write_text("{}")
    for folder in ("", str(tmp_path)):
        monkeypatch.setenv("CLOUDSDK_CONFIG", folder)
        assert find() == _cloud_sdk.get_application_default_credentials_path()


def test_a_checked_file_shows_no_secret(tmp_path: Path) -> None:
    file = read(written(tmp_path, USER))
    assert (file.type, file.info["refresh_token"]) == ("authorized_user", "hush-hush")
    assert "hush" not in repr(file)


def test_what_was_checked_is_what_is_used(tmp_path: Path) -> None:
    path = written(tmp_path, USER)
    file = read(path)
    Path(path).unlink()
    credentials = load(file, ["a-scope"])
    assert (credentials.refresh_token, credentials.token) == ("hush-hush", None)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "is not a JSON file"),
        ("\x00", "is not a JSON file"),
        ("9" * 5000, "is not a JSON file"),
        ('{"a":' * 60_000, "is not a JSON file"),
        ("[" * 500 + "]" * 500, "holds no JSON object"),
        ("null", "holds no JSON object"),
        ('["authorized_user"]', "holds no JSON object"),
        (" " * (SIZE_LIMIT + 1), f"is larger than {SIZE_LIMIT} bytes"),
    ],
)
def test_no_credentials_in_it(content: str, said: str, tmp_path: Path) -> None:
    error = refused(written(tmp_path, content))
    assert error.reason is Reason.NO_CREDENTIALS
    assert said in error.detail
    assert "gcloud auth application-default login" in error.detail


def test_what_is_no_file(tmp_path: Path) -> None:
    for path, said in (
        (tmp_path, "Is a directory"),
        (tmp_path / "absent", "No such file or directory"),
        (Path("/dev/zero"), "is not a file"),
    ):
        error = refused(str(path))
        assert (error.reason, said in error.detail) == (Reason.NO_CREDENTIALS, True)


def test_a_pipe_is_read(tmp_path: Path) -> None:
    """As in `GOOGLE_APPLICATION_CREDENTIALS=<(vault read ...)`, which can be read only once."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(json.dumps(USER),))
    writer.start()
    assert read(str(path)).type == "authorized_user"
    writer.join()


@pytest.mark.parametrize("kind", [None, 5, "", "api_key", "gdch_service_account", ["authorized_user"]])
def test_unknown_types(kind: object, tmp_path: Path) -> None:
    error = refused(written(tmp_path, {**USER, "type": kind}))
    assert error.reason is Reason.CREDENTIALS_REJECTED
    assert "authorized_user, service_account, external_account" in error.detail


@pytest.mark.parametrize(
    ("changes", "name", "host"),
    [
        ({"token_uri": "https://evil.example/token"}, "token_uri", "evil.example"),
        ({"token_uri": "http://sts.googleapis.com/"}, "token_uri", "sts.googleapis.com"),
        ({"token_uri": "hush-hush"}, "token_uri", "an address without a host"),
        ({"token_uri": "https://[evil"}, "token_uri", "an address without a host"),
        ({"token_uri": ["https://evil.example"]}, "token_uri", "an address without a host"),
        ({"token_uri": 5}, "token_uri", "an address without a host"),
        ({"TOKEN_URL": "https://evil.example"}, "TOKEN_URL", "evil.example"),
        ({"revoke_url": "https://hush:hush@evil.example/?hush"}, "revoke_url", "evil.example"),
        ({"source_credentials": {"token_uri": "https://evil.example"}}, "source_credentials.token_uri", "evil.example"),
        ({"more": [{}, {"auth_uri": "https://evil.example"}]}, "more.auth_uri", "evil.example"),
        ({"source_credentials": {"credential_source": {}, "x_url": "https://evil.example"}}, "x_url", "evil.example"),
    ],
)
def test_addresses_in_it(changes: dict[str, Any], name: str, host: str, tmp_path: Path) -> None:
    error = refused(written(tmp_path, {**USER, "auth_uri": TOKEN, **changes}))
    assert error.reason is Reason.CREDENTIALS_REJECTED
    assert f"its {name}" in error.detail or f".{name} would" in error.detail
    assert f"would send credentials to {host}, " in error.detail
    assert "hush" not in error.detail


def test_an_address_that_is_not_there_is_no_foreign_one(tmp_path: Path) -> None:
    assert read(written(tmp_path, {**USER, "token_uri": None, "token_url": TOKEN})).type == "authorized_user"


def test_a_subject_token_may_come_from_anywhere(tmp_path: Path) -> None:
    source = {
        "url": "http://169.254.169.254/x",
        "region_url": "http://evil.example",
        "imdsv2_session_token_url": "http://e",
    }
    content = {"type": "external_account", "token_url": TOKEN, "credential_source": source}
    assert read(written(tmp_path, content)).info == content


@pytest.mark.parametrize("where", [{}, {"source_credentials": {}}])
def test_programs_are_not_run(where: dict[str, Any], tmp_path: Path) -> None:
    content = {"type": "external_account", "token_url": TOKEN, **where}
    place = content["source_credentials"] if where else content
    place["credential_source"] = {"executable": {"command": "true"}}
    error = refused(written(tmp_path, content))
    assert error.reason is Reason.CREDENTIALS_REJECTED
    assert "credential_source.executable names a program" in error.detail


@pytest.mark.parametrize("universe", ["evil.example", "", "GOOGLEAPIS.COM", 5, ["googleapis.com"]])
@pytest.mark.parametrize("nested", [False, True])
def test_other_universes(universe: object, nested: bool, tmp_path: Path) -> None:
    spoilt = {"universe_domain": universe}
    error = refused(written(tmp_path, {**USER, "source_credentials": spoilt} if nested else {**USER, **spoilt}))
    assert error.reason is Reason.CREDENTIALS_REJECTED
    assert "universe_domain is not googleapis.com" in error.detail


def test_nesting_just_below_what_json_can_read(tmp_path: Path) -> None:
    content = '{"a":' * 900 + '{"token_uri": "https://evil.example/"}' + "}" * 900
    assert "evil.example" in refused(written(tmp_path, content)).detail


def test_amazon_s_tokens_have_a_class_of_their_own(tmp_path: Path) -> None:
    content = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/aws",
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "token_url": TOKEN,
        "credential_source": {
            "environment_id": "aws1",
            "region_url": "http://169.254.169.254/latest/meta-data/placement/availability-zone",
            "url": "http://169.254.169.254/latest/meta-data/iam/security-credentials",
            "regional_cred_verification_url": "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity",
        },
    }
    assert type(load(read(written(tmp_path, content)), ["a-scope"])).__module__ == "google.auth.aws"
