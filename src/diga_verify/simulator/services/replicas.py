"""BigQuery's query jobs, as far as they read INFORMATION_SCHEMA.SCHEMATA_REPLICAS, which alone shows replicas."""

from __future__ import annotations

import re
import uuid

from diga_verify.simulator.errors import ApiError, Json, bad_request, not_simulated, permission_denied
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Sizes
from diga_verify.simulator.world import World

PROJECT = "bigquery/v2/projects/{project}"
COLUMNS = {
    "catalog_name": "STRING",
    "schema_name": "STRING",
    "replica_name": "STRING",
    "location": "STRING",
    "replica_primary_assigned": "BOOLEAN",
    "replica_primary_assignment_complete": "BOOLEAN",
    "creation_complete": "BOOLEAN",
}
_QUERY = re.compile(
    r"select\s+(?P<columns>\*|[\w\s,]+?)\s+from\s+"
    r"`?(?:(?P<project>[\w-]+)`?\.`?)?region-(?P<region>[\w-]+)`?\.`?information_schema`?\.`?schemata_replicas`?"
    r"(?:\s+order\s+by\s+[\w\s,]+)?\s*;?",
    re.IGNORECASE,
)


def _query(call: Call) -> Json:
    """`jobs.query`: run it, and answer with the first page at once."""
    job = _run(call, call.body.get("query"), call.body.get("location"), None)
    answer = _results(call, job, "bigquery#queryResponse", int(call.body.get("maxResults") or 0))
    return answer | {"location": job["resource"]["jobReference"]["location"]}


def _insert(call: Call) -> Json:
    configuration = call.body.get("configuration", {})
    reference = call.body.get("jobReference", {})
    text = configuration.get("query", {}).get("query")
    job = _run(call, text, reference.get("location"), reference.get("jobId"))
    job["resource"]["configuration"] |= {key: value for key, value in configuration.items() if key != "query"}
    return dict(job["resource"])


def _run(call: Call, text: object, location: str | None, job_id: str | None) -> Json:
    found = _QUERY.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise not_simulated("queries other than SELECT columns FROM `region-R`.INFORMATION_SCHEMA.SCHEMATA_REPLICAS")
    if (found["project"] or call.world.project_id) != call.world.project_id:
        raise ApiError(403, f"Access Denied: Project {found['project']}", reason="accessDenied")
    if not call.world.grants("bigquery.datasets.get"):
        raise permission_denied("bigquery.datasets.get", f"projects/{call.world.project_id}")
    region = found["region"].lower()
    if location is not None and location.lower() != region:
        raise ApiError(404, f"Not found: Dataset {call.world.project_id}:region-{region} in location {location}")
    columns = _columns(found["columns"])
    job_id = job_id or str(uuid.uuid4())
    job = {
        "columns": columns,
        "rows": [[row[column] for column in columns] for row in _rows(call.world, region)],
        "resource": _resource(call.world.project_id, region, job_id, str(text)),
    }
    call.jobs[job_id] = job
    return job


def _columns(text: str) -> list[str]:
    columns = list(COLUMNS) if text == "*" else [name.strip().lower() for name in text.split(",")]
    for column in columns:
        if column not in COLUMNS:
            raise ApiError(400, f"Unrecognized name: {column} at [1:8]", reason="invalidQuery")
    return columns


def _rows(world: World, region: str) -> list[dict[str, str | bool]]:
    """One row for each copy of the datasets whose primary copy is in the region."""
    rows = []
    for dataset in world.items("bigquery", "datasets"):
        home = str(dataset.get("location", "")).lower()
        if home != region:
            continue
        others = [str(replica["location"]).lower() for replica in dataset.get("replicas", [])]
        rows += [_row(world, dataset, place, home) for place in dict.fromkeys([home, *others])]
    return rows


def _row(world: World, dataset: Json, place: str, home: str) -> dict[str, str | bool]:
    return {
        "catalog_name": world.project_id,
        "schema_name": dataset.get("datasetId") or dataset["datasetReference"]["datasetId"],
        "replica_name": place,
        "location": place,
        "replica_primary_assigned": place == home,
        "replica_primary_assignment_complete": place == home,
        "creation_complete": True,
    }


def _resource(project: str, region: str, job_id: str, text: str) -> Json:
    return {
        "kind": "bigquery#job",
        "id": f"{project}:{region}.{job_id}",
        "jobReference": {"projectId": project, "jobId": job_id, "location": region},
        "configuration": {"jobType": "QUERY", "query": {"query": text, "useLegacySql": False}},
        "status": {"state": "DONE"},
        "statistics": {"query": {"statementType": "SELECT", "totalBytesProcessed": "0", "cacheHit": False}},
    }


def _known(call: Call) -> Json:
    job = call.jobs.get(call.path["job"])
    if job is None:
        raise ApiError(404, f"Not found: Job {call.world.project_id}:{call.path['job']}")
    return job


def _get_results(call: Call) -> Json:
    return _results(call, _known(call), "bigquery#getQueryResultsResponse", 0)


def _results(call: Call, job: Json, kind: str, size: int) -> Json:
    if call.query.get("startIndex", "0") != "0":
        raise bad_request("the simulator starts at the first row, or at a page token")
    head = {
        "kind": kind,
        "schema": {"fields": [{"name": name, "type": COLUMNS[name], "mode": "NULLABLE"} for name in job["columns"]]},
        "jobReference": job["resource"]["jobReference"],
        "jobComplete": True,
        "totalRows": str(len(job["rows"])),
        "totalBytesProcessed": "0",
        "cacheHit": False,
    }
    rows = [{"f": [{"v": _cell(value)} for value in row]} for row in job["rows"]]
    address = f"{PROJECT}/queries/{job['resource']['jobReference']['jobId']}"
    return paged(call, "rows", rows, head=head, size=size, token_key="pageToken", address=address)  # noqa: S106


def _cell(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


_RESULTS = (
    "location", "startIndex", "timeoutMs", "formatOptions.useInt64Timestamp", "formatOptions.timestampOutputFormat",
)  # fmt: skip

ROUTES = (
    Route("POST", f"{PROJECT}/queries", "bigquery.jobs.create", _query),
    Route("POST", f"{PROJECT}/jobs", "bigquery.jobs.create", _insert),
    Route(
        "GET",
        f"{PROJECT}/queries/{{job}}",
        "bigquery.jobs.create",
        _get_results,
        _RESULTS,
        Sizes("maxResults", 10000, 100000),
    ),
    Route(
        "GET",
        f"{PROJECT}/jobs/{{job}}",
        "bigquery.jobs.create",
        lambda call: dict(_known(call)["resource"]),
        ("location", "projection"),  # Google's client sends `projection`, which no document describes
    ),
)
