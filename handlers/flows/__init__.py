"""The flow of each function: register, upload, start (behind lane events), complete, publish, sweep."""

from handlers.flows.breaker import Breaker
from handlers.flows.complete import CompleteFlow
from handlers.flows.lane_events import LaneEventsFlow
from handlers.flows.publish import PublishFlow, PublishSettings
from handlers.flows.register import RegisterFlow, unavailable
from handlers.flows.registration import Registration
from handlers.flows.sample import OpenMedia, SampleFlow, SampleSettings
from handlers.flows.start import StartFlow, StartSettings
from handlers.flows.start_rules import Limits
from handlers.flows.sweep import Ports, SweepFlow, SweepSettings, UploadPorts
from handlers.flows.upload import UploadFlow

__all__ = [
    "Breaker",
    "CompleteFlow",
    "LaneEventsFlow",
    "Limits",
    "OpenMedia",
    "Ports",
    "PublishFlow",
    "PublishSettings",
    "RegisterFlow",
    "Registration",
    "SampleFlow",
    "SampleSettings",
    "StartFlow",
    "StartSettings",
    "SweepFlow",
    "SweepSettings",
    "UploadFlow",
    "UploadPorts",
    "unavailable",
]
