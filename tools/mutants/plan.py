"""What is mutated, and which tests are to notice."""

from __future__ import annotations

from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src" / "diga_verify"
RESULTS = ROOT / "build" / "mutants.jsonl"
PAGE = ROOT / "docs" / "mutants.md"
SLOW = ("tests/checkers/test_query.py", "tests/cli/", "tests/test_evidence.py")
"""Tests against the simulator: asked after the others, and only those that are not of another type."""
REGISTRY = "tests/checkers/test_registry.py"
"""Tests of the registry, which run whole gates: asked of no other module."""
TYPES = ("gke", "sql", "redis", "bigquery", "firestore", "gcs", "kms")

_RUNS = ("tests/test_odd_answers.py", "tests/cli/test_gate.py", "tests/test_evidence.py")
"""Whole runs, as short as they come."""
_ATTESTATIONS = ("tests/attestation/test_verification.py", "tests/cli/test_attestation.py")
_RESTORES = ("tests/cli/test_after_restore.py",)
_OPERATIONS = (
    "tests/cli/test_after_restore.py::test_operations_that_are_not_read_leave_the_instance_unverified",
    "tests/cli/test_after_restore.py::test_a_later_page_of_operations_that_is_lost_may_hold_the_restore",
)

PLAN: dict[str, tuple[str, ...]] = {
    "evaluate.py": ("tests/test_evaluate.py", "tests/test_report.py"),
    "absent.py": ("tests/test_evaluate.py", "tests/test_report.py"),
    "judgement.py": ("tests/test_evaluate.py", "tests/test_report.py"),
    "report.py": ("tests/test_report.py", "tests/test_evaluate.py"),
    "second_witness.py": ("tests/test_second_witness.py",),
    "locations/area.py": ("tests/locations/test_area.py",),
    "locations/bound.py": ("tests/locations/test_bound.py", "tests/locations/test_area.py"),
    "gateway/listing.py": ("tests/gateway/test_listing.py", "tests/gateway/test_resource_manager.py"),
    "gateway/answers.py": ("tests/gateway/test_answers.py",),
    "gateway/gateway.py": ("tests/gateway/test_gateway.py", "tests/gateway/test_records.py"),
    "gateway/resource_manager.py": ("tests/gateway/test_resource_manager.py",),
    "gateway/patience.py": ("tests/gateway/test_patience.py",),
    "policy/rules.py": ("tests/policy/test_rules.py", "tests/test_evaluate.py"),
    "checkers/fields.py": ("tests/checkers",),
    "checkers/gke.py": ("tests/checkers",),
    "checkers/sql.py": ("tests/checkers", "tests/test_restore.py"),
    "checkers/redis.py": ("tests/checkers", "tests/test_restore.py"),
    "checkers/bigquery.py": ("tests/checkers",),
    "checkers/firestore.py": ("tests/checkers", "tests/test_restore.py"),
    "checkers/gcs.py": ("tests/checkers",),
    "checkers/kms.py": ("tests/checkers",),
    "checkers/registry.py": (REGISTRY,),
    "checkers/sql_history.py": ("tests/test_restore.py", "tests/checkers/test_sql.py", *_OPERATIONS),
    "restore.py": ("tests/test_restore.py",),
    "one_type.py": ("tests/test_odd_answers.py", "tests/gateway/test_gateway.py", "tests/test_evidence.py"),
    "reading.py": (*_RUNS, "tests/test_second_witness.py", "tests/test_services.py"),
    "threads.py": _RUNS,
    "verify.py": (*_RUNS, "tests/test_coverage.py"),
    "coverage.py": ("tests/test_coverage.py",),
    "drift/compare.py": ("tests/test_drift.py",),
    "drift/effect.py": ("tests/test_drift.py",),
    "drift/places.py": ("tests/test_drift.py",),
    "drift/resources.py": ("tests/test_drift.py",),
    "drift/rules.py": ("tests/test_drift.py",),
    "drift/scope.py": ("tests/test_drift.py",),
    "drift/unread.py": ("tests/test_drift.py",),
    "changes.py": ("tests/test_drift.py", "tests/cli/test_diff.py"),
    "evidence/models.py": ("tests/test_evidence.py",),
    "evidence/read.py": ("tests/test_evidence.py",),
    "evidence/stored.py": ("tests/test_evidence.py",),
    "evidence/write.py": ("tests/test_evidence.py",),
    "gateway/recorded.py": ("tests/test_evidence.py",),
    "attestation/envelope.py": _ATTESTATIONS,
    "attestation/statement.py": _ATTESTATIONS,
    "attestation/verification.py": _ATTESTATIONS,
    "cli/baseline.py": ("tests/cli/test_diff.py",),
    "cli/delivery.py": ("tests/cli/test_gate.py", "tests/cli/test_attestation.py", "tests/test_evidence.py"),
    "cli/diff.py": ("tests/cli/test_diff.py",),
    "cli/recovery.py": _RESTORES,
    "cli/replay.py": ("tests/test_evidence.py",),
    "gateway/ceiling.py": ("tests/gateway/test_ceiling.py", "tests/gateway/test_gateway.py"),
    "gateway/turns.py": ("tests/gateway/test_turns.py",),
}
"""What is mutated, and which tests are to notice."""

OUTSIDE = "test_recordings"
"""Tests of what is no part of the repository; a mutant must die without them."""


@cache
def source(module: str) -> bytes:
    return (SOURCES / module).read_bytes()


def dotted(module: str) -> str:
    return f"diga_verify.{module.removesuffix('.py').replace('/', '.')}"
