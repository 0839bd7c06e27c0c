"""What S3 sends of each write, in AWS's own shape."""

import json

import pytest

from tools.emulator.core import ManualClock
from tools.emulator.settings import EmulatorSettings
from tools.emulator.world import World

BUCKET = "amzn-s3-demo-bucket"
QUEUE = "arn:aws:sqs:us-east-1:111122223333:events"
BRIDGE = {"EventBridgeConfiguration": {}}


class Bench:
    """A world in which every event of S3 reaches a queue."""

    def __init__(self, world, clock):
        self.clock = clock
        self.s3 = world.client("s3")
        self.sqs = world.client("sqs")
        events = world.client("events")
        self.url = self.sqs.create_queue(QueueName="events")["QueueUrl"]
        events.put_rule(Name="all", EventPattern=json.dumps({"source": ["aws.s3"]}))
        events.put_targets(Rule="all", Targets=[{"Id": "1", "Arn": QUEUE}])
        self.s3.create_bucket(Bucket=BUCKET)

    def configure(self, **configuration):
        """Put a notification configuration, and return what S3 says that it is."""
        self.s3.put_bucket_notification_configuration(Bucket=BUCKET, NotificationConfiguration=configuration)
        answer = self.s3.get_bucket_notification_configuration(Bucket=BUCKET)
        del answer["ResponseMetadata"]
        return answer

    def switch_on(self):
        """Send the bucket's events to EventBridge, and let the switch take effect."""
        self.configure(**BRIDGE)
        self.clock.advance(300)

    def versions(self):
        """Switch versioning on."""
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def received(self):
        """Return the messages that are in the queue now, oldest first."""
        self.clock.advance(2)
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", []):
            for message in messages:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                found.append(json.loads(message["Body"]))
        return sorted(found, key=lambda event: event.get("detail", {}).get("object", {}).get("sequencer", ""))


@pytest.fixture(name="bench")
def _bench(tmp_path):
    """Return a world whose clock stands still."""
    clock = ManualClock()
    with World(EmulatorSettings(), directory=tmp_path, clock=clock) as world:
        yield Bench(world, clock)


def test_an_upload_is_an_event(bench):
    """The event of a PutObject has the members that AWS's guide shows; the key is not encoded."""
    bench.switch_on()

    bench.s3.put_object(Bucket=BUCKET, Key="a+b c%20/ü🎬.mp4", Body=b"hello")
    (event,) = bench.received()

    detail = event["detail"]
    assert (event["source"], event["detail-type"], event["resources"]) == ("aws.s3", "Object Created", [f"arn:aws:s3:::{BUCKET}"])
    assert detail["bucket"] == {"name": BUCKET}
    assert {name: detail["object"][name] for name in ("key", "size", "etag")} == {
        "key": "a+b c%20/ü🎬.mp4",
        "size": 5,
        "etag": "5d41402abc4b2a76b9719d911017c592",
    }
    assert "version-id" not in detail["object"]
    assert (detail["version"], detail["requester"], detail["reason"]) == ("0", "111122223333", "PutObject")


def test_every_way_to_write_has_its_reason(bench):
    """Put, copy and multipart uploads are created objects, each with its reason; with versions, the event names the version."""
    bench.versions()
    bench.switch_on()

    put = bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    bench.s3.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a")
    upload = bench.s3.create_multipart_upload(Bucket=BUCKET, Key="c")["UploadId"]
    part = bench.s3.upload_part(Bucket=BUCKET, Key="c", UploadId=upload, PartNumber=1, Body=b"22")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    bench.s3.complete_multipart_upload(Bucket=BUCKET, Key="c", UploadId=upload, MultipartUpload=parts)
    events = bench.received()

    assert [(event["detail"]["object"]["key"], event["detail"]["reason"]) for event in events] == [
        ("a", "PutObject"),
        ("b", "CopyObject"),
        ("c", "CompleteMultipartUpload"),
    ]
    assert events[0]["detail"]["object"]["version-id"] == put["VersionId"]


