"""docs/notify.md says what the code does."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

from diga_verify.model import Project
from diga_verify.notify.send import CHANNEL_SECONDS
from diga_verify.notify.state import Subject, load
from diga_verify.policy import default_policy, parse_policy
from diga_verify.policy.notify import KINDS, Gravity

PAGE = (Path(__file__).parents[2] / "docs" / "notify.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def test_the_example_is_a_policy() -> None:
    policy = parse_policy(
        default_policy() + f"\n{block('toml')}".encode(), path="regions.toml", today=date(2026, 11, 23)
    )
    assert policy.notify is not None
    assert [kind for kind, _, _ in policy.notify.channels()] == ["slack", "email", "sms"]
    assert [route.after_hours for route in policy.notify.routes] == [0, 0, 4]


def test_the_state_shown_is_a_state(tmp_path: Path) -> None:
    (tmp_path / "state.json").write_text(block("json"))
    subject = Subject(Project("dtx-data", "100000000001", None), "production", simulated=False)
    [one] = load(tmp_path / "state.json", subject)[0].open
    assert (one.gravity, set(one.told)) == (Gravity.CRITICAL, {"team", "on-call"})


def test_every_kind_of_channel_and_every_gravity_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert [row for row in rows if row in KINDS] == [*KINDS]
    assert [row for row in rows if row in {*Gravity}] == [*Gravity]


def test_the_limits_are_those_that_hold() -> None:
    assert f"A channel has {CHANNEL_SECONDS:.0f} seconds, and none waits for another." in PAGE
