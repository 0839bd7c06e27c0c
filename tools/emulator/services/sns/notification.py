"""A published message, and the form in which subscribers get it: Lambda's event, or the JSON envelope of a queue.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tools.emulator.services.sns.errors import invalid

MAX_BYTES = 262_144  # of message and attributes [SNSAPI:API_Publish]
MAX_SUBJECT = 99  # "fewer than 100 characters" [SNSAPI:API_Publish]
FIRST_PRINTABLE = 0x20
DELETE = 0x7F


@dataclass(frozen=True, slots=True)
class Notification:
    """A published message."""

    topic_arn: str
    message: str
    subject: str | None
    attributes: Mapping[str, Mapping[str, Any]]  # name -> `{"Type": "String", "Value": ...}`
    published_at: float  # epoch seconds
    trace: str | None = None  # the publisher's X-Ray header
    id: str = field(default_factory=lambda: str(uuid.uuid4()))  # the same at every subscription

    @property
    def timestamp(self) -> str:
        """The time of publishing, as SNS writes it."""
        return datetime.fromtimestamp(self.published_at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def envelope(self, subscription_arn: str) -> dict[str, Any]:
        """Return the notification as a queue gets it; its signature is a fixed text."""
        region = self.topic_arn.split(":")[3]
        return {
            "Type": "Notification",
            "MessageId": self.id,
            "TopicArn": self.topic_arn,
            **({} if self.subject is None else {"Subject": self.subject}),
            "Message": self.message,
            "Timestamp": self.timestamp,
            "SignatureVersion": "1",
            "Signature": "EXAMPLE",
            "SigningCertURL": f"https://sns.{region}.amazonaws.com/SimpleNotificationService-EXAMPLE.pem",
            "UnsubscribeURL": f"https://sns.{region}.amazonaws.com/?Action=Unsubscribe&SubscriptionArn={subscription_arn}",
            **({"MessageAttributes": self.attributes} if self.attributes else {}),
        }

    def lambda_event(self, subscription_arn: str) -> bytes:
        """Return the notification as a function gets it."""
        envelope = self.envelope(subscription_arn)
        sns = {
            **envelope,
            "Subject": self.subject,
            "SigningCertUrl": envelope["SigningCertURL"],
            "UnsubscribeUrl": envelope["UnsubscribeURL"],
            "MessageAttributes": self.attributes,
        }
        del sns["SigningCertURL"], sns["UnsubscribeURL"]  # Lambda's event spells them differently
        record = {"EventSource": "aws:sns", "EventVersion": "1.0", "EventSubscriptionArn": subscription_arn, "Sns": sns}
        return json.dumps({"Records": [record]}).encode()


def check(message: str, subject: str | None, attributes: Mapping[str, Mapping[str, Any]]) -> None:
    """Check whether SNS would publish a message.

    Raises:
        SnsError: InvalidParameter; it would not.
    """
    if not message:
        raise invalid("Invalid parameter: Empty message")
    if subject is not None and not _is_subject(subject):
        raise invalid("Invalid parameter: Subject")
    size = len(message.encode()) + sum(len(f"{name}{value['Type']}{value['Value']}".encode()) for name, value in attributes.items())
    if size > MAX_BYTES:
        raise invalid("Invalid parameter: Message too long")


def _is_subject(text: str) -> bool:
    return 1 <= len(text) <= MAX_SUBJECT and all(ord(one) >= FIRST_PRINTABLE and ord(one) != DELETE for one in text)
