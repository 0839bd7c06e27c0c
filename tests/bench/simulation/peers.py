"""Three other designs in the same laboratory and world, written from what is known of them, kindly.

Kindly: the SDK's retries of today are granted to all; where a sample has a fault that is not its design, the fixed form runs too.
"""

import io
import itertools
import json
import random

from botocore.exceptions import ClientError

from tests.bench.simulation import world as worlds
from tests.bench.simulation.lab import Lab, Part
from tests.harness.product import ACCOUNT, BUCKET, REGION, ROLE, WORK, arn, make_queue, poll, queue_arn, url

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:notices"
CHANNEL = {"SNSTopicArn": TOPIC, "RoleArn": ROLE}
POLL_SECONDS = 5.0
ARRIVALS_PER_SECOND = 200.0
# What boto3's `standard` mode repeats, three tries in all (docs/aws.md#7-rekognition).
THROTTLES = ("LimitExceededException", "ProvisionedThroughputExceededException", "ThrottlingException")
_SUCCEEDED = "Succeeded"


class _Design:
    """What the designs share: a laboratory, and the calls that each makes."""

    PROCESSOR = "x86"

    def __init__(self, world, **parts):
        self.world = world
        self._chance = random.Random(f"sdk {world.setting.seed}")
        self.lab = Lab(world, lambda function, environment: parts[function.name].make(environment))
        for name, part in parts.items():
            self.lab.put_part(name, part)

    def _aws(self, environment):
        return self.lab.client(environment, "rekognition")

    def _start(self, environment, key, attempts=3, **parameters):
        """Start an analysis as boto3 does, with retries where Rekognition throttles."""
        client, video = self._aws(environment), {"S3Object": {"Bucket": BUCKET, "Name": key}}
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
            environment.gate("dynamodb.PutItem", {}, dict)
        if labels:
            self.lab.client(environment, "sns").publish(TopicArn=TOPIC, Message="labels")

    def run(self):
        """Let everything finish."""
        self.lab.run()

    def own_count(self):
        """Return nothing: none of them counts."""
        return {}


class Blog(_Design):
    """The blog's: S3 Batch invokes a function per video, which starts the analysis and polls until it is over, 15 minutes at most.

    `reserved`: how many of it may run at a time; the blog sets no limit.
    """

    def __init__(self, world, reserved=None):
        super().__init__(world, scan=Part(make=self._scan, timeout=900.0, reserved=reserved))
        self.lab.make_topic("notices")
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
        super().__init__(
            world, invokes=Part(make=self._invokes, timeout=300.0), processes=Part(make=self._processes, timeout=300.0)
        )
        self.lab.make_topic("notices", **{"lambda": arn("processes")})
        for number in range(world.setting.videos):
            self.lab.clock.call_later(number / ARRIVALS_PER_SECOND, lambda number=number: self._arrives(number))

    def _arrives(self, number):
        self.lab.timeline.note_registered(number, self.lab.clock.now())
        self.lab.functions.invoke_event(arn("invokes"), json.dumps({"key": worlds.key_of(number)}).encode())

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
        super().__init__(
            world,
            batch=Part(make=self._batch, timeout=30.0, memory=128, reserved=1),
            router=Part(make=self._router, timeout=900.0, memory=128),
            scheduler=Part(make=self._scheduler, timeout=60.0, memory=128, reserved=1),
            results=Part(make=self._results, timeout=900.0, memory=2_000, reserved=50),
        )
        self._as_written = as_written
        make_queue("dead")
        make_queue("jobs", dead="dead", receives=self.RECEIVES)
        make_queue("results", 900, dead="dead", receives=self.RECEIVES)
        self.lab.make_topic("notices", **{"lambda": arn("scheduler"), "sqs": queue_arn("results")})
        poll(self.lab, "results-mapping", "results", "results", most=50)
        self.lab.polled.add("results")
        self.lab.every("rate(2 minutes)", "scheduler")
        self._ids = itertools.count()
        self.lab.submit("batch")

    def _batch(self, environment):
        def handler(event, _deadline):
            (task,) = event["tasks"]
            item = {"id": f"document-{next(self._ids)}", "key": task["s3Key"]}
            environment.gate("dynamodb.PutItem", {}, lambda: self._stream(item))
            return _answer(event, task)

        return handler

    def _stream(self, item, wait=0.2):
        """Hand an item to the router, again and again until it is taken: how a stream's event source mapping does it."""

        def ended(result):
            if result.function_error or result.status != 200:
                self._stream(item, wait=1.0)

        payload = json.dumps(item).encode()
        self.lab.clock.call_later(wait, lambda: self.lab.functions.invoke(arn("router"), payload, ended))

    def _router(self, environment):
        sqs = self.lab.client(environment, "sqs")
        return lambda event, _deadline: sqs.send_message(QueueUrl=url("jobs"), MessageBody=json.dumps(event))

    def _scheduler(self, environment):
        sqs = self.lab.client(environment, "sqs")

        def handler(_event, _deadline):
            for _ in range(self.ROUNDS):
                received = sqs.receive_message(QueueUrl=url("jobs"), MaxNumberOfMessages=1, VisibilityTimeout=60)
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
            sqs.delete_message(QueueUrl=url("jobs"), ReceiptHandle=message["ReceiptHandle"])
        except ClientError as error:
            sqs.change_message_visibility(QueueUrl=url("jobs"), ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
            return error.response["Error"]["Code"]
        return None

    def _results(self, environment):
        s3 = self.lab.client(environment, "s3")

        def handler(event, _deadline):
            (record,) = event["Records"]
            job_id = _job_id(json.loads(record["body"]))
            token = {}
            while token is not None:
                environment.sleep(POLL_SECONDS)
                answer = self._aws(environment).get_content_moderation(JobId=job_id, **token)
                token = {"NextToken": answer["NextToken"]} if "NextToken" in answer else None
            s3.put_object(Bucket=WORK, Key=job_id, Body=io.BytesIO())
            environment.gate("dynamodb.UpdateItem", {}, dict)

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
