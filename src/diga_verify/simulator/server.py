"""The simulator's HTTP server on loopback: sockets, threads, and the ways in which an answer may travel."""

from __future__ import annotations

import contextlib
import gzip
import itertools
import os
import socket
import struct
import sys
import threading
import time
from dataclasses import dataclass, field
from http.client import responses
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from diga_verify.simulator.answer import Ask, Google
from diga_verify.simulator.wire import PADDING, Answer, Manner

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from diga_verify.simulator.world import World

DRIP_SECONDS = 0.2
"""The pause between two bytes of an answer that drips."""

_REASONS = {**responses, 499: "Client Closed Request"}
_UNANSWERED = {Manner.RESET, Manner.SILENCE, Manner.HEADER_DRIP}
_BODILESS = {204, 304}
_BLANKS = b" " * (1024 * 1024)


@dataclass(frozen=True)
class Request:
    """A request that was served. `status` is 0 if the caller never saw one: a reset, silence, endless headers.

    `begun` is when it was read, `answered` when its answer was about to be written, in seconds of `time.monotonic`.
    """

    method: str
    host: str
    path: str
    query: str
    status: int
    begun: float = field(default=0.0, compare=False)
    answered: float = field(default=0.0, compare=False)


class Simulator:
    """The simulated APIs of one world on 127.0.0.1: each service's paths under `<url>/<service host>/`.

    A context manager that serves in the background; `serve_forever` serves in the foreground instead. `port` 0 takes
    a free one; `latency` is how many seconds a call takes at least. `requests` are those served so far, in the
    order of answers. Raises OSError if the port is taken.
    """

    def __init__(self, world: World, *, port: int = 0, latency: float = 0.0) -> None:
        self._server = _Server(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.requests: list[Request] = []
        self._server.google = Google(world, self.url)
        self._server.requests = self.requests
        self._server.latency = latency
        self._thread: threading.Thread | None = None

    def serve_forever(self) -> None:
        """Serve until interrupted, then close. Blocks."""
        try:
            self._server.serve_forever()
        finally:
            self._server.close()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.close()
        if self._thread is not None:
            self._thread.join()


class _Server(ThreadingTCPServer):
    """Keeps its connections and threads in sight, so that none outlives it."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    google: Google
    requests: list[Request]
    latency: float

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.closing = threading.Event()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(target=self._work, args=(request, client_address), daemon=True)
        with self._lock:
            self._open[thread] = request
        thread.start()

    def _work(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is no news, and a closed server has nobody to tell; a bug is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def close(self) -> None:
        """End every connection and wait for its thread."""
        self.closing.set()
        self.server_close()
        with self._lock:
            still_open = dict(self._open)
        for thread, connection in still_open.items():
            with contextlib.suppress(OSError):  # it may have ended by itself
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


def _host_and_path(whole: str) -> tuple[str, str]:
    """The service's host and the path there, from a path below the root."""
    host, _, path = whole.lstrip("/").partition("/")
    if host == "$discovery":  # `bq` asks here for BigQuery's description, whatever path its --api has
        return "bigquery.googleapis.com", f"{host}/{path}"
    return host, path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def serve(self) -> None:
        """Answer one request, whatever its method."""
        begun = time.monotonic()
        parts = urlsplit(self.path)
        host, path = _host_and_path(parts.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = self.server.google.answer(Ask(self.command, host, path, parts.query, headers, body))
        if (left := begun + self.server.latency - time.monotonic()) > 0:
            self.server.closing.wait(left)
        status = 0 if answer.manner in _UNANSWERED else answer.status
        self.server.requests.append(
            Request(self.command, host, unquote(path), parts.query, status, begun, time.monotonic())
        )
        self._send(answer, zipped="gzip" in headers.get("accept-encoding", ""))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve  # noqa: N815 - the names that http.server looks up

    def _send(self, answer: Answer, *, zipped: bool) -> None:
        body, length = answer.body, f"Content-Length: {len(answer.body)}"
        # Where the answer has no end, or not the one that was announced, nothing else can follow on the connection.
        self.close_connection = self.close_connection or answer.manner not in {Manner.WHOLE, Manner.DRIP, Manner.PADDED}
        match answer.manner:
            case Manner.WHOLE:
                self._send_whole(answer, zipped=zipped and bool(body) and "Content-Encoding" not in answer.headers)
            case Manner.RESET:
                self._reset()
            case Manner.SILENCE:
                self.server.closing.wait()
            case Manner.DRIP:
                self.wfile.write(self._head(answer, length))
                self._drip(body)
            case Manner.HEADER_DRIP:
                self._drip(itertools.chain(self._head(answer).rstrip(), b"\r\nX-Endless: ", itertools.cycle(b"a")))
            case Manner.HALF:
                self.wfile.write(self._head(answer, length) + body[: len(body) // 2])
                self.server.closing.wait()
            case Manner.SHORT:
                self.wfile.write(self._head(answer, f"Content-Length: {len(body) + 1}") + body)
            case Manner.UNENDED:
                self.wfile.write(self._head(answer, "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n" % (len(body), body))
            case Manner.PADDED:
                self.wfile.write(self._head(answer, f"Content-Length: {PADDING + len(body)}"))
                for blanks in itertools.repeat(_BLANKS, PADDING // len(_BLANKS)):
                    self.wfile.write(blanks)
                self.wfile.write(body)

    def _drip(self, stream: Iterable[int]) -> None:
        """Byte by byte, to the end of the stream or of the simulator."""
        for byte in stream:
            self.wfile.write(bytes([byte]))
            if self.server.closing.wait(DRIP_SECONDS):
                break

    def _send_whole(self, answer: Answer, *, zipped: bool) -> None:
        """In one write; what is zipped comes as one chunk and without a length, as Google sends it."""
        if zipped:
            body = gzip.compress(answer.body, compresslevel=1)
            framing = ("Content-Encoding: gzip", "Transfer-Encoding: chunked")
            self.wfile.write(self._head(answer, *framing) + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        elif answer.status in _BODILESS:
            self.wfile.write(self._head(answer))
        else:
            self.wfile.write(self._head(answer, f"Content-Length: {len(answer.body)}") + answer.body)

    def _head(self, answer: Answer, *framing: str) -> bytes:
        lines = [
            f"HTTP/1.1 {answer.status} {_REASONS.get(answer.status, 'Unknown')}",
            *(() if answer.content_type is None else (f"Content-Type: {answer.content_type}",)),
            *framing,
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _reset(self) -> None:
        """Close without a goodbye, so that the client's system reports a reset."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(self.connection.detach())

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: what was served is in `requests`."""
