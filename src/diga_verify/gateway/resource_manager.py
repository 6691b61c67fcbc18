"""Cloud Resource Manager: the project's own record, and what the caller may do in the project."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from diga_verify.gateway.gateway import Gateway
from diga_verify.gateway.listing import PROJECT, Method
from diga_verify.model import Json, Project, Reason, Unread

_SERVICE = "cloudresourcemanager.googleapis.com"
_GET = Method(PROJECT, _SERVICE, "cloudresourcemanager.projects.get", fields="name,projectId,state")


@dataclass(frozen=True, slots=True)
class Granted:
    """Those of the permissions asked for that the caller has, in their order; `unread` when that cannot be told."""

    permissions: tuple[str, ...]
    unread: tuple[Unread, ...] = ()


def project_record(gateway: Gateway, project: str) -> tuple[Project, tuple[Unread, ...]]:
    """The record of the project with that id or number: id, number, state."""
    scope = f"projects/{project}"
    answer = gateway.get_one(_GET, scope, lambda: _projects(gateway).get(name=scope).execute(num_retries=0))
    if answer.unread:
        return Project(project, None, None), answer.unread
    return _record(project, answer.items[0])


def granted(gateway: Gateway, type: str, project: Project, permissions: Sequence[str]) -> Granted:
    """Which of `permissions`, needed for a type, the caller has in the project."""
    method = Method(type, _SERVICE, "cloudresourcemanager.projects.testIamPermissions", fields="permissions")
    body = {"permissions": list(permissions)}
    resource = f"projects/{project.id}"
    answer = gateway.get_one(
        method,
        f"{resource} {type}",
        lambda: _projects(gateway).testIamPermissions(resource=resource, body=body).execute(num_retries=0),
    )
    if answer.unread:
        return Granted((), answer.unread)
    said = answer.items[0].get("permissions", [])
    if not isinstance(said, list):
        unread = Unread(type, f"{method.name} {resource}", Reason.MALFORMED_ANSWER, "permissions is not a list")
        return Granted((), (unread,))
    return Granted(tuple(name for name in permissions if name in said))


def missing_permissions(
    gateway: Gateway, type: str, project: Project, permissions: Sequence[str]
) -> tuple[Unread, ...]:
    """Those of `permissions` that the caller does not have in the project, each as an unread thing."""
    answer = granted(gateway, type, project, permissions)
    if answer.unread:
        return answer.unread
    lacking = (name for name in permissions if name not in answer.permissions)
    return tuple(_lacking(type, f"projects/{project.id}", name) for name in lacking)


def _projects(gateway: Gateway) -> Any:
    return gateway.clients.collection("cloudresourcemanager", "v3", "projects")


def _lacking(type: str, resource: str, permission: str) -> Unread:
    detail = f"the caller lacks {permission}; without it a list may be shorter than the truth"
    return Unread(type, f"{resource} {permission}", Reason.PERMISSION_DENIED, detail)


def _record(asked: str, record: Json) -> tuple[Project, tuple[Unread, ...]]:
    prefix, _, number = str(record.get("name", "")).partition("/")
    project_id, state = record.get("projectId"), record.get("state")
    scope = f"projects/{asked}"
    if prefix != "projects" or not number.isdigit() or not isinstance(project_id, str):
        unread = Unread(PROJECT, scope, Reason.MALFORMED_ANSWER, "the project's record has no id or no number")
        return Project(asked, None, None), (unread,)
    project = Project(project_id, number, str(state))
    if asked not in {project_id, number}:
        unread = Unread(PROJECT, scope, Reason.FOREIGN_RESOURCE, f"asked for {asked}, got the record of {project_id}")
        return Project(asked, None, None), (unread,)
    if state != "ACTIVE":
        unread = Unread(PROJECT, scope, Reason.PROJECT_INACTIVE, f"the project is {state}, not ACTIVE")
        return project, (unread,)
    return project, ()
