"""What formats say alike about changes. Lines may hold foreign text: whoever shows them makes them harmless."""

from __future__ import annotations

from diga_verify.changes import Change, Drift, Effect, Kind, State

TITLES = {Effect.WORSE: "WORSE", Effect.NEUTRAL: "CHANGED", Effect.BETTER: "BETTER"}
"""In the order in which people want to read them."""

LABELS = {
    Kind.MOVED: "moved",
    Kind.APPEARED: "appeared",
    Kind.VANISHED: "vanished",
    Kind.PLACEMENT_APPEARED: "new place",
    Kind.PLACEMENT_VANISHED: "place gone",
    Kind.VERDICT: "verdict",
    Kind.NOT_SEEN: "not seen",
    Kind.NEWLY_SEEN: "newly seen",
    Kind.UNREAD: "unread",
    Kind.READ_AGAIN: "read again",
    Kind.MISSING: "missing",
    Kind.NOT_MISSING: "found",
    Kind.COVERAGE: "coverage",
    Kind.ENFORCEMENT: "enforced",
    Kind.POLICY: "policy",
    Kind.TOOL: "tool",
}
_NAMED = (Kind.UNREAD, Kind.READ_AGAIN)
"""Kinds whose name is not the resource's, though they may be about one."""
_OF_RULES = (Kind.POLICY, Kind.TOOL, Kind.COVERAGE)


def said(change: Change) -> str:
    """What was and what is: `primary europe-west3 -> us (compliant -> violation, critical)`."""
    role = f"{change.role} " if change.role else ""
    states = [one for one in (change.before, change.after) if one is not None]
    standings = [_standing(one) for one in states if one.verdict is not None]
    if change.kind is Kind.VERDICT:
        return f"{role}{states[0].value}: {_arrow(standings)}" if role else _arrow(standings)
    named = change.kind in (*_NAMED, *_OF_RULES) or not change.full_name
    name = f"{change.name}: " if named else ""
    told = f" ({_arrow(standings)})" if standings else ""
    return f"{role}{name}{_arrow([one.value for one in states])}{told}"


def read_from(change: Change) -> str:
    """The field that a placement was read from, and whose it is; nothing for other changes."""
    about = f" ({change.about})" if change.about else ""
    return f"{change.field}{about}" if change.field else ""


def named(change: Change) -> str:
    """The resource that a change is about, by its short name where it is told."""
    short = change.kind not in (*_NAMED, *_OF_RULES)
    return change.name if short and change.full_name else change.full_name


def how_many(drift: Drift) -> str:
    """The changes in one line, in our own words."""
    number = len(drift.changes)
    if not number:
        text = "no change"
    else:
        effects = ", ".join(f"{drift.count(effect)} {effect}" for effect in Effect)
        text = f"{number} change{'' if number == 1 else 's'}: {effects}"
    more = f"; {drift.turnover} more came or went among others like them, as backups do"
    return f"{text}{more if drift.turnover else ''}"


def _standing(state: State) -> str:
    return f"{state.verdict}, {state.severity}" if state.severity else str(state.verdict)


def _arrow(words: list[str]) -> str:
    return " -> ".join(dict.fromkeys(words))
