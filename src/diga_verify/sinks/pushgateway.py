"""Metrics at a Prometheus Pushgateway, for runs that end before anybody could scrape them.

https://github.com/prometheus/pushgateway has the interface: a PUT replaces all that the gateway holds for one grouping
key, so what it knows of earlier runs is read first and handed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3
from prometheus_client import push_to_gateway

from diga_verify.errors import OutputError, UsageError
from diga_verify.gateway.bounded import within
from diga_verify.gateway.endpoints import LOOPBACK
from diga_verify.gateway.token_servers import no_netrc
from diga_verify.report import Report
from diga_verify.sinks.metrics import Messages, Past, Subject, ended, registry
from diga_verify.sinks.metrics_past import past

JOB = "diga_verify"
SECONDS = 10.0
"""For each of the two requests, to their last byte."""
_ANSWER_LIMIT = 16 * 1024 * 1024
# As narrow as can be: neither a password, nor a query, nor what parsers of URLs disagree about.
_URL = re.compile(
    r"https?://(?:\[[0-9a-f:]+\]|[a-z0-9][a-z0-9._-]*)(?::[0-9]{1,5})?(?:/[\w.~-]+)*/?", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Pushgateway:
    """A gateway that may be pushed to."""

    url: str
    """Without a trailing slash."""
    seconds: float = SECONDS


def pushgateway(url: str, *, insecure: bool) -> Pushgateway:
    """The gateway at `url`. Raises UsageError for what is no URL of one, and for plain http to another machine unless
    `insecure` allows it: anybody on the way could read that a project is in violation, or say that it is not."""
    if not _URL.fullmatch(url) or not _has_port(url):
        raise UsageError(
            f"--push-gateway {url!r} is not a URL such as https://pushgateway.example.org: "
            "it takes http or https, a host, a port and a path; nothing else"
        )
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname not in LOOPBACK and not insecure:
        raise UsageError(
            f"--push-gateway {url} is plain http to another machine; use https, "
            "or allow it with --push-gateway-insecure where the network between is your own"
        )
    return Pushgateway(url.rstrip("/"))


def push(gateway: Pushgateway, report: Report, subject: Subject, exit_code: int, messages: Messages = ()) -> str | None:
    """Push the metrics of a run; what went wrong on the way and did not keep them from being pushed, if anything.

    Raises OutputError when they were not pushed.
    """
    known, trouble = Past(), None
    try:
        known = past(_held(gateway), subject, ended(report))
    except OutputError as error:  # a verdict of today is worth more than the time of the last one
        trouble = f"what the Pushgateway knew of earlier runs is lost: {error}"
    metrics = registry(report, subject, exit_code, known, messages)

    def handler(
        url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        return lambda: _done(_ask(gateway, method, url, dict(headers), data))

    push_to_gateway(gateway.url, JOB, metrics, dict(subject.labels), gateway.seconds, handler)
    return trouble


def _has_port(url: str) -> bool:
    """Whether the port, if there is one, can be a port."""
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def _held(gateway: Pushgateway) -> str:
    return _ask(gateway, "GET", f"{gateway.url}/metrics").decode("utf-8", "replace")


def _done(_: bytes) -> None:
    """The gateway took it."""


def _ask(
    gateway: Pushgateway, method: str, url: str, headers: dict[str, str] | None = None, data: bytes | None = None
) -> bytes:
    """The body of a good answer. Raises OutputError for any other, and when none came in time."""
    try:
        return within(gateway.seconds, lambda: _exchange(gateway, method, url, headers, data))
    except TimeoutError:
        raise OutputError(f"the Pushgateway {gateway.url} did not answer in {gateway.seconds:g} seconds") from None
    except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        problem = f"the connection to the Pushgateway {gateway.url} failed ({type(error).__name__})"
        raise OutputError(problem) from error


def _exchange(gateway: Pushgateway, method: str, url: str, headers: dict[str, str] | None, data: bytes | None) -> bytes:
    with requests.Session() as session:
        session.trust_env = urlsplit(url).hostname not in LOOPBACK  # a proxy could not reach it
        session.auth = no_netrc
        with session.request(
            method, url, headers=headers, data=data, timeout=gateway.seconds, allow_redirects=False, stream=True
        ) as response:
            if not 200 <= response.status_code < 300:
                raise OutputError(f"the Pushgateway {gateway.url} answered {response.status_code}")
            body = b""
            for chunk in response.iter_content(64 * 1024):
                body += chunk
                if len(body) > _ANSWER_LIMIT:
                    raise OutputError(f"the Pushgateway {gateway.url} answered more than {_ANSWER_LIMIT} bytes")
            return body
