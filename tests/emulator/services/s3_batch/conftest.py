"""A bench for the engine: a clock that stands still, objects in a dictionary, and a function that answers as ordered."""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tools.emulator.core import InvocationResult, ListedVersion, ManualClock, NoSuchObjectError, ObjectForbiddenError, StoredObject
from tools.emulator.services.s3_batch import BatchOperations
from tools.emulator.settings import EmulatorSettings

ACCOUNT = "111122223333"
FUNCTION = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:batch-invoke"
Event = dict[str, Any]


def answer(event: Event, code: str = "Succeeded", text: str | None = "done", **members: Any) -> InvocationResult:
    """What a well-behaved function returns for an event; members replace those of the response."""
    result = {"taskId": event["tasks"][0]["taskId"], "resultCode": code, "resultString": text}
    body = {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": event["invocationId"],
        "results": [result],
    }
    return InvocationResult(200, json.dumps(body | members).encode())


class Objects:
    """Buckets `work` and `videos`; forbidden keys can be named."""

    def __init__(self) -> None:
        self.stored: dict[tuple[str, str], bytes] = {}
        self.encryption: str | None = None
        self.forbidden: set[str] = set()
        self.listed: list[ListedVersion] = []

    def read(self, bucket: str, key: str, version_id: str | None = None) -> StoredObject:
        """As in the port."""
        if key in self.forbidden:
            raise ObjectForbiddenError(key)
        if (bucket, key) not in self.stored:
            raise NoSuchObjectError(key)
        body = self.stored[bucket, key]
        return StoredObject(body, hashlib.md5(body).hexdigest(), len(body), version_id, self.encryption)

    def list(self, bucket: str) -> Iterator[ListedVersion]:
        """As in the port: what was put into `listed`, in the bucket of videos."""
        if bucket != "videos":
            raise NoSuchObjectError(bucket)
        yield from self.listed

    def write(self, bucket: str, key: str, body: bytes) -> None:
        """As in the port."""
        if bucket not in ("work", "videos"):
            raise NoSuchObjectError(bucket)
        self.stored[bucket, key] = body


class Functions:
    """A function that answers each event after `seconds` (None: before `invoke` returns), and throttles above `concurrency`."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.seconds: float | None = 0.5
        self.concurrency = 1_000
        self.answer: Callable[[Event], InvocationResult] = answer
        self.events: list[Event] = []
        self.started: list[float] = []
        self.arns: set[str] = set()
        self.running = 0
        self.most_running = 0
        self.throttled = 0

    def invoke(self, function_arn: str, payload: bytes, done: Callable[[InvocationResult], None]) -> None:
        """As in the port."""
        if self.running >= self.concurrency:
            self.throttled += 1
            done(InvocationResult(429, b'{"message":"Rate Exceeded."}'))
            return
        event = json.loads(payload)
        self.arns.add(function_arn)
        self.events.append(event)
        self.started.append(self.clock.now())
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        if self.seconds is None:
            self._finish(event, done)
        else:
            self.clock.call_later(self.seconds, lambda: self._finish(event, done))

    def invoke_event(self, function_arn: str, payload: bytes) -> bool:
        """S3 Batch never does."""
        raise AssertionError((function_arn, payload))

    def _finish(self, event: Event, done: Callable[[InvocationResult], None]) -> None:
        self.running -= 1
        done(self.answer(event))

    @property
    def keys(self) -> list[str]:
        """The keys of all events, in the order of the invocations."""
        return [event["tasks"][0]["s3Key"] for event in self.events]


@dataclass
class Bench:
    """An engine with its neighbours and shorthands to drive it."""

    settings: EmulatorSettings = field(default_factory=EmulatorSettings)
    clock: ManualClock = field(default_factory=ManualClock)
    objects: Objects = field(default_factory=Objects)
    functions: Functions = field(init=False)
    engine: BatchOperations = field(init=False)
    submitted: int = 0

    def __post_init__(self) -> None:
        """Wire the engine up."""
        self.functions = Functions(self.clock)
        self.engine = BatchOperations(
            clock=self.clock, settings=self.settings, objects=self.objects, functions=self.functions, seed=7
        )

    def request(self, body: bytes | int = 3, *, fields: tuple[str, ...] = ("Bucket", "Key"), **members: Any) -> dict[str, Any]:
        """A CreateJob request for a manifest (or one with a number of rows) that has been uploaded; members replace."""
        if isinstance(body, int):
            body = b"".join(b"videos,%06d.mp4\n" % number for number in range(body))
        self.submitted += 1
        key = f"manifests/{self.submitted}.csv"
        self.objects.write("work", key, body)
        location = {"ObjectArn": f"arn:aws:s3:::work/{key}", "ETag": hashlib.md5(body).hexdigest()}
        return {
            "AccountId": ACCOUNT,
            "ConfirmationRequired": False,
            "Operation": {"LambdaInvoke": {"FunctionArn": FUNCTION}},
            "Report": {
                "Enabled": True,
                "Bucket": "arn:aws:s3:::work",
                "Format": "Report_CSV_20180820",
                "Prefix": "reports",
                "ReportScope": "AllTasks",
            },
            "ClientRequestToken": f"token-{self.submitted}",
            "Manifest": {"Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": list(fields)}, "Location": location},
            "Priority": 10,
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/batch",
        } | members

    def submit(self, body: bytes | int = 3, **members: Any) -> str:
        """Create a job."""
        return self.engine.create_job(self.request(body, **members))

    def run(self, body: bytes | int = 3, **members: Any) -> str:
        """Submit a job and let it run to its end."""
        job_id = self.submit(body, **members)
        self.clock.run_until_idle()
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        """What DescribeJob says."""
        return self.engine.describe_job(job_id)

    def status(self, job_id: str) -> str:
        """The job's status."""
        return self.job(job_id)["Status"]

    def reason(self, job_id: str) -> str:
        """The job's only failure reason."""
        (failure,) = self.job(job_id)["FailureReasons"]
        return failure["FailureReason"]

    def counts(self, job_id: str) -> tuple[int, int, int]:
        """Tasks in all, succeeded, failed."""
        progress = self.job(job_id)["ProgressSummary"]
        return tuple(progress[name] for name in ("TotalNumberOfTasks", "NumberOfTasksSucceeded", "NumberOfTasksFailed"))

    def report(self, job_id: str, prefix: str = "reports/") -> list[list[str]]:
        """All rows of a job's report, read by its manifest."""
        manifest = json.loads(self.objects.stored["work", f"{prefix}job-{job_id}/manifest.json"])
        rows = []
        for result in manifest["Results"]:
            body = self.objects.stored[result["Bucket"], result["Key"]]
            rows += csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
        return rows

    def has_report(self, job_id: str) -> bool:
        """Whether anything of a report was stored."""
        return any(f"job-{job_id}" in key for _, key in self.objects.stored)


@pytest.fixture
def bench() -> Bench:
    """A bench with the default settings."""
    return Bench()


@pytest.fixture(name="make_bench", scope="session")
def _make_bench() -> type[Bench]:
    return Bench


@pytest.fixture(name="answer", scope="session")
def _answer() -> Callable[..., InvocationResult]:
    return answer
