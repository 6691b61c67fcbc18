"""The door: one HTTP transport that every client library of a run goes through.

It is a `requests` transport adapter, the place that `requests` keeps for such things: it signs the request, asks
for the wanted fields only, keeps the time, asks again where that helps, and lets nothing through but the JSON
object that the API promised.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import requests
import urllib3
from requests.adapters import HTTPAdapter

from diga_verify.errors import ReadError
from diga_verify.gateway import answers
from diga_verify.gateway.bounded import within
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.identity import Identity
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.token_servers import no_netrc
from diga_verify.model import Json, Reason

BODY_LIMIT = 32 * 1024 * 1024
_CHUNK = 64 * 1024


@dataclass(slots=True)
class Exchange:
    """One call in flight: what it asks for, what was sent, and what came back."""

    deadline: float
    fields: str | None = None
    kind: str | None = None
    requests: list[Json] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)


_current: ContextVar[Exchange] = ContextVar("exchange")


@contextmanager
def exchanging(exchange: Exchange) -> Iterator[Exchange]:
    """Requests that the current thread sends inside belong to `exchange`."""
    token = _current.set(exchange)
    try:
        yield exchange
    finally:
        _current.reset(token)


class Door(HTTPAdapter):
    """The transport adapter. Safe to use from many threads at once."""

    def __init__(self, endpoints: Endpoints, identity: Identity, patience: Patience, connections: int) -> None:
        self._endpoints = endpoints
        self._identity = identity
        self._patience = patience
        super().__init__(pool_connections=16, pool_maxsize=connections, max_retries=0)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, *, stream: bool = False, timeout: Any = None, **network: Any
    ) -> requests.Response:
        """The answer to `request`, understood. Raises ReadError; no other exception is the network's.

        The client libraries' own `timeout` is ignored: time is kept here. `network` holds the session's proxies
        and the certificates that it trusts.
        """
        exchange = _current.get()
        self._prepare(request, exchange)
        attempt = 0
        while True:
            attempt += 1
            status, headers, body = 0, urllib3.HTTPHeaderDict(), b""
            try:
                status, headers, body = self._attempt(request, exchange.deadline, network)
                answer = answers.understand(status, headers.get("Content-Type", ""), body, exchange.kind)
            except ReadError as error:
                asked = answers.retry_after(headers, body)
                if not self._patience.wait(attempt, error, asked, exchange.deadline):
                    raise
            else:
                exchange.answers.append(answer)
                return self._response(request, status, headers, body)

    def _prepare(self, request: requests.PreparedRequest, exchange: Exchange) -> None:
        url = request.url or ""
        if not self._endpoints.trusts(url):
            raise ReadError(Reason.UNEXPECTED_ERROR, f"a client library wanted to call {url.split('?')[0]}")
        if exchange.fields is not None:
            request.url = f"{url}{'&' if '?' in url else '?'}{urlencode({'fields': exchange.fields})}"
        exchange.requests.append(_as_evidence(request))
        signed: dict[str, str] = {}
        self._identity.sign(signed)
        request.headers.update(signed)

    def _attempt(
        self, request: requests.PreparedRequest, deadline: float, network: Mapping[str, Any]
    ) -> tuple[int, urllib3.HTTPHeaderDict, bytes]:
        remaining = deadline - self._patience.clock()
        if remaining <= 0:
            raise ReadError(Reason.TIMEOUT, "no time was left to ask")
        timeout = (min(self._patience.connect, remaining), min(self._patience.read, remaining))
        try:
            return within(remaining, lambda: self._fetch(request, timeout, deadline, network))
        except (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError) as error:
            raise ReadError(Reason.TIMEOUT, "the service did not answer in time") from error
        except requests.exceptions.SSLError as error:
            raise ReadError(Reason.TLS_FAILED, "the TLS connection could not be trusted") from error
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            detail = f"the connection failed ({type(error).__name__})"
            raise ReadError(Reason.CONNECTION_FAILED, detail) from error

    def _fetch(
        self,
        request: requests.PreparedRequest,
        timeout: tuple[float, float],
        deadline: float,
        network: Mapping[str, Any],
    ) -> tuple[int, urllib3.HTTPHeaderDict, bytes]:
        response = super().send(request, stream=True, timeout=timeout, **network)
        try:
            return response.status_code, response.raw.headers, self._body(response, deadline)
        finally:
            response.close()

    def _body(self, response: requests.Response, deadline: float) -> bytes:
        # read1 returns what one read of the socket brought: an answer that drips is given up at the deadline, and its
        # connection with it.
        body = io.BytesIO()
        while chunk := response.raw.read1(_CHUNK, decode_content=True):
            body.write(chunk)
            if body.tell() > BODY_LIMIT:
                raise ReadError(Reason.MALFORMED_ANSWER, f"the answer is larger than {BODY_LIMIT} bytes")
            if self._patience.clock() > deadline:
                raise ReadError(Reason.TIMEOUT, "the answer was still coming in when the time was up")
        return body.getvalue()

    def _response(
        self, request: requests.PreparedRequest, status: int, headers: urllib3.HTTPHeaderDict, body: bytes
    ) -> requests.Response:
        # The body is whole and unpacked by now, which these headers no longer describe.
        plain = urllib3.HTTPHeaderDict(headers)
        for name in ("Content-Encoding", "Transfer-Encoding", "Content-Length"):
            plain.discard(name)
        raw = urllib3.HTTPResponse(body=io.BytesIO(body), headers=plain, status=status, preload_content=False)
        return self.build_response(request, raw)


def _as_evidence(request: requests.PreparedRequest) -> Json:
    """A request without its headers, in which the credentials are. `requestId` is chance, and says nothing."""
    sent = {"method": request.method, "url": request.url}
    if not request.body:
        return sent
    body = json.loads(request.body)
    return {**sent, "body": {key: value for key, value in body.items() if key != "requestId"}}


def put_in_front(door: Door, session: requests.Session, *, trust_environment: bool) -> requests.Session:
    """Make every request of `session` go through `door`. Proxies of the environment count only towards Google."""
    session.trust_env = trust_environment
    session.auth = no_netrc
    session.mount("https://", door)
    session.mount("http://", door)
    return session
