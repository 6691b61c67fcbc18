"""Field masks select what they name, at any depth, in parameter and header; a malformed one is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.simulator.errors import ApiError
from diga_verify.simulator.masks import apply_mask, parse_mask

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from diga_verify.simulator.server import Simulator

VALUE = {
    "kind": "k",
    "items": [
        {"name": "a", "settings": {"backup": {"location": "eu", "enabled": True}, "tier": "t"}},
        {"name": "b", "settings": {"backup": {"location": "us", "enabled": False}, "tier": "t"}},
    ],
    "nextPageToken": "n",
}
LOCATIONS = {"items": [{"settings": {"backup": {"location": "eu"}}}, {"settings": {"backup": {"location": "us"}}}]}


@pytest.mark.parametrize(
    ("mask", "kept"),
    [
        ("kind", {"kind": "k"}),
        ("kind, nextPageToken", {"kind": "k", "nextPageToken": "n"}),
        ("items/name", {"items": [{"name": "a"}, {"name": "b"}]}),
        ("items.name,items/name", {"items": [{"name": "a"}, {"name": "b"}]}),
        ("items(settings/backup(location))", LOCATIONS),
        ("items/settings/backup/location", LOCATIONS),
        ("items/settings/*/location", {"items": [{"settings": {"backup": {"location": "eu"}, "tier": "t"}},
                                                 {"settings": {"backup": {"location": "us"}, "tier": "t"}}]}),
        ("items/name,items", {"items": VALUE["items"]}),
        ("*", VALUE),
        ("noSuchField", {}),
        ("items/noSuchField", {"items": [{}, {}]}),
    ],
)  # fmt: skip
def test_a_mask_keeps_what_it_names(mask: str, kept: object) -> None:
    assert apply_mask(VALUE, parse_mask(mask)) == kept


@pytest.mark.parametrize(
    "mask", ["", ",", "items(", "items)", "items()", "items(name", "a,,b", "/a", "a/", "a b(", "a;b", "a(b))"]
)
def test_a_malformed_mask_is_refused(mask: str) -> None:
    with pytest.raises(ApiError) as refused:
        parse_mask(mask)
    assert refused.value.code == 400


names = st.sampled_from(["a", "b", "c"])
values = st.recursive(st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(names, inner), max_leaves=12)


@given(values, names, names)
def test_a_nested_mask_is_a_mask_in_a_mask(value: Any, outer: str, inner: str) -> None:
    shallow = apply_mask(value, parse_mask(outer))
    deep = apply_mask(value, parse_mask(f"{outer}({inner})"))
    if isinstance(value, dict) and outer in value:
        assert shallow == {outer: value[outer]}
        assert deep == {outer: apply_mask(value[outer], parse_mask(inner))}
    elif isinstance(value, dict):
        assert shallow == deep == {}


@pytest.mark.parametrize("way", ["fields", "$fields", "header"])
def test_a_mask_works_over_the_wire(
    way: str, serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    buckets = [{"name": "one", "location": "EU"}, {"name": "two", "location": "US"}]
    simulator = serve(gcs={"buckets": buckets})

    def ask(mask: str) -> requests.Response:
        query = {"project": "p"} | ({} if way == "header" else {way: mask})
        headers = {"X-Goog-FieldMask": mask} if way == "header" else {}
        return fetch(simulator, "storage.googleapis.com/storage/v1/b", params=query, headers=headers)

    assert ask("items(name,location)").json() == {"items": buckets}
    assert ask("items(name").status_code == 400
