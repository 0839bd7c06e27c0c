"""SNS: moto keeps topics and subscriptions; what happens to a message is decided here."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from moto.sns.models import Subscription, Topic, sns_backends

from tools.emulator.core import Clock, Functions, Queues, refuse
from tools.emulator.services.sns.errors import SnsError, invalid, no_such_topic
from tools.emulator.services.sns.notification import Notification, check
from tools.emulator.services.sns.outbox import Outbox
from tools.emulator.settings import EmulatorSettings

PENDING = "PendingConfirmation"  # in place of the ARN of an unconfirmed subscription
# In place of the ARN of an e-mail subscription that was ended: seen on AWS (ansible/ansible#20086), for 72 hours
# [https://repost.aws/knowledge-center/sns-cross-account-subscription].
DELETED = "Deleted"
DELETED_SECONDS = 72 * 3_600.0
PAGE_SIZE = 100  # subscriptions of a page [SNSAPI:API_ListSubscriptionsByTopic]
ARN_PARTS = 6
MAILS_PER_SECOND = 10  # of a subscription; with more it is suspended [GR:sns]
_ENDED = "offline_world_ended"  # attribute of moto's subscriptions: when it was ended
_RATE = "offline_world_mails"  # attribute of moto's subscriptions: when mails were sent in the last second


class SnsService:
    """The topics of one account in one Region; implements the port `Topics`."""

    def __init__(self, *, clock: Clock, settings: EmulatorSettings, functions: Functions, queues: Queues, outbox: Path) -> None:
        self.outbox = Outbox(outbox)
        self._clock = clock
        self._settings = settings
        self._functions = functions
        self._queues = queues
        self._lock = threading.Lock()
        self._deliver: dict[str, Callable[[Subscription, Notification], None]] = {
            "lambda": self._to_function,
            "sqs": self._to_queue,
            "email": self._to_person,
        }

    def publish(self, topic_arn: str, message: str) -> None:
        try:
            self.send(topic_arn, message)
        except SnsError as error:
            raise LookupError(error.message) from error

    def send(
        self,
        topic_arn: str,
        message: str,
        *,
        subject: str | None = None,
        attributes: Mapping[str, Mapping[str, Any]] | None = None,
        trace: str | None = None,
    ) -> str:
        """Publish a message and return its id; by then it was delivered to every subscription (for functions: queued).

        Raises:
            SnsError: There is no such topic, or SNS would not publish such a message.
        """
        topic = self._topic(topic_arn)
        check(message, subject, attributes or {})
        notification = Notification(topic_arn, message, subject, attributes or {}, self._clock.now(), trace)
        for subscription in self._subscriptions(topic):
            if subscription.arn not in (PENDING, DELETED):
                self._deliver[subscription.protocol](subscription, notification)
        return notification.id

    def subscribe(self, topic_arn: str, protocol: str, endpoint: str, attributes: Mapping[str, Any]) -> str:
        """Subscribe an endpoint and return the subscription's ARN, or `pending confirmation`.

        Raises:
            SnsError: There is no such topic, or the endpoint is not valid.
            UnsupportedError: The offline world does not implement the protocol or an attribute.
        """
        if protocol not in self._deliver:
            raise refuse("sns", f"subscriptions by {protocol}")
        _check_attributes(attributes)
        if not endpoint or (protocol == "email" and "@" not in endpoint):
            raise invalid(f"Invalid parameter: {protocol.capitalize()} endpoint")
        for ended in (one for one in self._subscriptions(self._topic(topic_arn)) if one.arn == DELETED):
            if (ended.protocol, ended.endpoint) == (protocol, endpoint):
                self._forget(ended)
        subscription: Subscription = self._backend.subscribe(topic_arn, endpoint, protocol)
        subscription.attributes.update(attributes)
        if protocol == "email" and not self._settings.mail_confirmed:
            _suspend(subscription)
        return "pending confirmation" if subscription.arn == PENDING else str(subscription.arn)

    def unsubscribe(self, subscription_arn: str) -> None:
        """End a subscription, as its owner does, or anyone who opens the link in a mail; if it does not exist, nothing happens.

        Raises:
            SnsError: InvalidParameter; that is not the ARN of a subscription.
        """
        if len(subscription_arn.split(":")) < ARN_PARTS:
            count = len(subscription_arn.split(":"))
            raise invalid(f"Invalid parameter: SubscriptionArn Reason: An ARN must have at least {ARN_PARTS} elements, not {count}")
        subscription = self._backend.subscriptions.get(subscription_arn)
        if subscription is None or subscription.arn == DELETED:
            return
        if subscription.protocol == "email":
            subscription.arn = DELETED
            subscription.__dict__[_ENDED] = self._clock.now()
        else:
            self._forget(subscription)

    def listed(self, topic_arn: str, token: str | None) -> tuple[list[dict[str, str]], str | None]:
        """Return a page of a topic's subscriptions as ListSubscriptionsByTopic has them, and the token of the next page.

        Raises:
            SnsError: There is no such topic, or the token is not one of ours.
        """
        subscriptions = self._subscriptions(self._topic(topic_arn))
        if token is not None and not token.isdecimal():
            raise invalid("Invalid parameter: NextToken")
        first = int(token or 0)
        page = [
            {
                "SubscriptionArn": one.arn,
                "Owner": self._settings.account_id,
                "Protocol": one.protocol,
                "Endpoint": one.endpoint,
                "TopicArn": topic_arn,
            }
            for one in subscriptions[first : first + PAGE_SIZE]
        ]
        return page, str(first + PAGE_SIZE) if first + PAGE_SIZE < len(subscriptions) else None

    @property
    def _backend(self) -> Any:  # noqa: ANN401 - moto's
        return sns_backends[self._settings.account_id][self._settings.region]

    def _topic(self, topic_arn: str) -> Topic:
        topic = self._backend.topics.get(topic_arn)
        if topic is None:
            raise no_such_topic()
        return topic

    def _subscriptions(self, topic: Topic) -> list[Subscription]:
        for one in list(self._backend.subscriptions.values()):
            if one.arn == DELETED and self._clock.now() - one.__dict__[_ENDED] >= DELETED_SECONDS:
                self._forget(one)
        return [one for one in list(self._backend.subscriptions.values()) if one.topic is topic]

    def _forget(self, subscription: Subscription) -> None:
        kept = self._backend.subscriptions
        for arn in [arn for arn, one in kept.items() if one is subscription]:
            del kept[arn]

    def _to_function(self, subscription: Subscription, notification: Notification) -> None:
        event = notification.lambda_event(subscription.arn)
        if not self._functions.invoke_event(subscription.endpoint, event, trace=notification.trace):
            self._undelivered(subscription, notification, "Lambda function not found")

    def _to_queue(self, subscription: Subscription, notification: Notification) -> None:
        raw = str(subscription.attributes.get("RawMessageDelivery")).lower() == "true"
        body = notification.message if raw else json.dumps(notification.envelope(subscription.arn))
        attributes = {name: str(one["Value"]) for name, one in notification.attributes.items()} if raw else {}
        try:
            self._queues.send(subscription.endpoint, body, attributes)
        except LookupError:
            self._undelivered(subscription, notification, "Queue not found")

    def _to_person(self, subscription: Subscription, notification: Notification) -> None:
        with self._lock:
            sent: deque[float] = subscription.__dict__.setdefault(_RATE, deque())
            while sent and sent[0] <= notification.published_at - 1.0:
                sent.popleft()
            sent.append(notification.published_at)
            if len(sent) > MAILS_PER_SECOND:
                _suspend(subscription)
                return
        self.outbox.put(notification, subscription.endpoint, subscription.arn)

    def _undelivered(self, subscription: Subscription, notification: Notification, reason: str) -> None:
        """Send an undeliverable notification to the subscription's dead-letter queue, if there is one."""
        redrive = subscription.attributes.get("RedrivePolicy")
        if not redrive:
            return
        policy = json.loads(redrive) if isinstance(redrive, str) else redrive
        body = json.dumps(notification.envelope(subscription.arn))
        try:
            self._queues.send(policy["deadLetterTargetArn"], body, {"ErrorCode": "404", "ErrorMessage": reason})
        except LookupError:
            return


def _suspend(subscription: Subscription) -> None:
    subscription.arn = PENDING
    subscription.attributes["PendingConfirmation"] = True


def _check_attributes(attributes: Mapping[str, Any]) -> None:
    for name, value in attributes.items():
        if name not in ("RawMessageDelivery", "RedrivePolicy") and value not in (None, ""):
            raise refuse("sns", f"the subscription attribute {name}")
