"""Control scans while they run: look, pause, resume, cancel, turn the slots, do dead letters again."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

import click

from tools.lib.cli.output import EXIT_CODES, ExitCode, Rendered, Terminal
from tools.lib.cli.program import Surroundings, Target, ending, output_options, target_options
from tools.lib.scans import control
from tools.lib.scans.control import Control

SETTINGS = {"max_content_width": 100}


@dataclass(frozen=True, slots=True)
class Run:
    """One command under way."""

    control: Control
    terminal: Terminal


def command(body: Callable[..., Rendered | None]) -> Callable[..., None]:
    """Add the options that all commands have; run the body with a `Run`, and tell what it returns."""

    @target_options
    @output_options
    @wraps(body)
    def run(
        *,
        stack: str,
        region: str | None,
        profile: str | None,
        as_json: bool,
        debug: bool,
        **given: object,
    ) -> None:
        surroundings: Surroundings = click.get_current_context().obj or Surroundings()
        terminal = Terminal(as_json=as_json, out=sys.stdout, err=sys.stderr, interactive=surroundings.interactive)
        if given.get("agreed") is False and not terminal.interactive:
            raise click.UsageError("There is no terminal to ask at: pass --yes.")
        with ending(terminal, debug=debug):
            found = Control(surroundings, terminal, Target(stack=stack, region=region, profile=profile))
            result = body(Run(found, terminal), **given)
            if result is not None:
                terminal.tell(result)
                sys.exit(getattr(result, "exit_code", ExitCode.DONE))

    return run


@click.group(epilog=EXIT_CODES, context_settings=SETTINGS)
def main() -> None:
    """Control scans while they run. What is changed takes effect within a minute or two.

    \b
    python tools/control_scan.py status
    python tools/control_scan.py pause
    python tools/control_scan.py cancel 01JD8Z0Q4N6T9W2XK5C7R3VBHM

    A SCAN is named as submit_job.py named it; `list` shows them.
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped


@main.command(epilog=EXIT_CODES, context_settings=SETTINGS)
@click.argument("scan", required=False)
@click.option("--watch", is_flag=True, help="Look again every 30 seconds, until the scan is over.")
@click.option(
    "--poll-seconds",
    type=click.FloatRange(min=0.01),
    envvar="VIDEO_MODERATION_POLL_SECONDS",
    default=control.WATCH_SECONDS,
    hidden=True,
)
@command
def status(run: Run, *, scan: str | None, watch: bool, poll_seconds: float) -> Rendered | None:
    """Say how SCAN stands, or the newest one, and when it will be ready.

    \b
    python tools/control_scan.py status
    python tools/control_scan.py status --watch
    python tools/control_scan.py status --json | jq -r .line

    When it will be ready is reckoned from the last hour; objects that are no videos count as still to come until nothing waits.
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    if not watch:
        return run.control.status(scan)
    last = None
    with run.terminal.bar("videos") as bar:
        for last in run.control.watch(scan, poll_seconds):
            bar.show(last.line(), last.totals.final, last.total)
    return last


@main.command("list", epilog=EXIT_CODES, context_settings=SETTINGS)
@command
def list_scans(run: Run) -> Rendered:
    """List all scans, the newest first.

    \b
    python tools/control_scan.py list
    python tools/control_scan.py list --json | jq -r '.scans[].scan'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return run.control.list()


@main.command(epilog=EXIT_CODES, context_settings=SETTINGS)
@click.argument("scan", required=False)
@command
def pause(run: Run, *, scan: str | None) -> Rendered:
    """Pause SCAN, or without it all starting. Analyses that run finish; nothing is lost.

    \b
    python tools/control_scan.py pause
    python tools/control_scan.py pause 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return run.control.pause(scan)


@main.command(epilog=EXIT_CODES, context_settings=SETTINGS)
@click.argument("scan", required=False)
@command
def resume(run: Run, *, scan: str | None) -> Rendered:
    """Let SCAN go on, or without it all starting (also after the circuit breaker paused it).

    \b
    python tools/control_scan.py resume
    python tools/control_scan.py resume 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return run.control.resume(scan)


@main.command(epilog=EXIT_CODES, context_settings=SETTINGS)
@click.argument("number", type=click.IntRange(min=1))
@command
def slots(run: Run, *, number: int) -> Rendered:
    """Use up to NUMBER of the account's Rekognition jobs, from the next start on.

    \b
    python tools/control_scan.py slots 10
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return run.control.slots(number)


@main.command(epilog=EXIT_CODES, context_settings=SETTINGS)
@click.argument("scan")
@click.option("--yes", "agreed", is_flag=True, help="Do not ask.")
@command
def cancel(run: Run, *, scan: str, agreed: bool) -> Rendered:
    """Cancel SCAN: its batch job and all videos that wait. Analyses that run finish, and are paid.

    \b
    python tools/control_scan.py cancel 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/control_scan.py cancel 01JD8Z0Q4N6T9W2XK5C7R3VBHM --yes
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return run.control.cancel(scan, agreed=agreed)


@main.command(epilog=EXIT_CODES, context_settings=SETTINGS)
@command
def redrive(run: Run) -> Rendered:
    """Do again what lies in the queues of dead letters, once the reason is mended. Doing it twice does no harm.

    \b
    python tools/control_scan.py redrive
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return run.control.redrive()


if __name__ == "__main__":
    main()
