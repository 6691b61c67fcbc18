"""The shape of `[notify]`: who is told of what a run found. What fits together is for notify_checks.py.

No secret has a place here: each is named by an environment variable or a file that holds it.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from diga_verify.policy.table import Names, Table, Text

CHANNEL_NAME = r"^[a-z][a-z0-9_-]{0,39}$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"
ADDRESS = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,255}$"
HOST = r"^[A-Za-z0-9][A-Za-z0-9.-]{0,254}$|^::1$"
NUMBER = r"^\+?[0-9]{3,20}$"
HEADER = r"^[A-Za-z0-9-]{1,60}$"

ChannelName = Annotated[str, Field(pattern=CHANNEL_NAME)]
Variable = Annotated[str, Field(pattern=VARIABLE)]
Address = Annotated[str, Field(pattern=ADDRESS)]
Hours = Annotated[int, Field(ge=0, le=8760)]


class Gravity(StrEnum):
    """What a message may be about, the gravest first."""

    CRITICAL = "critical"  # a violation outside what DiGAV section 4(3) allows
    HIGH = "high"  # any other violation of a place, or a resource of a type that is declared unused
    MISSING = "missing"  # an expected resource that is not there
    UNVERIFIED = "unverified"  # not read, or not proven


class SmtpSecurity(StrEnum):
    """How an e-mail server is spoken with."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"  # with this machine alone


class Encoding(StrEnum):
    """How fields are sent to a gateway."""

    FORM = "form"
    JSON = "json"


class Slack(Table):
    """A channel of Slack, or of anything else that takes its incoming webhooks."""

    url_env: Variable | None = Field(default=None, description="The environment variable that holds the webhook's URL.")
    url_file: Text | None = Field(default=None, description="The file that holds the webhook's URL.")


class Email(Table):
    """Persons that get e-mail, by way of an SMTP server."""

    host: Annotated[str, Field(pattern=HOST)] = Field(description="The name of the SMTP server.")
    port: Annotated[int, Field(ge=1, le=65535)] = Field(default=587, description="Its port.")
    security: Annotated[SmtpSecurity, Field(strict=False)] = Field(
        default=SmtpSecurity.STARTTLS,
        description="`starttls`, `tls` from the first byte, or `none`, which is for this machine only.",
    )
    sender: Address = Field(description="The address that it comes from.")
    to: Annotated[list[Address], Field(min_length=1)] = Field(description="The addresses that it goes to.")
    username: Text | None = Field(default=None, description="The name to log in with.")
    password_env: Variable | None = Field(default=None, description="The environment variable that holds the password.")
    password_file: Text | None = Field(default=None, description="The file that holds the password.")


class Sms(Table):
    """Telephones, by way of a gateway that takes an HTTP POST for each."""

    url: Text | None = Field(default=None, description="The gateway's URL, where it holds no secret.")
    url_env: Variable | None = Field(default=None, description="The environment variable that holds the gateway's URL.")
    url_file: Text | None = Field(default=None, description="The file that holds the gateway's URL.")
    to: Annotated[list[Annotated[str, Field(pattern=NUMBER)]], Field(min_length=1)] = Field(
        description="The telephone numbers."
    )
    encoding: Annotated[Encoding, Field(strict=False)] = Field(
        default=Encoding.FORM, description="Whether the gateway wants a `form` or `json`."
    )
    fields: dict[Text, str] = Field(
        default={"to": "{to}", "text": "{text}"},
        min_length=1,
        description="What is sent, by name; `{to}` is the number, `{text}` the message.",
    )
    username: Text | None = Field(default=None, description="The name to log in with, by Basic authentication.")
    password_env: Variable | None = Field(default=None, description="The environment variable that holds the password.")
    password_file: Text | None = Field(default=None, description="The file that holds the password.")
    token_env: Variable | None = Field(default=None, description="The environment variable that holds a token.")
    token_file: Text | None = Field(default=None, description="The file that holds a token.")
    token_header: Annotated[str, Field(pattern=HEADER)] = Field(
        default="Authorization",
        description="The header that the token goes into; in `Authorization` it is preceded by `Bearer`.",
    )


class Apprise(Table):
    """Any service that Apprise knows. Needs the extra `diga-verify[notify]`."""

    urls_env: Variable | None = Field(
        default=None, description="The environment variable that holds Apprise URLs, blanks between them."
    )
    urls_file: Text | None = Field(default=None, description="The file that holds Apprise URLs, one a line.")


Channel = Slack | Email | Sms | Apprise
KINDS = ("slack", "email", "sms", "apprise")
"""The tables of [notify] that hold channels by name."""


class Route(Table):
    """Who is told of what."""

    to: Names = Field(description="The channels, by name.")
    when: list[Annotated[Gravity, Field(strict=False)]] = Field(
        default=[*Gravity],
        min_length=1,
        description="Of what: `critical`, `high`, `missing`, `unverified`; all, if left out.",
    )
    environments: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None, description="In which environments; all, if left out."
    )
    after_hours: Hours = Field(
        default=0, description="Escalation: only of what is still there so many hours after it was first found."
    )


class Notify(Table):
    """Who is told of what a run found, and how."""

    repeat_hours: Annotated[int, Field(ge=1, le=8760)] = Field(
        default=23,
        description="What stays is told again after so many hours. A daily run is never quite punctual, hence 23.",
    )
    report_url: Text | None = Field(
        default=None,
        description="Where the report can be read; `{environment}` and `{project}` stand for the run's own.",
    )
    report_url_env: Variable | None = Field(
        default=None, description="The environment variable that holds the URL of the report, or of the pipeline's job."
    )
    slack: dict[ChannelName, Slack] = Field(
        default={}, description="Webhooks of Slack, by the name that routes have for them."
    )
    email: dict[ChannelName, Email] = Field(default={}, description="E-mail, by the name that routes have for it.")
    sms: dict[ChannelName, Sms] = Field(
        default={}, description="Gateways for short messages, by the name that routes have for them."
    )
    apprise: dict[ChannelName, Apprise] = Field(
        default={}, description="Services of Apprise, by the name that routes have for them."
    )
    routes: Annotated[list[Route], Field(min_length=1)] = Field(
        description="Who is told of what. All routes that fit hold."
    )

    def channels(self) -> Iterator[tuple[str, str, Channel]]:
        """Kind, name and settings of each channel, in the order of kinds and of the file."""
        for kind in KINDS:
            named: dict[str, Channel] = getattr(self, kind)
            yield from ((kind, name, channel) for name, channel in named.items())

    def routes_of(self, channel: str, environment: str) -> tuple[Route, ...]:
        """The routes by which the channel is told of runs in the environment."""
        return tuple(
            one for one in self.routes if channel in one.to and environment in (one.environments or [environment])
        )
