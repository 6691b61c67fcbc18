"""Everything wrong with a policy, at once, each with its line and what may have been meant."""

# ruff: noqa: E501 - messages stand here as people see them

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.policy import Policy

BROKEN = """\
version = 2
extra = 1
[locations]
frankfurt = ["europe-west33", "europe-west3", "EUROPE-WEST3"]
none = []
eu = "jurisdiction:EU"
blank = ["", 3]
[environments.Prod]
enforcement = "required"
[environments.demo]
enforcement = "requird"
project = 12
unused = ["reddis", "sql", "sql"]
[environments.staging]
enforcment = "free"
required_for_labels = [
    { key = "Data", values = [] },
    { key = "data", valeus = ["x"] },
]
[environments.staging.rules]
backup = ["eu", "eux", "eu"]
[rules]
primary = "frankfort"
nodes = "frankfurt"
key = 3
[rules.kmss]
primary = "frankfurt"
[rules.gcs]
primry = "frankfurt"
replica = []
[[expected]]
type = "redis"
name = "cache"
location = "europe-west33"
[[expected]]
type = "redis"
name = "other"
environments = ["stagin"]
[[expected]]
type = "sql"
name = "postgres"
[[waivers]]
resource = "bucket"
role = "primray"
location = "EU"
reason = " "
expires = 2026-11-22
[[waivers]]
resource = "//storage.googleapis.com/b"
role = "primary"
location = "EU"
reason = "r"
owner = "o"
expires = 2027-11-25
[[waivers]]
resource = "//storage.googleapis.com/b"
role = "primary"
location = "eu"
reason = "r"
owner = "o"
expires = "2027-01-01"
[assume.sql]
backup = "EUR5"
[assume.gcs]
"""

SAID = """\
regions.toml:1: 'version' is 2; this diga-verify reads version 1
regions.toml:2: unknown key 'extra' in the policy; known: version, locations, environments, rules, expected, waivers, assume and notify
regions.toml:4: in set 'frankfurt': 'europe-west33' stands for no known location; did you mean europe-west3 or europe-west9 or europe-west8?
regions.toml:4: 'europe-west3' is repeated in set 'frankfurt'
regions.toml:5: 'none' must not be empty
regions.toml:6: 'eu' must be an array, not a string
regions.toml:7: element 1 of 'blank' must not be blank
regions.toml:7: element 2 of 'blank' must be a string, not an integer
regions.toml:8: 'Prod' is no name of an environment: small letters, digits, '-' and '_', a letter first
regions.toml:10: an environment cannot be called 'demo': that is a command of diga-verify
regions.toml:11: 'enforcement' is 'requird'; it must be 'required', 'recommended' or 'free'; did you mean 'required'?
regions.toml:12: 'project' must be a string, not an integer
regions.toml:13: unknown type 'reddis'; did you mean 'redis'?
regions.toml:13: 'sql' is repeated in 'unused'
regions.toml:14: [environments.staging] lacks the key 'enforcement'
regions.toml:15: unknown key 'enforcment' in [environments.staging]; did you mean 'enforcement'?
regions.toml:17: 'key' is 'Data'; it must be 1 to 63 small letters, digits, '-' and '_', as all keys of labels are
regions.toml:17: 'values' must not be empty
regions.toml:18: [[environments.staging.required_for_labels]] lacks the key 'values'
regions.toml:18: unknown key 'valeus' in [[environments.staging.required_for_labels]]; did you mean 'values'?
regions.toml:21: unknown set 'eux' in [environments.staging.rules]; did you mean 'eu'?
regions.toml:21: 'eu' is repeated in 'backup' of [environments.staging.rules]
regions.toml:22: nothing says where 'node' may be for any type in 'Prod', 'demo' and 'staging'; add node = "SET" to [rules]
regions.toml:22: nothing says where 'replica' may be for gke, sql, redis, bigquery, firestore and kms in 'Prod', 'demo' and 'staging'; add replica = "SET" to [rules]
regions.toml:22: nothing says where 'backup' may be for any type in 'Prod' and 'demo'; add backup = "SET" to [rules]
regions.toml:23: unknown set 'frankfort' in [rules]; did you mean 'frankfurt'?
regions.toml:24: unknown role 'nodes' in [rules]; known: primary, node, replica, backup and key, and for types there are tables; did you mean 'node'?
regions.toml:25: 'key' must be the name of a set, or an array of names, not an integer
regions.toml:26: unknown type 'kmss'; did you mean 'kms'?
regions.toml:29: unknown key 'primry' in [rules.gcs]; did you mean 'primary'?
regions.toml:30: 'replica' must not be empty
regions.toml:34: 'europe-west33' stands for no known location of redis; did you mean 'europe-west3'?
regions.toml:38: unknown environment 'stagin'; did you mean 'staging'?
regions.toml:39: sql 'postgres' is expected in 'demo', which declares sql unused
regions.toml:42: [[waivers]] lacks the key 'owner'
regions.toml:43: 'resource' is 'bucket'; it must be the full name of one resource, such as '//storage.googleapis.com/my-bucket'
regions.toml:44: 'role' is 'primray'; it must be 'primary', 'node', 'replica', 'backup' or 'key'; did you mean 'primary'?
regions.toml:46: 'reason' must not be blank
regions.toml:47: the waiver expired on 2026-11-22, and today is 2026-11-23; renew or remove it
regions.toml:54: a waiver holds for a year at most: 2027-11-25 is later than 2027-11-24
regions.toml:55: '//storage.googleapis.com/b' has two waivers for 'primary' in 'eu'
regions.toml:61: 'expires' must be a date without quotes, such as 2027-01-31, not a string
regions.toml:63: 'EUR5' stands for no known location of sql; did you mean 'eu'?
regions.toml:64: unknown key 'gcs' in [assume]; known: sql"""


