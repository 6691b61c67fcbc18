"""Where calls go: to Google, or to one stand-in that was asked for on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from diga_verify.errors import UsageError

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs by service host. With a root, every service answers under `<root>/<service host>`."""

    root: str | None = None

    @property
    def simulated(self) -> bool:
        return self.root is not None

    def base(self, host: str) -> str:
        """The URL below which the service's ordinary paths start, without a trailing slash."""
        return f"https://{host}" if self.root is None else f"{self.root}/{host}"

    def trusts(self, url: str) -> bool:
        """Whether a request to `url` may leave, and with the caller's credentials when this is Google."""
        if self.root is not None:
            return url.startswith(f"{self.root}/")
        parts = urlsplit(url)
        return parts.scheme == "https" and (parts.hostname or "").endswith(".googleapis.com")


def stand_in(url: str) -> Endpoints:
    """Endpoints of a stand-in at `url`.

    Raises UsageError for anything but `http://` on loopback or `https://`, and for a URL with a query,
    a fragment or a password in it.
    """
    parts = urlsplit(url)
    try:
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError:
        port_is_valid = False
    if parts.scheme not in {"http", "https"} or not parts.hostname or not port_is_valid:
        raise UsageError(f"--api-root {url!r} is not a URL such as http://127.0.0.1:8080")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise UsageError("--api-root takes a scheme, a host, a port and a path; nothing else")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise UsageError(
            f"--api-root {url} is plain http to another machine; "
            "plain http is spoken with 127.0.0.1, localhost and ::1 only"
        )
    return Endpoints(root=url.rstrip("/"))
