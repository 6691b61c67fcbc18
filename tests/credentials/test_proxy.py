"""A proxy between us and Google: one that lets us through, one that does not, and one that opens the letters."""

from __future__ import annotations

import base64
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Any

import pytest
import trustme

Opening = Callable[[BaseHTTPRequestHandler], ssl.SSLContext | None]
TOKENS = "oauth2.googleapis.com"
STORAGE = "storage.googleapis.com"


def refuse(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(407)
    handler.send_header("Proxy-Authenticate", 'Basic realm="canary"')
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def forbid(handler: BaseHTTPRequestHandler) -> None:
    page = b"<html>canary: this address is blocked</html>"
    handler.send_response(403)
    handler.send_header("Content-Type", "text/html")
    handler.send_header("Content-Length", str(len(page)))
    handler.end_headers()
    handler.wfile.write(page)


def reset(handler: BaseHTTPRequestHandler) -> None:
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def open_letters(_: BaseHTTPRequestHandler) -> ssl.SSLContext:
    """The right name, out of an authority that nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("*.googleapis.com").configure_cert(context)
    return context


TROUBLE = [
    pytest.param(refuse, "connection_failed", id="407"),
    pytest.param(forbid, "connection_failed", id="403"),
    pytest.param(reset, "connection_failed", id="reset"),
    pytest.param(open_letters, "tls_failed", id="another certificate"),
]


@pytest.mark.parametrize(("at_tunnel", "reason"), TROUBLE)
@pytest.mark.parametrize("host", [TOKENS, STORAGE])
def test_a_proxy_that_does_not_let_us_through(
    host: str, at_tunnel: Opening, reason: str, user: Any, gate: Callable[..., Any]
) -> None:
    """Nothing is said to whoever is there instead, and what one host has not said is not taken from another."""
    user.at_tunnel[host] = at_tunnel
    outcome = gate("-t", "redis", "-t", "gcs")
    assert (outcome.code, outcome.reasons) == (3, {reason})
    assert host not in user.hosts
    assert {one["type"] for one in outcome.report["unread"]} >= {"gcs"}
    read = {one["type"] for one in outcome.report["resources"] if one["verdict"] == "compliant"}
    assert read == (set() if host == TOKENS else {"redis"})
    assert "canary" not in outcome.out + outcome.err


def test_the_password_of_a_proxy_is_for_the_proxy_alone(
    user: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    asked: list[str | None] = []

    def note(handler: BaseHTTPRequestHandler) -> ssl.SSLContext:
        asked.append(handler.headers["Proxy-Authorization"])
        return user.context  # type: ignore[no-any-return]

    user.at_tunnel[STORAGE] = note
    monkeypatch.setenv("HTTPS_PROXY", f"http://robot:canary-word@{user.address}")
    outcome = gate("-t", "gcs", "-v", "--evidence", "run.json")
    assert outcome.code == 0
    assert set(asked) == {f"Basic {base64.b64encode(b'robot:canary-word').decode()}"}
    assert not any("proxy-authorization" in seen.headers for seen in user.requests)
    left = "".join(path.read_text() for path in (folder / "report.json", folder / "run.json"))
    assert "canary-word" not in outcome.out + outcome.err + left


class _Front(ThreadingTCPServer):
    """Ends the TLS that is spoken to the proxy itself, and hands on what is in it."""

    daemon_threads = True

    def __init__(self, context: ssl.SSLContext, behind: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), BaseRequestHandler)
        self.context = context
        self.behind = behind

    def finish_request(self, request: Any, client_address: Any) -> None:
        with (
            self.context.wrap_socket(request, server_side=True) as near,
            socket.create_connection(self.behind) as far,
        ):
            back = threading.Thread(target=_hand_on, args=(far, near), daemon=True)
            back.start()
            _hand_on(near, far)
            back.join()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Some do not trust the certificate."""


def _hand_on(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        """Either side may hang up."""


@pytest.fixture
def front(user: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A proxy at an https address, before the one that is there; the file of the authority that it is known by."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    host, _, port = user.address.partition(":")
    bundle = folder / "both.pem"
    bundle.write_bytes(user.ca.read_bytes() + authority.cert_pem.bytes())
    with _Front(context, (host, int(port))) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"https://localhost:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield bundle
        server.shutdown()
        thread.join()


def test_a_proxy_that_speaks_tls_itself(
    front: Path, user: Any, gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(front))
    assert gate("-t", "gcs").code == 0
    assert {f"{TOKENS}:443", f"{STORAGE}:443"} <= set(user.tunnels)


@pytest.mark.usefixtures("front")
def test_a_proxy_that_cannot_prove_who_it_is_is_asked_for_no_tunnel(user: Any, gate: Callable[..., Any]) -> None:
    outcome = gate("-t", "gcs")
    assert (outcome.code, outcome.reasons) == (3, {"connection_failed"})
    assert (user.tunnels, user.requests) == ([], [])
