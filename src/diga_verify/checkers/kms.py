"""Cloud KMS: key rings and keys in every location that the service offers to the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from diga_verify.checkers.fields import Field, identity, labels, of_name, placements, segment, unheard_of
from diga_verify.checkers.interface import Found
from diga_verify.errors import ReadError
from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method, joined
from diga_verify.model import Item, Json, Placement, Project, Reason, Resource, Role, Unread

KEY_RING = "cloudkms.googleapis.com/KeyRing"
CRYPTO_KEY = "cloudkms.googleapis.com/CryptoKey"

_FIELDS = (Field(Role.PRIMARY, "name", of_name),)
_SERVICE = "cloudkms.googleapis.com"
_PREFIX = "cloudkms.projects.locations"
_LOCATIONS = Method(
    "kms",
    _SERVICE,
    f"{_PREFIX}.list",
    fields="locations/name,nextPageToken",
    items="locations",
    owner="name",
)
_KEY_RINGS = Method(
    "kms",
    _SERVICE,
    f"{_PREFIX}.keyRings.list",
    fields="keyRings/name,nextPageToken,totalSize",
    items="keyRings",
    owner="name",
)
_CRYPTO_KEYS = Method(
    "kms",
    _SERVICE,
    f"{_PREFIX}.keyRings.cryptoKeys.list",
    fields="cryptoKeys(name,labels,versionTemplate/protectionLevel,primary/protectionLevel),nextPageToken,totalSize",
    items="cryptoKeys",
    owner="name",
)
_PAGE = 1000
_LOCATION = re.compile(r"projects/[^/]+/locations/[^/]+")
_RING = re.compile(rf"{_LOCATION.pattern}/keyRings/[^/]+")
_NAMES = {KEY_RING: _RING, CRYPTO_KEY: re.compile(rf"{_RING.pattern}/cryptoKeys/[^/]+")}
_HELD_BY_GOOGLE = ("SOFTWARE", "HSM", "HSM_SINGLE_TENANT")
"""Protection levels whose key material lies where the key's name says."""


class Kms:
    """The service has no wildcard for locations and no sign for a partial answer: each location is asked."""

    type = "kms"
    title = "Cloud KMS"
    permissions = ("cloudkms.locations.list", "cloudkms.keyRings.list", "cloudkms.cryptoKeys.list")
    asset_types = (KEY_RING, CRYPTO_KEY)
    reads = (
        "key rings and keys in all locations of the project",
        "keys whose material is held outside Google",
    )
    limits = ("Import jobs, EKM connections and Autokey handles are not read.",)

    def query(self, gateway: Gateway, project: Project) -> Found:
        parent = f"projects/{project.id}"
        locations = _locations(gateway, parent)
        names = dict.fromkeys(_name(data, _LOCATION) for data in locations.items)
        answers: list[Listed] = []

        def rings_named() -> Iterator[str]:
            for listed in gateway.spread(lambda name: _rings(gateway, name), names):
                answers.append(listed)
                # A ring whose name is none is refused when it is read: there is no asking for its keys.
                ids = (data.get("name") for data in listed.items)
                yield from (name for name in ids if isinstance(name, str) and _RING.fullmatch(name))

        keys = joined(gateway.spread(lambda name: _keys(gateway, name), rings_named()))
        rings = joined(answers)
        items = [Item(KEY_RING, project.id, data) for data in rings.items]
        items += [Item(CRYPTO_KEY, project.id, data) for data in keys.items]
        return Found(tuple(items), locations.unread + rings.unread + keys.unread)

    def read(self, item: Item) -> Resource:
        name = _name(item.data, _NAMES[item.asset_type])
        ring = segment(name, "keyRings")
        full_name = f"//cloudkms.googleapis.com/{name}"
        found = placements(item.data, _FIELDS)
        if item.asset_type == KEY_RING:
            return Resource(self.type, ring, full_name, "key ring", found)
        held_outside = tuple(_held_outside(item))
        is_external = any(place.reason is Reason.EXTERNAL_KEY for place in held_outside)
        return Resource(
            type=self.type,
            name=f"{ring}/{segment(name, 'cryptoKeys')}",
            full_name=full_name,
            kind="external key" if is_external else "key",
            placements=(*found, *held_outside),
            labels=labels(item.data, "labels"),
        )


def _name(data: Json, shape: re.Pattern[str]) -> str:
    """The name of something. Raises ReadError when it is of another shape: nothing could be asked about it."""
    name = identity(data, "name")
    if not shape.fullmatch(name):
        raise ReadError(Reason.MALFORMED_ANSWER, f"{name!r} is not such a name as Cloud KMS gives")
    return name


def _locations(gateway: Gateway, parent: str) -> Listed:
    locations = gateway.clients.collection("cloudkms", "v1", "projects", "locations")
    listed = gateway.list_all(
        _LOCATIONS,
        parent,
        lambda token: locations.list(name=parent, pageSize=_PAGE, pageToken=token).execute(num_retries=0),
    )
    if listed.items or listed.unread:
        return listed
    detail = "the service names no location at all, so that no key ring could be looked for"
    return Listed((), (Unread("kms", f"{parent}/locations", Reason.MALFORMED_ANSWER, detail),))


def _rings(gateway: Gateway, parent: str) -> Listed:
    rings = gateway.clients.collection("cloudkms", "v1", "projects", "locations", "keyRings")
    return gateway.list_all(
        _KEY_RINGS,
        parent,
        lambda token: rings.list(parent=parent, pageSize=_PAGE, pageToken=token).execute(num_retries=0),
    )


def _keys(gateway: Gateway, ring: str) -> Listed:
    keys = gateway.clients.collection("cloudkms", "v1", "projects", "locations", "keyRings", "cryptoKeys")
    return gateway.list_all(
        _CRYPTO_KEYS,
        ring,
        lambda token: keys.list(parent=ring, pageSize=_PAGE, pageToken=token).execute(num_retries=0),
    )


def _held_outside(item: Item) -> Iterator[Placement]:
    """A key's protection level is fixed when it is made (`versionTemplate`, immutable): EXTERNAL and EXTERNAL_VPC
    mean that the material is held by a key manager outside Google, of which no API tells the place."""
    for path, required in (("versionTemplate.protectionLevel", True), ("primary.protectionLevel", False)):
        for place in unheard_of(item.data, Role.PRIMARY, path, _HELD_BY_GOOGLE, required=required):
            outside = place.about.startswith("EXTERNAL")
            yield replace(place, reason=Reason.EXTERNAL_KEY) if outside else place
