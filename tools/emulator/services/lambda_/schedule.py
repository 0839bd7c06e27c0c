"""EventBridge's rate rules: they invoke their targets asynchronously, once a period by the world's clock."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from tools.emulator.core import Clock

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")
_SECONDS = {"minute": 60.0, "hour": 3600.0, "day": 86_400.0}

InvokeEvent = Callable[[str, bytes], object]


@dataclass(frozen=True, slots=True)
class Target:
    """A function that a rule invokes, with a constant input (JSON) or the event."""

    function_arn: str
    constant_input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A schedule as EventBridge holds it."""

    arn: str
    expression: str
    enabled: bool = True
    targets: tuple[Target, ...] = ()

    @property
    def period(self) -> float:
        """Seconds between two events.

        Raises:
            ValueError: The expression is not `rate(...)`.
        """
        match = _RATE.fullmatch(self.expression)
        if match is None or int(match[1]) == 0:
            raise ValueError(f"rule {self.arn}: the offline world runs rate(...) schedules only, not {self.expression!r}")
        return int(match[1]) * _SECONDS[match[2].removesuffix("s")]


class Schedules:
    """Runs rules; a rule that is put again with another expression starts its period anew."""

    def __init__(self, *, clock: Clock, invoke: InvokeEvent, account_id: str, region: str) -> None:
        self._clock = clock
        self._invoke = invoke
        self._account_id = account_id
        self._region = region
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
            for target in rule.targets:
                self._invoke(target.function_arn, (target.constant_input or self._event(arn)).encode())

    def _event(self, arn: str) -> str:
        """Return a scheduled event [EB:eb-create-rule-schedule]."""
        return json.dumps(
            {
                "version": "0",
                "id": str(uuid.uuid4()),
                "detail-type": "Scheduled Event",
                "source": "aws.events",
                "account": self._account_id,
                "time": datetime.fromtimestamp(self._clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "region": self._region,
                "resources": [arn],
                "detail": {},
            }
        )
