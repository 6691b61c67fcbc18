"""From the bytes of a foreign file to an object of the right shape, or a ReportError that says what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from diga_verify import __version__
from diga_verify.errors import ReportError
from diga_verify.formats.stored.models import StoredReport
from diga_verify.gateway.records import ANSWERS
from diga_verify.policy.wording import quoted
from diga_verify.report import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

MAX_BYTES = 512 * 1024 * 1024
"""A report of 100,000 resources has about a third of it."""
_WRITTEN = "a JSON report is what `diga-verify ENVIRONMENT PROJECT -o report.json` writes"
_TAKE_THE_ORIGINAL = "take the file as the run wrote it"


def parsed(data: bytes, path: str) -> tuple[dict[str, Any], StoredReport]:
    """The document in the bytes of a file, as JSON and as a model. Raises ReportError."""
    document = _document(data, path)
    version = document.get("schema_version")
    if version is None:
        raise ReportError(path, "a JSON object without `schema_version`, so no report", _WRITTEN)
    if version != SCHEMA_VERSION:
        found = version if isinstance(version, str) else json.dumps(version)
        problem = f"schema_version is {quoted(found)}, and diga-verify {__version__} reads {SCHEMA_VERSION!r}"
        raise ReportError(path, problem, "use the diga-verify that wrote it, or one that is newer")
    if ANSWERS in document:
        raise ReportError(path, "evidence, and no report", "`diga-verify replay EVIDENCE -f FORMAT` makes one of it")
    try:
        return document, StoredReport.model_validate(document)
    except ValidationError as error:
        raise ReportError(path, _shape_problem(error), _what_to_do(document)) from None


def _document(data: bytes, path: str) -> dict[str, Any]:
    if len(data) > MAX_BYTES:
        raise ReportError(path, f"larger than {MAX_BYTES // 1024**2} MiB, so no report", _WRITTEN)
    if not data.strip():
        raise ReportError(path, "nothing is in it", _WRITTEN)
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object, parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise ReportError(path, f"byte {error.start} is not UTF-8, as JSON must be", _WRITTEN) from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ReportError(path, f"not valid JSON: {error.msg}, {where}", _WRITTEN) from None
    except RecursionError:
        raise ReportError(path, "brackets within brackets, hundreds deep, so no report", _WRITTEN) from None
    except ValueError as error:  # a key twice, a number that is none, an integer of thousands of digits
        raise ReportError(path, f"not a report: {error}", _WRITTEN) from None
    if not isinstance(document, dict):
        raise ReportError(path, f"{_kind(document)} where a JSON object was expected", _WRITTEN)
    return document


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that is there twice, two programs may read two values."""
    made = dict(pairs)
    if len(made) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {quoted(next(key for key in keys if keys.count(key) > 1))} is in one object twice")
    return made


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no JSON")


def _shape_problem(error: ValidationError) -> str:
    """The first thing wrong, and how many more there are."""
    details = error.errors(include_url=False)
    more = f" (and {len(details) - 1} more like it)" if len(details) > 1 else ""
    return f"{_finding(details[0])}{more}"


def _finding(detail: ErrorDetails) -> str:
    *parents, last = detail["loc"] or ("",)
    if detail["type"] == "missing":
        return f"{pointer(parents) or 'the report'} lacks the key {quoted(str(last))}"
    if detail["type"] == "extra_forbidden":
        return f"{pointer(parents) or 'the report'} has the key {quoted(str(last))}, which no such report has"
    said = detail["msg"].removeprefix("Input ").removeprefix("Value error, ").replace("valid tuple", "valid array")
    return f"{pointer(detail['loc'])} is {shown(detail['input'])}, and {said}"


def _what_to_do(document: dict[str, Any]) -> str:
    tool = document.get("tool")
    version = tool.get("version") if isinstance(tool, dict) else None
    if isinstance(version, str) and version != __version__:
        return f"it was written by diga-verify {quoted(version)}, and this is {__version__}: use that one"
    return _TAKE_THE_ORIGINAL


def pointer(parts: Sequence[str | int]) -> str:
    """A path as a JSON Pointer (RFC 6901), for a person; a key of any length is shortened."""
    texts = (str(part) for part in parts)
    return "".join(f"/{(text if len(text) <= 60 else text[:57] + '...').translate(_ESCAPES)}" for text in texts)


_ESCAPES = str.maketrans({"~": "~0", "/": "~1"})


def shown(value: object) -> str:
    """A value of the document in an error message."""
    if isinstance(value, str):
        return quoted(str(value))  # of an enum its value
    return json.dumps(value) if value is None or isinstance(value, (bool, int, float)) else _kind(value)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return f"an array of {len(value)}"
    return "an object" if isinstance(value, dict) else quoted(str(value))
