"""Submit a scan of the videos in an S3 bucket: list, show the plan, ask, and create the S3 Batch Operations job."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from click.core import ParameterSource

from handlers.domain.states import Lane
from tools.lib import follow, parts
from tools.lib.listing import Selection
from tools.lib.program import BucketName, Surroundings, Target, ending, output_options, target_options
from tools.lib.submit import Request, SubmitRun
from tools.lib.terminal import EXIT_CODES, Terminal

MANIFESTS = Path(__file__).resolve().parents[1] / "manifests"


@click.command(epilog=EXIT_CODES, context_settings={"max_content_width": 100})
@click.option("--bucket", type=BucketName(), metavar="NAME", help="The bucket with the videos.")
@click.option("--prefix", default="", metavar="TEXT", help="Only keys that begin so.")
@click.option(
    "--suffix",
    "suffixes",
    multiple=True,
    default=(".mp4",),
    show_default=True,
    metavar="TEXT",
    help="Only keys that end so, in any case; may be repeated. '' takes every key.",
)
@target_options
@click.option("--express", is_flag=True, help="Use the express lane, which does not wait behind a large scan.")
@click.option(
    "--rows-per-job",
    type=click.IntRange(1, parts.MAX_ROWS_PER_JOB),
    default=parts.ROWS_PER_JOB,
    show_default=True,
    help="A longer manifest becomes several jobs of the scan, at most six at a time.",
)
@click.option("--suspended", is_flag=True, help="Let the job wait for a confirmation in the console.")
@click.option("--dry-run", is_flag=True, help="Write the plan, show it, and change nothing in AWS.")
@click.option(
    "--run-plan",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Submit exactly what a plan says; goes on where an earlier run broke off.",
)
@click.option("--recheck", is_flag=True, help="With --run-plan: refuse if the bucket has changed since.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Follow the scan to its end.")
@click.option("--unconfirmed-mail", is_flag=True, help="Scan although nobody has confirmed the mails about flagged videos.")
@output_options
@click.option(
    "--poll-seconds",
    type=click.FloatRange(min=0.01),
    envvar="VIDEO_MODERATION_POLL_SECONDS",
    default=follow.POLL_SECONDS,
    hidden=True,
)
@click.option(
    "--manifests",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="VIDEO_MODERATION_MANIFESTS",
    default=MANIFESTS,
    hidden=True,
)
@click.pass_context
def main(
    context: click.Context,
    *,
    bucket: str | None,
    prefix: str,
    suffixes: tuple[str, ...],
    stack: str,
    region: str | None,
    profile: str | None,
    express: bool,
    rows_per_job: int,
    suspended: bool,
    dry_run: bool,
    run_plan: Path | None,
    recheck: bool,
    yes: bool,
    wait: bool,
    unconfirmed_mail: bool,
    as_json: bool,
    debug: bool,
    poll_seconds: float,
    manifests: Path,
) -> None:
    """Submit a scan of the videos in an S3 bucket.

    \b
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --dry-run
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --prefix 2024/ --wait
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --yes --json | jq -r .scan_id
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    _require_consistent(context)
    surroundings: Surroundings = context.obj or Surroundings()
    terminal = Terminal(as_json=as_json, out=sys.stdout, err=sys.stderr, interactive=surroundings.interactive)
    request = Request(
        target=Target(stack=stack, region=region, profile=profile),
        selection=Selection(bucket=bucket, prefix=prefix, suffixes=suffixes) if bucket else None,
        run_plan=run_plan,
        recheck=recheck,
        lane=Lane.EXPRESS if express else Lane.NORMAL,
        rows_per_job=rows_per_job,
        suspended=suspended,
        dry_run=dry_run,
        agreed=yes,
        wait=wait,
        unconfirmed_mail=unconfirmed_mail,
        poll_seconds=poll_seconds,
        manifests=manifests,
    )
    if not (dry_run or yes or terminal.interactive):
        raise click.UsageError("There is no terminal to ask at: pass --yes to submit, or --dry-run to look at the plan.")
    with ending(terminal, debug=debug):
        sys.exit(SubmitRun(surroundings, terminal, request).run())


_WITH_A_PLAN = frozenset(
    {"run_plan", "recheck", "stack", "region", "profile", "yes", "wait", "unconfirmed_mail", "as_json", "debug", "poll_seconds"}
)
"""Options beside --run-plan: all others were decided when the plan was made."""


def _require_consistent(context: click.Context) -> None:
    """Make sure that the options fit together, before AWS is asked."""
    given = [
        option
        for option in context.command.params
        if context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    ]
    names = {option.name for option in given}
    if "run_plan" in names:
        decided = [option.opts[0] for option in given if option.name not in _WITH_A_PLAN | {"manifests"}]
        if decided:
            raise click.UsageError(f"The plan has decided {', '.join(decided)}: leave it away, or make a new plan with --dry-run.")
    elif "bucket" not in names:
        raise click.UsageError("Missing option '--bucket'.")
    elif "recheck" in names:
        raise click.UsageError("--recheck is for --run-plan.")


if __name__ == "__main__":
    main()
