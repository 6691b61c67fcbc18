"""What a channel is told, as words: pure, and without markup. Foreign words are made harmless here once for all; what
markup a channel has beyond that is for the channel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from diga_verify.formats.page import plain
from diga_verify.formats.printed import many
from diga_verify.formats.words import caveats, conclusion, counts
from diga_verify.notify.routing import Notice, Why
from diga_verify.redact import redact
from diga_verify.report import Report

SHOWN = 10
"""Findings that a message names one by one, of each kind of news."""
_LONGEST = 300
"""Characters of one line of foreign words."""
_SHORT = 300
"""Characters of a short message: two of those that telephones put together."""


@dataclass(frozen=True, slots=True)
class Item:
    """One finding."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Findings of which there is the same to say."""

    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one channel: lines of printable text."""

    subject: str
    opening: tuple[str, ...]
    sections: tuple[Section, ...] = ()
    link: str | None = None

    @property
    def text(self) -> str:
        """The whole message as plain text."""
        lines = [self.subject, "", *self.opening]
        for section in self.sections:
            lines += ["", section.title]
            for item in section.items:
                lines += [f"* {item.title}", *(f"    {line}" for line in item.lines)]
        if self.link:
            lines += ["", f"Report: {self.link}"]
        return "\n".join(lines) + "\n"

    @property
    def short(self) -> str:
        """The message in as many characters as a telephone shows: the subject, the gravest findings, the link."""
        link = f" {self.link}" if self.link and len(self.link) < _SHORT // 2 else ""
        gravest = "; ".join(item.title for section in self.sections for item in section.items[:3])
        body = f"{self.subject}. {gravest}" if gravest else f"{self.subject}. {' '.join(self.opening)}"
        return clipped(body, _SHORT - len(link)) + link


def message(report: Report, notices: Sequence[Notice], link: str | None, now: datetime) -> Message:
    """What a channel is told of a run."""
    news = [many_of(why, notices) for why in Why if any(one.why is why for one in notices)]
    where = f"{report.environment} {report.project.id}"
    simulated = "SIMULATED " if report.simulated else ""
    return Message(
        subject=_line(f"[diga-verify] {simulated}{where}: {report.verdict}; {', '.join(news)}"),
        opening=tuple(map(_line, (conclusion(report), f"{counts(report)}.", *map(str, caveats(report))))),
        sections=tuple(_sections(notices, now)),
        link=None if link is None else plain(link),
    )


def trial(environment: str | None) -> Message:
    """A message that is no alarm."""
    about = f"the environment {environment}" if environment else "any environment"
    return Message(
        subject="[diga-verify] test: nothing happened",
        opening=(f"This is a test of the channels for {about}. Nothing was verified, and nothing needs to be done.",),
    )


def clipped(text: str, longest: int) -> str:
    """The text, shortened where it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def many_of(why: Why, notices: Sequence[Notice]) -> str:
    """`2 new`."""
    return f"{sum(one.why is why for one in notices)} {why}"


def _sections(notices: Sequence[Notice], now: datetime) -> Iterator[Section]:
    for why in Why:
        ours = [one for one in notices if one.why is why]
        if ours:
            items = [_item(one, now) for one in ours[:SHOWN]]
            if len(ours) > SHOWN:
                items.append(Item(f"and {len(ours) - SHOWN} more, which the report names", ()))
            yield Section(f"{why.capitalize()}: {many(len(ours), 'finding')}", tuple(items))


def _item(notice: Notice, now: datetime) -> Item:
    about = notice.about
    if notice.why is Why.RESOLVED:
        was = f"{about.title} ({about.gravity} since {_time(about.since)})"
        return Item(_line(was), ("no longer found, or waived",))
    lines = [] if about.title.endswith(about.name) else [about.name]
    if notice.why is not Why.NEW:
        hours = int((now - about.since).total_seconds() // 3600)
        lines.append(f"first found {_time(about.since)}, {many(hours, 'hour')} ago")
    if not about.seen:
        lines.append("not seen by this run, which did not read all that could show it")
    if about.step:
        lines.append(f"next: {about.step}")
    return Item(_line(f"{about.gravity.upper()} {about.title}"), tuple(map(_line, lines)))


def _line(text: str) -> str:
    return clipped(plain(redact(text)), _LONGEST)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")
