"""Our SQS and ministack's, given the same requests: messages sent, received until none is visible, hidden, shown, deleted, dead.

Compared are the bodies that come with how often each came, depths, error codes and what of a batch succeeded or failed. Time stands
aside: messages are hidden for a minute or not at all, and no example takes that long.

Where they are known to differ, and who is right:

| call | ours | ministack | AWS |
|---|---|---|---|
| delete a message twice, or by an older receipt | succeeds | ReceiptHandleIsInvalid | "the request succeeds" [API: DeleteMessage] |
| hide a message that is gone or was received again | InvalidParameterValue | ReceiptHandleIsInvalid | InvalidParameterValue (1) |
| hide a message that is visible again | no effect (or a setting's error) | hidden | no effect (2) |
| hide a message for more than 12 hours | InvalidParameterValue | hidden | "0 to 43200" [API: ChangeMessageVisibility] |

(1) mapbox/ecs-watchbot #135, vmihailenco/taskq #29; our handlers take both codes for the same. (2) localstack/localstack #9632.
Of the second the errors are taken as one; the others are not asked.
"""

import uuid
from functools import partial

import pytest
from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from handlers.adapters.aws_errors import FAULTS, Fault
from tests.cross_check.both import answer

pytestmark = pytest.mark.long

RECEIVES, HIDDEN_SECONDS = 2, "60"
TEXTS = st.sampled_from(["", "a,\"b'\n<&>", "ü🎬", "{}"])
DEPTHS = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]


