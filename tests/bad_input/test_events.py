"""Events and notices that are none: a reason for each, and nothing that was there before is lost."""

import json
import logging

import pytest

from handlers.domain.states import State
from tests.seed_defects.line import BUCKET, GET, START, video

SCAN = "01JDEM00000000000000000001"
TASK = {"taskId": "task", "s3Bucket": BUCKET, "s3Key": "a.mp4", "s3VersionId": None}
JOB = {"id": "0b5e1a52-7c1f-4f43-9d3a-5b0f8f6f2c11", "userArguments": {"scan_id": SCAN}}
EVENT = {"invocationSchemaVersion": "2.0", "invocationId": "invocation", "job": JOB, "tasks": [TASK]}


@pytest.mark.parametrize("event", [{}, [], "text", 7, None, {"tasks": None}, {"tasks": [None, 7, {}]}, EVENT | {"tasks": "a.mp4"}])
def test_an_event_without_tasks_is_answered_without_results(line, event):
    """What holds no task that could be answered gets an empty answer in the right form, never an exception."""
    reply = line.invoke("batch_invoke", event)

    assert ("PermanentFailure", []) == (reply["treatMissingKeysAs"], reply["results"])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"invocationSchemaVersion": "3.0"}, "unknown schema '3.0'"),
        ({"invocationSchemaVersion": None}, "unknown schema NoneType"),
        ({"invocationSchemaVersion": "1.0", "job": {"id": "not-an-id"}}, "the job id is no scan id"),
        ({"job": {"id": JOB["id"]}}, "scan_id in the job's user arguments is no scan id: ''"),
        ({"job": JOB | {"userArguments": {"scan_id": "../../etc"}}}, "is no scan id: '../../etc'"),
        ({"job": JOB | {"userArguments": {"scan_id": SCAN, "lane": "fast"}}}, "unknown lane 'fast'"),
        ({"job": JOB | {"userArguments": {"scan_id": SCAN, "retry": "-1"}}}, "retry is no number"),
        ({"tasks": [TASK | {"s3Key": "%FF.mp4"}]}, "not UTF-8"),
        ({"tasks": [TASK | {"s3Key": None}]}, "missing or no text"),
        ({"tasks": [TASK | {"s3Key": ""}]}, "the key has 0 bytes"),
        ({"tasks": [TASK | {"s3Key": "a" * 1_025}]}, "the key has 1025 bytes"),
        ({"tasks": [TASK | {"s3Bucket": "no bucket"}]}, "a name that S3 does not allow"),
        ({"tasks": [TASK, TASK | {"s3Key": "b.mp4"}]}, "two different objects have the same task id"),
    ],
)
def test_a_task_that_cannot_be_understood_fails_with_a_sentence(line, changes, reason):
    """Each such task fails for good and says why; nothing is written, sent or started for it."""
    reply = line.invoke("batch_invoke", EVENT | changes)

    (result,) = reply["results"]
    text = json.loads(result["resultString"])
    assert ("task", "PermanentFailure", "unintelligible") == (result["taskId"], result["resultCode"], text["reason"])
    assert reason in text["message"]
    assert [] == line.calls


def test_a_good_task_beside_bad_ones_is_registered(line):
    """Tasks of one event do not harm each other."""
    line.put("a.mp4")
    bad = [{"taskId": "bad", "s3Bucket": BUCKET, "s3Key": "%FF"}, {"taskId": "worse"}, {"no": "id"}]

    reply = line.invoke("batch_invoke", EVENT | {"tasks": [*bad, TASK]})

    codes = {result["taskId"]: result["resultCode"] for result in reply["results"]}
    assert {"bad": "PermanentFailure", "worse": "PermanentFailure", "task": "Succeeded"} == codes
    assert State.WAITING is line.record("a.mp4", SCAN).state


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "no JSON object"),
        ("{", "no JSON object"),
        ("[1]", "no JSON object"),
        ("[" * 5_000, "no JSON object"),
        ("{}", "no job id"),
        ('{"JobId": 7}', "no job id"),
        ('{"JobId": "../../x"}', "no job id"),
    ],
)
def test_a_notice_that_is_none_is_refused_with_a_reason(line, caplog, message, reason):
    """It is logged and asked about nowhere, is not repeated and is no dead letter; the true notice still brings the verdict."""
    line.put("a.mp4", video((0, "Weapons", 99.0)))
    line.submit()
    line.clock.advance(20)
    (start,) = line.called(START)

    line.client("sns").publish(TopicArn=start.parameters["NotificationChannel"]["SNSTopicArn"], Message=message)
    line.clock.advance(1)

    refused = [entry.reason for entry in caplog.records if entry.message == "notice refused"]
    assert (1, True, []) == (len(refused), reason in refused[0], line.called(GET))
    line.clock.advance(200)
    (scan,) = line.table.scans()
    assert (2, {}) == (len(line.invocations("completion")), line.letters)
    assert State.FLAGGED is line.record("a.mp4", scan.id).state


@pytest.mark.parametrize(
    "event", [{}, [], None, {"Records": None}, {"Records": [None, {}]}, {"Records": [{"EventSource": "aws:s3"}]}]
)
def test_an_event_that_sns_never_sent_is_refused(line, caplog, event):
    """`completion` refuses it with a reason and asks nobody anything."""
    caplog.set_level(logging.WARNING)

    line.invoke("completion", event)

    assert {"notice refused"} == {entry.message for entry in caplog.records}
    assert [] == line.calls


@pytest.mark.parametrize("body", ["hello", "{", "[]", "{}", '{"bucket": "b", "key": "k", "scan_id": "x", "attempt": 0}'])
def test_a_message_that_is_none_of_ours_leaves_the_lane(line, caplog, body):
    """It is dropped with an alarm, starts nothing, and does not stand in the way of the next."""
    line.put("a.mp4")
    (url,) = (url for url in line.client("sqs").list_queues()["QueueUrls"] if "LanesNormalQueue" in url)

    line.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    result = line.scan()

    assert ["message dropped: it is none of ours"] == [entry.message for entry in caplog.records if entry.levelname == "ERROR"]
    assert (1, ["a.mp4"], {}) == (result["result"]["videos"]["CLEAN"], line.analysed, line.letters)
