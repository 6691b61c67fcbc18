"""The files that a command is to write: claimed before anything else, so that nothing old is taken for new."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from diga_verify.cli import options, screen
from diga_verify.cli.audit_log import OPTION as AUDIT_LOG
from diga_verify.errors import OutputError, UsageError
from diga_verify.formats.registry import FORMATS
from diga_verify.sinks.file import remove_stale

_STDIN = Path("/dev/stdin")
"""What `-` is the name of; it may be a file."""


def claim(
    outputs: Iterable[str] | None,
    policy: Path | None = None,
    *,
    evidence: Path | None = None,
    attest: Path | None = None,
    attest_key: str | None = None,
    also_read: Mapping[str, Path | None] | None = None,
    kept: Mapping[str, Path | None] | None = None,
) -> list[tuple[str, Path]]:
    """Format and file of each `-o`, and nothing left there of an earlier run, nor of its attestation: whatever becomes
    of this one, nobody takes an old report for its own. `kept` are files by their options that are written too, and in
    which what an earlier run left must stay.

    Therefore the first thing that a gate does. Raises UsageError, once the files that can be understood are gone.
    """
    key = None if attest_key is None else Path(attest_key)
    handed_in = {what: _STDIN if str(file) == "-" else file for what, file in (also_read or {}).items()}
    read = {"policy": policy, "attestation key": key, **handed_in}
    claimed: dict[tuple[str, str], tuple[str, Path]] = {}
    wrong: list[UsageError] = []
    keep = [(option, str(path)) for option, path in (kept or {}).items() if path is not None]
    named = {"--evidence": evidence, "--attest": attest}
    records = [(option, str(path)) for option, path in named.items() if path is not None]
    for option, text in (*keep, *(("-o", text) for text in outputs or ()), *records):
        try:
            format, path = options.destination(text) if option == "-o" else (option, Path(text))
            _refuse_what_is_read(option, path, read)
            if option not in (kept or {}):
                _warn_of_no_folder(option, path)
            place = os.path.realpath(path.parent), path.name
            if place in claimed:
                wrong.append(UsageError(f"{option} {path}: that file is named twice"))
            if claimed.setdefault(place, (format, path))[0] not in (kept or {}):
                remove_stale(path)
        except UsageError as error:
            wrong.append(error)
        except OutputError as error:  # it will not be written either, and then decide the exit code
            screen.note(f"diga-verify: {error}")
    if wrong:
        raise wrong[0]
    return [one for one in claimed.values() if one[0] in FORMATS]


def _warn_of_no_folder(option: str, path: Path) -> None:
    """Said now, and not only when the run is over and its report is lost."""
    if not path.parent.is_dir():
        screen.note(f"warning: {option} {path}: there is no folder {path.parent}; make it before the run is over")


def _refuse_what_is_read(option: str, path: Path, read: Mapping[str, Path | None]) -> None:
    """A slip of the pen must not cost anybody the policy, a key or the credentials, under whatever name."""
    variables = {"credentials": "GOOGLE_APPLICATION_CREDENTIALS"}
    if option != AUDIT_LOG:
        variables["audit log"] = "DIGA_VERIFY_AUDIT_LOG"
    named = {what: os.environ.get(name) for what, name in variables.items()}
    for what, file in {**read, **{what: Path(file) for what, file in named.items() if file}}.items():
        with suppress(OSError, ValueError):
            if file is not None and os.path.samestat(path.lstat(), file.stat()):
                raise UsageError(f"{option} {path} is the file of the {what}; a report needs a file of its own")
