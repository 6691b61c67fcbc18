"""What a checker may ask of Google Cloud, and how it gets an answer that can be trusted to be whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

from diga_verify.errors import ReadError
from diga_verify.gateway.clients import Clients
from diga_verify.gateway.door import Door, Exchange, exchanging
from diga_verify.gateway.endpoints import Endpoints
from diga_verify.gateway.patience import Patience
from diga_verify.model import Call, Json, Project, Reason, Unread

PAGE_LIMIT = 1_000
CALLS_IN_FLIGHT = 16
"""At most so many calls are under way at once, over all types of a run."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a Google Cloud API, and what its answer looks like.

    `name` is its id in the discovery document, `fields` the mask that is sent. For a list method, `items` is the
    key that holds the list, and `partial` the key whose entries say what is missing from it.
    """

    type: str
    service: str
    name: str
    fields: str | None = None
    kind: str | None = None
    items: str = ""
    partial: str | None = None
    kind_required: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """All that a list method brought, over all pages, and what it did not bring. `items` may hold a part only."""

    items: tuple[Json, ...]
    unread: tuple[Unread, ...] = ()


def joined(parts: Iterable[Listed]) -> Listed:
    """Several answers as one, in their order."""
    found = list(parts)
    return Listed(
        tuple(item for listed in found for item in listed.items),
        tuple(unread for listed in found for unread in listed.unread),
    )


class Gateway:
    """Calls to Google Cloud for one run. Safe to use from many threads; no method raises for a failing read."""

    def __init__(
        self,
        door: Door,
        endpoints: Endpoints,
        patience: Patience,
        *,
        deep: bool,
        agent: str,
        spread: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]],
    ) -> None:
        self.clients = Clients(door, endpoints, agent)
        self.deep = deep
        """Whether to spend more calls, and permission to run queries, on what list methods do not show."""
        self._patience = patience
        self._spread = spread
        self._run_deadline = patience.clock() + patience.run
        self._calls: list[Call] = []
        self._calls_lock = threading.Lock()
        self._in_flight = threading.BoundedSemaphore(CALLS_IN_FLIGHT)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._run_deadline - self._patience.clock())

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls finished so far, in an order that does not depend on their timing."""
        with self._calls_lock:
            return tuple(sorted(self._calls, key=lambda call: (call.service, call.method, call.scope)))

    def spread(self, read: Callable[[T], Listed], parts: Iterable[T]) -> tuple[Listed, ...]:
        """`read` for every part, concurrently; the answers in the order of the parts."""
        return tuple(self._spread(read, parts))

    def together(self, *asks: Callable[[], Listed]) -> tuple[Listed, ...]:
        """Several independent reads, concurrently; the answers in their order."""
        return self.spread(lambda ask: ask(), asks)

    def get_one(self, method: Method, scope: str, send: Callable[[], object]) -> Listed:
        """The one object that `send` asks for."""
        pages: list[Json] = []
        unread = self._logged(method, scope, pages, lambda: pages.append(self._ask(method, send)))
        return Listed(tuple(pages), unread)

    def list_all(self, method: Method, scope: str, send: Callable[[str | None], object]) -> Listed:
        """All pages of a list; `send` gets the token of the page that it is to ask for, `None` for the first.

        A page that fails ends the list: what came before it is kept, and the rest is unread.
        """
        pages: list[Json] = []
        unread = self._logged(method, scope, pages, lambda: self._turn_pages(method, send, pages))
        listed = _together(method, scope, pages)
        return Listed(listed.items, listed.unread + unread)

    def rows(self, method: Method, scope: str, send: Callable[[], Sequence[Json]]) -> Listed:
        """The rows of a query, which the client library puts together from as many requests as it takes."""
        rows: list[Json] = []
        exchange = self._exchange(method)

        def ask() -> None:
            with self._in_flight, exchanging(exchange):
                rows.extend(self._guarded(send, exchange))

        unread = self._logged(method, scope, exchange.answers, ask)
        return Listed(tuple(rows), unread)

    def missing_permissions(self, type: str, project: Project, permissions: Sequence[str]) -> Listed:
        """Those of `permissions` that the caller does not have in the project, each as an unread thing."""
        method = Method(type, "cloudresourcemanager.googleapis.com", "cloudresourcemanager.projects.testIamPermissions")
        body = {"permissions": list(permissions)}
        resource = f"projects/{project.id}"
        answer = self.get_one(
            method,
            f"{resource} {type}",
            lambda: (
                self.clients.discovery("cloudresourcemanager", "v3")
                .projects()
                .testIamPermissions(resource=resource, body=body)
                .execute(num_retries=0)
            ),
        )
        if answer.unread:
            return answer
        granted = answer.items[0].get("permissions", [])
        if not isinstance(granted, list):
            return Listed((), (Unread(type, resource, Reason.MALFORMED_ANSWER, "permissions is not a list"),))
        return Listed((), tuple(_lacking(type, resource, name) for name in permissions if name not in granted))

    def project(self, project: str) -> tuple[Project, tuple[Unread, ...]]:
        """The project's own record: id, number, state."""
        method = Method(
            "project",
            "cloudresourcemanager.googleapis.com",
            "cloudresourcemanager.projects.get",
            fields="name,projectId,state",
        )
        scope = f"projects/{project}"
        answer = self.get_one(
            method,
            scope,
            lambda: (
                self.clients.discovery("cloudresourcemanager", "v3").projects().get(name=scope).execute(num_retries=0)
            ),
        )
        if answer.unread:
            return Project(project, None, None), answer.unread
        return _project(project, answer.items[0])

    def _turn_pages(self, method: Method, send: Callable[[str | None], object], pages: list[Json]) -> None:
        """Put one page after the other into `pages`, until the last. Raises ReadError."""
        token: str | None = None
        seen: set[str] = set()
        while True:
            page = self._ask(method, partial(send, token))
            _check_page(method, page)
            pages.append(page)
            token = page.get("nextPageToken") or None
            if token is None:
                return
            if token in seen or len(pages) >= PAGE_LIMIT:
                raise ReadError(Reason.ENDLESS_PAGING, f"page {len(pages)} leads back, or there is no end to them")
            seen.add(token)

    def _logged(self, method: Method, scope: str, pages: Sequence[Json], ask: Callable[[], None]) -> tuple[Unread, ...]:
        """Do `ask`, which fills `pages`, and put it into the log; what it left unread."""
        started, start = datetime.now(UTC), self._patience.clock()
        status = "ok"
        unread: tuple[Unread, ...] = ()
        try:
            ask()
        except ReadError as error:
            status = error.reason.value
            unread = (Unread(method.type, f"{method.name} {scope}", error.reason, error.detail),)
        duration = round((self._patience.clock() - start) * 1000)
        stamp = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._calls_lock:
            self._calls.append(Call(method.service, method.name, scope, len(pages), status, stamp, duration))
        return unread

    def _ask(self, method: Method, send: Callable[[], object]) -> Json:
        with self._in_flight, exchanging(self._exchange(method)) as exchange:
            self._guarded(send, exchange)
        if len(exchange.answers) != 1:
            count = len(exchange.answers)
            raise ReadError(Reason.UNEXPECTED_ERROR, f"one request was due, and {count} answers came through the door")
        return exchange.answers[0]

    def _exchange(self, method: Method) -> Exchange:
        return Exchange(self._patience.deadline(self._run_deadline), method.fields, method.kind)

    def _guarded(self, send: Callable[[], R], exchange: Exchange) -> R:
        try:
            return send()
        except ReadError:
            raise
        except Exception as error:
            # The boundary to the client libraries: whatever one of them makes of an answer is a read that failed.
            reason = Reason.MALFORMED_ANSWER if exchange.answers else Reason.UNEXPECTED_ERROR
            raise ReadError(reason, f"the client library could not read the answer ({type(error).__name__})") from error


