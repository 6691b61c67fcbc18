"""Reports to tell of, and those who are told: a receiver of HTTP and an SMTP server, both on loopback."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope

from diga_verify.cli.demo import run_against_shipped_world
from diga_verify.judgement import JudgedResource, Missing
from diga_verify.model import Reason, Severity, Unread, Verdict
from diga_verify.policy import default_policy, parse_policy
from diga_verify.policy.notify import Notify
from diga_verify.report import Report

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CANARY = "c4n4ry-0123456789"


@dataclass
class Received:
    """What a receiver got, and what it is to answer."""

    url: str = ""
    status: int = 200
    body: bytes = b"ok"
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    meeting: threading.Barrier | None = None
    """So many requests must be there before any is answered."""


@contextmanager
def receiving(tls: ssl.SSLContext | None = None) -> Iterator[Received]:
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            received.requests.append((self.path, dict(self.headers), body))
            if received.meeting is not None:
                received.meeting.wait(timeout=10)
            self.send_response(received.status)
            for name, value in received.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(received.body)))
            self.end_headers()
            self.wfile.write(received.body)

        do_CONNECT = do_GET = do_POST  # noqa: N815 - the name that http.server looks for

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        received.url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield received
        server.shutdown()
        thread.join()


@pytest.fixture
def receiver() -> Iterator[Received]:
    with receiving() as received:
        yield received


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[Received]:
    with receiving(context_of(authority)) as received:
        yield received


def context_of(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests' own authority is trusted, as a company's may be."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))


class Mailbox:
    """What an SMTP server took, each with who had logged in; addresses at `refused.example` it refuses."""

    def __init__(self) -> None:
        self.mails: list[Envelope] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd looks for
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        if address.endswith("@refused.example"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Envelope) -> str:  # noqa: N802 - likewise
        self.mails.append(envelope)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == CANARY.encode(), handled=False)


class _Server(Controller):
    """On whatever port is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextmanager
def mail_server(**options: Any) -> Iterator[tuple[Mailbox, int]]:
    mailbox = Mailbox()
    controller = _Server(mailbox, hostname="127.0.0.1", port=0, authenticator=mailbox.authenticate, **options)
    controller.start()
    try:
        yield mailbox, controller.port
    finally:
        controller.stop()


@cache
def shipped(world: str) -> Report:
    return run_against_shipped_world(world, quiet=True)


@cache
def _wrong_bucket() -> JudgedResource:
    return next(one for one in shipped("demo").of(Verdict.VIOLATION) if one.resource.type == "gcs")


def bucket(name: str, severity: Severity = Severity.CRITICAL, verdict: Verdict = Verdict.VIOLATION) -> JudgedResource:
    """A bucket in a wrong place, as far as `severity` says."""
    like = _wrong_bucket()
    resource = replace(like.resource, name=name, full_name=f"//storage.googleapis.com/{name}")
    place = next(one for one in like.placements if one.verdict is Verdict.VIOLATION)
    judged = replace(place, verdict=verdict, severity=severity)
    return replace(like, resource=resource, verdict=verdict, placements=(judged,))


@pytest.fixture(scope="session")
def reported() -> Callable[..., Report]:
    """The report of a real, whole run of the project that found this and no more."""

    def reported(
        *resources: JudgedResource,
        missing: Sequence[str] = (),
        unread: Sequence[Unread] = (),
        **changes: Any,
    ) -> Report:
        calm = shipped("compliant")
        judgement = replace(
            calm.judgement,
            resources=(*calm.judgement.resources, *resources),
            missing=tuple(Missing("gcs", name, None, None) for name in missing),
            unread=tuple(unread),
        )
        made = replace(calm, judgement=judgement, simulated=False, api_root=None, finished_at="2026-11-23T12:00:00Z")
        return replace(made, **changes)

    return reported


def unread(type: str = "gcs", reason: Reason = Reason.TIMEOUT, resource: str | None = None) -> Unread:
    return Unread(type, f"{type} of projects/dtx-data", reason, "it did not answer", resource)


def notified(text: str) -> Notify:
    """`[notify]` out of the text of a policy; `[notify]` itself is written already."""
    policy = parse_policy(
        default_policy() + f"\n[notify]\n{text}".encode(), path="regions.toml", today=date(2026, 11, 23)
    )
    assert policy.notify is not None
    return policy.notify
