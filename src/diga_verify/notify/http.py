"""One POST to a channel: no redirect followed, the certificate checked, and no URL in what is said of a failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase, HTTPBasicAuth

from diga_verify import __version__
from diga_verify.notify.secret import ChannelError

TIMEOUT = (5.0, 8.0)
"""Seconds to connect, and between bytes. The whole channel has a limit of its own."""
_WORD = re.compile(r"[a-z_]{1,40}")


class _None(AuthBase):
    """Says that there are no credentials, lest `requests` look for some in the caller's .netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


def post(
    url: str,
    *,
    json: Any = None,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    login: tuple[str, str] | None = None,
) -> None:
    """Send it. Raises ChannelError unless the answer is a success."""
    said = {"User-Agent": f"diga-verify/{__version__}", **(headers or {})}
    auth = _None() if login is None else HTTPBasicAuth(login[0].encode(), login[1].encode())
    try:
        with requests.Session() as session:
            # What goes to this machine without encryption must not take the way over a proxy, which may be elsewhere.
            session.trust_env = urlsplit(url).scheme != "http"
            with session.post(
                url,
                json=json,
                data=form,
                headers=said,
                auth=auth,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
            ) as answer:
                _refuse_failure(answer)
    except requests.RequestException as error:
        raise ChannelError(_words(error)) from None


def _refuse_failure(answer: requests.Response) -> None:
    status = answer.status_code
    if 300 <= status < 400:
        raise ChannelError(f"it answered with a redirect ({status}), which is not followed")
    if not 200 <= status < 300:
        word = next(answer.iter_content(64), b"").decode("ascii", "replace").strip()  # as Slack says `no_service`
        raise ChannelError(f"it answered {status}{f': {word}' if _WORD.fullmatch(word) else ''}")


def _words(error: requests.RequestException) -> str:
    """What went wrong. What the exception says itself may hold the URL, and that is a secret."""
    if isinstance(error, requests.Timeout):
        return "it did not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS failed: its certificate is not trusted, or it speaks no TLS"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy did not let it through"
    if isinstance(error, requests.ConnectionError):
        return "it cannot be reached"
    return f"the request could not be made ({type(error).__name__})"
