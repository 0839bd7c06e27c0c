"""Submit a scan of videos in S3: choose them, show the plan, ask, and create the S3 Batch Operations job."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()

from decimal import Decimal
from functools import partial
from typing import Any

import click

from handlers.domain import Lane
from tools.lib.cli import CONTEXT_SETTINGS, EXISTING_FILE, EXIT_CODES, BucketName, ExitCode, Invocation, command, version_option
from tools.lib.estimate import EstimateOptions, Measure, PriceTable, estimate_options, prices
from tools.lib.submit import (
    Request,
    SubmitOptions,
    SubmitRun,
    engine_from,
    engine_options,
    require_consistent,
    selection_for,
    selection_options,
    source_from,
    source_options,
    submit_options,
)

# Options that go into the request as they are.
_AS_THEY_ARE = ("skip_unchanged", "run_plan", "recheck", "suspended", "unconfirmed_mail")


@click.command(epilog=EXIT_CODES, context_settings=CONTEXT_SETTINGS)
@version_option
@click.option("--bucket", type=BucketName(), metavar="NAME", help="The bucket with the videos.")
@source_options
@selection_options
@engine_options
@estimate_options
@click.option("--check", is_flag=True, help="Only check whether everything that a scan needs is in place.")
@click.option(
    "--skip-unchanged", is_flag=True, help="Leave out objects that an earlier scan finished and that have not changed since."
)
@click.option("--express", is_flag=True, help="Use the express lane, which does not wait behind a large scan.")
@click.option("--suspended", is_flag=True, help="Let the job wait until someone confirms it in the console.")
@click.option(
    "--run-plan",
    type=EXISTING_FILE,
    metavar="FILE",
    help="Submit exactly this plan, or the rest of it if an earlier run was interrupted.",
)
@click.option("--recheck", is_flag=True, help="With --run-plan: refuse the plan if its source now gives other objects.")
@click.option(
    "--unconfirmed-mail", is_flag=True, help="Scan although no one has confirmed the mail subscription for flagged videos."
)
@submit_options("Write and show the plan; change nothing in AWS.")
@command
def main(
    run: Invocation,
    *,
    bucket: str | None,
    express: bool,
    check: bool,
    measure: Measure,
    max_cost: Decimal | None,
    prices_file: Path | None,
    how: SubmitOptions,
    **options: Any,  # noqa: ANN401 - click hands values over by name
) -> ExitCode:
    """Submit a scan of the videos in an S3 bucket.

    \b
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --dry-run
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --prefix 2024/ --modified-after 7d --wait
    python tools/submit_job.py --bucket amzn-s3-demo-bucket --suffix .mp4 --suffix .jpg --frames 5s
    python tools/submit_job.py --run-plan manifests/01M825DE0HMYZWV3AMXZMFJTGG.plan.json
    python tools/submit_job.py --manifest s3://amzn-s3-demo-work/mine.csv --yes --json | jq -r .scan_id
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    require_consistent(click.get_current_context())
    source = source_from(**options)
    request = Request(
        source=source,
        bucket=bucket,
        selection=partial(selection_for, source, **options),
        choice=engine_from(**options),
        lane=Lane.EXPRESS if express else Lane.NORMAL,
        estimate_options=EstimateOptions(
            measure=measure, max_cost=max_cost, prices=prices.load(prices_file) if prices_file else PriceTable()
        ),
        check=check,
        how=how,
        **{name: options[name] for name in _AS_THEY_ARE},
    )
    return SubmitRun(run, request).run()


if __name__ == "__main__":
    main()
