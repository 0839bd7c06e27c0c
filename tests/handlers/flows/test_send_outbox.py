"""The sweeper's messages about the outbox: how many, about which items, and for how long."""

from types import SimpleNamespace

import pytest

from handlers.adapters.queue import Depth
from handlers.domain.outbox import MOST_A_MINUTE, Due
from handlers.flows.sweep.send_outbox import ENOUGH, TOGETHER, SendOutbox
from tests.handlers.doubles import SCAN, Clock


class Outbox:
    """Items in one order, whichever shard comes first; which one did is kept."""

    def __init__(self, items):
        self.items, self.firsts = items, []

    def due(self, first_shard):
        """Return all items."""
        self.firsts.append(first_shard)
        return iter(self.items)


class Queue:
    """A queue that holds some messages, and takes a while to take more."""

    def __init__(self, clock, messages=0, seconds=0.0):
        self.clock, self.messages, self.seconds, self.sent = clock, messages, seconds, []

    def depth(self):
        """Return what is there, a part of it hidden."""
        return Depth(self.messages - self.messages // 3, self.messages // 3)

    def send_all(self, some):
        """Keep what is sent at a time."""
        self.sent.append(list(some))
        self.clock.time += self.seconds


@pytest.fixture(name="run")
def _run(clock):
    """Return a function that runs the task, and returns the queue and the outbox."""

    def run(items, *, until=50.0, **of_queue):
        outbox, queue = Outbox(items), Queue(clock, **of_queue)
        SendOutbox(outbox, queue, clock).run(SimpleNamespace(), clock.now() + until)
        return queue, outbox

    return run


@pytest.fixture(name="clock")
def _clock():
    return Clock()


def items(count, **fields):
    """Return items of the outbox."""
    return [Due(f"{number:032x}", SCAN, "token", **fields) for number in range(count)]


@pytest.mark.parametrize(("messages", "sent"), [(0, 1), (ENOUGH - 1, 1), (ENOUGH, 0), (ENOUGH + 1, 0)])
def test_enough(run, messages, sent):
    """Nothing is sent while the queue holds a thousand messages, hidden ones among them; less does not keep any back."""
    queue, _ = run(items(1), messages=messages)

    assert sent == len(queue.sent)


@pytest.mark.parametrize(("seconds", "is_sent"), [(-0.001, True), (0.0, True), (0.001, False)])
def test_not_before(run, clock, seconds, is_sent):
    """An item that AWS prevented is sent again from its time on."""
    due, early = items(1, not_before=clock.now() + seconds), items(1)

    queue, _ = run([*due, *early])

    assert [[*(due if is_sent else []), *early]] == queue.sent


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (TOGETHER, [TOGETHER]),
        (TOGETHER + 1, [TOGETHER, 1]),
        (MOST_A_MINUTE + 1, [TOGETHER] * (MOST_A_MINUTE // TOGETHER)),
    ],
)
def test_how_many(run, count, sizes):
    """A hundred at a time, in their order, and two thousand in all."""
    given = items(count)

    queue, _ = run(given)

    assert sizes == list(map(len, queue.sent))
    assert given[:MOST_A_MINUTE] == [item for some in queue.sent for item in some]


@pytest.mark.parametrize(("until", "times"), [(-0.001, 0), (0.0, 1), (9.999, 1), (10.0, 2), (20.0, 3)])
def test_until_its_time_is_over(run, until, times):
    """Between two requests the clock is looked at: up to the last moment there is another one."""
    queue, _ = run(items(5 * TOGETHER), until=until, seconds=10.0)

    assert times == len(queue.sent)


def test_another_shard_each_minute(run, clock):
    """Each sweep begins with the shard after the last sweep's, so that none keeps the others back."""
    firsts = []
    for _ in range(70):
        firsts += run([])[1].firsts
        clock.time += 60

    assert list(range(firsts[0], firsts[0] + 70)) == firsts


@pytest.mark.parametrize(("count", "logged"), [(0, []), (3, [("messages of the outbox sent", 3)])])
def test_logged(run, caplog, count, logged):
    """What was sent is logged, and that nothing was is not."""
    caplog.set_level("INFO")

    run(items(count))

    assert logged == [(entry.message, entry.messages) for entry in caplog.records]
