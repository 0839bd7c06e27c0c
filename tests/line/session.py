"""What a line stands on: a clock that stands still until somebody sleeps, and a session that hears of every AWS call."""

import boto3

from tools.emulator.clock import ManualClock

START_OF_TIME, LONGEST_SECONDS = 1_700_000_000.0, 1_800.0


class Clock(ManualClock):
    """Stands still until somebody sleeps; ends what would wait for ever."""

    def advance(self, seconds):
        """Move on."""
        if self.now() > START_OF_TIME + LONGEST_SECONDS:
            raise TimeoutError(f"not over after {LONGEST_SECONDS} s")
        super().advance(seconds)


class Session:
    """A session whose clients are made once, since making them takes most of a test; `listener` hears of each call beforehand."""

    def __init__(self):
        self.listener = None
        self._session = boto3.Session("testing", "testing", region_name="us-east-1")
        self._session.events.register("before-parameter-build", self._hear)
        self._clients = {}

    def client(self, service, config=None):
        """Return a client."""
        name = (service, id(config))
        if name not in self._clients:
            self._clients[name] = self._session.client(service, config=config)
        return self._clients[name]

    def _hear(self, params, model, **_):
        self.listener(f"{model.service_model.service_name}.{model.name}", dict(params))
