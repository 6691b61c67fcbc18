"""Who asks: tokens in time or not at all, renewed once for all threads, and told to nobody but Google."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from google.auth.credentials import TokenState
from google.auth.exceptions import RefreshError, TransportError

from diga_verify.errors import ReadError
from diga_verify.gateway.door import Door, Exchange, exchanging, put_in_front
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.identity import Anonymous, Caller, caller
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.token_servers import ANSWER_LIMIT, TokenServers
from diga_verify.model import Reason

SECRET = "ya29.hush-hush-hush"


class Tokens:
    """Credentials as google-auth makes them, as far as they are used. `work` is what a refresh does."""

    def __init__(self, state: TokenState, work: Callable[[], None] = lambda: None) -> None:
        self.token: Any = None if state is TokenState.INVALID else "old"
        self.token_state = state
        self.after = TokenState.FRESH
        self.next: Any = "new"
        self.refreshed = 0
        self._work = work

    def refresh(self, request: object) -> None:
        self.refreshed += 1
        self._work()
        self.token, self.token_state = self.next, self.after

    def apply(self, headers: dict[str, str]) -> None:
        headers["authorization"] = f"Bearer {self.token}"


class _Handler(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        self.server.seen.append(self)
        self.server.came.release()
        self.server.script(self)

    do_POST = do_GET  # noqa: N815 - the name that http.server looks up

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}/"
        self.seen: list[_Handler] = []
        self.came = threading.Semaphore(0)
        self.closing = threading.Event()
        self.script: Callable[[_Handler], object] = lambda _: self.closing.wait()

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients hang up."""


