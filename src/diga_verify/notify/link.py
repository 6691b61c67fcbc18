"""Where a message says that the report can be read."""

from __future__ import annotations

import os
from urllib.parse import quote

from diga_verify.notify.secret import ChannelError, replaced
from diga_verify.policy.notify import Notify
from diga_verify.policy.notify_checks import url_problem


def report_link(notify: Notify, environment: str, project: str) -> str | None:
    """The URL of the report, or None where the policy names none. Raises ChannelError for one that cannot be used."""
    if notify.report_url is not None:
        values = {"environment": quote(environment, safe=""), "project": quote(project, safe="")}
        return replaced(notify.report_url, values)
    if notify.report_url_env is None:
        return None
    url = os.environ.get(notify.report_url_env, "").strip()
    if not url:
        raise ChannelError(f"no link to the report: {notify.report_url_env} is not set")
    if problem := url_problem(url):
        raise ChannelError(f"no link to the report: what {notify.report_url_env} holds {problem}")
    return url
