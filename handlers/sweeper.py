"""The function that is called every minute: does what no event brings about."""

from __future__ import annotations

import os
from functools import cache

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.mail import MailTopic
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader
from handlers.adapters.table import open_table
from handlers.domain.states import Lane
from handlers.flows.sweep.sweep import Ports, Sweeping, SweepSettings
from handlers.runtime import clients
from handlers.runtime.clock import Clock, SystemClock
from handlers.runtime.context import Context, deadline
from handlers.settings import SweeperSettings, from_environment


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
        table=open_table(clients.dynamodb(), settings.table_name, clock),
        topic=MailTopic(clients.sns(), settings.alerts_topic_arn),
        batch_jobs=BatchJobs(clients.s3control(), settings.account_id),
        queues=LaneQueues(clients.sqs(), urls, dead_letters),
        reader=AnalysisReader(clients.rekognition(), clock),
        completion=CompletionFunction(clients.functions(), settings.completion_function_arn),
        switches=LaneSwitches(clients.functions(), (settings.normal_mapping_id, settings.express_mapping_id)),
    )
