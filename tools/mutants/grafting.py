"""How a module that is in memory comes to be a mutant: by a graft, or by a real import."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import CodeType, FunctionType, MemberDescriptorType, ModuleType

from tools.mutants.plan import dotted


class Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module of diga_verify from a syntax tree instead of its file."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._name = dotted(module)
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        return importlib.util.spec_from_loader(fullname, self, origin=self._code.co_filename)

    def get_source(self, fullname: str) -> str | None:
        return None

    def get_code(self, fullname: str) -> CodeType:
        return self._code


def graft(name: str, code: CodeType) -> None:
    """Let a module that is imported already do what `code` says: its functions and classes stay the same objects, so
    that whoever imported them has the mutant too. Raises whatever importing the mutant would raise."""
    module = importlib.import_module(name)
    fresh = ModuleType(name)
    vars(fresh).update({key: value for key, value in vars(module).items() if key.startswith("__")})
    exec(code, vars(fresh))  # noqa: S102 - our own code, changed by us
    for key, new in vars(fresh).items():
        old = vars(module).get(key)
        if key.startswith("__") or old is new:
            continue
        if isinstance(new, FunctionType) and isinstance(old, FunctionType):
            _graft_function(old, new)
        elif isinstance(new, type) and isinstance(old, type):
            _graft_class(old, new)
        elif old != new:
            for other in list(sys.modules.values()):
                if vars(other).get(key) is old:
                    setattr(other, key, new)


def _graft_class(old: type, new: type) -> None:
    for key, value in vars(new).items():
        mine = vars(old).get(key)
        if isinstance(value, FunctionType) and isinstance(mine, FunctionType):
            _graft_function(mine, value)
        elif isinstance(value, property) and isinstance(mine, property):
            _graft_function(mine.fget, value.fget)  # type: ignore[arg-type]
        elif not key.startswith("__") and not isinstance(value, MemberDescriptorType) and mine != value:
            setattr(old, key, value)


def _graft_function(old: FunctionType, new: FunctionType) -> None:
    old.__code__ = new.__code__
    old.__defaults__ = new.__defaults__
    old.__kwdefaults__ = new.__kwdefaults__
