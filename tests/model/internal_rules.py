"""What others do: S3 Batch, Rekognition, SQS, and people."""

import json

from hypothesis import strategies as st

from handlers.domain.identity import MAX_ATTEMPT, Analysis
from handlers.domain.states import SCAN_LANES
from tests.harness.product import COMPLETIONS, DAY, HOUR, IMAGES_PER_SECOND, arn
from tests.model.ground import KEYS, Ground, bodies, intervals, kind
from tests.model.tags import analysis_of
from tests.model.world import LANES

MOST_SCANS, MOST_JOBS = 3, 12
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True)


def _has_jobs(model):
    return model.people.jobs


def _has_records(model):
    return model.product_invariants.records


class Jobs(Ground):
    """Batch jobs, their tasks and their objects."""

    @kind("submit", when=lambda model: len(model.people.scans) < MOST_SCANS)
    def submit(self, draw):
        """A scan is submitted."""
        self.people.submit(draw(keys), draw(st.sampled_from(SCAN_LANES)), draw(intervals))
        self.world.rest(draw(st.sampled_from([0, 8])))

    @kind("job by hand", when=lambda model: len(model.people.jobs) < MOST_JOBS)
    def submit_by_hand(self, draw):
        """A job is made in the console."""
        self.people.submit_by_hand(draw(keys))
        self.world.rest(draw(st.sampled_from([0, 8])))

    @kind("job cloned", when=lambda model: 0 < len(model.people.jobs) < MOST_JOBS)
    def clone(self, draw):
        """A job is cloned in the console."""
        self.people.clone(draw(st.sampled_from(self.people.jobs)))

    @kind("job cancelled by hand", when=_has_jobs)
    def cancel_job(self, draw):
        """A job is cancelled in the console."""
        self.people.cancel_job(draw(st.sampled_from(self.people.jobs))[0])

    @kind("retry", when=lambda model: model.people.retryable(), weight=4)
    def retry(self, draw):
        """What has failed is retried, perhaps by the other engine."""
        self.people.retry(draw(st.sampled_from(self.people.retryable())), draw(intervals))
        self.world.rest(draw(st.sampled_from([0, 8])))

    @kind("task again", when=_has_jobs)
    def task_again(self, draw):
        """S3 Batch invokes again for a task that was registered before."""
        job_id, _, own, arguments = draw(st.sampled_from(self.people.jobs))
        old = arguments is None
        bucket = self.world.bucket
        named = {"s3BucketArn": f"arn:aws:s3:::{bucket}"} if old else {"s3Bucket": bucket}
        event = {
            "invocationSchemaVersion": "1.0" if old else "2.0",
            "invocationId": "again",
            "job": {"id": job_id} if old else {"id": job_id, "userArguments": arguments},
            "tasks": [{"taskId": "again", "s3Key": draw(st.sampled_from(own)), "s3VersionId": None, **named}],
        }
        self.world.functions.invoke(arn("batch_invoke"), json.dumps(event).encode(), lambda _result: None)

    @kind("object replaced")
    def replace_object(self, draw):
        """An object is replaced or deleted during the scan."""
        key, body = draw(st.sampled_from(KEYS)), draw(bodies)
        if body is None:
            self.world.objects.delete(self.world.bucket, key)
        else:
            self.world.objects.write(self.world.bucket, key, body)


def _own_jobs(model, *, open_ones):
    own = {entry.job_id for entries in model.product_invariants.jobs.values() for entry in entries}
    return [job for job in model.world.rekognition.ledger.jobs if job.job_id in own and (job.closed_at is None) == open_ones]


def _running(model):
    return _own_jobs(model, open_ones=True)


def _ended(model):
    return _own_jobs(model, open_ones=False)


def _outdated(model):
    def attempt(analysis):
        return int(model.product_invariants.records[analysis.video_id, analysis.scan_id]["attempt"]["N"])

    return [job for job in _ended(model) if attempt(analysis_of(job.tag)) != analysis_of(job.tag).attempt]


