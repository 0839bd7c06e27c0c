"""Ordered faults: the n-th call of an operation from now on is throttled, fails, or is carried out but its answer lost."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(slots=True)
class Order:
    """Which calls go wrong, and how."""

    service: str
    operation: str
    skip: int  # how many calls pass unharmed first
    times: int  # how many calls go wrong then
    status: int
    code: str
    message: str
    carried_out: bool  # whether the calls are carried out all the same, and only their answers lost


class ApiFaults:
    """The open orders; those for the same operation take effect in the order in which they were given."""

    def __init__(self) -> None:
        self._orders: list[Order] = []
        self._lock = threading.Lock()

    def throttle(self, service: str, operation: str, *, nth: int = 1, times: int = 1, code: str = "ThrottlingException") -> None:
        """Refuse `times` calls, beginning with the n-th from now on, with HTTP 400 and a code."""
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
        """Answer `times` calls, beginning with the n-th from now on, with a server error; they are not carried out."""
        self._order(
            Order(service, operation, nth - 1, times, status, code, "An error occurred on the server side.", carried_out=False)
        )

    def lose_answer(self, service: str, operation: str, *, nth: int = 1, times: int = 1) -> None:
        """Carry out `times` calls, beginning with the n-th from now on, but answer them with HTTP 500."""
        self._order(Order(service, operation, nth - 1, times, 500, "InternalServerError", "The answer was lost.", carried_out=True))

    def take(self, service: str, operation: str) -> Order | None:
        """Count a call and return the order that strikes it, if any."""
        if not self._orders:  # the usual case, without the lock
            return None
        with self._lock:
            order = next((one for one in self._orders if (one.service, one.operation) == (service, operation)), None)
            if order is None:
                return None
            if order.skip:
                order.skip -= 1
                return None
            order.times -= 1
            if not order.times:
                self._orders.remove(order)
            return order

    def _order(self, order: Order) -> None:
        with self._lock:
            self._orders.append(order)
