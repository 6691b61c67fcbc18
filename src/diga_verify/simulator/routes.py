"""What a service is made of: routes, each with its path, permission, query parameters and handler."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from diga_verify.simulator.errors import Json, bad_request
from diga_verify.simulator.world import World


@dataclass(frozen=True)
class Sizes:
    """How a list is paged: the parameter for the size, the size if none is asked for, and the largest size."""

    parameter: str
    default: int
    maximum: int


@dataclass(frozen=True)
class Call:
    """One request that found its route.

    `path` names what `{}` stood for; `address` is the path as requested; `root` is the URL under which the hosts are
    served; `jobs` are the query jobs of this simulator, by id. `query` has the last value of each parameter, and
    `queries` all of them.
    """

    world: World
    route: Route
    root: str
    address: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    queries: Mapping[str, list[str]]
    body: Json
    jobs: dict[str, Json]

    def flag(self, name: str) -> bool:
        """A boolean query parameter, false if absent."""
        text = self.query.get(name, "false").lower()
        if text not in {"true", "false"}:
            raise bad_request(f"Invalid value at '{name}' (TYPE_BOOL), {text!r}")
        return text == "true"

    def every(self, name: str) -> list[str]:
        """A query parameter that may be repeated."""
        return self.queries.get(name, [])

    def number(self, name: str) -> int:
        """An integer query parameter, 0 if absent."""
        text = self.query.get(name) or "0"
        if not text.isdecimal():
            raise bad_request(f"Invalid value at '{name}' (TYPE_INT32), {text!r}")
        return int(text)


@dataclass(frozen=True)
class Route:
    """An HTTP method and a path such as `v1/projects/{project}/databases`, relative to the service's host."""

    method: str
    template: str
    permission: str | None
    handler: Callable[[Call], Json]
    query: tuple[str, ...] = ()
    sizes: Sizes | None = None
    filtered: bool = False
    """Whether the handler understands a filter. Elsewhere one is refused."""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches a whole path whose segments are still percent-encoded."""
        parts = re.split(r"\{(\w+)\}", self.template)
        return re.compile(
            "".join(f"(?P<{part}>[^/:]+)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
        )

    @property
    def parameters(self) -> frozenset[str]:
        """The names of the query parameters that the method knows."""
        paging = () if self.sizes is None else (self.sizes.parameter, "pageToken")
        return frozenset((*self.query, *paging))


@dataclass(frozen=True)
class Service:
    """A service under its host; `errors_list` says whether its errors carry the older `errors` list."""

    host: str
    routes: tuple[Route, ...]
    errors_list: bool = False
