"""The credential file: found, read once, checked, and given to google-auth from memory.

google-auth believes what such a file says: it posts a refresh token, or the contents of any local file, to whatever
address stands in it. So nobody but Google may stand in it, and what was checked is what is used.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from diga_verify.errors import ReadError
from diga_verify.model import Json, Reason

SIZE_LIMIT = 1024 * 1024
UNIVERSE = "googleapis.com"
ADVICE = "type `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a credential file"

TYPES = (
    "authorized_user",
    "service_account",
    "external_account",
    "external_account_authorized_user",
    "impersonated_service_account",
)
"""The values of `type` that diga-verify can use."""

# As narrow as the addresses of Google's own files: parsers of URLs disagree about all that is left out here, such
# as backslashes and user names, and one of them would connect to another host than the one that was checked.
_GOOGLES = re.compile(
    r"https://(?:(?:[a-z0-9-]+\.)+googleapis\.com|accounts\.google\.com)(?::443)?(?:/[\w./:@%~?&=+-]*)?",
    re.ASCII | re.IGNORECASE,
)
_SOURCE = "credential_source"
_AWS = "urn:ietf:params:aws:token-type:aws4_request"
_SHOWN = 80
"""Characters of a key or a host from the file that a message shows."""


@dataclass(frozen=True, slots=True)
class CredentialFile:
    """A file that was read and checked. Its contents are secret, and no part of its `repr`."""

    path: str
    type: str
    """One of `TYPES`."""
    info: Json = field(repr=False)


def is_googles(url: str) -> bool:
    """Whether `url` is an https address of Google's APIs or of its accounts, and certainly of nobody else."""
    return _GOOGLES.fullmatch(url) is not None


def find() -> str | None:
    """Where the credential file is: the path of GOOGLE_APPLICATION_CREDENTIALS, whether or not something is there, or
    that of gcloud's application default credentials, if they exist."""
    if path := os.environ.get("GOOGLE_APPLICATION_CREDENTIALS"):
        return path
    # As google-auth finds it, to the letter: a file that only one of us sees would go unchecked.
    folder = os.environ.get("CLOUDSDK_CONFIG", os.path.expanduser("~/.config/gcloud"))  # noqa: PTH111 - never raises
    adc = Path(folder, "application_default_credentials.json")
    return str(adc) if os.path.lexists(adc) else None


def read(path: str) -> CredentialFile:
    """The checked file. Waits for a pipe that nobody writes to.

    Raises ReadError: NO_CREDENTIALS if there is no JSON object to be had, CREDENTIALS_REJECTED if it is of no known
    type or would send credentials to anybody but Google. No message holds a value of the file, save a host's name.
    """
    try:
        info = json.loads(_bytes(path))
    except OSError as error:
        raise _absent(f"{path} cannot be read: {error.strerror or type(error).__name__}") from None
    except (ValueError, RecursionError):
        raise _absent(f"{path} is not a JSON file") from None
    if not isinstance(info, dict):
        raise _absent(f"{path} holds no JSON object")
    for where, key, value in _members(info):
        _check(path, where, key, value)
    kind = info.get("type")
    if not isinstance(kind, str) or kind not in TYPES:
        raise _refused(path, f"its type is none of {', '.join(TYPES)}")
    return CredentialFile(path, kind, info)


def load(file: CredentialFile, scopes: Sequence[str]) -> Any:
    """google-auth's credentials for the file. Asks nobody. Raises whatever google-auth makes of a broken file."""
    from google.auth import aws, external_account_authorized_user, identity_pool, impersonated_credentials
    from google.oauth2 import credentials, service_account

    info: Any = file.info
    if file.type == "authorized_user":
        return credentials.Credentials.from_authorized_user_info(info)  # its scopes were settled at login
    if file.type == "service_account":
        return service_account.Credentials.from_service_account_info(info, scopes=list(scopes))
    if file.type == "external_account_authorized_user":
        return external_account_authorized_user.Credentials.from_info(info)
    if file.type == "impersonated_service_account":
        kind = impersonated_credentials.Credentials
        return kind.from_impersonated_service_account_info(info, scopes=list(scopes))
    source = aws if info.get("subject_token_type") == _AWS else identity_pool
    return source.Credentials.from_info(info, scopes=list(scopes))


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
            raise _absent(f"{path} is not a file")
        content = file.read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise _absent(f"{path} is larger than {SIZE_LIMIT} bytes")
    return content


def _members(info: Json) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Every member of every object in it: the keys that lead to it, its own key, its value. Not recursive: a file may
    be nested more deeply than Python calls."""
    waiting: list[tuple[tuple[str, ...], Any]] = [((), info)]
    while waiting:
        where, value = waiting.pop()
        if isinstance(value, dict):
            for key, inner in value.items():
                yield where, key, inner
                waiting.append(((*where[-8:], key), inner))
        elif isinstance(value, list):
            waiting += [(where, inner) for inner in value]


def _check(path: str, where: Sequence[str], key: str, value: object) -> None:
    name = ".".join((*where, key))[-_SHOWN:]
    if value is None:
        return
    if key == "universe_domain" and value != UNIVERSE:
        raise _refused(path, f"its {name} is not {UNIVERSE}, and diga-verify asks no other universe")
    if _SOURCE in where:
        if key == "executable":
            raise _refused(
                path,
                f"its {name} names a program, and whoever wrote the file could have this machine run anything; "
                "use a credential source of the kind file, url or certificate",
            )
        return  # where a subject token is read from: GitHub, Azure, AWS or any other issuer, and nothing is sent there
    if key.lower().endswith(("_url", "_uri")) and not (isinstance(value, str) and is_googles(value)):
        raise _refused(
            path,
            f"its {name} would send credentials to {_host(value)}, which is no https address at *.{UNIVERSE}; "
            "get the file anew from where it came from, and trust this one with nothing",
        )


def _host(value: object) -> str:
    try:
        host = urlsplit(value).hostname if isinstance(value, str) else None
    except ValueError:
        host = None
    return (host or "an address without a host")[:_SHOWN]


def _absent(detail: str) -> ReadError:
    return ReadError(Reason.NO_CREDENTIALS, f"no Google credentials: {detail}; {ADVICE}")


def _refused(path: str, detail: str) -> ReadError:
    return ReadError(Reason.CREDENTIALS_REJECTED, f"the credential file {path} is not used: {detail}")
