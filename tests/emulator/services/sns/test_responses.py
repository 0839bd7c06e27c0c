"""What subscribers of a topic get, and what SNS refuses to publish."""

import email
import email.policy
import json

import pytest

from tools.emulator.services import sqs
from tools.emulator.services.sns import responses
from tools.emulator.services.sns.backend import SnsService as Service
from tools.emulator.settings import EmulatorSettings

FUNCTION = "arn:aws:lambda:us-east-1:111122223333:function:known"


class Functions:
    """Lambda with one function, whose events are kept."""

    def __init__(self):
        self.events = []
        self.traces = []

    def invoke_event(self, function_arn, payload, *, trace=None):
        """Keep an event for the function."""
        if function_arn != FUNCTION:
            return False
        self.events.append(json.loads(payload))
        self.traces.append(trace)
        return True


class Bench:
    """A topic with the subscribers that it can have."""

    def __init__(self, account, tmp_path, **settings):
        world = EmulatorSettings(**settings)
        self.clock = account.clock
        self.queues = account.install(sqs, sqs.SqsService(clock=account.clock, settings=world))
        self.functions = Functions()
        outbox = tmp_path / "outbox"
        sns = Service(clock=account.clock, settings=world, functions=self.functions, queues=self.queues, outbox=outbox)
        self.service = account.install(responses, sns)
        self.client = account.client("sns")
        self.sqs = account.client("sqs")
        self.topic = self.client.create_topic(Name="topic")["TopicArn"]

    def queue(self, name):
        """Create a queue and return its ARN."""
        self.sqs.create_queue(QueueName=name)
        return f"arn:aws:sqs:us-east-1:111122223333:{name}"

    def subscribe(self, protocol, endpoint, **attributes):
        """Subscribe and return the subscription's ARN."""
        asked = {"TopicArn": self.topic, "Protocol": protocol, "Endpoint": endpoint, "Attributes": attributes}
        return self.client.subscribe(**asked)["SubscriptionArn"]

    def publish(self, message="text", **more):
        """Publish and return the message's id."""
        return self.client.publish(TopicArn=self.topic, Message=message, **more)["MessageId"]

    def listed(self):
        """Return the first page of the topic's subscriptions."""
        return self.client.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]

    def received(self, queue_arn):
        """Return the messages of a queue as other services receive them."""
        return list(self.queues.receive(queue_arn, 10))

    def mails(self):
        """Return the mails in the order of their files."""
        files = sorted(self.service.outbox.folder.glob("*.eml"))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def error(self, call, *args, **kwargs):
        """Make a call and return its error."""
        with pytest.raises(self.client.exceptions.ClientError) as raised:
            call(*args, **kwargs)
        return raised.value.response["Error"]


@pytest.fixture(name="bench")
def _bench(account, tmp_path):
    return Bench(account, tmp_path)


def test_a_function_gets_a_true_event(bench):
    """Id, time, topic, subscription, subject and attributes are those of the message."""
    subscription = bench.subscribe("lambda", FUNCTION)
    attributes = {"Scan": {"DataType": "String", "StringValue": "01ABC"}}

    message_id = bench.publish("body", Subject="About", MessageAttributes=attributes)

    (record,) = bench.functions.events[0]["Records"]
    sns = record["Sns"]
    assert (record["EventSource"], record["EventSubscriptionArn"]) == ("aws:sns", subscription)
    assert (sns["MessageId"], sns["TopicArn"], sns["Message"], sns["Subject"]) == (message_id, bench.topic, "body", "About")
    assert sns["Timestamp"] == "2023-11-14T22:13:20.000Z"
    assert sns["MessageAttributes"] == {"Scan": {"Type": "String", "Value": "01ABC"}}


def test_two_messages_have_two_ids(bench):
    """A receiver that drops repetitions by MessageId loses nothing."""
    bench.subscribe("lambda", FUNCTION)

    ids = {bench.publish() for _ in range(3)}

    assert {event["Records"][0]["Sns"]["MessageId"] for event in bench.functions.events} == ids
    assert len(ids) == 3


def test_what_a_missing_function_should_have_had_becomes_a_dead_letter(bench):
    """An undeliverable message goes to the queue in the RedrivePolicy; without one it is lost."""
    dlq = bench.queue("dlq")
    bench.subscribe("lambda", f"{FUNCTION}-deleted", RedrivePolicy=json.dumps({"deadLetterTargetArn": dlq}))
    bench.subscribe("lambda", f"{FUNCTION}-deleted-too")

    message_id = bench.publish("lost")

    (dead,) = bench.received(dlq)
    assert json.loads(dead.body)["MessageId"] == message_id
    assert json.loads(dead.body)["Message"] == "lost"


