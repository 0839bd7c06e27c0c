"""The template's functions in the caller's thread: each is the flow behind its handler, wired by its own environment."""

import json
from dataclasses import dataclass, fields, replace
from functools import partial

from handlers import wiring
from handlers.runtime.clients import CONFIGS
from handlers.settings import (
    BatchInvokeSettings,
    CompletionSettings,
    NewUploadSettings,
    PublishVerdictSettings,
    SampleFramesSettings,
    StartAnalysisSettings,
    SweeperSettings,
    from_environment,
)
from tests.harness.media import Adapters
from tools.emulator.services.lambda_ import Outcome, exited, failure


class DiedError(BaseException):
    """A function's process was killed: none of its code runs any more, not even that which handles errors or cleans up."""


@dataclass(eq=False)
class Process:
    """One invocation of a function, with its handler's module and its number among all invocations; a dead one does nothing."""

    module: str
    number: int
    dead: bool = False


class ProcessClock:
    """The test's clock as a function sees it; a dead process does not sleep."""

    def __init__(self, line):
        self._line = line

    def now(self):
        """Return the time."""
        return self._line.clock.now()

    def sleep(self, seconds):
        """Wait."""
        self._line.sleep(seconds)


class Clients:
    """AWS clients from a function of the service's name, as `handlers.runtime.clients.Clients` has them."""

    def __init__(self, client):
        self._client = client

    def __getattr__(self, name):
        """Return a client."""
        return self._client("lambda" if name == "functions" else name)


class SeenAdapters(Adapters):
    """Adapters whose ports that yield lazily pass through `seen`."""

    def __init__(self, clients, clock, seen):
        super().__init__(clients, clock)
        self._seen = seen

    def table(self, name, *, has_outbox=False):
        """Open the table."""
        table = super().table(name, has_outbox=has_outbox)
        parts = {field.name: getattr(table, field.name) for field in fields(table) if field.name != "name"}
        return replace(table, **{part: self._seen(value) for part, value in parts.items()})

    def reader(self):
        """Reach Rekognition for reading analyses."""
        return self._seen(super().reader())


SETTINGS = {
    "batch_invoke": BatchInvokeSettings,
    "new_upload": NewUploadSettings,
    "start_analysis": StartAnalysisSettings,
    "sample_frames": SampleFramesSettings,
    "completion": CompletionSettings,
    "publish_verdict": PublishVerdictSettings,
    "sweeper": SweeperSettings,
}
WIRINGS = {
    "batch_invoke": wiring.register_flow,
    "new_upload": wiring.upload_flow,
    "start_analysis": wiring.lane_events_flow,
    "sample_frames": wiring.frames_events_flow,
    "completion": wiring.complete_flow,
    "publish_verdict": wiring.publish_flow,
    "sweeper": wiring.sweep_flow,
}


def flow_of(function, client, clock, *, wirings=WIRINGS, adapters=Adapters):
    """Return the flow behind a function's handler as a function of the event and the deadline, wired by its environment.

    `client(service)` gives AWS clients; a flow deals with one event at a time.
    """
    module = module_of(function)
    settings = from_environment(SETTINGS[module], dict(function.environment))
    flow = wirings[module](settings, adapters(Clients(client), clock))
    match module:
        case "batch_invoke" | "new_upload":
            return lambda event, _deadline: flow.respond(event)
        case "sweeper":
            return lambda _event, deadline: flow.sweep(deadline=deadline)
    return lambda event, deadline: flow.respond(event, deadline=deadline)


def module_of(function):
    """Return the module of a function's handler."""
    return function.handler.split(".")[1]


class Flows:
    """Runs functions of the template: the flow behind each handler, on the clock of the test. Implements `Runtime`.

    An environment deals with one event at a time: what is invoked while another invocation of it sleeps gets one of its own.
    `seen` may put something of a test's before the ports that a flow is made with, and `clients` hold others than
    boto3's, by service.
    """

    def __init__(self, line):
        self._line = line
        self._clock = ProcessClock(line)
        self._idle = {}
        self._count = 0
        self.seen = lambda port: port
        self.clients = {}

    def run(self, function, invocation, done):
        """Call a flow and then `done`, both before returning."""
        process = Process(module_of(function), self._count)
        self._count += 1
        self._line.processes.append(process)
        try:
            outcome = self._outcome(function, invocation)
        finally:
            self._line.processes.remove(process)
        done(outcome)

    def _outcome(self, function, invocation):
        idle = self._idle.setdefault(function.name, [])
        flow = idle.pop() if idle else self._make(function)
        try:
            answer = flow(json.loads(invocation.payload), self._line.clock.now() + function.timeout)
        except DiedError:
            # Its environment died with it.
            return exited(invocation.request_id, "with error: signal: killed")
        except Exception as error:  # noqa: BLE001 # what a flow raises is its function's result
            outcome = failure(type(error).__name__, str(error))
        else:
            outcome = Outcome(json.dumps(answer).encode())
        idle.append(flow)
        return outcome

    def retire(self, function_name):
        """Forget the environments of a function that was changed, also those that are busy."""
        self._idle.pop(function_name, None)

    def close(self):
        """Do nothing."""

    def _make(self, function):
        return flow_of(function, self._client, self._clock, adapters=partial(SeenAdapters, seen=self.seen))

    def _client(self, service):
        return self.clients.get(service) or self._line.session.client(service, config=CONFIGS[service])
