"""Any service that Apprise knows, where the extra `diga-verify[notify]` is installed."""

from __future__ import annotations

import importlib

from diga_verify.notify.messages import Message
from diga_verify.notify.secret import ChannelError, secret
from diga_verify.policy.notify import Apprise


def send(channel: Apprise, message: Message) -> None:
    """Send it to every service. Raises ChannelError when one of them failed, once all were tried."""
    urls = secret("URLs", channel.urls_env, channel.urls_file).split()
    try:
        apprise = importlib.import_module("apprise")
    except ImportError:
        raise ChannelError("Apprise is not installed: pip install 'diga-verify[notify]'") from None
    failed = [number for number, url in enumerate(urls, 1) if not _sent(apprise.Apprise(), url, message)]
    if failed:
        raise ChannelError(f"{len(failed)} of {len(urls)} services failed, the first of them number {failed[0]}")


def _sent(service: object, url: str, message: Message) -> bool:
    """Whether the service took it. Apprise says no more than that, save in logs, which may hold the URL."""
    add, tell = getattr(service, "add"), getattr(service, "notify")  # noqa: B009 - a library that is not always there
    return bool(add(url) and tell(title=message.subject, body=message.text, body_format="text"))
