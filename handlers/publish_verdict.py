"""The function that carries out the consequences of verdicts and decisions; the outbox's queue hints at them, in batches."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers import wiring
from handlers.flows import PublishFlow
from handlers.runtime import Clients, Context, SystemClock, deadline
from handlers.settings import PublishVerdictSettings, from_environment


def handler(event: object, context: Context) -> dict[str, Any]:
    """Process an SQS event; `batchItemFailures` of the response names the messages that are to come back."""
    return _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> PublishFlow:
    settings = from_environment(PublishVerdictSettings, os.environ)
    return wiring.publish_flow(settings, wiring.Adapters(Clients(), SystemClock()))
