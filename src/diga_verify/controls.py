"""The control texts that auditors work with, and what a report says about each. docs/controls.md has the reasons.

A report is about where data is stored. No control is about that alone, so that `satisfied` is never the last word
on one: `Control.scope` says how far it goes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from diga_verify.evaluate import JudgedPlacement, JudgedResource
from diga_verify.model import Role, Verdict
from diga_verify.report import Report


class Matter(StrEnum):
    """What a control is about, and so which placements touch it."""

    LAW = "law"
    """Countries. What the policy waives or allows changes nothing."""
    TRANSFER = "transfer"
    """Likewise; but another country may be right for reasons that no API shows."""
    COMMITMENT = "commitment"
    """Places that the company has chosen and written down: its policy."""
    REPLICATION = "replication"
    """Likewise, of copies alone."""


class Standing(StrEnum):
    """What a report says about a control. Nothing starts out satisfied."""

    SATISFIED = "satisfied"
    """As far as its scope goes, and no further."""
    NOT_SATISFIED = "not-satisfied"
    """Data lies, or may lie, where the control does not have it."""
    NOT_PROVEN = "not-proven"
    """The report shows neither."""


@dataclass(frozen=True, slots=True)
class Control:
    """A text that auditors check against."""

    id: str
    framework: str
    """With the edition that was read, where there are several."""
    clause: str
    title: str
    summary: str
    """What it asks for, in our own words."""
    url: str
    """The source that was read."""
    matter: Matter
    scope: str
    """One sentence: what `satisfied` covers, and what is left to a person."""

    @property
    def name(self) -> str:
        """How people cite it: `DiGAV section 4(3)`."""
        return f"{self.framework} {self.clause}"


@dataclass(frozen=True, slots=True)
class Assessed:
    """A control, and what a report says about it."""

    control: Control
    standing: Standing
    resources: tuple[str, ...]
    """Full names of the resources to which it owes its standing, each once, in the report's order. Empty if it is
    satisfied, or if what keeps it from being proven is no resource: a list that was not read, a part that was selected.
    """


_GDPR_HUB = "https://gdprhub.eu/index.php"
_CCC = (
    "https://github.com/finos/common-cloud-controls/blob/"
    "9bda372801e3fa2a6e9af2cbb6fe5a7feece11c3/catalogs/core/core/controls.yaml"
)
_TRANSFERS_UNSEEN = (
    "Covers the places where the data that was read is stored; access from elsewhere, recipients and "
    "transfers by people or applications are not seen."
)

CONTROLS: tuple[Control, ...] = (
    Control(
        id="digav-4-3",
        framework="DiGAV",
        clause="section 4(3)",
        title="Places of processing",
        summary="Personal data of a digital health application is processed, also by processors, only in Germany, "
        "in another EU member state, in a state that German social law puts on a par with those (EEA, Switzerland), "
        "or in a country with an adequacy decision.",
        url="https://github.com/bundestag/gesetze/blob/a7b14b93edda3c7faa6a01ba1cdf84fe43e53e3c/d/digav/index.md",
        matter=Matter.LAW,
        scope="Covers the places where the data that was read is stored; where it is processed besides, and by "
        "whom, is not seen.",
    ),
    Control(
        id="gdpr-44",
        framework="GDPR",
        clause="Art. 44",
        title="General principle for transfers",
        summary="Personal data goes to a third country, and from there onwards, only under the conditions of "
        "chapter V. A report without data outside the EEA and the countries with an adequacy decision shows none "
        "that would need more.",
        url=f"{_GDPR_HUB}?title=Article_44_GDPR",
        matter=Matter.TRANSFER,
        scope=_TRANSFERS_UNSEEN,
    ),
    Control(
        id="gdpr-45",
        framework="GDPR",
        clause="Art. 45",
        title="Transfers on the basis of an adequacy decision",
        summary="Personal data may go to a third country for which the Commission has decided that it protects "
        "data adequately. Decisions that cover only certified organisations are not counted.",
        url=f"{_GDPR_HUB}?title=Article_45_GDPR",
        matter=Matter.LAW,
        scope=_TRANSFERS_UNSEEN,
    ),
    Control(
        id="gdpr-46",
        framework="GDPR",
        clause="Art. 46",
        title="Transfers subject to appropriate safeguards",
        summary="Where no adequacy decision covers a third country, a transfer needs appropriate safeguards, such as "
        "standard contractual clauses, with rights that can be enforced. No API shows these: a report shows only "
        "whether a place needs them.",
        url=f"{_GDPR_HUB}?oldid=24043&title=Article_46_GDPR",
        matter=Matter.TRANSFER,
        scope=_TRANSFERS_UNSEEN,
    ),
    Control(
        id="c5-pss-12",
        framework="BSI C5:2026",
        clause="PSS-12",
        title="Region of Data Processing and Storage",
        summary="The provider keeps customer data and its backups in the regions that the contract names or the "
        "customer selected. The report is the customer's side: which regions were selected, and that they are those "
        "of the customer's own policy.",
        url="https://grca.planeth.de/de/grcaplaneth/opensource/issue/6457/",
        matter=Matter.COMMITMENT,
        scope="Covers the customer's selection, as the provider's APIs report it; that the provider keeps to it is "
        "for the provider's own C5 report.",
    ),
    Control(
        id="ccc-core-cn06",
        framework="FINOS CCC Core v2025.10",
        clause="CCC.Core.CN06",
        title="Restrict Deployments to Trust Perimeter",
        summary="Services and their child resources run only in regions and zones that are on a list of trusted "
        "places. The list is the policy.",
        url=_CCC,
        matter=Matter.COMMITMENT,
        scope="Covers resources of the types that were read, as they were at that time; what prevents others "
        "elsewhere is not seen.",
    ),
    Control(
        id="ccc-core-cn10",
        framework="FINOS CCC Core v2025.10",
        clause="CCC.Core.CN10",
        title="Restrict Data Replication to Trust Perimeter",
        summary="Data is replicated only to places that are on a list of trusted places. Looked at are replicas, "
        "backups, and locations of several regions.",
        url=_CCC,
        matter=Matter.REPLICATION,
        scope="Covers copies that the services themselves keep and show; copies made by people or applications "
        "are seen only as resources where they arrive.",
    ),
)


def concerned(judged: JudgedResource, place: JudgedPlacement | None) -> tuple[Control, ...]:
    """The controls that a finding keeps from being satisfied, in the order of `CONTROLS`.

    Without a placement it is about the resource as a whole: what is not read of it touches every control; that its
    type should not be there is no matter of places, and touches none.
    """
    if place is None:
        return CONTROLS if judged.verdict is Verdict.UNVERIFIED else ()
    return tuple(control for control in CONTROLS if _says(place, control.matter) is not Standing.SATISFIED)


def assessed(report: Report) -> tuple[Assessed, ...]:
    """What a report says about every control, in the order of `CONTROLS`."""
    return tuple(_assess(control, report) for control in CONTROLS)


def _assess(control: Control, report: Report) -> Assessed:
    resources = report.judgement.resources
    against = _names(one for one in resources if _any_says(one, control, Standing.NOT_SATISFIED))
    if against:
        return Assessed(control, Standing.NOT_SATISFIED, against)
    doubtful = _names(one for one in resources if _is_doubtful(one, control, report))
    # A part of a project, a stand-in, or a policy that did not govern the run proves nothing of the project.
    real = report.whole and not report.simulated and not report.what_if
    proves = real and report.verdict is Verdict.COMPLIANT
    if doubtful or not proves:
        return Assessed(control, Standing.NOT_PROVEN, doubtful)
    return Assessed(control, Standing.SATISFIED, ())


def _is_doubtful(judged: JudgedResource, control: Control, report: Report) -> bool:
    """Whether a resource keeps a control from being proven."""
    # Only --deep looks for the replicas of a dataset, and replicas are all that this matter is about.
    unseen = control.matter is Matter.REPLICATION and judged.resource.type == "bigquery" and not report.deep
    wrong = judged.verdict in (Verdict.VIOLATION, Verdict.UNVERIFIED)
    return unseen or wrong or _any_says(judged, control, Standing.NOT_PROVEN)


def _any_says(judged: JudgedResource, control: Control, standing: Standing) -> bool:
    return any(_says(place, control.matter) is standing for place in judged.placements)


def _says(place: JudgedPlacement, matter: Matter) -> Standing:
    """What a placement, taken alone, says about a control of this matter."""
    if matter in (Matter.LAW, Matter.TRANSFER):
        return _says_of_countries(place, matter)
    proven = place.verdict is Verdict.COMPLIANT and place.assumption is None
    if proven or (matter is Matter.REPLICATION and not _is_copy(place)):
        return Standing.SATISFIED
    # What is waived or assumed is somebody's word: it may be good, and is not proof.
    return Standing.NOT_SATISFIED if place.verdict is Verdict.VIOLATION else Standing.NOT_PROVEN


def _says_of_countries(place: JudgedPlacement, matter: Matter) -> Standing:
    """Whatever the policy makes of it: a policy can allow and waive what the law does not."""
    if place.bound is None or place.assumption is not None:
        return Standing.NOT_PROVEN
    if place.bound.lawful:
        return Standing.SATISFIED
    return Standing.NOT_SATISFIED if matter is Matter.LAW else Standing.NOT_PROVEN


def _is_copy(place: JudgedPlacement) -> bool:
    """Whether it is, or may be, one of several places where the same data lies."""
    several = place.bound is None or len(place.bound.regions) != 1
    return several or place.placement.role in (Role.REPLICA, Role.BACKUP)


def _names(resources: Iterable[JudgedResource]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.resource.full_name for one in resources))
