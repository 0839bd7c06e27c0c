"""Control scans while they run, check what a scan needs, measure how much of a bucket was scanned, watch and close buckets."""

import sys
from pathlib import Path

if __name__ == "__main__":  # before anything is imported that only the project's environment has
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from tools.environment import enter

    enter()


import click

from handlers.domain import Video
from tools.lib import scans, watch
from tools.lib.aws import POLL_SECONDS
from tools.lib.cli import (
    CONTEXT_SETTINGS,
    EXIT_CODES,
    STANDARD_STREAM,
    BucketName,
    CommandResult,
    Invocation,
    NewFile,
    ScanOrObject,
    command,
    poll_seconds_option,
    version_option,
)
from tools.lib.coverage import Coverage, measure
from tools.lib.doctor import Case, Findings, examine, require_bucket, require_there
from tools.lib.gate import GatePolicy, MergedPolicy, ReviewerArn, propose, withdraw
from tools.lib.listing import DEFAULT_SUFFIXES, Selection
from tools.lib.republish import Republished, republish
from tools.lib.scans import Redrive, Redriven, ScanProgress, find, newest, progress_of, scan_list
from tools.lib.watch import WatchStatuses


@click.group(epilog=EXIT_CODES, context_settings=CONTEXT_SETTINGS)
@version_option
def main() -> None:
    """Control scans while they run. Changes take effect within a minute or two.

    \b
    python tools/control_scan.py status
    python tools/control_scan.py pause
    python tools/control_scan.py cancel 01JD8Z0Q4N6T9W2XK5C7R3VBHM

    SCAN is the id that submit_job.py printed; `list --all` shows every one.
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped


@main.command(epilog=EXIT_CODES)
@click.argument("scan", required=False)
@click.option("--watch", "follow", is_flag=True, help="Refresh every 30 seconds, until the scan is over.")
@poll_seconds_option(POLL_SECONDS)
@command
def status(run: Invocation, *, scan: str | None, follow: bool, poll_seconds: float) -> ScanProgress | None:
    """Show the progress of SCAN, or of the newest submitted scan, and when it is ready.

    \b
    python tools/control_scan.py status
    python tools/control_scan.py status --watch
    python tools/control_scan.py status --json | jq -r .line

    The forecast uses the pace of the last hour. Objects that are not videos count as still to come until nothing waits.
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    if not follow:
        return progress_of(run, [find(run.table.scans, scan)])[0]
    last = None
    with run.terminal.bar("videos") as bar:
        for last in scans.watch(run, scan, poll_seconds):
            bar.show(last.line(), last.totals.final, last.total)
    return last


@main.command("list", epilog=EXIT_CODES)
@click.option("--all", "every", is_flag=True, help="Also those that are over and not among the newest 20.")
@command
def list_scans(run: Invocation, *, every: bool) -> CommandResult:
    """List the scans that are not over, and the newest 20, the newest first.

    \b
    python tools/control_scan.py list
    python tools/control_scan.py list --all --json | jq -r '.scans[].scan_id'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    listed, more = newest(run, None, every=every)
    return CommandResult(scan_list(listed, more=more), {"scans": [each.as_json() for each in listed], "more": more})


@main.command(epilog=EXIT_CODES)
@click.argument("scan", required=False)
@command
def pause(run: Invocation, *, scan: str | None) -> CommandResult:
    """Pause SCAN, or all starting if SCAN is omitted. Running analyses finish; nothing is lost.

    \b
    python tools/control_scan.py pause
    python tools/control_scan.py pause 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return scans.pause(run, scan)


@main.command(epilog=EXIT_CODES)
@click.argument("scan", required=False)
@command
def resume(run: Invocation, *, scan: str | None) -> CommandResult:
    """Resume SCAN, or all starting if SCAN is omitted (also after the circuit breaker paused it).

    \b
    python tools/control_scan.py resume
    python tools/control_scan.py resume 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return scans.resume(run, scan)


@main.command(epilog=EXIT_CODES)
@click.argument("number", type=click.IntRange(min=1))
@command
def slots(run: Invocation, *, number: int) -> CommandResult:
    """Use up to NUMBER of the account's Rekognition jobs, from the next Start on.

    \b
    python tools/control_scan.py slots 10
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return scans.slots(run, number)


