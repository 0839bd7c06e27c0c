"""The function that runs every minute: does what no event triggers."""

from __future__ import annotations

import os
from functools import cache

from handlers import wiring
from handlers.flows import SweepFlow
from handlers.runtime import Clients, Context, SystemClock, deadline
from handlers.settings import SweeperSettings, from_environment


def handler(event: object, context: Context) -> None:  # noqa: ARG001 # Lambda's signature
    """Sweep once; raises if a task failed, so that it counts as an error of the function."""
    _flow().sweep(deadline=deadline(context, SystemClock()))


@cache
def _flow() -> SweepFlow:
    settings = from_environment(SweeperSettings, os.environ)
    return wiring.sweep_flow(settings, wiring.Adapters(Clients(), SystemClock()))
