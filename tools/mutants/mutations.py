"""The changes that make a mutant of a module, each one small."""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from os.path import commonprefix
from types import CodeType
from typing import TypeVar

from tools.mutants.plan import SOURCES, source

_ENUMS = {
    "Reason": "model.py", "Role": "model.py", "Verdict": "model.py", "Severity": "model.py", "Enforcement": "model.py",
    "Kind": "changes.py", "Effect": "changes.py", "LimitKind": "report.py",
}  # fmt: skip
"""Enums, and the modules that define them."""
_OTHER = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_TRADED = {"any": "all", "all": "any", "min": "max", "max": "min"}
_UNWRAPPED = frozenset({"lower", "upper", "strip", "casefold"})
_ALWAYS_GIVEN = frozenset({"type", "name", "full_name", "placements", "resources", "regions", "key", "from_"})
"""Arguments without which a call raises at once, or that are mutated otherwise."""

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


def mutants_of(module: str) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its lines."""
    tree = ast.parse(source(module))
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
        if node.attr in members:  # attestation/statement.py has an enum of its own with the name of another
            yield _changed(node, attr=members[(members.index(node.attr) + 1) % len(members)])


@cache
def _members(enum: str) -> list[str]:
    tree = ast.parse(source(_ENUMS[enum]))
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
    return commonprefix(texts)  # noqa: RUF071 - of characters, not of folders


_WIDTH = 140
