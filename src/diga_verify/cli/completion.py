"""What a shell offers at the touch of TAB (docs/on-call.md). Asks nobody, says nothing, and loads little.

The scripts in completion/ ask by Typer's own protocol. Names that others chose are offered only when no shell, in any
of its quotings, would make anything else of them than a word.
"""

from __future__ import annotations

import os
import re
import stat
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from diga_verify.model import TYPES, Role

VARIABLE = "_DIGA_VERIFY_COMPLETE"
"""Set by the scripts, to what Typer shall do."""
NOTHING_TO_OFFER = 4
"""The exit code when there is nothing; shells that look at it want another than 0."""
_GATE = "verify"
_WIDE = "10000"
_MAX_BYTES = 256 * 1024
_MAX_DOTS = 50
"""In one line. `tomllib` takes quadratic time over the parts of a key."""
_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]|/(?!-)){0,199}|[a-z]{1,20}/\(default\)", re.ASCII)
_HOSTS = {
    "container": "gke",
    "cloudsql": "sql",
    "redis": "redis",
    "bigquery": "bigquery",
    "firestore": "firestore",
    "storage": "gcs",
    "cloudkms": "kms",
}


class Root(TyperGroup):
    """All verbs, where the gate needs none: its words are completed as if `verify` stood before them."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # only then somebody is still typing
            args = [] if args and _of_the_root(args[0]) else args and self._with_verb(args)
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, found, rest = super().resolve_command(ctx, args)
        return name, _loaded(name) if ctx.resilient_parsing and name else found, rest

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Of the first word: verbs and environments, or options of the root and of the gate."""
        found: list[Any] = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):  # the gate takes a while to load, and only its options need it
            item = type(super().shell_complete(ctx, "")[0])
            return [*found, *(item(name) for name in environments(ctx) if name.startswith(incomplete))]
        gate = _loaded(_GATE)
        with gate.make_context(_GATE, [], parent=ctx, resilient_parsing=True) as of_gate:
            seen = {one.value for one in found}
            return [*found, *(one for one in gate.shell_complete(of_gate, incomplete) if one.value not in seen)]

    def _with_verb(self, args: list[str]) -> list[str]:
        return args if args[0] in self.commands else [_GATE, *args]


def answer() -> int:
    """Offer the shell what fits what is typed so far; the exit code. Whatever is wrong, nothing is said of it here."""
    from diga_verify.cli.verbs import command

    os.environ["COLUMNS"] = _WIDE  # for Typer folds what it says of an option, and a shell takes lines for words
    try:
        with redirect_stderr(StringIO()):
            command(listed=True)(args=[], prog_name="diga-verify", standalone_mode=False)
    except SystemExit as end:
        return NOTHING_TO_OFFER if end.code else 0
    except Exception:  # noqa: BLE001 - a line that somebody is typing is no place for a traceback
        return NOTHING_TO_OFFER
    return NOTHING_TO_OFFER


def environments(ctx: typer.Context) -> Iterator[str]:
    """Those that the policy defines; where there is none yet, those of the default policy."""
    return _safe(_table(_policy(ctx), "environments"))


def projects(ctx: typer.Context) -> Iterator[str]:
    """The project that the environment is pinned to."""
    pinned = _table(_policy(ctx), "environments").get(ctx.params.get("environment") or "")
    return _safe([pinned.get("project")] if isinstance(pinned, dict) else [])


def types() -> Iterator[str]:
    """The types that there are checkers for. No checker is loaded."""
    from importlib.metadata import entry_points

    return _safe([*TYPES, *sorted({one.name for one in entry_points(group="diga_verify.checkers")} - {*TYPES})])


def roles() -> list[str]:
    """The roles of placements."""
    return [*map(str, Role)]


def resources(ctx: typer.Context, incomplete: str) -> Iterator[str]:
    """The types, each with a slash, and what the policy names of them: expected resources, and those of waivers."""
    policy = _policy(ctx)
    named = [f"{row.get('type')}/{row.get('name')}" for row in _rows(policy, "expected")]
    named += [_short(str(row.get("resource"))) for row in _rows(policy, "waivers")]
    return _safe([*(f"{type}/" for type in types() if f"{type}/" != incomplete), *dict.fromkeys(named)])


def locations(ctx: typer.Context, incomplete: str) -> Iterator[tuple[str, str]]:
    """The ids of the table, for the type that was typed before, each with what it stands for; in capitals for whoever
    began so, as Cloud Storage does."""
    from diga_verify.locations.algebra import all_locations

    type = ctx.params.get("type")
    for one in all_locations():
        if one.bound is not None and (type is None or not one.types or type in one.types or type not in TYPES):
            yield one.location.upper() if incomplete[:1].isupper() else one.location, one.bound.description


def formats() -> list[str]:
    """The formats of reports."""
    from diga_verify.formats.registry import FORMATS

    return [*FORMATS]


def worlds() -> list[str]:
    """The worlds that the simulator brings along."""
    from diga_verify.simulator.world import SHIPPED

    return [*SHIPPED]


def _loaded(verb: str) -> Any:
    from diga_verify.cli.verbs import command

    return command(verb).commands[verb]


def _of_the_root(word: str) -> bool:
    return word in {"-h", "--help", "-V", "--version", "--install-completion", "--show-completion"}


def _policy(ctx: typer.Context) -> dict[str, Any]:
    """The policy that the words so far name, without judging it; nothing where it cannot be read."""
    named = ctx.params.get("policy") or ctx.params.get("path") or os.environ.get("DIGA_VERIFY_POLICY")
    path = Path(str(named or "regions.toml"))
    try:
        return _parsed(path)
    except FileNotFoundError:
        from diga_verify.policy.default import default_policy

        return tomllib.loads(default_policy().decode())
    except (OSError, ValueError, RecursionError):
        return {}


def _parsed(path: Path) -> dict[str, Any]:
    if not stat.S_ISREG(path.stat().st_mode):  # a pipe is read once, by the command itself
        return {}
    with path.open("rb") as file:
        text = file.read(_MAX_BYTES).decode("utf-8-sig")
    if any(line.count(".") > _MAX_DOTS for line in text.splitlines()):
        return {}
    return tomllib.loads(text)


def _table(policy: dict[str, Any], name: str) -> dict[str, Any]:
    found = policy.get(name)
    return found if isinstance(found, dict) else {}


def _rows(policy: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    found = policy.get(name)
    return (row for row in (found if isinstance(found, list) else ()) if isinstance(row, dict))


def _short(full_name: str) -> str:
    """`kms/ring/key` of `//cloudkms.googleapis.com/projects/p/locations/l/keyRings/ring/cryptoKeys/key`."""
    host, _, rest = full_name.removeprefix("//").partition("/")
    type = _HOSTS.get(host.removesuffix(".googleapis.com"), "")
    names = rest.split("/")
    if type != "gcs":
        names = names[-3::2] if names[-2:-1] == ["cryptoKeys"] else names[-1:]
    return f"{type}/{'/'.join(names)}"


def _safe(names: Iterable[Any]) -> Iterator[str]:
    return (name for name in names if isinstance(name, str) and _SAFE.fullmatch(name))
