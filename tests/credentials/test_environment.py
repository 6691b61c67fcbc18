"""Variables that send client libraries elsewhere send diga-verify nowhere, and a stand-in is told no secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

APIS = {
    f"{name}.googleapis.com"
    for name in (
        "cloudresourcemanager",
        "container",
        "sqladmin",
        "redis",
        "bigquery",
        "firestore",
        "storage",
        "cloudkms",
    )
}


def test_emulators(user: Any, stranger: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    address = "{}:{}".format(*stranger.server_address)
    for name in ("BIGQUERY", "STORAGE"):
        monkeypatch.setenv(f"{name}_EMULATOR_HOST", f"http://{address}")
    for name in ("FIRESTORE", "DATASTORE"):
        monkeypatch.setenv(f"{name}_EMULATOR_HOST", address)
    assert gate().code == 0
    assert stranger.hits == 0
    assert set(user.hosts) >= APIS


@pytest.mark.parametrize("certificate", ["true", "false"])
def test_mutual_tls(certificate: str, user: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no client certificate. Who asks at the addresses for such is not answered, and it is no pass."""
    monkeypatch.setenv("GOOGLE_API_USE_MTLS_ENDPOINT", "always")
    monkeypatch.setenv("GOOGLE_API_USE_CLIENT_CERTIFICATE", certificate)
    outcome = gate()
    assert outcome.code in {0, 3}
    assert (outcome.code == 0) == (set(user.hosts) >= APIS)
    assert all(tunnel.endswith(".googleapis.com:443") for tunnel in user.tunnels)


@pytest.mark.parametrize("stands", ["in the environment", "in the file"])
def test_another_universe(
    stands: str, google: Any, stranger: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    universe = "{}:{}".format(*stranger.server_address)
    content = google.user
    if stands == "in the file":
        content["universe_domain"] = universe
    else:
        monkeypatch.setenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", universe)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(content)))
    outcome = gate()
    assert (outcome.code, outcome.reasons) == (3, {"credentials_rejected"})
    assert "universe" in outcome.detail
    assert (stranger.hits, google.requests) == (0, [])


def test_a_stand_in_gets_no_credentials_and_is_reached_directly(
    user: Any, stranger: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "{}:{}".format(*stranger.server_address)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{address}")
    for name in ("BIGQUERY", "STORAGE", "FIRESTORE", "DATASTORE"):
        monkeypatch.setenv(f"{name}_EMULATOR_HOST", address)
    user.answers["metadata"] = user.stand_in
    options = ("--billing-project", "payer", "--impersonate-service-account", "robot@dtx-data.iam.gserviceaccount.com")
    outcome = gate("--api-root", f"http://{user.address}", *options)
    assert (outcome.code, outcome.report["simulated"]) == (0, True)
    assert {seen.host for seen in user.requests} == {"metadata"}
    sent = {name for seen in user.requests for name in seen.headers}
    assert sent.isdisjoint({"authorization", "x-goog-user-project", "x-goog-api-key", "cookie", "proxy-authorization"})
    assert user.tunnels == []
    assert stranger.hits == 0


@pytest.mark.parametrize("variable", ["GOOGLE_CLOUD_UNIVERSE_DOMAIN", "GOOGLE_API_USE_MTLS_ENDPOINT"])
def test_a_stand_in_is_the_only_one_that_is_asked(
    variable: str, user: Any, stranger: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "{}:{}".format(*stranger.server_address)
    monkeypatch.setenv(variable, "always" if "MTLS" in variable else address)
    user.answers["metadata"] = user.stand_in
    outcome = gate("--api-root", f"http://{user.address}")
    assert outcome.code in {0, 3}
    assert (outcome.code == 0) == outcome.report["complete"]
    assert outcome.report["simulated"] is True
    assert {seen.host for seen in user.requests} <= {"metadata"}
    assert (user.tunnels, stranger.hits) == ([], 0)
