"""What a line stands on: a clock that moves only when something sleeps, and a session that reports every AWS call."""

import boto3

from tools.emulator.core.clock import ManualClock

START_OF_TIME, LONGEST_SECONDS = 1_700_000_000.0, 1_800.0


class Clock(ManualClock):
    """Moves only when something sleeps; ends what would wait for ever."""

    def __init__(self):
        super().__init__(START_OF_TIME)
        self.longest_seconds = LONGEST_SECONDS

    def advance(self, seconds):
        """Advance the clock."""
        if self.now() > START_OF_TIME + self.longest_seconds:
            raise TimeoutError(f"not over after {self.longest_seconds} s")
        super().advance(seconds)


class Session:
    """A session whose clients are made once, since making them takes most of a test.

    `listener` is called for each call when it is made (`asked`), just before its request goes out (`calling`), and when its answer
    is there but its caller has not seen it (`answered`). A service in `answers` (see `items_at_the_edge`) is not sent requests.
    """

    def __init__(self):
        self.listener = None
        self.answers = {}
        self._session = boto3.Session("testing", "testing", region_name="us-east-1")
        self._session.events.register("before-parameter-build", self._asked)
        self._session.events.register("before-call", self._calling)
        self._session.events.register("after-call", self._answered)
        self._clients = {}

    def client(self, service, config=None):
        """Return a client."""
        name = (service, id(config))
        if name not in self._clients:
            self._clients[name] = self._session.client(service, config=config)
        return self._clients[name]

    def _asked(self, params, model, context, **_):
        context["tests.params"] = dict(params)
        self.listener.asked(name_of(model), dict(params))

    def _calling(self, params, model, context, **_):
        self.listener.calling(name_of(model), params)
        answer = self.answers.get(model.service_model.service_name)
        return answer and answer(model.name, context["tests.params"])

    def _answered(self, parsed, model, **_):
        self.listener.answered(name_of(model), parsed)


def name_of(model):
    """Return `service.Operation`."""
    return f"{model.service_model.service_name}.{model.name}"
