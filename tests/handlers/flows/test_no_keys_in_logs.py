"""Object keys, and AWS's messages, which may quote them, are logged at DEBUG only."""

import json
import logging
from contextlib import suppress
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from handlers.adapters.hits import HitStore
from handlers.adapters.rekognition import AnalysisReader, AnalysisStarter
from handlers.domain.policy import Policy, Rule
from handlers.domain.record import Scan
from handlers.flows.breaker import BREAKER_VIDEOS, Breaker
from handlers.flows.complete import CompleteFlow, CompletionError
from handlers.flows.lane_events import LaneEventsFlow
from handlers.flows.register import RegisterFlow
from handlers.flows.registration import Registration
from handlers.flows.start import StartFlow, StartSettings
from handlers.flows.start_rules import Limits
from tests.handlers.doubles import ACCOUNT, BUCKET, COMPLETIONS, MP4, ROLE, SCAN, WORK_BUCKET, notice_event, waiting

KEY = "private/Jane Doe.mp4"
EVENTS = Path(__file__).parents[2] / "events"


def quoting(code, status=400):
    """Return an error of AWS whose message names the object, as S3's and IAM's do."""
    text = f"User is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::{BUCKET}/{KEY}"
    response = {"Error": {"Code": code, "Message": text}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")


ERRORS = {
    "refused": quoting("AccessDeniedException"),
    "unknown": quoting("InternalServerError", 500),
    "throttled": quoting("LimitExceededException"),
    "object": quoting("InvalidS3ObjectException"),
    "mismatch": quoting("IdempotentParameterMismatchException"),
    "unheard of": quoting("SomethingNewException"),
    "by the SDK": ParamValidationError(report=f"Invalid value for Key: {KEY}"),
    "of ours": ValueError(f"{KEY} is odd"),
}


@pytest.fixture(name="logged")
def _logged(caplog):
    """Return a function that returns all that was logged, by whether that was at DEBUG, with tracebacks."""
    caplog.set_level(logging.DEBUG, "video-moderation")

    def logged(*, at_debug):
        chosen = [entry for entry in caplog.records if (entry.levelno <= logging.DEBUG) is at_debug]
        return "\n".join(f"{logging.Formatter().format(entry)} {vars(entry)}" for entry in chosen)

    return logged


@pytest.fixture(name="start")
def _start(table, objects, queues, sqs, urls, s3, clock, rekognition):
    """Return a function that invokes the starter with the message of a video whose key is private."""
    table.scans.put_scan(Scan(SCAN, BUCKET))
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=MP4)
    record = waiting(KEY)
    queues.send(record)
    table.records.register(record, None)
    settings = StartSettings(COMPLETIONS, ROLE, 50.0, Limits(18, 20))
    starter = AnalysisStarter(rekognition)
    start_flow = StartFlow(table.records, Breaker(table.control), table.watches, objects, starter, clock, settings)
    flow = LaneEventsFlow(start_flow, queues, clock)
    message = sqs.receive_message(QueueUrl=next(iter(urls.values())))["Messages"][0]
    entry = {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:stack-normal",
    }
    return lambda: flow.respond({"Records": [entry]}, deadline=clock.now() + 70)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("where", ["Start", "HeadObject", "DynamoDB"])
def test_starting(start, rekognition, s3, dynamodb, logged, where, error):
    """Whatever fails in start_analysis, and with whatever message."""
    if where == "Start":
        rekognition.refuse_starts.append(error)
    elif where == "HeadObject":
        s3.fail("head_object", error)
    else:
        dynamodb.fail("transact_write_items", error)

    start()

    assert KEY not in logged(at_debug=False)
    assert "Jane Doe" in logged(at_debug=True)


def test_the_circuit_breaker(start, table, rekognition, logged):
    """The alarm that starting is paused names the code; the reason is in the table and in the mail."""
    for number in range(BREAKER_VIDEOS - 1):
        table.control.count_refused(f"another video {number}")
    rekognition.refuse_starts.append(ERRORS["refused"])

    start()

    assert "starting is paused" in logged(at_debug=False)
    assert KEY not in logged(at_debug=False)


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("operation", ["head_object", "get_object"])
def test_registering(table, objects, queues, clock, s3, logged, operation, error):
    """Whatever fails in batch_invoke."""
    event = json.loads((EVENTS / "s3_batch_schema_2_0.json").read_text())
    event["job"]["userArguments"] = {"scan_id": SCAN, "lane": "normal"}
    event["tasks"][0] |= {"s3Bucket": BUCKET, "s3Key": KEY.replace(" ", "%20"), "s3VersionId": None}
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=MP4)
    s3.fail(operation, *[error] * 20)

    RegisterFlow(Registration(table.records, objects, queues, clock), table.scans, clock).respond(event)

    assert "task registered" in logged(at_debug=False) or "task not registered" in logged(at_debug=False)
    assert KEY not in logged(at_debug=False)


@pytest.mark.parametrize("error", [*ERRORS.values(), quoting("ResourceNotFoundException"), None])
def test_completing(table, rekognition, work, clock, logged, error):
    """Whatever fails in completion, and whatever Rekognition says about an analysis that failed."""
    record = waiting(KEY)
    table.records.register(record, None)
    job_id = rekognition.start_content_moderation(ClientRequestToken=record.analysis.token, Video={})["JobId"]
    table.records.enter_running(record, job_id)
    rekognition.finish(job_id, status="FAILED", message=f"{KEY} has an unsupported codec")
    rekognition.refuse_gets.extend([error] * 100)
    policy = Policy(Rule(80.0, alert=True), {})
    flow = CompleteFlow(table.records, AnalysisReader(rekognition, clock), HitStore(work, WORK_BUCKET), policy, clock, COMPLETIONS)

    with suppress(CompletionError):
        flow.respond(notice_event(job_id), deadline=clock.now() + 100)

    assert logged(at_debug=False)
    assert KEY not in logged(at_debug=False)
