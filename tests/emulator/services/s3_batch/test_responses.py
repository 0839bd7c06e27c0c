import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.s3control import urls
from moto.server import ThreadedMotoServer

from tools.emulator.core import NoSuchObjectError, StoredObject, WallClock, moto_hooks
from tools.emulator.services.s3_batch import BatchOperations, responses
from tools.emulator.settings import EmulatorSettings

ACCOUNT = "111122223333"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)


@pytest.fixture(name="client")
def _client(bench):
    with moto_hooks.install(responses.hooks(bench.engine)), mock_aws():
        yield boto3.client("s3control")


def _error(caught):
    return caught.value.response["Error"]["Code"], caught.value.response["ResponseMetadata"]["HTTPStatusCode"]


def test_round_trip(bench, client):
    """A job created through boto3 runs, and DescribeJob returns what was sent, whatever characters it contains."""
    operation = bench.request()["Operation"]["LambdaInvoke"]
    arguments = {"scan_id": "01J", "empty": "", "marks": '<&>"é🎬'}
    request = bench.request(
        Operation={"LambdaInvoke": {**operation, "InvocationSchemaVersion": "2.0", "UserArguments": arguments}},
        Description="año <2026> & more",
        Tags=[{"Key": "team", "Value": "video"}],
    )

    job_id = client.create_job(**request)["JobId"]
    bench.clock.run_until_idle()
    job = client.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]

    assert "Complete" == job["Status"]
    for name in ("Operation", "Report", "Manifest", "Description", "Priority", "RoleArn", "ConfirmationRequired"):
        assert request[name] == job[name]
    assert 3 == job["ProgressSummary"]["NumberOfTasksSucceeded"]
    assert arguments == bench.functions.events[0]["job"]["userArguments"]
    assert [{"Key": "team", "Value": "video"}] == client.get_job_tagging(AccountId=ACCOUNT, JobId=job_id)["Tags"]


def test_failure_reasons(bench, client):
    """The reason for a job's failure reaches boto3."""
    job_id = client.create_job(**bench.request(b"videos,a\nvideos\n"))["JobId"]
    bench.clock.run_until_idle()

    (failure,) = client.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]["FailureReasons"]

    assert "InvalidManifestContent" == failure["FailureCode"]
    assert "line 2" in failure["FailureReason"]


def test_token_is_filled_in(bench, client):
    """boto3 makes a token if none is given, so each call creates another job."""
    request = bench.request()
    del request["ClientRequestToken"]

    assert client.create_job(**request)["JobId"] != client.create_job(**request)["JobId"]


def test_errors(bench, client):
    """Errors arrive as botocore's exception classes, with AWS's HTTP statuses."""
    request = bench.request()
    client.create_job(**request)

    with pytest.raises(client.exceptions.IdempotencyException) as repeated:
        client.create_job(**{**request, "Priority": 11})
    with pytest.raises(client.exceptions.NotFoundException) as missing:
        client.describe_job(AccountId=ACCOUNT, JobId="00000000-0000")
    with pytest.raises(client.exceptions.BadRequestException) as bad:
        client.create_job(**bench.request(RoleArn="not-an-arn"))
    with pytest.raises(ClientError) as unknown:
        client.create_job(**bench.request(Operation={"S3DeleteObjectTagging": {}}))

    assert ("IdempotencyException", 400) == _error(repeated)
    assert ("NotFoundException", 404) == _error(missing)
    assert ("BadRequestException", 400) == _error(bad)
    assert ("NotImplemented", 501) == _error(unknown)


def test_status_and_priority(bench, client):
    """Jobs are confirmed, reprioritised and cancelled through boto3."""
    job_id = client.create_job(**bench.request(ConfirmationRequired=True))["JobId"]
    bench.clock.run_until_idle()
    job = {"AccountId": ACCOUNT, "JobId": job_id}

    priority = client.update_job_priority(**job, Priority=99)
    cancelled = client.update_job_status(**job, RequestedJobStatus="Cancelled", StatusUpdateReason="no & no")
    bench.clock.run_until_idle()

    assert (job_id, 99) == (priority["JobId"], priority["Priority"])
    assert ("Cancelling", "no & no") == (cancelled["Status"], cancelled["StatusUpdateReason"])
    assert ("Cancelled", 99) == tuple(client.describe_job(**job)["Job"][name] for name in ("Status", "Priority"))
    with pytest.raises(client.exceptions.JobStatusException):
        client.update_job_status(**job, RequestedJobStatus="Ready")