def test_a_queue_gets_the_envelope_or_the_bare_message(bench):
    """With RawMessageDelivery, attributes of the notification become attributes of the queue's message."""
    wrapped, raw = bench.queue("wrapped"), bench.queue("raw")
    bench.subscribe("sqs", wrapped)
    bench.subscribe("sqs", raw, RawMessageDelivery="true")

    bench.publish("text", MessageAttributes={"Kind": {"DataType": "String", "StringValue": "k"}})

    (envelope,) = bench.received(wrapped)
    (bare,) = bench.received(raw)
    assert json.loads(envelope.body)["Message"] == "text"
    assert bare.body == "text"
    assert bare.message_attributes["Kind"]["StringValue"] == "k"


def test_a_mail_is_a_file_for_each_subscription(bench):
    """Subject, body, addresses and attributes can be read by any mail reader; files sort by time."""
    bench.subscribe("email", "reviewer@example.com")
    bench.subscribe("email", "other@example.com")

    bench.publish(
        "Grüße\n0:00:07 Weapons\n", Subject="First", MessageAttributes={"Mail": {"DataType": "String", "StringValue": "flagged"}}
    )
    bench.publish("two")

    first, second, third, _ = bench.mails()
    assert first["To"] == "reviewer@example.com"
    assert second["To"] == "other@example.com"
    assert first["Subject"] == "First"
    assert first["X-SNS-Attribute-Mail"] == "flagged"
    assert first.get_content() == "Grüße\n0:00:07 Weapons\n"
    assert third["Subject"] == "AWS Notification Message"


def test_a_mail_keeps_hostile_attributes_harmless(bench):
    """An attribute with line breaks cannot add headers to a mail."""
    bench.subscribe("email", "reviewer@example.com")

    bench.publish(MessageAttributes={"Key": {"DataType": "String", "StringValue": "a\r\nBcc: everybody@example.com"}})

    (mail,) = bench.mails()
    assert mail["Bcc"] is None
    assert mail["X-SNS-Attribute-Key"] == "a%0D%0ABcc: everybody@example.com"


def test_more_than_ten_mails_a_second_suspend_the_subscription(bench):
    """The eleventh mail in a second is not sent, nor any later one until the subscription is confirmed again."""
    arn = bench.subscribe("email", "reviewer@example.com")

    for _ in range(11):
        bench.publish()
    bench.clock.advance(60)
    bench.publish()

    assert len(bench.mails()) == 10
    (subscription,) = bench.client.list_subscriptions_by_topic(TopicArn=bench.topic)["Subscriptions"]
    assert subscription["SubscriptionArn"] == "PendingConfirmation"
    assert arn != "PendingConfirmation"


def test_ten_mails_a_second_are_allowed_for_ever(bench):
    """The limit applies to any second, not to all time."""
    bench.subscribe("email", "reviewer@example.com")

    for _ in range(3):
        for _ in range(10):
            bench.publish()
        bench.clock.advance(1.0)

    assert len(bench.mails()) == 30


def test_an_unconfirmed_address_gets_nothing(account, tmp_path):
    """Without mail_confirmed, a subscription waits to be confirmed."""
    bench = Bench(account, tmp_path, mail_confirmed=False)

    answer = bench.subscribe("email", "reviewer@example.com")
    bench.publish()

    assert answer == "pending confirmation"
    assert bench.mails() == []


@pytest.mark.parametrize("subject", ["two\nlines", "tab\there", "x" * 100, "del\x7f"])
def test_a_subject_that_sns_does_not_take_is_refused(bench, subject):
    """Subjects with control characters or with 100 characters are refused."""
    bench.subscribe("email", "reviewer@example.com")

    error = bench.error(bench.publish, Subject=subject)

    assert error["Code"] == "InvalidParameter"
    assert bench.mails() == []


def test_a_subject_of_99_characters_passes(bench):
    """A subject of 99 characters is published."""
    bench.subscribe("email", "reviewer@example.com")

    bench.publish(Subject="x" * 99)

    assert bench.mails()[0]["Subject"] == "x" * 99


def test_a_message_is_at_most_256_kib(bench):
    """The size limit counts bytes, and those of attributes too."""
    bench.publish("x" * 262_144)

    error = bench.error(bench.publish, "ü" * 131_073)

    assert error["Code"] == "InvalidParameter"


