"""EventBridge's rate rules: due once a period by the world's clock."""

from __future__ import annotations

import threading
from collections.abc import Callable

from tools.emulator.core import Clock
from tools.emulator.services.events.rule import Rule

Due = Callable[[Rule], None]


class Schedules:
    """Runs rules; a rule that is put again with another expression starts its period anew."""

    def __init__(self, clock: Clock, due: Due) -> None:
        self._clock = clock
        self._when_due = due
        self._rules: dict[str, tuple[Rule, object]] = {}  # each with a token for its chain of timers
        self._lock = threading.Lock()

    def put(self, rule: Rule) -> None:
        """Run a rule from now on.

        Raises:
            ValueError: The expression is not `rate(...)`.
        """
        period = rule.period
        with self._lock:
            before = self._rules.get(rule.arn)
            unchanged = before is not None and before[0].expression == rule.expression
            chain = before[1] if before is not None and unchanged else object()
            self._rules[rule.arn] = (rule, chain)
        if not unchanged:
            self._clock.call_later(period, lambda: self._due(rule.arn, chain))

    def remove(self, rule_arn: str) -> None:
        """Stop a rule."""
        with self._lock:
            self._rules.pop(rule_arn, None)

    def close(self) -> None:
        """Stop all rules."""
        with self._lock:
            self._rules.clear()

    def _due(self, arn: str, chain: object) -> None:
        with self._lock:
            rule, current = self._rules.get(arn, (None, None))
        if rule is None or current is not chain:
            return  # removed, or replaced by a rule with timers of its own
        self._clock.call_later(rule.period, lambda: self._due(arn, chain))
        if rule.enabled:
            self._when_due(rule)
