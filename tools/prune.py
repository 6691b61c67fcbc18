"""Take out of an installed environment what diga-verify never uses there. The container image is built with it.

    python tools/prune.py ENVIRONMENT

Two things go: distributions that diga-verify does not require, such as those that built it, and the discovery documents
of services that nobody asks. google-api-python-client carries those of every Google API, more than 100 MB. Which ones
are asked for is read in the code itself. Other distributions that bring checkers count as diga-verify does.

Run it with the environment's own Python. When something is not as expected nothing is removed, and it ends with 1.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PRODUCT, CHECKERS = "diga-verify", "diga_verify.checkers"
DOCUMENTS = Path("googleapiclient", "discovery_cache", "documents")


class PruneError(Exception):
    """The environment is not one to prune."""


@dataclass(frozen=True)
class Pruned:
    """What was done: the names of the distributions removed, of the documents kept, and the bytes freed."""

    removed: tuple[str, ...]
    kept: tuple[str, ...]
    freed: int


def prune(environment: Path) -> Pruned:
    """Prune a virtual environment. Raises PruneError, and then nothing was removed."""
    environment = environment.resolve()
    site = _site_packages(environment)
    found = distributions(path=[str(site)])
    installed: dict[str, Distribution] = {canonicalize_name(one.metadata["Name"]): one for one in found}
    roots = [name for name, one in installed.items() if name == PRODUCT or one.entry_points.select(group=CHECKERS)]
    spare = sorted(installed.keys() - required(installed, {PRODUCT, *roots}))
    carried = {path.stem: path for path in (site / DOCUMENTS).glob("*.json")}
    needed = documents((source for name in roots for source in _sources(installed[name])), set(carried))
    if not needed:
        raise PruneError(f"{PRODUCT} asks for no document: is its code in {site}?")
    doomed = [path for name, path in carried.items() if name not in needed]
    doomed += [path for name in spare for path in _files(installed[name], environment)]
    freed = sum(path.stat().st_size for path in doomed)
    for path in doomed:
        path.unlink(missing_ok=True)  # two distributions may share a file
    _tidy(site)
    return Pruned(tuple(spare), tuple(sorted(needed)), freed)


def required(installed: Mapping[str, Distribution], names: Iterable[str]) -> set[str]:
    """The names of all distributions that these require, themselves included. Raises PruneError when one is missing."""
    due, seen = [(name, "") for name in names], set[tuple[str, str]]()
    while due:
        name, extra = one = due.pop()
        if one in seen:
            continue
        if name not in installed:
            raise PruneError(f"{name} is required, and not installed")
        seen.add(one)
        for requirement in map(Requirement, installed[name].requires or []):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                due += [(canonicalize_name(requirement.name), wanted) for wanted in ("", *requirement.extras)]
    return {name for name, _ in seen}


def documents(sources: Iterable[Path], carried: set[str]) -> set[str]:
    """The documents that the sources name: `storage.v1` in the simulator, `.discovery("storage", "v1")` or
    `.collection("storage", "v1", ...)` in what asks Google. Raises PruneError for one that is not carried."""
    named: set[str] = set()
    for source in sources:
        for node in ast.walk(ast.parse(source.read_bytes(), str(source))):
            match node:
                case ast.Constant(value=str(word)) if "." in word:
                    named |= {word} & carried
                case ast.Call(
                    func=ast.Attribute(attr="discovery" | "collection"),
                    args=[ast.Constant(value=str(service)), ast.Constant(value=str(version)), *_],
                ):
                    named.add(f"{service}.{version}")
    if missing := sorted(named - carried):
        raise PruneError(f"discovery documents that are asked for, and not there: {', '.join(missing)}")
    return named


def _site_packages(environment: Path) -> Path:
    found = [*environment.glob("lib/python*/site-packages")]
    if len(found) != 1:
        raise PruneError(f"{environment} is not a virtual environment")
    return found[0]


def _sources(distribution: Distribution) -> Iterator[Path]:
    return (Path(str(file.locate())) for file in distribution.files or [] if file.suffix == ".py")


def _files(distribution: Distribution, environment: Path) -> Iterator[Path]:
    """Its files that are there, and lie in the environment. Links are not followed: they may lead out of it."""
    for file in distribution.files or []:
        path = Path(os.path.normpath(str(file.locate())))
        if path.is_relative_to(environment) and path.is_file():
            yield path


def _tidy(site: Path) -> None:
    """Remove the folders that have nothing in them any more."""
    for folder, _, _ in os.walk(site, topdown=False):
        if not any(Path(folder).iterdir()):
            Path(folder).rmdir()


def main(words: list[str]) -> None:
    """The command. Ends with 0, or by SystemExit with a message."""
    if len(words) != 1:
        sys.exit("usage: python tools/prune.py ENVIRONMENT")
    try:
        done = prune(Path(words[0]))
    except PruneError as error:
        sys.exit(f"prune: {error}")
    sys.stdout.write(
        f"removed: {', '.join(done.removed) or 'no distribution'}\n"
        f"documents kept: {', '.join(done.kept)}\n"
        f"freed: {done.freed / 1e6:.1f} MB\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
