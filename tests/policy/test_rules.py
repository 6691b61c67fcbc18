"""What a policy asks for in each environment: which rule holds, and everything else the evaluator asks."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from diga_verify.errors import UsageError
from diga_verify.locations.algebra import bound
from diga_verify.model import TYPES, Enforcement, Reason, Role, Unread
from diga_verify.policy import Allowed, Assumption, Expected, Waiver

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.policy import Policy

LAYERED = """\
version = 1
[locations]
one = ["europe-west1"]
two = ["europe-west2"]
three = ["europe-west3", "europe-west1"]
four = ["europe-west4"]
[environments.staging]
enforcement = "recommended"
[environments.staging.rules]
primary = "three"
[environments.staging.rules.kms]
primary = ["four", "three", "one"]
[environments.production]
enforcement = "required"
[rules]
primary = "one"
node = "one"
replica = "one"
backup = "one"
key = "one"
[rules.kms]
primary = "two"
key = "two"
"""


@pytest.mark.parametrize(
    ("environment", "type_", "role", "sets", "line"),
    [
        ("production", "gcs", Role.PRIMARY, ("one",), 16),  # [rules]
        ("production", "kms", Role.PRIMARY, ("two",), 22),  # [rules.TYPE] before [rules]
        ("production", "kms", Role.NODE, ("one",), 17),  # a type's table says nothing of other roles
        ("staging", "gcs", Role.PRIMARY, ("three",), 10),  # the environment before [rules]
        ("staging", "kms", Role.PRIMARY, ("four", "three", "one"), 12),  # its own table for the type first
        ("staging", "kms", Role.KEY, ("two",), 23),
        ("staging", "gcs", Role.KEY, ("one",), 20),
    ],
)
def test_the_nearest_rule_holds(
    read: Callable[..., Policy], environment: str, type_: str, role: Role, sets: tuple[str, ...], line: int
) -> None:
    allowed = read(LAYERED).environment(environment).allowed(type_, role)
    assert (allowed.sets, allowed.line) == (sets, line)


def test_what_an_environment_says_holds_for_types_that_differ_elsewhere(read: Callable[..., Policy]) -> None:
    own_table_gone = LAYERED.replace('[environments.staging.rules.kms]\nprimary = ["four", "three", "one"]\n', "")
    assert read(own_table_gone).environment("staging").allowed("kms", Role.PRIMARY).sets == ("three",)


def test_allowed_is_all_of_its_sets(read: Callable[..., Policy]) -> None:
    allowed = read(LAYERED).environment("staging").allowed("kms", Role.PRIMARY)
    assert allowed.entries == ("europe-west4", "europe-west3", "europe-west1")
    assert isinstance(allowed, Allowed)
    covered = [n for n in range(1, 5) if allowed.area.covers(f"europe-west{n}", bound(f"europe-west{n}", "kms"))]
    assert covered == [1, 3, 4]


def test_there_is_a_rule_for_every_role_of_every_known_type(read: Callable[..., Policy], small: str) -> None:
    types = (*TYPES, "alloydb")
    rules = read(small, known_types=types).environment("production")
    assert {rules.allowed(type_, role).sets for type_ in types for role in Role} == {
        ("frankfurt",),
        ("frankfurt", "eu"),
    }
    with pytest.raises(KeyError):
        rules.allowed("spanner", Role.PRIMARY)


REST = """\
[environments.development]
enforcement = "free"
project = "dtx-development"
unused = ["redis", "gke"]
required_for_labels = [
    { key = "data", values = ["personal", "health"] },
    { key = "dsgvo", values = [""] },
]
[[expected]]
type = "sql"
name = "postgres"
[[expected]]
type = "kms"
name = "ring/key"
location = "europe-west3"
environments = ["development", "staging"]
[[expected]]
type = "gke"
name = "cluster"
environments = ["production"]
"""


def test_an_environment_says_how_much_it_means(read: Callable[..., Policy], small: str) -> None:
    policy = read(small + REST)
    development, production = policy.environment("development"), policy.environment("production")
    assert (development.name, development.enforcement) == ("development", Enforcement.FREE)
    assert (development.project, production.project) == ("dtx-development", None)
    assert development.unused == {"redis", "gke"}
    assert production.unused == frozenset()


@pytest.mark.parametrize(
    ("labels", "personal"),
    [
        ({"data": "personal"}, True),
        ({"team": "a", "data": "health"}, True),
        ({"dsgvo": ""}, True),
        ({"data": "public", "dsgvo": "no"}, False),
        ({"date": "personal"}, False),
        ({}, False),
    ],
)
def test_labels_tell_personal_data(
    read: Callable[..., Policy], small: str, labels: dict[str, str], personal: bool
) -> None:
    policy = read(small + REST)
    assert policy.environment("development").holds_personal_data(labels) is personal
    assert policy.environment("production").holds_personal_data(labels) is False


def test_expected_resources_are_those_of_the_environment(read: Callable[..., Policy], small: str) -> None:
    policy = read(small + REST)
    everywhere = Expected("sql", "postgres", None, 23)
    assert policy.environment("development").expected == (
        everywhere,
        Expected("kms", "ring/key", "europe-west3", 26),
    )
    assert policy.environment("production").expected == (everywhere, Expected("gke", "cluster", None, 31))


WAIVERS = """\
[[waivers]]
resource = "//storage.googleapis.com/elsewhere"
role = "key"
location = "us"
reason = "r"
owner = "o"
expires = 2027-01-31
environments = ["staging"]
[[waivers]]
resource = "//storage.googleapis.com/dtx-public-images"
role = "primary"
location = "EU"
reason = "public images, no personal data"
owner = "data-protection officer"
expires = 2027-01-31
"""


def test_waivers_are_those_of_the_environment(read: Callable[..., Policy], small: str) -> None:
    policy = read(small + WAIVERS)
    assert policy.environment("production").waivers == (
        Waiver(
            resource="//storage.googleapis.com/dtx-public-images",
            role=Role.PRIMARY,
            location="EU",
            reason="public images, no personal data",
            owner="data-protection officer",
            expires=date(2027, 1, 31),
            line=23,
        ),
    )
    assert [waiver.line for waiver in policy.environment("staging").waivers] == [15, 23]


@pytest.mark.parametrize(
    ("name", "role", "location", "matches"),
    [
        ("//storage.googleapis.com/dtx-public-images", Role.PRIMARY, "EU", True),
        ("//storage.googleapis.com/dtx-public-images", Role.PRIMARY, "eu", True),
        ("//storage.googleapis.com/dtx-public-images", Role.PRIMARY, "EUR4", False),
        ("//storage.googleapis.com/dtx-public-images", Role.PRIMARY, None, False),
        ("//storage.googleapis.com/dtx-public-images", Role.BACKUP, "EU", False),
        ("//storage.googleapis.com/dtx-public-images-2", Role.PRIMARY, "EU", False),
        ("//storage.googleapis.com/DTX-public-images", Role.PRIMARY, "EU", False),
    ],
)
def test_a_waiver_is_exact(
    read: Callable[..., Policy], small: str, name: str, role: Role, location: str | None, matches: bool
) -> None:
    (waiver,) = read(small + WAIVERS).environment("production").waivers
    assert waiver.matches(name, role, location) is matches


def test_only_what_the_policy_vouches_for_is_assumed(read: Callable[..., Policy], small: str) -> None:
    assert read(small).environment("production").assumed_location("sql", Role.BACKUP) is None
    rules = read(small + '[assume.sql]\nbackup = "eu"\n').environment("production")
    assert rules.assumed_location("sql", Role.BACKUP) == Assumption("eu", 16)
    assert rules.assumed_location("sql", Role.PRIMARY) is None
    assert rules.assumed_location("redis", Role.BACKUP) is None


def test_an_environment_that_the_policy_does_not_define(read: Callable[..., Policy]) -> None:
    policy = read(LAYERED)
    assert policy.environments == ("staging", "production")
    with pytest.raises(UsageError) as error:
        policy.environment("produktion")
    assert "but staging and production" in str(error.value)
    assert "did you mean 'production'?" in str(error.value)


@pytest.mark.parametrize(
    ("unread", "settled"),
    [
        (Unread("gcs", "b", Reason.API_DISABLED, "", off_in_project=True), True),
        (Unread("kms", "b", Reason.API_DISABLED, "", off_in_project=True), False),
        (Unread("gcs", "b", Reason.PERMISSION_DENIED, "", off_in_project=True), False),
        (Unread("gcs", "b", Reason.API_DISABLED, ""), False),
    ],
)
def test_only_an_api_that_is_off_in_the_project_settles_a_type_declared_unused(
    unread: Unread, settled: bool, read: Callable[..., Policy]
) -> None:
    policy = read(LAYERED.replace('enforcement = "required"', 'enforcement = "required"\nunused = ["gcs", "sql"]'))
    assert policy.environment("production").settles(unread) is settled


def test_a_second_witness_is_required_where_the_policy_says_so(read: Callable[..., Policy]) -> None:
    policy = read(LAYERED.replace('enforcement = "required"', 'enforcement = "required"\nsecond_witness = "required"'))
    assert policy.environment("production").second_witness
    assert not policy.environment("staging").second_witness
