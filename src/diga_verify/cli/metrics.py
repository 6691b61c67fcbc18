"""`--metrics-file` and `--push-gateway`: what a run says to Prometheus, and what becomes of its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from diga_verify.cli import screen
from diga_verify.cli.delivery import lacking
from diga_verify.errors import OutputError, UsageError
from diga_verify.notify.result import NotifyResult
from diga_verify.report import Report

if TYPE_CHECKING:  # loaded only by a run that writes metrics
    from diga_verify.sinks.metrics import Messages, Subject
    from diga_verify.sinks.pushgateway import Pushgateway

EXTENSION = ".prom"
"""The only one that node-exporter reads."""

MetricsFile = Annotated[
    Path | None,
    typer.Option(
        "--metrics-file",
        metavar="FILE",
        envvar="DIGA_VERIFY_METRICS_FILE",
        help="Also write metrics for node-exporter, into a file whose name ends in .prom.",
    ),
]
PushGateway = Annotated[
    str | None,
    typer.Option(
        "--push-gateway",
        metavar="URL",
        envvar="DIGA_VERIFY_PUSH_GATEWAY",
        help="Also push metrics to this Prometheus Pushgateway.",
    ),
]
PushGatewayInsecure = Annotated[
    bool,
    typer.Option(
        "--push-gateway-insecure",
        envvar="DIGA_VERIFY_PUSH_GATEWAY_INSECURE",
        help="Allow plain http to a Pushgateway on another machine.",
    ),
]


@dataclass(frozen=True, slots=True)
class Order:
    """Where metrics are to go, and as whose."""

    project: str
    file: Path | None = None
    gateway: Pushgateway | None = None


def ordered(project: str, file: Path | None, url: str | None, *, insecure: bool) -> Order:
    """What the options ask for, checked before anything is asked of Google. Raises UsageError."""
    if file is not None and file.suffix != EXTENSION:
        raise UsageError(f"--metrics-file {file}: node-exporter reads only files whose names end in {EXTENSION}")
    if not url:
        return Order(project, file)
    from diga_verify.sinks.pushgateway import pushgateway

    return Order(project, file, pushgateway(url, insecure=insecure))


def deliver_metrics(order: Order, report: Report, code: int, told: NotifyResult) -> int:
    """Write and push the metrics of a run whose exit code is `code` so far; the exit code that follows.

    The file is a record that was asked for, so a run without it ends with 4. The gateway is another machine, which may
    be down for a while: that is only said, and the alert for stale metrics tells those who watch.
    """
    if order.file is None and order.gateway is None:
        return code
    if not report.whole:
        screen.note("diga-verify: no metrics: they are about whole projects, and -t and -r look at a part")
        return code
    from diga_verify.sinks.metrics import Subject

    subject = Subject(report.environment, order.project, report.simulated)
    messages = tuple((one.kind, one.problem is None) for one in told.outcomes)
    if order.file is not None and not _written(order.file, report, subject, code, messages):
        code = lacking(code)
    if order.gateway is not None:
        _push(order.gateway, report, subject, code, messages)
    return code


def _written(path: Path, report: Report, subject: Subject, code: int, messages: Messages) -> bool:
    from diga_verify.sinks.metrics_file import write_metrics

    try:
        write_metrics(path, report, subject, code, messages)
    except OutputError as error:
        screen.note(f"diga-verify: {error}")
        return False
    return True


def _push(gateway: Pushgateway, report: Report, subject: Subject, code: int, messages: Messages) -> None:
    from diga_verify.sinks.pushgateway import push

    try:
        trouble = push(gateway, report, subject, code, messages)
    except OutputError as error:
        screen.note(f"diga-verify: warning: the metrics were not pushed: {error}")
        return
    if trouble is not None:
        screen.note(f"diga-verify: warning: {trouble}")