def test_all_problems_at_once(problems: Callable[..., str]) -> None:
    assert problems(BROKEN) == SAID


@pytest.mark.parametrize("value", ["*", "health*", "he?lth", "a,b", "Health", "a b", "/health/", "~", "^"])
def test_a_label_that_none_can_have(problems: Callable[..., str], small: str, value: str) -> None:
    """It would call nothing personal data, where it means to call much so."""
    label = f'required_for_labels = [{{ key = "data", values = ["personal", "{value}"] }}]'
    said = "must be at most 63 small letters, digits, '-' and '_', as all values of labels are"
    changed = small.replace("[rules]", f"{label}\n[rules]")
    assert problems(changed) == f"regions.toml:9: element 2 of 'values' is '{value}'; it {said}"


@pytest.mark.parametrize("value", ["", "0", "personal-data_2", "gesundheit-ä", "健康"])
def test_a_label_in_any_script(read: Callable[..., Policy], small: str, value: str) -> None:
    label = f'required_for_labels = [{{ key = "data", values = ["{value}"] }}]'
    assert read(small.replace("[rules]", f"{label}\n[rules]")).rules["staging"].holds_personal_data({"data": value})


@pytest.mark.parametrize(
    ("added", "said"),
    [
        (
            "x = 1",
            "unknown role 'x' in [rules]; known: primary, node, replica, backup and key, and for types there are tables",
        ),
        (
            'kms = "eu"',
            "unknown role 'kms' in [rules]; known: primary, node, replica, backup and key, and for types there are tables",
        ),
        ("gcs.primary = 2026-01-01", "'primary' must be the name of a set, or an array of names, not a date"),
        ("gcs.primary = ['eu', inf]", "element 2 of 'primary' must be a string, not a float"),
        ("gcs.primary = ''", "element 1 of 'primary' must not be blank"),
        (
            "gcs.primary = 'asia'",
            "unknown set 'asia' in [rules.gcs]; [locations] defines 'frankfurt' and 'eu'",
        ),
        ("[[expected]]\ntype = true\nname = 'x'", "'type' must be a string, not a boolean"),
        (
            "[[expected]]\ntype = 'alloydb'\nname = 'x'",
            "unknown type 'alloydb'; known: gke, sql, redis, bigquery, firestore, gcs and kms",
        ),
        ("[[expected]]\ntype = 'gke'\nname = ' '", "'name' must not be blank"),
        ("[[expected]]\ntype = 'gke'\nname = 'a'\nenvironments = []", "'environments' must not be empty"),
        ("[expected]", "'expected' must be an array, not a table"),
        (
            "[environments.policy]\nenforcement = 'free'",
            "an environment cannot be called 'policy': that is a command of diga-verify",
        ),
        ("[environments.x]\nenforcement = 3", "'enforcement' must be a string, not an integer"),
        ("[environments.x]\nenforcement = 'free'\nproject = ''", "'project' must not be blank"),
        ("[environments.x]\nenforcement = 'free'\nunused = []", "'unused' must not be empty"),
        (
            "[environments.'a b']\nenforcement = 'free'",
            "'a b' is no name of an environment: small letters, digits, '-' and '_', a letter first",
        ),
        ("[assume]\nsql = 'eu'", "'sql' must be a table, not a string"),
        ("[assume.sql]\nbackup = 'eur4'", "'eur4' stands for no known location of sql; did you mean 'eu'?"),
    ],
)
def test_each_mistake_is_named(problems: Callable[..., str], small: str, added: str, said: str) -> None:
    place, _, message = problems(small + added + "\n").partition(": ")
    assert (place.split(":")[0], message) == ("regions.toml", said)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("0", "'version' is 0; this diga-verify reads version 1"),
        ("true", "'version' must be an integer, not a boolean"),
        ("1.0", "'version' must be an integer, not a float"),
        ("nan", "'version' must be an integer, not a float"),
        ('"1"', "'version' must be an integer, not a string"),
    ],
)
def test_the_version_is_the_number_one(problems: Callable[..., str], small: str, version: str, said: str) -> None:
    assert problems(small.replace("version = 1", f"version = {version}")) == f"regions.toml:1: {said}"


