"""No identity, no run: each way in which credentials fail ends in exit 3, with the reason and with what to type."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LOGIN = "`gcloud auth application-default login`"
ROBOT = "robot@dtx-data.iam.gserviceaccount.com"
TYPES = {"gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms"}
TOKEN_SERVERS = {"oauth2.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com", "metadata"}


def assert_stopped(outcome: Any, google: Any, reason: str, *said: str) -> None:
    """Exit 3, said in the report and on stdout, and no API was asked anything."""
    assert outcome.code == 3
    report = outcome.report
    assert (report["verdict"], report["complete"], report["exit_code"]) == ("unverified", False, 3)
    assert report["simulated"] is False
    assert {one["type"] for one in report["unread"]} >= TYPES
    assert outcome.reasons == {reason}
    shown = " ".join(outcome.out.split())
    for part in said:
        assert part in outcome.detail
        assert part in shown
    assert "exit 3" in outcome.out
    assert all(line.startswith("warning: google.auth.") for line in outcome.err.splitlines())
    assert report["calls"] == []
    assert set(google.hosts) <= TOKEN_SERVERS


def test_none(google: Any, gate: Callable[..., Any]) -> None:
    outcome = gate()
    assert_stopped(outcome, google, "no_credentials", LOGIN, "GOOGLE_APPLICATION_CREDENTIALS")
    assert google.requests == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
            "expired or were revoked",
        ),
        ({"error": "invalid_grant", "error_description": "Bad Request"}, "expired or were revoked"),
        (
            {
                "error": "invalid_grant",
                "error_description": "reauth related error (invalid_rapt)",
                "error_uri": "https://support.google.com/a/answer/9368756",
                "error_subtype": "invalid_rapt",
            },
            "re-authentication",
        ),
        ({"error": "invalid_grant", "error_subtype": "rapt_required"}, "re-authentication"),
        ({"error": "invalid_client", "error_description": "The OAuth client was not found."}, "OAuth client"),
        ({"error": "deleted_client", "error_description": "The OAuth client was deleted."}, "OAuth client"),
        ({"error": "something_new"}, "something_new"),
        ({"error": {"code": 400, "message": "no", "status": "INVALID_ARGUMENT"}}, "INVALID_ARGUMENT"),
        ({}, "HTTP 400"),
        ("[]", "HTTP 400"),
        ("no JSON at all", "HTTP 400"),
    ],
)
def test_refused_by_the_token_server(
    answer: dict[str, Any] | str, said: str, user: Any, gate: Callable[..., Any]
) -> None:
    user.answers["oauth2.googleapis.com"] = user.Reply(400, answer)
    outcome = gate()
    assert_stopped(outcome, user, "credentials_rejected", said, LOGIN)
    assert "Bad Request" not in outcome.detail


def test_a_service_account_s_key_was_deleted(
    google: Any, gate: Callable[..., Any], private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = {
        "type": "service_account",
        "private_key": private_key,
        "client_email": google.email,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
    google.answers["oauth2.googleapis.com"] = google.Reply(400, {"error": "invalid_grant"})
    outcome = gate()
    assert_stopped(outcome, google, "credentials_rejected", "`gcloud iam service-accounts keys create FILE")
    assert LOGIN not in outcome.detail


@pytest.mark.parametrize(
    "reply",
    [
        (200, "<html>welcome to the captive portal, token=canary</html>", "text/html"),
        (200, "", "application/json"),
        (200, "null", "application/json"),
        (200, '{"error": "invalid_grant"}', "application/json"),
        (200, '{"access_token": "", "expires_in": 3599}', "application/json"),
        (200, '{"access_token": 5, "expires_in": 3599}', "application/json"),
        (200, '{"access_token": "two words", "expires_in": 3599}', "application/json"),
        (200, '{"access_token": "x\\r\\nX-Injected: 1", "expires_in": 3599}', "application/json"),
        (200, '{"access_token": "canary", "expires_in": -1}', "application/json"),
        (200, '{"access_token": "canary", "expires_in": "soon"}', "application/json"),
        (302, "", "text/html"),
        (404, "<html>canary</html>", "text/html"),
    ],
)
def test_something_that_is_no_token(reply: tuple[int, str, str], user: Any, gate: Callable[..., Any]) -> None:
    status, body, type = reply
    elsewhere = {"Location": f"http://{user.address}/token"}
    user.answers["oauth2.googleapis.com"] = user.Reply(status, body, type, elsewhere)
    outcome = gate()
    assert_stopped(outcome, user, "credentials_rejected", "oauth2.googleapis.com", LOGIN)
    assert "canary" not in outcome.detail
    assert user.hosts == ["oauth2.googleapis.com"]


@pytest.mark.parametrize(("status", "reason"), [(429, "rate_limited"), (500, "server_error"), (503, "server_error")])
def test_the_token_server_is_broken(status: int, reason: str, user: Any, gate: Callable[..., Any]) -> None:
    user.answers["oauth2.googleapis.com"] = user.Reply(status, "<html>canary</html>", "text/html")
    assert_stopped(gate(), user, reason, f"oauth2.googleapis.com answered HTTP {status}", "run again")
    assert len(user.requests) <= 3


@pytest.mark.usefixtures("hasty")
def test_the_token_server_is_silent(user: Any, gate: Callable[..., Any]) -> None:
    user.answers["oauth2.googleapis.com"] = None
    assert_stopped(gate(), user, "timeout", "oauth2.googleapis.com did not answer within 2 s")


def test_the_token_server_cannot_be_reached(
    user: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert_stopped(gate(), user, "connection_failed", "the connection to oauth2.googleapis.com failed")


def test_the_token_server_cannot_prove_that_it_is_google(
    user: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    assert_stopped(gate(), user, "tls_failed", "oauth2.googleapis.com could not prove who it is")
    assert user.requests == []


@pytest.mark.parametrize("status", [403, 404])
def test_impersonation_is_denied(status: int, user: Any, gate: Callable[..., Any]) -> None:
    user.answers["iamcredentials.googleapis.com"] = user.Reply(
        status,
        {
            "error": {
                "code": status,
                "message": "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
                "status": "PERMISSION_DENIED",
                "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "IAM_PERMISSION_DENIED"}],
            }
        },
    )
    outcome = gate("--impersonate-service-account", ROBOT)
    assert_stopped(
        outcome,
        user,
        "credentials_rejected",
        ROBOT,
        "PERMISSION_DENIED",
        "roles/iam.serviceAccountTokenCreator",
        "--impersonate-service-account",
    )
    assert user.hosts == ["oauth2.googleapis.com", "iamcredentials.googleapis.com"]


@pytest.mark.parametrize("name", ["robot", "robot@x/../y", "a@b:c", "robot@dtx data"])
def test_what_is_impersonated_is_an_account(name: str, user: Any, gate: Callable[..., Any]) -> None:
    assert_stopped(
        gate("--impersonate-service-account", name), user, "invalid_request", "--impersonate-service-account"
    )
    assert user.requests == []


def test_the_project_to_bill_is_a_project(user: Any, gate: Callable[..., Any]) -> None:
    assert_stopped(gate("--billing-project", "a\r\nX-Injected: 1"), user, "invalid_request", "--billing-project")
    assert user.requests == []


def test_credentials_that_are_revoked_while_a_run_is_under_way(user: Any, gate: Callable[..., Any]) -> None:
    """The first token is good enough to begin with, and too short-lived to go on with."""
    token = {"access_token": user.secrets.access_token, "expires_in": 100}
    replies = iter([user.Reply(body=token), user.Reply(body=token)])
    revoked = user.Reply(400, {"error": "invalid_grant"})
    user.answers["oauth2.googleapis.com"] = lambda _: next(replies, revoked)
    outcome = gate("-t", "redis", "-t", "kms")
    assert outcome.code == 3
    assert outcome.reasons == {"credentials_rejected"}
    assert {"redis", "kms"} <= {one["type"] for one in outcome.report["unread"]}
    assert LOGIN in " ".join(outcome.out.split())
    assert not set(user.hosts) <= TOKEN_SERVERS


def test_a_wrong_quota_project(user: Any, gate: Callable[..., Any]) -> None:
    """The APIs say so, each of them: there is nobody else to ask."""

    def denied(seen: Any) -> Any:
        assert seen.headers["x-goog-user-project"] == "payer"
        info = {"reason": "USER_PROJECT_DENIED", "domain": "googleapis.com", "metadata": {"consumer": "projects/payer"}}
        message = (
            "Caller does not have required permission to use project payer. "
            "Grant the caller the roles/serviceusage.serviceUsageConsumer role."
        )
        details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", **info}]
        error = {"code": 403, "message": message, "status": "PERMISSION_DENIED", "details": details}
        return user.Reply(403, {"error": error})

    apis = ("cloudresourcemanager", "redis", "cloudkms", "cloudasset", "serviceusage")
    user.answers.update({f"{name}.googleapis.com": denied for name in apis})
    outcome = gate("-t", "redis", "-t", "kms", "--billing-project", "payer")
    assert outcome.code == 3
    assert outcome.reasons == {"credentials_rejected"}
    assert {"redis", "kms"} <= {one["type"] for one in outcome.report["unread"]}
    assert "roles/serviceusage.serviceUsageConsumer" in " ".join(outcome.out.split())
    assert {call["status"] for call in outcome.report["calls"]} == {"credentials_rejected"}


@pytest.mark.usefixtures("hasty")
def test_the_metadata_server_is_silent(metadata: Any, gate: Callable[..., Any]) -> None:
    metadata.answers["metadata"] = None
    assert_stopped(gate(), metadata, "no_credentials", "no metadata server answered within 2 s", LOGIN)


@pytest.mark.usefixtures("hasty")
def test_the_metadata_server_falls_silent_when_a_token_is_asked_for(metadata: Any, gate: Callable[..., Any]) -> None:
    metadata.answers["metadata"] = lambda seen: None if "token" in seen.path else metadata.ordinary(seen)
    assert_stopped(gate(), metadata, "no_credentials", "no metadata server answered within 2 s", LOGIN)


def test_the_metadata_server_is_not_there(
    metadata: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GCE_METADATA_IP", "127.0.0.1:9")
    assert_stopped(gate(), metadata, "no_credentials", LOGIN)
    assert metadata.requests == []


@pytest.mark.parametrize("status", [403, 404, 503])
def test_the_machine_has_no_service_account(status: int, metadata: Any, gate: Callable[..., Any]) -> None:
    refused = metadata.Reply(status, "canary", "text/plain")
    metadata.answers["metadata"] = lambda seen: refused if "accounts" in seen.path else metadata.ordinary(seen)
    outcome = gate()
    assert_stopped(outcome, metadata, "credentials_rejected", f"HTTP {status}", "service account of this machine")
    assert "canary" not in outcome.detail


def test_the_metadata_server_belongs_to_another_universe(metadata: Any, gate: Callable[..., Any]) -> None:
    other = metadata.Reply(200, "other.example", "application/text")
    metadata.answers["metadata"] = lambda seen: other if "universe" in seen.path else metadata.ordinary(seen)
    assert_stopped(gate(), metadata, "credentials_rejected", "universe")


def test_another_universe_in_the_environment(
    user: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", user.address)
    assert_stopped(gate(), user, "credentials_rejected", "GOOGLE_CLOUD_UNIVERSE_DOMAIN", "unset")
    assert user.requests == []


@pytest.mark.parametrize(
    ("content", "reason", "said"),
    [
        (None, "no_credentials", "No such file"),
        ("", "no_credentials", "not a JSON file"),
        ("{", "no_credentials", "not a JSON file"),
        ("[" * 100_000, "no_credentials", "not a JSON file"),
        ("[]", "no_credentials", "no JSON object"),
        ('{"type": "gdch_service_account"}', "credentials_rejected", "its type is none of authorized_user"),
        ('{"type": "authorized_user"}', "credentials_rejected", "cannot be used as authorized_user"),
        (
            '{"type": "service_account", "client_email": "a@b", "token_uri": "https://oauth2.googleapis.com/token"}',
            "credentials_rejected",
            "cannot be used as service_account",
        ),
        ('{"type": "external_account", "credential_source": 5}', "credentials_rejected", "cannot be used as external"),
        (
            '{"type": "impersonated_service_account", "source_credentials": {}}',
            "credentials_rejected",
            "cannot be used as impersonated_service_account",
        ),
    ],
)
def test_a_file_that_is_no_credential_file(
    content: str | None, reason: str, said: str, google: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path("broken.json") if content is None else google.file(content, "broken.json")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    outcome = gate()
    assert_stopped(outcome, google, reason, "broken.json", said)
    assert "canary" not in outcome.detail
    assert google.requests == []


def test_a_machine_without_anything_in_a_process_of_its_own(google: Any, folder: Path) -> None:
    """The metadata server's address is read when google-auth is imported, so only a new process sees the variable."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "HTTPS_PROXY", "REQUESTS_CA_BUNDLE")}
    absent = {"GCE_METADATA_HOST": "127.0.0.1:9", "GCE_METADATA_IP": "127.0.0.1:9", "GCE_METADATA_DETECT_RETRIES": "1"}
    command = [sys.executable, "-m", "diga_verify", "production", "dtx-data", "-o", "report.json"]
    done = subprocess.run(command, cwd=folder, env={**kept, **absent}, capture_output=True, text=True, timeout=120)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert LOGIN in " ".join(done.stdout.split())
    assert (folder / "report.json").exists()
    assert google.requests == []
