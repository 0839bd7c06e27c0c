"""What happens to the product: time, crashes, faults of AWS, sweeps during sweeps."""

from collections import Counter

from hypothesis import strategies as st

from tests.harness.product import DAY, HOUR, TABLE
from tests.model.ground import Ground, kind
from tests.model.invariants import waits
from tests.model.sampling import by_frames
from tests.model.scheduler import Order, Stand
from tests.model.troubles import KINDS, REFUSALS, Trouble

# The functions, and about how many AWS calls an invocation makes.
FUNCTIONS = {
    "batch_invoke": 8,
    "new_upload": 12,
    "start_analysis": 12,
    "sample_frames": 60,
    "completion": 7,
    "sweeper": 90,
    "publish_verdict": 12,
}
PERSONS = {"submit": 3, "retry": 3, "judge": 5, "cancel": 5, "redrive": 6, "decide": 2}
MOST_ORDERS = 4
# Lanes are purged above this many messages in them and videos of a scan: the model has seven keys. And as many messages of each of
# the videos fill a lane, so that its starters have not dropped them when the sweeper looks.
PURGED_ABOVE, FULL = 1, 10

calls = st.sampled_from([*FUNCTIONS.items(), *FUNCTIONS.items(), *PERSONS.items()]).flatmap(
    lambda one: st.tuples(st.just(one[0]), st.integers(1, one[1]))
)
named_calls = st.sampled_from(
    [
        ("start_analysis", "rekognition.StartContentModeration"),
        ("start_analysis", "dynamodb.TransactWriteItems"),
        ("sample_frames", "rekognition.DetectModerationLabels"),
        ("sample_frames", "dynamodb.TransactWriteItems"),
        ("completion", "dynamodb.TransactWriteItems"),
        ("completion", "dynamodb.GetItem"),
        ("batch_invoke", "sqs.SendMessage"),
        ("new_upload", "sqs.SendMessage"),
        ("new_upload", "dynamodb.PutItem"),
        ("sweeper", "sqs.SendMessageBatch"),
        ("sweeper", "dynamodb.TransactWriteItems"),
        ("sweeper", "dynamodb.PutItem"),
        ("sweeper", "sns.Publish"),
        ("publish_verdict", "s3.PutObjectTagging"),
        ("publish_verdict", "events.PutEvents"),
        ("publish_verdict", "dynamodb.DeleteItem"),
    ]
)
sides = st.sampled_from(["before", "after"])


def _may_order(model):
    return len(model.scheduler.orders) < MOST_ORDERS


def _ready(model):
    return [run for run in model.scheduler.live if run.stand is Stand.READY and not run.held]


class Time(Ground):
    """Time passes, and runs continue."""

    @kind("some steps", weight=3)
    def some_steps(self, draw):
        """Some runs make AWS calls, in any order."""
        for _ in range(draw(st.integers(1, 60))):
            if not self.scheduler.turn():
                break

    @kind("rest", weight=4)
    def rest(self, draw):
        """Time passes, and all runs continue."""
        self.world.rest(draw(st.sampled_from([0, 1, 5, 8, 12, 20, 40, 61, 90, 130, 600])))

    @kind("clock jump")
    def outage(self, draw):
        """The clock jumps while the sweeper, and perhaps others, are out of order."""
        seconds = draw(st.sampled_from([HOUR, 13 * HOUR, 2 * DAY, 5 * DAY, 6 * DAY + HOUR, 7 * DAY + HOUR, 8 * DAY]))
        self.world.outage(seconds, starters=draw(st.booleans()), completion=draw(st.booleans()))


class Crashes(Ground):
    """Invocations and commands that are killed, or take longer than expected."""

    @kind("held at a call", when=_may_order, weight=4)
    def hold_later(self, draw):
        """The next run of a name will be held at one of its calls."""
        self.scheduler.orders.append(Order(*draw(calls | named_calls), draw(sides), "hold"))

    @kind("killed at a call", when=_may_order)
    def kill_later(self, draw):
        """The next run of a name will be killed at one of its calls."""
        self.scheduler.orders.append(Order(*draw(calls | named_calls), draw(sides), "kill"))

    @kind("killed now", when=lambda model: model.scheduler.live)
    def kill(self, draw):
        """A live run is killed."""
        self.scheduler.kill(draw(st.sampled_from(self.scheduler.live)))

    @kind("held now", when=_ready)
    def hold(self, draw):
        """A live run is held at its call while the others continue."""
        draw(st.sampled_from(_ready(self))).held = True
        self.scheduler.settle()

    @kind("released", when=lambda model: model.held, weight=8)
    def release(self, draw):
        """A held run continues, perhaps while the others wait."""
        run = draw(st.sampled_from(self.held))
        run.held = False
        alone = draw(st.booleans())
        while alone and run.stand is Stand.READY and not run.held:
            self.scheduler.step(run)


def _large_scans(model):
    waiting = Counter(item["sk"]["S"].removeprefix("SCAN#") for item in model.product_invariants.records.values() if waits(item))
    return [scan_id for scan_id in model.people.scans if waiting[scan_id] > PURGED_ABOVE]


class Purges(Ground):
    """A lane that is purged because a scan in it is paused."""

    @kind("resumed after a purge", when=_large_scans, weight=8)
    def resume_after_purge(self, draw):
        """A scan is paused while its lane is full, and resumed within the minute in which a purge may delete what is sent."""
        scan_id = draw(st.sampled_from(_large_scans(self)))
        self.people.pause(scan_id)
        for item in self.product_invariants.records.values():
            if waits(item) and item["sk"]["S"] == f"SCAN#{scan_id}":
                for _ in range(FULL):
                    self.send_again(item)
        self.world.sweep()
        self.world.rest(draw(st.sampled_from([0, 5, 20, 50])), sweeping=False)
        self.people.resume(scan_id)
        self.world.rest(130)


