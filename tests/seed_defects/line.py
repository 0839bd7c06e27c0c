"""The whole line in one process and on a clock that stands still: template, flows and programs, with the emulator's engines.

The real template is deployed into moto, in whose place the emulator's services stand. Its functions run the handlers' flows in the
caller's thread, wired by the environment that the template gave them; `submit_job.py` and `review_report.py` are run as commands.
A video is a few bytes that begin like an MP4 and say what Rekognition is to see in them.
"""

import json
from dataclasses import dataclass
from email import message_from_bytes, policy

import boto3
from click.testing import CliRunner
from moto import mock_aws

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.hits import HitStore
from handlers.adapters.mail import MailTopic
from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader, AnalysisStarter
from handlers.adapters.table import ScanTable
from handlers.aws import CONFIGS
from handlers.completing import Completing
from handlers.domain.identity import Video
from handlers.domain.policy import parse
from handlers.domain.states import Lane
from handlers.receiving import Receiving
from handlers.registering import Registering
from handlers.settings import (
    BatchInvokeSettings,
    CompletionSettings,
    StartAnalysisSettings,
    SweeperSettings,
    from_environment,
)
from handlers.start_rules import Limits
from handlers.starting import Starting, StartSettings
from handlers.sweeping import Ports, Sweeping, SweepSettings
from tests.handlers.doubles import client_error, notice_event
from tools import review_report, submit_job
from tools.emulator import cloudformation
from tools.emulator.batch import BatchOperations
from tools.emulator.batch import door as batch_door
from tools.emulator.clock import ManualClock
from tools.emulator.deployment import Deployer
from tools.emulator.dynamodb.service import DynamoDbService
from tools.emulator.functions.door import Door as FunctionsDoor
from tools.emulator.functions.model import Outcome
from tools.emulator.functions.service import FunctionService
from tools.emulator.rekognition import door as rekognition_door
from tools.emulator.rekognition.engine import ContentModeration
from tools.emulator.rekognition.video import Analysis, Sighting, UnanalysableError, VideoMetadata
from tools.emulator.settings import EmulatorSettings
from tools.emulator.sns.service import SnsService
from tools.emulator.sqs.service import SqsService
from tools.emulator.storage import Storage
from tools.lib.aws import Clients
from tools.lib.program import Surroundings

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"
START, GET = "rekognition.StartContentModeration", "rekognition.GetContentModeration"
START_OF_TIME, LONGEST_SECONDS = 1_700_000_000.0, 1_800.0
POLL_SECONDS = 5.0
"""How often an idle lane is looked at."""


def video(*sightings, seconds=30):
    """Return a video in which these are seen: (milliseconds, label, confidence)."""
    return MP4 + json.dumps({"seconds": seconds, "sightings": sightings}).encode()


def unreadable(reason="Unsupported codec/format."):
    """Return a video that Rekognition gives up on."""
    return MP4 + json.dumps({"reason": reason}).encode()


def states(result):
    """Return how many videos ended in which state, by what `submit_job.py --json` says; those that have none are left out."""
    return {state: count for state, count in result["result"]["videos"].items() if count}


class Clock(ManualClock):
    """Stands still until somebody sleeps; ends what would wait for ever."""

    def advance(self, seconds):
        """Move on."""
        if self.now() > START_OF_TIME + LONGEST_SECONDS:
            raise TimeoutError(f"not over after {LONGEST_SECONDS} s")
        super().advance(seconds)


class Session:
    """A session whose clients are made once, since making them takes most of a test; `listener` hears of each call beforehand."""

    def __init__(self):
        self.listener = None
        self._session = boto3.Session("testing", "testing", region_name="us-east-1")
        self._session.events.register("before-parameter-build", self._hear)
        self._clients = {}

    def client(self, service, config=None):
        """Return a client."""
        name = (service, id(config))
        if name not in self._clients:
            self._clients[name] = self._session.client(service, config=config)
        return self._clients[name]

    def _hear(self, params, model, **_):
        self.listener(f"{model.service_model.service_name}.{model.name}", dict(params))


class Eyes:
    """Sees in a video what the video says."""

    def analyse(self, body):
        """Return what is seen, or raise why nothing can be."""
        told = json.loads(body.removeprefix(MP4))
        if "reason" in told:
            raise UnanalysableError(told["reason"])
        metadata = VideoMetadata("h264", told["seconds"] * 1_000, "QuickTime / MOV", 25.0, 96, 128, "LIMITED")
        return Analysis(metadata, tuple(Sighting(*sighting) for sighting in told["sightings"]))


