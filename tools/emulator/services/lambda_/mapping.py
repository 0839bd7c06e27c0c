"""Event source mappings: a poller that reads an SQS queue and invokes a function with what it finds."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tools.emulator.core.clock import Clock
from tools.emulator.core.ports import InvocationResult, ReceivedMessage, ReceivingQueues
from tools.emulator.services.lambda_ import batch
from tools.emulator.services.lambda_.errors import MappingError

# MaximumConcurrency of an SQS mapping [bc:lambda ScalingConfig].
LEAST_MAXIMUM_CONCURRENCY = 2
GREATEST_MAXIMUM_CONCURRENCY = 1000
# Without MaximumConcurrency Lambda begins with five batches at a time [L:services-sqs-scaling]; it scales further, this does not.
UNLIMITED_CONCURRENCY = 5
MOST_MESSAGES_PER_RECEIVE = 10  # ReceiveMessage's MaxNumberOfMessages
# After a throttled invocation; undocumented, so it is ours.
FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 60.0

_OK = 200
_LOOP = 400
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """An event source mapping from an SQS queue to a function, as CreateEventSourceMapping gives it."""

    uuid: str
    queue_arn: str
    function_arn: str
    batch_size: int = 10
    maximum_concurrency: int | None = None
    report_item_failures: bool = False
    enabled: bool = True

    def __post_init__(self) -> None:
        """Refuse a maximum concurrency outside AWS's bounds."""
        limit = self.maximum_concurrency
        if limit is not None and not LEAST_MAXIMUM_CONCURRENCY <= limit <= GREATEST_MAXIMUM_CONCURRENCY:
            raise MappingError(f"MaximumConcurrency {limit} is not in 2..1000")

    @property
    def limit(self) -> int:
        """How many batches may be under way at a time."""
        return self.maximum_concurrency or UNLIMITED_CONCURRENCY


# Invokes a function with a batch, the trace headers of its messages, and what is called once with the result.
InvokeBatch = Callable[[str, bytes, Sequence[str], Callable[[InvocationResult], None]], None]


@dataclass(frozen=True, slots=True)
class _Batch:
    """Messages that were received, and until when the queue hides them.

    "Lambda continues to retry the message until the message's timestamp exceeds your queue's visibility timeout" where the function
    is throttled [L:services-sqs-errorhandling].
    """

    mapping: Mapping
    messages: Sequence[ReceivedMessage]
    until: float


class Poller:
    """Reads one mapping's queue while it is enabled and below its maximum concurrency.

    It looks when it is notified that something was sent, when an invocation of its own has ended, and every `idle_seconds`.
    """

    def __init__(
        self, mapping: Mapping, *, clock: Clock, queues: ReceivingQueues, invoke: InvokeBatch, idle_seconds: float | None
    ) -> None:
        self._mapping = mapping
        self._clock = clock
        self._queues = queues
        self._invoke = invoke
        self._idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._under_way = 0
        self._open = True
        self._looking = False
        self._look_again = False
        self._resting_until = 0.0
        self._backoff = FIRST_BACKOFF_SECONDS
        self.wake()
        self._tick_later()

    @property
    def mapping(self) -> Mapping:
        """The mapping as it is now."""
        return self._mapping

    @property
    def state(self) -> str:
        """`Enabled`, `Disabling` (batches are still under way) or `Disabled`."""
        with self._lock:
            if self._mapping.enabled:
                return "Enabled"
            return "Disabling" if self._under_way else "Disabled"

    def update(self, mapping: Mapping) -> None:
        """Take a changed mapping over."""
        with self._lock:
            self._mapping = mapping
        self.wake()

    def close(self) -> None:
        """Read no more; batches under way end as they would."""
        with self._lock:
            self._open = False

    def wake(self) -> None:
        """Look at the queue soon, in a thread of the clock's."""
        self._clock.call_later(0.0, self.look)

    def look(self) -> None:
        """Take batches until the queue seems empty or the concurrency is used up."""
        if not self._begin_looking():
            return
        try:
            while self._wanted():
                while self._take_one():
                    pass
        except BaseException:  # a fault of the queue's must not leave the mapping blind
            self._end_looking()
            raise

    def _begin_looking(self) -> bool:
        """Return whether this call may look; if another call is looking, that one looks once more."""
        with self._lock:
            first = not self._looking
            self._looking = True
            self._look_again = True
            return first

    def _wanted(self) -> bool:
        with self._lock:
            wanted = self._look_again
            self._look_again = False
            self._looking = wanted
            return wanted

    def _end_looking(self) -> None:
        with self._lock:
            self._looking = False

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
        if not messages:
            return False
        self._hand_over(_Batch(mapping, messages, self._clock.now() + self._queues.visibility_seconds(mapping.queue_arn)))
        return True

    def _hand_over(self, held: _Batch) -> None:
        payload = json.dumps(batch.event(held.messages, held.mapping.queue_arn), ensure_ascii=False).encode()
        traces = [message.attributes["AWSTraceHeader"] for message in held.messages if "AWSTraceHeader" in message.attributes]
        self._invoke(held.mapping.function_arn, payload, traces, lambda result: self._ended(held, result))

    def _reserve(self) -> Mapping | None:
        with self._lock:
            mapping = self._mapping
            resting = self._clock.now() < self._resting_until
            if not self._open or not mapping.enabled or resting or self._under_way >= mapping.limit:
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
                wanted = min(mapping.batch_size - len(messages), MOST_MESSAGES_PER_RECEIVE)
                found = self._queues.receive(mapping.queue_arn, wanted)
                messages.extend(found)
                if len(found) < wanted:
                    break
        except LookupError:
            log.warning("the queue %s of an event source mapping does not exist", mapping.queue_arn)
        return messages

    def _ended(self, held: _Batch, result: InvocationResult) -> None:
        # A stopped loop only lets the message come back, until the queue's redrive policy takes it.
        if result.status not in (_OK, _LOOP) and self._try_again_later(held):
            return
        try:
            if result.status == _OK:
                self._backoff = FIRST_BACKOFF_SECONDS
                self._delete(held.mapping, _handled(held.mapping, held.messages, result))
        finally:
            self._release()
            self.wake()

    def _try_again_later(self, held: _Batch) -> bool:
        """Keep a throttled batch, and its place among those under way, for another try; False if its messages come back before."""
        wait = self._rest()
        if not self._open or self._clock.now() + wait >= held.until:
            return False
        self._clock.call_later(wait, lambda: self._hand_over(held))
        return True

    def _delete(self, mapping: Mapping, handles: Sequence[str]) -> None:
        if not handles:
            return
        try:
            self._queues.delete(mapping.queue_arn, handles)
        except LookupError:
            log.warning("the queue %s went away under its event source mapping", mapping.queue_arn)

    def _rest(self) -> float:
        """Read nothing for a while after a throttled invocation; return for how long."""
        with self._lock:
            wait = self._backoff
            self._resting_until = self._clock.now() + wait
            self._clock.call_later(wait, self.look)
            self._backoff = min(wait * 2, LONGEST_BACKOFF_SECONDS)
            return wait

    def _tick_later(self) -> None:
        if self._idle_seconds is not None:
            self._clock.call_later(self._idle_seconds, self._tick)

    def _tick(self) -> None:
        with self._lock:
            if not self._open:
                return
        self.look()
        self._tick_later()


def _handled(mapping: Mapping, messages: Sequence[ReceivedMessage], result: InvocationResult) -> list[str]:
    if result.function_error is not None:
        return []
    failed = batch.failed(result.payload, messages) if mapping.report_item_failures else set()
    return [message.receipt_handle for message in messages if message.message_id not in failed]
