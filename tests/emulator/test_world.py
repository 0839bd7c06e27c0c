"""The world as a whole: reached by boto3 and by programs, wiped at its end, with a ledger and faults on order."""

import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.emulator.services.dynamodb.conftest import create, wire
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

ITEM = {"TableName": "table", "Item": wire(pk="p", sk="s")}


def test_a_program_reaches_the_world_by_its_environment_alone(world):
    """A subprocess with nothing but these variables finds S3, and S3 Batch in spite of the account in its host name."""
    program = (
        "import boto3; boto3.client('s3').create_bucket(Bucket='amzn-s3-demo-bucket');"
        "account = boto3.client('sts').get_caller_identity()['Account'];"
        "print(account, boto3.client('s3control').list_jobs(AccountId=account)['Jobs'])"
    )

    done = subprocess.run([sys.executable, "-c", program], env=world.environment(), capture_output=True, text=True, check=True)

    assert done.stdout == "111122223333 []\n"
    assert any(bucket["Name"] == "amzn-s3-demo-bucket" for bucket in world.client("s3").list_buckets()["Buckets"])


def test_the_bootstrap_is_there(world):
    """What `cdk bootstrap` leaves: the version parameter and the bucket for assets."""
    version = world.client("ssm").get_parameter(Name="/cdk-bootstrap/hnb659fds/version")["Parameter"]["Value"]

    assert int(version) >= 6
    world.client("s3").head_bucket(Bucket="cdk-hnb659fds-assets-111122223333-us-east-1")


def test_nothing_of_a_world_is_left_behind(tmp_path):
    """The next world is empty, moto's own behaviour is back, and the environment is as it was."""
    before = dict(os.environ)
    with World(directory=tmp_path) as first:
        create(first.client("dynamodb"))
        first.client("sqs").create_queue(QueueName="lane")
        first.client("sns").create_topic(Name="topic")
        first.client("s3").create_bucket(Bucket="amzn-s3-demo-bucket")
    first.close()

    with World(directory=tmp_path) as second:
        left = [
            *second.client("dynamodb").list_tables()["TableNames"],
            *second.client("sqs").list_queues().get("QueueUrls", []),
            *second.client("sns").list_topics()["Topics"],
            *[one["Name"] for one in second.client("s3").list_buckets()["Buckets"] if "assets" not in one["Name"]],
        ]
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create(client)
        writes = [{"PutRequest": {"Item": wire(pk=f"p{number}", sk="s")}} for number in range(26)]
        moto_takes = client.batch_write_item(RequestItems={"table": writes})["UnprocessedItems"]

    assert left == []
    assert moto_takes == {}  # only moto's own takes 26
    assert dict(os.environ) == before


def test_there_is_one_world_at_a_time(world, tmp_path):
    """A process has one moto, so a second world is refused; the first works on."""
    second = World(directory=tmp_path / "second")

    with pytest.raises(RuntimeError):
        second.open()

    assert world.client("sts").get_caller_identity()["Account"] == "111122223333"


def test_time_runs_at_the_speed_of_the_settings(tmp_path):
    """If a second of the wall is ten minutes, a message delayed by 30 s arrives at once."""
    with World(EmulatorSettings(speed=600.0), directory=tmp_path) as world:
        client = world.client("sqs")
        url = client.create_queue(QueueName="lane")["QueueUrl"]
        client.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=30)

        time.sleep(0.1)
        found = client.receive_message(QueueUrl=url).get("Messages", [])

    assert [message["Body"] for message in found] == ["later"]


def test_the_ledger_shows_who_called_what(world):
    """Time, principal, service, operation and status, of failed calls too."""
    client = world.client("dynamodb")
    create(client)
    started = world.clock.now()

    client.put_item(**ITEM)
    with pytest.raises(ClientError):
        client.put_item(**ITEM, ConditionExpression="attribute_not_exists(pk)")

    first, second = world.ledger.calls(service="dynamodb", operation="PutItem")
    assert (first.principal, first.status, second.status) == ("tool", 200, 400)
    assert started <= first.time <= second.time <= world.clock.now()
    assert world.ledger.counts()["dynamodb", "CreateTable"] == 1


def test_the_ledger_knows_operations_by_their_paths(world):
    """The operations of REST services are identified by method and path."""
    s3, control = world.client("s3"), world.client("s3control")
    s3.create_bucket(Bucket="amzn-s3-demo-bucket")
    s3.put_object(Bucket="amzn-s3-demo-bucket", Key="a/b c", Body=b"x")
    s3.head_object(Bucket="amzn-s3-demo-bucket", Key="a/b c")
    s3.list_objects_v2(Bucket="amzn-s3-demo-bucket")
    s3.list_object_versions(Bucket="amzn-s3-demo-bucket")
    control.list_jobs(AccountId="111122223333")
    with pytest.raises(ClientError):
        control.describe_job(AccountId="111122223333", JobId="11111111-1111-1111-1111-111111111111")
    world.client("lambda").list_event_source_mappings()

    operations = [(call.service, call.operation) for call in world.ledger.calls()][-8:]

    assert operations == [
        ("s3", "CreateBucket"),
        ("s3", "PutObject"),
        ("s3", "HeadObject"),
        ("s3", "ListObjectsV2"),
        ("s3", "ListObjectVersions"),
        ("s3control", "ListJobs"),
        ("s3control", "DescribeJob"),
        ("lambda", "ListEventSourceMappings"),
    ]


