"""The base of every example: a world with a running scan, counts of what was done, and an end at which all is quiet."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from handlers.adapters.aws_errors import ThrottledError
from handlers.adapters.table import items
from handlers.adapters.table.expressions import deserialized_item
from handlers.domain import lane_message
from handlers.domain.states import SCAN_LANES, ScanStatus
from handlers.flows.complete import CompletionError
from handlers.flows.sweep.sweep import SweepError
from handlers.runtime.logs import LOGGER
from tests.harness.media import image
from tests.harness.product import BUCKET, DAY, HOUR, MINUTE, UPLOADS
from tests.harness.videos import MP4, unreadable
from tests.model.invariants import unfinished
from tests.model.people import People
from tests.model.tags import analysis_of
from tests.model.videos import weapons
from tests.model.world import World
from tools.emulator.services.rekognition.faults import CallFaults, Faults
from tools.emulator.settings import EmulatorSettings

# After so long without faults every message that was to be sent again must have been sent, in every scan. The mark must be as old
# as the second time, because the index that the sweeper reads lags, and the lease of a killed sweeper lasts.
SENT_AGAIN_SECONDS, MARKED_SECONDS = 5 * MINUTE, 4 * MINUTE
# After so long without faults everything must be over. The longest wait there is lasts a day: a scan whose job never came.
QUIET_SECONDS = 3 * DAY

KEYS = tuple(f"v{number}.mp4" for number in range(7))
UPLOAD_KEYS = tuple(f"uploads/u{number}.mp4" for number in range(3))
SECONDS = (5, 20, 20, 60, 400)
seeds = st.integers(0, 2**16)
videos = st.builds(weapons, st.sampled_from(SECONDS), st.sampled_from([None, 70, 85, 99]), content=st.integers(0, 3))
# What may lie under a key: a video, one that cannot be analysed, an image, neither, nothing.
bodies = st.one_of(videos, videos, st.sampled_from([unreadable(), image("Weapons", 85.0), image(), b"no video", None]))
# By the video API, or by frames every so often.
intervals = st.sampled_from([None, 5_000, 20_000])


class UnexpectedErrors(logging.Filter):
    """Collects logged exceptions that are not errors of AWS: those are faults of the product. All logs are dropped."""

    EXPECTED = (ClientError, BotoCoreError, ThrottledError, CompletionError, SweepError)

    def __init__(self):
        super().__init__()
        self.faults = []

    def filter(self, record):
        """Note the exception of a log record; above DEBUG another one without its message stands for it."""
        if record.exc_info and record.exc_info[0] is type(record.exc_info[1]):
            self._take(record.exc_info[1])
        return False

    def _take(self, error):
        if isinstance(error, ExceptionGroup):
            for each in error.exceptions:
                self._take(each)
        elif not isinstance(error, self.EXPECTED):
            self.faults.append(repr(error))


@dataclass(frozen=True)
class Kind:
    """One kind of step: its method takes the model and a function that draws."""

    name: str
    act: Callable
    when: Callable
    weight: int

    def __repr__(self):
        """Return the name of the step."""
        return self.name


def kind(name, *, when=lambda _model: True, weight=2):
    """Make a method a kind of step, chosen by its weight among those that `when` allows."""

    def mark(method):
        method.kind = Kind(name, method, when, weight)
        return method

    return mark


def vars_of(cls):
    """Return the attributes of a class and its bases."""
    return {name: value for base in reversed(cls.__mro__) for name, value in vars(base).items()}


class Score:
    """What was done over all examples: how often each step, which calls met which other run, how long the ends took."""

    def __init__(self):
        self.hits = Counter()
        self.concurrent = Counter()
        self.quiet_hours = Counter()
        self.tags = Counter()
        self.steps = 0
        self.calls = 0

    @classmethod
    def sum(cls, scores):
        """Return the score of several runs together."""
        found = cls()
        for score in scores:
            found.hits.update(score.hits)
            found.concurrent.update(score.concurrent)
            found.quiet_hours.update(score.quiet_hours)
            found.tags.update(score.tags)
            found.steps += score.steps
            found.calls += score.calls
        return found

    def all_hits(self, model):
        """Return how often each kind of step was taken, including those that never were."""
        return {each.name: self.hits[each.name] for each in model.kinds()}

    def __str__(self):
        """Return the counts as lines."""
        hits = (f"{count:7,}  {name}" for name, count in self.hits.most_common())
        concurrent = (f"{count:7,}  {caller} while {other} stood" for (other, caller), count in self.concurrent.most_common(40))
        quiet = ", ".join(f"{count} within {hours + 1} h" for hours, count in sorted(self.quiet_hours.items()))
        tags = ", ".join(f"{count:,} {how}" for how, count in sorted(self.tags.items()))
        head = f"{self.steps:,} steps, {self.calls:,} AWS calls; tags: {tags}; quiet: {quiet}"
        return "\n".join([head, *hits, "AWS calls made while another was half-way:", *concurrent])


class Ground(RuleBasedStateMachine):
    """The product in its world; `score` spans all examples, and `make_world` may make a broken product."""

    score = Score()
    make_world = World

    def __init__(self):
        super().__init__()
        self.world = None
        self.broken = False

    @initialize(
        settings=st.fixed_dictionaries(
            {
                "index_lag_seconds": st.sampled_from([0.0, 2.0]),
                "account_jobs": st.integers(1, 4),
                "full_account_answers_repeated_token": st.booleans(),
                "failed_answers_name_video": st.booleans(),
                "quota_lag_seconds": st.sampled_from([0.0, 5.0]),
                "gets_per_second": st.sampled_from([5, 20]),
                "batch_throttle_spends_redrive": st.booleans(),
                "batch_function_errors_redriven": st.booleans(),
                "batch_missing_job_error": st.sampled_from(["NotFoundException", "NoSuchJob"]),
            }
        ),
        contents=st.lists(bodies, min_size=len(KEYS), max_size=len(KEYS)),
        lane=st.sampled_from(SCAN_LANES),
        interval_ms=intervals,
        versions=st.booleans(),
    )
    def begin(self, settings, contents, lane, interval_ms, versions):
        """Make a world in which a scan is submitted, drawing what is unknown about AWS."""
        self.world = type(self).make_world(EmulatorSettings(**settings), versions=versions)
        self.people = People(self.world)
        self.scheduler, self.product_invariants = self.world.scheduler, self.world.invariants
        self.unexpected = UnexpectedErrors()
        LOGGER.addFilter(self.unexpected)
        LOGGER.setLevel(logging.DEBUG)
        for key, body in zip(KEYS, contents, strict=True):
            if body is not None:
                self.world.objects.write(self.world.bucket, key, body)
        self.world.objects.write(self.world.bucket, "strange.mp4", weapons(60, 99))
        self.people.table.watches.begin(BUCKET, self.world.clock.now())
        self.people.submit(KEYS[:5], lane, interval_ms)

    @classmethod
    def kinds(cls):
        """Return all kinds of steps, those that Hypothesis should prefer first, as it prefers the first."""
        found = (member.kind for member in vars_of(cls).values() if hasattr(member, "kind"))
        return sorted(found, key=lambda each: (-each.weight, each.name))

    @rule(data=st.data(), seed=seeds)
    def act(self, data, seed):
        """Do one of the things that are possible now, and hold everything against what must hold.

        One rule for all: Hypothesis would leave out half of the rules in each example, and repeat the others.
        """
        self.broken = True  # until the end: a broken example need not become quiet
        self.scheduler.random.seed(seed)
        possible = [each for each in self.kinds() if each.when(self) for _ in range(each.weight)]
        chosen = data.draw(st.sampled_from(possible), label="does")
        self.score.hits[chosen.name] += 1
        self.score.steps += 1
        chosen.act(self, data.draw)
        self.product_invariants.look()
        assert not self.unexpected.faults, self.unexpected.faults
        self.broken = False

    @property
    def scans(self):
        """Return the ids of all scans."""
        return sorted({scan_id for _, scan_id in self.product_invariants.records} | set(self.people.scans))

    @property
    def held(self):
        """Return the runs that are held."""
        return [run for run in self.scheduler.live if run.held]

    def send_again(self, item):
        """Put the message of a record into its lane once more."""
        record = items.record_from(deserialized_item(item))
        self.world.queues.put(self.world.queues.queue(record.lane.value), lane_message.body(record), {})

    # --- the end -----------------------------------------------------------------------------------------------------

    def teardown(self):
        """Let the world become quiet: then everything ends in a final state, and every scan closes."""
        if self.world is None:
            return
        try:
            if not self.broken:
                self._become_quiet()
        finally:
            LOGGER.setLevel(logging.NOTSET)
            LOGGER.removeFilter(self.unexpected)
            self.score.concurrent.update(self.scheduler.concurrent)
            self.score.tags.update(self.product_invariants.marks.counts)
            self.score.calls += self.scheduler.calls
            for run in list(self.scheduler.live):
                self.scheduler.kill(run)

    def _become_quiet(self):
        self.scheduler.orders.clear()
        self.scheduler.troubles.clear()
        self.world.rekognition.faults, self.world.images.faults = Faults(), CallFaults()
        for run in self.held:
            run.held = False
        # Whoever has just sat down to pause does so now, or what is resumed here would be paused after all.
        self.scheduler.settle()
        began = self.world.clock.now()
        if not self.world.deployed.frames:
            self.world.deploy(frames=True)
        self._resume_everything()
        self.world.rest(SENT_AGAIN_SECONDS)
        late = self.product_invariants.late(self.world.clock.now() - MARKED_SECONDS)
        assert not late, f"not sent again: {late}"
        while not self._over():
            waited = self.world.clock.now() - began
            assert waited < QUIET_SECONDS, (
                f"never quiet: {unfinished(self.product_invariants)}, {self._open_scans()}, {self.scheduler.live}, "
                f"{self._unregistered()}, {self.product_invariants.marks.unfinished()}"
            )
            self._resume_everything()
            if self._over(but_for_time=True):
                self.world.rest(4 * HOUR, every=2 * HOUR)
                continue
            # What is left after two hours waits for its day, which is as well seen every ten minutes.
            late = waited > 2 * HOUR
            self.world.rest(HOUR if late else 10 * MINUTE, every=10 * MINUTE if late else MINUTE)
        self.score.quiet_hours[round((self.world.clock.now() - began) / HOUR)] += 1
        assert not self.unexpected.faults, self.unexpected.faults
        self._check_end()

    def _resume_everything(self):
        settings = self.people.table.control.settings()
        if settings is not None and settings.paused:
            self.people.resume()
        for scan in self.people.table.scans.scans():
            if scan.status is ScanStatus.PAUSED:
                self.people.resume(scan.id)
        if self.people.table.watches.state(BUCKET).paused:
            self.people.watch(paused=False)

    def _open_scans(self):
        return [scan for scan in self.people.table.scans.scans() if scan.live]

    def _over(self, *, but_for_time=False):
        """Tell whether nothing is left, perhaps but for the end of a day, before which scans without a job do not close."""
        at_rest = not self.scheduler.live and not self.world.messages(UPLOADS)._messages and not self._unregistered()
        at_rest = at_rest and not self.product_invariants.marks.unfinished()
        open_scans = [scan for scan in self._open_scans() if scan.jobs or not but_for_time]
        return at_rest and not unfinished(self.product_invariants) and not open_scans

    def _check_end(self):
        """Compare what was promised and paid for with what became of it."""
        for job_id, scan_id, keys, _ in self.people.jobs:
            self._check_job(job_id, scan_id, keys)
        for tag in self.product_invariants.jobs:
            analysis = analysis_of(tag)
            item = self.product_invariants.records[analysis.video_id, analysis.scan_id]
            assert int(item["attempt"]["N"]) != analysis.attempt or item["state"]["S"] != "CANCELLED", f"paid and cancelled: {item}"
        self._check_uploads()
        self.product_invariants.marks.check_end()
        overpaid = self.product_invariants.frames.overpaid()
        assert not overpaid, f"paid again for more than was left unwritten: {overpaid}"
        counted = {scan_id: self.people.table.scans.totals(scan_id) for scan_id in self.scans}
        videos = Counter(scan_id for _, scan_id in self.product_invariants.records)
        assert {scan_id: totals.final for scan_id, totals in counted.items()} == {
            scan_id: videos[scan_id] for scan_id in self.scans
        }

    def _unregistered(self):
        """Return the keys of uploads that are there and have no record of their content."""
        contents = {(record.video.key, record.video.etag) for record in self._uploads()}
        bodies = {key: self.world.objects.stored.get((BUCKET, key), b"") for key in UPLOAD_KEYS}
        etags = {key: hashlib.md5(body, usedforsecurity=False).hexdigest() for key, body in bodies.items() if body.startswith(MP4)}
        return {item for item in etags.items() if item not in contents}

    def _uploads(self):
        return [
            items.record_from(deserialized_item(item))
            for (_, scan_id), item in self.product_invariants.records.items()
            if scan_id in self.product_invariants.day_scans
        ]

    def _check_uploads(self):
        """Of the contents of a key all but the last one are superseded, and that one is not while it is there."""
        for key in UPLOAD_KEYS:
            current = [record for record in self._uploads() if record.video.key == key and record.superseded_at is None]
            etags = {record.video.etag for record in current}
            assert len(etags) <= 1, f"not superseded: {current}"
            body = self.world.objects.stored.get((BUCKET, key), b"")
            there = {hashlib.md5(body, usedforsecurity=False).hexdigest()} if body.startswith(MP4) else etags
            assert etags == there, f"superseded, but there: {key} {body}"

    def _check_job(self, job_id, scan_id, keys):
        """Every task that S3 Batch calls done has a record, unless its object is not a video."""
        if job_id not in self.world.batch._jobs:
            return  # forgotten 90 days after its end
        progress = self.world.batch.describe_job(job_id)["ProgressSummary"]
        known = self.people.recorded(scan_id, keys)
        assert progress["NumberOfTasksSucceeded"] <= known + self.people.skipped(keys), (
            f"job {job_id} of {scan_id}: {progress}, {known} records"
        )