def test_listing(bench, client):
    """ListJobs filters by several statuses and pages by a token passed on by hand."""
    done = [client.create_job(**bench.request())["JobId"] for _ in range(3)]
    bench.clock.run_until_idle()
    client.create_job(**bench.request())

    first = client.list_jobs(AccountId=ACCOUNT, JobStatuses=["Complete", "Failed"], MaxResults=2)
    second = client.list_jobs(AccountId=ACCOUNT, JobStatuses=["Complete", "Failed"], MaxResults=2, NextToken=first["NextToken"])

    assert done[::-1] == [job["JobId"] for job in first["Jobs"] + second["Jobs"]]
    assert "NextToken" not in second


def test_tags(bench, client):
    """Tags are replaced and deleted through boto3."""
    job = {"AccountId": ACCOUNT, "JobId": client.create_job(**bench.request())["JobId"]}

    client.put_job_tagging(**job, Tags=[{"Key": "a", "Value": "b"}])
    put = client.get_job_tagging(**job)["Tags"]
    client.delete_job_tagging(**job)

    assert [{"Key": "a", "Value": "b"}] == put
    assert [] == client.get_job_tagging(**job)["Tags"]
    with pytest.raises(client.exceptions.TooManyTagsException):
        client.put_job_tagging(**job, Tags=[{"Key": str(number), "Value": ""} for number in range(51)])


def test_another_region(bench, client):
    """The one Region is named in the refusal of requests for another."""
    elsewhere = boto3.client("s3control", region_name="eu-west-1")

    with pytest.raises(elsewhere.exceptions.BadRequestException, match="one Region, us-east-1"):
        elsewhere.list_jobs(AccountId=ACCOUNT)


def test_uninstall(bench):
    """Uninstalling leaves moto's table of URLs as it was."""
    before = dict(urls.url_paths)

    with moto_hooks.install(responses.hooks(bench.engine)):
        during = dict(urls.url_paths)

    assert len(before) + 5 == len(during)
    assert before == urls.url_paths


class _Buckets:
    """Objects in a dictionary."""

    def __init__(self):
        self.stored = {}

    def read(self, bucket, key, version_id=None):
        try:
            body = self.stored[bucket, key]
        except KeyError:
            raise NoSuchObjectError(key) from None
        return StoredObject(body, hashlib.md5(body).hexdigest(), len(body), version_id)

    def write(self, bucket, key, body):
        self.stored[bucket, key] = body


class _Pool:
    """A function run by real threads."""

    def __init__(self, answer):
        self._answer = answer
        self.threads = ThreadPoolExecutor(8)

    def invoke(self, function_arn, payload, done):
        self.threads.submit(lambda: done(self._answer(json.loads(payload))))


def test_threaded_server(bench, answer):
    """Through moto's threaded server, on a fast wall clock and with real threads, a job runs and every task is reported once."""
    clock, pool, buckets = WallClock(speed=100.0), _Pool(answer), _Buckets()
    settings = EmulatorSettings(batch_preparing_seconds=1.0)
    engine = BatchOperations(clock=clock, settings=settings, objects=buckets, functions=pool)
    request = bench.request(300)
    buckets.stored.update(bench.objects.stored)
    bench.objects = buckets
    installed = moto_hooks.install(responses.hooks(engine))
    server = ThreadedMotoServer(port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        proxies = {"http": f"http://{host}:{port}"}
        client = boto3.client("s3control", endpoint_url="http://s3control.invalid", config=Config(proxies=proxies))
        job_id = client.create_job(**request)["JobId"]
        job = _wait(client, job_id)
    finally:
        server.stop()
        clock.close()
        pool.threads.shutdown()
        installed.close()

    assert ("Complete", 300) == (job["Status"], job["ProgressSummary"]["NumberOfTasksSucceeded"])
    assert 300 == len({row[1] for row in bench.report(job_id)}) == len(bench.report(job_id))


def _wait(client, job_id):
    for _ in range(200):
        job = client.describe_job(AccountId=ACCOUNT, JobId=job_id)["Job"]
        if job["Status"] in ("Complete", "Failed"):
            return job
        time.sleep(0.05)
    raise TimeoutError(job)
