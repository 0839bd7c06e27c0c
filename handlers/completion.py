"""The function behind Rekognition's notices: reads what an analysis found, judges it, and stores both."""

from __future__ import annotations

import os
from functools import cache

from handlers.adapters.hits import HitStore
from handlers.adapters.rekognition import AnalysisReader
from handlers.adapters.table import open_table
from handlers.domain import policy
from handlers.flows.complete import Completing
from handlers.runtime import clients
from handlers.runtime.clock import SystemClock
from handlers.runtime.context import Context, deadline
from handlers.settings import CompletionSettings, from_environment


def handler(event: object, context: Context) -> None:
    """Deal with an SNS event of completion notices; raises where Lambda is to repeat it."""
    _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> Completing:
    settings = from_environment(CompletionSettings, os.environ)
    clock = SystemClock()
    return Completing(
        open_table(clients.dynamodb(), settings.table_name, clock).records,
        AnalysisReader(clients.rekognition(), clock),
        HitStore(clients.s3(), settings.work_bucket_name),
        policy.parse(settings.policy),
        clock,
        topic_arn=settings.completions_topic_arn,
    )
