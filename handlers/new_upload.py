"""The function that registers what is put into a watched bucket: EventBridge's events arrive in a queue, in batches."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers import wiring
from handlers.flows import UploadFlow
from handlers.runtime import Clients, SystemClock
from handlers.settings import NewUploadSettings, from_environment


def handler(event: object, context: object) -> dict[str, Any]:  # noqa: ARG001 # Lambda's signature
    """Process an SQS event; `batchItemFailures` of the response names the messages that are to come back."""
    return _flow().respond(event)


@cache
def _flow() -> UploadFlow:
    settings = from_environment(NewUploadSettings, os.environ)
    return wiring.upload_flow(settings, wiring.Adapters(Clients(), SystemClock()))
