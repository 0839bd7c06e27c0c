"""Queues, called by boto3, with a clock that stands still."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tools.emulator.services.sqs import responses
from tools.emulator.services.sqs.backend import SqsService as Service
from tools.emulator.settings import EmulatorSettings


class Queue:
    """Shorthands for one queue."""

    def __init__(self, account, service, name="lane", **attributes):
        self.client = account.client("sqs")
        self.clock = account.clock
        self.service = service
        self.url = self.client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self.arn = f"arn:aws:sqs:us-east-1:111122223333:{name}"

    def send(self, *bodies, **more):
        """Send messages."""
        return [self.client.send_message(QueueUrl=self.url, MessageBody=body, **more)["MessageId"] for body in bodies]

    def receive(self, count=10, **more):
        """Receive messages with all attributes."""
        asked = {"MaxNumberOfMessages": count, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]} | more
        return self.client.receive_message(QueueUrl=self.url, **asked).get("Messages", [])

    def bodies(self, count=10, **more):
        """Receive messages and return their bodies."""
        return [message["Body"] for message in self.receive(count, **more)]

    def depth(self):
        """Return how many messages are visible, in flight and delayed."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
        found = self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return tuple(int(found[name]) for name in names)

    def delete(self, message):
        """Delete a received message."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def hide(self, message, seconds):
        """Change for how long a received message stays hidden."""
        self.client.change_message_visibility(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds)

    def error(self, call, *args, **kwargs):
        """Call something and return the code of the error that it ends with."""
        with pytest.raises(self.client.exceptions.ClientError) as raised:
            call(*args, **kwargs)
        return raised.value.response["Error"]["Code"]


@pytest.fixture(name="make")
def _make(account):
    """Return a function that creates a queue."""
    service = account.install(responses, Service(clock=account.clock, settings=EmulatorSettings()))
    return lambda name="lane", **attributes: Queue(account, service, name, **attributes)


@pytest.fixture(name="make_with")
def _make_with(account):
    """Return a function that creates a queue in a service with settings of its own."""

    def make(**settings):
        return Queue(account, account.install(responses, Service(clock=account.clock, settings=EmulatorSettings(**settings))))

    return make


@pytest.fixture(name="queue")
def _queue(make):
    return make()


def test_a_message_arrives_with_everything_it_was_sent_with(queue):
    """Body, attributes and SQS's own attributes come back; the message's id is the one that SendMessage returned."""
    attributes = {
        "colour": {"DataType": "String", "StringValue": "blau ü"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }

    (message_id,) = queue.send("hello", MessageAttributes=attributes)
    (message,) = queue.receive()

    assert message["MessageId"] == message_id
    assert message["Body"] == "hello"
    assert message["MessageAttributes"] == attributes
    assert message["Attributes"]["SentTimestamp"] == "1700000000000"
    assert message["Attributes"]["ApproximateReceiveCount"] == "1"


def test_a_received_message_is_hidden_until_its_time_is_over(make):
    """The visibility timeout is the queue's, by the world's clock, and each receipt counts."""
    queue = make(VisibilityTimeout="60")
    queue.send("once")
    counts = []

    for _ in range(2):
        (message,) = queue.receive()
        counts.append(message["Attributes"]["ApproximateReceiveCount"])
        queue.clock.advance(59)
        hidden = queue.bodies()
        queue.clock.advance(1)

        assert hidden == []
    assert counts == ["1", "2"]


def test_a_message_given_back_is_there_at_once(queue):
    """ChangeMessageVisibility with 0 shows it, with more hides it longer."""
    queue.send("ball")

    (message,) = queue.receive()
    queue.hide(message, 0)
    (again,) = queue.receive()
    queue.hide(again, 900)
    queue.clock.advance(899)
    hidden = queue.bodies()
    queue.clock.advance(1)

    assert hidden == []
    assert queue.bodies() == ["ball"]


def test_only_the_last_receipt_deletes(queue):
    """The handle of an older receipt is accepted and does nothing; the newest deletes, also twice."""
    queue.send("ball")
    (first,) = queue.receive()
    queue.clock.advance(31)
    (second,) = queue.receive()

    queue.delete(first)
    after_old = queue.depth()
    queue.delete(second)
    queue.delete(second)

    assert after_old == (0, 1, 0)
    assert queue.depth() == (0, 0, 0)


def test_only_the_last_receipt_hides_a_message(queue):
    """Where a message was received again, or is gone, AWS names the parameter, not the message's state."""
    queue.send("ball")
    (first,) = queue.receive()
    queue.clock.advance(31)
    (second,) = queue.receive()

    old = queue.error(queue.hide, first, 60)
    wrong = queue.error(queue.hide, {"ReceiptHandle": "nonsense"}, 60)
    queue.delete(second)
    gone = queue.error(queue.hide, second, 60)

    assert (old, gone) == ("InvalidParameterValue", "InvalidParameterValue")
    assert wrong == "ReceiptHandleIsInvalid"


