"""Whose certificates count: those of the bundle, checked for every connection and read once."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.util import parse_url

from diga_verify.errors import ReadError
from diga_verify.gateway import trust
from diga_verify.gateway.door import Door, Exchange, exchanging, put_in_front
from diga_verify.gateway.endpoints import Endpoints, stand_in
from diga_verify.gateway.identity import Anonymous
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.trust import Trust
from diga_verify.model import Reason

PATIENCE = Patience(attempts=1)


@dataclass
class Peer:
    """A server that speaks TLS, and ends every connection with its answer."""

    url: str
    bundle: Path
    asked: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def peer(authority: trustme.CA, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Peer]:
    """Its certificate is for `localhost`, or for the name that the test gives."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust it hangs up."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(getattr(request, "param", "localhost")).configure_cert(context)
    bundle = tmp_path / "bundle.pem"
    authority.cert_pem.write_to_path(str(bundle))
    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield Peer(f"https://localhost:{server.server_address[1]}", bundle, asked)
        server.shutdown()
        thread.join()


def ask(peer: Peer, bundle: Path | str, times: int = 1) -> None:
    door = Door(stand_in(peer.url), Anonymous(), PATIENCE, 4)
    with requests.Session() as session:
        put_in_front(door, session, trust_environment=False)
        session.verify = str(bundle)
        for number in range(times):
            with exchanging(Exchange(PATIENCE.clock() + 20)):
                session.get(f"{peer.url}/{number}")


def test_the_bundle_is_read_once_for_all_connections(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ssl.SSLContext] = []
    reads: list[object] = []

    class Context(ssl.SSLContext):
        def load_verify_locations(self, cafile: object = None, capath: object = None, cadata: object = None) -> None:
            reads.append(cafile or capath)
            super().load_verify_locations(cafile, capath, cadata)  # type: ignore[arg-type]

    def create(cert_reqs: int) -> ssl.SSLContext:
        made.append(Context(ssl.PROTOCOL_TLS_CLIENT))
        assert made[-1].verify_mode is cert_reqs is ssl.CERT_REQUIRED
        return made[-1]

    monkeypatch.setattr(trust, "create_urllib3_context", create)
    ask(peer, peer.bundle, times=3)
    assert peer.asked == ["/0", "/1", "/2"]
    assert reads == [str(peer.bundle)]
    assert len(made) == 1


def test_a_folder_of_certificates_is_a_bundle_too(peer: Peer, tmp_path: Path) -> None:
    folder = tmp_path / "certificates"
    folder.mkdir()
    with pytest.raises(ReadError) as caught:  # none that has the name by which such folders are searched
        ask(peer, folder)
    assert caught.value.reason is Reason.TLS_FAILED
    assert peer.asked == []


def test_a_stranger_is_not_trusted(peer: Peer, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for bundle in (other, DEFAULT_CA_BUNDLE_PATH):
        with pytest.raises(ReadError) as caught:
            ask(peer, bundle)
        assert caught.value.reason is Reason.TLS_FAILED
    assert peer.asked == []


@pytest.mark.parametrize("peer", ["elsewhere.example"], indirect=True)
def test_a_certificate_for_another_name_is_not_trusted(peer: Peer) -> None:
    with pytest.raises(ReadError) as caught:
        ask(peer, peer.bundle)
    assert caught.value.reason is Reason.TLS_FAILED
    assert peer.asked == []


@pytest.mark.parametrize(("content", "reason"), [(None, Reason.CONNECTION_FAILED), ("none", Reason.TLS_FAILED)])
def test_a_bundle_that_is_none(peer: Peer, tmp_path: Path, content: str | None, reason: Reason) -> None:
    bundle = tmp_path / "odd.pem"
    if content is not None:
        bundle.write_text(content)
    with pytest.raises(ReadError) as caught:
        ask(peer, bundle)
    assert caught.value.reason is reason
    assert peer.asked == []


def test_the_usual_certificates_are_those_of_requests() -> None:
    one = Trust()
    assert one.context(True) is one.context(None) is one.context(DEFAULT_CA_BUNDLE_PATH)
    assert one.context(True).cert_store_stats()["x509_ca"] > 50
    assert one.context(True).check_hostname
    assert one.context(True).verify_mode is ssl.CERT_REQUIRED


class Pool:
    """As much of urllib3's pool of connections as is set."""

    def __init__(self, proxy: str | None) -> None:
        self.proxy = None if proxy is None else parse_url(proxy)
        self.cert_reqs: Any = "as before"
        self.ca_certs: Any = "as before"
        self.ca_cert_dir: Any = "as before"


@pytest.mark.parametrize(
    ("url", "proxy", "named"),
    [
        ("https://storage.googleapis.com/b", None, None),
        ("https://storage.googleapis.com/b", "http://proxy.example:3128", None),
        ("https://storage.googleapis.com/b", "https://proxy.example:3128", DEFAULT_CA_BUNDLE_PATH),
    ],
)
def test_certificates_are_named_where_the_context_is_not_used(url: str, proxy: str | None, named: str | None) -> None:
    """A proxy that speaks TLS is connected to without the context."""
    pool = Pool(proxy)
    Door(Endpoints(), Anonymous(), PATIENCE, 4).cert_verify(pool, url, True, None)
    assert (pool.cert_reqs, pool.ca_certs) == ("CERT_REQUIRED", named)


def test_a_stand_in_without_tls_needs_no_certificates() -> None:
    pool = Pool(None)
    Door(Endpoints(), Anonymous(), PATIENCE, 4).cert_verify(pool, "http://127.0.0.1/b", True, None)
    assert (pool.cert_reqs, pool.ca_certs) == ("CERT_NONE", None)
