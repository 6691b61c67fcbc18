"""What became of messages, as nouns."""

from __future__ import annotations

from dataclasses import dataclass

STATE = "state"
"""The kind of an outcome that is about the state file, without which nothing escalates."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message."""

    kind: str
    channel: str
    problem: str | None = None
    """Why it was not sent, without secrets; None where it was."""


@dataclass(frozen=True, slots=True)
class NotifyResult:
    """What became of all messages of a run."""

    outcomes: tuple[Outcome, ...] = ()

    @property
    def sent(self) -> tuple[str, ...]:
        """The channels that took their message."""
        return tuple(one.channel for one in self.outcomes if one.problem is None)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Those that did not."""
        return tuple(one for one in self.outcomes if one.problem is not None)
