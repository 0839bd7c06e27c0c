"""EventBridge's requests: moto stores rules and targets, the hooks pass them on to the bus, and the bus answers PutEvents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from moto.events import urls
from moto.events.models import EventsBackend
from moto.events.responses import EventsHandler
from moto.s3 import models as s3_models

from tools.emulator.core import Answer, AwsError, moto_hooks, refuse
from tools.emulator.core.moto_hooks import After, Replacement
from tools.emulator.services.events import pattern
from tools.emulator.services.events.backend import EventBus
from tools.emulator.services.events.put_events import put_events
from tools.emulator.services.events.rule import Rule, Target

OPERATIONS = frozenset(
    {
        "DeleteRule",
        "DescribeEventBus",
        "DescribeRule",
        "DisableRule",
        "EnableRule",
        "ListEventBuses",
        "ListRuleNamesByTarget",
        "ListRules",
        "ListTagsForResource",
        "ListTargetsByRule",
        "PutEvents",
        "PutRule",
        "PutTargets",
        "RemoveTargets",
        "TagResource",
        "TestEventPattern",
        "UntagResource",
    }
)
# Of a target; RetryPolicy has no effect, because a target that is there takes the first delivery.
_TARGET = ("Id", "Arn", "Input", "DeadLetterConfig", "RetryPolicy")


class RulesResponse(EventsHandler):  # type: ignore[misc] # moto is untyped
    """Moto's EventBridge with a bus, which a subclass of each installation holds."""

    bus: EventBus

    def call_action(self) -> Any:  # noqa: ANN401 - moto's answer
        """Answer any operation; what neither this nor moto does right is refused by name."""
        try:
            if self._get_action() not in OPERATIONS:
                raise refuse("events", f"the operation {self._get_action()}")
            if str(self._get_param("EventBusName") or "default").rpartition("/")[2] != "default":
                raise refuse("events", f"the event bus {self._get_param('EventBusName')}")
            return super().call_action()
        except AwsError as error:
            return _answer(error)

    def put_rule(self) -> Any:  # noqa: ANN401 - moto's answer
        if text := self._get_param("EventPattern"):
            pattern.parse(text)  # before moto stores the rule
        return super().put_rule()

    def put_targets(self) -> Any:  # noqa: ANN401 - moto's answer
        for target in self._get_param("Targets"):
            _target(target)  # before moto stores it
        super().put_targets()
        # moto's names of the members are wrong [bc:PutTargetsResponse].
        return json.dumps({"FailedEntryCount": 0, "FailedEntries": []})

    def put_events(self) -> str:
        return json.dumps(put_events(self.bus, self._get_param("Entries"), self.bus.settings.put_events_max_bytes))

    def test_event_pattern(self) -> str:
        return json.dumps({"Result": pattern.parse(self._get_param("EventPattern")).matches(self._get_param("Event"))})


def hooks(bus: EventBus) -> Iterator[moto_hooks.Hook]:
    """Yield the hooks that pass moto's rules to a bus and have it answer EventBridge's requests."""
    installed: type[RulesResponse] = type("InstalledRulesResponse", (RulesResponse,), {"bus": bus})
    yield from moto_hooks.routes(urls, installed.dispatch)

    def changed(_: object, backend: Any, name: str, event_bus_arn: str | None = None, *__: Any, **___: Any) -> None:  # noqa: ANN401 - moto's
        _put(bus, backend.describe_rule(name, event_bus_arn))

    def deleted(_: object, backend: Any, name: str, *__: Any, **___: Any) -> None:  # noqa: ANN401 - moto's
        bus.remove(f"arn:aws:events:{backend.region_name}:{backend.account_id}:rule/{name}")

    yield After(EventsBackend, "put_rule", lambda rule, *_, **__: _put(bus, rule))
    for name in ("put_targets", "remove_targets", "enable_rule", "disable_rule"):
        yield After(EventsBackend, name, changed)
    yield After(EventsBackend, "delete_rule", deleted)
    # moto sends functions an event for a new bucket, which AWS does not [S3:EventBridge].
    yield Replacement(s3_models, "events_send_notification", lambda *_, **__: None)


def _put(bus: EventBus, rule: Any) -> None:  # noqa: ANN401 - moto's
    text = rule.event_pattern.dump()
    try:
        bus.put(
            Rule(
                arn=rule.arn,
                expression=rule.scheduled_expression or None,
                pattern=pattern.parse(text) if text else None,
                enabled=rule.state == "ENABLED",
                targets=tuple(map(_target, rule.targets)),
            )
        )
    except ValueError as fault:
        raise AwsError("ValidationException", str(fault)) from fault


def _target(given: dict[str, Any]) -> Target:
    for name in given:
        if name not in _TARGET:
            raise refuse("events", f"the property {name} of a target")
    if not any(service in given["Arn"] for service in (":lambda:", ":sqs:")):
        raise refuse("events", f"targets other than functions and queues, such as {given['Arn']},")
    return Target(given["Arn"], given.get("Input"), given.get("DeadLetterConfig", {}).get("Arn"))


def _answer(error: AwsError) -> Answer:
    body = json.dumps({"__type": error.code, "message": error.message})
    return error.status, {"Content-Type": "application/x-amz-json-1.1", "status": str(error.status)}, body
