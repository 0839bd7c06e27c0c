"""Bad tasks, notices and messages among good ones: each is refused with a reason, and nothing else is lost."""

from handlers.domain.states import State
from tests.harness.line import BUCKET, GET, START, states
from tests.harness.videos import video

SCAN = "01JDEM00000000000000000001"
TASK = {"taskId": "task", "s3Bucket": BUCKET, "s3Key": "a.mp4", "s3VersionId": None}
JOB = {"id": "0b5e1a52-7c1f-4f43-9d3a-5b0f8f6f2c11", "userArguments": {"scan_id": SCAN}}
EVENT = {"invocationSchemaVersion": "2.0", "invocationId": "invocation", "job": JOB, "tasks": [TASK]}
NO_NOTICES = {
    "hello": "not a JSON object",
    "{": "not a JSON object",
    "[1]": "not a JSON object",
    "[" * 5_000: "not a JSON object",
    "{}": "no job id",
    '{"JobId": 7}': "no job id",
    '{"JobId": "../../x"}': "no job id",
}
NO_MESSAGES = ("hello", "{", "[]", "{}", '{"bucket": "b", "key": "k", "scan_id": "x", "attempt": 0}')


def test_a_good_task_among_bad_ones_is_registered(line):
    """Bad tasks of an event do not affect the good ones."""
    line.put("a.mp4")
    bad = [{"taskId": "bad", "s3Bucket": BUCKET, "s3Key": "%FF"}, {"taskId": "worse"}, {"no": "id"}]

    reply = line.invoke("batch_invoke", EVENT | {"tasks": [*bad, TASK]})

    codes = {result["taskId"]: result["resultCode"] for result in reply["results"]}
    assert {"bad": "PermanentFailure", "worse": "PermanentFailure", "task": "Succeeded"} == codes
    assert State.WAITING is line.record("a.mp4", SCAN).state


def test_a_notice_that_is_none_is_refused_with_a_reason(line, caplog):
    """A bad notice is logged and neither repeated nor a dead letter; the true notice still brings the verdict."""
    line.put("a.mp4", video((0, "Weapons", 99.0)))
    line.submit()
    line.clock.advance(20)
    (start,) = line.called(START)

    for message in NO_NOTICES:
        line.client("sns").publish(TopicArn=start.parameters["NotificationChannel"]["SNSTopicArn"], Message=message)
        line.clock.advance(1)

    refused = [entry.reason for entry in caplog.records if entry.message == "notice refused"]
    assert [] == line.called(GET)
    assert [True] * len(NO_NOTICES) == [why in text for why, text in zip(NO_NOTICES.values(), refused, strict=True)]
    line.clock.advance(200)
    (scan,) = line.table.scans.scans()
    assert (len(NO_NOTICES) + 1, {}) == (len(line.invocations("completion")), line.letters)
    assert State.FLAGGED is line.record("a.mp4", scan.id).state


def test_a_message_that_is_none_of_ours_leaves_the_lane(line, caplog):
    """A foreign message is dropped with an alarm, starts nothing, and does not block the next."""
    line.put("a.mp4")
    (url,) = (url for url in line.client("sqs").list_queues()["QueueUrls"] if "LanesNormalQueue" in url)

    for body in NO_MESSAGES:
        line.client("sqs").send_message(QueueUrl=url, MessageBody=body)
    result = line.scan()

    alarms = [entry.message for entry in caplog.records if entry.levelname == "ERROR"]
    assert ["message dropped: it is none of ours"] * len(NO_MESSAGES) == alarms
    assert ({"CLEAN": 1}, ["a.mp4"], {}) == (states(result), line.analysed, line.letters)
