"""From fields to placements: what is there, what is not, and what has another shape than it should."""

from __future__ import annotations

import pytest

from diga_verify.checkers.fields import (
    Field,
    identity,
    labels,
    of_name,
    of_zone_url,
    placements,
    segment,
    unheard_of,
    walk,
)
from diga_verify.errors import ReadError
from diga_verify.gateway.records import Sourced
from diga_verify.model import Json, Placement, Reason, Role


@pytest.mark.parametrize("data", [{}, {"name": ""}, {"name": None}, {"name": 7}, {"name": ["a"]}])
def test_what_has_no_name_is_malformed(data: Json) -> None:
    with pytest.raises(ReadError) as error:
        identity(data, "name")
    assert error.value.reason is Reason.MALFORMED_ANSWER


def test_a_group_of_instances_names_its_zone_or_nothing_does() -> None:
    assert of_zone_url("https://compute.example/projects/p/zones/a-b/instanceGroupManagers/g") == "a-b"
    assert of_zone_url("https://compute.example/projects/p/regions/a/instanceGroupManagers/g") is None


@pytest.mark.parametrize("name", ["projects/p/rings/r", "projects/p/locations/l/keyRings", "keyRings", ""])
def test_a_name_of_something_else_is_malformed(name: str) -> None:
    assert segment("projects/p/locations/l/keyRings/r", "keyRings") == "r"
    with pytest.raises(ReadError) as error:
        segment(name, "keyRings")
    assert error.value.reason is Reason.MALFORMED_ANSWER


def test_labels_are_texts() -> None:
    data = {"labels": {"data": "health", "a": "b", "odd": 7, "none": None}}
    assert labels(data, "labels") == {"a": "b", "data": "health"}
    assert labels({"labels": ["a"]}, "labels") == {}
    assert labels({}, "labels") == {}