def test_who_comes_late_hides_nothing(queue):
    """Hiding a message that is visible again and was not received since has no effect and raises no error."""
    queue.send("ball")
    (message,) = queue.receive()
    queue.clock.advance(31)

    queue.hide(message, 60)

    assert queue.depth() == (1, 0, 0)


def test_who_comes_late_may_be_refused(make_with):
    """The other way AWS may have it, as its API reference says."""
    queue = make_with(sqs_refuses_late_receipts=True)
    queue.send("ball")
    (message,) = queue.receive()
    queue.clock.advance(31)

    late = queue.error(queue.hide, message, 60)

    assert late == "AWS.SimpleQueueService.MessageNotInflight"


def test_no_message_is_hidden_for_more_than_twelve_hours(queue):
    """Counted from its receipt, however often that is prolonged; the next receipt starts again."""
    queue.send("ball")
    (message,) = queue.receive(VisibilityTimeout=3_600)
    queue.clock.advance(60)

    code = queue.error(queue.hide, message, 43_200)
    queue.hide(message, 43_140)
    queue.clock.advance(43_140)
    (again,) = queue.receive(VisibilityTimeout=3_600)
    queue.hide(again, 43_200)

    assert code == "InvalidParameterValue"
    assert not queue.receive()


def test_what_comes_back_keeps_its_place(queue):
    """A message that was received once or twice and never deleted comes back before later ones."""
    for body in ("first", "second", "third"):
        queue.send(body)
        queue.clock.advance(1)
    for _ in range(2):
        queue.receive(1, VisibilityTimeout=60)
        queue.clock.advance(60)

    assert ["first", "second", "third"] == queue.bodies()


def test_what_was_received_three_times_goes_to_the_back(queue):
    """A message that cannot be processed does not hold up the others."""
    for body in ("first", "second"):
        queue.send(body)
        queue.clock.advance(1)
    for _ in range(3):
        queue.receive(1, VisibilityTimeout=60)
        queue.clock.advance(60)

    assert ["second", "first"] == queue.bodies()


def test_hidden_twice_until_the_same_moment(queue):
    """A message is in the queue once, however often it was hidden."""
    queue.send("ball")
    (message,) = queue.receive()
    queue.hide(message, 60)
    queue.hide(message, 60)
    queue.clock.advance(60)

    assert ["ball"] == queue.bodies()


def test_a_delayed_message_waits(queue):
    """DelaySeconds is by the world's clock."""
    queue.send("later", DelaySeconds=10)
    depth = queue.depth()

    queue.clock.advance(10)

    assert depth == (0, 0, 1)
    assert queue.bodies() == ["later"]


def test_a_long_poll_of_an_empty_queue_ends_by_the_worlds_clock(queue):
    """WaitTimeSeconds are seconds of the world: a clock that stands still is moved on by whoever waits."""
    before = queue.clock.now()

    found = queue.receive(WaitTimeSeconds=20)

    assert ([], 20.0) == (found, pytest.approx(queue.clock.now() - before))


def test_a_long_poll_ends_with_the_first_message(queue):
    """What becomes visible while somebody waits is handed out at once."""
    queue.send("later", DelaySeconds=10)
    before = queue.clock.now()

    (message,) = queue.receive(WaitTimeSeconds=20)

    assert ("later", 10.0) == (message["Body"], pytest.approx(queue.clock.now() - before, abs=0.1))


def test_a_message_is_forgotten_when_its_retention_is_over(make):
    """14 days are 14 days of the world."""
    queue = make(MessageRetentionPeriod="1209600")
    queue.send("old")

    queue.clock.advance(1_209_599)
    before = queue.depth()
    queue.clock.advance(1)

    assert before == (1, 0, 0)
    assert queue.depth() == (0, 0, 0)
    assert queue.bodies() == []


def test_what_was_received_too_often_becomes_a_dead_letter(make):
    """The receipt after the last one allowed moves the message, which keeps its id, its age and its count."""
    dlq = make("dlq")
    redrive = f'{{"deadLetterTargetArn": "{dlq.arn}", "maxReceiveCount": 2}}'
    queue = make("alive", RedrivePolicy=redrive, VisibilityTimeout="1")
    (message_id,) = queue.send("sick")

    receipts = []
    for _ in range(3):
        receipts.append(queue.bodies())
        queue.clock.advance(1)
    (dead,) = dlq.receive()

    assert receipts == [["sick"], ["sick"], []]
    assert dead["MessageId"] == message_id
    assert dead["Attributes"]["SentTimestamp"] == "1700000000000"
    assert dead["Attributes"]["ApproximateReceiveCount"] == "3"
    assert dead["Attributes"]["DeadLetterQueueSourceArn"] == queue.arn


