"""The function that is called every minute: does what no event brings about."""

from __future__ import annotations

import os
from functools import cache

from handlers import aws
from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.mail import MailTopic
from handlers.adapters.table import ScanTable
from handlers.clock import SystemClock
from handlers.invocation import Context, deadline
from handlers.settings import SweeperSettings, from_environment
from handlers.sweeping import Sweeping


def handler(event: object, context: Context) -> None:  # noqa: ARG001 # Lambda's signature; the schedule says nothing
    """Sweep once; raises where a chore failed, so that it shows in the function's errors."""
    _flow().sweep(deadline=deadline(context, SystemClock()))


@cache
def _flow() -> Sweeping:
    settings = from_environment(SweeperSettings, os.environ)
    clock = SystemClock()
    return Sweeping(
        ScanTable(aws.dynamodb(), settings.table_name, clock),
        MailTopic(aws.sns(), settings.alerts_topic_arn),
        BatchJobs(aws.s3control(), settings.account_id),
        clock,
        settings.stack_name,
    )
