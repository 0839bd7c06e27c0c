"""Lambda, SQS, SNS and Rekognition in memory, for a million videos: what the emulator's engines do, without JSON, ids and history.

Every rule here stands in an engine too; 10,000 videos run both ways, and Rekognition's book must be the same.
"""

import json
from array import array
from collections import deque
from contextlib import contextmanager
from functools import partial
from heapq import heappop, heappush
from itertools import count
from math import isnan
from types import SimpleNamespace

from botocore.exceptions import ClientError

from handlers.adapters.hits import hits_key
from handlers.adapters.queue import Depth
from tests.bench.simulation import world as worlds
from tests.bench.simulation.rekognition import ROWS
from tools.emulator.ports import InvocationResult
from tools.emulator.rekognition.errors import RekognitionError
from tools.emulator.rekognition.quotas import RateLimit

_KEPT_SECONDS = 7 * 86_400
MAX_VISIBILITY_SECONDS = 43_200
_RETRIES = 2
_RETRY_SECONDS = 60.0


class QuickLambda:
    """Functions: for S3 Batch, for events, and for the schedule."""

    def __init__(self, clock, runtime, functions):
        self._clock = clock
        self._runtime = runtime
        self._functions = functions

    def invoke(self, name, payload, done):
        """Invoke a function for S3 Batch."""

        def ended(answer, fault):
            body = json.dumps(answer if fault is None else {"errorMessage": str(fault)}).encode()
            done(InvocationResult(200, body, None if fault is None else "Unhandled"))

        self._runtime.start(self._functions[name], json.loads(payload.decode()), ended)

    def event(self, name, event):
        """Invoke a function asynchronously, with Lambda's retries."""
        self._clock.call_later(0.0, partial(self._begin, name, event, 0))

    def _begin(self, name, event, failures):
        def ended(_, fault):
            if fault is not None and failures < _RETRIES:
                self._clock.call_later(_RETRY_SECONDS, partial(self._begin, name, event, failures + 1))

        self._runtime.start(self._functions[name], event, ended)

    def every(self, seconds, name):
        """Invoke a function asynchronously again and again."""

        def due():
            self._clock.call_later(seconds, due)
            self.event(name, {})

        self._clock.call_later(seconds, due)


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
        self._hidden = {}
        self._first = {}
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
        self._sent.append((self._clock.now(), next(self._order), message))
        self._live += 1
        if self._under_way < self._most:
            self._clock.call_later(0.0, self.look)

    def hide(self, handle, seconds):
        """Hide a received message for so long; False where it is not in flight with this receipt."""
        message, receipt = map(int, handle.split())
        now = self._clock.now()
        visible_at = self._hidden.get(message)
        if visible_at is None or visible_at <= now or self._receives[message] != receipt:
            return False
        if now + seconds - self._first[message] > MAX_VISIBILITY_SECONDS:
            return False
        self._hidden[message] = now + seconds
        heappush(self._back, (now + seconds, next(self._order), message))
        self._clock.call_later(seconds, self.look)
        return True

    def depth(self):
        """Return how many messages are visible, and how many are not."""
        now = self._clock.now()
        hidden = sum(visible_at > now for visible_at in self._hidden.values())
        return Depth(self._live - hidden, hidden)

    def purge(self):
        """Throw everything away."""
        self._sent.clear()
        self._back.clear()
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
        now, sent, back = self._clock.now(), self._sent, self._back
        while back and self._hidden.get(back[0][2]) != back[0][0]:
            heappop(back)
        if back and back[0][0] <= now and not (sent and sent[0] < back[0]):
            return heappop(back)[2]
        return sent.popleft()[2] if sent else None

    def _hand_over(self, message):
        self._receives[message] += 1
        self._hidden[message] = visible_at = self._clock.now() + self._visibility
        self._first.setdefault(message, self._clock.now())
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
                del self._first[message]
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
            if not self._lanes[lane].hide(receipt_handle, timeout):
                raise NOT_IN_FLIGHT.with_traceback(None)

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


class MemoryHits:
    """The port of the hits (`handlers.adapters.hits.HitStore`): counts them, and keeps nothing."""

    def __init__(self, environment):
        self._call = environment.call

    @contextmanager
    def file(self, record):
        """Give what takes a record's hits."""
        yield _Hits(hits_key(record))

    def keep(self, file):
        """Keep nothing."""
        self._call("s3.PutObject", lambda _: None, file)


