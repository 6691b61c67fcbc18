"""The map: every region has its place, labels do not meet, bands keep off what they do not link."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any
from xml.etree.ElementTree import Element

import html5lib  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.formats.placemap import _EUROPE as EUROPE
from diga_verify.formats.placemap import draw
from diga_verify.formats.placemap_geography import COORDINATES
from diga_verify.formats.placemap_layout import LETTER, LINE, Box, around, freest, links, place_label
from diga_verify.formats.places import Extent, Place, places
from diga_verify.locations.table import table
from diga_verify.model import Role, Verdict
from diga_verify.report import Report

PRIMARY, BACKUP = Role.PRIMARY, Role.BACKUP
COMPLIANT, VIOLATION, WAIVED, UNVERIFIED = Verdict.COMPLIANT, Verdict.VIOLATION, Verdict.WAIVED, Verdict.UNVERIFIED
POINTS = st.tuples(st.integers(60, 580), st.integers(60, 500))
EU = tuple(sorted(table().jurisdictions["EU"]))


def region(name: str, **tally: int) -> Place:
    return put(Place(Extent.REGION, name, f"{name} (x)", (name,), ("DE",), True), **tally)


def put(place: Place, **tally: int) -> Place:
    """With so many primary placements of each verdict."""
    place.tally.update({(PRIMARY, Verdict(verdict)): number for verdict, number in tally.items()})
    return place


def area(name: str, regions: Sequence[str] = (), countries: Sequence[str] = (), **tally: int) -> Place:
    return put(Place(Extent.AREA, name, f"multi-region {name}", tuple(regions), tuple(countries), True), **tally)


def unknown(name: str) -> Place:
    return put(Place(Extent.UNKNOWN, name, "nothing is known about it", (), (), None), unverified=1)


def drawn(*found: Place) -> Element:
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(
        f"<!DOCTYPE html><title>x</title>{draw(found)}"
    )
    for one in page.iter():
        one.tag = str(one.tag).rpartition("}")[2]
    return next(iter(page.iter("svg")))


def marked(found: Element, name: str, style: str) -> list[Element]:
    return [one for one in found.iter(name) if one.get("class") == style]


def texts(found: Element) -> list[str]:
    return ["".join(one.itertext()) for one in found.iter("text")]


def middle(found: Element) -> tuple[float, float]:
    return float(found.attrib["cx"]), float(found.attrib["cy"])


def test_every_region_of_the_table_has_its_place_on_earth() -> None:
    assert COORDINATES.keys() == table().regions.keys()
    assert all(-180 <= east <= 180 and -60 <= north <= 75 for east, north in COORDINATES.values())
    europe = {name for name in COORDINATES if EUROPE.region(name)}
    assert europe == {name for name in COORDINATES if name.startswith("europe-")}


def test_every_region_is_drawn_once_wherever_it_lies() -> None:
    found = drawn(*(region(name, compliant=1) for name in COORDINATES))
    circles = [one for one in marked(found, "circle", "disc compliant") if one.get("r") != "8"]
    assert len({middle(one) for one in circles}) == len(COORDINATES)
    told = {"".join(one.itertext()).split(" ")[0] for one in found.iter("title")}
    assert told == {*COORDINATES, "Map"}


def test_the_world_is_drawn_only_if_something_lies_there() -> None:
    inside = [region("europe-west3", compliant=2), area("eu", countries=EU, compliant=1)]
    assert "Outside Europe" not in texts(drawn(*inside))
    for more in region("us-east1", violation=1), area("us", countries=("US",), violation=1):
        assert "Outside Europe" in texts(drawn(*inside, more))


def test_circles_grow_with_their_number_and_differ_in_shape() -> None:
    found = drawn(
        region("europe-west3", compliant=90),
        region("europe-north1", compliant=10),
        region("europe-west1", compliant=5, violation=1),
        region("europe-west9", waived=2),
        region("europe-west8", waived=2, unverified=3),
    )
    sizes = [float(one.attrib["r"]) for one in marked(found, "circle", "disc compliant")]
    assert 26 >= sizes[0] > 2 * sizes[1] > 2 * 8
    *_, legend = texts(found)
    assert legend.startswith("The larger a circle, the more placements.")
    labels = texts(found)
    assert "Frankfurt europe-west3P 90" in labels
    assert "Belgium europe-west1P 61 of 6 in violation, 5 of 6 compliant" in labels
    assert "Paris europe-west9P 22 of 2 waived" in labels
    assert "Milan europe-west8P 53 of 5 not verified, 2 of 5 waived" in labels
    # one mark on the map, and one in the legend
    assert len(marked(found, "circle", "ring violation")) == 2
    assert len(marked(found, "text", "letter waived")) == len(marked(found, "text", "letter unverified")) == 2


def test_roles_are_told_apart_by_letters() -> None:
    place = region("europe-west3")
    place.tally.update({(role, COMPLIANT): number for number, role in enumerate(Role, 2)})
    assert "Frankfurt europe-west3P 2 \u00b7 N 3 \u00b7 R 4 \u00b7 B 5 \u00b7 K 6" in texts(drawn(place))
    assert "P primary, N node, R replica, B backup, K key" in texts(drawn(place))


def test_areas_anywhere_and_unknown_stand_beside_the_map() -> None:
    anywhere = put(Place(Extent.ANYWHERE, "global", "anywhere in the world", (), (), False), violation=2)
    eur8 = area("eur8", ["europe-west3", "europe-west6"], violation=1)
    found = drawn(eur8, area("eu", countries=EU, compliant=4), anywhere, unknown("\x1bone"), unknown("two"))
    shown = texts(found)
    assert "eur8multi-region eur8P 11 of 1 in violation" in shown
    assert "eumulti-region euP 4" in shown
    assert "globalanywhere in the worldP 22 of 2 in violation" in shown
    assert "2 unknown locationsnothing is known about where it isP 22 of 2 not verified" in shown
    assert "none" not in shown
    assert texts(drawn()).count("none") == 3
    # The gravest area has the first letter, once on the map and once beside it.
    assert len(marked(found, "text", "letter violation")) == len(marked(found, "text", "letter compliant")) == 2
    assert {one.text for one in marked(found, "text", "letter violation")} == {"A"}
    assert "\x1b" not in draw([unknown("\x1bone")])


def test_many_areas_are_named_as_far_as_there_is_room() -> None:
    many = [area(f"a{number:02}", ["europe-west3", "europe-west6"], compliant=1) for number in range(14)]
    shown = texts(drawn(*many, area("worst", countries=("US",), violation=1)))
    assert "and 3 more, in the table" in shown
    assert "worstP 1, 1 of 1 in violation" in shown
    assert [one for one in shown if one.startswith("a1")] == ["a10P 1"]


def test_a_band_runs_over_no_region_that_is_not_its_own() -> None:
    at = {name: point for name in COORDINATES if (point := EUROPE.region(name))}
    members = [name for name in at if table().regions[name].country in EU]
    others = [at[name] for name in at.keys() - {*members}]
    pairs = links([at[name] for name in members], others)
    assert len(pairs) == len(members) - 1
    assert {point for pair in pairs for point in pair} == {at[name] for name in members}
    nearest = min(
        math.dist(other, (a + (c - a) * step / 50, b + (d - b) * step / 50))
        for other in others
        for (a, b), (c, d) in pairs
        for step in range(51)
    )
    assert nearest > 12


@given(st.lists(POINTS, min_size=1, max_size=9, unique=True))
def test_links_join_all_points(points: list[tuple[float, float]]) -> None:
    pairs = links(points, [])
    reached = {points[0]}
    for start, end in pairs:
        assert start in reached
        reached.add(end)
    assert reached == {*points}
    assert len(pairs) == len(points) - 1


@given(st.lists(POINTS, min_size=2, max_size=20, unique=True), st.integers(5, 30))
def test_labels_meet_neither_each_other_nor_a_circle(points: list[tuple[float, float]], letters: int) -> None:
    circles = [around(point, 10) for point in points]
    taken, labels = [*circles], []
    for point in points:
        label = place_label(point, 10, ["x" * letters, "y"], taken, EUROPE.box)
        if label is not None:
            labels.append(label.box)
            taken.append(label.box)
            assert label.box.right - label.box.left == pytest.approx(letters * LETTER)
            assert label.box.bottom - label.box.top == pytest.approx(2 * LINE)
    assert labels
    assert not [pair for pair in combinations(labels, 2) if pair[0].meets(pair[1])]
    assert not [box for box in labels for circle in circles if box.meets(circle)]
    assert all(box.within(EUROPE.box) for box in labels)


def test_a_label_without_room_is_left_out_and_one_far_off_has_a_line() -> None:
    full = Box(0, 0, 640, 558)
    assert place_label((300, 300), 10, ["x"], [full], EUROPE.box) is None
    near = place_label((300, 300), 10, ["x"], [], EUROPE.box)
    far = place_label((300, 300), 10, ["x"], [around((300, 300), 40)], EUROPE.box)
    assert near is not None
    assert far is not None
    assert near.leader is None
    assert far.leader is not None


def test_a_square_goes_where_nothing_is() -> None:
    assert freest([(0, 0), (50, 50), (100, 0)], [around((0, 0), 5), around((99, 1), 5)]) == (50, 50)
    assert freest([(7, 7)], []) == (7, 7)


def test_a_region_that_is_not_on_the_map_is_shown_beside_it() -> None:
    shown = texts(drawn(region("moon-east1", violation=1), region("europe-west3", compliant=1)))
    assert "moon-east1moon-east1 (x)P 11 of 1 in violation" in shown


def test_places_count_every_placement_once(demo_report: Report, everything: Report) -> None:
    for report in demo_report, everything:
        found = places(report)
        expected = Counter(
            (place.placement.role, place.verdict)
            for judged in report.judgement.resources
            for place in judged.placements
        )
        tally: Counter[tuple[Role, Verdict]] = Counter()
        for place in found:
            tally.update(place.tally)
        assert tally == expected
        assert len({(place.extent, place.name) for place in found}) == len(found)


def test_zones_lie_in_their_region_and_the_rest_apart(
    gate: Callable[..., Report], everything: Report, demo_report: Report
) -> None:
    frankfurt = next(place for place in places(demo_report) if place.name == "europe-west3")
    assert frankfurt.count(Role.NODE) == 19
    assert frankfurt.worst is COMPLIANT
    assert [(place.extent, place.name) for place in places(demo_report)] == [
        (Extent.REGION, "europe-west3"),
        (Extent.REGION, "europe-west1"),
        (Extent.REGION, "us-central1"),
        (Extent.AREA, "eu"),
        (Extent.AREA, "nam5"),
        (Extent.AREA, "us"),
        (Extent.AREA, "eur8"),
        (Extent.ANYWHERE, "global"),
    ]
    buckets: list[dict[str, Any]] = [
        {"name": name, "location": location} for name, location in (("a", "X1"), ("b", "X2"))
    ]
    odd = gate({"project": {"id": "dtx-data", "number": "1"}, "gcs": {"buckets": buckets}}, "gcs")
    assert [(place.extent, place.name, place.worst, place.lawful) for place in places(odd)] == [
        (Extent.UNKNOWN, "X1", UNVERIFIED, None),
        (Extent.UNKNOWN, "X2", UNVERIFIED, None),
    ]
    assert {place.name: place.worst for place in places(everything)} == {
        "europe-west3": COMPLIANT,
        "europe-west6": VIOLATION,
        "us": VIOLATION,
        "eur8": WAIVED,
        "eu": WAIVED,
    }
    assert {place.name: place.lawful for place in places(everything)}["us"] is False
    assert frankfurt.count(BACKUP, COMPLIANT) == 2
