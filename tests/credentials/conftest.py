"""Google as whoever trusts its certificate sees it: a proxy on loopback that ends TLS for every host of Google's.

Token servers answer here, the APIs are the simulator's, and the real google-auth and the real client libraries ask.
Without a CONNECT before it, a request is taken for one to the metadata server.
"""

from __future__ import annotations

import contextlib
import http.client
import importlib
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from diga_verify.cli.main import run
from diga_verify.gateway.patience import Patience
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import shipped_world

EMAIL = "gate@dtx-data.iam.gserviceaccount.com"
_SETTINGS = ("AWS_", "CLOUDSDK_", "DIGA_VERIFY_", "GCE_", "GCLOUD_", "GOOGLE_", "BIGQUERY_", "STORAGE_", "FIRESTORE_")


@dataclass(frozen=True)
class Answer:
    """An answer; a JSON object if `body` is a dict."""

    status: int = 200
    body: Mapping[str, Any] | str = field(default_factory=dict)
    type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> bytes:
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass(frozen=True)
class Seen:
    """A request that came. `host` is "metadata" for one that came without a tunnel."""

    host: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Secrets:
    """What must never be seen again: distinctive, and of the forms that Google uses."""

    access_token: str = "ya29.canaryAccess-0123456789abcdef"
    impersonated_token: str = "ya29.canaryImpersonated-0123456789abcdef"
    machine_token: str = "ya29.canaryMachine-0123456789abcdef"
    refresh_token: str = "1//canaryRefresh-0123456789abcdef"
    client_secret: str = "GOCSPX-canaryClient0123456789ab"
    api_key: str = "AIzaSyCanaryKey0123456789abcdefghijklmn"
    subject_token: str = "eyJcanarySubject.eyJzdWIiOiJjYW5hcnkifQ.canarySignature"

    def found_in(self, *texts: str) -> list[str]:
        """The secrets that stand in the texts."""
        return [secret for secret in astuple(self) if any(secret in text for text in texts)]


