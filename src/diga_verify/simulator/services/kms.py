"""cloudkms.googleapis.com v1: locations, key rings, keys, their versions, and what those that sign can do. There is no
wildcard for the location."""

from __future__ import annotations

from diga_verify.simulator.errors import ApiError, Json, no_such_thing
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.services.naming import REGIONS, located, location_of, locations, named
from diga_verify.simulator.world import World, of_world

HOST = "cloudkms.googleapis.com"
PAGES = Sizes("pageSize", 100, 1000)
PROJECT = "v1/projects/{project}"
RINGS = f"{PROJECT}/locations/{{location}}/keyRings"
KEYS = f"{RINGS}/{{ring}}/cryptoKeys"
VERSIONS = f"{KEYS}/{{key}}/cryptoKeyVersions"
LOCATIONS = (
    *REGIONS, "asia", "asia1", "eur3", "eur4", "eur5", "eur6", "europe", "global", "in", "nam-eur-asia1", "nam10",
    "nam11", "nam12", "nam3", "nam4", "nam6", "nam7", "nam8", "nam9", "us",
)  # fmt: skip
"""The regions, and the other locations that Cloud KMS answered with when it was recorded (2022)."""


@of_world
def _places(world: World) -> list[str]:
    """The locations that the world names, or all; and those of its key rings, which would be invisible otherwise."""
    known = world.words("kms", "locations") or LOCATIONS
    of_rings = [location_of(ring) for ring in _all_rings(world)]
    return list(dict.fromkeys([*known, *filter(None, of_rings)]))


@of_world
def _all_rings(world: World) -> list[Json]:
    return [located(world, item, "keyRings") for item in world.items("kms", "keyRings")]


@of_world
def _rings(world: World) -> list[Json]:
    """The key rings, without their keys: those have a list of their own."""
    return [{key: value for key, value in ring.items() if key != "cryptoKeys"} for ring in _all_rings(world)]


@of_world
def _keys(world: World) -> list[Json]:
    return [
        _key(f"{ring['name']}/cryptoKeys/{item['name'].rpartition('/')[2]}", item)
        for ring in _all_rings(world)
        for item in ring.get("cryptoKeys", [])
    ]


def _key(name: str, item: Json) -> Json:
    purpose = item.get("purpose", "ENCRYPT_DECRYPT")
    key = {"purpose": purpose, "versionTemplate": _template(item)} | item | {"name": name}
    given = key.pop("cryptoKeyVersions", None) or [{"name": "1"}]
    if purpose == "ENCRYPT_DECRYPT":  # only these have a primary version
        key.setdefault("primary", _version(name, item, given[-1]))
    return key


def _template(key: Json) -> Json:
    """How the key's versions are made, unless they say otherwise."""
    given: Json = key.get("versionTemplate", {})
    return {"protectionLevel": "SOFTWARE", "algorithm": "GOOGLE_SYMMETRIC_ENCRYPTION"} | given


def _version(name: str, key: Json, item: Json) -> Json:
    return {"state": "ENABLED"} | _template(key) | item | {
        "name": f"{name}/cryptoKeyVersions/{item['name'].rpartition('/')[2]}"
    }  # fmt: skip


@of_world
def _versions(world: World) -> list[Json]:
    """The versions that the world gives for each key; if it gives none, the primary one."""
    found = []
    for ring in _all_rings(world):
        for item in ring.get("cryptoKeys", []):
            name = f"{ring['name']}/cryptoKeys/{item['name'].rpartition('/')[2]}"
            primary = item.get("primary", {})
            given = item.get("cryptoKeyVersions") or [{"name": "1"} | primary]
            found += [_version(name, item, version) for version in given]
    return found


Families = dict[tuple[str, ...], list[Json]]
"""Items by what is above them in their names, without the project."""


def _families(items: list[Json]) -> Families:
    found: Families = {}
    for item in items:
        found.setdefault(tuple(item["name"].split("/")[2:-2]), []).append(item)
    return found


_rings_below = of_world(lambda world: _families(_rings(world)))
_keys_below = of_world(lambda world: _families(_keys(world)))
_versions_below = of_world(lambda world: _families(_versions(world)))


def _below(call: Call, families: Families) -> list[Json]:
    """The items directly under the parent that the address names."""
    return families.get(tuple(call.address.split("/")[3:-1]), [])


def _page(call: Call, key: str, items: list[Json]) -> Json:
    return paged(call, key, items, head={"totalSize": len(items)} if items else {})


def _list_locations(call: Call) -> Json:
    return paged(call, "locations", locations(call.world, _places(call.world)))


def _get_location(call: Call) -> Json:
    if call.path["location"] not in _places(call.world):
        raise no_such_thing(call.path["location"])
    return locations(call.world, [call.path["location"]])[0]


def _list_rings(call: Call) -> Json:
    place = call.path["location"]
    if place not in _places(call.world):
        raise ApiError(404, f"The request concerns location '{place}' but was sent to location 'global'.")
    return _page(call, "keyRings", _below(call, _rings_below(call.world)))


def _list_keys(call: Call) -> Json:
    named(_rings(call.world), call.address.rpartition("/")[0])
    return _page(call, "cryptoKeys", _below(call, _keys_below(call.world)))


def _list_versions(call: Call) -> Json:
    named(_keys(call.world), call.address.rpartition("/")[0])
    return _page(call, "cryptoKeyVersions", _below(call, _versions_below(call.world)))


def _public_key(call: Call) -> Json:
    from diga_verify.simulator.services.signing import public_key  # loads a library that nobody else needs

    return public_key(named(_versions(call.world), call.address.removesuffix("/publicKey")))


def _sign(call: Call) -> Json:
    from diga_verify.simulator.services.signing import asymmetric_sign

    return asymmetric_sign(named(_versions(call.world), call.address.removesuffix(":asymmetricSign")), call.body)


SERVICE = Service(
    HOST,
    (
        Route(
            "GET",
            f"{PROJECT}/locations",
            "cloudkms.locations.list",
            _list_locations,
            ("filter", "extraLocationTypes"),
            PAGES,
        ),
        Route("GET", f"{PROJECT}/locations/{{location}}", "cloudkms.locations.get", _get_location),
        Route("GET", RINGS, "cloudkms.keyRings.list", _list_rings, ("filter", "orderBy"), PAGES),
        Route(
            "GET",
            f"{RINGS}/{{ring}}",
            "cloudkms.keyRings.get",
            lambda call: named(_rings(call.world), call.address),
        ),
        Route("GET", KEYS, "cloudkms.cryptoKeys.list", _list_keys, ("filter", "orderBy", "versionView"), PAGES),
        Route(
            "GET",
            f"{KEYS}/{{key}}",
            "cloudkms.cryptoKeys.get",
            lambda call: named(_keys(call.world), call.address),
        ),
        Route(
            "GET",
            VERSIONS,
            "cloudkms.cryptoKeyVersions.list",
            _list_versions,
            ("filter", "orderBy", "view"),
            PAGES,
        ),
        Route(
            "GET",
            f"{VERSIONS}/{{version}}",
            "cloudkms.cryptoKeyVersions.get",
            lambda call: named(_versions(call.world), call.address),
        ),
        Route(
            "GET",
            f"{VERSIONS}/{{version}}/publicKey",
            "cloudkms.cryptoKeyVersions.viewPublicKey",
            _public_key,
            ("publicKeyFormat",),
        ),
        Route("POST", f"{VERSIONS}/{{version}}:asymmetricSign", "cloudkms.cryptoKeyVersions.useToSign", _sign),
    ),
)
