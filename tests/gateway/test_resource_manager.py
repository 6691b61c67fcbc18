"""The project's record and the caller's permissions: what they say is believed only when it is about this project."""

from __future__ import annotations

from typing import Any, cast

import pytest
from tests.gateway.conftest import Spoken

from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import Listed, Method
from diga_verify.gateway.resource_manager import Granted, granted, missing_permissions, project_record
from diga_verify.model import Json, Project, Reason, Unread

PROJECT = Project("dtx-data", "100000000001", "ACTIVE")
RECORD = {"name": "projects/100000000001", "projectId": "dtx-data", "state": "ACTIVE"}
FAILED = Listed((), (Unread("project", "projects/dtx-data", Reason.TIMEOUT, "no answer"),))
PERMISSIONS = ("a.list", "b.list", "c.list")


class Answering:
    """A gateway that sends what it is given to a mock, and brings one answer."""

    def __init__(self, answer: Listed) -> None:
        self.answer = answer
        self.said: list[str] = []
        self.clients = Spoken(self.said)
        self.asked: list[tuple[Method, str]] = []

    def get_one(self, method: Method, scope: str, send: Any) -> Listed:
        self.asked.append((method, scope))
        send()
        return self.answer


def answering(answer: Json | Listed) -> tuple[Gateway, Answering]:
    one = Answering(answer if isinstance(answer, Listed) else Listed((answer,)))
    return cast("Gateway", one), one


@pytest.mark.parametrize("asked", ["dtx-data", "100000000001"])
def test_the_record_of_the_project(asked: str) -> None:
    gateway, seen = answering(RECORD)
    assert project_record(gateway, asked) == (PROJECT, ())
    projects = "collection('cloudresourcemanager', 'v3', 'projects')"
    assert seen.said[-1] == f"{projects}.get(name='projects/{asked}').execute(num_retries=0)"
    ((method, scope),) = seen.asked
    assert (method.type, method.service, scope) == (
        "project",
        "cloudresourcemanager.googleapis.com",
        f"projects/{asked}",
    )
    assert (method.name, method.fields) == ("cloudresourcemanager.projects.get", "name,projectId,state")


def test_a_record_that_does_not_come() -> None:
    gateway, _ = answering(FAILED)
    assert project_record(gateway, "dtx-data") == (Project("dtx-data", None, None), FAILED.unread)


@pytest.mark.parametrize(
    ("change", "known", "reason"),
    [
        ({"name": None}, Project("dtx-data", None, None), Reason.MALFORMED_ANSWER),
        ({"name": "projects/"}, Project("dtx-data", None, None), Reason.MALFORMED_ANSWER),
        ({"name": "projects/x1"}, Project("dtx-data", None, None), Reason.MALFORMED_ANSWER),
        ({"name": "folders/100000000001"}, Project("dtx-data", None, None), Reason.MALFORMED_ANSWER),
        ({"projectId": None}, Project("dtx-data", None, None), Reason.MALFORMED_ANSWER),
        ({"projectId": 7}, Project("dtx-data", None, None), Reason.MALFORMED_ANSWER),
        ({"projectId": "other"}, Project("dtx-data", None, None), Reason.FOREIGN_RESOURCE),
        ({"state": "DELETED"}, Project("dtx-data", "100000000001", "DELETED"), Reason.PROJECT_INACTIVE),
        ({"state": None}, Project("dtx-data", "100000000001", "None"), Reason.PROJECT_INACTIVE),
    ],
)
def test_a_record_that_cannot_be_used(change: Json, known: Project, reason: Reason) -> None:
    gateway, _ = answering({**RECORD, **change})
    project, unread = project_record(gateway, "dtx-data")
    assert project == known
    assert [(one.type, one.scope, one.reason) for one in unread] == [("project", "projects/dtx-data", reason)]


def test_a_record_without_a_name() -> None:
    gateway, _ = answering({"projectId": "dtx-data", "state": "ACTIVE"})
    assert [one.reason for one in project_record(gateway, "dtx-data")[1]] == [Reason.MALFORMED_ANSWER]


def test_permissions_that_the_caller_has() -> None:
    gateway, seen = answering({"permissions": ["c.list", "d.list", "a.list"]})
    assert granted(gateway, "sql", PROJECT, PERMISSIONS) == Granted(("a.list", "c.list"))
    asked = f"body={{'permissions': {list(PERMISSIONS)}}}, resource='projects/dtx-data'"
    projects = "collection('cloudresourcemanager', 'v3', 'projects')"
    assert seen.said[-1] == f"{projects}.testIamPermissions({asked}).execute(num_retries=0)"
    ((method, scope),) = seen.asked
    assert (method.type, method.service, method.fields) == (
        "sql",
        "cloudresourcemanager.googleapis.com",
        "permissions",
    )
    assert (method.name, scope) == ("cloudresourcemanager.projects.testIamPermissions", "projects/dtx-data sql")


def test_permissions_that_the_caller_lacks() -> None:
    gateway, _ = answering({"permissions": ["b.list"]})
    lacking = missing_permissions(gateway, "sql", PROJECT, PERMISSIONS)
    assert [(one.type, one.scope, one.reason, one.resource) for one in lacking] == [
        ("sql", "projects/dtx-data a.list", Reason.PERMISSION_DENIED, None),
        ("sql", "projects/dtx-data c.list", Reason.PERMISSION_DENIED, None),
    ]


def test_no_permission_lacks_when_all_are_there() -> None:
    gateway, _ = answering({"permissions": [*PERMISSIONS]})
    assert missing_permissions(gateway, "sql", PROJECT, PERMISSIONS) == ()


def test_an_answer_without_permissions_grants_none() -> None:
    gateway, _ = answering({})
    assert granted(gateway, "sql", PROJECT, PERMISSIONS) == Granted(())
    assert len(missing_permissions(gateway, "sql", PROJECT, PERMISSIONS)) == 3


def test_permissions_that_cannot_be_told() -> None:
    for answer, reason in (
        (FAILED, Reason.TIMEOUT),
        ({"permissions": "a.list b.list c.list"}, Reason.MALFORMED_ANSWER),
    ):
        gateway, _ = answering(answer)
        told = granted(gateway, "sql", PROJECT, PERMISSIONS)
        assert (told.permissions, [one.reason for one in told.unread]) == ((), [reason])
        assert [one.reason for one in missing_permissions(gateway, "sql", PROJECT, PERMISSIONS)] == [reason]
    assert (told.unread[0].type, told.unread[0].scope) == (
        "sql",
        "cloudresourcemanager.projects.testIamPermissions projects/dtx-data",
    )
