"""What to do about a finding: the next step in one sentence, and where the long version is."""

from __future__ import annotations

import shlex

from diga_verify.evaluate import JudgedPlacement, JudgedResource
from diga_verify.model import Role

_BACKUP_ELSEWHERE = "make a new backup in an allowed location, then delete this one"
_STEPS: dict[tuple[str, Role], str] = {
    (
        "gke",
        Role.PRIMARY,
    ): "a cluster cannot be moved: create it anew in an allowed region, move the workloads, delete it",
    ("gke", Role.NODE): "gcloud container node-pools update POOL --cluster {name} --location LOCATION "
    "--node-locations ZONES, or for the cluster itself: "
    "gcloud container clusters update {name} --location LOCATION --node-locations ZONES",
    ("sql", Role.PRIMARY): "an instance cannot be moved: restore a backup or promote a replica in an allowed region",
    ("sql", Role.REPLICA): "gcloud sql instances delete {name}, and create the replica anew in an allowed region",
    ("sql", Role.NODE): "zones lie in the instance's region, which is fixed: restore a backup in an allowed region",
    ("sql", Role.BACKUP): "gcloud sql instances patch {name} --backup-location europe-west3 for backups to come; "
    "backups that lie elsewhere are deleted one by one: gcloud sql backups delete ID --instance {name}",
    ("redis", Role.PRIMARY): "an instance cannot be moved: export it, import it into a new one in an allowed region",
    ("redis", Role.NODE): "an instance's zones are fixed when it is made: export it, import it into a new one",
    ("redis", Role.REPLICA): "detach the cluster from the replication, then delete it",
    ("redis", Role.BACKUP): _BACKUP_ELSEWHERE,
    (
        "bigquery",
        Role.PRIMARY,
    ): "a dataset's location is fixed: copy it into a new dataset in an allowed region, delete it",
    ("bigquery", Role.REPLICA): "ALTER SCHEMA {name} DROP REPLICA, in SQL, for the replica in this location",
    ("firestore", Role.PRIMARY): "a database's location is fixed: export it, import it into a new one, delete it",
    ("firestore", Role.BACKUP): _BACKUP_ELSEWHERE,
    ("gcs", Role.PRIMARY): "gcloud storage buckets relocate gs://{name} --location europe-west3, "
    "or copy its objects to a new bucket and delete this one",
    (
        "kms",
        Role.PRIMARY,
    ): "a key ring cannot be moved: encrypt anew with a key in an allowed location, destroy "
    "the key's versions, and delete or waive the empty ring",
}
_KEY = "encrypt anew with a key in an allowed location, then disable this key's use here"


def next_step(judged: JudgedResource, place: JudgedPlacement | None) -> str:
    """The step to take for a violating placement; `None` for a resource that should not be there at all."""
    resource = judged.resource
    see = f"see docs/respond.md#{resource.type}"
    if place is None:
        return f'delete it, or take "{resource.type}" out of `unused` in the policy; {see}'
    role = place.placement.role
    step = _KEY if role is Role.KEY else _STEPS.get((resource.type, role), "move the data to an allowed location")
    return f"{step.format(name=shlex.quote(resource.name))}; {see}"
