"""How many calls had to wait for each other, and how many did.

A call needs another when it could not be written without that one's answer: a page needs the page before it, which
holds its token; what is asked about a thing needs the list from which its name is known (`.../keyRings/R/cryptoKeys`
needs `.../keyRings`). Whatever else a program waits for, it waits for by its own choice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl

from tools.bench.asked import Asked

List = tuple[str, str, str]
"""Host, path, and the query but for the page's token: the same for all pages of a list."""


def longest_chain(asked: Iterable[Asked]) -> int:
    """The number of calls in the longest chain of calls of which each needs the one before it.

    With every answer taking the same time, no program could ask the same questions faster than that many answers take,
    however many it asks at once. It is at least as strict as that: a name is taken to be on the first page of its list.
    """
    tokens: dict[List, set[str]] = defaultdict(set)
    for one in asked:
        query = dict(parse_qsl(one.query))
        token = query.pop("pageToken", "")
        tokens[one.host, one.path, str(sorted(query.items()))].add(token)
    first: dict[tuple[str, str], int] = {}
    longest = 0
    for (host, path, _), pages in sorted(tokens.items(), key=lambda one: one[0][1].count("/")):
        depth = 1 + max((first[host, parent] for parent in _parents(path) if (host, parent) in first), default=0)
        first[host, path] = depth
        longest = max(longest, depth - 1 + len(pages))
    return longest


def rounds(asked: Iterable[Asked]) -> int:
    """The most calls of which each began when the one before it was answered: how often the program really waited."""
    count, free = 0, float("-inf")
    for one in sorted(asked, key=lambda one: one.answered):
        if one.begun >= free:
            count, free = count + 1, one.answered
    return count


def _parents(path: str) -> Iterator[str]:
    """The lists in which names of the path stand: of `locations/L/keyRings/R/cryptoKeys` those of `locations` and of
    `locations/L/keyRings`. A `-` stands for all names, and needs none."""
    segments = path.split("/")
    return ("/".join(segments[:at]) for at in range(1, len(segments)) if segments[at] != "-")
