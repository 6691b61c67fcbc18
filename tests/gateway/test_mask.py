"""Field masks: what is kept of an answer is what was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.checkers.registry import BUILTIN
from diga_verify.gateway.mask import kept, tree

NAMES = st.sampled_from(["a", "b", "c", "d"])
MASKS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.just({}), lambda below: st.dictionaries(NAMES, below, min_size=1, max_size=3), max_leaves=8
).filter(bool)
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=3)),
    lambda below: st.one_of(st.lists(below, max_size=3), st.dictionaries(NAMES, below, max_size=4)),
    max_leaves=12,
)


def written(mask: dict[str, Any]) -> str:
    """A tree as a mask."""
    return ",".join(f"{name}({written(below)})" if below else name for name, below in mask.items())


@given(MASKS)
def test_a_mask_is_read_as_it_is_written(mask: dict[str, Any]) -> None:
    assert tree(written(mask)) == mask


def test_a_slash_is_a_short_bracket() -> None:
    assert tree("kind,items(name,nodes/gceZone,settings(on,labels)),a/b/c") == {
        "kind": {},
        "items": {"name": {}, "nodes": {"gceZone": {}}, "settings": {"on": {}, "labels": {}}},
        "a": {"b": {"c": {}}},
    }


@pytest.mark.parametrize("mask", ["a(b", "a)b", "a(b))", "a b", "a;b", "a(b)c)"])
def test_what_is_no_mask(mask: str) -> None:
    with pytest.raises(ValueError, match=r"mask|brackets"):
        tree(mask)


@given(MASKS, st.dictionaries(NAMES, VALUES, max_size=4))
def test_what_is_kept_was_there_and_was_asked_for(mask: dict[str, Any], data: dict[str, Any]) -> None:
    once = kept(data, mask)
    assert kept(once, mask) == once
    assert list(once) == [key for key in data if key in mask]
    for key in once:
        if not mask[key] or not isinstance(data[key], dict | list):
            assert once[key] == data[key]


def test_lists_are_kept_entry_by_entry_and_odd_values_as_they_are() -> None:
    data = {"items": [{"name": 1, "key": "SECRET"}, "odd", [{"name": 2, "key": "SECRET"}]], "more": 1, "gap": [1]}
    assert kept(data, tree("items/name"), ("gap", "none")) == {"items": [{"name": 1}, "odd", [{"name": 2}]], "gap": [1]}


def test_what_is_always_kept_is_kept_whole() -> None:
    data = {"warnings": [{"code": 1, "more": 2}]}
    assert kept(data, tree("warnings/code"), ("warnings",)) == data


def test_masks_of_the_checkers_are_masks() -> None:
    modules = {type(checker).__module__ for checker in BUILTIN}
    masks = [
        method.fields
        for module in modules
        for method in vars(__import__(module, fromlist=["x"])).values()
        if type(method).__name__ == "Method" and method.fields is not None
    ]
    assert len(masks) > 10
    assert all(json.dumps(tree(mask)) for mask in masks)
