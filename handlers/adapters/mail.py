"""The topic of alerts: publishing mails to it, and who gets them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from handlers.domain.mail import Mail

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_sns import SNSClient


# Protocols by which SNS mails a person.
_MAIL = frozenset({"email", "email-json"})


@dataclass(frozen=True, slots=True)
class Subscribers:
    """How many e-mail subscriptions are confirmed, and how many are not: they wait to be, are suspended, or were ended."""

    confirmed: int
    unconfirmed: int


class MailTopic:
    """The topic to which people subscribe."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client: Any = client  # parameters are built as dicts, which the stubs' TypedDicts do not take
        self._topic_arn = topic_arn

    def publish(self, mail: Mail) -> None:
        """Publish a mail; its attributes are for the filters of subscriptions."""
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=mail.subject,
            Message=mail.body,
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in mail.attributes.items()},
        )

    def subscribers(self) -> Subscribers:
        """Count the e-mail subscriptions."""
        confirmed = unconfirmed = 0
        following: dict[str, str] = {}
        while True:
            page = self._client.list_subscriptions_by_topic(TopicArn=self._topic_arn, **following)
            for subscription in page.get("Subscriptions", []):
                if subscription.get("Protocol") in _MAIL:
                    # Otherwise it is "PendingConfirmation", or for some days "Deleted".
                    has_arn = subscription.get("SubscriptionArn", "").startswith("arn:")
                    confirmed += has_arn
                    unconfirmed += not has_arn
            if not page.get("NextToken"):
                return Subscribers(confirmed, unconfirmed)
            following = {"NextToken": page["NextToken"]}
