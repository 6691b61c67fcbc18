"""Injected faults: which requests they hit, and what each named answer does to them."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from diga_verify.simulator import errors
from diga_verify.simulator.errors import ApiError, Json

JSON_TYPE = "application/json; charset=UTF-8"
HTML_TYPE = "text/html; charset=UTF-8"
REDIRECT_HOST = "redirected.googleapis.com"
_HTML = b"<!DOCTYPE html><html><title>Sign in</title><body><h1>Sign in to continue</h1></body></html>"


class Manner(Enum):
    """How an answer travels."""

    WHOLE = "whole"
    RESET = "reset"
    SILENCE = "silence"
    DRIP = "drip"


@dataclass(frozen=True)
class Answer:
    """What goes over the wire."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    manner: Manner = Manner.WHOLE


@dataclass(frozen=True)
class Fault:
    """One entry of `[[faults]]`; what is None matches every request. `path` is a regular expression, searched for."""

    service: str
    answer: str
    path: str | None = None
    method: str | None = None
    page: int | None = None
    times: int | None = None
    status: int = 503
    retry_delay: int = 1

    def matches(self, host: str, path: str, method: str, page: int) -> bool:
        return (
            self.service == host
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.method is None or self.method == method)
            and (self.page is None or self.page == page)
        )


@dataclass(frozen=True)
class Scene:
    """What a fault may use: the true answer, the request's service, project number and URL, a token that repeats."""

    answer: Answer
    service: str
    errors_list: bool
    project_number: str
    root: str
    address: str
    first_page_token: str

    @property
    def json(self) -> Json:
        value = json.loads(self.answer.body)
        return value if isinstance(value, dict) else {}


class FaultDesk:
    """Hands out the first fault that matches a request, and remembers how often each one was used."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._faults = faults
        self._used: Counter[int] = Counter()
        self._lock = threading.Lock()

    def pick(self, host: str, path: str, method: str, page: int) -> Fault | None:
        with self._lock:
            for at, fault in enumerate(self._faults):
                if fault.times is not None and self._used[at] >= fault.times:
                    continue
                if fault.matches(host, path, method, page):
                    self._used[at] += 1
                    return fault
        return None


def spoil(fault: Fault, scene: Scene) -> Answer:
    """The answer that the fault gives in place of the true one."""
    return ANSWERS[fault.answer](fault, scene)


def error_answer(error: ApiError, *, errors_list: bool) -> Answer:
    """An error as it goes over the wire."""
    body = json_bytes(error.body(with_errors_list=errors_list))
    return Answer(error.code, body, headers=error.headers)


def json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _error(scene: Scene, error: ApiError) -> Answer:
    return error_answer(error, errors_list=scene.errors_list)


def _denied(_: Fault, scene: Scene) -> Answer:
    return _error(scene, ApiError(403, "The caller does not have permission"))


def _server_error(fault: Fault, scene: Scene) -> Answer:
    if fault.status == 502:  # a proxy in between speaks HTML
        return Answer(502, b"<html><title>502 Bad Gateway</title></html>", HTML_TYPE)
    return _error(scene, errors.server_error(fault.status))


def _body(body: bytes, content_type: str = JSON_TYPE) -> Callable[[Fault, Scene], Answer]:
    return lambda _fault, _scene: Answer(200, body, content_type)


def _manner(manner: Manner) -> Callable[[Fault, Scene], Answer]:
    return lambda _fault, scene: replace(scene.answer, manner=manner)


def _truncated(_: Fault, scene: Scene) -> Answer:
    return replace(scene.answer, body=scene.answer.body[: len(scene.answer.body) // 2])


def _duplicate_keys(_: Fault, scene: Scene) -> Answer:
    """The same key twice; a reader that lets the last one win sees an empty list."""
    value = scene.json
    key = next((key for key, item in value.items() if isinstance(item, list)), next(iter(value), "items"))
    first = json.dumps(value.get(key, []))
    rest = "".join(f", {json.dumps(name)}: {json.dumps(item)}" for name, item in value.items() if name != key)
    return replace(scene.answer, body=f'{{"{key}": {first}{rest}, "{key}": []}}'.encode())


def _no_kind(_: Fault, scene: Scene) -> Answer:
    value = {key: item for key, item in scene.json.items() if key != "kind"}
    return replace(scene.answer, body=json_bytes(value))


def _error_in_200(_: Fault, scene: Scene) -> Answer:
    return replace(_error(scene, errors.server_error(503)), status=200)


def _redirect(_: Fault, scene: Scene) -> Answer:
    target = f"{scene.root}/{REDIRECT_HOST}/{scene.address}"
    return Answer(302, b"", HTML_TYPE, headers={"Location": target})


def _repeat_token(_: Fault, scene: Scene) -> Answer:
    return replace(scene.answer, body=json_bytes(scene.json | {"nextPageToken": scene.first_page_token}))


ANSWERS: dict[str, Callable[[Fault, Scene], Answer]] = {
    "api_disabled": lambda _, scene: _error(scene, errors.api_disabled(scene.service, scene.project_number)),
    "permission_denied": _denied,
    "billing_disabled": lambda _, scene: _error(scene, errors.billing_disabled(scene.service, scene.project_number)),
    "vpc_sc": lambda _, scene: _error(scene, errors.vpc_sc(scene.service, scene.project_number)),
    "rate_limited": lambda fault, scene: _error(
        scene, errors.rate_limited(scene.service, scene.project_number, fault.retry_delay)
    ),
    "quota_403": lambda _, scene: _error(scene, errors.quota_403()),
    "server_error": _server_error,
    "not_found": lambda _, scene: _error(scene, errors.no_such_thing(scene.address)),
    "unauthenticated": lambda _, scene: _error(scene, errors.unauthenticated()),
    "html": _body(_HTML, HTML_TYPE),
    "empty": _body(b""),
    "null": _body(b"null"),
    "array": _body(b"[]"),
    "truncated": _truncated,
    "duplicate_keys": _duplicate_keys,
    "wrong_kind": _body(b'{"kind": "compute#instanceList", "items": []}'),
    "error_in_200": _error_in_200,
    "no_kind": _no_kind,
    "reset": _manner(Manner.RESET),
    "silence": _manner(Manner.SILENCE),
    "drip": _manner(Manner.DRIP),
    "redirect": _redirect,
    "repeat_token": _repeat_token,
}
"""What a fault's `answer` may be."""
