"""Consequences, end to end: a scan's verdicts become tags, annotations and events, and a person's decision changes them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from handlers.domain.consequence import ANNOTATION
from tests.end_to_end.conftest import BUCKET, STACK
from tests.end_to_end.test_calls_are_allowed import Recorder, allows, statements
from tests.once import synthesised
from tools.emulator.samples import tiny_clip
from tools.rehearsal.consequences import listen

ROOT = Path(__file__).parents[2]
CLEAN, FLAGGED = "films/clean.mp4", 'films/=1+1,"<script>" é.mp4'
KEYS = (CLEAN, FLAGGED)
# By detail-type, without its first words.
SCHEMAS = {
    schema["title"].removeprefix("Video Moderation "): Draft202012Validator(schema, format_checker=FormatChecker())
    for schema in (json.loads(path.read_text("utf-8")) for path in (ROOT / "docs" / "schemas").glob("*.json"))
}
pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory):
    """Return a function to the assembly of a deployment whose verdicts have consequences."""
    switches = dict.fromkeys(("publish_events", "tag_objects", "annotate_objects"), True)
    context = {"stack_name": STACK, "alert_email": "reviewer@example.com", "source_buckets": [BUCKET], **switches}
    return lambda **changes: synthesised(tmp_path_factory, **(context | changes))


@pytest.fixture(name="stage", scope="module")
def _stage(stages):
    stage = stages()
    stage.recorder = Recorder(stage)
    stage.events = listen(stage.world, {"source": ["video-moderation"]})
    stage.put(CLEAN, tiny_clip())
    stage.put(FLAGGED, tiny_clip("Weapons"))
    stage.s3.put_object_tagging(Bucket=BUCKET, Key=FLAGGED, Tagging={"TagSet": [{"Key": "team", "Value": "a"}]})
    return stage


@pytest.fixture(name="scan_id", scope="module")
def _scan_id(stage):
    scan_id = stage.scan("films/")
    stage.until(lambda: all("VideoModerationStatus" in tags(stage, key) for key in KEYS), "all are tagged")
    stage.close(scan_id)
    return scan_id


def tags(stage, key):
    """Return an object's tags."""
    return {tag["Key"]: tag["Value"] for tag in stage.s3.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]}


def annotation(stage, key):
    """Return the verdict in an object's annotation."""
    return json.loads(stage.s3.get_object_annotation(Bucket=BUCKET, Key=key, AnnotationName=ANNOTATION)["AnnotationPayload"].read())


def heard(stage, kept=[]):  # noqa: B006 # what was received stays heard
    """Return the details of all events so far, by detail-type."""
    sqs = stage.world.client("sqs")
    while more := sqs.receive_message(QueueUrl=stage.events, MaxNumberOfMessages=10).get("Messages"):
        kept += [json.loads(message["Body"]) for message in more]
    return [(event["detail-type"].removeprefix("Video Moderation "), event["detail"]) for event in kept]


def test_tags(stage, scan_id):
    """Every object says what was found, and keeps the tags of others."""
    assert stage.table.scans.scan(scan_id) is not None
    assert {"VideoModerationStatus": "NO_FLAGS_FOUND"} == tags(stage, CLEAN)
    assert {"team": "a", "VideoModerationStatus": "FLAGS_FOUND"} == tags(stage, FLAGGED)


def test_events(stage, scan_id):
    """There is an event for each object, and one for the scan once it is closed."""
    stage.until(lambda: any(kind == "Scan Closed" for kind, _ in heard(stage)), "the scan's event is there")

    events = heard(stage)
    found = {
        (detail["s3ObjectDetails"]["objectKey"], detail["scanStatus"], detail["scanResultDetails"]["scanResultStatus"])
        for kind, detail in events
        if kind == "Object Scan Result"
    }
    assert found == {
        (CLEAN, "COMPLETED", "NO_FLAGS_FOUND"),
        (FLAGGED, "COMPLETED", "FLAGS_FOUND"),
    }
    [closed] = [detail for kind, detail in events if kind == "Scan Closed"]
    assert (scan_id, 1, 1) == (closed["scanId"], closed["objects"]["clean"], closed["objects"]["flagged"])


def test_events_are_as_their_schemas_say(stage, scan_id):
    """Every event that EventBridge delivered is valid by the schema of its detail-type in the docs."""
    stage.put("films/full.mp4", tiny_clip("Weapons"))
    ten = [{"Key": str(number), "Value": ""} for number in range(10)]
    stage.s3.put_object_tagging(Bucket=BUCKET, Key="films/full.mp4", Tagging={"TagSet": ten})
    assert scan_id != stage.scan("films/full")
    stage.until(lambda: {kind for kind, _ in heard(stage)} == set(SCHEMAS), "there is an event of each kind")

    faults = [error for kind, detail in heard(stage) for error in SCHEMAS[kind].iter_errors(detail)]

    assert [] == faults


def test_a_decision(stage, scan_id, tmp_path):
    """A false alarm that a person applied changes tag, annotation and event."""
    record = stage.records(scan_id)[FLAGGED]
    decision = {
        "video_id": record.video.id,
        "bucket": BUCKET,
        "key": FLAGGED,
        "version_id": None,
        "etag": record.facts.etag,
        "attempt": 0,
        "decision": "false-alarm",
        "note": "",
        "decided_at": datetime.fromtimestamp(stage.world.clock.now(), UTC).isoformat(timespec="milliseconds"),
    }
    file = tmp_path / "decisions.json"
    header = {"format": "video-moderation-decisions-1", "scan": scan_id, "decided_by": "Ada"}
    file.write_text(json.dumps({**header, "decisions": [decision]}))

    stage.run("review_report.py", "apply", str(file))

    stage.until(lambda: annotation(stage, FLAGGED)["decision"] is not None, "the annotation says so")
    verdict = annotation(stage, FLAGGED)
    stage.until(lambda: any(detail == verdict for _, detail in heard(stage)), "the event is there")
    assert "NO_FLAGS_FOUND" == tags(stage, FLAGGED)["VideoModerationStatus"] == verdict["scanResultDetails"]["scanResultStatus"]
    assert "false-alarm" == verdict["decision"]["judgement"]


@pytest.mark.parametrize("module", ["publish_verdict", "completion", "batch_invoke", "sweeper"])
def test_every_call_that_was_made_is_allowed(stage, scan_id, module):
    """With consequences, too, each action on each resource is allowed by the deployed role of the function."""
    assert stage.table.scans.scan(scan_id) is not None
    uses = {use for use in stage.recorder.uses if use.module == module}
    policy = statements(stage, module)

    assert len(uses) > 2
    assert [] == sorted(str(use) for use in uses if not allows(policy, use))