@pytest.fixture
def server() -> Iterator[_Server]:
    """A server on loopback that is silent, unless its `script` says otherwise."""
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def answering(data: bytes, status: int = 200, **headers: str) -> Callable[[_Handler], None]:
    def script(handler: _Handler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return script


def asked(servers: TokenServers, url: str, **options: Any) -> Any:
    with servers.session:
        return servers(url, **options)


def test_a_fresh_token_costs_neither_a_thread_nor_a_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    def untouched(*_: object, **__: object) -> None:
        raise AssertionError("a thread was started")

    monkeypatch.setattr(threading.Thread, "start", untouched)
    monkeypatch.setattr("diga_verify.gateway.identity.threading", SimpleNamespace(Lock=lambda: None))
    tokens = Tokens(TokenState.FRESH)
    headers: dict[str, str] = {}
    Caller(tokens, "authorized_user").sign(headers)
    assert (headers, tokens.refreshed) == ({"authorization": "Bearer old"}, 0)


@pytest.mark.parametrize("state", [TokenState.STALE, TokenState.INVALID])
def test_any_other_token_is_renewed_before_it_signs(state: TokenState) -> None:
    tokens = Tokens(state)
    headers: dict[str, str] = {}
    Caller(tokens, "authorized_user").sign(headers)
    assert (headers, tokens.refreshed) == ({"authorization": "Bearer new"}, 1)


def test_a_token_with_a_short_life_is_good_while_it_lives() -> None:
    tokens = Tokens(TokenState.INVALID)
    tokens.after = TokenState.STALE
    headers: dict[str, str] = {}
    Caller(tokens, "external_account").sign(headers)
    assert headers == {"authorization": "Bearer new"}


@pytest.mark.parametrize("token", [None, "", 5, b"bytes", "two words", "x\r\nX-Injected: 1", "x\n", "ünicode"])
def test_what_is_no_token_signs_nothing(token: object) -> None:
    tokens = Tokens(TokenState.INVALID)
    tokens.next = token
    headers: dict[str, str] = {}
    with pytest.raises(ReadError) as caught:
        Caller(tokens, "authorized_user").sign(headers)
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert headers == {}


def test_a_token_that_is_dead_on_arrival_signs_nothing() -> None:
    tokens = Tokens(TokenState.INVALID)
    tokens.after = TokenState.INVALID
    with pytest.raises(ReadError, match="no token that can be used"):
        Caller(tokens, "authorized_user").sign({})


def test_threads_share_one_renewal() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slowly() -> None:
        begun.set()
        assert go_on.wait(60)

    tokens = Tokens(TokenState.INVALID, slowly)
    identity = Caller(tokens, "authorized_user")
    signed: list[dict[str, str]] = [{} for _ in range(8)]
    threads = [threading.Thread(target=identity.sign, args=(headers,)) for headers in signed]
    for thread in threads:
        thread.start()
    assert begun.wait(60)
    go_on.set()
    for thread in threads:
        thread.join()
    assert tokens.refreshed == 1
    assert signed == [{"authorization": "Bearer new"}] * 8


def test_a_renewal_that_hangs_holds_up_nobody_and_is_shared_too() -> None:
    go_on = threading.Event()
    tokens = Tokens(TokenState.INVALID, lambda: (go_on.wait(60), None)[1])
    identity = Caller(tokens, "authorized_user", seconds=0.5)
    errors: list[ReadError] = []

    def sign() -> None:
        try:
            identity.sign({})
        except ReadError as error:
            errors.append(error)

    threads = [threading.Thread(target=sign) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert [thread.is_alive() for thread in threads] == [False] * 12
    assert [error.detail.count("within 0.5 s") for error in errors] == [1] * 12
    assert tokens.refreshed < 12
    go_on.set()
    identity._seconds = 60.0  # what is not hung may take its time on a busy machine
    headers: dict[str, str] = {}
    identity.sign(headers)
    assert headers == {"authorization": "Bearer new"}


def test_a_renewal_that_fails_fails_for_all_who_waited_for_it() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def fail() -> None:
        begun.set()
        assert go_on.wait(60)
        raise RefreshError("no")

    tokens = Tokens(TokenState.INVALID, fail)
    identity = Caller(tokens, "authorized_user")
    errors: list[ReadError] = []

    def sign() -> None:
        try:
            identity.sign({})
        except ReadError as error:
            errors.append(error)

    first, *others = threads = [threading.Thread(target=sign) for _ in range(8)]
    first.start()
    assert begun.wait(60)
    waiting = threading.Event()
    lock = identity._lock

    class Watched:
        """Tells when everybody waits."""

        waiters = 0

        def __enter__(self) -> None:
            Watched.waiters += 1
            if Watched.waiters == len(others):
                waiting.set()
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    identity._lock = Watched()  # type: ignore[assignment]
    for thread in others:
        thread.start()
    assert waiting.wait(60)
    go_on.set()
    for thread in threads:
        thread.join()
    assert (tokens.refreshed, len(errors), len(set(map(id, errors)))) == (1, 8, 8)


@pytest.mark.parametrize("error", [RefreshError(SECRET, {"error": SECRET}), TypeError(SECRET), KeyError(SECRET)])
def test_a_renewal_that_fails_tells_no_secret(error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(ReadError) as caught:
        Caller(Tokens(TokenState.INVALID, fail), "service_account").sign({})
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert type(error).__name__ in caught.value.detail
    assert "gcloud iam service-accounts keys create" in caught.value.detail
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_next_call_may_have_better_luck() -> None:
    errors = iter([RefreshError("no"), None])

    def fail_once() -> None:
        if error := next(errors):
            raise error

    identity = Caller(Tokens(TokenState.INVALID, fail_once), "authorized_user")
    with pytest.raises(ReadError):
        identity.sign({})
    headers: dict[str, str] = {}
    identity.sign(headers)
    assert headers == {"authorization": "Bearer new"}


def test_the_principal_is_an_address_or_unknown() -> None:
    tokens: Any = Tokens(TokenState.FRESH)
    identity = Caller(tokens, "authorized_user")
    assert identity.principal is None
    tokens.service_account_email, tokens.account = "default", ""
    assert identity.principal is None
    tokens.account = "anna@example.com"
    assert identity.principal == "anna@example.com"
    tokens.service_account_email = "robot@p.iam.gserviceaccount.com"
    assert identity.principal == "robot@p.iam.gserviceaccount.com"


def test_nobody_signs_nothing() -> None:
    headers = {"Authorization": "Bearer x", "Accept": "*/*"}
    Anonymous().sign(headers)
    assert headers == {"Accept": "*/*"}


@pytest.mark.parametrize(
    "url",
    [
        "http://redis.googleapis.com/v1/x",
        "https://redis.googleapis.com.evil.example/v1/x",
        "https://evil.example/v1/x",
        "http://127.0.0.1:9/redis.googleapis.com/v1/x",
    ],
)
def test_a_request_to_a_stranger_is_not_even_signed(url: str) -> None:
    tokens = Tokens(TokenState.INVALID)
    patience = Patience(attempts=1)
    session = put_in_front(
        Door(Endpoints(), Caller(tokens, "authorized_user"), patience, 1), requests.Session(), trust_environment=False
    )
    with session, exchanging(Exchange(patience.clock() + 10)), pytest.raises(ReadError):
        session.get(url)
    assert tokens.refreshed == 0


def test_a_pipe_that_nobody_writes_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    with pytest.raises(ReadError) as caught:
        caller(None, None, seconds=0.2)
    assert caught.value.reason is Reason.NO_CREDENTIALS
    assert "could not be read within 0.2 s" in caught.value.detail
    path.write_text("{}")  # lets the thread go that still waits


def test_a_credential_file_that_appears_meanwhile_is_not_used_unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("diga_verify.gateway.credential_file.find", lambda: None)
    monkeypatch.setattr("google.auth.default", lambda **_: (Tokens(TokenState.FRESH), "a-project"))
    monkeypatch.delenv("GOOGLE_CLOUD_UNIVERSE_DOMAIN", raising=False)
    with pytest.raises(ReadError, match="have just changed"):
        caller(None, None)


def test_servers_give_an_answer(server: _Server) -> None:
    server.script = answering(b'{"error": "x"}', 404, **{"X-Said": "so"})
    servers = TokenServers(10)
    answer = asked(servers, server.url, headers={"Metadata-Flavor": "Google"}, timeout=5)
    assert (answer.status, answer.headers["x-said"], answer.data) == (404, "so", b'{"error": "x"}')
    assert (servers.host, servers.google, servers.status, servers.code) == ("127.0.0.1", False, 404, "x")
    assert server.seen[0].headers["Metadata-Flavor"] == "Google"
    assert "error" not in repr(answer)


def test_servers_that_are_silent_end_with_the_time(server: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("diga_verify.gateway.token_servers.time", SimpleNamespace(monotonic=lambda: now[0]))
    servers = TokenServers(0.2)
    with pytest.raises(TransportError, match="ReadTimeout"):
        asked(servers, server.url)
    assert servers.failed is Reason.TIMEOUT
    assert server.came.acquire(timeout=60)
    now[0] = 0.2
    with pytest.raises(TransportError, match="TimeoutError"):
        asked(servers, server.url)
    assert len(server.seen) == 1


def test_servers_that_drip_end_with_the_time(server: _Server) -> None:
    def drip(handler: _Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not server.closing.wait(0.02):
            handler.wfile.write(b"x")

    server.script = drip
    servers = TokenServers(0.2)
    with pytest.raises(TransportError):
        asked(servers, server.url)
    assert servers.failed is Reason.TIMEOUT


def test_servers_without_measure(server: _Server) -> None:
    server.script = answering(b"x" * (ANSWER_LIMIT + 1))
    with pytest.raises(TransportError, match="RequestException"):
        asked(TokenServers(10), server.url)


def test_servers_that_are_not_there() -> None:
    servers = TokenServers(10)
    with pytest.raises(TransportError, match="ConnectionError"):
        asked(servers, "http://127.0.0.1:9/")
    assert servers.failed is Reason.CONNECTION_FAILED


def test_servers_that_point_elsewhere(server: _Server) -> None:
    server.script = answering(b"", 307, Location="http://127.0.0.1:9/")
    assert asked(TokenServers(10), server.url).status == 307


def test_strangers_are_told_nothing(server: _Server) -> None:
    with pytest.raises(ReadError) as caught:
        asked(TokenServers(10), server.url, method="POST", body=b"refresh_token=hush")
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
    assert "127.0.0.1" in caught.value.detail
    assert server.seen == []


def test_netrc_overwrites_no_token(server: _Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login somebody password something\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    server.script = answering(b"{}")
    asked(TokenServers(10), server.url, headers={"authorization": "Bearer x"})
    assert server.seen[0].headers["authorization"] == "Bearer x"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", ""),
        (b"<html>", ""),
        (b"[" * 100_000, ""),
        (b"[]", ""),
        (b"{}", ""),
        (b'{"error": "invalid_grant"}', "invalid_grant"),
        (b'{"error": "invalid_grant", "error_subtype": "invalid_rapt"}', "invalid_rapt"),
        (b'{"error": {"status": "PERMISSION_DENIED"}}', "PERMISSION_DENIED"),
        (b'{"error": {"code": 403}}', ""),
        (b'{"error": 5}', ""),
        (b'{"error": "ya29.hush"}', ""),
        (b'{"error": "with words in it"}', ""),
    ],
)
def test_codes_are_codes_and_never_texts(body: bytes, code: str, server: _Server) -> None:
    server.script = answering(body, 400)
    servers = TokenServers(10)
    asked(servers, server.url)
    assert servers.code == code


def test_a_clock_that_google_auth_reads_decides_what_is_fresh() -> None:
    """With its own class, so that the stand-in above is no invention."""
    from google.oauth2.credentials import Credentials

    soon = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None)
    headers: dict[str, str] = {}
    Caller(Credentials("token", expiry=soon), "authorized_user").sign(headers)
    assert headers == {"authorization": "Bearer token"}
    with pytest.raises(ReadError) as caught:
        Caller(Credentials("token", expiry=soon - timedelta(hours=2)), "authorized_user").sign({})
    assert caught.value.reason is Reason.CREDENTIALS_REJECTED
