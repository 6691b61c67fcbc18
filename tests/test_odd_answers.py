"""Whatever values an answer holds in whatever place: the run ends with a verdict, and nothing comes as a surprise."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diga_verify.formats.page import Page
from diga_verify.formats.registry import FORMATS
from diga_verify.model import Reason
from diga_verify.report import Report
from diga_verify.simulator.answer import Ask, Google
from diga_verify.simulator.wire import Answer

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", "x", [], {}, [None], [[]], {"a": None}, "projects/", "//", "\0", "EU",
    "us-central1", "projects/dtx-data/locations/us/keyRings/r", {"name": {}}, ["a", "b"], {"code": [], "region": {}},
)  # fmt: skip
NEVER_A_PASS = 0.2


def odd(value: Any, chance: random.Random, often: float) -> Any:
    """The value with some of what is in it left out, or replaced by something else."""
    if chance.random() < often:
        return deepcopy(chance.choice(ODD))
    if isinstance(value, dict):
        return {key: odd(inner, chance, often) for key, inner in value.items() if chance.random() > often / 2}
    return [odd(inner, chance, often) for inner in value] if isinstance(value, list) else value


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), often=st.sampled_from([0.01, 0.05, NEVER_A_PASS]))
def test_odd_answers(
    seed: int,
    often: float,
    world: Callable[[], dict[str, Any]],
    gate: Callable[..., Report],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chance = random.Random(seed)  # noqa: S311 - nothing secret about it
    true_answer = Google.answer

    def answer(google: Google, ask: Ask) -> Answer:
        true = true_answer(google, ask)
        return replace(true, body=json.dumps(odd(json.loads(true.body), chance, often)).encode())

    table = world()
    table["kms"]["locations"] = ["europe-west3", "us"]
    with monkeypatch.context() as patched:
        patched.setattr(Google, "answer", answer)
        report = gate(table, deep=True)
    assert report.exit_code in ({1, 3} if often == NEVER_A_PASS else {0, 1, 3})
    assert Reason.UNEXPECTED_ERROR not in {one.reason for one in report.judgement.unread}
    for render in FORMATS.values():
        assert render(report, Page())