def test_batches_answer_for_each_entry(queue):
    """One wrong entry does not stop the others; a batch that is wrong in itself is refused."""
    entries = [{"Id": "a", "MessageBody": "1"}, {"Id": "b", "MessageBody": "2", "DelaySeconds": 901}]

    answer = queue.client.send_message_batch(QueueUrl=queue.url, Entries=entries)
    twice = queue.error(queue.client.send_message_batch, QueueUrl=queue.url, Entries=[entries[0], entries[0]])
    eleven = [{"Id": str(number), "MessageBody": "x"} for number in range(11)]
    many = queue.error(queue.client.send_message_batch, QueueUrl=queue.url, Entries=eleven)
    (message,) = queue.receive()
    handles = [{"Id": "a", "ReceiptHandle": message["ReceiptHandle"]}, {"Id": "b", "ReceiptHandle": "nonsense"}]
    deleted = queue.client.delete_message_batch(QueueUrl=queue.url, Entries=handles)

    assert [entry["Id"] for entry in answer["Successful"]] == ["a"]
    assert [(entry["Id"], entry["Code"]) for entry in answer["Failed"]] == [("b", "InvalidParameterValue")]
    assert twice == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    assert many == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
    assert [entry["Id"] for entry in deleted["Successful"]] == ["a"]
    assert [entry["Id"] for entry in deleted["Failed"]] == ["b"]


@pytest.mark.parametrize(
    ("body", "code"),
    [("x\x00y", "AWS.SimpleQueueService.InvalidMessageContents"), ("ü" * 600_000, "InvalidParameterValue")],
    ids=["control character", "too long"],
)
def test_a_body_that_sqs_does_not_take_is_refused(queue, body, code):
    """Only characters of XML 1.0, and bytes are counted, not letters."""
    assert queue.error(queue.send, body) == code


def test_a_purged_queue_is_empty(queue):
    """PurgeQueue takes visible and hidden messages."""
    queue.send("a", "b")
    queue.receive(1)

    queue.client.purge_queue(QueueUrl=queue.url)

    assert queue.depth() == (0, 0, 0)


def test_a_queue_that_is_not_there_is_not_found(queue):
    """boto3 knows the error by its class."""
    with pytest.raises(queue.client.exceptions.QueueDoesNotExist):
        queue.client.send_message(QueueUrl=f"{queue.url}-not", MessageBody="x")


def test_no_two_receivers_get_the_same_message(queue):
    """Sixteen threads share out two hundred messages."""
    for _ in range(20):
        queue.client.send_message_batch(QueueUrl=queue.url, Entries=[{"Id": str(n), "MessageBody": "x"} for n in range(10)])

    with ThreadPoolExecutor(16) as pool:
        found = [message["MessageId"] for batch in pool.map(lambda _: queue.receive(), range(40)) for message in batch]

    assert len(found) == 200
    assert len(set(found)) == 200


def test_other_services_send_and_receive(queue):
    """The ports carry attributes as strings, and Lambda's event has its own spelling."""
    queue.service.send(queue.arn, "body", {"ErrorCode": "200"})

    (received,) = queue.service.receive(queue.arn, 10)
    queue.service.change_visibility(queue.arn, received.receipt_handle, 0)
    (again,) = queue.service.receive(queue.arn, 10)
    queue.service.delete(queue.arn, [again.receipt_handle])

    assert received.body == "body"
    assert received.message_attributes["ErrorCode"]["StringValue"] == "200"
    assert again.attributes["ApproximateReceiveCount"] == "2"
    assert queue.depth() == (0, 0, 0)


def test_the_ports_say_when_there_is_no_queue(queue):
    """LookupError, for every one of them."""
    nowhere = queue.arn + "-not"

    for call in (
        lambda: queue.service.send(nowhere, "x", {}),
        lambda: queue.service.receive(nowhere, 1),
        lambda: queue.service.delete(nowhere, []),
    ):
        with pytest.raises(LookupError):
            call()


def test_whoever_waits_for_a_queue_is_notified(queue):
    """Sending and making visible again notify with the queue's ARN."""
    notified = []
    queue.service.when_visible(notified.append)

    queue.send("a")
    (message,) = queue.receive()
    queue.hide(message, 0)

    assert notified == [queue.arn, queue.arn]


@pytest.mark.parametrize(
    ("operation", "request_", "named"),
    [
        ("create_queue", {"QueueName": "a.fifo", "Attributes": {"FifoQueue": "true"}}, "FIFO"),
        (
            "add_permission",
            {"QueueUrl": "lane", "Label": "l", "AWSAccountIds": ["111122223333"], "Actions": ["*"]},
            "AddPermission",
        ),
        ("send_message", {"QueueUrl": "lane", "MessageBody": "x", "MessageGroupId": "g"}, "MessageGroupId"),
    ],
)
def test_what_is_not_implemented_is_refused_by_name(queue, operation, request_, named):
    """Nothing is silently accepted."""
    with pytest.raises(queue.client.exceptions.ClientError) as raised:
        getattr(queue.client, operation)(**request_)

    assert raised.value.response["Error"]["Code"] == "NotImplemented"
    assert named in raised.value.response["Error"]["Message"]
