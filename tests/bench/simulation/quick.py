"""Lambda and the work bucket in memory, for a million videos: what the emulator's engines do, without JSON, ids and history.

Every rule here and in the other `quick_` modules is in an engine too; 10,000 videos are run both ways, and Rekognition's book
must be the same.
"""

import json
from contextlib import nullcontext
from functools import partial

from handlers.adapters.hits import hits_key
from tools.emulator.core.ports import InvocationResult

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


class MemoryHits:
    """The port of the hits (`handlers.adapters.hits.HitStore`): counts them, and keeps nothing."""

    def __init__(self, environment):
        self._call = environment.call

    def file(self, record):
        """Give what takes a record's hits."""
        return nullcontext(_Hits(hits_key(record)))

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