_ANY_LIST = frozenset({"nextPageToken", "totalSize", "etag"})
"""Keys that a list's answer may hold whichever list it is."""


def _check_page(method: Method, page: Json) -> None:
    own = {method.items, method.partial, *_ANY_LIST, *(["kind"] if method.kind else [])}
    if ("kind" in page and not method.kind) or (page and own.isdisjoint(page)):
        raise ReadError(Reason.MALFORMED_ANSWER, f"the answer is to another question: it holds {', '.join(page)[:80]}")
    items = page.get(method.items, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ReadError(Reason.MALFORMED_ANSWER, f"{method.items!r} is not a list of objects")
    if method.kind_required and "kind" not in page:
        raise ReadError(Reason.MALFORMED_ANSWER, f"the list carries no kind, {method.kind!r} was due")
    if method.partial is not None and not isinstance(page.get(method.partial, []), list):
        raise ReadError(Reason.MALFORMED_ANSWER, f"{method.partial!r} is not a list")
    if not isinstance(page.get("nextPageToken", ""), str):
        raise ReadError(Reason.MALFORMED_ANSWER, "nextPageToken is not a string")


def _together(method: Method, scope: str, pages: Sequence[Json]) -> Listed:
    items = tuple(item for page in pages for item in page.get(method.items, []))
    missing = (entry for page in pages for entry in page.get(method.partial or "", []))
    return Listed(items, tuple(_missing(method, scope, entry) for entry in missing))


def _missing(method: Method, scope: str, entry: object) -> Unread:
    if isinstance(entry, dict):
        place = str(entry.get("region") or entry.get("code") or "unnamed")
        said = f"{entry.get('code', 'a warning without a code')} {place}: {entry.get('message', 'no message')}"
    else:
        place, said = str(entry), f"{entry} did not answer"
    detail = f"the list of {method.items} is incomplete: {said}"
    return Unread(method.type, f"{scope} {place}", Reason.PARTIAL_ANSWER, detail)


def _lacking(type: str, resource: str, permission: str) -> Unread:
    detail = f"the caller lacks {permission}; without it a list may be shorter than the truth"
    return Unread(type, f"{resource} {permission}", Reason.PERMISSION_DENIED, detail)


def _project(asked: str, record: Json) -> tuple[Project, tuple[Unread, ...]]:
    prefix, _, number = str(record.get("name", "")).partition("/")
    project_id, state = record.get("projectId"), record.get("state")
    scope = f"projects/{asked}"
    if prefix != "projects" or not number.isdigit() or not isinstance(project_id, str):
        unread = Unread("project", scope, Reason.MALFORMED_ANSWER, "the project's record has no id or no number")
        return Project(asked, None, None), (unread,)
    project = Project(project_id, number, str(state))
    if asked not in {project_id, number}:
        unread = Unread("project", scope, Reason.FOREIGN_RESOURCE, f"asked for {asked}, got the record of {project_id}")
        return Project(asked, None, None), (unread,)
    if state != "ACTIVE":
        unread = Unread("project", scope, Reason.PROJECT_INACTIVE, f"the project is {state}, not ACTIVE")
        return project, (unread,)
    return project, ()
