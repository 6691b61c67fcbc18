"""Which tests are asked of a mutant, and in which order."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tools.mutants.plan import OUTSIDE, REGISTRY, SLOW, TYPES


class Chosen:
    """The tests that are to notice: of the repository's own, the quick ones first. Those of properties are about all
    types alike: of a checker's own code, examples must tell.

    With `serve`, the tests are collected, and then `serve` forks for each mutant instead of running them; it comes
    back in the forks, which run them.
    """

    def __init__(self, module: str, serve: Callable[[], None] | None = None) -> None:
        self._type = module.removeprefix("checkers/").removesuffix(".py")
        self._serve = serve

    def pytest_collection_modifyitems(self, items: list[object]) -> None:
        items[:] = sorted(filter(self._is_asked, items), key=_slowness)
        tests = [getattr(item, "obj", None) for item in items if _is_property(item)]
        for test in {id(test): test for test in tests}.values():
            _content_with_any_example(test)

    def _is_asked(self, item: object) -> bool:
        node = _node(item)
        if OUTSIDE in node or (self._type in TYPES and _is_property(item)):
            return False
        if node.startswith(REGISTRY):
            return self._type == "registry"
        of_type = re.match(rf"(?:{'|'.join(SLOW)}).*\[({'|'.join(TYPES)})\b", node)
        return of_type is None or self._type not in TYPES or of_type[1] == self._type

    def pytest_runtestloop(self, session: object) -> None:
        if self._serve is not None and not getattr(session, "testsfailed", 0):
            self._serve()


def _is_property(item: object) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _content_with_any_example(test: Any) -> None:
    # Looking for the smallest counterexample takes long, and nobody reads it.
    from hypothesis import Phase, settings

    settings(phases=(Phase.explicit, Phase.generate))(test)


def _slowness(item: object) -> tuple[bool, bool]:
    return (_is_property(item), _node(item).startswith(SLOW))


def _node(item: object) -> str:
    return str(getattr(item, "nodeid", ""))
