"""The services that the project has enabled, and those among them that hold data and are not read.

This is for the reader of a report and proves nothing: an answer that does not come changes no verdict.
https://cloud.google.com/service-usage/docs/access-control has the permission.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from diga_verify.gateway.listing import Method
from diga_verify.model import Json, Project, Reason

if TYPE_CHECKING:
    from diga_verify.gateway.gateway import Gateway

NAME = "Service Usage"
SERVICES = "services"
"""What the record of calls, and progress, name as the type of this question."""
PERMISSION = "serviceusage.services.list"
_LIST = Method(
    SERVICES,
    "serviceusage.googleapis.com",
    "serviceusage.services.list",
    fields="services(name,state),nextPageToken",
    items="services",
    owner="name",
)
_ENABLED = "ENABLED"
_SERVICE = re.compile(r"projects/[^/]+/services/([A-Za-z0-9][A-Za-z0-9._:-]{0,252})", re.ASCII)


@dataclass(frozen=True, slots=True)
class DataService:
    """A service that holds data and is not read."""

    service: str
    """Its host: `compute.googleapis.com`."""
    product: str
    holds: str
    """What data it holds, in words."""


@dataclass(frozen=True, slots=True)
class Services:
    """What the project has enabled."""

    names: tuple[str, ...] | None = None
    """The hosts of all enabled services, sorted; None when they are not known."""
    reason: Reason | None = None
    """Why they are not known, if the run asked."""
    not_read: tuple[DataService, ...] = ()
    """Those that hold data and were not read, in the order of the table."""

    @property
    def known(self) -> bool:
        return self.names is not None


NOT_ASKED = Services()
"""That of a run that did not come to ask."""


@dataclass(frozen=True, slots=True)
class Table:
    """Everything that diga-verify's readers use of `services.toml`."""

    date: str
    services: Mapping[str, DataService]


@cache
def table() -> Table:
    """Read the table once. Raises `KeyError` or `TypeError` if the shipped file is not well formed."""
    data = tomllib.loads(files(__package__).joinpath("services.toml").read_text(encoding="utf-8"))
    services = {host: DataService(host, one["product"], one["holds"]) for host, one in data["services"].items()}
    return Table(data["date"].isoformat(), services)


def enabled_services(gateway: Gateway, project: Project, asset_types: Iterable[str] = ()) -> Services:
    """What the project has enabled; `asset_types` are those that the run's checkers read. Never raises."""
    parent = f"projects/{project.id}"
    listed = gateway.list_all(
        _LIST,
        parent,
        lambda token: (
            gateway.clients.discovery("serviceusage", "v1")
            .services()
            .list(parent=parent, filter=f"state:{_ENABLED}", pageSize=200, pageToken=token)
            .execute(num_retries=0)
        ),
    )
    if listed.unread:
        return Services(reason=listed.unread[0].reason)
    return _understood(listed.items, {name.partition("/")[0] for name in asset_types})


def _understood(items: Sequence[Json], read: set[str]) -> Services:
    found = [_SERVICE.fullmatch(name) if isinstance(name := item.get("name"), str) else None for item in items]
    if not all(found) or any(item.get("state") != _ENABLED for item in items):
        return Services(reason=Reason.MALFORMED_ANSWER)
    if not found:
        # Something was read, so something is enabled: as everywhere, an empty list is no proof.
        return Services(reason=Reason.NOTHING_FOUND)
    names = {match[1] for match in found if match is not None}
    not_read = (one for host, one in table().services.items() if host in names and host not in read)
    return Services(tuple(sorted(names)), None, tuple(not_read))
