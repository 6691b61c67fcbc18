"""What should be there and is not: types of which nothing was found, expected resources, violations to be waived.

Only an answer that is whole proves an absence: from one that is not, nothing is concluded.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from diga_verify.judgement import Missing, Scope
from diga_verify.model import Reason, Resource, Unread
from diga_verify.policy.rules import Rules, Waiver

_COMPARED = 1000
"""With so many names one that is missing is compared, at most: to compare it with 100,000 takes seconds."""


def nothing_found(found: Sequence[Resource], unread: Sequence[Unread], rules: Rules, scope: Scope) -> Iterator[Unread]:
    """Types that the project may not be using at all; the policy has to say so."""
    seen = {one.type for one in found} | {one.type for one in unread}
    for type in scope.types:
        if type in rules.unused or type in seen:
            continue
        detail = (
            f"nothing of type {type} was found, and an empty list is no proof; "
            f'if the project does not use it, write unused = ["{type}"] into environments.{rules.name}'
        )
        yield Unread(type, type, Reason.NOTHING_FOUND, detail)


def missing(found: Sequence[Resource], unread: Sequence[Unread], rules: Rules, scope: Scope) -> Iterator[Missing]:
    """Expected resources that a complete list does not hold. From an incomplete list nothing is concluded."""
    incomplete = {one.type for one in unread if one.resource is None}
    there = {(one.type, one.name) for one in found if one.live}
    expected = [one for one in rules.expected if not scope.wanted or (one.type, one.name) in scope.wanted]
    meant = {(one.type, one.name) for one in expected}
    those = (one for one in found if one.live and (one.type, one.name) in meant)
    located = {(one.type, one.name, place.location) for one in those for place in one.placements}
    for one in expected:
        if one.type not in scope.types or one.type in incomplete:
            continue
        key = (one.type, one.name)
        if key not in there or (one.location is not None and (*key, one.location) not in located):
            yield Missing(one.type, one.name, one.location, one.line, _alike(one.type, one.name, found))
    for type, name in sorted(scope.wanted - {(one.type, one.name) for one in expected} - there):
        if type not in incomplete:
            yield Missing(type, name, None, None, _alike(type, name, found))


def unmatched(used: set[Waiver], unread: Sequence[Unread], rules: Rules, scope: Scope) -> Iterator[Unread]:
    """Waivers that cover no violation. Only a run that saw everything can say so."""
    if not scope.whole or any(one.resource is None and one.reason is not Reason.NOTHING_FOUND for one in unread):
        return
    for waiver in rules.waivers:
        if waiver not in used:
            detail = (
                f"the waiver in line {waiver.line} for {waiver.role} {waiver.location} covers no violation; "
                "remove it, or correct its resource, role or location"
            )
            yield Unread("policy", waiver.resource, Reason.UNMATCHED_WAIVER, detail)


def _alike(type: str, name: str, found: Sequence[Resource]) -> tuple[str, ...]:
    names = [one.name for one in found if one.type == type and one.name != name]
    if len(names) > _COMPARED:
        names.sort()
        at = bisect(names, name)
        names = names[max(0, at - _COMPARED // 2) : at + _COMPARED // 2]
    return tuple(get_close_matches(name, names, 3))
