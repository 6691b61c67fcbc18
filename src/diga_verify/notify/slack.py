"""Slack, by an incoming webhook. All words of others are plain text, where Slack sees no mention, link or emoji."""

from __future__ import annotations

from typing import Any

from diga_verify.notify.http import post
from diga_verify.notify.messages import Message, Section, clipped
from diga_verify.notify.secret import secret_url
from diga_verify.policy.notify import Slack

_HEADER, _TEXT = 150, 3000
"""Characters that Slack takes in a header, and in a section."""


def send(channel: Slack, message: Message) -> None:
    """Post the message. Raises ChannelError."""
    post(secret_url(channel.url_env, channel.url_file), json=payload(message))


def payload(message: Message) -> dict[str, Any]:
    """The message as Slack takes it: blocks, and a text for notifications."""
    blocks = [
        {"type": "header", "text": _plain(message.subject, _HEADER)},
        {"type": "section", "text": _plain("\n".join(message.opening), _TEXT)},
        *({"type": "section", "text": _plain(_text(section), _TEXT)} for section in message.sections),
    ]
    if message.link:
        link = _escaped(message.link.replace("|", "%7C").replace(">", "%3E").replace("<", "%3C"))
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": f"<{link}|Report>"}})
    return {
        "text": _escaped(message.subject),
        "mrkdwn": False,
        "link_names": False,
        "parse": "none",
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": blocks,
    }


def _text(section: Section) -> str:
    lines = [section.title]
    for item in section.items:
        lines += [f"• {item.title}", *(f"    {line}" for line in item.lines)]
    return "\n".join(lines)


def _plain(text: str, longest: int) -> dict[str, Any]:
    shown = clipped(text, longest)
    while len(_escaped(shown)) > longest:  # an escape counts as the characters that it has
        shown = clipped(shown, len(shown) - max(4, (len(_escaped(shown)) - longest) // 5))
    return {"type": "plain_text", "text": _escaped(shown), "emoji": False}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
