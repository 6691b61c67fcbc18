"""serviceusage.googleapis.com v1: the services that the project has enabled, and some that it has not."""

from __future__ import annotations

from collections.abc import Iterator

from diga_verify.simulator.errors import Json, bad_request
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.world import HOSTS, World

OFF = ("abusiveexperiencereport.googleapis.com", "zync.googleapis.com")
"""Services that no world has enabled, unless it says so: the first and the last in the alphabet."""
_STATES = ("ENABLED", "DISABLED")


def _enabled(world: World) -> set[str]:
    """What the world says; if it says nothing, all that is served here."""
    return set(world.words("serviceusage", "services") if world.says("serviceusage", "services") else HOSTS.values())


def _services(world: World) -> Iterator[Json]:
    enabled = _enabled(world)
    parent = f"projects/{world.project_number}"
    for host in sorted({*enabled, *HOSTS.values(), *OFF}):
        yield {
            "name": f"{parent}/services/{host}",
            "config": {"name": host, "title": f"{host.partition('.')[0]} API"},
            "state": _STATES[host not in enabled],
            "parent": parent,
        }


def _list(call: Call) -> Json:
    if call.path["scope"] != "projects":
        raise bad_request(f"The simulator has no {call.path['scope']}, only a project.")
    wanted = call.query.get("filter", "")
    if wanted not in ("", *(f"state:{state}" for state in _STATES)):
        raise bad_request(f"Invalid filter {wanted!r}: it is state:ENABLED or state:DISABLED.")
    found = [one for one in _services(call.world) if wanted in ("", f"state:{one['state']}")]
    return paged(call, "services", found)


SERVICE = Service(
    HOSTS["serviceusage"],
    (
        Route(
            "GET",
            "v1/{scope}/{project}/services",
            "serviceusage.services.list",
            _list,
            ("filter",),
            Sizes("pageSize", 50, 200),
            filtered=True,
        ),
    ),
)
