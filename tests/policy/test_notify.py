"""`[notify]`: what it means, and everything that is wrong with one, without a word of what may be a secret."""

# ruff: noqa: E501 - messages stand here as people see them

from __future__ import annotations

import json
import tomllib
from typing import TYPE_CHECKING

import jsonschema
import pytest

from diga_verify.policy import policy_schema
from diga_verify.policy.notify import Gravity

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.policy import Policy

GOOD = """\
[notify]
report_url = "https://ci.example/{environment}/{project}"
[notify.slack.team]
url_env = "SLACK_WEBHOOK"
[notify.email.officer]
host = "smtp.example.org"
sender = "diga-verify@example.org"
to = ["officer@example.org"]
username = "gate"
password_file = "/run/secrets/smtp"
[notify.sms.on-call]
url = "https://sms.example/send"
to = ["+4930123456"]
token_env = "SMS_TOKEN"
[notify.apprise.others]
urls_env = "APPRISE_URLS"
[[notify.routes]]
to = "team"
[[notify.routes]]
to = ["officer", "others"]
when = ["critical", "missing"]
environments = ["production"]
[[notify.routes]]
to = "on-call"
when = ["critical"]
environments = ["production"]
after_hours = 4
"""
CANARY = "T0CANARY/B0CANARY/c4n4ry"


def at(number: int) -> str:
    """The line of the policy that is line `number` of what stands in [notify]."""
    return f"regions.toml:{14 + number}: "


def test_routes_say_who_is_told_of_what_where_and_when(read: Callable[..., Policy], small: str) -> None:
    notify = read(small + GOOD).notify
    assert notify is not None
    assert [(kind, name) for kind, name, _ in notify.channels()] == [
        ("slack", "team"),
        ("email", "officer"),
        ("sms", "on-call"),
        ("apprise", "others"),
    ]
    assert [route.when for route in notify.routes_of("team", "staging")] == [[*Gravity]]
    assert notify.routes_of("officer", "staging") == ()
    assert [route.after_hours for route in notify.routes_of("on-call", "production")] == [4]
    assert notify.repeat_hours == 23


def test_without_it_nobody_is_told(read: Callable[..., Policy], small: str) -> None:
    assert read(small).notify is None


