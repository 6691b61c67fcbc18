"""Mutants: does a test fail when one small thing in the deciding code is wrong?  docs/mutants.md has the why.

    python tools/mutants.py [--jobs 2] [--module evaluate.py ...] [--again]

Each mutant is the syntax tree of one module with one change. It lives in the memory of a forked process only, so that
neither the sources nor a second run of the tests beside it are touched. Results are kept in build/mutants.jsonl by what
was mutated; an interrupted run goes on where it was, and `--again` tries survivors anew. Exit 1 when a mutant survives
that docs/mutants.md does not explain.
"""

from __future__ import annotations

import argparse
import ast
import copy
import gc
import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import re
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import CodeType, FunctionType, MemberDescriptorType, ModuleType
from typing import Any, NoReturn, TypeVar

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "src" / "diga_verify"
RESULTS = ROOT / "build" / "mutants.jsonl"
PAGE = ROOT / "docs" / "mutants.md"
_SLOW = ("tests/checkers/test_query.py",)
"""Tests against the simulator: asked after the others, and only those that are not of another type."""
_TYPES = ("gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms")

PLAN: dict[str, tuple[str, ...]] = {
    "evaluate.py": ("tests/test_evaluate.py", "tests/test_report.py"),
    "report.py": ("tests/test_report.py", "tests/test_evaluate.py"),
    "second_witness.py": ("tests/test_second_witness.py",),
    "locations/area.py": ("tests/locations/test_area.py",),
    "locations/bound.py": ("tests/locations/test_bound.py", "tests/locations/test_area.py"),
    "gateway/listing.py": ("tests/gateway/test_listing.py",),
    "gateway/answers.py": ("tests/gateway/test_answers.py",),
    "gateway/gateway.py": ("tests/gateway/test_gateway.py",),
    "gateway/resource_manager.py": ("tests/gateway/test_resource_manager.py",),
    "gateway/patience.py": ("tests/gateway/test_patience.py",),
    "policy/rules.py": ("tests/policy/test_rules.py", "tests/test_evaluate.py"),
    "checkers/fields.py": ("tests/checkers",),
    "checkers/gke.py": ("tests/checkers",),
    "checkers/sql.py": ("tests/checkers",),
    "checkers/redis.py": ("tests/checkers",),
    "checkers/bigquery.py": ("tests/checkers",),
    "checkers/firestore.py": ("tests/checkers",),
    "checkers/gcs.py": ("tests/checkers",),
    "checkers/kms.py": ("tests/checkers",),
    "checkers/registry.py": ("tests/checkers",),
}
"""What is mutated, and which tests are to notice."""

_OUTSIDE = "test_recordings"
"""Tests of what is no part of the repository; a mutant must die without them."""
_ENUMS = frozenset({"Reason", "Role", "Verdict", "Severity", "Enforcement"})
_OTHER = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_TRADED = {"any": "all", "all": "any", "min": "max", "max": "min"}
_UNWRAPPED = frozenset({"lower", "upper", "strip", "casefold"})
_ALWAYS_GIVEN = frozenset({"type", "name", "full_name", "placements", "resources", "regions", "key", "from_"})
"""Arguments without which a call raises at once, or that are mutated otherwise."""
_HEAVY = (
    "google.cloud.bigquery", "google.cloud.container_v1", "google.cloud.firestore_admin_v1", "google.cloud.redis_v1",
    "googleapiclient.discovery", "google.auth.transport.requests", "hypothesis", "jsonschema", "pydantic", "pytest",
    "rich.console", "typer", "trustme",
)  # fmt: skip
"""What the tests and the code import that is not ours. Imported once, before the forks."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change to one module. `name` is what reports and docs/mutants.md call it; it holds no line number."""

    module: str
    name: str
    line: int
    tree: ast.Module
    place: _Place
    new: ast.AST

    def code(self) -> CodeType:
        """The module, compiled with the change. The tree, which all mutants of a module share, is as before."""
        old = self.place.node
        self.place.put(self.new)
        try:
            return compile(ast.fix_missing_locations(self.tree), str(SOURCES / self.module), "exec")
        finally:
            self.place.put(old)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a node stands in its tree."""

    scope: str
    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        if self.index is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.index] = node


# ---------------------------------------------------------------------------------------------- what is mutated


def mutants_of(module: str) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its lines."""
    tree = ast.parse(_source(module))
    names: Counter[str] = Counter()
    seen: set[tuple[int, str]] = set()
    whole = {id(test) for node in ast.walk(tree) for test in _tests(node)}
    for place in _code(tree, ""):
        node = place.node
        for new in (new for rule in _RULES for new in rule(node)):
            change = (id(node), ast.dump(new))
            if change in seen or (id(node) in whole and _negates(node, new)):
                continue
            seen.add(change)
            base = f"`{module}` `{place.scope or 'module'}`: {_difference(_text(node), _text(new))}"
            names[base] += 1
            name = base if names[base] == 1 else f"{base} ({names[base]})"
            yield Mutant(module, name, getattr(node, "lineno", 0), tree, place, new)


