"""The rules of the SARIF report: one for each kind of finding, in our own words alone."""

from __future__ import annotations

from typing import Any

from diga_verify.formats.findings import Kind


def _rule(kind: Kind, name: str, short: str, full: str, advice: str, severity: str | None) -> dict[str, Any]:
    """`severity` is the score by which GitHub names an alert: from 9 critical, from 7 high, from 4 medium. A rule
    without one is a note that is about no security."""
    return {
        "id": kind.value,
        "name": name,
        "shortDescription": {"text": f"{short}."},
        "fullDescription": {"text": full},
        "help": {"text": advice, "markdown": advice},
        "defaultConfiguration": {"level": "error" if severity else "note"},
        "properties": {
            "tags": ["data-residency", *(["security"] if severity else [])],
            "precision": "very-high",
            **({"security-severity": severity} if severity else {}),
        },
    }


_MOVE = (
    "Move the data: the message has the next step, and docs/respond.md of diga-verify the whole of it, type by type. "
    "Then run the gate again. "
)

RULES: tuple[dict[str, Any], ...] = (
    _rule(
        Kind.OUTSIDE_LAW,
        "OutsideLaw",
        "Data lies outside what the law allows",
        "A place where this resource keeps data is not wholly within Germany, the EU, the EEA, Switzerland and the "
        "countries with an adequacy decision (DiGAV section 4(3)), and the policy does not allow it either.",
        f"{_MOVE}Tell whoever answers for data protection before you repair it.",
        "9.5",
    ),
    _rule(
        Kind.OUTSIDE_POLICY,
        "OutsidePolicy",
        "Data lies outside what the policy allows",
        "A place where this resource keeps data is lawful, and not wholly within what the policy allows for its role.",
        f"{_MOVE}A violation can also be waived in the policy: by name, with a reason, an owner and a last day.",
        "8.0",
    ),
    _rule(
        Kind.UNUSED_TYPE,
        "UnusedType",
        "A resource of a type that is declared unused",
        "The policy declares that the project uses no resource of this type, and there is one.",
        "Delete it, or take its type out of `unused` in the policy.",
        "8.0",
    ),
    _rule(
        Kind.MISSING,
        "MissingResource",
        "An expected resource is missing",
        "The policy or the command line expects this resource, and the complete list of its type does not have it.",
        "Correct the name, or create the resource. See docs/respond.md of diga-verify, under `missing`.",
        "7.0",
    ),
    _rule(
        Kind.NOT_READ,
        "NotRead",
        "Not verified: something could not be read",
        "Something that should have been read was not, or not to its end. Whether it is as the policy requires is "
        "unknown: earlier results about it that have vanished are not known to be repaired.",
        "The message names the reason; docs/unverified.md of diga-verify says of each reason what to do about it.",
        "7.0",
    ),
    _rule(
        Kind.NOT_PROVEN,
        "NotProven",
        "Not verified: the answer does not prove where the data lies",
        "Everything was read, and what was answered does not tell where the data certainly lies.",
        "The message names the reason; docs/unverified.md of diga-verify says of each reason what to do about it.",
        "7.0",
    ),
    _rule(
        Kind.IDLE_WAIVER,
        "IdleWaiver",
        "A waiver covers nothing",
        "A waiver in the policy covers no violation. It may be meant for another resource, role or location, or be "
        "left over from a violation that is repaired.",
        "Remove the waiver, or correct its resource, role or location.",
        "4.0",
    ),
    _rule(
        Kind.RUN,
        "RunNotCompliant",
        "The run did not prove that the project is compliant",
        "The run ended without proof, and nothing else that it found says why: it broke off, or there was nothing to "
        "be found.",
        "Run the gate again, and look at its exit code.",
        "7.0",
    ),
    _rule(
        Kind.WAIVED,
        "WaivedViolation",
        "A violation is waived",
        "Data lies outside what the policy allows, and the policy waives that: somebody answers for it until a day.",
        "Look at it again before the waiver ends, and repair or renew it. The message has its reason and its owner.",
        None,
    ),
)
