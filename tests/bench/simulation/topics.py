"""SNS: notices to functions and queues, mails to a counter."""

import json
from collections import defaultdict

from tools.emulator.services.sns.notification import Notification


class Topics:
    """All topics; implements the emulator's `Topics`."""

    def __init__(self, clock, functions, queues):
        self._clock = clock
        self._functions = functions
        self._queues = queues
        self._subscribers = defaultdict(list)
        self.mails = 0

    def subscribe_function(self, topic_arn, function_arn):
        """Have a function invoked asynchronously with each message."""
        self._subscribers[topic_arn].append(
            lambda message: self._functions.invoke_event(function_arn, message.lambda_event(f"{topic_arn}:function"))
        )

    def subscribe_queue(self, topic_arn, queue_arn):
        """Have each message sent to a queue."""
        self._subscribers[topic_arn].append(
            lambda message: self._queues.send(queue_arn, json.dumps(message.envelope(f"{topic_arn}:queue")), {})
        )

    def publish(self, topic_arn, message):
        """Publish a message."""
        notification = Notification(topic_arn, message, None, {}, self._clock.now())
        for deliver in self._subscribers[topic_arn]:
            deliver(notification)

    def mail(self, given):  # mails are only counted
        """Take a mail."""
        self.mails += 1
        return {"MessageId": str(self.mails)}
