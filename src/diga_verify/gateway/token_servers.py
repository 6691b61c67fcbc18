"""The way to token servers and metadata servers: bounded, without redirects, and to Google only."""

from __future__ import annotations

import io
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3

from diga_verify.errors import ReadError
from diga_verify.gateway.credential_file import is_googles
from diga_verify.model import Reason

ANSWER_LIMIT = 1024 * 1024
_CODE = re.compile(r"[A-Za-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What google-auth wants to see of an answer."""

    status: int
    headers: Mapping[str, str]
    data: bytes = field(repr=False)


class TokenServers:
    """The way to token servers and metadata servers, as google-auth takes it: a `google.auth.transport.Request`.

    It ends in time, follows no redirect, sends credentials to Google only, and remembers what was asked last:
    google-auth keeps of most failures no more than a text.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.host = ""
        """The host that was asked last, "" before the first."""
        self.google = False
        """Whether that is one of Google's token servers, not a metadata server or an issuer of subject tokens."""
        self.status = 0
        """Its HTTP status."""
        self.failed: Reason | None = None
        """Why no answer came."""
        self.session = requests.Session()
        self.session.auth = no_netrc
        self._started = time.monotonic()
        self._until = self._started + seconds
        self._body = b""

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **options: Any,
    ) -> Answer:
        """One request. Raises google-auth's TransportError, and ReadError rather than send a body to a stranger."""
        from google.auth.exceptions import TransportError

        self.host, self.google = urlsplit(url).hostname or "", is_googles(url)
        self.status, self.failed, self._body = 0, None, b""
        if body is not None and not self.google:
            raise ReadError(Reason.CREDENTIALS_REJECTED, f"credentials were about to be sent to {self.host}")
        try:
            answer = self._ask(method, url, data=body, headers=headers, timeout=timeout, **options)
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            self.failed = Reason.TIMEOUT
            raise TransportError(type(error).__name__) from None
        except requests.exceptions.SSLError as error:
            self.failed = Reason.TLS_FAILED
            raise TransportError(type(error).__name__) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            self.failed = Reason.CONNECTION_FAILED
            raise TransportError(type(error).__name__) from None
        self.status, self._body = answer.status, answer.data
        return answer

    @property
    def code(self) -> str:
        """The last answer's error code or, if it has one, its subtype: `invalid_grant`, `PERMISSION_DENIED`, or ""."""
        try:
            answer = json.loads(self._body)
        except (ValueError, RecursionError):
            return ""
        if not isinstance(answer, dict):
            return ""
        error = answer.get("error_subtype") or answer.get("error")
        code = error.get("status") if isinstance(error, dict) else error
        return code if isinstance(code, str) and _CODE.fullmatch(code) else ""

    @property
    def waited(self) -> float:
        """Seconds since the start, as far as they were ours to wait."""
        return min(self.seconds, time.monotonic() - self._started)

    def _ask(self, method: str, url: str, *, timeout: float | None, **options: Any) -> Answer:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        wait = left if timeout is None else min(timeout, left)
        with self.session.request(method, url, timeout=wait, stream=True, allow_redirects=False, **options) as response:
            return Answer(response.status_code, response.headers, self._read(response))

    def _read(self, response: requests.Response) -> bytes:
        content = io.BytesIO()
        while chunk := response.raw.read1(ANSWER_LIMIT, decode_content=True):
            content.write(chunk)
            if content.tell() > ANSWER_LIMIT:
                raise requests.RequestException
            if time.monotonic() > self._until:
                raise TimeoutError
        return content.getvalue()


def no_netrc(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """The `auth` of a session that has none."""
    # Without an `auth` of its own, requests takes a password from ~/.netrc and overwrites the token with it.
    return request