class Notices(Ground):
    """Rekognition's notices, and forged ones."""

    @kind("notice lost")
    def lose_notice(self, _draw):
        """The next notice is lost."""
        self.world.rekognition.faults.lose_notices()

    @kind("notice doubled")
    def double_notice(self, _draw):
        """The next notice arrives twice."""
        self.world.rekognition.faults.repeat_notices()

    @kind("notice late")
    def delay_notice(self, draw):
        """The next notice arrives late."""
        self.world.rekognition.faults.delay_notices(draw(st.sampled_from([30, 300, 2 * HOUR, 2 * DAY])))

    @kind("notice early", when=_running, weight=6)
    def early_notice(self, draw):
        """A notice arrives for a job that still runs."""
        self._notify(draw(st.sampled_from(_running(self))).job_id)

    @kind("notice again", when=_ended, weight=3)
    def notice_again(self, draw):
        """A notice arrives again."""
        self._notify(draw(st.sampled_from(_ended(self))).job_id)

    @kind("notice of another attempt", when=_outdated, weight=12)
    def outdated_notice(self, draw):
        """A notice arrives for a job of an earlier attempt."""
        self._notify(draw(st.sampled_from(_outdated(self))).job_id)

    @kind("notice forged")
    def forge_notice(self, draw):
        """A forged notice arrives."""
        how = draw(st.sampled_from(["unknown job", "no JSON", "foreign topic"]))
        if how == "unknown job":
            self._notify("f" * 64)
        elif how == "no JSON":
            self.world.topics.publish(COMPLETIONS, "hello")
        else:
            sns = {"TopicArn": f"{COMPLETIONS}-other", "Message": json.dumps({"JobId": "f" * 64})}
            event = {"Records": [{"EventSource": "aws:sns", "Sns": sns}]}
            self.world.functions.invoke_event(arn("completion"), json.dumps(event).encode())

    @kind("stranger's job", when=_has_records, weight=4)
    def stranger(self, draw):
        """Another application analyses a video and finds nothing, perhaps one of ours with our tag, token and topic."""
        video_id, scan_id = draw(st.sampled_from(sorted(self.product_invariants.records)))
        item = self.product_invariants.records[video_id, scan_id]
        attempt = int(item["attempt"]["N"])
        # Of this attempt, of one before, of one to come.
        analysis = Analysis(scan_id, video_id, draw(st.sampled_from([attempt, attempt, 0, min(attempt + 1, MAX_ATTEMPT)])))
        self.people.strange(
            draw(st.sampled_from([item["key"]["S"], "strange.mp4"])),
            tag=draw(st.sampled_from([analysis.tag, analysis.tag, None])),
            token=draw(st.sampled_from([None, None, None, analysis.token])),
            notified=draw(st.booleans()),
        )

    def _notify(self, job_id):
        self.world.topics.publish(COMPLETIONS, json.dumps({"JobId": job_id, "Status": "SUCCEEDED"}))


def _messages(model):
    return [(lane.value, at) for lane in LANES for at in range(len(model.world.messages(lane.value)._messages))]


class Messages(Ground):
    """The lanes' messages."""

    @kind("message lost", when=_messages, weight=7)
    def lose_message(self, draw):
        """A lane loses a message."""
        self._take(*draw(st.sampled_from(_messages(self))))

    @kind("message dead", when=_messages, weight=6)
    def kill_message(self, draw):
        """A message becomes a dead letter."""
        lane, at = draw(st.sampled_from(_messages(self)))
        message = self._take(lane, at)
        message.visible_at = self.world.clock.now()
        self.world.messages(f"{lane}-dead").add(message)

    @kind("message doubled", when=_has_records)
    def double_message(self, draw):
        """A message is in its lane twice."""
        names = draw(st.sampled_from(sorted(self.product_invariants.records)))
        self.send_again(self.product_invariants.records[names])

    @kind("redrive")
    def redrive(self, _draw):
        """Dead letters are redriven."""
        self.people.redrive()

    def _take(self, lane, at):
        messages = self.world.messages(lane)._messages
        return messages.pop(list(messages)[at])


class Persons(Ground):
    """People at their keyboards."""

    def _scan(self, draw):
        return draw(st.sampled_from(self.scans))

    @kind("pause")
    def pause_all(self, _draw):
        """All starting is paused."""
        self.people.pause()

    @kind("resume")
    def resume_all(self, _draw):
        """Starting goes on."""
        self.people.resume()

    @kind("pause of a scan")
    def pause_scan(self, draw):
        """A scan is paused."""
        self.people.pause(self._scan(draw))

    @kind("resume of a scan")
    def resume_scan(self, draw):
        """A scan goes on."""
        self.people.resume(self._scan(draw))

    @kind("cancel")
    def cancel_scan(self, draw):
        """A scan is cancelled."""
        self.people.cancel(self._scan(draw))

    @kind("slots")
    def turn_slots(self, draw):
        """The slots setting is changed."""
        self.people.slots(draw(st.integers(1, 4)))

    @kind("judged again")
    def judge(self, draw):
        """A scan is judged again by another policy."""
        self.people.judge(self._scan(draw), draw(st.sampled_from([80, 90])))

    @kind("redeploy")
    def redeploy(self, draw):
        """The product is deployed with other settings."""
        account_jobs = draw(st.integers(1, 4))
        self.world.deploy(
            account_jobs=account_jobs,
            slots=draw(st.integers(1, account_jobs)),
            min_confidence=draw(st.sampled_from([50.0, 60.0, 80.0])),
            threshold=draw(st.sampled_from([80, 90])),
            frames=draw(st.sampled_from([True, True, False])),
            images_per_second=draw(st.sampled_from([IMAGES_PER_SECOND, IMAGES_PER_SECOND / 10])),
        )
