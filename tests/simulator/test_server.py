"""What travels: compressed answers, connections that stay open, and the description that `bq` asks for."""

from __future__ import annotations

import gzip
import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

BUCKETS = "storage.googleapis.com/storage/v1/b?project=p"
WORLD = {"gcs": {"buckets": [{"name": "one", "location": "EU"}, {"name": "two", "location": "US"}]}}


def test_one_connection_serves_many_calls_compressed_or_not(serve: Callable[..., Simulator]) -> None:
    simulator = serve(**WORLD)
    bodies = []
    with closing(http.client.HTTPConnection(simulator.url.removeprefix("http://"), timeout=30)) as connection:
        for accepted in ("gzip", "identity", "gzip"):
            connection.request("GET", f"/{BUCKETS}", headers={"Accept-Encoding": accepted})
            answer = connection.getresponse()
            body = answer.read()
            assert (answer.headers["Content-Encoding"] == "gzip") is (accepted == "gzip")
            assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
            bodies.append(gzip.decompress(body) if accepted == "gzip" else body)
            kept = connection.sock
        assert connection.sock is kept is not None
    assert bodies[0] == bodies[1] == bodies[2]
    assert [bucket["name"] for bucket in json.loads(bodies[2])["items"]] == ["one", "two"]


def test_what_was_asked_is_on_record(serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]) -> None:
    simulator = serve(**WORLD)
    fetch(simulator, BUCKETS)
    fetch(simulator, "storage.googleapis.com/storage/v1/b/three")
    asked = [(one.method, one.host, one.path, one.query, one.status) for one in simulator.requests]
    assert asked == [
        ("GET", "storage.googleapis.com", "storage/v1/b", "project=p", 200),
        ("GET", "storage.googleapis.com", "storage/v1/b/three", "", 404),
    ]


def test_a_call_takes_as_long_as_it_is_told_and_none_waits_for_another(
    fetch: Callable[..., requests.Response],
) -> None:
    latency = 0.4
    with Simulator(World.from_dict(WORLD | {"project": {"id": "p", "number": "1"}}), latency=latency) as simulator:
        with ThreadPoolExecutor() as threads:
            assert [one.status_code for one in threads.map(lambda _: fetch(simulator, BUCKETS), range(3))] == [200] * 3
        assert all(one.answered - one.begun >= latency for one in simulator.requests)
        assert max(one.begun for one in simulator.requests) < min(one.answered for one in simulator.requests)


def test_the_description_of_bigquery_leads_back_here(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    simulator = serve()
    for path in ("$discovery/rest", "bigquery.googleapis.com/$discovery/rest"):
        described = fetch(simulator, path, params={"version": "v2"}).json()
        assert described["rootUrl"] == f"{simulator.url}/bigquery.googleapis.com/"
        assert described["baseUrl"] == f"{simulator.url}/bigquery.googleapis.com/bigquery/v2/"
        assert "mtlsRootUrl" not in described


def test_a_key_ring_is_found_wherever_it_is(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    rings = [{"name": "one", "location": "europe-west3"}, {"name": "two", "location": "mars-north1"}]
    simulator = serve(kms={"locations": ["europe-west3"], "keyRings": rings})
    places = fetch(simulator, "cloudkms.googleapis.com/v1/projects/p/locations").json()["locations"]
    assert [place["locationId"] for place in places] == ["europe-west3", "mars-north1"]


def test_a_version_is_protected_as_its_key_says(
    serve: Callable[..., Simulator], fetch: Callable[..., requests.Response]
) -> None:
    external = {"protectionLevel": "EXTERNAL", "algorithm": "EXTERNAL_SYMMETRIC_ENCRYPTION"}
    keys = [{"name": "here"}, {"name": "outside", "versionTemplate": external}]
    simulator = serve(kms={"keyRings": [{"name": "ring", "location": "europe-west3", "cryptoKeys": keys}]})
    path = "cloudkms.googleapis.com/v1/projects/p/locations/europe-west3/keyRings/ring/cryptoKeys"
    listed = fetch(simulator, path).json()["cryptoKeys"]
    assert [key["primary"]["protectionLevel"] for key in listed] == ["SOFTWARE", "EXTERNAL"]
    (version,) = fetch(simulator, f"{path}/outside/cryptoKeyVersions").json()["cryptoKeyVersions"]
    assert version["protectionLevel"] == "EXTERNAL"
