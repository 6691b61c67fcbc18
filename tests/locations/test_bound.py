"""What a location stands for: by example for every trap, and by property."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diga_verify.locations.algebra import Bound, bound, normalise
from diga_verify.model import TYPES

EU = {  # written out, not read from the table
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
}  # fmt: skip
TABLE = tomllib.loads(files("diga_verify.locations").joinpath("table.toml").read_text(encoding="utf-8"))
REGIONS = sorted(TABLE["regions"])
MULTIS = sorted({id_ for entry in TABLE["multi"] for id_ in entry["ids"]})
LEFT_OUT = sorted({id_ for entry in TABLE["deliberately_unknown"] for id_ in entry["ids"]})

regions = st.sampled_from(REGIONS)
types = st.sampled_from([*TYPES, "alloydb"])
zone_suffixes = st.from_regex(r"-([a-z]|ai[0-9]{1,2}[a-z])", fullmatch=True)
spellings = st.sampled_from(
    [
        "{}",
        "  {}\n",
        "projects/p/locations/{}",
        "projects/p/locations/{}/keyRings/r/cryptoKeys/us",
        "//cloudkms.googleapis.com/projects/p/locations/{}/keyRings/europe-west3",
        "zones/{}",
        "projects/123456789012/regions/{}/subnetworks/default",
        "https://www.googleapis.com/compute/v1/projects/p/zones/{}",
        "https://www.googleapis.com/compute/v1/projects/p/zones/{}/instanceGroupManagers/gke-europe-west3-a",
        "https://www.googleapis.com/compute/v1/projects/example.com:p/regions/{}",
    ]
)


def known(location: str | None, type_: str, members: tuple[str, ...] = ()) -> Bound:
    found = bound(location, type_, members)
    assert found is not None
    return found


# --- normalise


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("EUROPE-WEST3", "europe-west3"),
        (" eu\n", "eu"),
        ("projects/p/locations/-", "-"),
        ("projects/locations/locations/europe-west3", "europe-west3"),
        ("projects/p/locations/us-east1/regions/europe-west3", "us-east1"),
        # other shapes stay as they are, and thereby unknown
        (
            "projects/p/instanceConfigs/regional-europe-west3",
            "projects/p/instanceconfigs/regional-europe-west3",
        ),
        ("projects/p/global/snapshots/europe-west3", "projects/p/global/snapshots/europe-west3"),
        ("regional-europe-west3", "regional-europe-west3"),
        ("europe-west3;us-east1", "europe-west3;us-east1"),
        ("projects/p/secrets/locations/europe-west3", "projects/p/secrets/locations/europe-west3"),
        ("", ""),
    ],
)
def test_normalise(said: str, meant: str) -> None:
    assert normalise(said) == meant


@given(st.one_of(st.text(), st.builds(str.format, spellings, st.text())))
def test_normalise_is_idempotent(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)


@given(spelling=spellings, region=regions, type_=types)
def test_every_spelling_of_a_region_has_its_bound(spelling: str, region: str, type_: str) -> None:
    plain = known(region, type_)
    assert bound(spelling.format(region), type_) == plain
    assert bound(spelling.format(region.upper()), type_) == plain


# --- regions and zones


@pytest.mark.parametrize(
    ("region", "country", "description"),
    [
        ("europe-west3", "DE", "europe-west3 (Frankfurt, Germany)"),
        ("europe-west10", "DE", "europe-west10 (Berlin, Germany)"),
        ("europe-west4", "NL", "europe-west4 (Netherlands)"),
        ("europe-west2", "GB", "europe-west2 (London, United Kingdom)"),
        ("europe-west6", "CH", "europe-west6 (Zurich, Switzerland)"),
        ("us-central1", "US", "us-central1 (Iowa, United States)"),
    ],
)
def test_region(region: str, country: str, description: str) -> None:
    assert bound(region, "gke") == Bound((region,), (country,), anywhere=False, description=description)


@pytest.mark.parametrize(
    ("location", "lawful"),
    [
        ("europe-west3", True),
        ("europe-west2", True),  # United Kingdom: adequacy decision
        ("europe-west6", True),  # Switzerland
        ("northamerica-northeast1", True),  # Canada: adequacy decision
        ("asia-northeast3", True),  # South Korea: adequacy decision
        ("us-central1", False),  # the decision covers certified organisations only
        ("southamerica-east1", False),
        ("me-central2", False),
        ("asia-east2", False),
        ("global", False),
    ],
)
def test_lawful(location: str, *, lawful: bool) -> None:
    assert known(location, "gcs").lawful is lawful


@given(region=regions, suffix=zone_suffixes, type_=types)
def test_a_zone_stands_for_its_region(region: str, suffix: str, type_: str) -> None:
    assert bound(region + suffix, type_) == known(region, type_)


@pytest.mark.parametrize(
    ("location", "region"), [("us-central1-ai1a", "us-central1"), ("EUROPE-WEST1-B", "europe-west1")]
)
def test_zone(location: str, region: str) -> None:
    assert known(location, "gke").regions == (region,)


def test_a_region_is_no_prefix_of_another() -> None:
    assert known("europe-west1", "gke").countries == ("BE",)
    assert known("europe-west10", "gke").countries == ("DE",)
    assert known("europe-west10-a", "gke").regions == ("europe-west10",)
    assert known("europe-west12-b", "gke").countries == ("IT",)
    assert bound("europe-west15", "gke") is None
    assert bound("europe-west15-a", "gke") is None


@pytest.mark.parametrize(
    "location",
    [
        None, "", " ", "-", "null", "None", "unspecified", "LOCATION_UNSPECIFIED", "projects/p/locations/",
        "europe-west", "europe-west33", "europe-west3-", "europe-west3a", "europe-west3-aa",
        "europe-west3-a-b", "europe-west3-1", "europe-west3-ai1", "europe-west3-aia", "xeurope-west3",
        "europe-west3 europe-west4", "eu rope-west3", "eu-west3", "frankfurt", "germany", "de-locations",
        "in:eu-locations", "jurisdiction:EU", "aws-eu-central-1", "azure-westeurope", "dual-region-germany1",
    ],
)  # fmt: skip
@pytest.mark.parametrize("type_", [*TYPES, "alloydb"])
def test_unknown(location: str | None, type_: str) -> None:
    assert bound(location, type_) is None


@pytest.mark.parametrize("location", LEFT_OUT)
def test_deliberately_unknown_has_no_bound(location: str) -> None:
    left_out = [entry for entry in TABLE["deliberately_unknown"] if location in entry["ids"]]
    for type_ in {type_ for entry in left_out for type_ in entry.get("types", [*TYPES, "alloydb"])}:
        assert bound(location, type_) is None
        assert bound(location, type_, ["europe-west3"]) is None


@given(text=st.text(), type_=types)
def test_text_that_is_not_in_the_table_has_no_bound(text: str, type_: str) -> None:
    if normalise(text) not in {*REGIONS, *MULTIS}:
        assert bound(text, type_) is None


@given(
    location=st.sampled_from([*REGIONS, *MULTIS]),
    extra=st.text("abcdeuropwst-0123456789", min_size=1, max_size=3),
    type_=types,
)
def test_a_longer_id_is_another_id(location: str, extra: str, type_: str) -> None:
    for text in (location + extra, extra + location):
        region = text.rpartition("-")[0]
        if text not in {*REGIONS, *MULTIS} and region not in REGIONS:
            assert bound(text, type_) is None


# --- multi- and dual-regions


@pytest.mark.parametrize(
    ("type_", "location", "members"),
    [
        ("gcs", "EUR4", ("europe-north1", "europe-west4")),
        ("gcs", "EUR5", ("europe-west1", "europe-west2")),
        ("gcs", "EUR7", ("europe-west2", "europe-west3")),
        ("gcs", "EUR8", ("europe-west3", "europe-west6")),
        ("gcs", "NAM4", ("us-central1", "us-east1")),
        ("gcs", "ASIA1", ("asia-northeast1", "asia-northeast2")),
        ("gcs", "DE", ("europe-west10", "europe-west3")),
        ("gcs", "IT", ("europe-west12", "europe-west8")),
        ("firestore", "eur3", ("europe-north1", "europe-west1", "europe-west4")),
        ("bigquery", "EU", ("europe-west1", "europe-west4")),
    ],
)
def test_multi_region_of_known_members(type_: str, location: str, members: tuple[str, ...]) -> None:
    found = known(location, type_)
    assert found.regions == members
    assert set(found.countries) == {TABLE["regions"][member]["country"] for member in members}


@pytest.mark.parametrize(("type_", "location"), [("gcs", "EU"), ("sql", "eu"), ("kms", "europe")])
def test_the_eu_is_bounded_by_its_member_states(type_: str, location: str) -> None:
    found = known(location, type_)
    assert (found.regions, set(found.countries), found.anywhere, found.lawful) == ((), EU, False, True)


@pytest.mark.parametrize(
    ("type_", "location", "country"),
    [
        ("gcs", "US", "US"), ("sql", "us", "US"), ("bigquery", "US", "US"), ("kms", "us", "US"),
        ("kms", "nam12", "US"), ("firestore", "nam5", "US"), ("firestore", "nam7", "US"),
        ("gcs", "CA", "CA"), ("kms", "ca", "CA"), ("gcs", "AU", "AU"), ("gcs", "IN", "IN"),
        ("kms", "in", "IN"),
    ],
)  # fmt: skip
def test_multi_region_of_one_country(type_: str, location: str, country: str) -> None:
    found = known(location, type_)
    assert (found.regions, found.countries, found.anywhere) == ((), (country,), False)


def test_asia_is_bounded_by_all_of_it() -> None:
    everywhere_in_asia = set(known("asia", "sql").countries)
    asian_regions = {region["country"] for id_, region in TABLE["regions"].items() if id_.startswith(("asia", "me-"))}
    assert asian_regions <= everywhere_in_asia
    assert set(known("ASIA", "gcs").countries) == everywhere_in_asia - {"HK", "ID"}
    assert not known("asia", "kms").lawful


@pytest.mark.parametrize(
    ("type_", "location"),
    [
        ("gke", "eu"), ("redis", "us"),  # services without multi-regions
        ("sql", "eur4"), ("bigquery", "EUR4"), ("firestore", "eu"), ("kms", "EU"), ("gcs", "europe"),
        ("kms", "eur3"), ("kms", "eur4"), ("kms", "eur5"), ("kms", "eur6"), ("kms", "asia1"), ("kms", "de"),
        ("gcs", "eur3"), ("firestore", "us"), ("alloydb", "eu"), ("", "us"),
    ],
)  # fmt: skip
def test_a_multi_region_of_one_type_is_unknown_to_another(type_: str, location: str) -> None:
    assert bound(location, type_) is None


@pytest.mark.parametrize("type_", [*TYPES, "alloydb"])
def test_global_is_anywhere(type_: str) -> None:
    expected = Bound((), (), anywhere=True, description="anywhere in the world")
    assert bound("global", type_) == bound("projects/p/locations/global/keyRings/r", type_) == expected


# --- members that the API names itself


def test_members_narrow() -> None:
    found = known("EU", "gcs", ("EUROPE-WEST3", "EUROPE-WEST10"))
    assert found == Bound(
        ("europe-west10", "europe-west3"),
        ("DE",),
        anywhere=False,
        description="dual-region europe-west10 (Berlin) and europe-west3 (Frankfurt)",
    )
    assert known("eu", "gcs", ("europe-west3",)) == known("europe-west3", "gcs")


@pytest.mark.parametrize(
    "members",
    [
        ("europe-west3", "europe-west15"),
        ("europe-west3", ""),
        ("europe-west3", "EU"),
        ("europe-west3", "europe-west3-a"),
    ],
)
def test_a_member_that_is_no_known_region_leaves_nothing_known(members: tuple[str, ...]) -> None:
    assert bound("EU", "gcs", members) is None
    assert bound("global", "gcs", members) is None


@pytest.mark.parametrize("location", [None, "", "-", "europe-west15", "nowhere"])
def test_members_say_nothing_of_an_unknown_location(location: str | None) -> None:
    assert bound(location, "gcs", ("europe-west3",)) is None


def test_members_that_contradict_the_table_widen() -> None:
    london = known("EU", "gcs", ("europe-west3", "europe-west2"))
    assert (london.regions, set(london.countries)) == ((), EU | {"GB"})
    assert "the API also names" in london.description
    assert known("DE", "gcs", ("europe-west3", "us-east1")).regions == (
        "europe-west10",
        "europe-west3",
        "us-east1",
    )
    assert known("us-east1", "gcs", ("europe-west3",)).countries == ("DE", "US")


@given(
    location=st.sampled_from([*REGIONS, *MULTIS]),
    type_=types,
    members=st.lists(regions, min_size=1, max_size=4).map(tuple),
)
def test_the_bound_holds_every_member_named(location: str, type_: str, members: tuple[str, ...]) -> None:
    found = bound(location, type_, members)
    assert (found is None) == (bound(location, type_) is None)
    if found is not None:
        assert all(found.holds(known(member, type_)) for member in members)


@pytest.mark.parametrize(("countries", "anywhere"), [((), False), (("DE",), True)])
def test_a_bound_of_nothing_cannot_be(countries: tuple[str, ...], *, anywhere: bool) -> None:
    with pytest.raises(ValueError, match="countries, or is anywhere"):
        Bound((), countries, anywhere=anywhere, description="")


def part(*regions: str, countries: str = "", anywhere: bool = False) -> Bound:
    return Bound(regions, tuple(countries.split()), anywhere, "")


FRANKFURT, FRANKFURT_AND_BERLIN = (
    part("europe-west3", countries="DE"),
    part("europe-west10", "europe-west3", countries="DE"),
)
GERMANY, EUROPE, ANYWHERE = part(countries="DE"), part(countries="DE FR"), part(anywhere=True)


@pytest.mark.parametrize(
    ("whole", "held", "not_held"),
    [
        (FRANKFURT, [FRANKFURT], [FRANKFURT_AND_BERLIN, GERMANY, EUROPE, ANYWHERE]),
        (FRANKFURT_AND_BERLIN, [FRANKFURT, FRANKFURT_AND_BERLIN], [GERMANY, EUROPE, ANYWHERE]),
        (GERMANY, [FRANKFURT, FRANKFURT_AND_BERLIN, GERMANY], [EUROPE, ANYWHERE]),
        (EUROPE, [FRANKFURT, GERMANY, EUROPE], [ANYWHERE]),
        (ANYWHERE, [FRANKFURT, GERMANY, EUROPE, ANYWHERE], []),
    ],
)
def test_a_bound_holds_what_certainly_lies_within_it(whole: Bound, held: list[Bound], not_held: list[Bound]) -> None:
    assert all(whole.holds(other) for other in held)
    assert not any(whole.holds(other) for other in not_held)


def test_blanks_within_a_path_are_no_part_of_a_location() -> None:
    assert normalise("projects/p/locations/ EU /keyRings/r") == "eu"
