"""The table: what it says to people, that it is whole, and that no known location id is missing from it."""

from __future__ import annotations

import json
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from diga_verify.locations.algebra import (
    adequacy_review_date,
    all_locations,
    bound,
    explain,
    known_entries,
    table_date,
)
from diga_verify.locations.table import table
from diga_verify.model import TYPES


def test_dates() -> None:
    assert date.fromisoformat(table_date()) < date.fromisoformat(adequacy_review_date())


# --- explanations


def test_a_region_is_explained_once() -> None:
    [frankfurt] = explain("EUROPE-WEST3")
    assert (frankfurt.location, frankfurt.types, frankfurt.note) == ("europe-west3", TYPES, "")
    assert frankfurt.bound == bound("europe-west3", "gke")
    assert frankfurt.jurisdictions == ("EU", "EEA")
    assert frankfurt.source.startswith("https://docs.cloud.google.com/")


def test_a_zone_is_explained_as_its_region() -> None:
    [zone] = explain("us-central1-ai1a")
    [region] = explain("us-central1")
    assert (zone.location, zone.bound) == ("us-central1-ai1a", region.bound)
    assert "certified" in region.note  # why the adequacy decision does not count


def test_an_id_with_several_meanings_is_explained_for_each() -> None:
    meanings = {explanation.types: explanation.bound for explanation in explain("eur4")}
    assert meanings.pop(("gcs",)) == bound("EUR4", "gcs")
    assert meanings == {("kms",): None}
    assert {explanation.types for explanation in explain("eu")} == {("sql",), ("bigquery",), ("gcs",)}


@pytest.mark.parametrize(
    ("location", "jurisdictions"),
    [
        ("europe-west2", ("adequacy",)),
        ("europe-west6", ("CH", "adequacy")),
        ("de", ("EU", "EEA")),
        ("eur8", ()),  # Frankfurt and Zurich lie in no one group
        ("us-east1", ()),
        ("global", ()),
    ],
)
def test_jurisdictions(location: str, jurisdictions: tuple[str, ...]) -> None:
    assert explain(location)[0].jurisdictions == jurisdictions


def test_a_deliberately_unknown_location_is_explained_by_its_reason() -> None:
    [nowhere] = explain("europe-west15")
    assert nowhere.bound is None
    assert "no place" in nowhere.note


@pytest.mark.parametrize("location", ["", "-", "europe-west33", "eu-central-1", "in:eu-locations"])
def test_what_was_never_heard_of_has_no_explanation(location: str) -> None:
    assert explain(location) == []


def test_all_locations_explain_themselves() -> None:
    everything = all_locations()
    assert [each.location for each in everything] == sorted(each.location for each in everything)
    for each in everything:
        assert each in explain(each.location)
        assert each.types
        assert each.source
        for type_ in each.types:
            assert bound(each.location, type_) == each.bound
        if each.bound is None:
            assert len(each.note) > 20  # a reason
    assert {each.location for each in everything if each.bound} == {
        entry for entry in known_entries() if not entry.startswith("jurisdiction:")
    }


# --- the data


def test_every_country_has_a_name() -> None:
    used = {region.country for region in table().regions.values()} | table().partial.keys() | table().lawful
    assert used <= table().countries.keys()


def test_groups_of_law() -> None:
    groups = table().jurisdictions
    assert table().groups == ("EU", "EEA", "CH", "adequacy")
    assert len(groups["EU"]) == 27
    assert groups["EEA"] - groups["EU"] == {"IS", "LI", "NO"}
    assert groups["CH"] == {"CH"}
    assert {"GB", "CH"} <= groups["adequacy"]
    assert not groups["adequacy"] & groups["EEA"]
    assert not {"GB", "CH"} & groups["EEA"]
    assert not {"US", "BR"} & table().lawful  # named in the table as decisions that do not count
    assert table().partial.keys() == {"US", "BR"}
    assert groups["DE"] == {"DE"}


def test_multi_regions_have_members_that_the_table_knows() -> None:
    for multi in table().multis:
        assert sum(map(bool, (multi.regions, multi.countries, multi.anywhere))) == 1, multi
        assert all(region in table().regions and region in multi.description for region in multi.regions), multi
        assert set(multi.types) <= set(TYPES), multi


def test_no_id_means_two_things_to_one_type() -> None:
    entries = [(multi.id, multi.types) for multi in table().multis]
    entries += [(left_out.id, left_out.types) for left_out in table().unknown]
    meanings = [(id_, type_) for id_, types in entries for type_ in types or TYPES]
    assert len(meanings) == len(set(meanings))
    assert not {id_ for id_, _ in meanings} & table().regions.keys()


# --- every id that Google's APIs name


def endpoint_locations() -> set[str]:
    """All `endpoints[].location` of the discovery documents that come with google-api-python-client."""
    package = find_spec("googleapiclient")
    assert package is not None
    assert package.origin is not None
    documents = list((Path(package.origin).parent / "discovery_cache" / "documents").glob("*.json"))
    assert len(documents) > 500
    texts = (document.read_text(encoding="utf-8") for document in documents)
    with_endpoints = (json.loads(text) for text in texts if '"endpoints"' in text)  # parsing is what takes time
    return {endpoint["location"] for document in with_endpoints for endpoint in document.get("endpoints", ())}


def missing_from_the_table(ids: set[str]) -> set[str]:
    return {id_ for id_ in ids if not explain(id_)}


def test_every_location_of_the_discovery_documents_is_known_or_left_out_for_a_reason() -> None:
    found = endpoint_locations()
    assert {"europe-west3", "europe-west15", "us-central1", "eu"} <= found
    assert missing_from_the_table(found) == set()


def test_a_new_location_would_be_noticed() -> None:
    assert missing_from_the_table({"europe-west3", "europe-west99"}) == {"europe-west99"}
