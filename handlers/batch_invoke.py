"""The function that S3 Batch Operations invokes for each object: registers it for analysis, and returns the result of the task."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from handlers import wiring
from handlers.flows import RegisterFlow, unavailable
from handlers.runtime import Clients, Log, SystemClock
from handlers.settings import BatchInvokeSettings, from_environment


def handler(event: object, context: object) -> dict[str, Any]:  # noqa: ARG001 # Lambda's signature
    """Answer an S3 Batch event (schema 1.0 or 2.0); never raises, because the task would fail without a reason."""
    try:
        flow = _flow()
    except Exception as error:  # noqa: BLE001 # a missing variable or Region must reach the report as a reason
        Log().alarm("the function cannot work", cause=error)
        return unavailable(event, error)
    return flow.respond(event)


@cache
def _flow() -> RegisterFlow:
    settings = from_environment(BatchInvokeSettings, os.environ)
    return wiring.register_flow(settings, wiring.Adapters(Clients(), SystemClock()))
