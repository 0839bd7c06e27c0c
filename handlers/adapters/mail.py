"""Publishing mails to the topic of alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from handlers.domain.mail import Mail

if TYPE_CHECKING:  # the stubs exist where types are checked, not in Lambda
    from mypy_boto3_sns import SNSClient


class MailTopic:
    """The topic to which people subscribe."""

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, mail: Mail) -> None:
        """Publish a mail; its attributes are for the filters of subscriptions."""
        self._client.publish(
            TopicArn=self._topic_arn,
            Subject=mail.subject,
            Message=mail.body,
            MessageAttributes={name: {"DataType": "String", "StringValue": value} for name, value in mail.attributes.items()},
        )
