"""Secrets are planted wherever one can lie, and must not come to light anywhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from diga_verify.cli.main import run
from diga_verify.formats.registry import FORMATS

ROBOT = "robot@dtx-data.iam.gserviceaccount.com"


@pytest.fixture
def shown(
    google: Any, folder: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Callable[..., tuple[int, str]]:
    """Runs that say as much as they can: the exit code, and all that they said to anybody."""
    caplog.set_level("DEBUG")

    def shown(*options: str) -> tuple[int, str]:
        texts = []
        for format in FORMATS:
            code = run(["production", "dtx-data", "-v", "-f", format, "-o", "report.json", *options])
            said = capsys.readouterr()
            texts += [said.out, said.err]
        texts += [file.read_text() for file in folder.glob("report*")]
        return code, "\n".join([*texts, caplog.text])

    return shown


def talkative(google: Any, key: str = "") -> str:
    """All secrets in the words in which others could say them."""
    secrets = google.secrets
    return (
        f"GET /v1/x?key={secrets.api_key} Authorization: Bearer {secrets.access_token} (impersonated "
        f"{secrets.impersonated_token}, refresh_token={secrets.refresh_token}, client_secret={secrets.client_secret}, "
        f"subject {secrets.subject_token}, metadata {secrets.machine_token}) {key} end of the echo"
    )


def lines_of(key: str) -> list[str]:
    return [line for line in key.splitlines() if line and not line.startswith("-")]


def test_a_run_that_passes(user: Any, shown: Callable[..., tuple[int, str]]) -> None:
    code, text = shown("-t", "redis", "-t", "kms", "--impersonate-service-account", ROBOT)
    assert code == 0
    assert "redis.projects.locations.instances.list" in text
    assert user.secrets.found_in(text) == []


def test_a_private_key(
    google: Any, shown: Callable[..., tuple[int, str]], private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {
        "type": "service_account",
        "client_email": google.email,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    spoilt = private_key.replace("PRIVATE KEY", "PRIVATE KEX")
    for key, expected in (private_key, 0), (spoilt, 3):
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file({**content, "private_key": key})))
        code, text = shown("-t", "redis")
        assert code == expected
        assert [line for line in lines_of(private_key) if line in text] == []


def test_a_federation(google: Any, shown: Callable[..., tuple[int, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(google.federated)))
    for answer in None, google.Reply(400, {"error": "invalid_grant", "error_description": talkative(google)}):
        if answer:
            google.answers["sts.googleapis.com"] = answer
        code, text = shown("-t", "redis")
        assert code == (3 if answer else 0)
        assert google.secrets.found_in(text) == []


@pytest.mark.parametrize("status", [200, 400, 401, 403])
@pytest.mark.parametrize("html", [False, True])
def test_a_token_server_that_echoes(
    status: int, html: bool, user: Any, shown: Callable[..., tuple[int, str]], private_key: str
) -> None:
    said = talkative(user, private_key)
    body = f"<html><pre>{said}</pre></html>" if html else {"error": said, "error_description": said}
    user.answers["oauth2.googleapis.com"] = user.Reply(status, body, "text/html" if html else "application/json")
    code, text = shown("-t", "redis")
    assert code == 3
    assert "end of the echo" not in text
    assert user.secrets.found_in(text) == []


def test_a_refused_impersonation_that_echoes(user: Any, shown: Callable[..., tuple[int, str]]) -> None:
    error = {"code": 403, "status": "PERMISSION_DENIED", "message": talkative(user)}
    user.answers["iamcredentials.googleapis.com"] = user.Reply(403, {"error": error})
    code, text = shown("-t", "redis", "--impersonate-service-account", ROBOT)
    assert code == 3
    assert "end of the echo" not in text
    assert user.secrets.found_in(text) == []


def test_a_metadata_server_that_echoes(metadata: Any, shown: Callable[..., tuple[int, str]]) -> None:
    refused = metadata.Reply(403, talkative(metadata), "text/plain")
    metadata.answers["metadata"] = lambda seen: refused if "token" in seen.path else metadata.ordinary(seen)
    code, text = shown("-t", "redis")
    assert code == 3
    assert metadata.secrets.found_in(text) == []


@pytest.mark.parametrize("form", ["json", "details", "html"])
def test_an_api_that_echoes(form: str, user: Any, shown: Callable[..., tuple[int, str]], private_key: str) -> None:
    said = talkative(user, private_key)
    echoed = {
        "json": user.Reply(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": said}}),
        "details": user.Reply(
            403, {"error": {"code": 403, "message": "no", "errors": [{"reason": said}], "details": [{"reason": said}]}}
        ),
        "html": user.Reply(502, f"<html>{said}</html>", "text/html"),
    }
    hosts = ("cloudresourcemanager.googleapis.com", "redis.googleapis.com", "cloudasset.googleapis.com")
    user.answers.update(dict.fromkeys(hosts, echoed[form]))
    code, text = shown("-t", "redis")
    assert code == 3
    assert user.secrets.found_in(text) == []
    assert [line for line in lines_of(private_key) if line in text] == []


def test_a_list_that_is_none(user: Any, shown: Callable[..., tuple[int, str]]) -> None:
    user.answers["redis.googleapis.com"] = user.Reply(200, {"instances": talkative(user)})
    code, text = shown("-t", "redis")
    assert code == 3
    assert user.secrets.found_in(text) == []


def test_a_list_that_says_what_is_missing_from_it(user: Any, shown: Callable[..., tuple[int, str]]) -> None:
    user.answers["redis.googleapis.com"] = user.Reply(200, {"instances": [], "unreachable": [talkative(user)]})
    code, text = shown("-t", "redis")
    assert code == 3
    assert "partial_answer" in text
    assert user.secrets.found_in(text) == []


UNUSABLE: list[str | dict[str, Any]] = [
    '{"type": "authorized_user", "client_secret": "{client_secret}", "refresh_token": "{refresh_token}"',
    '"{refresh_token}"',
    "{access_token}",
    {"type": "authorized_user", "client_secret": "{client_secret}", "refresh_token": "{refresh_token}"},
    {"type": "{refresh_token}"},
    {"type": "authorized_user", "universe_domain": "{client_secret}"},
    {"type": "service_account", "private_key": "{client_secret}", "client_email": "a@b.c", "token_uri": "{api_key}"},
    {"type": "service_account", "token_uri": "https://u:{client_secret}@evil.example/?key={api_key}"},
    {
        "type": "external_account",
        "credential_source": {"file": "{subject_token}"},
        "audience": "a",
        "subject_token_type": "b",
        "token_url": "https://sts.googleapis.com/v1/token",
    },
    {
        "type": "authorized_user",
        "quota_project_id": "{refresh_token}",
        "client_id": "x",
        "client_secret": "{client_secret}",
        "refresh_token": "{refresh_token}",
    },
]


@pytest.mark.parametrize("content", UNUSABLE)
def test_a_credential_file_that_cannot_be_used(
    content: str | dict[str, Any],
    google: Any,
    shown: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled = content if isinstance(content, str) else json.dumps(content)
    for name, secret in vars(google.secrets).items():
        filled = filled.replace(f"{{{name}}}", secret)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(filled)))
    code, text = shown("-t", "redis")
    assert code == 3
    assert google.secrets.found_in(text) == []
    assert google.requests == []


def test_a_bug(
    user: Any, capsys: pytest.CaptureFixture[str], private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The traceback of one is shown, and the exception may hold anything."""

    def broken(*_: object, **__: object) -> str:
        raise RuntimeError(f"a bug, and {talkative(user, private_key)}") from KeyError(talkative(user, private_key))

    monkeypatch.setattr("diga_verify.cli.gate.deliver", broken)
    assert run(["production", "dtx-data", "-t", "redis"]) == 70
    said = capsys.readouterr()
    assert "RuntimeError: a bug" in said.err
    assert user.secrets.found_in(said.out, said.err) == []
    assert [line for line in lines_of(private_key) if line in said.err] == []


