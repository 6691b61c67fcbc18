"""Reading a policy file: every problem at once, or a policy that has none."""

from __future__ import annotations

import hashlib
import os
import re
import select
import stat
import time
import tomllib
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from diga_verify.errors import PolicyError, Problem
from diga_verify.model import TYPES
from diga_verify.policy.checks import meaning_findings
from diga_verify.policy.models import PolicyFile
from diga_verify.policy.notify_checks import notify_findings
from diga_verify.policy.positions import Positions
from diga_verify.policy.resolve import Resolver
from diga_verify.policy.rules import Policy
from diga_verify.policy.shape import Finding, shape_findings
from diga_verify.policy.tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date
    from pathlib import Path

MAX_BYTES = 256 * 1024
"""A policy of this size has thousands of waivers."""
MAX_DEPTH = 16
"""Brackets within brackets. A policy needs three."""
MAX_KEY_PARTS = 16
"""Parts of a dotted key. A policy needs five; `tomllib` takes quadratic time over them."""
MAX_WORD = 200
"""Characters of a key or number without quotes."""
PIPE_SECONDS = 30
"""How long a pipe may take to deliver a policy."""
MAX_PROBLEMS = 500
"""What more there is, nobody reads."""

_ENDS_A_KEY = frozenset("\n,={}[]")
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def load_policy(path: Path, *, today: date, known_types: Sequence[str] = TYPES) -> Policy:
    """Read a policy file as of a day.

    `known_types` are those that there are checkers for. Raises `PolicyError` with every problem, by line.
    """
    return parse_policy(_read(path), path=str(path), today=today, known_types=known_types)


def parse_policy(data: bytes, *, path: str, today: date, known_types: Sequence[str] = TYPES) -> Policy:
    """The policy in the bytes of a file, which problems and reports call `path`. Raises as `load_policy`."""
    text = _text(data, path)
    tree = _tree(text, path)
    positions = Positions(text)
    file, shape = _validated(tree)
    meaning = chain(meaning_findings(tree, today, known_types), notify_findings(tree))
    findings = list(islice(chain(shape, meaning), MAX_PROBLEMS + 1))
    if findings or file is None:
        raise _error(findings, positions, path)
    resolver = Resolver(file, positions, known_types)
    return Policy(
        path=path,
        sha256=hashlib.sha256(data).hexdigest(),
        types=tuple(known_types),
        sets=resolver.sets,
        rules={name: resolver.rules(name) for name in file.environments},
        data=data,
        notify=file.notify,
    )


def _read(path: Path) -> bytes:
    try:
        data = _bytes(path)
    except FileNotFoundError:
        raise _one_problem(
            path, "there is no such file; 'diga-verify policy init' writes one, and -p FILE names another"
        ) from None
    except IsADirectoryError:
        raise _one_problem(path, "this is a directory; -p FILE wants the policy file itself") from None
    except TimeoutError:
        raise _one_problem(path, f"this is a pipe into which nothing came within {PIPE_SECONDS} s") from None
    except (OSError, ValueError) as error:  # a path with a NUL in it is a ValueError
        reason = error.strerror if isinstance(error, OSError) else None
        raise _one_problem(path, f"the file cannot be read: {reason or error}") from None
    if len(data) > MAX_BYTES:
        raise _one_problem(path, f"the file is larger than {MAX_BYTES // 1024} KiB; that is no policy")
    return data


def _bytes(path: Path) -> bytes:
    """The beginning of a file, as far as `MAX_BYTES` and one more. A shell's `<(command)` is a pipe, which may be slow,
    and to a named pipe perhaps nobody ever writes: opening it and reading it must not wait for ever."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb", buffering=0) as file:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise IsADirectoryError
        until = time.monotonic() + PIPE_SECONDS
        data = b""
        while len(data) <= MAX_BYTES:
            _await(handle, until)
            new = file.read(MAX_BYTES + 1 - len(data))
            if new == b"":
                break
            data += new or b""
        return data


def _await(handle: int, until: float) -> None:
    """Wait until there is something to read, or an end. Raises TimeoutError."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    left = until - time.monotonic()
    if left <= 0 or not poll.poll(left * 1000):
        raise TimeoutError


def _text(data: bytes, path: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _one_problem(path, "the file is not UTF-8, as TOML must be", line) from None
    return text.replace("\r\n", "\n")


def _tree(text: str, path: str) -> dict[str, Any]:
    _refuse_absurd(text, path)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        place = _PLACE.search(message)
        line = int(place["line"] or text.rstrip().count("\n") + 1) if place else None
        raise _one_problem(path, f"not valid TOML: {_PLACE.sub('', message)}", line) from None


def _refuse_absurd(text: str, path: str) -> None:
    """Refuse what would take the parser long, or too deep, before it sees it."""
    depth = dots = 0
    for token in tokens(text):
        depth += (token.text in ("[", "{")) - (token.text in ("]", "}"))
        dots = dots + 1 if token.text == "." else 0 if token.text in _ENDS_A_KEY else dots
        if depth > MAX_DEPTH:
            raise _one_problem(path, f"more than {MAX_DEPTH} brackets within each other", token.line)
        if dots >= MAX_KEY_PARTS:
            raise _one_problem(path, f"a key of more than {MAX_KEY_PARTS} parts", token.line)
        if len(token.text) > MAX_WORD and not token.is_string:
            raise _one_problem(path, f"a key or number of more than {MAX_WORD} characters", token.line)


def _validated(tree: dict[str, Any]) -> tuple[PolicyFile | None, Iterator[Finding]]:
    try:
        return PolicyFile.model_validate(tree), iter(())
    except ValidationError as error:
        return None, shape_findings(error)


def _error(findings: list[Finding], positions: Positions, path: str) -> PolicyError:
    problems = [Problem(path, positions.line(at), message) for at, message in findings[:MAX_PROBLEMS]]
    problems.sort(key=lambda problem: problem.line or 0)
    if len(findings) > MAX_PROBLEMS:
        problems.append(Problem(path, None, f"there are more; these are the first {MAX_PROBLEMS}"))
    return PolicyError(problems)


def _one_problem(path: Path | str, message: str, line: int | None = None) -> PolicyError:
    return PolicyError([Problem(str(path), line, message)])
