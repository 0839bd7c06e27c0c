"""Event source mappings: a poller receives messages from an SQS queue and invokes a function with them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.emulator.core import Clock, InvocationResult, ReceivedMessage, ReceivingQueues
from tools.emulator.services.lambda_ import batch

# Without MaximumConcurrency Lambda begins with five batches at a time [L:services-sqs-scaling]; it scales up, this does not.
UNLIMITED_CONCURRENCY = 5
# ReceiveMessage's MaxNumberOfMessages.
MOST_MESSAGES_PER_RECEIVE = 10
# After a throttled invocation; AWS documents no value.
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0

_OK = 200
_LOOP = 400
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """The settings of an event source mapping from an SQS queue to a function."""

    uuid: str
    queue_arn: str
    function_arn: str
    batch_size: int = 10
    maximum_concurrency: int | None = None
    report_item_failures: bool = False
    enabled: bool = True


# Invokes a function with a batch and the trace headers of its messages, and calls the last argument once with the result.
InvokeBatch = Callable[[str, bytes, Sequence[str], Callable[[InvocationResult], None]], None]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Received messages, and until when the queue hides them.

    If the function is throttled, "Lambda continues to retry the message until the message's timestamp exceeds your queue's
    visibility timeout" [L:services-sqs-errorhandling].
    """

    mapping: Mapping
    messages: Sequence[ReceivedMessage]
    until: float


class Poller:
    """Polls one mapping's queue while the mapping is enabled and below its maximum concurrency.

    It polls when it is woken, when an invocation of its own has ended, and every `idle_seconds`.
    """

    def __init__(
        self, mapping: Mapping, *, clock: Clock, queues: ReceivingQueues, invoke: InvokeBatch, idle_seconds: float | None
    ) -> None:
        self._mapping = mapping
        self._clock = clock
        self._queues = queues
        self._invoke = invoke
        self._lock = threading.Lock()
        self._under_way = 0
        self._open = True
        self._looking = False
        self._look_again = False
        self._resting_until = 0.0
        self._backoff = FIRST_BACKOFF_SECONDS
        self.wake()
        if idle_seconds is not None:
            clock.call_later(idle_seconds, lambda: self._tick(idle_seconds))

    @property
    def mapping(self) -> Mapping:
        """The current settings."""
        return self._mapping

    @property
    def state(self) -> str:
        """`Enabled`, `Disabling` (batches are still being processed) or `Disabled`."""
        with self._lock:
            if self._mapping.enabled:
                return "Enabled"
            return "Disabling" if self._under_way else "Disabled"

    def update(self, mapping: Mapping) -> None:
        """Use changed settings from now on."""
        with self._lock:
            self._mapping = mapping
        self.wake()

    def close(self) -> None:
        """Poll no more; batches that are being processed are not affected."""
        with self._lock:
            self._open = False

    def wake(self) -> None:
        """Poll soon, in a thread of the clock's."""
        self._clock.call_later(0.0, self.look)

    def look(self) -> None:
        """Receive batches until the queue seems empty or the concurrency is used up."""
        with self._lock:
            self._look_again = True
            if self._looking:
                return  # the call that is looking looks once more
            self._looking = True
        try:
            while self._goes_on_looking():
                while self._take_one():
                    pass
        except BaseException:  # a fault of the queue's must not stop later calls from looking
            self._looking = False
            raise

    def _goes_on_looking(self) -> bool:
        with self._lock:
            self._looking = self._look_again
            self._look_again = False
            return self._looking

    def _take_one(self) -> bool:
        mapping = self._reserve()
        if mapping is None:
            return False
        messages: list[ReceivedMessage] = []
        try:
            messages = self._receive(mapping)
        finally:
            if not messages:
                self._release()
        if messages:
            self._hand_over(_Batch(mapping, messages, self._clock.now() + self._queues.visibility_seconds(mapping.queue_arn)))
        return bool(messages)

    def _hand_over(self, received: _Batch) -> None:
        payload = json.dumps(batch.event(received.messages, received.mapping.queue_arn), ensure_ascii=False).encode()
        traces = [message.attributes["AWSTraceHeader"] for message in received.messages if "AWSTraceHeader" in message.attributes]
        self._invoke(received.mapping.function_arn, payload, traces, lambda result: self._ended(received, result))

    def _reserve(self) -> Mapping | None:
        with self._lock:
            mapping = self._mapping
            resting = self._clock.now() < self._resting_until
            limit = mapping.maximum_concurrency or UNLIMITED_CONCURRENCY
            if not self._open or not mapping.enabled or resting or self._under_way >= limit:
                return None
            self._under_way += 1
            return mapping

    def _release(self) -> None:
        with self._lock:
            self._under_way -= 1

    def _receive(self, mapping: Mapping) -> list[ReceivedMessage]:
        messages: list[ReceivedMessage] = []
        try:
            while len(messages) < mapping.batch_size:
                count = min(mapping.batch_size - len(messages), MOST_MESSAGES_PER_RECEIVE)
                found = self._queues.receive(mapping.queue_arn, count)
                messages.extend(found)
                if len(found) < count:
                    break
        except LookupError:
            log.warning("the queue %s of an event source mapping does not exist", mapping.queue_arn)
        return messages

    def _ended(self, received: _Batch, result: InvocationResult) -> None:
        # After a stopped loop the messages only become visible again, until the queue's redrive policy moves them.
        if result.status not in (_OK, _LOOP) and self._try_again_later(received):
            return
        try:
            if result.status == _OK:
                self._backoff = FIRST_BACKOFF_SECONDS
                if handles := _handled(received.mapping, received.messages, result):
                    self._queues.delete(received.mapping.queue_arn, handles)
        except LookupError:
            log.warning("the queue %s was deleted before its event source mapping", received.mapping.queue_arn)
        finally:
            self._release()
            self.wake()

    def _try_again_later(self, received: _Batch) -> bool:
        """After a throttled invocation, receive nothing for a while and then invoke again.

        Returns False if the messages become visible before that; the batch then gives up its place.
        """
        with self._lock:
            wait = self._backoff
            self._resting_until = self._clock.now() + wait
            self._clock.call_later(wait, self.look)
            self._backoff = min(wait * 2, LONGEST_BACKOFF_SECONDS)
        if not self._open or self._clock.now() + wait >= received.until:
            return False
        self._clock.call_later(wait, lambda: self._hand_over(received))
        return True

    def _tick(self, seconds: float) -> None:
        if self._open:
            self.look()
            self._clock.call_later(seconds, lambda: self._tick(seconds))


def _handled(mapping: Mapping, messages: Sequence[ReceivedMessage], result: InvocationResult) -> list[str]:
    if result.function_error is not None:
        return []
    failed = batch.failed(result.payload, messages) if mapping.report_item_failures else set()
    return [message.receipt_handle for message in messages if message.message_id not in failed]
