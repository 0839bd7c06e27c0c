"""The whole line in one process and on a clock that stands still: template, flows and programs, with the emulator's engines.

The real template is deployed into moto, in whose place the emulator's services stand. Its functions run the handlers' flows
in the caller's thread (`flows`); `submit_job.py` and `review_report.py` are run as commands.
"""

import json
from dataclasses import dataclass
from email import message_from_bytes, policy

from click.testing import CliRunner
from moto import mock_aws

from handlers.adapters.table import ScanTable
from handlers.domain.identity import Video
from tests.handlers.doubles import client_error, notice_event
from tests.line.flows import DiedError, Flows
from tests.line.session import Clock
from tests.line.short_way import OPERATIONS, directly
from tests.line.videos import Eyes, video
from tools import review_report, submit_job
from tools.emulator import cloudformation
from tools.emulator.batch import BatchOperations
from tools.emulator.batch import door as batch_door
from tools.emulator.deployment import Deployer
from tools.emulator.dynamodb.service import DynamoDbService
from tools.emulator.functions.door import Door as FunctionsDoor
from tools.emulator.functions.service import FunctionService
from tools.emulator.quotas import QuotasDoor
from tools.emulator.rekognition import door as rekognition_door
from tools.emulator.rekognition.engine import ContentModeration
from tools.emulator.settings import EmulatorSettings
from tools.emulator.sns.service import SnsService
from tools.emulator.sqs.service import SqsService
from tools.emulator.storage import Storage
from tools.lib.aws import Clients
from tools.lib.program import Surroundings

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
START, GET = "rekognition.StartContentModeration", "rekognition.GetContentModeration"
POLL_SECONDS = 5.0
"""How often an idle lane is looked at."""


def states(result):
    """Return how many videos ended in which state, by what `submit_job.py --json` says; those that have none are left out."""
    return {state: count for state, count in result["result"]["videos"].items() if count}


@dataclass(frozen=True)
class Call:
    """One AWS call: when, `service.Operation`, and with which parameters."""

    time: float
    name: str
    parameters: dict


def refusing(code, status=400):
    """Return an action that answers a call with an error of AWS's."""

    def refuse():
        raise client_error(code, status)

    return refuse


