"""Who is told of what, and when: pure, with a clock of the tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.notify.conftest import NOW, bucket, notified, unread

from diga_verify.model import Reason, Recovery, Severity, Unread, Verdict
from diga_verify.notify.routing import Plan, Why, after, plan, settled
from diga_verify.notify.state import Open, State
from diga_verify.report import Report

ROUTES = """\
repeat_hours = 24
slack.team.url_env = "TEAM"
slack.law.url_env = "LAW"
slack.boss.url_env = "BOSS"
[[notify.routes]]
to = "team"
[[notify.routes]]
to = "law"
when = ["critical"]
environments = ["production"]
[[notify.routes]]
to = "boss"
when = ["critical", "high"]
after_hours = 4
"""
NOTIFY = notified(ROUTES)
HOUR = timedelta(hours=1)
Reported = Callable[..., Report]


def told(planned: Plan) -> dict[str, list[tuple[str, str]]]:
    """By channel: why, and of which name."""
    return {
        channel: [(notice.why.value, notice.about.name.rpartition("/")[2]) for notice in notices]
        for channel, notices in planned.notices.items()
    }


class TestOneRunAfterTheOther:
    """A pipeline that remembers, hour by hour."""

    @pytest.fixture
    def run(self) -> Callable[..., dict[str, list[tuple[str, str]]]]:
        state = State()

        def run(report: Report, hours: float, *, broken: tuple[str, ...] = ()) -> dict[str, list[tuple[str, str]]]:
            nonlocal state
            now = NOW + hours * HOUR
            planned = plan(report, NOTIFY, state, now)
            state = settled(planned, [name for name in planned.notices if name not in broken], now)
            return told(planned)

        return run

    def test_it_is_told_once_then_escalated_then_repeated_then_resolved(
        self, run: Callable[..., object], reported: Reported
    ) -> None:
        wrong, calm = reported(bucket("a")), reported()
        assert run(wrong, 0) == {"team": [("new", "a")], "law": [("new", "a")]}
        assert run(wrong, 1) == {}
        assert run(wrong, 3.99) == {}
        assert run(wrong, 4) == {"boss": [("escalated", "a")]}
        assert run(wrong, 23.99) == {}
        assert run(wrong, 24) == {"team": [("still there", "a")], "law": [("still there", "a")]}
        assert run(wrong, 28) == {"boss": [("still there", "a")]}
        assert run(calm, 29) == {channel: [("resolved", "a")] for channel in ("team", "law", "boss")}
        assert run(calm, 30) == {}

    def test_what_comes_back_is_new(self, run: Callable[..., object], reported: Reported) -> None:
        wrong = reported(bucket("a"))
        run(wrong, 0)
        run(reported(), 5)
        assert run(wrong, 6) == {"team": [("new", "a")], "law": [("new", "a")]}

    def test_a_second_finding_is_told_alone(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a")), 0)
        assert run(reported(bucket("a"), bucket("b", Severity.HIGH)), 1) == {"team": [("new", "b")]}

    def test_the_gravest_comes_first(self, run: Callable[..., object], reported: Reported) -> None:
        report = reported(bucket("h", Severity.HIGH), bucket("c"), missing=["m"])
        assert run(report, 0) == {"team": [("new", "c"), ("new", "h"), ("new", "m")], "law": [("new", "c")]}

    def test_a_channel_that_failed_is_told_by_the_next_run(
        self, run: Callable[..., object], reported: Reported
    ) -> None:
        wrong = reported(bucket("a"))
        run(wrong, 0, broken=("law",))
        assert run(wrong, 1) == {"law": [("new", "a")]}
        assert run(wrong, 2) == {}

    def test_a_channel_that_failed_hears_of_the_end_later(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a")), 0)
        assert run(reported(), 1, broken=("law",)) == {"team": [("resolved", "a")], "law": [("resolved", "a")]}
        assert run(reported(), 2) == {"law": [("resolved", "a")]}
        assert run(reported(), 3) == {}

    def test_whoever_was_not_told_hears_of_no_end(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a", Severity.HIGH)), 0)
        assert run(reported(), 1) == {"team": [("resolved", "a")]}

    @pytest.mark.parametrize(
        "blind",
        [
            {"unread": [unread()]},
            {"unread": [unread(resource="//storage.googleapis.com/a")]},
            {"unread": [unread("project", Reason.PERMISSION_DENIED)]},
            {"whole": False, "selection": ("gcs",)},
            {"interrupted_by": 15},
        ],
    )
    def test_what_was_not_seen_is_not_resolved(
        self, run: Callable[..., dict[str, list[tuple[str, str]]]], reported: Reported, blind: dict[str, object]
    ) -> None:
        run(reported(bucket("a")), 0)
        assert not any(why == "resolved" for notices in run(reported(**blind), 1).values() for why, _ in notices)
        later = run(reported(**blind), 4)
        assert later["boss"] == [("escalated", "a")]  # nobody has shown that it is gone

    def test_what_another_type_lacks_is_no_hindrance(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a")), 0)
        assert run(reported(unread=[unread("sql")]), 1) == {
            "team": [("new", "dtx-data"), ("resolved", "a")],
            "law": [("resolved", "a")],
        }

    @pytest.mark.parametrize("about", ["project", "inventory", "policy"])
    def test_what_is_of_no_type_is_resolved_by_a_complete_run(
        self, run: Callable[..., object], reported: Reported, about: str
    ) -> None:
        run(reported(unread=[unread(about)]), 0)
        run(reported(unread=[unread("sql")]), 1)
        assert run(reported(unread=[unread("sql")]), 2) == {}
        assert run(reported(), 3) == {"team": [("resolved", "dtx-data"), ("resolved", "dtx-data")]}

    def test_a_waiver_that_covers_nothing_hides_nothing(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a")), 0)
        idle = Unread("policy", "//storage.googleapis.com/a", Reason.UNMATCHED_WAIVER, "it covers no violation")
        assert run(reported(unread=[idle]), 1) == {
            "team": [("new", "a"), ("resolved", "a")],
            "law": [("resolved", "a")],
        }

    def test_of_a_type_that_nobody_looks_at_any_more_nothing_is_resolved(
        self, run: Callable[..., dict[str, object]], reported: Reported
    ) -> None:
        run(reported(unread=[unread("spanner")]), 0)
        assert run(reported(), 1) == {}
        assert run(reported(), 24) == {"team": [("still there", "dtx-data")]}

    def test_what_a_deep_run_found_no_other_resolves(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a"), deep=True), 0)
        assert run(reported(), 1) == {}
        assert run(reported(deep=True), 2) == {"team": [("resolved", "a")], "law": [("resolved", "a")]}

    @pytest.mark.parametrize(
        ("asked", "less"),
        [
            (Recovery(), None),
            (Recovery(since="2026-11-23T08:00:00Z"), None),
            (Recovery(since="2026-11-23T08:00:00Z"), Recovery()),  # without a baseline nothing can be lost
        ],
    )
    def test_what_a_run_after_a_restore_found_no_lesser_one_resolves(
        self, run: Callable[..., object], reported: Reported, asked: Recovery, less: Recovery | None
    ) -> None:
        lost = unread(reason=Reason.NOT_RESTORED, resource="//storage.googleapis.com/a")
        run(reported(unread=[lost], recovery=asked), 0)
        assert run(reported(recovery=less), 1) == {}
        assert run(reported(recovery=asked), 2) == {"team": [("resolved", "a")]}

    def test_what_a_lesser_run_saw_it_resolves_too(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a"), deep=True, recovery=Recovery()), 0)
        run(reported(bucket("a"), deep=True), 1)
        assert run(reported(), 2) == {}
        run(reported(bucket("a")), 3)
        assert run(reported(), 4) == {"team": [("resolved", "a")], "law": [("resolved", "a")]}

    def test_why_it_cannot_be_read_may_change(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(unread=[unread(reason=Reason.TIMEOUT)]), 0)
        assert run(reported(unread=[unread(reason=Reason.RATE_LIMITED)]), 1) == {}

    def test_a_graver_place_is_new(self, run: Callable[..., object], reported: Reported) -> None:
        run(reported(bucket("a", Severity.HIGH)), 0)
        assert run(reported(bucket("a")), 1) == {
            "team": [("new", "a"), ("resolved", "a")],
            "law": [("new", "a")],
        }


def test_what_is_waived_is_told_to_nobody(reported: Reported) -> None:
    report = reported(bucket("a", verdict=Verdict.WAIVED))
    assert plan(report, NOTIFY, State(), NOW).notices == {}


def test_another_environment_has_other_routes(reported: Reported) -> None:
    report = reported(bucket("a"), environment="staging")
    assert told(plan(report, NOTIFY, State(), NOW)) == {"team": [("new", "a")]}


def test_a_baseline_counts_as_told(reported: Reported) -> None:
    earlier, now = reported(bucket("a")), NOW + HOUR
    assert told(plan(reported(bucket("a"), bucket("b")), NOTIFY, after(earlier, NOTIFY), now)) == {
        "team": [("new", "b")],
        "law": [("new", "b")],
    }
    assert told(plan(earlier, NOTIFY, after(earlier, NOTIFY), NOW + 5 * HOUR)) == {"boss": [("escalated", "a")]}


def test_a_clock_that_was_wrong_silences_nobody(reported: Reported) -> None:
    wrong = reported(bucket("a"))
    future = settled(plan(wrong, NOTIFY, State(), NOW + 9999 * HOUR), ["team", "law"], NOW + 9999 * HOUR)
    planned = plan(wrong, NOTIFY, future, NOW)
    assert told(planned) == {"team": [("still there", "a")], "law": [("still there", "a")]}
    assert [one.since for one in planned.open] == [NOW]


NAMES = st.sampled_from(["a", "b", "c"])
RUNS = st.lists(
    st.tuples(
        st.integers(min_value=0, max_value=30),  # hours since the run before
        st.frozensets(NAMES, max_size=3),  # the buckets in wrong places
        st.frozensets(st.sampled_from(["team", "law", "boss"])),  # the channels that fail
        st.booleans(),  # whether buckets could not be listed
    ),
    min_size=1,
    max_size=8,
)


@given(runs=RUNS)
def test_nobody_is_left_in_the_dark_and_nobody_is_told_twice(
    runs: list[tuple[int, frozenset[str], frozenset[str], bool]], reported: Reported
) -> None:
    state, now = State(), NOW
    last: dict[tuple[str, str], object] = {}
    for hours, names, broken, blind in runs:
        now += hours * HOUR
        seen = frozenset() if blind else names
        report = reported(*map(bucket, sorted(seen)), unread=[unread()] if blind else [])
        planned = plan(report, NOTIFY, state, now)
        news = {
            (channel, notice.about.name.rpartition("/")[2]): notice.why
            for channel, notices in planned.notices.items()
            for notice in notices
        }
        for name in seen:
            for channel in ("team", "law"):  # never silent about a critical violation that was not told yet
                if (channel, name) not in last:
                    assert news.get((channel, name)) is Why.NEW
        for (channel, name), why in news.items():
            if why is not Why.RESOLVED and (channel, name) in last:
                assert now - last[channel, name] >= 24 * HOUR  # type: ignore[operator]
        if blind:
            assert Why.RESOLVED not in news.values()
        state = settled(planned, [name for name in planned.notices if name not in broken], now)
        for (channel, name), why in news.items():
            if channel not in broken and why is not Why.RESOLVED:
                last[channel, name] = now
        for gone in {one.name.rpartition("/")[2] for one in planned.gone}:
            last = {pair: at for pair, at in last.items() if pair[1] != gone}


@given(first=st.integers(0, 60), second=st.integers(0, 60))
def test_the_longer_it_stays_the_more_are_told(first: int, second: int, reported: Reported) -> None:
    before = plan(reported(bucket("a")), NOTIFY, State(), NOW).open
    early, late = sorted((first, second))
    channels = [
        set(plan(reported(bucket("a")), NOTIFY, State(before), NOW + hours * HOUR).notices) for hours in (early, late)
    ]
    assert channels[0] <= channels[1]


def test_the_state_holds_what_one_must_know_and_is_not_seen(reported: Reported) -> None:
    planned = plan(reported(bucket("a")), NOTIFY, State(), NOW)
    [one] = settled(planned, ["team"], NOW).open
    assert isinstance(one, Open)
    assert one == replace(planned.open[0], told={"team": NOW})
