"""The tables of the benchmark, and their places in the page about performance."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tools.bench.machine import ROOT
from tools.bench.runs import Run

PAGE = ROOT / "docs" / "performance.md"
MEGABYTE = 10**6


@dataclass(frozen=True, slots=True)
class Target:
    """What is aimed at, and what it came to. Both numbers are in `unit`; the smaller the better."""

    what: str
    limit: float
    measured: float
    unit: str

    @property
    def met(self) -> bool:
        return self.measured <= self.limit


def renewed(page: str, part: str, lines: Sequence[str]) -> str:
    """The page with other lines between the marks of a part. Raises ValueError when it has no such marks."""
    begin, end = f"<!-- bench {part} -->", f"<!-- end of bench {part} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    text, found = pattern.subn(lambda _: "\n".join(["", *lines, "", ""]), page)
    if found != 1:
        raise ValueError(f"docs/{PAGE.name} has no place for {part}: {begin} and {end}")
    return text


def targets(*found: Target) -> Iterator[str]:
    """The table of targets, if there are any."""
    if found:
        yield from ("", "| target | at most | measured | |", "|---|--:|--:|---|")
    for one in found:
        verdict = "met" if one.met else "**not met**"
        yield f"| {one.what} | {_number(one.limit)}{one.unit} | {_number(one.measured)}{one.unit} | {verdict} |"


def costs(runs: dict[str, list[Run]]) -> Iterator[str]:
    """What programs cost that ask nobody."""
    yield "| what | wall, s | processor, s | peak memory, MB |"
    yield "|---|--:|--:|--:|"
    for name, series in runs.items():
        yield f"| {name} | {spread([one.wall for one in series])} | {middle(series, 'cpu'):.2f} | {_peak(series)} |"


def details(runs: dict[str, list[Run]]) -> Iterator[str]:
    """What programs cost that ask the stand-in."""
    yield (
        "| what | wall, s | processor, s | peak memory, MB | calls | pages | chain | rounds "
        "| before the first call, s | after the last, s | stand-in's processor, s |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for name, series in runs.items():
        cells = (
            name,
            spread([one.wall for one in series]),
            f"{middle(series, 'cpu'):.2f}",
            _peak(series),
            *(f"{middle(series, field):.0f}" for field in ("calls", "pages", "chain", "rounds")),
            _share(series, "start"),
            _share(series, "end"),
            f"{middle(series, 'google'):.2f}",
        )
        yield f"| {' | '.join(cells)} |"


def middle(series: Sequence[Run], field: str) -> float:
    """The median of a field over runs."""
    return float(median(getattr(one, field) for one in series))


def spread(values: Sequence[float]) -> str:
    """A median, with the least and the most."""
    return f"{median(values):.2f} ({min(values):.2f}..{max(values):.2f})"


def _share(series: Sequence[Run], field: str) -> str:
    return f"{middle(series, field):.2f} ({100 * middle(series, field) / middle(series, 'wall'):.0f} %)"


def _peak(series: Sequence[Run]) -> str:
    return f"{middle(series, 'peak') / MEGABYTE:.0f}"


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")
