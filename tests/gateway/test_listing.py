"""Lists: what a page must hold, whose the items are, and that it does not matter how they are split into pages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import ReadError
from diga_verify.gateway.listing import MARKS, Method, check_page, gathered
from diga_verify.model import Json, Project, Reason

PROJECT = Project("dtx-data", "100000000001", "ACTIVE")
BY_NAME = Method("t", "s", "m", items="things", owner="name")
BY_NUMBER = Method("t", "s", "m", items="things", owner="projectNumber")
WITH_KIND = Method("t", "s", "m", items="things", kind="k", kind_required=True)
ANYWHERE = "projects/dtx-data/locations/-"


def foreign(method: Method, scope: str, *items: Json, project: Project = PROJECT) -> list[Json]:
    """The items that were taken for another project's; the others must have been kept."""
    listed = gathered(method, scope, [{"things": list(items)}], project)
    assert {one.reason for one in listed.unread} <= {Reason.FOREIGN_RESOURCE}
    strangers = [item for item in items if item not in listed.items]
    assert len(listed.unread) == bool(strangers)
    return strangers


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"things": []},
        {"things": [{"name": "a"}, {"name": "b"}], "nextPageToken": "x"},
        {"nextPageToken": ""},
        {"totalSize": 0},
        {"unreachable": ["us-east1"]},
    ],
)
def test_a_page(page: Json) -> None:
    check_page(BY_NAME, page)


@pytest.mark.parametrize(
    "page",
    [
        {"things": None},
        {"things": {}},
        {"things": "a"},
        {"things": [{"name": "a"}, None]},
        {"things": [{"name": "a"}, "b"]},
        {"others": [{"name": "a"}]},
        {"kind": "k", "things": []},
        {"things": [], "nextPageToken": 7},
        {"things": [], "nextPageToken": None},
        *({"things": [], mark: None} for mark in MARKS),
        *({"things": [], mark: {}} for mark in MARKS),
        *({"things": [], mark: "us-east1"} for mark in MARKS),
    ],
)
def test_no_page(page: Json) -> None:
    with pytest.raises(ReadError) as error:
        check_page(BY_NAME, page)
    assert error.value.reason is Reason.MALFORMED_ANSWER


def test_a_kind_that_is_due() -> None:
    check_page(WITH_KIND, {"kind": "k"})
    with pytest.raises(ReadError, match="kind"):
        check_page(WITH_KIND, {"things": []})


@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_counts_in_every_list_on_every_page(mark: str) -> None:
    pages: list[Json] = [
        {"things": [{"name": "a"}], mark: ["here"]},
        {"things": [], mark: [{"code": "C", "region": "there"}]},
    ]
    for order in (pages, pages[::-1]):
        listed = gathered(Method("t", "s", "m", items="things"), "scope", order, PROJECT)
        assert {one.reason for one in listed.unread} == {Reason.PARTIAL_ANSWER}
        assert sorted(one.scope for one in listed.unread) == ["scope here", "scope there"]
        assert listed.items == ({"name": "a"},)


@pytest.mark.parametrize(
    "name",
    [
        "projects/other/locations/europe-west3/things/a",
        "projects/999/locations/europe-west3/things/a",
        "//host/projects/other/locations/europe-west3/things/a",
        "https://host/v1/projects/other/zones/europe-west3-a/things/a",
    ],
)
def test_another_project(name: str) -> None:
    own = {"name": "projects/dtx-data/locations/europe-west3/things/a"}
    by_number = {"name": "projects/100000000001/locations/europe-west3/things/b"}
    assert foreign(BY_NAME, ANYWHERE, own, by_number, {"name": name}) == [{"name": name}]


@pytest.mark.parametrize("value", ["999", 999, "other"])
def test_another_project_in_a_field_of_its_own(value: object) -> None:
    own: list[Json] = [{"projectNumber": "100000000001"}, {"projectNumber": 100000000001}, {}]
    assert foreign(BY_NUMBER, "any", *own, {"projectNumber": value}) == [{"projectNumber": value}]


def test_an_item_of_another_parent() -> None:
    here = {"name": "projects/dtx-data/locations/europe-west3/keyRings/a"}
    there = {"name": "projects/dtx-data/locations/us/keyRings/a"}
    parent = {"name": "projects/dtx-data/locations/europe-west3"}
    assert foreign(BY_NAME, "projects/100000000001/locations/europe-west3", here, there, parent) == [there, parent]
    assert foreign(BY_NAME, ANYWHERE, here, there, parent) == [parent]


@pytest.mark.parametrize("item", [{}, {"name": 7.5}, {"name": None}, {"name": ""}, {"name": "a/b"}, {"name": ["x"]}])
def test_an_item_that_names_no_project_is_the_checkers_to_judge(item: Json) -> None:
    assert foreign(BY_NAME, ANYWHERE, item) == []


def test_nobody_is_foreign_to_a_project_that_is_half_known() -> None:
    asked_by_id, asked_by_number = Project("dtx-data", None, None), Project("100000000001", None, None)
    by_number, by_id = {"projectNumber": "999"}, {"projectNumber": "other"}
    assert foreign(BY_NUMBER, "any", by_number, by_id, project=asked_by_id) == [by_id]
    assert foreign(BY_NUMBER, "any", by_number, by_id, project=asked_by_number) == [by_number]


NAMES = st.sampled_from(["dtx-data", "100000000001", "other"])
ITEMS = st.lists(st.builds(lambda p, n: {"name": f"projects/{p}/locations/l/things/{n}"}, NAMES, st.integers(0, 9)))


@given(items=ITEMS, cuts=st.lists(st.integers(0, 20)), marks=st.lists(st.sampled_from(MARKS)))
def test_how_a_list_is_split_into_pages_changes_nothing(items: list[Json], cuts: list[int], marks: list[str]) -> None:
    edges = sorted({0, len(items), *(cut for cut in cuts if cut < len(items))})
    pages: list[dict[str, Any]] = [{"things": items[start:end]} for start, end in pairwise(edges)] or [{}]
    whole: dict[str, Any] = {"things": items}
    for number, mark in enumerate(marks):
        for page in (pages[number % len(pages)], whole):
            page.setdefault(mark, []).append(f"place {number}")
    split, once = (gathered(BY_NAME, ANYWHERE, some, PROJECT) for some in (pages, [whole]))
    assert split.items == once.items
    assert set(split.unread) == set(once.unread)
