"""EventBridge's default bus: events of services and of PutEvents reach the targets of the rules that match them."""

from __future__ import annotations

import json
import random
import threading
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tools.emulator.core import AwsError, Clock, Functions, Queues
from tools.emulator.services.events.rule import Rule, Target
from tools.emulator.services.events.schedule import Schedules
from tools.emulator.settings import EmulatorSettings

Event = dict[str, Any]

# Of an event that could not be delivered, as a dead-letter queue gets it [EB:eb-rule-dlq].
_NO_TARGET = {"ERROR_CODE": "NO_RESOURCE", "ERROR_MESSAGE": "The target does not exist."}


class EventBus:
    """The default bus, with its schedules; thread-safe.

    EventBridge delivers at least once and in no order: `event_delay_seconds`, `event_repeats` and `event_losses` of the settings
    say how late, how often twice, and how often not at all (on AWS: when a rule or permission was missing meanwhile).

    Attributes:
        settings: The settings of the world.
        schedules: The rules with a rate.
        undelivered: How many events found no target and no dead-letter queue.
    """

    def __init__(
        self, *, clock: Clock, settings: EmulatorSettings, functions: Functions, queues: Queues, seed: int | None = None
    ) -> None:
        """Make a bus without rules; `seed` decides which events are lost and repeated, and how late they are."""
        self.settings = settings
        self._clock = clock
        self._functions = functions
        self._queues = queues
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrets
        self._lock = threading.Lock()
        self._rules: dict[str, Rule] = {}
        self.schedules = Schedules(clock, self._scheduled)
        self.undelivered = 0

    def put(self, rule: Rule) -> None:
        """Create or replace a rule.

        Raises:
            ValueError: Its schedule is not a rate.
        """
        if rule.expression is None:
            self.schedules.remove(rule.arn)
        else:
            self.schedules.put(rule)
        with self._lock:
            self._rules[rule.arn] = rule

    def remove(self, rule_arn: str) -> None:
        """Delete a rule."""
        self.schedules.remove(rule_arn)
        with self._lock:
            self._rules.pop(rule_arn, None)

    def send(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = (), time: float | None = None
    ) -> str:
        """Put an event on the bus and return its id; `time` is in epoch seconds, now if None."""
        event = self._event(source, detail_type, detail, resources, time)
        text = json.dumps(event)
        with self._lock:
            rules = [rule for rule in self._rules.values() if rule.enabled and rule.pattern is not None]
        for rule in rules:
            if rule.pattern is not None and rule.pattern.matches(text):
                self._deliver_all(rule, event)
        return str(event["id"])

    def _scheduled(self, rule: Rule) -> None:
        """Send a scheduled event [EB:eb-create-rule-schedule] to a rule's targets."""
        event = self._event("aws.events", "Scheduled Event", {}, [rule.arn], None)
        for target in rule.targets:
            self._deliver(target, event)

    def _event(
        self, source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str], time: float | None
    ) -> Event:
        moment = self._clock.now() if time is None else time
        return {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": detail_type,
            "source": source,
            "account": self.settings.account_id,
            "time": datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self.settings.region,
            "resources": list(resources),
            "detail": dict(detail),
        }

    def _deliver_all(self, rule: Rule, event: Event) -> None:
        for target in rule.targets:
            for delay in self._deliveries():
                self._clock.call_later(delay, lambda target=target: self._deliver(target, event))  # type: ignore[misc] # bound now

    def _deliveries(self) -> list[float]:
        """Return after how many seconds an event is delivered, for each time that it is."""
        with self._lock:
            chance, late = self._random.random(), self._random.random()
            repeated = self._random.random() < self.settings.event_repeats
        if chance < self.settings.event_losses:
            return []
        delay = self.settings.event_delay_seconds * 2 * late
        return [delay, delay + self.settings.event_delay_seconds] if repeated else [delay]

    def _deliver(self, target: Target, event: Event) -> None:
        text = target.constant_input or json.dumps(event, separators=(",", ":"), ensure_ascii=False)
        if not self._reach(target.arn, text, {}):
            reached = target.dead_letter_arn is not None and self._reach(target.dead_letter_arn, text, _NO_TARGET)
            with self._lock:
                self.undelivered += not reached

    def _reach(self, arn: str, text: str, attributes: dict[str, str]) -> bool:
        if ":lambda:" in arn:
            return self._functions.invoke_event(arn, text.encode()) is not None
        try:
            self._queues.send(arn, text, attributes)
        except (LookupError, AwsError):
            return False
        return True
