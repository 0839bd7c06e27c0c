"""The function subscribed to Rekognition's notices: reads the result of an analysis, judges and stores it."""

from __future__ import annotations

import os
from functools import cache

from handlers import wiring
from handlers.flows import CompleteFlow
from handlers.runtime import Clients, Context, SystemClock, deadline
from handlers.settings import CompletionSettings, from_environment


def handler(event: object, context: Context) -> None:
    """Process an SNS event of completion notices; raises if Lambda is to retry it."""
    _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> CompleteFlow:
    settings = from_environment(CompletionSettings, os.environ)
    return wiring.complete_flow(settings, wiring.Adapters(Clients(), SystemClock()))
