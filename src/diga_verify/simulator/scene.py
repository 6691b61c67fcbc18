"""A fault as the world file gives it, and the scene in which it strikes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from diga_verify.simulator.errors import Json
from diga_verify.simulator.wire import Answer


@dataclass(frozen=True)
class Fault:
    """One entry of `[[faults]]`; what is None matches every request. `path` is a regular expression, searched for.

    `status`, `reason` and `retry_delay` (seconds) are for the answers that carry such a thing.
    """

    service: str
    answer: str
    path: str | None = None
    method: str | None = None
    page: int | None = None
    times: int | None = None
    status: int = 503
    retry_delay: int = 1
    reason: str = ""

    def matches(self, host: str, path: str, method: str, page: int) -> bool:
        """Whether the fault is about such a request; `page` counts from 1."""
        return (
            self.service == host
            and (self.path is None or re.search(self.path, path) is not None)
            and (self.method is None or self.method == method)
            and (self.page is None or self.page == page)
        )


@dataclass(frozen=True)
class Scene:
    """What a fault may use: the true answer, the request, and what the simulator knows of both.

    `errors_list` says whether the service's errors carry the older list. `list_key` is where a list method answers its
    items, None for other methods; `paged` says whether the method knows pages, `page` which one is asked for, from 1,
    and `asks_with_token` whether by token. `token` makes a token that leads to the first page, counted as the given
    one. `root` is the URL under which the hosts are served, `address` the path there.
    """

    answer: Answer
    service: str
    errors_list: bool
    project_id: str
    project_number: str
    root: str
    address: str
    query: str
    headers: Mapping[str, str]
    list_key: str | None
    paged: bool
    page: int
    asks_with_token: bool
    token: Callable[[int], str]

    @property
    def json(self) -> Json:
        """The true answer, of which each caller gets its own."""
        value = json.loads(self.answer.body)
        return value if isinstance(value, dict) else {}


Spoiler = Callable[[Fault, Scene], Answer]
"""What makes a fault's answer out of the scene."""
