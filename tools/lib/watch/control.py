"""The commands of `control_scan.py watch` that change something: a bucket's switch in S3, and the watch's item in the table."""

from __future__ import annotations

from handlers.domain import watch
from handlers.domain.watch import Watch
from tools.lib.aws import Deployment
from tools.lib.cli import CommandResult, Invocation, user_name
from tools.lib.errors import ToolError
from tools.lib.json_keys import time_keys
from tools.lib.text import moment
from tools.lib.watch import notifications
from tools.lib.watch.health import keys_of

# How far a person's clock may be ahead: uploads count as new from this long before it, so that none is lost before S3 sends events.
_CLOCK_SECONDS = 600.0

_STILL_SCANNED = "What was uploaded before is still scanned."


def on(run: Invocation, bucket: str) -> CommandResult:
    """Have a bucket send its events to EventBridge, and note since when its uploads are new.

    Check first that it is watched, and that it is there: see `require_watched` and the doctor's `require_bucket`.
    """
    changed = notifications.switch(run.clients.s3, bucket, run.deployment.account_id, run.clock, on=True)
    run.table.watches.begin(bucket, run.clock.now() - _CLOCK_SECONDS)
    since, watched = run.table.watches.state(bucket).since, require_watched(run.deployment, bucket)
    if changed:
        did = f"{bucket} will send its events to EventBridge in about five minutes; its other notifications are as before."
    else:
        did = f"{bucket} already sends its events to EventBridge; its notifications were not changed."
    keys = f"Keys that {keys_of(watched)} are scanned if they were uploaded since"
    lines = [did, *([f"{keys} {moment(since)}; scan earlier objects with submit_job.py."] if since else [])]
    return CommandResult(lines, {"bucket": bucket, "events": True, "changed": changed, **time_keys(since=since)})


def off(run: Invocation, bucket: str, *, agreed: bool, keep_events: bool = False) -> CommandResult:
    """End the watch of a bucket; with `keep_events` it goes on sending events, which are ignored here, for rules of others."""
    by_hand = (
        "To switch off the events of a bucket that is not watched, use its page in the S3 console (Properties, Amazon EventBridge)."
    )
    require_watched(run.deployment, bucket, cure=by_hand)
    if keep_events:
        run.table.watches.end(bucket)
        line = f"New uploads to {bucket} are no longer scanned; its events to EventBridge were not changed. {_STILL_SCANNED}"
        sends = bool(notifications.sends_events(run.clients.s3, bucket))
        return CommandResult([line], {"bucket": bucket, "events": sends, "changed": False})
    sends_events = notifications.sends_events(run.clients.s3, bucket)
    if sends_events is None:
        run.table.watches.end(bucket)
        gone = f'{bucket} does not exist, and its watch is ended. Take it out of "watch" in cdk.json and run `make deploy`.'
        return CommandResult([gone], {"bucket": bucket, "events": False, "changed": False})
    if sends_events:
        run.require_agreement("pass --yes", agreed=agreed)
        if not agreed:
            run.agree(
                f"Stop all events of {bucket} to EventBridge? A bucket has one switch for them, so rules of others would get none "
                "either (--keep-events leaves it on).",
                "Nothing was changed.",
            )
    changed = notifications.switch(run.clients.s3, bucket, run.deployment.account_id, run.clock, on=False)
    run.table.watches.end(bucket)
    if changed:
        did = f"{bucket} no longer sends events to EventBridge; its other notifications are as before."
    else:
        did = f"{bucket} does not send events to EventBridge; its notifications were not changed."
    return CommandResult([f"{did} {_STILL_SCANNED}"], {"bucket": bucket, "events": False, "changed": changed})


def pause(run: Invocation, bucket: str) -> CommandResult:
    """Have the uploads of a bucket wait."""
    require_watched(run.deployment, bucket)
    outcome = run.table.watches.pause_uploads(bucket, user_name())
    command = run.target.command("control_scan.py", "watch", "resume", bucket)
    line = f"Within two minutes new uploads to {bucket} are only registered and wait; running analyses finish. To resume: {command}"
    return CommandResult([line], {"bucket": bucket, "paused": True, "outcome": outcome.name})


def resume(run: Invocation, bucket: str) -> CommandResult:
    """End the pause of a bucket's uploads."""
    require_watched(run.deployment, bucket)
    outcome = run.table.watches.resume_uploads(bucket)
    line = f"Uploads to {bucket} are scanned again; those that waited are sent to their lane within two minutes."
    return CommandResult([line], {"bucket": bucket, "paused": False, "outcome": outcome.name})


def release(run: Invocation, bucket: str) -> CommandResult:
    """Lift a bucket's daily limit of minutes until the end of the UTC day.

    Raises:
        ToolError: It has no limit.
    """
    limit = require_watched(run.deployment, bucket).max_minutes_per_day
    if limit is None:
        raise ToolError(
            f"{bucket} has no daily limit of minutes, so none of its uploads waits because of one.",
            cure=f"`{run.target.command('control_scan.py', 'watch', 'status', bucket)}` shows what they wait for.",
        )
    day = watch.day_of(run.clock.now())
    outcome = run.table.watches.release(bucket, day)
    line = f"The limit of {limit:,} minutes for {bucket} is lifted for {day} (UTC); uploads that waited follow within two minutes."
    return CommandResult([line], {"bucket": bucket, "day": day, "max_minutes_per_day": limit, "outcome": outcome.name})


def require_watched(deployment: Deployment, bucket: str, cure: str | None = None) -> Watch:
    """Return how a bucket is watched.

    Raises:
        ToolError: It is not watched, or it is the work bucket, where every report and every file of hits would be an upload.
    """
    if bucket == deployment.work_bucket:
        raise ToolError(
            f"{bucket} is the work bucket of the stack {deployment.stack_name}: what is written there must start nothing.",
            cure='Name a bucket with videos that "watch" in cdk.json names.',
        )
    watches = deployment.watching.watches if deployment.watching else {}
    if bucket not in watches:
        raise ToolError(
            f"The stack {deployment.stack_name} does not watch {bucket}; it watches {', '.join(watches) or 'no bucket'}.",
            cure=cure or f'Add {{"bucket": "{bucket}"}} to "watch" in cdk.json and run `make deploy`.',
        )
    return watches[bucket]
