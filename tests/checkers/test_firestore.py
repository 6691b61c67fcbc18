"""Firestore: what says too little about where it lies, and whose a backup is."""

from __future__ import annotations

from typing import Any

import pytest

from diga_verify.checkers.firestore import BACKUP, DATABASE, Firestore
from diga_verify.model import Item, Placement, Reason, Resource, Role

CHECKER = Firestore()
NAME = "projects/p/locations/europe-west3/backups/b"


def read(asset_type: str, **data: Any) -> Resource:
    return CHECKER.read(Item(asset_type, "p", data))


@pytest.mark.parametrize("said", [{}, {"locationId": None}, {"locationId": ""}])
def test_a_database_that_does_not_say_where_it_lies(said: dict[str, Any]) -> None:
    database = read(DATABASE, name="projects/p/databases/d", **said)
    assert database.placements == (Placement(Role.PRIMARY, None, "locationId", reason=Reason.MISSING_LOCATION),)


@pytest.mark.parametrize("said", [{}, {"database": None}, {"database": ""}])
def test_a_backup_that_does_not_say_whose_it_is(said: dict[str, Any]) -> None:
    backup = read(BACKUP, name=NAME, **said)
    assert (backup.owner, backup.name, backup.live) == ("", "b", True)
    assert backup.placements == (Placement(Role.BACKUP, "europe-west3", "name", about=NAME),)


def test_what_people_call_it() -> None:
    assert CHECKER.title == "Firestore"
