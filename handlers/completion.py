"""The function behind Rekognition's notices: reads what an analysis found, judges it, and stores both."""

from __future__ import annotations

import os
from functools import cache

from handlers import aws
from handlers.adapters.hits import HitStore
from handlers.adapters.rekognition import AnalysisReader
from handlers.adapters.table import ScanTable
from handlers.clock import SystemClock
from handlers.completing import Completing
from handlers.domain import policy
from handlers.invocation import Context, deadline
from handlers.settings import CompletionSettings, from_environment


def handler(event: object, context: Context) -> None:
    """Deal with an SNS event of completion notices; raises where Lambda is to repeat it."""
    _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> Completing:
    settings = from_environment(CompletionSettings, os.environ)
    clock = SystemClock()
    return Completing(
        ScanTable(aws.dynamodb(), settings.table_name, clock),
        AnalysisReader(aws.rekognition(), clock),
        HitStore(aws.s3(), settings.work_bucket_name),
        policy.parse(settings.policy),
        clock,
        topic_arn=settings.completions_topic_arn,
    )
