"""The whole line in one process and on a manual clock: template, flows and programs, with the emulator's engines.

The real template is deployed into moto, in whose place the emulator's services stand. Its functions run the handlers' flows
in the caller's thread (`flows`); `submit_job.py` and `review_report.py` are run as commands.
"""

import json
import shutil
from dataclasses import replace
from email import message_from_bytes, policy
from functools import cached_property

from click.testing import CliRunner
from moto import mock_aws

from handlers.adapters.table import open_table
from handlers.domain.identity import Video
from tests.handlers.doubles import client_error, notice_event
from tests.harness.calls import POLL_SECONDS, Calls
from tests.harness.direct import Answers, DirectClient, items_at_the_edge
from tests.harness.flows import Flows
from tests.harness.media import ImageEyes
from tests.harness.session import Clock
from tests.harness.videos import Eyes, video
from tools import review_report, submit_job
from tools.emulator.core import moto_hooks
from tools.emulator.deploy import Deployer
from tools.emulator.engines import Engines
from tools.emulator.services.s3.backend import Storage
from tools.emulator.settings import EmulatorSettings
from tools.lib.aws.clients import Clients
from tools.lib.cli import ProgramContext

ACCOUNT = "111122223333"
BUCKET = "amzn-s3-demo-bucket"
STACK = "VideoModeration"
START, GET = "rekognition.StartContentModeration", "rekognition.GetContentModeration"


def states(result):
    """Return how many videos ended in each state, from `submit_job.py --json`; states without videos are left out."""
    return {state: count for state, count in result["result"]["videos"].items() if count}


def refusing(code, status=400):
    """Return an action that answers a call with an AWS error."""

    def refuse():
        raise client_error(code, status)

    return refuse


