"""The metrics that there are. docs/metrics.md has the same list."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric, apart from its values. All are gauges: a run counts anew."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    """Beside those that every series has."""


BUILD = Metric("diga_verify_build_info", "Version, and date of the location table.", ("table", "version"))
MESSAGES = Metric(
    "diga_verify_notify_messages", "Messages of the run, by kind of channel; sent or failed.", ("channel", "outcome")
)
POLICY = Metric(
    "diga_verify_policy_info", "Enforcement, and the first digits of the policy's SHA-256.", ("enforcement", "sha256")
)
VERDICT = Metric("diga_verify_verdict", "Verdict of the run: 1 for the one that it came to.", ("verdict",))
EXIT_CODE = Metric("diga_verify_exit_code", "Exit code of the run; docs/exit-codes.md.")
ENFORCED = Metric("diga_verify_enforced", "Whether the whole environment was enforced in the run.")
COMPLETE = Metric("diga_verify_complete", "Whether everything in scope was read to its end.")
RUN = Metric("diga_verify_run_timestamp_seconds", "When the run ended.")
LAST_COMPLETE = Metric(
    "diga_verify_last_complete_timestamp_seconds", "When the last complete run ended; 0 if none is known."
)
LAST_COMPLIANT = Metric(
    "diga_verify_last_compliant_timestamp_seconds", "When the last compliant run ended; 0 if none is known."
)
DURATION = Metric("diga_verify_run_duration_seconds", "How long the run took.")
RESOURCES = Metric("diga_verify_resources", "Resources found.", ("type", "verdict"))
VIOLATIONS = Metric("diga_verify_violating_resources", "Resources in violation, by the gravest.", ("severity", "type"))
MISSING = Metric("diga_verify_missing_resources", "Resources that the policy expects, and are not there.", ("type",))
PLACEMENTS = Metric(
    "diga_verify_placements", "Places where resources keep data.", ("location", "role", "type", "verdict")
)
UNREAD = Metric("diga_verify_unread", "Things that were not read or not proven.", ("reason", "type"))
WAIVERS = Metric("diga_verify_waivers", "Waivers in use.")
WAIVER_EXPIRY = Metric(
    "diga_verify_waiver_expiry_timestamp_seconds",
    "When a waiver in use ends, by the line of the policy that it begins on.",
    ("line", "role"),
)
SERVICES_KNOWN = Metric("diga_verify_services_known", "Whether the project's enabled services are known.")
SERVICES_NOT_READ = Metric("diga_verify_services_not_read", "Enabled services that hold data and are not read.")
CALLS = Metric("diga_verify_api_calls", "Calls of the run to Google Cloud APIs.", ("service", "status"))
COMPARED = Metric("diga_verify_baseline_compared", "Whether the run was compared with an earlier one.")
CHANGES = Metric("diga_verify_drift_changes", "Changes since the run compared with.", ("effect", "kind"))

METRICS = (
    VERDICT,
    EXIT_CODE,
    ENFORCED,
    COMPLETE,
    RUN,
    LAST_COMPLETE,
    LAST_COMPLIANT,
    DURATION,
    RESOURCES,
    VIOLATIONS,
    MISSING,
    PLACEMENTS,
    UNREAD,
    WAIVERS,
    WAIVER_EXPIRY,
    SERVICES_KNOWN,
    SERVICES_NOT_READ,
    CALLS,
    COMPARED,
    CHANGES,
    MESSAGES,
    POLICY,
    BUILD,
)
"""All metrics, in the order in which they are written."""