def _code(node: ast.AST, scope: str) -> Iterator[_Place]:
    """Every node that decides something: no annotations, no docstrings, no decorators, no words for people."""
    for name, value in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(child, ast.AST) or _is_for_people(child) or _only_for_types(child):
                continue
            inner = f"{scope}.{child.name}".lstrip(".") if isinstance(child, _NAMED) else scope
            yield _Place(inner, node, name, index if isinstance(value, list) else None, child)
            yield from _code(child, inner)


_NAMED = (ast.FunctionDef, ast.ClassDef)


def _is_for_people(node: ast.AST) -> bool:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " " in node.value.strip() or node.value == "__all__"
    return isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom))


def _only_for_types(node: ast.AST) -> bool:
    return (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING") or (
        isinstance(node, ast.Assign) and (isinstance(node.value, ast.Subscript) or "TypeVar" in ast.unparse(node.value))
    )


def _tests(node: ast.AST) -> list[ast.expr]:
    """Conditions that are replaced as a whole."""
    if isinstance(node, ast.comprehension):
        return node.ifs
    return [node.test] if isinstance(node, (ast.If, ast.While, ast.IfExp)) else []


def _negates(node: ast.AST, new: ast.AST) -> bool:
    """Whether a change to a condition says its opposite: a condition that always or never holds is harder to notice."""
    if isinstance(node, ast.Compare) and isinstance(new, ast.Compare):
        return isinstance(node.ops[0], (ast.Eq, ast.NotEq, ast.Is, ast.IsNot, ast.In, ast.NotIn))
    return isinstance(node, ast.UnaryOp) or isinstance(new, ast.UnaryOp)


def _comparisons(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            if type(operator) in _OTHER:
                yield _changed(node, ops=_replaced(node.ops, index, _OTHER[type(operator)]()))
            if isinstance(operator, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
                yield ast.UnaryOp(ast.Not(), node)


def _booleans(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.BoolOp):
        yield _changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
        for index in range(len(node.values)):
            rest = [*node.values[:index], *node.values[index + 1 :]]
            yield rest[0] if len(rest) == 1 else _changed(node, values=rest)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand


def _conditions(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.If, ast.While)):
        for value in (True, False):
            if not (isinstance(node, ast.While) and value):
                yield _changed(node, test=ast.Constant(value))
    if isinstance(node, ast.IfExp):
        yield node.body
        yield node.orelse
    if isinstance(node, ast.comprehension):
        for index in range(len(node.ifs)):
            yield _changed(node, ifs=[*node.ifs[:index], *node.ifs[index + 1 :]])


def _constants(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Constant):
        return
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, (int, float)):
        yield ast.Constant(node.value + 1)
        if node.value > 0:
            yield ast.Constant(node.value - 1)
    elif isinstance(node.value, str):
        masks = [*_shorter_masks(node.value)]
        for text in masks or [f"{node.value}x" if node.value else "x"]:
            yield ast.Constant(text)


