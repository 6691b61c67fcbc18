"""A whole run with the real google-auth and the real client libraries, against a Google on loopback."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

TOKEN_SERVERS = {"oauth2.googleapis.com", "sts.googleapis.com", "iamcredentials.googleapis.com", "metadata"}
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ROBOT = "robot@dtx-data.iam.gserviceaccount.com"
IMPERSONATE = f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{ROBOT}:generateAccessToken"


def service_account(google: Any, key: str) -> dict[str, Any]:
    return {
        "type": "service_account",
        "project_id": "another-project",
        "private_key_id": "0123",
        "private_key": key,
        "client_email": google.email,
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": "https://oauth2.googleapis.com/token",
        "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
        "universe_domain": "googleapis.com",
    }


def federated_user(google: Any) -> dict[str, Any]:
    return {
        "type": "external_account_authorized_user",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/idp",
        "client_id": "client",
        "client_secret": google.secrets.client_secret,
        "refresh_token": google.secrets.refresh_token,
        "token_url": "https://sts.googleapis.com/v1/oauthtoken",
        "token_info_url": "https://sts.googleapis.com/v1/introspect",
    }


def test_a_compliant_project_passes_and_nothing_is_simulated(user: Any, gate: Callable[..., Any]) -> None:
    outcome = gate()
    assert outcome.code == 0
    report = outcome.report
    assert (report["verdict"], report["complete"], report["simulated"]) == ("compliant", True, False)
    assert report["principal"] == "anna@example.com"
    assert "SIMULATED" not in outcome.out
    assert outcome.err == ""


def test_the_report_says_what_decided_who_is_google(user: Any, gate: Callable[..., Any]) -> None:
    outcome = gate()
    assert {"HTTPS_PROXY", "REQUESTS_CA_BUNDLE"} <= set(outcome.report["network_variables"])
    assert f"taken for Google: {', '.join(outcome.report['network_variables'])}" in " ".join(outcome.out.split())


def test_one_token_is_fetched_before_anything_else_and_signs_everything(user: Any, gate: Callable[..., Any]) -> None:
    assert gate("-t", "redis", "-t", "kms").code == 0
    first, *others = user.requests
    assert (first.host, first.method, first.path) == ("oauth2.googleapis.com", "POST", "/token")
    assert user.secrets.refresh_token.replace("/", "%2F") in first.body
    assert {seen.headers["authorization"] for seen in others} == {f"Bearer {user.secrets.access_token}"}
    assert {seen.host for seen in others}.isdisjoint(TOKEN_SERVERS)
    assert all(tunnel.endswith(".googleapis.com:443") for tunnel in user.tunnels)


@pytest.mark.parametrize("life", [{}, {"expires_in": "3599"}, {"expires_in": 100}])
def test_tokens_of_any_life_span(life: dict[str, Any], user: Any, gate: Callable[..., Any]) -> None:
    user.answers["oauth2.googleapis.com"] = user.Reply(body={"access_token": user.secrets.access_token, **life})
    assert gate("-t", "redis").code == 0


def test_every_type_of_credential_file(
    google: Any, gate: Callable[..., Any], private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = google.secrets
    own, lent = f"Bearer {secrets.access_token}", f"Bearer {secrets.impersonated_token}"
    impersonated = {
        "type": "impersonated_service_account",
        "service_account_impersonation_url": IMPERSONATE,
        "delegates": [],
    }
    cases: list[tuple[dict[str, Any], list[str], str, str | None]] = [
        (google.user, ["oauth2.googleapis.com"], own, "anna@example.com"),
        (service_account(google, private_key), ["oauth2.googleapis.com"], own, google.email),
        (google.federated, ["sts.googleapis.com"], own, None),
        (
            {**google.federated, "service_account_impersonation_url": IMPERSONATE},
            ["sts.googleapis.com", "iamcredentials.googleapis.com"],
            lent,
            ROBOT,
        ),
        (federated_user(google), ["sts.googleapis.com"], own, None),
        (
            {**impersonated, "source_credentials": google.user},
            ["oauth2.googleapis.com", "iamcredentials.googleapis.com"],
            lent,
            ROBOT,
        ),
        (
            {**impersonated, "source_credentials": federated_user(google)},
            ["sts.googleapis.com", "iamcredentials.googleapis.com"],
            lent,
            ROBOT,
        ),
    ]
    for content, token_servers, signature, principal in cases:
        google.requests.clear()
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
        outcome = gate("-t", "redis")
        kind = content["type"]
        assert (kind, outcome.code, outcome.report["principal"]) == (kind, 0, principal)
        assert (kind, google.hosts[: len(token_servers)]) == (kind, token_servers)
        assert (kind, set(google.hosts) & TOKEN_SERVERS) == (kind, set(token_servers))
        signed = {s.headers["authorization"] for s in google.requests if s.host not in TOKEN_SERVERS}
        assert (kind, signed) == (kind, {signature})


def test_the_one_scope_that_is_asked_for(
    google: Any, gate: Callable[..., Any], private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lent = {"type": "impersonated_service_account", "service_account_impersonation_url": IMPERSONATE}
    contents = (
        service_account(google, private_key),
        google.federated,
        {**lent, "source_credentials": google.user},
    )
    for content in contents:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
        assert gate("-t", "redis").code == 0
    by_host = {seen.host: seen.body for seen in reversed(google.requests) if seen.host in TOKEN_SERVERS}
    claims = parse_qs(by_host["oauth2.googleapis.com"])["assertion"][0].split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(f"{claims}=="))["scope"] == SCOPE
    assert parse_qs(by_host["sts.googleapis.com"])["scope"] == [SCOPE]
    assert json.loads(by_host["iamcredentials.googleapis.com"])["scope"] == [SCOPE]


def test_a_subject_token_may_come_from_any_host(google: Any, monkeypatch: pytest.MonkeyPatch, gate: Any) -> None:
    """As in a pipeline of GitHub, whose own server hands it out."""
    source = {"url": f"http://{google.address}/oidc", "headers": {"Authorization": "bearer of-the-job"}}
    content = {**google.federated, "credential_source": {**source, "format": {"type": "text"}}}
    google.answers["metadata"] = google.Reply(body=google.secrets.subject_token, type="text/plain")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
    assert gate("-t", "redis").code == 0
    assert google.requests[0].headers["authorization"] == "bearer of-the-job"
    assert google.hosts[:2] == ["metadata", "sts.googleapis.com"]
    assert google.secrets.subject_token in google.requests[1].body


def test_the_file_where_gcloud_puts_it(google: Any, folder: Any, gate: Callable[..., Any]) -> None:
    place = folder / ".config" / "gcloud" / "application_default_credentials.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps(google.user))
    assert gate("-t", "redis").code == 0


def test_the_metadata_server_of_the_machine(metadata: Any, gate: Callable[..., Any]) -> None:
    outcome = gate("-t", "redis")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.report["principal"] == metadata.email
    assert outcome.report["project"]["id"] == "dtx-data"
    signed = {s.headers["authorization"] for s in metadata.requests if s.host not in TOKEN_SERVERS}
    assert signed == {f"Bearer {metadata.secrets.machine_token}"}


def test_impersonation_on_the_command_line(user: Any, gate: Callable[..., Any]) -> None:
    outcome = gate("-t", "redis", "--impersonate-service-account", ROBOT)
    assert (outcome.code, outcome.report["principal"]) == (0, ROBOT)
    assert user.hosts[:2] == ["oauth2.googleapis.com", "iamcredentials.googleapis.com"]
    lending = user.requests[1]
    assert lending.path == f"/v1/projects/-/serviceAccounts/{ROBOT}:generateAccessToken"
    assert lending.headers["authorization"] == f"Bearer {user.secrets.access_token}"
    signed = {s.headers["authorization"] for s in user.requests if s.host not in TOKEN_SERVERS}
    assert signed == {f"Bearer {user.secrets.impersonated_token}"}


@pytest.mark.parametrize(
    ("flag", "variable", "of_the_file", "billed"),
    [
        (None, None, None, None),
        (None, None, "of-the-file", "of-the-file"),
        (None, "of-the-variable", "of-the-file", "of-the-variable"),
        ("of-the-flag", "of-the-variable", "of-the-file", "of-the-flag"),
    ],
)
def test_the_project_that_is_billed(
    flag: str | None,
    variable: str | None,
    of_the_file: str | None,
    billed: str | None,
    google: Any,
    gate: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = {**google.user, "quota_project_id": of_the_file}
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
    if variable:
        monkeypatch.setenv("GOOGLE_CLOUD_QUOTA_PROJECT", variable)
    assert gate("-t", "redis", *(["--billing-project", flag] if flag else [])).code == 0
    named = {seen.headers.get("x-goog-user-project") for seen in google.requests if seen.host not in TOKEN_SERVERS}
    assert named == {billed}


def test_an_impersonated_account_is_billed_to_whom_the_caller_says(user: Any, gate: Callable[..., Any]) -> None:
    assert gate("-t", "redis", "--impersonate-service-account", ROBOT, "--billing-project", "payer").code == 0
    named = {seen.headers.get("x-goog-user-project") for seen in user.requests if seen.host not in TOKEN_SERVERS}
    assert named == {"payer"}


def test_a_password_in_netrc_replaces_no_token(user: Any, folder: Any, gate: Callable[..., Any]) -> None:
    (folder / ".netrc").write_text("default login somebody password something\n")
    (folder / ".netrc").chmod(0o600)
    assert gate("-t", "redis", "--impersonate-service-account", ROBOT).code == 0
    assert {seen.headers.get("authorization", "")[:6] for seen in user.requests} == {"", "Bearer"}
