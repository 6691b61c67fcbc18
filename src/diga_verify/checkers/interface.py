"""What a checker is. A third-party checker is an object of this shape behind the entry point of its type's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from diga_verify.gateway.gateway import Gateway
from diga_verify.model import Item, Project, Resource, Unread


@dataclass(frozen=True, slots=True)
class Found:
    """What a query brought: the REST representations of the type's resources, and what it could not read."""

    items: tuple[Item, ...]
    unread: tuple[Unread, ...] = ()


def permissions(checker: Checker, *, after_restore: bool) -> tuple[str, ...]:
    """What a run needs to be sure of what this checker brings."""
    more: tuple[str, ...] = getattr(checker, "after_restore", ()) if after_restore else ()
    return (*checker.permissions, *more)


class Checker(Protocol):
    """Reads one resource type. Stateless; used from several threads."""

    @property
    def type(self) -> str:
        """The word for this type in policies, reports and on the command line."""

    @property
    def title(self) -> str:
        """The product's name, for people."""

    @property
    def permissions(self) -> tuple[str, ...]:
        """IAM permissions without which what `query` brings may be less than there is."""

    @property
    def asset_types(self) -> tuple[str, ...]:
        """The asset types of which Cloud Asset Inventory may know, and `query` lists every one under the same full
        name. It is asked too, as a second witness; empty: it is not."""

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, in words, one place a line."""

    @property
    def limits(self) -> tuple[str, ...]:
        """What the APIs cannot show, and a report must therefore not be taken to say. Those that a run with `--deep`
        does show may be named again in `lifted_by_deep`, which a checker need not have. Likewise `after_restore`:
        permissions that only a run after a restore needs."""

    def query(self, gateway: Gateway, project: Project) -> Found:
        """Everything of this type in the project. Never raises for a read that fails: that is an Unread. Of `project`
        no more than the id need be known yet: `gateway.project` waits for the rest."""

    def read(self, item: Item) -> Resource:
        """Every placement of one resource. Pure. Raises ReadError when the item does not say what it is."""
