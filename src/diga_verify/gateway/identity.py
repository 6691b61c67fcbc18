"""Who is asking: Application Default Credentials, impersonation, the project that is billed for the calls."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from diga_verify.errors import ReadError
from diga_verify.model import Reason

# Cloud SQL, GKE, Firestore and Cloud KMS accept no read-only scope for their list methods (their discovery
# documents name them); what the caller may do is limited by its IAM role.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_TOKEN_SECONDS = 10


class Identity(Protocol):
    """What the door needs of an identity."""

    @property
    def principal(self) -> str | None:
        """The e-mail address that audit logs will show, when it is known without asking."""

    def sign(self, headers: dict[str, str]) -> None:
        """Add what proves the identity. Raises ReadError when there is no valid token to be had."""


@dataclass(frozen=True, slots=True)
class Anonymous:
    """The identity towards a stand-in: none. Real credentials never leave for a host that is not Google's."""

    principal: str | None = None

    def sign(self, headers: dict[str, str]) -> None:
        headers.pop("Authorization", None)


class Caller:
    """The credentials of the environment, refreshed under a lock, since every thread of a run shares them."""

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials
        self._lock = threading.Lock()
        self._principal = _principal(credentials)

    @property
    def principal(self) -> str | None:
        return self._principal

    def sign(self, headers: dict[str, str]) -> None:
        from google.auth.transport.requests import Request

        try:
            with self._lock:
                request = partial(Request(), timeout=_TOKEN_SECONDS)
                self._credentials.before_request(request, "GET", "https://googleapis.com", headers)
        except Exception as error:  # noqa: BLE001 - a token server can make google-auth raise nearly anything
            raise _rejected(error) from None


def caller(impersonate: str | None, billing_project: str | None) -> Caller:
    """The caller of this run, with a valid token. Raises ReadError when there is none."""
    import google.auth
    from google.auth.exceptions import DefaultCredentialsError

    try:
        credentials, _ = google.auth.default(scopes=SCOPES, quota_project_id=billing_project)
        if impersonate:
            credentials = _impersonated(credentials, impersonate, billing_project)
    except DefaultCredentialsError:
        raise ReadError(
            Reason.NO_CREDENTIALS,
            "no Google credentials; type `gcloud auth application-default login`, "
            "or set GOOGLE_APPLICATION_CREDENTIALS to a credential file",
        ) from None
    except Exception as error:  # noqa: BLE001 - credential files come in many broken shapes
        raise _rejected(error) from None
    identity = Caller(credentials)
    identity.sign({})
    return identity


def _impersonated(source: Any, principal: str, billing_project: str | None) -> Any:
    from google.auth import impersonated_credentials

    return impersonated_credentials.Credentials(
        source_credentials=source,
        target_principal=principal,
        target_scopes=list(SCOPES),
        quota_project_id=billing_project,
    )


def _principal(credentials: Any) -> str | None:
    for name in ("service_account_email", "account"):
        value = getattr(credentials, name, None)
        if isinstance(value, str) and "@" in value:
            return value
    return None


def _rejected(error: Exception) -> ReadError:
    # The text of an authentication error may hold the token server's whole answer: only its class is told.
    return ReadError(
        Reason.CREDENTIALS_REJECTED,
        f"Google did not accept the credentials ({type(error).__name__}); "
        "type `gcloud auth application-default login`, or check the service account",
    )
