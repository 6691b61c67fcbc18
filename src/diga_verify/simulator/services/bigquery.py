"""bigquery.googleapis.com v2: datasets, tables, the discovery document for `bq`; queries are in replicas.py."""

from __future__ import annotations

from diga_verify.simulator.errors import ApiError, Json, bad_request
from diga_verify.simulator.paging import paged
from diga_verify.simulator.routes import Call, Route, Service, Sizes
from diga_verify.simulator.schemas import document
from diga_verify.simulator.services import replicas
from diga_verify.simulator.world import World, of_world

HOST = "bigquery.googleapis.com"
PROJECT = "bigquery/v2/projects/{project}"
PAGES = Sizes("maxResults", 50, 1000)
_OURS = {"datasetId", "replicas", "tables"}
_LISTED = ("kind", "id", "datasetReference", "labels", "friendlyName", "location")


def dataset_id(item: Json) -> str:
    """The short id of a dataset in a world."""
    return str(item.get("datasetId") or item["datasetReference"]["datasetId"])


def _dataset(world: World, item: Json) -> Json:
    short = dataset_id(item)
    derived = {
        "kind": "bigquery#dataset",
        "id": f"{world.project_id}:{short}",
        "selfLink": f"https://{HOST}/bigquery/v2/projects/{world.project_id}/datasets/{short}",
        "datasetReference": {"projectId": world.project_id, "datasetId": short},
        "type": "DEFAULT",
    }
    return derived | {key: value for key, value in item.items() if key not in _OURS}


@of_world
def _datasets(world: World) -> list[Json]:
    return [_dataset(world, item) for item in world.items("bigquery", "datasets")]


def _list(call: Call) -> Json:
    """What one may not read is left out, without any error: so BigQuery documents it."""
    readable = call.world.grants("bigquery.datasets.get")
    hidden_too = call.flag("all")
    items = [
        {key: item[key] for key in _LISTED if key in item}
        for item in _datasets(call.world)
        if readable and (hidden_too or not item["datasetReference"]["datasetId"].startswith("_"))
    ]
    partial = {"unreachable": call.world.words("bigquery", "unreachable")}
    return paged(call, "datasets", items, head={"kind": "bigquery#datasetList", "etag": "e"}, partial=partial)


def _get(call: Call) -> Json:
    for item in _datasets(call.world):
        if item["datasetReference"]["datasetId"] == call.path["dataset"]:
            return item
    raise ApiError(404, f"Not found: Dataset {call.world.project_id}:{call.path['dataset']}")


def _list_tables(call: Call) -> Json:
    parent = _get(call)
    source = next(item for item in call.world.items("bigquery", "datasets") if dataset_id(item) == call.path["dataset"])
    items = [_table(parent, item) for item in source.get("tables", [])]
    head = {"kind": "bigquery#tableList", "etag": "e", "totalItems": len(items)}
    return paged(call, "tables", items, head=head)


def _table(parent: Json, item: Json) -> Json:
    reference = parent["datasetReference"] | {"tableId": item["tableId"]}
    derived = {
        "kind": "bigquery#table",
        "id": f"{parent['id']}.{item['tableId']}",
        "tableReference": reference,
        "type": "TABLE",
    }
    return derived | {key: value for key, value in item.items() if key != "tableId"}


def _discover(call: Call) -> Json:
    """The discovery document, with its addresses turned to the simulator."""
    if call.query.get("version", "v2") != "v2":
        raise bad_request("there is version v2 only")
    root = f"{call.root}/{HOST}/"
    path = "bigquery/v2/"
    described = {key: value for key, value in document("bigquery.v2").items() if key != "mtlsRootUrl"}
    return described | {
        "rootUrl": root,
        "servicePath": path,
        "baseUrl": root + path,
        "basePath": f"/{path}",
    }


SERVICE = Service(
    HOST,
    (
        Route("GET", "$discovery/rest", None, _discover, ("version", "labels")),
        Route("GET", "discovery/v1/apis/bigquery/v2/rest", None, _discover, ("version",)),
        Route("GET", f"{PROJECT}/datasets", None, _list, ("all", "filter"), PAGES),
        Route(
            "GET",
            f"{PROJECT}/datasets/{{dataset}}",
            "bigquery.datasets.get",
            _get,
            ("datasetView", "accessPolicyVersion"),
        ),
        Route("GET", f"{PROJECT}/datasets/{{dataset}}/tables", "bigquery.tables.list", _list_tables, (), PAGES),
        *replicas.ROUTES,
    ),
    errors_list=True,
)
