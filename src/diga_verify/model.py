"""The nouns of diga-verify. Frozen, and importing nothing of ours but history.py, which has those of a database's past:
every other module may lean on them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from diga_verify.history import History

Json = Mapping[str, Any]
"""One JSON object, as a Google Cloud API writes it."""

TYPES = ("gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms")
"""The built-in resource types, in the order in which reports show them."""


class Role(StrEnum):
    """What a placement is to its resource."""

    PRIMARY = "primary"  # where it lives
    NODE = "node"  # zones in which its nodes or standbys run
    REPLICA = "replica"  # another live copy
    BACKUP = "backup"  # backups, and where they are configured to go
    KEY = "key"  # the customer-managed key that encrypts it


class Verdict(StrEnum):
    """What is proven. Nothing starts out compliant: `UNVERIFIED` is the default."""

    COMPLIANT = "compliant"
    VIOLATION = "violation"
    UNVERIFIED = "unverified"
    WAIVED = "waived"


class Severity(StrEnum):
    """How far a violation goes."""

    CRITICAL = "critical"  # outside what DiGAV section 4(3) allows
    HIGH = "high"  # lawful, and outside what the policy allows


class Enforcement(StrEnum):
    """What an environment makes of a violation, and of what is not verified."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    FREE = "free"


class Reason(StrEnum):
    """Why something is unread. The list is closed; docs/unverified.md has a section for each."""

    NO_CREDENTIALS = "no_credentials"
    CREDENTIALS_REJECTED = "credentials_rejected"
    PERMISSION_DENIED = "permission_denied"
    API_DISABLED = "api_disabled"
    BILLING_DISABLED = "billing_disabled"
    SERVICE_PERIMETER = "service_perimeter"
    PROJECT_INACTIVE = "project_inactive"
    FOREIGN_RESOURCE = "foreign_resource"
    NOT_FOUND = "not_found"
    INVALID_REQUEST = "invalid_request"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    SERVER_ERROR = "server_error"
    CONNECTION_FAILED = "connection_failed"
    TLS_FAILED = "tls_failed"
    REDIRECTED = "redirected"
    TIMEOUT = "timeout"
    MALFORMED_ANSWER = "malformed_answer"
    PARTIAL_ANSWER = "partial_answer"
    ENDLESS_PAGING = "endless_paging"
    NOTHING_FOUND = "nothing_found"
    NOT_LISTED = "not_listed"
    MISSING_LOCATION = "missing_location"
    DEFAULT_LOCATION = "default_location"
    UNKNOWN_LOCATION = "unknown_location"
    EXTERNAL_KEY = "external_key"
    EXTERNAL_DATA = "external_data"
    NO_BACKUP = "no_backup"
    UNKNOWN_SOURCE = "unknown_source"
    NOT_RESTORED = "not_restored"
    UNMATCHED_WAIVER = "unmatched_waiver"
    INTERRUPTED = "interrupted"
    UNEXPECTED_ERROR = "unexpected_error"


PROOF_LACKING = frozenset(
    {
        Reason.NOTHING_FOUND,
        Reason.MISSING_LOCATION,
        Reason.DEFAULT_LOCATION,
        Reason.UNKNOWN_LOCATION,
        Reason.EXTERNAL_KEY,
        Reason.EXTERNAL_DATA,
        Reason.NO_BACKUP,
        Reason.UNKNOWN_SOURCE,
        Reason.NOT_RESTORED,
        Reason.UNMATCHED_WAIVER,
    }
)
"""Reasons that leave something unverified although every answer was read to its end."""


@dataclass(frozen=True, slots=True)
class Item:
    """What the APIs said about one resource: its REST representation, wherever that came from."""

    asset_type: str
    """As Cloud Asset Inventory names it, for example `container.googleapis.com/Cluster`."""
    project: str
    """The project that was asked, by id."""
    data: Json
    related: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)
    """Other REST representations that belong to this one, for example an instance's backup runs."""


@dataclass(frozen=True, slots=True)
class Placement:
    """One place where a resource keeps data."""

    role: Role
    location: str | None
    """What the API said, untouched; `None` when it said nothing."""
    field: str
    """The API field it was read from, as a path: `nodePools[1].locations[2]`."""
    members: tuple[str, ...] = ()
    """Regions that the same answer names as the location's own. They bound it more tightly than the table."""
    reason: Reason | None = None
    """Why no location can be known from this field, where that is so by its nature (an external key)."""
    about: str = ""
    """Whose placement this is, when the field alone does not tell: a replica's or a backup's name."""
    source: str | None = dataclasses.field(default=None, compare=False)
    """Where the field, or what lacks it, stands in the evidence of the run, as a JSON Pointer; None without any."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Something that should have been read and was not."""

    type: str
    scope: str
    """What was not read: `projects/p/locations/us-east1`, or a resource's full name and field."""
    reason: Reason
    detail: str
    """One sentence for a person. Never branch on it."""
    resource: str | None = None
    """Full name of the one resource this is about, when it is about one. That resource cannot be compliant."""
    off_in_project: bool = False
    """With `api_disabled`: the answer says that the API is off in the very project that is verified."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What is asked of a run after a restore, besides the places."""

    since: str | None = None
    """When the baseline was taken: what is older was judged then. None without one."""
    before: tuple[tuple[str, str, str], ...] = ()
    """Type, name and full name of what the baseline had, and must be there again; sorted."""
    sources: tuple[tuple[str, str, str], ...] = ()
    """Type and name of a database, and what it was restored from, as the operator says; sorted."""
    max_age_hours: float | None = None
    """How old the newest backup may be."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One cloud resource with every place where it keeps data."""

    type: str
    name: str
    """The short name that people use, unique within its type and location: `dta-cluster`, `ring/key`."""
    full_name: str
    """As Cloud Asset Inventory writes it: `//container.googleapis.com/projects/P/locations/L/clusters/C`."""
    kind: str
    """What it is, in words: `cluster`, `read replica`, `soft-deleted bucket`."""
    placements: tuple[Placement, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    """Full name of the resource that this is a copy of: a read replica's primary, a backup's database."""
    live: bool = True
    """False for what was deleted and still holds its data."""
    history: History | None = None
    """Of a database, in a run after a restore."""


@dataclass(frozen=True, slots=True)
class Project:
    """The project's own record."""

    id: str
    number: str | None
    state: str | None

    def is_named(self, name: str) -> bool | None:
        """Whether `name` is the project's id or number; None where that cannot be told without its record."""
        known = [own for own in (self.id, self.number) if own is not None and own.isdigit() == name.isdigit()]
        return name in known if known else None

    def is_same(self, other: Project) -> bool:
        """Whether both are known to be one project, of which either record may not have been read."""
        if self.number and other.number:
            return self.number == other.number
        return bool(self.is_named(other.id) or other.is_named(self.id))


@dataclass(frozen=True, slots=True)
class Asset:
    """A resource that Cloud Asset Inventory knows of."""

    type: str
    full_name: str
    """As Cloud Asset Inventory writes it."""


@dataclass(frozen=True, slots=True)
class Witness:
    """What Cloud Asset Inventory, the second witness, said of the types that were read."""

    heard: tuple[str, ...] = ()
    """The asset types of which it gave its whole list."""
    silent: tuple[tuple[str, Reason], ...] = ()
    """The asset types of which the caller may not have its list, each with the reason."""
    assets: tuple[Asset, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """One finished call to a Google Cloud API, all its pages and attempts taken together."""

    service: str
    method: str
    scope: str
    pages: int
    status: str
    """`ok`, or the reason code with which it ended."""
    started_at: str
    """RFC 3339, UTC."""
    duration_ms: int