def _goes_by_frames(model):
    by = filter(by_frames, model.product_invariants.records.values())
    return [item for item in by if item["state"]["S"] in ("WAITING", "RUNNING")]


def _waits(model):
    return [item for item in model.product_invariants.records.values() if waits(item)]


class Meanwhile(Ground):
    """One run is held at its most vulnerable call while other things happen that must do no harm."""

    def _meanwhile(self, name, call, side, action=lambda: None, seconds=90):
        order = Order(name, call, side, "hold")
        self.scheduler.orders.insert(0, order)
        self.world.rest(20)
        action()
        self.world.rest(seconds)
        self.scheduler.orders[:] = [other for other in self.scheduler.orders if other is not order]
        for run in self.held:
            run.held = run.name != name
        self.scheduler.settle()

    @kind("notice during a start")
    def notice_during_start(self, _draw):
        """A starter is held between its Start and its write until the analysis is over."""
        self._meanwhile("start_analysis", "rekognition.StartContentModeration", "after")

    @kind("cancel during a start", when=_waits, weight=4)
    def cancel_during_start(self, draw):
        """A scan is cancelled while a starter is held before or after its Start."""
        item = draw(st.sampled_from(_waits(self)))
        scan_id = item["sk"]["S"].removeprefix("SCAN#")
        self.send_again(item)
        self._meanwhile("start_analysis", "rekognition.StartContentModeration", draw(sides), lambda: self.people.cancel(scan_id))

    @kind("start during a start")
    def start_during_start(self, _draw):
        """SQS delivers a message again while its starter is held between its Start and its write."""
        self._meanwhile("start_analysis", "rekognition.StartContentModeration", "after", self._send_tried_again)

    def _send_tried_again(self):
        for item in list(self.product_invariants.records.values()):
            if waits(item) and "start_tried_at" in item:
                self.send_again(item)

    @kind("film held under way", when=_goes_by_frames, weight=7)
    def hold_film(self, draw):
        """A worker is held at a film, until its lease is over, and its message is delivered again, or its scan is not to go on."""
        item = draw(st.sampled_from(_goes_by_frames(self)))
        scan_id = item["sk"]["S"].removeprefix("SCAN#")
        actions = {
            "again": lambda: self.send_again(item),
            "pause": lambda: self.people.pause(scan_id),
            "cancel": lambda: self.people.cancel(scan_id),
        }
        self.send_again(item)
        call = draw(st.sampled_from(["rekognition.DetectModerationLabels", "dynamodb.TransactWriteItems", "dynamodb.UpdateItem"]))
        action = draw(st.sampled_from(["again", "again", "pause", "cancel"]))
        self._meanwhile("sample_frames", call, draw(sides), actions[action], seconds=draw(st.sampled_from([90, 200])))

    @kind("start during a completion")
    def start_during_completion(self, draw):
        """A completion is held before or after its transition while the lanes continue."""
        self._meanwhile("completion", "dynamodb.TransactWriteItems", draw(sides))


class Troubles(Ground):
    """AWS calls that go wrong."""

    def _trouble(self, draw, how):
        self.scheduler.troubles[:] = [
            *self.scheduler.troubles[-MOST_ORDERS:],
            Trouble(draw(st.sampled_from(sorted(REFUSALS))), how),
        ]

    @kind("call refused")
    def refuse(self, draw):
        """The next call of a service is refused."""
        self._trouble(draw, KINDS[0])

    @kind("call failed")
    def fail(self, draw):
        """The next call of a service fails before it is done."""
        self._trouble(draw, KINDS[1])

    @kind("call's answer lost")
    def lose_answer(self, draw):
        """The next call of a service is carried out, and its answer is lost."""
        self._trouble(draw, KINDS[2])

    @kind("call repeated by the SDK")
    def repeat(self, draw):
        """The next call of a service is done twice."""
        self._trouble(draw, KINDS[3])

    @kind("start's answer lost")
    def lose_start_answers(self, draw):
        """The next Starts open their jobs, the next images are paid for, and their answers are lost."""
        count = draw(st.integers(1, 3))
        self.world.rekognition.faults.lose_start_answers(count)
        self.world.images.faults.lose_answers(count)

    @kind("start refused")
    def refuse_starts(self, draw):
        """The next Starts and images are refused; now and then enough to open the breaker."""
        code, count = draw(
            st.sampled_from([("AccessDeniedException", 2), ("InvalidS3ObjectException", 1), ("AccessDeniedException", 25)])
        )
        self.world.rekognition.faults.refuse_starts(code, count=count)
        self.world.images.faults.refuse(code, count=count)


class Sweeps(Ground):
    """The sweeper, alone and while another sweep runs."""

    @kind("sweep")
    def sweep(self, _draw):
        """The sweeper is called."""
        self.world.sweep()

    @kind("sweep within a sweep")
    def sweep_in_sweep(self, draw):
        """A sweep is held at one of its calls, another is made from end to end, then the first goes on."""
        self._drop_lease()
        self.scheduler.orders.insert(0, Order("sweeper", draw(st.integers(2, 70)), draw(sides), "hold"))
        self.world.sweep()
        self.scheduler.settle()
        self._drop_lease()
        self.world.sweep()
        self.world.rest(3, sweeping=False)
        for run in self.held:
            run.held = run.name != "sweeper"
        self.scheduler.settle()

    def _drop_lease(self):
        """Delete the lease, as if the sweepers' clocks disagreed: correctness must not depend on it."""
        self.world.tables.call("DeleteItem", {"TableName": TABLE, "Key": {"pk": {"S": "LEASE"}, "sk": {"S": "SWEEPER"}}})