class _Hits:
    def __init__(self, key):
        self.key = key
        self.count = 0

    def take(self, hits):
        """Yield hits."""
        self.count += len(hits)
        return hits


class QuickRekognition:
    """Rekognition's quota, rates, tokens, jobs and notices; `notify(job_id)` is called when a notice arrives."""

    def __init__(self, world, book, clock, settings):
        self._world = world
        self._book = book
        self._clock = clock
        self._settings = settings
        self._starts = RateLimit(settings.starts_per_second)
        self._gets = RateLimit(settings.gets_per_second)
        self._counted = {}
        self._tokens = {}
        self._tags = {}
        self._opened = deque()
        self._over = deque()
        self.notify = None

    def client(self, environment, *, token=True):
        """Return a client for an environment; without `token` Start forgets its ClientRequestToken."""
        start = self._start if token else self._start_without_token

        def start_content_moderation(**parameters):
            return environment.call("rekognition.StartContentModeration", start, parameters)

        def get_content_moderation(**parameters):
            return environment.call("rekognition.GetContentModeration", self._get, parameters)

        return SimpleNamespace(start_content_moderation=start_content_moderation, get_content_moderation=get_content_moderation)

    def _start_without_token(self, parameters):
        return self._start({**parameters, "ClientRequestToken": None})

    def _start(self, parameters):
        self._book.calls += 1
        now, token = self._clock.now(), parameters["ClientRequestToken"]
        _admit(self._starts, now)
        self._forget(now)
        job = self._tokens.get(token)
        if job is None:
            self._refuse_when_full(now)
            job = self._open(parameters, now)
            if token is not None:
                self._tokens[token] = job
                self._opened.append((now, token))
        return {"JobId": str(job)}

    def _refuse_when_full(self, now):
        for job in [job for job, until in self._counted.items() if until <= now]:
            del self._counted[job]
        if len(self._counted) >= self._settings.account_jobs:
            raise FULL.with_traceback(None)

    def _open(self, parameters, now):
        number = worlds.number_of(parameters["Video"]["S3Object"]["Name"])
        job = self._book.note_opened(number, now)
        self._tags[job] = parameters["JobTag"]
        self._counted[job] = float("inf")
        takes = self._settings.analysis_base_seconds + self._settings.analysis_factor * (self._world.lengths_ms[number] / 1_000)
        self._clock.call_later(now + takes - now, partial(self._finish, job, number))
        return job

    def _finish(self, job, number):
        now = self._clock.now()
        until = now + self._world.quota_lags[number]
        self._book.note_closed(job, now, until)
        self._counted[job] = until
        self._over.append((now, job))
        for _ in range(worlds.COPIES[self._world.notices[number]]):
            self._clock.call_later(self._world.notice_seconds(number), partial(self.notify, str(job)))

    def _get(self, parameters):
        self._book.calls += 1
        now, job = self._clock.now(), int(parameters["JobId"])
        _admit(self._gets, now)
        self._forget(now)
        if job not in self._tags:
            raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "Could not find JobId"}}, "Operation")
        number = self._book.video[job]
        closed = self._book.closed[job]
        answer = {
            "JobStatus": "IN_PROGRESS",
            "Video": {"S3Object": {"Bucket": worlds.BUCKET, "Name": worlds.key_of(number)}},
            "JobTag": self._tags[job],
            "ModerationLabels": [],
        }
        if not isnan(closed):
            answer["JobStatus"] = "SUCCEEDED"
            answer["VideoMetadata"] = {"DurationMillis": self._world.lengths_ms[number]}
            answer["ModerationModelVersion"] = "7.0"
            answer["ModerationLabels"] = ROWS[: parameters["MaxResults"]] if self._world.flagged[number] else []
            if parameters["MaxResults"] > 1:
                self._book.note_read(job, now)
        return answer

    def _forget(self, now):
        while self._opened and self._opened[0][0] + _KEPT_SECONDS <= now:
            self._tokens.pop(self._opened.popleft()[1], None)
        while self._over and self._over[0][0] + _KEPT_SECONDS <= now:
            self._tags.pop(self._over.popleft()[1], None)


def _admit(limit, now):
    try:
        limit.admit(now)
    except RekognitionError:
        raise TOO_FAST.with_traceback(None) from None


def _error(code):
    return ClientError({"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Operation")


FULL = _error("LimitExceededException")
TOO_FAST = _error("ProvisionedThroughputExceededException")
NOT_IN_FLIGHT = _error("AWS.SimpleQueueService.MessageNotInflight")
