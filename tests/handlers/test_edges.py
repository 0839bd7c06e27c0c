"""The four functions as Lambda calls them: environment in, one event, one answer."""

import json
import os

import pytest

from handlers import batch_invoke, completion, start_analysis, sweeper, wiring
from handlers.domain import watch
from handlers.domain.identity import Video
from handlers.domain.states import Lane, State
from handlers.domain.watch import Watch
from handlers.flows.sweep.sweep import SweepError
from handlers.runtime.clients import Clients
from handlers.runtime.clock import SystemClock
from handlers.settings import (
    BatchInvokeSettings,
    CompletionSettings,
    SettingsError,
    StartAnalysisSettings,
    SweeperSettings,
    from_environment,
    to_environment,
)
from tests.handlers.doubles import (
    ACCOUNT,
    BUCKET,
    COMPLETIONS,
    MP4,
    ROLE,
    SCAN,
    TABLE,
    WORK_BUCKET,
    Through,
    batch_event,
    notice_event,
    waiting,
)

POLICY = '{"default": {"min_confidence": 80, "alert": true}}'


class Context:
    """The context that Lambda passes."""

    def get_remaining_time_in_millis(self):
        """Return ten minutes."""
        return 600_000


@pytest.fixture(name="sqs")
def _sqs(aws):
    """Return moto's queues: the functions reach them through boto3."""
    return Through(aws("sqs"))


@pytest.fixture(name="deployed")
def _deployed(monkeypatch, aws, dynamodb, s3, urls):
    """Set the environment of all four functions, each without a cached flow."""
    lanes = {"normal_queue_url": urls[Lane.NORMAL], "express_queue_url": urls[Lane.EXPRESS]}
    topic = aws("sns").create_topic(Name="alerts")["TopicArn"]
    settings = (
        BatchInvokeSettings(table_name=TABLE, **lanes),
        StartAnalysisSettings(
            table_name=TABLE,
            completions_topic_arn=COMPLETIONS,
            rekognition_role_arn=ROLE,
            min_confidence=50.0,
            account_jobs=20,
            slots=18,
            **lanes,
        ),
        CompletionSettings(table_name=TABLE, work_bucket_name=WORK_BUCKET, completions_topic_arn=COMPLETIONS, policy=POLICY),
        SweeperSettings(
            table_name=TABLE,
            alerts_topic_arn=topic,
            account_id=ACCOUNT,
            stack_name="VideoModeration",
            normal_dead_letters_url="https://sqs.us-east-1.amazonaws.com/111122223333/normal-dead",
            express_dead_letters_url="https://sqs.us-east-1.amazonaws.com/111122223333/express-dead",
            normal_mapping_id="normal",
            express_mapping_id="express",
            completion_function_arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:completion",
            completions_topic_arn=COMPLETIONS,
            mails_per_scan=25,
            **lanes,
        ),
    )
    for each in settings:
        for name, value in to_environment(each).items():
            monkeypatch.setenv(name, value)
    caches = [module._flow for module in (batch_invoke, start_analysis, completion, sweeper)]
    for cache in caches:
        cache.cache_clear()
    monkeypatch.setattr(Clients, "dynamodb", dynamodb, raising=False)
    yield
    for cache in caches:
        cache.cache_clear()


def test_batch_invoke(deployed, s3, table):
    """batch_invoke answers S3 Batch and has registered the video."""
    s3.put_object(Bucket=BUCKET, Key="a.mp4", Body=MP4)

    answer = batch_invoke.handler(batch_event("a.mp4"), None)

    assert {
        "invocationSchemaVersion": "2.0",
        "treatMissingKeysAs": "PermanentFailure",
        "invocationId": "invocation",
        "results": [
            {
                "taskId": "task-0",
                "resultCode": "Succeeded",
                "resultString": json.dumps({"state": "WAITING", "scan": SCAN}, separators=(",", ":")),
            }
        ],
    } == answer
    assert table.records.record(Video(BUCKET, "a.mp4").id, SCAN).state is State.WAITING


def test_start_analysis(deployed, queues, messages):
    """start_analysis answers SQS in the form of a partial batch response."""
    queues.send(waiting())
    (message,) = messages()
    entry = {
        "messageId": "m",
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": f"arn:aws:sqs:us-east-1:{ACCOUNT}:stack-normal",
    }

    answer = start_analysis.handler({"Records": [entry]}, Context())

    assert {"batchItemFailures": [{"itemIdentifier": "m"}]} == answer


def test_completion(deployed, caplog):
    """Completion refuses a notice of another topic without a request."""
    completion.handler(notice_event("0" * 64, topic_arn="arn:aws:sns:us-east-1:111122223333:other"), Context())

    assert ["notice refused"] == [entry.message for entry in caplog.records]


@pytest.mark.parametrize(("value", "language"), [(None, "en"), ("en", "en"), ("es", "es"), ("tlh", "en")])
def test_language_of_mails(deployed, monkeypatch, value, language):
    """Mails are in the language of the environment; in English where it names none, as before there were others, or an unknown."""
    monkeypatch.setattr(wiring, "SweepFlow", lambda _ports, _clock, settings: settings)
    monkeypatch.delenv("LANGUAGE")
    if value:
        monkeypatch.setenv("LANGUAGE", value)

    settings = from_environment(SweeperSettings, os.environ)

    assert language == wiring.sweep_flow(settings, wiring.Adapters(Clients(), SystemClock())).language.code


def test_watched_buckets_of_the_sweeper(deployed, monkeypatch):
    """The sweeper knows the watched buckets and the queue of uploads from its environment; without any it has neither."""
    monkeypatch.setattr(wiring, "SweepFlow", lambda ports, _clock, settings: (ports.uploads, settings.watched))
    monkeypatch.delenv("WATCH", raising=False)
    without = wiring.sweep_flow(from_environment(SweeperSettings, os.environ), wiring.Adapters(Clients(), SystemClock()))
    watched = {"amzn-s3-demo-bucket": Watch("amzn-s3-demo-bucket", ("in/",), max_minutes_per_day=60)}
    monkeypatch.setenv("WATCH", watch.text(watched))
    monkeypatch.setenv("UPLOADS_QUEUE_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/uploads")
    monkeypatch.setenv("UPLOADS_DEAD_LETTERS_URL", "https://sqs.us-east-1.amazonaws.com/111122223333/dead")

    uploads, found = wiring.sweep_flow(from_environment(SweeperSettings, os.environ), wiring.Adapters(Clients(), SystemClock()))

    assert (None, {}) == without
    assert (watched, True) == (found, uploads is not None)


def test_sweeper(deployed, table):
    """Sweeper sweeps, returns its lease, and names the task that failed: here there are no mappings to switch."""
    with pytest.raises(SweepError, match=r"^failed: SwitchLanes$"):
        sweeper.handler({}, Context())

    assert table.control.take_lease("another", 2e9)


@pytest.mark.parametrize("module", [start_analysis, completion, sweeper])
def test_no_settings(module, monkeypatch):
    """A function without its settings names what is missing."""
    monkeypatch.delenv("TABLE_NAME", raising=False)
    module._flow.cache_clear()

    with pytest.raises(SettingsError, match="TABLE_NAME"):
        module.handler({}, Context())
