"""The formats, by name. Each is imported when it is first asked for: a run needs one or two of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from types import ModuleType
from typing import cast

from diga_verify.formats.page import Page
from diga_verify.report import Report

Render = Callable[[Report, Page], str]
_NAMES = ("table", "json", "junit", "markdown", "github", "csv", "sarif", "ocsf", "oscal", "html")


class _Formats(Mapping[str, Render]):
    def __getitem__(self, name: str) -> Render:
        return cast("Render", _module(name).render)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


def _module(name: str) -> ModuleType:
    if name not in _NAMES:
        raise KeyError(name)
    return import_module(f"diga_verify.formats.{name}")


def pieces(name: str, report: Report, page: Page) -> Iterable[str]:
    """What a format makes of a report, in pieces: one for each resource where the format names them all, so that the
    text of a large project is never in memory as a whole."""
    module = _module(name)
    made: Iterable[str] = module.pieces(report, page) if hasattr(module, "pieces") else [module.render(report, page)]
    return made


FORMATS: Mapping[str, Render] = _Formats()
BY_EXTENSION = {
    ".json": "json",
    ".txt": "table",
    ".xml": "junit",
    ".md": "markdown",
    ".csv": "csv",
    ".sarif": "sarif",
    ".html": "html",
}