def test_a_bug_while_the_credentials_are_at_hand(
    user: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("diga_verify.verify.Door", broken)
    assert run(["production", "dtx-data", "-t", "redis"]) == 70
    said = capsys.readouterr()
    assert "RuntimeError: a bug" in said.err
    assert user.secrets.found_in(said.out, said.err) == []


@pytest.mark.parametrize("fails", [False, True])
def test_the_client_libraries_told_to_log_everything(fails: bool, user: Any, folder: Path) -> None:
    """Their switch is a variable that is read once, so this takes a process of its own."""
    if fails:
        error = {"error": "invalid_grant", "error_description": talkative(user)}
        user.answers["oauth2.googleapis.com"] = user.Reply(400, error)
    kept = {
        name: os.environ[name]
        for name in ("PATH", "HOME", "HTTPS_PROXY", "REQUESTS_CA_BUNDLE", "GOOGLE_APPLICATION_CREDENTIALS")
    }
    environment = {
        **kept,
        "GOOGLE_SDK_PYTHON_LOGGING_SCOPE": "google",
        "PYTHONDEVMODE": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "diga_verify", "production", "dtx-data", "-v", "-o", "report.json", "-t", "redis"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == (3 if fails else 0)
    report = (folder / "report.json").read_text()
    assert json.loads(report)["exit_code"] == done.returncode
    assert user.secrets.found_in(done.stdout, done.stderr, report) == []
