"""The AWS calls of a line: who observes them, and what happens before, between and during them."""

from contextlib import contextmanager
from dataclasses import dataclass

from botocore.exceptions import ClientError

from tests.harness.flows import DiedError

# How often an idle lane is looked at, and whatever else somebody waits for.
POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Call:
    """One AWS call: when, `service.Operation`, and with which parameters."""

    time: float
    name: str
    parameters: dict


class Calls:
    """What is known of the calls that are made, by functions and by others.

    Attributes:
        calls: Those that were made, in order.
        processes: Of the functions that run now. Each but the last one sleeps; the last one is who makes calls.
        watch: Observes each call of a function: `before(name, process, parameters)`, `after(name, process, answer)`.
        awaited: How much is still to be done of that which was ordered by `when`.
    """

    def __init__(self, clock):
        self.clock = clock
        self.calls = []
        self.processes = []
        self.watch = None
        self.awaited = 0
        self._before = {}
        self._between = []

    def asked(self, name, parameters):
        """Note a call, and do what was ordered before it."""
        self.calls.append(Call(self.clock.now(), name, parameters))
        if self._before.get(name):
            self._before[name].pop(0)()
        for order in [order for order in self._between if order[0](name, parameters)]:
            self._between.remove(order)
            with self.outside():
                order[1]()

    def calling(self, name, parameters):
        """Tell the watch of a call of a function's."""
        self._check_alive()
        if self.watch is not None and self.processes:
            self.watch.before(name, self.processes[-1], parameters)

    def answered(self, name, answer):
        """Tell the watch of a call of a function's that was answered."""
        if self.watch is not None and self.processes:
            self.watch.after(name, self.processes[-1], answer)

    def gate(self, name, parameters, carry_out):
        """Make a call of a direct client, observed as calls of boto3 are."""
        self.asked(name, parameters)
        self.calling(name, parameters)
        try:
            answer, error = carry_out() if _asks(parameters) else {}, None
        except ClientError as raised:
            answer, error = raised.response, raised
        self.answered(name, answer)
        if error is not None:
            raise error
        return answer

    @contextmanager
    def outside(self):
        """Make calls that are none of the functions', also while one of them sleeps."""
        processes, self.processes = self.processes, []
        try:
            yield
        finally:
            self.processes = processes

    def when(self, true, action):
        """Do something as soon as something is true, checked every few seconds, also while functions sleep."""

        def look():
            with self.outside():
                if not true():
                    self.clock.call_later(POLL_SECONDS, look)
                    return
                self.awaited -= 1
                action()

        self.awaited += 1
        self.clock.call_later(POLL_SECONDS, look)

    def sleep(self, seconds):
        """Let a function wait."""
        self._check_alive()
        self.clock.sleep(seconds)

    def _check_alive(self):
        if self.processes and self.processes[-1].dead:
            raise DiedError

    def before(self, name, *actions):
        """Do something just before each of the next calls of an operation, e.g. "sns.Publish"; it may raise in the call's place."""
        self._before.setdefault(name, []).extend(actions)

    def between(self, matches, action):
        """Do something just before the first call of which `matches(name, parameters)` is true: another hand is quicker."""
        self._between.append((matches, action))

    def called(self, name):
        """Return the calls of an operation."""
        return [call for call in self.calls if call.name == name]


def _asks(request):
    """Tell whether anything is left of a request: a test may have taken all of a batch back."""
    return request.get("RequestItems") != {} and request.get("Entries") != []
