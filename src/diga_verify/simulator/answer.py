"""From a request to an answer, without a socket: find the route, check what Google checks, ask the handler."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, parse_qsl, unquote

from diga_verify.simulator.errors import (
    ApiError,
    Json,
    bad_request,
    foreign_project,
    no_such_thing,
    permission_denied,
)
from diga_verify.simulator.faults import FaultDesk, spoil
from diga_verify.simulator.masks import Mask, apply_mask, check_mask, parse_mask
from diga_verify.simulator.paging import page_number, write_token
from diga_verify.simulator.routes import Call, Route, Service
from diga_verify.simulator.scene import Scene
from diga_verify.simulator.schemas import answered, listed
from diga_verify.simulator.services import SERVICES
from diga_verify.simulator.wire import Answer, error_answer, json_bytes
from diga_verify.simulator.world import World

STANDARD_PARAMETERS = frozenset(
    {
        "$.xgafv", "$alt", "$callback", "$fields", "$key", "$prettyPrint", "$quotaUser", "$userProject", "access_token",
        "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "trace", "upload_protocol",
        "uploadType", "userIp", "userProject",
    }
)  # fmt: skip
"""The query parameters that every method takes."""


@dataclass(frozen=True)
class Ask:
    """A request: `path` is what follows the service's host, still percent-encoded; headers are in lower case."""

    method: str
    host: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


class Google:
    """The simulated APIs over one world; `root` is the URL under which the hosts are served."""

    def __init__(self, world: World, root: str) -> None:
        self._world = world
        self._root = root
        self._faults = FaultDesk(world.faults)
        self._jobs: dict[str, Json] = {}

    def answer(self, ask: Ask) -> Answer:
        """The answer to a request, spoilt if a fault says so."""
        service = SERVICES.get(ask.host)
        query = dict(parse_qsl(ask.query, keep_blank_values=True))
        errors_list = service is not None and service.errors_list
        try:
            answer = Answer(200, json_bytes(self._reply(service, ask, query)))
        except ApiError as error:
            answer = error_answer(error, errors_list=errors_list)
        page = _page(ask.path, query)
        fault = self._faults.pick(ask.host, unquote(ask.path), ask.method, page)
        return answer if fault is None else spoil(fault, self._scene(service, ask, query, answer, page))

    def _scene(self, service: Service | None, ask: Ask, query: dict[str, str], answer: Answer, page: int) -> Scene:
        route = _route(service, ask)
        list_key = listed(ask.host, route.method, route.template) if route else None
        address = unquote(ask.path)
        return Scene(
            answer=answer,
            service=ask.host,
            errors_list=service is not None and service.errors_list,
            project_id=self._world.project_id,
            project_number=self._world.project_number,
            root=self._root,
            address=ask.path,
            query=ask.query,
            headers=ask.headers,
            list_key=list_key,
            paged=list_key is not None and route is not None and route.sizes is not None,
            page=page,
            asks_with_token=bool(query.get("pageToken")),
            token=lambda number: write_token(address, 0, number),
        )

    def _reply(self, service: Service | None, ask: Ask, query: dict[str, str]) -> Json:
        if service is None:
            raise no_such_thing(ask.host)
        route, path = _find(service, ask)
        self._admit(service, route, path, query)
        selected = _mask_of(service, route, query, ask.headers)
        queries = parse_qs(ask.query)
        call = Call(
            self._world, route, self._root, unquote(ask.path), path, query, queries, _body(ask, query), self._jobs
        )
        answer: Json = apply_mask(route.handler(call), selected)
        return answer

    def _admit(self, service: Service, route: Route, path: Mapping[str, str], query: Mapping[str, str]) -> None:
        world = self._world
        project = path.get("project", world.project_id)
        if project not in (world.project_id, world.project_number):
            raise foreign_project(project, service.host)
        if not world.grants(route.permission):
            raise permission_denied(str(route.permission), f"projects/{project}")
        for name in query:
            if name not in route.parameters | STANDARD_PARAMETERS:
                raise bad_request(f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter.')
        for name in ("orderBy",) if route.filtered else ("filter", "orderBy"):
            if query.get(name):
                raise ApiError(501, f"the simulator does not implement {name}")


def _find(service: Service, ask: Ask) -> tuple[Route, dict[str, str]]:
    elsewhere = False
    for route in service.routes:
        match = route.pattern.fullmatch(ask.path)
        if match is None:
            continue
        if route.method == ask.method:
            return route, {name: unquote(text) for name, text in match.groupdict().items()}
        elsewhere = True
    if elsewhere:
        raise ApiError(405, f"Request method {ask.method} is not allowed here.")
    raise ApiError(404, f"The requested URL /{ask.path} was not found on this server.")


def _route(service: Service | None, ask: Ask) -> Route | None:
    """The route that the request finds, if any."""
    try:
        return _find(service, ask)[0] if service else None
    except ApiError:
        return None


def _mask_of(service: Service, route: Route, query: Mapping[str, str], headers: Mapping[str, str]) -> Mask:
    text = query.get("fields", query.get("$fields", headers.get("x-goog-fieldmask")))
    if text is None:
        return {}
    mask = parse_mask(text)
    described = answered(service.host, route.method, route.template)
    if described is not None:
        check_mask(mask, *described)
    return mask


def _page(path: str, query: Mapping[str, str]) -> int:
    try:
        return page_number(unquote(path), query)
    except ApiError:
        return 1


def _body(ask: Ask, query: Mapping[str, str]) -> Json:
    if query.get("alt", "json") != "json" or query.get("$alt", "json").partition(";")[0] != "json":
        raise bad_request("the simulator answers in JSON only")
    if not ask.body:
        return {}
    try:
        value = json.loads(ask.body)
    except ValueError as error:
        raise bad_request(f"Invalid JSON payload received. {error}") from error
    if not isinstance(value, dict):
        raise bad_request("Invalid JSON payload received. Root element must be a message.")
    return value
