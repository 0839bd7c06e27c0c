"""The function behind both lanes: starts analyses, one message at a time. The only one that may call Start."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisStarter
from handlers.adapters.table import open_table
from handlers.domain.states import Lane
from handlers.flows.lane_events import Receiving
from handlers.flows.start import Starting, StartSettings
from handlers.flows.start_rules import Limits
from handlers.runtime import clients
from handlers.runtime.clock import SystemClock
from handlers.runtime.context import Context, deadline
from handlers.settings import StartAnalysisSettings, from_environment


def handler(event: object, context: Context) -> dict[str, Any]:
    """Deal with an SQS event; what is handed back is named in `batchItemFailures`."""
    return _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> Receiving:
    settings = from_environment(StartAnalysisSettings, os.environ)
    clock = SystemClock()
    urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
    table = open_table(clients.dynamodb(), settings.table_name, clock)
    start = StartSettings(
        topic_arn=settings.completions_topic_arn,
        role_arn=settings.rekognition_role_arn,
        min_confidence=settings.min_confidence,
        limits=Limits(slots=settings.slots, account_jobs=settings.account_jobs),
    )
    starting = Starting(
        table.records, table.control, ObjectStore(clients.s3()), AnalysisStarter(clients.rekognition()), clock, settings=start
    )
    return Receiving(starting, LaneQueues(clients.sqs(), urls), clock)
