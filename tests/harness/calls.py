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
    """The calls that functions and others make.

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
        """Tell the watch that a function makes a call."""
        self._check_alive()
        if self.watch is not None and self.processes:
            self.watch.before(name, self.processes[-1], parameters)

    def answered(self, name, answer):
        """Tell the watch that a call of a function was answered."""
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
        """Make calls as someone other than a function, also while one of them sleeps."""
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
        """Do something just before each of the next calls of an operation, such as "sns.Publish"; it may raise instead."""
        self._before.setdefault(name, []).extend(actions)

    def between(self, matches, action):
        """Do something just before the first call for which `matches(name, parameters)` is true, as a faster rival would."""
        self._between.append((matches, action))

    def called(self, name):
        """Return the calls of an operation."""
        return [call for call in self.calls if call.name == name]


def _asks(request):
    """Tell whether a request still has content: a test may have removed its whole batch."""
    return request.get("RequestItems") != {} and request.get("Entries") != []
