"""Lists, page by page: what a method promises, what its pages must hold, and whose their items are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from diga_verify.errors import ReadError
from diga_verify.model import Json, Project, Reason, Unread
from diga_verify.redact import redact

PROJECT = "project"
"""What the record of calls, and evidence, name as the type of the question for the project's own record."""
MARKS = ("unreachable", "missingZones", "warnings")
"""Keys with which one API or another says that a list is incomplete. Each counts in every answer."""
_TOTAL = "totalSize"
"""Key with which Cloud KMS, which has none of the marks, says how many items there are on all pages."""
_ANY_LIST = frozenset({"nextPageToken", _TOTAL, "etag", "readTime", *MARKS})
"""Keys that a list's answer may hold whichever list it is."""
_PROJECT = re.compile(r"(?:^|/)projects/([^/]+)(?:/|$)")


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a Google Cloud API, and what its answer looks like.

    `name` is its id in the discovery document, `fields` the mask that is sent. For a list method, `items` is the
    key that holds the list, and `partial` the key whose entries say what is missing from it. `owner` is the key
    path at which an item names its project: by an id, a number, a link or a resource name. When it is `name`, the
    items must also lie under the parent that was asked for.
    """

    type: str
    service: str
    name: str
    fields: str | None = None
    kind: str | None = None
    items: str = ""
    partial: str | None = None
    kind_required: bool = False
    owner: str = ""

    def asking(self, names: str) -> Method:
        """The same list method, which asks for more of each item."""
        return replace(self, fields=(self.fields or "").replace(f"{self.items}(", f"{self.items}({names},", 1))


@dataclass(frozen=True, slots=True)
class Listed:
    """All that a list method brought, over all pages, and what it did not bring. `items` may hold a part only."""

    items: tuple[Json, ...]
    unread: tuple[Unread, ...] = ()


def joined(parts: Iterable[Listed]) -> Listed:
    """Several answers as one, in their order."""
    found = list(parts)
    return Listed(
        tuple(item for listed in found for item in listed.items),
        tuple(unread for listed in found for unread in listed.unread),
    )


def check_page(method: Method, page: Json) -> None:
    """Raise ReadError unless `page` is one page of the list that was asked for."""
    own = {method.items, *_ANY_LIST, *(["kind"] if method.kind else [])}
    if ("kind" in page and not method.kind) or (page and own.isdisjoint(page)):
        raise ReadError(Reason.MALFORMED_ANSWER, f"the answer is to another question: it holds {', '.join(page)[:80]}")
    if lists := [key for key in page.keys() - own if isinstance(page[key], list) and page[key]]:
        # It may be how the API says now that something is missing.
        raise ReadError(Reason.MALFORMED_ANSWER, f"nobody knows what the answer says with {', '.join(lists)[:80]}")
    items = page.get(method.items, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ReadError(Reason.MALFORMED_ANSWER, f"{method.items!r} is not a list of objects")
    if method.kind_required and "kind" not in page:
        raise ReadError(Reason.MALFORMED_ANSWER, f"the list carries no kind, {method.kind!r} was due")
    for mark in MARKS:
        if not isinstance(page.get(mark, []), list):
            raise ReadError(Reason.MALFORMED_ANSWER, f"{mark!r} is not a list")
    if not isinstance(page.get("nextPageToken", ""), str):
        raise ReadError(Reason.MALFORMED_ANSWER, "nextPageToken is not a string")
    if not isinstance(page.get(_TOTAL, 0), int):
        raise ReadError(Reason.MALFORMED_ANSWER, f"{_TOTAL} is not a number")


def check_total(method: Method, pages: Sequence[Json]) -> None:
    """Raise ReadError if the checked pages of a list hold fewer items than any of them speaks of."""
    came = sum(len(page.get(method.items, [])) for page in pages)
    said = max((page[_TOTAL] for page in pages if _TOTAL in page), default=0)
    if came < said:
        detail = f"the list of {method.items} is incomplete: {came} came, and the answer speaks of {said}"
        raise ReadError(Reason.PARTIAL_ANSWER, detail)


def check_rows(answers: Sequence[Json], count: int) -> None:
    """Raise ReadError unless `count` rows are all that the answers of a BigQuery query speak of."""
    if not all(isinstance(answer.get("rows", []), list) for answer in answers):
        raise ReadError(Reason.MALFORMED_ANSWER, "'rows' is not a list")
    totals = {str(answer["totalRows"]) for answer in answers if "totalRows" in answer}
    if totals != {str(count)}:
        raise ReadError(Reason.MALFORMED_ANSWER, f"{count} rows came, of {', '.join(sorted(totals)) or 'nobody knows'}")


def gathered(method: Method, scope: str, pages: Sequence[Json], project: Project) -> Listed:
    """The items of checked pages that belong to the project; what the pages say is missing, and what is foreign,
    is unread."""
    items = [item for page in pages for item in page.get(method.items, [])]
    strangers = [_stranger(method, scope, item, project) for item in items]
    own = [item for item, stranger in zip(items, strangers, strict=True) if stranger is None]
    marks = (entry for page in pages for mark in MARKS for entry in page.get(mark, []))
    missing = [_missing(method, scope, entry) for entry in marks]
    return Listed(tuple(own), (*missing, *_foreign(method, scope, strangers)))


def _missing(method: Method, scope: str, entry: object) -> Unread:
    if isinstance(entry, dict):
        place = str(entry.get("region") or entry.get("code") or "unnamed")
        said = f"{entry.get('code', 'a warning without a code')} {place}: {entry.get('message', 'no message')}"
    else:
        place, said = str(entry), f"{entry} did not answer"
    detail = f"the list of {method.items} is incomplete: {redact(said)}"
    return Unread(method.type, f"{scope} {redact(place)}", Reason.PARTIAL_ANSWER, detail)


def _foreign(method: Method, scope: str, named: Iterable[str | None]) -> Iterator[Unread]:
    strangers = [one for one in named if one is not None]
    if strangers:
        more = f" and {len(strangers) - 1} more" if len(strangers) > 1 else ""
        detail = f"asked for {method.items} of {scope}, and got {redact(strangers[0])!r}{more}, which is not there"
        yield Unread(method.type, f"{method.name} {scope}", Reason.FOREIGN_RESOURCE, detail)


def _stranger(method: Method, scope: str, item: Json, project: Project) -> str | None:
    """What names another project or parent than the one asked for; None when nothing does. An item that names
    none at all is the checker's to judge."""
    name = _name_of_project(method.owner, item)
    if name is None:
        return None
    found = _PROJECT.search(name)
    if project.is_named(found.group(1) if found else name) is False and (found or "/" not in name):
        return name
    outside = method.owner == "name" and name.startswith("projects/") and not _lies_under(name, scope)
    return name if outside else None


def _name_of_project(path: str, item: Json) -> str | None:
    value: object = item
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) and value else None


def _lies_under(name: str, parent: str) -> bool:
    """Whether a resource name lies under a parent, in which `-` stands for any. Their projects are not compared:
    one may be written as an id and the other as a number."""
    segments, above = name.split("/")[2:], parent.split("/")[2:]
    return len(segments) > len(above) and all(asked in ("-", got) for asked, got in zip(above, segments, strict=False))
