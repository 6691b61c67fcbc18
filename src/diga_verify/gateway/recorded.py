"""Answers from records: what a run was told, told again. Nothing is asked of anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from diga_verify.errors import ReadError
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.listing import Method
from diga_verify.gateway.records import Record
from diga_verify.model import Call, Json, Reason


class Recorded:
    """The wire to the records of an earlier run, each by its name."""

    seconds_left = 86_400.0
    """Any number does: nobody is waited for."""

    def __init__(self, records: Mapping[str, Record]) -> None:
        self._records = records

    def begin(self, method: Method, scope: str, name: str) -> RecordedTalk:
        """The call of that name, told again."""
        return RecordedTalk(name, self._records.get(name) or _nothing(method, scope, name))


class RecordedTalk:
    """One call that was made earlier."""

    def __init__(self, name: str, record: Record) -> None:
        self.name = name
        self._record = record
        self._left = list(record.pages)
        self._is_query = False

    def ask(self, send: Callable[[], object]) -> Json:
        """The next answer of the record, or the failure that came in its place."""
        if self._left:
            return self._left.pop(0)
        raise self._record.error or ReadError(Reason.MALFORMED_ANSWER, f"the evidence of {self.name} breaks off")

    def query(self, send: Callable[[], Sequence[Json]]) -> Sequence[Json]:
        """The rows of the record."""
        self._is_query = True
        rows = self.ask(send).get("rows")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise ReadError(Reason.MALFORMED_ANSWER, f"the evidence of {self.name} holds no rows")
        return rows

    def hang_up(self) -> None:
        """Raises the failure of the record, and answers that nobody asked for."""
        if self._record.error is not None:
            raise self._record.error
        if self._left:
            raise ReadError(Reason.MALFORMED_ANSWER, f"the evidence of {self.name} goes on behind its end")
        if len(self._record.pages) < len(self._record.requests) and not self._is_query:
            detail = f"the evidence of {self.name} has more questions than answers"
            raise ReadError(Reason.MALFORMED_ANSWER, detail)

    def record(self, pages: Sequence[Json], error: ReadError | None) -> Record:
        """The record itself."""
        return self._record


class _Nobody:
    """Stands where a client library would: every attribute of it and every call gives nobody again."""

    def __getattr__(self, _: str) -> _Nobody:
        return self

    def __call__(self, *_: object, **__: object) -> _Nobody:
        return self


def offline_clients() -> Clients:
    """Client libraries that are not there: what a checker prepares with them is never sent."""
    return cast(Clients, _Nobody())


def _nothing(method: Method, scope: str, name: str) -> Record:
    error = ReadError(Reason.MALFORMED_ANSWER, "the evidence holds no such call")
    return Record(name, Call(method.service, method.name, scope, 0, error.reason.value, "", 0), error=error)