def test_the_nth_call_is_throttled_and_no_other(world):
    """A throttled call is not carried out, and boto3 knows the code."""
    client = world.client("dynamodb", retries={"total_max_attempts": 1})
    create(client)
    world.faults.throttle("dynamodb", "PutItem", nth=2, code="ProvisionedThroughputExceededException")

    client.put_item(TableName="table", Item=wire(pk="1", sk="s"))
    with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):
        client.put_item(TableName="table", Item=wire(pk="2", sk="s"))
    client.put_item(TableName="table", Item=wire(pk="3", sk="s"))

    assert {item["pk"]["S"] for item in client.scan(TableName="table")["Items"]} == {"1", "3"}


@pytest.mark.parametrize(
    ("service", "operation", "call"),
    [
        ("sqs", "ListQueues", lambda world, once: world.client("sqs", **once).list_queues()),
        ("sns", "ListTopics", lambda world, once: world.client("sns", **once).list_topics()),
        ("s3", "HeadBucket", lambda world, once: world.client("s3", **once).head_bucket(Bucket="amzn-s3-demo-bucket")),
        ("s3", "ListObjectsV2", lambda world, once: world.client("s3", **once).list_objects_v2(Bucket="amzn-s3-demo-bucket")),
        ("s3control", "ListJobs", lambda world, once: world.client("s3control", **once).list_jobs(AccountId="111122223333")),
        ("lambda", "ListFunctions", lambda world, once: world.client("lambda", **once).list_functions()),
    ],
)
def test_a_server_error_reaches_boto3_in_every_protocol(world, service, operation, call):
    """Every protocol carries the ordered status and code, except that a HEAD has no body for the code."""
    world.faults.fail(service, operation, status=503, code="ServiceUnavailable")

    with pytest.raises(ClientError) as raised:
        call(world, {"retries": {"total_max_attempts": 1}})

    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 503
    assert raised.value.response["Error"]["Code"] == ("503" if operation == "HeadBucket" else "ServiceUnavailable")


def test_a_lost_answer_is_of_a_call_that_was_carried_out(world):
    """The caller sees HTTP 500, the table has the item."""
    client = world.client("dynamodb", retries={"total_max_attempts": 1})
    create(client)
    world.faults.lose_answer("dynamodb", "PutItem")

    with pytest.raises(client.exceptions.InternalServerError):
        client.put_item(**ITEM)

    assert client.get_item(TableName="table", Key=wire(pk="p", sk="s"))["Item"] == wire(pk="p", sk="s")
    assert [call.status for call in world.ledger.calls(operation="PutItem")] == [500]


def test_many_connections_are_served_at_once(world):
    """Large bodies and many threads go through the server's own HTTP."""
    client = world.client("s3", max_pool_connections=16)
    client.create_bucket(Bucket="amzn-s3-demo-bucket")
    body = os.urandom(300_000)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: client.put_object(Bucket="amzn-s3-demo-bucket", Key=f"k{n}", Body=body), range(48)))
        ranges = list(
            pool.map(
                lambda n: client.get_object(Bucket="amzn-s3-demo-bucket", Key=f"k{n}", Range="bytes=0-99")["Body"].read(), range(48)
            )
        )

    assert ranges == [body[:100]] * 48


def test_the_program_opens_a_world_and_prints_the_way_to_it(tmp_path):
    """`python -m tools.emulator` prints export lines until Ctrl-C, and then ends with 0."""
    command = [sys.executable, "-m", "tools.emulator", "--port", "0", "--speed", "2", "--directory", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        environment = {}
        while "no_proxy" not in environment:  # the last one
            name, _, value = process.stdout.readline().removeprefix("export ").strip().partition("=")
            environment[name] = value
        client = boto3.client(
            "sts",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            region_name=environment["AWS_REGION"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
        account = client.get_caller_identity()["Account"]
        client.close()
        process.terminate()
        code = process.wait(30)

    assert account == "111122223333"
    assert code == 0


def test_each_world_has_keys_of_its_own(tmp_path):
    """Keys are random, of AWS's form, and those of a world that ended open nothing in the next."""
    with World(directory=tmp_path / "first") as first:
        old, session = first.keys.user, first.keys.session("arn:aws:iam::111122223333:role/work", "work")
    with World(directory=tmp_path / "second") as second:
        found = [second.keys.find(key) for key in (old.access_key, session.access_key, "", "AKIAEXAMPLE")]
        new = second.keys.user

    assert found == [None] * 4
    assert new.secret_key != old.secret_key
    assert re.fullmatch("AKIA[A-Z2-7]{16}", old.access_key)
    assert re.fullmatch("ASIA[A-Z2-7]{16}", session.access_key)
    assert old.secret_key not in repr(old)
