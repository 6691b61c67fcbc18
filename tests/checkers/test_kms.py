"""Keys whose material lies elsewhere than their name says, and rings whose name says nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

import pytest

from diga_verify.checkers.kms import CRYPTO_KEY, Kms
from diga_verify.errors import ReadError
from diga_verify.gateway.listing import Listed, Method
from diga_verify.model import Item, Json, Placement, Project, Reason, Role

if TYPE_CHECKING:
    from diga_verify.gateway.gateway import Gateway

RING = "projects/p/locations/europe-west3/keyRings/r"
HERE = Placement(Role.PRIMARY, "europe-west3", "name", about=f"{RING}/cryptoKeys/k")


def key(**data: Any) -> tuple[str, tuple[Placement, ...]]:
    """Kind and placements."""
    found = Kms().read(Item(CRYPTO_KEY, "p", {"name": f"{RING}/cryptoKeys/k", **data}))
    return found.kind, found.placements


@pytest.mark.parametrize("level", ["SOFTWARE", "HSM", "HSM_SINGLE_TENANT"])
def test_material_that_google_holds_lies_where_the_name_says(level: str) -> None:
    holder = {"protectionLevel": level}
    assert key(versionTemplate=holder, primary=holder) == ("key", (HERE,))
    assert key(versionTemplate=holder) == ("key", (HERE,))


@pytest.mark.parametrize("template", [{}, {"versionTemplate": None}, {"versionTemplate": {"algorithm": "HMAC_SHA256"}}])
def test_a_key_that_does_not_say_who_holds_it_may_lie_anywhere(template: dict[str, Any]) -> None:
    unsaid = Placement(Role.PRIMARY, None, "versionTemplate.protectionLevel", reason=Reason.MISSING_LOCATION)
    assert key(**template, primary={"protectionLevel": "SOFTWARE"}) == ("key", (HERE, unsaid))


@pytest.mark.parametrize("path", ["versionTemplate", "primary"])
@pytest.mark.parametrize(
    ("level", "reason", "kind"),
    [
        ("EXTERNAL", Reason.EXTERNAL_KEY, "external key"),
        ("EXTERNAL_VPC", Reason.EXTERNAL_KEY, "external key"),
        ("PROTECTION_LEVEL_UNSPECIFIED", Reason.MALFORMED_ANSWER, "key"),
        ("FUTURE", Reason.MALFORMED_ANSWER, "key"),
    ],
)
def test_material_that_lies_anywhere(path: str, level: str, reason: Reason, kind: str) -> None:
    anywhere = Placement(Role.PRIMARY, None, f"{path}.protectionLevel", reason=reason, about=level)
    other = {"versionTemplate": {"protectionLevel": "HSM"}, "primary": {"protectionLevel": "HSM"}}
    assert key(**other | {path: {"protectionLevel": level}}) == (kind, (HERE, anywhere))


class Answers:
    """A gateway whose lists are known; `asked` are the parents of the lists of keys."""

    def __init__(self, *rings: Json) -> None:
        self.asked: list[str] = []
        self.clients = cast("Any", self)
        self.lists = {
            "locations": Listed(({"name": "projects/p/locations/europe-west3"},)),
            "keyRings": Listed(rings),
            "cryptoKeys": Listed(()),
        }

    def collection(self, *_: str) -> Any:
        return _Anything()

    def list_all(self, method: Method, scope: str, _: object) -> Listed:
        if method.items == "cryptoKeys":
            self.asked.append(scope)
        return self.lists[method.items]

    def spread(self, read: Callable[[Any], Listed], parts: Iterable[Any]) -> tuple[Listed, ...]:
        return tuple(map(read, parts))


class _Anything:
    def __getattr__(self, _: str) -> Callable[[], _Anything]:
        return lambda: self


def test_keys_are_asked_for_by_the_names_of_rings_that_have_one() -> None:
    odd: tuple[Json, ...] = ({}, {"name": None}, {"name": 7}, {"name": ["r"]}, {"name": ""}, {"name": "keyRings/r"})
    gateway = Answers({"name": RING}, *odd, {"name": f"{RING}-2"})
    found = Kms().query(cast("Gateway", gateway), Project("p", "1", "ACTIVE"))
    assert gateway.asked == [RING, f"{RING}-2"]
    assert [item.data for item in found.items] == [{"name": RING}, *odd, {"name": f"{RING}-2"}]


@pytest.mark.parametrize("name", [f"{RING}/more", "projects/p/locations/europe-west3/keyRings/", "keyRings/r"])
def test_a_ring_whose_name_is_of_another_shape_is_refused_and_not_asked(name: str) -> None:
    gateway = Answers({"name": RING}, {"name": name})
    found = Kms().query(cast("Gateway", gateway), Project("p", "1", "ACTIVE"))
    assert gateway.asked == [RING]
    with pytest.raises(ReadError) as refused:
        Kms().read(found.items[1])
    assert refused.value.reason is Reason.MALFORMED_ANSWER


@pytest.mark.parametrize("name", [f"{RING}/cryptoKeys/k/cryptoKeyVersions/1", f"{RING}/cryptoKeys/", RING])
def test_a_key_whose_name_is_of_another_shape_is_refused(name: str) -> None:
    with pytest.raises(ReadError) as refused:
        Kms().read(Item(CRYPTO_KEY, "p", {"name": name}))
    assert refused.value.reason is Reason.MALFORMED_ANSWER


@pytest.mark.parametrize("name", [RING, "projects/p/locations/", "europe-west3"])
def test_a_location_whose_name_is_of_another_shape_leaves_the_type_unread(name: str) -> None:
    gateway = Answers({"name": RING})
    gateway.lists["locations"] = Listed(({"name": "projects/p/locations/europe-west3"}, {"name": name}))
    with pytest.raises(ReadError) as refused:
        Kms().query(cast("Gateway", gateway), Project("p", "1", "ACTIVE"))
    assert refused.value.reason is Reason.MALFORMED_ANSWER
