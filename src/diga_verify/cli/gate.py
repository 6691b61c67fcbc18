"""The gate: verify a project against a policy, show what was found, and say with the exit code whether it may go on."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from diga_verify.checkers.registry import registered
from diga_verify.cli import attesting, completion, notify, options, recovery, screen, watch
from diga_verify.cli.audit_log import OPTION, AuditLog, logged
from diga_verify.cli.baseline import Baseline, earlier_run, since
from diga_verify.cli.claims import claim
from diga_verify.cli.delivery import deliver, lacking
from diga_verify.cli.hints import hints
from diga_verify.cli.metrics import MetricsFile, PushGateway, PushGatewayInsecure, deliver_metrics, ordered
from diga_verify.errors import UsageError
from diga_verify.formats.registry import FORMATS
from diga_verify.gateway.endpoints import Endpoints, stand_in
from diga_verify.gateway.patience import Patience
from diga_verify.moment import today
from diga_verify.policy import load_policy
from diga_verify.report import Report
from diga_verify.verify import Run, verify

_PROJECT_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-.:")


def gate(
    environment: Annotated[
        str,
        typer.Argument(
            metavar="ENVIRONMENT",
            help="An environment that the policy defines.",
            autocompletion=completion.environments,
        ),
    ],
    project: Annotated[
        str,
        typer.Argument(metavar="PROJECT", help="The project's id or number.", autocompletion=completion.projects),
    ],
    policy: options.PolicyFile = options.DEFAULT_POLICY,
    types: options.Types = None,
    resources: options.Resources = None,
    format: options.Format = "table",
    output: options.Outputs = None,
    evidence: Annotated[
        Path | None,
        typer.Option("--evidence", metavar="FILE", help="Also store what was asked and answered, for replay."),
    ] = None,
    attest: attesting.Attest = None,
    attest_key: attesting.AttestKey = None,
    baseline: Baseline = None,
    audit_log: AuditLog = None,
    metrics_file: MetricsFile = None,
    push_gateway: PushGateway = None,
    push_gateway_insecure: PushGatewayInsecure = False,
    tell: notify.Choice = notify.When.AUTO,
    notify_state: notify.StateFile = None,
    strict: Annotated[
        bool,
        typer.Option("--strict", envvar="DIGA_VERIFY_STRICT", help="Treat `recommended` and `free` as `required`."),
    ] = False,
    no_trial: options.NoTrial = False,
    after_restore: recovery.AfterRestore = False,
    restored_from: recovery.RestoredFrom = None,
    backup_newer_than: recovery.BackupNewerThan = None,
    deep: Annotated[
        bool,
        typer.Option("--deep", envvar="DIGA_VERIFY_DEEP", help="Also query BigQuery for cross-region replicas."),
    ] = False,
    deadline: Annotated[
        float,
        typer.Option(metavar="SECONDS", envvar="DIGA_VERIFY_DEADLINE", min=0.1, help="For the whole run."),
    ] = Patience().run,
    impersonate: Annotated[
        str | None,
        typer.Option(
            "--impersonate-service-account",
            metavar="EMAIL",
            help="Ask as this service account.",
            envvar="DIGA_VERIFY_IMPERSONATE_SERVICE_ACCOUNT",
        ),
    ] = None,
    billing_project: Annotated[
        str | None,
        typer.Option(metavar="PROJECT", envvar="DIGA_VERIFY_BILLING_PROJECT", help="Project charged for the calls."),
    ] = None,
    api_root: Annotated[
        str | None, typer.Option(metavar="URL", help="Ask a stand-in for Google Cloud, without credentials.")
    ] = None,
    again: watch.Watch = False,
    watch_every: watch.Every = None,
    watch_for: watch.Longest = None,
    quiet: options.Quiet = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Name every call on stderr.")] = False,
    no_progress: Annotated[
        bool, typer.Option("--no-progress", envvar="DIGA_VERIFY_NO_PROGRESS", help="No progress line on a terminal.")
    ] = False,
    color: options.ColorChoice = screen.Color.AUTO,
) -> None:
    """Verify that PROJECT's data lies where the policy allows in ENVIRONMENT. The word `verify` may be left out."""
    # Whatever can be refused is refused before anybody is asked; and before all, nothing old is left to pass for new.
    outputs = claim(
        output,
        policy,
        evidence=evidence,
        attest=attest,
        attest_key=attest_key,
        also_read={"baseline": baseline},
        kept={OPTION: audit_log, "--metrics-file": metrics_file, "--notify-state": notify_state},
    )
    metrics = ordered(project, metrics_file, push_gateway, insecure=push_gateway_insecure)
    pace = watch.ordered(again, watch_every, watch_for, policy)
    checkers = registered()
    all_types = tuple(checkers)
    format = options.known(format, tuple(FORMATS), "format")
    _refuse_no_project(project)
    _refuse_no_time(deadline)

    loaded = load_policy(policy, today=today(), known_types=all_types)
    scope = options.scope(all_types, types, resources)
    endpoints = stand_in(api_root) if api_root is not None else Endpoints()
    notify.refuse_vain_wish(loaded, tell)
    earlier = earlier_run(baseline, environment, project)
    run = Run(
        environment=environment,
        project=project,
        policy=loaded,
        scope=scope,
        strict=strict,
        deep=deep,
        recovery=recovery.ordered(
            all_types,
            earlier,
            simulated=endpoints.simulated,
            after_restore=after_restore,
            restored_from=restored_from,
            newer_than=backup_newer_than,
        ),
        endpoints=endpoints,
        patience=replace(Patience(), run=deadline),
        impersonate=impersonate,
        billing_project=billing_project,
        keep_evidence=evidence is not None,
    )
    order = attesting.ordered(attest, attest_key, outputs, run)

    def look(this: Run) -> Report:
        with screen.progress(shown=not (no_progress or quiet)) as seen:
            return verify(this, checkers, seen)

    last = watch.watched(run, look, pace)
    report = since(earlier, last.report)

    screen.note(*hints(report))
    if verbose:
        tell_calls(report)
    in_log = logged(audit_log, report)
    code = deliver(report, format, outputs, quiet=quiet, color=color, evidence=evidence, order=order, no_trial=no_trial)
    code = code if in_log else lacking(code)
    tell = tell if last.signal is None else notify.When.NEVER
    told = notify.announce(report, last.run.policy, tell, notify_state, earlier)
    raise typer.Exit(last.exit_code(deliver_metrics(metrics, report, code, told)))


def tell_calls(report: Report) -> None:
    """Name every call on stderr."""
    for call in report.calls:
        pages = f"{call.pages} page{'' if call.pages == 1 else 's'}"
        screen.note(f"{call.duration_ms:6d} ms  {call.status:18s} {pages:9s} {call.method} {call.scope}")


def _refuse_no_project(project: str) -> None:
    """Raises UsageError for what cannot be one: the API would only say that it is not there, or not allowed."""
    if not project or not set(project) <= _PROJECT_CHARACTERS:
        raise UsageError(
            f"{project!r} is not a project's id or number, such as dtx-data; `gcloud projects list` shows yours"
        )


def _refuse_no_time(deadline: float) -> None:
    """Raises UsageError for `nan` and `inf`, which are numbers to the command line."""
    if not math.isfinite(deadline):
        raise UsageError(f"--deadline {deadline} is no number of seconds")
