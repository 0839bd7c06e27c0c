"""Sending messages about the outbox: of what is new within a minute, and again of what stays."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

from handlers.adapters import OutboxQueue
from handlers.adapters.table import Outbox
from handlers.domain.outbox import MOST_A_MINUTE
from handlers.flows.sweep.context import SweepContext
from handlers.runtime import Clock, Log

# With more messages than these in the queue none is sent: each item may have several by then.
ENOUGH = 1_000

# Messages sent at a time, between two looks at the clock.
TOGETHER = 100


@dataclass(frozen=True, slots=True)
class SendOutbox:
    """Sends a message about each item of the outbox that is due. Messages are sent twice rather than not at all."""

    _outbox: Outbox
    _queue: OutboxQueue
    _clock: Clock

    def run(self, context: SweepContext, until: float) -> None:  # noqa: ARG002 # it needs no scans
        """Send messages, beginning with another shard each minute, so that none keeps the others back."""
        now = self._clock.now()
        if self._queue.depth().total >= ENOUGH:
            return
        due = (item for item in self._outbox.due(int(now // 60)) if item.is_due(now))
        sent = 0
        while self._clock.now() <= until and sent < MOST_A_MINUTE and (some := list(islice(due, TOGETHER))):
            self._queue.send_all(some)
            sent += len(some)
        if sent:
            Log().info("messages of the outbox sent", messages=sent)
