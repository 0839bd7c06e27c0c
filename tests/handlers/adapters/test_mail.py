"""The topic of alerts: what is published, and who is counted as a person who gets it."""

import pytest

from handlers.adapters.mail import MailTopic, Subscribers
from handlers.domain.mail import Mail

TOPIC = "arn:aws:sns:us-east-1:111122223333:alerts"


class Sns:
    """A topic of some pages of subscriptions."""

    def __init__(self, *pages):
        self.pages, self.asked, self.published = list(pages), [], []

    def publish(self, **mail):
        """Keep a mail."""
        self.published.append(mail)

    def list_subscriptions_by_topic(self, **asked):
        """Return the next page."""
        self.asked.append(asked)
        return self.pages.pop(0)


def listed(*subscriptions, **more):
    """Return a page of subscriptions, by protocol and ARN."""
    return {"Subscriptions": [{"Protocol": protocol, "SubscriptionArn": arn} for protocol, arn in subscriptions], **more}


def test_publish():
    """A mail has its subject and text, and attributes that the filters of subscriptions read as text."""
    sns = Sns()

    MailTopic(sns, TOPIC).publish(Mail("a subject", "a text", {"kind": "DIGEST", "bucket": "b"}))

    assert [
        {
            "TopicArn": TOPIC,
            "Subject": "a subject",
            "Message": "a text",
            "MessageAttributes": {
                "kind": {"DataType": "String", "StringValue": "DIGEST"},
                "bucket": {"DataType": "String", "StringValue": "b"},
            },
        }
    ] == sns.published


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        ([{}], Subscribers(0, 0)),
        ([listed(("email", f"{TOPIC}:1"), ("email-json", f"{TOPIC}:2"))], Subscribers(2, 0)),
        ([listed(("email", "PendingConfirmation"), ("email", "Deleted"))], Subscribers(0, 2)),
        ([listed(("sqs", f"{TOPIC}:1"), ("lambda", "PendingConfirmation"))], Subscribers(0, 0)),
        ([{"Subscriptions": [{"Protocol": "email"}, {}]}], Subscribers(0, 1)),
        (
            [listed(("email", f"{TOPIC}:1"), NextToken="2"), listed(("email", "Deleted"), ("email", f"{TOPIC}:3"))],
            Subscribers(2, 1),
        ),
    ],
)
def test_subscribers(pages, expected):
    """People are counted on all pages, by whether they have confirmed; what is no person is not."""
    sns = Sns(*pages)

    assert expected == MailTopic(sns, TOPIC).subscribers()
    assert [{"TopicArn": TOPIC}, {"TopicArn": TOPIC, "NextToken": "2"}][: len(sns.asked)] == sns.asked
    assert [] == sns.pages
