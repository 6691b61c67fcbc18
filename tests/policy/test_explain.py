"""`policy explain`: allowed or not, and by which line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from diga_verify.errors import UsageError
from diga_verify.policy import NamedSet, explain

if TYPE_CHECKING:
    from collections.abc import Callable

    from diga_verify.policy import Policy


def test_allowed_by_a_jurisdiction(read: Callable[..., Policy], small: str) -> None:
    told = explain(read(small), "gcs", "backup", "EUR4", "staging")
    assert (told.allowed, told.lawful, told.rule.line) == (True, True, 13)
    assert told.sets == {"frankfurt": NamedSet(("europe-west3",), 3), "eu": NamedSet(("jurisdiction:EU",), 4)}
    assert told.bound is not None
    assert told.bound.regions == ("europe-north1", "europe-west4")
    assert told.sentences == (
        "gcs backup in 'EUR4' is allowed in staging.",
        f"'EUR4' stands for {told.bound.description}.",
        "That is inside what DiGAV section 4(3) allows.",
        "regions.toml:13: gcs backup may lie in frankfurt and eu.",
        "regions.toml:3: frankfurt is europe-west3.",
        "regions.toml:4: eu is jurisdiction:EU.",
    )


def test_lawful_and_not_allowed(read: Callable[..., Policy], small: str) -> None:
    told = explain(read(small), "gcs", "primary", "EUR8", "production")
    assert (told.allowed, told.lawful, told.rule.line) == (False, True, 10)
    assert told.sentences[0] == "gcs primary in 'EUR8' is not allowed in production."


def test_outside_the_law(read: Callable[..., Policy], small: str) -> None:
    told = explain(read(small), "gke", "node", "us-east1-b", "production")
    assert (told.allowed, told.lawful) == (False, False)
    assert told.sentences[2] == "That is outside what DiGAV section 4(3) allows."


def test_an_unknown_location_is_unverified(read: Callable[..., Policy], small: str) -> None:
    told = explain(read(small), "sql", "backup", "atlantis", "production")
    assert (told.allowed, told.lawful, told.bound) == (None, None, None)
    assert told.sentences[:2] == (
        "sql backup in 'atlantis' is unverified: nothing is known of that location in production.",
        "regions.toml:13: sql backup may lie in frankfurt and eu.",
    )


def test_a_key_lies_where_kms_says_whatever_it_encrypts(read: Callable[..., Policy], small: str) -> None:
    eu_keys = small + '[rules.sql]\nkey = "eu"\n'
    assert explain(read(eu_keys), "sql", "key", "europe", "production").bound == (
        explain(read(small), "kms", "primary", "europe", "production").bound
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("sqll", "backup", "eu", "production"),
            ("unknown type 'sqll'; known: gke, sql, redis, bigquery, firestore, gcs and kms; did you mean 'sql'?"),
        ),
        (
            ("sql", "backups", "eu", "production"),
            "unknown role 'backups'; known: primary, node, replica, backup and key; did you mean 'backup'?",
        ),
        (
            ("sql", "backup", "eu", "producton"),
            ("regions.toml defines no environment 'producton', but production and staging; did you mean 'production'?"),
        ),
    ],
)
def test_unknown_words(read: Callable[..., Policy], small: str, words: tuple[str, str, str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        explain(read(small), *words)
    assert str(caught.value) == said
