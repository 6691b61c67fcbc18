"""What is mutated, and which tests are to notice."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "diga_verify"
RESULTS = ROOT / "build" / "mutants.jsonl"
PAGE = ROOT / "docs" / "mutants.md"
SLOW = ("tests/checkers/test_query.py",)
"""Tests against the simulator: asked after the others, and only those that are not of another type."""
REGISTRY = "tests/checkers/test_registry.py"
"""Tests of the registry, which run whole gates: asked of no other module."""
TYPES = ("gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms")

PLAN: dict[str, tuple[str, ...]] = {
    "evaluate.py": ("tests/test_evaluate.py", "tests/test_report.py"),
    "report.py": ("tests/test_report.py", "tests/test_evaluate.py"),
    "second_witness.py": ("tests/test_second_witness.py",),
    "locations/area.py": ("tests/locations/test_area.py",),
    "locations/bound.py": ("tests/locations/test_bound.py", "tests/locations/test_area.py"),
    "gateway/listing.py": ("tests/gateway/test_listing.py",),
    "gateway/answers.py": ("tests/gateway/test_answers.py",),
    "gateway/gateway.py": ("tests/gateway/test_gateway.py", "tests/gateway/test_records.py"),
    "gateway/resource_manager.py": ("tests/gateway/test_resource_manager.py",),
    "gateway/patience.py": ("tests/gateway/test_patience.py",),
    "policy/rules.py": ("tests/policy/test_rules.py", "tests/test_evaluate.py"),
    "checkers/fields.py": ("tests/checkers",),
    "checkers/gke.py": ("tests/checkers",),
    "checkers/sql.py": ("tests/checkers",),
    "checkers/redis.py": ("tests/checkers",),
    "checkers/bigquery.py": ("tests/checkers",),
    "checkers/firestore.py": ("tests/checkers",),
    "checkers/gcs.py": ("tests/checkers",),
    "checkers/kms.py": ("tests/checkers",),
    "checkers/registry.py": (REGISTRY,),
}
"""What is mutated, and which tests are to notice."""

OUTSIDE = "test_recordings"
"""Tests of what is no part of the repository; a mutant must die without them."""


@cache
def source(module: str) -> bytes:
    return (SOURCES / module).read_bytes()


def dotted(module: str) -> str:
    return f"diga_verify.{module.removesuffix('.py').replace('/', '.')}"