def test_the_schema_takes_it(small: str) -> None:
    jsonschema.validate(tomllib.loads(small + GOOD), json.loads(policy_schema()))


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        (
            'url_env = "SLACK_WEBHOOK"',
            f'url = "https://hooks.slack.com/services/{CANARY}"',
            4,
            "unknown key 'url' in [notify.slack.team]: secrets have no place in a policy; name an environment variable with 'url_env', or a file with 'url_file'",
        ),
        (
            'url_env = "SLACK_WEBHOOK"',
            f'url_env = "https://hooks.slack.com/services/{CANARY}"',
            4,
            "'url_env' must be the name of an environment variable, such as SLACK_WEBHOOK, which holds the secret",
        ),
        (
            'url = "https://sms.example/send"',
            f'url = "https://sms.example/send?api_key={CANARY}"',
            12,
            "'url' looks like a secret, and a policy is read by many: put it into an environment variable or a file, and name that with a key that ends in _env or _file",
        ),
        (
            'url = "https://sms.example/send"',
            f'url = "https://user:{CANARY[-6:]}@sms.example/send"',
            12,
            "'url' looks like a secret, and a policy is read by many: put it into an environment variable or a file, and name that with a key that ends in _env or _file",
        ),
        (
            'password_file = "/run/secrets/smtp"',
            f'password = "{CANARY}"',
            10,
            "unknown key 'password' in [notify.email.officer]: secrets have no place in a policy; name an environment variable with 'password_env', or a file with 'password_file'",
        ),
        (
            'url_env = "SLACK_WEBHOOK"\n',
            "",
            3,
            "[notify.slack.team] lacks 'url_env' or 'url_file'",
        ),
        (
            'url_env = "SLACK_WEBHOOK"',
            'url_env = "A"\nurl_file = "b"',
            5,
            "[notify.slack.team] has 'url_env' and 'url_file': keep one of them",
        ),
        (
            'password_file = "/run/secrets/smtp"\n',
            "",
            5,
            "[notify.email.officer] needs both 'username' and 'password_env' or 'password_file'",
        ),
        (
            'username = "gate"',
            'username = "gate"\nsecurity = "none"',
            10,
            "'security' may be 'none' with this machine only: use 'starttls' or 'tls'",
        ),
        (
            'username = "gate"',
            'username = "gate"\nsecurity = "starttl"',
            10,
            "'security' is 'starttl'; it must be 'starttls', 'tls' or 'none'; did you mean 'starttls'?",
        ),
        (
            '"officer@example.org"',
            r'"officer@example.org\nBcc: other@example.org"',
            8,
            "element 1 of 'to' must be an e-mail address alone, such as officer@example.org",
        ),
        (
            "https://sms.example/send",
            "http://sms.example/send",
            12,
            "'url' is plain http to another machine: it must begin with https://",
        ),
        (
            'token_env = "SMS_TOKEN"',
            'fields = { number = "{to}", text = "{txt}" }',
            14,
            "unknown placeholder 'txt' in 'text'; did you mean 'text'?",
        ),
        (
            "{environment}/{project}",
            "{projekt}",
            2,
            "unknown placeholder 'projekt' in 'report_url'; did you mean 'project'?",
        ),
        ('to = "team"', 'to = "taem"', 18, "unknown channel 'taem'; did you mean 'team'?"),
        ('environments = ["production"]', 'environments = ["prod"]', 22, "unknown environment 'prod'"),
        (
            'when = ["critical", "missing"]',
            'when = ["critical", "missing", "critical"]',
            21,
            "'critical' is repeated in 'when'",
        ),
        (
            'when = ["critical", "missing"]',
            'when = ["critical", "mising"]',
            21,
            "element 2 of 'when' is 'mising'; it must be 'critical', 'high', 'missing' or 'unverified'; did you mean 'missing'?",
        ),
        (
            'password_file = "/run/secrets/smtp"',
            f'password_file = "smtp://{CANARY}"',
            10,
            "'password_file' looks like a secret, and a policy is read by many: put it into an environment variable or a file, and name that with a key that ends in _env or _file",
        ),
        (
            'to = "team"',
            f'to = ["team", "https://hooks.slack.com/services/{CANARY}"]',
            18,
            "'to' looks like a secret, and a policy is read by many: put it into an environment variable or a file, and name that with a key that ends in _env or _file",
        ),
        ("after_hours = 4", "after_hours = -1", 27, "'after_hours' is -1; the limit is at least 0"),
        ("after_hours = 4", "after_hours = 9999", 27, "'after_hours' is 9999; the limit is at most 8760"),
        (
            'to = ["officer", "others"]',
            'to = ["officer"]',
            15,
            "no route leads to the channel 'others': add it to `to` of a [[notify.routes]]",
        ),
        (
            "[notify.apprise.others]",
            "[notify.apprise.team]",
            15,
            "'team' is the name of a channel in [notify.slack] already",
        ),
        ("[notify.slack.team]", "[notify.slak.team]", 3, "unknown key 'slak' in [notify]; did you mean 'slack'?"),
        (
            "[notify.slack.team]",
            "[notify.slack.Team]",
            3,
            "'Team' is no name of a channel: at most 40 small letters, digits, '-' and '_', a letter first",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_no_secret(
    problems: Callable[..., str], small: str, old: str, new: str, line: int, said: str
) -> None:
    assert old in GOOD
    told = problems(small + GOOD.replace(old, new, 1))
    assert at(line) + said in told.splitlines()
    assert "c4n4ry" not in told


@pytest.mark.parametrize("path", ["/run/hooks/smtp", "secrets/webhook", "/run/secrets/token"])
def test_the_name_of_a_file_is_no_secret(read: Callable[..., Policy], small: str, path: str) -> None:
    read(small + GOOD.replace("/run/secrets/smtp", path))


def test_nobody_to_tell_is_an_error(problems: Callable[..., str], small: str) -> None:
    assert problems(small + "[notify]\nrepeat_hours = 1\n") == at(1) + "[notify] lacks the key 'routes'"


def test_a_wrong_choice_elsewhere_is_a_problem_and_no_crash(problems: Callable[..., str], small: str) -> None:
    said = problems(small.replace('"required"', '"required"\nsecond_witness = "requird"'))
    assert (
        said
        == "regions.toml:7: 'second_witness' is 'requird'; it must be 'required' or 'optional'; did you mean 'required'?"
    )