@main.command(epilog=EXIT_CODES)
@click.argument("scan")
@click.option("--yes", "agreed", is_flag=True, help="Do not ask.")
@command
def cancel(run: Invocation, *, scan: str, agreed: bool) -> CommandResult:
    """Cancel SCAN: its batch job and all waiting videos. Running analyses finish, and are paid for.

    Of the scan of a day's uploads, what waits is cancelled; later uploads are analysed.

    \b
    python tools/control_scan.py cancel 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/control_scan.py cancel 01JD8Z0Q4N6T9W2XK5C7R3VBHM --yes
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return scans.cancel(run, scan, agreed=agreed)


@main.command(epilog=EXIT_CODES)
@click.option("--bucket", type=BucketName(), required=True, metavar="NAME", help="The bucket with the videos.")
@click.option("--prefix", "prefixes", multiple=True, metavar="TEXT", help="Only keys that begin with this; may be repeated.")
@click.option("--unconfirmed-mail", is_flag=True, help="Accept that no one has confirmed the mail subscription for flagged videos.")
@command
def doctor(run: Invocation, *, bucket: str, prefixes: tuple[str, ...], unconfirmed_mail: bool) -> Findings:
    """Check whether everything that a scan of a bucket needs is in place; fails if a scan must not start. Changes nothing.

    \b
    python tools/control_scan.py doctor --bucket amzn-s3-demo-bucket
    python tools/control_scan.py doctor --bucket amzn-s3-demo-bucket --json | jq -r '.findings[] | select(.level == "stop") | .cure'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    ranges = Selection(bucket=bucket, prefixes=prefixes).ranges
    return examine(Case(run.clients, run.deployment, run.table, bucket, unconfirmed_mail, ranges, run.clock))


@main.command(epilog=EXIT_CODES)
@command
def redrive(run: Invocation) -> Redriven:
    """Process dead letters again, once their cause is fixed. Running it twice does no harm.

    \b
    python tools/control_scan.py redrive
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    with run.terminal.bar("letters") as bar:
        return Redrive(run.clients.sqs, run.clients.functions, run.table.scans, run.deployment).run(bar)


@main.command("republish", epilog=EXIT_CODES)
@click.argument("what", type=ScanOrObject(), metavar="SCAN|URI")
@command
def republish_again(run: Invocation, *, what: str | Video) -> Republished:
    """Carry out the consequences of all verdicts of SCAN, or of one object, again; URI is s3://bucket/key[?versionId=...].

    Events are sent again, tags and annotations written again. Running it twice does no harm. Left out is what is not final, was
    cancelled or superseded, or was gone. Fails if verdicts have no consequences in this deployment.

    \b
    python tools/control_scan.py republish 01JD8Z0Q4N6T9W2XK5C7R3VBHM
    python tools/control_scan.py republish 's3://amzn-s3-demo-bucket/2024/a b.mp4' --json | jq .put
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return republish(run, what)


BUCKET = click.argument("bucket", type=BucketName())


@main.command(epilog=EXIT_CODES)
@BUCKET
@click.option("--prefix", "prefixes", multiple=True, metavar="TEXT", help="Only keys that begin with this; may be repeated.")
@click.option(
    "--suffix",
    "suffixes",
    multiple=True,
    default=DEFAULT_SUFFIXES,
    show_default=", ".join(DEFAULT_SUFFIXES),
    metavar="TEXT",
    help="Only keys that end with this, in any case; may be repeated. '' selects every key.",
)
@click.option(
    "--keys",
    "keys_file",
    type=NewFile(),
    metavar="FILE",
    help="Write the keys that changed or were never looked at, with NUL characters between them, for submit_job.py --keys-from.",
)
@command
def coverage(
    run: Invocation, *, bucket: str, prefixes: tuple[str, ...], suffixes: tuple[str, ...], keys_file: Path | None
) -> Coverage:
    """Show how many objects of BUCKET, as they are now, have a verdict by any scan, and how many were never looked at.

    Lists the bucket and reads the table; changes nothing. Exits with 3 if not every object has a verdict.

    \b
    python tools/control_scan.py coverage amzn-s3-demo-bucket
    python tools/control_scan.py coverage amzn-s3-demo-bucket --prefix 2024/ --json | jq .share
    python tools/control_scan.py coverage amzn-s3-demo-bucket --keys unseen.keys
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    if keys_file is not None and str(keys_file) == STANDARD_STREAM:
        raise click.UsageError("--keys needs the name of a file: stdout has the result.")
    require_there(run.clients.s3, bucket)
    return measure(run, Selection(bucket=bucket, prefixes=prefixes or ("",), suffixes=suffixes), keys_file)


@main.command(epilog=EXIT_CODES)
@BUCKET
@click.option(
    "--policy",
    "names",
    multiple=True,
    type=click.Choice([policy.value for policy in GatePolicy]),
    help="What the gate shall deny; may be repeated. docs/gate.md says who may then do what.",
)
@click.option(
    "--reviewer",
    "reviewers",
    multiple=True,
    type=ReviewerArn(),
    metavar="ARN",
    help="A user or role that may read what the gate closes; may be repeated. The stack's own roles are always exempt.",
)
@click.option("--remove", is_flag=True, help="Print the policy without the named policies of the gate, or without the whole gate.")
@command
def gate(run: Invocation, *, bucket: str, names: tuple[str, ...], reviewers: tuple[str, ...], remove: bool) -> MergedPolicy:
    """Print the policy of BUCKET with statements that follow from the tag of a verdict, as a difference; changes nothing.

    What the policy says besides stays. With --json the whole policy is printed, for `aws s3api put-bucket-policy`. Exits with 3 if
    objects in which nothing was found would become unreadable.

    \b
    python tools/control_scan.py gate amzn-s3-demo-bucket --policy deny-flagged --policy flagged-stays-tagged
    python tools/control_scan.py gate amzn-s3-demo-bucket --policy deny-flagged --json > policy.json
    python tools/control_scan.py gate amzn-s3-demo-bucket --remove
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    policies = [GatePolicy(name) for name in names]
    if not (policies or remove):
        raise click.UsageError("Name at least one --policy, or pass --remove.")
    if reviewers and (remove or not any(policy.on_reading for policy in policies)):
        raise click.UsageError("--reviewer exempts from deny-flagged and deny-unless-clean; name one of them.")
    if remove:
        return withdraw(run, bucket, policies)
    require_bucket(run.clients.s3, bucket, run.deployment)
    roles = Case(run.clients, run.deployment, run.table, bucket).roles(bucket)
    return propose(run, bucket, policies, reviewers, roles)


