"""The services, one file each; SERVICES is the list of all of them."""

from __future__ import annotations

from diga_verify.simulator.services import (
    bigquery,
    firestore,
    gcs,
    gke,
    inventory,
    kms,
    projects,
    redis,
    service_usage,
    sql,
)

SERVICES = {
    service.host: service
    for service in (
        gke.SERVICE,
        sql.SERVICE,
        redis.SERVICE,
        bigquery.SERVICE,
        firestore.SERVICE,
        gcs.SERVICE,
        kms.SERVICE,
        inventory.SERVICE,
        service_usage.SERVICE,
        projects.SERVICE,
    )
}
