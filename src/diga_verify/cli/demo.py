"""The gate without a cloud: `demo` runs it against a shipped world, `simulator` serves a world for others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from diga_verify.checkers.registry import registered
from diga_verify.cli import completion, options, screen
from diga_verify.cli.claims import claim
from diga_verify.cli.delivery import deliver
from diga_verify.errors import Interrupted, UsageError
from diga_verify.formats.registry import FORMATS
from diga_verify.gateway.endpoints import stand_in
from diga_verify.judgement import Scope
from diga_verify.moment import today
from diga_verify.policy import default_policy, parse_policy
from diga_verify.report import Report
from diga_verify.simulator.world import SHIPPED
from diga_verify.verify import Run, verify

_EFFECTS = {
    0: "a pipeline goes on to the deployment",
    1: "a pipeline stops: there is at least one violation",
    3: "a pipeline stops: not everything could be verified",
}


def demo(
    world: Annotated[
        str,
        typer.Option(metavar="NAME", help=f"One of: {', '.join(SHIPPED)}.", autocompletion=completion.worlds),
    ] = "demo",
    format: options.Format = "table",
    output: options.Outputs = None,
    explain_exit: Annotated[
        bool, typer.Option("--explain-exit", help="Say what the exit code would do to a pipeline, and end with 0.")
    ] = False,
    no_trial: options.NoTrial = False,
    quiet: options.Quiet = False,
    color: options.ColorChoice = screen.Color.AUTO,
) -> None:
    """Run the production gate against the built-in simulator, with the default policy."""
    outputs = claim(output)
    options.known(world, SHIPPED, "world")
    options.known(format, tuple(FORMATS), "format")
    report = run_against_shipped_world(world, quiet=quiet)
    code = deliver(report, format, outputs, quiet=quiet, color=color, no_trial=no_trial)
    if explain_exit:
        screen.note("", f"The gate ended with {code}: {_EFFECTS.get(code, 'see docs/exit-codes.md')}.")
        code = code if no_trial else 0
    raise typer.Exit(code)


def run_against_shipped_world(world: str, *, quiet: bool) -> Report:
    """The production gate against the simulator of a shipped world."""
    from diga_verify.simulator.server import Simulator
    from diga_verify.simulator.world import shipped_world

    all_types = tuple(checkers := registered())
    policy = parse_policy(default_policy(), path="regions.toml", today=today(), known_types=all_types)
    with Simulator(shipped_world(world)) as served, screen.progress(shown=not quiet) as watch:
        run = Run("production", "dtx-data", policy, Scope(all_types), endpoints=stand_in(served.url))
        return verify(run, checkers, watch)


def simulator(
    world: Annotated[
        str,
        typer.Argument(
            metavar="WORLD",
            help=f"A world file, or one of: {', '.join(SHIPPED)}.",
            autocompletion=completion.worlds,
        ),
    ],
    port: Annotated[int, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes a free port.")] = 0,
    latency: Annotated[float, typer.Option(min=0.0, metavar="SECONDS", help="What every call takes at least.")] = 0.0,
) -> None:
    """Serve a world file on loopback, for trying out pipelines and policies. Ends with Ctrl-C."""
    from diga_verify.simulator.server import Simulator
    from diga_verify.simulator.shape import WorldError
    from diga_verify.simulator.world import load_world, shipped_world

    try:
        loaded = shipped_world(world) if world in SHIPPED else load_world(Path(world))
        served = Simulator(loaded, port=port, latency=latency)
    except WorldError as error:
        raise UsageError(f"{error}; name a world file, or one of: {', '.join(SHIPPED)}") from error
    except OSError as error:
        raise UsageError(f"port {port} cannot be had: {error.strerror}; --port 0 takes a free one") from error
    screen.note(f"diga-verify ENVIRONMENT {loaded.project_id} --api-root {served.url}")
    screen.tell(served.url)
    try:
        served.serve_forever()
    except Interrupted:
        screen.note("stopped")
