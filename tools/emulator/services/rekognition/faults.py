"""Ordered faults of Rekognition: each applies to the next occasions and is then over."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from tools.emulator.services.rekognition.errors import RekognitionError


@dataclass(frozen=True, slots=True)
class NoticeOrder:
    """How one completion notice is sent: in how many copies, and how many seconds late."""

    copies: int = 1
    delay_seconds: float = 0.0


class CallFaults:
    """The open orders for one operation, which take effect in the order in which they were given."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._refusals: deque[RekognitionError] = deque()
        self._lost_answers = 0

    def refuse(self, code: str, message: str = "Ordered by a test.", *, count: int = 1, status: int = 400) -> None:
        """Refuse the next calls; nothing is done."""
        with self._lock:
            self._refusals.extend(RekognitionError(code, message, status) for _ in range(count))

    def lose_answers(self, count: int = 1) -> None:
        """Answer the next calls that succeed with HTTP 500 all the same."""
        with self._lock:
            self._lost_answers += count

    def before(self) -> None:
        """Raise the error that was ordered for this call, if any."""
        with self._lock:
            refusal = self._refusals.popleft() if self._refusals else None
        if refusal is not None:
            raise refusal

    def after(self) -> None:
        """Raise InternalServerError if the answer to this call was ordered to be lost."""
        with self._lock:
            lost = self._lost_answers > 0
            self._lost_answers -= lost
        if lost:
            raise RekognitionError("InternalServerError", "Internal server error.", 500)


class Faults:
    """The open orders for Starts and notices; those of the same kind take effect in the order in which they were given."""

    def __init__(self) -> None:
        self.starts = CallFaults()
        self._lock = threading.Lock()
        self._notices: deque[NoticeOrder] = deque()

    def lose_notices(self, count: int = 1) -> None:
        """Do not send the next notices."""
        self._order_notices(NoticeOrder(copies=0), count)

    def repeat_notices(self, count: int = 1, copies: int = 2) -> None:
        """Send each of the next notices several times."""
        self._order_notices(NoticeOrder(copies=copies), count)

    def delay_notices(self, seconds: float, count: int = 1) -> None:
        """Send the next notices late."""
        self._order_notices(NoticeOrder(delay_seconds=seconds), count)

    def refuse_starts(self, code: str, message: str = "Ordered by a test.", *, count: int = 1, status: int = 400) -> None:
        """Refuse the next Starts; nothing is started."""
        self.starts.refuse(code, message, count=count, status=status)

    def lose_start_answers(self, count: int = 1) -> None:
        """Answer the next Starts that open a job with HTTP 500 although the job runs."""
        self.starts.lose_answers(count)

    def next_notice(self) -> NoticeOrder:
        """Return how to send the notice that is now due."""
        with self._lock:
            return self._notices.popleft() if self._notices else NoticeOrder()

    def _order_notices(self, order: NoticeOrder, count: int) -> None:
        with self._lock:
            self._notices.extend([order] * count)
