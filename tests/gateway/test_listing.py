"""Lists: what a page must hold, whose the items are, and that it does not matter how they are split into pages."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.errors import ReadError
from diga_verify.gateway.listing import Listed, Method, check_page, check_rows, check_total, gathered, joined
from diga_verify.model import Json, Project, Reason, Unread

MARKS = ("unreachable", "missingZones", "warnings")

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
        {"etag": "e"},
        {"readTime": "2026-11-23T08:00:00Z"},
        {"missingZones": []},
        {"warnings": [{"code": "C"}]},
        {"unreachable": ["us-east1"]},
        {"things": [{"name": "a"}], "failedLocations": [], "notes": "n"},
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
        {"things": [{"name": "a"}], "failedLocations": ["us-east1"]},
        {"etag": "e", "others": [{"name": "a"}]},
        {"things": [], "totalSize": "2"},
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


@pytest.mark.parametrize(
    ("pages", "whole"),
    [
        ([{}], True),
        ([{"things": [{}, {}]}], True),
        ([{"things": [{}], "totalSize": 2}, {"things": [{}], "totalSize": 2}], True),
        ([{"things": [{}, {}], "totalSize": 1}], True),  # one was added meanwhile
        ([{"things": [{}], "totalSize": 1}, {"things": [{}]}], True),
        ([{"things": [{}], "totalSize": 3}, {"things": [{}]}], False),
        ([{"things": [{}]}, {"totalSize": 2}], False),
        ([{"things": [{}], "totalSize": 3}, {"things": [{}], "totalSize": 2}], False),
    ],
)
def test_a_total_that_is_told_must_be_reached(pages: list[Json], whole: bool) -> None:
    if whole:
        check_total(BY_NAME, pages)
        return
    with pytest.raises(ReadError, match="incomplete") as error:
        check_total(BY_NAME, pages)
    assert error.value.reason is Reason.PARTIAL_ANSWER


def test_a_kind_that_is_due() -> None:
    check_page(WITH_KIND, {"kind": "k"})
    check_page(replace(WITH_KIND, kind_required=False), {"things": []})
    with pytest.raises(ReadError, match="kind") as error:
        check_page(WITH_KIND, {"things": []})
    assert error.value.reason is Reason.MALFORMED_ANSWER


def test_an_answer_to_another_question_is_called_by_its_keys() -> None:
    with pytest.raises(ReadError, match=r"it holds a{80}$"):
        check_page(BY_NAME, {"a" * 81: []})
    with pytest.raises(ReadError, match=r"it holds kind, b$"):
        check_page(BY_NAME, {"kind": "k", "b": 1})
    with pytest.raises(ReadError, match=r"it holds kind$"):
        check_page(BY_NAME, {"kind": "k"})


@pytest.mark.parametrize(
    "pages",
    [
        [{"rows": [1, 2], "totalRows": "2"}],
        [{"totalRows": 2}],
        [{"rows": [1], "totalRows": "2"}, {"rows": [2], "totalRows": "2"}],
        [{"jobComplete": False}, {"rows": [1, 2], "totalRows": "2"}],
    ],
)
def test_all_rows_of_a_query(pages: list[Json]) -> None:
    check_rows(pages, 2)


@pytest.mark.parametrize(
    ("pages", "said"),
    [
        ([{"totalRows": "3"}], "2 rows came, of 3"),
        ([{"totalRows": "2"}, {"totalRows": "3"}], "2 rows came, of 2, 3"),
        ([{"rows": [1, 2]}], "2 rows came, of nobody knows"),
        ([], "2 rows came, of nobody knows"),
        ([{"rows": None, "totalRows": "2"}], "'rows' is not a list"),
        ([{"rows": [1], "totalRows": "2"}, {"rows": {}, "totalRows": "2"}], "'rows' is not a list"),
    ],
)
def test_rows_of_a_query_that_are_not_all(pages: list[Json], said: str) -> None:
    with pytest.raises(ReadError) as error:
        check_rows(pages, 2)
    assert (error.value.reason, error.value.detail) == (Reason.MALFORMED_ANSWER, said)


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
    ("entry", "place", "said"),
    [
        ("us-east1", "us-east1", "us-east1 did not answer"),
        ({"code": "C", "region": "r", "message": "m"}, "r", "C r: m"),
        ({"code": "C", "message": "m"}, "C", "C C: m"),
        ({"message": "m"}, "unnamed", "a warning without a code unnamed: m"),
        ({"region": "r"}, "r", "a warning without a code r: no message"),
    ],
)
def test_what_is_told_about_a_mark(entry: object, place: str, said: str) -> None:
    listed = gathered(BY_NAME, "scope", [{"things": [], "warnings": [entry]}], PROJECT)
    detail = f"the list of things is incomplete: {said}"
    assert listed.unread == (Unread("t", f"scope {place}", Reason.PARTIAL_ANSWER, detail),)


def test_several_lists_as_one() -> None:
    first, second = (Unread("t", name, Reason.TIMEOUT, "d") for name in ("first", "second"))
    parts = [Listed(({"a": 1}, {"a": 2}), (first,)), Listed(({"a": 3},), (second, first))]
    assert joined(parts) == Listed(({"a": 1}, {"a": 2}, {"a": 3}), (first, second, first))
    assert joined([]) == Listed(())


@pytest.mark.parametrize(("strangers", "more"), [(1, ""), (2, " and 1 more"), (3, " and 2 more")])
def test_what_is_told_about_strangers(strangers: int, more: str) -> None:
    items = [{"name": f"projects/other/locations/l/things/{number}"} for number in range(strangers)]
    (unread,) = gathered(BY_NAME, ANYWHERE, [{"things": items}], PROJECT).unread
    name = "'projects/other/locations/l/things/0'"
    assert unread.scope == f"m {ANYWHERE}"
    assert unread.detail == f"asked for things of {ANYWHERE}, and got {name}{more}, which is not there"


def test_a_list_whose_items_name_no_project() -> None:
    nameless = Method("t", "s", "m", items="things")
    assert foreign(nameless, "any", {"x": "projects/other/things/a"}) == []


def test_what_is_no_list_holds_no_items() -> None:
    assert Method("t", "s", "m").items == ""


def test_an_item_that_names_its_project_deep_inside() -> None:
    method = replace(BY_NUMBER, owner="reference.project")
    own, other = ({"reference": {"project": name}} for name in ("dtx-data", "other"))
    strange: list[Json] = [{"reference": "other"}, {"reference": None}, {"reference": ["other"]}]
    assert foreign(method, "any", own, *strange, other) == [other]


def test_a_link_is_compared_by_its_project_alone() -> None:
    by_link = replace(BY_NAME, owner="selfLink")
    item = {"selfLink": "projects/dtx-data/zones/europe-west3-a/things/a"}
    assert foreign(by_link, "projects/dtx-data/locations/us", item) == []


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


def test_a_list_that_asks_for_more_of_each_item() -> None:
    plain = Method("t", "s", "m", "kind,things(name,parts/things(name)),nextPageToken", items="things")
    more = plain.asking("createTime,source/uris")
    assert more.fields == "kind,things(createTime,source/uris,name,parts/things(name)),nextPageToken"
    assert replace(more, fields=plain.fields) == plain


def test_a_list_without_a_mask_brings_everything_anyway() -> None:
    assert not BY_NAME.asking("createTime").fields
