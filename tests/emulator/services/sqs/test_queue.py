"""One queue against a model: in any order of operations no message is lost, doubled or received while hidden."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from tools.emulator.core.clock import ManualClock
from tools.emulator.services.sqs.errors import SqsError
from tools.emulator.services.sqs.queue import Limits, MessageQueue

LIMITS = Limits(visibility_seconds=30.0, retention_seconds=1e9, max_receives=3)


class QueueMachine(RuleBasedStateMachine):
    """Sends, receives, deletes and hides; `visible_at` and `receives` hold what must be true of each message."""

    handles = Bundle("handles")

    def __init__(self):
        super().__init__()
        self.clock = ManualClock()
        self.queue = MessageQueue(self.clock, refuses_late=True)
        self.visible_at = {}
        self.receives = {}
        self.last_handle = {}

    @rule(delay=st.integers(0, 60))
    def send(self, delay):
        """A message is visible after its delay."""
        message = self.queue.send("body", {}, LIMITS, delay=delay, trace=None)
        self.visible_at[message.id] = self.clock.now() + delay
        self.receives[message.id] = 0

    @rule(target=handles, count=st.integers(1, 3))
    def receive(self, count):
        """Only visible messages are received, and those received three times become dead letters."""
        received, dead = self.queue.receive(count, LIMITS)

        for message in dead:
            assert self.receives.pop(message.id) == 3
            assert self.visible_at.pop(message.id) <= self.clock.now()
        for receipt in received:
            assert self.visible_at[receipt.message_id] <= self.clock.now()
            self.visible_at[receipt.message_id] = self.clock.now() + 30
            self.receives[receipt.message_id] += 1
            self.last_handle[receipt.message_id] = receipt.receipt_handle
        return [(receipt.message_id, receipt.receipt_handle) for receipt in received]

    @rule(seconds=st.integers(1, 40))
    def wait(self, seconds):
        """Time passes."""
        self.clock.advance(seconds)

    @rule(receipts=consumes(handles))
    def delete(self, receipts):
        """Only the newest receipt of a message deletes it."""
        for message_id, handle in receipts:
            self.queue.delete(handle)
            if message_id in self.receives and self.last_handle[message_id] == handle:
                del self.receives[message_id], self.visible_at[message_id]

    @rule(receipts=handles, seconds=st.integers(0, 100))
    def hide(self, receipts, seconds):
        """A message in flight is hidden for as long as requested; for any other there is an error."""
        for message_id, handle in receipts:
            in_flight = message_id in self.receives and self.visible_at[message_id] > self.clock.now()
            current = in_flight and self.last_handle.get(message_id) == handle
            try:
                self.queue.change_visibility(handle, seconds)
            except SqsError:
                assert not current
            else:
                assert current
                self.visible_at[message_id] = self.clock.now() + seconds

    @invariant()
    def counts_agree(self):
        """Visible and hidden messages together are all messages."""
        depth = self.queue.depth(LIMITS)

        assert depth.visible + depth.in_flight + depth.delayed == len(self.receives)
        assert depth.visible == sum(at <= self.clock.now() for at in self.visible_at.values())


QueueMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestQueue = QueueMachine.TestCase