class Line:
    """A deployment with one bucket of videos. `calls` are the AWS calls that were made, in order."""

    def __init__(self, stack, directory, assembly, session, **settings):
        self.clock = Clock()
        self.settings = EmulatorSettings(**settings)
        self.directory = directory
        self.calls = []
        self.processes = []
        """Of the functions that run now; each but the last one sleeps, and the last one is who makes AWS calls."""
        self.watch = None
        """Who is told of each call of a function's, just before and just after it: `before(name, process)`, `after(...)`."""
        self._before = {}
        self._stack = stack
        self.session = session
        session.listener = self
        self._make_services()
        self._deploy(assembly)

    def asked(self, name, parameters):
        """Note a call, and do what was ordered before it."""
        self.calls.append(Call(self.clock.now(), name, parameters))
        if self._before.get(name):
            self._before[name].pop(0)()

    def calling(self, name, request, model):
        """Tell the watch of a call of a function's, and let a table's call take the short way."""
        self._check_alive()
        if self.watch is not None and self.processes:
            self.watch.before(name, self.processes[-1])
        if model.service_model.service_name == "dynamodb" and model.name in OPERATIONS:
            return directly(self.tables, model, request)
        return None

    def answered(self, name, answer):
        """Tell the watch of a call of a function's that was answered."""
        if self.watch is not None and self.processes:
            self.watch.after(name, self.processes[-1], answer)

    def sleep(self, seconds):
        """Let a function wait."""
        self._check_alive()
        self.clock.sleep(seconds)

    def _check_alive(self):
        if self.processes and self.processes[-1].dead:
            raise DiedError

    def before(self, name, *actions):
        """Do something just before each of the next calls of an operation, e.g. "sns.Publish"; it may raise in the call's place."""
        self._before.setdefault(name, []).extend(actions)

    def called(self, name):
        """Return the calls of an operation."""
        return [call for call in self.calls if call.name == name]

    def _make_services(self):
        clock, settings = self.clock, self.settings
        self.storage = Storage(settings)
        self.queues = SqsService(clock=clock, settings=settings)
        self.functions = FunctionService(
            clock=clock,
            settings=settings,
            queues=self.queues,
            receiving=self.queues,
            runtime=Flows(self),
            idle_poll_seconds=POLL_SECONDS,
        )
        self.queues.when_visible(self.functions.wake)
        outbox = self.directory / "outbox"
        self.topics = SnsService(clock=clock, settings=settings, functions=self.functions, queues=self.queues, outbox=outbox)
        self.tables = DynamoDbService(clock=clock, settings=settings)
        self.batch = BatchOperations(clock=clock, settings=settings, objects=self.storage, functions=self.functions, seed=7)
        self.rekognition = ContentModeration(
            clock=clock, settings=settings, objects=self.storage, topics=self.topics, analyser=Eyes()
        )
        for service in (self.tables, self.queues, self.topics, QuotasDoor(), FunctionsDoor(self.functions)):
            service.install()
            self._stack.callback(service.uninstall)
        for door, engine in ((batch_door, self.batch), (rekognition_door, self.rekognition), (cloudformation, self.topics)):
            door.install(engine)
            self._stack.callback(door.uninstall)

    def _deploy(self, assembly):
        self._stack.enter_context(mock_aws())
        deployer = Deployer(self.client, self.settings)
        deployer.bootstrap()
        self.outputs = deployer.deploy(assembly, STACK)
        self.client("s3").create_bucket(Bucket=BUCKET)
        self.table = ScanTable(self.client("dynamodb"), self.outputs["TableName"], self.clock)
        self.calls.clear()

    def client(self, service):
        """Return a boto3 client of the account."""
        return self.session.client(service)

    def put(self, key, body=None, *, bucket=BUCKET):
        """Store an object; a video in which nothing is seen, if nothing else is given."""
        self.storage.write(bucket, key, video() if body is None else body)

    def submit(self, *arguments):
        """Run `submit_job.py` and return click's result; with --wait the world goes on until the scan is over."""
        return self._command(
            submit_job.main, "--bucket", BUCKET, "--yes", "--manifests", str(self.directory / "manifests"), *arguments
        )

    def scan(self, *arguments):
        """Submit, wait for the end of the scan, and return what `submit_job.py --json` says."""
        done = self.submit("--wait", "--json", *arguments)
        result = json.loads(done.stdout)
        assert result["result"] is not None, done.stderr
        return result

    def review(self, *arguments):
        """Return what `review_report.py --json` says, of the newest scan if none is named."""
        return json.loads(self._command(review_report.main, "--json", *arguments).stdout)

    def _command(self, main, *arguments):
        surroundings = Surroundings(connect=lambda _profile, _region: Clients(self.session), clock=self.clock, interactive=False)
        return CliRunner().invoke(main, arguments, obj=surroundings, catch_exceptions=False)

    def upload_manifest(self, *rows, scan_id="01JDEM00000000000000000001"):
        """Put a manifest made by hand into the work bucket, and return a CreateJob request for it."""
        body, key = "".join(f"{row}\n" for row in rows), f"manifests/{scan_id}.csv"
        work = self.outputs["WorkBucketName"]
        etag = self.client("s3").put_object(Bucket=work, Key=key, Body=body.encode())["ETag"].strip('"')
        return {
            "AccountId": ACCOUNT,
            "ConfirmationRequired": False,
            "ClientRequestToken": f"by-hand-{len(self.calls)}",
            "Priority": 10,
            "RoleArn": self.outputs["BatchRoleArn"],
            "Operation": {
                "LambdaInvoke": {
                    "FunctionArn": self.outputs["BatchInvokeFunctionArn"],
                    "InvocationSchemaVersion": "2.0",
                    "UserArguments": {"scan_id": scan_id},
                }
            },
            "Manifest": {
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
                "Location": {"ObjectArn": f"arn:aws:s3:::{work}/{key}", "ETag": etag},
            },
            "Report": {
                "Enabled": True,
                "Bucket": f"arn:aws:s3:::{work}",
                "Format": "Report_CSV_20180820",
                "Prefix": f"reports/{scan_id}",
                "ReportScope": "AllTasks",
            },
        }

    def run_job(self, request, seconds=120.0):
        """Create a batch job, let time pass, and return what DescribeJob says then."""
        s3control = self.client("s3control")
        job_id = s3control.create_job(**request)["JobId"]
        self.clock.advance(seconds)
        return s3control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]

    def function(self, module):
        """Return a function by the module of its handler."""
        (found,) = (one for one in self.functions._functions.values() if one.handler == f"handlers.{module}.handler")
        return found

    def invocations(self, module):
        """Return what the ledger holds of a function."""
        return self.functions.ledger.all(self.function(module).name)

    def notice(self, *keys):
        """Return the event of Rekognition's notices that the jobs of these keys are over."""
        jobs = {entry.key: entry.job_id for entry in self.rekognition.ledger.jobs}
        (topic,) = {call.parameters["NotificationChannel"]["SNSTopicArn"] for call in self.called(START)}
        return notice_event(*(jobs[key] for key in keys), topic_arn=topic)

    def invoke(self, module, event):
        """Invoke a function as Lambda's API does, and return its answer."""
        results = []
        self.functions.invoke(self.function(module).arn, json.dumps(event).encode(), results.append)
        (result,) = results
        assert result.function_error is None, result.payload
        return json.loads(result.payload)

    def record(self, key, scan_id, *, bucket=BUCKET):
        """Return the record of a video, found by its name."""
        return self.table.record(Video(bucket, key).id, scan_id)

    def segments(self, key, scan_id):
        """Return the segments of a video."""
        return list(self.table.segments(Video(BUCKET, key).id, scan_id, 0))

    @property
    def mails(self):
        """Return the mails about single videos that were sent; others tell of a whole scan."""
        folder = self.directory / "outbox"
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]
        return [mail for mail in mails if mail["Subject"].startswith("Flagged:")]

    def stop_sweeping(self):
        """Let the minute's schedule call nobody any more: what is seen then is what the other functions do alone."""
        for arn in list(self.functions.schedules.arns):
            self.functions.schedules.remove(arn)

    @property
    def analysed(self):
        """Return the keys of the jobs that Rekognition opened, in order."""
        return [entry.key for entry in self.rekognition.ledger.jobs]

    @property
    def letters(self):
        """Return how many messages stand in each queue of dead letters, where there are any, by the queue's name."""
        sqs = self.client("sqs")
        urls = [url for url in sqs.list_queues()["QueueUrls"] if "DeadLetters" in url or "Undelivered" in url]
        assert urls
        counts = {}
        for url in urls:
            arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
            depth = self.queues.depth(arn)
            counts[url.rpartition("/")[2]] = depth.visible + depth.in_flight
        return {name: count for name, count in counts.items() if count}
