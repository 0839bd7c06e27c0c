"""The switch for a bucket's events to EventBridge: one entry of its notification configuration, next to those of others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from handlers.adapters.aws_errors import Fault, fault_of
from handlers.runtime.clock import Clock
from tools.lib.errors import ToolError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_BRIDGE = "EventBridgeConfiguration"

# A configuration that was put may take some seconds to be read (S3 user guide, Welcome, "Bucket configurations").
_READS = 6
_SECONDS_BETWEEN = 5.0


def sends_events(s3: S3Client, bucket: str) -> bool | None:
    """Tell whether a bucket sends its events to EventBridge; None if there is no such bucket."""
    try:
        return _BRIDGE in _read(s3, bucket)
    except s3.exceptions.NoSuchBucket:
        return None


def switch(s3: S3Client, bucket: str, account_id: str, clock: Clock, *, on: bool) -> bool:
    """Switch the events that a bucket of the account sends to EventBridge on or off, and return whether that changed anything.

    S3 takes only whole configurations, so the entries of others are put again as they were read, and compared afterwards.

    Raises:
        ToolError: The bucket belongs to another account, or the caller lacks the permission; or afterwards the configuration is
            not the one that was put: the message then has the entries of others.
    """
    try:
        return _switched(s3, bucket, account_id, clock, on=on)
    except ClientError as error:
        if fault_of(error) is not Fault.FORBIDDEN:
            raise
        raise ToolError(
            f"You may not change the notifications of {bucket}, or it is not a bucket of the account {account_id}.",
            cure="Have s3:GetBucketNotification and s3:PutBucketNotification on it added to your user or role. A bucket of another "
            "account cannot be watched: its events do not reach this account.",
        ) from error


def _switched(s3: S3Client, bucket: str, account_id: str, clock: Clock, *, on: bool) -> bool:
    others = _read(s3, bucket)
    was_on = others.pop(_BRIDGE, None) is not None
    if was_on is on:
        return False
    changed: Any = {**others, **({_BRIDGE: {}} if on else {})}
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration=changed,
        ExpectedBucketOwner=account_id,
        # The destinations of others are theirs: S3 would refuse this for one that is gone, and send a test message to each.
        SkipDestinationValidation=True,
    )
    for _ in range(_READS):
        if _ordered(_read(s3, bucket)) == _ordered(changed):
            return True
        clock.sleep(_SECONDS_BETWEEN)
    raise ToolError(
        f"The notification configuration of {bucket} is not the one that was put: did someone else change it at the same time?",
        cure=f"Run this again once no one else changes it. Its other entries were: {json.dumps(others, ensure_ascii=True)}",
    )


def _read(s3: S3Client, bucket: str) -> dict[str, Any]:
    answer: dict[str, Any] = dict(s3.get_bucket_notification_configuration(Bucket=bucket))
    answer.pop("ResponseMetadata", None)
    return answer


def _ordered(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return JSON with its lists in one order, because S3 promises none."""
    if isinstance(value, dict):
        return {name: _ordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted(map(_ordered, value), key=json.dumps)
    return value
