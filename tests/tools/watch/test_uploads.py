"""The deployed template in the offline world: what is put into a watched bucket arrives in the queue, and nothing else."""

import json

import pytest

from handlers.domain import upload
from tests.harness.line import BUCKET
from tests.tools.watch.conftest import OTHER

SWITCH_SECONDS = 300.0


@pytest.fixture
def queue(watching, found, person, switch):
    """Return a function that takes what is in the queue of the uploads; both buckets send events, and no function polls it."""
    client = watching.client("lambda")
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    name = found.watching.queue_url.rpartition("/")[2]
    (mapping,) = [each["UUID"] for each in mappings if each["EventSourceArn"].endswith(f":{name}")]
    client.update_event_source_mapping(UUID=mapping, Enabled=False)
    for bucket in (BUCKET, OTHER):
        assert person("on", bucket).exit_code == 0
    watching.clock.advance(SWITCH_SECONDS)
    sqs = watching.client("sqs")

    def taken():
        watching.clock.advance(10.0)
        answer = sqs.receive_message(QueueUrl=found.watching.queue_url, MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=found.watching.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in answer.get("Messages", [])]

    yield taken
    client.update_event_source_mapping(UUID=mapping, Enabled=True)


def put(watching, key, body=b"video", bucket=BUCKET):
    """Put an object as anyone does."""
    watching.client("s3").put_object(Bucket=bucket, Key=key, Body=body)


@pytest.mark.parametrize("key", ["a.mp4", "B.MOV", "in/é +%20😀,\n.M4v"])
@pytest.mark.parametrize("bucket", [BUCKET, OTHER])
def test_an_upload_arrives(watching, queue, bucket, key):
    """An upload to a watched bucket arrives once, as an event that the function understands, under the key that it has."""
    put(watching, key, bucket=bucket)

    (body,) = queue()

    message = upload.parse(body)
    assert (message.bucket, message.key, message.size) == (bucket, key, 5)
    assert json.loads(body)["detail-type"] == "Object Created"


def test_copies_and_multipart_uploads_arrive(watching, queue):
    """So do a copy and an upload in parts, each once."""
    s3 = watching.client("s3")
    put(watching, "a.mp4")
    queue()

    s3.copy_object(Bucket=BUCKET, Key="copy.mp4", CopySource={"Bucket": BUCKET, "Key": "a.mp4"})
    part = {"Bucket": BUCKET, "Key": "parts.mp4"}
    started = s3.create_multipart_upload(**part)["UploadId"]
    etag = s3.upload_part(**part, UploadId=started, PartNumber=1, Body=b"video")["ETag"]
    s3.complete_multipart_upload(**part, UploadId=started, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})

    assert sorted(upload.parse(body).key for body in queue()) == ["copy.mp4", "parts.mp4"]


def test_nothing_else_arrives(watching, queue):
    """Other suffixes, empty objects, other buckets, the work bucket, tags and deletions bring no message."""
    s3 = watching.client("s3")
    put(watching, "a.mp4")
    queue()

    put(watching, "a.txt")
    put(watching, "empty.mp4", b"")
    put(watching, "a.mp4", bucket="unwatched")
    put(watching, "hits/a.mp4", bucket=watching.outputs["WorkBucketName"])
    s3.put_object_tagging(Bucket=BUCKET, Key="a.mp4", Tagging={"TagSet": [{"Key": "verdict", "Value": "clean"}]})
    s3.delete_object(Bucket=BUCKET, Key="a.mp4")

    assert queue() == []


def test_a_bucket_that_is_switched_off_sends_nothing(watching, queue, person):
    """After `watch off` an upload brings no message."""
    assert person("off", BUCKET, "--yes").exit_code == 0

    put(watching, "late.mp4")

    assert queue() == []


def test_events_that_cannot_be_delivered_are_kept(watching, found, queue):
    """An event whose queue is gone becomes a dead letter, with the body that it would have had."""
    sqs, url = watching.client("sqs"), found.watching.queue_url
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.delete_queue(QueueUrl=url)
    try:
        put(watching, "lost.mp4")
        watching.clock.advance(10.0)
        answer = sqs.receive_message(QueueUrl=found.watching.dead_letters_url)
    finally:
        sqs.create_queue(QueueName=url.rpartition("/")[2], Attributes=attributes)

    (letter,) = answer["Messages"]
    sqs.delete_message(QueueUrl=found.watching.dead_letters_url, ReceiptHandle=letter["ReceiptHandle"])
    assert upload.parse(letter["Body"]).key == "lost.mp4"
