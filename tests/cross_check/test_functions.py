"""Our functions in a Lambda that others wrote: deployed by ministack's CloudFormation from our template, run in its processes.

Everything but Rekognition is ministack's: S3, SQS with its event source mappings, SNS, DynamoDB. What it cannot judge: S3 Batch
Operations (it has none, so an event of theirs is handed to `batch_invoke`), retries and dead letters of functions that SNS invokes
(it has none), and permissions (it asks for none).
"""

import json
import time

import pytest

from handlers.domain.states import State
from tests.cross_check.scene import BUCKET
from tools.emulator.samples import tiny_clip

pytestmark = pytest.mark.long

SCAN = "01JDEM00000000000000000001"
DEADLINE_SECONDS = 120


def invoke(scene, module, event):
    """Invoke a function and return its answer."""
    answer = scene.client("lambda").invoke(FunctionName=scene.functions[module]["FunctionName"], Payload=json.dumps(event))
    payload = answer["Payload"].read()
    assert "FunctionError" not in answer, payload
    return json.loads(payload)


def event_of(*keys):
    """Return an S3 Batch event of schema 2.0."""
    return {
        "invocationSchemaVersion": "2.0",
        "invocationId": "invocation",
        "job": {"id": "job", "userArguments": {"scan_id": SCAN}},
        "tasks": [{"taskId": key, "s3Key": key, "s3VersionId": None, "s3Bucket": BUCKET} for key in keys],
    }


def test_from_a_batch_event_to_the_verdict(on_ministack):
    """A registered video passes through lane, Rekognition and notice, and gets the verdict it was made for."""
    scene = on_ministack
    made = {"clean.mp4": State.CLEAN, "flagged.mp4": State.FLAGGED, "no video.mp4": State.FAILED}
    scene.put_videos(["clean.mp4"], tiny_clip())
    scene.put_videos(["flagged.mp4"], tiny_clip("Weapons"))
    scene.put_videos(["no video.mp4"], b"\x00\x00\x00\x18ftypmp42" + bytes(100))

    answer = invoke(scene, "batch_invoke", event_of("clean.mp4", "flagged.mp4", "no%20video.mp4"))

    assert {"Succeeded"} == {result["resultCode"] for result in answer["results"]}
    end = time.monotonic() + DEADLINE_SECONDS
    while not all(record.state.final for record in scene.records(made, SCAN).values()) and time.monotonic() < end:
        time.sleep(0.5)
    assert made == {key: record.state for key, record in scene.records(made, SCAN).items()}
    assert sorted(made) == sorted(job.key for job in scene.ledger.jobs)


def test_what_the_template_says_is_what_there_is(on_ministack, template):
    """Table, queues and mappings in ministack have the properties of the template."""
    scene = on_ministack
    by_type = {}
    for resource in template["Resources"].values():
        by_type.setdefault(resource["Type"], []).append(resource.get("Properties", {}))
    (table,) = by_type["AWS::DynamoDB::Table"]

    made = scene.client("dynamodb").describe_table(TableName=scene.outputs["TableName"])["Table"]

    indexes = [{name: index[name] for name in ("IndexName", "KeySchema", "Projection")} for index in made["GlobalSecondaryIndexes"]]
    assert (table["KeySchema"], table["GlobalSecondaryIndexes"]) == (made["KeySchema"], indexes)
    sqs = scene.client("sqs")
    urls = sqs.list_queues()["QueueUrls"]
    queues = [sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] for url in urls]
    assert sorted(map(declared, by_type["AWS::SQS::Queue"])) == sorted(map(found, queues))
    mappings = scene.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    assert [2, 2] == [mapping["ScalingConfig"]["MaximumConcurrency"] for mapping in mappings]
    assert [1, 1] == [mapping["BatchSize"] for mapping in mappings]


def declared(queue):
    """Return a queue's retention, visibility timeout and receive limit from the template."""
    redrive = queue.get("RedrivePolicy", {}).get("maxReceiveCount", 0)
    return queue["MessageRetentionPeriod"], queue.get("VisibilityTimeout", 30), redrive


def found(queue):
    """Return the same properties from the deployed queue."""
    redrive = json.loads(queue.get("RedrivePolicy", "{}")).get("maxReceiveCount", 0)
    return int(queue["MessageRetentionPeriod"]), int(queue["VisibilityTimeout"]), redrive
