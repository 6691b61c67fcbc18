"""A small valid policy, and the two ways to look at a text: the policy it makes, the problems it has."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from diga_verify.errors import PolicyError
from diga_verify.model import TYPES
from diga_verify.policy import parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from diga_verify.policy import Policy

SMALL = """\
version = 1
[locations]
frankfurt = ["europe-west3"]
eu = ["jurisdiction:EU"]
[environments.production]
enforcement = "required"
[environments.staging]
enforcement = "recommended"
[rules]
primary = "frankfurt"
node = "frankfurt"
replica = "frankfurt"
backup = ["frankfurt", "eu"]
key = "frankfurt"
"""
TODAY = date(2026, 11, 23)


@pytest.fixture
def small() -> str:
    """14 lines, valid, every rule in [rules]."""
    return SMALL


@pytest.fixture
def read() -> Callable[..., Policy]:
    """The policy in a text."""

    def read(text: str | bytes, today: date = TODAY, known_types: Sequence[str] = TYPES) -> Policy:
        data = text.encode() if isinstance(text, str) else text
        return parse_policy(data, path="regions.toml", today=today, known_types=known_types)

    return read


@pytest.fixture
def problems(read: Callable[..., Policy]) -> Callable[..., str]:
    """The problems of a text as people see them; fails the test if there are none."""

    def problems(text: str | bytes, **options: object) -> str:
        with pytest.raises(PolicyError) as caught:
            read(text, **options)
        return str(caught.value)

    return problems
