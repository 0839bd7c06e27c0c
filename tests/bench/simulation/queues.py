"""SQS from the emulator's queues (`tools.emulator.services.sqs.queue`): names, clients' operations, and waking whoever polls."""

from tools.emulator.services.sqs.queue import Limits, MessageQueue

_URL = "https://sqs.us-east-1.amazonaws.com/111122223333/"
_ARN = "arn:aws:sqs:us-east-1:111122223333:"


def url_of(name):
    """Return a queue's URL."""
    return _URL + name


def arn_of(name):
    """Return a queue's ARN."""
    return _ARN + name


class Queues:
    """All queues; implements `ports.Queues` and Lambda's `ReceivingQueues`. Pollers are woken as soon as a message may be seen.

    `limits`: the settings of each queue by its name; `dead_letters`: the name of each queue's dead letters.
    """

    def __init__(self, clock, limits, dead_letters):
        self._clock = clock
        self._limits = limits
        self._dead_letters = dead_letters
        self._queues = {name: MessageQueue(clock) for name in limits}
        self._wake = lambda _: None
        self.operations = {
            "SendMessage": self._send_message,
            "SendMessageBatch": self._send_batch,
            "ReceiveMessage": self._receive_message,
            "DeleteMessage": self._delete_message,
            "ChangeMessageVisibility": self._change_visibility,
            "GetQueueAttributes": self._attributes,
            "PurgeQueue": self._purge,
        }

    def when_visible(self, wake):
        """Call this with a queue's ARN whenever one of its messages may be received."""
        self._wake = wake

    # ports.Queues and functions.ports.ReceivingQueues

    def send(self, queue_arn, body, attributes):  # unused here
        """Send a message."""
        self._put(_name(queue_arn), body)

    def receive(self, queue_arn, max_messages):
        """Return at most `max_messages` messages."""
        return self._take(_name(queue_arn), max_messages, None)

    def visibility_seconds(self, queue_arn):
        """Return for how long the queue hides a message."""
        return self._limits[_name(queue_arn)].visibility_seconds

    def delete(self, queue_arn, receipt_handles):
        """Delete messages."""
        for handle in receipt_handles:
            self._queues[_name(queue_arn)].delete(handle)

    def depth(self, name):
        """Return how many messages a queue holds."""
        return self._queues[name].depth(self._limits[name])

    # boto3's operations

    def _send_message(self, QueueUrl, MessageBody):  # noqa: N803 # boto3's names
        self._put(_of_url(QueueUrl), MessageBody)
        return {}

    def _send_batch(self, QueueUrl, Entries):  # noqa: N803 # boto3's names
        for entry in Entries:
            self._put(_of_url(QueueUrl), entry["MessageBody"])
        return {"Successful": [{"Id": entry["Id"]} for entry in Entries]}

    def _receive_message(self, QueueUrl, MaxNumberOfMessages, VisibilityTimeout):  # noqa: N803 # boto3's names
        received = self._take(_of_url(QueueUrl), MaxNumberOfMessages, VisibilityTimeout)
        return {"Messages": [{"Body": one.body, "ReceiptHandle": one.receipt_handle} for one in received]} if received else {}

    def _delete_message(self, QueueUrl, ReceiptHandle):  # noqa: N803 # boto3's names
        self._queues[_of_url(QueueUrl)].delete(ReceiptHandle)
        return {}

    def _change_visibility(self, QueueUrl, ReceiptHandle, VisibilityTimeout):  # noqa: N803 # boto3's names
        name = _of_url(QueueUrl)
        self._queues[name].change_visibility(ReceiptHandle, VisibilityTimeout)
        self._wake_in(name, VisibilityTimeout)
        return {}

    def _attributes(self, QueueUrl, AttributeNames):  # noqa: N803 # boto3's names
        depth = self.depth(_of_url(QueueUrl))
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(depth.visible),
                "ApproximateNumberOfMessagesNotVisible": str(depth.in_flight),
                "ApproximateNumberOfMessagesDelayed": str(depth.delayed),
            }
        }

    def _purge(self, QueueUrl):  # noqa: N803 # boto3's names
        self._queues[_of_url(QueueUrl)].purge()
        return {}

    # how

    def _put(self, name, body):
        self._queues[name].send(body, {}, self._limits[name], delay=None, trace=None)
        self._wake(arn_of(name))

    def _take(self, name, count, visibility):
        limits = self._limits[name]
        received, dead = self._queues[name].receive(count, limits, visibility)
        for message in dead:
            message.visible_at = self._clock.now()
            self._queues[self._dead_letters[name]].add(message)
        if received:
            self._wake_in(name, limits.visibility_seconds if visibility is None else visibility)
        return received

    def _wake_in(self, name, seconds):
        self._clock.call_later(seconds, lambda: self._wake(arn_of(name)))


def limits(visibility, receives):
    """Return a queue's settings: visibility in seconds, receives before a message is dead (None: never); kept for 14 days."""
    return Limits(visibility_seconds=visibility, retention_seconds=1_209_600.0, max_receives=receives)


def _name(queue_arn):
    return queue_arn.rpartition(":")[2]


def _of_url(url):
    return url.rpartition("/")[2]
