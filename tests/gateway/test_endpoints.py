"""Where calls may go."""

from __future__ import annotations

import pytest

from diga_verify.errors import UsageError
from diga_verify.gateway.endpoints import Endpoints, stand_in


@pytest.mark.parametrize(
    "url",
    [
        "",
        "127.0.0.1:8080",
        "ftp://127.0.0.1",
        "file:///etc/passwd",
        "http://",
        "http://127.0.0.1:port",
        "http://127.0.0.1:99999",
        "http://example.com",
        "http://10.0.0.1:8080",
        "http://127.0.0.1.example.com",
        "http://127.0.0.1@example.com",
        "http://user:word@127.0.0.1",
        "https://example.com/?a=b",
        "https://example.com/#a",
        "https://example.com?",
        "https://example.com#",
        "http://[/]",
        "http://[::1].example.com",
        "http://[::ffff:127.0.0.1]",
        "http://127.1",
        "http://0x7f000001",
        "http://localhost.",
        "http://@127.0.0.1",
        "http://:@127.0.0.1",
        "http://127.0.0.1:",
        "http://127.0.0.1:0",
        "http://127.0.0.1:80@example.com",
        "http://127.0.0.1\\@example.com",
        "http://127.0.0.1 ",
        " http://127.0.0.1",
        "http://127.0.0.1\n",
        "http://127.0.0.1/\ta",
        "http://127.0.0.1/a/../b",
        "http://127.0.0.1/./b",
        "http://127.0.0.1/%2e%2e/b",
        "http://127.0.0.1//example.com",
        "http://127\u30020.0.1",
        "http://\uff11\uff12\uff17.0.0.1",
        "http://127.0.0.1:\u0661",
    ],
)
def test_refused(url: str) -> None:
    with pytest.raises(UsageError):
        stand_in(url)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://localhost:1/", "http://[::1]:8080", "https://example.com/some/path/"]
)
def test_taken(url: str) -> None:
    endpoints = stand_in(url)
    assert endpoints.simulated
    assert endpoints.base("a.googleapis.com") == f"{url.rstrip('/')}/a.googleapis.com"


def test_capitals_do_not_matter() -> None:
    assert stand_in("HTTP://LocalHost:8080/Some/Path").root == "http://localhost:8080/Some/Path"


def test_google() -> None:
    google = Endpoints()
    assert not google.simulated
    assert google.base("storage.googleapis.com") == "https://storage.googleapis.com"
    assert google.trusts("https://storage.googleapis.com/storage/v1/b?project=p")


@pytest.mark.parametrize(
    "url",
    [
        "http://storage.googleapis.com/storage/v1/b",
        "https://example.com/storage.googleapis.com",
        "https://storage.googleapis.com.example.com/",
        "https://storagegoogleapis.com/",
        "https://storage.googleapis.com@example.com/",
        "https://storage.googleapis.com:8443/",
        "https://storage.googleapis.com\\@example.com/",
        "https://example.com\\.googleapis.com/",
        "https://example.com#.googleapis.com/",
        "https://user:word@storage.googleapis.com/",
        "https://storage.googleapis.com.",
        "https://googleapis.com/",
        " https://storage.googleapis.com/",
        "",
    ],
)
def test_google_is_nobody_else(url: str) -> None:
    assert not Endpoints().trusts(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://storage.googleapis.com/storage/v1/b",
        "http://127.0.0.1:80800/storage.googleapis.com/",
        "http://127.0.0.1:8080@example.com/",
        "http://127.0.0.1:8081/",
    ],
)
def test_a_stand_in_is_nobody_else(url: str) -> None:
    assert not stand_in("http://127.0.0.1:8080").trusts(url)