@pytest.mark.parametrize("role", ["primary", "node", "replica", "backup", "key"])
def test_every_role_needs_a_rule(problems: Callable[..., str], small: str, role: str) -> None:
    without = "".join(line for line in small.splitlines(True) if not line.startswith(role))
    assert problems(without) == (
        f"regions.toml:9: nothing says where '{role}' may be for any type in 'production' and 'staging'; "
        f'add {role} = "SET" to [rules]'
    )


def test_a_rule_for_each_type_is_enough(read: Callable[..., Policy], small: str) -> None:
    types = ("gcs", "alloydb")
    rules = "".join(f'[rules.{type_}]\nkey = "eu"\n' for type_ in types)
    read(small.replace('key = "frankfurt"\n', "") + rules, known_types=types)


@pytest.mark.parametrize("text", ["", "\ufeff# nothing\r\n"])
def test_an_empty_file_lacks_everything(problems: Callable[..., str], text: str) -> None:
    lacking = ["version", "locations", "environments"]
    assert problems(text).splitlines() == [f"regions.toml:1: the policy lacks the key {key!r}" for key in lacking]


WAIVER = """\
[[waivers]]
resource = "//storage.googleapis.com/b"
role = "backup"
location = "EU"
reason = "public images"
owner = "data-protection officer"
expires = 2026-11-23
"""


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        ("2026-11-22", "the waiver expired on 2026-11-22, and today is 2026-11-23; renew or remove it"),
        ("2027-11-25", "a waiver holds for a year at most: 2027-11-25 is later than 2027-11-24"),
        (
            "2027-01-31T00:00:00",
            "'expires' must be a date without quotes, such as 2027-01-31, not a date with a time",
        ),
        ("00:00:00", "'expires' must be a date without quotes, such as 2027-01-31, not a time"),
    ],
)
def test_a_waiver_needs_a_day_within_a_year(problems: Callable[..., str], small: str, expires: str, said: str) -> None:
    assert problems(small + WAIVER.replace("2026-11-23", expires)) == f"regions.toml:21: {said}"


@pytest.mark.parametrize("expires", ["2026-11-23", "2027-11-24"])
def test_a_waiver_holds_on_its_last_day(read: Callable[..., Policy], small: str, expires: str) -> None:
    policy = read(small + WAIVER.replace("2026-11-23", expires))
    assert policy.environment("staging").waivers[0].expires == date.fromisoformat(expires)


@pytest.mark.parametrize("key", ["resource", "role", "location", "reason", "owner", "expires"])
def test_a_waiver_needs_all_its_keys(problems: Callable[..., str], small: str, key: str) -> None:
    without = "".join(line for line in WAIVER.splitlines(True) if not line.startswith(key))
    assert problems(small + without) == f"regions.toml:15: [[waivers]] lacks the key '{key}'"


@pytest.mark.parametrize("name", ["//storage.googleapis.com/*", "storage.googleapis.com/b", "//b", "// /b"])
def test_a_waiver_names_one_resource(problems: Callable[..., str], small: str, name: str) -> None:
    said = problems(small + WAIVER.replace("//storage.googleapis.com/b", name))
    assert said == (
        f"regions.toml:16: 'resource' is '{name}'; it must be the full name of one resource, "
        "such as '//storage.googleapis.com/my-bucket'"
    )


def test_two_waivers_may_not_meet_in_an_environment(
    read: Callable[..., Policy], problems: Callable[..., str], small: str
) -> None:
    staging, production = (WAIVER + f'environments = ["{name}"]\n' for name in ("staging", "production"))
    read(small + staging + production)
    assert problems(small + staging + WAIVER) == (
        "regions.toml:23: '//storage.googleapis.com/b' has two waivers for 'backup' in 'EU'"
    )


def test_two_expected_resources_may_not_meet_in_an_environment(
    read: Callable[..., Policy], problems: Callable[..., str], small: str
) -> None:
    cluster = '[[expected]]\ntype = "gke"\nname = "c"\n'
    here, there = (cluster + f'location = "europe-west{n}"\n' for n in (3, 4))
    read(small + here + there + cluster)
    assert problems(small + here + there + here) == "regions.toml:23: gke 'c' is expected twice"


def test_long_and_strange_text_is_shortened_and_spelled_out(problems: Callable[..., str], small: str) -> None:
    strange = small + '"\\u001b[31m' + "x" * 100 + '" = 1\n'
    assert problems(strange).startswith(f"regions.toml:15: unknown role '\\x1b[31m{'x' * 52}...' in [rules]")


def test_a_flood_of_problems_is_cut(problems: Callable[..., str], small: str) -> None:
    said = problems("".join(f"x{n} = 1\n" for n in range(2000)) + small).splitlines()
    assert len(said) == 501
    assert said[-1] == "regions.toml: there are more; these are the first 500"
