"""Checkers of other distributions: which are taken, which are refused, and that the report says whose they are."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from diga_verify import __version__
from diga_verify.checkers import registry
from diga_verify.checkers.registry import registered
from diga_verify.cli.main import run
from diga_verify.errors import CheckerError
from diga_verify.model import TYPES
from diga_verify.policy import default_policy
from diga_verify.simulator.server import Simulator
from diga_verify.simulator.world import World

GROUP = "diga_verify.checkers"
"""Whoever has published a checker relies on it."""
VAULT = """
from diga_verify.checkers.interface import Found
from diga_verify.model import Item, Placement, Resource, Role

class Vault:
    type = "vault"
    title = "Vault"
    permissions = ()
    asset_types = ()
    reads = ("vaults",)
    limits = ("Nothing else.",)

    def query(self, gateway, project):
        return Found(tuple(Item("x/Vault", project.id, {"at": at}) for at in ("europe-west3", "us-east1")))

    def read(self, item):
        at = item.data["at"]
        return Resource(self.type, at, f"//vault/{at}", "vault", (Placement(Role.PRIMARY, at, "at"),))
"""
ATTRIBUTES = ("type", "title", "permissions", "asset_types", "reads", "limits", "query", "read")
Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Lays a distribution of one module down where Python looks for such, with its entry points `name=object`."""
    modules: list[str] = []
    monkeypatch.syspath_prepend(tmp_path)

    def install(source: str, distribution: str = "acme-vault", version: str = "2.1", /, **entries: str) -> None:
        module = distribution.replace("-", "_")
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Name: {distribution}\nVersion: {version}\n", encoding="utf-8")
        lines = [f"{name} = {module}:{value}" for name, value in entries.items()]
        others = ["[console_scripts]", f"vault-tool = {module}:no_checker"]
        (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, *others]), encoding="utf-8")
        importlib.invalidate_caches()  # the time of a folder is too coarse to show what has just been added
        modules.append(module)

    yield install
    for module in modules:
        sys.modules.pop(module, None)


def refused() -> str:
    with pytest.raises(CheckerError) as error:
        registered()
    return str(error.value)


def test_the_built_in_ones_in_the_order_of_reports() -> None:
    found = registered()
    assert list(found) == [*TYPES]
    assert {(one.distribution, one.version) for one in found.values()} == {("diga-verify", __version__)}
    assert [one.checker.type for one in found.values()] == [*TYPES]


@pytest.mark.parametrize("value", ["Vault", "vault"])
def test_one_more_as_a_class_or_as_an_object(value: str, install: Install) -> None:
    install(f"{VAULT}\nvault = Vault()\n", vault=value)
    found = registered()
    assert list(found) == [*TYPES, "vault"]
    assert (found["vault"].distribution, found["vault"].version) == ("acme-vault", "2.1")
    assert (found["vault"].checker.type, found["vault"].checker.title) == ("vault", "Vault")


def test_several_by_name_whatever_the_order_in_which_they_were_installed(install: Install) -> None:
    install(VAULT, "acme-vault", "2.1", vault="Vault")
    install(VAULT.replace('"vault"', '"chest"'), "other-chest", "3", chest="Vault")
    found = registered()
    assert list(found) == [*TYPES, "chest", "vault"]
    assert [(one.distribution, one.version) for one in found.values()][-2:] == [
        ("other-chest", "3"),
        ("acme-vault", "2.1"),
    ]


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_one_that_lacks_an_attribute(name: str, install: Install) -> None:
    install(f"{VAULT}\ndel Vault.{name}\n", vault="Vault")
    assert refused() == f"the checker 'vault' of acme-vault lacks {name}; see docs/checkers.md"


def test_what_is_no_checker_at_all(install: Install) -> None:
    install("thing = 7", vault="thing")
    assert refused() == f"the checker 'vault' of acme-vault lacks {', '.join(ATTRIBUTES)}; see docs/checkers.md"


def test_one_under_the_name_of_another_type(install: Install) -> None:
    install(VAULT, safe="Vault")
    assert refused() == "the checker 'safe' of acme-vault is for 'vault'; see docs/checkers.md"


def test_a_type_that_is_built_in(install: Install) -> None:
    install(VAULT.replace('"vault"', '"kms"'), kms="Vault")
    assert refused() == "acme-vault brings a checker for 'kms', and so does diga-verify"


def test_a_type_that_two_distributions_bring(install: Install) -> None:
    install(VAULT, "acme-vault", vault="Vault")
    install(VAULT, "other-vault", vault="Vault")
    assert "a checker for 'vault', and so does " in (said := refused())
    assert {said.partition(" ")[0], said.rpartition(" ")[2]} == {"acme-vault", "other-vault"}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("", "AttributeError: module 'acme_vault' has no attribute 'Vault'"),
        ("raise OSError('no such vault')", "OSError: no such vault"),
        ("import acme_no_such_module", "ModuleNotFoundError: No module named 'acme_no_such_module'"),
        ("class Vault:\n    def __init__(self, door): ...", "TypeError: "),
        ("class Vault:\n    @property\n    def title(self): raise KeyError('title')\n    type = 'vault'", "KeyError: "),
        ("raise SystemExit(0)", "SystemExit: 0"),
    ],
)
def test_one_that_does_not_load(source: str, said: str, install: Install) -> None:
    install(source, vault="Vault")
    assert refused().startswith(f"the checker vault of acme-vault (acme_vault:Vault) does not load: {said}")


def test_one_that_no_distribution_brings(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install(VAULT)
    loose = EntryPoint("vault", "acme_vault:Vault", GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: (loose,))
    found = registered()["vault"]
    assert (found.distribution, found.version) == ("an unnamed distribution", "unknown")


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[int, Any]]:
    """The gate of the type "vault", run in a folder of its own: the exit code, and the report if there is one."""
    (tmp_path / "regions.toml").write_bytes(default_policy())
    monkeypatch.chdir(tmp_path)

    def gate() -> tuple[int, Any]:
        with Simulator(World.from_dict({"project": {"id": "dtx-data", "number": "1"}})) as simulator:
            code = run(["production", "dtx-data", "--api-root", simulator.url, "-t", "vault", "-o", "r.json", "-q"])
        report = Path("r.json")
        return code, json.loads(report.read_text("utf-8")) if report.exists() else None

    return gate


def test_a_report_names_the_distribution_that_read_a_type(install: Install, gate: Callable[..., Any]) -> None:
    install(VAULT, vault="Vault")
    code, report = gate()
    assert code == 1
    assert report["checkers"] == [
        {"type": "vault", "distribution": "acme-vault", "version": "2.1", "permissions": []},
    ]
    assert [place["verdict"] for one in report["resources"] for place in one["placements"]] == [
        "compliant",
        "violation",
    ]


@pytest.mark.parametrize("source", ["", "raise SystemExit(0)", VAULT.replace('"vault"', '"safe"')])
def test_a_gate_with_a_checker_that_is_refused_verifies_nothing(
    source: str, install: Install, gate: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    install(source, vault="Vault")
    assert gate() == (2, None)
    assert "of acme-vault" in capsys.readouterr().err
