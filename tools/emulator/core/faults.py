"""Faults of AWS's services on order: the n-th call from now on is refused, fails, or is carried out and its answer lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(slots=True)
class Order:
    """What goes wrong with a call."""

    service: str
    operation: str
    skip: int  # how many calls still pass before it strikes
    times: int  # how many calls it strikes then
    status: int
    code: str
    message: str
    carried_out: bool  # whether the call is carried out all the same; then only its answer is lost


class ApiFaults:
    """The orders that are open; of several for one operation the first given strikes first."""

    def __init__(self) -> None:
        self._orders: list[Order] = []
        self._lock = threading.Lock()

    def throttle(self, service: str, operation: str, *, nth: int = 1, times: int = 1, code: str = "ThrottlingException") -> None:
        """Refuse the n-th call from now on, and the following up to `times`, with HTTP 400 and a code."""
        self._order(Order(service, operation, nth - 1, times, 400, code, "Rate exceeded", carried_out=False))

    def fail(
        self,
        service: str,
        operation: str,
        *,
        nth: int = 1,
        times: int = 1,
        status: int = 500,
        code: str = "InternalServerError",
    ) -> None:
        """Answer the n-th call from now on, and the following up to `times`, with a server's error; it is not carried out."""
        self._order(
            Order(service, operation, nth - 1, times, status, code, "An error occurred on the server side.", carried_out=False)
        )

    def lose_answer(self, service: str, operation: str, *, nth: int = 1, times: int = 1) -> None:
        """Carry out the n-th call from now on, and the following up to `times`, but answer with HTTP 500."""
        self._order(Order(service, operation, nth - 1, times, 500, "InternalServerError", "The answer was lost.", carried_out=True))

    def take(self, service: str, operation: str) -> Order | None:
        """Count a call and return what goes wrong with it, None where nothing does."""
        if not self._orders:  # the usual case, without the lock
            return None
        with self._lock:
            return self._struck(service, operation)

    def _struck(self, service: str, operation: str) -> Order | None:
        for order in self._orders:
            if (order.service, order.operation) != (service, operation):
                continue
            if order.skip:
                order.skip -= 1
                return None
            order.times -= 1
            if not order.times:
                self._orders.remove(order)
            return order
        return None

    def _order(self, order: Order) -> None:
        with self._lock:
            self._orders.append(order)
