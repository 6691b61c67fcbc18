"""What to do about a finding: the next step in one sentence, and where the long version is."""

from __future__ import annotations

import shlex

from diga_verify.judgement import JudgedPlacement, JudgedResource
from diga_verify.model import Reason, Role, Verdict

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
_LOGIN = "`gcloud auth application-default login`"
_REMEDIES = {
    Reason.NO_CREDENTIALS: "log in, or give the job a service account: docs/permissions.md#credentials",
    Reason.CREDENTIALS_REJECTED: f"type {_LOGIN}, or check the account, `--billing-project` and the roles they need",
    Reason.PERMISSION_DENIED: "check the project's id; give the caller the role of docs/permissions.md, on the whole "
    "project",
    Reason.API_DISABLED: "`gcloud services enable SERVICE --project PROJECT`, or declare the type unused in the policy",
    Reason.BILLING_DISABLED: "link a billing account, and run again",
    Reason.SERVICE_PERIMETER: "run from inside the perimeter, or have an ingress rule added for the caller",
    Reason.PROJECT_INACTIVE: "check that it is the right project; restore it, or have the suspension lifted",
    Reason.FOREIGN_RESOURCE: "find out who answers: what belongs to others was not used",
    Reason.NOT_FOUND: "check the project's id, and run again",
    Reason.INVALID_REQUEST: "if it stays with the newest version, report it",
    Reason.RATE_LIMITED: "run again later, or bill the calls elsewhere: `--billing-project PROJECT`",
    Reason.QUOTA_EXCEEDED: "wait until the quota is renewed, have it raised, or use `--billing-project PROJECT`",
    Reason.SERVER_ERROR: "look at https://status.cloud.google.com, and run again",
    Reason.CONNECTION_FAILED: "repair the network (firewall, proxy, name resolution), and run again",
    Reason.TLS_FAILED: "let `*.googleapis.com` pass unopened, or trust the proxy: `REQUESTS_CA_BUNDLE`",
    Reason.REDIRECTED: "find out who answers: Google's APIs do not redirect",
    Reason.TIMEOUT: "run again, with a larger `--deadline` if the whole run was too short",
    Reason.MALFORMED_ANSWER: "find out who answers; if it is Google, report it",
    Reason.PARTIAL_ANSWER: "run again; if it stays, look at the region's status",
    Reason.ENDLESS_PAGING: "run again; if it stays, report it",
    Reason.NOTHING_FOUND: "declare the type unused in the policy if it is, or find out where its resources are",
    Reason.NOT_LISTED: "run again in some minutes; if it stays, look at the resource with gcloud",
    Reason.MISSING_LOCATION: "look at the resource with gcloud; if it really has no location, report it",
    Reason.DEFAULT_LOCATION: "`gcloud sql instances patch INSTANCE --backup-location europe-west3`",
    Reason.UNKNOWN_LOCATION: "`diga-verify locations NAME`; update diga-verify, or report the location with a source",
    Reason.EXTERNAL_KEY: "ask the key's keeper; only a key held by Google can be verified",
    Reason.EXTERNAL_DATA: "verify the other system, or remove what stands for it",
    Reason.NO_BACKUP: "make a backup in an allowed location, and run again",
    Reason.UNKNOWN_SOURCE: "name it: `--restored-from TYPE/NAME=SOURCE`, as docs/restore.md says",
    Reason.NOT_RESTORED: "restore it; if it is gone on purpose, compare with a later baseline",
    Reason.UNMATCHED_WAIVER: "remove the waiver, or correct its resource, role or location",
    Reason.INTERRUPTED: "run again",
    Reason.UNEXPECTED_ERROR: "report it, with the JSON report",
}
_KEY = "encrypt anew with a key in an allowed location, then disable this key's use here"

_DELAYS: dict[Reason | None, str] = {
    Reason.PERMISSION_DENIED: "a role takes effect 2 to 7 minutes after it was given, at times later; to a member of a "
    "group perhaps hours later",  # https://cloud.google.com/iam/docs/access-change-propagation
    Reason.API_DISABLED: "an API answers some minutes after it was switched on",
    Reason.NOT_LISTED: "what was made or deleted is in every list after some minutes",
    None: "a setting shows as soon as Google Cloud calls its operation done; data that moves takes its time",
}

WAIVED_STEP = "look at it again before the waiver ends, and repair or renew it; see docs/respond.md#waiver"


def remedy(reason: Reason) -> str:
    """What to do about something unread, in one line. docs/unverified.md has the whole of it."""
    return _REMEDIES[reason]


def expectation(reason: Reason | None) -> str | None:
    """How long after its remedy a reason stays, where that is known; None for a reason: what is so of any repair."""
    return _DELAYS.get(reason)


def follow_up(judged: JudgedResource, place: JudgedPlacement) -> str | None:
    """What to do about a placement, whatever is the matter with it; None where nothing is."""
    if place.reason is not None:
        return f"{remedy(place.reason)}; see docs/unverified.md#{place.reason}"
    if place.waiver is not None:
        return WAIVED_STEP
    return next_step(judged, place) if place.verdict is Verdict.VIOLATION else None


def next_step(judged: JudgedResource, place: JudgedPlacement | None) -> str:
    """The step to take for a violating placement; `None` for a resource that should not be there at all."""
    resource = judged.resource
    see = f"see docs/respond.md#{resource.type}"
    if place is None:
        return f'delete it, or take "{resource.type}" out of `unused` in the policy; {see}'
    role = place.placement.role
    step = _KEY if role is Role.KEY else _STEPS.get((resource.type, role), "move the data to an allowed location")
    return f"{step.format(name=shlex.quote(resource.name))}; {see}"
