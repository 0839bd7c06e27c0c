"""Invalid events get an answer or a reason each, and cause no call to AWS."""

import json
import logging

import pytest

from tests.harness.line import BUCKET

SCAN = "01JDEM00000000000000000001"
TASK = {"taskId": "task", "s3Bucket": BUCKET, "s3Key": "a.mp4", "s3VersionId": None}
JOB = {"id": "0b5e1a52-7c1f-4f43-9d3a-5b0f8f6f2c11", "userArguments": {"scan_id": SCAN}}
EVENT = {"invocationSchemaVersion": "2.0", "invocationId": "invocation", "job": JOB, "tasks": [TASK]}


@pytest.fixture(name="line")
def _line(refusing_line):
    """Return the line of this module: invalid events change nothing."""
    refusing_line.calls.clear()
    return refusing_line


@pytest.mark.parametrize("event", [{}, [], "text", 7, None, {"tasks": None}, {"tasks": [None, 7, {}]}, EVENT | {"tasks": "a.mp4"}])
def test_an_event_without_tasks_is_answered_without_results(line, event):
    """An event without valid tasks gets an empty answer in the right form, never an exception."""
    reply = line.invoke("batch_invoke", event)

    assert ("PermanentFailure", []) == (reply["treatMissingKeysAs"], reply["results"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"invocationSchemaVersion": "3.0"}, "unknown schema '3.0'"),
        ({"invocationSchemaVersion": None}, "unknown schema NoneType"),
        ({"invocationSchemaVersion": "1.0", "job": {"id": "not-an-id"}}, "the job id is not a scan id"),
        ({"job": {"id": "not-an-id"}}, "the job id is not a scan id: 'not-an-id'"),
        ({"job": JOB | {"userArguments": {"scan-id": SCAN}}}, "scan_id in the job's user arguments is not a scan id: ''"),
        ({"job": JOB | {"userArguments": {"scan_id": "../../etc"}}}, "is not a scan id: '../../etc'"),
        ({"job": JOB | {"userArguments": {"scan_id": SCAN, "lane": "fast"}}}, "unknown lane 'fast'"),
        ({"job": JOB | {"userArguments": {"scan_id": SCAN, "retry": "-1"}}}, "retry is not a number"),
        ({"tasks": [TASK | {"s3Key": "%FF.mp4"}]}, "not UTF-8"),
        ({"tasks": [TASK | {"s3Key": None}]}, "missing or not text"),
        ({"tasks": [TASK | {"s3Key": ""}]}, "the key has 0 bytes"),
        ({"tasks": [TASK | {"s3Key": "a" * 1_025}]}, "the key has 1025 bytes"),
        ({"tasks": [TASK | {"s3Bucket": "no bucket"}]}, "a name that S3 does not allow"),
        ({"tasks": [TASK, TASK | {"s3Key": "b.mp4"}]}, "two different objects have the same task id"),
    ],
)
def test_a_task_that_cannot_be_understood_fails_with_a_sentence(line, changes, reason):
    """Each such task fails for good with its reason; nothing is written, sent or started for it."""
    reply = line.invoke("batch_invoke", EVENT | changes)

    (result,) = reply["results"]
    text = json.loads(result["resultString"])
    assert ("task", "PermanentFailure", "unintelligible") == (result["taskId"], result["resultCode"], text["reason"])
    assert reason in text["message"]
    assert [] == line.calls


@pytest.mark.parametrize(
    "event", [{}, [], None, {"Records": None}, {"Records": [None, {}]}, {"Records": [{"EventSource": "aws:s3"}]}]
)
def test_an_event_that_sns_never_sent_is_refused(line, caplog, event):
    """`completion` refuses it with a reason and calls no service."""
    caplog.set_level(logging.WARNING)

    line.invoke("completion", event)

    assert {"notice refused"} == {entry.message for entry in caplog.records}
    assert [] == line.calls