class FakeGoogle:
    """What is asked of Google is in `requests`; `answers` holds, by host, what differs from the ordinary.

    An answer is an `Answer`, made with `Reply`, a function from `Seen` to one, or None for silence.

    `at_tunnel` holds, by host, what happens when the proxy is asked for a tunnel to it: a function that gets the
    handler of the request, and gives the TLS that is spoken inside, or None if there is to be no tunnel.
    """

    Reply = Answer
    email = EMAIL

    def __init__(self, folder: Path, context: ssl.SSLContext, ca: Path, simulator: Simulator) -> None:
        self.secrets = Secrets()
        self.requests: list[Seen] = []
        self.tunnels: list[str] = []
        self.answers: dict[str, Answer | Callable[[Seen], Answer] | None] = {}
        self.at_tunnel: dict[str, Callable[[BaseHTTPRequestHandler], ssl.SSLContext | None]] = {}
        self.context = context
        self.ca = ca
        self.closing = threading.Event()
        self.address = ""
        self._folder = folder
        self._simulator = urlsplit(simulator.url).netloc

    @property
    def hosts(self) -> list[str]:
        """The hosts that were asked, in order, each named once."""
        return list(dict.fromkeys(seen.host for seen in self.requests))

    def file(self, content: Mapping[str, Any] | str, name: str = "credentials.json") -> Path:
        path = self._folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    @property
    def user(self) -> dict[str, Any]:
        """The credentials of a person, as `gcloud auth application-default login` leaves them."""
        return {
            "type": "authorized_user",
            "account": "anna@example.com",
            "client_id": "764086051850-test.apps.googleusercontent.com",
            "client_secret": self.secrets.client_secret,
            "refresh_token": self.secrets.refresh_token,
            "universe_domain": "googleapis.com",
        }

    @property
    def federated(self) -> dict[str, Any]:
        """A workload identity federation that reads its subject token from a file."""
        return {
            "type": "external_account",
            "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/ci",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": "https://sts.googleapis.com/v1/token",
            "credential_source": {"file": str(self.file(self.secrets.subject_token, "subject.txt"))},
        }

    def answer(self, seen: Seen) -> Answer | None:
        answer = self.answers.get(seen.host, self._ordinary)
        return answer(seen) if callable(answer) else answer

    def ordinary(self, seen: Seen) -> Answer:
        """What the real Google would answer."""
        return self._ordinary(seen)

    def _ordinary(self, seen: Seen) -> Answer:
        if seen.host in {"oauth2.googleapis.com", "sts.googleapis.com"}:
            return Answer(body={"access_token": self.secrets.access_token, "expires_in": 3599, "token_type": "Bearer"})
        if seen.host == "iamcredentials.googleapis.com":
            expiry = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
            return Answer(body={"accessToken": self.secrets.impersonated_token, "expireTime": expiry})
        if seen.host == "metadata":
            return self._metadata(seen.path.partition("?")[0])
        return self._simulated(seen)

    def stand_in(self, seen: Seen) -> Answer:
        """As if this were the root of a stand-in, and not the metadata server."""
        host, _, path = seen.path.lstrip("/").partition("/")
        return self._simulated(replace(seen, host=host, path=f"/{path}"))

    def _metadata(self, path: str) -> Answer:
        said: dict[str, Mapping[str, Any] | str] = {
            "": "computeMetadata/",
            "project/project-id": "another-project",
            "universe/universe-domain": "googleapis.com",
            "instance/service-accounts/default/": {"email": EMAIL, "scopes": [], "aliases": ["default"]},
            "instance/service-accounts/default/token": {
                "access_token": self.secrets.machine_token,
                "expires_in": 3599,
                "token_type": "Bearer",
            },
        }
        body = said.get(path.removeprefix("/").removeprefix("computeMetadata/v1/"))
        type = "application/text" if isinstance(body, str) else "application/json"
        return Answer(404 if body is None else 200, body or {}, type, {"Metadata-Flavor": "Google"})

    def _simulated(self, seen: Seen) -> Answer:
        headers = {"Content-Type": seen.headers.get("content-type", "application/json"), "Connection": "close"}
        with contextlib.closing(http.client.HTTPConnection(self._simulator, timeout=60)) as connection:
            connection.request(seen.method, f"/{seen.host}{seen.path}", seen.body.encode() or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read().decode(), answer.headers["Content-Type"])


class _Proxy(ThreadingTCPServer):
    """Keeps its connections and threads in sight, so that none outlives it."""

    daemon_threads = True
    request_queue_size = 128
    google: FakeGoogle

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.open: dict[threading.Thread, socket.socket] = {}

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self.process_request_thread, args=(request, client_address), daemon=True)
        self.open[thread] = request
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up, and some do not trust the certificate."""

    def close(self) -> None:
        self.google.closing.set()
        self.server_close()
        for thread, connection in self.open.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Proxy
    host = "metadata"

    def do_CONNECT(self) -> None:
        google = self.server.google
        google.tunnels.append(self.path)
        self.host = self.path.removesuffix(":443")
        at_tunnel = google.at_tunnel.get(self.host)
        context = google.context if at_tunnel is None else at_tunnel(self)
        if context is None:
            self.close_connection = True
            return
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.server.open[threading.current_thread()] = self.connection
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def serve(self) -> None:
        google = self.server.google
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen(self.host, self.command, self.path, headers, body)
        google.requests.append(seen)
        reply = google.answer(seen)
        if reply is None:
            google.closing.wait()
            self.close_connection = True
            return
        lines = [f"HTTP/1.1 {reply.status} -", f"Content-Type: {reply.type}", f"Content-Length: {len(reply.data)}"]
        lines += [f"{name}: {value}" for name, value in reply.headers.items()]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + reply.data)

    do_GET = do_POST = do_PUT = serve  # noqa: N815 - the names that http.server looks up

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what was asked is in `requests`."""


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """The TLS of a server that is all of Google, and the file of the authority that says so."""
    ca = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("*.googleapis.com", "accounts.google.com").configure_cert(context)
    path = tmp_path_factory.mktemp("tls") / "ca.pem"
    ca.cert_pem.write_to_path(str(path))
    return context, path


