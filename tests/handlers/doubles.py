"""What the handlers' tests stand on: a clock, Rekognition by hand (moto has no content moderation), and AWS errors."""

import json
from collections import deque

from botocore.exceptions import ClientError, ReadTimeoutError

from handlers.domain.decision import Decision, Judgement
from handlers.domain.identity import Video
from handlers.domain.record import ObjectFacts, Record
from handlers.domain.states import State

ACCOUNT, REGION = "111122223333", "us-east-1"
BUCKET = "amzn-s3-demo-bucket"
WORK_BUCKET = "amzn-s3-demo-work"
SCAN = "01JDEM00000000000000000001"
OTHER_SCAN = "01JDEM00000000000000000002"
JOB = "0f3c9f0e-1111-4222-8333-444455556666"
TABLE = "scans"
COMPLETIONS = f"arn:aws:sns:us-east-1:{ACCOUNT}:completions"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/rekognition"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(2_000)


class Clock:
    """A clock that moves only when someone sleeps or advances it."""

    def __init__(self, now=1_700_000_000.0):
        self.time = now
        self.slept = []
        self.meanwhile = None

    def now(self):
        """Return the time."""
        return self.time

    def sleep(self, seconds):
        """Advance, and run what is due meanwhile."""
        self.slept.append(seconds)
        self.time += seconds
        if self.meanwhile is not None:
            self.meanwhile()


def are_growing_waits(waits, base, cap):
    """Tell whether waits double from `base` on, up to `cap`; half of each is random, and some is added for rounding."""
    return all(
        0.5 * full <= wait <= full + 1e-9
        for wait, full in zip(waits, (min(cap, base * 2**number) for number in range(len(waits))), strict=True)
    )


def client_error(code, status=400, operation="Operation"):
    """Return the error that boto3 raises for an error response."""
    return ClientError(
        {"Error": {"Code": code, "Message": f"said {code}"}, "ResponseMetadata": {"HTTPStatusCode": status}}, operation
    )


def time_out():
    """Return the error that boto3 raises for a time-out."""
    return ReadTimeoutError(endpoint_url="https://rekognition.us-east-1.amazonaws.com")


class Through:
    """A client that forwards to another, except for errors planned for the next calls of an operation."""

    def __init__(self, client):
        self._client = client
        self.calls = []
        self._planned = {}
        self._after = {}

    def fail(self, operation, *errors):
        """Make the next calls fail before anything is done; None forwards a call."""
        self._planned.setdefault(operation, deque()).extend(errors)

    def die_after(self, operation, error, calls=1):
        """Forward the n-th call from now and then raise, as if its response were lost or the function killed."""
        self._after[operation] = [calls, error]

    def live(self):
        """Drop the planned errors."""
        self._planned.clear()
        self._after.clear()

    def __getattr__(self, operation):
        """Return an operation of the client."""

        def call(**parameters):
            self.calls.append((operation, parameters))
            planned = self._planned.get(operation)
            error = planned.popleft() if planned else None
            if error is not None:
                raise error
            answer = getattr(self._client, operation)(**parameters)
            if operation in self._after:
                self._after[operation][0] -= 1
                if self._after[operation][0] == 0:
                    raise self._after.pop(operation)[1]
            return answer

        return call

    def called(self, operation):
        """Return the parameters of each call of an operation."""
        return [parameters for name, parameters in self.calls if name == operation]


class Rekognition:
    """Content moderation with tokens, pages by hit number, and planned errors."""

    def __init__(self, clock):
        self._clock = clock
        self.starts = []
        self.start_times = []
        self.gets = []
        self.refuse_starts = deque()
        self.refuse_gets = deque()
        self.lose_answer = False
        self.jobs = {}
        self._tokens = {}

    def start_content_moderation(self, **parameters):
        """Start a job, or return the one of the token."""
        self.starts.append(parameters)
        self.start_times.append(self._clock.now())
        error = self.refuse_starts.popleft() if self.refuse_starts else None
        if error is not None:
            raise error
        token = parameters["ClientRequestToken"]
        if token in self._tokens:
            job_id = self._tokens[token]
            if self.jobs[job_id]["parameters"] != parameters:
                raise client_error("IdempotentParameterMismatchException")
        else:
            job_id = self._tokens[token] = f"{len(self.jobs):064x}"
            self.jobs[job_id] = {"parameters": parameters, "status": "IN_PROGRESS", "labels": [], "message": "", "left_out": ()}
        if self.lose_answer:
            self.lose_answer = False
            raise time_out()
        return {"JobId": job_id}

    def finish(self, job_id, labels=(), status="SUCCEEDED", message="", left_out=()):
        """End a job; a label is (milliseconds, name, parent, level, confidence), `left_out` names fields that its pages lack."""
        self.jobs[job_id] |= {"status": status, "labels": list(labels), "message": message, "left_out": left_out}

    def get_content_moderation(self, **parameters):
        """Return one page of a job."""
        self.gets.append(parameters)
        error = self.refuse_gets.popleft() if self.refuse_gets else None
        if error is not None:
            raise error
        job = self.jobs.get(parameters["JobId"])
        if job is None:
            raise client_error("ResourceNotFoundException")
        first = int(parameters.get("NextToken", "0"))
        last = first + parameters["MaxResults"]
        answer = {
            "JobId": parameters["JobId"],
            "JobStatus": job["status"],
            **{name: job["parameters"][name] for name in ("JobTag", "Video") if name not in job["left_out"]},
            "VideoMetadata": {"DurationMillis": 90_000},
            "ModerationModelVersion": "7.0",
            "ModerationLabels": [
                {
                    "Timestamp": at,
                    "ModerationLabel": {"Name": name, "ParentName": parent, "TaxonomyLevel": level, "Confidence": sure},
                }
                for at, name, parent, level, sure in job["labels"][first:last]
            ],
        }
        if job["message"]:
            answer["StatusMessage"] = job["message"]
        if last < len(job["labels"]):
            answer["NextToken"] = str(last)
        return answer


def waiting(key="a.mp4", *, scan_id=SCAN, attempt=0, queued_at=1_700_000_000.0, **fields):
    """Return a record that waits."""
    facts = fields.pop("facts", ObjectFacts("abc", 3, None))
    return Record(Video(BUCKET, key), scan_id, State.WAITING, attempt=attempt, facts=facts, queued_at=queued_at, **fields)


def decision_about(record, **fields):
    """Return a decision about a record's content: that it is confirmed, unless `fields` say another thing."""
    known = {"judgement": Judgement.CONFIRMED, "note": "", "decided_by": "Ada"}
    about = {"video": record.video, "etag": record.facts.etag, "scan_id": record.scan_id, "attempt": record.attempt}
    return Decision(**about, **(known | fields))


def batch_event(*keys, scan_id=SCAN, job_id=JOB, **arguments):
    """Return an S3 Batch event of schema 2.0; keys are as the manifest has them."""
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": "invocation",
        "job": {"id": job_id, "userArguments": {"scan_id": scan_id, **arguments}},
        "tasks": [
            {"taskId": f"task-{number}", "s3Key": key, "s3VersionId": None, "s3Bucket": BUCKET} for number, key in enumerate(keys)
        ],
    }


def notice_event(*job_ids, topic_arn=COMPLETIONS):
    """Return an SNS event with one completion notice for each job."""
    return {
        "Records": [
            {
                "EventSource": "aws:sns",
                "EventVersion": "1.0",
                "Sns": {"Type": "Notification", "TopicArn": topic_arn, "Message": json.dumps({"JobId": job_id})},
            }
            for job_id in job_ids
        ]
    }
