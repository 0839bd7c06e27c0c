"""The lanes: many messages at a time, and what is counted of them."""

import pytest
from botocore.exceptions import ClientError

from handlers.adapters.queue import LaneQueues
from handlers.domain import lane_message
from handlers.domain.states import Lane
from tests.handlers.doubles import client_error, waiting

URLS = {Lane.NORMAL: "normal", Lane.EXPRESS: "express"}


class Sqs:
    """Takes every message but those whose number is refused."""

    def __init__(self, refused=()):
        self.refused = refused
        self.calls = []

    def send_message_batch(self, QueueUrl, Entries):  # noqa: N803
        """Take some."""
        self.calls.append((QueueUrl, Entries))
        taken = [{"Id": entry["Id"]} for entry in Entries if entry["Id"] not in self.refused]
        return {"Successful": taken, "Failed": [{"Id": number} for number in self.refused]}


def test_refused():
    """What SQS refused of a batch is not among what was sent, so that it is not taken for sent."""
    records = [waiting(f"{number}.mp4") for number in range(3)]

    sent = LaneQueues(Sqs(refused=("1",)), URLS).send_all(records)

    assert ["0.mp4", "2.mp4"] == [record.video.key for record in sent]


def test_ten_at_a_time():
    """Ten messages a call, each record's to its own lane, in the order given."""
    sqs = Sqs()
    records = [waiting(f"{number:02}.mp4", lane=Lane.EXPRESS if number == 5 else Lane.NORMAL) for number in range(24)]

    sent = LaneQueues(sqs, URLS).send_all(records)

    assert [("express", 1), ("normal", 10), ("normal", 10), ("normal", 3)] == [(url, len(entries)) for url, entries in sqs.calls]
    assert {record.video.key for record in records} == {record.video.key for record in sent}


def test_lane_that_is_gone():
    """A record whose lane is not deployed any more does not keep the others from their messages."""
    records = [waiting("a.mp4", lane=Lane.FRAMES), waiting("b.mp4")]

    sent = LaneQueues(Sqs(), URLS).send_all(records)

    assert ["b.mp4"] == [record.video.key for record in sent]


def test_ten_longest_fit():
    """Ten messages of the longest keys there are fit into one call, whatever their escapes."""
    longest = waiting("\x01" * 1_024)

    assert 10 * len(lane_message.body(longest)) < 256 * 1024


def test_counts(queues, sqs, urls):
    """What can be received, and what is in flight or delayed, is counted apart."""
    for number in range(3):
        sqs.send_message(QueueUrl=urls[Lane.NORMAL], MessageBody=str(number))
    sqs.receive_message(QueueUrl=urls[Lane.NORMAL], MaxNumberOfMessages=1)

    depths = {lane: queues.depth(lane) for lane in Lane}

    assert (2, 1, 3) == (depths[Lane.NORMAL].visible, depths[Lane.NORMAL].other, depths[Lane.NORMAL].total)
    assert 0 == depths[Lane.EXPRESS].total


@pytest.mark.parametrize("code", ["PurgeQueueInProgress", "AWS.SimpleQueueService.PurgeQueueInProgress"])
def test_purging_already(queues, sqs, code):
    """SQS purges a queue once a minute; that a purge is under way is not an error."""
    sqs.fail("purge_queue", client_error(code))

    assert [False, True] == [queues.purge(Lane.NORMAL) for _ in range(2)]


def test_purge_refused(queues, sqs):
    """Any other refusal is raised."""
    sqs.fail("purge_queue", client_error("AccessDenied", 403))

    with pytest.raises(ClientError):
        queues.purge(Lane.NORMAL)
