"""Errors that diga-verify raises on purpose.

DigaVerifyError
  UsageError         the command line asks for something that cannot be        exit 2
  PolicyError        the policy is invalid; holds every problem found          exit 2
  CheckerError       a third-party checker cannot be loaded                    exit 2
  ReportError        a stored report cannot be read, or contradicts itself        exit 2
  ReadError          a call to Google Cloud did not bring what was asked for   becomes an Unread
  OutputError        a report could not be written                            exit 4
  EvidenceError      an evidence file is not what a run wrote                 exit 3
  AttestationError   an attestation is not genuine                            exit 3
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diga_verify.model import Reason
from diga_verify.redact import redact


class DigaVerifyError(Exception):
    """Base of all errors raised on purpose."""


class UsageError(DigaVerifyError):
    """The command line asks for something that cannot be done. The message says what to type instead."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a policy file."""

    path: str
    line: int | None
    message: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.message}"


class PolicyError(DigaVerifyError):
    """The policy is invalid. Nothing was verified."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


class ReportError(DigaVerifyError):
    """A stored report cannot be read, or contradicts itself. The message says where, what was found and expected, and
    what to do."""

    def __init__(self, path: str, problem: str, remedy: str) -> None:
        super().__init__(f"{path}: {problem}; {remedy}")
        self.path = path
        self.problem = problem


class CheckerError(DigaVerifyError):
    """A third-party checker failed to load, or takes a name that is taken."""


class ReadError(DigaVerifyError):
    """A call did not bring what was asked for.

    `detail` may quote what others wrote: secrets in it are removed here, so that none can be printed later.
    `consumer` is the project, by id or number, that an error of Google says it is about.
    """

    def __init__(self, reason: Reason, detail: str, consumer: str | None = None) -> None:
        self.reason = reason
        self.detail = redact(detail)
        self.consumer = consumer
        super().__init__(f"{reason}: {self.detail}")


class OutputError(DigaVerifyError):
    """A report or a required record could not be written."""


class EvidenceError(DigaVerifyError):
    """An evidence file is not, byte for byte, what a run wrote. It proves nothing."""


class AttestationError(DigaVerifyError):
    """An attestation, or a file that it is about, is not genuine. The message names the place and both sides."""


class Interrupted(BaseException):
    """A signal asks the run to end. Not an Exception, so that no boundary takes it for a failing read."""

    def __init__(self, signal: int) -> None:
        super().__init__(signal)
        self.signal = signal