@pytest.fixture(scope="session")
def private_key() -> str:
    """The PEM of a private key, which is a secret of its own."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@pytest.fixture(scope="session")
def apis() -> Iterator[Simulator]:
    with Simulator(shipped_world("compliant")) as simulator:
        yield simulator


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the default policy on a machine without credentials, settings and metadata server."""
    for name in os.environ:
        if name.startswith(_SETTINGS) or name.lower().endswith("_proxy") or name.endswith("_CA_BUNDLE"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "GITHUB_ACTIONS", "NO_GCE_CHECK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "1000")  # paths of any length stay in one piece
    monkeypatch.setattr("google.auth.compute_engine._metadata._NO_GCE_CHECK", True)
    # google-auth would sleep for seconds between its attempts, and the door between its own.
    monkeypatch.setattr("google.auth._exponential_backoff.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr("diga_verify.cli.gate.Patience", lambda: Patience(attempts=1, token=60.0))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "regions.toml").write_bytes(default_policy())
    return tmp_path


@pytest.fixture
def google(
    folder: Path, authority: tuple[ssl.SSLContext, Path], apis: Simulator, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeGoogle]:
    """Google, for everything that this process asks over https. See `FakeGoogle`."""
    context, ca = authority
    proxy = _Proxy()
    google = proxy.google = FakeGoogle(folder, context, ca, apis)
    google.address = f"127.0.0.1:{proxy.server_address[1]}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://{google.address}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(ca))
    thread = threading.Thread(target=proxy.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield google
    finally:
        proxy.shutdown()
        proxy.close()
        thread.join()


@pytest.fixture
def user(google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    """Google, and the credentials of a person in GOOGLE_APPLICATION_CREDENTIALS."""
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(google.file(google.user)))
    return google


@pytest.fixture
def metadata(google: FakeGoogle, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGoogle:
    """Google, and a metadata server in front of a machine without a credential file."""
    module = "google.auth.compute_engine._metadata"
    monkeypatch.setattr(f"{module}._NO_GCE_CHECK", False)
    monkeypatch.setattr(f"{module}._GCE_METADATA_HOST", google.address)
    monkeypatch.setattr(f"{module}._GCE_PRODUCT_NAME_FILE", str(folder / "no-such-file"))
    monkeypatch.setenv("GCE_METADATA_IP", google.address)
    return google


@dataclass(frozen=True)
class Outcome:
    """What a run of the command line left behind."""

    code: int
    report: dict[str, Any]
    out: str
    err: str

    @property
    def reasons(self) -> set[str]:
        return {one["reason"] for one in self.report["unread"]}

    @property
    def detail(self) -> str:
        """The one sentence with which everything is unread."""
        (detail,) = {one["detail"] for one in self.report["unread"]}
        return str(detail)


@pytest.fixture
def gate(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """The command line on the project dtx-data; its report is read from a file."""

    def gate(*options: str) -> Outcome:
        code = run(["production", "dtx-data", "-o", "report.json", *options])
        shown = capsys.readouterr()
        return Outcome(code, json.loads((folder / "report.json").read_text()), shown.out, shown.err)

    return gate


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token may take two seconds: enough to ask for it on a busy machine, once everything is imported."""
    for name in ("google.auth.compute_engine", "google.auth.impersonated_credentials", "google.oauth2.credentials"):
        importlib.import_module(name)
    monkeypatch.setattr("diga_verify.cli.gate.Patience", lambda: Patience(attempts=1, token=2.0))


class _Stranger(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), BaseHTTPRequestHandler)
        self.hits = 0

    def verify_request(self, request: Any, client_address: Any) -> bool:
        self.hits += 1
        return False


@pytest.fixture
def stranger() -> Iterator[_Stranger]:
    """A server of somebody else. `hits` counts who comes; `server_address` is where."""
    with _Stranger() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
