"""The default bus of EventBridge, and the queue of the outbox: what they are given, and what they do not take."""

from types import SimpleNamespace

import pytest

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.event_bus import EventBus
from handlers.adapters.outbox_queue import OutboxQueue
from handlers.adapters.queue import Depth
from handlers.domain import outbox
from handlers.domain.consequence_event import SOURCE, DetailType, Event
from handlers.domain.outbox import Due
from tests.handlers.doubles import SCAN

EVENT = Event(next(iter(DetailType)), '{"a":1}')


@pytest.mark.parametrize("answer", [{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {}])
def test_taken(answer):
    """An event is put with the source and the name that rules match."""
    asked = []

    EventBus(SimpleNamespace(put_events=lambda **request: asked.append(request) or answer)).tell(EVENT)

    assert [{"Entries": [{"Source": SOURCE, "DetailType": EVENT.detail_type.value, "Detail": '{"a":1}'}]}] == asked


@pytest.mark.parametrize(
    ("entries", "codes"),
    [
        ({"Entries": [{"ErrorCode": "InternalFailure"}]}, "['InternalFailure']"),
        ({"Entries": [{}]}, "[None]"),
        ({}, "[]"),
    ],
)
def test_not_taken(entries, codes):
    """EventBridge answers 200 where it did not take an event: that counts as throttled, with its code if it gives one."""
    bus = EventBus(SimpleNamespace(put_events=lambda **_: {"FailedEntryCount": 1, **entries}))

    with pytest.raises(ThrottledError) as raised:
        bus.tell(EVENT)

    assert f"EventBridge did not take the event: {codes}" == str(raised.value)


@pytest.mark.parametrize(("count", "batches"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_messages(count, batches):
    """Messages about the outbox go out ten at a time, each once and in order, with ids of their own in each request."""
    dues, asked = [Due(f"{number:032x}", SCAN, "token") for number in range(count)], []

    OutboxQueue(SimpleNamespace(send_message_batch=lambda **request: asked.append(request)), "url").send_all(dues)

    sent = [[entry["MessageBody"] for entry in each["Entries"]] for each in asked]
    assert batches == [len({entry["Id"] for entry in each["Entries"]}) for each in asked] == list(map(len, sent))
    assert list(map(outbox.body, dues)) == [body for each in sent for body in each]
    assert {"url"} >= {each["QueueUrl"] for each in asked}


def test_depth():
    """What is hidden or delayed is in the queue, too."""
    counts = {"": "3", "NotVisible": "4", "Delayed": "5"}
    found = {f"ApproximateNumberOfMessages{name}": count for name, count in counts.items()}
    client = SimpleNamespace(
        get_queue_attributes=lambda QueueUrl, AttributeNames: {  # noqa: N803
            "Attributes": {name: found[name] for name in AttributeNames if QueueUrl == "url"}
        }
    )

    depth = OutboxQueue(client, "url").depth()

    assert (Depth(3, 9), 12) == (depth, depth.total)
