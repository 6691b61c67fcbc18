"""What is wrong with the meaning of `[notify]`. No message repeats what may be a secret."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from diga_verify.policy.notify import KINDS
from diga_verify.policy.shape import Finding
from diga_verify.policy.tree import Tree, repeated, rows, table, tables, texts
from diga_verify.policy.wording import did_you_mean, listed, quoted, table_title
from diga_verify.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

    from diga_verify.policy.positions import KeyPath

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
ROOT: KeyPath = ("notify",)
_SECRET = re.compile(
    r"hooks\.slack\.com/|://\S*hook|://[^/\s]*@|://\S*[?&](?:\w*(?:key|token|secret|sig|pass)\w*)=",
    re.IGNORECASE,
)
_ONE_OF = {"slack": ("url",), "apprise": ("urls",)}
"""Secrets that such a channel must name exactly once."""


def notify_findings(data: Tree) -> Iterator[Finding]:
    """Everything wrong with what `[notify]` says."""
    notify = data.get("notify")
    if not isinstance(notify, dict):
        return
    yield from _secrets(ROOT, notify)
    yield from _report_url(notify)
    names: dict[str, str] = {}
    for kind in KINDS:
        for name, channel in tables(notify.get(kind)):
            path = (*ROOT, kind, name)
            if name in names:
                yield Finding(path, f"{quoted(name)} is the name of a channel in [notify.{names[name]}] already")
            names[name] = kind
            yield from _channel(path, kind, channel)
    yield from _routes(notify, names, [*table(data, "environments")])


def _secrets(path: KeyPath, value: object) -> Iterator[Finding]:
    """Strings that look like secrets, however deep, and URLs in the place of a file's name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _secrets((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets((*path, index), inner)
    elif isinstance(value, str) and (_looks_secret(value) or (str(path[-1]).endswith("_file") and "://" in value)):
        yield Finding(
            path,
            f"{_subject(path)} looks like a secret, and a policy is read by many: put it into an environment variable "
            "or a file, and name that with a key that ends in _env or _file",
        )


def _looks_secret(text: str) -> bool:
    return _SECRET.search(text) is not None or redact(text) != text


def _subject(path: KeyPath) -> str:
    return quoted(str(next(part for part in reversed(path) if isinstance(part, str))))


def _report_url(notify: Tree) -> Iterator[Finding]:
    url = notify.get("report_url")
    if "report_url" in notify and "report_url_env" in notify:
        yield Finding((*ROOT, "report_url_env"), "there is 'report_url' already: keep one of the two")
    if isinstance(url, str) and url.strip():
        path = (*ROOT, "report_url")
        yield from _placeholders(path, url, ("environment", "project"))
        yield from _address(path, url)


def _channel(path: KeyPath, kind: str, channel: Tree) -> Iterator[Finding]:
    for secret in _ONE_OF.get(kind, ()):
        yield from _exactly_one(path, channel, (f"{secret}_env", f"{secret}_file"))
    if kind == "sms":
        yield from _exactly_one(path, channel, ("url", "url_env", "url_file"))
        yield from _at_most_one(path, channel, ("token_env", "token_file"))
        yield from _gateway(path, channel)
    if kind in ("sms", "email"):
        yield from _at_most_one(path, channel, ("password_env", "password_file"))
        if ("username" in channel) != any(key in channel for key in ("password_env", "password_file")):
            yield Finding(path, f"{table_title(path)} needs both 'username' and 'password_env' or 'password_file'")
    if kind == "email" and channel.get("security") == "none" and channel.get("host") not in LOOPBACK:
        yield Finding((*path, "security"), "'security' may be 'none' with this machine only: use 'starttls' or 'tls'")


def _exactly_one(path: KeyPath, channel: Tree, keys: tuple[str, ...]) -> Iterator[Finding]:
    if not any(key in channel for key in keys):
        yield Finding(path, f"{table_title(path)} lacks {listed(map(repr, keys), 'or')}")
    yield from _at_most_one(path, channel, keys)


def _at_most_one(path: KeyPath, channel: Tree, keys: tuple[str, ...]) -> Iterator[Finding]:
    found = [key for key in keys if key in channel]
    if len(found) > 1:
        yield Finding((*path, found[1]), f"{table_title(path)} has {listed(map(repr, found))}: keep one of them")


def _gateway(path: KeyPath, channel: Tree) -> Iterator[Finding]:
    url, fields = channel.get("url"), channel.get("fields")
    if isinstance(url, str) and url.strip():
        yield from _address((*path, "url"), url)
    has_token = "token_env" in channel or "token_file" in channel
    in_same_header = str(channel.get("token_header", "Authorization")).lower() == "authorization"
    if "username" in channel and has_token and in_same_header:
        yield Finding(path, "both a password and a token want the header 'Authorization': keep one of them")
    if isinstance(fields, dict):
        texts = [text for text in fields.values() if isinstance(text, str)]
        for name, text in fields.items():
            if isinstance(text, str):
                yield from _placeholders((*path, "fields", name), text, ("to", "text"))
        for needed in ("{to}", "{text}"):
            if not any(needed in text for text in texts):
                yield Finding((*path, "fields"), f"no field holds {needed!r}")


def _address(path: KeyPath, url: str) -> Iterator[Finding]:
    if problem := url_problem(url):
        yield Finding(path, f"{_subject(path)} {problem}")


def url_problem(url: str) -> str | None:
    """Why nothing is sent to a URL, without the URL; None when it is as it should be."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is not a URL"
    if not host or parts.scheme not in ("http", "https") or not url.isascii() or re.search(r"[\s\\\x00-\x1f\x7f]", url):
        return "is not a URL such as https://host.example/path"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if parts.scheme == "http" and host not in LOOPBACK:
        return "is plain http to another machine: it must begin with https://"
    return None


def _placeholders(path: KeyPath, text: str, known: tuple[str, ...]) -> Iterator[Finding]:
    if _looks_secret(text):
        return  # told already, and not to be repeated
    allowed = listed(f"{{{name}}}" for name in known)
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        yield Finding(path, f"{_subject(path)} has a brace without its other: {allowed} are replaced, {{{{ is a brace")
        return
    for _, name, spec, conversion in parts:
        if name is not None and (name not in known or spec or conversion):
            hint = did_you_mean(name, known) or f"; known: {allowed}"
            yield Finding(path, f"unknown placeholder {quoted(name)} in {_subject(path)}{hint}")


def _routes(notify: Tree, names: Tree, environments: list[str]) -> Iterator[Finding]:
    used: set[str] = set()
    for end, row in rows(notify, "routes"):
        path = (*ROOT, *end)
        for at, name in texts(row.get("to")):
            used.add(name)
            if name.strip() and name not in names and not _looks_secret(name):
                known = f"; there are {listed(map(quoted, names))}" if names else "; [notify] has no channels"
                yield Finding((*path, "to", *at), f"unknown channel {quoted(name)}{did_you_mean(name, names) or known}")
        for at, name in texts(row.get("environments")):
            if name.strip() and name not in environments:
                hint = did_you_mean(name, environments)
                yield Finding((*path, "environments", *at), f"unknown environment {quoted(name)}{hint}")
        for key in ("to", "when", "environments"):
            yield from repeated((*path, key), texts(row.get(key)), f"in {quoted(key)}")
    for name, kind in names.items():
        if name not in used:
            path = (*ROOT, kind, name)
            yield Finding(path, f"no route leads to the channel {quoted(name)}: add it to `to` of a [[notify.routes]]")
