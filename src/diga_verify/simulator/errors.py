"""Google's error answers: the status, the message and the bodies in the two styles that the APIs use."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    412: "FAILED_PRECONDITION",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

"""Any other status is UNKNOWN."""

REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    405: "httpMethodNotAllowed",
    429: "rateLimitExceeded",
    500: "backendError",
    501: "notImplemented",
    502: "badGateway",
    503: "backendError",
    504: "backendError",
}
"""Any other status is "error"."""


class ApiError(Exception):
    """An error answer of a Google API.

    `reason` and `domain` go into the `errors` list of the older APIs (Cloud SQL, Cloud Storage, BigQuery); the others
    carry `status` and `details` alone. An `old_style` error has the list whatever the API, and no `status`.
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        reason: str | None = None,
        domain: str = "global",
        details: tuple[Json, ...] = (),
        headers: dict[str, str] | None = None,
        old_style: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason or REASONS.get(code, "error")
        self.domain = domain
        self.details = details
        self.headers = headers or {}
        self.old_style = old_style

    def body(self, *, with_errors_list: bool) -> Json:
        """The JSON body, with the `errors` list if the API is one of the older ones."""
        error: Json = {"code": self.code, "message": self.message}
        if with_errors_list or self.old_style:
            error["errors"] = [{"message": self.message, "domain": self.domain, "reason": self.reason}]
        if not self.old_style:
            error["status"] = STATUS_NAMES.get(self.code, "UNKNOWN")
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def error_info(reason: str, **metadata: str) -> Json:
    """The machine-readable detail that newer errors carry."""
    return {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": metadata,
    }


def bad_request(message: str) -> ApiError:
    """400: something about the request is wrong."""
    return ApiError(400, message)


def no_such_thing(what: str) -> ApiError:
    """404: the resource or the path does not exist."""
    return ApiError(404, f"Resource '{what}' was not found")


def not_simulated(what: str) -> ApiError:
    """501: Google would do it, the simulator does not; better said than silently ignored."""
    return ApiError(501, f"the simulator does not implement {what}")


def permission_denied(permission: str, resource: str) -> ApiError:
    """403: the caller lacks a permission on a resource."""
    return ApiError(403, f"Permission '{permission}' denied on resource '{resource}' (or it may not exist).")


def foreign_project(project: str, service: str) -> ApiError:
    """403: what one is told about a project that is not one's own, or does not exist."""
    return ApiError(
        403,
        f"Permission denied on resource project {project}.",
        details=(error_info("CONSUMER_INVALID", consumer=f"projects/{project}", service=service),),
    )


def api_disabled(service: str, number: str) -> ApiError:
    """403: the API is switched off in the project, which does not mean that there are no resources."""
    url = f"https://console.developers.google.com/apis/api/{service}/overview?project={number}"
    return ApiError(
        403,
        f"{service} API has not been used in project {number} before or it is disabled. Enable it by visiting {url} "
        "then retry. If you enabled this API recently, wait a few minutes for the action to propagate to our systems "
        "and retry.",
        reason="accessNotConfigured",
        domain="usageLimits",
        details=(
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [{"description": "Google developers console API activation", "url": url}],
            },
            error_info("SERVICE_DISABLED", service=service, consumer=f"projects/{number}"),
        ),
    )


def billing_disabled(service: str, number: str) -> ApiError:
    """403: the project has no billing account."""
    return ApiError(
        403,
        f"This API method requires billing to be enabled. Please enable billing on project #{number} then retry.",
        details=(error_info("BILLING_DISABLED", service=service, consumer=f"projects/{number}"),),
    )


def forbidden(reason: str, service: str, number: str) -> ApiError:
    """403: for any other of the reasons that Google has for machines, for instance CONSUMER_SUSPENDED."""
    return ApiError(
        403,
        f"Permission denied: {reason.lower().replace('_', ' ')}.",
        details=(error_info(reason, service=service, consumer=f"projects/{number}"),),
    )


def quota_project_denied(service: str, project: str) -> ApiError:
    """403: the caller may not have its requests counted against the project."""
    url = f"https://console.developers.google.com/iam-admin/iam/project?project={project}"
    return ApiError(
        403,
        f"Caller does not have required permission to use project {project}. Grant the caller the "
        "roles/serviceusage.serviceUsageConsumer role, or a custom role with the serviceusage.services.use permission, "
        f"by visiting {url} and then retry. Propagation of the new permission may take a few minutes.",
        details=(
            {
                "@type": "type.googleapis.com/google.rpc.Help",
                "links": [{"description": "Google developer console IAM admin", "url": url}],
            },
            error_info("USER_PROJECT_DENIED", service=service, consumer=f"projects/{project}"),
        ),
    )


def vpc_sc(service: str, number: str) -> ApiError:
    """403: a VPC Service Controls perimeter is in the way; the id is the key to the audit log."""
    uid = "sImUlAtEd-PeRiMeTeR"
    return ApiError(
        403,
        f"Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: {uid}",
        details=(
            {
                "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
                "violations": [{"type": "VPC_SERVICE_CONTROLS", "description": uid}],
            },
            error_info("SECURITY_POLICY_VIOLATED", service=service, uid=uid, consumer=f"projects/{number}"),
        ),
    )


def rate_limited(service: str, number: str, retry_delay: int) -> ApiError:
    """429: too many requests; try again after `retry_delay` seconds."""
    return ApiError(
        429,
        f"Quota exceeded for quota metric 'Queries' and limit 'Queries per minute per user' of service '{service}' "
        f"for consumer 'project_number:{number}'.",
        details=(
            error_info("RATE_LIMIT_EXCEEDED", service=service, consumer=f"projects/{number}"),
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{retry_delay}s"},
        ),
        headers={"Retry-After": str(retry_delay)},
    )


def quota_403() -> ApiError:
    """403: too many requests, in the older APIs' way."""
    return used_up("rateLimitExceeded", "Quota exceeded: too many requests.")


def used_up(reason: str, message: str) -> ApiError:
    """403: no more for now, or for a long while, in the older APIs' way."""
    return ApiError(403, message, reason=reason, domain="usageLimits", old_style=True)


def server_error(code: int) -> ApiError:
    """5xx: a fault on Google's side."""
    return ApiError(code, "The service is currently unavailable.")


def unauthenticated() -> ApiError:
    """401: no credentials, or none that count."""
    return ApiError(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid "
        "authentication credential.",
    )
