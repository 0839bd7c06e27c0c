"""A bus whose targets keep what they get; the clock stands still."""

import json
from dataclasses import dataclass, field

import pytest

from tools.emulator.core import ManualClock
from tools.emulator.services.events import EventBus
from tools.emulator.settings import EmulatorSettings

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:work"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:uploads"
MISSING = "arn:aws:sqs:us-east-1:111122223333:missing"


@dataclass
class Targets:
    """Lambda and SQS with one function and one queue for all ARNs, except for those called missing."""

    events: list = field(default_factory=list)
    messages: list = field(default_factory=list)

    def invoke_event(self, function_arn, payload, *, trace=None):
        """Keep an event for the function."""
        if "missing" in function_arn:
            return None
        self.events.append(json.loads(payload))
        return "request"

    def send(self, queue_arn, body, attributes):
        """Keep a message."""
        if "missing" in queue_arn:
            raise LookupError(queue_arn)
        self.messages.append((queue_arn, body, attributes))


class Bench:
    """A bus, its clock and its targets."""

    def __init__(self, **settings):
        self.clock = ManualClock()
        self.targets = Targets()
        self.bus = EventBus(
            clock=self.clock,
            settings=EmulatorSettings(**settings),
            functions=self.targets,
            queues=self.targets,
            seed=1,
        )

    @property
    def bodies(self):
        """The events in the queue, as JSON values."""
        return [json.loads(body) for _, body, _ in self.targets.messages]


@pytest.fixture
def bench():
    """Return a bus with AWS's settings."""
    return Bench()