class Lane:
    """A lane with its dead letters in one server; messages are named by their bodies."""

    def __init__(self, client):
        self._client = client
        name = uuid.uuid4().hex
        self._dead = client.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
        arn = client.get_queue_attributes(QueueUrl=self._dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        redrive = f'{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{RECEIVES}}}'
        attributes = {"VisibilityTimeout": HIDDEN_SECONDS, "RedrivePolicy": redrive}
        self._url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        self._handles = {}

    def call(self, operation, **parameters):
        """Return what a call came to, without what each server makes up itself."""
        return _plain(answer(self._client, operation, QueueUrl=self._url, **parameters))

    def receive_all(self):
        """Receive until nothing is visible; return what came."""
        came = []
        while True:
            reply = answer(
                self._client,
                "receive_message",
                QueueUrl=self._url,
                MaxNumberOfMessages=10,
                MessageSystemAttributeNames=["ApproximateReceiveCount"],
            )
            messages = reply.get("Messages", [])
            if not messages:
                return sorted(came)
            for message in messages:
                self._handles[message["Body"]] = message["ReceiptHandle"]
                came.append((message["Body"], message["Attributes"]["ApproximateReceiveCount"], message["MD5OfBody"]))

    def handle(self, body):
        """Return the receipt handle of a message's last receipt."""
        return self._handles[body]

    def depths(self):
        """Return how many messages are visible, in flight and delayed, and how many are dead."""
        asked = (
            answer(self._client, "get_queue_attributes", QueueUrl=url, AttributeNames=DEPTHS) for url in (self._url, self._dead)
        )
        return [reply["Attributes"] for reply in asked]


def _plain(reply):
    """Return an answer without ids and checksums of ids, and with the errors of a receipt that is no longer valid as one."""
    if FAULTS.get(reply.get("error")) is Fault.CONDITION:
        return {"error": Fault.CONDITION}
    plain = {name: value for name, value in reply.items() if name != "MessageId"}
    for kind, kept in (("Successful", ("Id", "MD5OfMessageBody")), ("Failed", ("Id", "SenderFault"))):
        if kind in plain:
            plain[kind] = sorted(tuple(entry.get(name) for name in kept) for entry in plain[kind])
    return {name: value for name, value in plain.items() if value != []}


def _show(lane, body):
    return lane.call("change_message_visibility", ReceiptHandle=lane.handle(body), VisibilityTimeout=0)


class Lanes(RuleBasedStateMachine):
    """Does to both whatever is done to one; `in_flight` are the bodies whose last receipt still holds."""

    clients = ()

    def __init__(self):
        super().__init__()
        self.lanes = [Lane(client) for client in self.clients]
        self.count = 0
        self.in_flight = []
        self.deleted = []

    def both(self, do):
        """Do something to both and compare what it came to."""
        ours, theirs = map(do, self.lanes)
        assert ours == theirs
        return ours

    def bodies(self, texts):
        """Return bodies that were never sent before."""
        self.count += len(texts)
        return [f"{self.count - number} {text}" for number, text in enumerate(texts)]

    @rule(text=TEXTS)
    def send(self, text):
        """Send a message."""
        (body,) = self.bodies([text])
        self.both(lambda lane: lane.call("send_message", MessageBody=body))

    @rule(texts=st.lists(TEXTS, min_size=1, max_size=11), id_of=st.sampled_from([str, lambda number: str(number // 2)]))
    def send_batch(self, texts, id_of):
        """Send up to ten messages; eleven, or two with one id, are refused as a whole."""
        entries = [{"Id": id_of(number), "MessageBody": body} for number, body in enumerate(self.bodies(texts))]
        reply = self.both(lambda lane: lane.call("send_message_batch", Entries=entries))
        event(f"send_message_batch: {reply.get('error', 'done')}")

    @rule()
    def receive_all(self):
        """Receive all that is visible; what came too often is dead."""
        came = self.both(Lane.receive_all)
        self.in_flight += [body for body, *_ in came]

    @rule()
    def look(self):
        """Look how many there are."""
        self.both(Lane.depths)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data(), seconds=st.sampled_from([0, 0, 0, 600]))
    def hide(self, data, seconds):
        """Hide a message for longer, or show it at once."""
        body = data.draw(st.sampled_from(self.in_flight))
        reply = self.both(
            lambda lane: lane.call("change_message_visibility", ReceiptHandle=lane.handle(body), VisibilityTimeout=seconds)
        )
        if seconds == 0 and "error" not in reply:
            self.in_flight.remove(body)

    @precondition(lambda self: self.in_flight)
    @rule()
    def give_all_back(self):
        """Show every message at once, as often as it takes until they are dead."""
        bodies, self.in_flight = self.in_flight, []
        for body in bodies:
            self.both(partial(_show, body=body))
        self.receive_all()

    @precondition(lambda self: self.deleted)
    @rule(data=st.data())
    def hide_what_is_gone(self, data):
        """Hiding a deleted message is an error."""
        body = data.draw(st.sampled_from(self.deleted))
        self.both(lambda lane: lane.call("change_message_visibility", ReceiptHandle=lane.handle(body), VisibilityTimeout=60))

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def delete(self, data):
        """Delete a message."""
        body = data.draw(st.sampled_from(self.in_flight))
        self.both(lambda lane: lane.call("delete_message", ReceiptHandle=lane.handle(body)))
        self._gone(body)

    @precondition(lambda self: self.in_flight)
    @rule(data=st.data())
    def delete_batch(self, data):
        """Delete some messages, and something that was never received: that one fails, the others do not."""
        bodies = data.draw(st.lists(st.sampled_from(self.in_flight), min_size=1, max_size=3, unique=True))
        wrong = [{"Id": "wrong", "ReceiptHandle": "nonsense"}]
        self.both(
            lambda lane: lane.call(
                "delete_message_batch",
                Entries=[{"Id": str(n), "ReceiptHandle": lane.handle(body)} for n, body in enumerate(bodies)] + wrong,
            )
        )
        for body in bodies:
            self._gone(body)

    def _gone(self, body):
        self.in_flight.remove(body)
        self.deleted.append(body)

    def teardown(self):
        """At the end the same is left."""
        self.both(Lane.receive_all)
        self.both(Lane.depths)


@pytest.fixture(scope="module")
def clients(ministack_server, emulator_world):
    """Return a client of each."""
    return [server.client("sqs") for server in (emulator_world, ministack_server)]


@pytest.mark.timeout(600)
def test_the_same_answers(clients):
    """Both servers give the same answers to any sequence of requests."""
    machine = type("LanesOfBoth", (Lanes,), {"clients": clients})

    run_state_machine_as_test(machine, settings=settings(max_examples=30, stateful_step_count=15, deadline=None))
