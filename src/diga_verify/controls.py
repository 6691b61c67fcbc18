"""The control texts that auditors work with; `assessment` has what a report says about each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


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
