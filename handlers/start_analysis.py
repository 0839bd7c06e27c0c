"""The function that polls both lanes: starts analyses, one message at a time. No other may call StartContentModeration."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers import wiring
from handlers.flows import LaneEventsFlow
from handlers.runtime import Clients, Context, SystemClock, deadline
from handlers.settings import StartAnalysisSettings, from_environment


def handler(event: object, context: Context) -> dict[str, Any]:
    """Process an SQS event; `batchItemFailures` of the response names the deferred messages."""
    return _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> LaneEventsFlow:
    settings = from_environment(StartAnalysisSettings, os.environ)
    return wiring.lane_events_flow(settings, wiring.Adapters(Clients(), SystemClock()))
