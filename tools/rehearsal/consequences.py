"""What follows from a verdict and from a decision in a rehearsal: the tag of an object, and the event about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlers.domain import consequence, consequence_event
from tools.lib.text import printable
from tools.rehearsal.assembly import BUCKET
from tools.rehearsal.waiting import wait_until

if TYPE_CHECKING:
    from tools.emulator.world import World

# The name of both a rule and its queue.
_LISTENER = "listener"


@dataclass(frozen=True, slots=True)
class Seen:
    """The statuses of one object that its tag and the last event about it have, and the judgement that the event names."""

    key: str
    tag: str | None
    event: str | None
    judgement: str | None

    def line(self) -> str:
        by = f", by the decision {self.judgement}" if self.judgement else ""
        return f"Tag {self.tag}, event {self.event}{by}: {printable(self.key)}"


def listen(world: World, pattern: Mapping[str, Any]) -> str:
    """Send events on the default bus that match a pattern to a new queue, by a rule; return the queue's URL."""
    sqs, events = world.client("sqs"), world.client("events")
    url: str = sqs.create_queue(QueueName=_LISTENER)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": arn}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})})
    events.put_rule(Name=_LISTENER, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=_LISTENER, Targets=[{"Id": "queue", "Arn": arn}])
    return url


class Listener:
    """Gets all events about objects by a rule to a queue, as another program of the account would."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._s3 = world.client("s3")
        self._sqs = world.client("sqs")
        self._url = listen(world, {"source": [consequence_event.SOURCE], "detail-type": [consequence_event.DetailType.RESULT]})
        self._last: dict[str, dict[str, Any]] = {}

    def wait_for(self, key: str, status: consequence.ObjectStatus) -> Seen:
        """Wait until tag and event of an object have a status.

        Raises:
            ToolError: They do not come to.
        """
        seen = Seen(key, None, None, None)

        def agree() -> bool:
            nonlocal seen
            seen = self._look(key)
            return seen.tag == seen.event == status.value

        wait_until(self._world, agree, otherwise=f"Tag and event of {key} do not become {status.value}.")
        return seen

    def _look(self, key: str) -> Seen:
        self._receive()
        tags = {tag["Key"]: tag["Value"] for tag in self._s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}
        detail = self._last.get(key, {})
        event = detail.get("scanResultDetails", {}).get("scanResultStatus")
        judgement = (detail.get("decision") or {}).get("judgement")
        return Seen(key, tags.get(consequence.TAG_KEY), event, judgement)

    def _receive(self) -> None:
        while messages := self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                detail = json.loads(message["Body"])["detail"]
                key = detail["s3ObjectDetails"]["objectKey"]
                self._last[key] = max(self._last.get(key, detail), detail, key=_order)
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])


def _order(detail: Mapping[str, Any]) -> tuple[str, str]:
    """Return by what events about a content are ordered (docs/consequences.md#events); nothing is overwritten here."""
    return (detail["decision"] or {}).get("decidedAt", ""), detail["verdictTime"] or ""
