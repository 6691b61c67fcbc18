"""E-mail, by way of an SMTP server, encrypted unless the server is this machine."""

from __future__ import annotations

import email.policy
import email.utils
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from email.message import EmailMessage

from diga_verify import __version__
from diga_verify.formats.html_markup import Html, element, fragment
from diga_verify.notify.messages import Message, Section
from diga_verify.notify.secret import ChannelError, optional_secret
from diga_verify.policy.notify import Email, SmtpSecurity

TIMEOUT = 8.0
"""Seconds for each word of the conversation. The whole channel has a limit of its own."""
_GOODBYE = 1.0
"""Seconds for the last word."""
_POLICY = email.policy.SMTP.clone(cte_type="7bit")
"""Not every server takes more than ASCII."""


def send(channel: Email, message: Message, now: datetime) -> None:
    """Hand the message to the server. Raises ChannelError, also when it takes some of the addresses only."""
    password = optional_secret("password", channel.password_env, channel.password_file)
    try:
        with _connected(channel) as server:
            if channel.username is not None and password is not None:
                server.login(channel.username, password)
            refused = server.send_message(composed(channel, message, now))
    except (smtplib.SMTPException, OSError, UnicodeError) as error:
        raise ChannelError(_words(error)) from None
    if refused:
        raise ChannelError(f"the server refused {len(refused)} of {len(channel.to)} addresses")


def composed(channel: Email, message: Message, now: datetime) -> EmailMessage:
    """The message with its headers, as text and as HTML."""
    mail = EmailMessage(policy=_POLICY)
    mail["Subject"] = message.subject
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.to)
    mail["Date"] = email.utils.format_datetime(now)
    mail["Message-ID"] = email.utils.make_msgid(domain=channel.sender.rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"
    mail["User-Agent"] = f"diga-verify/{__version__}"
    mail.set_content(message.text)
    mail.add_alternative(html(message), subtype="html")
    return mail


def html(message: Message) -> str:
    """The message as a page without pictures, scripts or style."""
    parts = [element("h2", message.subject), *(element("p", line) for line in message.opening)]
    parts += [_section(section) for section in message.sections]
    if message.link:
        parts.append(element("p", element("a", "Report", href=message.link)))
    page = element("html", element("body", *parts))
    return f"<!DOCTYPE html>\n{page}\n"


def _section(section: Section) -> Html:
    items = (
        element("li", element("strong", item.title), *(fragment(element("br"), line) for line in item.lines))
        for item in section.items
    )
    return fragment(element("h3", section.title), element("ul", *items))


@contextmanager
def _connected(channel: Email) -> Iterator[smtplib.SMTP]:
    """The server, until it is told goodbye. What it answers to that, or whether it does, changes nothing: a message
    that it took would be sent again."""
    server = _opened(channel)
    try:
        yield server
    finally:
        with suppress(smtplib.SMTPException, OSError):
            if server.sock is not None:
                server.sock.settimeout(_GOODBYE)
            server.quit()
        server.close()


def _opened(channel: Email) -> smtplib.SMTP:
    if channel.security is SmtpSecurity.TLS:
        trusted = ssl.create_default_context()
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=TIMEOUT, context=trusted)
    server = smtplib.SMTP(channel.host, channel.port, timeout=TIMEOUT)
    if channel.security is SmtpSecurity.STARTTLS:
        try:
            server.starttls(context=ssl.create_default_context())
        except BaseException:
            server.close()
            raise
    return server


def _words(error: Exception) -> str:
    """What went wrong. What servers say themselves is left out: some repeat what they were told."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"the server refused name and password ({error.smtp_code})"
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "the server refused every address"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the server answered {error.smtp_code}"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the server offers no STARTTLS, or no way to log in"
    if isinstance(error, smtplib.SMTPServerDisconnected):
        return "the server hung up"
    if isinstance(error, ssl.SSLError):
        return "TLS failed: the server's certificate is not trusted, or it speaks no TLS"
    if isinstance(error, TimeoutError):
        return "the server did not answer in time"
    if isinstance(error, UnicodeError):
        return "the name or the password has characters that SMTP cannot carry"
    return "the server cannot be reached"
