"""What people read: what happened, what to do, where more is; and no foreign word that does more than be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.notify.conftest import NOW, bucket, notified, unread

from diga_verify.formats.page import plain
from diga_verify.model import Severity
from diga_verify.notify.link import report_link
from diga_verify.notify.messages import Message, message
from diga_verify.notify.routing import plan, settled
from diga_verify.notify.secret import ChannelError
from diga_verify.notify.state import State
from diga_verify.report import Report

NOTIFY = notified('slack.team.url_env = "TEAM"\n[[notify.routes]]\nto = "team"\n')
Reported = Callable[..., Report]


def first(report: Report, link: str | None = None) -> Message:
    return message(report, plan(report, NOTIFY, State(), NOW).notices["team"], link, NOW)


def test_a_message_says_what_happened_what_to_do_and_where_more_is(reported: Reported) -> None:
    report = reported(bucket("b", Severity.HIGH), bucket("a"), missing=["gone"], unread=[unread()])
    lines = first(report, "https://ci.example/1").text.splitlines()
    assert lines[0] == "[diga-verify] production dtx-data: violation; 4 new"
    assert lines[2] == "Deployment stopped: the data is not proven to be where the policy requires."
    assert "2 in violation" in lines[3]
    assert lines[4] == "INCOMPLETE: not everything in scope was read to its end"
    titles = [line for line in lines if line.startswith("* ")]
    assert [title.split()[1] for title in titles] == ["CRITICAL", "HIGH", "MISSING", "UNVERIFIED"]
    at = lines.index(titles[0])
    assert lines[at + 1] == "    //storage.googleapis.com/a"
    assert lines[at + 2].startswith("    next: gcloud storage buckets relocate gs://")
    assert lines[-1] == "Report: https://ci.example/1"


def test_what_stays_and_what_is_over_is_told_with_its_past(reported: Reported) -> None:
    both = reported(bucket("a"), bucket("b"))
    planned = plan(both, NOTIFY, State(), NOW)
    state = settled(planned, ["team"], NOW)
    later = NOW + timedelta(hours=25)
    report = reported(bucket("a"))
    told = message(report, plan(report, NOTIFY, state, later).notices["team"], None, later)
    assert told.subject.endswith("violation; 1 still there, 1 resolved")
    assert "    first found 2026-11-23 12:00 UTC, 25 hours ago\n" in told.text
    assert "(critical since 2026-11-23 12:00 UTC)\n    no longer found, or waived\n" in told.text
    assert "not seen by this run" not in told.text


def test_what_was_not_seen_again_is_said_to_be_so(reported: Reported) -> None:
    state = settled(plan(reported(bucket("a")), NOTIFY, State(), NOW), ["team"], NOW)
    later = NOW + timedelta(hours=25)
    report = reported(unread=[unread()])
    told = message(report, plan(report, NOTIFY, state, later).notices["team"], None, later)
    assert "not seen by this run, which did not read all that could show it" in told.text


def test_of_very_many_the_gravest_are_named_and_all_are_counted(reported: Reported) -> None:
    many = [bucket(f"b{number}", Severity.HIGH) for number in range(30)]
    told = first(reported(*many, bucket("worst")))
    assert told.subject.endswith("31 new")
    [section] = told.sections
    assert (section.title, len(section.items)) == ("New: 31 findings", 11)
    assert "worst" in section.items[0].lines[0]
    assert section.items[-1].title == "and 21 more, which the report names"


@pytest.mark.parametrize("name", ["a\nBcc: x@example.org", "\x1b[2J", "\u202eevil", "::error::x", "x" * 5000])
def test_foreign_words_are_one_line_each_and_harmless(reported: Reported, name: str) -> None:
    told = first(reported(bucket(name)))
    for line in (told.subject, told.short, *told.text.splitlines()):
        assert plain(line) == line
        assert len(line) < 400
    assert "Bcc" not in {line.split(":")[0] for line in told.text.splitlines()}


def test_a_simulated_run_says_so_first(reported: Reported) -> None:
    told = first(reported(bucket("a"), simulated=True, api_root="http://127.0.0.1:1"))
    assert told.subject.startswith("[diga-verify] SIMULATED production dtx-data")


def test_the_link_is_made_of_environment_and_project() -> None:
    notify = notified('report_url = "https://ci.example/{environment}?p={project}"\n' + ROUTED)
    assert report_link(notify, "production", "a.b:c/d") == "https://ci.example/production?p=a.b%3Ac%2Fd"


def test_the_link_may_stand_in_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    notify = notified('report_url_env = "JOB"\n' + ROUTED)
    monkeypatch.setenv("JOB", "https://ci.example/job/7")
    assert report_link(notify, "production", "p") == "https://ci.example/job/7"
    monkeypatch.setenv("JOB", "javascript:alert(1)")
    with pytest.raises(ChannelError, match="what JOB holds is not a URL"):
        report_link(notify, "production", "p")
    monkeypatch.delenv("JOB")
    with pytest.raises(ChannelError, match="JOB is not set"):
        report_link(notify, "production", "p")


def test_there_need_be_no_link() -> None:
    assert report_link(NOTIFY, "production", "p") is None


ROUTED = 'slack.team.url_env = "TEAM"\n[[notify.routes]]\nto = "team"\n'
