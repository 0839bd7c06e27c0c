"""The function behind both lanes: starts analyses, one message at a time. The only one that may call Start."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers import aws
from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisStarter
from handlers.adapters.table import ScanTable
from handlers.clock import SystemClock
from handlers.domain.states import Lane
from handlers.invocation import Context, deadline
from handlers.receiving import Receiving
from handlers.settings import StartAnalysisSettings, from_environment
from handlers.start_rules import Limits
from handlers.starting import Starting, StartSettings


def handler(event: object, context: Context) -> dict[str, Any]:
    """Deal with an SQS event; what is handed back is named in `batchItemFailures`."""
    return _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> Receiving:
    settings = from_environment(StartAnalysisSettings, os.environ)
    clock = SystemClock()
    urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
    table = ScanTable(aws.dynamodb(), settings.table_name, clock)
    start = StartSettings(
        topic_arn=settings.completions_topic_arn,
        role_arn=settings.rekognition_role_arn,
        min_confidence=settings.min_confidence,
        limits=Limits(slots=settings.slots, account_jobs=settings.account_jobs),
    )
    starting = Starting(table, ObjectStore(aws.s3()), AnalysisStarter(aws.rekognition()), clock, start)
    return Receiving(starting, LaneQueues(aws.sqs(), urls), clock)
