"""Every channel against a real server on loopback: what arrives, what is refused, and that no secret is ever said."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import trustme
from tests.notify.conftest import CANARY, NOW, Mailbox, Received, context_of, mail_server, notified, receiving

from diga_verify.notify.email import composed, html
from diga_verify.notify.messages import Item, Message, Section
from diga_verify.notify.result import NotifyResult
from diga_verify.notify.send import send
from diga_verify.notify.slack import payload
from diga_verify.policy.notify import Email

MESSAGE = Message(
    subject="[diga-verify] production dtx-data: violation; 1 new",
    opening=("Deployment stopped.", "2 resources."),
    sections=(Section("New: 1 finding", (Item("CRITICAL gcs a: primary in US", ("next: move it",)),)),),
    link="https://ci.example/run/1",
)
ROUTE = '[[notify.routes]]\nto = "one"\n'


def tell(channel: str, message: Message = MESSAGE, seconds: float = 10) -> NotifyResult:
    """Send to one channel, called `one`, whose settings are the text."""
    return send(notified(f"{channel}\n{ROUTE}"), {"one": message}, NOW, seconds=seconds)


def problem(result: NotifyResult) -> str:
    [one] = result.outcomes
    assert one.problem is not None
    assert result.failed == (one,)
    assert result.sent == ()
    assert CANARY not in repr(result)
    return one.problem


def slack(monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    monkeypatch.setenv("HOOK", url)
    return '[notify.slack.one]\nurl_env = "HOOK"'


class TestSlack:
    def test_a_message_arrives(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        assert tell(slack(monkeypatch, f"{receiver.url}/services/{CANARY}\n")).sent == ("one",)
        [(path, headers, body)] = receiver.requests
        assert path == f"/services/{CANARY}"
        assert headers["Content-Type"] == "application/json"
        assert json.loads(body) == payload(MESSAGE)

    def test_the_url_may_stand_in_a_file(self, receiver: Received, tmp_path: Path) -> None:
        (tmp_path / "hook").write_text(f"{receiver.url}/{CANARY}\n")
        assert tell(f'[notify.slack.one]\nurl_file = "{tmp_path}/hook"').sent == ("one",)
        assert receiver.requests[0][0] == f"/{CANARY}"

    @pytest.mark.parametrize(
        ("status", "body", "said"),
        [
            (404, b"no_service", "it answered 404: no_service"),
            (500, f"https://hooks.example/{CANARY}".encode(), "it answered 500"),
        ],
    )
    def test_a_refusal_is_told(
        self, receiver: Received, monkeypatch: pytest.MonkeyPatch, status: int, body: bytes, said: str
    ) -> None:
        receiver.status, receiver.body = status, body
        assert problem(tell(slack(monkeypatch, f"{receiver.url}/{CANARY}"))) == said

    def test_no_redirect_is_followed(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        receiver.status, receiver.headers = 307, {"Location": f"{receiver.url}/elsewhere"}
        said = problem(tell(slack(monkeypatch, f"{receiver.url}/{CANARY}")))
        assert said == "it answered with a redirect (307), which is not followed"
        assert [path for path, _, _ in receiver.requests] == [f"/{CANARY}"]

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with receiving(context_of(authority)) as secure:
            said = problem(tell(slack(monkeypatch, f"{secure.url}/{CANARY}")))
        assert said == "TLS failed: its certificate is not trusted, or it speaks no TLS"
        assert secure.requests == []

    @pytest.mark.usefixtures("trusted")
    def test_a_certificate_that_is_trusted_is_taken(self, secure: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        assert tell(slack(monkeypatch, secure.url)).sent == ("one",)

    @pytest.mark.parametrize(
        ("url", "said"),
        [
            (f"http://hooks.example/{CANARY}", "is plain http to another machine: it must begin with https://"),
            (f"https://user:{CANARY}@hooks.example/", "holds a user name or a password"),
            (f"ftp://127.0.0.1/{CANARY}", "is not a URL such as https://host.example/path"),
            (f"https://hooks.example\\@127.0.0.1/{CANARY}", "is not a URL such as https://host.example/path"),
        ],
    )
    def test_a_url_that_leads_astray_is_not_asked(self, monkeypatch: pytest.MonkeyPatch, url: str, said: str) -> None:
        assert problem(tell(slack(monkeypatch, url))) == f"the URL in HOOK {said}"

    def test_a_secret_that_is_not_there_is_named(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        said = problem(tell(slack(monkeypatch, " \n")))
        assert said == "the URL is not to be had: the environment variable HOOK is not set"
        said = problem(tell(f'[notify.slack.one]\nurl_file = "{tmp_path}/hook"'))
        assert said == f"the URL is not to be had: {tmp_path}/hook cannot be read: No such file or directory"

    def test_who_is_not_there_is_not_reached(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        assert problem(tell(slack(monkeypatch, f"http://127.0.0.1:{port}/{CANARY}"))) == "it cannot be reached"

    def test_who_says_nothing_has_so_much_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/{CANARY}"
            assert problem(tell(slack(monkeypatch, url), seconds=0.2)) == "it was not done within 0 s"

    def test_the_proxy_of_the_environment_is_used(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", receiver.url)
        receiver.status = 403
        said = problem(tell(slack(monkeypatch, f"https://hooks.example/{CANARY}")))
        assert said == "the proxy did not let it through"
        assert [path for path, _, _ in receiver.requests] == ["hooks.example:443"]

    def test_no_proxy_sees_what_is_not_encrypted(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        with receiving() as proxy:
            monkeypatch.setenv("http_proxy", proxy.url)
            monkeypatch.delenv("no_proxy", raising=False)
            assert tell(slack(monkeypatch, f"{receiver.url}/{CANARY}")).sent == ("one",)
        assert proxy.requests == []
        assert [path for path, _, _ in receiver.requests] == [f"/{CANARY}"]

    @pytest.mark.usefixtures("trusted")
    def test_credentials_of_the_caller_stay_at_home(
        self, secure: Received, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / "netrc").write_text(f"machine 127.0.0.1 login me password {CANARY}\n")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        assert tell(slack(monkeypatch, secure.url)).sent == ("one",)
        assert "Authorization" not in secure.requests[0][1]

    def test_foreign_words_are_no_markup(self) -> None:
        evil = "<!channel> <https://evil.example|click> *bold* @here &lt;"
        message = Message(evil, (evil,), (Section("New", (Item(evil, (evil,)),)),))
        sent = payload(message)
        assert {block["text"]["type"] for block in sent["blocks"]} == {"plain_text"}
        assert "<" not in json.dumps(sent)
        assert (sent["link_names"], sent["parse"], sent["mrkdwn"]) == (False, "none", False)

    def test_what_slack_would_refuse_is_shortened(self) -> None:
        long = "&" * 10_000
        header, opening, section = payload(Message(long, (long,), (Section("", (Item(long, ()),)),)))["blocks"]
        assert 100 < len(header["text"]["text"]) <= 150
        assert all(2500 < len(block["text"]["text"]) <= 3000 for block in (opening, section))
        assert "..." in header["text"]["text"]


def smtp(port: int, more: str = 'security = "none"', to: str = '"a@example.org", "b@example.org"') -> str:
    return f'[notify.email.one]\nhost = "127.0.0.1"\nport = {port}\nsender = "gate@example.org"\nto = [{to}]\n{more}\n'


LOGIN = 'username = "gate"\npassword_env = "SMTP_PASSWORD"\n'


class TestEmail:
    def test_a_message_arrives_as_text_and_as_html(self) -> None:
        with mail_server() as (mailbox, port):
            assert tell(smtp(port)).sent == ("one",)
        [mail] = mailbox.mails
        assert (mail.mail_from, mail.rcpt_tos) == ("gate@example.org", ["a@example.org", "b@example.org"])
        assert isinstance(mail.content, bytes)
        read = email.message_from_bytes(mail.content, policy=email.policy.default)
        assert isinstance(read, EmailMessage)
        assert read["Subject"] == MESSAGE.subject
        assert read["Date"].datetime == NOW
        assert read["Auto-Submitted"] == "auto-generated"
        text, page = (read.get_body((kind,)) for kind in ("plain", "html"))
        assert text is not None
        assert text.get_content().replace("\r\n", "\n") == MESSAGE.text
        assert page is not None
        assert page.get_content().replace("\r\n", "\n") == html(MESSAGE)

    def test_what_is_not_english_arrives_at_servers_that_take_ascii_alone(self) -> None:
        with mail_server() as (mailbox, port):
            assert tell(smtp(port), Message("Prüfung", ("Größe.",))).sent == ("one",)
        [mail] = mailbox.mails
        assert isinstance(mail.content, bytes)
        assert mail.content.isascii()
        read = email.message_from_bytes(mail.content, policy=email.policy.default)
        assert read["Subject"] == "Prüfung"
        assert isinstance(read, EmailMessage)
        text = read.get_body(("plain",))
        assert text is not None
        assert "Größe." in text.get_content()

    def test_what_the_server_took_was_sent_however_it_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else the next run would send it again, and so on."""

        async def rude(*_: object) -> str:
            return "554 and good riddance"

        monkeypatch.setattr(Mailbox, "handle_QUIT", rude, raising=False)
        with mail_server() as (mailbox, port):
            assert tell(smtp(port)).sent == ("one",)
        assert len(mailbox.mails) == 1

    @pytest.mark.usefixtures("trusted")
    def test_starttls_comes_before_the_password(self, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMTP_PASSWORD", CANARY)
        mailbox, result = self.over_starttls(authority)
        assert result.sent == ("one",)
        assert mailbox.logins == [(b"gate", CANARY.encode())]
        assert len(mailbox.mails) == 1

    @pytest.mark.usefixtures("trusted")
    def test_a_wrong_password_is_told_and_not_repeated(
        self, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SMTP_PASSWORD", f"wrong-{CANARY}")
        mailbox, result = self.over_starttls(authority)
        assert problem(result) == "the server refused name and password (535)"
        assert mailbox.mails == []

    def test_a_certificate_that_nobody_vouches_for_ends_it(
        self, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SMTP_PASSWORD", CANARY)
        mailbox, result = self.over_starttls(authority)
        assert problem(result) == "TLS failed: the server's certificate is not trusted, or it speaks no TLS"
        assert mailbox.logins == []

    def over_starttls(self, authority: trustme.CA) -> tuple[Mailbox, NotifyResult]:
        options = {"tls_context": context_of(authority), "require_starttls": True, "auth_required": True}
        with mail_server(**options) as (mailbox, port):
            result = tell(smtp(port, LOGIN))
        return mailbox, result

    def test_no_password_goes_to_a_server_without_encryption(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SMTP_PASSWORD", CANARY)
        with mail_server() as (mailbox, port):
            assert problem(tell(smtp(port, LOGIN))) == "the server offers no STARTTLS, or no way to log in"
        assert mailbox.logins == []
        assert mailbox.mails == []

    @pytest.mark.usefixtures("trusted")
    def test_tls_from_the_first_byte(self, authority: trustme.CA) -> None:
        with mail_server(ssl_context=context_of(authority)) as (mailbox, port):
            assert tell(smtp(port, 'security = "tls"')).sent == ("one",)
        assert len(mailbox.mails) == 1

    @pytest.mark.parametrize(
        ("to", "said", "arrived"),
        [
            ('"a@example.org", "b@refused.example"', "the server refused 1 of 2 addresses", 1),
            ('"a@refused.example", "b@refused.example"', "the server refused every address", 0),
        ],
    )
    def test_addresses_that_are_refused_are_a_failure(self, to: str, said: str, arrived: int) -> None:
        with mail_server() as (mailbox, port):
            assert problem(tell(smtp(port, to=to))) == said
        assert len(mailbox.mails) == arrived

    def test_who_is_not_there_is_not_reached(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        assert problem(tell(smtp(port))) == "the server cannot be reached"

    def test_foreign_words_are_neither_headers_nor_markup(self) -> None:
        channel = notified(smtp(25) + ROUTE).email["one"]
        assert isinstance(channel, Email)
        evil = "</p><script>x</script> <img src=x>"
        message = Message(evil, (evil,), (Section("New", (Item(evil, (evil,)),)),))
        page = html(message)
        assert "<script" not in page
        assert "<img" not in page
        assert composed(channel, message, NOW)["Subject"] == evil


def sms(url: str, more: str = "") -> str:
    return f'[notify.sms.one]\nurl = "{url}/send"\nto = ["+4930111", "+4930222"]\n{more}\n'


class TestSms:
    def test_every_number_gets_a_short_message(self, receiver: Received) -> None:
        assert tell(sms(receiver.url)).sent == ("one",)
        forms = sorted((parse_qs(body.decode()) for _, _, body in receiver.requests), key=lambda form: form["to"])
        assert forms == [{"to": [number], "text": [MESSAGE.short]} for number in ("+4930111", "+4930222")]

    def test_no_number_waits_for_another(self, receiver: Received) -> None:
        """Else a slow gateway and many numbers would take too long together, and the first be told run after run."""
        receiver.meeting = threading.Barrier(2)
        assert tell(sms(receiver.url)).sent == ("one",)

    def test_a_gateway_has_its_own_words_and_token(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", CANARY)
        fields = '{ recipient = "{to}", body = "DiGA: {text}", sender = "gate" }'
        more = f'encoding = "json"\nfields = {fields}\ntoken_env = "TOKEN"\ntoken_header = "X-Api-Key"'
        assert tell(sms(receiver.url, more)).sent == ("one",)
        _, headers, body = receiver.requests[0]
        assert headers["X-Api-Key"] == CANARY
        due = {"body": f"DiGA: {MESSAGE.short}", "sender": "gate"}
        assert json.loads(body) in [due | {"recipient": number} for number in ("+4930111", "+4930222")]

    def test_a_token_is_a_bearer(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", CANARY)
        tell(sms(receiver.url, 'token_env = "TOKEN"'))
        assert receiver.requests[0][1]["Authorization"] == f"Bearer {CANARY}"

    def test_name_and_password(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PASSWORD", CANARY)
        tell(sms(receiver.url, 'username = "gate"\npassword_env = "PASSWORD"'))
        due = base64.b64encode(f"gate:{CANARY}".encode()).decode()
        assert receiver.requests[0][1]["Authorization"] == f"Basic {due}"

    def test_a_token_with_a_line_end_is_refused(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TOKEN", f"{CANARY}\r\nX-Evil: 1")
        said = problem(tell(sms(receiver.url, 'token_env = "TOKEN"')))
        assert said == "the token has characters that no header can carry"
        assert receiver.requests == []

    def test_all_numbers_are_tried(self, receiver: Received) -> None:
        receiver.status, receiver.body = 402, b"no credit"
        assert problem(tell(sms(receiver.url))) == "2 of 2 failed: it answered 402"
        assert len(receiver.requests) == 2

    def test_a_short_message_is_short(self) -> None:
        items = tuple(Item("x" * 200, ()) for _ in range(3))
        long = Message("subject", (), (Section("", items),), "https://ci.example/1")
        assert len(long.short) == 300
        assert long.short.startswith("subject. xxx")
        assert long.short.endswith("... https://ci.example/1")


class TestApprise:
    def test_every_service_gets_it(self, receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
        host = receiver.url.removeprefix("http://")
        monkeypatch.setenv("URLS", f"json://{host}/one\njson://{host}/{CANARY}")
        assert tell('[notify.apprise.one]\nurls_env = "URLS"').sent == ("one",)
        assert [path for path, _, _ in receiver.requests] == ["/one", f"/{CANARY}"]
        told = json.loads(receiver.requests[1][2])
        assert (told["title"], told["message"].strip()) == (MESSAGE.subject, MESSAGE.text.strip())

    def test_which_failed_is_told_by_its_number(
        self, receiver: Received, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        host = receiver.url.removeprefix("http://")
        monkeypatch.setenv("URLS", f"json://{host}/one nonsense://user:{CANARY}@{host}")
        with caplog.at_level(logging.DEBUG):
            said = problem(tell('[notify.apprise.one]\nurls_env = "URLS"'))
        assert said == "1 of 2 services failed, the first of them number 2"
        assert CANARY not in caplog.text

    def test_without_the_extra_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("URLS", f"json://127.0.0.1/{CANARY}")
        monkeypatch.setitem(sys.modules, "apprise", None)
        said = problem(tell('[notify.apprise.one]\nurls_env = "URLS"'))
        assert said == "Apprise is not installed: pip install 'diga-verify[notify]'"


def test_one_channel_that_fails_keeps_no_other_from_being_told(
    receiver: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOD", receiver.url)
    notify = notified(
        '[notify.slack.bad]\nurl_env = "NOT_THERE"\n[notify.slack.good]\nurl_env = "GOOD"\n'
        '[notify.slack.silent]\nurl_env = "GOOD"\n[[notify.routes]]\nto = ["bad", "good", "silent"]\n'
    )
    result = send(notify, {"bad": MESSAGE, "good": MESSAGE}, NOW)
    assert result.sent == ("good",)
    assert [one.channel for one in result.failed] == ["bad"]
    assert len(receiver.requests) == 1


def test_no_channel_waits_for_another(receiver: Received, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that hang, each for its whole time, would leave none for the last one, run after run."""
    receiver.meeting = threading.Barrier(3)
    monkeypatch.setenv("HOOK", receiver.url)
    names = ("c", "a", "b")
    channels = "".join(f'[notify.slack.{name}]\nurl_env = "HOOK"\n' for name in names)
    result = send(notified(f'{channels}[[notify.routes]]\nto = ["a", "b", "c"]'), dict.fromkeys(names, MESSAGE), NOW)
    assert result.sent == names
    assert len(receiver.requests) == 3


@pytest.mark.parametrize("error", [ValueError(CANARY), RuntimeError(CANARY)])
def test_a_bug_in_a_channel_is_a_failure_without_its_words(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def broken(*_: object, **__: object) -> Callable[..., None]:
        raise error

    monkeypatch.setattr("diga_verify.notify.slack.post", broken)
    said = problem(tell(slack(monkeypatch, "http://127.0.0.1:9")))
    assert said == f"it failed unexpectedly ({type(error).__name__})"