def test_tags_have_events_of_their_own(bench):
    """Tagging an object is no upload: another type, without size, reason and sequencer."""
    bench.switch_on()
    bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    bench.received()

    bench.s3.put_object_tagging(Bucket=BUCKET, Key="a", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    bench.s3.delete_object_tagging(Bucket=BUCKET, Key="a")
    events = bench.received()

    assert {event["detail-type"] for event in events} == {"Object Tags Added", "Object Tags Deleted"}
    assert all(set(event["detail"]["object"]) == {"key", "etag"} for event in events)


@pytest.mark.parametrize(("versions", "kind"), [(False, "Permanently Deleted"), (True, "Delete Marker Created")])
def test_deletions_say_their_kind(bench, versions, kind):
    """A deleted object has an event without a size, which says whether a delete marker was made."""
    if versions:
        bench.versions()
    bench.switch_on()
    bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")

    bench.s3.delete_object(Bucket=BUCKET, Key="a")
    event = bench.received()[-1]

    assert (event["detail-type"], event["detail"]["deletion-type"]) == ("Object Deleted", kind)
    assert "size" not in event["detail"]["object"]


def test_a_version_can_be_deleted(bench):
    """Deleting a version permanently names it, even if others are left."""
    bench.versions()
    bench.switch_on()
    version = bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")["VersionId"]
    bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"2")

    bench.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a", "VersionId": version}]})
    detail = bench.received()[-1]["detail"]

    assert (detail["deletion-type"], detail["object"]["version-id"]) == ("Permanently Deleted", version)


def test_sequencers_order_the_events_of_a_key(bench):
    """A later write has a greater sequencer, also within one tick of the clock."""
    bench.switch_on()

    for body in (b"1", b"2", b"3"):
        bench.s3.put_object(Bucket=BUCKET, Key="a", Body=body)
    events = bench.received()

    sequencers = [event["detail"]["object"]["sequencer"] for event in events]
    assert len(set(sequencers)) == 3
    assert [event["detail"]["object"]["etag"][:4] for event in events] == ["c4ca", "c81e", "eccb"]  # MD5 of 1, 2, 3


def test_the_switch_takes_five_minutes(bench):
    """Events are sent from five minutes after EventBridge was switched on; switched off they stop."""
    bench.configure(**BRIDGE)
    counts = []
    for wait in (299, 1):
        bench.clock.advance(wait - 2 * len(counts))
        bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
        counts.append(len(bench.received()))
    bench.configure()
    bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")
    counts.append(len(bench.received()))

    assert counts == [0, 1, 0]


def test_configuring_again_does_not_start_anew(bench):
    """A configuration that is put again with EventBridge in it keeps sending."""
    bench.switch_on()

    bench.configure(**BRIDGE)
    bench.s3.put_object(Bucket=BUCKET, Key="a", Body=b"1")

    assert len(bench.received()) == 1


def test_a_configuration_is_kept_whole(bench):
    """Destinations and EventBridge come back as they were put; filters are called Prefix and Suffix, in whatever case they came."""
    rules = [{"Name": "prefix", "Value": "in/"}, {"Name": "SUFFIX", "Value": ".mp4"}]
    queue = {"Id": "mine", "QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}

    answer = bench.configure(QueueConfigurations=[queue], **BRIDGE)
    again = bench.configure(**answer)

    assert answer == again
    assert answer["EventBridgeConfiguration"] == {}
    (returned,) = answer["QueueConfigurations"]
    assert returned["Filter"]["Key"]["FilterRules"] == [
        {"Name": "Prefix", "Value": "in/"},
        {"Name": "Suffix", "Value": ".mp4"},
    ]
    assert "TopicConfigurations" not in answer


def test_a_queue_gets_the_older_message(bench):
    """A bucket's own queue gets a test message, and S3's record with an encoded key for what its filter lets pass."""
    rules = [{"Name": "suffix", "Value": ".mp4"}]
    bench.configure(
        QueueConfigurations=[
            {"QueueArn": QUEUE, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}},
        ]
    )

    for key in ("a b+c.mp4", "other.txt"):
        bench.s3.put_object(Bucket=BUCKET, Key=key, Body=b"1")
    test, message = bench.received()

    (record,) = message["Records"]
    assert (test["Event"], test["Bucket"]) == ("s3:TestEvent", BUCKET)
    assert (record["eventName"], record["s3"]["object"]["key"]) == ("ObjectCreated:Put", "a+b%2Bc.mp4")
    assert record["s3"]["object"]["size"] == 1


def test_a_put_while_versions_are_suspended(bench):
    """The event of a put into a bucket whose versions are suspended names no version that is none."""
    bench.switch_on()
    bench.versions()
    bench.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"first")
    bench.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    bench.received()

    bench.s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=b"second")

    (event,) = bench.received()
    assert "version-id" not in event["detail"]["object"]
