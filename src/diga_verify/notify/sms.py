"""Short messages, by a gateway that takes an HTTP POST for each telephone number."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from diga_verify.notify.http import post
from diga_verify.notify.messages import Message
from diga_verify.notify.secret import ChannelError, optional_secret, replaced, secret_url
from diga_verify.policy.notify import Encoding, Sms

_AT_ONCE = 4
"""Numbers that are told at the same time: the channel has one limit for all of them."""


def send(channel: Sms, message: Message) -> None:
    """Send it to every number, some at once. Raises ChannelError when one of them failed, once all were tried."""
    url = channel.url or secret_url(channel.url_env, channel.url_file)
    password = optional_secret("password", channel.password_env, channel.password_file)
    login = None if password is None else (channel.username or "", password)
    headers = _token(channel)

    def problem(number: str) -> str | None:
        values = {"to": number, "text": message.short}
        fields = {name: replaced(text, values) for name, text in channel.fields.items()}
        body: dict[str, Any] = {"json": fields} if channel.encoding is Encoding.JSON else {"form": fields}
        try:
            post(url, **body, headers=headers, login=login)
        except ChannelError as error:
            return str(error)
        return None

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="sms") as pool:
        problems = [*filter(None, pool.map(problem, channel.to))]
    if problems:
        raise ChannelError(f"{len(problems)} of {len(channel.to)} failed: {problems[0]}")


def _token(channel: Sms) -> dict[str, str]:
    token = optional_secret("token", channel.token_env, channel.token_file)
    if token is None:
        return {}
    if not (token.isascii() and token.isprintable()):
        raise ChannelError("the token has characters that no header can carry")
    bearer = channel.token_header.lower() == "authorization"
    return {channel.token_header: f"Bearer {token}" if bearer else token}
