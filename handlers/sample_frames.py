"""The function that polls the frames lanes: has Rekognition analyse frames of films, and images, one message at a time."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers import wiring
from handlers.flows import LaneEventsFlow
from handlers.runtime import Clients, Context, SystemClock, deadline
from handlers.settings import SampleFramesSettings, from_environment


def handler(event: object, context: Context) -> dict[str, Any]:
    """Process an SQS event; `batchItemFailures` of the response names the deferred messages."""
    return _flow().respond(event, deadline=deadline(context, SystemClock()))


@cache
def _flow() -> LaneEventsFlow:
    settings = from_environment(SampleFramesSettings, os.environ)
    return wiring.frames_events_flow(settings, wiring.Adapters(Clients(), SystemClock()))
