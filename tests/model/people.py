"""What people do with the tools or in the console, each as a run of its own that is interleaved with all others."""

import hashlib
from contextlib import suppress

from botocore.exceptions import ClientError

from handlers.adapters.table import items, open_table
from handlers.adapters.table.expressions import deserialized_item
from handlers.domain import policy, upload
from handlers.domain.decision import Decision
from handlers.domain.engine import Engine
from handlers.domain.identity import MAX_ATTEMPT, Video
from handlers.domain.record import Scan
from handlers.domain.states import RETRIABLE, Lane, State
from tests.harness.product import BUCKET, COMPLETIONS, HOUR, ROLE, TABLE, UPLOADS, WORK, policy_of
from tools.lib.manifest import UploadedManifest
from tools.lib.rejudge import judge as rejudge
from tools.lib.scans.redrive import Redrive
from tools.lib.submit.job_request import NewJob, job_request


def _by(interval_ms):
    """Return the arguments of a job that say by which engine videos go."""
    return {} if interval_ms is None else {"engine": "frames", "interval_ms": str(interval_ms)}


class NoBar:
    """Shows nothing."""

    def show(self, *_):
        """Show nothing."""


class People:
    """The users of the product; `jobs` are the batch jobs that they created: (job id, scan id, keys, arguments)."""

    def __init__(self, world):
        self._world = world
        self.table = open_table(world.client("dynamodb"), TABLE, world.flow_clock, has_outbox=True)
        self.jobs = []
        self.scans = {}  # scan id -> lane
        self._retries = {}
        self._numbers = 0

    def _do(self, name, body):
        def done():
            # Who sits at a keyboard sees an error, and is done for now.
            with suppress(ClientError):
                body()

        return self._world.scheduler.spawn(name, done, seconds=HOUR)

    # submitting

    def submit(self, keys, lane, interval_ms=None):
        """Submit a new scan, as `submit_job.py` does; by frames if an interval is given."""
        scan_id = f"01JDEM{len(self.scans):020}"
        self.scans[scan_id] = lane

        def body():
            engine = Engine.VIDEO if interval_ms is None else Engine.FRAMES
            bucket, now = self._world.bucket, self._world.clock.now()
            scan = Scan(scan_id, bucket, lane, created_at=now, engine=engine, interval_ms=interval_ms)
            self.table.scans.put_scan(scan)
            self._create_job(scan_id, keys, {"scan_id": scan_id, "lane": lane.value, **_by(interval_ms)})

        self._do("submit", body)

    def submit_by_hand(self, keys):
        """Create a job in the console, without a scan."""
        self._do("submit", lambda: self._create_job(None, keys, None))

    def clone(self, job):
        """Clone a job in the console, with the same arguments."""
        _, scan_id, keys, arguments = job
        if arguments is None:
            self.submit_by_hand(keys)
        else:
            self._do("submit", lambda: self._create_job(None, keys, arguments, named=scan_id))

    def retry(self, scan_id, interval_ms):
        """Retry what has failed or was cancelled, as `submit_job.py --retry` does; uploads by the engine that they went by."""
        if scan_id in self._world.invariants.day_scans:
            self._do("retry", lambda: self._retry_uploads(scan_id))
            return
        keys = [item["key"]["S"] for item in self._of(scan_id) if State(item["state"]["S"]) in RETRIABLE]
        number = self._retries[scan_id] = self._retries.get(scan_id, 0) + 1
        lane = self.scans.get(scan_id, Lane.NORMAL)
        arguments = {"scan_id": scan_id, "lane": lane.value, "retry": str(number), **_by(interval_ms)}
        self._do("retry", lambda: self._create_job(scan_id, keys, arguments))

    def _retry_uploads(self, scan_id):
        for item in self._of(scan_id):
            record = self.table.records.record(item["pk"]["S"].removeprefix("VIDEO#"), scan_id)
            if record.state in RETRIABLE and record.attempt < MAX_ATTEMPT:
                self.send_upload(upload.retry_body(record, record.attempt + 1))

    def send_upload(self, body):
        """Put a message into the queue of uploads."""
        queues = self._world.queues
        queues.put(queues.queue(UPLOADS), body, {})

    def watch(self, *, paused):
        """Pause a watch, or have it go on."""
        watches = self.table.watches
        self._do("watch", lambda: watches.pause_uploads(BUCKET, "a person") if paused else watches.resume_uploads(BUCKET))

    def retryable(self):
        """Return the scans with videos to retry."""
        found = {item["sk"]["S"][5:] for item in self._world.invariants.records.values() if State(item["state"]["S"]) in RETRIABLE}
        return sorted(found)

    def recorded(self, scan_id, keys):
        """Return for how many of these keys a scan has records."""
        return sum((Video(self._world.bucket, key).id, scan_id) in self._world.invariants.records for key in keys)

    def skipped(self, keys):
        """Return how many of these keys ever held something other than a video."""
        return sum(key in self._world.objects.no_videos for key in keys)

    def _of(self, scan_id):
        return [item for (_, scan), item in self._world.invariants.records.items() if scan == scan_id]

    def _create_job(self, scan_id, keys, arguments, named=None):
        self._numbers += 1
        body = "".join(f"{self._world.bucket},{key}\r\n" for key in keys).encode()
        manifest = UploadedManifest(WORK, f"manifests/{self._numbers}.csv", hashlib.md5(body).hexdigest())
        self._world.objects.write(WORK, manifest.key, body)
        job = NewJob(
            deployment=self._world.deployed.deployment(),
            token=f"token-{self._numbers}",
            description="a scan",
            arguments=arguments or {"scan_id": "none"},
            versioned=False,
            report_prefix=f"reports/{self._numbers}",
        )
        request = job_request(job, manifest)
        if arguments is None:
            function = request["Operation"]["LambdaInvoke"]
            del function["UserArguments"]
            function["InvocationSchemaVersion"] = "1.0"
        job_id = self._world.client("s3control").create_job(**request)["JobId"]
        self.jobs.append((job_id, scan_id or named or job_id, tuple(keys), arguments))
        if scan_id is not None:
            self.table.scans.add_job(scan_id, job_id)

    # pausing and cancelling

    def pause(self, scan_id=None):
        """Pause a scan, or all starting."""
        self._do(
            "pause",
            lambda: (
                self.table.control.pause("a person", "test") if scan_id is None else self.table.scans.pause_scan(scan_id, "test")
            ),
        )

    def resume(self, scan_id=None):
        """Resume a scan, or all starting."""
        self._do("resume", lambda: self.table.control.resume() if scan_id is None else self.table.scans.resume_scan(scan_id))

    def slots(self, slots):
        """Change the slots setting."""
        self._do("slots", lambda: self.table.control.set_slots(slots))

    def cancel(self, scan_id):
        """Cancel a scan, then its jobs, as `control_scan.py cancel` does."""

        def body():
            scan = self.table.scans.scan(scan_id)
            if scan is not None and scan.day is not None:
                self.table.scans.cancel_waiting(scan_id)
                return
            self.table.scans.cancel_scan(scan_id, "test")
            for job in scan.jobs if scan else ():
                with suppress(ClientError):
                    self._world.client("s3control").update_job_status(
                        AccountId=self._world.settings.account_id, JobId=job.id, RequestedJobStatus="Cancelled"
                    )

        self._do("cancel", body)

    def cancel_job(self, job_id):
        """Cancel a batch job in the console; the scan does not know."""
        self._do(
            "console",
            lambda: self._world.client("s3control").update_job_status(
                AccountId=self._world.settings.account_id, JobId=job_id, RequestedJobStatus="Cancelled"
            ),
        )

    # the rest

    def judge(self, scan_id, threshold):
        """Judge a scan again by another policy, as `review_report.py policy --apply` does."""
        asked = policy.parse(policy_of(threshold))
        self._world.invariants.thresholds[asked.hash] = threshold

        def body():
            for item in self._of(scan_id):
                record = self.table.records.record(item["pk"]["S"].removeprefix("VIDEO#"), scan_id)
                if record.state in rejudge.JUDGED:
                    judgement = rejudge.judge(record, asked)
                    if isinstance(judgement, rejudge.Judgement) and judgement.to_write:
                        self.table.records.judge_again(record, judgement.judged)

        self._do("judge", body)

    def decide(self, item, judgement):
        """Decide about the content of a record as it was reviewed, as `review_report.py apply` does."""
        record = items.record_from(deserialized_item(item))
        about = {"video": record.video, "etag": record.facts.etag, "scan_id": record.scan_id, "attempt": record.attempt}

        def body():
            by = {"note": "", "decided_by": "a person", "decided_at": round(self._world.clock.now(), 3)}
            self.table.decisions.note_decisions([Decision(judgement=judgement, **about, **by)])

        self._do("decide", body)

    def republish(self, item):
        """Have the consequences of a record again, as `control_scan.py republish` does."""
        record = items.record_from(deserialized_item(item))
        self._do("republish", lambda: self.table.outbox.put_again([record]))

    def redrive(self):
        """Redrive dead letters."""
        world = self._world
        redrive = Redrive(world.client("sqs"), world.client("lambda"), self.table.scans, world.deployed.deployment())
        self._do("redrive", lambda: redrive.run(NoBar()))

    def strange(self, key, *, tag, token, notified):
        """Start an analysis that is not the product's, in the same account, and that reports next to nothing."""
        channel = {"NotificationChannel": {"SNSTopicArn": COMPLETIONS, "RoleArn": ROLE}} if notified else {}
        named = {name: value for name, value in (("JobTag", tag), ("ClientRequestToken", token)) if value}
        self._do(
            "stranger",
            lambda: self._world.client("rekognition").start_content_moderation(
                Video={"S3Object": {"Bucket": self._world.bucket, "Name": key}}, MinConfidence=100.0, **channel, **named
            ),
        )