@main.group("watch", epilog=EXIT_CODES)
def watch_group() -> None:
    """Scan new uploads to the buckets that `watch` in cdk.json names.

    \b
    python tools/control_scan.py watch on amzn-s3-demo-bucket
    python tools/control_scan.py watch status
    python tools/control_scan.py watch off amzn-s3-demo-bucket
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped


@watch_group.command("on", epilog=EXIT_CODES)
@BUCKET
@command
def watch_on(run: Invocation, *, bucket: str) -> CommandResult:
    """Switch on the events of BUCKET to EventBridge. Its other notifications stay; S3 takes about five minutes.

    \b
    python tools/control_scan.py watch on amzn-s3-demo-bucket
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    watch.require_watched(run.deployment, bucket)
    require_bucket(run.clients.s3, bucket, run.deployment)
    return watch.on(run, bucket)


@watch_group.command("off", epilog=EXIT_CODES)
@BUCKET
@click.option("--keep-events", is_flag=True, help="Leave the events on for rules of others; here they are ignored.")
@click.option("--yes", "agreed", is_flag=True, help="Do not ask.")
@command
def watch_off(run: Invocation, *, bucket: str, keep_events: bool, agreed: bool) -> CommandResult:
    """Scan no more new uploads to BUCKET, and switch off its events to EventBridge, also those for rules of others.

    A bucket has one switch for its events; `watch on` scans uploads again.

    \b
    python tools/control_scan.py watch off amzn-s3-demo-bucket
    python tools/control_scan.py watch off amzn-s3-demo-bucket --yes
    python tools/control_scan.py watch off amzn-s3-demo-bucket --keep-events
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return watch.off(run, bucket, agreed=agreed, keep_events=keep_events)


@watch_group.command("status", epilog=EXIT_CODES)
@click.argument("bucket", type=BucketName(), required=False)
@command
def watch_status(run: Invocation, *, bucket: str | None) -> WatchStatuses:
    """Show whether new uploads to BUCKET, or to all watched buckets, arrive and are scanned, and how long a verdict takes.

    Exits with 3 if not all are: a switch or rule is off, a watch is paused, a limit is reached, or there are dead letters.

    \b
    python tools/control_scan.py watch status
    python tools/control_scan.py watch status amzn-s3-demo-bucket --json | jq '.watches[0].lag_median_seconds'
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return watch.statuses(run, bucket)


@watch_group.command("pause", epilog=EXIT_CODES)
@BUCKET
@command
def watch_pause(run: Invocation, *, bucket: str) -> CommandResult:
    """Let new uploads to BUCKET wait. Other scans, and running analyses, go on; nothing is lost.

    \b
    python tools/control_scan.py watch pause amzn-s3-demo-bucket
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return watch.pause(run, bucket)


@watch_group.command("resume", epilog=EXIT_CODES)
@BUCKET
@command
def watch_resume(run: Invocation, *, bucket: str) -> CommandResult:
    """Scan new uploads to BUCKET again after `watch pause`.

    \b
    python tools/control_scan.py watch resume amzn-s3-demo-bucket
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return watch.resume(run, bucket)


@watch_group.command("release", epilog=EXIT_CODES)
@BUCKET
@command
def watch_release(run: Invocation, *, bucket: str) -> CommandResult:
    """Lift the `max_minutes_per_day` of BUCKET for the rest of the day (UTC).

    \b
    python tools/control_scan.py watch release amzn-s3-demo-bucket
    """  # noqa: D301 - click wants the character itself: lines after it are not wrapped
    return watch.release(run, bucket)


if __name__ == "__main__":
    main()
