"""Three other designs in the same laboratory and world, written from what is known of them, kindly.

Kindly: the SDK's retries of today are granted to all; where a sample has a fault that is not its design, the fixed form runs too.
"""

import itertools
import json
import random

from botocore.exceptions import ClientError

from tests.bench.simulation import clients
from tests.bench.simulation import lab as labs
from tests.bench.simulation import queues as queueing
from tests.bench.simulation import world as worlds
from tests.bench.simulation.lab import ACCOUNT, Lab, Part
from tests.bench.simulation.queues import arn_of, url_of

TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:notices"
CHANNEL = {"SNSTopicArn": TOPIC, "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/rekognition"}
POLL_SECONDS = 5.0
ARRIVALS_PER_SECOND = 200.0
# What boto3's `standard` mode repeats, three tries in all (docs/aws.md#7-rekognition).
THROTTLES = ("LimitExceededException", "ProvisionedThroughputExceededException", "ThrottlingException")
_SUCCEEDED = "Succeeded"


class _Design:
    """What the designs share: a laboratory, and the calls that each makes."""

    PROCESSOR = "x86"

    def __init__(self, world):
        self.world = world
        self._chance = random.Random(f"sdk {world.setting.seed}")

    def _aws(self, environment):
        return clients.rekognition(environment, self.lab.rekognition)

    def _start(self, environment, key, attempts=3, **parameters):
        """Start an analysis as boto3 does, with retries where Rekognition throttles."""
        client, video = self._aws(environment), {"S3Object": {"Bucket": worlds.BUCKET, "Name": key}}
        for attempt in range(attempts - 1):
            try:
                return client.start_content_moderation(Video=video, **parameters)["JobId"]
            except ClientError as error:
                if error.response["Error"]["Code"] not in THROTTLES:
                    raise
            environment.sleep(self._chance.random() * 2**attempt)
        return client.start_content_moderation(Video=video, **parameters)["JobId"]

    def _result(self, environment, job_id):
        """Ask every 5 seconds for the first page until the job is over."""
        while True:
            answer = self._aws(environment).get_content_moderation(JobId=job_id, SortBy="TIMESTAMP")
            if answer["JobStatus"] != "IN_PROGRESS":
                return answer
            environment.sleep(POLL_SECONDS)

    def _store(self, environment, answer):
        """Write each label by itself, and mail if there is any."""
        labels = answer["ModerationLabels"]
        for _ in labels:
            environment.call("dynamodb.PutItem", lambda _: {}, {})
        if labels:
            clients.sns(environment, self.lab.topics).publish(TopicArn=TOPIC, Message="labels")

    def run(self):
        """Let all come to its end."""
        self.lab.run()

    def own_count(self):
        """Return nothing: none of them counts."""
        return {}


class Blog(_Design):
    """The blog's: S3 Batch invokes a function per video, which starts the analysis and polls until it is over, 15 minutes at most.

    `reserved`: how many of it may run at a time; the blog sets no limit.
    """

    def __init__(self, world, reserved=None):
        super().__init__(world)
        self.lab = Lab(world, {"scan": Part(make=self._scan, timeout=900.0, reserved=reserved)})
        self.lab.submit("scan")

    def _scan(self, environment):
        def handler(event, _deadline):
            (task,) = event["tasks"]
            self._store(environment, self._result(environment, self._start(environment, task["s3Key"])))
            return _answer(event, task)

        return handler


class Seed(_Design):
    """The seed's: an upload starts the analysis, its notice a second function; nothing handles what went wrong."""

    def __init__(self, world):
        super().__init__(world)
        parts = {"invokes": Part(make=self._invokes, timeout=300.0), "processes": Part(make=self._processes, timeout=300.0)}
        self.lab = Lab(world, parts)
        self.lab.topics.subscribe_function(TOPIC, labs.arn_of("processes"))
        for number in range(world.setting.videos):
            self.lab.clock.call_later(number / ARRIVALS_PER_SECOND, lambda number=number: self._arrives(number))

    def _arrives(self, number):
        self.lab.book.note_registered(number, self.lab.clock.now())
        self.lab.functions.invoke_event(labs.arn_of("invokes"), json.dumps({"key": worlds.key_of(number)}).encode())

    def _invokes(self, environment):
        def handler(event, _deadline):
            job_id = self._start(environment, event["key"], NotificationChannel=CHANNEL)
            self._aws(environment).get_content_moderation(JobId=job_id, SortBy="TIMESTAMP")

        return handler

    def _processes(self, environment):
        return lambda event, _deadline: self._store(environment, self._result(environment, _job_id(event["Records"][0]["Sns"])))


