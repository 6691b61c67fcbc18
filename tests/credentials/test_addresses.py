"""A credential file that would send credentials, or local files, to somebody else than Google is refused unasked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

KEYS = [
    ("external_account", ("token_url",)),
    ("external_account", ("token_info_url",)),
    ("external_account", ("service_account_impersonation_url",)),
    ("external_account", ("some_future_url",)),
    ("external_account_authorized_user", ("token_url",)),
    ("external_account_authorized_user", ("revoke_url",)),
    ("authorized_user", ("token_uri",)),
    ("service_account", ("token_uri",)),
    ("impersonated_service_account", ("service_account_impersonation_url",)),
    ("impersonated_service_account", ("source_credentials", "token_url")),
]


def spoilt(google: Any, kind: str, keys: tuple[str, ...], address: str) -> dict[str, Any]:
    """A file of that type that works, but for one address in it."""
    federated_user = {
        "type": "external_account_authorized_user",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/idp",
        "client_id": "client",
        "client_secret": google.secrets.client_secret,
        "refresh_token": google.secrets.refresh_token,
        "token_url": "https://sts.googleapis.com/v1/oauthtoken",
    }
    robot = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/robot@x.example:generateAccessToken"
    content: dict[str, Any] = {
        "authorized_user": google.user,
        "service_account": {"type": "service_account", "client_email": google.email},
        "external_account": google.federated,
        "external_account_authorized_user": federated_user,
        "impersonated_service_account": {
            "type": "impersonated_service_account",
            "service_account_impersonation_url": robot,
            "source_credentials": federated_user,
        },
    }[kind]
    place = content
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = address
    return content


@pytest.mark.parametrize(("kind", "keys"), KEYS)
@pytest.mark.parametrize("address", ["http://{}/v1/token", "https://{}/v1/token"])
def test_an_address_of_somebody_else(
    kind: str,
    keys: tuple[str, ...],
    address: str,
    google: Any,
    stranger: Any,
    gate: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = spoilt(google, kind, keys, address.format("{}:{}".format(*stranger.server_address)))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
    outcome = gate("-t", "redis")
    assert (outcome.code, outcome.reasons) == (3, {"credentials_rejected"})
    for part in ("credentials.json", ".".join(keys), "127.0.0.1"):
        assert part in outcome.detail
    assert google.secrets.found_in(outcome.detail) == []
    assert (stranger.hits, google.tunnels, google.requests) == (0, [], [])


def test_it_is_refused_where_gcloud_keeps_it_too(
    google: Any, stranger: Any, folder: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(folder))
    content = spoilt(google, "external_account", ("token_url",), "http://{}:{}/".format(*stranger.server_address))
    google.file(content, "application_default_credentials.json")
    outcome = gate("-t", "redis")
    assert (outcome.code, outcome.reasons) == (3, {"credentials_rejected"})
    assert "application_default_credentials.json" in outcome.detail
    assert (stranger.hits, google.requests) == (0, [])


@pytest.mark.parametrize("allowed", [None, "1"])
def test_a_program_to_run(
    allowed: str | None, google: Any, folder: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    if allowed:
        monkeypatch.setenv("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES", allowed)
    source = {"executable": {"command": f"touch {folder}/was-run", "timeout_millis": 5000}}
    content = {**google.federated, "credential_source": source}
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
    outcome = gate("-t", "redis")
    assert (outcome.code, outcome.reasons) == (3, {"credentials_rejected"})
    assert "credential_source.executable" in outcome.detail
    assert not (folder / "was-run").exists()
    assert google.requests == []


def test_a_token_server_that_points_elsewhere_is_not_followed(
    user: Any, stranger: Any, gate: Callable[..., Any]
) -> None:
    elsewhere = {"Location": "http://{}:{}/token".format(*stranger.server_address)}
    for status in (301, 307, 308):
        user.answers["oauth2.googleapis.com"] = user.Reply(status, {}, headers=elsewhere)
        assert gate("-t", "redis").code == 3
    assert stranger.hits == 0
    assert user.hosts == ["oauth2.googleapis.com"]
