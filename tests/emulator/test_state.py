"""The state of a world outlives it: S3, tables, and batch jobs that have ended; time does not go back."""

import socket

import pytest

from tests.emulator.services.dynamodb.conftest import create, wire
from tools.emulator.settings import EmulatorSettings
from tools.emulator.state import StateError
from tools.emulator.world import World
from tools.rehearsal.assembly import STACK, from_snapshot

FAST = EmulatorSettings(speed=1000.0)


@pytest.fixture(name="go_on")
def _go_on(tmp_path):
    """Return a function that opens a world which goes on with the state of the last one."""

    def go_on():
        return World(FAST, directory=tmp_path / "world", state=tmp_path / "state")

    return go_on


@pytest.fixture(scope="module", name="assembly")
def _assembly(tmp_path_factory):
    """Return an assembly of the stack."""
    outdir = tmp_path_factory.mktemp("cdk.out")
    from_snapshot(outdir)
    return outdir


def test_what_is_kept(go_on, assembly):
    """Names, objects with dates, tags and annotations, items, credentials and endpoint are the same; the time goes on."""
    with go_on() as first:
        before = first.deploy(assembly, STACK)
        kept = {"Bucket": before["WorkBucketName"], "Key": "k"}
        first.client("s3").put_object(**kept, Body=b"body", Tagging="a=1")
        first.client("s3").put_object_annotation(**kept, AnnotationName="n", AnnotationPayload=b"text")
        first.client("dynamodb").put_item(TableName=before["TableName"], Item=wire(pk="p", sk="s", n=1))
        seen = first.client("s3").head_object(Bucket=before["WorkBucketName"], Key="k")["LastModified"]
        access, now = first.environment(), first.clock.now()

    with go_on() as second:
        after = second.deploy(assembly, STACK)
        found = second.client("s3").get_object(**kept)
        annotation = second.client("s3").get_object_annotation(**kept, AnnotationName="n")["AnnotationPayload"]
        item = second.client("dynamodb").get_item(TableName=after["TableName"], Key=wire(pk="p", sk="s"))["Item"]

        assert second.clock.now() >= now
        assert (access, seen) == (second.environment(), found["LastModified"])
        assert (b"body", wire(pk="p", sk="s", n=1)) == (found["Body"].read(), item)
        assert (1, b"text") == (found["TagCount"], annotation.read())
    assert {before[name] for name in ("TableName", "WorkBucketName")} == {after[name] for name in ("TableName", "WorkBucketName")}


def test_a_job_that_had_not_ended(go_on, assembly):
    """A batch job of a world that ended has failed, and says why."""
    with go_on() as first:
        outputs = first.deploy(assembly, STACK)
        etag = (
            first.client("s3")
            .put_object(Bucket=outputs["WorkBucketName"], Key="m.csv", Body=b"amzn-s3-demo-bucket,k\n")["ETag"]
            .strip('"')
        )
        job = first.client("s3control").create_job(
            AccountId="111122223333",
            ConfirmationRequired=True,
            Operation={"LambdaInvoke": {"FunctionArn": outputs["BatchInvokeFunctionArn"]}},
            Report={"Enabled": False},
            ClientRequestToken="t",
            Manifest={
                "Spec": {"Format": "S3BatchOperations_CSV_20180820", "Fields": ["Bucket", "Key"]},
                "Location": {"ObjectArn": f"arn:aws:s3:::{outputs['WorkBucketName']}/m.csv", "ETag": etag},
            },
            Priority=1,
            RoleArn=outputs["BatchRoleArn"],
        )["JobId"]

    with go_on() as second:
        second.deploy(assembly, STACK)
        described = second.client("s3control").describe_job(AccountId="111122223333", JobId=job)["Job"]

    assert described["Status"] == "Failed"
    assert "ended before the job did" in described["FailureReasons"][0]["FailureReason"]


def test_a_port_that_was_taken_meanwhile(go_on, assembly):
    """A world whose port is taken takes another one."""
    with go_on() as first:
        first.deploy(assembly, STACK)
        port = int(first.endpoint.rpartition(":")[2])

    with socket.create_server(("127.0.0.1", port)), go_on() as second:
        assert second.endpoint != first.endpoint


def test_a_port_that_is_named_and_taken(tmp_path):
    """A port that the caller named is not replaced by another: it is an error."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        World(directory=tmp_path, port=taken.getsockname()[1]).open()


def test_a_world_that_deployed_nothing_leaves_the_state_alone(go_on, assembly, tmp_path):
    """A world that ends before its deployment does not replace the state by nothing."""
    with go_on() as first:
        first.deploy(assembly, STACK)
    before = (tmp_path / "state").read_bytes()

    with go_on():
        pass

    assert before == (tmp_path / "state").read_bytes()


@pytest.mark.parametrize("content", [b"", b"text", b"\x80\x05N."], ids=["empty", "text", "another pickle"])
def test_a_file_that_is_not_a_state(go_on, tmp_path, content):
    """A file that holds anything else is refused, and it stays."""
    (tmp_path / "state").write_bytes(content)

    with pytest.raises(StateError, match="state"):
        go_on().open()

    assert content == (tmp_path / "state").read_bytes()


def test_without_a_file_nothing_is_kept(tmp_path):
    """A world that was given no file writes none."""
    with World(directory=tmp_path / "world") as world:
        create(world.client("dynamodb"))

    assert ["world"] == [path.name for path in tmp_path.iterdir()]
