"""The sweep and its tasks, each of which is independent of the others, stops in time, and runs again a minute later."""

from handlers.flows.sweep.sweep import Ports, SweepError, SweepFlow, SweepSettings, UploadPorts

__all__ = [
    "Ports",
    "SweepError",
    "SweepFlow",
    "SweepSettings",
    "UploadPorts",
]
