"""What changed between two runs, for people: what got worse first, each resource once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

from rich.console import RenderableType
from rich.text import Text

from diga_verify.changes import Change, Drift, Effect, Side
from diga_verify.formats.drift_words import LABELS, TITLES, how_many, named, said
from diga_verify.formats.page import Page
from diga_verify.formats.printed import line, many, printed, words

_STYLES = {Effect.WORSE: "bold red", Effect.NEUTRAL: "bold cyan", Effect.BETTER: "bold green"}
_SENTENCES = {
    Effect.WORSE: "Less is right, proven or demanded than before.",
    Effect.BETTER: "Nothing got worse, and something got better.",
    Effect.NEUTRAL: "Nothing got worse.",
}
_COLUMNS = 12
"""Before a change's text: the longest label, and two."""
_ALIKE = 3
"""So many resources of which the very same is to be told are still told one by one."""
_NAMES = 10
_SHORT = 20
"""So many findings at most are told within a report of another kind."""
_Told = tuple[str, str, str, str]
T = TypeVar("T")
K = TypeVar("K")


def render(drift: Drift, page: Page) -> str:
    """All of it, as lines of text for a page."""
    return printed(_parts(drift), page)


def since(drift: Drift) -> Iterator[RenderableType]:
    """A section of a report: what changed since the old run, the worst of it first."""
    yield words(f"CHANGES since {drift.old.finished_at}", "bold")
    yield from _caveats(drift)
    yield Text()
    found = [*findings(drift)]
    for finding in found[:_SHORT]:
        yield from finding
    if len(found) > _SHORT:
        yield words(f"and {len(found) - _SHORT} more, all in the JSON report")
        yield Text()
    yield words(how_many(drift))
    yield Text()


def _parts(drift: Drift) -> Iterator[RenderableType]:
    yield words(f"changes in {drift.environment}, project {drift.project}", "bold")
    yield _side("old", drift.old)
    yield _side("new", drift.new)
    yield from _caveats(drift)
    yield Text()
    for finding in findings(drift):
        yield from finding
    yield words(how_many(drift))
    worst = next((effect for effect in (Effect.WORSE, Effect.BETTER) if drift.count(effect)), Effect.NEUTRAL)
    yield words(_SENTENCES[worst], _STYLES[worst])


def _side(word: str, side: Side) -> Text:
    scope = "" if side.whole else f", only {', '.join(side.selection)}"
    verdict = f"{side.verdict}{'' if side.complete else ', incomplete'}, exit {side.exit_code}{scope}"
    return words(f"{word}  {side.finished_at}  {verdict}; policy sha256 {side.policy_sha256[:8]}")


def _caveats(drift: Drift) -> Iterator[RenderableType]:
    yield from (words(f"NOTE: {one}") for one in drift.caveats)


def findings(drift: Drift) -> Iterator[list[RenderableType]]:
    """The changes, the worst first: one for each resource, type or subject with changes, one for many resources with
    the very same change."""
    groups = _grouped(drift.changes, _subject)
    for effect in TITLES:
        found = [group for group in groups if _worst(group) is effect]
        for alike in _grouped(found, _what):
            if len(alike) > _ALIKE and len(alike[0]) == 1:
                yield [*_together([change for group in alike for change in group])]
            else:
                yield from ([*_finding(group)] for group in alike)


def _finding(group: list[Change]) -> Iterator[RenderableType]:
    first, effect = group[0], _worst(group)
    yield _title(effect, first.type or "run", next((name for name in map(named, group) if name), ""))
    for alike in _grouped(group, lambda change: (change.kind, said(change))):
        yield line(LABELS[alike[0].kind], said(alike[0]), _COLUMNS)
        if field := alike[0].field:
            more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
            yield line("", f"read from {field}{more}", _COLUMNS)
    yield Text()


def _together(changes: list[Change]) -> Iterator[RenderableType]:
    first = changes[0]
    yield _title(first.effect, first.type, many(len(changes), "resource"))
    yield line(LABELS[first.kind], said(first), _COLUMNS)
    names = [*islice(map(named, changes), _NAMES)]
    more = f" and {len(changes) - len(names)} more" if len(changes) > len(names) else ""
    yield line("", f"{', '.join(names)}{more}", _COLUMNS)
    yield Text()


def _title(effect: Effect, type: str, name: str) -> Text:
    title = Text(TITLES[effect], style=_STYLES[effect])
    title.append(words(f"  {type}{'  ' * bool(name)}{name}", "bold"))
    return title


def _worst(group: Iterable[Change]) -> Effect:
    effects = {change.effect for change in group}
    return next(effect for effect in TITLES if effect in effects)


def _subject(change: Change) -> tuple[str, ...]:
    """Changes of one resource belong together, and those of a type, and those of one kind that are about the run."""
    return (change.type, change.full_name) if change.type else ("", "", change.kind)


def _what(group: list[Change]) -> tuple[object, ...]:
    """What is told of a group, whatever the resource is called."""
    first = group[0]
    if len(group) > 1 or not named(first):
        return (id(group),)
    return (first.type, first.kind, first.role, first.before, first.after)


def _grouped(things: Iterable[T], key: Callable[[T], K]) -> list[list[T]]:
    """Things with an equal key together, in the order of the first of each."""
    groups: dict[K, list[T]] = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return [*groups.values()]