def _shorter_masks(text: str) -> Iterator[str]:
    """`a(b,c/d),e` without each of its fields that asks for nothing else."""
    if not re.fullmatch(r"[\w$/]+[(,][\w$/(),]+", text):
        return
    for word in re.finditer(r"[\w$/]+", text):
        before, after = text[: word.start()], text[word.end() :]
        if after.startswith(","):
            yield before + after[1:]
        elif before.endswith(",") and not after.startswith("("):
            yield before[:-1] + after


def _enums(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in _ENUMS:
        members = _members(node.value.id)
        yield _changed(node, attr=members[(members.index(node.attr) + 1) % len(members)])


@cache
def _members(enum: str) -> list[str]:
    tree = ast.parse(_source("model.py"))
    (found,) = (one for one in tree.body if isinstance(one, ast.ClassDef) and one.name == enum)
    return [target.id for one in found.body if isinstance(one, ast.Assign)
            for target in one.targets if isinstance(target, ast.Name)]  # fmt: skip


def _collections(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.Tuple, ast.List, ast.Set)) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
        for index, element in enumerate(node.elts):
            rest = [*node.elts[:index], *node.elts[index + 1 :]]
            if not _is_for_people(element) and not (isinstance(node, ast.Set) and not rest):
                yield _changed(node, elts=rest)
    if isinstance(node, ast.Dict):
        for index, value in enumerate(node.values):
            if not _is_for_people(value):
                keys, values = list(node.keys), list(node.values)
                del keys[index], values[index]
                yield ast.Dict(keys, values)


def _calls(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.Call):
        return
    for index, keyword in enumerate(node.keywords):
        if not isinstance(keyword.value, ast.JoinedStr) and keyword.arg not in _ALWAYS_GIVEN:
            yield _changed(node, keywords=[*node.keywords[:index], *node.keywords[index + 1 :]])
    if isinstance(node.func, ast.Name) and node.func.id in _TRADED:
        yield _changed(node, func=ast.Name(_TRADED[node.func.id], ast.Load()))
    if isinstance(node.func, ast.Attribute) and node.func.attr in _UNWRAPPED and not node.args:
        yield node.func.value


def _operators(node: ast.AST) -> Iterator[ast.AST]:
    if not isinstance(node, ast.BinOp) or isinstance(node.op, (ast.Mult, ast.Pow)):
        if isinstance(node, ast.BinOp):
            yield _changed(node, op=ast.Add())
        return
    yield node.left
    if isinstance(node.op, (ast.Add, ast.BitOr)):
        yield node.right


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """What a statement does, left undone."""
    if isinstance(node, (ast.AugAssign, ast.Raise, ast.Continue, ast.Break, ast.Delete)):
        yield ast.Pass()
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Yield, ast.YieldFrom)):
        yield _nothing(node.value)
    if isinstance(node, ast.For):
        yield _changed(node, iter=ast.Tuple([], ast.Load()))
    if isinstance(node, ast.comprehension):
        yield _changed(node, iter=ast.Tuple([], ast.Load()))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        yield node.value


def _nothing(value: ast.expr) -> ast.stmt:
    # A generator must stay one: what it yields is taken away, not that it yields.
    if isinstance(value, ast.Call):
        return ast.Pass()
    return ast.Expr(ast.YieldFrom(ast.Tuple([], ast.Load())))


def _returns(node: ast.AST) -> Iterator[ast.AST]:
    """Functions of which a value that a caller could take for an answer may come back too early."""
    if not isinstance(node, ast.FunctionDef) or node.returns is None:
        return
    annotation = ast.unparse(node.returns)
    fallbacks: list[ast.expr] = []
    if annotation == "bool":
        fallbacks = [ast.Constant(value=True), ast.Constant(value=False)]
    elif annotation.startswith(("tuple[", "frozenset[", "list[")) and "..." in annotation.replace("list", "..."):
        fallbacks = [ast.Tuple([], ast.Load())]
    if re.search(r"\| None$", annotation):
        fallbacks.append(ast.Constant(None))
    for index, statement in enumerate(node.body):
        if isinstance(statement, ast.Return) and statement.value is not None:
            for value in (one for one in fallbacks if ast.dump(one) != ast.dump(statement.value)):
                yield _changed(node, body=_replaced(node.body, index, ast.Return(value)))


