"""The second witness: Cloud Asset Inventory keeps lists of its own. What it knows of and the direct lists do not show
is unread; what it does not know of proves nothing, for it lags behind by minutes.

https://cloud.google.com/asset-inventory/docs/listing-assets has the permission, .../docs/asset-names the names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method
from diga_verify.gateway.resource_manager import granted
from diga_verify.model import Asset, Project, Reason, Resource, Unread, Witness
from diga_verify.policy.rules import Rules

NAME = "Cloud Asset Inventory"
INVENTORY = "inventory"
"""What reports name as the type of what the witness could not say."""
_NOT_FOR_THE_CALLER = frozenset(
    {
        Reason.PERMISSION_DENIED,
        Reason.API_DISABLED,
        Reason.BILLING_DISABLED,
        Reason.SERVICE_PERIMETER,
        Reason.NOT_FOUND,
        Reason.INVALID_REQUEST,
    }
)
"""Refusals, which mean that the caller has no second witness. Anything else is a witness that breaks off."""
_SERVICE = "cloudasset.googleapis.com"
_LIST = Method(
    INVENTORY, _SERVICE, "cloudasset.assets.list", fields="assets(name,assetType),nextPageToken", items="assets"
)
_SEARCH = Method(
    INVENTORY,
    _SERVICE,
    "cloudasset.searchAllResources",
    fields="results(name,assetType),nextPageToken",
    items="results",
)
_OF_PROJECT = re.compile(r"^(//[^/]+/projects/)([^/]+)(?=/)")
_ZONE_OF_CLUSTER = re.compile(r"^(//container\.googleapis\.com/projects/[^/]+/)zones/")


def hear(
    gateway: Gateway, project: Project, asset_types: Mapping[str, str], *, required: bool
) -> tuple[Witness, tuple[Unread, ...]]:
    """What the witness lists of some asset types (each given with the type that it belongs to), and where it broke
    off; where it is required, its silence is unread too. Never raises."""
    right = granted(gateway, INVENTORY, project, PERMISSIONS)
    ways = [_WAYS[permission] for permission in right.permissions]
    if ways:
        lists = gateway.spread(lambda asset_type: _heard_of(gateway, project, asset_type, ways), asset_types)
    else:
        lacking = f"the caller lacks {' and '.join(PERMISSIONS)}"
        denied = Unread(INVENTORY, NAME, Reason.PERMISSION_DENIED, lacking)
        lists = (Listed((), right.unread or (denied,)),) * len(asset_types)
    answers = {name: _understood(name, listed) for name, listed in zip(asset_types, lists, strict=True)}
    broken = {name: listed.unread[0] for name, listed in answers.items() if listed.unread}
    silent = {name: one.reason for name, one in broken.items() if _is_refused(answers[name])}
    witness = Witness(
        heard=tuple(name for name in answers if name not in broken),
        silent=tuple(silent.items()),
        assets=tuple(_assets(answers, asset_types)),
    )
    unread = (one for name, one in broken.items() if required or name not in silent)
    return witness, tuple(dict.fromkeys(unread))


def unseen(
    witness: Witness, resources: Iterable[Resource], unread: Iterable[Unread], project: Project, rules: Rules
) -> Iterator[Unread]:
    """What the witness knows of and no list holds, for types whose lists are whole, or empty by the policy."""
    seen = {_comparable(one.full_name, project) for one in resources}
    incomplete = {one.type for one in unread if one.resource is None and not rules.settles(one)}
    for asset in witness.assets:
        if asset.type not in incomplete and _comparable(asset.full_name, project) not in seen:
            detail = f"{NAME} knows of {asset.full_name}, and no list of its own API holds it"
            yield Unread(asset.type, asset.full_name, Reason.NOT_LISTED, detail)


def _heard_of(gateway: Gateway, project: Project, asset_type: str, ways: Sequence[Way]) -> Listed:
    """The list that the first way brings by which the witness speaks at all."""
    listed = Listed(())
    for way in ways:
        listed = way(gateway, project, asset_type)
        if not _is_refused(listed):
            break
    return listed


def _is_refused(listed: Listed) -> bool:
    reasons = {one.reason for one in listed.unread}
    return not listed.items and bool(reasons) and reasons <= _NOT_FOR_THE_CALLER


def _list(gateway: Gateway, project: Project, asset_type: str) -> Listed:
    assets = gateway.clients.collection("cloudasset", "v1", "assets")
    parent = f"projects/{project.id}"
    return gateway.list_all(
        _LIST,
        f"{parent} {asset_type}",
        lambda token: assets.list(parent=parent, assetTypes=[asset_type], pageSize=1000, pageToken=token).execute(
            num_retries=0
        ),
    )


def _search(gateway: Gateway, project: Project, asset_type: str) -> Listed:
    resources = gateway.clients.collection("cloudasset", "v1", "v1")
    scope = f"projects/{project.id}"
    return gateway.list_all(
        _SEARCH,
        f"{scope} {asset_type}",
        lambda token: resources.searchAllResources(
            scope=scope, assetTypes=[asset_type], pageSize=500, pageToken=token
        ).execute(num_retries=0),
    )


Way = Callable[[Gateway, Project, str], Listed]
_WAYS: Mapping[str, Way] = {
    "cloudasset.assets.listResource": _list,
    "cloudasset.assets.searchAllResources": _search,
}
PERMISSIONS = tuple(_WAYS)
"""Either of them gives the caller a second witness."""


def _understood(asset_type: str, listed: Listed) -> Listed:
    """The assets that have a name and a type; any other is one that nobody can look for."""
    known = [
        item
        for item in listed.items
        if isinstance(item.get("name"), str) and isinstance(item.get("assetType", asset_type), str)
    ]
    if len(known) == len(listed.items):
        return listed
    detail = f"{NAME} names an asset of type {asset_type} in a way that cannot be understood"
    strange = Unread(INVENTORY, f"{NAME} {asset_type}", Reason.MALFORMED_ANSWER, detail)
    return Listed(tuple(known), (*listed.unread, strange))


def _assets(answers: Mapping[str, Listed], asset_types: Mapping[str, str]) -> Iterator[Asset]:
    for asset_type, listed in answers.items():
        for item in listed.items:
            told = item.get("assetType", asset_type)
            if told in asset_types:
                yield Asset(asset_types[told], item["name"])


def _comparable(full_name: str, project: Project) -> str:
    """The inventory may write a project as its number, and the location of a zonal cluster as a zone."""
    name = _ZONE_OF_CLUSTER.sub(r"\1locations/", full_name)
    return _OF_PROJECT.sub(lambda found: found[1] + (project.id if project.is_named(found[2]) else found[2]), name)
