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
from diga_verify.gateway.ceiling import Ceiling
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.identity import Identity
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.token_servers import no_netrc
from diga_verify.gateway.trust import Trust
from diga_verify.gateway.turns import pass_on
from diga_verify.model import Json, Reason

BODY_LIMIT = 32 * 1024 * 1024
_CHUNK = 64 * 1024
_HOSTS = 32
_SERVICES = 4
"""A stand-in answers for all services, of which no more are asked to the limit at once: what it keeps open."""


@dataclass(slots=True)
class Exchange:
    """One call in flight: what it asks for, what was sent, and what came back.

    It must be over by `deadline`. While it waits for a place below its service's ceilings that moves on, but never
    beyond `latest`, if there is one.
    """

    deadline: float
    fields: str | None = None
    kind: str | None = None
    service: str = ""
    latest: float | None = None
    requests: list[Json] = field(default_factory=list)
    answers: list[Json] = field(default_factory=list)


_current: ContextVar[Exchange] = ContextVar("exchange")


class _FailedError(Exception):
    """An attempt failed; the server may have asked to be left alone for some seconds."""

    def __init__(self, error: ReadError, asked: float | None) -> None:
        super().__init__(error)
        self.error = error
        self.asked = asked


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

    def __init__(self, endpoints: Endpoints, identity: Identity, patience: Patience, at_once: int) -> None:
        """`at_once`: the most calls of one service that are under way at once, each on a connection of its own."""
        self._endpoints = endpoints
        self._identity = identity
        self._patience = patience
        self._ceiling = Ceiling(at_once, patience.clock)
        self._trust = Trust()
        super().__init__(pool_connections=_HOSTS, pool_maxsize=at_once * _SERVICES, max_retries=0)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, *, stream: bool = False, timeout: Any = None, **network: Any
    ) -> requests.Response:
        """The answer to `request`, understood. Raises ReadError; no other exception is the network's.

        The client libraries' own `timeout` is ignored: time is kept here. `network` holds the session's proxies
        and the certificates that it trusts.
        """
        exchange = _current.get()
        self._prepare(request, exchange)
        pass_on()
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._answer(request, exchange, network)
            except _FailedError as failed:
                if not self._patience.wait(attempt, failed.error, failed.asked, exchange.deadline):
                    raise failed.error from failed.error.__cause__

    def _answer(
        self, request: requests.PreparedRequest, exchange: Exchange, network: Mapping[str, Any]
    ) -> requests.Response:
        """One attempt. Raises _FailedError, and ReadError where another one is of no use."""
        status, headers, body = 0, urllib3.HTTPHeaderDict(), b""
        latest = exchange.deadline if exchange.latest is None else exchange.latest
        with self._ceiling.place(exchange.service, latest) as place:
            exchange.deadline = min(latest, exchange.deadline + place.waited)
            try:
                status, headers, body = self._attempt(request, exchange.deadline, network)
                answer = answers.understand(status, headers.get("Content-Type", ""), body, exchange.kind)
            except ReadError as error:
                asked = answers.retry_after(headers, body)
                if error.reason is Reason.RATE_LIMITED:
                    place.refused(asked)
                raise _FailedError(error, asked) from error
        exchange.answers.append(answer)
        return self._response(request, status, headers, body)

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        """As it was, with a TLS context of ours."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)
        if _checks_certificates(host["scheme"], verify, cert):
            tls["ssl_context"] = self._trust.context(verify)
        return host, tls

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """As it was, but for the certificates: they are in the context. Those for a proxy that speaks TLS must still be
        named."""
        to_proxy = "" if conn.proxy is None else conn.proxy.scheme
        if to_proxy != "https" and _checks_certificates(url.partition(":")[0].lower(), verify, cert):
            conn.cert_reqs, conn.ca_certs, conn.ca_cert_dir = "CERT_REQUIRED", None, None
        else:
            super().cert_verify(conn, url, verify, cert)  # type: ignore[no-untyped-call]

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


def _checks_certificates(scheme: str, verify: object, cert: object) -> bool:
    return scheme == "https" and verify is not False and cert is None


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
