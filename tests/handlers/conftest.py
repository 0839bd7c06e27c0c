"""A small AWS for each test, of the emulator's table and queues and moto's S3, without anything of the developer's own."""

import functools

import boto3
import pytest
from moto import mock_aws

from handlers.adapters.objects import ObjectStore
from handlers.adapters.queue import LaneQueues
from handlers.adapters.table import open_table
from handlers.domain.states import Lane
from handlers.runtime.clients import CONFIGS
from tests.handlers import queues, tables
from tests.handlers.doubles import ACCOUNT, BUCKET, TABLE, WORK_BUCKET, Clock, Rekognition, Through


@pytest.fixture(name="clock")
def _clock():
    return Clock()


@functools.cache
def made(service):
    """Return the one client of a service for all tests: making clients takes most of a test's time, and they keep no state."""
    session = boto3.session.Session("testing", "testing", region_name="us-east-1")
    return session.client(service, config=CONFIGS[service])


@pytest.fixture(name="aws")
def _aws(monkeypatch):
    """Return a factory of clients of a mocked account."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", ACCOUNT)
    with mock_aws():
        yield made


@pytest.fixture(name="dynamodb")
def _dynamodb(clock):
    return tables.dynamodb(clock)


@pytest.fixture(name="table")
def _table(dynamodb, clock):
    return open_table(dynamodb, TABLE, clock)


@pytest.fixture(name="raw")
def _raw(dynamodb):
    """Return a function that reads every item as DynamoDB has it, by (pk, sk)."""
    return lambda: {(item["pk"]["S"], item["sk"]["S"]): item for item in dynamodb._client.scan(TableName=TABLE)["Items"]}


@pytest.fixture(name="s3")
def _s3(aws):
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    return Through(client)


@pytest.fixture(name="work")
def _work(aws):
    """Return S3 with the work bucket, whose calls are kept and can be made to fail."""
    client = aws("s3")
    client.create_bucket(Bucket=WORK_BUCKET)
    return Through(client)


@pytest.fixture(name="objects")
def _objects(s3):
    return ObjectStore(s3)


@pytest.fixture(name="sqs")
def _sqs(clock):
    return queues.sqs(clock)


@pytest.fixture(name="urls")
def _urls(sqs):
    return {lane: sqs.create_queue(QueueName=f"stack-{lane.value}", Attributes=queues.LANE)["QueueUrl"] for lane in Lane}


@pytest.fixture(name="queues")
def _queues(sqs, urls):
    return LaneQueues(sqs, urls)


@pytest.fixture(name="messages")
def _messages(sqs, urls):
    """Return a function that receives every message of a lane that can be seen."""

    def receive(lane=Lane.NORMAL):
        found = []
        while more := sqs.receive_message(
            QueueUrl=urls[lane], MaxNumberOfMessages=10, AttributeNames=["ApproximateReceiveCount"]
        ).get("Messages"):
            found += more
        return found

    return receive


@pytest.fixture(name="rekognition")
def _rekognition(clock):
    return Rekognition(clock)
