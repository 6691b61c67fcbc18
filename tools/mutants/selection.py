"""Which tests are asked of a mutant, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.mutants.plan import OUTSIDE, REGISTRY, SLOW, TYPES

_NOTICED = "noticed by "


class Chosen:
    """The tests that are to notice: of the repository's own, the quick ones first. Those of properties are about all
    types alike: of a checker's own code, examples must tell.

    With `serve` set, the tests are collected, and then `serve` forks for each mutant instead of running them; it comes
    back in the forks, which run them.
    """

    def __init__(self, module: str) -> None:
        self._type = module.removeprefix("checkers/").removesuffix(".py")
        self.serve: Callable[[], None] | None = None
        self._items: list[object] = []

    def pytest_configure(self) -> None:
        # Looking for the smallest counterexample takes long, and nobody reads it.
        from hypothesis import Phase, settings

        settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate))
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        items[:] = sorted(filter(self._is_asked, items), key=_slowness)
        self._items = items

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed:
            print(f"\n{_NOTICED}{report.nodeid}", flush=True)  # noqa: T201 - to the log of this process

    def ask_first(self, log: Path) -> None:
        """Ask the test first, from now on, that noticed a mutant: its neighbours are likely to be noticed by it too."""
        noticed = {line.removeprefix(_NOTICED) for line in log.read_text("utf-8", "replace").splitlines()}
        self._items.sort(key=lambda item: _node(item) not in noticed)

    def _is_asked(self, item: object) -> bool:
        node = _node(item)
        if OUTSIDE in node or (self._type in TYPES and _is_property(item)):
            return False
        if node.startswith(REGISTRY):
            return self._type == "registry"
        of_type = re.match(rf"(?:{'|'.join(SLOW)}).*\[({'|'.join(TYPES)})\b", node)
        return of_type is None or self._type not in TYPES or of_type[1] == self._type

    def pytest_runtestloop(self, session: object) -> None:
        if self.serve is not None and not getattr(session, "testsfailed", 0):
            self.serve()


def _is_property(item: object) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _slowness(item: object) -> tuple[bool, bool]:
    return (_is_property(item), _node(item).startswith(SLOW))


def _node(item: object) -> str:
    return str(getattr(item, "nodeid", ""))
