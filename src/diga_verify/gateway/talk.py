"""What the gateway needs of whoever answers: Google Cloud itself (`live`), or what it once answered (`recorded`)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from diga_verify.errors import ReadError
from diga_verify.gateway.listing import Method
from diga_verify.gateway.records import Record
from diga_verify.model import Json


class Talk(Protocol):
    """One call under way."""

    @property
    def name(self) -> str:
        """Its name among the records of the run."""

    def ask(self, send: Callable[[], object]) -> Json:
        """The next answer: the one to what `send` asks. Raises ReadError."""

    def query(self, send: Callable[[], Sequence[Json]]) -> Sequence[Json]:
        """All rows of the query that `send` asks. Raises ReadError."""

    def hang_up(self) -> None:
        """Nothing more is asked. Raises the ReadError that would be left unsaid otherwise."""

    def record(self, pages: Sequence[Json], error: ReadError | None) -> Record:
        """What the call came to, once it is over."""


class Wire(Protocol):
    """Where answers come from. Safe to use from many threads."""

    @property
    def seconds_left(self) -> float:
        """Until the run's time is up."""

    def begin(self, method: Method, scope: str, name: str) -> Talk:
        """A call, which is to go by this name."""
