"""Google's client libraries, each put in front of the door.

Importing this module imports none of them: a run loads only the libraries that its types need.
"""

from __future__ import annotations

import threading
from typing import Any

import requests

from diga_verify.gateway.door import Door, put_in_front
from diga_verify.gateway.endpoints import Endpoints


class Clients:
    """Clients of one run. Each is made once, by the first thread that asks for it."""

    def __init__(self, door: Door, endpoints: Endpoints, agent: str) -> None:
        self._door = door
        self._endpoints = endpoints
        self._agent = agent
        self._made: dict[str, Any] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def gapic(self, client_class: Any) -> Any:
        """A generated client (`google.cloud.*_v1`) with its REST transport. Call it with `retry=None`."""
        return self._once(client_class.__qualname__, lambda: self._gapic(client_class))

    def bigquery(self, project: str) -> Any:
        """A `google.cloud.bigquery.Client`. Call it with `retry=None`."""
        return self._once("bigquery", lambda: self._bigquery(project))

    def discovery(self, name: str, version: str) -> Any:
        """A `googleapiclient` service, built from the discovery document that the library carries."""
        return self._once(f"{name} {version}", lambda: self._discovery(name, version))

    def collection(self, name: str, version: str, *path: str) -> Any:
        """What a discovery service has at `path` below its root (`projects`, `locations`): the library takes
        milliseconds to build such a collection, anew each time that it is asked for."""

        def build() -> Any:
            found = self.discovery(name, version)
            for part in path:
                found = getattr(found, part)()
            return found

        return self._once(f"{name} {version} {' '.join(path)}", build)

    def _once(self, name: str, make: Any) -> Any:
        with self._lock:
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            if name not in self._made:
                self._made[name] = make()
            return self._made[name]

    def _behind_the_door(self, session: requests.Session) -> requests.Session:
        return put_in_front(self._door, session, trust_environment=not self._endpoints.simulated)

    def _gapic(self, client_class: Any) -> Any:
        from google.api_core.gapic_v1.client_info import ClientInfo
        from google.auth.credentials import AnonymousCredentials

        transport_class = client_class.get_transport_class("rest")
        scheme, _, host = self._endpoints.base(transport_class.DEFAULT_HOST).partition("://")
        transport = transport_class(
            host=host,
            url_scheme=scheme,
            credentials=AnonymousCredentials(),
            client_info=ClientInfo(user_agent=self._agent),
        )
        # The generated transports take no session from outside, so the door is put in front of their own. Were
        # the attribute renamed, this would fail, and the type would be unread.
        self._behind_the_door(transport._session)
        return client_class(transport=transport)

    def _bigquery(self, project: str) -> Any:
        from google.api_core.client_info import ClientInfo
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        return bigquery.Client(
            project=project,
            credentials=AnonymousCredentials(),
            client_info=ClientInfo(user_agent=self._agent),
            client_options={"api_endpoint": self._endpoints.base("bigquery.googleapis.com")},
            _http=self._behind_the_door(requests.Session()),
        )

    def _discovery(self, name: str, version: str) -> Any:
        from googleapiclient import discovery

        host = f"{name}.googleapis.com"
        base = self._endpoints.base(host)
        path = "/storage/v1/" if name == "storage" else "/"
        return discovery.build(
            name,
            version,
            http=_Http(self._behind_the_door(requests.Session()), self._agent),
            static_discovery=True,
            cache_discovery=False,
            client_options={"api_endpoint": f"{base}{path}"},
        )


class _Http:
    """What googleapiclient takes for an httplib2 connection: its `request`, and no more of it is used."""

    def __init__(self, session: requests.Session, agent: str) -> None:
        self._session = session
        self._agent = agent

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: dict[str, str] | None = None, **_: Any
    ) -> tuple[Any, bytes]:
        import httplib2

        sent = {**(headers or {}), "user-agent": self._agent}
        answer = self._session.request(method, uri, data=body, headers=sent)
        return httplib2.Response({**answer.headers, "status": str(answer.status_code)}), answer.content

    def close(self) -> None:
        """The session outlives the services that speak through it."""
