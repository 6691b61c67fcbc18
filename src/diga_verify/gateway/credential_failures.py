"""Why there is no token, and what to type: told from what was asked last and with which codes it was answered."""

from __future__ import annotations

from diga_verify.errors import ReadError
from diga_verify.gateway.credential_file import ADVICE, UNIVERSE, CredentialFile
from diga_verify.gateway.token_servers import TokenServers
from diga_verify.model import Reason

METADATA = "metadata"
"""The origin of credentials that no file holds; of others it is the file's type."""
_REMEDIES = {
    "authorized_user": "type `gcloud auth application-default login`",
    "external_account_authorized_user": "type `gcloud auth application-default login --login-config=FILE`",
    "service_account": "check that the account and its key exist and that this machine's clock is right, or make a key "
    "with `gcloud iam service-accounts keys create FILE --iam-account=ACCOUNT`",
    "external_account": "check the workload identity pool, its provider, and that this job gets a token from it",
    "impersonated_service_account": "type "
    "`gcloud auth application-default login --impersonate-service-account=ACCOUNT`",
    METADATA: "check the service account of this machine or job, and its access scopes",
}
_CODES = {
    "invalid_grant": "they have expired or were revoked",
    "invalid_rapt": "Google wants the login to be repeated (re-authentication)",
    "rapt_required": "Google wants the login to be repeated (re-authentication)",
    "invalid_client": "the OAuth client that they belong to was deleted or changed",
    "deleted_client": "the OAuth client that they belong to was deleted or changed",
    "unauthorized_client": "the OAuth client that they belong to may not use them",
}


def explained(error: Exception, servers: TokenServers, origin: str, principal: str | None) -> ReadError:
    """What went wrong, told by what was asked last and with which codes it was answered; never by a text, which may
    hold a token server's whole answer."""
    if isinstance(error, ReadError):
        return error
    if servers.failed is Reason.TIMEOUT:
        return late(servers, origin)
    if origin == METADATA and not servers.google:
        return _not_from_metadata(error, servers)
    if not servers.host:
        return rejected(f"no token can be made from them ({type(error).__name__})", origin)
    if servers.failed is Reason.TLS_FAILED:
        return ReadError(servers.failed, f"no token: {servers.host} could not prove who it is; see REQUESTS_CA_BUNDLE")
    if servers.failed is not None:
        return ReadError(servers.failed, f"no token: the connection to {servers.host} failed")
    if servers.status == 429 or servers.status >= 500:
        reason = Reason.RATE_LIMITED if servers.status == 429 else Reason.SERVER_ERROR
        return ReadError(reason, f"no token: {servers.host} answered HTTP {servers.status}; run again")
    said = f"{servers.host} answered HTTP {servers.status}{servers.code and f', {servers.code}'}"
    if servers.host.startswith("iamcredentials."):
        return _not_impersonated(said, principal)
    return rejected(f"{_CODES.get(servers.code, 'no token came')} ({said})", origin)


def _not_from_metadata(error: Exception, servers: TokenServers) -> ReadError:
    from google.auth.exceptions import DefaultCredentialsError

    if servers.status and not isinstance(error, DefaultCredentialsError):
        return rejected(f"the metadata server gave no token (HTTP {servers.status})", METADATA)
    return ReadError(Reason.NO_CREDENTIALS, f"no Google credentials; {ADVICE}")


def _not_impersonated(said: str, principal: str | None) -> ReadError:
    return ReadError(
        Reason.CREDENTIALS_REJECTED,
        f"the service account {principal} may not be impersonated ({said}): the caller needs "
        "roles/iam.serviceAccountTokenCreator on it, and iamcredentials.googleapis.com has to be switched on; "
        "or choose another with --impersonate-service-account",
    )


def late(servers: TokenServers, origin: str) -> ReadError:
    if origin == METADATA and not servers.google:
        detail = f"no Google credentials: no metadata server answered within {servers.waited:.3g} s; {ADVICE}"
        return ReadError(Reason.NO_CREDENTIALS, detail)
    if not servers.host:
        detail = f"no Google credentials: they could not be read within {servers.waited:.3g} s; {ADVICE}"
        return ReadError(Reason.NO_CREDENTIALS, detail)
    return ReadError(
        Reason.TIMEOUT, f"no token: {servers.host} did not answer within {servers.waited:.3g} s; run again"
    )


def rejected(why: str, origin: str) -> ReadError:
    remedy = _REMEDIES.get(origin, _REMEDIES["authorized_user"])
    return ReadError(Reason.CREDENTIALS_REJECTED, f"the credentials were not accepted: {why}; {remedy}")


def broken(file: CredentialFile, error: Exception) -> ReadError:
    said = f"{file.path} cannot be used as {file.type} ({type(error).__name__})"
    detail = f"the credential file {said}; {_REMEDIES[file.type]}"
    return ReadError(Reason.CREDENTIALS_REJECTED, detail)


def other_universe(why: str) -> ReadError:
    return ReadError(Reason.CREDENTIALS_REJECTED, f"diga-verify asks no universe but {UNIVERSE}: {why}")