class Flows:
    """Runs functions of the template: the flow behind each handler, on the clock of the test. Implements `Runtime`."""

    def __init__(self, line):
        self._line = line
        self._made = {}

    def run(self, function, invocation, done):
        """Call a flow and then `done`, both before returning."""
        if function.name not in self._made:
            self._made[function.name] = self._make(function)
        try:
            answer = self._made[function.name](json.loads(invocation.payload), self._line.clock.now() + function.timeout)
        except Exception as error:  # noqa: BLE001 # what a flow raises is its function's result
            failure = {"errorType": type(error).__name__, "errorMessage": str(error)}
            done(Outcome(json.dumps(failure).encode(), failed=True))
            return
        done(Outcome(json.dumps(answer).encode()))

    def retire(self, function_name):
        """Forget a flow whose function was changed."""
        self._made.pop(function_name, None)

    def close(self):
        """Do nothing."""

    def _make(self, function):
        module = function.handler.split(".")[1]
        return getattr(self, f"_{module}")(dict(function.environment))

    def _batch_invoke(self, environment):
        settings = from_environment(BatchInvokeSettings, environment)
        flow = Registering(self._table(settings), ObjectStore(self._client("s3")), self._queues(settings), self._line.clock)
        return lambda event, _deadline: flow.respond(event)

    def _start_analysis(self, environment):
        settings = from_environment(StartAnalysisSettings, environment)
        start = StartSettings(
            topic_arn=settings.completions_topic_arn,
            role_arn=settings.rekognition_role_arn,
            min_confidence=settings.min_confidence,
            limits=Limits(slots=settings.slots, account_jobs=settings.account_jobs),
        )
        objects, starter = ObjectStore(self._client("s3")), AnalysisStarter(self._client("rekognition"))
        starting = Starting(self._table(settings), objects, starter, self._line.clock, start)
        flow = Receiving(starting, self._queues(settings), self._line.clock)
        return lambda event, deadline: flow.respond(event, deadline=deadline)

    def _completion(self, environment):
        settings = from_environment(CompletionSettings, environment)
        reader = AnalysisReader(self._client("rekognition"), self._line.clock)
        hits = HitStore(self._client("s3"), settings.work_bucket_name)
        policy, topic_arn = parse(settings.policy), settings.completions_topic_arn
        flow = Completing(self._table(settings), reader, hits, policy, self._line.clock, topic_arn=topic_arn)
        return lambda event, deadline: flow.respond(event, deadline=deadline)

    def _sweeper(self, environment):
        settings = from_environment(SweeperSettings, environment)
        dead_letters = {Lane.NORMAL: settings.normal_dead_letters_url, Lane.EXPRESS: settings.express_dead_letters_url}
        urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
        ports = Ports(
            table=self._table(settings),
            topic=MailTopic(self._client("sns"), settings.alerts_topic_arn),
            batch_jobs=BatchJobs(self._client("s3control"), settings.account_id),
            queues=LaneQueues(self._client("sqs"), urls, dead_letters),
            reader=AnalysisReader(self._client("rekognition"), self._line.clock),
            completion=CompletionFunction(self._client("lambda"), settings.completion_function_arn),
            switches=LaneSwitches(self._client("lambda"), (settings.normal_mapping_id, settings.express_mapping_id)),
        )
        sweep = SweepSettings(settings.stack_name, settings.completions_topic_arn, settings.mails_per_scan)
        flow = Sweeping(ports, self._line.clock, sweep)
        return lambda _event, deadline: flow.sweep(deadline=deadline)

    def _table(self, settings):
        return ScanTable(self._client("dynamodb"), settings.table_name, self._line.clock)

    def _queues(self, settings):
        urls = {Lane.NORMAL: settings.normal_queue_url, Lane.EXPRESS: settings.express_queue_url}
        return LaneQueues(self._client("sqs"), urls)

    def _client(self, service):
        return self._line.session.client(service, config=CONFIGS[service])


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
        self.clock = Clock(START_OF_TIME)
        self.settings = EmulatorSettings(**settings)
        self.directory = directory
        self.calls = []
        self._before = {}
        self._stack = stack
        self.session = session
        session.listener = self._note
        self._make_services()
        self._deploy(assembly)

    def _note(self, name, parameters):
        self.calls.append(Call(self.clock.now(), name, parameters))
        if self._before.get(name):
            self._before[name].pop(0)()

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
        tables = DynamoDbService(clock=clock, settings=settings)
        self.batch = BatchOperations(clock=clock, settings=settings, objects=self.storage, functions=self.functions, seed=7)
        self.rekognition = ContentModeration(
            clock=clock, settings=settings, objects=self.storage, topics=self.topics, analyser=Eyes()
        )
        for service in (tables, self.queues, self.topics, FunctionsDoor(self.functions)):
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
