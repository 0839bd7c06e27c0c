"""What the sweeper's tests stand on: SNS, Lambda, S3 Control and listings by hand, and the settings of a sweeper."""

import json
from datetime import UTC, datetime

from handlers.flows.sweep.sweep import SweepSettings
from tests.handlers.doubles import ACCOUNT, COMPLETIONS, client_error

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:alerts"
SETTINGS = SweepSettings("VideoModeration", COMPLETIONS, "us-east-1", mails_per_scan=3, slots=18)


class Sns:
    """A topic that keeps what is published, and when; `subscriptions` are those that it has, a page each."""

    def __init__(self, clock):
        self.clock = clock
        self.subscriptions = [[("email", f"{TOPIC}:1")]]
        self.mails = []
        self.times = []
        self.errors = []

    def publish(self, **mail):
        """Keep a mail."""
        if self.errors and (error := self.errors.pop(0)):
            raise error
        self.mails.append(mail)
        self.times.append(self.clock.now())

    def list_subscriptions_by_topic(self, TopicArn, NextToken="0"):  # noqa: N803
        """Return a page."""
        assert TOPIC == TopicArn
        page = int(NextToken)
        listed = [{"Protocol": protocol, "SubscriptionArn": arn} for protocol, arn in self.subscriptions[page]]
        more = {"NextToken": str(page + 1)} if page + 1 < len(self.subscriptions) else {}
        return {"Subscriptions": listed, **more}


class Lambda:
    """Event source mappings with their states, and the events that a function was invoked with."""

    def __init__(self):
        self.states = {"normal-mapping": "Enabled", "express-mapping": "Enabled"}
        self.events = []
        self.errors = []

    def get_event_source_mapping(self, UUID):  # noqa: N803
        """Describe a mapping."""
        return {"UUID": UUID, "State": self.states[UUID]}

    def update_event_source_mapping(self, UUID, Enabled):  # noqa: N803
        """Switch a mapping, which takes a while."""
        if self.errors and (error := self.errors.pop(0)):
            raise error
        self.states[UUID] = "Enabling" if Enabled else "Disabling"

    def settle(self):
        """Complete the pending changes of the mappings."""
        arrived = {"Enabling": "Enabled", "Disabling": "Disabled"}
        self.states = {name: arrived.get(state, state) for name, state in self.states.items()}

    def invoke(self, FunctionName, InvocationType, Payload):  # noqa: N803
        """Keep an event."""
        assert (FunctionName, InvocationType) == ("completion", "Event")
        if self.errors and (error := self.errors.pop(0)):
            raise error
        self.events.append(json.loads(Payload))


class S3Control:
    """Batch jobs by id: a status, or an error."""

    def __init__(self):
        self.jobs = {}
        self.counts = (10, 7, 1)
        self.asked = []
        self.more = {}

    def describe_job(self, AccountId, JobId):  # noqa: N803
        """Describe a job as S3 does."""
        assert AccountId == ACCOUNT
        self.asked.append(JobId)
        status = self.jobs.get(JobId)
        if status is None:
            raise client_error("NotFoundException", 404)
        if isinstance(status, Exception):
            raise status
        names = ("TotalNumberOfTasks", "NumberOfTasksSucceeded", "NumberOfTasksFailed")
        counts = dict(zip(names, self.counts, strict=True))
        return {"Job": {"JobId": JobId, "Status": status, "ProgressSummary": counts, **self.more}}


class KilledError(BaseException):
    """The sweeper was killed."""


class Buckets:
    """Listings of buckets by name: (etag, size, LastModified) by key, `page` objects at a time; each page takes some seconds."""

    def __init__(self, clock, page=1_000, seconds=0.0):
        self.objects = {}
        self.asked = []
        self._clock = clock
        self._page = page
        self._seconds = seconds

    def put(self, bucket, key, modified_at, *, etag="abc", size=3):
        """Put an object as if at another time."""
        self.objects.setdefault(bucket, {})[key] = (etag, size, modified_at)

    def list_objects_v2(self, Bucket, Prefix, StartAfter=""):  # noqa: N803
        """Return a page as S3 does: in the order of the bytes of keys, times without a fraction."""
        self.asked.append((Bucket, Prefix, StartAfter))
        self._clock.sleep(self._seconds)
        if Bucket not in self.objects:
            raise client_error("NoSuchBucket", 404)
        found = sorted(self.objects[Bucket].items(), key=lambda item: item[0].encode())
        left = [(key, facts) for key, facts in found if key.startswith(Prefix) and key.encode() > StartAfter.encode()]
        contents = [
            {"Key": key, "ETag": f'"{etag}"', "Size": size, "LastModified": datetime.fromtimestamp(int(at), UTC)}
            for key, (etag, size, at) in left[: self._page]
        ]
        return {"IsTruncated": len(left) > self._page, **({"Contents": contents} if contents else {})}


class UploadMessages:
    """The queue of uploads, and its dead letters, which keeps what is sent; `refused` are how many of a batch are not taken."""

    def __init__(self):
        self.bodies = []
        self.refused = []
        self.dead = 0

    def send_message_batch(self, QueueUrl, Entries):  # noqa: N803
        """Take a batch, but for its first entries where that is planned."""
        assert (QueueUrl, True) == ("uploads", 1 <= len(Entries) <= 10)
        refused = self.refused.pop(0) if self.refused else 0
        failed, taken = Entries[:refused], Entries[refused:]
        self.bodies += [entry["MessageBody"] for entry in taken]
        failures = [{"Id": entry["Id"], "SenderFault": False, "Code": "InternalError"} for entry in failed]
        return {"Successful": [{"Id": entry["Id"]} for entry in taken], **({"Failed": failures} if failures else {})}

    def get_queue_attributes(self, QueueUrl, AttributeNames):  # noqa: N803
        """Count the dead letters, all of them visible."""
        assert QueueUrl == "dead uploads"
        return {"Attributes": {name: str(self.dead * (name == "ApproximateNumberOfMessages")) for name in AttributeNames}}

    @property
    def keys(self):
        """The keys that were sent, in order."""
        return [json.loads(body)["key"] for body in self.bodies]
