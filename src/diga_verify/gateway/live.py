"""Calls to Google Cloud: within their time, and whatever a client library makes of an answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from diga_verify.errors import ReadError
from diga_verify.gateway.door import Exchange, exchanging
from diga_verify.gateway.listing import Method, check_rows
from diga_verify.gateway.patience import Patience
from diga_verify.gateway.records import Record
from diga_verify.model import Call, Json, Reason
from diga_verify.moment import stamp

R = TypeVar("R")


class Live:
    """The wire to Google Cloud. Its run begins with it."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._run_deadline = patience.clock() + patience.run
        self._type_deadlines: dict[str, float] = {}
        self._lock = threading.Lock()

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._run_deadline - self.patience.clock())

    def begin(self, method: Method, scope: str, name: str) -> LiveTalk:
        """A call that begins now."""
        return LiveTalk(self, method, scope, name)

    def deadline(self, type: str) -> float:
        """When a request for a type that starts now must be over."""
        return self.patience.deadline(self.latest(type))

    def latest(self, type: str) -> float:
        """When all requests for a type must be over."""
        with self._lock:
            of_type = self._type_deadlines.setdefault(type, self.patience.clock() + self.patience.type)
        return min(self._run_deadline, of_type)


class LiveTalk:
    """One call to Google Cloud."""

    def __init__(self, wire: Live, method: Method, scope: str, name: str) -> None:
        self.name = name
        self._wire = wire
        self._method = method
        self._scope = scope
        self._requests: list[Json] = []
        self._doubt: ReadError | None = None
        self._started = datetime.now(UTC)
        self._start = wire.patience.clock()

    def ask(self, send: Callable[[], object]) -> Json:
        """The answer that comes through the door while `send` asks, whatever `send` makes of it."""
        exchange, _ = self._exchanged(send)
        if len(exchange.answers) != 1:
            count = len(exchange.answers)
            raise ReadError(Reason.UNEXPECTED_ERROR, f"one request was due, and {count} answers came through the door")
        return exchange.answers[0]

    def query(self, send: Callable[[], Sequence[Json]]) -> Sequence[Json]:
        """The rows that the client library puts together from as many answers as it takes."""
        exchange, rows = self._exchanged(send)
        try:
            check_rows(exchange.answers, len(rows))
        except ReadError as error:
            self._doubt = error
        return rows

    def hang_up(self) -> None:
        """Raises what speaks against the rows of a query: they are evidence, and there may be more."""
        if self._doubt is not None:
            raise self._doubt

    def record(self, pages: Sequence[Json], error: ReadError | None) -> Record:
        """The call as it was, and how long it took."""
        duration = round((self._wire.patience.clock() - self._start) * 1000)
        status = "ok" if error is None else error.reason.value
        method = self._method
        call = Call(method.service, method.name, self._scope, len(pages), status, stamp(self._started), duration)
        return Record(self.name, call, tuple(self._requests), tuple(pages), error)

    def _exchanged(self, send: Callable[[], R]) -> tuple[Exchange, R]:
        method = self._method
        deadline, latest = self._wire.deadline(method.type), self._wire.latest(method.type)
        exchange = Exchange(deadline, method.fields, method.kind, method.service, latest)
        try:
            with exchanging(exchange):
                return exchange, _guarded(send, exchange)
        finally:
            self._requests += exchange.requests


def _guarded(send: Callable[[], R], exchange: Exchange) -> R:
    try:
        return send()
    except ReadError:
        raise
    except Exception as error:
        # The boundary to the client libraries: whatever one of them makes of an answer is a read that failed.
        reason = Reason.MALFORMED_ANSWER if exchange.answers else Reason.UNEXPECTED_ERROR
        raise ReadError(reason, f"the client library could not read the answer ({type(error).__name__})") from error
