"""The lanes in memory: SQS's queues with the event source mappings that read them, and the port through which they are written."""

from array import array
from collections import deque
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import inf

from botocore.exceptions import ClientError

from handlers.adapters.queue import Depth
from tests.bench.simulation import clients
from tests.bench.simulation import world as worlds
from tools.emulator.services.sqs.queue import BACK_AFTER_RECEIVES, MAX_VISIBILITY_SECONDS

NOT_IN_FLIGHT = clients.refusal("AWS.SimpleQueueService.MessageNotInflight")
TOO_LONG = clients.refusal("InvalidParameterValue")


class QuickLane:
    """A lane's queue, and the mapping that hands its messages one by one to the starters, at most `most` at a time.

    A message is a number: its columns hold which video and attempt it is of, and how often it was received.
    """

    def __init__(self, clock, runtime, function, *, arn, visibility, most, body):
        self._clock = clock
        self._runtime = runtime
        self._function = function
        self._arn = arn
        self._visibility = visibility
        self._most = most
        self._body = body
        self._order = count()
        self._sent = deque()
        self._back = []
        self._line = []
        self._sent_at = array("d")
        self._hidden = {}
        self._received = {}
        self._live = 0
        self._video = array("l")
        self._receives = array("h")
        self._attempts = {}
        self._under_way = 0
        self.enabled = True

    def send(self, number, attempt):
        """Add a message."""
        message = len(self._video)
        self._video.append(number)
        self._receives.append(0)
        if attempt:
            self._attempts[message] = attempt
        self._sent_at.append(self._clock.now())
        self._sent.append((self._clock.now(), next(self._order), message))
        self._live += 1
        if self._under_way < self._most:
            self._clock.call_later(0.0, self.look)

    def hide(self, handle, seconds):
        """Hide a received message for so long; return the refusal where it is not in flight, or 12 hours would be exceeded."""
        message, receipt = map(int, handle.split())
        now = self._clock.now()
        visible_at = self._hidden.get(message)
        if visible_at is None or visible_at <= now or self._receives[message] != receipt:
            return NOT_IN_FLIGHT
        if now + seconds - self._received[message] > MAX_VISIBILITY_SECONDS:
            return TOO_LONG
        self._hidden[message] = now + seconds
        heappush(self._back, (now + seconds, next(self._order), message))
        self._clock.call_later(seconds, self.look)
        return None

    def depth(self):
        """Return how many messages are visible, and how many are not."""
        now = self._clock.now()
        hidden = sum(visible_at > now for visible_at in self._hidden.values())
        return Depth(self._live - hidden, hidden)

    def purge(self):
        """Throw everything away."""
        self._sent.clear()
        self._back.clear()
        self._line.clear()
        self._hidden.clear()
        self._live = 0

    def look(self):
        """Take messages while there are some and starters are free."""
        while self.enabled and self._under_way < self._most:
            message = self._next()
            if message is None:
                return
            self._under_way += 1
            self._hand_over(message)

    def _next(self):
        now, sent, back, line = self._clock.now(), self._sent, self._back, self._line
        while back and back[0][0] <= now:
            visible_at, order, message = heappop(back)
            if self._hidden.get(message) == visible_at:
                place = self._sent_at[message] if self._receives[message] < BACK_AFTER_RECEIVES else visible_at
                heappush(line, (place, order, message))
        while line and self._hidden.get(line[0][2], inf) > now:
            heappop(line)
        if line and not (sent and sent[0] < line[0]):
            return heappop(line)[2]
        return sent.popleft()[2] if sent else None

    def _hand_over(self, message):
        self._receives[message] += 1
        self._hidden[message] = visible_at = self._clock.now() + self._visibility
        self._received[message] = self._clock.now()
        heappush(self._back, (visible_at, next(self._order), message))
        record = {
            "messageId": "message",
            "receiptHandle": f"{message} {self._receives[message]}",
            "body": self._body(self._video[message], self._attempts.get(message, 0)),
            "attributes": {"ApproximateReceiveCount": str(self._receives[message])},
            "eventSourceARN": self._arn,
        }
        self._runtime.start(self._function, {"Records": [record]}, partial(self._ended, message))

    def _ended(self, message, answer, fault):
        self._under_way -= 1
        if fault is None and not answer["batchItemFailures"]:
            if self._hidden.pop(message, None) is not None:
                self._live -= 1
                del self._received[message]
        elif fault is not None:
            self._clock.call_later(self._hidden[message] - self._clock.now(), self.look)
        self._clock.call_later(0.0, self.look)


class MemoryQueues:
    """The port of the lanes (`handlers.adapters.queue.LaneQueues`) for one environment."""

    def __init__(self, environment, lanes, arns):
        self._call = environment.call
        self._lanes = lanes
        self._arns = arns

    def send(self, record):
        """Send a record's message."""
        self._call("sqs.SendMessage", lambda _: self._send(record), None)

    def _send(self, record):
        self._lanes[record.lane].send(worlds.number_of(record.video.key), record.attempt)

    def lane(self, queue_arn):
        """Return which lane a queue is."""
        return self._arns[queue_arn]

    def hide(self, lane, receipt_handle, seconds):
        """Hide a message."""
        timeout = min(MAX_VISIBILITY_SECONDS, max(0, round(seconds)))

        def act(_):
            refused = self._lanes[lane].hide(receipt_handle, timeout)
            if refused is not None:
                raise refused.with_traceback(None)

        try:
            self._call("sqs.ChangeMessageVisibility", act, None)
        except ClientError:
            return False
        return True

    def send_all(self, records):
        """Send messages ten at a time."""
        taken = sorted(records, key=lambda record: record.lane)
        for first in range(0, len(taken), 10):
            ten = taken[first : first + 10]
            self._call("sqs.SendMessageBatch", lambda _, ten=ten: [self._send(record) for record in ten], None)
        return taken

    def depth(self, lane):
        """Return how many messages a lane holds."""
        return self._call("sqs.GetQueueAttributes", lambda _: self._lanes[lane].depth(), None)

    def dead_letters(self, lane):  # in memory none dies: a message would have to be received 1,000 times
        """Return how many dead letters a lane has."""
        return self._call("sqs.GetQueueAttributes", lambda _: 0, None)

    def purge(self, lane):
        """Throw a lane's messages away."""
        self._call("sqs.PurgeQueue", lambda _: self._lanes[lane].purge(), None)
        return True
