"""What every flow needs to run: clients, clock, logs, the context of the invocation, and waiting."""

from handlers.runtime.backoff import backoff_seconds, jitter
from handlers.runtime.clients import Clients
from handlers.runtime.clock import Clock, SystemClock
from handlers.runtime.context import Context, deadline
from handlers.runtime.logs import Log

__all__ = [
    "Clients",
    "Clock",
    "Context",
    "Log",
    "SystemClock",
    "backoff_seconds",
    "deadline",
    "jitter",
]
