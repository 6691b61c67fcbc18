"""cloudresourcemanager.googleapis.com v1 and v3: the project's own record, and the permissions one has on it."""

from __future__ import annotations

from diga_verify.simulator.errors import Json, bad_request
from diga_verify.simulator.routes import Call, Route, Service

CREATED = "2024-02-01T08:00:00.000Z"


def _get_v1(call: Call) -> Json:
    project = call.world.project
    return {
        "projectNumber": project["number"],
        "projectId": project["id"],
        "lifecycleState": project.get("state", "ACTIVE"),
        "name": project.get("name", project["id"]),
        "createTime": CREATED,
    } | _labels(call)


def _get_v3(call: Call) -> Json:
    project = call.world.project
    return {
        "name": f"projects/{project['number']}",
        "projectId": project["id"],
        "state": project.get("state", "ACTIVE"),
        "displayName": project.get("name", project["id"]),
        "createTime": CREATED,
    } | _labels(call)


def _labels(call: Call) -> Json:
    labels = call.world.project.get("labels")
    return {"labels": labels} if labels else {}


def _test_permissions(call: Call) -> Json:
    asked = call.body.get("permissions", [])
    if not isinstance(asked, list) or not all(isinstance(one, str) for one in asked):
        raise bad_request("Invalid value at 'permissions'")
    granted = [one for one in asked if call.world.grants(one)]
    return {"permissions": granted} if granted else {}


SERVICE = Service(
    "cloudresourcemanager.googleapis.com",
    (
        Route("GET", "v1/projects/{project}", "resourcemanager.projects.get", _get_v1),
        Route("GET", "v3/projects/{project}", "resourcemanager.projects.get", _get_v3),
        Route("POST", "v1/projects/{project}:testIamPermissions", None, _test_permissions),
        Route("POST", "v3/projects/{project}:testIamPermissions", None, _test_permissions),
    ),
)