def test_a_topic_that_is_not_there_is_not_found(bench):
    """A missing topic is NotFound over the API and LookupError for other services."""
    nowhere = bench.topic + "-not"

    error = bench.error(bench.client.publish, TopicArn=nowhere, Message="x")

    assert error["Code"] == "NotFound"
    with pytest.raises(LookupError):
        bench.service.publish(nowhere, "x")


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda bench: bench.subscribe("lambda", FUNCTION, FilterPolicy="{}"), "FilterPolicy"),
        (lambda bench: bench.subscribe("https", "https://example.com"), "https"),
        (lambda bench: bench.publish(MessageStructure="json"), "MessageStructure"),
        (lambda bench: bench.client.create_topic(Name="a.fifo", Attributes={"FifoTopic": "true"}), "FIFO"),
        (
            lambda bench: bench.client.publish_batch(
                TopicArn=bench.topic, PublishBatchRequestEntries=[{"Id": "a", "Message": "x"}]
            ),
            "PublishBatch",
        ),
    ],
    ids=["filter", "https", "structure", "fifo", "batch"],
)
def test_what_is_not_implemented_is_refused_by_name(bench, call, named):
    """What the emulator lacks is refused by name, not silently accepted."""
    error = bench.error(call, bench)

    assert error["Code"] == "NotImplemented"
    assert named in error["Message"]


def test_a_subscription_ends(bench):
    """After Unsubscribe no more messages arrive."""
    arn = bench.subscribe("lambda", FUNCTION)

    bench.client.unsubscribe(SubscriptionArn=arn)
    bench.publish()

    assert bench.functions.events == []


def test_an_ended_mail_subscription_is_listed_as_deleted_for_72_hours(bench):
    """Whoever opens the link in a mail ends its subscription: it gets nothing more and has no ARN, until SNS forgets it."""
    arn = bench.subscribe("email", "a@example.com")
    bench.subscribe("email", "b@example.com")

    bench.client.unsubscribe(SubscriptionArn=arn)
    bench.client.unsubscribe(SubscriptionArn=arn)
    bench.publish()
    listed = bench.listed()
    bench.clock.advance(72 * 3_600)

    assert ["b@example.com"] == [mail["To"] for mail in bench.mails()]
    assert [("a@example.com", "Deleted"), ("b@example.com", True)] == [
        (one["Endpoint"], one["SubscriptionArn"].startswith("arn:") or one["SubscriptionArn"]) for one in listed
    ]
    assert ["b@example.com"] == [one["Endpoint"] for one in bench.listed()]


def test_an_ended_mail_subscription_can_be_made_again(bench):
    """A new subscription of the same address takes the place of the ended one."""
    ended = bench.subscribe("email", "a@example.com")
    bench.client.unsubscribe(SubscriptionArn=ended)

    again = bench.subscribe("email", "a@example.com")

    assert ([again], True) == ([one["SubscriptionArn"] for one in bench.listed()], again != ended)


def test_subscriptions_come_in_pages_of_100(bench):
    """A topic with more subscriptions is listed page by page, each subscription once, unconfirmed ones too."""
    queues = [bench.subscribe("sqs", bench.queue(f"queue-{number}")) for number in range(130)]

    first = bench.client.list_subscriptions_by_topic(TopicArn=bench.topic)
    second = bench.client.list_subscriptions_by_topic(TopicArn=bench.topic, NextToken=first["NextToken"])

    assert (100, 30, False) == (len(first["Subscriptions"]), len(second["Subscriptions"]), "NextToken" in second)
    assert queues == [one["SubscriptionArn"] for page in (first, second) for one in page["Subscriptions"]]


def test_unconfirmed_subscriptions_are_all_listed(account, tmp_path):
    """Two addresses that are not confirmed have the same word in place of an ARN, and are two."""
    bench = Bench(account, tmp_path, mail_confirmed=False)

    for address in ("a@example.com", "b@example.com"):
        bench.subscribe("email", address)

    assert ["PendingConfirmation"] * 2 == [one["SubscriptionArn"] for one in bench.listed()]


def test_what_cannot_be_ended_or_listed_is_refused(bench):
    """The word in place of an ARN, a topic that is not there, and a token of another service."""
    assert "InvalidParameter" == bench.error(bench.client.unsubscribe, SubscriptionArn="PendingConfirmation")["Code"]
    assert "NotFound" == bench.error(bench.client.list_subscriptions_by_topic, TopicArn=f"{bench.topic}x")["Code"]
    token = bench.error(bench.client.list_subscriptions_by_topic, TopicArn=bench.topic, NextToken="AAA")
    assert "InvalidParameter" == token["Code"]