class Line(Calls, Engines):
    """A deployment with one bucket of videos. `calls` are the AWS calls that were made, in order."""

    def __init__(self, stack, directory, assembly, session, **settings):
        super().__init__(Clock())
        self.settings = EmulatorSettings(**settings)
        self.directory = directory
        self._stack = stack
        self.session = session
        session.listener = self
        session.answers = {}
        self._make_services()
        self._deploy(assembly)

    def _make_services(self):
        clock, settings = self.clock, self.settings
        self.flows = Flows(self)
        self.storage = Storage(settings)
        outbox = self.directory / "outbox"
        outbox.mkdir()
        self.make_engines(
            clock=clock,
            settings=settings,
            objects=self.storage,
            runtime=self.flows,
            analyser=Eyes(),
            image_analyser=ImageEyes(),
            outbox=outbox,
            idle_poll_seconds=POLL_SECONDS,
            seed=7,
        )
        self._stack.enter_context(moto_hooks.install(self.hooks()))

    def _deploy(self, assembly):
        self._stack.enter_context(mock_aws())
        deployer = Deployer(self.client, self.settings)
        deployer.bootstrap()
        self.outputs = deployer.deploy(assembly, STACK)
        self.client("s3").create_bucket(Bucket=BUCKET)
        self._take_the_short_way()
        self.calls.clear()

    def client(self, service):
        """Return a boto3 client of the account."""
        return self.session.client(service)

    def _take_the_short_way(self):
        """Let functions, and reads of the table, bypass boto3 where they call most often, and tools HTTP (see `direct`)."""
        self.skip_http("dynamodb", "sqs", "rekognition", "lambda")
        self.session.answers = {"dynamodb": items_at_the_edge(self.tables)}
        self.table = open_table(self.flows.clients["dynamodb"], self.outputs["TableName"], self.clock)

    def skip_http(self, *services):
        """Let functions bypass boto3 for these services too."""
        answers = Answers(self)
        self.flows.clients |= {service: DirectClient(service, answers.of(service), self.gate) for service in services}

    def put(self, key, body=None, *, bucket=BUCKET):
        """Store an object; by default a video in which nothing is seen."""
        self.storage.write(bucket, key, video() if body is None else body)

    def submit(self, *arguments):
        """Run `submit_job.py` and return click's result; with --wait the world continues until the scan is over."""
        return self._command(
            submit_job.main, "--bucket", BUCKET, "--yes", "--manifests", str(self.directory / "manifests"), *arguments
        )

    def scan(self, *arguments):
        """Submit, wait for the end of the scan, and return the JSON of `submit_job.py`."""
        done = self.submit("--wait", "--json", *arguments)
        result = json.loads(done.stdout)
        assert result["result"] is not None, done.stderr
        return result

    def review(self, *arguments):
        """Return the JSON of `review_report.py`, by default for the newest scan."""
        return json.loads(self._command(review_report.main, "--json", *arguments).stdout)

    def _command(self, main, *arguments):
        program_context = ProgramContext(
            connect=lambda _profile, _region: Clients(self.session), clock=self.clock, interactive=False
        )
        return CliRunner().invoke(main, arguments, obj=program_context, catch_exceptions=False)

    def upload_manifest(self, *rows, scan_id="01JDEM00000000000000000001"):
        """Put a hand-made manifest into the work bucket, and return a CreateJob request for it."""
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
        """Create a batch job, let time pass, and return the answer of DescribeJob."""
        s3control = self.client("s3control")
        job_id = s3control.create_job(**request)["JobId"]
        self.clock.advance(seconds)
        return s3control.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]

    def function(self, module):
        """Return a function by the module of its handler."""
        (found,) = (one for one in self.functions._functions.values() if one.handler == f"handlers.{module}.handler")
        return found

    def invocations(self, module):
        """Return a function's invocations from the ledger."""
        return self.functions.ledger.all(self.function(module).name)

    def notice(self, *keys):
        """Return the event of Rekognition's notices for the finished jobs of these keys."""
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
        """Return the record of a video by its name."""
        return self.table.records.record(Video(bucket, key).id, scan_id)

    def segments(self, key, scan_id):
        """Return the segments of a video."""
        return list(self.table.records.segments(Video(BUCKET, key).id, scan_id, 0))

    @property
    def mails(self):
        """Return the mails about single videos; mails about whole scans are left out."""
        folder = self.topics.outbox.folder
        mails = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in sorted(folder.glob("*.eml"))]
        return [mail for mail in mails if mail["Subject"].startswith("Flagged:")]

    def copy_mails(self, directory):
        """Copy the mails sent so far for a world that continues in another folder: two must not write into one."""
        shutil.copytree(self.topics.outbox.folder, directory / "outbox")

    def move(self, directory):
        """Continue in another folder, into which the mails sent so far were copied."""
        self.topics.outbox.folder = directory / "outbox"
        self.directory = directory

    def stop_sweeping(self):
        """Stop the sweeper's schedule, so that a test sees what the other functions do alone.

        Return what brings it back.
        """
        schedules = self.events.schedules
        rules = [rule for rule, _ in schedules._rules.values()]
        for rule in rules:
            schedules.remove(rule.arn)
        return lambda: [schedules.put(rule) for rule in rules]

    def redeploy(self, module, **variables):
        """Change variables of a function's environment."""
        function = self.function(module)
        self.functions.put(replace(function, environment={**function.environment, **variables}))

    @property
    def analysed(self):
        """Return the keys of the jobs that Rekognition opened, in order."""
        return [entry.key for entry in self.rekognition.ledger.jobs]

    @property
    def letters(self):
        """Return the number of messages in each dead-letter queue that has any, by the queue's name."""
        counts = {name: depth.visible + depth.in_flight for name, depth in self._depths(dead=True).items()}
        return {name: count for name, count in counts.items() if count}

    @property
    def lanes(self):
        """Return the depth of each lane, by the queue's name."""
        return self._depths(dead=False)

    @cached_property
    def _queue_names(self):
        return [url.rpartition("/")[2] for url in self.client("sqs").list_queues()["QueueUrls"]]

    def _depths(self, *, dead):
        """Return the depths of the dead-letter queues, or of the others."""
        chosen = [name for name in self._queue_names if dead is ("DeadLetters" in name or "Undelivered" in name)]
        assert chosen
        return {name: self.queues.depth(f"arn:aws:sqs:{self.settings.region}:{ACCOUNT}:{name}") for name in chosen}
