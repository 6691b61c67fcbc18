"""Why a location is allowed or not: `diga-verify policy explain`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from diga_verify.errors import UsageError
from diga_verify.locations.algebra import Bound, bound
from diga_verify.model import Role
from diga_verify.policy.wording import did_you_mean, listed, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from diga_verify.policy.rules import Allowed, NamedSet, Policy


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a policy says of one location."""

    allowed: bool | None
    """None when nothing is known of the location: a placement there is unverified."""
    lawful: bool | None
    """Whether DiGAV section 4(3) allows it; None when nothing is known of the location."""
    bound: Bound | None
    """What the location stands for to the type."""
    rule: Allowed
    """The rule that decided, with its line."""
    sets: Mapping[str, NamedSet]
    """The sets that the rule names, with their lines."""
    sentences: tuple[str, ...]
    """All of this for people, the answer first."""


def explain(policy: Policy, type: str, role: str, location: str, environment: str) -> Explanation:
    """What the policy says of a placement. Raises `UsageError` for a word that the policy does not know."""
    rules = policy.environment(environment)
    _require("type", type, policy.types)
    _require("role", role, list(map(str, Role)))
    rule = rules.allowed(type, Role(role))
    sets = {name: policy.sets[name] for name in rule.sets}
    found = bound(location, "kms" if role == Role.KEY else type)  # a key lies where Cloud KMS says
    allowed = True if rule.area.covers(location, found) else None if found is None else False
    answer = {
        True: "is allowed",
        False: "is not allowed",
        None: "is unverified: nothing is known of that location",
    }[allowed]
    return Explanation(
        allowed=allowed,
        lawful=None if found is None else found.lawful,
        bound=found,
        rule=rule,
        sets=sets,
        sentences=(
            f"{type} {role} in {quoted(location)} {answer} in {environment}.",
            *_what_it_stands_for(location, found),
            f"{policy.path}:{rule.line}: {type} {role} may lie in {listed(rule.sets)}.",
            *(f"{policy.path}:{named.line}: {name} is {listed(named.entries)}." for name, named in sets.items()),
        ),
    )


def _what_it_stands_for(location: str, found: Bound | None) -> Iterable[str]:
    if found is None:
        return
    yield f"{quoted(location)} stands for {found.description}."
    yield f"That is {'inside' if found.lawful else 'outside'} what DiGAV section 4(3) allows."


def _require(what: str, word: str, known: Iterable[str]) -> None:
    if word not in known:
        raise UsageError(f"unknown {what} {quoted(word)}; known: {listed(known)}{did_you_mean(word, known)}")
