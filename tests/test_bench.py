"""The benchmark: how it counts, what it writes, and that it runs. What it measures is no matter of tests."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from tools.bench.asked import Asked
from tools.bench.chain import longest_chain, rounds
from tools.bench.page import PAGE, Target, details, renewed, targets
from tools.bench.parts import PARTS
from tools.bench.runs import Contestant, Run, RunError, series
from tools.bench.worlds import PROJECT, SMALLEST, counts, table, world

from diga_verify.checkers.registry import registered
from diga_verify.gateway.endpoints import stand_in
from diga_verify.judgement import Scope
from diga_verify.model import Verdict
from diga_verify.policy import default_policy, parse_policy
from diga_verify.report import Report
from diga_verify.simulator.server import Simulator
from diga_verify.verify import Run as Asking
from diga_verify.verify import verify

ROOT = Path(__file__).parents[1]
KMS = "cloudkms.googleapis.com"
LOCATIONS = "v1/projects/p/locations"
RINGS = f"{LOCATIONS}/here/keyRings"


def asked(path: str, begun: float = 0.0, answered: float = 1.0, query: str = "", host: str = KMS) -> Asked:
    return Asked("GET", host, path, query, 200, begun, answered)


def judged(size: int, wrong: int) -> Report:
    """The report of the production gate with the shipped policy."""
    checkers = registered()
    policy = parse_policy(default_policy(), path="regions.toml", today=date(2026, 11, 23), known_types=tuple(checkers))
    with Simulator(world(size, wrong)) as simulator:
        run = Asking("production", PROJECT, policy, Scope(tuple(checkers)), endpoints=stand_in(simulator.url))
        return verify(run, checkers)


class TestTheLongestChain:
    def test_of_nothing_is_nothing(self) -> None:
        assert longest_chain([]) == 0

    def test_calls_that_need_nothing_are_one_long_however_late_they_are_made(self) -> None:
        apart = [asked("v1/a", 0, 1), asked("v1/b", 1, 2), asked("v2/a", 2, 3)]
        assert longest_chain(apart) == 1

    def test_a_page_needs_the_one_before_it(self) -> None:
        other = asked("v1/a", query="size=2")
        pages = [asked("v1/a", query=f"size=1&pageToken={token}") for token in ("", "x", "y")]
        assert longest_chain([other, *pages]) == 3

    def test_the_same_question_asked_again_is_no_page_of_it(self) -> None:
        assert longest_chain([asked("v1/a"), asked("v1/a"), asked("v1/a", query="pageToken=x")] * 2) == 2

    def test_what_is_asked_about_a_thing_needs_the_list_that_names_it(self) -> None:
        assert longest_chain([asked(LOCATIONS), asked(RINGS), asked(f"{RINGS}/r/cryptoKeys")]) == 3
        assert longest_chain([asked(RINGS), asked("v1/x"), asked(f"{RINGS}/r/cryptoKeys")]) == 2

    def test_it_does_not_matter_which_was_asked_first(self) -> None:
        assert longest_chain([asked(f"{RINGS}/r/cryptoKeys"), asked(RINGS), asked(LOCATIONS)]) == 3

    def test_of_the_list_the_first_page_will_do(self) -> None:
        lists = [asked(LOCATIONS, query=query) for query in ("", "pageToken=x")]
        assert longest_chain([*lists, asked(RINGS)]) == 2
        assert longest_chain([*lists, asked(RINGS), asked(RINGS, query="pageToken=y")]) == 3

    def test_a_dash_needs_no_list(self) -> None:
        assert longest_chain([asked(LOCATIONS), asked(f"{LOCATIONS}/-/keyRings")]) == 1

    def test_a_list_of_another_service_names_nothing(self) -> None:
        assert longest_chain([asked(LOCATIONS, host="redis.googleapis.com"), asked(RINGS)]) == 1


def test_rounds_are_the_most_calls_that_followed_each_other() -> None:
    assert rounds([]) == 0
    assert rounds([asked("a", 0, 2), asked("b", 1, 3)]) == 1
    assert rounds([asked("a", 0, 2), asked("long", 0, 9), asked("b", 2, 3), asked("c", 2.5, 4), asked("d", 3, 5)]) == 3


def test_a_target_is_met_at_its_limit_and_not_above() -> None:
    lines = [*targets(Target("good", 2, 2, " s"), Target("bad", 400, 400.5, " MB"))]
    assert lines[-2:] == ["| good | 2 s | 2 s | met |", "| bad | 400 MB | 400.5 MB | **not met** |"]
    assert [*targets()] == []


def test_the_table_has_the_median_of_each_column() -> None:
    runs = [Run(wall, 1.5, 10**8, 0.25, 7, 9, 3, 4, 0.5, 0.75) for wall in (3.0, 1.0, 2.0)]
    assert [*details({"the gate": runs})][-1] == (
        "| the gate | 2.00 (1.00..3.00) | 1.50 | 100 | 7 | 9 | 3 | 4 | 0.50 (25 %) | 0.75 (38 %) | 0.25 |"
    )


def test_the_page_has_a_place_for_every_part_and_renewing_one_leaves_the_others() -> None:
    page = PAGE.read_text("utf-8")
    for part in PARTS:
        new = renewed(page, part, ["| a\\1 |"])
        assert renewed(new, part, ["| b |"]) == renewed(page, part, ["| b |"])
        assert re.findall(r"<!-- bench (\w+) -->", new) == re.findall(r"<!-- bench (\w+) -->", page)
        assert f"<!-- bench {part} -->\n\n| a\\1 |\n\n<!-- end of bench {part} -->" in new
    with pytest.raises(ValueError, match="has no place for speed"):
        renewed(page, "speed", [])


class TestTheWorlds:
    @pytest.mark.parametrize("size", [SMALLEST, 11, 999, 1000, 10_000, 100_000])
    def test_a_world_has_as_many_resources_as_it_is_asked_for(self, size: int) -> None:
        count = counts(size)
        assert sum(count.values()) == size
        assert min(count.values()) > 0

    def test_there_is_no_smaller_one(self) -> None:
        with pytest.raises(ValueError, match="the smallest world has 10 resources, not 9"):
            counts(SMALLEST - 1)

    def test_what_is_counted_is_there(self) -> None:
        held = table(3000)
        rings = held["kms"]["keyRings"]
        assert counts(3000) == {
            "clusters": len(held["gke"]["clusters"]),
            "sql": len(held["sql"]["instances"]),
            "redis": len(held["redis"]["instances"]),
            "datasets": len(held["bigquery"]["datasets"]),
            "databases": len(held["firestore"]["databases"]),
            "rings": len(rings),
            "keys": sum(len(ring["cryptoKeys"]) for ring in rings),
            "buckets": len(held["gcs"]["buckets"]),
        }

    def test_they_are_compliant_with_the_shipped_policy(self) -> None:
        report = judged(250, wrong=0)
        assert (report.exit_code, len(report.judgement.resources)) == (0, 250)

    def test_as_many_buckets_are_wrong_as_are_asked_for(self) -> None:
        wrong = [one for one in judged(20, wrong=2).judgement.resources if one.verdict is Verdict.VIOLATION]
        assert [one.resource.type for one in wrong] == ["gcs", "gcs"]


class TestRuns:
    def test_one_that_does_not_count_and_then_so_many_of_each(self, tmp_path: Path) -> None:
        write = [sys.executable, "-c", "import sys; open('told', 'a').write(sys.argv[-1])"]
        two = [Contestant(name, [[*write, name], [*write, "-"]]) for name in "ab"]
        said: list[str] = []
        found = series(two, 3, tmp_path, said.append)
        assert {name: len(runs) for name, runs in found.items()} == {"a": 3, "b": 3}
        told = (tmp_path / "told").read_text("utf-8")
        assert told.startswith("a-b-")
        assert sorted(re.findall("..", told[4:])) == ["a-"] * 3 + ["b-"] * 3
        assert len(said) == 8
        assert all(run.wall > 0 and run.cpu > 0 and run.peak > 2**20 for runs in found.values() for run in runs)

    def test_a_program_that_fails_is_not_measured(self, tmp_path: Path) -> None:
        fail = Contestant("fails", [[sys.executable, "-c", "raise SystemExit('no wonder')"]])
        with pytest.raises(RunError, match="ended with 1:\nno wonder"):
            series([fail], 1, tmp_path, print)


def test_the_benchmark_runs_from_end_to_end() -> None:
    command = [sys.executable, "-m", "tools.bench", "--parts", "scale", "--sizes", "10", "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    [row] = re.findall(r"^\| 10 resources \|.*", done.stdout, re.MULTILINE)
    _, wall, _, _, calls, pages, chain, rounds_, start, end, _ = row.strip("| ").split(" | ")
    assert int(pages) >= int(calls) > 60
    assert 3 == int(chain) <= int(rounds_)
    assert 0 < float(start.split()[0]) + float(end.split()[0]) < float(wall.split()[0])


def test_the_stand_in_tells_what_it_was_asked_and_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "tools.bench.stand_in", "10"]
    done = subprocess.run(command, cwd=ROOT, input="\n", capture_output=True, text=True, timeout=60, check=False)
    url, told = done.stdout.splitlines()
    assert url.startswith("http://127.0.0.1:")
    assert json.loads(told).keys() == {"requests", "cpu"}
    assert done.returncode == 0
