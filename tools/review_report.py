"""Review a scan: completion report, manifest and table joined, so that every object is accounted for."""

from __future__ import annotations

import sys

import click

from tools.lib.program import Surroundings, Target, ending, output_options, target_options
from tools.lib.review_run import Request, ReviewRun
from tools.lib.terminal import EXIT_CODES, Terminal


@click.command(epilog=EXIT_CODES, context_settings={"max_content_width": 100})
@click.option("--scan", metavar="ID", help="The scan, as submit_job.py named it; default: the newest.")
@click.option("--job", metavar="ID", help="The scan that this S3 Batch Operations job belongs to.")
@click.option("--without-manifest", is_flag=True, help="Account for the objects of the completion report only.")
@target_options
@output_options
@click.pass_context
def main(
    context: click.Context,
    *,
    scan: str | None,
    job: str | None,
    without_manifest: bool,
    stack: str,
    region: str | None,
    profile: str | None,
    as_json: bool,
    debug: bool,
) -> None:
    """Tell what became of every object of a scan.

    \b
    python tools/review_report.py
    python tools/review_report.py --scan 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/review_report.py --json | jq -r '.flagged[].key'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    if scan and job:
        raise click.UsageError("--scan and --job both say which scan is meant: pass one of them.")
    surroundings: Surroundings = context.obj or Surroundings()
    terminal = Terminal(as_json=as_json, out=sys.stdout, err=sys.stderr, interactive=surroundings.interactive)
    request = Request(
        target=Target(stack=stack, region=region, profile=profile), scan_id=scan, job_id=job, without_manifest=without_manifest
    )
    with ending(terminal, debug=debug):
        review = ReviewRun(surroundings, terminal, request).run()
        terminal.tell(review)
        sys.exit(review.exit_code)


if __name__ == "__main__":
    main()
