"""What is wrong with the shape of a policy: pydantic's errors in the words of the policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError

from diga_verify.model import Role
from diga_verify.policy.models import (
    ENVIRONMENT_NAME,
    FULL_NAME,
    LABEL_KEY,
    LABEL_VALUE,
    PolicyFile,
    RoleRules,
    RuleTable,
)
from diga_verify.policy.notify import ADDRESS, CHANNEL_NAME, HEADER, HOST, NUMBER, VARIABLE
from diga_verify.policy.table import NOT_BLANK, Table
from diga_verify.policy.wording import did_you_mean, kind, listed, quoted, table_title

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic_core import ErrorDetails

    from diga_verify.policy.positions import KeyPath


class Finding(NamedTuple):
    """One thing wrong, and where."""

    path: KeyPath
    message: str


_WANTED = {
    "date_type": "a date without quotes, such as 2027-01-31",
    "dict_type": "a table",
    "enum": "a string",
    "int_type": "an integer",
    "list_type": "an array",
    "model_type": "a table",
    "string_type": "a string",
}
_PATTERNS = {
    NOT_BLANK: "must not be blank",
    ENVIRONMENT_NAME: "is no name of an environment: small letters, digits, '-' and '_', a letter first",
    FULL_NAME: "must be the full name of one resource, such as '//storage.googleapis.com/my-bucket'",
    LABEL_KEY: "must be 1 to 63 small letters, digits, '-' and '_', as all keys of labels are",
    LABEL_VALUE: "must be at most 63 small letters, digits, '-' and '_', as all values of labels are",
    CHANNEL_NAME: "is no name of a channel: at most 40 small letters, digits, '-' and '_', a letter first",
    VARIABLE: "must be the name of an environment variable, such as SLACK_WEBHOOK, which holds the secret",
    ADDRESS: "must be an e-mail address alone, such as officer@example.org",
    HOST: "must be the name of a server, such as smtp.example.org",
    NUMBER: "must be a telephone number of digits, such as +4930123456",
    HEADER: "must be the name of an HTTP header, such as X-Api-Key",
}
_UNSAID = frozenset({VARIABLE, HOST, ADDRESS, NUMBER, HEADER})
"""Patterns of values in whose place somebody may have written a secret: a message does not repeat it."""
_SECRETS = {"url": "url", "urls": "urls", "webhook": "url", "password": "password", "token": "token"}
"""Keys under which somebody may look for the place of a secret, and how the keys begin that name where it is."""
_ROLES = tuple(map(str, Role))


def shape_findings(error: ValidationError) -> Iterator[Finding]:
    """What a person needs to know of each error that pydantic found."""
    for detail in error.errors(include_url=False):
        yield _finding(detail)


def _finding(error: ErrorDetails) -> Finding:
    kind_of_error, path, value = error["type"], error["loc"], error["input"]
    if kind_of_error == "string_pattern_mismatch" and path[-1] == "[key]":
        path = path[:-1]  # the name of a table is what is wrong
    subject = _subject(path)
    match kind_of_error:
        case "missing":
            return Finding(path[:-1], f"{table_title(path[:-1])} lacks the key {subject}")
        case "extra_forbidden":
            return Finding(path, _unknown_key(path))
        case "model_type" if _table_model(path[:-1]) is RuleTable:
            return Finding(path, _unknown_role(path))
        case "enum" | "literal_error" if isinstance(value, str):
            return Finding(path, f"{subject} is {quoted(value)}; it must be {_choices(error, value)}")
        case "string_pattern_mismatch":
            pattern = error["ctx"]["pattern"]
            said = subject != quoted(value) and value.strip() and pattern not in _UNSAID
            return Finding(path, f"{subject}{f' is {quoted(value)}; it' if said else ''} {_PATTERNS[pattern]}")
        case "too_short":
            return Finding(path, f"{subject} must not be empty")
        case "greater_than_equal" | "less_than_equal" if path[0] == "notify":
            limit = " ".join(f"at {'least' if key == 'ge' else 'most'} {at}" for key, at in error["ctx"].items())
            return Finding(path, f"{subject} is {value}; the limit is {limit}")
        case "greater_than_equal" | "less_than_equal":
            return Finding(path, f"{subject} is {value}; this diga-verify reads version 1")
    wanted = "the name of a set, or an array of names" if _is_rule(path) else _WANTED[kind_of_error]
    return Finding(path, f"{subject} must be {wanted}, not {kind(value)}")


def _subject(path: KeyPath) -> str:
    """What a message is about: a key, an element of an array, or a whole table."""
    *parents, last = path
    if isinstance(last, int) and parents:
        return f"element {last + 1} of {_subject(tuple(parents))}"
    return quoted(str(last))


def _unknown_key(path: KeyPath) -> str:
    *table, key = path
    known = list(_table_model(tuple(table)).model_fields)
    hint = did_you_mean(str(key), known) or f"; known: {listed(known)}"
    if path[0] == "notify" and (begins := _SECRETS.get(str(key))) and f"{begins}_env" in known:
        hint = f": secrets have no place in a policy; name an environment variable with '{begins}_env', or a file with "
        hint += f"'{begins}_file'"
    return f"unknown key {quoted(str(key))} in {table_title(tuple(table))}{hint}"


def _unknown_role(path: KeyPath) -> str:
    *table, key = path
    return (
        f"unknown role {quoted(str(key))} in {table_title(tuple(table))}; known: {listed(_ROLES)}, "
        f"and for types there are tables{did_you_mean(str(key), _ROLES)}"
    )


def _choices(error: ErrorDetails, value: str) -> str:
    choices = re.findall(r"'([^']*)'", error["ctx"]["expected"])
    return f"{listed(map(repr, choices), 'or')}{did_you_mean(value, choices)}"


def _is_rule(path: KeyPath) -> bool:
    return path[-1] in _ROLES and _table_model(path[:-1]) in (RoleRules, RuleTable)


def _table_model(path: KeyPath) -> type[BaseModel]:
    """The model of the table at a path of the file; one without keys for the named sets, which have none."""
    model: type[BaseModel] = PolicyFile
    parts = iter(path)
    for part in parts:
        field = model.model_fields.get(str(part))
        within = list(_within(field.annotation if field else RoleRules))  # only RuleTable has keys of any name
        if {dict, list} & set(map(get_origin, within)):
            next(parts, None)  # the name or index under which the table lies
        model = next((type_ for type_ in within if isinstance(type_, type) and issubclass(type_, BaseModel)), Table)
    return model


def _within(annotation: object) -> Iterator[object]:
    """The annotation and everything in it: of `list[M] | None` also `list[M]`, `M` and `None`."""
    yield annotation
    for argument in get_args(annotation):
        yield from _within(argument)
