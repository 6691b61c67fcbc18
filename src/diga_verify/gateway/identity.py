"""Who is asking: Application Default Credentials, impersonation, the project that is billed for the calls.

Whatever the other side does, nobody waits here for longer than a few seconds; and whatever it says, its words reach no
message: what went wrong is told from status codes and error codes.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from diga_verify.errors import ReadError
from diga_verify.gateway import credential_file
from diga_verify.gateway.bounded import within
from diga_verify.gateway.credential_failures import METADATA, broken, explained, late, other_universe, rejected
from diga_verify.gateway.credential_file import ADVICE, UNIVERSE
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.token_servers import TokenServers
from diga_verify.model import Reason

T = TypeVar("T")

# Cloud SQL, GKE, Firestore and Cloud KMS accept no read-only scope for their list methods (their discovery
# documents name them); what the caller may do is limited by its IAM role.
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
SECONDS = Patience().token
"""How long a token may take, with all that comes before it and all attempts."""

_TOKEN = re.compile(r"[!-~]+")
_EMAIL = re.compile(r"[\w.+-]{1,100}@[\w.-]{1,200}", re.ASCII)
_PROJECT = re.compile(r"[\w.:-]{1,100}", re.ASCII)


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
    """google-auth's `credentials`, renewed by one thread at a time, since all threads of a run share them.

    `origin` is one of `credential_file.TYPES`, or "metadata". `seconds` is the most that one `sign` may take.
    """

    def __init__(self, credentials: Any, origin: str, seconds: float = SECONDS) -> None:
        self._credentials = credentials
        self._origin = origin
        self._seconds = seconds
        self._lock = threading.Lock()
        self._renewed = float("-inf")
        self._failure: ReadError | None = None

    @property
    def principal(self) -> str | None:
        for name in ("service_account_email", "account"):
            value = getattr(self._credentials, name, None)
            if isinstance(value, str) and "@" in value:
                return value
        return None

    def sign(self, headers: dict[str, str]) -> None:
        """Add token and quota project. Costs nothing while the token is fresh. Raises ReadError."""
        asked = time.monotonic()
        if not self._is_fresh():
            self._renew_together(asked)
        self._credentials.apply(headers)

    def renew(self, servers: TokenServers) -> None:
        """Get a new token. Raises ReadError, within the time that `servers` has."""
        try:
            self._credentials.refresh(servers)
        except Exception as error:  # noqa: BLE001 - a token server can make google-auth raise nearly anything
            raise explained(error, servers, self._origin, self.principal) from None
        if not self._is_usable():
            raise rejected(f"{servers.host} sent no token that can be used", self._origin)

    def _is_usable(self) -> bool:
        from google.auth.credentials import TokenState

        token = self._credentials.token
        return (
            isinstance(token, str)
            and _TOKEN.fullmatch(token) is not None
            and self._credentials.token_state is not TokenState.INVALID
        )

    def _is_fresh(self) -> bool:
        from google.auth.credentials import TokenState

        return self._credentials.token_state is TokenState.FRESH

    def _renew_together(self, asked: float) -> None:
        """Whoever asked before a renewal was over shares what came of it, so that nobody waits for a second one."""
        with self._lock:
            if self._renewed < asked:
                self._failure = self._renew_in_time()
                self._renewed = time.monotonic()
            failure = self._failure
        if failure is not None:
            raise ReadError(failure.reason, failure.detail)

    def _renew_in_time(self) -> ReadError | None:
        servers = TokenServers(self._seconds)
        try:
            _in_time(servers, lambda: self.renew(servers), self._origin)
        except ReadError as error:
            return error
        return None


def caller(impersonate: str | None, billing_project: str | None, *, seconds: float = SECONDS) -> Caller:
    """The caller of this run, with a valid token, in at most `seconds`. Raises ReadError when there is none."""
    if os.environ.get("GOOGLE_CLOUD_UNIVERSE_DOMAIN") not in {None, "", UNIVERSE}:
        raise other_universe("GOOGLE_CLOUD_UNIVERSE_DOMAIN names another; unset it")
    if impersonate is not None and not _EMAIL.fullmatch(impersonate):
        raise ReadError(
            Reason.INVALID_REQUEST, "--impersonate-service-account takes the account's e-mail address, and no more"
        )
    path = credential_file.find()
    servers = TokenServers(seconds)

    def ready() -> Caller:
        credentials, origin = _found(path, billing_project, servers)
        if impersonate is not None:
            credentials = _impersonated(credentials, impersonate, billing_project)
        found = Caller(credentials, origin)
        found.renew(servers)
        return found

    return _in_time(servers, ready, METADATA if path is None else "")


def _found(path: str | None, billing_project: str | None, servers: TokenServers) -> tuple[Any, str]:
    """The credentials of the environment, and their origin."""
    credentials, origin = (_of_the_machine(servers), METADATA) if path is None else _of_the_file(path)
    if credentials.universe_domain != UNIVERSE:  # of which the metadata server is asked
        raise other_universe("the credentials belong to another")
    if quota_project := _quota_project(billing_project):
        credentials = credentials.with_quota_project(quota_project)
    if credentials.quota_project_id and not _PROJECT.fullmatch(str(credentials.quota_project_id)):
        raise ReadError(
            Reason.INVALID_REQUEST,
            "the project to bill is not a project's id or number; it comes from --billing-project, "
            "GOOGLE_CLOUD_QUOTA_PROJECT or the credential file's quota_project_id",
        )
    return credentials, origin


def _quota_project(billing_project: str | None) -> str | None:
    return billing_project or os.environ.get("GOOGLE_CLOUD_QUOTA_PROJECT")


def _of_the_file(path: str) -> tuple[Any, str]:
    file = credential_file.read(path)
    try:
        return credential_file.load(file, SCOPES), file.type
    except Exception as error:  # noqa: BLE001 - such files come in many broken shapes
        raise broken(file, error) from None


def _of_the_machine(servers: TokenServers) -> Any:
    """The credentials of the metadata server. Raises google-auth's DefaultCredentialsError where there is none."""
    import google.auth
    from google.auth import compute_engine

    request: Any = servers
    credentials, _ = google.auth.default(scopes=SCOPES, request=request)
    if not isinstance(credentials, compute_engine.Credentials):
        # A credential file that came into being after we looked for one: it was not checked.
        raise ReadError(Reason.NO_CREDENTIALS, f"the credentials of this machine have just changed; {ADVICE}")
    return credentials


def _impersonated(source: Any, principal: str, billing_project: str | None) -> Any:
    from google.auth import impersonated_credentials

    return impersonated_credentials.Credentials(
        source_credentials=source,
        target_principal=principal,
        target_scopes=list(SCOPES),
        quota_project_id=_quota_project(billing_project),
    )


def _in_time(servers: TokenServers, work: Callable[[], T], origin: str) -> T:
    """What `work` returns. Raises ReadError, when the time of `servers` is over at the latest."""

    def closing() -> T:
        try:
            with servers.session:
                return work()
        except Exception as error:  # noqa: BLE001 - as in `renew`, for what comes before it
            raise explained(error, servers, origin, None) from None

    try:
        return within(servers.seconds, closing)
    except TimeoutError:
        raise late(servers, origin) from None
