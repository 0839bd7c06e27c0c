"""A sweeper's ports, for the tests of its tasks; and in every test of flows: each log event says whose it is."""

import pytest

from handlers.adapters.batch_jobs import BatchJobs
from handlers.adapters.functions import CompletionFunction, LaneSwitches
from handlers.adapters.mail import MailTopic
from handlers.adapters.queue import LaneQueues
from handlers.adapters.rekognition import AnalysisReader
from handlers.domain.states import Lane
from handlers.flows.sweep.sweep import Ports
from handlers.runtime.logs import LOGGER
from tests.handlers.doubles import ACCOUNT
from tests.handlers.sweeper_doubles import TOPIC, Lambda, S3Control, Sns


@pytest.fixture(name="sns")
def _sns(clock):
    return Sns(clock)


@pytest.fixture(name="s3control")
def _s3control():
    return S3Control()


@pytest.fixture(name="functions")
def _functions():
    return Lambda()


@pytest.fixture(name="dead_urls")
def _dead_urls(sqs):
    return {lane: sqs.create_queue(QueueName=f"stack-{lane.value}-dead")["QueueUrl"] for lane in Lane}


@pytest.fixture(name="ports")
def _ports(table, sns, s3control, clock, sqs, urls, dead_urls, rekognition, functions):
    """Return the ports of a sweeper where no bucket is watched."""
    return Ports(
        table=table,
        topic=MailTopic(sns, TOPIC),
        batch_jobs=BatchJobs(s3control, ACCOUNT),
        queues=LaneQueues(sqs, urls, dead_urls),
        reader=AnalysisReader(rekognition, clock),
        completion=CompletionFunction(functions, "completion"),
        switches=LaneSwitches(functions, ("normal-mapping", "express-mapping")),
    )


_NONE = frozenset[str]()
_VIDEO = frozenset({"scan_id", "video_id"})
_JOB = frozenset({"job_id"})
_MESSAGE = frozenset({"message_id"})
_OF_A_VIDEO = (
    "a Start is noted that its record does not know",
    "analysis started",
    "consequences not carried out",
    "consequences put off",
    "frames are under way that their record does not know",
    "frames begun",
    "frames cancelled",
    "frames completed",
    "image refused",
    "lease lost",
    "message",
    "message dropped",
    "message handed back",
    "message not dealt with",
    "no worker is at a film: message sent to the express lane",
    "object not marked",
    "start mismatch",
    "start refused by a fault of ours",
    "start still unknown: message sent to the express lane",
    "start unknown",
    "starting is paused",
    "task",
    "task not registered",
    "task registered",
    "upload not analysed again: it was put too often",
    "video failed",
)
_OF_A_JOB = (
    "Rekognition would not answer",
    "an analysis runs that its record does not know",
    "analysis completed",
    "analysis still runs",
    "completion notices do not arrive",
    "notice lost or not dealt with: handed over again",
)
# What log queries find an event by, and a person the video, the job or the message.
WHOSE = {
    **dict.fromkeys(_OF_A_VIDEO, _VIDEO),
    **dict.fromkeys(_OF_A_JOB, _VIDEO | _JOB),
    **dict.fromkeys(("notice ignored", "notice not dealt with", "page token went stale"), _JOB),
    **dict.fromkeys(("retry ignored", "upload registered"), _VIDEO | _MESSAGE),
    **dict.fromkeys(("upload", "upload comes back", "upload ignored", "upload not registered"), _MESSAGE),
    "scan paused": frozenset({"scan_id"}),
}


@pytest.fixture(autouse=True)
def _whose(monkeypatch):
    """Let no event of a test be logged, at whatever level, without naming whose it is."""

    def watched(log):
        def logged(event, *arguments, extra=None, **more):
            missing = WHOSE.get(event, _NONE) - (extra or {}).keys()
            lacking.extend([(event, missing)] if missing else [])
            log(event, *arguments, extra=extra, **more)

        return logged

    lacking = []
    for level in ("debug", "info", "warning", "error"):
        monkeypatch.setattr(LOGGER, level, watched(getattr(LOGGER, level)))
    yield
    assert [] == lacking