@pytest.mark.parametrize("path", ["", "a..b", "a[", "[]", "a[0]"])
def test_a_path_that_is_none_is_a_mistake_of_ours(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        list(walk({"a": [1]}, path))


def test_a_value_of_another_shape_stands_where_it_is() -> None:
    pools = {"pools": [{"zones": ["a", "b"]}, 7, {"zones": "c"}, {"zones": None}, {}]}
    assert list(walk(pools, "pools[].zones[]")) == [
        ("pools[0].zones[0]", "a"),
        ("pools[0].zones[1]", "b"),
        ("pools[1]", 7),
        ("pools[2].zones", "c"),
    ]


@pytest.mark.parametrize(
    ("data", "at"),
    [
        ({"pools": [{"zones": "europe-west3-a"}]}, "pools[0].zones"),
        ({"pools": [{"zones": ""}]}, "pools[0].zones"),
        ({"pools": ["europe-west3-a"]}, "pools[0]"),
        ({"pools": "europe-west3-a"}, "pools"),
        ({"pools": ""}, "pools"),
        ({"pools": {"name": "a"}}, "pools"),
        ({"pools": {"zones": ["europe-west3-a"]}}, "pools"),
        ({"pools": [["europe-west3-a"]]}, "pools[0]"),
    ],
)
def test_another_shape_than_is_due_is_no_location(data: Json, at: str) -> None:
    """A zone in place of a list of zones may be one of many."""
    assert placements(data, (Field(Role.NODE, "pools[].zones[]"),)) == (
        Placement(Role.NODE, None, at, reason=Reason.MALFORMED_ANSWER),
    )


def test_a_word_that_must_be_there_and_is_not_points_to_whose_it_is() -> None:
    (place,) = unheard_of(Sourced({}, "/0"), Role.PRIMARY, "level", ("LOW",), required=True)
    assert (place.location, place.reason, place.source) == (None, Reason.MISSING_LOCATION, "/0")
    assert not [*unheard_of({}, Role.PRIMARY, "level", ("LOW",))]


@pytest.mark.parametrize("settings", ["europe-west3", "", 7, ["europe-west3"]])
def test_what_stands_on_the_way_to_a_location_is_none(settings: object) -> None:
    assert placements({"settings": settings}, (Field(Role.BACKUP, "settings.location"),)) == (
        Placement(Role.BACKUP, None, "settings", reason=Reason.MALFORMED_ANSWER),
    )


def test_an_unset_text_is_absent_and_an_empty_entry_is_not() -> None:
    assert placements({"zone": ""}, (Field(Role.NODE, "zone"),)) == ()
    assert placements({"zone": ""}, (Field(Role.NODE, "zone", required=True),)) == (
        Placement(Role.NODE, None, "zone", reason=Reason.MISSING_LOCATION),
    )
    assert placements({"zones": ["a", ""]}, (Field(Role.NODE, "zones[]"),)) == (
        Placement(Role.NODE, "a", "zones[0]"),
        Placement(Role.NODE, None, "zones[1]", reason=Reason.MISSING_LOCATION),
    )


def test_what_is_missing_is_told_with_its_path_and_whose_it_is() -> None:
    fields = (Field(Role.BACKUP, "location", required=True), Field(Role.NODE, "zones[]"))
    assert placements({"zones": [""]}, fields, prefix="backups[1].", about="backup 1") == (
        Placement(Role.BACKUP, None, "backups[1].location", reason=Reason.MISSING_LOCATION, about="backup 1"),
        Placement(Role.NODE, None, "backups[1].zones[0]", reason=Reason.MISSING_LOCATION, about="backup 1"),
    )


def test_a_name_that_holds_no_location_is_malformed_and_is_shown() -> None:
    key = "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k"
    found = placements({"keys": [key, "k", 7]}, (Field(Role.KEY, "keys[]", of_name),), prefix="x.", about="backup 1")
    assert found == (
        Placement(Role.KEY, "europe-west3", "x.keys[0]", about="backup 1"),
        Placement(Role.KEY, None, "x.keys[1]", reason=Reason.MALFORMED_ANSWER, about="backup 1"),
        Placement(Role.KEY, None, "x.keys[2]", reason=Reason.MALFORMED_ANSWER, about="backup 1"),
    )
    assert [place.about for place in placements({"key": key}, (Field(Role.KEY, "key", of_name),))] == [key]
    assert [place.about for place in placements({"key": "k"}, (Field(Role.KEY, "key", of_name),))] == ["k"]


def test_a_placement_says_where_in_the_evidence_its_field_stands() -> None:
    backup = Sourced({"zones": [{"zone": "a"}, {"zone": ""}], "level": "FUTURE"}, "/answers/x/pages/0/items/7")
    wanted = (Field(Role.NODE, "zones[].zone"), Field(Role.BACKUP, "location", required=True))
    assert [(one.field, one.source) for one in placements(backup, wanted, prefix="backups[1].")] == [
        ("backups[1].zones[0].zone", "/answers/x/pages/0/items/7/zones/0/zone"),
        ("backups[1].location", "/answers/x/pages/0/items/7"),
    ]
    (strange,) = unheard_of(backup, Role.PRIMARY, "level", ("HSM",))
    assert (strange.field, strange.source) == ("level", "/answers/x/pages/0/items/7/level")


def test_words_that_nobody_has_heard_of() -> None:
    assert list(unheard_of({"levels": ["HSM", "FUTURE", ["HSM"]]}, Role.PRIMARY, "levels[]", ("HSM", "SOFTWARE"))) == [
        Placement(Role.PRIMARY, None, "levels[1]", reason=Reason.MALFORMED_ANSWER, about="FUTURE"),
        Placement(Role.PRIMARY, None, "levels[2]", reason=Reason.MALFORMED_ANSWER, about="['HSM']"),
    ]
    assert list(unheard_of({}, Role.PRIMARY, "levels[]", ("HSM",))) == []