class Scheduler(_Design):
    """The large-scale sample's: table, stream, queue; one scheduler starts what it can every two minutes and after each notice.

    `as_written`: its stop at the limit fails, so that it tries a hundred rounds each time; fixed, it stops at the first refusal.
    """

    ROUNDS = 100
    RECEIVES = 50

    def __init__(self, world, *, as_written=False):
        super().__init__(world)
        self._as_written = as_written
        parts = {
            "batch": Part(make=self._batch, timeout=30.0, memory=128, reserved=1),
            "router": Part(make=self._router, timeout=900.0, memory=128),
            "scheduler": Part(make=self._scheduler, timeout=60.0, memory=128, reserved=1),
            "results": Part(make=self._results, timeout=900.0, memory=2_000, reserved=50),
        }
        queues = {
            "jobs": queueing.limits(30.0, self.RECEIVES),
            "results": queueing.limits(900.0, self.RECEIVES),
            "dead": queueing.limits(30.0, None),
        }
        self.lab = Lab(world, parts, queues=queues, dead_letters={"jobs": "dead", "results": "dead"})
        self.lab.topics.subscribe_function(TOPIC, labs.arn_of("scheduler"))
        self.lab.topics.subscribe_queue(TOPIC, arn_of("results"))
        self.lab.poll("results-mapping", arn_of("results"), "results", most=50)
        self.lab.every("rate(2 minutes)", "scheduler")
        self._ids = itertools.count()
        self.lab.submit("batch")

    def _batch(self, environment):
        def handler(event, _deadline):
            (task,) = event["tasks"]
            item = {"id": f"document-{next(self._ids)}", "key": task["s3Key"]}
            environment.call("dynamodb.PutItem", lambda _: self._stream(item), {})
            return _answer(event, task)

        return handler

    def _stream(self, item, wait=0.2):
        """Hand an item to the router, again and again until it is taken: how a stream's event source mapping does it."""

        def ended(result):
            if result.function_error or result.status != 200:
                self._stream(item, wait=1.0)

        payload = json.dumps(item).encode()
        self.lab.clock.call_later(wait, lambda: self.lab.functions.invoke(labs.arn_of("router"), payload, ended))

    def _router(self, environment):
        sqs = clients.sqs(environment, self.lab.queues)
        return lambda event, _deadline: sqs.send_message(QueueUrl=url_of("jobs"), MessageBody=json.dumps(event))

    def _scheduler(self, environment):
        sqs = clients.sqs(environment, self.lab.queues)

        def handler(_event, _deadline):
            for _ in range(self.ROUNDS):
                received = sqs.receive_message(QueueUrl=url_of("jobs"), MaxNumberOfMessages=1, VisibilityTimeout=60)
                if not received:
                    return
                (message,) = received["Messages"]
                refusal = self._schedule(environment, sqs, message)
                if refusal == "LimitExceededException" and not self._as_written:
                    return

        return handler

    def _schedule(self, environment, sqs, message):
        item = json.loads(message["Body"])
        try:
            self._start(environment, item["key"], 1, ClientRequestToken=item["id"], JobTag=item["id"], NotificationChannel=CHANNEL)
            sqs.delete_message(QueueUrl=url_of("jobs"), ReceiptHandle=message["ReceiptHandle"])
        except ClientError as error:
            sqs.change_message_visibility(QueueUrl=url_of("jobs"), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            return error.response["Error"]["Code"]
        return None

    def _results(self, environment):
        s3 = clients.s3(environment)

        def handler(event, _deadline):
            (record,) = event["Records"]
            job_id = _job_id(json.loads(record["body"]))
            token = {}
            while token is not None:
                environment.sleep(POLL_SECONDS)
                answer = self._aws(environment).get_content_moderation(JobId=job_id, **token)
                token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
            s3.put_object(Bucket=labs.WORK_BUCKET, Key=job_id, Body=b"")
            environment.call("dynamodb.UpdateItem", lambda _: {}, {})

        return handler


def _job_id(notification):
    return json.loads(notification["Message"])["JobId"]


def _answer(event, task):
    return {
        "invocationSchemaVersion": event["invocationSchemaVersion"],
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": event["invocationId"],
        "results": [{"taskId": task["taskId"], "resultCode": _SUCCEEDED, "resultString": ""}],
    }
