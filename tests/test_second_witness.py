"""The second witness may add what nobody else saw; it never takes anything away, and its silence proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import pytest
from tests.gateway.conftest import Spoken

from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method
from diga_verify.model import Asset, Json, Project, Reason, Resource, Unread, Witness
from diga_verify.policy import Policy
from diga_verify.policy.rules import Rules
from diga_verify.second_witness import hear, unseen

PROJECT = Project("dtx-data", "100000000001", "ACTIVE")
BUCKETS, CLUSTERS, RINGS, KEYS = (
    "storage.googleapis.com/Bucket",
    "container.googleapis.com/Cluster",
    "cloudkms.googleapis.com/KeyRing",
    "cloudkms.googleapis.com/CryptoKey",
)
TYPES = {BUCKETS: "gcs", CLUSTERS: "gke", RINGS: "kms", KEYS: "kms"}
LIST, SEARCH = "cloudasset.assets.listResource", "cloudasset.assets.searchAllResources"
GRANTED = Listed(({"permissions": [LIST]},))
MAY_SEARCH = Listed(({"permissions": [SEARCH]},))
MAY_BOTH = Listed(({"permissions": [SEARCH, LIST]},))
REFUSALS = (
    Reason.PERMISSION_DENIED,
    Reason.API_DISABLED,
    Reason.BILLING_DISABLED,
    Reason.SERVICE_PERIMETER,
    Reason.NOT_FOUND,
    Reason.INVALID_REQUEST,
)
FAILURES = (
    Reason.TIMEOUT,
    Reason.SERVER_ERROR,
    Reason.RATE_LIMITED,
    Reason.QUOTA_EXCEEDED,
    Reason.MALFORMED_ANSWER,
    Reason.ENDLESS_PAGING,
    Reason.CREDENTIALS_REJECTED,
    Reason.CONNECTION_FAILED,
    Reason.FOREIGN_RESOURCE,
    Reason.UNEXPECTED_ERROR,
)


def failed(reason: Reason, scope: str = "list") -> Unread:
    return Unread("inventory", scope, reason, "it did not work")


class Inventory:
    """A gateway to a Cloud Asset Inventory with one answer for each asset type, and another one to searches."""

    def __init__(self, right: Listed, lists: Mapping[str, Listed], found: Mapping[str, Listed] | None = None) -> None:
        self.right = right
        self.answers = {"cloudasset.assets.list": lists, "cloudasset.searchAllResources": found or {}}
        self.said: list[str] = []
        self.clients = Spoken(self.said)
        self.asked: list[tuple[Method, str]] = []

    def get_one(self, *_: Any) -> Listed:
        return self.right

    def list_all(self, method: Method, scope: str, send: Any) -> Listed:
        self.asked.append((method, scope))
        send("token")
        return self.answers[method.name].get(scope.rpartition(" ")[2], Listed(()))

    def spread(self, read: Callable[[str], Listed], parts: Iterable[str]) -> tuple[Listed, ...]:
        return tuple(map(read, parts))


def heard(
    lists: Mapping[str, Listed],
    *,
    right: Listed = GRANTED,
    required: bool = False,
    found: Mapping[str, Listed] | None = None,
) -> tuple[Witness, tuple[Unread, ...]]:
    return hear(cast("Gateway", Inventory(right, lists, found)), PROJECT, TYPES, required=required)


def asset(name: str, asset_type: str | None = None) -> Json:
    return {"name": name} if asset_type is None else {"name": name, "assetType": asset_type}


def test_it_is_asked_for_each_asset_type_by_itself() -> None:
    inventory = Inventory(GRANTED, {})
    hear(cast("Gateway", inventory), PROJECT, TYPES, required=False)
    assert [scope for _, scope in inventory.asked] == [f"projects/dtx-data {name}" for name in TYPES]
    (method,) = {method for method, _ in inventory.asked}
    assert (method.type, method.service, method.name) == (
        "inventory",
        "cloudasset.googleapis.com",
        "cloudasset.assets.list",
    )
    assert (method.items, method.fields) == ("assets", "assets(name,assetType),nextPageToken")
    of_buckets = f"assetTypes=['{BUCKETS}'], pageSize=1000, pageToken='token', parent='projects/dtx-data'"
    assert f"collection('cloudasset', 'v1', 'assets').list({of_buckets}).execute(num_retries=0)" in inventory.said


def test_who_may_only_search_is_answered_too() -> None:
    inventory = Inventory(MAY_SEARCH, {}, {BUCKETS: Listed((asset("//b/1"),))})
    witness, unread = hear(cast("Gateway", inventory), PROJECT, TYPES, required=True)
    assert [scope for _, scope in inventory.asked] == [f"projects/dtx-data {name}" for name in TYPES]
    (method,) = {method for method, _ in inventory.asked}
    assert (method.type, method.service, method.name) == (
        "inventory",
        "cloudasset.googleapis.com",
        "cloudasset.searchAllResources",
    )
    assert (method.items, method.fields) == ("results", "results(name,assetType),nextPageToken")
    of_buckets = f"assetTypes=['{BUCKETS}'], pageSize=500, pageToken='token', scope='projects/dtx-data'"
    asked = f"collection('cloudasset', 'v1', 'v1').searchAllResources({of_buckets}).execute(num_retries=0)"
    assert asked in inventory.said
    assert (witness.heard, witness.assets, unread) == (tuple(TYPES), (Asset("gcs", "//b/1"),), ())


REFUSED = Listed((), (failed(Reason.NOT_FOUND),))


@pytest.mark.parametrize(
    ("listed", "searched"),
    [
        (Listed(()), 0),
        (Listed((), (failed(Reason.TIMEOUT),)), 0),
        (Listed((asset("//b/1"),), (failed(Reason.NOT_FOUND),)), 0),
        (Listed((), (*REFUSED.unread, failed(Reason.TIMEOUT))), 0),
        (Listed((), tuple(map(failed, REFUSALS))), 1),
        (REFUSED, 1),
    ],
)
def test_where_a_list_is_refused_a_search_is_tried(listed: Listed, searched: int) -> None:
    inventory = Inventory(MAY_BOTH, {BUCKETS: listed}, {BUCKETS: Listed((asset("//b/2"),))})
    witness, _ = hear(cast("Gateway", inventory), PROJECT, {BUCKETS: "gcs"}, required=False)
    assert [method.items for method, _ in inventory.asked] == ["assets", "results"][: 1 + searched]
    assert [one.full_name for one in witness.assets] == (
        ["//b/2"] if searched else [one["name"] for one in listed.items]
    )


def test_a_list_and_a_search_that_are_refused_are_silence() -> None:
    witness, unread = heard({BUCKETS: REFUSED}, right=MAY_BOTH, found={BUCKETS: REFUSED})
    assert witness.silent == ((BUCKETS, Reason.NOT_FOUND),)
    assert unread == ()


def test_a_list_that_is_refused_after_its_first_page_breaks_off() -> None:
    one = failed(Reason.PERMISSION_DENIED)
    witness, unread = heard({BUCKETS: Listed((asset("//b/1"),), (one,))})
    assert (witness.silent, witness.assets, unread) == ((), (Asset("gcs", "//b/1"),), (one,))


def test_what_it_knows() -> None:
    lists = {
        BUCKETS: Listed((asset("//b/1", BUCKETS), asset("//b/2"))),
        KEYS: Listed((asset("//k/1", RINGS), asset("//v/1", "cloudkms.googleapis.com/CryptoKeyVersion"))),
    }
    witness, unread = heard(lists)
    assert witness.heard == tuple(TYPES)
    assert witness.silent == ()
    assert witness.assets == (Asset("gcs", "//b/1"), Asset("gcs", "//b/2"), Asset("kms", "//k/1"))
    assert unread == ()


@pytest.mark.parametrize("reason", REFUSALS)
def test_a_refusal_is_silence(reason: Reason) -> None:
    lists = {CLUSTERS: Listed((), (failed(reason),))}
    witness, unread = heard(lists)
    assert witness.heard == (BUCKETS, RINGS, KEYS)
    assert witness.silent == ((CLUSTERS, reason),)
    assert unread == ()


@pytest.mark.parametrize("reason", REFUSALS)
def test_silence_where_it_must_be_heard_is_unread(reason: Reason) -> None:
    one = failed(reason)
    witness, unread = heard({CLUSTERS: Listed((), (one,))}, required=True)
    assert (witness.silent, unread) == (((CLUSTERS, reason),), (one,))


@pytest.mark.parametrize("reason", FAILURES)
def test_a_witness_that_breaks_off_is_unread_and_what_it_said_stands(reason: Reason) -> None:
    one = failed(reason)
    witness, unread = heard({BUCKETS: Listed((asset("//b/1"),), (one, failed(Reason.TIMEOUT, "second")))})
    assert witness.heard == (CLUSTERS, RINGS, KEYS)
    assert witness.silent == ()
    assert witness.assets == (Asset("gcs", "//b/1"),)
    assert unread == (one,)


@pytest.mark.parametrize(
    ("right", "reason"),
    [
        (Listed(({"permissions": []},)), Reason.PERMISSION_DENIED),
        (Listed(({"permissions": ["cloudasset.assets.listOther"]},)), Reason.PERMISSION_DENIED),
        (Listed((), (failed(Reason.API_DISABLED),)), Reason.API_DISABLED),
    ],
)
@pytest.mark.parametrize("required", [False, True])
def test_without_the_permission_nothing_is_asked(right: Listed, reason: Reason, required: bool) -> None:
    inventory = Inventory(right, {BUCKETS: Listed((asset("//b/1"),))})
    witness, unread = hear(cast("Gateway", inventory), PROJECT, TYPES, required=required)
    assert inventory.asked == []
    assert (witness.heard, witness.assets) == ((), ())
    assert witness.silent == tuple((name, reason) for name in TYPES)
    assert [one.reason for one in unread] == ([reason] if required else [])
    assert {one.type for one in unread} <= {"inventory"}


def test_the_permissions_that_lack_are_named() -> None:
    (unread,) = heard({}, right=Listed(({},)), required=True)[1]
    assert (unread.type, unread.scope) == ("inventory", "Cloud Asset Inventory")
    assert unread.detail == f"the caller lacks {LIST} and {SEARCH}"


def test_a_permission_that_could_not_be_told_is_unread_in_any_case() -> None:
    one = failed(Reason.TIMEOUT)
    witness, unread = heard({}, right=Listed((), (one,)))
    assert (witness, unread) == (Witness(), (one,))


@pytest.fixture
def rules(policy: Callable[..., Policy]) -> Rules:
    """Of an environment in which Cloud Storage is declared unused."""
    unused = policy(('enforcement = "required"', 'enforcement = "required"\nunused = ["gcs"]'))
    return unused.environment("production")


def resource(full_name: str) -> Resource:
    return Resource("gcs", "b", full_name, "bucket", ())


def lost(rules: Rules, assets: Iterable[Asset], resources: Iterable[Resource], *unread: Unread) -> list[str]:
    found = [*unseen(Witness(assets=tuple(assets)), resources, unread, PROJECT, rules)]
    assert {one.reason for one in found} <= {Reason.NOT_LISTED}
    assert all(one.resource is None for one in found)
    return [f"{one.type} {one.scope}" for one in found]


def test_what_only_the_witness_knows_of(rules: Rules) -> None:
    assets = [Asset("gcs", "//s/b"), Asset("gcs", "//s/c"), Asset("kms", "//k/r")]
    assert lost(rules, assets, [resource("//s/b"), resource("//s/d")]) == ["gcs //s/c", "kms //k/r"]
    (told,) = unseen(Witness(assets=(assets[1],)), [], [], PROJECT, rules)
    assert told.detail == "Cloud Asset Inventory knows of //s/c, and no list of its own API holds it"


def test_of_a_list_that_is_incomplete_nothing_is_concluded(rules: Rules) -> None:
    assets = [Asset("gcs", "//s/b"), Asset("kms", "//k/r")]
    failing = Unread("gcs", "gcs", Reason.TIMEOUT, "no answer")
    of_one = Unread("kms", "//k/s", Reason.MALFORMED_ANSWER, "strange", resource="//k/s")
    assert lost(rules, assets, [], failing, of_one) == ["kms //k/r"]


@pytest.mark.parametrize(
    ("type", "off_in_project", "found"), [("gcs", True, True), ("gcs", False, False), ("kms", True, False)]
)
def test_an_api_that_is_off_in_a_type_declared_unused_is_an_empty_list(
    rules: Rules, type: str, off_in_project: bool, found: bool
) -> None:
    off = Unread(type, type, Reason.API_DISABLED, "off", off_in_project=off_in_project)
    assert bool(lost(rules, [Asset(type, "//x/y")], [], off)) == found


@pytest.mark.parametrize(
    ("known", "listed", "same"),
    [
        ("//x.googleapis.com/projects/100000000001/things/a", "//x.googleapis.com/projects/dtx-data/things/a", True),
        ("//x.googleapis.com/projects/dtx-data/things/a", "//x.googleapis.com/projects/100000000001/things/a", True),
        ("//x.googleapis.com/projects/other/things/a", "//x.googleapis.com/projects/dtx-data/things/a", False),
        ("//x.googleapis.com/projects/other/things/a", "//x.googleapis.com/projects/other/things/a", True),
        ("//x.googleapis.com/projects/other/things/a", "//x.googleapis.com/projects/another/things/a", False),
        ("//x.googleapis.com/projects/dtx-data/things/a", "//y.googleapis.com/projects/dtx-data/things/a", False),
        ("//x.googleapis.com/projects/dtx-data/things/a", "//x.googleapis.com/projects/dtx-data/things/b", False),
        (
            "//container.googleapis.com/projects/100000000001/zones/europe-west3-a/clusters/c",
            "//container.googleapis.com/projects/dtx-data/locations/europe-west3-a/clusters/c",
            True,
        ),
        (
            "//container.googleapis.com/projects/dtx-data/zones/europe-west3-a/clusters/c",
            "//container.googleapis.com/projects/dtx-data/locations/europe-west3-b/clusters/c",
            False,
        ),
        (
            "//x.googleapis.com/projects/dtx-data/zones/europe-west3-a/clusters/c",
            "//x.googleapis.com/projects/dtx-data/locations/europe-west3-a/clusters/c",
            False,
        ),
    ],
)
def test_names_that_mean_the_same(rules: Rules, known: str, listed: str, same: bool) -> None:
    assert (lost(rules, [Asset("gke", known)], [resource(listed)]) == []) == same


@pytest.mark.parametrize(
    "strange",
    [
        {},
        {"name": None},
        {"name": ["//b/2"]},
        {"name": 7, "assetType": BUCKETS},
        {"name": "//b/2", "assetType": None},
        {"name": "//b/2", "assetType": [BUCKETS]},
    ],
)
def test_an_asset_that_cannot_be_understood_is_unread_and_hides_no_other(strange: Json) -> None:
    listed = Listed((asset("//b/1", BUCKETS), strange), (failed(Reason.TIMEOUT),))
    inventory = Inventory(GRANTED, {BUCKETS: listed})
    witness, unread = hear(cast("Gateway", inventory), PROJECT, {BUCKETS: "gcs"}, required=False)
    assert witness == Witness((), (), (Asset("gcs", "//b/1"),))
    assert [one.reason for one in unread] == [Reason.TIMEOUT]
    alone = Inventory(GRANTED, {BUCKETS: Listed((asset("//b/1"), strange))})
    witness, unread = hear(cast("Gateway", alone), PROJECT, {BUCKETS: "gcs"}, required=False)
    assert witness == Witness((), (), (Asset("gcs", "//b/1"),))
    assert [(one.type, one.reason) for one in unread] == [("inventory", Reason.MALFORMED_ANSWER)]
    assert BUCKETS in unread[0].detail


def test_a_witness_that_names_a_gap_before_it_is_refused_breaks_off() -> None:
    gap = Listed((), (failed(Reason.PARTIAL_ANSWER), failed(Reason.PERMISSION_DENIED)))
    inventory = Inventory(MAY_BOTH, {BUCKETS: gap}, {BUCKETS: Listed(())})
    witness, unread = hear(cast("Gateway", inventory), PROJECT, {BUCKETS: "gcs"}, required=False)
    assert witness == Witness()
    assert [one.reason for one in unread] == [Reason.PARTIAL_ANSWER]
