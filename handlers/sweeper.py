"""The function that runs every minute: does what no event brings about."""

from __future__ import annotations

import os
from functools import cache

from handlers import wiring
from handlers.flows.sweep.sweep import SweepFlow
from handlers.runtime.clients import Clients
from handlers.runtime.clock import SystemClock
from handlers.runtime.context import Context, deadline
from handlers.settings import SweeperSettings, from_environment


def handler(event: object, context: Context) -> None:  # noqa: ARG001 # Lambda's signature; the schedule says nothing
    """Sweep once; raises where a task failed, so that it shows in the function's errors."""
    _flow().sweep(deadline=deadline(context, SystemClock()))


@cache
def _flow() -> SweepFlow:
    settings = from_environment(SweeperSettings, os.environ)
    return wiring.sweep_flow(settings, wiring.Adapters(Clients(), SystemClock()))
