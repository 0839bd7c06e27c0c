"""SNS's requests: publishing and subscribing are answered here, the rest by moto where it is known to be right."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.sns import urls
from moto.sns.responses import SNSResponse

from tools.emulator.core import AwsError, moto_hooks, refuse, xml_answer
from tools.emulator.services.sns.backend import SnsService
from tools.emulator.services.sns.errors import invalid

TOPIC_OPERATIONS = frozenset(
    {
        "CreateTopic",
        "DeleteTopic",
        "ListTopics",
        "GetTopicAttributes",
        "SetTopicAttributes",
        "Subscribe",
        "Unsubscribe",
        "ListSubscriptions",
        "ListSubscriptionsByTopic",
        "GetSubscriptionAttributes",
        "Publish",
        "TagResource",
        "UntagResource",
        "ListTagsForResource",
    },
)
_PUBLISH = ("TopicArn", "TargetArn", "Message", "Subject", "MessageAttributes")


class TopicsResponse(SNSResponse):  # type: ignore[misc] # moto is untyped
    """Moto's SNS with an engine, which a subclass of each installation holds."""

    service: SnsService

    def call_action(self) -> Any:  # noqa: ANN401 - moto's answer
        """Answer any operation; what neither this nor moto does right is refused by name."""
        try:
            if self._get_action() not in TOPIC_OPERATIONS:
                raise refuse("sns", f"the operation {self._get_action()}")
            return super().call_action()
        except AwsError as error:
            return xml_answer(error)

    def create_topic(self) -> Any:  # noqa: ANN401 - moto's answer
        if self._get_attributes().get("FifoTopic"):
            raise refuse("sns", "FIFO topics")
        return super().create_topic()

    def publish(self) -> ActionResult:
        for name in self.params:
            if name not in _PUBLISH:
                raise refuse("sns", f"the parameter {name} of Publish")
        topic = self._get_param("TopicArn") or self._get_param("TargetArn")
        if not topic:
            raise invalid("Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter")
        message_id = self.service.send(
            topic,
            self._get_param("Message"),
            subject=self._get_param("Subject"),
            attributes=self._parse_message_attributes(),
            trace=self.headers.get("X-Amzn-Trace-Id"),
        )
        return ActionResult({"MessageId": message_id})

    def subscribe(self) -> ActionResult:
        arn = self.service.subscribe(
            self._get_param("TopicArn"), self._get_param("Protocol"), self._get_param("Endpoint"), self._get_attributes()
        )
        return ActionResult({"SubscriptionArn": arn})

    def unsubscribe(self) -> ActionResult:
        self.service.unsubscribe(self._get_param("SubscriptionArn"))
        return ActionResult({})

    def list_subscriptions_by_topic(self) -> ActionResult:
        page, token = self.service.listed(self._get_param("TopicArn"), self._get_param("NextToken"))
        return ActionResult({"Subscriptions": page, **({} if token is None else {"NextToken": token})})


def hooks(service: SnsService) -> tuple[moto_hooks.Hook, ...]:
    """Return the hooks with which an engine answers SNS's requests."""
    installed: type[TopicsResponse] = type("InstalledTopicsResponse", (TopicsResponse,), {"service": service})
    return moto_hooks.routes(urls, installed.dispatch)
