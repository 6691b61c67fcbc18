"""What a policy allows: by example for every trap, and by property."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.locations.algebra import (
    ZONE_SUFFIX,
    UnknownEntry,
    all_locations,
    area,
    bound,
    explain,
    known_entries,
)
from diga_verify.model import TYPES

IDS = sorted({explanation.location for explanation in all_locations()})

entries = st.lists(st.sampled_from([*known_entries(), "europe-west3-a", "us-central1-ai1a"]), max_size=4)
locations = st.sampled_from([*IDS, "europe-west3-a", "europe-west10-b", "nowhere", ""])
types = st.sampled_from([*TYPES, "alloydb"])
some_regions = st.lists(
    st.sampled_from([id_ for id_ in IDS if id_[-1].isdigit() and bound(id_, "") is not None]),
    min_size=1,
    max_size=3,
)


def allows(allowed: list[str], location: str | None, type_: str, members: tuple[str, ...] = ()) -> bool:
    return area(allowed).covers(location, bound(location, type_, members))


@pytest.mark.parametrize(
    ("allowed", "location", "type_"),
    [
        (["europe-west3"], "europe-west3", "sql"),
        (["europe-west3"], "EUROPE-WEST3", "gcs"),
        (["europe-west3"], "projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k", "kms"),
        (["europe-west3"], "europe-west3-a", "gke"),
        (["europe-west3", "europe-west10"], "DE", "gcs"),
        (["europe-west3", "jurisdiction:CH"], "EUR8", "gcs"),
        (["jurisdiction:EU"], "EUR4", "gcs"),
        (["jurisdiction:EU"], "eu", "sql"),
        (["jurisdiction:EU"], "EU", "bigquery"),
        (["jurisdiction:EU"], "eur3", "firestore"),
        (["jurisdiction:EU"], "europe", "kms"),
        (["jurisdiction:EU"], "europe-north2-c", "gke"),
        (["jurisdiction:EEA"], "EU", "gcs"),
        (["jurisdiction:DE"], "DE", "gcs"),
        (["jurisdiction:US"], "US", "gcs"),
        (["jurisdiction:adequacy"], "europe-west2", "sql"),
        (["jurisdiction:CH"], "europe-west6", "sql"),
        (["jurisdiction:EU", "jurisdiction:GB"], "EUR7", "gcs"),
        (["global"], "global", "kms"),
        (["EUR4"], "eur4", "gcs"),
        (["eur8"], "EUR8", "gcs"),
        (["us-east1", "europe-west3-b"], "europe-west3-b", "gke"),
    ],
)
def test_allowed(allowed: list[str], location: str, type_: str) -> None:
    assert allows(allowed, location, type_)


@pytest.mark.parametrize(
    ("allowed", "location", "type_"),
    [
        ([], "europe-west3", "sql"),
        (["europe-west1"], "europe-west10", "sql"),
        (["europe-west10"], "europe-west1", "sql"),
        (["europe-west1"], "europe-west10-b", "gke"),
        (["europe-west3"], "EU", "gcs"),
        (["europe-west3"], "DE", "gcs"),
        (["europe-west3"], "EUR8", "gcs"),
        (["europe-west3-a"], "europe-west3-b", "gke"),
        (["europe-west3-a"], "europe-west3", "gke"),
        (["jurisdiction:EU"], "EUR5", "gcs"),
        (["jurisdiction:EU"], "EUR7", "gcs"),
        (["jurisdiction:EU"], "EUR8", "gcs"),
        (["jurisdiction:EU"], "europe-west2", "sql"),
        (["jurisdiction:EU"], "europe-west6-a", "gke"),
        (["jurisdiction:EU"], "europe-west15", "sql"),
        (["jurisdiction:EU"], "eur3", "kms"),
        (["eur3", "eur4"], "eur3", "kms"),  # Firestore's name for regions that need not be those of Cloud KMS
        (["eur3", "eur4"], "eur4", "kms"),
        (["asia1"], "asia1", "kms"),
        (["jurisdiction:EU"], "eur6", "kms"),
        (["jurisdiction:DE"], "EU", "gcs"),
        (["jurisdiction:adequacy"], "europe-west3", "sql"),
        (["jurisdiction:adequacy"], "us-central1", "gke"),
        (["jurisdiction:EU", "jurisdiction:EEA", "jurisdiction:CH", "jurisdiction:adequacy"], "ASIA", "gcs"),
        (
            ["jurisdiction:EU", "jurisdiction:EEA", "jurisdiction:CH", "jurisdiction:adequacy"],
            "global",
            "kms",
        ),
        (["eur4", "eu"], "global", "kms"),
        (["global"], "us-east1", "sql"),
        (["eu"], "europe-west3", "sql"),
        (["eur4"], "europe-north1", "sql"),
        (["jurisdiction:EU"], "", "sql"),
        (["jurisdiction:EU"], "-", "sql"),
        (["jurisdiction:EU"], "aws-eu-central-1", "bigquery"),
    ],
)
def test_not_allowed(allowed: list[str], location: str, type_: str) -> None:
    assert not allows(allowed, location, type_)


def test_no_location_is_never_allowed() -> None:
    assert not area(known_entries()).covers(None, None)
    assert not area(known_entries()).covers(None, bound("europe-west3", "sql"))


def test_members_settle_what_the_code_leaves_open() -> None:
    assert not allows(["europe-west3", "europe-west4"], "EU", "gcs")
    assert allows(["europe-west3", "europe-west4"], "EU", "gcs", ("EUROPE-WEST3", "EUROPE-WEST4"))
    assert not allows(["europe-west3", "europe-west4"], "EU", "gcs", ("EUROPE-WEST3", "EUROPE-WEST1"))


def test_a_name_allows_what_it_stands_for_and_no_more() -> None:
    assert allows(["eu"], "EU", "gcs", ("europe-west3", "europe-west4"))
    assert not allows(["eu"], "EU", "gcs", ("europe-west3", "europe-west2"))


def test_the_areas_of_two_policies_join() -> None:
    assert area(["europe-west3"]) | area(["global", "jurisdiction:FI"]) == area(
        ["jurisdiction:FI", "europe-west3", "global"]
    )


@pytest.mark.parametrize(
    ("entry", "suggestion"),
    [
        ("europe-wst3", "europe-west3"),
        ("jurisdiction:eu", "jurisdiction:EU"),
        ("jurisdiction:EUU", "jurisdiction:EU"),
        ("jurisdicton:DE", "jurisdiction:DE"),
        ("eur33", "eur3"),
    ],
)
def test_a_misspelt_entry_brings_a_suggestion(entry: str, suggestion: str) -> None:
    with pytest.raises(UnknownEntry, match=re.escape(repr(entry))) as caught:
        area(["europe-west3", entry])
    assert caught.value.entry == entry
    assert suggestion in caught.value.suggestions
    assert len(caught.value.suggestions) <= 3
    assert str(caught.value).endswith(f"; did you mean {' or '.join(caught.value.suggestions)}?")


def test_three_suggestions_are_enough_for_anybody() -> None:
    with pytest.raises(UnknownEntry) as caught:
        area(["europe-westx"])
    assert len(caught.value.suggestions) == 3


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " europe-west3",
        "EU-",
        "jurisdiction:",
        "jurisdiction:XX",
        "FR",
        "adequacy",
        "jurisdiction:europe-west3",
        "europe-west15-a",
    ],
)
def test_nonsense_is_refused(entry: str) -> None:
    with pytest.raises(UnknownEntry):
        area([entry])


@pytest.mark.parametrize("entry", ["europe-west15", "us-central2", "eur6"])
def test_a_deliberately_unknown_location_cannot_be_allowed(entry: str) -> None:
    with pytest.raises(UnknownEntry, match=r"\("):  # with the reason
        area([entry])


def test_a_refusal_tells_the_reason_of_that_entry_and_no_other() -> None:
    reasons = " ".join(dict.fromkeys(one.note for one in explain("europe-west15")))
    with pytest.raises(UnknownEntry) as caught:
        area(["EUROPE-WEST15"])
    assert str(caught.value).startswith(f"'EUROPE-WEST15' stands for no known location ({reasons})")
    with pytest.raises(UnknownEntry) as caught:
        area(["xyzzy"])
    assert str(caught.value) == "'xyzzy' stands for no known location"


def test_known_entries_are_what_area_accepts() -> None:
    assert len(set(known_entries())) == len(known_entries())
    for entry in known_entries():
        assert area([entry]) == area([entry, entry])
    regions = [entry for entry in known_entries() if area([entry]).regions]
    assert "europe-west3" in regions
    assert not any(re.search(rf"{ZONE_SUFFIX}$", entry) for entry in known_entries())
    for region in regions:
        assert area([f"{region}-a"]).names == {f"{region}-a"}


@given(few=entries, more=entries, location=locations, type_=types)
def test_more_entries_never_allow_less(few: list[str], more: list[str], location: str, type_: str) -> None:
    if allows(few, location, type_):
        assert allows(few + more, location, type_)


@given(allowed=entries, location=locations, type_=types, some=some_regions, more=some_regions)
def test_more_members_are_never_allowed_where_fewer_were_not(
    allowed: list[str], location: str, type_: str, some: list[str], more: list[str]
) -> None:
    if allows(allowed, location, type_, (*some, *more)):
        assert allows(allowed, location, type_, tuple(some))


@given(allowed=entries, location=locations, type_=types)
def test_what_stands_for_nothing_known_is_allowed_by_name_alone(allowed: list[str], location: str, type_: str) -> None:
    if bound(location, type_) is None and location not in allowed:
        assert not allows(allowed, location, type_)


@given(location=locations, type_=types)
def test_the_law_is_the_union_of_its_groups(location: str, type_: str) -> None:
    found = bound(location, type_)
    law = area(["jurisdiction:EU", "jurisdiction:EEA", "jurisdiction:CH", "jurisdiction:adequacy"])
    if found is not None:
        assert found.lawful == law.covers(location, found)