_RULES: tuple[Callable[[ast.AST], Iterator[ast.AST]], ...] = (
    _comparisons, _booleans, _conditions, _constants, _enums, _collections, _calls, _operators, _statements, _returns,
)  # fmt: skip


def _changed(node: T, **fields: object) -> T:
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _replaced(items: Sequence[T], index: int, new: T) -> list[T]:
    return [*items[:index], new, *items[index + 1 :]]


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.comprehension):
        text = ast.unparse(ast.GeneratorExp(ast.Name("_"), [node]))[3:-1]
    elif isinstance(node, ast.FunctionDef):
        text = "; ".join(ast.unparse(one) for one in node.body if isinstance(one, ast.Return))
    elif isinstance(node, (ast.If, ast.While, ast.For)):
        text = ast.unparse(node).partition("\n")[0]
    else:
        text = ast.unparse(node)
    return re.sub(r"\s+", " ", text).replace("`", "'")


def _difference(old: str, new: str) -> str:
    """Both sides; of long ones that part in which they differ."""
    if max(len(old), len(new)) > _WIDTH:
        start = max(0, len(_common([old, new])) - 30)
        end = len(_common([old[:start:-1], new[:start:-1]])) - 30
        old, new = (f"...{text[start : len(text) - max(0, end)]}..." for text in (old, new))
    return f"`{old}` → `{new}`"


def _common(texts: Sequence[str]) -> str:
    return os.path.commonprefix(texts)  # noqa: RUF071 - of characters, not of folders


_WIDTH = 140

