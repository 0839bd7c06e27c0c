"""The function that is called every minute: does what no event brings about."""

from __future__ import annotations

import os
from functools import cache

from handlers import aws
from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.mail import MailTopic
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader
from handlers.adapters.table import ScanTable
from handlers.clock import Clock, SystemClock
from handlers.domain.states import Lane
from handlers.invocation import Context, deadline
from handlers.settings import SweeperSettings, from_environment
from handlers.sweeping import Ports, Sweeping, SweepSettings


def handler(event: object, context: Context) -> None:  # noqa: ARG001 # Lambda's signature; the schedule says nothing
    """Sweep once; raises where a chore failed, so that it shows in the function's errors."""
    _flow().sweep(deadline=deadline(context, SystemClock()))


@cache
def _flow() -> Sweeping:
    settings = from_environment(SweeperSettings, os.environ)
    clock = SystemClock()
    mails = SweepSettings(settings.stack_name, settings.completions_topic_arn, settings.mails_per_scan)
    return Sweeping(_ports(settings, clock), clock, mails)


def _ports(settings: SweeperSettings, clock: Clock) -> Ports:
    urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
    dead_letters = {Lane.NORMAL: settings.normal_dead_letters_url, Lane.EXPRESS: settings.express_dead_letters_url}
    return Ports(
        table=ScanTable(aws.dynamodb(), settings.table_name, clock),
        topic=MailTopic(aws.sns(), settings.alerts_topic_arn),
        batch_jobs=BatchJobs(aws.s3control(), settings.account_id),
        queues=LaneQueues(aws.sqs(), urls, dead_letters),
        reader=AnalysisReader(aws.rekognition(), clock),
        completion=CompletionFunction(aws.functions(), settings.completion_function_arn),
        switches=LaneSwitches(aws.functions(), (settings.normal_mapping_id, settings.express_mapping_id)),
    )
