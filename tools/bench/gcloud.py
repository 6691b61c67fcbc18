"""The script that the gate replaces, as far as it can work: five resources, described by gcloud and bq one by one.

The original left out the locations without which gcloud refuses to describe clusters and Redis instances; they are
given here. It is the same work for gcloud and bq, or less: nothing is made of the answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.bench.machine import found
from tools.bench.worlds import PROJECT

_REGION = "europe-west3"
_DESCRIBES = (
    f"container clusters describe dta-cluster --location={_REGION} --format=value(location)",
    "sql instances describe dta-postgres --format=value(region)",
    f"redis instances describe dta-redis --region={_REGION} --format=value(locationId)",
    "firestore databases describe --database=(default) --format=value(locationId)",
)
_OVERRIDES = {
    "CONTAINER": "container.googleapis.com/",
    "SQL": "sqladmin.googleapis.com/",
    "REDIS": "redis.googleapis.com/",
    "FIRESTORE": "firestore.googleapis.com/",
}
"""The names by which gcloud knows the services, and what it wants for their endpoints."""
SETTINGS = {
    "CLOUDSDK_CORE_PROJECT": PROJECT,
    "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
    "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
    "CLOUDSDK_AUTH_ACCESS_TOKEN": "none",
}
"""No questions, no look at the network but for what is asked, and a token that nobody looks at."""


def installed() -> bool:
    """Whether there is anything to compare with."""
    return all(found(program) for program in ("gcloud", "bq"))


def settings(root: str) -> Mapping[str, str]:
    """The variables with which gcloud asks the stand-in at `root`."""
    ends = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"{root}/{path}" for name, path in _OVERRIDES.items()}
    return SETTINGS | ends


def describes(root: str) -> Sequence[Sequence[str]]:
    """The commands, in the order of the script."""
    clusters, sql, redis, firestore = (["gcloud", *command.split()] for command in _DESCRIBES)
    dataset = [
        "bq",
        f"--api={root}/bigquery.googleapis.com",
        f"--project_id={PROJECT}",
        "--format=json",
        "show",
        f"{PROJECT}:de",
    ]
    return [clusters, sql, redis, dataset, firestore]