# ------------------------------------------------------------------------------------------------ how it is tried


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports one module of diga_verify from a syntax tree instead of its file."""

    def __init__(self, module: str, code: CodeType) -> None:
        self._name = _dotted(module)
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


def _dotted(module: str) -> str:
    return f"diga_verify.{module.removesuffix('.py').replace('/', '.')}"


def _graft(name: str, code: CodeType) -> None:
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


class _Chosen:
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
        if _OUTSIDE in node or (self._type in _TYPES and _is_property(item)):
            return False
        of_type = re.match(rf"(?:{'|'.join(_SLOW)}).*\[({'|'.join(_TYPES)})\b", node)
        return of_type is None or self._type not in _TYPES or of_type[1] == self._type

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
    return (_is_property(item), _node(item).startswith(_SLOW))


def _node(item: object) -> str:
    return str(getattr(item, "nodeid", ""))


def _fork(log: Path, work: Callable[[], int]) -> int:
    """Do `work` in a forked process of its own group, which ends with what it returns; the process id."""
    if (pid := os.fork()) == 0:
        _become(log)
        _end(work)
    return pid


def _become(log: Path) -> None:
    os.setpgid(0, 0)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _end(work: Callable[[], int]) -> NoReturn:
    exit_code = 70
    try:
        exit_code = work()
    except BaseException:  # noqa: BLE001 - the end of a forked process, which must not run on as its parent
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(exit_code)


def _test(module: str, chosen: _Chosen) -> int:
    import pytest

    options = ["-x", "-q", "-s", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler"]
    return int(pytest.main([*options, *PLAN[module]], plugins=[chosen]))


def _test_mutated(module: str, code: CodeType) -> int:
    sys.meta_path.insert(0, _Mutated(module, code))
    return _test(module, _Chosen(module))


@dataclass(slots=True)
class _Running:
    mutant: Mutant
    started: float
    log: Path


def _finished(running: dict[int, _Running], limit: float) -> Iterator[tuple[_Running, str]]:
    """Processes that have ended, or were ended because their time was over, each with its outcome."""
    for pid, one in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and time.monotonic() - one.started < limit:
            continue
        if not ended:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        del running[pid]
        yield one, _outcome(os.waitstatus_to_exitcode(status)) if ended else "timeout"


def _outcome(exit_code: int) -> str:
    if exit_code == 0:
        return "survived"
    if exit_code in (3, 4, 5, 70):  # pytest: internal error, wrong usage, no tests; and our own
        return "broken"
    return "killed"


def _serve_all(module: str, mutants: Sequence[Mutant], jobs: int, results: Results) -> None:
    """Grafts, quickly. What survives a graft has yet to survive a real import: some tests look at a module while they
    are collected. Comes back in the forks alone."""
    name = _dotted(module)
    source = compile(_source(module), str(SOURCES / module), "exec")
    gc.collect()
    gc.freeze()  # what is imported now is nothing for the forks to collect
    log = RESULTS.with_name("mutants-baseline.log")
    started = time.monotonic()
    if (pid := os.fork()) == 0:
        _become(log)
        _graft(name, source)
        return
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status):
        os._exit(1)
    limit = 20 + 5 * (time.monotonic() - started)
    running: dict[int, _Running] = {}
    for mutant in mutants:
        while len(running) >= jobs:
            results.add_all(_finished(running, limit), final={"killed", "timeout"})
            time.sleep(0.005)
        code = mutant.code()
        log = _free_log(running, jobs)
        if (pid := os.fork()) == 0:
            _become(log)
            try:
                _graft(name, code)
            except Exception:  # noqa: BLE001 - a module that cannot be imported is noticed by every test
                traceback.print_exc()
                os._exit(1)
            return
        running[pid] = _Running(mutant, time.monotonic(), log)
    while running:
        results.add_all(_finished(running, limit), final={"killed", "timeout"})
        time.sleep(0.005)
    os._exit(0)


def _import_all(module: str, mutants: Sequence[Mutant], jobs: int, results: Results, limit: float) -> None:
    """Real imports, slowly: each mutant in a process that imports everything of ours anew."""
    running: dict[int, _Running] = {}
    for mutant in mutants:
        while len(running) >= jobs:
            results.add_all(_finished(running, limit))
            time.sleep(0.02)
        log = _free_log(running, jobs)
        pid = _fork(log, partial(_test_mutated, module, mutant.code()))
        running[pid] = _Running(mutant, time.monotonic(), log)
    while running:
        results.add_all(_finished(running, limit))
        time.sleep(0.02)


def _free_log(running: dict[int, _Running], jobs: int) -> Path:
    logs = {RESULTS.with_name(f"mutants-{number}.log") for number in range(jobs)}
    return min(logs - {one.log for one in running.values()})


def _try(module: str, mutants: Sequence[Mutant], jobs: int, results: Results) -> None:
    """Try those mutants of a module that have no outcome yet; none, when its tests fail without any."""
    if not (left := results.without(mutants)):
        return
    started = time.monotonic()
    log = RESULTS.with_name("mutants-serve.log")
    chosen = _Chosen(module, partial(_serve_all, module, left, jobs, results))
    _, status = os.waitpid(_fork(log, partial(_test, module, chosen)), 0)
    if os.waitstatus_to_exitcode(status):
        told = RESULTS.with_name("mutants-baseline.log").read_text("utf-8") + log.read_text("utf-8")
        _say(f"{module}: its tests fail without any mutant, so none was tried\n{told[-1000:]}")
        return
    results.read()
    _import_all(module, results.without(left), jobs, results, limit=60 + time.monotonic() - started)


class Results:
    """What became of mutants, kept in a file: by the text of their module, and their name."""

    def __init__(self, *, again: bool) -> None:
        RESULTS.parent.mkdir(exist_ok=True)
        self._again = again
        self._ours: set[str] = set()
        self._known: dict[str, str] = {}
        self.read()

    def read(self) -> None:
        """Take in what other processes wrote."""
        lines = RESULTS.read_text("utf-8").splitlines() if RESULTS.exists() else []
        known = {line["key"]: line["outcome"] for line in map(json.loads, lines)}
        self._known = {
            key: outcome
            for key, outcome in known.items()
            if outcome in {"killed", "timeout"} or key in self._ours or not self._again
        }

    def of(self, mutant: Mutant) -> str:
        return self._known.get(_key(mutant), "not tried")

    def without(self, mutants: Iterable[Mutant]) -> list[Mutant]:
        """Those that have none yet."""
        return [mutant for mutant in mutants if _key(mutant) not in self._known]

    def add_all(self, finished: Iterable[tuple[_Running, str]], final: Container[str] | None = None) -> None:
        """Write down outcomes; with `final`, only those that need no second look."""
        for one, outcome in finished:
            if final is None or outcome in final:
                self._add(one, outcome)

    def _add(self, one: _Running, outcome: str) -> None:
        key, seconds = _key(one.mutant), round(time.monotonic() - one.started, 1)
        self._ours.add(key)
        self._known[key] = outcome
        line = {"key": key, "outcome": outcome, "seconds": seconds, "line": one.mutant.line, "name": one.mutant.name}
        with RESULTS.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        if final_word := outcome if outcome != "killed" else "":
            _say(f"{final_word:9} {seconds:5}s line {one.mutant.line:3}  {one.mutant.name}")


def _key(mutant: Mutant) -> str:
    return hashlib.sha256(_source(mutant.module) + mutant.name.encode()).hexdigest()[:24]


@cache
def _source(module: str) -> bytes:
    return (SOURCES / module).read_bytes()


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201


def _table(mutants: dict[str, list[Mutant]], results: Results, explained: str) -> int:
    """Print what became of all mutants, by module; the number of those that nobody has explained."""
    left = 0
    _say(f"\n{'module':32}{'mutants':>8}{'killed':>8}{'timeout':>9}{'explained':>11}{'survived':>10}")
    total: Counter[str] = Counter()
    for module, found in mutants.items():
        counts: Counter[str] = Counter()
        for mutant in found:
            outcome = results.of(mutant)
            if outcome == "survived" and f"- {mutant.name}\n" in explained:
                outcome = "explained"
            counts[outcome] += 1
        total += counts
        left += counts["survived"] + counts["broken"] + counts["not tried"]
        _say(_row(module, counts))
    _say(_row("all", total))
    return left


def _row(name: str, counts: Counter[str]) -> str:
    rest = counts["survived"] + counts["broken"] + counts["not tried"]
    return f"{name:32}{counts.total():>8}{counts['killed']:>8}{counts['timeout']:>9}{counts['explained']:>11}{rest:>10}"


def main() -> int:
    """Run what the command line asks for; 1 when something survived that is not explained."""
    parser = argparse.ArgumentParser(description="Try mutants of the code that decides verdicts.")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--module", action="append", choices=PLAN, help="only this module (repeatable)")
    parser.add_argument("--again", action="store_true", help="try again what survived an earlier run")
    parser.add_argument("--list", action="store_true", help="print what would be tried, and try nothing")
    asked = parser.parse_args()
    mutants = {module: [*mutants_of(module)] for module in asked.module or PLAN}
    if asked.list:
        for mutant in (mutant for found in mutants.values() for mutant in found):
            _say(f"{mutant.line:4} {mutant.name}")
        return 0
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT / "src")]
    for name in _HEAVY:
        importlib.import_module(name)
    results = Results(again=asked.again)
    for module, found in mutants.items():
        started = time.monotonic()
        _try(module, found, asked.jobs, results)
        _say(f"{module}: {len(found)} mutants, {time.monotonic() - started:.0f} s")
    return 1 if _table(mutants, results, PAGE.read_text("utf-8") if PAGE.exists() else "") else 0


if __name__ == "__main__":
    sys.exit(main())
