"""Where calls go: to Google, or to one stand-in that was asked for on the command line."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from diga_verify.errors import UsageError

# As narrow as can be: where parsers of URLs disagree, one of them would go to another host than was looked at.
_GOOGLES = re.compile(r"https://(?:[a-z0-9-]+\.)+googleapis\.com(?::443)?(?=[/?]|\Z)", re.ASCII | re.IGNORECASE)
_ROOT = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:]+\]|[a-z0-9][a-z0-9.-]*)(?P<colon>:(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[\w.~-]+)+)?/?",
    re.ASCII | re.IGNORECASE,
)
NETWORK_VARIABLES = (
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GCE_METADATA_HOST",
    "GCE_METADATA_ROOT",
)
"""Environment variables that decide through whom Google is asked, whose certificates count, or whence a token comes."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Base URLs by service host. With a root, every service answers under `<root>/<service host>`."""

    root: str | None = None

    @property
    def simulated(self) -> bool:
        return self.root is not None

    @property
    def network_variables(self) -> tuple[str, ...]:
        """Those of `NETWORK_VARIABLES` that are set. They mean nothing to a stand-in."""
        return () if self.simulated else tuple(name for name in NETWORK_VARIABLES if os.environ.get(name))

    def base(self, host: str) -> str:
        """The URL below which the service's ordinary paths start, without a trailing slash."""
        return f"https://{host}" if self.root is None else f"{self.root}/{host}"

    def trusts(self, url: str) -> bool:
        """Whether a request to `url` may leave, and with the caller's credentials when this is Google."""
        if self.root is not None:
            return url.startswith(f"{self.root}/")
        return _GOOGLES.match(url) is not None


def stand_in(url: str) -> Endpoints:
    """Endpoints of a stand-in at `url`.

    Raises UsageError for anything but `http://` on loopback or `https://`, with a host, a port and a path of plain
    names. Parsers of URLs disagree about all else, such as user names, backslashes and dot segments: one of them
    would go to another host than the one that was checked.
    """
    found = _ROOT.fullmatch(url)
    port = int(found["port"] or 1) if found else 0
    if found is None or not 0 < port < 65536 or {".", ".."} & set((found["path"] or "").split("/")):
        raise UsageError(
            f"--api-root {url!r} is not a URL such as http://127.0.0.1:8080: "
            "it takes http or https, a host, a port and a path; nothing else"
        )
    scheme, host = found["scheme"].lower(), found["host"].lower()
    if scheme == "http" and host.strip("[]") not in LOOPBACK:
        raise UsageError(
            f"--api-root {url} is plain http to another machine; "
            "plain http is spoken with this one only: 127.0.0.1, localhost or its address in IPv6"
        )
    return Endpoints(root=f"{scheme}://{host}{found['colon'] or ''}{found['path'] or ''}")
