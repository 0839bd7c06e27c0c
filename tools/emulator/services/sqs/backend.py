"""SQS's queues: moto holds their names and settings, this module their messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.sqs.models import Queue, sqs_backends

from tools.emulator.core import Clock, ReceivedMessage
from tools.emulator.services.sqs.errors import SqsError
from tools.emulator.services.sqs.queue import Depth, Limits, Message, MessageQueue
from tools.emulator.settings import EmulatorSettings

# How often a long poll looks again, in seconds of real time.
POLL_SECONDS = 0.02
# The attribute of moto's queue that holds our messages, so that they are deleted with the queue.
_STORE = "offline_world_messages"


class SqsService:
    """SQS; implements `ports.Queues` and `ports.ReceivingQueues`."""

    def __init__(self, *, clock: Clock, settings: EmulatorSettings) -> None:
        self._clock = clock
        self._settings = settings
        self._on_visible: list[Callable[[str], None]] = []

    def when_visible(self, action: Callable[[str], None]) -> None:
        """Have an action called with a queue's ARN whenever a message is sent to the queue or made visible again."""
        self._on_visible.append(action)

    # By ARN, for other services; each method raises LookupError if there is no such queue.

    def send(self, queue_arn: str, body: str, attributes: dict[str, str]) -> None:
        """Send a message with attributes of type String."""
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        self.put(self._known(queue_arn), body, typed)

    def receive(self, queue_arn: str, max_messages: int) -> Sequence[ReceivedMessage]:
        """Receive up to `max_messages` without waiting."""
        return self.take(self._known(queue_arn), max_messages)

    def visibility_seconds(self, queue_arn: str) -> float:
        """Return the queue's visibility timeout."""
        return limits_of(self._known(queue_arn)).visibility_seconds

    def delete(self, queue_arn: str, receipt_handles: Sequence[str]) -> None:
        """Delete messages."""
        messages = self.messages(self._known(queue_arn))
        for handle in receipt_handles:
            messages.delete(handle)

    def depth(self, queue_arn: str) -> Depth:
        """Return how many messages a queue holds."""
        queue = self._known(queue_arn)
        return self.messages(queue).depth(limits_of(queue))

    # By moto's queue, for requests.

    def queue(self, name: str) -> Queue:
        """Return moto's queue by its name.

        Raises:
            SqsError: There is none.
        """
        found = sqs_backends[self._settings.account_id][self._settings.region].queues.get(name)
        if found is None:
            raise SqsError("QueueDoesNotExist", "The specified queue does not exist.", "AWS.SimpleQueueService.NonExistentQueue")
        return found

    def messages(self, queue: Queue) -> MessageQueue:
        """Return the messages of moto's queue."""
        if _STORE not in vars(queue):
            made = MessageQueue(self._clock, refuses_late=self._settings.sqs_refuses_late_receipts)
            vars(queue).setdefault(_STORE, made)  # another thread may have been first
        return vars(queue)[_STORE]  # type: ignore[no-any-return] # moto is untyped

    def put(
        self, queue: Queue, body: str, attributes: Mapping[str, Any], *, delay: float | None = None, trace: str | None = None
    ) -> Message:
        """Send a message."""
        message = self.messages(queue).send(body, attributes, limits_of(queue), delay=delay, trace=trace)
        self._notify(queue)
        return message

    def take(self, queue: Queue, count: int, *, visibility: float | None = None, wait: float = 0.0) -> list[ReceivedMessage]:
        """Receive messages, waiting up to `wait` seconds for the first; those received too often become dead letters."""
        until = self._clock.now() + wait
        while True:
            received, dead = self.messages(queue).receive(count, limits_of(queue), visibility)
            self._move_to_dlq(queue, dead)
            left = until - self._clock.now()
            if received or left <= 0:
                return received
            self._clock.sleep(min(POLL_SECONDS * self._settings.speed, left))

    def change_visibility(self, queue: Queue, handle: str, seconds: float) -> None:
        """Hide a received message for some seconds from now on; 0 makes it visible at once."""
        self.messages(queue).change_visibility(handle, seconds)
        if not seconds:
            self._notify(queue)

    def _move_to_dlq(self, queue: Queue, dead: Sequence[Message]) -> None:
        dlq = queue.dead_letter_queue
        for message in dead:
            message.source_arn = queue.queue_arn
            message.visible_at = self._clock.now()
            if dlq is not None:
                self.messages(dlq).add(message)
                self._notify(dlq)

    def _notify(self, queue: Queue) -> None:
        for action in self._on_visible:
            action(queue.queue_arn)

    def _known(self, queue_arn: str) -> Queue:
        try:
            return self.queue(queue_arn.rpartition(":")[2])
        except SqsError as error:
            raise LookupError(f"no queue {queue_arn}") from error


def limits_of(queue: Queue) -> Limits:
    """Return the current settings of moto's queue."""
    redrive = queue.redrive_policy or {}
    return Limits(
        visibility_seconds=float(queue.visibility_timeout),
        delay_seconds=float(queue.delay_seconds),
        retention_seconds=float(queue.message_retention_period),
        max_receives=redrive.get("maxReceiveCount"),
    )
