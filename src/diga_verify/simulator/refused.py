"""Faults that refuse: errors as Google words them, and as a proxy or an attacker might."""

from __future__ import annotations

from dataclasses import replace

from diga_verify.simulator import errors
from diga_verify.simulator.errors import ApiError
from diga_verify.simulator.scene import Fault, Scene, Spoiler
from diga_verify.simulator.wire import HTML_TYPE, Answer, error_answer

REDIRECT_HOST = "redirected.googleapis.com"
OTHER_NUMBER = "999999999999"
"""The number of a project that is not the world's."""

CANARIES = (
    "ya29.CANARY-access-token-0123456789",
    "1//CANARY-refresh-token-0123456789",
    "AIzaCANARYCANARYCANARYCANARYCANARY0123",
    "Authorization: Bearer CANARY.bearer.0123456789abcdef",
)
"""Made-up secrets: whoever repeats an error's message must not repeat these."""

HOSTILE = (
    "\x1b[2J\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b1m \x08\x08 \u202egnp.exe \u2066isolate\u2069 "
    "[/] [bold]bold[/bold] [link=https://attacker.example]here[/link] "
    "<script>alert(1)</script> <a href='javascript:alert(1)'>x</a> \"><img src=x onerror=alert(1)> ]]> <!channel>\r\n"
    "::error::injected\n::set-output name=verdict::pass\n##vso[task.complete result=Succeeded;]done\n"
    '=HYPERLINK("https://attacker.example")\n| cell | `code` |\n# PASS'
)
"""A message that means something to terminals, CI runners, browsers, spreadsheets and markup."""

_MOVED = {301, 302, 303, 307, 308}
_BODILESS = {204, 304}


def _error(scene: Scene, error: ApiError) -> Answer:
    return error_answer(error, errors_list=scene.errors_list)


def _server_error(fault: Fault, scene: Scene) -> Answer:
    if fault.status == 502:  # a proxy in between speaks HTML
        return Answer(502, b"<html><title>502 Bad Gateway</title></html>", HTML_TYPE)
    return _error(scene, errors.server_error(fault.status))


def _elsewhere(scene: Scene) -> dict[str, str]:
    return {"Location": f"{scene.root}/{REDIRECT_HOST}/{scene.address}"}


def _http_status(fault: Fault, scene: Scene) -> Answer:
    if fault.status in _BODILESS:
        return Answer(fault.status, b"", content_type=None)
    answer = _error(scene, ApiError(fault.status, f"The request ended with status {fault.status}."))
    return replace(answer, headers=_elsewhere(scene)) if fault.status in _MOVED else answer


def _quota_project_denied(_: Fault, scene: Scene) -> Answer:
    project = scene.headers.get("x-goog-user-project", scene.project_id)
    return _error(scene, errors.quota_project_denied(scene.service, project))


def _echo(_: Fault, scene: Scene) -> Answer:
    """A proxy that shows its callers what they sent, and more."""
    headers = "\n".join(f"{name}: {value}" for name, value in scene.headers.items())
    secrets = "\n".join(CANARIES)
    return _error(scene, ApiError(403, f"Forbidden: /{scene.address}?{scene.query}\n{headers}\n{secrets}"))


REFUSED: dict[str, Spoiler] = {
    "api_disabled": lambda _, scene: _error(scene, errors.api_disabled(scene.service, scene.project_number)),
    "api_disabled_elsewhere": lambda _, scene: _error(scene, errors.api_disabled(scene.service, OTHER_NUMBER)),
    "permission_denied": lambda _, scene: _error(scene, ApiError(403, "The caller does not have permission")),
    "billing_disabled": lambda _, scene: _error(scene, errors.billing_disabled(scene.service, scene.project_number)),
    "vpc_sc": lambda _, scene: _error(scene, errors.vpc_sc(scene.service, scene.project_number)),
    "forbidden_reason": lambda fault, scene: _error(
        scene, errors.forbidden(fault.reason, scene.service, scene.project_number)
    ),
    "quota_project_denied": _quota_project_denied,
    "rate_limited": lambda fault, scene: _error(
        scene, errors.rate_limited(scene.service, scene.project_number, fault.retry_delay)
    ),
    "quota_403": lambda _, scene: _error(scene, errors.quota_403()),
    "daily_limit": lambda _, scene: _error(scene, errors.used_up("dailyLimitExceeded", "Daily Limit Exceeded")),
    "quota_exceeded": lambda _, scene: _error(scene, errors.used_up("quotaExceeded", "Quota exceeded")),
    "server_error": _server_error,
    "http_status": _http_status,
    "not_found": lambda _, scene: _error(scene, errors.no_such_thing(scene.address)),
    "unauthenticated": lambda _, scene: _error(scene, errors.unauthenticated()),
    "error_in_200": lambda _, scene: replace(_error(scene, errors.server_error(503)), status=200),
    "redirect": lambda _, scene: Answer(302, b"", HTML_TYPE, headers=_elsewhere(scene)),
    "echo": _echo,
    "hostile": lambda _, scene: _error(scene, ApiError(403, HOSTILE)),
}
"""By name of the answer."""
