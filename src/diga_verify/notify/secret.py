"""Secrets, from environment variables and files. What is said of them names the place, never the content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from diga_verify.errors import DigaVerifyError, UsageError
from diga_verify.files import read_file
from diga_verify.policy.notify_checks import url_problem

_LIMIT = 64 * 1024


class ChannelError(DigaVerifyError):
    """A channel could not be used. The message holds no secret."""


def secret(what: str, env: str | None, file: str | None) -> str:
    """The secret that the variable or the file holds, without the blanks around it. Raises ChannelError."""
    if env is not None:
        value, place = os.environ.get(env, ""), f"the environment variable {env}"
    else:
        place = f"the file {file}"
        try:
            value = read_file(Path(file or ""), _LIMIT).data.decode()
        except UsageError as error:
            raise ChannelError(f"the {what} is not to be had: {error}") from None
        except UnicodeDecodeError:
            raise ChannelError(f"the {what} is not to be had: {place} is not text") from None
    if not value.strip():
        raise ChannelError(f"the {what} is not to be had: {place} {'is not set' if env else 'is empty'}")
    return value.strip()


def optional_secret(what: str, env: str | None, file: str | None) -> str | None:
    """Likewise, or None where the policy names neither."""
    return None if env is None and file is None else secret(what, env, file)


def secret_url(env: str | None, file: str | None) -> str:
    """A URL that is secret. Raises ChannelError."""
    url = secret("URL", env, file)
    if problem := url_problem(url):
        raise ChannelError(f"the URL in {env or file} {problem}")
    return url


def replaced(template: str, values: Mapping[str, str]) -> str:
    """The template with its placeholders replaced, which the policy's checks have seen."""
    return template.format_map(values)
