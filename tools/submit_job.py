"""Submit a scan of the videos in an S3 bucket: list, show the plan, ask, and create the S3 Batch Operations job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from handlers.domain.states import Lane
from tools.lib.program import BucketName, Surroundings, Target, ending, output_options, submitting_options, target_options
from tools.lib.selection_options import selection_from, selection_options
from tools.lib.submit import Request, SubmitRun
from tools.lib.terminal import EXIT_CODES, Terminal


@click.command(epilog=EXIT_CODES, context_settings={"max_content_width": 100})
@click.option("--bucket", required=True, type=BucketName(), metavar="NAME", help="The bucket with the videos.")
@selection_options
@target_options
@click.option("--express", is_flag=True, help="Use the express lane, which does not wait behind a large scan.")
@click.option("--dry-run", is_flag=True, help="Show the plan and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--wait", is_flag=True, help="Follow the scan to its end.")
@click.option("--unconfirmed-mail", is_flag=True, help="Scan although nobody has confirmed the mails about flagged videos.")
@output_options
@submitting_options
@click.pass_context
def main(
    context: click.Context,
    /,
    *,
    bucket: str,
    stack: str,
    region: str | None,
    profile: str | None,
    express: bool,
    dry_run: bool,
    yes: bool,
    wait: bool,
    unconfirmed_mail: bool,
    as_json: bool,
    debug: bool,
    poll_seconds: float,
    manifests: Path,
    **chosen: Any,  # noqa: ANN401 - the selection's options, by name
) -> None:
    """Submit a scan of the videos in an S3 bucket.

    \b
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --dry-run
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --prefix 2024/ --wait
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --yes --json | jq -r .scan_id
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    surroundings: Surroundings = context.obj or Surroundings()
    terminal = Terminal(as_json=as_json, out=sys.stdout, err=sys.stderr, interactive=surroundings.interactive)
    request = Request(
        target=Target(stack=stack, region=region, profile=profile),
        selection=selection_from(bucket, **chosen),
        lane=Lane.EXPRESS if express else Lane.NORMAL,
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


if __name__ == "__main__":
    main()
