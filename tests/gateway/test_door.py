"""The door: what leaves through it, and what comes in."""

from __future__ import annotations

import gzip
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from diga_verify.errors import ReadError
from diga_verify.gateway.ceiling import Ceiling, Place
from diga_verify.gateway.door import Door, Exchange, exchanging, put_in_front
from diga_verify.gateway.endpoints import Endpoints, stand_in
from diga_verify.gateway.identity import Anonymous
from diga_verify.gateway.patience import Patience
from diga_verify.model import Json, Reason

PATIENCE = Patience(attempts=1)


@dataclass
class Peer:
    """A server on loopback that gives one answer to everything, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: bytes = b'{"items": [{"name": "a"}, {"name": "b"}]}'
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    connections: set[int] = field(default_factory=set)


@pytest.fixture
def peer() -> Iterator[Peer]:
    peer = Peer()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            peer.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            peer.connections.add(self.client_address[1])
            self.send_response(peer.status)
            for name, value in peer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(peer.body)))
            self.end_headers()
            self.wfile.write(peer.body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        peer.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield peer
        server.shutdown()
        thread.join()


@contextmanager
def session(endpoints: Endpoints, identity: Anonymous | None = None) -> Iterator[requests.Session]:
    door = Door(endpoints, identity or Anonymous(), PATIENCE, 2)
    with requests.Session() as opened:
        yield put_in_front(door, opened, trust_environment=False)


def ask(peer: Peer, path: str = "/a.googleapis.com/v1/things", fields: str | None = None) -> Json:
    with session(stand_in(peer.url)) as opened, exchanging(Exchange(PATIENCE.clock() + 20, fields)) as one:
        opened.get(peer.url + path, headers={"Authorization": "Bearer of-a-client-library"})
    return one.answers[0]


def test_an_answer(peer: Peer) -> None:
    assert ask(peer) == {"items": [{"name": "a"}, {"name": "b"}]}


def test_a_compressed_answer_reaches_the_client_library(peer: Peer) -> None:
    """Google compresses its answers; what the library is given is plain, and its headers must not say otherwise."""
    plain = peer.body
    peer.body = gzip.compress(plain)
    peer.headers["Content-Encoding"] = "gzip"
    with session(stand_in(peer.url)) as opened, exchanging(Exchange(PATIENCE.clock() + 20)):
        assert opened.get(f"{peer.url}/a").content == plain


def test_no_credentials_for_a_stand_in(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "no-such-file.json")
    with session(stand_in(peer.url)) as opened, exchanging(Exchange(PATIENCE.clock() + 20)):
        opened.get(f"{peer.url}/a.googleapis.com/v1/things")
    assert [headers.get("authorization") for _, headers in peer.asked] == [None]


def test_fields_are_asked_for(peer: Peer) -> None:
    ask(peer, "/a.googleapis.com/v1/things?x=1", fields="items(name),nextPageToken")
    assert peer.asked[0][0] == "/a.googleapis.com/v1/things?x=1&fields=items%28name%29%2CnextPageToken"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(peer: Peer, status: int) -> None:
    peer.status, peer.headers = status, {"Location": f"{peer.url}/elsewhere"}
    with pytest.raises(ReadError) as caught:
        ask(peer)
    assert caught.value.reason is Reason.REDIRECTED
    assert [path for path, _ in peer.asked] == ["/a.googleapis.com/v1/things"]


def test_connections_are_used_again(peer: Peer) -> None:
    with session(stand_in(peer.url)) as opened, exchanging(Exchange(PATIENCE.clock() + 20)) as exchange:
        for _ in range(3):
            opened.get(f"{peer.url}/a")
    assert len(exchange.answers) == 3
    assert len(peer.connections) == 1


def test_nothing_leaves_for_another_host(peer: Peer) -> None:
    with (
        session(Endpoints()) as opened,
        exchanging(Exchange(PATIENCE.clock() + 20)),
        pytest.raises(ReadError) as caught,
    ):
        opened.get(f"{peer.url}/storage.googleapis.com/storage/v1/b")
    assert caught.value.reason is Reason.UNEXPECTED_ERROR
    assert peer.asked == []


def test_a_closed_port() -> None:
    exchange = Exchange(PATIENCE.clock() + 20)
    with session(stand_in("http://127.0.0.1:1")) as opened, exchanging(exchange), pytest.raises(ReadError) as caught:
        opened.get("http://127.0.0.1:1/a")
    assert caught.value.reason is Reason.CONNECTION_FAILED


def test_a_deadline_that_has_passed(peer: Peer) -> None:
    late = Exchange(PATIENCE.clock() - 1)
    with session(stand_in(peer.url)) as opened, exchanging(late), pytest.raises(ReadError) as caught:
        opened.get(f"{peer.url}/a")
    assert caught.value.reason is Reason.TIMEOUT
    assert peer.asked == []


def test_a_peer_that_speaks_no_tls(peer: Peer) -> None:
    root = peer.url.replace("http://", "https://")
    with (
        session(stand_in(root)) as opened,
        exchanging(Exchange(PATIENCE.clock() + 20)),
        pytest.raises(ReadError) as error,
    ):
        opened.get(f"{root}/a.googleapis.com/v1/things")
    assert error.value.reason is Reason.TLS_FAILED
    assert peer.asked == []


@contextmanager
def dripping(*parts: bytes) -> Iterator[tuple[str, threading.Event]]:
    """A peer that sends some bytes and then one blank after the other, until the event ends it."""
    ends = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.sendall(b"".join(parts))
                while not ends.wait(0.02):
                    self.request.sendall(b" ")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", ends
        ends.set()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    "parts",
    [
        [b""],
        [b"HTTP/1.1 200 O"],
        [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-More:"],
        [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"],
        [b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n9;"],
    ],
    ids=["before the status", "in the status", "in the headers", "in the body", "in a chunk"],
)
def test_a_peer_that_drips_wherever_it_is_cannot_stretch_a_call(parts: list[bytes]) -> None:
    with dripping(*parts) as (url, ends), session(stand_in(url)) as opened:
        with exchanging(Exchange(PATIENCE.clock() + 0.3)), pytest.raises(ReadError) as error:
            opened.get(f"{url}/a.googleapis.com/v1/things")
        assert not ends.is_set()
    assert error.value.reason is Reason.TIMEOUT


def test_a_service_that_wants_to_be_left_alone_is_left_alone_by_all_calls(peer: Peer) -> None:
    """One answer says so; the next call does not even ask. Another service is not meant."""
    peer.status = 429
    peer.headers["Retry-After"] = "40"
    reasons = []
    with session(stand_in(peer.url)) as opened:
        for service in ("a.googleapis.com", "a.googleapis.com", "b.googleapis.com"):
            exchange = Exchange(PATIENCE.clock() + 20, service=service, latest=PATIENCE.clock() + 30)
            with exchanging(exchange), pytest.raises(ReadError) as caught:
                opened.get(f"{peer.url}/{service}")
            reasons.append(caught.value.reason)
    assert reasons == [Reason.RATE_LIMITED] * 3
    assert [path for path, _ in peer.asked] == ["/a.googleapis.com", "/b.googleapis.com"]


def test_waiting_for_a_place_takes_nothing_from_a_call_s_time(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def place(_: Ceiling, service: str, until: float) -> Iterator[Place]:
        assert (service, until) == ("a.googleapis.com", 1000.0)
        late = Place()
        late.waited = 30.0
        yield late

    monkeypatch.setattr(Ceiling, "place", place)
    patience = Patience(attempts=1, clock=lambda: 100.0)
    with requests.Session() as opened:
        put_in_front(Door(stand_in(peer.url), Anonymous(), patience, 2), opened, trust_environment=False)
        exchange = Exchange(105.0, service="a.googleapis.com", latest=1000.0)
        with exchanging(exchange):
            opened.get(f"{peer.url}/a")
        assert exchange.deadline == 135.0
        exchange.deadline = 990.0
        with exchanging(exchange):
            opened.get(f"{peer.url}/a")
        assert exchange.deadline == 1000.0
